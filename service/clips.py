"""What people may ask about one clip: why, lineage, keep, download, and the one made for them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from domain.candidate import Candidate
from domain.clip import DRAFT, MADE_FROM, Clip, ClipFailure, ClipRequest
from domain.errors import ForbiddenError, NotFoundError, StorageError
from domain.ids import ClipId, ListenerId, RunId
from domain.run import GenerationState, Run
from evolution.numeric.states import embedding_of
from scoring.taste import predict
from service.device import DeviceWorker
from service.folding import said_of
from service.generator_state import GeneratorState, named
from service.reasons import reasons_behind
from service.tasting import TasteService
from service.views import Actor, Download, ForMe, LineageView, WhyReason, WhyView
from service.voices import Voice
from storage import clips, judgements, runs, votes
from storage.database import Database
from storage.files import AudioStore

DEPTH = 6
"""Generations of ancestors that a lineage shows."""
NEAREST = 3
ROLES = {
    "opening": "picked to be as different as can be, before anybody here had voted",
    "exploit": "picked because the people here are expected to like it",
    "uncertain": "picked because your votes on it teach the most",
    "repost": "an old clip of this run, posted again unmarked: only so can votes tell whether the new ones are better",
    "nearest": "picked because it is near the track that this run is bred towards",
    "wild": "the wild card: something else, so that the search does not narrow too early",
    "mood": "made by hand with /mood",
}
STILL_BLIND = "posted in this round; ask again when it is closed"
"""Said of an old clip while its round is open: it stays unmarked."""


class ClipService:
    """Answers about clips. Everything personal is for the person who asks."""

    def __init__(
        self, db: Database, store: AudioStore, device: DeviceWorker, learner: TasteService
    ) -> None:
        self._db = db
        self._store = store
        self._device = device
        self._learner = learner

    async def find(self, actor: Actor, clip_id: ClipId) -> Clip:
        """Return a clip that this person may hear here.

        Raises:
            NotFoundError: It is gone, or another channel's.
            ForbiddenError: It is somebody else's private one.
        """
        _, clip = await self._find(actor, clip_id)
        return clip

    async def why(self, actor: Actor, clip_id: ClipId) -> WhyView:
        """Say why a clip was chosen, and what this listener's taste makes of it.

        Raises:
            NotFoundError: The clip is gone.
        """
        run, clip = await self._find(actor, clip_id)
        voice = await self._voice(run, actor.user_id)
        async with self._db.reading() as tx:
            candidate = await runs.candidate(tx, clip.candidate_id)
            parents = [await runs.candidate(tx, parent) for parent in (candidate.parents)]
            _, phi = await self._learner.phi(tx, [clip_id])
            generation = await runs.generation(tx, clip.run_id, clip.generation)
            judged = await judgements.judgements(tx, [clip.original_id or clip_id])
        blind = clip.original_id is not None and generation.state is not GenerationState.CLOSED
        liking = spread = 0.0
        reasons: tuple[WhyReason, ...] = ()
        if voice.evidence and len(phi):
            prediction = predict([voice.taste], phi)
            liking, spread = float(prediction.liking[0, 0]), float(prediction.spread[0, 0])
            reasons = await self._reasons(run, actor.user_id, phi[0])
        return WhyView(
            clip=clip,
            role=STILL_BLIND if blind else ROLES.get(clip.role or "", "not posted in its round"),
            liking=liking if voice.evidence else None,
            spread=spread,
            reasons=reasons,
            evidence=voice.evidence,
            nearest=await self._nearest(actor, clip, phi),
            operator=candidate.operator,
            parents=tuple(parent.prompt for parent in parents),
            judgement=None if blind else next(iter(judged.values()), None),
        )

    async def _reasons(
        self, run: Run, listener_id: ListenerId, phi_row: NDArray[np.float64]
    ) -> tuple[WhyReason, ...]:
        """Return what speaks for and against a clip, with the listener's votes behind it."""
        said = await self._learner.said_by(run, listener_id)
        prior = await self._learner.prior(run.guild_id)
        told = await asyncio.to_thread(reasons_behind, said, prior, self._learner.space, phi_row)
        async with self._db.reading() as tx:
            rated = await clips.clips_by_id(tx, list(said.clips))
        prompts = {clip.id: clip.prompt for clip in rated}
        ratings = {one.clip: one.rating for one in said.rated if one.counts}
        return tuple(
            WhyReason(
                words=one.reason.words,
                strength=one.reason.contribution,
                certainty=one.reason.certainty,
                alike=len(one.alike),
                liked=sum(ratings[row] > 0 for row in one.alike),
                moved=tuple(
                    (prompts[said.clips[row]], ratings[row])
                    for row in one.movers
                    if said.clips[row] in prompts
                ),
            )
            for one in told
        )

    async def _nearest(
        self, actor: Actor, clip: Clip, phi: np.ndarray
    ) -> tuple[tuple[str, float], ...]:
        """Return the most similar clips that this listener rated: the votes behind the prediction."""
        if not len(phi):
            return ()
        async with self._db.reading() as tx:
            cast = await votes.votes_of_listener(tx, actor.guild_id, actor.user_id)
            said = {
                one: theirs[actor.user_id].rating
                for one, theirs in said_of(cast).items()
                if one not in {clip.id, clip.original_id}
            }
            found, others = await self._learner.phi(tx, sorted(said))
            order = np.argsort(np.linalg.norm(others - phi[0], axis=1))[:NEAREST]
            near = await clips.clips_by_id(tx, [found[int(row)] for row in order])
        return tuple((one.prompt, said[one.id]) for one in near)

    async def lineage(self, actor: Actor, clip_id: ClipId) -> LineageView:
        """Return a clip's ancestors.

        Raises:
            NotFoundError: The clip is gone.
        """
        _, clip = await self._find(actor, clip_id)
        async with self._db.reading() as tx:
            ancestors: list[Candidate] = await runs.ancestors(tx, clip.candidate_id, DEPTH)
            own = await runs.candidate(tx, clip.candidate_id)
            line = (own, *ancestors)
            fitness = await judgements.fitness_of(tx, [one.id for one in line])
        return LineageView(clip=clip, ancestors=line, fitness=fitness)

    async def keep(self, actor: Actor, clip_id: ClipId) -> Clip:
        """Keep a clip for good: no retention rule deletes its audio."""
        _, clip = await self._find(actor, clip_id)
        async with self._db.transaction() as tx:
            await clips.keep_clip(tx, clip_id, actor.user_id)
        return clip

    async def wav(self, actor: Actor, clip_id: ClipId) -> Download:
        """Return a clip as a lossless file, rendered again from its prompt and seed where that gives the same sound.

        Raises:
            NotFoundError: The clip is gone, and so is its sound.
        """
        _, clip = await self._find(actor, clip_id)
        why = not_again(clip, named(await self._device.states(known=True), clip.generator))
        if not why:
            request = replace(request_of(clip), embedding=await self.embedding(clip))
            data = await self._device.wav(request)
            if not isinstance(data, ClipFailure):
                return Download(
                    filename=f"{filename(clip)}.wav",
                    data=data,
                    note="Lossless, rendered again just now.",
                )
            why = f"it could not be made again: {data.reason}"
        note = f"The {clip.extension.upper()} as it was posted; {why.rstrip('.')}."
        return Download(
            filename=f"{filename(clip)}.{clip.extension}", data=await self.audio(clip), note=note
        )

    async def embedding(self, clip: Clip) -> bytes:
        """Return what a clip was made from in place of its words, see ``ClipRequest``; ``b""`` for words."""
        async with self._db.reading() as tx:
            candidate = await runs.candidate(tx, clip.candidate_id)
        return embedding_of(candidate.genome)

    async def of_round(self, run_id: RunId, number: int) -> list[Clip]:
        """Return every clip that was rendered for a round, posted or not."""
        async with self._db.reading() as tx:
            return await clips.clips_of_generation(tx, run_id, number)

    async def audio(self, clip: Clip) -> bytes:
        """Return the stored file of a clip.

        Raises:
            NotFoundError: It was deleted by the retention rule.
        """
        try:
            return await asyncio.to_thread(self._store.read, clip.sha256, clip.extension)
        except StorageError:
            raise NotFoundError("The audio of that clip is not kept any more.") from None

    async def for_me(self, actor: Actor, run_id: RunId, number: int) -> ForMe:
        """Return the clip of a generation that this listener is expected to like most.

        Raises:
            NotFoundError: The round is gone, or they have not voted yet.
        """
        async with self._db.reading() as tx:
            run = await runs.get_run(tx, run_id)
            bred = await clips.clips_of_generation(tx, run_id, number)
            made = [clip for clip in bred if clip.original_id is None]
            found, phi = await self._learner.phi(tx, [clip.id for clip in made])
        if (
            run.guild_id != actor.guild_id
            or run.for_listener not in {None, actor.user_id}
            or not found
        ):
            raise NotFoundError("That round is not there any more.")
        voice = await self._voice(run, actor.user_id)
        if not voice.evidence:
            raise NotFoundError("Rate a clip or two first, so that I know what to look for.")
        by_id = {clip.id: clip for clip in made}
        liking = predict([voice.taste], phi).liking[0]
        quality = np.array([0.0 if by_id[one].broken else by_id[one].quality for one in found])
        for row in np.argsort(-liking * quality):
            clip = by_id[found[int(row)]]
            try:
                data = await self.audio(clip)
            except NotFoundError:
                continue
            posted = (
                "It is also among the four that were posted."
                if clip.posted_slot
                else "It was not posted."
            )
            return ForMe(
                clip=clip,
                filename=f"{filename(clip)}.{clip.extension}",
                data=data,
                liking=float(liking[int(row)]),
                evidence=voice.evidence,
                note=f"The best of {len(found)} for you. {posted}",
            )
        raise NotFoundError("The audio of that round is not kept any more.")

    async def expected(self, actor: Actor, clip_ids: Sequence[ClipId]) -> dict[ClipId, float]:
        """Return how much this listener is expected to like each clip that can be read.

        Raises:
            NotFoundError: They have not voted yet.
        """
        async with self._db.reading() as tx:
            run = await runs.latest_run_in_channel(tx, actor.channel_id)
            found, phi = await self._learner.phi(tx, clip_ids)
        voice = None if run is None else await self._voice(run, actor.user_id)
        if voice is None or not voice.evidence:
            raise NotFoundError("Rate a clip or two first, so that I know what to look for.")
        liking = predict([voice.taste], phi).liking[0]
        return {clip_id: float(liking[row]) for row, clip_id in enumerate(found)}

    async def _voice(self, run: Run, listener_id: ListenerId) -> Voice:
        await self._learner.flush()
        async with self._db.reading() as tx:
            here = await votes.votes_of_channel(tx, run.channel_id)
        return await self._learner.voice(run, listener_id, here)

    async def _find(self, actor: Actor, clip_id: ClipId) -> tuple[Run, Clip]:
        async with self._db.reading() as tx:
            clip = await clips.clip(tx, clip_id)
            run = await runs.get_run(tx, clip.run_id)
        if (run.guild_id, run.channel_id) != (actor.guild_id, actor.channel_id):
            raise NotFoundError("That clip is not there any more.")
        if run.for_listener is not None and run.for_listener != actor.user_id:
            raise ForbiddenError("That clip was made for somebody else.")
        return run, clip


