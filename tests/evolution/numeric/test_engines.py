"""Engines and operators on plain functions: they climb, keep to the box, and forget nothing they should keep."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evolution.numeric.engine import Point, recombination, reflected, utilities
from evolution.numeric.engines import ENGINES
from evolution.numeric.genetic import CROSSOVERS, Genetic, Rates
from evolution.numeric.operators import cosyne, gaussian, polynomial

SIZE = 8
GOAL = np.linspace(0.2, 0.8, SIZE)


def bowl(row):
    return -float(((row - GOAL) ** 2).sum())


def told(rows, first, value=bowl):
    return [
        Point(id=first + number, row=row, fitness=value(row)) for number, row in enumerate(rows)
    ]


def climb(name, seed, steps=20, count=12, drop=0.0):
    """Return how far the last generation is from the goal, and the first one."""
    rng = np.random.default_rng(seed)
    engine = ENGINES[name](np.full(SIZE, 0.5), np.full(SIZE, 0.2))
    errors = []
    for step in range(steps):
        children = engine.ask(count, rng)
        rows = [child.row for child in children]
        assert all(row.shape == (SIZE,) and (row >= 0).all() and (row <= 1).all() for row in rows)
        errors.append(float(np.mean([-bowl(row) for row in rows])))
        engine.tell(told([row for row in rows if rng.random() >= drop], step * count))
    return errors[0], errors[-1]


@pytest.mark.parametrize("name", ENGINES)
def test_every_engine_climbs(name):
    shares = [last / first for first, last in (climb(name, seed) for seed in range(5))]
    assert np.mean(shares) < 0.45, shares


@pytest.mark.parametrize("name", ENGINES)
def test_every_engine_climbs_when_half_of_a_generation_is_never_rated(name):
    shares = [last / first for first, last in (climb(name, seed, drop=0.5) for seed in range(5))]
    assert np.mean(shares) < 0.75, shares


@pytest.mark.parametrize("name", ENGINES)
@pytest.mark.parametrize("points", [0, 1, 2, 3, 40])
def test_any_number_of_points_can_be_told(name, points):
    rng = np.random.default_rng(1)
    engine = ENGINES[name](np.full(SIZE, 0.5), np.full(SIZE, 0.2))
    engine.tell(told(rng.random((points, SIZE)), 0))
    children = engine.ask(5, rng)
    assert len(children) == 5
    assert np.isfinite([child.row for child in children]).all()
    assert len({child.row.tobytes() for child in children}) == 5


@pytest.mark.parametrize("name", ENGINES)
def test_points_in_the_corners_and_equal_fitness_break_nothing(name):
    rng = np.random.default_rng(2)
    engine = ENGINES[name](np.zeros(SIZE), np.full(SIZE, 0.05))
    for _ in range(30):
        engine.tell(told(rng.integers(0, 2, (6, SIZE)).astype(float), 0, lambda _: 0.5))
    rows = np.array([child.row for child in engine.ask(20, rng)])
    assert np.isfinite(rows).all()
    assert rows.min() >= 0
    assert rows.max() <= 1


@pytest.mark.parametrize("name", ENGINES)
def test_asking_changes_nothing(name):
    engine = ENGINES[name](np.full(SIZE, 0.5), np.full(SIZE, 0.2))
    engine.tell(told(np.random.default_rng(3).random((8, SIZE)), 0))
    first = engine.ask(4, np.random.default_rng(4))
    again = engine.ask(4, np.random.default_rng(4))
    assert [child.row.tolist() for child in first] == [child.row.tolist() for child in again]


def test_a_distribution_follows_todays_fitness():
    """Told the same points with the fitness turned round, the search goes the other way."""
    rng = np.random.default_rng(5)
    rows = rng.random((30, SIZE))
    for name in ("cmaes", "snes", "xnes", "pgpe", "cem"):
        means = []
        for sign in (1, -1):
            engine = ENGINES[name](np.full(SIZE, 0.5), np.full(SIZE, 0.2))
            engine.tell(told(rows, 0, lambda row, sign=sign: sign * row[0]))
            drawn = engine.ask(200, np.random.default_rng(6))
            means.append(np.mean([child.row[0] for child in drawn]))
        assert means[0] > 0.5 > means[1], name


def test_cma_learns_a_direction():
    """On a narrow valley along the diagonal the children spread along it."""
    rng = np.random.default_rng(7)
    engine = ENGINES["cmaes"](np.full(2, 0.5), np.full(2, 0.15))
    for step in range(12):
        rows = [child.row for child in engine.ask(12, rng)]
        engine.tell(told(rows, 12 * step, lambda row: -abs(row[0] - row[1])))
    rows = np.array([child.row for child in engine.ask(300, rng)])
    assert np.corrcoef(rows.T)[0, 1] > 0.5


def test_elites_are_parents_for_ever_and_never_children():
    rng = np.random.default_rng(8)
    engine = Genetic(np.full(SIZE, 0.5), np.full(SIZE, 0.1), Rates(population=6))
    best = Point(id=99, row=GOAL, fitness=1.0)
    engine.tell([best])
    for step in range(10):
        engine.tell(told(rng.random((6, SIZE)), 6 * step))
    children = engine.ask(60, rng)
    assert sum(99 in child.parents for child in children) > 20
    assert not any(np.array_equal(child.row, GOAL) for child in children)


@pytest.mark.parametrize("name", CROSSOVERS)
def test_a_crossover_of_equals_is_the_parent_and_of_others_takes_from_both(name):
    rng = np.random.default_rng(9)
    low, high = np.full(SIZE, 0.2), np.full(SIZE, 0.8)
    assert np.allclose(CROSSOVERS[name](low, low, rng), low)
    children = np.array([CROSSOVERS[name](low, high, rng) for _ in range(50)])
    assert children.min() < 0.4
    assert children.max() > 0.6
    if name != "simulated binary":
        assert set(np.unique(children)) == {0.2, 0.8}


def test_points_of_crossovers():
    rng = np.random.default_rng(10)
    for name, most in (("one point", 1), ("two point", 2), ("multi point", 4)):
        child = CROSSOVERS[name](np.zeros(20), np.ones(20), rng)
        assert np.abs(np.diff(child)).sum() == most
    assert len(CROSSOVERS["two point"](np.zeros(1), np.ones(1), rng)) == 1


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10_000), rate=st.floats(0, 1), eta=st.floats(1, 100))
def test_mutations_stay_in_the_box(seed, rate, eta):
    rng = np.random.default_rng(seed)
    row = rng.integers(0, 3, SIZE) / 2
    for child in (
        gaussian(row, rng, deviation=np.full(SIZE, 3.0), rate=rate),
        polynomial(row, rng, eta=eta, rate=rate),
    ):
        assert child.min() >= 0
        assert child.max() <= 1


def test_a_mutation_without_rate_changes_nothing():
    row = np.random.default_rng(11).random(SIZE)
    rng = np.random.default_rng(12)
    assert np.array_equal(gaussian(row, rng, deviation=np.ones(SIZE), rate=0.0), row)
    assert np.array_equal(polynomial(row, rng, rate=0.0), row)


def test_cosyne_keeps_each_columns_numbers_and_the_best_row():
    rng = np.random.default_rng(13)
    rows, fitness = rng.random((10, SIZE)), np.arange(10.0)
    out = cosyne(rows, fitness, rng)
    assert np.allclose(np.sort(out, axis=0), np.sort(rows, axis=0))
    assert np.array_equal(out[9], rows[9])
    assert not np.array_equal(out[0], rows[0])


def test_weights_of_ranks():
    assert recombination(1).tolist() == [1.0]
    assert recombination(10).sum() == pytest.approx(1)
    assert len(recombination(10)) == 5
    assert (np.diff(recombination(10)) < 0).all()
    assert utilities(9).sum() == pytest.approx(0)
    assert (np.diff(utilities(9)) <= 0).all()


def test_what_leaves_the_box_is_thrown_back():
    assert reflected(np.array([-0.2, 1.3, 0.4, 2.0, 5.1])) == pytest.approx([0.2, 0.7, 0.4, 0, 0.9])
