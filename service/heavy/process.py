"""One generator in a process of its own, spoken to in frames and never trusted to answer."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import subprocess
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import BinaryIO, NoReturn, cast

from generation.frames import PROTOCOL, Frame, FrameError, packed, read
from generation.parcels import clip_sizes

log = logging.getLogger(__name__)

KEPT_LINES = 20
"""Lines of its error output that are kept, to say why it died."""
ENDS = frozenset({"clips", "states", "no_room", "failed", "cancelled"})
"""How a batch ends."""
LAST_WORDS = 2.0
"""Seconds for what is still in the pipes of a process that has ended."""
LONGEST_LINE = 1000
"""Bytes: what draws bars of progress may never end its line."""
WORDS = 2000
"""Characters of them that are logged."""


class Died(Exception):  # noqa: N818 - a fact about a process
    """The process ended, hung or spoke nonsense; it is gone. The text says which."""


class Unable(Exception):  # noqa: N818 - the generator's own answer
    """The generator cannot work here. The text is a sentence that may be shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long to wait, in seconds.

    Attributes:
        start: For its first word; models of many gigabytes take minutes to load.
        silence: Between two frames while it works; more is a hang.
        drain: For the batch at hand when it is asked to end.
    """

    start: float = 900.0
    silence: float = 120.0
    drain: float = 20.0


class GeneratorProcess:
    """A child process. Start it once; after ``Died`` make another one.

    Args:
        command: What to run; it speaks as ``generation.frames`` says.
        patience: How long to wait for it.
        environ: Its environment; the bot's own when ``None``.
        first: What it is told before it greets; its arguments are no place for what is private.
    """

    def __init__(
        self,
        command: Sequence[str],
        patience: Patience,
        environ: dict[str, str] | None = None,
        *,
        first: Frame | None = None,
    ) -> None:
        self._command = list(command)
        self._patience = patience
        self._environ = environ
        self._first = first
        self._child: subprocess.Popen[bytes] | None = None
        self._spawning: asyncio.Future[None] | None = None
        self._said: asyncio.Queue[Frame | FrameError | None] = asyncio.Queue()
        self._errors: deque[str] = deque(maxlen=KEPT_LINES)
        self._threads: list[threading.Thread] = []
        self._killed = False

    async def start(self) -> Frame:
        """Start it and return its ``hello``.

        Raises:
            Unable: It says that it cannot work here.
            Died: It ended, was silent for too long, or is of another version.
        """
        loop = asyncio.get_running_loop()
        self._spawning = loop.run_in_executor(None, self._spawn, loop)
        try:
            await asyncio.shield(self._spawning)
        except OSError as error:
            raise Died(f"It cannot be started: {error}") from None
        if self._first is not None:
            await self._say(self._first, self._patience.start)
        hello = await self._next(self._patience.start, "did not start")
        if hello.kind == "sorry":
            await self.kill()
            raise Unable(str(hello.header.get("reason", "It cannot work here.")))
        if hello.kind != "hello":
            await self._give_up(f"began with {hello.kind!r} instead of a greeting")
        if hello.header.get("protocol") != PROTOCOL:
            await self._give_up(
                f"speaks version {hello.header.get('protocol')} of the protocol, not {PROTOCOL}; set it up again"
            )
        return hello

    async def work(self, order: Frame, on_step: Callable[[int, int], None]) -> Frame:
        """Have a batch made and return how it ended: ``clips``, ``states``, ``no_room``, ``failed`` or ``cancelled``.

        Args:
            order: A ``generate`` or ``read`` frame.
            on_step: Hears how many steps are done, and of how many.

        Raises:
            Died: It ended, hung or spoke nonsense.
        """
        await self._say(order, self._patience.silence)
        while True:
            frame = await self._next(self._patience.silence, "was silent")
            if frame.header.get("batch") != order.header["batch"]:
                await self._give_up(f"spoke of another batch ({frame.kind})")
            if frame.kind in ENDS:
                if frame.kind == "failed":
                    log.warning(
                        "A batch failed. The generator's last words: %s", self._last_words()
                    )
                return frame
            if frame.kind != "step":
                await self._give_up(f"said {frame.kind!r} in the middle of a batch")
            on_step(_number(frame, "done"), _number(frame, "total"))

    async def cancel(self, batch: int) -> None:
        """Say that nobody waits for a batch any more. It still ends with a frame."""
        with contextlib.suppress(Died):
            await self._say(Frame("cancel", {"batch": batch}), self._patience.silence)

    @property
    def alive(self) -> bool:
        """Whether it runs; one that ended while nobody wanted anything is no clip's fault."""
        if self._child is None or self._killed:
            return False
        if not hasattr(os, "waitid"):
            return self._child.poll() is None
        # Only looked at: once its end is taken note of, its number may be somebody else's before it is buried.
        look = os.WEXITED | os.WNOHANG | os.WNOWAIT
        try:
            return os.waitid(os.P_PID, self._child.pid, look) is None
        except ChildProcessError:
            return False

    async def stop(self) -> None:
        """Let it end by itself, and make it end when it does not."""
        if self._child is None:
            return
        try:
            with contextlib.suppress(Died):
                await self._say(Frame("stop"), self._patience.drain)
            with contextlib.suppress(subprocess.TimeoutExpired):
                await asyncio.to_thread(self._child.wait, self._patience.drain)
        finally:  # whoever stops it may not wait so long
            await self.kill()

    async def kill(self) -> None:
        """End it at once, with whatever it has started, which may outlive it."""
        if self._spawning is not None and not self._spawning.done():
            await asyncio.wait([self._spawning])  # it comes to life on its thread, wanted or not
        child = self._child
        if child is None:
            return
        if not self._killed:  # later its number may be somebody else's
            self._killed = True
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(child.pid, signal.SIGKILL) if hasattr(os, "killpg") else child.kill()
        await asyncio.to_thread(self._bury, child)

    def _bury(self, child: subprocess.Popen[bytes]) -> None:
        """On a thread: wait for its end, and for what is still in the pipes."""
        child.wait()
        for thread in self._threads:
            thread.join(LAST_WORDS)
        if child.stdin is not None:
            with contextlib.suppress(OSError):  # what it was never told
                child.stdin.close()

    # Both ends of the pipe ---------------------------------------------------------------------------

    def _spawn(self, loop: asyncio.AbstractEventLoop) -> None:
        child = self._child = subprocess.Popen(  # noqa: S603 - our own command
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=self._environ,
            start_new_session=True,  # Ctrl-C is for the bot, which then ends it in good order
        )
        # Threads of their own, since a frame can be hundreds of megabytes: reading it would hold the loop up.
        self._threads = [
            threading.Thread(target=self._listen, args=(child.stdout, loop), daemon=True),
            threading.Thread(target=self._overhear, args=(child, child.stderr), daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def _listen(self, stream: BinaryIO, loop: asyncio.AbstractEventLoop) -> None:
        """On a thread: hand each frame to the loop, then what ended them."""
        last: FrameError | None = None
        # Each thread closes what it reads: to close a pipe under it would wait for whoever holds the other end.
        with stream, contextlib.suppress(RuntimeError):  # the loop is closed: nobody listens
            try:
                while (frame := read(stream, clip_sizes)) is not None:
                    loop.call_soon_threadsafe(self._said.put_nowait, frame)
                    del frame  # or its memory would be held until the next one has come
            except FrameError as error:
                last = error
            loop.call_soon_threadsafe(self._said.put_nowait, last)

    def _overhear(self, child: subprocess.Popen[bytes], stream: BinaryIO) -> None:
        """On a thread: keep the last lines of what it complains about."""
        with stream:
            while line := stream.readline(LONGEST_LINE):
                text = line.decode("utf-8", "replace").rstrip()
                self._errors.append(text)
                log.debug("Generator's process %s: %s", child.pid, text)

    async def _say(self, frame: Frame, seconds: float) -> None:
        """Tell it a frame; a large one waits until it listens."""
        child = self._child
        if child is None or child.stdin is None:
            raise Died("It was never started.")
        try:
            async with asyncio.timeout(seconds):
                await asyncio.to_thread(self._write, cast(BinaryIO, child.stdin), packed(frame))
        except TimeoutError:
            await self._give_up(f"did not listen for {seconds:.0f} s")
        except (OSError, ValueError):
            await self._give_up("closed its ear")

    @staticmethod
    def _write(stream: BinaryIO, data: bytes) -> None:
        stream.write(data)
        stream.flush()

    async def _next(self, seconds: float, silence: str) -> Frame:
        """Return its next frame."""
        try:
            async with asyncio.timeout(seconds):
                frame = await self._said.get()
        except TimeoutError:
            await self._give_up(f"{silence} for {seconds:.0f} s")
        if isinstance(frame, FrameError):
            await self._give_up(f"spoke nonsense ({frame})")
        if frame is None:
            await self._give_up("ended")
        return frame

    def _last_words(self) -> str:
        return "\n".join(self._errors)[-WORDS:] or "none"

    async def _give_up(self, what: str) -> NoReturn:
        await self.kill()
        code = self._child.returncode if self._child is not None else None
        log.warning(
            "The generator's process %s (exit %s). Its last words: %s",
            what,
            code,
            self._last_words(),
        )
        raise Died(f"The generator's process {what}.")


def _number(frame: Frame, name: str) -> int:
    value = frame.header.get(name)
    return value if isinstance(value, int) else 0
