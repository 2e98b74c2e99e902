"""Longer versions of a model's clips: only that model can go on from its own sound. See also ``service.mood``."""

from __future__ import annotations

from domain.clip import BUILT_IN, Clip, ClipRequest, Source, SourceUse
from domain.errors import UserError
from generation.finishing import FADE_OUT
from service.clips import ClipService
from service.device import DeviceWorker
from service.generator_state import GeneratorState, named

LONGER = 30.0
"""Seconds of a longer version; twice as many at most."""
FAREWELL = (
    "{name} made that clip and does not play here any more, so nobody can go on from it. Change its mood or breed from "
    "it instead."
)
UNABLE = "{name} made that clip, and it cannot go on from a sound. Change its mood or breed from it instead."
FULL = "That clip is as long as {name} can make them: {longest:g} s."


class Longer:
    """Has the generator of a clip go on from the clip's own audio, up to where that fades out.

    Args:
        device: Knows the generators.
        library: Has the audio.
    """

    def __init__(self, device: DeviceWorker, library: ClipService) -> None:
        self._device = device
        self._library = library

    async def check(self, clip: Clip) -> None:
        """Check that a clip can be made longer, as far as that is known.

        Raises:
            UserError: It cannot; says why.
        """
        if by_model(clip):
            self._check(clip, await self._maker(clip))

    async def request(self, clip: Clip) -> ClipRequest | None:
        """Return what makes a model's clip longer; ``None`` for a clip that is composed anew, longer.

        Raises:
            NotFoundError: Its audio is not kept any more.
            UserError: Its generator is not offered any more, or cannot go on from a sound.
        """
        if not by_model(clip):
            return None
        maker = await self._maker(clip)
        self._check(clip, maker)
        return ClipRequest(
            prompt=clip.prompt,
            seed=clip.seed,
            seconds=_length(clip, maker),
            source=Source(
                audio=await self._library.audio(clip),
                use=SourceUse.CONTINUE,
                end=max(0.0, clip.seconds - FADE_OUT),
            ),
            embedding=await self._library.embedding(clip),
            generator=clip.generator,
        )

    async def _maker(self, clip: Clip) -> GeneratorState | None:
        return named(await self._device.states(), clip.generator)

    @staticmethod
    def _check(clip: Clip, maker: GeneratorState | None) -> None:
        if maker is None or not maker.offered:
            raise UserError(FAREWELL.format(name=clip.generator))
        able = (
            maker.capabilities
        )  # not known until it has started; then it says itself what it cannot do
        if able is not None and SourceUse.CONTINUE not in able.sources:
            raise UserError(UNABLE.format(name=clip.generator))
        if able is not None and _length(clip, maker) <= clip.seconds:
            raise UserError(FULL.format(name=clip.generator, longest=able.longest))


def by_model(clip: Clip) -> bool:
    """Tell whether a clip is sound without notes, so that nothing but a model can go on from it."""
    return clip.generator != BUILT_IN and "genome" not in clip.description


def _length(clip: Clip, maker: GeneratorState | None) -> float:
    wanted = min(2 * LONGER, max(LONGER, 2 * clip.seconds))
    able = maker.capabilities if maker is not None else None
    return wanted if able is None else min(wanted, able.longest)
