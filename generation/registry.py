"""Generators by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from domain.errors import GenerationError
from generation.generator import Generator

INSTALL = "pip install torch==2.13.0, then pip install 'tunebreeder[models,diffusion]'."


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """What a generator is made of. Picklable and hashable: a worker process makes its generator from it.

    Attributes:
        loader: One of ``LOADERS``.
        name: What clips say made them.
        folder: Of its weights; ``""`` where it has none.
        licence: Of its weights.
        commercial: Whether that allows commercial use.
        device: ``"auto"``, ``"cpu"``, ``"cuda:0"`` ...
        batch: Clips at once.
        options: More that its loader knows, as pairs of name and value.
    """

    loader: str = "composer"
    name: str = "composer"
    folder: str = ""
    licence: str = ""
    commercial: bool = True
    device: str = "auto"
    batch: int = 8
    options: tuple[tuple[str, str], ...] = ()

    def option(self, name: str, default: str = "") -> str:
        """Return an option."""
        return dict(self.options).get(name, default)


def composer(*, renderer: str = "auto", soundfont: str = "", emotion: str = "") -> Recipe:
    """Return the recipe of the built-in composer.

    Args:
        renderer: One of ``generation.sounding.renderers.NAMES``.
        soundfont: Path of a ``.sf2`` file or a folder to look into first, or ``""``.
        emotion: Folder of a trained emotion model, or ``""``.
    """
    given = {"renderer": renderer, "soundfont": soundfont, "emotion": emotion}
    return Recipe(options=tuple(given.items()))


def create_generator(recipe: Recipe) -> Generator:
    """Make a generator. Its weights are loaded by ``prepare`` or with its first clip.

    Raises:
        GenerationError: Nobody knows its loader, a package is missing, or the generator cannot work here.
    """
    make = LOADERS.get(recipe.loader)
    if make is None:
        raise GenerationError(
            f"There is no generator {recipe.loader!r}. Choose one of {', '.join(LOADERS)}."
        )
    try:
        return make(recipe)
    except ImportError as error:
        raise GenerationError(
            f"{recipe.name} needs {error.name}, which is not installed: {INSTALL}"
        ) from None


# Imports wait until a generator is wanted: each brings what only it needs.


def _composer(recipe: Recipe) -> Generator:
    from generation.composer import Composer  # noqa: PLC0415

    return Composer(
        renderer=recipe.option("renderer", "auto"),
        soundfont=recipe.option("soundfont"),
        emotion=recipe.option("emotion"),
    )


def _musicgen(recipe: Recipe) -> Generator:
    from generation.musicgen.generator import MusicGen  # noqa: PLC0415

    return MusicGen.load(recipe)


def _musicgen_melody(recipe: Recipe) -> Generator:
    from generation.musicgen.checkpoint import Kind  # noqa: PLC0415
    from generation.musicgen.generator import MusicGen  # noqa: PLC0415

    return MusicGen.load(recipe, kind=Kind.MELODY)


def _diffusers(recipe: Recipe) -> Generator:
    from generation.diffusion.generator import Diffusion  # noqa: PLC0415

    return Diffusion.load(recipe)


def _remote(recipe: Recipe) -> Generator:
    from generation.remote.generator import Remote  # noqa: PLC0415

    return Remote.load(recipe)


def _audiocraft(recipe: Recipe) -> Generator:
    from generation.foreign.audiocraft import audiocraft  # noqa: PLC0415

    return audiocraft(recipe)


LOADERS: Mapping[str, Callable[[Recipe], Generator]] = MappingProxyType(
    {
        "composer": _composer,
        "musicgen": _musicgen,
        "musicgen-melody": _musicgen_melody,
        "diffusers": _diffusers,
        "remote": _remote,
        "audiocraft": _audiocraft,
    }
)
"""What makes a generator of a recipe, by the recipe's ``loader``."""
