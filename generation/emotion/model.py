"""A trained emotion model: loaded from a folder, asked for descriptions that always obey the grammar."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from domain.errors import GenerationError
from domain.features import Features
from generation.emotion.inputs import vector
from generation.emotion.lexicon import (
    BINS,
    ORDINAL,
    Grammar,
    Kind,
    lexicon,
)
from generation.emotion.networks import SequenceModel, Transformer

FORMAT = 1
CONFIG, WEIGHTS = "emotion.json", "emotion.safetensors"
ROUTES = ("lstm", "transformer")
"""``lstm``: five specialised models whose answers are put together bar by bar. ``transformer``: one model for all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """Size of the networks.

    Attributes:
        route: One of ``ROUTES``.
        width: Of hidden states and tokens.
        layers: Of each network.
        heads: Of the Transformer.
        longest: Tokens that the Transformer can read.
    """

    route: str = "lstm"
    width: int = 96
    layers: int = 2
    heads: int = 4
    longest: int = 1024


def build(shape: Shape) -> nn.ModuleDict:
    """Build untrained networks: one for each ordinal kind and ``"words"``, or only ``"words"``.

    Raises:
        GenerationError: The route is unknown.
    """
    if shape.route not in ROUTES:
        raise GenerationError(
            f"There is no route {shape.route!r}. Choose one of {', '.join(ROUTES)}."
        )
    symbols = len(lexicon().tokens)
    if shape.route == "transformer":
        whole = Transformer(symbols, shape.width, shape.heads, shape.layers, shape.longest)
        return nn.ModuleDict({"words": whole})
    parts: dict[str, nn.Module] = {
        kind.name.lower(): SequenceModel(BINS, shape.width, shape.layers) for kind in ORDINAL
    }
    parts["words"] = SequenceModel(symbols, shape.width, shape.layers)
    return nn.ModuleDict(parts)


