"""A generator in a process of its own, as a ``Generator`` here: started when it is wanted, ended when it hangs."""

from __future__ import annotations

import contextlib
import logging
import os
import queue
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import BinaryIO, cast

from domain.clip import ClipFailure, ClipRequest, GeneratorInfo
from domain.errors import GenerationError, NoRoomError
from generation import frames, parcels, wire
from generation.foreign.privacy import without_secrets
from generation.frames import PROTOCOL, Frame, FrameError
from generation.generator import Cancelled, Capabilities, Composition, Progress, refused
from generation.parcels import Order

log = logging.getLogger(__name__)
TICK = 0.25
"""Seconds between two looks at whether somebody still waits."""
GRACE = 10.0
"""Seconds for a process to give a batch up, or to end when it is told to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """What is started.

    Attributes:
        command: The interpreter and its arguments.
        environ: Added to this process's environment, of which nothing goes along that sounds like a secret.
        start: Seconds until it says hello, at most; it loads its weights before.
        silence: Seconds between two signs of life in a batch, at most.
    """

    command: tuple[str, ...]
    environ: Mapping[str, str] = field(default_factory=dict)
    start: float = 600.0
    silence: float = 300.0


class Foreign:
    """A ``Generator`` whose work another process does.

    Args:
        program: What is started.
        info: What it is; known before it is started.
        able: What it can do.
        order_of: Puts a request into an order, perhaps with more than it says.
    """

    def __init__(
        self,
        program: Program,
        info: GeneratorInfo,
        able: Capabilities,
        order_of: Callable[[ClipRequest], Order] = wire.order_of,
    ) -> None:
        self._program, self._order_of = program, order_of
        self.info, self.capabilities = info, able
        self._process: _Process | None = None
        self._batch = 0

    def prepare(self) -> None:
        """Start the process and wait until it has its weights.

        Raises:
            GenerationError: It cannot be started, or it says why it cannot work.
        """
        self._running(lambda: None)

    def _running(self, tick: Callable[[], None]) -> _Process:
        """Return the process; call ``tick`` while it starts."""
        if self._process is None or not self._process.alive:
            self.release()
            self._process = _Process(self._program, self.info.name, tick)
        return self._process

    def release(self) -> None:
        """End the process. The next clip starts it again."""
        process, self._process = self._process, None
        if process is not None:
            process.end()

    def generate(
        self, requests: Sequence[ClipRequest], *, progress: Progress | None = None
    ) -> list[Composition | ClipFailure]:
        """Have one clip made for each request.

        Raises:
            Cancelled: ``progress`` said so.
            NoRoomError: The batch does not fit into memory.
            GenerationError: The process cannot be started, ended, or was silent for too long.
        """
        no = [refused(request, self.info, self.capabilities) for request in requests]
        wanted = [one for one, failure in zip(requests, no, strict=True) if failure is None]
        made = iter(self._made(wanted, progress or _nobody) if wanted else [])
        return [next(made) if failure is None else failure for failure in no]

    def _made(
        self, requests: Sequence[ClipRequest], progress: Progress
    ) -> list[Composition | ClipFailure]:
        process = self._running(partial(progress, 0, 1))
        self._batch += 1
        try:
            orders = [self._order_of(one) for one in requests]
            process.say(parcels.ordered(self._batch, orders), self._program.silence)
            made = self._brought(process, progress, len(requests))
        except FrameError as error:
            self.release()
            raise GenerationError(f"{self.info.name} says what cannot be read: {error}") from None
        except GenerationError:
            if not process.alive:
                self.release()
            raise
        return made

    def _brought(
        self, process: _Process, progress: Progress, clips: int
    ) -> list[Composition | ClipFailure]:
        """Wait for the batch, and tell how far it is."""
        far = (0, 1)
        try:
            while True:
                frame = process.hear(self._program.silence, partial(progress, *far))
                if frame.header.get("batch") != self._batch:
                    continue
                if frame.kind == "clips":
                    return _all(wire.brought(frame), clips)
                if frame.kind == "no_room":
                    raise NoRoomError(
                        str(frame.header.get("reason") or "The batch does not fit into memory.")
                    )
                if frame.kind != "step":
                    raise GenerationError(str(frame.header.get("reason", "It was given up.")))
                far = _far(frame)
                progress(*far)
        except Cancelled:
            self._give_up(process)
            raise

    def _give_up(self, process: _Process) -> None:
        """Cancel the batch; a process that does not hear of it is ended."""
        deadline = time.monotonic() + GRACE
        try:
            process.say(Frame("cancel", {"batch": self._batch}), GRACE)
            while (left := deadline - time.monotonic()) > 0:
                frame = process.hear(left, lambda: None)
                if frame.header.get("batch") == self._batch and frame.kind != "step":
                    return
        except (GenerationError, FrameError):
            pass
        self.release()


def _far(step: Frame) -> tuple[int, int]:
    try:
        return int(step.header["done"]), int(step.header["total"])
    except (KeyError, TypeError, ValueError, OverflowError):
        raise FrameError("A step says not how far it is.") from None


def _all(made: list[Composition | ClipFailure], clips: int) -> list[Composition | ClipFailure]:
    if len(made) != clips:
        raise FrameError(f"{len(made)} clips came for {clips}.")
    return made


def _nobody(done: int, total: int) -> None:
    """Nobody asks how far it is."""


class _Process:
    """The process, what it says, and its last words.

    Args:
        program: What is started.
        name: What it is called in sentences.
        tick: To be called while it starts; what it raises ends it.

    Raises:
        GenerationError: It cannot be started, or says why it cannot work.
    """

    def __init__(self, program: Program, name: str, tick: Callable[[], None]) -> None:
        self._name = name
        self._heard: queue.Queue[Frame | FrameError | None] = queue.Queue()
        self._words: deque[str] = deque(maxlen=20)
        try:
            self._process = subprocess.Popen(  # noqa: S603 - our own script
                program.command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env={**without_secrets(os.environ), **program.environ},
            )
        except OSError as error:
            raise GenerationError(
                f"{name} cannot be started: {error.strerror} ({program.command[0]})."
            ) from None
        for listen in (self._listen, self._overhear):
            threading.Thread(target=listen, daemon=True).start()
        try:
            self._greet(program, tick)
        except BaseException:
            self.end(grace=0.0)
            raise

    def _greet(self, program: Program, tick: Callable[[], None]) -> None:
        try:
            hello = self.hear(program.start, tick)
        except FrameError as error:
            raise GenerationError(f"{self._name} says what cannot be read: {error}") from None
        if hello.kind == "sorry":
            raise GenerationError(str(hello.header.get("reason", "It does not say why.")))
        if hello.kind != "hello" or hello.header.get("protocol") != PROTOCOL:
            raise GenerationError(
                f"{self._name} speaks version {hello.header.get('protocol')} of the protocol, not {PROTOCOL}."
            )

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return self._process.poll() is None

    def say(self, frame: Frame, seconds: float) -> None:
        """Say something.

        Raises:
            GenerationError: It has ended, or does not listen for so long; then it is ended.
        """
        late = threading.Event()

        def give_up() -> None:
            late.set()
            self._process.kill()

        watch = threading.Timer(seconds, give_up)
        watch.daemon = True
        watch.start()
        try:
            frames.write(_pipe(self._process.stdin), frame)
        except (OSError, ValueError):
            if late.is_set():
                self.end(grace=0.0)
                raise GenerationError(
                    f"{self._name} did not listen for {seconds:.0f} seconds and was ended."
                ) from None
            raise self._ended() from None
        finally:
            watch.cancel()

    def hear(self, seconds: float, tick: Callable[[], None]) -> Frame:
        """Wait for what it says next, and call ``tick`` meanwhile.

        Raises:
            GenerationError: It has ended, or says nothing for so long; then it is ended.
            FrameError: It says what cannot be read.
        """
        deadline = time.monotonic() + seconds
        while True:
            try:
                found = self._heard.get(timeout=TICK)
            except queue.Empty:
                if time.monotonic() > deadline:
                    self.end(grace=0.0)
                    raise GenerationError(
                        f"{self._name} was silent for {seconds:.0f} seconds and was ended."
                    ) from None
                tick()
                continue
            if found is None:
                raise self._ended()
            if isinstance(found, FrameError):
                self.end(grace=0.0)
                raise found
            return found

    def end(self, *, grace: float = GRACE) -> None:
        """End it: kindly if there is time."""
        with contextlib.suppress(GenerationError):
            if grace:
                self.say(Frame("stop"), grace)
        with contextlib.suppress(OSError):
            _pipe(self._process.stdin).close()
        try:
            self._process.wait(timeout=grace)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _ended(self) -> GenerationError:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=GRACE)
        self.end(grace=0.0)  # it may only have closed its mouth
        last = f" It says: {self._words[-1][:300]}" if self._words else ""
        return GenerationError(
            f"{self._name}'s process ended (status {self._process.poll()}).{last}"
        )

    def _listen(self) -> None:
        with _pipe(self._process.stdout) as stream:
            try:
                while (frame := frames.read(stream)) is not None:
                    self._heard.put(frame)
            except FrameError as error:
                self._heard.put(error)
            except (OSError, ValueError):
                pass
        self._heard.put(None)

    def _overhear(self) -> None:
        with _pipe(self._process.stderr) as stream:
            for line in stream:
                words = line.decode("utf-8", "replace").strip()
                if words:
                    self._words.append(words)
                    log.debug("%s: %s", self._name, words)


def _pipe(stream: object) -> BinaryIO:
    """Return a pipe that ``Popen`` was told to make."""
    return cast("BinaryIO", stream)
