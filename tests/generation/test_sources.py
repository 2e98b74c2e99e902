"""Sounds that come with a request."""

from __future__ import annotations

import io

import numpy as np
import pytest
import soundfile

from domain.clip import ClipFailure, Source, SourceUse
from generation.resampling import resampled
from generation.sources import prepared


def file(samples, rate=22_050):
    out = io.BytesIO()
    soundfile.write(out, samples, rate, format="WAV", subtype="FLOAT")
    return out.getvalue()


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("seconds", [0.5, 2.0, 7.0])
def test_a_sound_is_cut_or_followed_by_silence_and_is_in_stereo(channels, seconds):
    noise = np.random.default_rng(1).standard_normal((5 * 22_050, channels)).astype(np.float32)
    got = prepared(Source(audio=file(noise), use=SourceUse.VARY), 48_000, seconds)
    assert got.shape == (round(seconds * 48_000), 2)
    whole = resampled(noise, 22_050, 48_000)[: len(got)]
    assert np.array_equal(got[: len(whole)], np.broadcast_to(whole, (len(whole), 2)))
    assert not got[len(whole) :].any()


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (Source(audio=b"", use=SourceUse.VARY), "cannot be read"),
        (Source(audio=file(np.zeros((0, 1))), use=SourceUse.VARY), "cannot be read"),
        (Source(audio=file(np.full((9, 1), np.nan)), use=SourceUse.VARY), "not numbers"),
        (Source(audio=file(np.zeros((9, 3))), use=SourceUse.VARY), "3 channels"),
        (Source(audio=b"", use=SourceUse.VARY, strength=np.nan), "between 0 and 1"),
        (Source(audio=b"", use=SourceUse.FILL, start=1.0, end=1.0), "no stretch from 1 to 1 s"),
        (Source(audio=b"", use=SourceUse.FILL, start=np.nan, end=1.0), "no stretch"),
    ],
)
def test_what_is_wrong_with_a_sound_is_a_value(source, words):
    failure = prepared(source, 48_000, 2.0)
    assert isinstance(failure, ClipFailure)
    assert words in failure.reason
