"""Sound as numbers: one small record that every stage of generation hands on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from domain.errors import GenerationError

Floats = npt.NDArray[np.float32]
"""float32 array of any shape."""


def as_floats(values: npt.ArrayLike) -> Floats:
    """Return values as a float32 array, without a copy where they are one."""
    return np.asarray(values, dtype=np.float32)


SAMPLE_RATE = 44_100
"""Frames per second of everything the composer renders."""
LOUDEST = 1e6
"""Of a sample that others made. Models and files of floats may go beyond full scale; the squares of much more are
beyond float32."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Audio:
    """Sampled sound.

    Attributes:
        samples: Shape (frames, channels), float32, full scale is 1; one or two channels.
        sample_rate: Frames per second in [8000, 192000].

    Raises:
        GenerationError: Shape, type or rate is wrong, or a sample is not finite.
    """

    samples: Floats
    sample_rate: int

    def __post_init__(self) -> None:
        shape = self.samples.shape
        if len(shape) != 2 or shape[1] not in {1, 2} or shape[0] == 0:
            raise GenerationError(
                f"Audio needs frames in rows and 1 or 2 channels in columns, not the shape {shape}."
            )
        if self.samples.dtype != np.float32:
            raise GenerationError(f"Audio needs float32 samples, not {self.samples.dtype}.")
        if not 8000 <= self.sample_rate <= 192_000:
            raise GenerationError(f"A sample rate of {self.sample_rate} Hz is out of range.")
        if not np.isfinite(self.samples).all():
            raise GenerationError("Audio has samples that are not numbers.")

    @property
    def frames(self) -> int:
        """Number of sample frames."""
        return int(self.samples.shape[0])

    @property
    def channels(self) -> int:
        """1 or 2."""
        return int(self.samples.shape[1])

    @property
    def seconds(self) -> float:
        """Length in seconds."""
        return self.frames / self.sample_rate
