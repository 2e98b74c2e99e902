"""Runs an experiment: every condition with every seed, in a few processes; what was done before is not done again."""

from __future__ import annotations

import asyncio
import hashlib
import multiprocessing
import os
import re
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import (
    BrokenExecutor,
    Executor,
    Future,
    ProcessPoolExecutor,
    as_completed,
)
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from domain.clip import BUILT_IN
from domain.errors import TunebreederError, UserError
from evolution.language.auto import MIXES
from experiments import direct, learned
from experiments.device import opened
from experiments.listeners import HiddenMind, Listener, made
from experiments.models import speech
from experiments.records import Run, read, save
from experiments.sounds import standard
from experiments.spec import Condition, Experiment
from experiments.table_users import fingerprint
from playground.tastes import shipped_bank
from service.device import DeviceWorker
from service.models.chosen import REMOTE
from service.processes import end_with_parent
from service.settings import Settings
from service.settings_section import Section

RUNS = "runs"
SPOKEN_BY = {
    "base_url",
    "model",
    "models",
    "temperature",
    "extra",
    "timeout",
    "retries",
    "requests_per_minute",
    "daily_tokens",
    "daily_money",
}
"""Settings of a language model that prompts depend on."""
PLAYED_BY = {"device", "batch", "drafts"}
"""Settings that what a model makes depends on."""
Say = Callable[[str], None]
Opening = Callable[[Settings, str], AbstractAsyncContextManager[DeviceWorker]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One run: a condition with a seed, and where it is kept."""

    experiment: Experiment
    condition: Condition
    seed: int
    folder: Path
    settings: Settings

    @property
    def file(self) -> Path:
        """Where the run is kept: by the condition's name, so that one more before it moves none to another place."""
        name = self.condition.name
        words = re.sub("[^a-z0-9]+", "-", name.casefold()).strip("-")[:40]
        mark = hashlib.blake2b(name.encode(), digest_size=3).hexdigest()
        return self.folder / RUNS / f"{words}-{mark}-{self.seed:03d}.json"

    @property
    def fingerprint(self) -> str:
        """What changes when the run would come out differently, by what the file says or by the settings."""
        return self.experiment.fingerprint(self.condition, self._taken())

    def _taken(self) -> dict[str, Any]:
        """Return what the run takes from the settings and that is not as usual."""
        taken: dict[str, Any] = {}
        if self.condition.fitness == "dynamic":
            scoring = self.settings.scoring
            taken["taste"] = _unusual(self.settings.taste)
            taken["scoring"] = _unusual(scoring, {"encoder", "aligner"})
            taken["aligner"] = fingerprint(scoring.aligner) if scoring.aligner else ""
        if self.experiment.model == "settings" and self.condition.searcher in MIXES:
            taken["language"] = _unusual(self.settings.language, SPOKEN_BY)
        if self.experiment.generator == REMOTE:
            taken["remote"] = self.settings.generation.remote
        elif self.experiment.generator != BUILT_IN:
            taken["generation"] = _unusual(self.settings.generation, PLAYED_BY)
        return {name: one for name, one in taken.items() if one}

    def kept(self) -> Run | None:
        """Return the run where it was done before with the same settings."""
        return read(self.file, self.fingerprint)


def _unusual(section: Section, names: set[str] | None = None) -> dict[str, Any]:
    """Return what a section of the settings says that is not its default, of all its names or of some."""
    return section.model_dump(mode="json", exclude_defaults=True, include=names)


def jobs(experiment: Experiment, folder: Path, settings: Settings) -> list[Job]:
    """Return all runs of an experiment, seed after seed, so that every condition has results early."""
    return [
        Job(
            experiment=experiment,
            condition=condition,
            seed=seed,
            folder=folder,
            settings=settings,
        )
        for seed in range(experiment.seeds)
        for condition in experiment.conditions
    ]


def run_all(wanted: list[Job], *, workers: int, say: Say) -> dict[str, list[Run]]:
    """Do all runs that are not kept yet and return all of them by condition.

    Args:
        wanted: See ``jobs``.
        workers: Processes; 1 runs everything in this one.
        say: Told a line about each run that ends.

    Raises:
        UserError: A run or a process failed; runs that ended are kept, so the next start goes on.
    """
    missing = [job for job in wanted if job.kept() is None]
    before = len(wanted) - len(missing)
    if before:
        say(f"{before} of {len(wanted)} runs were done before and are kept.")
    for number, (job, seconds) in enumerate(_done(missing, workers), start=before + 1):
        run = job.kept()
        if run is None:
            raise UserError(f"The run was done, but {job.file} cannot be read.")
        say(
            f"{number} of {len(wanted)}: {job.condition.name}, seed {job.seed}: {_line(run)}, {seconds:.0f} s"
        )
    out: dict[str, list[Run]] = {}
    for job in wanted:
        found = job.kept()
        if found is not None:
            out.setdefault(job.condition.name, []).append(found)
    return out


def _done(missing: list[Job], workers: int) -> Iterator[tuple[Job, float]]:
    """Do runs and yield each with its seconds as it ends."""
    if workers <= 1 or len(missing) < 2:
        for job in missing:
            yield job, do(job)
        return
    method = "forkserver" if sys.platform == "linux" else "spawn"
    context = multiprocessing.get_context(method)
    pool: Executor = ProcessPoolExecutor(
        min(workers, len(missing)), mp_context=context, initializer=end_with_parent
    )
    try:
        waiting: dict[Future[float], Job] = {pool.submit(do, job): job for job in missing}
        for future in as_completed(waiting):
            yield waiting[future], future.result()
    except BrokenExecutor:
        raise UserError(
            "A process that did runs ended without a word, most likely for want of memory. Runs that ended are kept: "
            "start again with fewer --workers."
        ) from None
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def do(job: Job) -> float:
    """Do one run, keep it, and return how many seconds it took.

    Raises:
        UserError: It failed; says which run and why.
    """
    start = time.monotonic()
    try:
        save(asyncio.run(play(job)), job.file)
    except TunebreederError as error:
        raise UserError(f"{job.condition.name}, seed {job.seed}: {error}") from None
    return time.monotonic() - start


async def play(job: Job, opening: Opening = opened) -> Run:
    """Do one run.

    Args:
        job: Which.
        opening: Opens what makes the clips.
    """
    condition, seed, seconds = job.condition, job.seed, job.experiment.seconds
    bank = shipped_bank()
    listeners = made(condition.listeners, bank, seed)
    generation = job.settings.generation.model_copy(update={"generator": job.experiment.generator})
    settings = job.settings.model_copy(update={"generation": generation})
    async with (
        opening(settings, job.experiment.generator) as device,
        speech(job.experiment, condition, seed, settings) as model,
    ):
        if condition.fitness == "dynamic":
            rows, heard = await learned.play(
                condition, seed, seconds, device, listeners, settings, model
            )
        else:
            if condition.fitness == "music":
                judge = await direct.by_target(condition.target, seconds, device, bank)
            else:
                judge = direct.by_listeners(listeners)
            rows, heard = await direct.play(condition, seed, seconds, device, judge, model)
        note = model.note if model is not None else ""
    return Run(
        fingerprint=job.fingerprint,
        rows=rows,
        heard=standard(heard, bank).round(3).tolist(),
        listeners=[_account(one) for one in listeners] if condition.fitness != "music" else [],
        notes=[note] if note else [],
    )


def _account(listener: Listener) -> dict[str, Any]:
    mind = listener.mind
    return {
        "kind": listener.kind,
        "name": listener.name,
        "words": listener.mind.words,
        "centre": mind.first.centre.round(3).tolist() if isinstance(mind, HiddenMind) else None,
    }


def _line(run: Run) -> str:
    first = [row.liked for row in run.rows if row.generation == 1]
    last = [row.liked for row in run.rows if row.generation == run.rows[-1].generation]
    return f"true liking {np.mean(first):.2f} -> {np.mean(last):.2f}"


def processes(experiment: Experiment, asked: int | None) -> int:
    """Return how many runs go on at a time.

    Args:
        experiment: A model plays for one run at a time, since each run would load it once more.
        asked: How many there should be; all that are worth while when ``None``.
    """
    if experiment.generator != BUILT_IN:
        return 1
    cores = max(1, os.cpu_count() or 1)
    return min(asked or cores, cores)
