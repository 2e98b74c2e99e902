"""What rows mean: pieces, mixtures, directions and tokens, there and back."""

import json

import numpy as np
import pytest

from domain.candidate import Brief, Candidate, Evaluation
from domain.clip import ClipRequest
from domain.description import Description
from domain.facets import Facets
from domain.ids import CandidateId, RunId
from evolution.archive import Individual
from evolution.numeric.anchors import MOST, AnchorGenome
from evolution.numeric.bank import BankGenome, directions
from evolution.numeric.nearest import nearest_in
from evolution.numeric.pieces import PieceGenome
from evolution.numeric.places import Place
from evolution.numeric.searcher import NumericSearcher
from evolution.surrogate import FeatureMap
from evolution.vectors import vector
from generation.composer import Composer
from prompts.reader import read
from prompts.vocabulary import shipped

PROMPTS = (
    "slow jazz with piano and upright bass",
    "fast techno with synth bass, dark",
    "calm ambient with pads",
    "happy reggae with organ",
    "loud metal with distorted guitar",
    "gentle waltz with strings",
    "lofi with felt piano, sleepy",
    "samba with nylon guitar, bright",
    "drum and bass, energetic",
    "folk with banjo",
)


def member(number, facets, fitness=0.5, description=None):
    return Individual(
        id=number,
        facets=facets,
        operator="novel",
        parents=(),
        fitness=fitness,
        uncertainty=0.1,
        rated=True,
        description=description,
    )


@pytest.fixture(scope="module")
def played():
    """A described piece of the composer."""
    made = Composer(renderer="numpy").generate(
        [ClipRequest(prompt=PROMPTS[0], seed=3, seconds=6.0)]
    )[0]
    return made.description["genome"]


@pytest.fixture(scope="module")
def features():
    return FeatureMap(shipped())


@pytest.fixture
def anchors(features):
    heard = [member(n, read(prompt), n / 20) for n, prompt in enumerate(PROMPTS, 1)]
    return AnchorGenome.of(heard, features, nearest_in(shipped()))


def test_a_piece_goes_there_and_back(played):
    root = member(7, read(PROMPTS[0]), description=played)
    genome = PieceGenome(root, Description.from_json(played), shipped())
    draft, far = genome.draft(genome.start)
    assert draft.description == Description.from_json(played)
    assert draft.parents == (7,)
    assert far == 0
    row = np.clip(genome.start + 0.1, 0, 1)
    kept = json.loads(json.dumps(genome.place(row)))
    assert genome.row(member(8, Facets()), kept) == pytest.approx(row, abs=1e-4)
    assert genome.row(root, None) == pytest.approx(vector(Description.from_json(played)))
    assert genome.row(member(9, Facets()), {**kept, "root": 1}) is None
    assert genome.row(member(9, Facets()), {**kept, "row": [0.5]}) is None


def test_a_piece_outside_of_all_music_is_far_and_kept_inside(played):
    genome = PieceGenome(
        member(7, read(PROMPTS[0]), description=played), Description.from_json(played), shipped()
    )
    draft, far = genome.draft(np.ones(len(genome.start)))
    assert far > 0.2
    assert max(bar.density or 0 for bar in draft.description.bars) < 40
    assert abs(draft.description.seconds - 6.0) <= 0.5
    rng = np.random.default_rng(0)
    for _ in range(30):
        draft, far = genome.draft(rng.random(len(genome.start)))
        assert 0 <= far <= 1
        assert abs(draft.description.seconds - 6.0) <= 0.5


def test_an_anchor_alone_reads_like_itself(anchors):
    rows = np.eye(len(PROMPTS))
    for place, prompt in enumerate(PROMPTS):
        draft, far = anchors.draft(rows[place])
        assert draft.parents == (place + 1,)
        assert draft.facets.family == read(prompt).family
        assert far < 0.3, prompt


def test_a_mixture_says_what_it_is_made_of(anchors):
    row = np.zeros(len(PROMPTS))
    row[[0, 3]] = 1.0
    place = anchors.place(row)
    draft, _ = anchors.draft(row)
    assert (
        place["weights"]["1"]
        == pytest.approx(place["weights"]["4"])
        == pytest.approx(0.49, abs=0.02)
    )
    assert set(draft.parents) == {1, 4}
    assert draft.facets.genre
    again = anchors.row(member(50, Facets()), json.loads(json.dumps(place)))
    assert anchors.weights(again) == pytest.approx(anchors.weights(row), abs=1e-3)
    assert anchors.row(member(50, Facets()), {"weights": {"77": 1.0}}) is None
    assert anchors.row(member(50, Facets()), None) is None


def test_anchors_are_the_best_and_not_too_many(features):
    nearest = nearest_in(shipped())
    heard = [member(n, read(PROMPTS[n % 10]), n / 30) for n in range(1, 31)]
    genome = AnchorGenome.of(heard, features, nearest)
    assert len(genome.start) == MOST
    assert genome.row(heard[-1], None) is not None
    assert genome.row(heard[0], None) is None
    assert AnchorGenome.of(heard[:7], features, nearest) is None


