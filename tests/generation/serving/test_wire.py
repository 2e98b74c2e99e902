"""Requests and clips go through the pipe whole."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from domain.clip import ClipFailure, ClipRequest, GeneratorInfo, Source, SourceUse
from domain.errors import GenerationError, NoRoomError
from generation import frames, generator, parcels, serving, wire
from generation.audio import Audio
from generation.frames import Frame, FrameError
from generation.generator import Capabilities, Composition
from generation.parcels import Refusal, Sound
from tests.generation.serving.worker import order, working

INFO = GeneratorInfo(name="fake", version="2", licence="MIT", details={"device": "cpu"})
ABLE = Capabilities(
    shortest=1.0,
    longest=30.0,
    sample_rate=32_000,
    commercial=False,
    sources=frozenset({SourceUse.FILL, SourceUse.MELODY}),
    batch=4,
)
PLAIN = ClipRequest(prompt="café", seed=5, seconds=2.5)
FULL = ClipRequest(
    prompt="",
    seed=2**31 - 1,
    seconds=30.0,
    description={"tempo": 84.0, "bars": [1, 2]},
    facets={"family": "lofi"},
    source=Source(audio=b"RIFF", use=SourceUse.FILL, strength=0.25, start=1.0, end=2.5),
    embedding=np.arange(6, dtype=np.float32).tobytes(),
    draft=True,
)


class Fake:
    """A ``Generator`` that does as it is told."""

    info, capabilities = INFO, ABLE

    def __init__(self, answer=None, prepared=None):
        self._answer, self._prepared = answer, prepared

    def prepare(self):
        if self._prepared is not None:
            raise self._prepared

    def release(self):
        pass

    def generate(self, requests, *, progress=None):
        progress(1, 2)
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer


def through(frame):
    """Return a frame as the other side has it."""
    packed = frames.packed(frame)
    header = int.from_bytes(packed[:4], "big")
    return frames._frame(packed[8 : 8 + header], packed[8 + header :])


def test_requests_come_through_whole():
    there = parcels.orders(through(wire.asked(3, [PLAIN, FULL])))
    assert [wire.request_of(one) for one in there] == [PLAIN, FULL]


def test_a_request_that_lacks_something_is_refused():
    said = wire.order_of(FULL).said
    for changed in (
        {name: value for name, value in said.items() if name != "seed"},
        {**said, "seconds": "long"},
        {**said, "source": {**said["source"], "use": "eat"}},
        {**said, "source": "all of it"},
    ):
        with pytest.raises(FrameError):
            wire.request_of(parcels.Order(said=changed))


def test_clips_come_through_whole():
    samples = np.linspace(-0.5, 0.5, 88_200, dtype=np.float32).reshape(-1, 2)
    clip = Composition(
        audio=Audio(samples=samples, sample_rate=44_100),
        loudness=-16.0,
        description={"model": "fake"},
        notes=None,
    )
    frame = parcels.made(1, [wire.sound_of(clip), wire.sound_of(ClipFailure(reason="No."))])
    first, second = wire.brought(through(frame))
    assert np.array_equal(first.audio.samples, samples)
    assert dataclasses.replace(first, audio=clip.audio) == clip
    assert second == ClipFailure(reason="No.")


def test_clips_that_nobody_mastered_are_mastered():
    wave = (0.05 * np.sin(np.arange(16_000) / 8)).astype("<f4")
    made = wire.outcome_of(Sound(wave.tobytes(), 8000, description={"steps": 8}))
    assert (made.audio.sample_rate, made.audio.channels) == (44_100, 2)
    assert -17 < made.loudness < -15
    assert made.description["steps"] == 8


@pytest.mark.parametrize(
    "sound",
    [
        Sound(b"", 8000),
        Sound(b"\0" * 8000, 12),
        Sound(np.full(8000, np.nan, "<f4").tobytes(), 8000, finished=True),
    ],
)
def test_what_is_no_sound_is_a_failure(sound):
    assert isinstance(wire.outcome_of(sound), ClipFailure)


def test_a_generator_introduces_itself():
    assert wire.introduced(through(Frame("hello", wire.introduction(INFO, ABLE)))) == (INFO, ABLE)
    for header in (
        {},
        {"info": {"name": "x"}, "capabilities": {}},
        {**wire.introduction(INFO, ABLE), "capabilities": {"sources": ["eat"]}},
    ):
        with pytest.raises(FrameError, match="who it is"):
            wire.introduced(Frame("hello", header))


def test_a_generator_of_ours_is_served():
    clip = Composition(
        audio=Audio(samples=np.zeros((8000, 1), np.float32), sample_rate=8000),
        loudness=-70.0,
        description={},
        notes=None,
    )
    steps = []
    served = wire.Served(Fake([clip, ClipFailure(reason="No.")]))
    assert served.hello()["info"]["name"] == "fake"
    made = served.make([wire.order_of(PLAIN)] * 2, lambda *now: steps.append(now))
    assert (made[0].rate, made[1], steps) == (8000, Refusal("No."), [(1, 2)])


def test_trouble_of_a_generator_is_the_pipes():
    with pytest.raises(serving.Failed, match="no GPU"):
        wire.Served(Fake(prepared=GenerationError("There is no GPU.")))
    for raised, wanted in (
        (NoRoomError("full"), serving.NoRoom),
        (GenerationError("gone"), serving.Failed),
        (generator.Cancelled(), serving.Cancelled),
    ):
        with pytest.raises(wanted):
            wire.Served(Fake(raised)).make([], lambda *_: None)

    def cancel(done, total):
        raise serving.Cancelled

    with pytest.raises(serving.Cancelled):
        wire.Served(Fake([])).make([], cancel)


def test_a_scripted_worker_is_understood():
    with working() as worker:
        info, able = wire.introduced(worker.hear())
        assert (info.name, able.batch, able.sources) == ("scripted", 8, frozenset())
        worker.ask(1, order())
        made = wire.brought(worker.answer())[0]
        assert made.audio.seconds == pytest.approx(1.0, abs=0.01)


class Reading(Fake):
    """Also tells what it makes of words."""

    def states_of(self, prompt):
        return np.full((len(prompt.split()), 2), 0.5, np.float32)


def test_words_that_are_read_are_steps():
    told = []
    found = wire.Served(Reading([])).read(["slow jazz", "fast"], lambda *now: told.append(now))
    assert [(one.width, len(one.values)) for one in found] == [(2, 16), (2, 8)]
    assert told == [(1, 2), (2, 2)]
    with pytest.raises(serving.Failed, match="does not tell"):
        wire.Served(Fake([])).read(["slow jazz"], lambda *_: None)
