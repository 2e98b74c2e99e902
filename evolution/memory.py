"""Remembers which prompts a run has had, so that none comes twice."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from functools import lru_cache

from prompts.text import STOP, tokenise

MAX_REMEMBERED = 20_000
"""Older prompts are forgotten: at 12 a round that is more than 1,600 rounds."""


class PromptMemory:
    """Fingerprints of prompts in the order they came."""

    def __init__(self, fingerprints: Iterable[str] = ()) -> None:
        self._known = dict.fromkeys(fingerprints)

    def __contains__(self, prompt: object) -> bool:
        return isinstance(prompt, str) and fingerprint(prompt) in self._known

    def add(self, prompt: str) -> None:
        """Remember ``prompt``."""
        self._known[fingerprint(prompt)] = None
        while len(self._known) > MAX_REMEMBERED:
            del self._known[next(iter(self._known))]

    def to_json(self) -> list[str]:
        """Return what the constructor takes."""
        return list(self._known)


@lru_cache(maxsize=4096)
def fingerprint(prompt: str) -> str:
    """Return a short hash of ``prompt`` that case, accents, spacing and punctuation do not change."""
    words = " ".join(token.word for token in tokenise(prompt) if token is not STOP)
    return hashlib.blake2b((words or prompt).encode(), digest_size=8).hexdigest()
