import numpy as np
import pytest

from generation.generator import Note, Part
from generation.sounding import kits, synth
from generation.sounding.renderers import NumpyRenderer, create_renderer
from generation.sounding.sampler import Sampler
from generation.sounding.soundfont import SoundFont, default_soundfont
from generation.sounding.zones import Zone, fast_length
from tests.generation.measures import pitch_cents


@pytest.fixture(scope="module")
def font():
    return SoundFont(default_soundfont())


def tone(zones, pitch=69, velocity=100, seconds=1.0, percussion=False):
    note = Note(start=0.0, seconds=seconds, pitch=pitch, velocity=velocity)
    return Sampler().play([note], zones, 66_150, percussion=percussion).mean(axis=0)


@pytest.mark.parametrize("program", range(0, 112, 5))
def test_soundfont_programs_are_in_tune(font, program):
    sound = tone(font.zones(0, program))
    assert np.abs(sound).max() > 0.003
    assert abs(pitch_cents(sound[3000:40_000], 440.0)) < 20


@pytest.mark.parametrize("name", [n for n in synth.PATCHES if not n.startswith("bass")])
def test_our_own_patches_are_in_tune(name):
    for pitch in (57, 69, 74):
        sound = tone(synth.zones(name), pitch=pitch)
        hertz = 440 * 2 ** ((pitch - 69) / 12)
        assert abs(pitch_cents(sound[6000:40_000], hertz)) < 20


@pytest.mark.parametrize("name", [n for n in synth.PATCHES if n.startswith("bass")])
def test_our_own_basses_are_in_tune(name):
    sound = tone(synth.zones(name), pitch=45)
    assert abs(pitch_cents(sound[6000:40_000], 110.0)) < 25


@pytest.mark.parametrize("program", [0, 24, 33, 56])
def test_softer_keys_are_quieter(font, program):
    loud, soft = (
        np.sqrt(np.mean(tone(font.zones(0, program), velocity=v) ** 2)) for v in (100, 40)
    )
    assert 20 * np.log10(loud / soft) >= 6


def test_drums_are_not_a_piano(font):
    kick, snare = (tone(font.zones(128, 0), pitch=k, percussion=True) for k in (36, 38))
    piano = tone(font.zones(0, 0), pitch=36)
    size = min(kick.size, piano.size)
    assert abs(np.corrcoef(kick[:size], piano[:size])[0, 1]) < 0.3
    spectrum = np.abs(np.fft.rfft(snare[:20_000]))
    hertz = np.fft.rfftfreq(20_000, 1 / 44_100)
    assert spectrum[hertz > 3000].sum() > 0.2 * spectrum.sum()


@pytest.mark.parametrize("name", list(kits.MACHINES))
def test_machines_sound_on_every_piece(name):
    for zone in kits.zones(name):
        sound = tone([zone], pitch=zone.root, percussion=True)
        assert 0.01 < np.abs(sound).max() < 2
        assert np.abs(sound[-2000:]).max() < 0.05


def test_a_closed_hat_cuts_the_open_one():
    zones = kits.zones("kit_house")
    free = tone(zones, pitch=46, percussion=True)
    notes = [Note(start=s, seconds=0.1, pitch=p, velocity=100) for s, p in ((0.0, 46), (0.1, 42))]
    cut = Sampler().play(notes, zones, 66_150, percussion=True).mean(axis=0)
    late = slice(int(0.2 * 44_100), int(0.3 * 44_100))
    assert np.abs(cut[late]).max() < 0.25 * np.abs(free[late]).max()


def test_what_is_kept_does_not_change_the_sound(font):
    zones = font.zones(0, 48)
    notes = [Note(start=0.1 * i, seconds=0.4, pitch=60 + i, velocity=90) for i in range(5)]
    used = Sampler()
    used.play([Note(start=0, seconds=1.4, pitch=62, velocity=50)], zones, 80_000)
    assert np.array_equal(used.play(notes, zones, 44_100), Sampler().play(notes, zones, 44_100))


def test_a_full_cache_changes_nothing(font, monkeypatch):
    zones = font.zones(0, 0)
    notes = [
        Note(
            start=0.13 * i,
            seconds=0.2 + 0.1 * (i % 5),
            pitch=50 + 3 * (i % 7),
            velocity=50 + 9 * (i % 8),
        )
        for i in range(20)
    ]
    roomy = Sampler().play(notes, zones, 150_000)
    monkeypatch.setattr("generation.sounding.sampler._BUDGET", 100_000)
    assert np.array_equal(Sampler().play(notes, zones, 150_000), roomy)


def test_a_loop_is_seamless():
    cycle = np.sin(2 * np.pi * np.arange(441) / 441).astype(np.float32)
    zone = Zone(data=cycle, loop=(0, 441), root=60)
    sound = tone([zone], pitch=60)[:40_000]
    assert np.abs(np.diff(sound)).max() < 0.02


def test_fast_length_is_smooth_and_near():
    for size in (17, 1000, 352_801, 2_700_001):
        found = fast_length(size)
        assert size <= found < 1.1 * size + 16
        assert found % 2 == 0
        rest = found
        for prime in (2, 3, 5):
            while rest % prime == 0:
                rest //= prime
        assert rest == 1


def test_auto_finds_a_renderer():
    assert create_renderer("auto", default_soundfont()).name in {
        "numpy",
        "tinysoundfont",
        "fluidsynth",
    }


def test_synthesised_kits_fall_back_to_the_font_for_missing_pieces():
    note = Note(start=0.0, seconds=0.2, pitch=63, velocity=110)
    part = Part(role="drums", patch="kit_house", program=24, percussion=True, notes=(note,))
    stem = NumpyRenderer(default_soundfont()).play(part, 22_050)
    assert np.abs(stem).max() > 0.01
