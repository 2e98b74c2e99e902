"""Votes and clips while a generator's process is in trouble: how long a vote takes, and whether every clip comes once.

The process is scripted (``bench.faults_worker``); everything else is real: the dispatcher that watches over it, the
processes that finish clips, and a database that commits votes at a steady pace on the same event loop.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from bench.faults_votes import VOTES_PER_SECOND, Voters, longest_turn
from bench.faults_worker import Script, Trouble
from bench.headless import HOST, open_loop
from bench.report import Bar, Interval, Report, interval
from domain.clip import ClipFailure, ClipRequest
from domain.run import RunSettings
from generation.registry import Recipe
from service.device import ProcessWorker, RenderSpec
from service.heavy.dispatch import Dispatcher
from service.heavy.process import GeneratorProcess, Patience
from service.heavy.worker import HeavyWorker
from service.pauses import spare_what_is_here

SEEDS, QUICK_SEEDS = 5, 1
VOTES, QUICK_VOTES = 300, 100
"""Votes in each kind of trouble, at least."""
ASKED = 20.0
"""Milliseconds that a vote may take at p99."""
MODEL = Recipe(loader="troubled", name="troubled")
PATIENCE = Patience(start=60.0, silence=60.0, drain=5.0)
HASTY = replace(PATIENCE, silence=2.0)
"""For a process that hangs; with the default of the settings one would wait for a minute."""
WANTED = "wanted"
"""Prompt of the clips that somebody waits for to the end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One kind of trouble, and what is asked for meanwhile.

    Attributes:
        name: In the table.
        script: How the process behaves; its folder and batch of trouble are set for each seed.
        clips: That somebody waits for; 0 leaves the process out.
        seconds: Of a clip.
        finished: Whether they are mastered, gated, measured and encoded, too.
        given_up: Calls beside them that somebody gives up.
        restarts: Of the process, as they should be.
    """

    name: str
    script: Script = field(default_factory=lambda: Script(folder=""))
    clips: int = 20
    seconds: float = 2.0
    finished: bool = True
    given_up: int = 0
    restarts: int = 0


def _script(trouble: Trouble = Trouble.NONE, *, batch: int = 8, step: float = 0.05) -> Script:
    return Script(folder="", trouble=trouble, batch=batch, step=step)


IDLE, CALM = "no clips at all", "no trouble"
CASES = (
    Case(name=IDLE, clips=0),
    Case(name=CALM),
    Case(name="batches that do not fit into memory", script=_script(Trouble.NO_ROOM)),
    Case(name="hang in a batch", script=_script(Trouble.HANG), restarts=1),
    Case(name="crash in a batch", script=_script(Trouble.CRASH), restarts=1),
    Case(name="garbage in a batch", script=_script(Trouble.GARBAGE), restarts=1),
    Case(name="end in the middle of a frame", script=_script(Trouble.CUT), restarts=1),
    Case(name="slow start", script=_script(Trouble.SLOW_START)),
    Case(name="calls given up", script=_script(step=0.1), given_up=6),
    Case(name="8 clips of 30 s, finished", script=_script(), clips=8, seconds=30.0),
    Case(
        name="3 frames of 32 clips of 30 s, raw",
        script=_script(batch=32),
        clips=96,
        seconds=30.0,
        finished=False,
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of one case with one seed.

    Attributes:
        times: Milliseconds from each press to its committed row.
        own: The most CPU milliseconds between two turns of the loop.
        lost: Clips that did not come.
        twice: Clips that the process handed over more than once.
        restarts: Of the process.
        wall: Seconds until the last clip.
    """

    times: Sequence[float]
    own: float
    lost: int
    twice: int
    restarts: int
    wall: float


async def measure(*, quick: bool = False, seeds: int | None = None) -> Report:
    """Go through all kinds of trouble with every seed."""
    count = seeds or (QUICK_SEEDS if quick else SEEDS)
    least = QUICK_VOTES if quick else VOTES
    hands = ProcessWorker(RenderSpec())
    found: dict[str, list[Outcome]] = {case.name: [] for case in CASES}
    try:
        await hands.warm_up()
        for seed in range(count):
            async with open_loop(hands) as loop:
                await loop.services.runs.start(
                    HOST, settings=RunSettings(seconds=4.0, candidates=4, timer=0.0, quorum=99)
                )
                voters = Voters(loop, await loop.inbox.rounds.get())
                spare_what_is_here()  # as the bot does
                for case in CASES:
                    found[case.name].append(await play(case, voters, hands, seed, least))
    finally:
        await hands.close()
    return report_of(found, count)


async def play(case: Case, voters: Voters, hands: ProcessWorker, seed: int, least: int) -> Outcome:
    """Let people vote while clips are made in one kind of trouble."""
    rng = np.random.default_rng([seed, *case.name.encode()])
    done, over = asyncio.Event(), asyncio.Event()
    with tempfile.TemporaryDirectory(prefix="tunebreeder-bench-") as folder:
        script = replace(case.script, folder=folder, at=int(rng.integers(1, 3)))
        script.log.touch()
        begun = time.perf_counter()

        async def work() -> tuple[int, float]:
            try:
                return await _clips(case, script, hands, rng), time.perf_counter() - begun
            finally:
                done.set()

        async with asyncio.TaskGroup() as group:
            clips = group.create_task(work())
            turns = group.create_task(longest_turn(over))
            times = await voters.press(least, done)
            over.set()
        lines = script.log.read_text(encoding="utf-8").splitlines()
    made = Counter(line for line in lines if line.startswith("made "))
    lost, wall = clips.result()
    return Outcome(
        times=times,
        own=turns.result(),
        lost=lost,
        twice=sum(times > 1 for times in made.values()),
        restarts=max(0, lines.count("start") - 1),
        wall=wall,
    )


