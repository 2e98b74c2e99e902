import dataclasses

import numpy as np
import pytest

from domain.facets import Facets
from generation.generator import Note
from generation.planning.plan import make_plan
from generation.sounding import desk
from generation.sounding.beds import lay
from generation.sounding.blocks import (
    SIZE,
    STRIDE,
    convolve,
    delayed,
    equalise,
    hop_power,
    partitions,
    ride,
    saturate,
    spectra,
)
from generation.sounding.dynamics import compress, ducking, follow, punch
from generation.sounding.effects import Effects
from generation.sounding.master import integrated_loudness, master
from generation.sounding.mix import Stem, mix
from generation.sounding.renderers import kick_notes
from generation.sounding.sound import perform
from generation.sounding.spaces import SPACES, space
from generation.sounding.spectrum import frequencies, high_pass, low_pass
from generation.writing.arrange import arrange

RATE = 44_100


def noise(seconds, seed=0, channels=1):
    rng = np.random.default_rng(seed)
    return 0.1 * rng.standard_normal((channels, int(seconds * RATE)), dtype=np.float32)


def test_a_filter_does_not_depend_on_where_blocks_lie():
    curve = high_pass(SIZE, 60.0) * low_pass(SIZE, 4000.0)
    sound = noise(3.0)[0]
    late = np.concatenate([np.zeros(20_000, dtype=np.float32), sound])
    equalise(sound, curve)
    equalise(late, curve)
    assert np.abs(late[20_000:] - sound).max() < 1e-4 * np.abs(sound).max()


