"""The offline breeder with parents whose pieces are known: tunes are kept, and the words tell what will be heard."""

import dataclasses
import json
from collections import Counter

import pytest

from domain.candidate import Brief, Candidate, Directive, Evaluation
from domain.description import Description
from domain.ids import CandidateId, RunId
from evolution import pieces as archive_pieces
from evolution.offline import OfflineBreeder
from evolution.pieces import Pieces, traits_of
from prompts.reader import read
from prompts.tidy import tidy
from prompts.vocabulary import shipped
from tests.evolution.pieces import piece

HOUSE = piece(tune=1, tempo=124, family="house")
JAZZ = piece(
    tune=2,
    tempo=96,
    family="jazz",
    tonic="Eb",
    chords=("Ebmaj7", "Cm7", "Fm7", "Bb7"),
    sounds={"drums": "kit_jazz", "bass": "upright_bass", "chords": "piano", "lead": "trumpet"},
)
SAID = {1: "house at 124 bpm with flute", 2: "jazz at 96 bpm with trumpet and piano"}


def told(number, description, fitness=0.8, text=None):
    genome = tidy(read(text or SAID[number]), shipped()).to_json()
    if description is not None:
        genome["description"] = json.loads(json.dumps(description.to_json()))
    candidate = Candidate(
        id=CandidateId(number),
        run_id=RunId(1),
        generation=0,
        prompt=text or SAID[number],
        genome=genome,
        operator="novel",
        searcher="offline",
        parents=(),
        seed=0,
    )
    return Evaluation(candidate=candidate, fitness=fitness, uncertainty=0.1, rated=True)


async def bred(directive, count=8, parents=(1, 2), words="", archive=None):
    breeder = OfflineBreeder(seed=1)
    breeder.tell(archive or [told(1, HOUSE), told(2, JAZZ)])
    brief = Brief(
        count=count,
        directive=directive,
        parents=tuple(CandidateId(parent) for parent in parents),
        words=words,
    )
    return await breeder.ask(brief)


def played(proposal):
    genome = json.loads(json.dumps(proposal.genome))
    return Description.from_json(genome["description"]) if "description" in genome else None


def tune(description, role):
    return next((voice.tune for voice in description.voices if voice.role == role), None)


def true_to(proposal, description):
    """Check that a prompt says what will be played."""
    heard = read(proposal.prompt)
    assert heard.family in (None, description.family)
    for name in ("tonic", "mode"):
        assert getattr(heard, name) in (None, getattr(description, name))
    if heard.tempo is not None:
        assert heard.tempo == pytest.approx(description.tempo, abs=0.51)


async def test_vary_keeps_the_tune_and_mostly_everything_else():
    proposals = await bred(Directive.VARY, parents=(1,))
    assert Counter(p.operator for p in proposals) == {"vary:subtle": 6, "vary:bold": 2}
    for proposal in proposals:
        child = played(proposal)
        assert child != HOUSE
        assert tune(child, "lead") == tune(HOUSE, "lead")
        true_to(proposal, child)
    assert len({json.dumps(p.genome["description"]) for p in proposals}) == 8


async def test_half_of_a_cross_is_spliced_in_both_directions():
    proposals = await bred(Directive.CROSS, count=16)
    spliced = [p for p in proposals if p.operator.startswith("splice")]
    assert len(spliced) == 8
    assert {p.operator for p in proposals} == {"cross", "splice", "splice:bars"}
    directions = set()
    for proposal in spliced:
        child = played(proposal)
        true_to(proposal, child)
        if proposal.operator == "splice":
            directions.add((tune(child, "drums")[0], tune(child, "lead")[0]))
    assert directions == {(1, 2), (2, 1)}
    assert all(played(p) is None for p in proposals if p.operator == "cross")


def of_one_bar(description):
    bars = (description.bars[0], description.bars[-1])
    return dataclasses.replace(description, bars=bars)


