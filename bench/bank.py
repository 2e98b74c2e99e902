"""Measure what music from here sounds like: ``python -m bench.bank`` writes playground/bank.json again.

Needed when the composer's sound changes much. Eight clips of eight seconds of every family, as the breeder invents
them.
"""

from __future__ import annotations

import asyncio
import json

import numpy as np

from bench.headless import hear_all
from domain.clip import ClipRequest, RenderedClip
from domain.facets import FAMILIES
from evolution.facets_ops import Breeder
from playground.hearing import PROPERTIES
from playground.tastes import BANK
from prompts.vocabulary import shipped
from prompts.writer import write
from service.device import ProcessWorker, RenderSpec

EACH = 8
SECONDS = 8.0


async def main() -> None:
    """Render, hear and write."""
    rng = np.random.default_rng(1)
    breeder = Breeder(shipped())
    requests = [
        ClipRequest(
            prompt=write(breeder.invent(family, rng), rng),
            seed=int(rng.integers(2**31)),
            seconds=SECONDS,
        )
        for family in FAMILIES
        for _ in range(EACH)
    ]
    device = ProcessWorker(RenderSpec())
    try:
        made = await device.render(
            requests, lambda done: print(f"\r{done} of {len(requests)}", end="", flush=True)
        )
    finally:
        await device.close()
    clips = [clip for clip in made if isinstance(clip, RenderedClip)]
    heard = await hear_all([clip.audio for clip in clips])
    rows = [
        {
            "family": str(clip.description["family"]),
            "heard": [round(float(one), 3) for one in sound.vector()],
        }
        for clip, sound in zip(clips, heard, strict=True)
    ]
    lines = ",\n  ".join(json.dumps(row) for row in rows)
    BANK.write_text(
        f'{{"properties": {json.dumps(PROPERTIES)}, "clips": [\n  {lines}\n]}}\n', encoding="utf-8"
    )
    print(f"\n{BANK}: {len(rows)} clips")


if __name__ == "__main__":
    asyncio.run(main())
