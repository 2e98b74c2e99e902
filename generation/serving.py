"""The worker's end of the pipe: hear which clips are wanted, have them made, say how it went.

A thread hears while clips are being made, so that ``cancel`` reaches a batch at its next step. When the pipe ends,
nobody is there any more: the batch is given up, and the process ends whatever it is doing. Steps tell that clips are
being made, not only that a process is there; so nothing else beats in their place.

Standard library only, for Python 3.9 and newer: the process may be of another environment, with other packages.
"""

from __future__ import annotations

import logging
import os
import queue
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, BinaryIO, Protocol

from generation import parcels
from generation.frames import PROTOCOL, Frame, FrameError, read, too_large, write
from generation.parcels import Order, Refusal, Sound, States

log = logging.getLogger(__name__)
GRACE = 5.0
"""Seconds for a batch to notice that nobody is there any more."""
GONE = 70
"""Exit status of a process that did not."""
EVERY = 0.1
"""Seconds between steps that are told, at least; the last one always is."""

Step = Callable[[int, int], None]
"""To be called after each step with how many are done and how many there are. ``Cancelled`` from it ends the batch."""


class Cancelled(Exception):  # noqa: N818 - asked for, no error
    """Nobody waits for this batch any more."""


class NoRoom(Exception):  # noqa: N818 - a batch of another size may do
    """The batch does not fit into memory."""


class Failed(Exception):  # noqa: N818 - a sentence, not a defect
    """Nothing works here. Its text is a sentence."""


class Maker(Protocol):
    """What makes the clips."""

    def hello(self) -> Mapping[str, Any]:
        """Return ``info`` and ``capabilities`` as ``hello`` tells them."""

    def make(self, orders: Sequence[Order], step: Step) -> Sequence[Sound | Refusal]:
        """Make one clip for each order, in order.

        Raises:
            Cancelled: ``step`` said so.
            NoRoom: The batch does not fit into memory.
            Failed: Nothing works.
        """

    def read(self, prompts: Sequence[str], step: Step) -> Sequence[States]:
        """Return what the text encoder makes of each prompt.

        Raises:
            Cancelled: ``step`` said so.
            Failed: Nothing here takes such states in place of words.
        """


def private_pipes() -> tuple[BinaryIO, BinaryIO]:
    """Return this process's input and output, for nobody else: what a library prints goes to the errors from now on."""
    heard, said = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    sys.stdout.flush()
    os.dup2(2, 1)
    return os.fdopen(heard, "rb"), os.fdopen(said, "wb")


def serve(
    heard: BinaryIO, said: BinaryIO, start: Callable[[], Maker], *, grace: float = GRACE
) -> None:
    """Make clips until the bot says ``stop`` or is gone.

    Args:
        heard: What the bot says.
        said: What is said to it; nothing else may write there.
        start: Loads what makes the clips; called once. What it raises is said as ``sorry``.
        grace: Seconds for a batch to notice that the bot is gone; then the process ends with ``GONE``.
    """
    ear, mouth = _Ear(heard, grace), _Mouth(said)
    threading.Thread(target=ear.listen, daemon=True).start()
    try:
        _serve(ear, mouth, start)
    except (BrokenPipeError, ConnectionError):
        log.warning("Nobody listens any more")
    finally:
        ear.done.set()


def _serve(ear: _Ear, mouth: _Mouth, start: Callable[[], Maker]) -> None:
    try:
        maker = start()
        hello = {"protocol": PROTOCOL, **maker.hello()}
    except Exception as error:  # noqa: BLE001 - the process's boundary: whatever it is, it is said
        mouth.say(Frame("sorry", {"reason": _in_words(error)}))
        return
    mouth.say(Frame("hello", hello))
    for frame in ear.wanted():
        mouth.say(_answer(ear, mouth, maker, frame))


