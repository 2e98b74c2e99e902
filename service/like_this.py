"""``/like-this``: hear a track that somebody sends, so that a run can be bred towards it. Its sound is not kept."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np

from domain.clip import ClipFailure, HeardTrack
from domain.errors import BusyError, UploadError, UploadFault, UsageError
from domain.facets import Facets
from domain.ids import ListenerId
from prompts.reader import read
from prompts.writer import write
from scoring.portrait import portrait
from scoring.space import TasteSpace
from service.device import DeviceWorker
from service.settings_rules import LimitSettings

MEGABYTE = 2**20
TITLE_LIMIT = 80
AT_ONCE = 2
"""Tracks that are heard at a time; each takes a process for a few seconds."""
STILL = "I am still listening to the last track you sent. Try again in a moment."
FULL = "I am listening to other people's tracks just now. Try again in a minute."


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A file that somebody sent and nobody has fetched yet.

    Attributes:
        filename: Data, never trusted.
        size: In bytes, as announced.
        fetch: Gets the content.
    """

    filename: str
    size: int
    fetch: Callable[[], Awaitable[bytes]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """A track that was heard.

    Attributes:
        title: The file's name without its ending.
        words: What it sounds like, in plain words.
        vibe: What a searcher is told: a person's own words before those.
        heard: What the encoder heard.
    """

    title: str
    words: str
    vibe: str
    heard: HeardTrack


class LikeThisService:
    """Hears tracks, one at a time for each person."""

    def __init__(self, device: DeviceWorker, space: TasteSpace, limits: LimitSettings) -> None:
        self._device = device
        self._space = space
        self._limits = limits
        self._busy: set[ListenerId] = set()

    async def hear(self, user_id: ListenerId, upload: Upload, wish: str = "") -> Track:
        """Return what is heard in a track.

        Args:
            user_id: Who sent it.
            upload: The file.
            wish: What else the music should be, in the person's words.

        Raises:
            UserError: The file is too big, too long, too short, silent, damaged or no sound; says which.
            BusyError: Theirs or others' are still being heard.
        """
        self._check_size(upload.size)
        with self._turn(user_id):
            data = await upload.fetch()
            self._check_size(len(data))
            heard = await self._device.listen(data, 60.0 * self._limits.upload_minutes)
        if isinstance(heard, ClipFailure):
            raise UsageError(heard.reason)
        facets = self._portrait(heard)
        words = _written(facets)
        return Track(
            title=_title(upload.filename),
            words=words,
            vibe=_vibe(facets, " ".join(wish.split())),
            heard=heard,
        )

    def _check_size(self, size: int) -> None:
        most = self._limits.upload_megabytes
        if size > most * MEGABYTE:
            raise UploadError(
                UploadFault.TOO_BIG,
                f"The file has {size / MEGABYTE:.0f} MB; the most is {most:g} MB. An MP3 is much smaller.",
            )

    def _portrait(self, heard: HeardTrack) -> Facets:
        if heard.encoder_id != self._space.encoder_id:
            return Facets()
        return portrait(np.frombuffer(heard.embedding, "<f4"), self._space)

    @contextmanager
    def _turn(self, user_id: ListenerId) -> Iterator[None]:
        if user_id in self._busy:
            raise BusyError(STILL)
        if len(self._busy) >= AT_ONCE:
            raise BusyError(FULL)
        self._busy.add(user_id)
        try:
            yield
        finally:
            self._busy.discard(user_id)


def _written(facets: Facets) -> str:
    """Return facets in plain words; the same facets, the same words."""
    return write(facets, np.random.default_rng(0)) if facets != Facets() else ""


def _vibe(facets: Facets, wish: str) -> str:
    """Return what is asked of the searcher: the wish, and what the track sounds like where the wish leaves it open."""
    asked = {name for name in read(wish).to_json() if name != "unknown"}
    if asked & {"genre", "family"}:
        asked |= {"genre", "family"}
    default = Facets()
    rest = _written(replace(facets, **{name: getattr(default, name) for name in asked}))
    return ", ".join(part for part in (wish, rest) if part)


def _title(filename: str) -> str:
    """Return a file's name without its ending, on one line."""
    name = " ".join(filename.replace("_", " ").split())
    stem, dot, _ = name.rpartition(".")
    return (stem if dot and stem else name)[:TITLE_LIMIT] or "a track"
