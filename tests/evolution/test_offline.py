"""The offline breeder finds a hidden taste, keeps looking around, and does what a person says."""

import json
from collections import Counter

import numpy as np
import pytest

from domain.candidate import Brief, Candidate, Directive, Evaluation
from domain.facets import Facets
from domain.ids import CandidateId, RunId
from evolution.offline import OfflineBreeder
from prompts.loading import Entries, load
from prompts.reader import read
from prompts.vocabulary import Vocabulary


def evaluation(number, facets, fitness, *, rated=True, prompt="", uncertainty=0.1):
    candidate = Candidate(
        id=CandidateId(number),
        run_id=RunId(1),
        generation=0,
        prompt=prompt or f"parent {number}",
        genome=facets.to_json(),
        operator="novel",
        searcher="offline",
        parents=(),
        seed=0,
    )
    return Evaluation(candidate=candidate, fitness=fitness, uncertainty=uncertainty, rated=rated)


def family(proposal):
    return proposal.genome.get("family")


async def simulate(seed, loved, *, rounds=10, count=12, noise=0.15):
    """Let a listener who loves one family rate four of each generation; return every generation's proposals.

    The posted four are two that the breeder expects most of, one at random and one of another family. What is not
    rated is told as a taste model would put it: near the middle, more certain from round to round.
    """
    breeder = OfflineBreeder(seed=seed)
    rng = np.random.default_rng([seed, 1])
    archive, history = [], []
    for number in range(rounds):
        proposals = await breeder.ask(Brief(count=count))
        order = sorted(range(count), key=lambda index: -(proposals[index].predicted or 0))
        posted = {*order[:2], int(rng.integers(count)), order[-1]}
        for index, proposal in enumerate(proposals):
            true = 0.85 if family(proposal) == loved else 0.2
            if index not in posted:
                true = 0.35 + 0.5 * (true - 0.35) * min(1, number / 3)
            fitness = float(np.clip(true + rng.normal(0, noise), 0, 1))
            genome = Facets.from_json(proposal.genome)
            archive.append(
                evaluation(
                    len(archive) + 1,
                    genome,
                    fitness,
                    rated=index in posted,
                    prompt=proposal.prompt,
                    uncertainty=0.1 if index in posted else 0.25,
                )
            )
        breeder.tell(archive)
        history.append(proposals)
    return history


async def test_a_first_round_shows_many_families():
    for seed in range(5):
        proposals = await OfflineBreeder(seed=seed).ask(Brief(count=12))
        assert len({family(proposal) for proposal in proposals}) == 12
        assert {proposal.operator for proposal in proposals} == {"novel"}


async def test_a_hidden_taste_is_found_and_others_stay_alive():
    shares = []
    for seed, loved in enumerate(["jazz", "techno", "ambient", "reggae"]):
        history = await simulate(seed, loved)
        shares.append([np.mean([family(p) == loved for p in ps]) for ps in history])
        for proposals in history:
            assert len({family(p) for p in proposals}) >= 3
    by_round = np.mean(shares, axis=0)
    assert by_round[0] < 0.1
    assert by_round[7:].mean() > 0.4
    assert by_round[7:].mean() > 2 * max(by_round[:2].mean(), 0.1)


async def test_a_taste_that_is_clear_fills_the_exploiting_share():
    breeder = OfflineBreeder(seed=4)
    first = await breeder.ask(Brief(count=24))
    archive = [
        evaluation(
            n, Facets.from_json(p.genome), 0.9 if family(p) == "jazz" else 0.1, prompt=p.prompt
        )
        for n, p in enumerate(first)
    ]
    archive += [
        evaluation(100 + n, read(text), 0.9)
        for n, text in enumerate(
            ["jazz with piano", "bebop with saxophone", "cool jazz, vibraphone", "hard bop"]
        )
    ]
    breeder.tell(archive)
    proposals = await breeder.ask(Brief(count=12))
    counts = Counter(family(proposal) for proposal in proposals)
    assert 7 <= counts["jazz"] <= 10
    assert len(counts) >= 3
    assert all(p.parents for p in proposals if family(p) == "jazz")


async def test_nothing_liked_means_looking_around():
    breeder = OfflineBreeder(seed=4)
    first = await breeder.ask(Brief(count=12))
    breeder.tell([evaluation(n, Facets.from_json(p.genome), 0.1) for n, p in enumerate(first)])
    proposals = await breeder.ask(Brief(count=12))
    exploring = [p for p in proposals if p.operator in ("novel", "expand")]
    assert len(exploring) >= 8
    assert len({family(p) for p in proposals}) >= 8


