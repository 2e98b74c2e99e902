"""(e) Searchers: what breeding with a language model costs, whether anything can break it, and what it is worth.

Beside this project's searchers: EvoMusic's "LLM evolve" from its description, and random prompts. The language model is
a scripted one with all the faults of small models, behind a real HTTP server (``bench.imperfect_server``).
``python -m bench.searchers [efficiency|outage|quality] [--quick]`` runs a part alone.
"""

from __future__ import annotations

import platform
import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from bench.report import Bar, Report, interval
from bench.searchers_efficiency import CALL_SECONDS, POPULATION, Cost, Robustness, costs, robustness
from bench.searchers_live import outage_live
from bench.searchers_quality import (
    EVOMUSIC,
    OURS,
    RANDOM,
    SECONDS,
    SYSTEMS,
    Course,
    Size,
    courses,
    listeners,
)
from generation.registry import composer, create_generator
from playground.tastes import shipped_bank
from service.device import ProcessWorker, RenderSpec

PARTS = ("efficiency", "outage", "quality")
SEEDS, QUICK_SEEDS = 10, 2
FULL = Size(listeners=20, generations=5, candidates=10)
QUICK = Size(listeners=2, generations=1, candidates=6)
MOST_REQUESTS, LEAST_SPEED = 12, 5.0
POSTED = 4
"""Clips of a round."""
FEWEST = 5
"""Listeners from which on intervals say something."""


async def measure(
    *, quick: bool = False, seeds: int | None = None, parts: Sequence[str] = PARTS
) -> Report:
    """Measure.

    Args:
        quick: Fewer seeds, listeners and generations, under two minutes.
        seeds: Listeners of the quality part.
        parts: Which of ``PARTS``.
    """
    report = Report(
        name="searchers: breeding with a language model",
        header=["measure", *SYSTEMS],
    )
    report.figures["versions"] = {
        "composer": create_generator(composer()).info.version,
        "numpy": np.__version__,
        "processor": platform.processor() or platform.machine(),
    }
    if "efficiency" in parts:
        chosen = range(QUICK_SEEDS if quick else SEEDS)
        _efficiency(report, await costs(chosen, quick=quick))
        _robustness(report, await robustness(list(chosen)[:3], 2 if quick else 8))
    device = ProcessWorker(RenderSpec(extension="wav"))
    try:
        if "outage" in parts:
            _outage(report, await outage_live(device))
        if "quality" in parts:
            size = QUICK if quick else FULL
            if seeds is not None:
                size = replace(size, listeners=seeds)
            _quality(report, await courses(device, shipped_bank(), size), size)
    finally:
        await device.close()
    return report


def _row(report: Report, what: str, cells: dict[str, str]) -> None:
    report.rows.append([what, *(cells.get(name, "") for name in SYSTEMS)])


def _efficiency(report: Report, found: dict[str, Cost]) -> None:
    mine, theirs = found["evolve"], found["EvoMusic"]
    both = (("evolve", mine), (EVOMUSIC, theirs))
    _row(
        report,
        f"requests for a generation of {POPULATION}",
        {name: f"{np.mean(one.requests):.1f} (worst {max(one.requests)})" for name, one in both},
    )
    _row(
        report,
        f"seconds at {CALL_SECONDS:.0f} s an answer",
        {name: f"{np.mean(one.seconds):.0f} (worst {max(one.seconds):.0f})" for name, one in both},
    )
    _row(
        report,
        "share written by the model",
        {name: f"{np.mean(one.by_model):.2f}" for name, one in both},
    )
    _row(
        report,
        "different prompts, least",
        {name: str(min(one.different)) for name, one in both},
    )
    speed = float(np.mean(theirs.seconds) / np.mean(mine.seconds))
    report.bars += [
        Bar(
            name=f"requests for a generation of {POPULATION}, worst seed",
            value=f"{max(mine.requests)} against {np.mean(theirs.requests):.0f}",
            asked=f"<= {MOST_REQUESTS}",
            met=max(mine.requests) <= MOST_REQUESTS,
        ),
        Bar(
            name="wall time against EvoMusic at the same latency of a call",
            value=f"1/{speed:.1f}",
            asked=f"<= 1/{LEAST_SPEED:.0f}",
            met=speed >= LEAST_SPEED,
        ),
    ]
    report.figures["efficiency"] = {
        name: {
            "requests": one.requests,
            "seconds": one.seconds,
            "by_model": one.by_model,
            "different": one.different,
            "thrown_away": one.thrown_away,
        }
        for name, one in both
    }


