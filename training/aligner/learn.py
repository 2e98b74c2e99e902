"""The training loop: InfoNCE, early stop on held-out tracks, and a checkpoint after every epoch.

Everything drawn in an epoch comes from the seed and the number of the epoch, so a training that was killed and goes on
at the beginning of that epoch ends bit for bit where it would have ended.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from domain.errors import UserError
from training.aligner.data import Checks, Ints, Plays
from training.aligner.loss import info_nce, scale_of
from training.aligner.metrics import Figures, figures
from training.aligner.network import Network
from training.aligner.progress import Progress
from training.aligner.store import Store

Say = Callable[[str], None]
TELL_EVERY = 30.0
"""Seconds after which a long epoch says how far it is."""
OBSERVED = 2000
"""Tracks whose statistics standardise embeddings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How to train.

    Attributes:
        epochs: At most so many.
        each: Plays that are drawn of every listener in an epoch.
        batch: Plays of a step.
        strangers: Tracks drawn evenly for a step.
        rate: Learning rate of AdamW.
        decay: Its weight decay.
        patience: Epochs without a better ROC AUC before it stops; after half of them the rate is divided by 4.
        seed: Of weights, order, draws and split.
        threads: CPU threads.
        device: Of PyTorch, such as ``"cpu"`` or ``"cuda"``.
    """

    epochs: int = 60
    each: int = 15
    batch: int = 256
    strangers: int = 256
    rate: float = 2e-3
    decay: float = 0.05
    patience: int = 6
    seed: int = 0
    threads: int = 2
    device: str = "cpu"


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """Where a training is; ``best`` is the epoch whose weights are kept.

    Attributes:
        epoch: Epochs done.
        rate: Learning rate of the next one.
        best: Epoch with the best ROC AUC so far.
        figures: Of that epoch.
        seconds: Spent on steps so far, by the clock on the wall.
        cpu_seconds: The same, of all cores together.
        positives: Plays learned from so far.
        history: Figures after each epoch.
    """

    epoch: int = 0
    rate: float
    best: int = 0
    figures: Figures | None = None
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    positives: int = 0
    history: tuple[Figures, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return it for JSON."""
        return asdict(self)

    @classmethod
    def from_json(cls, given: dict[str, Any]) -> State:
        """Read what ``as_json`` made."""
        found = Figures(**given["figures"]) if given["figures"] else None
        history = tuple(Figures(**one) for one in given["history"])
        return cls(**{**given, "figures": found, "history": history})


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Material:
    """What is learned from and checked on."""

    store: Store
    plays: Plays
    checks: Checks


def train(
    network: Network, material: Material, plan: Plan, *, say: Say, progress: Progress | None = None
) -> State:
    """Train a network and leave the best weights in it.

    Args:
        network: Untrained.
        material: To learn from.
        plan: How.
        say: Hears about every epoch.
        progress: Where to go on from and to keep checkpoints.

    Raises:
        UserError: The loss is not finite any more.
    """
    torch.set_num_threads(plan.threads)
    learner = _Learner(network.to(plan.device), material, plan, say)
    state = State(rate=plan.rate)
    kept: dict[str, Tensor] | None = None
    if progress is not None and (found := progress.load(network, learner.optimiser)) is not None:
        state, kept = State.from_json(found.state), found.best
        say(f"Going on after epoch {state.epoch}.")
    else:
        learner.observe()
    with torch.random.fork_rng(devices=[]):
        while state.epoch < plan.epochs and state.epoch - state.best < plan.patience:
            state = learner.epoch(state)
            if state.best == state.epoch:
                kept = {name: one.clone() for name, one in network.state_dict().items()}
            if progress is not None and kept is not None:
                progress.save(network, learner.optimiser, kept, state.as_json())
    if kept is not None:
        network.load_state_dict(kept)
    network.eval()
    return state


