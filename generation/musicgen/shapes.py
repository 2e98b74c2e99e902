"""The shape of a MusicGen decoder, and what it costs in memory. Needs no torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from domain.errors import GenerationError

FRAME_RATE = 50
"""Codec frames of a second of sound."""
WINDOWS = (256, 512, 768, 1024, 1280, 1536, 1792, 2048)
"""Steps that room is made for, and that a graph looks back on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """Numbers of a decoder, as in the ``decoder`` section of a checkpoint's ``config.json``.

    Attributes:
        layers: Transformer layers.
        hidden: Width.
        heads: Attention heads; ``hidden`` is a multiple of it.
        feedforward: Width between the two linear maps of a layer.
        codebooks: Tokens of a frame; twice as many with two channels.
        vocabulary: Tokens of a codebook. One more, of the same number, is the padding.
        channels: 1, or 2 for the stereo models.
        positions: Steps that the model was trained for.
        melody: Steps of a melody that stand in front of every clip, with the prompt after them; 0 is a model that
            attends to its prompt instead.
    """

    layers: int
    hidden: int
    heads: int
    feedforward: int
    codebooks: int = 4
    vocabulary: int = 2048
    channels: int = 1
    positions: int = 2048
    melody: int = 0

    def __post_init__(self) -> None:
        numbers = (self.layers, self.hidden, self.heads, self.feedforward, self.codebooks)
        if min(*numbers, self.vocabulary) < 1 or self.hidden % self.heads or self.hidden % 2:
            raise GenerationError(
                f"{self} is no MusicGen decoder: its width must be even and a multiple of its heads."
            )
        if self.channels not in {1, 2} or self.codebooks % self.channels:
            raise GenerationError(f"{self} is no MusicGen decoder: it has 1 channel or 2.")

    @property
    def padding(self) -> int:
        """The token before the first frame of a codebook and after its last."""
        return self.vocabulary

    @property
    def delays(self) -> tuple[int, ...]:
        """Steps by which each codebook comes later than the first one; left and right come together."""
        return tuple(book // self.channels for book in range(self.codebooks))

    def steps(self, frames: int) -> int:
        """Return the steps that so many frames take."""
        return frames + max(self.delays)

    def front(self, text: int) -> int:
        """Return the steps in front of a clip whose prompt has ``text`` tokens."""
        return self.melody + text if self.melody else 0

    def room(self, frames: int, front: int = 0) -> int:
        """Return the steps that room is made for where so many frames are written after ``front`` steps."""
        steps = front + self.steps(frames)
        return next((size for size in WINDOWS if size > steps), self.positions)

    @classmethod
    def from_config(cls, config: Mapping[str, Any], *, melody: int = 0) -> Shape:
        """Read the ``decoder`` section of a checkpoint's configuration, and how long its melodies are.

        Raises:
            GenerationError: A number is missing or impossible; says which.
        """
        names = {
            "layers": "num_hidden_layers",
            "hidden": "hidden_size",
            "heads": "num_attention_heads",
            "feedforward": "ffn_dim",
            "codebooks": "num_codebooks",
            "vocabulary": "vocab_size",
        }
        values: dict[str, int] = {}
        for ours, theirs in names.items():
            value = config.get(theirs)
            if isinstance(value, bool) or not isinstance(value, int):
                raise GenerationError(f"decoder.{theirs} is {value!r} and not a whole number.")
            values[ours] = value
        if config.get("activation_function", "gelu") != "gelu" or config.get("scale_embedding"):
            raise GenerationError("The decoder is of another kind than MusicGen's.")
        return cls(
            **values,
            channels=int(config.get("audio_channels", 1)),
            positions=int(config.get("max_position_embeddings", 2048)),
            melody=melody,
        )


SMALL = Shape(layers=24, hidden=1024, heads=16, feedforward=4096)
MEDIUM = Shape(layers=48, hidden=1536, heads=24, feedforward=6144)
LARGE = Shape(layers=48, hidden=2048, heads=32, feedforward=8192)
MELODY = replace(MEDIUM, melody=235)
SHAPES: Mapping[str, Shape] = {
    "small": SMALL,
    "medium": MEDIUM,
    "large": LARGE,
    "melody": MELODY,
}
"""The released sizes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What a decoder costs, in bytes.

    Attributes:
        weights: All of them.
        clip: Keys and values of a clip, guidance included.
        step: What each step reads of the weights, whatever the size of the batch.
    """

    weights: int
    clip: int
    step: int


def cost(shape: Shape, frames: int, *, text: int = 64, width: int = 2, guided: bool = True) -> Cost:
    """Return what a decoder costs.

    Args:
        shape: Of the decoder.
        frames: Of a clip.
        text: Tokens of the prompt.
        width: Bytes of a number; 2 for bfloat16.
        guided: Whether every clip has a second, unconditional row.
    """
    hidden, heads = shape.hidden, shape.codebooks * shape.vocabulary * shape.hidden
    # Read at each step: self-attention 4 H^2, cross-attention's query and output 2 H^2, feed-forward 2 H F, norms 2 H.
    attends = 0 if shape.melody else 1
    layer = (4 + 2 * attends) * hidden * (hidden + 1) + 2 * hidden * shape.feedforward
    once = attends * shape.layers * 2 * hidden**2
    once += shape.codebooks * (shape.vocabulary + 1) * hidden
    rows = 2 if guided else 1
    room = shape.room(frames, shape.front(text))
    kept = 2 * shape.layers * hidden * (rows * room + attends * text)
    return Cost(
        weights=width * (shape.layers * layer + heads + once),
        clip=width * kept,
        step=width * (shape.layers * layer + heads),
    )
