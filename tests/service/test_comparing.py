from __future__ import annotations

import pytest

from domain.duel import Answer, Choice
from domain.vote import Vote, VoteSource
from service.comparing import compare

PLACES = {11: 0, 12: 1, 13: 2}


def answer(choice, event=100, a=11, b=12):
    return Answer(a=a, b=b, choice=choice, event_id=event)


def vote(clip, event, *, retracted=False):
    return Vote(
        clip_id=clip,
        guild_id=1,
        listener_id=2,
        source=VoteSource.BUTTON,
        rating=1.0,
        retracted=retracted,
        event_id=event,
        at=0.0,
    )


@pytest.mark.parametrize(
    ("choice", "pairs"),
    [
        (Choice.A, [(0, 1, 1.0)]),
        (Choice.B, [(1, 0, 1.0)]),
        (Choice.TIE, [(0, 1, 0.5), (1, 0, 0.5)]),
        (Choice.BAD, []),
    ],
)
def test_an_answer_is_pairs(choice, pairs):
    _, found = compare([answer(choice)], [], PLACES)
    assert [(one.better, one.worse, one.weight) for one in found] == pairs


def test_both_bad_is_a_weaker_dislike_of_both():
    rated, pairs = compare([answer(Choice.BAD)], [], PLACES)
    assert [(one.clip, one.rating, one.weight) for one in rated] == [(0, -1.0, 0.5), (1, -1.0, 0.5)]
    assert pairs == []


def test_newer_answers_and_votes_make_an_answer_older():
    answers = [answer(Choice.A, 100), answer(Choice.B, 300, a=12, b=13)]
    cast = [vote(11, 50), vote(12, 200), vote(12, 400), vote(13, 250, retracted=True)]
    _, pairs = compare(answers, cast, PLACES)
    assert [one.age for one in pairs] == [2, 0]


def test_clips_without_an_embedding_say_nothing():
    assert compare([answer(Choice.A, b=99), answer(Choice.BAD, a=98)], [], PLACES) == ([], [])