def test_the_bank_holds_every_prompt_and_its_words_come_back(features):
    genome = BankGenome(directions(shipped()), features, nearest_in(shipped()))
    families = 0
    for prompt in PROMPTS:
        facets = read(prompt)
        row = genome.row(member(1, facets), None)
        assert row.min() >= 0
        assert row.max() <= 1
        draft, far = genome.draft(row)
        assert 0 <= far <= 1
        near = features.matrix([facets, draft.facets])
        assert near[0] @ near[1] > 0
        families += draft.facets.family == facets.family
    assert families >= 4  # sixteen directions tell the commonest of 39 families apart
    row = genome.row(member(1, read(PROMPTS[1])), None)
    assert genome.row(member(2, Facets()), genome.place(row)) == pytest.approx(row, abs=1e-4)


def test_directions_are_orthonormal_and_the_same_each_time():
    known = directions(shipped())
    assert known.axes @ known.axes.T == pytest.approx(np.eye(len(known.axes)), abs=1e-6)
    assert (np.diff(known.scale) <= 1e-9).all()
    assert directions.__wrapped__(shipped()).axes == pytest.approx(known.axes)


@pytest.mark.parametrize(
    "data",
    [
        None,
        [],
        {"space": 3, "step": 1},
        {"space": "pieces", "step": True},
        {"space": "pieces", "step": 1, "row": "no"},
        {"space": "pieces", "step": 1, "row": [float("nan")]},
        {"space": "anchors", "step": 1, "weights": {"1": "x"}},
        {"space": "anchors", "step": 1, "far": None},
    ],
)
def test_what_is_no_place_is_none(data):
    assert Place.from_json(data) is None


def evaluated(proposal, number, fitness, piece=None):
    genome = dict(proposal.genome) if piece is None else {**proposal.genome, "description": piece}
    candidate = Candidate(
        id=CandidateId(number),
        run_id=RunId(1),
        generation=1,
        prompt=proposal.prompt,
        genome=genome,
        operator=proposal.operator,
        searcher="any",
        parents=proposal.parents,
        seed=proposal.seed,
    )
    return Evaluation(candidate=candidate, fitness=fitness, uncertainty=0.1, rated=True)


async def test_a_search_stays_with_the_piece_that_is_liked_and_leaves_it_when_it_is_not(played):
    """The same archive under another taste has another root; nothing of the old one is believed."""
    searcher = NumericSearcher("cmaes", seed=1)
    first = await searcher.ask(Brief(count=8))
    liked = [
        evaluated(one, n, 0.9 if n == 3 else 0.2, {**played, "tempo": 80.0 + n})
        for n, one in enumerate(first, 1)
    ]
    searcher.tell(liked)
    second = await searcher.ask(Brief(count=8))
    bred = [one for one in second if one.operator == "cmaes:draw"]
    assert len(bred) >= 3
    assert all(one.parents == (3,) and one.genome["numeric"]["root"] == 3 for one in bred)
    assert len(second) - len(bred) >= 1  # something new in every generation
    turned = [
        evaluated(one.candidate, one.candidate.id, 0.9 if one.candidate.id == 5 else 0.2)
        for one in liked
    ]
    children = [
        evaluated(one, 8 + n, 0.1, one.genome.get("description")) for n, one in enumerate(second, 1)
    ]
    searcher.tell([*turned, *children])
    third = await searcher.ask(Brief(count=8))
    roots = {one.genome["numeric"]["root"] for one in third if "numeric" in one.genome}
    assert roots == {5}


async def test_the_root_outlives_the_archive(played):
    """A state without the root's candidate still goes on around it."""
    searcher = NumericSearcher("snes", seed=1)
    first = await searcher.ask(Brief(count=8))
    searcher.tell(
        [evaluated(one, n, 0.9 if n == 3 else 0.2, played) for n, one in enumerate(first, 1)]
    )
    second = await searcher.ask(Brief(count=8))
    state = json.loads(json.dumps(searcher.state()))
    later = NumericSearcher("snes", seed=1, state=state)
    later.tell(
        [
            evaluated(one, 8 + n, 0.8, one.genome.get("description"))
            for n, one in enumerate(second, 1)
        ]
    )
    roots = {
        one.genome["numeric"]["root"]
        for one in await later.ask(Brief(count=8))
        if "numeric" in one.genome
    }
    assert 3 in roots


async def test_lineage_of_mixtures_names_the_anchors():
    searcher = NumericSearcher("ga-anchors", seed=2)
    first = await searcher.ask(Brief(count=10))
    searcher.tell([evaluated(one, n, n / 10) for n, one in enumerate(first, 1)])
    bred = [one for one in await searcher.ask(Brief(count=10)) if "numeric" in one.genome]
    assert bred
    for one in bred:
        assert 1 <= len(one.parents) <= 3
        assert sum(one.genome["numeric"]["weights"].values()) == pytest.approx(1, abs=0.01)
        assert read(one.prompt).family is not None
