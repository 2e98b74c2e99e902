"""Where a batch lies on its device. One that is done leaves its place, with the steps captured there, to the next."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor

from generation.musicgen.decoder import Decoder, Memory
from generation.musicgen.sampling import Sampling

KEPT = 1 / 16
"""Of a GPU's memory that is this process's, for a place that waits for the next batch; a larger one is given up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What two batches have in common that can lie in the same place, one after the other.

    Attributes:
        decoder: Who writes them.
        how: They are sampled.
        told: Rows with a prompt.
        tokens: Of each prompt.
        room: Steps that there is room for, those in front included.
        front: Steps in front of the clips.
    """

    decoder: Decoder
    how: Sampling
    told: int
    tokens: int
    room: int
    front: int

    @property
    def rows(self) -> int:
        """Rows with and without a prompt."""
        return 2 * self.told if self.how.guided else self.told


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Place:
    """Tensors that are only ever changed in place, so that a captured step finds them again.

    Attributes:
        plan: What lies there.
        memory: Keys and values.
        codes: (told rows, codebooks, room) tokens by step.
        forced: Tokens that are not drawn, -1 where they are; of the same shape.
        chance: (room, told rows, codebooks) numbers in [0, 1) that decide the tokens.
        at: (1,) step that is written next.
        counted: (room,) steps from 0.
        graphs: What runs a step, by the window that it looks back on.
    """

    plan: Plan
    memory: Memory
    codes: Tensor
    forced: Tensor
    chance: Tensor
    at: Tensor
    counted: Tensor
    graphs: dict[int, Callable[[], object]] = field(default_factory=dict)

    @classmethod
    def made(cls, plan: Plan) -> Place:
        """Make room on the decoder's device."""
        shape, device = plan.decoder.shape, plan.decoder.device
        codes = torch.empty(
            (plan.told, shape.codebooks, plan.room), dtype=torch.long, device=device
        )
        return cls(
            plan=plan,
            memory=plan.decoder.memory(
                plan.told, plan.tokens, rows=plan.rows, room=plan.room, front=plan.front
            ),
            codes=codes,
            forced=torch.empty_like(codes),
            chance=torch.empty((plan.room, plan.told, shape.codebooks), device=device),
            at=torch.zeros((1,), dtype=torch.long, device=device),
            counted=torch.arange(plan.room, device=device),
        )


class Places:
    """Keeps the place of the last batch for the next one."""

    def __init__(self) -> None:
        self._kept: Place | None = None

    def take(self, plan: Plan) -> Place:
        """Return the place that is kept, or another one when the plan is another; then what was kept is given up."""
        place, self._kept = self._kept, None
        if place is not None and place.plan == plan:
            return place
        del place  # before there is another: both may be too much
        return Place.made(plan)

    def keep(self, place: Place) -> None:
        """Keep the place of a batch that is done, where steps are captured and it takes not too much."""
        device = place.at.device
        if device.type != "cuda":
            return
        whole = torch.cuda.get_device_properties(device).total_memory
        ours = whole * torch.cuda.get_per_process_memory_fraction(device)
        if place.memory.nbytes <= KEPT * ours:
            self._kept = place
