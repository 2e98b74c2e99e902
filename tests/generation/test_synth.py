import numpy as np
import pytest

from domain.facets import Facets
from generation.generator import Note
from generation.planning.plan import make_plan
from generation.sounding import gliding, kits, synth, transitions
from generation.sounding.sampler import Sampler
from generation.writing.arrange import arrange
from tests.generation.measures import pitch_cents

RATE = 44_100


def heard(name, pitch, velocity=100, seconds=1.2):
    note = Note(start=0.0, seconds=seconds, pitch=pitch, velocity=velocity)
    return Sampler().play([note], synth.zones(name), int((seconds + 1.5) * RATE))


def keys(name):
    return (33, 45, 57) if name.startswith("bass") or name == "acid_bass" else (48, 60, 79)


@pytest.mark.parametrize("name", synth.PATCHES)
def test_every_patch_is_in_tune_within_ten_cents(name):
    for pitch in keys(name):
        mono = heard(name, pitch).mean(axis=0)[6000:50_000]
        assert abs(pitch_cents(mono, 440 * 2 ** ((pitch - 69) / 12))) < 10


@pytest.mark.parametrize("name", synth.PATCHES)
def test_every_patch_ends_without_a_click_and_rests_on_zero(name):
    sound = heard(name, keys(name)[1])
    mono = sound.mean(axis=0)
    last = np.nonzero(np.abs(mono) > 1e-7)[0][-1]
    loud = np.abs(mono).max()
    assert np.abs(mono[last - 3 : last + 1]).max() < 1e-3 * loud
    assert abs(mono.mean()) < 0.01 * np.sqrt(np.mean(mono**2))
    if sound.shape[0] == 2:
        assert np.corrcoef(sound)[0, 1] > -0.2


@pytest.mark.parametrize("name", ["chip_square", "chip_pulse", "bass_saw", "acid_bass", "fm_piano"])
def test_nothing_folds_back(name):
    """Away from the harmonics there is nothing that a fold at half the sample rate would put there."""
    for pitch in keys(name):
        mono = heard(name, pitch).mean(axis=0)[RATE // 4 : RATE]
        power = np.abs(np.fft.rfft(mono * np.blackman(mono.size), 1 << 17)) ** 2
        ratio = np.fft.rfftfreq(1 << 17, 1 / RATE) / (440 * 2 ** ((pitch - 69) / 12))
        away = (np.abs(ratio - np.round(ratio)) > 0.25) & (ratio > 1.5)
        assert 10 * np.log10(power[away].sum() / power.sum()) < -50


def test_an_acid_filter_closes_and_opens_further_under_a_hard_key():
    def treble(sound):
        spectrum = np.abs(np.fft.rfft(sound * np.hanning(sound.size))) ** 2
        hertz = np.fft.rfftfreq(sound.size, 1 / RATE)
        return spectrum[hertz > 1000].sum() / spectrum.sum()

    hard, soft = (heard("acid_bass", 40, velocity=v).mean(axis=0) for v in (120, 60))
    assert treble(hard[500:6000]) > 5 * treble(hard[30_000:40_000])
    assert treble(hard[500:6000]) > 2 * treble(soft[500:6000])


def test_touching_notes_of_an_808_slide_and_others_are_struck():
    def line(gap):
        notes = [Note(start=0.0, seconds=0.5 - gap, pitch=33, velocity=110)]
        notes += [Note(start=0.5, seconds=0.6, pitch=45, velocity=110)]
        return gliding.play(notes, int(1.5 * RATE))[0]

    slid, struck = line(0.0), line(0.2)
    # The slide comes from below the note, the stroke falls onto it from above.
    just_after = slice(int(0.5 * RATE), int(0.52 * RATE))
    crossings = [np.sum(np.diff(np.sign(wave[just_after])) != 0) for wave in (slid, struck)]
    assert crossings[0] < crossings[1]
    for wave in (slid, struck):
        assert abs(pitch_cents(wave[int(0.7 * RATE) : int(1.05 * RATE)], 110.0)) < 10
        assert np.abs(np.diff(wave)).max() < 0.08
        assert np.abs(wave[-100:]).max() < 1e-4


def test_an_808_plays_one_note_at_a_time():
    chord = [Note(start=0.1, seconds=1.0, pitch=p, velocity=100) for p in (33, 36, 40)]
    assert np.abs(gliding.play(chord, RATE)).max() < 0.5


@pytest.mark.parametrize("name", list(kits.MACHINES))
def test_kicks_fall_in_pitch_and_no_piece_has_an_offset(name):
    for zone in kits.zones(name):
        assert abs(float(np.mean(zone.data))) < 0.05 * float(np.sqrt(np.mean(zone.data**2)))
    kick = kits.zones(name)[0].data
    early, late = kick[:2205], kick[2205:6615]
    crossings = [np.sum(np.diff(np.sign(part)) != 0) / part.size for part in (early, late)]
    assert crossings[0] > crossings[1]


def test_a_riser_rises_an_impact_is_low_and_a_downlifter_falls():
    def centroid(wave):
        power = np.abs(np.fft.rfft(wave)) ** 2
        return (power * np.fft.rfftfreq(wave.size, 1 / RATE)).sum() / power.sum()

    def made(kind):
        event = transitions.Event(kind=kind, start=0.0, seconds=2.0)
        return transitions.render([event], 2 * RATE, np.random.default_rng(3)).mean(axis=0)

    riser, impact, fall = (made(kind) for kind in ("riser", "impact", "downlifter"))
    assert centroid(riser[-RATE // 2 :]) > 4 * centroid(riser[: RATE // 2])
    assert np.abs(riser[-RATE // 2 :]).mean() > 3 * np.abs(riser[: RATE // 2]).mean()
    assert centroid(fall[: RATE // 2]) > 4 * centroid(fall[-RATE // 2 :])
    assert centroid(impact) < 300
    assert all(np.abs(wave[-3:]).max() < 1e-3 for wave in (riser, impact, fall))


def test_transitions_stand_where_sections_of_electronic_music_meet():
    plan = make_plan(Facets(family="techno"), 1, 30.0)
    score = arrange(plan)
    bars = ("A",) * 4 + ("build",) * 2 + ("drop",) * 4 + ("break",) * 2
    score = type(score)(**{n: getattr(score, n) for n in score.__slots__} | {"sections": bars})
    found = transitions.events(plan, score)
    assert [event.kind for event in found] == ["riser", "impact", "downlifter"]
    assert found[1].start == pytest.approx(plan.grid.time(6, 0))
    assert found[0].start + found[0].seconds == pytest.approx(found[1].start)
    assert transitions.events(make_plan(Facets(family="folk"), 1, 30.0), score) == ()
