"""From a listening log and embeddings or audio to a folder with an aligner."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from domain.errors import UsageError
from scoring.aligner.compact_network import CompactNetwork
from scoring.aligner.folder import Config, save
from scoring.aligner.protocol import AlignerKind
from training.aligner.account import Account
from training.aligner.build_store import Encoding, build_store
from training.aligner.card import card_text
from training.aligner.data import Checks, Plays, checks, sides
from training.aligner.learn import Material, Plan, State, measure, train, vectors
from training.aligner.log import Listening, read_log
from training.aligner.loss import scale_of
from training.aligner.metrics import Figures
from training.aligner.network import Network, build, shape_of, size_of, weights_of
from training.aligner.progress import Progress
from training.aligner.store import Store

Say = Callable[[str], None]
STORE = "store"
CENTRED = 2000
"""Tracks whose mean vector is the centre of the space."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What to train from and to.

    Attributes:
        log: Listening log.
        embeddings: Folder or file of audio or embeddings.
        out: Folder of the aligner.
        kind: Which network.
        encoding: What embeds audio, or what embedded what is brought.
        plan: How to train.
    """

    log: Path
    embeddings: Path
    out: Path
    kind: AlignerKind
    encoding: Encoding
    plan: Plan


def make(order: Order, say: Say) -> Figures:
    """Train an aligner and save it; an interrupted training goes on. Return its figures on tracks kept for the end.

    Raises:
        UsageError: There is no such device.
        UserError: The data is not usable, or the folder holds another training's progress.
    """
    if order.plan.device == "cuda" and not torch.cuda.is_available():
        raise UsageError("There is no CUDA device here that PyTorch can use. Leave --device away.")
    account = Account()
    store = build_store(
        order.embeddings, order.out / STORE, encoding=order.encoding, account=account, say=say
    )
    listening = read_log(order.log, store.tracks, account)
    for line in account.lines():
        say(line)
    material, tests = divided(store, listening, order.plan.seed)
    say(
        f"{listening.users:,} listeners, {account.plays:,} plays of {len(store.tracks):,} tracks: "
        f"{len(material.plays.learned):,} to learn from, {len(material.checks.tracks):,} to check on after each epoch, "
        f"{len(tests.tracks):,} for the final figures."
    )
    network = untrained(order.kind, listening.users, store, order.plan.seed)
    progress = Progress(order.out, _about(order, listening, store))
    state = train(network, material, order.plan, say=say, progress=progress)
    finish(network, material, order.plan)
    figures = measure(network, store, tests, order.plan)
    card = _card(order, network, state, material)
    card["figures"] |= asdict(figures)
    card["data"] |= _read(order, account, listening)
    config = Config(
        kind=order.kind,
        shape=shape_of(network),
        encoder_id=store.encoder_id,
        card=card,
    )
    save(order.out, config, weights_of(network), card_text(card))
    progress.clear()
    return figures


def divided(store: Store, listening: Listening, seed: int) -> tuple[Material, Checks]:
    """Return what to learn from and check on, and what to test on at the end: three sides without a common track.

    Raises:
        UserError: One of them is empty.
    """
    side = sides(store.tracks, seed)
    rng = np.random.default_rng(seed)
    material = Material(
        store=store,
        plays=Plays(listening, side.learned),
        checks=checks(listening, side.learned, side.checked, rng=rng),
    )
    return material, checks(listening, side.learned, side.tested, rng=rng)


def untrained(kind: AlignerKind, users: int, store: Store, seed: int) -> Network:
    """Return a network for a store whose weights come from ``seed``."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return build(kind, users=users, layers=store.layers, dimensions=store.dimensions)


def finish(network: Network, material: Material, plan: Plan) -> None:
    """Note the middle of the music that was learned from, where the network keeps it."""
    if not isinstance(network, CompactNetwork):
        return
    rows = np.random.default_rng([plan.seed, 0]).permutation(material.plays.learned)[:CENTRED]
    _, music = vectors(network, material.store, np.zeros(1, dtype=np.int64), np.sort(rows), plan)
    network.middle(torch.from_numpy(music.mean(axis=0)))


def _about(order: Order, listening: Listening, store: Store) -> dict[str, Any]:
    """Return everything that a training depends on, as far as can be told from its sizes."""
    return {
        "kind": order.kind,
        "plan": {**asdict(order.plan), "device": "", "threads": 0, "epochs": 0},
        "users": listening.users,
        "pairs": len(listening.user),
        "plays": int(listening.plays.sum()),
        "tracks": len(store.tracks),
        "encoder": store.encoder_id,
    }


def _card(order: Order, network: Network, state: State, material: Material) -> dict[str, Any]:
    shape = shape_of(network)
    width = shape.get("width", shape["dimensions"])
    return {
        "network": {
            "kind": str(order.kind),
            "users": shape["users"],
            "layers": shape["layers"],
            "dimensions": shape["dimensions"],
            "width": width,
            "encoder_id": material.store.encoder_id,
            "parameters": size_of(network),
        },
        "data": {
            "users": len(material.plays.users),
            "pairs": material.plays.pairs,
            "tracks": len(material.store.tracks),
            "learned": len(material.plays.learned),
        },
        "plan": asdict(order.plan),
        "figures": {
            "epochs": state.epoch,
            "best": state.best,
            "scale": float(scale_of(network.log_scale.detach())),
            "seconds": round(state.seconds, 1),
        },
    }


def _read(order: Order, account: Account, listening: Listening) -> dict[str, Any]:
    return {
        "log": order.log.name,
        "rows": account.rows,
        "plays": int(listening.plays.sum()),
        "skipped": dict(account.skipped),
    }
