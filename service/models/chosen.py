"""Which encoder the settings ask for, and whether it may and can be used."""

from __future__ import annotations

import json
from pathlib import Path

from domain.errors import ConfigError, UserError
from scoring.encoder import Kind, Weights
from scoring.encoders import BUILT_IN, INSTALL, missing_packages
from service.models.catalogue import Role, entry
from service.models.store import Installed, ModelStore
from service.settings import Settings, models_folder


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
