"""``worker``: models in an environment of their own: set it up, check it, fetch weights into it."""

from __future__ import annotations

import argparse
from pathlib import Path

from cli.models import agree
from domain.errors import UsageError
from service.models.catalogue import entry
from service.models.foreign import audiocraft_environment
from service.models.store import ModelStore
from service.settings import load, models_folder


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    command = commands.add_parser(
        "worker", help="models in an environment of their own", description=__doc__
    )
    what = command.add_subparsers(dest="what", metavar="WHAT", required=True)
    audiocraft = what.add_parser("audiocraft", help="MAGNeT, JASCO and MusicGen-Style")
    todo = audiocraft.add_mutually_exclusive_group(required=True)
    todo.add_argument("--setup", action="store_true", help="make the environment, or mend it")
    todo.add_argument("--check", action="store_true", help="say whether it works")
    todo.add_argument("--pull", metavar="NAME", help="fetch the weights of a model into it")
    audiocraft.add_argument(
        "--python", type=Path, metavar="PATH", help="with --setup: Python 3.9, 3.10 or 3.11"
    )
    audiocraft.add_argument(
        "--accept-noncommercial",
        action="store_true",
        help="with --pull: accept that the weights are not for commercial use, without being asked",
    )


def run(args: argparse.Namespace) -> int:
    """Do it.

    Raises:
        UsageError: There is no such model.
        UserError: It cannot be done; says why.
    """
    settings = load(args.config)
    environment = audiocraft_environment(settings.storage.data_dir)
    if args.setup:
        return _set_up(args.python, environment.folder)
    if args.pull:
        store = ModelStore(models_folder(settings))
        return _pull(args, store, environment.folder)
    return _check(environment.folder)


def _set_up(python: Path | None, folder: Path) -> int:
    from generation.foreign.environment import Environment  # noqa: PLC0415 - only for this command
    from generation.foreign.setup import SIZES, find_python, set_up  # noqa: PLC0415

    found = find_python(python)
    print(f"audiocraft gets an environment in {folder} with {found}: PyTorch 2.1, xformers and")
    print(
        f"others from PyPI, audiocraft from GitHub, {SIZES}. Its code is under the MIT licence; the"
    )
    print("weights of its models are fetched apart and are CC-BY-NC-4.0: not for commercial use.")
    set_up(Environment(folder=folder), found, lambda text: print(text, flush=True))
    return _check(folder)


def _check(folder: Path) -> int:
    from generation.foreign.environment import (  # noqa: PLC0415 - only for this command
        MODELS,
        Environment,
        check,
    )

    environment = Environment(folder=folder)
    found = check(environment)
    print(
        f"audiocraft {found['audiocraft']} works: Python {found['python']}, PyTorch {found['torch']}, "
        f"{found['gpu'] or 'no GPU that PyTorch 2.1 can use, so it will be slow'}."
    )
    here = environment.models()
    for name, known in MODELS.items():
        state = "on this machine" if name in here else "not fetched"
        if known.kind not in found["kinds"]:
            state = "not in this version of audiocraft; set it up again where GitHub can be reached"
        print(f"  {name:18}{state}")
    return 0


def _pull(args: argparse.Namespace, store: ModelStore, folder: Path) -> int:
    from generation.foreign.environment import (  # noqa: PLC0415 - only for this command
        MODELS,
        Environment,
        check,
        pull,
    )

    name = args.pull
    if name not in MODELS:
        raise UsageError(f"audiocraft has no model {name} here; there are: {', '.join(MODELS)}.")
    environment = Environment(folder=folder)
    check(environment)
    known = entry(name)
    print(f"{known.repo}: about {known.megabytes / 1000:.1f} GB, licence {known.licence}.")
    agree(store, name, known.licence, known.commercial, args)
    print(
        "Its weights are PyTorch pickles, which could run code; they come from Meta's pages on the hub."
    )
    pull(environment, name)
    print(f'{name} is here. Hear it: python bot.py compose "PROMPT" --model {name} --out clip.wav')
    return 0
