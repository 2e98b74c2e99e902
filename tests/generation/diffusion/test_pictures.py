"""Sound to pictures and back: pitch, moments and lengths survive. Nothing can be judged by ear without weights."""

from __future__ import annotations

import numpy as np
import pytest

from generation.diffusion.pictures import BANDS, RATE, heard, pictured
from generation.splicing import spliced


def rng():
    return np.random.default_rng(0)


def tone(hertz, seconds=2.0):
    return np.sin(2 * np.pi * hertz * np.arange(round(seconds * RATE)) / RATE).astype(np.float32)


@pytest.mark.parametrize("hertz", [55, 110, 440, 1760, 5000, 9000])
def test_a_tone_keeps_its_pitch(hertz):
    sound = heard(pictured(tone(hertz), 256), 2 * RATE, rng())
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(len(sound))))
    assert spectrum.argmax() / 2 == pytest.approx(hertz, abs=max(3.0, 0.004 * hertz))


def test_clicks_keep_their_moments():
    moments = [0.5, 1.13, 2.0, 2.75, 3.4]
    sound = np.zeros(4 * RATE, dtype=np.float32)
    for moment in moments:
        first = round(moment * RATE)
        sound[first : first + 240] = rng().normal(size=240)
    again = heard(pictured(sound, 448), len(sound), rng())
    energy = np.convolve(again**2, np.ones(480), "same")
    found = []
    for _ in moments:
        loudest = int(energy.argmax())
        found.append(loudest / RATE)
        energy[max(0, loudest - 4800) : loudest + 4800] = 0
    assert sorted(found) == pytest.approx(moments, abs=0.02)


@pytest.mark.parametrize(("seconds", "columns"), [(1.0, 128), (7.3, 768), (30.0, 3008)])
def test_lengths_are_exact(seconds, columns):
    frames = round(seconds * RATE)
    picture = pictured(tone(440, seconds), columns)
    assert picture.shape == (BANDS, columns)
    assert picture.dtype == np.float32
    sound = heard(picture, frames, rng(), rounds=1)
    assert sound.shape == (frames,)
    assert np.isfinite(sound).all()
    last = sound[-RATE // 2 :]
    assert np.abs(np.fft.rfft(last)).argmax() * 2 == pytest.approx(440, abs=10)


def test_what_is_heard_looks_like_its_picture():
    picture = pictured(tone(220) + 0.3 * tone(880) * (tone(2) > 0), 256)
    again = pictured(heard(picture, 2 * RATE, rng()), 256)
    inside = slice(10, 190)
    assert np.abs(again - picture)[:, inside].mean() < 0.03


def test_dark_is_loud_and_high_is_on_top():
    picture = pictured(tone(9000), 200)
    assert picture[:40, 100].min() < 0.2
    assert picture[200:, 100].min() > 0.5
    assert (pictured(np.zeros(100, dtype=np.float32), 64) == 1).all()
    assert not heard(np.ones((BANDS, 64), dtype=np.float32), 1000, rng()).any()


def test_a_stretch_is_laid_into_a_sound_at_its_level():
    kept = np.full((1000, 2), 0.5, dtype=np.float32)
    made = np.full((1000, 2), -0.25, dtype=np.float32)
    out = spliced(kept, made, (0.2, 0.6), 1000)
    assert (out[:200] == 0.5).all()
    assert (out[600:] == 0.5).all()
    assert out[300:500] == pytest.approx(-0.5)
    assert (np.diff(out[200:230, 0]) <= 0).all()
    assert spliced(kept, made, (0.0, 1.0), 1000) == pytest.approx(-0.25)
    assert spliced(kept, 100 * made, (0.5, 0.9), 1000)[700] == pytest.approx(-25 / 4)
