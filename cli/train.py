"""``train``: learn from data of your own, offline. Needs PyTorch (``pip install torch==2.13.0 safetensors``)."""

from __future__ import annotations

import argparse
import importlib.util
from pathlib import Path

from cli import train_aligner
from domain.errors import UsageError, UserError


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    command = commands.add_parser(
        "train", help="train a model on your own data", description=__doc__
    )
    kinds = command.add_subparsers(dest="what", metavar="WHAT", required=True)
    emotion = kinds.add_parser(
        "emotion",
        help="features to music descriptions, from a CSV table and MIDI files",
        description="Learns to write descriptions from the ten features. The table has one column for each feature and "
        "a column midi (path below --midi) or track_id (folder or file of that name, as in the Lakh data).",
    )
    emotion.add_argument(
        "--table", type=Path, required=True, metavar="FILE", help="CSV with a header"
    )
    emotion.add_argument(
        "--midi", type=Path, required=True, metavar="DIR", help="folder of MIDI files"
    )
    emotion.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="where the model goes"
    )
    emotion.add_argument(
        "--route",
        choices=("lstm", "transformer"),
        default="lstm",
        help="five specialised models (default), or one Transformer for everything",
    )
    for name, default, text in (
        ("epochs", 40, "most passes over the songs"),
        ("bars", 12, "bars of one example"),
        ("width", 96, "size of the hidden state; a multiple of 4"),
        ("layers", 2, "layers of each network"),
        ("seed", 0, "of weights, order and split"),
    ):
        emotion.add_argument(
            f"--{name}", type=int, default=default, metavar="N", help=f"{text} (default: {default})"
        )
    train_aligner.add_to(kinds)


_RANGES = {
    "epochs": (1, 10_000),
    "bars": (1, 64),
    "width": (8, 2048),
    "layers": (1, 24),
    "seed": (0, 2**31 - 1),
}


def run(args: argparse.Namespace) -> int:
    """Train, and say what was read, how it went and how to use it.

    Raises:
        UsageError: An argument is out of range.
        UserError: PyTorch is missing, or the data is not usable.
    """
    if importlib.util.find_spec("torch") is None or importlib.util.find_spec("safetensors") is None:
        raise UserError(
            "Training needs PyTorch and safetensors: pip install torch==2.13.0 safetensors"
        )
    return train_aligner.run(args) if args.what == "aligner" else _emotion(args)


def _emotion(args: argparse.Namespace) -> int:
    for name, (low, high) in _RANGES.items():
        value = getattr(args, name)
        if not low <= value <= high:
            raise UsageError(f"--{name} must be from {low} to {high}, not {value}.")
    if args.width % 4:
        raise UsageError(f"--width must be a multiple of 4, not {args.width}.")
    from generation.emotion.model import Shape  # noqa: PLC0415 - PyTorch only for this command
    from training.emotion.learn import Plan, train  # noqa: PLC0415
    from training.emotion.songs import Account, read_songs, split  # noqa: PLC0415

    account = Account()
    examples = read_songs(args.table, args.midi, account, bars=args.bars)
    for line in account.lines():
        print(line)
    training, validation = split(examples, seed=args.seed)
    print(
        f"{len(training)} examples to learn from, {len(validation)} of other songs to check on.",
        flush=True,
    )
    model = train(
        training,
        validation,
        shape=Shape(route=args.route, width=args.width, layers=args.layers),
        plan=Plan(epochs=args.epochs, seed=args.seed),
        folder=args.out,
        say=lambda text: print(text, flush=True),
    )
    for part, found in model.card["metrics"].items():
        print(
            f"{part}: {found['accuracy']:.1%} right on unseen songs (always the commonest: {found['majority']:.1%}), "
            f"at most one bin off {found['near']:.1%}, KL {found['kl']:.3f}"
        )
    print(
        f'Use it: python bot.py compose --emotion {args.out} --features "energy=0.3,valence=0.8" --out song.wav "" '
    )
    return 0
