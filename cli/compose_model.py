"""``compose --model`` and ``--remote``: a model on this machine or behind a server plays, from words to sound."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING

from cli.compose_source import check_source, source_of
from domain.clip import ClipFailure, ClipRequest
from domain.errors import UsageError, UserError

if TYPE_CHECKING:
    from generation.registry import Recipe

NOTES = ("features", "description", "emotion", "midi", "stems", "musicxml", "save_description")
"""Options for what is composed as notes."""


def check_model(args: argparse.Namespace) -> None:
    """Check the arguments that come with ``--model`` or ``--remote``.

    Raises:
        UsageError: One of them is for composed notes, there are no words, or there is no such model or file.
    """
    from service.models.catalogue import Role, catalogue, entry  # noqa: PLC0415 - only for this option

    for name in NOTES:
        if getattr(args, name):
            option = name.replace("_", "-")
            raise UsageError(
                f"--{option} is for composed notes; {args.model or args.remote} makes sound without notes. "
                "Leave it out."
            )
    if not args.prompt.strip():
        raise UsageError("Say in words what to play: PROMPT.")
    check_source(args)
    if args.model and args.remote:
        raise UsageError("Either --model plays or --remote does, not both.")
    if args.remote:
        return
    wanted = entry(args.model)
    if wanted.role is not Role.GENERATOR or not wanted.usable:
        known = ", ".join(
            one.name for one in catalogue().values() if one.role is Role.GENERATOR and one.usable
        )
        raise UsageError(f"--model {args.model} cannot be played here; there are: {known}.")


def run_model(args: argparse.Namespace, extension: str) -> int:
    """Play, write and say what it is.

    Raises:
        UsageError: The model cannot start from a sound in this way, or the file is no sound.
        UserError: The weights are not here, or the clip cannot be made.
    """
    from generation.encode import encode  # noqa: PLC0415 - slow imports only for this option
    from generation.generator import refused  # noqa: PLC0415
    from generation.registry import create_generator  # noqa: PLC0415

    generator = create_generator(_remote_recipe(args) if args.remote else _recipe(args))
    request = ClipRequest(
        prompt=args.prompt, seed=args.seed, seconds=args.seconds, source=source_of(args)
    )
    no = refused(request, generator.info, generator.capabilities)  # said before weights are loaded
    if no is not None:
        raise UsageError(no.reason)
    made = generator.generate([request])[0]
    if isinstance(made, ClipFailure):
        raise UserError(made.reason)
    args.out.write_bytes(encode(made.audio, extension=extension, title=args.prompt[:120]))
    report = {
        "out": str(args.out),
        "seed": args.seed,
        "seconds": round(made.audio.seconds, 3),
        "sample_rate": made.audio.sample_rate,
        "loudness_lufs": round(made.loudness, 2),
        "generator": generator.info.name,
        "generator_version": generator.info.version,
        "licence": generator.info.licence,
        **made.description,
    }
    text = (
        f"{args.out}: {generator.info.name} ({generator.info.licence}), {report['seconds']} s, "
        f"{report['loudness_lufs']} LUFS"
    )
    print(json.dumps(report, ensure_ascii=False) if args.json else text)
    return 0


def _recipe(args: argparse.Namespace) -> Recipe:
    """Return the recipe of a model on this machine; raises like ``recipe_of``."""
    from service.models.chosen import recipe_of  # noqa: PLC0415 - slow imports only for this option
    from service.settings import load  # noqa: PLC0415

    return recipe_of(load(args.config), args.model)


def _remote_recipe(args: argparse.Namespace) -> Recipe:
    """Return the recipe of a model behind a server.

    Raises:
        UsageError: There is no such option.
    """
    from service.models.chosen import remote_recipe  # noqa: PLC0415 - slow imports only for this option

    pairs = {"url": args.remote}
    for text in args.remote_option:
        name, equals, value = text.partition("=")
        if not equals:
            raise UsageError(f"--remote-option {text!r} says nothing: give NAME=VALUE.")
        pairs[name] = value
    return remote_recipe(pairs)