class EmotionModel:
    """Writes descriptions from features.

    Args:
        networks: As ``build`` makes them.
        shape: Their size.
        card: What is told about the training: data, metrics, date.
    """

    def __init__(self, networks: nn.ModuleDict, shape: Shape, card: Mapping[str, Any]) -> None:
        self.networks = networks.eval()
        self.shape = shape
        self.card = dict(card)

    @property
    def fingerprint(self) -> str:
        """Eight hexadecimal digits that another model will not have."""
        total = hashlib.sha256()
        for name, weights in sorted(self.networks.state_dict().items()):
            total.update(name.encode())
            total.update(weights.contiguous().numpy().tobytes())
        return total.hexdigest()[:8]

    def save(self, folder: Path) -> None:
        """Write weights and configuration into ``folder``, which is made when it is not there."""
        folder.mkdir(parents=True, exist_ok=True)
        config = {
            "format": FORMAT,
            "shape": {name: getattr(self.shape, name) for name in Shape.__slots__},
            "vocabulary": len(lexicon().tokens),
            "card": self.card,
        }
        save_file(dict(self.networks.state_dict()), folder / WEIGHTS)
        text = json.dumps(config, indent=1, ensure_ascii=False)
        (folder / CONFIG).write_text(text + "\n", encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> EmotionModel:
        """Read what ``save`` wrote.

        Raises:
            GenerationError: It is not there, not such a model, or of another vocabulary; nothing is ever unpickled.
        """
        try:
            config = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
            shape = Shape(**config["shape"])
            card = config["card"]
            fits = config["format"] == FORMAT and config["vocabulary"] == len(lexicon().tokens)
        except OSError as error:
            raise GenerationError(
                f"There is no emotion model in {folder}: {error.strerror}."
            ) from None
        except (ValueError, KeyError, TypeError) as error:
            raise GenerationError(
                f"{folder / CONFIG} is not an emotion model's ({error})."
            ) from None
        if not fits:
            raise GenerationError(f"{folder} holds a model of another version. Train it again.")
        networks = build(shape)
        try:
            networks.load_state_dict(load_file(folder / WEIGHTS))
        except (OSError, SafetensorError, RuntimeError, ValueError) as error:
            reason = str(error).splitlines()[0]
            raise GenerationError(f"{folder / WEIGHTS} cannot be read: {reason}") from None
        return cls(networks, shape, card)

    @torch.inference_mode()
    def write(
        self, features: Features, *, bars: int, metre: str, seed: int, temperature: float = 0.8
    ) -> list[str]:
        """Write a description as tokens, obeying the grammar.

        Args:
            features: What it should express.
            bars: How many, at least 1.
            metre: Such as ``"4/4"``.
            seed: Another seed is another description.
            temperature: Above 0; the lower, the likelier its first choice.

        Raises:
            GenerationError: So many bars or such a metre cannot be written.
        """
        words = lexicon()
        try:
            fixed = words.number(f"Time Signature_{metre}")
            words.number(f"Bar_{bars}")
        except KeyError:
            raise GenerationError(f"{bars} bars of {metre} cannot be written.") from None
        source = _Source(features, seed, temperature)
        if self.shape.route == "transformer":
            numbers = self._whole(source, bars, fixed)
        else:
            numbers = self._recombined(source, bars, fixed)
        return [words.tokens[n] for n in numbers[:-1]]

    def _whole(self, source: _Source, bars: int, metre: int) -> list[int]:
        network = self.networks["words"]
        longest = self.shape.longest
        return _decode(bars, metre, lambda taken: source.draw_from(network, taken, longest))

    def _recombined(self, source: _Source, bars: int, metre: int) -> list[int]:
        """Let every specialised model write its own line, then put the lines together bar by bar."""
        words = lexicon()
        lines = {kind: source.line(self.networks[kind.name.lower()], bars) for kind in ORDINAL}
        network = self.networks["words"]
        bins = {kind: words.of(kind) for kind in ORDINAL}
        own = frozenset(n for n, kind in enumerate(words.kinds) if kind in ORDINAL)

        def draw(taken: Sequence[int]) -> Callable[[Sequence[int]], int]:
            def choose(allowed: Sequence[int]) -> int:
                kind = words.kinds[allowed[0]]
                if kind in ORDINAL:
                    bar = sum(words.kinds[n] is Kind.BAR for n in taken) - 1
                    return bins[kind][lines[kind][bar]]
                # The words' model never reads the numbers: it was trained without them.
                return source.draw_from(network, [n for n in taken if n not in own])(allowed)

            return choose

        return _decode(bars, metre, draw)


def _decode(
    bars: int, metre: int, draw: Callable[[Sequence[int]], Callable[[Sequence[int]], int]]
) -> list[int]:
    grammar = Grammar(bars, metre)
    taken: list[int] = []
    while not grammar.finished:
        allowed = grammar.allowed()
        number = allowed[0] if len(allowed) == 1 else draw(taken)(allowed)
        grammar.take(number)
        taken.append(number)
    return taken


class _Source:
    """Draws symbols from networks, for one set of features."""

    def __init__(self, features: Features, seed: int, temperature: float) -> None:
        self._features = torch.tensor([vector(features)], dtype=torch.float32)
        self._chance = torch.Generator().manual_seed(seed)
        self._temperature = max(temperature, 1e-3)

    def _draw(self, logits: Tensor) -> int:
        share = torch.softmax(logits / self._temperature, dim=0)
        return int(torch.multinomial(share, 1, generator=self._chance))

    def draw_from(
        self, network: nn.Module, taken: Sequence[int], longest: int | None = None
    ) -> Callable[[Sequence[int]], int]:
        """Return a function that draws the next symbol among those allowed."""
        start = network.start
        before = [start, *(int(n) for n in taken)]
        if longest is not None:
            before = before[-longest:]

        def choose(allowed: Sequence[int]) -> int:
            logits = network(self._features, torch.tensor([before]))[0, -1]
            return allowed[self._draw(logits[list(allowed)])]

        return choose

    def line(self, network: nn.Module, bars: int) -> list[int]:
        """Return one bin for each bar."""
        out: list[int] = []
        for _ in range(bars):
            before = torch.tensor([[network.start, *out]])
            out.append(self._draw(network(self._features, before)[0, -1]))
        return out
