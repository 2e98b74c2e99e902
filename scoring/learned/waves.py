"""Encoders of waveforms: HuBERT and its relatives, whose every layer hears something else in music."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from domain.errors import ScoringError
from scoring.encoder import EncoderInfo, Floats, Heard
from scoring.learned.hearing import Hearing


@dataclass(frozen=True, slots=True, kw_only=True)
class Runtime:
    """Where and how a network runs.

    Attributes:
        device: Such as ``"cpu"`` or ``"cuda"``.
        dtype: Of weights and activations.
        rows: Windows in a batch. On a CPU one: more gain nothing there, and results cannot depend on the batch.
    """

    device: torch.device
    dtype: torch.dtype = torch.bfloat16
    rows: int = 1

    @classmethod
    def named(cls, device: str = "auto", *, threads: int = 1) -> Runtime:
        """Return the runtime for a device; ``"auto"`` takes a GPU where there is one.

        Args:
            device: ``"auto"`` or a device's name.
            threads: Of PyTorch in this process. More than one is many times slower on shared cores.

        Raises:
            ScoringError: There is no such device here.
        """
        torch.set_num_threads(threads)
        if device == "auto":
            device = "cuda" if torch.cuda.is_available() else "cpu"
        try:
            found = torch.device(device)
            torch.zeros(1, device=found)
        except (RuntimeError, AssertionError, NotImplementedError):
            message = f"There is no device {device!r} for the encoder here; use cpu or auto."
            raise ScoringError(message) from None
        return cls(device=found, rows=1 if found.type == "cpu" else 16)

    def settle(self, network: nn.Module) -> nn.Module:
        """Return the network where it will run, ready to listen and not to learn."""
        return network.to(self.device, self.dtype).eval().requires_grad_(requires_grad=False)


def pooled(
    windows: Sequence[Sequence[Floats] | ScoringError], heard: Sequence[Floats]
) -> list[Heard]:
    """Return for each clip the mean over its windows.

    Args:
        windows: Of each clip, or what is wrong with it.
        heard: What the network made of each window (layers, dim), clip after clip.
    """
    rest = iter(heard)
    out: list[Heard] = []
    for own in windows:
        if isinstance(own, ScoringError):
            out.append(own)
            continue
        every = np.stack([next(rest) for _ in own])
        mean: Floats = every.mean(axis=0, dtype=np.float64).astype(np.float32)
        out.append(mean if np.isfinite(mean).all() else ScoringError(NOT_FINITE))
    return out


NOT_FINITE = (
    "The encoder made numbers of this clip that are not finite; its weights may be damaged."
)


def cut(
    clips: Sequence[NDArray[Any]], sample_rate: int, hearing: Hearing
) -> list[list[Floats] | ScoringError]:
    """Return the windows of each clip, or what is wrong with it."""
    out: list[list[Floats] | ScoringError] = []
    for clip in clips:
        try:
            out.append(hearing.windows(clip, sample_rate))
        except ScoringError as error:
            out.append(error)
    return out


def batches(windows: Sequence[Floats], rows: int) -> list[list[int]]:
    """Return places of windows that run together: of one length, at most ``rows`` of them."""
    by_length: dict[int, list[int]] = {}
    for place, window in enumerate(windows):
        by_length.setdefault(len(window), []).append(place)
    return [
        places[start : start + rows]
        for places in by_length.values()
        for start in range(0, len(places), rows)
    ]


class WaveEncoder:
    """Embeds clips as the mean over time of each layer of a network.

    Args:
        network: Takes (rows, frames) and returns ``hidden_states`` of (rows, time, dim), the input's first.
        info: What it is.
        hearing: How it listens.
        runtime: Where it runs.
    """

    def __init__(
        self, network: nn.Module, info: EncoderInfo, *, hearing: Hearing, runtime: Runtime
    ) -> None:
        self.info = info
        self._hearing = hearing
        self._runtime = runtime
        self._network = runtime.settle(network)

    def encode(self, samples: NDArray[Any], sample_rate: int) -> Floats:
        """Embed one clip; see ``scoring.encoder.Encoder``."""
        (heard,) = self.encode_batch([samples], sample_rate)
        if isinstance(heard, ScoringError):
            raise heard
        return heard

    def encode_batch(self, clips: Sequence[NDArray[Any]], sample_rate: int) -> list[Heard]:
        """Embed clips; see ``scoring.encoder.Encoder``. A long clip is the mean of windows spread over it."""
        windows = cut(clips, sample_rate, self._hearing)
        every = [one for own in windows if not isinstance(own, ScoringError) for one in own]
        heard: list[Floats] = [np.empty(0, np.float32)] * len(every)
        for places in batches(every, self._runtime.rows):
            together = self._listen(torch.from_numpy(np.stack([every[i] for i in places])))
            for place, one in zip(places, together, strict=True):
                heard[place] = one
        return pooled(windows, heard)

    @torch.inference_mode()
    def _listen(self, windows: Tensor) -> Floats:
        """Return (rows, layers, dim) of windows (rows, frames)."""
        given = windows.to(self._runtime.device, self._runtime.dtype)
        layers = self._network(given, output_hidden_states=True).hidden_states
        out: Floats = (
            torch.stack([layer.float().mean(dim=1) for layer in layers], dim=1).cpu().numpy()
        )
        return out
