"""Vary, Cross and Remix on the sound of a model's clips."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pytest
import soundfile

from domain.candidate import Directive
from domain.clip import ClipFailure, SourceUse
from domain.vote import Grade
from generation.generator import Capabilities
from generation.sources import decoded, spliced
from tests.service.conftest import ANN, MOD

RATE = 8000


def tone(hertz: float, seconds: float = 2.0, rate: int = RATE, channels: int = 1) -> bytes:
    wave = 0.4 * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)
    out = io.BytesIO()
    soundfile.write(out, np.repeat(wave[:, None], channels, axis=1), rate, format="WAV")
    return out.getvalue()


def pitch(samples: np.ndarray, rate: int) -> float:
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return float(np.argmax(spectrum) * rate / len(samples))


def test_two_files_are_joined_in_the_middle_whatever_their_rates_and_channels():
    joined = decoded(spliced(tone(440), tone(880, rate=16_000, channels=2), 2.0))
    assert (len(joined.samples), joined.sample_rate, joined.channels) == (2 * RATE, RATE, 1)
    half = RATE
    assert pitch(joined.samples[:half, 0], RATE) == pytest.approx(440, abs=2)
    assert pitch(joined.samples[half:, 0], RATE) == pytest.approx(880, abs=2)
    short = decoded(spliced(tone(440, 0.5), tone(880, 0.5), 2.0))
    assert not short.samples[RATE:].any()
    assert isinstance(spliced(tone(440), b"no sound", 2.0), ClipFailure)


@pytest.fixture
async def sounding(stage):
    """A stage whose generator can change sounds and make stretches anew."""
    able = Capabilities(
        shortest=1,
        longest=30,
        sample_rate=RATE,
        commercial=True,
        sources=frozenset({SourceUse.VARY, SourceUse.FILL}),
    )
    stage.device.generators = [replace(stage.device.generators[0], capabilities=able)]
    make = stage.device.clip
    stage.device.clip = lambda one: replace(make(one), audio=tone(200 + one.seed % 300))
    await stage.start()
    await stage.rate(ANN, 1, Grade.LOVE)
    await stage.rate(ANN, 2, Grade.LOVE)
    return stage


async def asked(stage, directive, slots, **more):
    shown = await stage.shown(1)
    before = len(stage.device.requests)
    await stage.next(
        MOD, directive=directive, clip_ids=tuple(shown[slot - 1].id for slot in slots), **more
    )
    return stage.device.requests[before:]


async def test_variations_begin_with_the_sound_of_their_parent_in_grades(sounding):
    assert all(one.source is None for one in sounding.device.requests), "the first are of words"
    made = await asked(sounding, Directive.VARY, [1])
    parent = (await sounding.shown(1))[0]
    sources = [one.source for one in made if one.source is not None]
    assert len(sources) == len(made)
    assert {one.use for one in sources} == {SourceUse.VARY}
    assert {one.audio for one in sources} == {await sounding.services.clips.audio(parent)}
    grades = [one.strength for one in sources]
    assert grades == sorted(grades)
    assert (grades[0], grades[-1]) == (0.25, 0.7)


async def test_a_cross_joins_its_parents_and_makes_the_seam_anew(sounding):
    made = await asked(sounding, Directive.CROSS, [1, 2])
    crossed = [one for one in made if one.source is not None]
    assert crossed
    for one in crossed:
        assert one.source.use is SourceUse.FILL
        assert (one.source.start, one.source.end) == (3.0, 5.0)
        assert len(decoded(one.source.audio).samples) == 8 * RATE


async def test_the_next_round_and_generators_that_cannot_go_by_words(sounding):
    before = len(sounding.device.requests)
    await sounding.next()
    assert all(one.source is None for one in sounding.device.requests[before:])
    sounding.device.generators = [replace(sounding.device.generators[0], capabilities=None)]
    assert all(one.source is None for one in await asked(sounding, Directive.VARY, [1]))
