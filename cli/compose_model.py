"""``compose --model``: the words go to a model whose weights are on this machine, and sound comes back."""

from __future__ import annotations

import argparse
import json

from domain.clip import ClipFailure, ClipRequest
from domain.errors import UsageError, UserError

NOTES = ("features", "description", "emotion", "midi", "stems", "musicxml", "save_description")
"""Options for what is composed as notes."""


def check_model(args: argparse.Namespace) -> None:
    """Check the arguments that come with ``--model``.

    Raises:
        UsageError: One of them is for composed notes, there are no words, or there is no such model.
    """
    from service.models.catalogue import Role, catalogue, entry  # noqa: PLC0415 - only for this option

    for name in NOTES:
        if getattr(args, name):
            option = name.replace("_", "-")
            raise UsageError(
                f"--{option} is for composed notes; {args.model} makes sound without notes. Leave it out."
            )
    if not args.prompt.strip():
        raise UsageError("Say in words what to play: PROMPT.")
    wanted = entry(args.model)
    if wanted.role is not Role.GENERATOR or not wanted.usable:
        known = ", ".join(
            one.name for one in catalogue().values() if one.role is Role.GENERATOR and one.usable
        )
        raise UsageError(f"--model {args.model} cannot be played here; there are: {known}.")


def run_model(args: argparse.Namespace, extension: str) -> int:
    """Play, write and say what it is.

    Raises:
        UserError: The weights are not here, or the clip cannot be made.
    """
    from generation.encode import encode  # noqa: PLC0415 - slow imports only for this option
    from generation.registry import Recipe, create_generator  # noqa: PLC0415
    from service.models.catalogue import entry  # noqa: PLC0415
    from service.models.chosen import agreed_model  # noqa: PLC0415
    from service.models.store import ModelStore  # noqa: PLC0415
    from service.settings import load, models_folder  # noqa: PLC0415

    store = ModelStore(models_folder(load(args.config)))
    here = agreed_model(store, args.model)
    generator = create_generator(
        Recipe(
            loader=entry(here.name).loader,
            name=here.name,
            folder=str(store.path(here.name)),
            licence=here.licence,
            commercial=here.commercial,
        )
    )
    made = generator.generate(
        [ClipRequest(prompt=args.prompt, seed=args.seed, seconds=args.seconds)]
    )[0]
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
    text = f"{args.out}: {here.name} ({here.licence}), {report['seconds']} s, {report['loudness_lufs']} LUFS"
    print(json.dumps(report, ensure_ascii=False) if args.json else text)
    return 0
