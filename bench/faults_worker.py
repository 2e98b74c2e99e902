"""A generator in a process of its own with one kind of trouble: ``python -m bench.faults_worker JSON``.

It plays a sine for each request, and writes down each start and each clip that it hands over. Standard library only, so
that it starts at once.
"""

from __future__ import annotations

import array
import dataclasses
import json
import math
import os
import sys
import time
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO

from generation.parcels import Order, Refusal, Sound, States
from generation.serving import Failed, NoRoom, Step, private_pipes, serve

RATE = 32_000
STEPS = 5
FOREVER = 3600.0
INFO = {"name": "troubled", "version": "1", "licence": "MIT"}
ABLE = {"shortest": 1.0, "longest": 60.0, "sample_rate": RATE, "commercial": True}


class Trouble(StrEnum):
    """What happens, once."""

    NONE = "none"
    NO_ROOM = "no room"
    HANG = "hang"
    CRASH = "crash"
    GARBAGE = "garbage"
    CUT = "cut"
    SLOW_START = "slow start"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """How the process behaves.

    Attributes:
        folder: Where it writes down what it did; trouble of an earlier process is known from there.
        trouble: What happens.
        at: In the middle of which batch, counted from 1.
        batch: Clips at once.
        room: Clips that fit into memory where there is no room.
        step: Seconds of a step.
        start: Seconds of a slow start.
    """

    folder: str
    trouble: Trouble = Trouble.NONE
    at: int = 1
    batch: int = 8
    room: int = 3
    step: float = 0.05
    start: float = 2.0

    def command(self) -> list[str]:
        """Return what starts the process."""
        said = json.dumps(dataclasses.asdict(self))
        return [sys.executable, "-m", "bench.faults_worker", said]

    @property
    def log(self) -> Path:
        """Where it writes."""
        return Path(self.folder) / "log"


class Troubled:
    """A ``generation.serving.Maker``."""

    def __init__(self, script: Script, out: BinaryIO) -> None:
        self._script, self._out, self._batch = script, out, 0
        note(script, "start")
        if script.trouble is Trouble.SLOW_START:
            time.sleep(script.start)  # noqa: TID251 - a process without a loop

    def hello(self) -> dict[str, object]:
        """Return what it says of itself."""
        return {"info": INFO, "capabilities": {**ABLE, "batch": self._script.batch}}

    def read(self, prompts: Sequence[str], step: Step) -> list[States]:
        """Raise ``Failed``: nobody asks for it."""
        raise Failed(f"It reads nothing, not even {len(prompts)} prompts.")

    def make(self, orders: Sequence[Order], step: Step) -> list[Sound | Refusal]:
        """Make one clip for each order, unless there is trouble."""
        self._batch += 1
        for done in range(1, STEPS + 1):
            time.sleep(self._script.step)  # noqa: TID251 - a process without a loop
            step(done, STEPS)
            if done == STEPS // 2:
                self._trouble(len(orders))
        for order in orders:
            note(self._script, f"made {order.said['prompt']} {order.said['seed']}")
        return [_sine(order) for order in orders]

    def _trouble(self, clips: int) -> None:
        script = self._script
        if script.trouble is Trouble.NO_ROOM and clips > script.room:
            raise NoRoom
        if self._batch != script.at or not _first(script):
            return
        match script.trouble:
            case Trouble.HANG:
                time.sleep(FOREVER)  # noqa: TID251 - a process without a loop
            case Trouble.CRASH:
                os._exit(3)
            case Trouble.GARBAGE:
                self._say(b"this is no frame at all, it is a line of a log\n")
            case Trouble.CUT:
                self._say(b"\x00\x00\x00\x40\x00\x00\x00\x00{")
                os._exit(0)
            case _:
                pass

    def _say(self, words: bytes) -> None:
        self._out.write(words)
        self._out.flush()


def _first(script: Script) -> bool:
    """Whether no process before this one was in trouble."""
    lines = script.log.read_text(encoding="utf-8").splitlines()
    return lines.count("start") == 1


def note(script: Script, line: str) -> None:
    """Write down what happened."""
    with script.log.open("a", encoding="utf-8") as log:
        log.write(f"{line}\n")


def _sine(order: Order) -> Sound:
    """Return a tone whose pitch says which order it is of."""
    period = 80 + order.said["seed"] % 97
    wave = array.array("f", (0.3 * math.sin(2 * math.pi * n / period) for n in range(period)))
    frames = round(order.said["seconds"] * RATE)
    samples = (wave.tobytes() * (frames // period + 1))[: 4 * frames]
    return Sound(samples=samples, rate=RATE, description={"period": period})


def main(said: str) -> None:
    """Serve as the script says."""
    fields = json.loads(said)
    script = Script(**{**fields, "trouble": Trouble(fields["trouble"])})
    heard, mouth = private_pipes()
    serve(heard, mouth, lambda: Troubled(script, mouth))


if __name__ == "__main__":
    main(sys.argv[1])
