"""From a process that makes sines to clips with features, a gate and a file."""

from __future__ import annotations

import io

import numpy as np
import pytest
import soundfile

from domain.clip import MADE_FROM, ClipFailure, ClipRequest, RenderedClip, Source, SourceUse
from service.device import ProcessWorker, RenderSpec
from service.generator_state import Readiness
from service.heavy.choice import ChoiceWorker
from service.heavy.worker import HeavyWorker
from tests.fakes import FakeDevice, generator_state
from tests.service.heavy.conftest import MODEL


def request(seed: int = 1, **changes) -> ClipRequest:
    values = {"prompt": "slow lofi with piano", "seed": seed, "seconds": 2.0}
    return ClipRequest(**{**values, **changes})


@pytest.fixture
async def hands():
    made = ProcessWorker(RenderSpec(), workers=1, deadline=60)
    yield made
    await made.close()


async def test_sound_becomes_clips_with_everything(shop, hands):
    worker = HeavyWorker(shop.open("--refuse", "drums"), MODEL, hands)
    (before,) = await worker.states()
    assert (before.info.name, before.info.version) == ("scripted", "")
    assert (before.readiness, before.capabilities) == (Readiness.ASLEEP, None)
    told: list[int] = []
    clip, refused = await worker.render([request(), request(prompt="drums")], told.append)
    assert refused == ClipFailure(reason="drums cannot be played.")
    assert isinstance(clip, RenderedClip)
    assert (clip.generator.name, clip.generator.version) == ("scripted", "1")
    assert clip.seconds == pytest.approx(2.0, abs=0.01)
    assert -17 < clip.loudness < -15
    assert np.isfinite(np.frombuffer(clip.embedding, np.float32)).all()
    assert clip.description["family"] == "lofi"
    assert clip.quality < 0.5, "a sine is no music, and the gate says so"
    assert told[-1] == 2
    data = await worker.wav(request())
    samples, rate = soundfile.read(io.BytesIO(data))
    assert (rate, len(samples)) == (44_100, 88_200)
    assert "without notes" in (await worker.export(request(), "midi")).reason
    (after,) = await worker.states()
    assert (after.readiness, after.info.version) == (Readiness.READY, "1")
    assert (after.tally.made, after.tally.failed) == (2, 1)


async def test_each_request_goes_to_its_generator():
    first, second = FakeDevice(), FakeDevice()
    both = ChoiceWorker({"one": first, "two": second})
    told: list[int] = []
    asked = [
        request(1),
        request(2, generator="two"),
        request(3, generator="gone"),
        request(4, generator="one"),
    ]
    made = await both.render(asked, told.append)
    assert [one.seed for one in first.requests] == [1, 4]
    assert [one.seed for one in second.requests] == [2]
    assert [one.request.seed for one in (made[0], made[1], made[3])] == [1, 2, 4]
    assert "no generator 'gone' here any more" in made[2].reason
    assert told[-1] == 3
    assert isinstance(await both.wav(request(generator="gone")), ClipFailure)


async def test_a_generator_that_cannot_be_closed_keeps_no_other_open():
    class Stuck(FakeDevice):
        async def close(self):
            raise OSError("It is stuck.")

    first, spare = FakeDevice(), FakeDevice()
    with pytest.raises(OSError, match="stuck"):
        await ChoiceWorker({"one": first, "two": Stuck()}, {"spare": spare}).close()
    assert first.closed
    assert spare.closed


async def test_what_was_made_from_a_sound_says_so_and_spoilt_clips_have_failed(shop, hands):
    worker = HeavyWorker(shop.open(), MODEL, hands)
    (clip,) = await worker.render(
        [request(source=Source(audio=b"sound", use=SourceUse.CONTINUE))], lambda _: None
    )
    assert clip.description[MADE_FROM] == "continue"

    async def broken(*_):
        return ClipFailure(reason="No sound.")

    worker._hands.attempt = broken
    await worker.render([request()], lambda _: None)
    (state,) = await worker.states()
    assert (state.tally.made, state.tally.failed) == (1, 1)


async def test_generators_are_told_in_their_order_and_spare_ones_are_marked():
    first, second = FakeDevice(), FakeDevice()
    second.generators = [generator_state(name="composer")]
    only = ChoiceWorker({"fake": first}, {"composer": second})
    assert [(one.info.name, one.offered) for one in await only.states()] == [
        ("fake", True),
        ("composer", False),
    ]
    assert (await only.render([request(generator="composer")], lambda _: None))[0] is not None
    assert second.requests
    both = ChoiceWorker({"composer": second, "fake": first}, {"composer": second})
    assert [(one.info.name, one.offered) for one in await both.states()] == [
        ("composer", True),
        ("fake", True),
    ]