async def test_a_vibe_is_kept_and_varied():
    proposals = await OfflineBreeder(seed=2, vibe="sad jazz with harp at 70 bpm, no drums").ask(
        Brief(count=12)
    )
    kept = [p for p in proposals if p.operator == "vibe"]
    assert len(kept) == 9
    for proposal in kept:
        heard = read(proposal.prompt)
        assert (heard.genre, heard.tempo, heard.without) == ("jazz", 70.0, ("drums",))
        assert "sad" in heard.moods
        assert "harp" in heard.instruments
    assert len({family(p) for p in proposals}) >= 2


async def test_a_vibe_without_a_genre_goes_through_the_families():
    proposals = await OfflineBreeder(seed=2, vibe="something sad").ask(Brief(count=12))
    assert len({family(p) for p in proposals}) == 12
    assert all("sad" in p.genome["moods"] for p in proposals)


async def test_vary_stays_close():
    breeder = OfflineBreeder(seed=1)
    breeder.tell([evaluation(1, read("dreamy deep house at 120 bpm with piano and bass"), 0.8)])
    proposals = await breeder.ask(
        Brief(count=8, directive=Directive.VARY, parents=(CandidateId(1),))
    )
    assert {proposal.genome["genre"] for proposal in proposals} == {"deep house"}
    assert {proposal.operator for proposal in proposals} <= {"vary:subtle", "vary:bold"}
    assert all(90 <= proposal.genome["tempo"] <= 160 for proposal in proposals)


async def remixed(parent, words, count=6):
    breeder = OfflineBreeder(seed=1)
    breeder.tell([evaluation(1, read(parent), 0.8)])
    brief = Brief(count=count, directive=Directive.REMIX, parents=(CandidateId(1),), words=words)
    proposals = await breeder.ask(brief)
    assert {proposal.operator for proposal in proposals} == {"remix"}
    return [read(proposal.prompt) for proposal in proposals]


async def test_remix_takes_away_what_is_not_wanted():
    for child in await remixed("techno with drums and piano at 130 bpm", "lose the drums"):
        assert "drums" not in child.instruments
        assert "drums" in child.without
        assert child.genre == "techno"


async def test_remix_puts_the_said_words_first():
    for child in await remixed(
        "happy techno at 130 bpm with piano", "sad, with harp, at 90 bpm, zorp"
    ):
        assert "harp" in child.instruments
        assert "sad" in child.moods
        assert "happy" not in child.moods
        assert child.tempo == 90.0
        assert child.unknown == ()


@pytest.mark.parametrize(
    ("words", "check"),
    [
        ("darker", lambda child: child.brightness < 0.5),
        ("much brighter", lambda child: child.brightness > 0.5),
        ("faster", lambda child: child.tempo > 105),
        ("slower", lambda child: child.tempo < 95),
        ("less busy", lambda child: child.density < 0.5),
        ("more energy", lambda child: child.energy > 0.5),
        ("jazz instead", lambda child: child.family == "jazz"),
        ("in D dorian", lambda child: (child.tonic, child.mode) == ("D", "dorian")),
    ],
)
async def test_remix_is_relative_to_the_parent(words, check):
    parent = (
        "bright spirited pop at 100 bpm with piano, neutral tone, medium density, medium energy"
    )
    children = await remixed(parent, words)
    assert all(check(child) for child in children), [child.to_json() for child in children]


def tiny(genres):
    """Make a vocabulary with so few words that it is soon used up."""
    full = load()
    names = {name: full.genres[name] for name in genres}
    families = {genre.family: full.families[genre.family] for genre in names.values()}
    entries = Entries(
        genres=names,
        families={
            name: type(family)(
                name=name,
                flavour=family.flavour,
                instruments=(),
                modes=family.modes,
                metre=family.metre,
                genres=tuple(g for g in genres if names[g].family == name),
            )
            for name, family in families.items()
        },
        levels=full.levels,
        phrases={p: hit for p, hit in full.phrases.items() if hit.name in names},
        reach=full.reach,
    )
    return Vocabulary(entries)


@pytest.mark.parametrize("genres", [("jazz",), ("jazz", "techno"), ()])
async def test_a_tiny_vocabulary_never_runs_out(genres):
    breeder = OfflineBreeder(seed=1, vocabulary=tiny(genres))
    prompts = []
    for _ in range(6):
        proposals = await breeder.ask(Brief(count=40))
        prompts += [proposal.prompt.casefold() for proposal in proposals]
        breeder.tell(
            [evaluation(n, Facets.from_json(p.genome), 0.5) for n, p in enumerate(proposals)]
        )
    assert len(set(prompts)) == 240


async def test_state_stays_small_over_a_long_run():
    breeder = OfflineBreeder(seed=1)
    archive = [
        evaluation(n, Facets(genre="jazz", family="jazz", tempo=80.0 + n % 60), (n % 97) / 97)
        for n in range(1500)
    ]
    breeder.tell(archive)
    state = breeder.state()
    assert len(state["archive"]) <= 256
    assert len(json.dumps(state)) < 150_000
    best = max(member["fitness"] for member in state["archive"])
    assert best == max(e.fitness for e in archive)
