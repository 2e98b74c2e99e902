"""The quality gate on a labelled set, beside EvoMusic's penalty on the same clips, and what scoring costs.

Clean clips of every composer family, from seeds on which nothing was tuned, and twelve kinds of defects in three
severities each, made from them. AUC is the chance that a broken clip scores below a clean one.
"""

from __future__ import annotations

import dataclasses
import time
import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bench.evomusic import noise_penalty
from bench.report import Bar, Report
from bench.scoring_clips import HELD_OUT, Clean, composed
from bench.scoring_defects import DEFECTS
from scoring.quality import BROKEN, assess
from scoring.space import default_space
from scoring.taste import default_prior, draw, fit_prior, newcomer, predict

Doubles = NDArray[np.float64]
SEEDS, QUICK_SEEDS = 2, 1
QUICK_FAMILIES = 4
"""Every so many clips are taken in a quick run."""
STORED, LISTENERS = 100_000, 1000
AUC_ASKED, RESCORE_ASKED, REFIT_ASKED = 0.98, 50.0, 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """Scores in [0, 1] of the same clips, by the gate and by EvoMusic's penalty (one less it)."""

    ours: Doubles
    theirs: Doubles


async def measure(*, quick: bool = False) -> Report:
    """Measure all of it."""
    clips = list(composed(range(HELD_OUT, HELD_OUT + (QUICK_SEEDS if quick else SEEDS))))
    return report_on(clips[::QUICK_FAMILIES] if quick else clips)


def report_on(clips: Sequence[Clean]) -> Report:
    """Return the report on these clean clips."""
    report = Report(
        name="scoring",
        header=["defect", "severity", "AUC", "EvoMusic's AUC", "median", "refused", "above clean"],
    )
    clean = _judge((clip.samples, clip.sample_rate) for clip in clips)
    ours, theirs, preferred = [], [], 0
    for kind, severities in DEFECTS.items():
        for name, damage in severities.items():
            rng = np.random.default_rng(zlib.crc32(f"{kind} {name}".encode()))
            broken = _judge(
                (np.asarray(damage(clip.samples, clip.sample_rate, rng)), clip.sample_rate)
                for clip in clips
            )
            above = int((broken.ours > clean.ours).sum())
            preferred += above
            ours.append(broken.ours)
            theirs.append(broken.theirs)
            report.rows.append(
                [
                    kind,
                    name,
                    f"{auc(broken.ours, clean.ours):.3f}",
                    f"{auc(broken.theirs, clean.theirs):.3f}",
                    f"{np.median(broken.ours):.2f}",
                    f"{(broken.ours < BROKEN).mean():.2f}",
                    str(above),
                ]
            )
    total = auc(np.concatenate(ours), clean.ours)
    baseline = auc(np.concatenate(theirs), clean.theirs)
    report.figures = {
        "auc": total,
        "evomusic_auc": baseline,
        "preferred": preferred,
        "clips": len(clips),
        "clean_scores": {
            f"{clip.name} {clip.seed}": round(float(score), 4)
            for clip, score in zip(clips, clean.ours, strict=True)
        },
    }
    report.notes.append(
        f"{len(clips)} clean clips of {len({clip.name for clip in clips})} families, the lowest "
        f"{clean.ours.min():.2f}; all defects: AUC {total:.3f}, EvoMusic's penalty {baseline:.3f}."
    )
    refused = int((clean.ours < BROKEN).sum())
    report.bars += [
        _bar("AUC of all defects", f"{total:.3f}", f">= {AUC_ASKED}", met=total >= AUC_ASKED),
        _bar("defects above their clean source", str(preferred), "0", met=preferred == 0),
        _bar("clean clips refused", str(refused), "0", met=refused == 0),
    ]
    _costs(report, clips)
    return report


def _bar(name: str, value: str, asked: str, *, met: bool) -> Bar:
    return Bar(name=name, value=value, asked=asked, met=bool(met))


def _judge(sounds: Iterable[tuple[NDArray[np.float32], int]]) -> Judged:
    ours, theirs = [], []
    for samples, rate in sounds:
        ours.append(assess(samples, rate).score)
        theirs.append(1.0 - noise_penalty(samples, rate))
    return Judged(ours=np.array(ours), theirs=np.array(theirs))


def auc(broken: Doubles, clean: Doubles) -> float:
    """Return the chance that one of ``broken`` scores below one of ``clean``; ties count half."""
    below = (broken[:, None] < clean[None, :]).mean()
    return float(below + 0.5 * (broken[:, None] == clean[None, :]).mean())


def _costs(report: Report, clips: Sequence[Clean]) -> None:
    """Measure the gate, rescoring stored clips for one listener, and the nightly refit of the prior."""
    gate = [
        _seconds(lambda clip=clip: assess(clip.samples, clip.sample_rate), 3)  # type: ignore[misc]
        * 8.0
        / (len(clip.samples) / clip.sample_rate)
        for clip in clips[:: max(1, len(clips) // 20)]
    ]
    space = default_space()
    prior, rng = default_prior(space), np.random.default_rng(3)
    phi = rng.standard_normal((STORED, len(prior.mean)))
    rescored = _seconds(lambda: predict([newcomer(prior)], phi), 5)
    voted = [
        dataclasses.replace(draw(newcomer(prior), rng), evidence=40, gain=0.05)
        for _ in range(LISTENERS)
    ]
    refit = _seconds(lambda: fit_prior(voted, space), 3)
    report.figures |= {
        "gate_ms_of_8_s": float(np.median(gate) * 1000),
        "rescore_ms": rescored * 1000,
        "refit_s": refit,
    }
    report.notes.append(f"The gate takes {np.median(gate) * 1000:.0f} CPU ms for a clip of 8 s.")
    report.bars += [
        _bar(
            f"{STORED:,} stored clips rescored for one listener, CPU ms",
            f"{rescored * 1000:.0f}",
            f"<= {RESCORE_ASKED:.0f}",
            met=rescored * 1000 <= RESCORE_ASKED,
        ),
        _bar(
            f"the prior of {LISTENERS:,} listeners, CPU s",
            f"{refit:.2f}",
            f"<= {REFIT_ASKED:.0f}",
            met=refit <= REFIT_ASKED,
        ),
    ]


def _seconds(work: Callable[[], object], repeats: int) -> float:
    """Return the fewest CPU seconds of a few runs: what else the machine does is no cost of ours."""
    found = []
    for _ in range(repeats):
        began = time.process_time()
        work()
        found.append(time.process_time() - began)
    return min(found)
