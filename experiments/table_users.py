"""Listeners of an experiment out of an aligner's table: people of a listening log, as the aligner knows them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np

from bench.taste_bank import shipped_clips
from domain.errors import ConfigError, ScoringError
from experiments.sounds import Doubles, Sound
from scoring.aligner.folder import CONFIG, WEIGHTS, load
from scoring.aligner.listeners import TableListener, table_listeners
from scoring.aligner.protocol import Aligner
from scoring.space import default_space


class TableMind:
    """What a user of the table thinks: the aligner's log odds, moved so that they like a given share of all music."""

    def __init__(self, user: TableListener, aligner: Aligner) -> None:
        self._user = user
        self.name = f"user {user.row}"
        self.words = f"user {user.row} of aligner {aligner.info.id}"

    def odds(self, sounds: Sequence[Sound], progress: float) -> Doubles:
        """Return the log odds (n,) that clips are liked; they do not change with ``progress``."""
        del progress
        chance = self._user.probabilities(np.stack([sound.embedding for sound in sounds]))
        safe = np.clip(chance, 1e-9, 1.0 - 1e-9)
        return np.asarray(np.log(safe) - np.log1p(-safe))


def table_minds(
    folder: str, rows: Sequence[int | None], rate: float, rng: np.random.Generator
) -> list[TableMind]:
    """Return users of an aligner's table.

    Args:
        folder: Of the aligner.
        rows: Which rows; ``None`` has one drawn.
        rate: Share of the bench's clips that each of them likes.
        rng: Draws.

    Raises:
        ConfigError: The aligner cannot be used, or has no such row.
    """
    aligner = aligner_of(folder)
    if not aligner.info.users:
        raise ConfigError(f"The aligner {folder} knows no users, so none of them can listen.")
    order = [int(row) for row in rng.permutation(aligner.info.users)]
    free = iter(order * (1 + len(rows) // len(order)))
    chosen = [next(free) if row is None else row for row in rows]
    try:
        users = table_listeners(aligner, chosen, shipped_clips().embeddings, base_rate=rate)
    except ScoringError as error:
        raise ConfigError(f"Listeners of the aligner {folder}: {error}") from None
    return [TableMind(user, aligner) for user in users]


@lru_cache(maxsize=4)
def aligner_of(folder: str) -> Aligner:
    """Return an aligner that hears as the built-in encoder does.

    Raises:
        ConfigError: It is not there, damaged, or trained on another encoder.
    """
    try:
        aligner = load(Path(folder))
    except ScoringError as error:
        raise ConfigError(f"Listeners of the aligner {folder}: {error}") from None
    wanted = default_space().encoder_id
    if aligner.info.encoder_id != wanted:
        named = aligner.info.encoder_id or "that nobody named"
        raise ConfigError(
            f"Listeners of the aligner {folder}: it was trained on encoder {named}, and experiments measure clips by"
            f" {wanted}. Train it on that."
        )
    return aligner


def fingerprint(folder: str) -> str:
    """Return what changes with an aligner, so that runs with another one are done again; ``""`` where none is there."""
    total = hashlib.blake2b(digest_size=8)
    path = Path(folder)
    for file in (path,) if path.is_file() else (path / CONFIG, path / WEIGHTS):
        if not file.is_file():
            return ""
        total.update(file.read_bytes())
    return total.hexdigest()
