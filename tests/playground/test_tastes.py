"""What synthetic listeners hear and love."""

from __future__ import annotations

import numpy as np
import pytest

from playground.hearing import PROPERTIES, hear
from playground.tastes import CHARACTERS, WORDS, character, crowd, genre_lover, shipped_bank

RATE = 44100


def tone(pitch: float, seconds: float = 4.0) -> np.ndarray:
    time = np.arange(int(seconds * RATE)) / RATE
    return (0.3 * np.sin(2 * np.pi * pitch * time)).astype(np.float32)


def beats(bpm: float, seconds: float = 6.0) -> np.ndarray:
    out = np.zeros(int(seconds * RATE), dtype=np.float32)
    burst = (np.random.default_rng(0).normal(size=1500) * np.exp(-np.arange(1500) / 300)).astype(
        np.float32
    )
    for start in np.arange(0, seconds - 0.1, 60 / bpm):
        out[int(start * RATE) : int(start * RATE) + 1500] += 0.3 * burst
    return out


def test_brightness_follows_pitch_and_noise_is_noisy():
    low, high = hear(tone(200), RATE), hear(tone(2000), RATE)
    assert high.brightness > low.brightness + 2
    noise = hear(np.random.default_rng(0).normal(0, 0.1, 4 * RATE).astype(np.float32), RATE)
    assert noise.noisiness > low.noisiness + 20
    assert hear(tone(60), RATE).bass > high.bass + 10
    assert high.sustain > hear(beats(120), RATE).sustain


@pytest.mark.parametrize("bpm", [80, 120, 150])
def test_tempo_is_heard(bpm):
    heard = hear(beats(bpm), RATE)
    assert min(abs(heard.tempo - np.log2(bpm) - octave) for octave in (-1, 0)) < 0.06
    assert heard.pulse > 0.5
    assert heard.busyness == pytest.approx(bpm / 60, rel=0.3)


@pytest.mark.parametrize("samples", [np.zeros(RATE), np.zeros(10), np.full(RATE, 0.5)])
def test_silence_and_scraps_are_heard_without_trouble(samples):
    assert np.isfinite(hear(samples.astype(np.float32), RATE).vector()).all()


def test_stereo_and_rate_hardly_matter():
    mono = beats(110)
    one, two = hear(mono, RATE), hear(np.stack([mono, mono], axis=1), RATE)
    assert one.vector() == pytest.approx(two.vector(), abs=1e-4)


def test_genre_lovers_love_their_genre_and_not_everything():
    bank = shipped_bank()
    standard = bank.standard(bank.heard)
    for family in ("funk", "techno", "drone", "folk"):
        liked = genre_lover(family, bank, np.random.default_rng(0)).probability(standard)
        own = liked[[one == family for one in bank.families]]
        assert own.mean() == pytest.approx(0.75, abs=0.01)
        assert liked.mean() < 0.3
    with pytest.raises(ValueError, match="polka"):
        genre_lover("polka", bank, np.random.default_rng(0))


def test_characters_have_words_and_reachable_tastes():
    bank = shipped_bank()
    assert set(WORDS) == set(PROPERTIES)
    for name in CHARACTERS:
        taste = character(name, bank, np.random.default_rng(1))
        liked = taste.probability(bank.standard(bank.heard))
        assert liked.mean() == pytest.approx(0.25, abs=0.01)
        assert liked.max() > 0.7
        assert taste.words.startswith("likes it")


def test_crowds_are_reproducible_and_varied():
    bank = shipped_bank()
    names = [taste.name for taste in crowd(8, bank, np.random.default_rng(3))]
    assert len(set(names)) == 8
    assert names == [taste.name for taste in crowd(8, bank, np.random.default_rng(3))]


def test_grades_follow_liking():
    bank = shipped_bank()
    taste = genre_lover("techno", bank, np.random.default_rng(0))
    rng = np.random.default_rng(5)
    grades = {}
    for family in ("techno", "folk"):
        row = bank.heard[[one == family for one in bank.families]].mean(axis=0)

        class Clip:
            def vector(self, row=row):
                return row

        grades[family] = np.mean([taste.grade(Clip(), bank, rng)[0] for _ in range(40)])
    assert grades["techno"] > 2
    assert grades["folk"] < 1
