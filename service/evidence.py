"""What a listener said about which clips, and where these clips lie in the space of tastes."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from domain.clip import RenderedClip
from domain.duel import Answer
from domain.ids import ClipId, GuildId, ListenerId, RunId
from domain.vote import Consent, Vote
from scoring.projection import Axes
from scoring.space import TasteSpace
from scoring.taste import Pair, Prior, Rated, Taste, fit
from service.comparing import compare
from service.folding import fold, places_of, silences
from storage import clips, duels, listeners, proof, votes
from storage.database import Reader

ROWS_KEPT = 50_000
"""Clips whose learned columns are remembered: about 13 MB."""
HANDFUL = 128
"""Clips whose learned embeddings, 40 to 100 KB each, are read at a time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What one listener said, ready to be learned from.

    Attributes:
        phi: (n, k + 1) of the clips it is about.
        rated: Votes as ratings.
        pairs: Answers to duels as pairs.
        clips: Which clip each row is.
    """

    phi: NDArray[np.float64]
    rated: Sequence[Rated]
    pairs: Sequence[Pair]
    clips: Sequence[ClipId] = ()

    @property
    def count(self) -> int:
        """Clips that it is about."""
        said = {one.clip for one in self.rated if not one.silent}
        return len(said | {row for pair in self.pairs for row in (pair.better, pair.worse)})

    def taste(self, prior: Prior) -> Taste:
        """Return the taste that it makes of a prior."""
        return fit(prior, self.phi, self.rated, self.pairs)


class Witness:
    """Reads votes and answers as evidence in one space of tastes.

    Args:
        space: Where clips lie.
        silence: Weight of silence, see ``folding.silences``; 0 leaves it out.
    """

    def __init__(self, space: TasteSpace, silence: float = 0.0) -> None:
        self.space = space
        self._silence = silence
        self._rows: dict[ClipId, NDArray[Any]] = {}

    def adopt(self, space: TasteSpace) -> None:
        """Read in another space from now on."""
        self.space, self._rows = space, {}

    async def of_listener(self, tx: Reader, guild_id: GuildId, listener_id: ListenerId) -> Evidence:
        """Return what a listener said anywhere in a server, and what they kept silent about if they opted in."""
        cast = await votes.votes_of_listener(tx, guild_id, listener_id)
        answers = await duels.answers_of(tx, guild_id, listener_id)
        beside: dict[ClipId, tuple[RunId, int]] = {}
        if self._silence and await listeners.consent(tx, guild_id, listener_id) is Consent.TASTE:
            beside = await clips.shown_beside(tx, [vote.clip_id for vote in cast])
        return await self.evidence(tx, cast, answers, beside)

    async def evidence(
        self,
        tx: Reader,
        cast: Sequence[Vote],
        answers: Sequence[Answer],
        beside: Mapping[ClipId, tuple[RunId, int]] = MappingProxyType({}),
    ) -> Evidence:
        """Return what one listener's votes and standing answers say about clips that have an embedding of ours.

        Args:
            tx: A reader.
            cast: Their votes.
            answers: Their answers to duels.
            beside: Closed rounds with a vote of theirs: (run, generation) of each clip. Empty where silence says
                nothing.
        """
        ids = {*(vote.clip_id for vote in cast), *beside}
        ids |= {clip_id for answer in answers for clip_id in (answer.a, answer.b)}
        found, phi = await self.phi(tx, sorted(ids))
        rounds = await clips.rounds_of(tx, found)
        places = places_of(found, await proof.originals(tx, found))
        bad, pairs = compare(answers, cast, places)
        spoken = fold(cast, places, rounds)
        kept_silent = silences(spoken, cast, places, beside, self._silence)
        rated = [*spoken, *kept_silent, *bad]
        return Evidence(phi=phi, rated=rated, pairs=pairs, clips=found)

    async def phi(
        self, tx: Reader, ids: Sequence[ClipId]
    ) -> tuple[list[ClipId], NDArray[np.float64]]:
        """Return taste features, shape (n, k + 1), of the clips that have an embedding of our encoder."""
        space, rows = self.space, self._rows
        found, embeddings = await clips.embeddings(tx, ids, space.encoder_id)
        if not found:
            return found, np.zeros((0, space.dimensions + 1))
        if space.learned is None:
            return found, space.project(embeddings)
        return found, space.project(embeddings, await _further(tx, found, space.learned, rows))

    def phi_of(self, made: Sequence[RenderedClip]) -> NDArray[np.float64]:
        """Return taste features (n, k + 1) of clips that are not stored yet, at least one."""
        embeddings = np.stack([np.frombuffer(clip.embedding, dtype="<f4") for clip in made])
        learned = self.space.learned
        if learned is None:
            return self.space.project(embeddings)
        further = np.zeros((len(made), learned.dimensions))
        for row, clip in enumerate(made):
            heard = {clip.encoder_id: clip.embedding, **clip.further}.get(learned.encoder_id)
            if heard is not None:
                further[row] = learned.project(np.frombuffer(heard, dtype="<f4")[None])[0]
        return self.space.project(embeddings, further)


async def _further(
    tx: Reader, ids: Sequence[ClipId], learned: Axes, known: dict[ClipId, NDArray[Any]]
) -> NDArray[np.float64]:
    """Return the learned columns (n, k) of clips, zeros where the encoder has not heard one.

    Args:
        tx: A reader.
        ids: The clips.
        learned: The axes.
        known: Rows that were worked out before; is added to, since a learned embedding is large and never changes.
    """
    if len(known) > ROWS_KEPT:
        known.clear()
    # What is needed here is held here: others may clear the rest while this waits for the database.
    here = {one: known[one] for one in ids if one in known}
    wanted = [one for one in ids if one not in here]
    for start in range(0, len(wanted), HANDFUL):
        found, vectors = await clips.embeddings(
            tx, wanted[start : start + HANDFUL], learned.encoder_id
        )
        if found:
            rows = learned.project(vectors).astype(np.float32)
            here.update(zip(found, rows, strict=True))
        await asyncio.sleep(0)
    known.update(here)
    nothing = np.zeros(learned.dimensions)
    return np.stack([here.get(one, nothing) for one in ids]).astype(np.float64)