@pytest.mark.parametrize(
    ("first", "second", "operators"),
    [
        (of_one_bar(HOUSE), of_one_bar(JAZZ), {"cross", "splice"}),  # no bar for a second piece
        (HOUSE, dataclasses.replace(HOUSE, words=("warm",)), {"cross"}),
        (  # the same but for the lead: its groove under its twin's melody is its twin
            HOUSE,
            dataclasses.replace(
                HOUSE,
                voices=(*HOUSE.voices[:-1], dataclasses.replace(HOUSE.voices[-1], tune=(9, 9))),
            ),
            {"cross", "splice:bars"},
        ),
    ],
)
async def test_a_cross_is_never_a_parent_again(first, second, operators):
    archive = [told(1, first), told(2, second)]
    proposals = await bred(Directive.CROSS, count=24, archive=archive)
    assert {p.operator for p in proposals} == operators
    for child in filter(None, map(played, proposals)):
        assert traits_of(child) not in (traits_of(first), traits_of(second))


@pytest.mark.parametrize(
    ("words", "check"),
    [
        ("slower", lambda child: child.tempo < 120),
        ("at 100 bpm in D minor", lambda c: (c.tempo, c.tonic, c.mode) == (100, "D", "minor")),
        ("no drums", lambda child: tune(child, "drums") is None),
        ("much more energy", lambda child: child.levels.energy > 0.6),
        ("in 3/4", lambda child: child.metre == (3, 4)),
    ],
)
async def test_remix_keeps_the_tune_where_the_words_allow_it(words, check):
    for proposal in await bred(Directive.REMIX, count=5, parents=(1,), words=words):
        child = played(proposal)
        assert tune(child, "lead") == tune(HOUSE, "lead")
        assert check(child), child
        true_to(proposal, child)


async def test_remix_into_another_genre_is_composed_afresh():
    for proposal in await bred(Directive.REMIX, count=5, parents=(1,), words="make it jazz"):
        assert played(proposal) is None
        assert proposal.genome["family"] == "jazz"


async def test_a_third_of_what_exploits_keeps_tunes():
    archive = [
        told(n, piece(tune=n, tempo=120 + n), 0.9, f"house at {120 + n} bpm with flute")
        for n in range(1, 13)
    ]
    proposals = await bred(Directive.NEXT, count=16, parents=(), archive=archive)
    kept = [p for p in proposals if played(p) is not None]
    assert 2 <= len(kept) <= 5
    assert {p.operator for p in kept} <= {"vary:subtle", "vary:bold", "splice", "splice:bars"}
    for proposal in kept:
        true_to(proposal, played(proposal))


async def test_parents_without_pieces_are_bred_by_facets():
    archive = [told(1, None), told(2, None)]
    for directive in (Directive.NEXT, Directive.VARY, Directive.CROSS, Directive.REMIX):
        for proposal in await bred(directive, archive=archive, words="slower"):
            assert played(proposal) is None


async def test_one_parent_with_a_piece_and_one_without_are_crossed_by_facets():
    proposals = await bred(Directive.CROSS, archive=[told(1, HOUSE), told(2, None)])
    assert {p.operator for p in proposals} == {"cross"}


async def test_a_successor_knows_the_favourite_pieces(monkeypatch):
    monkeypatch.setattr(archive_pieces, "MAX_PIECES", 2)
    archive = [told(n, piece(tune=n), n / 10, f"house at {100 + n} bpm") for n in range(1, 9)]
    breeder = OfflineBreeder(seed=1)
    breeder.tell(archive)
    state = json.loads(json.dumps(breeder.state()))
    assert [m["id"] for m in state["archive"] if "description" in m] == [7, 8]
    successor = OfflineBreeder(seed=9, state=state)
    assert await successor.ask(Brief(count=8)) == await breeder.ask(Brief(count=8))


def test_what_is_no_description_is_no_piece():
    class Member:
        id, promise, description = 1, 0.5, {"format": 1, "bars": "none"}

    assert Pieces([Member()]).of(Member()) is None
