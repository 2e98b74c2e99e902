"""Where learned encoders hear: one process of low priority, so that weights are in memory once and votes never wait."""

from __future__ import annotations

import asyncio
import io
import logging
from collections.abc import Callable, Sequence
from concurrent.futures.process import BrokenProcessPool
from functools import cache
from typing import Protocol, TypeVar

import numpy as np

from domain.clip import ClipFailure
from domain.errors import ScoringError
from scoring.encoder import Encoder, Kind, TextEncoder, Weights
from scoring.encoders import create_encoder
from service.processes import Processes

log = logging.getLogger(__name__)
G = TypeVar("G")
T = TypeVar("T")

Embedded = bytes | ClipFailure
"""An embedding as float32, flattened, or why there is none."""
MOST = 8
"""Clips that cross to the process at a time."""


class Ears(Protocol):
    """Hears finished clips."""

    @property
    def weights(self) -> Weights:
        """Whose embeddings come back."""
        ...

    @property
    def trouble(self) -> str:
        """Why nothing can be heard now, in a sentence; ``""`` while things can."""
        ...

    async def warm_up(self) -> None:
        """Load what the first clip would otherwise wait for."""
        ...

    async def hear(self, audio: bytes) -> Embedded:
        """Return what a clip's file sounds like; what cannot be heard is a value."""
        ...

    @property
    def unread(self) -> str:
        """Why prompts cannot be read though sound is heard, in a sentence; ``""`` where nothing is wrong."""
        ...

    async def read(self, text: str) -> bytes | None:
        """Return a text in the space of the clips, float32; ``None`` where the encoder knows no words or cannot."""
        ...

    async def close(self) -> None:
        """Stop."""
        ...


class EncoderProcess:
    """Hears in a process that loads the encoder when it is first needed.

    Clips that wait at the same time cross together, so that a GPU gets batches.

    Args:
        weights: What is loaded there.
        device: Where it runs, see ``scoring.encoders.create_encoder``.
        deadline: Seconds after which a crossing is given up, loading included.
    """

    def __init__(self, weights: Weights, *, device: str = "auto", deadline: float = 300.0) -> None:
        self._weights = weights
        self._device = device
        self._worker = Processes(1, deadline)
        self._turn = asyncio.Lock()
        self._waiting: list[tuple[bytes, asyncio.Future[Embedded]]] = []
        self.trouble = ""
        self.unread = ""

    @property
    def weights(self) -> Weights:
        """Whose embeddings come back."""
        return self._weights

    async def warm_up(self) -> None:
        """Load the encoder."""
        async with self._turn:
            await self._cross([])

    async def hear(self, audio: bytes) -> Embedded:
        """Return what a clip's file sounds like; what cannot be heard is a value."""
        answer: asyncio.Future[Embedded] = asyncio.get_running_loop().create_future()
        self._waiting.append((audio, answer))
        async with self._turn:
            while not answer.done():
                await self._next()
        return answer.result()

    async def read(self, text: str) -> bytes | None:
        """Return a text in the space of the clips; ``None`` without words in it, or where the encoder knows none."""
        if self._weights.kind is not Kind.CLAP or not text.strip():
            return None
        async with self._turn:
            said = await self._ask(_read, text)
        if isinstance(said, bytes):
            self.unread = ""
            return said
        if said is not None and said.reason != self.unread:
            log.warning("%s cannot read prompts: %s", self._weights.name, said.reason)
            self.unread = said.reason
        return None

    async def _next(self) -> None:
        """Let the process hear those who have waited longest."""
        now, self._waiting = self._waiting[:MOST], self._waiting[MOST:]
        try:
            files = [audio for audio, _ in now]
            heard = await self._cross(files)
        except asyncio.CancelledError:
            self._waiting = now + self._waiting  # whoever has the next turn asks again
            raise
        for (_, answer), one in zip(now, heard, strict=True):
            if not answer.done():
                answer.set_result(one)

    async def _cross(self, files: Sequence[bytes]) -> Sequence[Embedded]:
        heard = await self._ask(_hear, files)
        return [ClipFailure(reason=self.trouble)] * len(files) if heard is None else heard

    async def _ask(self, function: Callable[[Weights, str, G], T], given: G) -> T | None:
        """Call a function in the process; ``None`` when that is in trouble."""
        try:
            answer = await self._worker.call(function, self._weights, self._device, given)
        except TimeoutError:
            self.trouble = "Listening took too long."
        except BrokenProcessPool:
            self.trouble = "The process that listens died."
        except ScoringError as error:
            self.trouble = str(error)
        except Exception:  # the process's boundary: whatever it is, clips come without what was to be heard in them
            log.exception("Nobody foresaw this")
            self.trouble = "Something went wrong while listening. The log says more."
        else:
            self.trouble = ""
            return answer
        log.warning("%s cannot hear: %s", self._weights.name, self.trouble)
        return None

    async def close(self) -> None:
        """Stop the process."""
        await self._worker.close()


@cache
def _encoder(weights: Weights, device: str) -> Encoder | ScoringError:
    """Return this process's encoder, loaded once; or why it cannot be loaded."""
    try:
        return create_encoder(weights, device=device)
    except ScoringError as error:
        return error


def _hear(weights: Weights, device: str, files: Sequence[bytes]) -> Sequence[Embedded]:
    """In the process: decode and embed.

    Raises:
        ScoringError: The encoder cannot be loaded.
    """
    encoder = _encoder(weights, device)
    if isinstance(encoder, ScoringError):
        raise encoder
    out: list[Embedded] = []
    by_rate: dict[int, dict[int, np.ndarray]] = {}
    for place, one in enumerate(files):
        decoded = _decode(one)
        if isinstance(decoded, ClipFailure):
            out.append(decoded)
            continue
        out.append(b"")
        samples, rate = decoded
        by_rate.setdefault(rate, {})[place] = samples
    for rate, sounds in by_rate.items():
        together = encoder.encode_batch(list(sounds.values()), rate)
        for place, heard in zip(sounds, together, strict=True):
            out[place] = (
                ClipFailure(reason=str(heard))
                if isinstance(heard, ScoringError)
                else np.ascontiguousarray(heard, dtype="<f4").tobytes()
            )
    return out


def _read(weights: Weights, device: str, text: str) -> bytes | ClipFailure:
    """In the process: embed a text.

    Raises:
        ScoringError: The encoder cannot be loaded.
    """
    encoder = _encoder(weights, device)
    if isinstance(encoder, ScoringError):
        raise encoder
    if not isinstance(encoder, TextEncoder):
        return ClipFailure(reason="It knows no words.")
    try:
        (said,) = encoder.encode_text([text])
    except ScoringError as error:
        return ClipFailure(reason=str(error))
    return np.ascontiguousarray(said, dtype="<f4").tobytes()


def _decode(audio: bytes) -> tuple[np.ndarray, int] | ClipFailure:
    import soundfile  # noqa: PLC0415 - only in the process

    try:
        samples, rate = soundfile.read(io.BytesIO(audio), dtype="float32", always_2d=True)
    except soundfile.LibsndfileError as error:
        return ClipFailure(reason=f"The file cannot be read as audio ({error}).")
    return samples, int(rate)
