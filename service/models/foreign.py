"""Which of audiocraft's models may and can be used here."""

from __future__ import annotations

from pathlib import Path

from domain.errors import UserError
from generation.foreign.environment import MODELS, Environment
from generation.registry import Recipe
from service.models.catalogue import entry
from service.models.store import ModelStore

LOADER = "audiocraft"
"""Of the catalogue's models that live in audiocraft's environment."""
FOLDER = "audiocraft"
"""Below the data folder."""


def audiocraft_environment(data: Path) -> Environment:
    """Return where audiocraft lives, below the data folder."""
    return Environment(folder=data.resolve() / FOLDER)


def audiocraft_recipe(store: ModelStore, data: Path, name: str) -> Recipe:
    """Return the recipe of one of audiocraft's models.

    Raises:
        UserError: There is no environment, no weights, or the licence was not agreed to; says what to do.
    """
    known = entry(name)
    if name not in MODELS:
        raise UserError(f"audiocraft has no model {name} here; there are: {', '.join(MODELS)}.")
    environment = audiocraft_environment(data)
    if not environment.python.exists():
        raise UserError(
            f"{name} lives in an environment of its own, which is not there yet. "
            "Set it up: python bot.py worker audiocraft --setup"
        )
    if name not in environment.models():
        raise UserError(
            f"{name} is not on this machine. Fetch it: python bot.py worker audiocraft --pull {name}"
        )
    if not store.agreed(name, known.licence):
        raise UserError(
            f"The licence of {name} ({known.licence}) does not allow commercial use. Agree to that: "
            f"python bot.py worker audiocraft --pull {name} --accept-noncommercial"
        )
    return Recipe(
        loader=LOADER,
        name=name,
        folder=str(environment.folder),
        licence=known.licence,
        commercial=False,
    )
