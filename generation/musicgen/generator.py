"""MusicGen as a generator: requests in, mastered clips out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from domain.clip import ClipFailure, ClipRequest, GeneratorInfo
from domain.errors import GenerationError
from generation.audio import SAMPLE_RATE, Audio, Floats
from generation.generator import Composition, Progress
from generation.musicgen.engine import Engine, Order
from generation.musicgen.sampling import Sampling
from generation.musicgen.shapes import FRAME_RATE
from generation.musicgen.text import TooLongError
from generation.resampling import resampled
from generation.sounding.master import TARGET, master

VERSION = "1"
"""Raise it whenever the same request would sound different."""
LICENCE = "CC-BY-NC-4.0"
"""Of the released weights."""
FADE_IN, FADE_OUT = 0.005, 0.05
"""Seconds."""
SHORTEST, LONGEST = 1.0, 300.0
"""Seconds that a clip may last."""


class MusicGen:
    """A ``Generator`` around an engine."""

    def __init__(self, engine: Engine, *, name: str, licence: str = LICENCE) -> None:
        decoder = engine.model.decoder
        kind = str(decoder.dtype).removeprefix("torch.")
        self._engine = engine
        # Numbers differ between devices, number formats and sizes of a batch, so they are part of the version.
        self.info = GeneratorInfo(
            name=name,
            version=f"{VERSION}-{decoder.device.type}-{kind}-{engine.bucket}",
            licence=licence,
            details={
                "device": str(decoder.device),
                "numbers": kind,
                "batch": str(engine.bucket),
            },
        )

    @classmethod
    def load(  # noqa: PLR0913 - what decides how it plays, all by name
        cls,
        folder: Path,
        *,
        name: str = "musicgen",
        device: str = "cpu",
        licence: str = LICENCE,
        how: Sampling | None = None,
        bucket: int = 8,
        threads: int = 1,
    ) -> MusicGen:
        """Load a checkpoint in bfloat16.

        Args:
            folder: Of the checkpoint.
            name: What clips say made them.
            device: Such as ``"cpu"`` or ``"cuda:0"``; ``"auto"`` is the first GPU where there is one.
            licence: Of the weights.
            how: To sample.
            bucket: Clips of a batch.
            threads: On a CPU; more than one is slower where other processes use the cores too.

        Raises:
            GenerationError: There is no such checkpoint, no PyTorch or no such device.
        """
        try:
            import torch  # noqa: PLC0415 - heavy
            import transformers  # noqa: F401, PLC0415
        except ImportError:
            raise GenerationError(
                "MusicGen needs PyTorch and transformers: pip install torch==2.13.0, then "
                "pip install 'tunebreeder[models]'."
            ) from None
        from generation.musicgen.checkpoint import load  # noqa: PLC0415

        if device == "auto":
            device = "cuda:0" if torch.cuda.is_available() else "cpu"
        if device.startswith("cuda") and not torch.cuda.is_available():
            raise GenerationError(f"There is no device {device}; PyTorch sees no GPU here.")
        torch.set_num_threads(max(1, threads))
        engine = Engine(load(folder, device=device), how, bucket=bucket)
        return cls(engine, name=name, licence=licence)

    def generate(
        self, requests: Sequence[ClipRequest], *, progress: Progress | None = None
    ) -> list[Composition | ClipFailure]:
        """Make one clip for each request; alike ones are written together."""
        out: dict[int, Composition | ClipFailure] = {}
        orders: dict[int, Order] = {}
        for place, request in enumerate(requests):
            refused = _refuse(request)
            if refused is not None:
                out[place] = refused
            else:
                orders[place] = Order(
                    prompt=request.prompt,
                    seed=request.seed,
                    frames=round(request.seconds * FRAME_RATE),
                )
        written = self._engine.write(list(orders.values()))
        for place, codes in zip(orders, written, strict=True):
            if isinstance(codes, TooLongError):
                out[place] = ClipFailure(reason=str(codes))
            else:
                out[place] = self._finished(orders[place], self._engine.sound([codes])[0])
            if progress is not None:
                progress(len(out), len(requests))
        return [out[place] for place in range(len(requests))]

    def _finished(self, order: Order, audio: Audio) -> Composition | ClipFailure:
        samples = resampled(audio.samples, audio.sample_rate, SAMPLE_RATE).T
        if not np.isfinite(samples).all():
            return ClipFailure(reason="The model gave no sound; another seed may.")
        done = master(_faded(np.broadcast_to(samples, (2, samples.shape[1]))))
        return Composition(
            audio=Audio(samples=np.ascontiguousarray(done.samples.T), sample_rate=SAMPLE_RATE),
            loudness=round(done.loudness, 2),
            description={"loudness_target": TARGET, "frames": order.frames, **self.info.details},
            notes=None,
        )


def _faded(samples: Floats) -> Floats:
    """Return (2, frames) that begin and end without a click: the model stops in the middle of sound."""
    out = np.ascontiguousarray(samples - samples.mean(axis=1, keepdims=True))
    rise, fall = round(FADE_IN * SAMPLE_RATE), round(FADE_OUT * SAMPLE_RATE)
    out[:, :rise] *= np.linspace(0, 1, rise, dtype=np.float32)
    out[:, -fall:] *= np.linspace(1, 0, fall, dtype=np.float32)
    return out


def _refuse(request: ClipRequest) -> ClipFailure | None:
    if not SHORTEST <= request.seconds <= LONGEST:
        return ClipFailure(
            reason=f"A clip of MusicGen lasts {SHORTEST:.0f} to {LONGEST:.0f} seconds, not "
            f"{request.seconds:g}."
        )
    if not 0 <= request.seed < 2**31:
        return ClipFailure(reason="A seed is a whole number from 0 to 2147483647.")
    if not request.prompt.strip():
        return ClipFailure(reason="The prompt is empty; say what the music should be.")
    return None
