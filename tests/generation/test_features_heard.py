"""Each feature changes what it should in the score, in one direction, and the tune stays.

Every feature is moved in steps of .2 from .1 to .9 with the others fixed, over six families with four seeds each.
"""

import numpy as np
import pytest
from scipy.stats import spearmanr

from domain.facets import Facets
from domain.features import Features
from generation.planning.hints import find_hints
from generation.planning.patches import patch
from generation.planning.plan import make_plan
from generation.planning.timbre import acoustic, sung
from generation.writing.arrange import arrange
from prompts.features import to_facets
from prompts.vocabulary import shipped

STEPS = (0.1, 0.3, 0.5, 0.7, 0.9)
FAMILIES = ("pop", "house", "jazz", "folk", "lofi", "rock")
SEEDS = range(24)
SECONDS = 8.0
_FIXED = {
    "energy": 0.5,
    "danceability": 0.5,
    "acousticness": 0.5,
    "instrumentalness": 0.7,
    "loudness": -15.0,
    "tempo": 110.0,
}


def _played(feature, value, seed):
    value = value * 30 - 30 if feature == "loudness" else value
    features = Features(**{**_FIXED, feature: value})
    facets = to_facets(features, Facets(family=FAMILIES[seed % len(FAMILIES)]))
    if feature == "valence":  # the mode follows from valence where nobody names it
        facets = Facets(**{**facets.to_json(), "mode": None, "metre": facets.metre})
    plan = make_plan(facets, seed, SECONDS, hints=find_hints(facets, shipped()))
    return plan, arrange(plan)


def notes_per_second(plan, score):
    return sum(len(part.notes) for part in score.parts) / plan.seconds


def mean_velocity(plan, score):
    del plan
    return np.mean([note.velocity for part in score.parts for note in part.notes])


def drum_pieces(plan, score):
    del plan
    return len({n.pitch for part in score.parts if part.role == "drums" for n in part.notes})


def major_thirds(plan, score):
    del score
    chords = [chord for bar in plan.bars for _, chord in bar.chords]
    return np.mean([4 in chord.intervals for chord in chords])


def major_mode(plan, score):
    del score
    return plan.mode in ("major", "lydian", "mixolydian", "pentatonic")


def height_of_the_tune(plan, score):
    del plan
    keys = [n.pitch for part in score.parts if part.role == "lead" for n in part.notes]
    return np.mean(keys) if keys else np.nan


def beats_with_a_kick(plan, score):
    kicks = [n.start for p in score.parts if p.role == "drums" for n in p.notes if n.pitch == 36]
    grid = plan.grid
    beat = grid.beat_steps * grid.step_seconds
    beats = np.arange(grid.downbeat, plan.seconds - 2.5, beat)
    beats = beats[beats >= 0]
    return np.mean([any(abs(kick - at) < 0.06 for kick in kicks) for at in beats])


def tightness(plan, score):
    grid = plan.grid
    bars = range(-1, len(plan.bars) + 2)
    times = np.array([grid.time(bar, step) for bar in bars for step in range(grid.bar_steps)])
    starts = np.array([n.start for part in score.parts for n in part.notes if n.start > 0.05])
    return -np.abs(starts[:, None] - times[None, :]).min(axis=1).mean()


def acoustic_share(plan, score):
    del plan
    return np.mean([acoustic(patch(part.patch)) for part in score.parts])


def no_voice(plan, score):
    del plan
    return not any(sung(patch(part.patch)) for part in score.parts)


@pytest.mark.parametrize(
    ("feature", "measures"),
    [
        ("energy", (notes_per_second, mean_velocity, drum_pieces)),
        ("valence", (major_mode, major_thirds, height_of_the_tune)),
        ("danceability", (beats_with_a_kick, tightness)),
        ("acousticness", (acoustic_share,)),
        ("instrumentalness", (no_voice,)),
        ("loudness", (mean_velocity,)),
    ],
)
def test_a_feature_moves_what_it_is_about(feature, measures):
    table = np.array(
        [
            [[measure(*played) for measure in measures] for played in row]
            for row in ([_played(feature, step, seed) for seed in SEEDS] for step in STEPS)
        ],
        dtype=float,
    )
    means = np.nanmean(table, axis=1)
    for column, measure in enumerate(measures):
        ladder = means[:, column]
        assert spearmanr(STEPS, ladder).statistic >= 0.9, (measure.__name__, ladder)
        assert np.all(np.diff(ladder) >= -1e-9), (measure.__name__, ladder)
        assert ladder[-1] > ladder[0], (measure.__name__, ladder)


def _tune(score):
    """Keys of the tune; looser timing may change the order of notes that begin together."""
    return sorted(n.pitch for part in score.parts if part.role == "lead" for n in part.notes)


@pytest.mark.parametrize("feature", ["danceability", "loudness"])
def test_the_tune_stays(feature):
    for seed in range(6):
        _, low = _played(feature, 0.1, seed)
        _, high = _played(feature, 0.9, seed)
        assert _tune(low) == _tune(high)


def test_a_tune_that_another_instrument_plays_is_the_same_tune():
    """Another instrument may have to play it in another octave."""
    same = 0
    for seed in range(6):
        _, low = _played("acousticness", 0.1, seed)
        _, high = _played("acousticness", 0.9, seed)
        tunes = [
            [n.pitch % 12 for part in score.parts if part.role == "lead" for n in part.notes]
            for score in (low, high)
        ]
        same += tunes[0][:4] == tunes[1][:4]
    assert same >= 3
