import numpy as np
import pyloudnorm
import pytest
from scipy.signal import resample_poly

from domain.errors import GenerationError
from generation.audio import Audio
from generation.master import integrated_loudness, master, true_peak


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
