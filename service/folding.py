"""From votes to ratings: what one listener said about each clip, whatever the order in which it arrived."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from domain.clip import Clip
from domain.ids import ClipId, ListenerId, RunId
from domain.vote import Grade, Vote, VoteSource
from scoring.taste import Rated


def places_of(found: Sequence[ClipId], originals: Mapping[ClipId, ClipId]) -> dict[ClipId, int]:
    """Return the row of each clip; a re-post shares the row of its original, or of whichever of the two is there."""
    rows: dict[ClipId, int] = {}
    for row, clip_id in enumerate(found):
        rows.setdefault(originals.get(clip_id, clip_id), row)
    return {clip_id: rows[originals.get(clip_id, clip_id)] for clip_id in found}


def fold(
    cast: Sequence[Vote], places: Mapping[ClipId, int], rounds: Mapping[ClipId, tuple[RunId, int]]
) -> list[Rated]:
    """Turn one listener's votes into ratings, whatever the order in which they arrived.

    A clip called broken says nothing. A button press outranks reactions on the same clip. A favourite without a grade
    counts as the highest grade. Of a clip that was posted twice each vote has half the weight: it is one opinion.

    Args:
        cast: Votes of one listener, retracted ones included.
        places: Row in phi of each clip, see ``places_of``.
        rounds: (run, generation) of each clip.
    """
    by_clip: dict[ClipId, list[Vote]] = defaultdict(list)
    for vote in cast:
        if not vote.retracted and vote.clip_id in places:
            by_clip[vote.clip_id].append(vote)
    spoken = {clip_id: said for clip_id, said in by_clip.items() if not _broken(said)}
    order = sorted(
        spoken, key=lambda clip_id: (min(vote.event_id for vote in spoken[clip_id]), clip_id)
    )
    times = Counter(places[clip_id] for clip_id in order)
    rated: list[Rated] = []
    for age, clip_id in enumerate(reversed(order)):
        favourite = any(vote.source is VoteSource.FAVOURITE for vote in spoken[clip_id])
        for rating, weight in _ratings(spoken[clip_id]):
            rated.append(
                Rated(
                    clip=places[clip_id],
                    rating=rating,
                    weight=weight / times[places[clip_id]],
                    age=age,
                    round=_name(rounds.get(clip_id, (RunId(0), 0))),
                    favourite=favourite,
                )
            )
            favourite = False  # said once
    return rated


def _name(shown: tuple[RunId, int]) -> str:
    return "{}/{}".format(*shown)


def silences(
    spoken: Sequence[Rated],
    cast: Sequence[Vote],
    places: Mapping[ClipId, int],
    beside: Mapping[ClipId, tuple[RunId, int]],
    weight: float,
) -> list[Rated]:
    """Return what one listener left unrated beside what they rated: each a meh of little weight.

    A meh and no worse: people speak of what they feel strongly about, so silence says "not liked" and "not awful".
    It is as old as the latest rating of its round. A clip that was rated anywhere, or called broken, is none.

    Args:
        spoken: The listener's ratings, from ``fold``.
        cast: Their votes.
        places: See ``fold``.
        beside: (run, generation) of each clip of the closed rounds in which they voted.
        weight: Of each silence against a rating, which is 1.
    """
    ages: dict[str | int, float] = {}
    for one in spoken:
        ages[one.round] = min(one.age, ages.get(one.round, one.age))
    answered = {places[one.clip_id] for one in cast if not one.retracted and one.clip_id in places}
    found: dict[int, tuple[float, str]] = {}
    for clip_id, shown in beside.items():
        row, name = places.get(clip_id), _name(shown)
        if row is not None and row not in answered and name in ages:
            found[row] = min(found.get(row, (ages[name], name)), (ages[name], name))
    return [
        Rated(clip=row, rating=Grade.MEH.rating, weight=weight, age=age, round=name, silent=True)
        for row, (age, name) in sorted(found.items())
    ]


def _broken(said: Sequence[Vote]) -> bool:
    return any(vote.source is VoteSource.BROKEN for vote in said)


def _ratings(said: Sequence[Vote]) -> list[tuple[float, float]]:
    """Return (rating, weight) of what one listener said about one clip."""
    buttons = [vote for vote in said if vote.source is VoteSource.BUTTON]
    if buttons:
        return [(vote.rating, vote.weight) for vote in buttons]
    favourites = [vote for vote in said if vote.source is VoteSource.FAVOURITE]
    if favourites:
        return [(1.0, 1.0)]
    reactions = [vote for vote in said if vote.source is VoteSource.REACTION]
    total = sum(vote.weight for vote in reactions)
    if not total:
        return []
    mean = sum(vote.rating * vote.weight for vote in reactions) / total
    return [(mean, min(1.0, max(vote.weight for vote in reactions)))]


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What one listener said about one clip: a rating in [-1, 1], and its weight in (0, 1]."""

    rating: float
    weight: float


def said_of(cast: Sequence[Vote]) -> dict[ClipId, dict[ListenerId, Said]]:
    """Return clip -> listener -> what they said, with the same rules as ``fold``."""
    said: dict[tuple[ClipId, ListenerId], list[Vote]] = defaultdict(list)
    for vote in cast:
        if not vote.retracted:
            said[vote.clip_id, vote.listener_id].append(vote)
    out: dict[ClipId, dict[ListenerId, Said]] = defaultdict(dict)
    for (clip_id, listener_id), theirs in said.items():
        if not _broken(theirs) and (ratings := _ratings(theirs)):
            rating, weight = ratings[0]
            out[clip_id][listener_id] = Said(rating=rating, weight=weight)
    return dict(out)


def families_of(rated_clips: Sequence[Clip]) -> dict[str, int]:
    """Count clips by genre family, most first."""
    counts: dict[str, int] = defaultdict(int)
    for clip in rated_clips:
        counts[clip.family] += 1
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