def not_again(clip: Clip, maker: GeneratorState | None) -> str:
    """Return why a clip's sound cannot be made once more, as half a sentence; ``""`` where it can.

    Args:
        clip: The clip.
        maker: The generator of its name, if there is one here.
    """
    name = clip.generator
    if maker is None:
        return f"{name}, which made it, does not play here any more"
    if MADE_FROM in clip.description:
        return "it was made from another clip's sound, and that is not done twice"
    if maker.capabilities is None:
        return f"{name}, which made it, has not played since I was started"
    if maker.info.version != clip.generator_version:
        return "the generator has changed since"
    return "" if maker.capabilities.repeats else f"{name} would make another one of the same words"


def request_of(clip: Clip) -> ClipRequest:
    """Return the request that makes a clip again, with the same version of the same generator."""
    return ClipRequest(
        prompt=clip.prompt,
        seed=clip.seed,
        seconds=clip.seconds,
        description=clip.description.get("genome"),
        facets=clip.description.get("facets"),
        draft=bool(clip.description.get(DRAFT)),
        generator=clip.generator,
    )


def filename(clip: Clip) -> str:
    """Return a short file name without an ending, such as ``"A-lofi-84bpm"``."""
    slot = "ABCD"[clip.posted_slot - 1] + "-" if clip.posted_slot else ""
    family = clip.family.replace("_", "-") or "clip"
    tempo = clip.description.get("tempo")
    return f"{slot}{family}" + (f"-{float(tempo):.0f}bpm" if tempo else "")