async def _clips(case: Case, script: Script, hands: ProcessWorker, rng: np.random.Generator) -> int:
    """Have clips made and return how many did not come."""
    if not case.clips:
        return 0

    def launch(_: Recipe) -> GeneratorProcess:
        hangs = script.trouble is Trouble.HANG
        return GeneratorProcess(script.command(), HASTY if hangs else PATIENCE)

    dispatcher = Dispatcher(launch, drain=PATIENCE.drain)
    worker = HeavyWorker(dispatcher, MODEL, hands)
    wanted = _requests(WANTED, case.clips, case.seconds, rng)
    try:
        async with asyncio.TaskGroup() as group:
            for number in range(case.given_up):
                others = _requests(f"given up {number}", 8, case.seconds, rng)
                group.create_task(_give_up(worker, others, float(rng.uniform(0.1, 2.0))))
            if case.finished:
                return _failures(await worker.render(wanted, _nobody))
            # Frame by frame, since nobody holds hundreds of clips that are not finished.
            frames = [wanted[at : at + script.batch] for at in range(0, len(wanted), script.batch)]
            return sum([_failures(await dispatcher.make(MODEL, one, _nobody)) for one in frames])
    finally:
        await dispatcher.close()


def _failures(made: Sequence[object]) -> int:
    return sum(isinstance(one, ClipFailure) for one in made)


async def _give_up(worker: HeavyWorker, requests: Sequence[ClipRequest], seconds: float) -> None:
    """Ask for clips, and want them no more after a while."""
    asked = asyncio.ensure_future(worker.render(requests, _nobody))
    await asyncio.sleep(seconds)
    asked.cancel()
    await asyncio.wait({asked})


def _requests(
    prompt: str, count: int, seconds: float, rng: np.random.Generator
) -> list[ClipRequest]:
    first = int(rng.integers(0, 2**30))
    return [ClipRequest(prompt=prompt, seed=first + one, seconds=seconds) for one in range(count)]


def _nobody(_: int) -> None:
    """Nobody asks how far it is."""


HEADER = (
    "trouble",
    "vote p50, ms",
    "p99, ms",
    "worst, ms",
    "own, ms",
    "clips",
    "lost",
    "made twice",
    "restarts",
    "s",
)


def report_of(found: dict[str, list[Outcome]], seeds: int) -> Report:
    """Return the table of what came of every case, by its name, with every seed."""
    report = Report(name="faults", header=HEADER)
    for case in CASES:
        report.rows.append(_row(case, found[case.name]))
        report.figures[case.name] = _figures(found[case.name])
    report.notes.append(
        f"{VOTES_PER_SECOND} votes a second, timed from when each was due; p50 and p99 are means over {seeds} seeds, "
        "with 95 % intervals. Own: the most CPU time of this process between two turns of its loop."
    )
    report.bars += _bars(found)
    return report


def _quantile(outcomes: Sequence[Outcome], share: float) -> Interval:
    return interval([np.percentile(one.times, share) for one in outcomes])


def _row(case: Case, outcomes: Sequence[Outcome]) -> list[str]:
    high = _quantile(outcomes, 99)
    return [
        case.name,
        f"{_quantile(outcomes, 50).mean:.2f}",
        f"{high.mean:.2f} [{high.low:.2f}, {high.high:.2f}]",
        f"{max(max(one.times) for one in outcomes):.1f}",
        f"{max(one.own for one in outcomes):.1f}",
        str(case.clips * len(outcomes)),
        str(sum(one.lost for one in outcomes)),
        str(sum(one.twice for one in outcomes)),
        str(sum(one.restarts for one in outcomes)),
        f"{np.mean([one.wall for one in outcomes]):.1f}",
    ]


def _figures(outcomes: Sequence[Outcome]) -> dict[str, list[float]]:
    """Return what is not in the table: a number for each seed."""
    return {
        "p50_ms": [float(np.percentile(one.times, 50)) for one in outcomes],
        "p99_ms": [float(np.percentile(one.times, 99)) for one in outcomes],
        "worst_ms": [max(one.times) for one in outcomes],
        "own_ms": [one.own for one in outcomes],
        "votes": [len(one.times) for one in outcomes],
        "restarts": [one.restarts for one in outcomes],
    }


def _bars(found: dict[str, list[Outcome]]) -> list[Bar]:
    every = [one for outcomes in found.values() for one in outcomes]
    p99 = {name: _quantile(outcomes, 99).mean for name, outcomes in found.items()}
    worst = max(p99, key=lambda name: p99[name])
    wrong = [
        case.name
        for case in CASES
        if any(one.restarts != case.restarts for one in found[case.name])
    ]
    lost, twice = sum(one.lost for one in every), sum(one.twice for one in every)
    own = max(one.own for one in every)
    return [
        Bar(
            name=f"vote to committed row, p99, in the worst trouble ({worst})",
            value=f"{p99[worst]:.2f} ms",
            asked=f"<= {ASKED:g} ms",
            met=p99[worst] <= ASKED,
        ),
        Bar(
            name="own work between two turns of the loop, worst",
            value=f"{own:.1f} ms",
            asked=f"<= {ASKED:g} ms",
            met=own <= ASKED,
        ),
        Bar(name="clips lost", value=str(lost), asked="0", met=not lost),
        Bar(name="clips made twice", value=str(twice), asked="0", met=not twice),
        Bar(
            name="restarts of the process",
            value=f"other than asked: {', '.join(wrong)}" if wrong else "as asked",
            asked="one where it ends, hangs or talks nonsense, else none",
            met=not wrong,
        ),
    ]
