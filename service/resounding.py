"""Vary, Cross and Remix on the sound of a model's clips, where the model can: graded change, and crossover in time.

Words alone would give another clip of the same kind. A generator that starts from a sound keeps of it what its strength
leaves; one that makes a stretch anew joins the beginning of one clip to the end of another.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from domain.candidate import Directive, Proposal
from domain.clip import BUILT_IN, Clip, ClipFailure, ClipRequest, Source, SourceUse
from domain.errors import StorageError
from domain.ids import CandidateId
from domain.run import Run
from generation.sources import spliced
from service.device import DeviceWorker
from service.generator_state import playing
from storage import clips
from storage.database import Database
from storage.files import AudioStore

log = logging.getLogger(__name__)

STRENGTHS: Mapping[Directive, tuple[float, float]] = {
    Directive.VARY: (0.25, 0.7),
    Directive.REMIX: (0.5, 0.85),
}
"""Least and most of a sound that goes, over the children of a round: a person chooses among grades of change."""
SEAM = 0.25
"""Share of a clip around its middle that is made anew where two clips are joined."""


class Resounding:
    """Lets children begin from the sound of their parents.

    Args:
        db: Knows the clips of candidates.
        store: Has their audio.
        device: Knows what generators can do.
    """

    def __init__(self, db: Database, store: AudioStore, device: DeviceWorker) -> None:
        self._db = db
        self._store = store
        self._device = device

    async def begun(
        self,
        run: Run,
        directive: Directive,
        proposals: Sequence[Proposal],
        requests: Sequence[ClipRequest],
    ) -> list[ClipRequest]:
        """Return the requests, those with a source where a parent's clip is by the same generator, and can be one.

        Args:
            run: Whose round it is.
            directive: What a person asked for; after ``NEXT`` children are made from words alone.
            proposals: The children.
            requests: What was to be asked for, one for each.
        """
        use = SourceUse.FILL if directive is Directive.CROSS else SourceUse.VARY
        plays = playing(await self._device.states(), run.settings.generator)
        if directive is Directive.NEXT or plays.info.name == BUILT_IN:
            return list(requests)
        if plays.capabilities is None:  # it has not started yet, and is about to
            await self._device.read([], run.settings.generator)
            plays = playing(await self._device.states(), run.settings.generator)
        if plays.capabilities is None or use not in plays.capabilities.sources:
            return list(requests)
        sounds = await self._sounds(proposals, plays.info.name)
        if use is SourceUse.FILL:
            return [
                await self._crossed(one, request, sounds)
                for one, request in zip(proposals, requests, strict=True)
            ]
        least, most = STRENGTHS[directive]
        grades = np.linspace(least, most, len(requests))
        return [
            replace(request, source=Source(audio=audio, use=use, strength=round(float(grade), 3)))
            if (audio := _first(one, sounds)) is not None
            else request
            for one, request, grade in zip(proposals, requests, grades, strict=True)
        ]

    async def _crossed(
        self, child: Proposal, request: ClipRequest, sounds: Mapping[CandidateId, bytes]
    ) -> ClipRequest:
        parents = [sounds[one] for one in child.parents if one in sounds]
        if len(parents) < 2:
            return request
        seconds = request.seconds
        joined = await asyncio.to_thread(spliced, parents[0], parents[1], seconds)
        if isinstance(joined, ClipFailure):
            log.warning(
                "Two clips could not be joined; a child is made from words: %s", joined.reason
            )
            return request
        start, end = (0.5 - SEAM / 2) * seconds, (0.5 + SEAM / 2) * seconds
        return replace(
            request, source=Source(audio=joined, use=SourceUse.FILL, start=start, end=end)
        )

    async def _sounds(
        self, proposals: Sequence[Proposal], generator: str
    ) -> dict[CandidateId, bytes]:
        """Return the audio of parents' clips that the generator made and that are still kept."""
        parents = list(dict.fromkeys(parent for one in proposals for parent in one.parents))
        async with self._db.reading() as tx:
            found = await clips.clips_of_candidates(tx, parents)
        out: dict[CandidateId, bytes] = {}
        for clip in found:
            if clip.generator == generator and not clip.broken:
                audio = await self._read(clip)
                if audio is not None:
                    out[clip.candidate_id] = audio
        return out

    async def _read(self, clip: Clip) -> bytes | None:
        try:
            return await asyncio.to_thread(self._store.read, clip.sha256, clip.extension)
        except StorageError:
            log.info("The audio of clip %s is not kept: its children are made from words", clip.id)
            return None


def _first(child: Proposal, sounds: Mapping[CandidateId, bytes]) -> bytes | None:
    """Return the sound of a child's only parent."""
    return sounds.get(child.parents[0]) if len(child.parents) == 1 else None
