"""Small acoustic measures for tests."""

import numpy as np


def centroid(samples):
    """Magnitude-weighted mean frequency in Hz."""
    mono = samples.mean(axis=1)
    frames = np.lib.stride_tricks.sliding_window_view(mono, 2048)[::1024] * np.hanning(2048)
    magnitude = np.abs(np.fft.rfft(frames, axis=1)).mean(axis=0)
    hertz = np.fft.rfftfreq(2048, 1 / 44_100)
    return float((magnitude * hertz).sum() / magnitude.sum())


def flux(samples, hop=512):
    """Onset strength at 86 frames a second."""
    mono = samples.mean(axis=1)
    frames = np.lib.stride_tricks.sliding_window_view(mono, 2048)[::hop] * np.hanning(2048)
    level = np.log1p(100 * np.abs(np.fft.rfft(frames, axis=1)))
    return np.maximum(0, np.diff(level, axis=0)).mean(axis=1)


def pulse(samples, seconds):
    """Autocorrelation of the onset strength at a lag and the best lag within 6 % of it, in seconds."""
    strength = flux(samples) - flux(samples).mean()
    full = np.correlate(strength, strength, "full")[strength.size - 1 :]
    full = full / full[0]
    lag = seconds * 44_100 / 512
    lags = np.arange(int(lag * 0.94), int(lag * 1.06) + 2)
    best = lags[np.argmax(full[lags])]
    return float(full[lags].max()), best * 512 / 44_100


def pitch_cents(mono, hertz, rate=44_100):
    """How far the middle of the strongest partial near ``hertz`` or its octaves lies from it, in cents."""
    size = 1 << 18
    power = np.abs(np.fft.rfft(mono * np.hanning(mono.size), size)) ** 2
    grid = np.fft.rfftfreq(size, 1 / rate)
    found = []
    for times in (0.5, 1, 2, 4):
        near = (grid > hertz * times * 0.97) & (grid < hertz * times * 1.031)
        peak = (power[near] * grid[near]).sum() / power[near].sum()
        found.append((power[near].max(), 1200 * np.log2(peak / (hertz * times))))
    return max(found)[1]


def strokes_per_second(composition):
    """Distinct moments at which a note begins, per second."""
    score = composition.notes if hasattr(composition, "notes") else composition
    moments = {round(n.start * 50) for part in score.parts for n in part.notes}
    return len(moments) / score.seconds


def onsets(samples, hop=512):
    """Clear peaks of the rise in level over all bands, counted: faint flutter between notes is not one."""
    mono = samples.mean(axis=1)
    frames = np.lib.stride_tricks.sliding_window_view(mono, 2048)[::hop] * np.hanning(2048)
    level = np.sqrt(np.abs(np.fft.rfft(frames, axis=1))[:, 3:400])
    rise = np.maximum(0, level[2:] - level[:-2]).sum(axis=1)
    inner = rise[1:-1]
    around = np.convolve(rise, np.ones(17) / 17, "same")[1:-1]
    peaks = (inner > rise[:-2]) & (inner >= rise[2:])
    return int((peaks & (inner > 1.2 * around) & (inner > 0.12 * rise.max())).sum())