def _robustness(report: Report, found: Robustness) -> None:
    gone = found.outage
    report.notes.append(
        f"Robustness: {found.asks} asks of evolve, full and auto on the imperfect server, the longest "
        f"{found.longest:.0f} s."
    )
    report.notes.append(
        f"Outage of a minute: the round came after {gone['delay_s']:.0f} s, {gone['stood_in']} of {gone['count']} "
        f"prompts by the built-in breeder; the next two rounds had {gone['model_after']} and "
        f'{gone["model_second_after"]} of the model. What it said: "{gone["notice"]}"'
    )
    report.bars += [
        Bar(
            name="stalls, wrong counts, repeated prompts",
            value=str(len(found.stalls) + len(found.wrong)),
            asked="0",
            met=not found.stalls and not found.wrong,
        ),
        Bar(
            name="a server that is down for a minute: round whole, stand-in announced, archive whole, model back",
            value=", ".join(
                f"{key} {gone[key]}"
                for key in ("whole", "announced", "archive", "archive_after", "model_second_after")
            ),
            asked="all",
            met=bool(
                gone["whole"]
                and gone["announced"]
                and gone["archive"] == gone["archive_after"]
                and gone["model_second_after"]
            ),
        ),
    ]
    report.figures["robustness"] = {
        "asks": found.asks,
        "stalls": found.stalls,
        "wrong": found.wrong,
        "longest_s": found.longest,
        "outage": gone,
    }


def _outage(report: Report, found: dict[str, Any]) -> None:
    seconds, said = found["seconds"], found["said"]
    report.notes.append(
        f"Through the real services: a round took {seconds['with']:.1f} s with the model, {seconds['without']:.1f} s "
        f"while the server was down and {seconds['later']:.1f} s after; {found['votes_kept']} of {found['votes']} "
        f"votes kept. Of {len(said)} rounds {sum(map(bool, said))} said that the built-in breeder stood in."
    )
    report.bars.append(
        Bar(
            name="the same through the real services: rounds whole, stand-in announced and gone later, no vote lost",
            value=f"clips {found['clips']}, said {[len(one) for one in said]}, votes {found['votes_kept']}",
            asked=f"{POSTED} each, said in the third and not in the last, {found['votes']} votes",
            met=bool(
                set(found["clips"]) == {POSTED}
                and said[2]
                and not said[1]
                and not said[-1]
                and found["votes_kept"] == found["votes"]
            ),
        )
    )
    report.figures["outage_live"] = found


def _quality(report: Report, found: dict[str, list[Course]], size: Size) -> None:
    gains = {name: np.array([one.gain for one in found[name]]) for name in SYSTEMS}
    last = {
        name: np.array([float(np.mean(one.likes[-1])) for one in found[name]]) for name in SYSTEMS
    }
    start = np.array([float(np.mean(one.likes[0])) for one in found[RANDOM]])
    clips = size.generations * size.candidates
    _row(
        report,
        f"true taste gain of a rendered clip, {clips} clips",
        {name: str(interval(values)) for name, values in gains.items()},
    )
    _row(
        report,
        f"true like rate of generation {size.generations + 1} (first: {start.mean():.2f})",
        {name: str(interval(values)) for name, values in last.items()},
    )
    _row(
        report,
        "requests to the model, a run",
        {name: f"{np.mean([one.requests for one in found[name]]):.0f}" for name in SYSTEMS},
    )
    if size.listeners >= FEWEST:
        _quality_bars(report, gains)
    else:
        report.notes.append(f"{size.listeners} listeners are too few for an interval: no bars.")
    names = [one.name for one in listeners(shipped_bank(), size.listeners)]
    report.notes.append(
        f"Quality: {size.listeners} listeners ({', '.join(names)}), clips of {SECONDS:.0f} s, {size.candidates} a "
        f"generation, {size.generations} generations after a random one that all share."
    )
    report.figures["quality"] = {
        "listeners": names,
        "likes": {name: [one.likes for one in found[name]] for name in SYSTEMS},
        "requests": {name: [one.requests for one in found[name]] for name in SYSTEMS},
        "stood_in": {name: [one.stood_in for one in found[name]] for name in SYSTEMS},
    }


def _quality_bars(report: Report, gains: dict[str, np.ndarray]) -> None:
    for better, worse in (
        ("evolve", EVOMUSIC),
        ("auto", EVOMUSIC),
        ("evolve", RANDOM),
        ("auto", RANDOM),
    ):
        gap = interval(gains[better] - gains[worse])
        report.bars.append(
            Bar(
                name=f"{better} gains more a clip than {worse}, same listeners",
                value=f"{gap}",
                asked="95 % interval above 0",
                met=gap.low > 0,
            )
        )
    singles = [name for name in OURS if name != "auto"]
    best = max(singles, key=lambda name: float(gains[name].mean()))
    gap = interval(gains["auto"] - gains[best])
    report.bars.append(
        Bar(
            name=f"auto at least equals the best single searcher ({best})",
            value=f"{gap}",
            asked="95 % interval reaches 0 or lies above",
            met=gap.high >= 0,
        )
    )


def main() -> int:
    """Run the parts that the command line names."""
    import asyncio  # noqa: PLC0415

    names = [word for word in sys.argv[1:] if not word.startswith("-")] or list(PARTS)
    report = asyncio.run(measure(quick="--quick" in sys.argv, parts=names))
    print(report.text())
    return int(not report.passed)


if __name__ == "__main__":
    sys.exit(main())