class _Learner:
    """Runs epochs."""

    def __init__(self, network: Network, material: Material, plan: Plan, say: Say) -> None:
        self._network, self._material, self._plan, self._say = network, material, plan, say
        self.optimiser = torch.optim.AdamW(
            network.parameters(), lr=plan.rate, weight_decay=plan.decay
        )

    def observe(self) -> None:
        """Standardise by some tracks that are learned from, where the network does so."""
        observe = getattr(self._network, "observe", None)
        if observe is None:
            return
        rng = np.random.default_rng([self._plan.seed, 0])
        rows = np.sort(rng.permutation(self._material.plays.learned)[:OBSERVED])
        found = self._material.store.read(rows)
        observe(torch.from_numpy(found.mean(axis=0)), torch.from_numpy(found.std(axis=0) + 1e-4))

    def epoch(self, state: State) -> State:
        """Run one epoch and check."""
        plan, number = self._plan, state.epoch + 1
        rng = np.random.default_rng([plan.seed, number])
        torch.manual_seed(int(rng.integers(2**31)))
        users, tracks = self._material.plays.draw(plan.each, rng)
        begun = told = time.monotonic()
        spent = time.process_time()
        total = 0.0
        for group in self.optimiser.param_groups:
            group["lr"] = state.rate
        self._network.train()
        for at in range(0, len(users), plan.batch):
            part = slice(at, at + plan.batch)
            total += self._step(users[part], tracks[part], rng) * len(users[part])
            if time.monotonic() - told > TELL_EVERY:
                told = time.monotonic()
                self._say(f"epoch {number}: {at + len(users[part]):,} of {len(users):,} plays")
        seconds = time.monotonic() - begun
        done = replace(
            state,
            epoch=number,
            seconds=state.seconds + seconds,
            cpu_seconds=state.cpu_seconds + time.process_time() - spent,
            positives=state.positives + len(users),
        )
        after = self._judged(done)
        self._say(
            f"epoch {number} of at most {plan.epochs}: loss {total / len(users):.3f}, {self._words(after)}, "
            f"{len(users) / seconds:,.0f} plays/s (best: epoch {after.best})"
        )
        return after

    def _judged(self, state: State) -> State:
        """Check on held-out tracks; keep the best, and slow down where it stays behind for long."""
        found = measure(self._network, self._material.store, self._material.checks, self._plan)
        patience = self._plan.patience
        better = state.figures is None or found.roc_auc > state.figures.roc_auc
        stale = 0 if better else state.epoch - state.best
        return replace(
            state,
            rate=state.rate / 4 if stale == (patience + 1) // 2 else state.rate,
            best=state.epoch if better else state.best,
            figures=found if better else state.figures,
            history=(*state.history, found),
        )

    def _words(self, state: State) -> str:
        found = state.history[-1]
        scale = float(scale_of(self._network.log_scale.detach()))
        return (
            f"ROC AUC {found.roc_auc:.3f}, PR AUC {found.pr_auc:.3f}, pairwise {found.pairwise:.3f}, "
            f"scale {scale:.1f}"
        )

    def _step(self, users: Ints, tracks: Ints, rng: np.random.Generator) -> float:
        """Learn from one batch; return its loss."""
        plays, plan = self._material.plays, self._plan
        strangers = plays.strangers(plan.strangers, rng)
        candidates = np.concatenate([tracks, strangers])
        often = (
            len(tracks) * plays.popularity[candidates] + plan.strangers / len(plays.learned)
        ).astype(np.float32)
        known = plays.listened(users, candidates)
        loss = info_nce(
            self._network.listeners(self._moved(users)),
            self._network.pieces(self._moved(self._material.store.read(candidates))),
            scale_of(self._network.log_scale),
            self._moved(often),
            self._moved(known),
        )
        if not torch.isfinite(loss):
            raise UserError(
                "The training went astray: its loss is not finite. Try a lower --rate, and look at the embeddings."
            )
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self._network.parameters(), 5.0)
        self.optimiser.step()
        return float(loss.detach())

    def _moved(self, numbers: NDArray[Any]) -> Tensor:
        return torch.from_numpy(numbers).to(self._plan.device)


def measure(network: Network, store: Store, checks: Checks, plan: Plan) -> Figures:
    """Return how well a network tells what was listened to."""
    users, place = np.unique(checks.user, return_inverse=True)
    listeners, music = vectors(network, store, users, checks.tracks, plan)
    scores = (listeners[place] * music[checks.track]).sum(axis=1).astype(np.float64)
    return figures(scores, checks.user, checks.listened)


@torch.inference_mode()
def vectors(
    network: Network, store: Store, users: Ints, tracks: Ints, plan: Plan
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return vectors of length 1 of users and of tracks."""
    network.eval()
    rows = torch.from_numpy(users).to(plan.device)
    listeners = functional.normalize(network.listeners(rows), eps=1e-6).cpu().numpy()
    music = [
        functional.normalize(
            network.pieces(torch.from_numpy(store.read(tracks[at : at + 256])).to(plan.device)),
            eps=1e-6,
        )
        .cpu()
        .numpy()
        for at in range(0, len(tracks), 256)
    ]
    return listeners, np.concatenate(music)
