"""Checkpoints of a training: one file of safetensors, written beside and moved into place; nothing is pickled."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from domain.errors import UserError

FILE = "progress.safetensors"
_MOMENTS = ("exp_avg", "exp_avg_sq", "step")


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a checkpoint holds besides the weights that were put back.

    Attributes:
        state: As it was given to ``save``.
        best: The best weights so far.
    """

    state: dict[str, Any]
    best: dict[str, Tensor]


class Progress:
    """The checkpoint in a folder.

    Args:
        folder: Where it lies.
        about: Everything that the training depends on: another training's checkpoint is refused.
    """

    def __init__(self, folder: Path, about: Mapping[str, Any]) -> None:
        self._file = folder / FILE
        self._about = json.dumps(about, sort_keys=True)

    def save(
        self,
        network: nn.Module,
        optimiser: torch.optim.Optimizer,
        best: Mapping[str, Tensor],
        state: Mapping[str, Any],
    ) -> None:
        """Write everything that is needed to go on."""
        tensors = {f"now.{name}": one for name, one in network.state_dict().items()}
        tensors |= {f"best.{name}": one for name, one in best.items()}
        for name, parameter in network.named_parameters():
            for moment in _MOMENTS:
                tensors[f"{moment}.{name}"] = optimiser.state[parameter][moment]
        self._file.parent.mkdir(parents=True, exist_ok=True)
        beside = self._file.with_suffix(".new")
        contiguous = {name: one.detach().cpu().contiguous() for name, one in tensors.items()}
        save_file(contiguous, beside, {"about": self._about, "state": json.dumps(state)})
        beside.replace(self._file)

    def load(self, network: nn.Module, optimiser: torch.optim.Optimizer) -> Found | None:
        """Put a checkpoint back into a network and its optimiser; nothing where there is none.

        Raises:
            UserError: It belongs to another training, or is damaged.
        """
        if not self._file.is_file():
            return None
        try:
            with safe_open(self._file, framework="pt") as content:
                notes = content.metadata() or {}
                tensors = {name: content.get_tensor(name) for name in content.keys()}  # noqa: SIM118 - not a mapping
            state, about = json.loads(notes["state"]), notes["about"]
        except (OSError, SafetensorError, ValueError, KeyError) as error:
            raise UserError(
                f"{self._file} cannot be read ({error}). Delete it to begin again."
            ) from None
        if about != self._about:
            raise UserError(
                f"{self._file} belongs to a training with other settings or data. Delete it or choose another folder."
            )
        network.load_state_dict(_part(tensors, "now."))
        for name, parameter in network.named_parameters():
            optimiser.state[parameter] = {m: tensors[f"{m}.{name}"] for m in _MOMENTS}
            for m in ("exp_avg", "exp_avg_sq"):
                optimiser.state[parameter][m] = optimiser.state[parameter][m].to(parameter.device)
        return Found(state=state, best=_part(tensors, "best."))

    def clear(self) -> None:
        """Take the checkpoint away: the training is finished."""
        self._file.unlink(missing_ok=True)


def _part(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {
        name.removeprefix(prefix): one for name, one in tensors.items() if name.startswith(prefix)
    }
