"""Encoders by name. PyTorch is imported only when one with learned weights is created."""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING

from domain.errors import ScoringError
from scoring.encoder import Encoder, Kind, Weights
from scoring.features import FeatureEncoder

if TYPE_CHECKING:
    from scoring.learned.clap import ClapEncoder

BUILT_IN = "features"
"""Name of the encoder that needs no weights."""
INSTALL = "Install them: pip install torch==2.13.0, then pip install 'tunebreeder[models]'."
NEEDS = ("torch", "transformers", "safetensors")


def create_encoder(weights: Weights | None = None, *, device: str = "auto") -> Encoder:
    """Create an encoder; with weights, in a process of its own and never on the event loop.

    Args:
        weights: What to load; ``None`` is the built-in encoder.
        device: Where it runs: ``"auto"``, ``"cpu"`` or a GPU's name.

    Raises:
        ScoringError: PyTorch or transformers is not installed, or the weights cannot be used; says why.
    """
    if weights is None:
        return FeatureEncoder()
    if weights.kind is Kind.CLAP:
        return create_clap(weights, device=device)
    _prepare(weights)
    from scoring.learned import networks  # noqa: PLC0415 - PyTorch only where it is needed
    from scoring.learned.waves import Runtime  # noqa: PLC0415

    load = networks.load_mert if weights.kind is Kind.MERT else networks.load_hub
    return load(weights, Runtime.named(device))


def create_clap(weights: Weights, *, device: str = "auto") -> ClapEncoder:
    """Create a CLAP encoder, which also embeds texts; else as ``create_encoder``."""
    _prepare(weights)
    from scoring.learned.clap import load_clap  # noqa: PLC0415 - PyTorch only where it is needed
    from scoring.learned.waves import Runtime  # noqa: PLC0415

    return load_clap(weights, Runtime.named(device))


def missing_packages() -> tuple[str, ...]:
    """Return what learned encoders need and what is not installed."""
    return tuple(name for name in NEEDS if importlib.util.find_spec(name) is None)


def _prepare(weights: Weights) -> None:
    """Check what can be checked before PyTorch is imported, which takes seconds."""
    if not (weights.folder / "config.json").is_file():
        message = f"There is no model in {weights.folder}: config.json is missing. Fetch it again."
        raise ScoringError(message)
    missing = missing_packages()
    if missing:
        raise ScoringError(f"This encoder needs {', '.join(missing)}. {INSTALL}")
