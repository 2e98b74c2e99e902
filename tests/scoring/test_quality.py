from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.errors import ScoringError
from scoring.quality import BROKEN, HINGES, assess
from tests.scoring.conftest import ends
from tests.scoring.damage import DAMAGE

RATE = 32000


def rng():
    return np.random.default_rng(3)


def noise(seconds=4.0, channels=2):
    return rng().normal(size=(int(seconds * RATE), channels)).astype(np.float32)


def low_passed(sound, cutoff):
    spectrum = np.fft.rfft(sound, axis=0)
    frequencies = np.fft.rfftfreq(len(sound), 1 / RATE)
    spectrum *= (1 / (1 + (frequencies / cutoff) ** 4))[:, None]
    return np.fft.irfft(spectrum, len(sound), axis=0).astype(np.float32)


def test_clean_music_is_whole(clips):
    for clip in clips:
        assert assess(clip, RATE).score == pytest.approx(1.0, abs=0.02)


@pytest.mark.parametrize("name", DAMAGE)
def test_ruined_music_is_broken(clips, name):
    for clip in clips:
        found = assess(DAMAGE[name](clip, RATE, 0.95, rng()), RATE)
        assert not found.usable, (name, found)
        assert found.defects


@pytest.mark.parametrize("name", DAMAGE)
@pytest.mark.parametrize("severity", [0.15, 0.4, 0.7])
def test_damage_is_never_preferred(clips, name, severity):
    for clip in clips[:4]:
        damaged = assess(DAMAGE[name](clip, RATE, severity, rng()), RATE)
        assert damaged.score <= assess(clip, RATE).score


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    name=st.sampled_from(sorted(DAMAGE)),
    which=st.integers(0, 7),
    severities=st.tuples(st.floats(0, 1), st.floats(0, 1)),
)
def test_more_damage_never_scores_better(clips, name, which, severities):
    clip = clips[which][: 3 * RATE] * ends(3 * RATE, RATE)
    less, more = sorted(severities)
    before = assess(DAMAGE[name](clip, RATE, less, rng()), RATE).score
    after = assess(DAMAGE[name](clip, RATE, more, rng()), RATE).score
    # Clicks on clicks are hard to count; what is far below the bar need not be ordered.
    assert after <= max(before + 0.02, 0.25)


@given(
    name=st.sampled_from(sorted(HINGES)),
    amounts=st.tuples(st.floats(-100, 10), st.floats(-100, 10)),
)
def test_hinges_are_monotone_and_bounded(name, amounts):
    low, high = (HINGES[name].strength(amount) for amount in sorted(amounts))
    assert 0.0 <= low <= high <= 1.0


def test_silence_scores_nothing():
    assert assess(np.zeros((RATE, 2), np.float32), RATE).score < 0.05
    assert assess(noise() * 1e-5, RATE).score < 0.05
    assert assess(np.zeros((0, 2), np.float32), RATE).score == 0.0


def test_samples_that_are_not_finite_score_nothing(clips):
    clip = clips[0].copy()
    clip[100, 0] = np.nan
    assert assess(clip, RATE).score == 0.0
    assert "not_finite" in assess(clip, RATE).defects


def test_no_audio_is_refused():
    with pytest.raises(ScoringError, match="shape"):
        assess(np.zeros((4, 4, 4), np.float32), RATE)


def test_integers_are_taken_for_what_they_are(clips):
    whole = assess(clips[0], RATE)
    assert assess((clips[0] * 32767).astype(np.int16), RATE).score == pytest.approx(whole.score)
    assert assess((clips[0] * 1e3).astype(np.float32), RATE).score < BROKEN


@pytest.mark.parametrize("rate", [0, -1, 100, 10**9])
def test_an_absurd_rate_is_refused(clips, rate):
    with pytest.raises(ScoringError, match="sample rate"):
        assess(clips[0], rate)


@pytest.mark.parametrize("samples", [np.array(["a"] * 9), np.array([1j] * 9), np.ones((9, 9))])
def test_what_is_no_sound_is_refused(samples):
    with pytest.raises(ScoringError, match=r"numbers|channels"):
        assess(samples, RATE)


def test_white_noise_is_broken():
    assert assess(0.1 * noise(), RATE).score < BROKEN


