"""A generator in a process of its own that behaves as its arguments say: a sine for each request, or trouble.

A plain script of the standard library, for tests of what speaks to such a process:
``python scripted_worker.py --room 2 --crash-at 3``. Batches are counted from 1. See ``--help``.
"""

from __future__ import annotations

import argparse
import array
import math
import os
import sys
import time
import types
from collections.abc import Sequence
from pathlib import Path

# As in an environment of its own: of Tunebreeder only the modules of generation/, and nothing of it on the path.
package = types.ModuleType("generation")
package.__path__ = [str(Path(__file__).resolve().parents[3] / "generation")]
sys.modules.setdefault("generation", package)

from generation import frames  # noqa: E402
from generation.parcels import Order, Refusal, Sound, States  # noqa: E402
from generation.serving import Failed, NoRoom, Step, private_pipes, serve  # noqa: E402

RATE = 8000


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    whole: dict[str, str] = {
        "room": "clips that fit into memory; more are no room (default: any number)",
        "batch": "clips that it says to make at once (default: 8)",
        "most": "bytes of a body that go through the pipe (default: as ever)",
        "protocol": "say hello in this version of the protocol",
        "steps": "steps of a batch (default: 3)",
        "hang-at": "batch that never ends and hears no cancel",
        "crash-at": "batch in whose middle the process ends with status 3",
        "garbage-at": "batch that is answered with bytes that are no frame",
        "cut-at": "batch whose answer ends in the middle of a frame, with the process",
        "fail-at": "batch that fails with a sentence",
        "raise-at": "batch that fails with an exception nobody foresaw",
    }
    for name, text in whole.items():
        parser.add_argument(f"--{name}", type=int, metavar="N", help=text)
    parser.add_argument("--start-seconds", type=float, default=0.0, help="slow start")
    parser.add_argument("--step-seconds", type=float, default=0.0, help="slow steps")
    parser.add_argument("--grace", type=float, default=5.0, help="seconds to notice an end")
    parser.add_argument("--sorry", default="", metavar="REASON", help="cannot work here")
    parser.add_argument(
        "--crash-on", default="", metavar="WORD", help="in prompts that end the process"
    )
    parser.add_argument("--refuse", default="", metavar="WORD", help="in prompts that are refused")
    parser.add_argument("--noise", action="store_true", help="print to stdout, as libraries do")
    parser.add_argument("--finished", action="store_true", help="say that clips are mastered")
    parser.add_argument(
        "--once",
        metavar="FILE",
        help="no trouble (crash, hang, garbage, cut, fail, raise, sorry) once FILE is there; trouble makes it",
    )
    parser.add_argument(
        "--gate",
        metavar="FILE",
        help="each batch waits until FILE and its number, as in FILE.1, is there",
    )
    parser.add_argument("--log", metavar="FILE", help="append a line for each start and each batch")
    return parser.parse_args()


class Scripted:
    """A ``generation.serving.Maker``."""

    def __init__(self, args: argparse.Namespace, out: object) -> None:
        self._args, self._out, self._batch = args, out, 0

    def hello(self) -> dict[str, object]:
        said: dict[str, object] = {
            "info": {"name": "scripted", "version": "1", "licence": "MIT"},
            "capabilities": {
                "shortest": 1.0,
                "longest": 60.0,
                "sample_rate": RATE,
                "commercial": True,
                "batch": self._args.batch or 8,
                "embedding": 4,
            },
        }
        if self._args.protocol is not None:
            said["protocol"] = self._args.protocol
        return said

    def read(self, prompts: Sequence[str], step: Step) -> list[States]:
        """As many tokens as words; each is its length, four times."""
        note(self._args, f"read {len(prompts)}")
        step(1, 2)
        return [
            States(
                array.array(
                    "f", [float(len(word)) for word in one.split() for _ in range(4)]
                ).tobytes(),
                4,
            )
            for one in prompts
        ]

    def make(self, orders: Sequence[Order], step: Step) -> list[Sound | Refusal]:
        self._batch += 1
        note(self._args, f"batch {len(orders)}")
        if self._args.noise:
            print("a library says something")  # noqa: T201 - what is tested
        while self._args.gate and not Path(f"{self._args.gate}.{self._batch}").exists():
            time.sleep(0.01)  # noqa: TID251 - a script without a loop
            step(0, 1)
        steps = self._args.steps or 3
        for done in range(1, steps + 1):
            time.sleep(self._args.step_seconds)  # noqa: TID251 - a script without a loop
            step(done, steps)
            if self._args.crash_on and any(
                self._args.crash_on in one.said["prompt"] for one in orders
            ):
                os._exit(3)
            if done == (steps + 1) // 2:
                self._trouble(len(orders))
        return [self._made(order) for order in orders]

    def _trouble(self, rows: int) -> None:
        args = self._args
        if args.room is not None and rows > args.room:
            raise NoRoom
        if self._due("crash_at"):
            os._exit(3)
        if self._due("hang_at"):
            time.sleep(3600)  # noqa: TID251 - a script without a loop
        if self._due("garbage_at"):
            self._write(b"this is no frame at all, it is a line of a log\n")
        if self._due("cut_at"):
            self._write(b"\x00\x00\x00\x40\x00\x00\x00\x00{")
            os._exit(0)
        if self._due("fail_at"):
            raise Failed("Nothing works today.")
        if self._due("raise_at"):
            raise ZeroDivisionError("by nothing")

    def _write(self, text: bytes) -> None:
        self._out.write(text)
        self._out.flush()

    def _due(self, name: str) -> bool:
        return getattr(self._args, name) == self._batch and trouble(self._args)

    def _made(self, order: Order) -> Sound | Refusal:
        if self._args.refuse and self._args.refuse in order.said["prompt"]:
            return Refusal(f"{self._args.refuse} cannot be played.")
        turn = 2 * math.pi * (220 + order.said["seed"] % 440) / RATE
        frames = round(order.said["seconds"] * RATE)
        samples = array.array("f", (0.3 * math.sin(turn * frame) for frame in range(frames)))
        if sys.byteorder == "big":
            samples.byteswap()
        return Sound(
            samples=samples.tobytes(),
            rate=RATE,
            description={
                "batch": self._batch,
                "source": len(order.source),
                "embedding": len(order.embedding),
            },
            finished=self._args.finished,
            loudness=-14.0,
        )


def trouble(args: argparse.Namespace) -> bool:
    """Whether there is to be trouble (again)."""
    if args.once is None:
        return True
    before = Path(args.once).exists()
    Path(args.once).touch()
    return not before


def note(args: argparse.Namespace, line: str) -> None:
    if args.log is not None:
        with Path(args.log).open("a", encoding="utf-8") as log:
            log.write(f"{line}\n")


def main() -> None:
    args = arguments()
    if args.most is not None:
        frames.MOST_BODY = args.most
    heard, said = private_pipes()

    def start() -> Scripted:
        note(args, "start")
        time.sleep(args.start_seconds)  # noqa: TID251 - a script without a loop
        if args.sorry and trouble(args):
            raise Failed(args.sorry)
        return Scripted(args, said)

    serve(heard, said, start, grace=args.grace)


if __name__ == "__main__":
    main()
