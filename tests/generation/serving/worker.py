"""The bot's end of the pipe, for tests: a scripted worker in a process of its own."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from pathlib import Path

from generation import frames, parcels
from generation.frames import Frame
from generation.parcels import Order

SCRIPT = Path(__file__).with_name("scripted_worker.py")


class Worker:
    """A process and what is said to it."""

    def __init__(self, process):
        self.process = process

    def say(self, kind, **header):
        frames.write(self.process.stdin, Frame(kind, header))

    def ask(self, batch, *orders):
        frames.write(self.process.stdin, parcels.ordered(batch, orders))

    def hear(self):
        return frames.read(self.process.stdout)

    def answer(self):
        """Wait for what is no step."""
        while (frame := self.hear()) is not None and frame.kind == "step":
            pass
        return frame


@contextlib.contextmanager
def working(*arguments):
    command = [sys.executable, str(SCRIPT), *map(str, arguments)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        try:
            yield Worker(process)
        finally:
            process.kill()


def order(prompt="a tune", seed=1, seconds=1.0, source=b"", embedding=b""):
    said = {"prompt": prompt, "seed": seed, "seconds": seconds}
    return Order(said=said, source=source, embedding=embedding)
