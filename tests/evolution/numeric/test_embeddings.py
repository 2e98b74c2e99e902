"""The space of a text encoder's states: measured on its own scale, kept small, read as words, dear far from them."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.candidate import Brief, Candidate, Directive, Evaluation
from domain.errors import ConfigError
from domain.facets import Facets
from domain.ids import CandidateId, RunId
from evolution.numeric.cma import FULL
from evolution.numeric.embeddings import EmbeddingGenome, cells_of
from evolution.numeric.nearest import nearest_in
from evolution.numeric.searcher import NumericSearcher
from evolution.numeric.states import (
    TOKENS,
    StateTable,
    bank_prompts,
    embedding_of,
    kept,
    packed,
    unpacked,
)
from evolution.selection import ranking
from evolution.surrogate import FeatureMap
from prompts.reader import read
from prompts.tidy import tidy
from prompts.vocabulary import shipped

WIDTH = 48


@pytest.fixture(scope="module")
def table():
    """Words have states of their own, with numbers on very different scales and far from zero."""
    rng = np.random.default_rng(3)
    scale = np.exp(rng.normal(0, 2, WIDTH))
    words: dict[str, np.ndarray] = {}
    states = {
        prompt: np.array(
            [
                scale * (4 + words.setdefault(word, rng.standard_normal(WIDTH)))
                for word in prompt.split()
            ]
        )
        for prompt in bank_prompts(shipped())
    }
    return StateTable.of(states, shipped())


def genome(table, vibe=""):
    facets = tidy(read(vibe, shipped()), shipped())
    return EmbeddingGenome(table, FeatureMap(shipped()), nearest_in(shipped()), facets)


def test_the_bank_has_every_family_and_is_always_the_same():
    prompts = bank_prompts(shipped())
    assert prompts == bank_prompts.__wrapped__(shipped())
    assert {read(one, shipped()).family for one in prompts} >= set(shipped().families)


def test_a_step_is_measured_in_the_spread_of_the_states_themselves(table):
    row = table.row(table.states[3])
    assert np.allclose(table.at(row), table.states[3], atol=0.02 * table.scale.max(), rtol=1e-3)
    moved = (table.at(np.full(table.size, 0.5 + 1 / 6)) - table.at(np.full(table.size, 0.5))) / (
        table.scale
    )
    assert moved == pytest.approx(np.ones_like(moved), rel=0.05)


def test_words_are_near_noise_is_far_and_a_first_step_between_them(table):
    rng = np.random.default_rng(1)
    words = [table.far(table.states[one]) for one in range(5)]
    row = table.row(table.states[0])
    step = genome(table).spread * rng.standard_normal((5, table.size))
    stepped = [table.far(table.at(row + one)) for one in step]
    noise = [table.far(table.at(rng.random(table.size))) for _ in range(5)]
    seeds = [table.far(table.states[0] + 20 * rng.standard_normal((TOKENS, WIDTH)))]
    assert max(words) < 1e-6
    assert 0.02 < min(stepped) <= max(stepped) < 0.3
    assert min(noise) > 0.4
    assert min(seeds) > 0.3  # a step as in EvoMusic, which knows no scale


async def test_a_prompt_of_the_table_reads_like_itself(table):
    found = await genome(table).found(12, np.random.default_rng(2))
    for draft, far in found:
        states = np.frombuffer(draft.embedding, np.float32).reshape(TOKENS, WIDTH)
        number = int(np.argmax(table.likeness(states)))
        assert far < 0.01
        assert draft.facets.genre == table.facets[number].genre
    assert len({draft.embedding for draft, _ in found}) == 12


async def test_a_vibe_is_where_it_begins(table):
    jazz = genome(table, "slow jazz with piano")
    draft, far = jazz.draft(jazz.start)
    assert draft.facets.family == "jazz"
    assert far < 0.05
    found = await jazz.found(8, np.random.default_rng(0))
    families = [draft.facets.family for draft, _ in found]
    assert families.count("jazz") >= 2
    usual, far = genome(table).draft(genome(table).start)
    assert usual.facets != Facets()
    assert far < 0.05


@given(st.integers(0, 10**6), st.floats(0.01, 1e5))
def test_states_are_kept_in_few_bytes_and_come_back(seed, scale):
    states = np.random.default_rng(seed).normal(0, scale, (TOKENS, 12)).astype(np.float32)
    text = packed(states)
    assert len(text) < 2.7 * states.size + 4
    assert np.array_equal(unpacked(text, 12), kept(states))
    assert embedding_of({"embedding": text}) == kept(states).tobytes()


@pytest.mark.parametrize("text", [None, 3, "", "a", "AAA=", "AH4AfgB+", "AAAAAAA="])
def test_what_is_no_embedding_is_none(text):
    assert unpacked(text, 5) is None


def test_a_row_is_kept_with_a_byte_a_number(table):
    states = kept(table.states[7])
    cells = cells_of(table, states)
    assert len(cells) == pytest.approx(table.size * 4 / 3, abs=4)
    row = genome(table).row(None, {"cells": cells})
    assert np.array_equal(row, table.row(states))
    assert cells_of(table, states[:3]) is None
    assert genome(table).row(None, {"cells": "AAAA"}) is None
    assert genome(table).row(None, None) is None


@pytest.mark.parametrize(
    "states",
    [
        {"jazz": np.ones((3, 4))},
        {"jazz": np.ones((3, 4)), "techno": np.ones((3, 5))},
        {"jazz": np.ones((3, 4)), "techno": np.full((3, 4), np.nan)},
        {"jazz": np.ones((3, 4)), "techno": np.ones((0, 4))},
        {"jazz": np.ones(4), "techno": np.ones(4)},
    ],
)
def test_a_strange_table_is_refused(states):
    with pytest.raises(ConfigError, match="two prompts or more"):
        StateTable.of(states, shipped())


async def searched(name, table, worth, rounds=6, count=12):
    """Let a search breed for a liking, and return what was told."""
    searcher, told = NumericSearcher(name, seed=3, table=table), []
    for number in range(rounds):
        for one in await searcher.ask(Brief(count=count)):
            candidate = Candidate(
                id=CandidateId(len(told) + 1),
                run_id=RunId(1),
                generation=number,
                prompt=one.prompt,
                genome=json.loads(json.dumps(one.genome)),
                operator=one.operator,
                searcher=name,
                parents=one.parents,
                seed=one.seed,
            )
            fitness = worth(np.frombuffer(one.embedding, np.float32))
            told.append(Evaluation(candidate=candidate, fitness=fitness, rated=True))
        searcher.tell(told)
    return told


@pytest.mark.parametrize("name", ["ga-tokens", "cmaes-tokens", "snes-tokens"])
async def test_a_search_finds_what_is_liked_and_stays_nearer_to_words_than_noise(name, table):
    assert table.size > FULL
    goal = (table.states[91] - table.mean) / table.scale

    def worth(numbers):
        off = (numbers.reshape(TOKENS, WIDTH) - table.mean) / table.scale
        cosine = (off * goal).sum() / np.linalg.norm(off) / np.linalg.norm(goal)
        return float(0.5 + 0.5 * cosine)

    told = await searched(name, table, worth)
    bred = [one for one in told[-24:] if "novel" not in one.candidate.operator]
    first = np.mean([one.fitness for one in told[:12]])
    assert np.mean([one.fitness for one in bred]) > first + 0.05
    noise = table.far(table.at(np.random.default_rng(0).random(table.size)))
    far = [one.candidate.genome["numeric"]["far"] for one in bred]
    assert np.mean(far) < noise
    assert all(one.candidate.parents for one in bred)


def states_of(one):
    return np.frombuffer(one.embedding, np.float32).reshape(TOKENS, WIDTH)


async def test_variations_and_crosses_of_embeddings_stay_with_their_parents(table):
    told = await searched("ga-tokens", table, lambda numbers: 0.5, rounds=1)
    searcher = NumericSearcher("ga-tokens", seed=1, table=table)
    searcher.tell(told)
    one, two = told[2].candidate, told[5].candidate
    rows = {
        parent.id: table.row(unpacked(parent.genome["embedding"], WIDTH)) for parent in (one, two)
    }
    brief = Brief(count=6, directive=Directive.VARY, parents=(one.id, two.id))
    for child in await searcher.ask(brief):
        (parent,) = child.parents
        off = table.row(states_of(child)) - rows[parent]
        assert 0.01 < np.sqrt((off**2).mean()) < 0.12
        assert child.operator == "ga:vary"
    brief = Brief(count=6, directive=Directive.CROSS, parents=(one.id, two.id))
    for child in await searcher.ask(brief):
        row = table.row(states_of(child))
        off = np.minimum(*(np.abs(row - rows[parent]) for parent in child.parents))
        assert np.sqrt((off**2).mean()) < 0.04
    alone = await searcher.ask(Brief(count=4, directive=Directive.CROSS, parents=(one.id,)))
    assert all(child.parents[0] == one.id and len(child.parents) == 2 for child in alone)
    searcher.tell(told[2:3])
    alone = await searcher.ask(Brief(count=4, directive=Directive.CROSS, parents=(one.id,)))
    assert all(child.parents == (one.id,) for child in alone)


async def test_the_state_of_a_long_run_stays_small(table):
    told = await searched("snes-tokens", table, lambda numbers: 0.5, rounds=12)
    assert len(told) == 144
    searcher = NumericSearcher("snes-tokens", seed=4, table=table)
    searcher.tell(told)
    state = searcher.state()
    assert len(state["places"]) == 96
    order = ranking([one.candidate.id for one in told])
    assert set(state["places"]) >= {str(told[one].candidate.id) for one in order[:48]}
    assert len(json.dumps(state["places"])) < 96 * (table.size * 1.4 + 200)
