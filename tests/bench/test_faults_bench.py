"""The bench of a generator in trouble: its process, its votes and its bars."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace

import pytest

from bench.faults import CASES, Outcome, play, report_of
from bench.faults_votes import Voters
from bench.headless import HOST, open_loop
from domain.run import RunSettings
from tests.fakes import FakeDevice


@pytest.fixture
async def voters():
    async with open_loop(FakeDevice()) as loop:
        await loop.services.runs.start(HOST, settings=RunSettings(timer=0.0, quorum=99))
        yield Voters(loop, await loop.inbox.rounds.get())


@pytest.mark.parametrize("name", ["crash in a batch", "garbage in a batch", "no trouble"])
async def test_every_clip_comes_once_and_votes_are_timed(voters, name):
    case = next(one for one in CASES if one.name == name)
    raw = replace(case, finished=False, clips=9)
    found = await play(raw, voters, FakeDevice(), 0, least=5)
    assert (found.lost, found.twice, found.restarts) == (0, 0, case.restarts)
    assert len(found.times) >= 5
    assert min(found.times) > 0


async def test_a_loop_that_stands_still_is_not_forgiven(voters):
    done = asyncio.Event()
    votes = asyncio.ensure_future(voters.press(30, done))
    await asyncio.sleep(0.05)
    done.set()
    asyncio.get_running_loop().call_soon(_hold_up)
    times = await votes
    assert sum(one > 100 for one in times) >= 3, "those that were due meanwhile are late, too"


def _hold_up() -> None:
    time.sleep(0.25)  # noqa: TID251 - what is measured


def outcomes(**changes):
    fine = {"times": [1.0, 2.0], "own": 1.0, "lost": 0, "twice": 0, "wall": 1.0}
    found = {
        case.name: [
            Outcome(**fine, restarts=case.restarts),
            Outcome(**fine, restarts=case.restarts),
        ]
        for case in CASES
    }
    name = "crash in a batch"
    found[name] = [replace(found[name][0], **changes), found[name][1]]
    return found


@pytest.mark.parametrize(
    ("changes", "missed"),
    [
        ({}, None),
        ({"times": [1.0, 90.0]}, "vote to committed row"),
        ({"own": 30.0}, "own work"),
        ({"lost": 1}, "clips lost"),
        ({"twice": 1}, "clips made twice"),
        ({"restarts": 0}, "restarts"),
    ],
)
def test_each_bar_sees_its_trouble(changes, missed):
    report = report_of(outcomes(**changes), 2)
    assert len(report.rows) == len(CASES)
    names = [bar.name for bar in report.bars if not bar.met]
    assert len(names) == (missed is not None)
    assert all(name.startswith(missed) for name in names)
