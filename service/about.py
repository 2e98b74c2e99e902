"""Say what is running: which part is which, what stands in for what, under which licence."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from domain.clip import GeneratorInfo
from domain.run import Run
from evolution.numeric.searcher import SEARCHES
from service.device import DeviceWorker
from service.generator_state import GeneratorState, playing
from service.language import NO_MODEL, LanguageService
from service.settings import Settings
from service.spaces import Hearing
from service.views import AboutView
from storage import runs

INTRODUCTION = 5.0
"""Seconds for which a generator is waited for that has not said yet who it is."""


def product_version() -> str:
    """Return the installed version."""
    try:
        return version("tunebreeder")
    except PackageNotFoundError:
        return "unreleased"


class AboutService:
    """Answers ``/about``.

    Args:
        settings: The settings.
        device: What makes the sound.
        encoder_id: What hears it.
        language: The language model, if the front end has one to offer.
        hearing: Says what the learned encoder does, if there is one.
    """

    def __init__(
        self,
        settings: Settings,
        device: DeviceWorker,
        encoder_id: str,
        language: LanguageService | None = None,
        hearing: Callable[[], Hearing] | None = None,
    ) -> None:
        self._settings = settings
        self._device = device
        self._encoder_id = encoder_id
        self._language = language
        self._hearing = hearing

    async def view(self) -> AboutView:
        """Return what is running now."""
        offered = tuple(one for one in await self._states() if one.offered)
        hearing = self._hearing() if self._hearing is not None else None
        further = f", {hearing.encoder}" if hearing else ""
        licences = {hearing.encoder: hearing.licence} if hearing else {}
        return AboutView(
            version=product_version(),
            parts={
                "searcher": self._searcher(),
                **self._model(),
                "generator": _words(offered[0].info),
                "scorer": f"{self._encoder_id} features (built in){further}{self._aligner()} and a Bayesian taste for"
                " each listener",
            },
            stand_ins=await self.stand_ins(),
            generators=offered,
            licences=licences,
        )

    async def _states(self) -> Sequence[GeneratorState]:
        """Ask who plays, and wait a moment for one who has not said it yet; then what is known of it has to do."""
        try:
            async with asyncio.timeout(INTRODUCTION):
                return await self._device.states(known=True)
        except TimeoutError:
            return await self._device.states()

    async def stand_ins(self, run: Run | None = None) -> tuple[str, ...]:
        """Return one sentence for each built-in default that is used in place of a model: in a run, else as a rule."""
        states = await self._device.states()
        info = playing(states, run.settings.generator if run is not None else "").info
        # A search by numbers is what somebody asked for, and of a clip made by hand nobody wrote the prompt.
        written = run is None or run.searcher not in {*SEARCHES, runs.BY_HAND}
        sentences = [NO_MODEL] if written and not self._named() else []
        if info.stand_in_for:
            sentences.append(f"The built-in {info.name} plays; {info.stand_in_for} is not set up.")
        if self._hearing is None:
            both = "the MERT encoder" + ("" if self._aligner() else " and AlignerV2")
            sentences.append(f"Built-in audio features stand in for {both}.")
        elif stand_in := self._hearing().stand_in:
            sentences.append(stand_in)
        return tuple(sentences)

    def _named(self) -> str:
        return "" if self._language is None else self._language.name

    def _searcher(self) -> str:
        wanted = self._settings.runs.searcher
        if wanted in SEARCHES:
            return f"{wanted}, a search by numbers (built in)"
        if not self._named() or wanted == "offline":
            return "offline breeder (built in)"
        return f"{wanted}, with the offline breeder (built in) where the model does not answer"

    def _aligner(self) -> str:
        folder = self._settings.scoring.aligner
        return f", the aligner {Path(folder).name}" if folder else ""

    def _model(self) -> dict[str, str]:
        return {"language model": self._named()} if self._named() else {}


def _words(info: GeneratorInfo) -> str:
    details = ", ".join(f"{key} {value}" for key, value in info.details.items())
    return f"{info.name} {info.version}".rstrip() + (f" ({details})" if details else "")
