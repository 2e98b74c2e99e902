from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.errors import ScoringError
from scoring.encoder import Encoder
from scoring.features import NAMED, NAMES, FeatureEncoder
from tests.scoring.synth import Piece, play

ENCODER = FeatureEncoder()


def named(clip, rate=32000):
    return dict(zip(NAMES, ENCODER.encode(clip, rate)[0].tolist(), strict=True))


def test_fills_the_protocol_and_names_every_number():
    encoder: Encoder = ENCODER
    info = encoder.info
    assert info.id == "features-1"
    assert len(set(info.names)) == info.dimensions
    assert info.names[: len(NAMED)] == NAMED
    clip = play(Piece(), seconds=2.0)
    out = encoder.encode(clip, 32000)
    assert out.shape == (info.layers, info.dimensions)
    assert out.dtype == np.float32
    assert np.array_equal(out, encoder.encode(clip, 32000))


@pytest.mark.parametrize("gain", [1e-4, 0.03, 0.5, 1.0])
def test_loudness_does_not_matter(clips, gain):
    for clip in clips[:3]:
        assert ENCODER.encode(clip * np.float32(gain), 32000) == pytest.approx(
            ENCODER.encode(clip, 32000), rel=2e-3, abs=2e-3
        )


@settings(max_examples=40, deadline=None)
@given(
    frames=st.integers(1, 9000),
    channels=st.integers(1, 2),
    kind=st.sampled_from(["silence", "noise", "constant", "sine", "impulse", "huge"]),
    rate=st.sampled_from([8000, 22050, 44100, 48000]),
)
def test_any_sound_gives_finite_numbers(frames, channels, kind, rate):
    t = np.arange(frames)
    clip = {
        "silence": np.zeros(frames),
        "noise": np.random.default_rng(frames).normal(size=frames),
        "constant": np.full(frames, 0.7),
        "sine": np.sin(0.05 * t),
        "impulse": (t == frames // 2).astype(float),
        "huge": 1e6 * np.sin(0.3 * t),
    }[kind]
    out = ENCODER.encode(np.repeat(clip[:, None], channels, axis=1).astype(np.float32), rate)
    assert np.isfinite(out).all()
    assert np.abs(out).max() < 1e3


def test_a_mono_array_and_integers_are_fine():
    clip = play(Piece(), seconds=2.0)[:, 0]
    whole = np.round(clip * 32767).astype(np.int16)
    close = ENCODER.encode(clip, 32000)[0, : len(NAMED)]
    assert ENCODER.encode(whole, 32000)[0, : len(NAMED)] == pytest.approx(close, abs=0.3)


def test_channels_that_cancel_are_still_heard():
    mono = play(Piece(), seconds=2.0)[:, 0]
    out = named(np.stack([mono, -mono], axis=1))
    assert out["onset_rate"] == pytest.approx(named(mono)["onset_rate"], abs=0.3)
    assert out["width"] > 0.5


@pytest.mark.parametrize(
    ("clip", "rate", "words"),
    [
        (np.zeros((0, 2), np.float32), 44100, "empty"),
        (np.full((100, 2), np.nan, np.float32), 44100, "not finite"),
        (np.array([[0.0, np.inf]] * 9, np.float32), 44100, "not finite"),
        (np.zeros((10, 2, 2), np.float32), 44100, "shape"),
        (np.zeros((10, 12), np.float32), 44100, "channels"),
        (np.zeros((10, 2), np.float32), 0, "sample rate"),
        (np.zeros((10, 2), np.complex64), 44100, "numbers"),
        (np.zeros((2000 * 601, 1), np.float32), 2000, "longer"),
    ],
)
def test_what_is_no_audio_is_refused_in_a_sentence(clip, rate, words):
    with pytest.raises(ScoringError, match=words) as caught:
        ENCODER.encode(clip, rate)
    assert str(caught.value).endswith(".")


def test_the_sample_rate_does_not_matter_much():
    piece = Piece(tempo=96, bright=0.3)
    low = named(play(piece, seconds=5.0, rate=22050), 22050)
    high = named(play(piece, seconds=5.0, rate=44100), 44100)
    for name in ("tempo", "brightness", "bass", "warmth", "major", "register", "key_strength"):
        assert low[name] == pytest.approx(high[name], abs=0.25), name


@pytest.mark.parametrize("tempo", [72, 90, 104, 120, 138])
def test_hears_the_tempo(tempo):
    clip = play(Piece(tempo=tempo, drums=0.8), seed=2, seconds=7.0)
    assert 100 * 2 ** named(clip)["tempo"] == pytest.approx(tempo, rel=0.03)


def test_tells_major_from_minor():
    right = 0
    for number in range(24):
        piece = Piece(tonic=number % 12, minor=number >= 12, tempo=90 + 2 * number, drums=0.3)
        right += (named(play(piece, seed=number, seconds=5.0))["major"] < 0) == piece.minor
    assert right >= 21


@pytest.mark.parametrize(
    ("feature", "less", "more"),
    [
        ("brightness", Piece(bright=0.1), Piece(bright=0.9)),
        ("onset_rate", Piece(density=0.0), Piece(density=1.0)),
        ("onset_rate", Piece(tempo=70), Piece(tempo=150)),
        ("percussive", Piece(drums=0.0), Piece(drums=1.0)),
        ("pulse", Piece(drums=0.0, density=0.1), Piece(drums=1.0, density=0.9)),
        ("swing", Piece(swing=0.0, drums=0.9), Piece(swing=1.0, drums=0.9)),
        ("register", Piece(register=-1.0, drums=0.0), Piece(register=1.0, drums=0.0)),
        ("width", Piece(width=0.0), Piece(width=1.0)),
        ("crest", Piece(sustain=1.0), Piece(sustain=0.0)),
    ],
)
def test_more_is_measured_as_more(feature, less, more):
    low = np.mean([named(play(less, seed=seed, seconds=4.0))[feature] for seed in range(2)])
    high = np.mean([named(play(more, seed=seed, seconds=4.0))[feature] for seed in range(2)])
    assert high > low
