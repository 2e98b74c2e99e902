"""Single clips on order, without a channel or votes: what the playground's studio page and its HTTP API use.

Jobs live in memory, for as long as the program runs. A job always ends as done, failed or cancelled, and says so.
"""

from __future__ import annotations

import asyncio
import dataclasses
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import numpy as np

from domain.clip import BUILT_IN, ClipFailure, ClipRequest, RenderedClip
from domain.errors import BusyError, NotFoundError, UserError
from domain.facets import Facets
from domain.features import Features
from generation.genome.mend import repair
from prompts.features import to_facets
from prompts.reader import read
from prompts.writer import write
from service.clock import Clock
from service.device import DeviceWorker
from service.exports import ExportKind
from service.tasks import TaskSet

LONGEST = 180.0
"""Seconds that a clip on order may last."""

FACETS_OF: Mapping[str, str] = {
    "energy": "energy",
    "valence": "valence",
    "danceability": "danceability",
    "acousticness": "acousticness",
    "instrumentalness": "instrumentalness",
    "loudness": "loudness",
    "tempo": "tempo",
    "key": "tonic",
    "mode": "mode",
    "time_signature": "metre",
}
"""Which facet each feature sets."""


class JobState(StrEnum):
    """Where a job stands. The last three are final."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def final(self) -> bool:
        """Whether nothing more will happen."""
        return self in {JobState.DONE, JobState.FAILED, JobState.CANCELLED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What somebody wants to hear. What is not said is left to the composer.

    Attributes:
        text: Plain words, such as ``"a slow bossa nova without drums"``.
        features: Some of the ten features by name; they win over the words.
        description: A description in JSON to be played as it is; words and features are then only its title.
        seconds: Length in [1, ``LONGEST``].
        seed: The same seed and words are the same tune, whatever the features are; ``None`` draws one.
    """

    text: str = ""
    features: Mapping[str, float] = field(default_factory=dict)
    description: Mapping[str, Any] | None = None
    seconds: float = 8.0
    seed: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A wish and what became of it.

    Attributes:
        id: Unguessable.
        wish: What was asked for, with its seed.
        prompt: The same in words, as the clip will be titled.
        state: Where it stands.
        asked_at: Unix time.
        ended_at: Unix time, once the state is final.
        error: Why it failed, for people.
        ignored: Words that mean nothing to the reader.
        repaired: What was changed in the description so that it can be played, in sentences.
        clip: The clip, once it is done.
    """

    id: str
    wish: Wish
    prompt: str
    state: JobState = JobState.QUEUED
    asked_at: float
    ended_at: float | None = None
    error: str = ""
    ignored: tuple[str, ...] = ()
    repaired: tuple[str, ...] = ()
    clip: RenderedClip | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StudioLimits:
    """How much the studio does and keeps.

    Attributes:
        waiting: Jobs that may wait at once.
        parallel: Clips made at the same time; channels keep the other processes.
        kept: Finished jobs that stay to be fetched.
        bytes_kept: Audio that stays in memory.
    """

    waiting: int = 100
    parallel: int = 2
    kept: int = 500
    bytes_kept: int = 200_000_000


class Studio:
    """Takes wishes and makes clips, first come, first served."""

    def __init__(
        self,
        device: DeviceWorker,
        clock: Clock,
        tasks: TaskSet,
        limits: StudioLimits = StudioLimits(),  # frozen
    ) -> None:
        self._device = device
        self._clock = clock
        self._tasks = tasks
        self.limits = limits
        self._jobs: dict[str, Job] = {}
        self._running: dict[str, asyncio.Task[None]] = {}
        self._slots = asyncio.Semaphore(limits.parallel)

    def submit(self, wish: Wish) -> Job:
        """Queue a wish.

        Raises:
            BusyError: Too many are waiting.
            UserError: A length, a feature or the description is impossible; says which and what would be right.
        """
        waiting = sum(job.state is JobState.QUEUED for job in self._jobs.values())
        if waiting >= self.limits.waiting:
            raise BusyError(f"{waiting} clips are waiting already. Try again in a minute.")
        if not 1.0 <= wish.seconds <= LONGEST:
            raise UserError(
                f"seconds: a clip lasts 1 to {LONGEST:.0f} seconds, not {wish.seconds:g}."
            )
        seed = secrets.randbelow(2**31) if wish.seed is None else wish.seed
        wish = dataclasses.replace(wish, seed=seed)
        facets = wanted(wish)
        prompt = write(facets, np.random.default_rng(seed))
        described, repairs = _playable(wish)
        request = ClipRequest(
            generator=BUILT_IN,
            prompt=prompt,
            seed=seed,
            seconds=wish.seconds,
            description=described,
            facets=facets.to_json(),
        )
        job = Job(
            id=secrets.token_urlsafe(12),
            wish=wish,
            prompt=prompt,
            asked_at=self._clock.now(),
            ignored=facets.unknown,
            repaired=repairs,
        )
        self._jobs[job.id] = job
        self._running[job.id] = self._tasks.spawn(self._make(job.id, request), f"studio {job.id}")
        return job

    async def _make(self, job_id: str, request: ClipRequest) -> None:
        try:
            async with self._slots:
                self._change(job_id, state=JobState.RUNNING)
                made = (await self._device.render([request], lambda _: None))[0]
        except asyncio.CancelledError:
            self._end(job_id, state=JobState.CANCELLED)
            raise
        except Exception:
            # Whatever it was: a job that is asked about must not look as if it were still being made.
            self._end(
                job_id, state=JobState.FAILED, error="The generator broke down. The log says more."
            )
            raise
        finally:
            self._running.pop(job_id, None)
        if isinstance(made, ClipFailure):
            self._end(job_id, state=JobState.FAILED, error=made.reason)
        else:
            self._end(job_id, state=JobState.DONE, clip=made)

    def _change(self, job_id: str, **changes: Any) -> None:
        if job_id in self._jobs:
            self._jobs[job_id] = dataclasses.replace(self._jobs[job_id], **changes)

    def _end(self, job_id: str, **changes: Any) -> None:
        self._change(job_id, ended_at=self._clock.now(), **changes)
        self._forget()

    def _forget(self) -> None:
        """Let the oldest finished jobs go when there are too many or they are too large."""
        ended = [job for job in self._jobs.values() if job.state.final]
        ended.sort(key=lambda job: job.ended_at or 0.0)
        size = sum(_size(job) for job in ended)
        while len(ended) > self.limits.kept or (size > self.limits.bytes_kept and len(ended) > 1):
            oldest = ended.pop(0)
            size -= _size(oldest)
            del self._jobs[oldest.id]

    def get(self, job_id: str) -> Job:
        """Return a job.

        Raises:
            NotFoundError: There is none with this id, or it ended long ago.
        """
        try:
            return self._jobs[job_id]
        except KeyError:
            raise NotFoundError(
                "There is no such job. Finished ones are kept for a while only."
            ) from None

    async def wait(self, job_id: str, seconds: float) -> Job:
        """Return a job once it has ended, or as it stands after ``seconds``.

        Raises:
            NotFoundError: There is none with this id.
        """
        task = self._running.get(self.get(job_id).id)
        if task is not None and seconds > 0:
            await asyncio.wait({task}, timeout=seconds)
        return self.get(job_id)

    async def export(self, job_id: str, kind: ExportKind) -> bytes:
        """Return a finished clip's notes, parts or sheet music, composed again.

        Raises:
            NotFoundError: There is no such job.
            UserError: It is not finished, or cannot be written in this way.
        """
        clip = self.get(job_id).clip
        if clip is None:
            raise UserError("There are no notes of this clip: it is not finished.")
        again = dataclasses.replace(clip.request, description=clip.description.get("genome"))
        made = await self._device.export(again, kind.value)
        if isinstance(made, ClipFailure):
            raise UserError(f"That could not be made: {made.reason}")
        return made

    def place(self, job_id: str) -> int:
        """Return how many jobs will be made before this one."""
        waiting = [job.id for job in self._jobs.values() if job.state is JobState.QUEUED]
        return waiting.index(job_id) if job_id in waiting else 0

    def jobs(self) -> list[Job]:
        """Return every job that is kept, the newest first."""
        return list(reversed(self._jobs.values()))

    def cancel(self, job_id: str) -> Job:
        """Stop a job that is not finished; one that is stays as it is.

        Raises:
            NotFoundError: There is none with this id.
        """
        job = self.get(job_id)
        task = self._running.pop(job_id, None)
        if task is not None and not job.state.final:
            task.cancel()
            # A task that is cancelled before its first step never gets to say so itself.
            self._end(job_id, state=JobState.CANCELLED)
        return self.get(job_id)


def wanted(wish: Wish) -> Facets:
    """Read a wish: its words, and over them the features that it names.

    Raises:
        DescriptionError: A feature does not exist or is out of range.
    """
    said = read(wish.text)
    if not wish.features:
        return said
    exact = to_facets(Features.from_json(wish.features), said)
    return dataclasses.replace(
        said, **{FACETS_OF[name]: getattr(exact, FACETS_OF[name]) for name in wish.features}
    )


def _playable(wish: Wish) -> tuple[dict[str, Any] | None, tuple[str, ...]]:
    """Return the wish's description, mended, and what was mended.

    Raises:
        DescriptionError: Nothing can be made of it.
    """
    if wish.description is None:
        return None, ()
    mended, repairs = repair(wish.description)
    return mended.to_json(), tuple(str(one) for one in repairs)


def _size(job: Job) -> int:
    return len(job.clip.audio) if job.clip is not None else 0
