"""Crossing takes from its parents, mutating changes one field, inventing is typical of its family."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.facets import FAMILIES, Facets
from evolution.facets_ops import MUTABLE, Breeder
from prompts.tidy import CAPS, tidy
from prompts.vocabulary import shipped

BREEDER = Breeder(shipped())


@st.composite
def invented(draw):
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    return BREEDER.invent(draw(st.sampled_from(FAMILIES)), rng)


rngs = st.integers(0, 2**32).map(np.random.default_rng)


@settings(max_examples=200, deadline=None)
@given(invented(), invented(), rngs)
def test_a_cross_has_only_its_parents_genes(mother, father, rng):
    child = BREEDER.cross(mother, father, rng)
    for field in dataclasses.fields(Facets):
        gene, genes = getattr(child, field.name), [getattr(p, field.name) for p in (mother, father)]
        if field.name in CAPS:
            assert set(gene) <= {*genes[0], *genes[1]}
        else:
            assert gene in genes
    assert (child.genre, child.family) in [(p.genre, p.family) for p in (mother, father)]
    assert tidy(child, shipped()) == child


@settings(max_examples=300, deadline=None)
@given(invented(), st.sampled_from(MUTABLE), st.floats(0, 1), rngs)
def test_a_mutation_changes_one_field(parent, field, strength, rng):
    child = BREEDER.mutate(parent, field, strength, rng)
    allowed = {"genre", "family", "tempo", "metre"} if field == "genre" else {field}
    changed = {
        f.name
        for f in dataclasses.fields(Facets)
        if getattr(child, f.name) != getattr(parent, f.name)
    }
    assert changed <= allowed
    assert tidy(child, shipped()) == child


def test_a_level_at_the_bottom_moves_up_from_there():
    rng = np.random.default_rng(0)
    machine = Facets(genre="techno", family="techno")
    assert shipped().settle(machine).acousticness == 0.0
    moved = {BREEDER.mutate(machine, "acousticness", 0.3, rng).acousticness for _ in range(20)}
    assert moved == {0.3}


@given(invented(), rngs)
def test_a_strong_mutation_of_genre_leaves_the_family(parent, rng):
    assert BREEDER.mutate(parent, "genre", 0.3, rng).family == parent.family
    assert BREEDER.mutate(parent, "genre", 0.9, rng).family != parent.family


@given(invented())
def test_inventions_are_typical(facets):
    genre = shipped().genres[facets.genre]
    assert genre.family == facets.family
    assert facets.tempo is None or genre.tempo[0] - 1 <= facets.tempo <= genre.tempo[1] + 1
    assert facets.instruments
    assert BREEDER.agreeing(facets.moods) == facets.moods


def test_moods_that_pull_apart_are_not_kept_together():
    assert BREEDER.agreeing(["happy", "sad", "joyful"]) == ("happy", "joyful")


@pytest.mark.parametrize("strength", [0.1, 0.9])
def test_a_tempo_moves_by_its_strength(strength):
    rng = np.random.default_rng(0)
    parent = Facets(genre="house", family="house", tempo=120.0)
    tempos = [BREEDER.mutate(parent, "tempo", strength, rng).tempo for _ in range(200)]
    spread = np.std(np.log(np.array(tempos) / 120))
    assert spread == pytest.approx(0.04 + 0.2 * strength, rel=0.3)
