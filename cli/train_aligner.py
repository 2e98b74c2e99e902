"""``train aligner``: one space for listeners and music, from a listening log."""

from __future__ import annotations

import argparse
from dataclasses import fields
from pathlib import Path

from domain.errors import UsageError
from service.models.chosen import chosen_encoder
from service.settings import load

_WHOLE = {
    "epochs": (60, 1, 10_000, "most passes"),
    "each": (15, 1, 10_000, "plays drawn of each listener in a pass"),
    "batch": (256, 2, 65_536, "plays of a step"),
    "strangers": (256, 0, 65_536, "tracks drawn evenly for a step, as negatives for all of it"),
    "patience": (6, 1, 1000, "passes without a better ROC AUC before it stops"),
    "threads": (2, 1, 256, "CPU threads"),
    "seed": (0, 0, 2**31 - 1, "of weights, draws and split"),
}
"""Whole numbers: default, range and meaning; names are those of ``training.aligner.learn.Plan``."""
_RATE = 2e-3


def add_to(kinds: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add it to ``train``."""
    command = kinds.add_parser(
        "aligner",
        help="a space for listeners and music, from a listening log and embeddings or audio",
        description="Learns which listeners go with which music. The log is Last.fm-1K's TSV, or CSV or Parquet with "
        "columns for user, track and count. Tracks are embeddings (npz, safetensors, a JSON file for each track), or "
        "audio files that are called like the tracks. Started again after an interruption, it goes on.",
    )
    command.add_argument("--log", type=Path, required=True, metavar="FILE", help="listening log")
    command.add_argument(
        "--embeddings",
        type=Path,
        required=True,
        metavar="PATH",
        help="folder of audio or embeddings, or one file of embeddings",
    )
    command.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="where the aligner goes"
    )
    command.add_argument(
        "--encoder-id",
        default="",
        metavar="ID",
        help="id of the encoder that made the embeddings; audio is encoded with scoring.encoder of the settings",
    )
    command.add_argument(
        "--network",
        choices=("compact", "alignerv2"),
        default="compact",
        help="ours (default), or the network of the EvoMusic system, 200 times larger",
    )
    command.add_argument(
        "--device", choices=("cpu", "cuda"), default="cpu", help="where to train (default: cpu)"
    )
    command.add_argument(
        "--rate", type=float, default=_RATE, help=f"learning rate (default: {_RATE:g})"
    )
    for name, (default, _, _, text) in _WHOLE.items():
        command.add_argument(
            f"--{name}", type=int, default=default, metavar="N", help=f"{text} (default: {default})"
        )


def run(args: argparse.Namespace) -> int:
    """Train, and say what was read, how it went and how to use it.

    Raises:
        UsageError: An argument is out of range.
        UserError: The data is not usable.
    """
    for name, (_, low, high, _) in _WHOLE.items():
        value = getattr(args, name)
        if not low <= value <= high:
            raise UsageError(f"--{name} must be from {low} to {high}, not {value}.")
    if not 0.0 < args.rate <= 1.0:
        raise UsageError(f"--rate must be above 0 and at most 1, not {args.rate:g}.")
    from scoring.aligner.protocol import AlignerKind  # noqa: PLC0415 - PyTorch only for training
    from scoring.encoders import create_encoder  # noqa: PLC0415
    from training.aligner.build_store import Encoding  # noqa: PLC0415
    from training.aligner.learn import Plan  # noqa: PLC0415
    from training.aligner.make import Order, make  # noqa: PLC0415

    given = {one.name: getattr(args, one.name) for one in fields(Plan) if hasattr(args, one.name)}
    order = Order(
        log=args.log,
        embeddings=args.embeddings,
        out=args.out,
        kind=AlignerKind(args.network),
        encoding=Encoding(
            encoder=lambda: create_encoder(chosen_encoder(load(args.config)), device=args.device),
            id=args.encoder_id,
        ),
        plan=Plan(**given),
    )
    found = make(order, lambda text: print(text, flush=True))
    print(
        f"On tracks kept for the end: ROC AUC {found.roc_auc:.3f}, PR AUC {found.pr_auc:.3f}, pairwise "
        f"{found.pairwise:.3f}; chance is 0.5."
    )
    print(f"The aligner and its card are in {args.out}.")
    return 0
