"""Generators by name."""

from __future__ import annotations

from domain.errors import GenerationError
from generation.composer import Composer
from generation.generator import Generator

GENERATORS = ("composer",)
"""Names that ``create_generator`` knows."""


def create_generator(
    name: str, *, renderer: str = "auto", soundfont: str = "", emotion: str = ""
) -> Generator:
    """Create a generator.

    Args:
        name: One of ``GENERATORS``.
        renderer: For the composer, see ``generation.sounding.renderers.NAMES``.
        soundfont: For the composer: path of a ``.sf2`` file, or ``""``.
        emotion: For the composer: folder of a trained emotion model, or ``""``.

    Raises:
        GenerationError: The name is unknown, or the generator cannot work here.
    """
    if name == "composer":
        return Composer(renderer=renderer, soundfont=soundfont, emotion=emotion)
    raise GenerationError(f"There is no generator {name!r}. Choose one of {', '.join(GENERATORS)}.")
