"""Part 7: what a clip costs, in CPU seconds of one core and in memory, measured in a process of its own."""

from __future__ import annotations

import asyncio
import json
import resource
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from bench.composer_part import Part, Studio, beeps, families, mean_text
from domain.facets import Facets
from generation.encode import encode

CLIP, LONG = 8.0, 180.0
LONG_FAMILIES = ("lofi", "techno", "rock", "jazz", "orchestral", "drone")
ASKED_CLIP, ASKED_LONG, ASKED_MEMORY = 0.7, 12.0, 400.0


async def run(studio: Studio, *, quick: bool, clips: int | None = None) -> Part:
    """Measure in a fresh process."""
    del studio
    seeds = clips or (1 if quick else 3)
    found = await _measured_apart(seeds, quick=quick)
    part = Part(figures=found)
    by_family = {name: float(np.median(values)) for name, values in found["clip"].items()}
    spent = list(by_family.values())
    median = float(np.median(spent))
    part.add(
        "CPU s for a finished clip of 8 s, median over families",
        f"{median:.3f}; mean {mean_text(spent)}, most {max(spent):.2f}",
        f"sine beeps {float(np.median(found['beeps'])):.3f}, of ours MP3 {float(np.median(found['mp3'])):.3f}",
        f"<= {ASKED_CLIP}",
        met=median <= ASKED_CLIP,
    )
    most = max(found["long"].values())
    part.add(
        f"CPU s for 3 minutes, most of {len(found['long'])} families",
        f"{most:.2f}; mean {float(np.mean(list(found['long'].values()))):.2f}",
        "",
        f"<= {ASKED_LONG:.0f}",
        met=most <= ASKED_LONG,
    )
    memory = max(found["memory_clips"], found["memory_long"])
    part.add(
        "memory of a fresh worker, MB",
        f"{found['memory_clips']:.0f} after clips, {found['memory_long']:.0f} after 3 minutes",
        f"{found['memory_start']:.0f} before the first clip",
        f"<= {ASKED_MEMORY:.0f}",
        met=memory <= ASKED_MEMORY,
    )
    slow = sorted(by_family.items(), key=lambda item: -item[1])[:6]
    part.notes.append("Dearest families: " + ", ".join(f"{n} {v:.2f}" for n, v in slow))
    return part


async def _measured_apart(seeds: int, *, quick: bool) -> dict[str, Any]:
    """Run this module as a program: only a fresh process shows what memory a worker takes."""
    words = ["-m", "bench.composer_cost", str(seeds), "quick" if quick else "full"]
    process = await asyncio.create_subprocess_exec(
        sys.executable, *words, stdout=asyncio.subprocess.PIPE
    )
    written, _ = await process.communicate()
    if process.returncode:
        raise RuntimeError("The process that measures the cost failed.")
    found: dict[str, Any] = json.loads(written)
    return found


def _megabytes() -> float:
    """Return the most memory that this process has had; what its parent had before the fork does not count."""
    status = Path("/proc/self/status")
    if status.exists():
        peak = next(row for row in status.read_text().splitlines() if row.startswith("VmHWM"))
        return int(peak.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _worker(seeds: int, *, quick: bool) -> dict[str, Any]:
    studio = Studio()
    start = _megabytes()
    studio.make(Facets(family="pop"), 1, 2.0)  # what is loaded once is no cost of a clip
    clip: dict[str, list[float]] = {name: [] for name in families()}
    mp3, plain = [], []
    for family in families():
        for seed in range(seeds):
            began = time.process_time()
            made = studio.make(Facets(family=family), 600 + seed, CLIP)
            composed = time.process_time()
            encode(made.audio)
            clip[family].append(time.process_time() - began)
            mp3.append(time.process_time() - composed)
            if seed == 0 and made.notes is not None:
                began = time.process_time()
                beeps(made.notes)
                plain.append(time.process_time() - began)
    after_clips = _megabytes()
    long = {}
    for family in LONG_FAMILIES[: 1 if quick else None]:
        began = time.process_time()
        encode(studio.make(Facets(family=family), 9, LONG).audio)
        long[family] = time.process_time() - began
    return {
        "clip": clip,
        "mp3": mp3,
        "beeps": plain,
        "long": long,
        "memory_start": start,
        "memory_clips": after_clips,
        "memory_long": _megabytes(),
    }


if __name__ == "__main__":
    print(json.dumps(_worker(int(sys.argv[1]), quick=sys.argv[2] == "quick")))
