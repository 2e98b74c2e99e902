"""Makes a searcher from its name in the settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from domain.errors import ConfigError
from evolution.language.auto import MIXES, LanguageSearcher
from evolution.language.kit import LanguageKit
from evolution.numeric.searcher import NO_STATES, SEARCHES, NumericSearcher
from evolution.numeric.spaces import TOKENS
from evolution.numeric.states import StateTable
from evolution.offline import OfflineBreeder
from evolution.searcher import Searcher

NAMES = ("offline", *MIXES, *SEARCHES)


def create_searcher(
    name: str,
    *,
    seed: int,
    vibe: str = "",
    state: Mapping[str, Any] | None = None,
    kit: LanguageKit | None = None,
    table: StateTable | None = None,
) -> Searcher:
    """Make the searcher of a run.

    Args:
        name: One of ``NAMES``.
        seed: The run's seed; it decides everything that the state does not.
        vibe: What the run is about, in a person's words.
        state: What ``Searcher.state`` gave when the run was last saved, by a searcher of any name.
        kit: The language model of those that ask one, and what it is told; without one the offline breeder stands in
            and says so.
        table: What searches over embeddings search: states of the run's generator.

    Raises:
        ConfigError: There is no searcher of that name, or no table for one that needs it.
    """
    if name == "offline":
        state = state.get("offline", state) if state else state
        return OfflineBreeder(seed=seed, vibe=vibe, state=state)
    if name in MIXES:
        return LanguageSearcher(name, seed=seed, vibe=vibe, state=state, kit=kit)
    if name in SEARCHES:
        return NumericSearcher(name, seed=seed, vibe=vibe, state=state, table=table)
    raise ConfigError(f'There is no searcher "{name}". Use one of: {", ".join(NAMES)}.')


def searches_embeddings(name: str) -> bool:
    """Whether a searcher needs a generator that takes embeddings in place of words."""
    return name in SEARCHES and SEARCHES[name][1] == TOKENS


def unfit(name: str, *, embeds: bool) -> str:
    """Return why a searcher cannot breed for a generator, in a sentence; ``""`` where it can.

    Args:
        name: One of ``NAMES``.
        embeds: Whether the generator takes embeddings in place of words.
    """
    return NO_STATES.format(name=name) if searches_embeddings(name) and not embeds else ""


def note_of(state: Mapping[str, Any] | None) -> str:
    """Return the note in a saved state: what a model noted of what the herd likes; data, often empty."""
    return str(state.get("note", "")) if state else ""
