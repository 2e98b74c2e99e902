"""Make a generation: rescore the past, breed, render, gate, score, choose four, and save it all in one transaction."""

from __future__ import annotations

import asyncio
import functools
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from domain.candidate import Brief, Directive, Evaluation, Proposal
from domain.clip import DRAFT, ClipFailure, ClipRequest, RenderedClip
from domain.description import Description
from domain.errors import UserError
from domain.ids import ClipId, ListenerId, PostId
from domain.run import Generation, GenerationState, PostKind, Run
from domain.vote import Consent
from evolution.registry import create_searcher
from evolution.searcher import Searcher
from evolution.timing import refitted
from scoring.slate import Pick, choose, settle_debts
from service import auditing
from service.briefing import Kits, feedback_words, no_kits, taste_words
from service.clock import Clock
from service.device import DeviceWorker
from service.judging import Archive, Judging, Verdict
from service.resounding import Resounding
from service.tables import Tables
from service.voices import Voice
from storage import clips, judgements, listeners, posts, proof, runs
from storage.database import Database, Transaction
from storage.files import AudioStore

log = logging.getLogger(__name__)

POSTED = 4
"""Clips of a round: as many as a message's 5 x 5 buttons can rate, and about what people will listen to."""
OPENING = "opening"
"""Role of clips that were chosen before anybody had voted."""
NEAREST = "nearest"
"""Likewise, in a run that is bred towards a track."""
LENGTH_KEPT = 0.5
"""Seconds by which a clip may miss the length of its run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """The clips of a round.

    Attributes:
        picks: In the order of their slots; ``None`` is the place of the old friend.
        friend: An old clip that comes back unmarked, if one does.
        chances: How likely each picked clip was to be picked, by its index.
        voices: Whose tastes had a say.
        opening: Role of the clips where no taste had one, else ``""``.
        verdict: What all clips that were rendered are worth.
        debts: What each listener is owed after the round.
    """

    picks: list[Pick | None]
    friend: auditing.Friend | None
    chances: dict[int, float]
    voices: Sequence[Voice]
    opening: str
    verdict: Verdict
    debts: dict[ListenerId, float]


Made = Sequence[tuple[Proposal, RenderedClip]]


class RoundMaker:
    """Makes generations. One call at a time for a run: the caller holds the run's lock.

    With ``drafts``, generators that can make drafts to choose from, and only what is posted is made in full.
    """

    def __init__(  # noqa: PLR0913 - what a round is made with
        self,
        db: Database,
        store: AudioStore,
        device: DeviceWorker,
        judging: Judging,
        clock: Clock,
        kits: Kits = no_kits,
        *,
        drafts: bool = False,
    ) -> None:
        self._db = db
        self._store = store
        self._device = device
        self._judging = judging
        self._clock = clock
        self._kits = kits
        self._drafts = drafts
        self._tables = Tables(device)
        self._resounding = Resounding(db, store, device)

    async def make(self, run: Run, generation: Generation, ready: Callable[[int], None]) -> PostId:
        """Make a generation and put its round into the outbox.

        Args:
            run: The run.
            generation: Its generation in state BREEDING.
            ready: Called with the number of clips that are rendered.

        Returns:
            The outbox row.

        Raises:
            UserError: Not one clip could be made, or the searcher cannot breed for the generator.
        """
        archive = await self._judging.archive(run)
        searcher = await self._searcher(run, generation, archive)
        brief = Brief(
            count=run.settings.candidates,
            directive=Directive(generation.directive),
            parents=generation.directive_parents,
            words=generation.directive_words,
            account=str(run.guild_id),
            taste=taste_words(archive.voices, self._judging.space),
            feedback=feedback_words(archive.evaluations, run.generation),
        )
        proposals = await searcher.ask(brief)
        for sentence in searcher.notices():
            log.warning("Run %s: %s", run.id, sentence)
        try:
            made = await self._rendered(run, brief.directive, proposals, ready)
            choice = await self._choose(run, generation, archive, made)
        except UserError:
            # Who tries again wants others: without this the same ones would be proposed, and fail, for ever.
            async with self._db.transaction() as tx:
                await runs.save_searcher_state(tx, run.id, searcher.state())
            raise
        whole = await self._in_full(run, made, choice)
        return await self._save(run, generation, searcher, whole, choice)

    async def _searcher(self, run: Run, generation: Generation, archive: Archive) -> Searcher:
        """Return the run's searcher, told all that is known."""
        async with self._db.reading() as tx:
            state = await runs.searcher_state(tx, run.id)
        searcher = create_searcher(
            run.searcher,
            seed=run.seed,
            vibe=run.vibe,
            state=state,
            kit=await self._kits(run.guild_id),
            table=await self._tables.of(run),
        )
        searcher.tell(
            [*archive.evaluations, *await self._foreign_parents(run, generation, archive)]
        )
        return searcher

    async def _rendered(
        self,
        run: Run,
        directive: Directive,
        proposals: Sequence[Proposal],
        ready: Callable[[int], None],
    ) -> Made:
        """Return the proposals that became clips, as drafts where that is wanted and possible.

        Raises:
            UserError: None did.
        """
        requests = [replace(_request(run, one), draft=self._drafts) for one in proposals]
        requests = await self._resounding.begun(run, directive, proposals, requests)
        outcomes = await self._device.render(requests, ready)
        made = [
            (_with_description(proposal, outcome), outcome)
            for proposal, outcome in zip(proposals, outcomes, strict=True)
            if isinstance(outcome, RenderedClip)
        ]
        failures = [outcome.reason for outcome in outcomes if isinstance(outcome, ClipFailure)]
        if failures:
            log.warning(
                "Run %s: %s of %s clips failed: %s",
                run.id,
                len(failures),
                len(outcomes),
                failures[0],
            )
        if not made:
            raise UserError(
                f"No clip could be made: {failures[0] if failures else 'nothing was proposed'}"
            )
        return made

    async def _in_full(self, run: Run, made: Made, choice: Choice) -> Made:
        """Return the clips with those in full that are posted and were drafts."""
        drafts = [
            pick.index
            for pick in choice.picks
            if pick is not None and made[pick.index][1].description.get(DRAFT)
        ]
        if not drafts:
            return made
        whole = list(made)
        requests = [replace(made[place][1].request, draft=False) for place in drafts]
        outcomes = await self._device.render(requests, lambda _: None)
        for place, outcome in zip(drafts, outcomes, strict=True):
            if isinstance(outcome, RenderedClip):
                whole[place] = (whole[place][0], outcome)
            else:
                log.warning(
                    "Run %s: a draft is posted in place of its clip: %s", run.id, outcome.reason
                )
        return whole

    async def _foreign_parents(
        self, run: Run, generation: Generation, archive: Archive
    ) -> list[Evaluation]:
        """A branch breeds from a candidate of another run: tell the searcher about it as a clear favourite."""
        known = {one.candidate.id for one in archive.evaluations}
        async with self._db.reading() as tx:
            wanted = list(generation.directive_parents)
            if run.parent_clip_id is not None and run.generation == 0:
                wanted += [
                    one.candidate_id for one in await clips.clips_by_id(tx, [run.parent_clip_id])
                ]
            foreign = [
                await runs.candidate(tx, one) for one in dict.fromkeys(wanted) if one not in known
            ]
        return [
            Evaluation(candidate=one, fitness=0.8, uncertainty=0.1, rated=True) for one in foreign
        ]

    # Four out of many --------------------------------------------------------------------------------

    async def _choose(
        self, run: Run, generation: Generation, archive: Archive, made: Made
    ) -> Choice:
        """Choose what is posted.

        Raises:
            UserError: There is nothing that could be.
        """
        verdict = self._judging.verdict(archive, [clip for _, clip in made])
        async with self._db.reading() as tx:
            lots = np.random.default_rng([run.seed, generation.number, 1])
            friend = await auditing.old_friend(tx, run, generation.number, lots)
        rng = np.random.default_rng([run.seed, generation.number])
        draw = functools.partial(
            choose,
            liking=verdict.liking,
            spread=verdict.spread,
            quality=verdict.gate,
            families=[_family(clip) for _, clip in made],
            phi=verdict.phi,
            debts=verdict.debts,
            weights=verdict.say,
            recent_families=archive.recent_families,
            count=POSTED,
        )
        picks = draw(rng=rng)
        if friend is not None:
            picks = auditing.make_room(picks, POSTED)
        settled = settle_debts(verdict.debts, verdict.liking, picks, verdict.say, verdict.gate)
        if not picks:
            raise UserError(
                "Not one of the clips passed the quality gate. Try again, or ask for something else."
            )
        shown = [*picks, None] if friend is not None else picks
        order = rng.permutation(len(shown))  # the place on the message says nothing about the clip
        return Choice(
            picks=[shown[place] for place in order],
            friend=friend,
            chances=await auditing.chances(
                lambda dice: draw(rng=dice), picks, [run.seed, generation.number, 2]
            ),
            voices=archive.voices,
            opening=_opening(archive),
            verdict=verdict,
            debts={  # nothing is owed to a track
                voice.listener_id: float(debt)
                for voice, debt in zip(archive.voices, settled, strict=False)
            },
        )

    # One transaction --------------------------------------------------------------------------------

    async def _save(
        self, run: Run, generation: Generation, searcher: Searcher, made: Made, choice: Choice
    ) -> PostId:
        """Put the files into the store, then everything else into the database at once."""
        shas = [
            await asyncio.to_thread(self._store.put, clip.audio, clip.extension) for _, clip in made
        ]
        number = generation.number
        async with self._db.transaction() as tx:
            proposals = [proposal for proposal, _ in made]
            candidates = await runs.add_candidates(tx, run.id, number, searcher.name, proposals)
            ids = []
            for candidate, (_, rendered), sha in zip(candidates, made, shas, strict=True):
                clip = await clips.add_clip(tx, candidate, rendered, sha, _family(rendered))
                ids.append(clip.id)
            kept = await listeners.consenting(tx, run.guild_id, Consent.TASTE)
            await self._save_choice(tx, number, ids, choice, kept)
            await runs.save_searcher_state(tx, run.id, searcher.state())
            owed = {one: debt for one, debt in choice.debts.items() if one in kept}
            await runs.save_debts(tx, run.id, owed)
            await runs.set_generation(tx, run.id, number, state=GenerationState.READY)
            await runs.set_run(tx, run.id, generation=number)
            post = await posts.add_post(
                tx, run.id, number, PostKind.ROUND, run.channel_id, self._clock.now()
            )
        return post.id

    async def _save_choice(
        self,
        tx: Transaction,
        number: int,
        ids: Sequence[ClipId],
        choice: Choice,
        kept: set[ListenerId],
    ) -> None:
        """Give the chosen clips their slots, and keep what all are worth and what votes will be compared with."""
        judged = dict(zip(ids, choice.verdict.judgements, strict=True))
        await judgements.add_judgements(tx, judged)
        chances: dict[ClipId, float] = {}
        posted: dict[int, ClipId] = {}
        for slot, pick in enumerate(choice.picks, start=1):
            if pick is not None:
                role = choice.opening or pick.role.value
                await clips.mark_posted(tx, ids[pick.index], slot, role)
                posted[pick.index] = ids[pick.index]
                chances[ids[pick.index]] = choice.chances[pick.index]
            elif choice.friend is not None:
                again = await proof.add_repost(tx, choice.friend.clip_id, number, slot)
                chances[again.id] = choice.friend.chance
        await proof.save_chances(tx, chances)
        own = choice.verdict.own
        foretold = auditing.foretold(posted, choice.voices, own.liking, own.spread, kept)
        await proof.save_predictions(tx, foretold)


