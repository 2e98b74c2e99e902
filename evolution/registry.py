"""Makes a searcher from its name in the settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from domain.errors import ConfigError
from evolution.offline import OfflineBreeder
from evolution.searcher import Searcher

NAMES = ("offline",)


def create_searcher(
    name: str, *, seed: int, vibe: str = "", state: Mapping[str, Any] | None = None
) -> Searcher:
    """Make the searcher of a run.

    Args:
        name: One of ``NAMES``.
        seed: The run's seed; it decides everything that the state does not.
        vibe: What the run is about, in a person's words.
        state: What ``Searcher.state`` gave when the run was last saved.

    Raises:
        ConfigError: There is no searcher of that name.
    """
    if name == "offline":
        return OfflineBreeder(seed=seed, vibe=vibe, state=state)
    raise ConfigError(f'There is no searcher "{name}". Use one of: {", ".join(NAMES)}.')
