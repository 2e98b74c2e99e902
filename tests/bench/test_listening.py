"""The independent ear on signals whose answers are known."""

from __future__ import annotations

import numpy as np
import pytest

from bench.listening import RATE, feel, heard_at, onset_curves, peaks_of
from bench.listening_control import SAMPLE_RATE, beat_and_cadence, sines
from bench.listening_key import hear_key
from bench.listening_level import NO_FLOOR, levels
from bench.listening_tempo import hear_tempo

TIME = np.arange(4 * SAMPLE_RATE) / SAMPLE_RATE


def tone(hertz, loud=0.5):
    return (loud * np.sin(2 * np.pi * hertz * TIME + np.pi / 4)).astype(np.float32)


def noise(loud, seed=0):
    return np.random.default_rng(seed).normal(0, loud, len(TIME)).astype(np.float32)


@pytest.mark.parametrize("tempo", [71.3, 90.0, 104.7, 120.0, 141.0, 168.5])
def test_the_tempo_of_a_plain_beat_is_heard_within_one_percent_and_in_its_octave(tempo):
    sound = beat_and_cadence(tempo, 2, major=True, seconds=10.0)
    assert hear_tempo(sound, SAMPLE_RATE).tempo == pytest.approx(tempo, rel=0.01)


def test_the_tempo_of_struck_chords_is_heard_without_drums():
    sound = beat_and_cadence(96.0, 5, major=False, seconds=12.0, drums=False)
    assert hear_tempo(sound, SAMPLE_RATE).tempo == pytest.approx(96.0, rel=0.01)


def test_no_beat_is_a_weak_one():
    held = hear_tempo(tone(220.0), SAMPLE_RATE)
    beaten = hear_tempo(beat_and_cadence(100.0, 0, major=True, seconds=8.0), SAMPLE_RATE)
    assert held.strength < 0.5 * beaten.strength


@pytest.mark.parametrize("major", [True, False])
@pytest.mark.parametrize("tonic", [0, 3, 6, 10])
def test_the_key_of_a_cadence_is_heard(tonic, major):
    sound = beat_and_cadence(110.0, tonic, major=major, seconds=9.0)
    heard = hear_key(sound, SAMPLE_RATE)
    assert (heard.tonic, heard.major) == (tonic, major)
    assert heard.plain == (tonic, major)
    assert heard.strength > 0
    assert (heard.brightness > 0) == major


def test_a_clip_that_is_out_of_tune_keeps_its_key():
    plain = beat_and_cadence(110.0, 9, major=False, seconds=9.0)
    ratio = 2 ** (30 / 1200)
    places = np.arange(0, len(plain) - 1, ratio)
    heard = hear_key(np.interp(places, np.arange(len(plain)), plain), SAMPLE_RATE)
    assert (heard.tonic, heard.major) == (9, False)
    assert heard.tuning == pytest.approx(30, abs=8)


def test_the_wave_between_the_samples_is_measured():
    # At a quarter of the sample rate, sampled off its tops, a sine is 3 dB higher than its samples.
    faded = tone(SAMPLE_RATE / 4) * np.minimum(1, np.minimum(TIME, TIME[::-1])).astype(np.float32)
    found = levels(faded, SAMPLE_RATE)
    assert found.true_peak == pytest.approx(20 * np.log10(0.5), abs=0.1)
    assert 20 * np.log10(np.abs(faded).max()) < found.true_peak - 2.5


def test_loudness_is_that_of_the_standard():
    # BS.1770: a sine of 997 Hz and full scale in one channel is -3.01 LUFS.
    assert levels(tone(997.0, 1.0), SAMPLE_RATE).loudness == pytest.approx(-3.01, abs=0.1)


def test_cut_off_tops_are_counted_and_whole_ones_are_not():
    whole = tone(50.0, 1.0)
    assert levels(whole, SAMPLE_RATE).clipped == 0
    cut = np.clip(1.3 * whole, -1, 1)
    assert levels(cut, SAMPLE_RATE).clipped == pytest.approx(400, abs=2)


def test_the_longest_silence_is_found():
    sound = tone(300.0)
    sound[SAMPLE_RATE : int(2.5 * SAMPLE_RATE)] = 0
    assert levels(sound, SAMPLE_RATE).silence == pytest.approx(1.5, abs=0.06)


def test_hiss_is_told_from_cymbals():
    quiet = np.sin(2 * np.pi * TIME) ** 8
    music = tone(440.0) * quiet
    assert levels(music + noise(0.003), SAMPLE_RATE).floor == pytest.approx(
        20 * np.log10(0.003 / np.sqrt(np.mean(music**2))) + 10 * np.log10(12_000 / 22_050), abs=1.5
    )
    cymbals = noise(0.05) * np.exp(-(TIME % 0.5) / 0.08)
    assert levels((music + cymbals).astype(np.float32), SAMPLE_RATE).floor == NO_FLOOR


def test_attacks_are_counted_where_they_are():
    beats = [(0.25 * number, 0.1, 69, 100) for number in range(15)]
    sound = sines(beats, 4.0)
    curve = onset_curves(heard_at(sound, SAMPLE_RATE)).mean(axis=1)
    found = peaks_of(curve, RATE / 256) * 256 / RATE
    assert len(found) == pytest.approx(15, abs=1)
    assert np.abs(found[1:] - 0.25 * np.round(found[1:] / 0.25)).max() < 0.04


def test_feel_follows_what_is_turned():
    dull, bright = feel(tone(200.0), SAMPLE_RATE), feel(tone(4000.0), SAMPLE_RATE)
    assert bright.centroid > dull.centroid + 3
    assert feel(tone(60.0), SAMPLE_RATE).bass > dull.bass + 20
    waves = tone(440.0) * np.where(TIME % 2 < 1, 1.0, 0.1)
    assert feel(waves, SAMPLE_RATE).dynamics == pytest.approx(20, abs=2)
    assert feel(tone(440.0), SAMPLE_RATE).dynamics < 1
    assert feel(tone(440.0), SAMPLE_RATE).tonal > 0.8
    assert feel(noise(0.1), SAMPLE_RATE).tonal < 0.4


def test_scraps_and_silence_are_heard_without_complaint():
    silent = np.zeros((SAMPLE_RATE, 2), dtype=np.float32)
    assert np.isfinite(hear_tempo(silent, SAMPLE_RATE).tempo)
    assert 0 <= hear_key(silent, SAMPLE_RATE).tonic < 12
    assert levels(silent, SAMPLE_RATE).silence == pytest.approx(1.0, abs=0.06)
    assert feel(silent, SAMPLE_RATE).onsets == 0