def test_cymbals_are_no_defect(clips):
    t = np.arange(len(clips[0])) / RATE
    wash = noise(5.0) * np.exp(-3.0 * (t % 0.5))[:, None]
    for clip in clips[:4]:
        assert assess(clip + 0.08 * wash * ends(len(t), RATE), RATE).score > 0.9


def test_wind_and_surf_are_no_defect_under_music_and_no_music_by_themselves(clips):
    slow = 0.6 + 0.4 * np.sin(2 * np.pi * 0.2 * np.arange(5 * RATE) / RATE)
    surf = low_passed(noise(5.0), 900.0) * slow[:, None]
    for clip in clips[:2]:
        assert assess(clip + 0.2 * surf, RATE).score > 0.9
    alone = assess(0.5 * surf * ends(len(surf), RATE), RATE)
    assert not alone.usable
    assert "lifeless" in alone.defects


@pytest.mark.parametrize("pitch", [41.2, 55.0, 110.0])
def test_the_edges_of_a_bass_are_no_clicks(clips, pitch):
    t = np.arange(len(clips[0])) / RATE
    beats = np.minimum(1, (0.5 - t % 0.5) / 0.02) * np.minimum(1, (t % 0.5) / 0.02)
    for wave in (np.sign(np.sin(2 * np.pi * pitch * t)), 2 * (pitch * t % 1) - 1):
        found = assess(0.5 * clips[0] + (0.2 * wave * beats)[:, None], RATE)
        assert "clicks" not in found.defects


@pytest.mark.parametrize("base", [50.0, 60.02])
def test_hum_is_heard_under_music_and_a_bass_beside_it_is_none(clips, base):
    t = np.arange(len(clips[0])) / RATE
    hum = sum(np.sin(2 * np.pi * base * k * t + k) / k for k in range(1, 6))
    for clip in clips[:4]:
        level = 0.1 * clip.std()
        assert "hum" in assess(clip + level * np.asarray(hum)[:, None], RATE).defects
    note = sum(np.sin(2 * np.pi * base * 0.98 * k * t + k) / k for k in range(1, 6))
    assert "hum" not in assess(clips[0] + level * np.asarray(note)[:, None], RATE).defects


def test_record_crackle_is_no_defect(clips):
    for clip in clips[:4]:
        crackle = clip.copy()
        at = rng().integers(0, len(clip) - 3, 60)
        crackle[at] += 0.03
        assert assess(crackle, RATE).score > 0.9


def riff(wave, pitches):
    """Play one pitch after another, four a second, each dying away."""
    parts = []
    for pitch in pitches:
        t = np.arange(RATE // 4) / RATE
        parts.append(wave(2 * np.pi * pitch * t) * np.minimum(1, (0.25 - t) / 0.02) * (1 - 2 * t))
    sound = np.concatenate(parts).astype(np.float32)[:, None]
    return sound * ends(len(sound), RATE)


def test_square_waves_and_bass_notes_are_no_defect():
    def square(phase):
        return 0.2 * sum(np.sin(k * phase) / k for k in range(1, 40, 2))

    def bass(phase):
        return 0.3 * np.sin(phase) + 0.1 * np.sin(2 * phase)

    lead = riff(square, [220, 262, 330, 220, 294, 349, 440, 330] * 2)
    assert assess(lead, RATE).score > 0.9
    low = riff(bass, [49.0, 61.74, 51.91, 58.27, 49.0, 73.42, 65.41, 61.74] * 2)
    assert assess(low, RATE).score > 0.9


@pytest.mark.parametrize("pitch", [49.0, 220.0, 1000.0, 5000.0])
def test_a_tone_that_never_changes_is_stuck(pitch):
    t = np.arange(4 * RATE) / RATE
    for wave in (np.sin(2 * np.pi * pitch * t), np.sign(np.sin(2 * np.pi * pitch * t))):
        found = assess((0.2 * wave).astype(np.float32)[:, None] * ends(len(t), RATE), RATE)
        assert not found.usable
        assert {"stuck", "lifeless"} & set(found.defects)


def test_a_pause_is_no_defect(clips):
    clip = clips[0].copy()
    fade = np.minimum(1, np.abs(np.arange(len(clip)) / RATE - 2.5) / 0.4).astype(np.float32)
    assert assess(clip * fade[:, None], RATE).score > 0.9


def test_very_short_clips_can_be_judged():
    for frames in (1, 7, 100, 1000):
        assert 0.0 <= assess(0.1 * noise(1.0)[:frames], RATE).score <= 1.0
