"""How pieces begin and end, inner voices, and what energy adds; judged on scores without rendering."""

import dataclasses

import numpy as np
import pytest

from domain.errors import GenerationError
from domain.facets import FAMILIES, Facets
from generation.planning import manners as habits
from generation.planning.manners import ENDINGS, manners
from generation.planning.plan import make_plan
from generation.planning.sections import SHORT
from generation.writing.arrange import arrange
from generation.writing.endings import ending, last_strokes
from generation.writing.melody import sing


def plan_of(family, seed=1, seconds=8.0, **facets):
    return make_plan(Facets(family=family, **facets), seed, seconds)


def part(score, role):
    return next(p for p in score.parts if p.role == role)


def last_bar(plan, notes):
    begin = plan.grid.time(len(plan.bars) - 1, 0) - 0.05
    return [n for n in notes if n.start >= begin]


def test_families_end_in_many_ways():
    found = {family: {ending(plan_of(family, seed)) for seed in range(6)} for family in FAMILIES}
    assert len(set().union(*found.values())) >= len(ENDINGS) - 1
    assert sum(kinds == {"hold"} for kinds in found.values()) <= 3


def test_what_is_calm_is_not_cut_off():
    for seed in range(8):
        assert ending(plan_of("rock", seed, energy=0.2)) == "hold"


@pytest.mark.parametrize("kind", ENDINGS)
def test_the_last_strokes_fit_into_the_clip(kind, monkeypatch):
    for family in ("house", "country", "jazz"):
        only = dataclasses.replace(manners(family), endings=(kind,))
        monkeypatch.setattr("generation.writing.endings.manners", lambda _, only=only: only)
        plan = plan_of(family, 3)
        score = arrange(plan)
        final = last_bar(plan, [n for p in score.parts for n in p.notes])
        assert final
        assert max(n.start + n.seconds for n in final) <= plan.seconds
        # Something lasts, so that the last chord is heard.
        assert max(n.seconds for n in final) > 0.3
        assert last_strokes(plan, "chords")[0].step == 0


def test_an_echo_dies_away(monkeypatch):
    only = dataclasses.replace(manners("house"), endings=("echo",))
    monkeypatch.setattr("generation.writing.endings.manners", lambda _: only)
    plan = plan_of("house", 2, 15.0)
    chords = last_bar(plan, part(arrange(plan), "chords").notes)
    by_step = {}
    for note in chords:
        by_step.setdefault(round((note.start - chords[0].start) * 4), []).append(note.velocity)
    loud = [np.mean(by_step[step]) for step in sorted(by_step)]
    assert len(loud) >= 3
    assert loud[0] > loud[-1] + 10


def test_an_unknown_ending_is_named():
    with pytest.raises(GenerationError, match="pop: unknown ending 'bang'"):
        habits.parse("pop: {endings: [bang]}")


def test_inner_strings_move_alone():
    """Second violin and viola seldom strike together with each other and have one tone at a time."""
    together = struck = 0
    for seed in range(6):
        score = arrange(plan_of("quartet", seed, 15.0))
        lines = [part(score, role).notes for role in ("pad", "chords")]
        for notes in lines:
            starts = np.array([n.start for n in notes])
            assert np.all(np.diff(starts) > 0.05)
        other = np.array([n.start for n in lines[1]])
        together += sum(np.abs(other - n.start).min() < 0.06 for n in lines[0])
        struck += len(lines[0])
    assert together < 0.7 * struck


def test_inner_strings_sound_third_and_seventh_or_fifth():
    for seed in range(4):
        plan = plan_of("quartet", seed, 12.0, metre=(4, 4))
        score = arrange(plan)
        final = plan.bars[-1].chords[0][1]
        tones = {n.pitch % 12 for p in score.parts for n in last_bar(plan, p.notes)}
        assert {final.root, (final.root + final.tone(3)) % 12} <= tones


def test_drones_and_ambient_music_keep_a_pulse():
    """On nine of ten beats within the piece something plucked or struck begins."""
    for family in ("drone", "ambient"):
        hit = beats = 0
        for seed in range(5):
            plan = plan_of(family, seed, 12.0)
            starts = np.array([n.start for n in part(arrange(plan), "chords").notes])
            grid = plan.grid
            times = np.arange(grid.downbeat, plan.seconds - 2.5, 60 / grid.tempo)
            times = times[times >= 0]
            hit += sum(np.abs(starts - at).min() < 0.12 for at in times)
            beats += len(times)
        assert hit >= 0.9 * beats, family


def test_short_pieces_mostly_begin_at_home():
    home = count = 0
    for family in ("house", "lofi", "trap", "afrobeat", "synthwave", "jazz"):
        for seed in range(8):
            plan = plan_of(family, seed, mode="minor")
            if len(plan.bars) > SHORT:
                continue
            first = next(bar for bar in plan.bars if bar.section != "upbeat")
            home += first.chords[0][1].root == plan.tonic
            count += 1
    assert count > 30
    assert home >= 0.75 * count


def test_short_pieces_open_with_a_tune():
    """Within the first two whole bars the lead has four notes or more."""
    for family in ("pop", "soul", "bossa", "rock", "trap", "country"):
        for seed in range(4):
            plan = plan_of(family, seed, density=0.5)
            whole = [n for n, bar in enumerate(plan.bars) if bar.section != "upbeat"][:2]
            tune = sing(plan, plan.cast.voice("lead"))
            assert sum(n.bar in whole for n in tune) >= 4, (family, seed)


def test_energy_brings_in_drums_one_by_one():
    pieces = []
    for energy in (0.1, 0.3, 0.5, 0.7, 0.95):
        found = [
            {n.pitch for n in part(arrange(plan_of(family, seed, energy=energy)), "drums").notes}
            for family in ("samba", "latin", "disco", "house")
            for seed in range(2)
        ]
        pieces.append(np.mean([len(one) for one in found]))
    assert pieces == sorted(pieces)
    assert pieces[-1] >= 1.5 * pieces[0]
