"""Which two clips a duel compares: the best-chosen two of a channel's archive, or of four that are made for it."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from domain.candidate import Brief, Proposal
from domain.clip import ClipFailure, ClipRequest, RenderedClip
from domain.errors import UserError
from domain.ids import ClipId, ListenerId
from domain.run import CloseReason, Generation, GenerationState, Run, RunState
from evolution.registry import create_searcher
from scoring.eubo import choose_pair
from scoring.quality import BROKEN
from scoring.taste import Taste, newcomer
from service.clock import Clock
from service.device import DeviceWorker
from service.tasting import TasteService
from service.views import Actor
from storage import clips, duels, runs
from storage.database import Database, Transaction
from storage.files import AudioStore

YOUNGEST = 96
"""Clips of a channel that a duel is chosen from: those of its last eight rounds or so."""
MADE = 4
"""Clips made for a duel where there is nothing to compare; two of them are posted."""
BREEDER = "offline"


@dataclass(frozen=True, slots=True, kw_only=True)
class Here:
    """Where a duel is asked for.

    Attributes:
        actor: Who asks.
        run: The youngest run of the channel, or ``None``.
        for_listener: The one listener whose place it is, or ``None`` for everybody's.
    """

    actor: Actor
    run: Run | None
    for_listener: ListenerId | None

    @property
    def generator(self) -> str:
        """What plays there; ``""`` for the usual one."""
        return self.run.settings.generator if self.run is not None else ""


class DuelClips:
    """Finds and makes the clips of duels."""

    def __init__(
        self,
        db: Database,
        store: AudioStore,
        device: DeviceWorker,
        tastes: TasteService,
        clock: Clock,
    ) -> None:
        self._db = db
        self._store = store
        self._device = device
        self._tastes = tastes
        self._clock = clock

    async def choose(self, here: Here) -> tuple[ClipId, ClipId] | None:
        """Return the two clips of the channel's archive that are most worth comparing, A first; ``None`` without two.

        That is by EUBO over the tastes of those who are there, among clips whose sound is kept, that are not broken
        and not compared with each other yet.
        """
        channel_id = here.actor.channel_id
        async with self._db.reading() as tx:
            ids = await duels.eligible(tx, channel_id, here.for_listener, YOUNGEST)
            known = await clips.clips_by_id(tx, ids)
            compared = await duels.pairs_of_channel(tx, channel_id)
        sound = await asyncio.to_thread(
            lambda: {
                one.id for one in known if self._store.path(one.sha256, one.extension).is_file()
            }
        )
        fit = [one.id for one in known if one.id in sound and one.quality >= BROKEN]
        async with self._db.reading() as tx:
            found, phi = await self._tastes.phi(tx, fit)
        tastes = await self._tastes_of(here)
        seed = here.run.seed if here.run is not None else 0
        rng = np.random.default_rng([seed, len(compared)])
        return _new_pair(tastes, found, phi, compared, rng)

    async def _tastes_of(self, here: Here) -> list[Taste]:
        """Return the tastes of those who are there; the newcomer's where nobody has voted."""
        voices = await self._tastes.voices(here.run) if here.run is not None else []
        if voices:
            return [voice.taste for voice in voices]
        return [newcomer(await self._tastes.prior(here.actor.guild_id))]

    async def make(
        self, here: Here, vibe: str, seconds: float, ready: Callable[[int], None]
    ) -> list[ClipId]:
        """Make clips to compare, and store them in a run of their own.

        Args:
            here: Where.
            vibe: What they should be about.
            seconds: Their length.
            ready: Called with the number of clips that are rendered.

        Raises:
            UserError: Fewer than two could be made.
        """
        seed = secrets.randbits(31)
        searcher = create_searcher(BREEDER, seed=seed, vibe=vibe)
        proposals = await searcher.ask(Brief(count=MADE, account=str(here.actor.guild_id)))
        outcomes = await self._device.render(
            [
                ClipRequest(
                    prompt=one.prompt, seed=one.seed, seconds=seconds, generator=here.generator
                )
                for one in proposals
            ],
            ready,
        )
        made = [
            (proposal, outcome)
            for proposal, outcome in zip(proposals, outcomes, strict=True)
            if isinstance(outcome, RenderedClip) and outcome.quality >= BROKEN
        ]
        if len(made) < 2:
            failed = next((one.reason for one in outcomes if isinstance(one, ClipFailure)), "")
            raise UserError(f"No two clips could be made for a duel. {failed}".strip())
        shas = [
            await asyncio.to_thread(self._store.put, clip.audio, clip.extension) for _, clip in made
        ]
        async with self._db.transaction() as tx:
            return await self._save(tx, here, _Made(seed, vibe, seconds, made, shas))

    async def _save(self, tx: Transaction, here: Here, made: _Made) -> list[ClipId]:
        now, number, actor = self._clock.now(), 1, here.actor
        run = await runs.create_run(
            tx,
            runs.NewRun(
                guild_id=actor.guild_id,
                channel_id=actor.channel_id,
                started_by=actor.user_id,
                vibe=made.vibe,
                seed=made.seed,
                searcher=runs.FOR_DUEL,
                state=RunState.STOPPED,
                for_listener=here.for_listener,
                created_at=now,
            ),
        )
        await runs.add_generation(
            tx,
            Generation(
                run_id=run.id,
                number=number,
                state=GenerationState.CLOSED,
                closed_at=now,
                close_reason=CloseReason.STOPPED,
            ),
        )
        proposals = [_described(proposal, clip) for proposal, clip in made.clips]
        candidates = await runs.add_candidates(tx, run.id, number, BREEDER, proposals)
        await runs.set_run(tx, run.id, generation=number)
        return [
            (
                await clips.add_clip(
                    tx, candidate, clip, sha, str(clip.description.get("family", ""))
                )
            ).id
            for candidate, (_, clip), sha in zip(candidates, made.clips, made.shas, strict=True)
        ]


@dataclass(frozen=True, slots=True)
class _Made:
    """What was made for a duel."""

    seed: int
    vibe: str
    seconds: float
    clips: Sequence[tuple[Proposal, RenderedClip]]
    shas: Sequence[str]


def _described(proposal: Proposal, clip: RenderedClip) -> Proposal:
    """Keep what was played as part of the genome, so that children can have its tune."""
    genome = clip.description.get("genome")
    if genome is None:
        return proposal
    return Proposal(
        prompt=proposal.prompt,
        genome={**proposal.genome, "description": genome},
        operator=proposal.operator,
        seed=proposal.seed,
    )


def _new_pair(
    tastes: Sequence[Taste],
    ids: Sequence[ClipId],
    phi: NDArray[np.float64],
    compared: set[frozenset[ClipId]],
    rng: np.random.Generator,
) -> tuple[ClipId, ClipId] | None:
    """Return the best pair that was not compared yet: after a known pair, the search goes on without its older clip."""
    left = list(range(len(ids)))
    while len(left) >= 2:
        one, other = (left[row] for row in choose_pair(tastes, phi[left], rng))
        if frozenset({ids[one], ids[other]}) not in compared:
            return ids[one], ids[other]
        left.remove(max(one, other))  # the youngest come first
    return None
