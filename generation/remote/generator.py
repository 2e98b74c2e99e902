"""A model behind a server as a generator: requests in, mastered clips out."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any

import numpy as np

from domain.clip import ClipFailure, ClipRequest, GeneratorInfo, SourceUse
from domain.errors import GenerationError
from generation.audio import Audio, Floats
from generation.finishing import finished
from generation.generator import Cancelled, Capabilities, Composition, Progress, refused
from generation.registry import Recipe
from generation.remote.asking import Asker, Spoilt
from generation.remote.dialects import DIALECTS, Made
from generation.remote.hearing import heard
from generation.remote.line import HttpLine, Line
from generation.remote.server import Server, server_of
from generation.remote.spending import Tally, cost_of
from generation.resampling import resampled
from generation.sources import in_stereo, prepared
from generation.splicing import spliced

VERSION = "1"
"""Raise it whenever the same request would be asked for otherwise."""
SHORTEST = 1.0
"""Seconds of the shortest clip; a server that makes only longer ones is asked for those."""
TICK = 0.25
"""Seconds between two looks at whether somebody still waits."""
PARTS = 100
"""Steps of a clip, for progress."""
SLACK = 0.05
"""Seconds that a clip may lack without a word."""

Outcome = Composition | ClipFailure


class Remote:
    """A ``Generator`` that has a server make the sound.

    Some clips are asked for at a time, each on a thread that does nothing but wait.

    Args:
        recipe: Says name, licence and batch.
        server: Who is asked.
        lines: Makes a line to the server, for one batch.
        clock: Seconds, as the line's.
    """

    def __init__(
        self,
        recipe: Recipe,
        server: Server,
        lines: Callable[[], Line],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._recipe, self._server, self._lines, self._clock = recipe, server, lines, clock
        self._tally = Tally(server.currency)
        self._dialect = DIALECTS[server.style]
        self.capabilities = Capabilities(
            shortest=SHORTEST,
            longest=server.longest,
            sample_rate=self._dialect.rate,
            commercial=recipe.commercial,
            sources=self._dialect.sources,
            batch=recipe.batch,
            repeats=False,
        )

    @classmethod
    def load(cls, recipe: Recipe, environ: Mapping[str, str] = os.environ) -> Remote:
        """Return what asks the server of a recipe; see ``server_of`` for its options.

        Raises:
            GenerationError: An option is wrong, or the key is not there.
        """
        server = server_of(recipe, environ)
        return cls(recipe, server, lambda: HttpLine(server.url))

    @property
    def info(self) -> GeneratorInfo:
        """What makes the sound, where, and what it has cost since the process began."""
        model = self._server.model or "the server's own"
        style = self._server.style.value
        return GeneratorInfo(
            name=self._recipe.name,
            version=f"{VERSION}-{style}-{self._server.model or 'default'}",
            licence=self._recipe.licence or "not known",
            details={
                "server": self._server.host,
                "style": style,
                "model": model,
                **({"spent": str(self._tally)} if self._tally.clips else {}),
            },
        )

    def prepare(self) -> None:
        """Nothing: the server has its model, and a clip is the only question that all of them answer."""

    def release(self) -> None:
        """Nothing: there is no memory to give back."""

    def generate(
        self, requests: Sequence[ClipRequest], *, progress: Progress | None = None
    ) -> list[Outcome]:
        """Have one clip made for each request.

        What goes wrong with one clip is a failure. What would go wrong with every one is raised, unless others of the
        batch are there already.

        Raises:
            Cancelled: ``progress`` said so; the server is hung up on.
            GenerationError: The server cannot be reached, or does not take the key, or knows no such model.
        """
        batch = _Batch(len(requests), progress)
        line = self._lines()
        with ThreadPoolExecutor(max_workers=min(self._server.parallel, 32)) as threads:
            makers = [
                threads.submit(self._made, request, line, batch, place)
                for place, request in enumerate(requests)
            ]
            try:
                batch.watch(makers)
            except BaseException:
                batch.stop.set()
                line.hang_up()
                threads.shutdown(wait=True, cancel_futures=True)
                raise
        return _gathered(makers)

    def _made(self, request: ClipRequest, line: Line, batch: _Batch, place: int) -> Outcome:
        no = refused(request, self.info, self.capabilities)
        if no is not None:
            return no
        sound: Floats | ClipFailure | None = None
        if request.source is not None:
            sound = prepared(request.source, self._dialect.rate, request.seconds)
        if isinstance(sound, ClipFailure):
            return sound
        if batch.stop.is_set() or batch.vain.is_set():
            raise Cancelled
        asker = Asker(self._server, line, batch.stop.wait, self._clock)
        try:
            made = self._dialect.make(request, sound, asker, lambda part: batch.part(place, part))
        except Spoilt as error:
            return ClipFailure(reason=str(error))
        except GenerationError:
            batch.vain.set()  # those that were ordered are fetched all the same: they may be paid for
            raise
        return self._finished(request, sound, made, asker.safe)

    def _finished(
        self, request: ClipRequest, sound: Floats | None, made: Made, safe: Callable[[str], str]
    ) -> Outcome:
        ordered = max(self._dialect.shortest, request.seconds)
        cost = cost_of(self._server, made.cost, ordered)
        self._tally.add(cost)
        audio = heard(made.file, request, self._server.host, safe)
        if isinstance(audio, Audio) and sound is not None:
            audio = self._put_back(audio, sound, request)
        if isinstance(audio, ClipFailure):
            return audio
        said: dict[str, Any] = {"model": self._server.model, "made_rate": audio.sample_rate}
        if audio.seconds < request.seconds - SLACK:
            said["short_by"] = round(request.seconds - audio.seconds, 2)
        if cost is not None:
            said["cost"] = cost.to_json()
        return finished(audio.samples, audio.sample_rate, said)

    def _put_back(self, made: Audio, sound: Floats, request: ClipRequest) -> Audio | ClipFailure:
        """Return what was made; of a stretch that was made anew, with everything else as it was."""
        source, rate = request.source, made.sample_rate
        if source is None or source.use is not SourceUse.FILL:
            return made
        if made.seconds < source.end - SLACK:
            return ClipFailure(
                reason=f"{self._server.host} made {made.seconds:.1f} s of sound, "
                f"and the stretch ends at {source.end:g} s."
            )
        kept = resampled(sound, self._dialect.rate, rate)
        anew = in_stereo(made.samples)[: len(kept)]
        anew = np.pad(anew, ((0, len(kept) - len(anew)), (0, 0)))
        whole = spliced(kept, anew, (source.start, source.end), rate)
        return Audio(samples=whole, sample_rate=rate)


class _Batch:
    """How far a batch is, whether somebody still waits for it, and whether more of it would be ordered in vain."""

    def __init__(self, clips: int, progress: Progress | None) -> None:
        self.stop, self.vain = threading.Event(), threading.Event()
        self._parts = [0.0] * clips
        self._progress = progress

    def part(self, place: int, part: float) -> None:
        """So much of a clip is made. Called on its thread; nobody else writes its place."""
        self._parts[place] = part

    def watch(self, makers: Sequence[Future[Outcome]]) -> None:
        """Wait for the threads, tell how far they are, and see whether somebody still waits for them."""
        left = set(makers)
        while left:
            _, left = wait(left, timeout=TICK)
            if self._progress is not None:
                whole = sum(
                    PARTS if maker.done() else int(PARTS * part)
                    for maker, part in zip(makers, self._parts, strict=True)
                )
                self._progress(whole, PARTS * len(makers))


def _gathered(makers: Sequence[Future[Outcome]]) -> list[Outcome]:
    """Return what came; trouble that concerns all is raised only where nothing came at all."""
    trouble = [error for maker in makers if (error := maker.exception()) is not None]
    systemic = next((one for one in trouble if isinstance(one, GenerationError)), None)
    for one in trouble:
        if systemic is None or not isinstance(one, (GenerationError, Cancelled)):
            raise one
    came = any(
        maker.exception() is None and isinstance(maker.result(), Composition) for maker in makers
    )
    if systemic is not None and not came:
        raise systemic
    lost = ClipFailure(reason=str(systemic))
    return [lost if maker.exception() is not None else maker.result() for maker in makers]