def test_an_equaliser_does_what_its_curve_says():
    time = np.arange(2 * RATE) / RATE
    for hertz, wanted in ((100.0, -12.3), (4000.0, 0.0)):
        wave = np.sin(2 * np.pi * hertz * time).astype(np.float32)
        before = np.std(wave[RATE // 2 : RATE])
        energy = equalise(wave, high_pass(SIZE, 200.0))
        assert 20 * np.log10(np.std(wave[RATE // 2 : RATE]) / before) == pytest.approx(
            wanted, abs=0.3
        )
        assert energy == pytest.approx(np.dot(wave, wave), rel=0.15)


def test_convolution_in_partitions_is_convolution():
    sound, response = noise(3.4, 1)[0], noise(2.0, 2)[0]
    outs = np.zeros((2, sound.size), dtype=np.float32)
    convolve(sound, [partitions(response), partitions(response[::-1].copy())], outs, 0.5)
    for out, one in zip(outs, (response, response[::-1]), strict=True):
        size = 1 << 19
        whole = np.fft.irfft(np.fft.rfft(sound, size) * np.fft.rfft(one, size), size)[: sound.size]
        assert np.abs(out - 0.5 * whole).max() < 1e-4 * np.abs(whole).max()


def test_a_delay_moves_a_tone_by_parts_of_a_frame_anywhere_in_a_long_piece():
    frames = 3 * STRIDE
    time = np.arange(frames)
    wave = np.sin(2 * np.pi * time * 0.02).astype(np.float32)
    late = delayed(wave, np.full(frames // 64 + 2, 10.3))
    assert np.abs(late[100:] - np.sin(2 * np.pi * (time - 10.3) * 0.02)[100:]).max() < 1e-3


def test_saturation_at_twice_the_rate_does_not_fold():
    time = np.arange(STRIDE) / RATE
    wave = (0.5 * np.sin(2 * np.pi * 9001.0 * time)).astype(np.float32)
    place, spectrum = next(iter(spectra(wave)))
    bent = saturate(spectrum, place, lambda x: np.tanh(6 * x))[5000:45_000]
    naive = np.tanh(6 * wave)[5000:45_000]
    # The third harmonic, 27 kHz, folds to 17.1 kHz.
    level = []
    for sound in (bent, naive):
        power = np.abs(np.fft.rfft(sound * np.hanning(sound.size)))
        hertz = np.fft.rfftfreq(sound.size, 1 / RATE)
        level.append(power[np.abs(hertz - 17_097) < 30].max() / power.max())
    assert level[0] < 0.05 * level[1]


def test_gain_follows_hops_without_steps():
    sound = np.ones((1, 64 * 40), dtype=np.float32)
    gain = np.where(np.arange(41) < 20, 1.0, 0.25)
    ride(sound, gain)
    assert sound[0, 0] == 1
    assert sound[0, -1] == pytest.approx(0.25)
    assert np.abs(np.diff(sound[0])).max() < 0.02


def test_a_detector_rises_at_once_and_falls_in_a_line():
    level = np.full(1000, -60.0)
    level[100:110] = -10.0
    held = follow(level, 100.0)
    assert held[100] == -10
    assert held[110 + 200] == pytest.approx(-10 - 201 * 64 / RATE * 100, abs=0.01)


def test_compression_takes_range_and_punch_gives_attack():
    power = np.full(4000, 1e-4)
    power[::400] = 0.1
    power[1::400] = 0.03
    squeezed = power * compress(power, 0.8, attack=0.003, release=120.0) ** 2
    assert squeezed.max() / np.median(squeezed) < 0.5 * power.max() / np.median(power)
    lifted = punch(power, 4.0)
    assert lifted[400] > lifted[600]
    assert 10 ** (-0.05) < lifted.min() <= lifted.max() <= 10 ** (4 / 20) + 1e-9


def test_a_kick_ducks_and_lets_go_within_a_beat():
    gain = ducking([Note(start=0.5, seconds=0.1, pitch=36, velocity=110)], 0.6, 0.5, 2000)
    at = int(0.5 * RATE / 64)
    assert gain[: at - 2].min() == 1.0
    assert gain[at : at + 5].min() == pytest.approx(0.4, abs=0.02)
    assert gain[at + int(0.45 * RATE / 64)] == pytest.approx(1.0)
    assert ducking([], 0.6, 0.5, 2000) is None


@pytest.mark.parametrize("kind", SPACES)
def test_spaces_have_unit_energy_two_ears_and_decay(kind):
    ears = [
        np.concatenate([np.fft.irfft(part)[: 1 << 16] for part in parts])
        for parts in space(kind, 1.2)
    ]
    for ear in ears:
        assert np.sum(ear**2) == pytest.approx(1.0, rel=1e-3)
        early, late = (
            np.sum(ear[int(a * RATE) : int((a + 0.2) * RATE)] ** 2) for a in (0.05, 0.75)
        )
        assert 10 * np.log10(early / (late + 1e-20)) > 20
    assert abs(np.corrcoef(ears[0], ears[1])[0, 1]) < 0.5


@pytest.fixture(scope="module")
def techno(composer):
    plan = make_plan(Facets(family="techno"), 2, 6.0)
    score = arrange(plan)
    stems = [
        Stem(role=part.role, patch=part.patch, samples=composer._renderer.play(part, 6 * RATE))
        for part in score.parts
    ]
    return plan, score, stems


def mixed(plan, score, stems):
    copies = [dataclasses.replace(stem, samples=stem.samples.copy()) for stem in stems]
    return mix(plan, copies, kick_notes(score.parts))


def test_the_bottom_is_mono_and_nothing_is_constant(techno):
    out = mixed(*techno)
    spectrum = np.fft.rfft(out, axis=1)
    hertz = np.fft.rfftfreq(out.shape[1], 1 / RATE)
    low = (hertz > 25) & (hertz < 70)
    side = np.sum(np.abs(spectrum[0, low] - spectrum[1, low]) ** 2)
    assert side < 0.02 * np.sum(np.abs(spectrum[0, low] + spectrum[1, low]) ** 2)
    assert np.abs(out.mean(axis=1)).max() < 1e-4
    assert np.corrcoef(out)[0, 1] > 0.1


def test_louder_playing_is_denser_and_never_louder_on_file(techno):
    plan, score, stems = techno
    crest = []
    for loudness in (0.05, 0.95):
        louder = dataclasses.replace(
            plan, levels=dataclasses.replace(plan.levels, loudness=loudness)
        )
        done = master(mixed(louder, score, stems))
        assert done.loudness == pytest.approx(-16, abs=0.1)
        level = 10 * np.log10(hop_power(done.samples) + 1e-9)
        crest.append(np.percentile(level, 95) - np.percentile(level, 20))
    assert crest[1] < crest[0] - 0.5


def test_instruments_choose_the_space_unless_the_style_does():
    plan = make_plan(Facets(family="house"), 2, 6.0)
    for acoustic, kind in ((0.9, "room"), (0.1, "plate")):
        mixed_style = dataclasses.replace(plan.style.mix, space="", room=0.8)
        changed = dataclasses.replace(
            plan,
            style=dataclasses.replace(plan.style, mix=mixed_style),
            levels=dataclasses.replace(plan.levels, acousticness=acoustic),
        )
        assert desk.room(changed)[0] == kind
    named = dataclasses.replace(plan.style.mix, space="spring")
    changed = dataclasses.replace(plan, style=dataclasses.replace(plan.style, mix=named))
    assert desk.room(changed)[0] == "spring"


def test_a_performance_is_the_same_twice(techno, composer):
    plan, score, _ = techno
    once, again = (perform(plan, score, composer._renderer).samples for _ in range(2))
    assert np.array_equal(once, again)


def test_silent_parts_and_no_parts_are_silence(techno):
    plan, _, _ = techno
    silent = Stem(role="lead", patch="flute", samples=np.zeros((1, RATE), dtype=np.float32))
    assert not mix(plan, [silent], []).any()
    assert not mix(plan, [], []).any()


def test_noises_lie_under_the_music_at_their_level():
    for name in ("vinyl", "rain", "waves", "wind", "fire", "city", "birds", "hiss"):
        music = noise(3.0, 4, channels=2)
        bed = lay(music.copy(), Effects(**{name: 1.0}), np.random.default_rng(1)) - music
        under = 10 * np.log10(np.mean(bed**2) / np.mean(music**2))
        assert -40 < under < -18
        assert abs(bed.mean()) < 1e-3


def test_integrated_loudness_of_a_mix_is_finite(techno):
    assert -40 < integrated_loudness(mixed(*techno)) < 0
    assert frequencies(SIZE)[0] > 0
