"""From answers to duels to what the learner reads: trophies and ties are pairs, both bad is a dislike of both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from domain.duel import Answer, Choice
from domain.ids import ClipId
from domain.vote import Vote
from scoring.beliefs import Pair, Rated

HALF = 0.5
"""Weight of each of the two pairs that a tie is."""
BAD_RATING, BAD_WEIGHT = -1.0, 0.5
"""What "both bad" says about each of the two: awful, with half the weight of a press on that very clip."""


def compare(
    answers: Sequence[Answer], cast: Sequence[Vote], places: Mapping[ClipId, int]
) -> tuple[list[Rated], list[Pair]]:
    """Turn one listener's answers into ratings and pairs.

    Args:
        answers: Standing answers, in the order of their events.
        cast: The listener's votes; what was voted later makes an answer older.
        places: Row in phi of each clip. Duels with a clip that has none are left out.
    """
    first: dict[ClipId, int] = {}
    for vote in cast:
        if not vote.retracted:
            first[vote.clip_id] = min(vote.event_id, first.get(vote.clip_id, vote.event_id))
    rated: list[Rated] = []
    pairs: list[Pair] = []
    for place, answer in enumerate(answers):
        if answer.a not in places or answer.b not in places:
            continue
        newer = sum(event > answer.event_id for event in first.values())
        age = len(answers) - 1 - place + newer
        a, b = places[answer.a], places[answer.b]
        match answer.choice:
            case Choice.A:
                pairs.append(Pair(better=a, worse=b, age=age))
            case Choice.B:
                pairs.append(Pair(better=b, worse=a, age=age))
            case Choice.TIE:
                pairs.append(Pair(better=a, worse=b, weight=HALF, age=age))
                pairs.append(Pair(better=b, worse=a, weight=HALF, age=age))
            case Choice.BAD:
                rated += [_bad(row, age, answer) for row in (a, b)]
    return rated, pairs


def _bad(row: int, age: int, answer: Answer) -> Rated:
    return Rated(
        clip=row,
        rating=BAD_RATING,
        weight=BAD_WEIGHT,
        age=age,
        round=f"duel {answer.event_id}",
    )
