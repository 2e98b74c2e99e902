"""Proof kept as rounds are made: old clips that come back unmarked, the chance each clip had, what was foretold.

Now and then one of the four slots is an old clip of the run. Its listeners do not know, so their votes say two things
that votes on new clips cannot: whether the new ones really beat the old ones, and how steady people are.
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from domain.clip import ArchivedClip
from domain.ids import ClipId, ListenerId
from domain.outcome import Foretold
from domain.run import Run
from scoring.slate import Pick, Role
from service.folding import Said
from service.voices import Voice
from storage import proof
from storage.database import Reader

APART = 3
"""Rounds that lie at least between a clip and its return: nobody has it in their ear any more."""
ENOUGH = 4
"""Rated old clips from which on one of them comes back; one of a single round would be no sample."""
DRAWS = 15
"""Other ways the dice might have fallen that are tried to tell how likely a clip was to be posted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Friend:
    """An old clip that comes back; ``chance`` is the probability with which it was drawn."""

    clip_id: ClipId
    chance: float


async def old_friend(tx: Reader, run: Run, number: int, rng: np.random.Generator) -> Friend | None:
    """Return the old clip that comes back in round ``number``, or ``None`` where none does.

    It is drawn evenly from all that may return: the best old clip would be there by luck too, and look worse the
    second time for that reason alone.
    """
    every = run.settings.repost_every
    if not every or number % every or number <= APART:
        return None
    known = await proof.repostable(tx, run.id, number - APART)
    if len(known) < ENOUGH:
        return None
    return Friend(clip_id=known[int(rng.integers(len(known)))], chance=1.0 / len(known))


def make_room(picks: Sequence[Pick], most: int) -> list[Pick]:
    """Leave away what gives its slot to an old clip: the one to learn from, else the last; what pleases stays."""
    kept = list(picks)
    if len(kept) >= most:
        spare = [pick for pick in kept if pick.role is Role.UNCERTAIN] or kept[-1:]
        kept.remove(spare[0])
    return kept


async def chances(
    draw: Callable[[np.random.Generator], Sequence[Pick]],
    chosen: Sequence[Pick],
    seed: Sequence[int],
) -> dict[int, float]:
    """Return how likely each chosen clip was to be posted, by its index: in (0, 1].

    Most of a choice is no chance at all; what is (ties, the one to learn from, the wild card) is drawn again a few
    times. The event loop gets a turn in between.
    """
    counts = {pick.index: 1 for pick in chosen}
    for number in range(DRAWS):
        for pick in draw(np.random.default_rng([*seed, number])):
            if pick.index in counts:
                counts[pick.index] += 1
        await asyncio.sleep(0)
    return {index: count / (DRAWS + 1) for index, count in counts.items()}


def foretold(
    clip_ids: Mapping[int, ClipId],
    voices: Sequence[Voice],
    liking: NDArray[np.float64],
    spread: NDArray[np.float64],
    allowed: set[ListenerId],
) -> list[Foretold]:
    """Return what is expected of each listener who allows it to be kept.

    Args:
        clip_ids: The posted new clips, by their column of ``liking``.
        voices: L listeners.
        liking: (L, n).
        spread: (L, n).
        allowed: Listeners who opted in.
    """
    return [
        Foretold(
            clip_id=clip_id,
            listener_id=voice.listener_id,
            liking=float(liking[row, column]),
            spread=float(spread[row, column]),
            evidence=voice.evidence,
        )
        for row, voice in enumerate(voices)
        if voice.listener_id in allowed
        for column, clip_id in clip_ids.items()
    ]


def same_audio_once(
    said: Mapping[ClipId, Mapping[ListenerId, Said]], made: Sequence[ArchivedClip]
) -> dict[ClipId, dict[ListenerId, Said]]:
    """Put what was said about re-posts to what was said about their originals: one opinion for each listener.

    Who rated both gets the mean of the two.
    """
    back = {clip.id: clip.original_id for clip in made if clip.original_id is not None}
    out: dict[ClipId, dict[ListenerId, Said]] = {
        clip_id: dict(theirs) for clip_id, theirs in said.items() if clip_id not in back
    }
    for clip_id, original_id in back.items():
        for listener_id, again in said.get(clip_id, {}).items():
            theirs = out.setdefault(original_id, {})
            first = theirs.get(listener_id)
            theirs[listener_id] = again if first is None else _mean(first, again)
    return out


def _mean(first: Said, again: Said) -> Said:
    total = first.weight + again.weight
    rating = (first.rating * first.weight + again.rating * again.weight) / total
    return dataclasses.replace(first, rating=rating, weight=max(first.weight, again.weight))
