"""The training loop: soft labels, early stop on unseen songs, a checkpoint after every epoch, and honest metrics."""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from domain.errors import UserError
from generation.emotion.lexicon import ORDINAL
from generation.emotion.model import EmotionModel, Shape, build
from training.emotion.batches import NOTHING, Batch, batch, labels_for, lines
from training.emotion.songs import Example

Say = Callable[[str], None]
PROGRESS = "progress.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How to train.

    Attributes:
        epochs: At most so many passes over the songs.
        batch: Examples of a step.
        rate: Learning rate of AdamW.
        sigma: Width of soft labels in bins.
        patience: Epochs without a better validation loss before it stops.
        seed: Of weights and order.
        threads: CPU threads.
    """

    epochs: int = 40
    batch: int = 32
    rate: float = 2e-3
    sigma: float = 1.0
    patience: int = 5
    seed: int = 0
    threads: int = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Metrics:
    """How well a network says what comes next, given what came before; padding is never counted.

    Attributes:
        loss: Cross-entropy to the soft labels, nats for each symbol.
        kl: Kullback-Leibler divergence from the soft labels to what it says, nats.
        accuracy: Share of symbols whose likeliest answer is right.
        near: Share where it is at most one bin away; equals ``accuracy`` for words.
        majority: What always naming the commonest symbol would reach: the figure to beat.
        symbols: How many were counted.
    """

    loss: float
    kl: float
    accuracy: float
    near: float
    majority: float
    symbols: int


def train(
    training: Sequence[Example],
    validation: Sequence[Example],
    *,
    shape: Shape,
    plan: Plan,
    folder: Path,
    say: Say,
) -> EmotionModel:
    """Train every network of a route and save the model into ``folder``.

    A run that was interrupted goes on with the network that it was at.

    Raises:
        UserError: There are no songs on one side, or ``folder`` holds another training's progress, or damaged one.
    """
    if not training or not validation:
        raise UserError(
            f"{len(training)} examples to learn from and {len(validation)} to check on are too few: bring more songs."
        )
    torch.manual_seed(plan.seed)
    torch.set_num_threads(plan.threads)
    networks = build(shape)
    progress = _Progress(
        folder, {"shape": asdict(shape), "plan": asdict(plan), "examples": len(training)}
    )
    metrics: dict[str, Any] = {}
    for part, network in networks.items():
        what = "all" if shape.route == "transformer" else part
        metrics[part] = progress.done(part, network)
        if metrics[part] is None:
            learner = _Learner(network, what, plan)
            best = learner.fit(training, validation, functools.partial(_say_of, say, part))
            metrics[part] = asdict(best)
            progress.finish(part, network, metrics[part])
    card = {
        "data": {
            "examples": len(training) + len(validation),
            "songs": len({one.song for one in (*training, *validation)}),
            "validation": len(validation),
        },
        "plan": asdict(plan),
        "metrics": metrics,
        "parameters": sum(p.numel() for p in networks.parameters()),
    }
    model = EmotionModel(networks, shape, card)
    model.save(folder)
    progress.clear()
    return model


def _say_of(say: Say, part: str, text: str) -> None:
    say(f"{part}: {text}")


class _Progress:
    """Finished networks of a training that goes on."""

    def __init__(self, folder: Path, about: dict[str, Any]) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / PROGRESS
        self._state: dict[str, Any] = {"about": about, "done": {}}
        if path.is_file():
            try:
                found = json.loads(path.read_text(encoding="utf-8"))
                same = found["about"] == about and isinstance(found["done"], dict)
            except (OSError, ValueError, KeyError, TypeError) as error:
                raise UserError(
                    f"{path} cannot be read ({error}). Delete it to begin again."
                ) from None
            if not same:
                raise UserError(
                    f"{path} belongs to a training with other settings or songs. Delete it or choose another folder."
                )
            self._state = found

    def _weights(self, part: str) -> Path:
        return self._folder / f"{part}.partial.safetensors"

    def done(self, part: str, network: nn.Module) -> dict[str, Any] | None:
        metrics = self._state["done"].get(part)
        if metrics is None:
            return None
        try:
            network.load_state_dict(load_file(self._weights(part)))
        except (OSError, SafetensorError, RuntimeError) as error:
            reason = str(error).splitlines()[0]
            raise UserError(
                f"{self._weights(part)} cannot be read ({reason}). Delete {PROGRESS} beside it to begin again."
            ) from None
        return dict(metrics)

    def finish(self, part: str, network: nn.Module, metrics: dict[str, Any]) -> None:
        save_file(dict(network.state_dict()), self._weights(part))
        self._state["done"][part] = metrics
        # At once, so that a training that is killed here leaves the file as it was.
        beside = (self._folder / PROGRESS).with_suffix(".new")
        beside.write_text(json.dumps(self._state), encoding="utf-8")
        beside.replace(self._folder / PROGRESS)

    def clear(self) -> None:
        for part in self._state["done"]:
            self._weights(part).unlink(missing_ok=True)
        (self._folder / PROGRESS).unlink(missing_ok=True)


class _Learner:
    """Trains one network."""

    def __init__(self, network: nn.Module, part: str, plan: Plan) -> None:
        self._network = network
        self._part = part
        self._plan = plan
        self._start = int(network.start)  # type: ignore[arg-type]  # an attribute of both networks
        self._labels = labels_for(part, self._start, plan.sigma)
        self._order = torch.Generator().manual_seed(plan.seed)

    def fit(self, training: Sequence[Example], validation: Sequence[Example], say: Say) -> Metrics:
        """Train until the validation loss rises; leave the best weights in the network."""
        rows = self._rows(training)
        checks = self._batches(self._rows(validation), shuffled=False)
        optimiser = torch.optim.AdamW(
            self._network.parameters(), lr=self._plan.rate, weight_decay=0.01
        )
        best, kept, waited = None, None, 0
        for epoch in range(1, self._plan.epochs + 1):
            self._network.train()
            for one in self._batches(rows, shuffled=True):
                optimiser.zero_grad()
                self._loss(one).backward()  # type: ignore[no-untyped-call]
                nn.utils.clip_grad_norm_(self._network.parameters(), 1.0)
                optimiser.step()
            now = self.measure(checks)
            say(
                f"epoch {epoch}: loss {now.loss:.3f}, right {now.accuracy:.1%} (always the commonest: "
                f"{now.majority:.1%}), KL {now.kl:.3f}"
            )
            if best is None or now.loss < best.loss:
                best, waited = now, 0
                kept = {k: v.clone() for k, v in self._network.state_dict().items()}
            else:
                waited += 1
                if waited >= self._plan.patience:
                    break
        if best is None or kept is None:
            raise UserError("epochs must be at least 1.")
        self._network.load_state_dict(kept)
        return best

    def _rows(self, examples: Sequence[Example]) -> list[tuple[Example, list[int]]]:
        longest = int(getattr(self._network, "longest", 10**9))
        rows = [(one, lines(one, self._part)[:longest]) for one in examples]
        return [row for row in rows if row[1]]

    def _batches(self, rows: Sequence[tuple[Example, list[int]]], *, shuffled: bool) -> list[Batch]:
        order = (
            torch.randperm(len(rows), generator=self._order).tolist()
            if shuffled
            else range(len(rows))
        )
        chosen = [rows[index] for index in order]
        size = self._plan.batch
        return [batch(chosen[at : at + size], self._start) for at in range(0, len(chosen), size)]

    def _shares(self, one: Batch) -> tuple[Tensor, Tensor]:
        """Return log-probabilities and right answers of everything but padding."""
        logits = self._network(one.features, one.before)
        real = one.after != NOTHING
        return torch.log_softmax(logits[real], dim=1), one.after[real]

    def _loss(self, one: Batch) -> Tensor:
        said, right = self._shares(one)
        return -(self._labels[right] * said).sum(dim=1).mean()

    @torch.inference_mode()
    def measure(self, checks: Sequence[Batch]) -> Metrics:
        """Measure the network on batches."""
        self._network.eval()
        said_all, right_all = zip(*(self._shares(one) for one in checks), strict=True)
        said, right = torch.cat(said_all), torch.cat(right_all)
        labels = self._labels[right]
        loss = -(labels * said).sum(dim=1).mean()
        entropy = -torch.special.xlogy(labels, labels).sum(dim=1).mean()
        likeliest = said.argmax(dim=1)
        ordinal = self._part in {kind.name.lower() for kind in ORDINAL}
        near = (likeliest - right).abs() <= (1 if ordinal else 0)
        counts = torch.bincount(right)
        return Metrics(
            loss=round(float(loss), 4),
            kl=round(max(0.0, float(loss - entropy)), 4),
            accuracy=round(float((likeliest == right).float().mean()), 4),
            near=round(float(near.float().mean()), 4),
            majority=round(float(counts.max()) / math.fsum(counts.tolist()), 4),
            symbols=len(right),
        )
