"""Prompts to sound: batches of clips that are alike, windows of clips that are long."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from generation.audio import Audio
from generation.musicgen.checkpoint import Model
from generation.musicgen.loop import (
    BUCKETS,
    Batch,
    Prompts,
    Stopped,
    bucket_of,
    least_rows,
    write,
)
from generation.musicgen.place import Places
from generation.musicgen.sampling import Sampling
from generation.musicgen.shapes import FRAME_RATE
from generation.musicgen.text import Said, TooLongError

WINDOW = 30 * FRAME_RATE
"""Frames that the released models were trained on."""
KEPT = 10 * FRAME_RATE
"""Frames of the window before that the next one goes on from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One clip to write.

    Attributes:
        said: What it should be.
        seed: In [0, 2**63).
        frames: Of the codec, 50 a second; those of ``begin`` are not counted.
        begin: (codebooks, frames) to go on from, or ``None``.
        melody: (moments, pitch classes) to follow, for models that can, or ``None``.
        part: Whether it is the first part of a longer clip, and to be the same as that one's to the last frame.
    """

    said: Said = field(compare=False)
    seed: int
    frames: int
    begin: Tensor | None = field(default=None, compare=False)
    melody: Tensor | None = field(default=None, compare=False)
    part: bool = False

    def written(self, delay: int) -> int:
        """Return the frames that are written, with codebooks that come up to ``delay`` steps later.

        The last frames of a clip are written while earlier codebooks have nothing more to say. In the middle of a clip
        they have, so a part is written as many frames longer, and they are cut off.
        """
        return self.frames + delay if self.part else self.frames


OnStep = Callable[[int, int], bool]
Written = Tensor | TooLongError
"""Codes (codebooks, frames), with those of ``begin`` in front; or why there are none."""


class Engine:
    """Writes clips with one model on one device.

    What a clip becomes depends on its order, the settings and ``bucket``, and on nothing else in its batch: batches are
    made of clips of one length, prompts are filled up to a fixed one, and a batch that is not full is filled up. What
    decides a clip's tokens is drawn step by step, so a longer clip begins with the shorter one of the same order.

    Args:
        model: Loaded.
        how: To sample.
        bucket: Clips of a batch, rounded up to one of ``loop.BUCKETS``. On processors whose numbers do not depend on
            the size of a batch (``least_rows``) it is not filled up beyond what that takes.
    """

    def __init__(self, model: Model, how: Sampling | None = None, *, bucket: int = 8) -> None:
        self.model = model
        self.how = how or Sampling()
        self.bucket = bucket_of(bucket)
        self._places = Places()

    def make_room(self) -> None:
        """Give up what is only kept to be quicker next time."""
        self._places = Places()

    @cached_property
    def _alike(self) -> int:
        """Clips from which on numbers do not depend on how many there are; on other devices than a CPU any may."""
        on_cpu = self.model.decoder.device.type == "cpu"
        return least_rows(self.model.decoder) if on_cpu else BUCKETS[-1]

    @property
    def _least(self) -> int:
        """Clips that a batch is filled up to; fewer once ``bucket`` had to be made smaller."""
        return min(self.bucket, self._alike)

    @property
    def _delay(self) -> int:
        return max(self.model.decoder.shape.delays)

    def write(self, orders: Sequence[Order], on_step: OnStep | None = None) -> list[Written]:
        """Write every order.

        Args:
            orders: Any number.
            on_step: Hears after each step how many are done and how many there are; ``False`` stops.

        Raises:
            Stopped: ``on_step`` said so.
        """
        out: dict[int, Written] = {}
        alike: defaultdict[tuple[int, int, int], list[int]] = defaultdict(list)
        for place, order in enumerate(orders):
            try:
                length = self.model.text.length(order.said)
            except TooLongError as error:
                out[place] = error
                continue
            begun = 0 if order.begin is None else order.begin.shape[1]
            alike[length, order.written(self._delay), begun].append(place)
        parts = [
            (length, places[start : start + self.bucket])
            for (length, _, _), places in alike.items()
            for start in range(0, len(places), self.bucket)
        ]
        for number, (length, places) in enumerate(parts):
            codes = self._part(
                [orders[place] for place in places], length, _share(on_step, number, len(parts))
            )
            for place, one in zip(places, codes, strict=True):
                extra = orders[place].written(self._delay) - orders[place].frames
                out[place] = one[:, : one.shape[1] - extra]
        return [out[place] for place in range(len(orders))]

    def _part(
        self, orders: Sequence[Order], length: int, on_step: OnStep | None
    ) -> Sequence[Tensor]:
        """Write orders of one length, window by window."""
        size = max(len(orders), self._least)
        filled = [*orders, *[orders[0]] * (size - len(orders))]
        prompts = self.model.text.prompts([order.said for order in filled], length)
        books, device = self.model.decoder.shape.codebooks, self.model.decoder.device
        nothing = torch.empty((books, 0), dtype=torch.long)
        codes = torch.stack(
            [(nothing if one.begin is None else one.begin).to(device) for one in filled]
        )
        windows = _windows(codes.shape[2], orders[0].written(self._delay))
        for number, new in enumerate(windows):
            begin = codes[:, :, -KEPT:]
            kept = begin.shape[2]
            share = _share(on_step, number, len(windows))
            batch = Batch(
                self.model.decoder,
                self._fronted(prompts, filled, codes.shape[2] - kept),
                seeds=[_seed(order.seed, number) for order in filled],
                frames=kept + new,
                how=self.how,
                begin=begin if kept else None,
                on_layer=_still(share),
                places=self._places,
            )
            more = write(batch, share)[:, :, kept:]
            self._places.keep(batch.place)
            del batch  # or its place would still be there while the next one is made
            codes = torch.cat([codes, more], dim=2)
        return list(codes[: len(orders)])

    def _fronted(self, prompts: Prompts, orders: Sequence[Order], first: int) -> Prompts:
        """Return prompts with what stands in front of a window that begins with the clips' frame ``first``."""
        if self.model.front is None:
            return prompts
        return self.model.front.before(prompts, [order.melody for order in orders], first)

    def sound(self, codes: Sequence[Tensor]) -> list[Audio]:
        """Return how codes of one length sound."""
        if not codes:
            return []
        size = 1 if self.model.decoder.device.type == "cpu" else self.bucket
        rate = self.model.codec.sample_rate
        out: list[Audio] = []
        for start in range(0, len(codes), size):
            part = torch.stack([*codes[start : start + size]])
            filled = torch.cat([part, part[:1].expand(max(0, size - len(part)), -1, -1)])
            sounds = self.model.codec.sound(filled)[: len(part)]
            out += [Audio(samples=one, sample_rate=rate) for one in sounds]
        return out


def _windows(begun: int, wanted: int) -> list[int]:
    """Return how many frames each window adds."""
    out: list[int] = []
    left, before = wanted, min(begun, KEPT)
    while left > 0:
        new = min(left, WINDOW - before)
        out.append(new)
        left -= new
        before = KEPT
    return out


def _seed(seed: int, window: int) -> int:
    """Return the seed of a clip's window; the first one has the clip's own."""
    if not window:
        return seed
    return int(np.random.SeedSequence([seed, window]).generate_state(1, np.uint64)[0] >> 1)


def _still(on_step: OnStep | None) -> Callable[[], None]:
    """Return what tells that nothing of a window is written yet."""

    def none_yet() -> None:
        if on_step is not None and not on_step(0, 1):
            raise Stopped

    return none_yet


def _share(on_step: OnStep | None, number: int, parts: int) -> OnStep | None:
    """Return ``on_step`` for part ``number`` of ``parts``, which counts on over all of them."""
    if on_step is None:
        return None

    def counted(done: int, steps: int) -> bool:
        return on_step(number * steps + done, parts * steps)

    return counted
