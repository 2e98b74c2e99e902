"""Mends long words with one mistake: a letter too many, too few, wrong, or two that changed places.

Two words at most one edit apart share what is left when one letter is taken out of either (Garbe's symmetric delete
index), so that a lookup costs a dozen dictionary reads however large the vocabulary is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

_TAILS = "yrsd"
"""Endings that make another word rather than mend one: glass and glassy, stone and stoner."""

SHORTEST = 5
"""Letters of the shortest word that is mended or mended to; one of the two has at least one more."""


def index_of(words: Iterable[str]) -> Mapping[str, tuple[str, ...]]:
    """Return the words by themselves and by what is left of them without one letter."""
    out: dict[str, list[str]] = {}
    for word in words:
        for key in {word, *_shortened(word)}:
            out.setdefault(key, []).append(word)
    return {key: tuple(sorted(found)) for key, found in out.items()}


def mended(word: str, index: Mapping[str, tuple[str, ...]]) -> str | None:
    """Return the one word of ``index`` that ``word`` is misspelt from, or ``None``.

    The first letter is never wrong, and where several words fit, the one of the same length counts.
    """
    if len(word) < SHORTEST or not word.isalpha():
        return None
    found: dict[str, None] = {}
    for key in (word, *_shortened(word)):
        for other in index.get(key, ()):
            long = max(len(word), len(other)) > SHORTEST
            tail = other[:-1] == word and other[-1] in _TAILS
            if long and not tail and other[0] == word[0] and _one_edit(word, other):
                found[other] = None
    if not found:
        return None
    ranked = sorted(found, key=lambda other: (abs(len(other) - len(word)), other))
    return ranked[0]


def _shortened(word: str) -> Iterator[str]:
    return (word[:place] + word[place + 1 :] for place in range(len(word)))


def _one_edit(first: str, second: str) -> bool:
    """Say whether one letter added, left out, changed or swapped with the next turns one word into the other."""
    if first == second:
        return False
    if len(first) > len(second):
        first, second = second, first
    start = 0
    while start < len(first) and first[start] == second[start]:
        start += 1
    if len(second) - len(first) == 1:
        return first[start:] == second[start + 1 :]
    if len(first) != len(second):
        return False
    swapped = first[start : start + 2] == second[start : start + 2][::-1]
    return first[start + 1 :] == second[start + 1 :] or (
        swapped and first[start + 2 :] == second[start + 2 :]
    )
