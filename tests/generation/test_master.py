import numpy as np
import pyloudnorm
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from scipy.signal import resample_poly

from domain.errors import GenerationError
from generation.audio import Audio
from generation.sounding.master import integrated_loudness, master, true_peak


def pink(seconds, seed=0):
    rng = np.random.default_rng(seed)
    size = int(seconds * 44_100)
    spectrum = np.fft.rfft(rng.standard_normal((2, size)))
    spectrum /= np.sqrt(np.arange(spectrum.shape[1]) + 10)
    out = np.fft.irfft(spectrum, size)
    return (0.1 * out / out.std()).astype(np.float32)


def clicks(seconds):
    """A stroke every two seconds and nothing else: hard to bring to a loudness."""
    size = int(seconds * 44_100)
    time = np.arange(size) / 44_100
    wave = np.sin(2 * np.pi * 330 * time) * np.exp(-9 * (time % 2))
    return np.stack([wave, wave]).astype(np.float32) * 1e-3


def test_loudness_agrees_with_pyloudnorm(clips):
    for samples in (
        pink(6),
        clicks(6),
        clips["techno"].audio.samples.T,
        clips["ambient"].audio.samples.T,
    ):
        other = pyloudnorm.Meter(44_100).integrated_loudness(samples.T.astype(np.float64))
        assert abs(integrated_loudness(samples) - other) < 0.15


@pytest.mark.parametrize(
    "make", [lambda: pink(5), lambda: clicks(8), lambda: pink(1.0), lambda: 30 * pink(2)]
)
def test_any_material_reaches_the_target_under_the_ceiling(make):
    done = master(make())
    assert abs(done.loudness + 16) < 0.5
    upsampled = resample_poly(done.samples.astype(np.float64), 8, 1, axis=1)
    assert 20 * np.log10(np.abs(upsampled).max()) <= -1.0


def chord(seconds, frequencies, level=0.1):
    time = np.arange(int(seconds * 44_100)) / 44_100
    wave = sum(np.sin(2 * np.pi * hertz * time) for hertz in frequencies)
    return (level * np.stack([wave, wave])).astype(np.float32)


def hold(samples, target=-16.0):
    """What is promised of every master, by other people's measures."""
    done = master(samples)
    heard = done.samples.astype(np.float64)
    assert done.samples.dtype == np.float32
    assert done.samples.shape == samples.shape
    peak = np.abs(resample_poly(heard, 8, 1, axis=1)).max()
    assert 20 * np.log10(peak) <= -1.0
    assert np.abs(heard.mean(axis=1)).max() < 2e-3
    if samples.shape[1] >= 0.4 * 44_100:
        other = pyloudnorm.Meter(44_100).integrated_loudness(heard.T)
        assert abs(other - target) <= 0.5
        assert abs(other - done.loudness) < 0.2
    return done


@given(
    seconds=st.floats(1.0, 4.0),
    hertz=st.floats(45, 12_000),
    noise=st.floats(0, 1),
    gate=st.floats(0.1, 1),
    level=st.floats(-70, 40),
    seed=st.integers(0, 1000),
)
@settings(max_examples=15, deadline=None, derandomize=True, phases=[Phase.explicit, Phase.generate])
def test_any_music_meets_the_promises(seconds, hertz, noise, gate, level, seed):
    samples = (1 - noise) * chord(seconds, (hertz, hertz * 1.5)) + noise * pink(seconds, seed)
    time = np.arange(samples.shape[1]) / 44_100
    swing = np.minimum(1, np.maximum(0, 40 * (gate - (time * 2.3) % 1)) + 0.02)
    hold((samples * swing * 10 ** (level / 20)).astype(np.float32))


@pytest.mark.parametrize(
    "make",
    [
        lambda: chord(6, (45,)),
        lambda: chord(3, (30, 60)),
        lambda: 1e-5 * pink(3),
        lambda: pink(1.0) + np.float32(0.5),
        lambda: np.concatenate([1e-3 * pink(4), pink(4)], axis=1),
        lambda: np.stack([pink(3)[0], np.zeros(3 * 44_100, dtype=np.float32)]),
        lambda: np.sign(chord(3, (110,))).astype(np.float32),
    ],
    ids=["sub", "lower", "faint", "offset", "soft then loud", "one side", "square"],
)
def test_extreme_music_meets_the_promises(make):
    hold(make())


def test_a_single_click_is_as_loud_as_the_ceiling_lets_it_be():
    samples = np.zeros((2, 3 * 44_100), dtype=np.float32)
    samples[:, 50_000] = 0.3
    done = master(samples)
    assert -1.5 < 20 * np.log10(true_peak(done.samples)) <= -1.0
    assert done.loudness < -16
    assert np.count_nonzero(np.abs(done.samples[0]) > 0.01) < 100


def test_minutes_are_mastered_like_seconds():
    piece = chord(10, (110, 220.5, 331))
    samples = np.tile(piece, (1, 9))
    samples[:, : samples.shape[1] // 2] *= np.float32(0.3)
    done = master(samples, overwrite=True)
    assert abs(done.loudness + 16) < 0.1
    assert 20 * np.log10(true_peak(done.samples)) <= -1.0


def test_the_given_samples_are_left_alone_unless_they_may_be_used():
    samples = pink(1.0)
    before = samples.copy()
    done = master(samples)
    assert np.array_equal(samples, before)
    assert np.array_equal(master(samples, overwrite=True).samples, done.samples)


def test_clips_hold_the_true_peak_by_an_independent_measure(clips):
    for clip in list(clips.values())[::3]:
        upsampled = resample_poly(clip.audio.samples.astype(np.float64), 4, 1, axis=0)
        assert 20 * np.log10(np.abs(upsampled).max()) <= -1.0


def test_true_peak_sees_between_samples():
    time = np.arange(44_100)
    wave = np.sin(2 * np.pi * time / 4 + np.pi / 4).astype(np.float32)
    assert np.abs(wave).max() < 0.72
    assert true_peak(np.stack([wave, wave])[:, 1000:2000]) > 0.98


def test_silence_stays_silent():
    done = master(np.zeros((2, 44_100), dtype=np.float32))
    assert not done.samples.any()
    assert done.loudness == -70.0


def test_audio_refuses_what_is_not_sound():
    good = np.zeros((10, 2), dtype=np.float32)
    with pytest.raises(GenerationError):
        Audio(samples=good.T, sample_rate=44_100)
    with pytest.raises(GenerationError):
        Audio(samples=good.astype(np.float64), sample_rate=44_100)
    with pytest.raises(GenerationError):
        Audio(samples=good, sample_rate=1)
    with pytest.raises(GenerationError):
        Audio(samples=good * np.nan, sample_rate=44_100)