def _request(run: Run, proposal: Proposal) -> ClipRequest:
    """Ask for what a searcher bred: the described piece, and the same in words for generators that need words."""
    described = proposal.genome.get("description")
    if described is not None and abs(described["seconds"] - run.settings.seconds) > LENGTH_KEPT:
        # The child of a clip from elsewhere, or of its longer version: here it lasts as long as all others.
        piece = refitted(Description.from_json(described), run.settings.seconds)
        described = piece.to_json()
    return ClipRequest(
        prompt=proposal.prompt,
        seed=proposal.seed,
        seconds=run.settings.seconds,
        description=described,
        embedding=proposal.embedding,
        generator=run.settings.generator,
    )


def _with_description(proposal: Proposal, rendered: RenderedClip) -> Proposal:
    """Keep what was played as part of the genome, so that children can have its tune."""
    genome = rendered.description.get("genome")
    if genome is None:
        return proposal
    return replace(proposal, genome={**proposal.genome, "description": genome})


def _family(rendered: RenderedClip) -> str:
    return str(rendered.description.get("family", ""))


def _opening(archive: Archive) -> str:
    """Return the role of clips that no taste had a say in, or ``""`` where one had."""
    if archive.voices:
        return ""
    return OPENING if archive.standard.track is None else NEAREST
