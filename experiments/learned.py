"""The real loop: services, database, votes, tastes, slate and searcher, with synthetic listeners for a channel."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from bench.headless import HOST, Loop, hear_all, open_loop
from domain.clip import Clip
from domain.errors import UserError
from domain.ids import ClipId, ListenerId
from domain.run import Run, RunSettings
from domain.vote import Grade
from experiments.direct import Course
from experiments.listeners import Listener, truth
from experiments.models import Speech
from experiments.records import Row
from experiments.sounds import Sound, joined
from experiments.spec import Condition
from scoring.space import default_space
from scoring.taste import predict
from service.device import DeviceWorker
from service.settings import Settings
from service.views import RoundView
from storage import clips, runs

FIRST = 1000
"""Id of the first listener; the next ones follow."""


async def play(  # noqa: PLR0913, PLR0917 - what a run needs
    condition: Condition,
    seed: int,
    seconds: float,
    device: DeviceWorker,
    listeners: Sequence[Listener],
    settings: Settings,
    speech: Speech | None,
) -> Course:
    """Run a condition with one seed.

    Raises:
        UserError: A round could not be made; says why.
    """
    if speech is not None:
        settings = settings.model_copy(update={"language": speech.language})
    chosen = RunSettings(
        seconds=seconds,
        candidates=condition.population,
        quorum=len(listeners) + 1,  # only Next closes a round
        timer=0.0,
        unattended_limit=condition.rounds + 1,
    )
    rng = np.random.default_rng([seed, 12])
    events = itertools.count(1)
    rows: list[Row] = []
    heard: list[Sound] = []
    async with open_loop(device, settings) as loop:
        ticket = await loop.services.runs.start(
            HOST, settings=chosen, searcher=condition.searcher, seed=seed
        )
        for number in range(1, condition.rounds + 1):
            done = await ticket.done()
            if done.error:
                raise UserError(f"Generation {number} could not be made: {done.error}")
            view = await loop.inbox.rounds.get()
            progress = number / condition.rounds
            await _vote(loop, view, listeners, progress, rng, events)
            made, sounds = await _made(loop, view)
            liked = truth(listeners, sounds, progress)
            rows += await _rows(loop, condition, seed, view, made, liked)
            heard += sounds
            if number < condition.rounds:
                ticket = await loop.services.runs.next(HOST)
    return rows, heard


async def _vote(
    loop: Loop,
    view: RoundView,
    listeners: Sequence[Listener],
    progress: float,
    rng: np.random.Generator,
    events: itertools.count[int],
) -> None:
    """Let everybody hear the posted clips, grade them, and star the best one that they love."""
    sounds = await _sounds(
        loop, [clip.clip.id for clip in view.clips], [clip.data for clip in view.clips]
    )
    for number, listener in enumerate(listeners):
        actor = replace(HOST, user_id=ListenerId(FIRST + number), is_moderator=False)
        loved = []
        for clip, sound in zip(view.clips, sounds, strict=True):
            vote = listener.vote(sound, progress, rng)
            if vote is None:
                continue
            grade = Grade(vote.grade)
            await loop.services.feedback.rate(actor, clip.clip.id, grade, next(events))
            if grade is Grade.LOVE:
                loved.append((vote.felt, clip.clip.id))
        if loved:
            await loop.services.feedback.favourite(actor, max(loved)[1], next(events))


async def _made(loop: Loop, view: RoundView) -> tuple[list[Clip], list[Sound]]:
    """Return all clips of a round, posted or not, and what they sound like."""
    made = await loop.services.clips.of_round(view.run.id, view.number)
    made = sorted(made, key=lambda clip: clip.candidate_id)
    audio = [await loop.services.clips.audio(clip) for clip in made]
    return made, await _sounds(loop, [clip.id for clip in made], audio)


async def _sounds(loop: Loop, ids: Sequence[ClipId], audio: Sequence[bytes]) -> list[Sound]:
    """Return stored clips as listeners have them."""
    async with loop.services.db.reading() as tx:
        found, embeddings = await clips.embeddings(tx, ids, default_space().encoder_id)
    measured = dict(zip(found, embeddings, strict=True))
    return joined(await hear_all(list(audio)), [measured[clip_id] for clip_id in ids])


async def _rows(
    loop: Loop,
    condition: Condition,
    seed: int,
    view: RoundView,
    made: Sequence[Clip],
    liked: np.ndarray,
) -> list[Row]:
    estimated = await _estimated(loop, view.run, made)
    async with loop.services.db.reading() as tx:
        candidates = {one.id: one for one in await runs.candidates_of_run(tx, view.run.id)}
    return [
        Row(
            condition=condition.name,
            seed=seed,
            generation=view.number,
            candidate=int(clip.candidate_id),
            prompt=clip.prompt,
            operator=candidates[clip.candidate_id].operator,
            parents=" ".join(str(one) for one in candidates[clip.candidate_id].parents),
            family=clip.family,
            liked=round(float(true), 5),
            estimated=round(float(told) * clip.quality, 5),
            quality=round(clip.quality, 5),
            posted=clip.posted_slot is not None,
        )
        for clip, true, told in zip(made, liked, estimated, strict=True)
    ]


async def _estimated(loop: Loop, run: Run, made: Sequence[Clip]) -> list[float]:
    """Return how the learned tastes expect clips to be liked, the mean of those who voted; a half of all before."""
    voices = await loop.services.tastes.voices(run)
    async with loop.services.db.reading() as tx:
        found, phi = await loop.services.tastes.phi(tx, [clip.id for clip in made])
    if not voices or not found:
        return [0.5] * len(made)
    liking = predict([voice.taste for voice in voices], phi).liking.mean(axis=0)
    known = dict(zip(found, liking, strict=True))
    return [float(known.get(clip.id, 0.5)) for clip in made]
