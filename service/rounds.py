"""Make a generation: rescore the past, breed, render, gate, score, choose four, and save it all in one transaction."""

from __future__ import annotations

import asyncio
import dataclasses
import functools
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from domain.candidate import Brief, Candidate, Directive, Evaluation, Proposal
from domain.clip import ArchivedClip, ClipFailure, ClipRequest, RenderedClip
from domain.description import Description
from domain.errors import UserError
from domain.ids import ClipId, ListenerId, PostId
from domain.run import Generation, GenerationState, PostKind, Run
from domain.vote import Consent
from evolution.registry import create_searcher
from evolution.searcher import Searcher
from evolution.timing import refitted
from scoring.slate import Pick, choose, fairness, settle_debts
from scoring.taste import herd, predict
from service import auditing
from service.briefing import Kits, feedback_words, no_kits, taste_words
from service.clock import Clock
from service.device import DeviceWorker
from service.tasting import Said, TasteService, Voice, said_of
from storage import clips, listeners, posts, proof, runs, votes
from storage.database import Database, Transaction
from storage.files import AudioStore

log = logging.getLogger(__name__)

POSTED = 4
"""Clips of a round: as many as a message's 5 x 5 buttons can rate, and about what people will listen to."""
OPENING = "opening"
"""Role of clips that were chosen before anybody had voted."""
OWN_VOTES = 2.0
"""Raters after which what people said about a clip counts as much as what their tastes predict."""
LENGTH_KEPT = 0.5
"""Seconds by which a clip may miss the length of its run."""
RECENT = 3
"""Rounds whose families the wild card avoids."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Archive:
    """What a run has rendered so far, under today's tastes."""

    evaluations: list[Evaluation]
    recent_families: dict[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """The clips of a round.

    Attributes:
        picks: In the order of their slots; ``None`` is the place of the old friend.
        friend: An old clip that comes back unmarked, if one does.
        chances: How likely each picked clip was to be picked, by its index.
        voices: Whose tastes had a say; none in an opening.
        liking: (voices, clips), what was foretold.
        spread: (voices, clips), how unsure that was.
        debts: What each listener is owed after the round.
    """

    picks: list[Pick | None]
    friend: auditing.Friend | None
    chances: dict[int, float]
    voices: Sequence[Voice]
    liking: NDArray[np.float64]
    spread: NDArray[np.float64]
    debts: dict[ListenerId, float]


Made = Sequence[tuple[Proposal, RenderedClip]]


class RoundMaker:
    """Makes generations. One call at a time for a run: the caller holds the run's lock."""

    def __init__(
        self,
        db: Database,
        store: AudioStore,
        device: DeviceWorker,
        tastes: TasteService,
        clock: Clock,
        kits: Kits = no_kits,
    ) -> None:
        self._db = db
        self._store = store
        self._device = device
        self._tastes = tastes
        self._clock = clock
        self._kits = kits

    async def make(self, run: Run, generation: Generation, ready: Callable[[int], None]) -> PostId:
        """Make a generation and put its round into the outbox.

        Args:
            run: The run.
            generation: Its generation in state BREEDING.
            ready: Called with the number of clips that are rendered.

        Returns:
            The outbox row.

        Raises:
            UserError: Not one clip could be made.
        """
        voices = await self._tastes.voices(run)
        archive = await self._archive(run, voices)
        async with self._db.reading() as tx:
            state = await runs.searcher_state(tx, run.id)
        kit = await self._kits(run.guild_id)
        searcher = create_searcher(run.searcher, seed=run.seed, vibe=run.vibe, state=state, kit=kit)
        searcher.tell(
            [*archive.evaluations, *await self._foreign_parents(run, generation, archive)]
        )
        brief = Brief(
            count=run.settings.candidates,
            directive=Directive(generation.directive),
            parents=generation.directive_parents,
            words=generation.directive_words,
            account=str(run.guild_id),
            taste=taste_words(voices, self._tastes.space),
            feedback=feedback_words(archive.evaluations, run.generation),
        )
        proposals = await searcher.ask(brief)
        for sentence in searcher.notices():
            log.warning("Run %s: %s", run.id, sentence)
        outcomes = await self._device.render([_request(run, one) for one in proposals], ready)
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
        choice = await self._choose(run, generation, voices, archive, made)
        if not choice.picks:
            raise UserError(
                "Not one of the clips passed the quality gate. Try again, or ask for something else."
            )
        return await self._save(run, generation, searcher, made, choice)

    # The past, rescored --------------------------------------------------------------------------------

    async def _archive(self, run: Run, voices: Sequence[Voice]) -> Archive:
        async with self._db.reading() as tx:
            made = await clips.archive_of_run(tx, run.id)
            candidates = {one.id: one for one in await runs.candidates_of_run(tx, run.id)}
            found, phi = await self._tastes.phi(tx, [clip.id for clip in made])
            cast = await votes.votes_of_run(tx, run.id)
            debts = await runs.debts(tx, run.id)
        by_id = {clip.id: clip for clip in made}
        rows = [by_id[clip_id] for clip_id in found if by_id[clip_id].original_id is None]
        phi = phi[[by_id[clip_id].original_id is None for clip_id in found]]
        fitness, doubt = self._fitness(rows, phi, voices, debts)
        said = auditing.same_audio_once(said_of(cast), made)
        evaluations = [
            _evaluation(candidates[clip.candidate_id], clip, float(expected), float(unsure), said)
            for clip, expected, unsure in zip(rows, fitness, doubt, strict=True)
            if clip.candidate_id in candidates
        ]
        recent: dict[str, int] = {}
        for clip in made:
            if clip.posted_slot and clip.generation > run.generation - RECENT:
                recent[clip.family] = recent.get(clip.family, 0) + 1
        return Archive(evaluations=evaluations, recent_families=recent)

    def _fitness(
        self,
        rows: Sequence[ArchivedClip],
        phi: NDArray[np.float64],
        voices: Sequence[Voice],
        debts: dict[ListenerId, float],
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return expected liking of the channel and its standard deviation, each of shape (n,)."""
        if not rows:
            return np.zeros(0), np.zeros(0)
        if not voices:
            return np.full(len(rows), 0.5), np.full(len(rows), 0.25)
        prediction = predict([voice.taste for voice in voices], phi)
        weights = fairness(np.array([debts.get(voice.listener_id, 0.0) for voice in voices]))
        opinion = herd(prediction, weights)
        return opinion.fitness, opinion.uncertainty

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
        self,
        run: Run,
        generation: Generation,
        voices: Sequence[Voice],
        archive: Archive,
        made: Made,
    ) -> Choice:
        embeddings = np.stack([np.frombuffer(clip.embedding, dtype=np.float32) for _, clip in made])
        phi = self._tastes.space.project(embeddings)
        quality = np.array([clip.quality for _, clip in made])
        async with self._db.reading() as tx:
            owed = await runs.debts(tx, run.id)
            lots = np.random.default_rng([run.seed, generation.number, 1])
            friend = await auditing.old_friend(tx, run, generation.number, lots)
        debts = np.array([owed.get(voice.listener_id, 0.0) for voice in voices])
        if voices:
            prediction = predict([voice.taste for voice in voices], phi)
            liking, spread = prediction.liking, prediction.spread
        else:
            liking, spread = np.zeros((0, len(made))), np.zeros((0, len(made)))
        rng = np.random.default_rng([run.seed, generation.number])
        draw = functools.partial(
            choose,
            liking=liking,
            spread=spread,
            quality=quality,
            families=[_family(clip) for _, clip in made],
            phi=phi,
            debts=debts,
            recent_families=archive.recent_families,
            count=POSTED,
        )
        picks = draw(rng=rng)
        if friend is not None:
            picks = auditing.make_room(picks, POSTED)
        settled = settle_debts(debts, liking, picks)
        shown = [*picks, None] if friend is not None and picks else picks
        order = rng.permutation(len(shown))  # the place on the message says nothing about the clip
        return Choice(
            picks=[shown[place] for place in order],
            friend=friend,
            chances=await auditing.chances(
                lambda dice: draw(rng=dice), picks, [run.seed, generation.number, 2]
            ),
            voices=voices,
            liking=liking,
            spread=spread,
            debts={
                voice.listener_id: float(debt) for voice, debt in zip(voices, settled, strict=True)
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
        """Give the chosen clips their slots, and keep what their votes will be compared with."""
        chances: dict[ClipId, float] = {}
        posted: dict[int, ClipId] = {}
        for slot, pick in enumerate(choice.picks, start=1):
            if pick is not None:
                role = pick.role.value if choice.voices else OPENING
                await clips.mark_posted(tx, ids[pick.index], slot, role)
                posted[pick.index] = ids[pick.index]
                chances[ids[pick.index]] = choice.chances[pick.index]
            elif choice.friend is not None:
                again = await proof.add_repost(tx, choice.friend.clip_id, number, slot)
                chances[again.id] = choice.friend.chance
        await proof.save_chances(tx, chances)
        foretold = auditing.foretold(posted, choice.voices, choice.liking, choice.spread, kept)
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
    )


def _with_description(proposal: Proposal, rendered: RenderedClip) -> Proposal:
    """Keep what was played as part of the genome, so that children can have its tune."""
    genome = rendered.description.get("genome")
    if genome is None:
        return proposal
    return dataclasses.replace(proposal, genome={**proposal.genome, "description": genome})


def _family(rendered: RenderedClip) -> str:
    return str(rendered.description.get("family", ""))


def _evaluation(
    candidate: Candidate,
    clip: ArchivedClip,
    expected: float,
    unsure: float,
    said: dict[ClipId, dict[ListenerId, Said]],
) -> Evaluation:
    """Blend what tastes predict with what people said about this very clip, times its quality."""
    ratings = list(said.get(clip.id, {}).values())
    weight = sum(one.weight for one in ratings)
    share = weight / (weight + OWN_VOTES)
    observed = (
        (1.0 + sum(one.rating * one.weight for one in ratings) / weight) / 2.0 if ratings else 0.0
    )
    liking = (1.0 - share) * expected + share * observed
    gate = 0.0 if clip.broken else clip.quality
    return Evaluation(
        candidate=candidate,
        fitness=liking * gate,
        uncertainty=unsure * (1.0 - share) * gate,
        rated=bool(ratings),
        components={
            "expected": expected,
            "observed": observed,
            "raters": float(len(ratings)),
            "quality": gate,
        },
    )