def _answer(ear: _Ear, mouth: _Mouth, maker: Maker, frame: Frame) -> Frame:
    batch = _batch(frame)

    def step(done: int, total: int) -> None:
        ear.check(batch)
        mouth.step(batch, done, total)

    try:
        ear.check(batch)
        answer = _made(batch, maker, frame, step)
    except Cancelled:
        return Frame("cancelled", {"batch": batch})
    except NoRoom:
        return _introduced(maker, Frame("no_room", {"batch": batch}))
    except (BrokenPipeError, ConnectionError):
        raise
    except Exception as error:  # noqa: BLE001 - the process's boundary: whatever it is, it is said
        return Frame("failed", {"batch": batch, "reason": _in_words(error)})
    finally:
        ear.over(batch)
    if (reason := too_large(answer)) != "":
        log.warning("%s", reason)
        return _introduced(maker, Frame("no_room", {"batch": batch, "reason": reason}))
    return answer


def _made(batch: int, maker: Maker, frame: Frame, step: Step) -> Frame:
    if frame.kind == "read":
        prompts = frame.header.get("prompts", ())
        return parcels.read_out(batch, maker.read([str(one) for one in prompts], step))
    return _introduced(maker, parcels.made(batch, maker.make(parcels.orders(frame), step)))


def _introduced(maker: Maker, answer: Frame) -> Frame:
    """Say who made it: a maker that has learned what fits into memory is another version of itself from then on."""
    return Frame(answer.kind, {**answer.header, **maker.hello()}, answer.body)


def _in_words(error: Exception) -> str:
    """Return what went wrong; where, if it was not foreseen, goes to the log."""
    if isinstance(error, Failed):
        return str(error)
    log.error("Nobody foresaw this", exc_info=error)
    return f"Something went wrong in the generator ({type(error).__name__}). The log says more."


def _batch(frame: Frame) -> int:
    number = frame.header.get("batch")
    return number if isinstance(number, int) else 0


class _Mouth:
    """Says frames, one at a time."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._alone = threading.Lock()
        self._told = 0.0

    def say(self, frame: Frame) -> None:
        with self._alone:
            write(self._stream, frame)

    def step(self, batch: int, done: int, total: int) -> None:
        now = time.monotonic()
        if now - self._told >= EVERY or done >= total:
            self._told = now
            self.say(Frame("step", {"batch": batch, "done": done, "total": total}))


class _Ear:
    """Hears frames on a thread of its own."""

    def __init__(self, stream: BinaryIO, grace: float) -> None:
        self.done = threading.Event()
        self._stream, self._grace = stream, grace
        self._closed = threading.Event()
        self._wanted: queue.Queue[Frame | None] = queue.Queue()
        self._waiting: set[int] = set()
        self._alone = threading.Lock()

    def listen(self) -> None:
        """Hear until the pipe ends; then end the process, unless it ends by itself."""
        try:
            while (frame := read(self._stream)) is not None:
                self._hear(frame)
        except (FrameError, OSError, ValueError) as error:
            log.warning("What came over the pipe cannot be read: %s", error)
        self._closed.set()
        self._wanted.put(None)
        if not self.done.wait(self._grace):
            os._exit(GONE)

    def _hear(self, frame: Frame) -> None:
        if frame.kind == "stop":
            self._wanted.put(None)
        elif frame.kind == "cancel":
            self.over(_batch(frame))
        elif frame.kind in {"generate", "read"}:
            with self._alone:
                self._waiting.add(_batch(frame))
            self._wanted.put(frame)
        else:
            log.warning("Nobody here knows what %r means", frame.kind)

    def wanted(self) -> Iterator[Frame]:
        """Wait for batches, until there are no more."""
        return iter(self._wanted.get, None)

    def check(self, batch: int) -> None:
        """Raise ``Cancelled`` when nobody waits for a batch any more."""
        with self._alone:
            if self._closed.is_set() or batch not in self._waiting:
                raise Cancelled

    def over(self, batch: int) -> None:
        """A batch is made, or need not be."""
        with self._alone:
            self._waiting.discard(batch)
