"""Which encoder, aligner and generators the settings ask for, and whether they may and can be used."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from domain.clip import BUILT_IN as BUILT_IN_GENERATOR
from domain.errors import ConfigError, ScoringError, UserError
from generation.registry import LOADERS, Recipe, composer
from generation.remote.server import OPTIONS
from scoring.aligner.folder import load, read_config
from scoring.aligner.protocol import AlignerKind
from scoring.aligner.space import AlignerAxes
from scoring.encoder import Kind, Weights
from scoring.encoders import BUILT_IN, INSTALL, missing_packages
from scoring.space import default_space
from service.models.catalogue import Entry, Role, catalogue, entry
from service.models.foreign import LOADER as AUDIOCRAFT
from service.models.foreign import audiocraft_recipe
from service.models.store import Installed, ModelStore
from service.settings import Settings, models_folder

REMOTE = "remote"
"""Name of the generator that is behind a server."""


def agreed_model(store: ModelStore, name: str) -> Installed:
    """Return a model on this machine that may be used.

    Raises:
        UserError: It is not here, or its licence was not agreed to.
    """
    known, here = entry(name), store.installed(entry(name).name)
    if here is None:
        raise UserError(
            f"{known.name} is not on this machine (or not whole). Fetch it: python bot.py models pull {known.name}"
        )
    if not here.commercial and not store.agreed(here.name, here.licence):
        raise UserError(
            f"The licence of {here.name} ({here.licence}) does not allow commercial use. Agree to that:"
            f" python bot.py models pull {here.name} --accept-noncommercial"
        )
    return here


def weights_of(store: ModelStore, name: str) -> Weights:
    """Return the weights of an encoder on this machine; raises like ``agreed_model``."""
    known, here = entry(name), agreed_model(store, name)
    return Weights(
        name=here.name,
        kind=Kind(known.loader),
        folder=store.path(here.name),
        licence=here.licence,
        fingerprint=here.fingerprint,
        dimensions=_dimensions(store.path(here.name) / "config.json"),
    )


def _dimensions(config: Path) -> int:
    """Return the numbers in a layer, as a checkpoint's configuration says: CLAP's space, else the hidden state."""
    try:
        given = json.loads(config.read_text(encoding="utf-8"))
        return int(given.get("projection_dim") or given.get("hidden_size") or 0)
    except (OSError, ValueError, AttributeError, TypeError):
        return 0


def chosen_aligner(settings: Settings, weights: Weights | None) -> AlignerAxes | None:
    """Return the axes of the aligner that ``scoring.aligner`` names; ``None`` where it names none.

    Args:
        settings: The settings.
        weights: Of the learned encoder in use, if there is one.

    Raises:
        ConfigError: It cannot be used: it is damaged, needs PyTorch, or hears with another encoder.
    """
    if not settings.scoring.aligner:
        return None
    folder = Path(settings.scoring.aligner)
    try:
        if folder.is_file() or read_config(folder).kind is not AlignerKind.COMPACT:
            raise ConfigError(
                f"scoring.aligner is {folder}, which needs PyTorch in the bot's own process. Train a compact one:"
                " python bot.py train aligner"
            )
        axes = AlignerAxes(load(folder))
    except ScoringError as error:
        raise ConfigError(f"scoring.aligner is {folder}. {error}") from None
    hears = weights.encoder_id if weights is not None else default_space().encoder_id
    if axes.encoder_id != hears:
        raise ConfigError(
            f"scoring.aligner is {folder}, which was trained on encoder {axes.encoder_id or 'that nobody named'}; with"
            f" scoring.encoder {settings.scoring.encoder} clips are heard by {hears}. Train it on that."
        )
    return axes


def chosen_encoder(settings: Settings) -> Weights | None:
    """Return what ``scoring.encoder`` asks for; ``None`` is the built-in features alone.

    Raises:
        ConfigError: There is no such encoder, it is not on this machine, or what it needs is not installed.
    """
    name = settings.scoring.encoder
    if name == BUILT_IN:
        return None
    try:
        if entry(name).role is not Role.ENCODER:
            raise ConfigError(f"scoring.encoder is {name}, which is a generator.")
        found = weights_of(ModelStore(models_folder(settings)), name)
    except UserError as error:
        raise ConfigError(f"scoring.encoder is {name}. {error}") from None
    missing = missing_packages()
    if missing:
        raise ConfigError(f"scoring.encoder is {name}, which needs {', '.join(missing)}. {INSTALL}")
    return found


def recipe_of(settings: Settings, name: str) -> Recipe:
    """Return what makes a generator.

    Args:
        settings: Say where it runs and how much at once.
        name: ``"composer"``, ``"remote"``, or a model of the catalogue.

    Raises:
        UserError: There is no such generator, it is not on this machine, or its licence was not agreed to.
    """
    generation = settings.generation
    if name == BUILT_IN_GENERATOR:
        fonts = settings.storage.data_dir / "soundfonts"
        return composer(
            renderer=generation.renderer,
            soundfont=generation.soundfont or (str(fonts) if fonts.is_dir() else ""),
            emotion=generation.emotion,
        )
    if name == REMOTE:
        return remote_recipe(generation.remote)
    known = entry(name)
    if known.role is not Role.GENERATOR:
        raise UserError(f"{known.name} is an encoder, no generator.")
    if not known.usable or known.loader not in LOADERS:
        raise UserError(f"This version cannot play {known.name}.")
    return replace(
        _recipe_of_model(settings, known),
        device=generation.device,
        batch=generation.batch,
        options=(
            ("memory", f"{generation.memory:g}"),
            ("threads", str(generation.workers or os.cpu_count() or 1)),
        ),
    )


def _recipe_of_model(settings: Settings, known: Entry) -> Recipe:
    store = ModelStore(models_folder(settings))
    if known.loader == AUDIOCRAFT:
        return audiocraft_recipe(store, settings.storage.data_dir, known.name)
    here = agreed_model(store, known.name)
    return Recipe(
        loader=known.loader,
        name=here.name,
        folder=str(store.path(here.name)),
        licence=here.licence,
        commercial=here.commercial,
    )


def remote_recipe(options: Mapping[str, Any]) -> Recipe:
    """Return what makes a generator of a server.

    Args:
        options: ``url``, and any of ``generation.remote.server.OPTIONS``; ``fields`` as JSON or as an object.

    Raises:
        UserError: There is no address, or an option is not known.
    """
    if not options.get("url"):
        raise UserError("Its server has no address: set generation.remote.url.")
    unknown = [name for name in options if name not in {"url", *OPTIONS}]
    if unknown:
        raise UserError(
            f"A remote generator has no option {unknown[0]!r}; there are url, {', '.join(OPTIONS)}."
        )
    return Recipe(
        loader=REMOTE,
        name=REMOTE,
        commercial=False,
        options=tuple(
            (name, value if isinstance(value, str) else json.dumps(value))
            for name, value in options.items()
        ),
    )


def offered_names(settings: Settings) -> tuple[str, ...]:
    """Return the generators that a run may choose, the default one first, by the names that their clips will tell."""
    generation = settings.generation
    return tuple(dict.fromkeys(_told(name) for name in (generation.generator, *generation.choices)))


def _told(name: str) -> str:
    """Return a model's name here where the settings have its name on the hub."""
    by_repo = {one.repo.lower(): one.name for one in catalogue().values()}
    return by_repo.get(name.lower(), name)


def chosen_generators(settings: Settings) -> Mapping[str, Recipe]:
    """Return the generators that the settings name, the default one first.

    Raises:
        ConfigError: One of them cannot be used; says why and what to do.
    """
    out: dict[str, Recipe] = {}
    for name in offered_names(settings):
        try:
            out[name] = recipe_of(settings, name)
        except UserError as error:
            raise ConfigError(
                f"generation.generator or generation.choices is {name}. {error}"
            ) from None
    return out
