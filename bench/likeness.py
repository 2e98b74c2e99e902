"""(f) Breeding towards a track: how near do the rounds of ``/like-this`` come, before anybody has voted?

Nearness is told by an ear of its own (``playground.hearing``), which shares no code with the features that the search
goes by: how far a clip's heard properties are from the track's, in standard deviations of all music. Beside it, for the
same tracks: runs that get the track's description in words and nothing else, and random prompts.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass

import numpy as np

from bench.evomusic import Population
from bench.headless import HOST, Loop, hear_all, heard_of, open_loop
from bench.report import Bar, Report, interval
from domain.clip import ClipFailure, ClipRequest, RenderedClip
from domain.errors import GenerationError
from domain.run import RunSettings
from playground.hearing import PROPERTIES, Heard
from playground.tastes import Bank, shipped_bank
from prompts.vocabulary import shipped
from service.device import ProcessWorker, RenderSpec
from service.like_this import Track, Upload

ROUNDS, CANDIDATES, POSTED, SECONDS = 4, 8, 4, 6.0
TRACK_SECONDS = 20.0
TRACKS = (
    *("techno", "jazz", "folk", "ambient"),
    *("metal", "bossa", "synthwave", "baroque"),
)
QUICK_TRACKS = 4
DEADLINE = 600.0
"""Seconds for a clip: a busy machine must not change the figures."""
SEED = 9000
"""Of the tracks: no run draws from there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """A track, as a file and as the ear hears it."""

    name: str
    audio: bytes
    heard: Heard


def distance(heard: Heard, goal: Heard, bank: Bank) -> float:
    """Return how far a clip is from a track, in standard deviations (root mean square over the properties)."""
    rows = np.array([[getattr(one, name) for name in PROPERTIES] for one in (heard, goal)])
    off = np.diff(bank.standard(rows), axis=0)
    return float(np.sqrt(np.mean(off**2)))


async def towards(loop: Loop, goal: Goal, bank: Bank, *, by_words: bool) -> list[float]:
    """Return the mean distance of the posted clips, round by round, of a run that nobody votes in."""
    track = await _heard(loop, goal)
    settings = RunSettings(seconds=SECONDS, candidates=CANDIDATES, quorum=1, timer=0.0)
    runs = loop.services.runs
    await runs.start(HOST, vibe=track.vibe, settings=settings, track=None if by_words else track)
    out = []
    for number in range(ROUNDS):
        if number:
            ticket = await runs.next(HOST)
            done = await ticket.done()
            if done.error:
                raise RuntimeError(done.error)
        view = await loop.inbox.rounds.get()
        heard = await hear_all([clip.data for clip in view.clips])
        out.append(float(np.mean([distance(one, goal.heard, bank) for one in heard])))
    return out


async def _heard(loop: Loop, goal: Goal) -> Track:
    async def fetch() -> bytes:
        return goal.audio

    upload = Upload(filename=f"{goal.name}.mp3", size=len(goal.audio), fetch=fetch)
    return await loop.services.like_this.hear(HOST.user_id, upload)


async def at_random(device: ProcessWorker, goal: Goal, bank: Bank, seed: int) -> list[float]:
    """Return the mean distance of rounds of random prompts."""
    rng = np.random.default_rng(seed)
    out = []
    for _ in range(ROUNDS):
        population = Population(vocabulary=shipped(), size=POSTED, rng=rng)
        population.begin()
        asked = [
            ClipRequest(prompt=one.prompt, seed=int(rng.integers(2**31)), seconds=SECONDS)
            for one in population.members
        ]
        made = await device.render(asked, lambda _: None)
        clips = [clip.audio for clip in made if isinstance(clip, RenderedClip)]
        out.append(
            float(np.mean([distance(one, goal.heard, bank) for one in await hear_all(clips)]))
        )
    return out


async def _goal(device: ProcessWorker, name: str) -> Goal:
    (made,) = await device.render(
        [ClipRequest(prompt=name, seed=SEED, seconds=TRACK_SECONDS)], lambda _: None
    )
    if isinstance(made, ClipFailure):
        raise GenerationError(f"The track {name} could not be made: {made.reason}")
    return Goal(name=name, audio=made.audio, heard=heard_of(made.audio))


async def measure(*, quick: bool = False) -> Report:
    """Breed towards tracks of the composer, one of a family each."""
    names = TRACKS[:QUICK_TRACKS] if quick else TRACKS
    bank, device = shipped_bank(), ProcessWorker(RenderSpec(), deadline=DEADLINE)
    found: dict[str, list[list[float]]] = {"like this": [], "words alone": [], "random prompts": []}
    try:
        for seed, name in enumerate(names):
            goal = await _goal(device, name)
            async with open_loop(device) as loop:
                found["like this"].append(await towards(loop, goal, bank, by_words=False))
            async with open_loop(device) as loop:
                found["words alone"].append(await towards(loop, goal, bank, by_words=True))
            found["random prompts"].append(await at_random(device, goal, bank, seed))
            print(f"{seed + 1} of {len(names)} tracks", file=sys.stderr, flush=True)
    finally:
        await device.close()
    return _report(found, names)


def _report(found: dict[str, list[list[float]]], names: tuple[str, ...]) -> Report:
    report = Report(
        name="likeness: distance of posted clips to a track, in standard deviations (less is nearer)",
        header=["system", *(f"round {number}" for number in range(1, ROUNDS + 1)), "last two"],
    )
    tables = {name: np.array(rows) for name, rows in found.items()}
    for name, table in tables.items():
        means = [f"{value:.2f}" for value in table.mean(axis=0)]
        report.rows.append([name, *means, str(interval(table[:, -2:].mean(axis=1)))])
    report.figures = {"tracks": list(names), "distance": found}
    mine = tables["like this"][:, -2:].mean(axis=1)
    for other in ("random prompts", "words alone"):
        gain = interval(tables[other][:, -2:].mean(axis=1) - mine)
        report.bars.append(
            Bar(
                name=f"the last two rounds are nearer than {other}",
                value=str(gain),
                asked="95 % interval above 0",
                met=gain.low > 0,
            )
        )
    closer = interval(tables["like this"][:, 0] - mine)
    report.bars.append(
        Bar(
            name="the last two rounds are nearer than the first",
            value=str(closer),
            asked="95 % interval above 0",
            met=closer.low > 0,
        )
    )
    report.notes.append(
        f"{len(names)} tracks of {TRACK_SECONDS:.0f} s; {CANDIDATES} clips of {SECONDS:.0f} s a round; nobody votes."
    )
    return report
