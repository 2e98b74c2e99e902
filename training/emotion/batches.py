"""Examples as padded batches, with soft labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from generation.emotion.inputs import vector
from generation.emotion.lexicon import BINS, ORDINAL, Kind, lexicon
from training.emotion.songs import Example

NOTHING = -1
"""Target of padding: never a label, never counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """One batch.

    Attributes:
        features: (batch, inputs.SIZE).
        before: (batch, time): what the network reads, beginning with its start symbol.
        after: (batch, time): what it should say, or ``NOTHING``.
    """

    features: Tensor
    before: Tensor
    after: Tensor


def lines(example: Example, part: str) -> list[int]:
    """Return what a network learns of an example.

    Args:
        example: Any.
        part: An ordinal kind's name in small letters, for its bins bar by bar; ``"words"``, for every token that is
            not ordinal; ``"all"``, for every token.
    """
    words = lexicon()
    if part == "all":
        return list(example.tokens)
    if part == "words":
        return [n for n in example.tokens if words.kinds[n] not in ORDINAL]
    bins = {n: place for place, n in enumerate(words.of(Kind[part.upper()]))}
    return [bins[n] for n in example.tokens if n in bins]


def batch(rows: Sequence[tuple[Example, Sequence[int]]], start: int) -> Batch:
    """Pad rows to a batch; ``start`` is the network's start symbol."""
    longest = max(len(line) for _, line in rows)
    before = torch.full((len(rows), longest), start, dtype=torch.long)
    after = torch.full((len(rows), longest), NOTHING, dtype=torch.long)
    for place, (_, line) in enumerate(rows):
        numbers = torch.tensor(list(line), dtype=torch.long)
        before[place, 1 : len(line)] = numbers[:-1]
        after[place, : len(line)] = numbers
    features = torch.tensor([vector(example.features) for example, _ in rows])
    return Batch(features=features, before=before, after=after)


def soft_labels(symbols: int, groups: Sequence[Sequence[int]], sigma: float) -> Tensor:
    """Return the distribution that stands for each right answer.

    The neighbours of an ordinal answer get a share by a Gaussian over the distance in bins, cut off and normalised
    within their own kind: no bin leaks into padding, another kind or round the end. All other answers stay sharp.

    Args:
        symbols: How many there are.
        groups: The symbols of each ordinal kind, in order of their value.
        sigma: Width in bins; 0 keeps every answer sharp.

    Returns:
        (symbols, symbols), rows summing to 1.
    """
    table = torch.eye(symbols)
    if sigma <= 0:
        return table
    for group in groups:
        places = torch.arange(len(group), dtype=torch.float32)
        share = torch.exp(-((places[:, None] - places[None, :]) ** 2) / (2 * sigma**2))
        share[share < 1e-3] = 0.0
        index = torch.tensor(list(group))
        table[index[:, None], index[None, :]] = share / share.sum(dim=1, keepdim=True)
    return table


def labels_for(part: str, symbols: int, sigma: float) -> Tensor:
    """Return the soft labels of a network, see ``lines`` for ``part``."""
    words = lexicon()
    if part == "all":
        return soft_labels(symbols, [words.of(kind) for kind in ORDINAL], sigma)
    if part == "words":
        return soft_labels(symbols, [], sigma)
    return soft_labels(BINS, [range(BINS)], sigma)
