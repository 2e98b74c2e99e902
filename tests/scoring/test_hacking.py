"""Nobody gets past the gate with noise, silence, a tone or loudness, however long they search."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np
import pytest

from scoring.quality import assess
from tests.scoring.conftest import ends

RATE, FRAMES = 16000, 3 * 16000
TRIES = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class Trick:
    """A sound that is no music, as numbers in [0, 1] that can be searched over."""

    noise: float = 0.0
    colour: float = 0.5
    tone: float = 0.0
    pitch: float = 0.3
    overtones: float = 0.3
    sway: float = 0.0
    rate: float = 0.2
    silence: float = 0.0
    loudness: float = 0.5
    width: float = 0.0

    def sound(self) -> np.ndarray:
        rng = np.random.default_rng(0)
        t = np.arange(FRAMES) / RATE
        spectrum = np.fft.rfft(rng.standard_normal((FRAMES, 2)), axis=0)
        hertz = np.fft.rfftfreq(FRAMES, 1 / RATE)[:, None] + 20.0
        noise = np.fft.irfft(spectrum * hertz ** (1.0 - 2.0 * self.colour), FRAMES, axis=0)
        noise /= noise.std()
        phase = 2 * np.pi * 50 * 40**self.pitch * t
        tone = sum(np.sin(k * phase) * self.overtones ** (k - 1) for k in (1, 2, 3, 4))
        out = self.noise * noise + self.tone * np.asarray(tone)[:, None]
        out *= (1 - 0.5 * self.sway * (1 + np.sin(2 * np.pi * self.rate * t)))[:, None]
        out[int(FRAMES * (1 - self.silence)) :] = 0.0
        out[:, 1] *= 1 - self.width
        loudness = 10 ** (4 * self.loudness - 3)
        return (out / (out.std() + 1e-9) * loudness * ends(FRAMES, RATE)).astype(np.float32)


STARTS = {
    "silence": Trick(silence=1.0, noise=0.1),
    "white noise": Trick(noise=1.0),
    "brown noise": Trick(noise=1.0, colour=1.0),
    "a tone": Trick(tone=1.0),
    "a tone under noise": Trick(tone=1.0, noise=0.3),
    "loudness": Trick(tone=0.5, noise=0.5, loudness=1.0),
}


@pytest.mark.parametrize("start", STARTS)
def test_a_random_search_finds_no_way_past_the_gate(start):
    rng = np.random.default_rng(len(start))
    best, score = STARTS[start], assess(STARTS[start].sound(), RATE).score
    names = [field.name for field in fields(Trick)]
    for _ in range(TRIES):
        changed = {
            name: float(np.clip(getattr(best, name) + rng.normal(0, 0.3), 0, 1))
            for name in rng.choice(names, 3, replace=False)
        }
        tried = replace(best, **changed)
        found = assess(tried.sound(), RATE)
        if found.score > score:
            best, score = tried, found.score
    assert not assess(best.sound(), RATE).usable, best


def test_music_does_not_gain_by_loudness_or_silence(clips):
    clip = clips[0]
    whole = assess(clip, 32000).score
    for gain in (0.01, 0.1, 3.0, 30.0):
        assert assess(clip * np.float32(gain), 32000).score <= whole
    still = clip.copy()
    still[len(clip) // 3 :] = 0.0
    assert not assess(still, 32000).usable
