"""``compose``: a prompt in, a sound file out, without Discord."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from domain.clip import ClipFailure, ClipRequest
from domain.errors import UsageError, UserError

SHORTEST, LONGEST = 1.0, 60.0
EXTENSIONS = ("wav", "mp3", "opus", "ogg", "flac")


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    command = commands.add_parser(
        "compose", help="compose one clip from a prompt", description=__doc__
    )
    command.add_argument(
        "prompt", metavar="PROMPT", help='what to play, such as "slow rainy lo-fi with a Rhodes"'
    )
    command.add_argument(
        "--seed",
        type=int,
        default=0,
        metavar="N",
        help="another seed, another variation (default: 0)",
    )
    command.add_argument(
        "--seconds", type=float, default=10.0, metavar="S", help="length, 1 to 60 (default: 10)"
    )
    command.add_argument(
        "--out",
        type=Path,
        required=True,
        metavar="FILE",
        help=f"file to write: {', '.join(EXTENSIONS)}",
    )
    command.add_argument(
        "--midi", type=Path, metavar="FILE", help="also write the notes as a MIDI file"
    )
    command.add_argument("--json", action="store_true", help="print what was composed as JSON")


def run(args: argparse.Namespace) -> int:
    """Compose, write and say what it is.

    Raises:
        UsageError: An argument is wrong.
        UserError: The clip cannot be made.
    """
    from generation.encode import encode  # noqa: PLC0415 - slow imports only for this command
    from generation.midi import to_midi  # noqa: PLC0415
    from generation.registry import create_generator  # noqa: PLC0415
    from service.settings import load  # noqa: PLC0415

    extension = args.out.suffix.lower().lstrip(".")
    if extension not in EXTENSIONS:
        raise UsageError(
            f"--out {args.out} must end in one of {', '.join('.' + one for one in EXTENSIONS)}."
        )
    for file in (args.out, args.midi):
        if file is not None and not file.parent.is_dir():
            raise UsageError(f"There is no folder {file.parent} to write {file.name} to.")
    if not 0 <= args.seed < 2**31:
        raise UsageError(f"--seed must be from 0 to {2**31 - 1}, not {args.seed}.")
    if not SHORTEST <= args.seconds <= LONGEST:
        raise UsageError(
            f"--seconds must be from {SHORTEST:.0f} to {LONGEST:.0f}, not {args.seconds:g}."
        )
    settings = load(args.config).generation
    generator = create_generator(
        settings.generator, renderer=settings.renderer, soundfont=settings.soundfont
    )
    made = generator.generate(
        [ClipRequest(prompt=args.prompt, seed=args.seed, seconds=args.seconds)]
    )[0]
    if isinstance(made, ClipFailure):
        raise UserError(made.reason)
    args.out.write_bytes(encode(made.audio, extension=extension, title=args.prompt[:120]))
    if args.midi is not None:
        args.midi.write_bytes(to_midi(made))
    report = {
        "out": str(args.out),
        "midi": str(args.midi) if args.midi else None,
        "seed": args.seed,
        "seconds": round(len(made.audio.samples) / made.audio.sample_rate, 3),
        "sample_rate": made.audio.sample_rate,
        "loudness_lufs": round(made.loudness, 2),
        "generator": generator.info.name,
        "generator_version": generator.info.version,
        **made.description,
    }
    print(json.dumps(report, ensure_ascii=False) if args.json else _sentence(report))
    return 0


def _sentence(report: dict[str, object]) -> str:
    return (
        f"{report['out']}: {report.get('family')}, {float(str(report.get('tempo', 0))):.0f} bpm, "
        f"{report.get('tonic')} {report.get('mode')}, {report['seconds']} s, {report['loudness_lufs']} LUFS"
    )
