from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from domain.errors import ScoringError
from scoring.features import NAMED
from scoring.taste import FAINT, Rated, default_prior, describe, explain, fit, newcomer
from scoring.words import WORDS
from tests.scoring.listeners import Listener, learn


def lover_of(bank, space, chance, ratings=80, seed=0):
    rng = np.random.default_rng(seed)
    return learn(Listener(chance=chance), bank.phi, default_prior(space), rng, ratings=ratings)


def test_every_named_measure_has_words():
    assert set(WORDS) == set(NAMED)
    labels = [words.label for words in WORDS.values()]
    assert len(set(labels)) == len(labels)


@pytest.mark.parametrize(("minor", "word"), [(True, "minor"), (False, "major")])
def test_says_which_mode_somebody_likes(bank, space, minor, word):
    chance = np.array([0.95 if piece.minor == minor else 0.05 for piece in bank.pieces])
    first = describe(lover_of(bank, space, chance), space)[0]
    assert (first.label, first.words) == ("mode", word)
    assert first.certainty > 0.9
    assert first.contribution > 0


def test_says_slower_or_names_the_tempo(bank, space):
    chance = np.array([0.95 if piece.tempo < 85 else 0.05 for piece in bank.pieces])
    told = {r.label: r for r in describe(lover_of(bank, space, chance), space)}
    assert told["tempo"].words == "slower" or "beats a minute" in told["tempo"].words
    assert told["tempo"].contribution > 0


def test_a_newcomer_has_no_certain_preferences(space):
    for reason in describe(newcomer(default_prior(space)), space):
        assert reason.certainty < 0.75
        assert abs(reason.contribution) < FAINT


def test_reasons_add_up_to_the_score(bank, space):
    taste = fit(
        default_prior(space), bank.phi, [Rated(clip=c, rating=(-1) ** c) for c in range(20)]
    )
    for row in bank.phi[:10]:
        reasons = explain(taste, row, space)
        total = sum(reason.contribution for reason in reasons) + taste.mean[-1]
        assert total == pytest.approx(float(row @ taste.mean))
        sizes = [abs(reason.contribution) for reason in reasons]
        assert sizes == sorted(sizes, reverse=True)
        assert len({reason.label for reason in reasons}) == len(reasons)


def test_a_reason_speaks_of_the_clip(bank, space):
    taste = fit(default_prior(space), bank.phi, [Rated(clip=0, rating=1.0)])
    slow = int(np.argmin([piece.tempo for piece in bank.pieces]))
    told = {r.label: r.words for r in explain(taste, bank.phi[slow], space)}
    assert "beats a minute" in told["tempo"]


def test_another_space_is_refused(bank, space):
    taste = replace(newcomer(default_prior(space)), space_id="elsewhere")
    with pytest.raises(ScoringError, match="elsewhere"):
        describe(taste, space)
    with pytest.raises(ScoringError, match="elsewhere"):
        explain(taste, bank.phi[0], space)
    with pytest.raises(ScoringError, match="not of the space"):
        explain(newcomer(default_prior(space)), bank.phi[0, 1:], space)
