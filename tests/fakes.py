"""Fakes of the Protocols: a clock to turn by hand, a device without sound, a sink that remembers."""

from __future__ import annotations

import asyncio
import dataclasses
import hashlib
from collections.abc import Callable, Sequence

import numpy as np

from domain.clip import (
    ClipFailure,
    ClipRequest,
    GeneratorInfo,
    HeardTrack,
    RenderedClip,
    SourceUse,
)
from domain.facets import FAMILIES
from domain.ids import MessageId
from generation.generator import Capabilities
from scoring.features import FeatureEncoder
from service.generator_state import GeneratorState, Readiness
from service.posting import Undeliverable, View

INFO = GeneratorInfo(
    name="fake", version="1", licence="none", stand_in_for="MusicGen", details={"renderer": "none"}
)


ABLE = Capabilities(
    shortest=1.0,
    longest=300.0,
    sample_rate=32_000,
    commercial=True,
    notes=True,
    sources=frozenset({SourceUse.CONTINUE}),
    batch=8,
)


def generator_state(**changes: object) -> GeneratorState:
    """A generator that is ready; ``changes`` as in ``GeneratorState``, and ``name``."""
    name = changes.pop("name", INFO.name)
    values = {
        "info": dataclasses.replace(INFO, name=name),
        "readiness": Readiness.READY,
        "commercial": True,
        "capabilities": ABLE,
        "batch": 8,
        "most": 8,
    }
    return GeneratorState(**{**values, **changes})


class FakeClock:
    """Time that passes only when told to."""

    def __init__(self, start: float = 1_700_000_000.0) -> None:
        self._now = start
        self._sleepers: list[tuple[float, asyncio.Future[None]]] = []

    def now(self) -> float:
        return self._now

    async def sleep(self, seconds: float) -> None:
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._sleepers.append((self._now + seconds, future))
        await future

    def due(self, seconds: float) -> bool:
        """Whether somebody wakes within that time."""
        return any(at <= self._now + seconds and not one.done() for at, one in self._sleepers)

    def advance(self, seconds: float) -> None:
        self._now += seconds
        for at, future in self._sleepers:
            if at <= self._now and not future.done():
                future.set_result(None)
        self._sleepers = [(at, future) for at, future in self._sleepers if not future.done()]


def family_of(prompt: str) -> str:
    """The family a fake clip has: the one the prompt names, else one by chance of its text."""
    named = [family for family in FAMILIES if family.replace("_", " ") in prompt.lower()]
    return (
        named[0]
        if named
        else FAMILIES[int(hashlib.sha256(prompt.encode()).hexdigest(), 16) % len(FAMILIES)]
    )


class FakeDevice:
    """Renders nothing in no time: the embedding stands around the place of the prompt's family."""

    def __init__(self) -> None:
        self.encoder = FeatureEncoder()
        self.requests: list[ClipRequest] = []
        self.fail: Callable[[ClipRequest], str | None] = lambda _: None
        self.hold: asyncio.Event | None = None
        self.closed = False
        self.reads: Callable[[str], np.ndarray] | None = None
        self.read_prompts: list[str] = []
        self.generators = [generator_state()]

    async def render(
        self, requests: Sequence[ClipRequest], ready: Callable[[int], None], *, party=None
    ) -> list[RenderedClip | ClipFailure]:
        out: list[RenderedClip | ClipFailure] = []
        for request in requests:
            if self.hold is not None:
                await self.hold.wait()
            self.requests.append(request)
            reason = self.fail(request)
            out.append(ClipFailure(reason=reason) if reason else self.clip(request))
            ready(len(out))
            await asyncio.sleep(0)
        return out

    def clip(self, request: ClipRequest) -> RenderedClip:
        family = family_of(request.prompt)
        place = np.random.default_rng(FAMILIES.index(family)).normal(
            size=self.encoder.info.dimensions
        )
        noise = np.random.default_rng(request.seed).normal(size=self.encoder.info.dimensions)
        return RenderedClip(
            request=request,
            generator=INFO,
            audio=f"{request}".encode(),
            media_type="audio/mpeg",
            extension="mp3",
            seconds=request.seconds,
            loudness=-16.0,
            waveform=(0.1, 0.5, 0.2),
            encoder_id=self.encoder.info.id,
            embedding=(place + 0.3 * noise).astype(np.float32).tobytes(),
            quality=1.0,
            defects={},
            description={"family": family, "tempo": 100.0, "tonic": "C", "mode": "minor"},
        )

    async def wav(self, request: ClipRequest) -> bytes | ClipFailure:
        return b"RIFF" + str(request.seed).encode()

    async def export(self, request: ClipRequest, kind: str) -> bytes | ClipFailure:
        reason = self.fail(request)
        return ClipFailure(reason=reason) if reason else f"{kind} {request.seed}".encode()

    async def listen(self, track: bytes, longest: float) -> HeardTrack | ClipFailure:
        """Hear the family that the bytes name, as a clip of it is."""
        if not track.startswith(b"RIFF"):
            return ClipFailure(reason="That is no sound. Send an MP3.")
        heard = self.clip(ClipRequest(prompt=track[4:].decode(), seed=1, seconds=8.0))
        return HeardTrack(
            encoder_id=heard.encoder_id, embedding=heard.embedding, seconds=longest / 10
        )

    async def draw(self, paint, view) -> bytes | ClipFailure:
        return paint(view)

    async def states(self, *, known: bool = False) -> list[GeneratorState]:
        return self.generators

    async def embeds(self, generator: str = "") -> bool:
        return self.reads is not None

    async def read(self, prompts, generator: str = ""):
        if self.reads is None:
            return ClipFailure(reason="It takes words.")
        self.read_prompts += list(prompts)
        return [self.reads(prompt) for prompt in prompts]

    async def warm_up(self) -> None:
        pass

    async def close(self) -> None:
        self.closed = True


class FakeSink:
    """Remembers what was sent; can refuse, and can lose the answer after sending."""

    def __init__(self) -> None:
        self.sent: list[View] = []
        self.refuse: Undeliverable | None = None
        self.lose_answer = False
        self.failed = 0

    async def find(self, view: View) -> MessageId | None:
        for number, sent in enumerate(self.sent, start=1000):
            if sent.post.id == view.post.id:
                return MessageId(number)
        return None

    async def send(self, view: View) -> MessageId:
        if self.refuse is not None:
            self.failed += 1
            raise self.refuse
        self.sent.append(view)
        if self.lose_answer:
            self.lose_answer = False
            self.failed += 1
            raise Undeliverable("The connection broke.", permanent=False)
        return MessageId(1000 + len(self.sent) - 1)
