"""``compose``: words, features or a description in, a sound file out, without Discord."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cli.compose_model import check_model, run_model
from cli.compose_source import add_sources, check_no_source
from domain.clip import BUILT_IN, ClipFailure, ClipRequest
from domain.errors import DescriptionError, UsageError, UserError

if TYPE_CHECKING:
    from generation.composer import Composer
    from generation.generator import Composition

SHORTEST, LONGEST = 1.0, 600.0
EXTENSIONS = ("wav", "mp3", "opus", "ogg", "flac")


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    command = commands.add_parser(
        "compose",
        help="compose one clip from words, features or a description",
        description=__doc__,
    )
    command.add_argument(
        "prompt",
        metavar="PROMPT",
        nargs="?",
        default="",
        help='what to play, such as "slow rainy lo-fi with a Rhodes"',
    )
    command.add_argument(
        "--features",
        metavar="NAME=VALUE,...",
        default="",
        help="features that win over the words, such as energy=0.3,valence=0.8,tempo=84",
    )
    command.add_argument(
        "--description", type=Path, metavar="FILE", help="play a description in JSON instead"
    )
    _add_players(command)
    command.add_argument(
        "--seed",
        type=int,
        default=0,
        metavar="N",
        help="another seed, another variation (default: 0)",
    )
    command.add_argument(
        "--seconds",
        type=float,
        default=10.0,
        metavar="S",
        help=f"length, 1 to {LONGEST:.0f} (default: 10)",
    )
    _add_files(command)


def _add_players(command: argparse.ArgumentParser) -> None:
    """Add what says who plays, and from what."""
    command.add_argument(
        "--model",
        metavar="NAME",
        default="",
        help="let a model play instead, such as musicgen-small (see bot.py models)",
    )
    command.add_argument(
        "--remote",
        metavar="URL",
        default="",
        help="let a model behind a server play instead (see docs/generators.md)",
    )
    command.add_argument(
        "--remote-option",
        metavar="NAME=VALUE",
        action="append",
        default=[],
        help="with --remote: style=acestep, model=..., key_variable=..., timeout=... and others; may be repeated",
    )
    add_sources(command)
    command.add_argument(
        "--emotion", metavar="DIR", default="", help="let a trained emotion model write the bars"
    )


def _add_files(command: argparse.ArgumentParser) -> None:
    """Add what says where to write what."""
    command.add_argument(
        "--out",
        type=Path,
        required=True,
        metavar="FILE",
        help=f"file to write: {', '.join(EXTENSIONS)}",
    )
    for name, text in (
        ("midi", "the notes as a MIDI file"),
        ("stems", "the players' parts as a ZIP file"),
        ("musicxml", "the notes as sheet music"),
        ("save-description", "the description in JSON, to be edited and played again"),
    ):
        command.add_argument(f"--{name}", type=Path, metavar="FILE", help=f"also write {text}")
    command.add_argument("--json", action="store_true", help="print what was composed as JSON")


def run(args: argparse.Namespace) -> int:
    """Compose, write and say what it is.

    Raises:
        UsageError: An argument is wrong.
        UserError: The clip cannot be made.
    """
    from generation.encode import encode  # noqa: PLC0415 - slow imports only for this command

    extension = _check(args)
    if args.model or args.remote:
        return run_model(args, extension)
    _say_what_is_unknown(args.prompt)
    composer = _composer(args)
    request = _request(args)
    made = composer.generate([request])[0]
    if isinstance(made, ClipFailure):
        raise UserError(made.reason)
    title = args.prompt[:120] or str(made.description.get("family", ""))
    args.out.write_bytes(encode(made.audio, extension=extension, title=title))
    _write_more(args, composer, made)
    report = {
        "out": str(args.out),
        "midi": str(args.midi) if args.midi else None,
        "seed": args.seed,
        "seconds": round(len(made.audio.samples) / made.audio.sample_rate, 3),
        "sample_rate": made.audio.sample_rate,
        "loudness_lufs": round(made.loudness, 2),
        "generator": composer.info.name,
        "generator_version": composer.info.version,
        **made.description,
    }
    print(json.dumps(report, ensure_ascii=False) if args.json else _sentence(report))
    return 0


def _check(args: argparse.Namespace) -> str:
    """Check the arguments and return the extension of the sound file.

    Raises:
        UsageError: One of them is wrong.
    """
    extension = str(args.out.suffix.lower().lstrip("."))
    if extension not in EXTENSIONS:
        raise UsageError(
            f"--out {args.out} must end in one of {', '.join('.' + one for one in EXTENSIONS)}."
        )
    for file in (args.out, args.midi, args.stems, args.musicxml, args.save_description):
        if file is not None and not file.parent.is_dir():
            raise UsageError(f"There is no folder {file.parent} to write {file.name} to.")
    if not 0 <= args.seed < 2**31:
        raise UsageError(f"--seed must be from 0 to {2**31 - 1}, not {args.seed}.")
    if not SHORTEST <= args.seconds <= LONGEST:
        raise UsageError(
            f"--seconds must be from {SHORTEST:.0f} to {LONGEST:.0f}, not {args.seconds:g}."
        )
    if args.model or args.remote:
        check_model(args)
        return extension
    check_no_source(args)
    if not (args.prompt or args.features or args.description):
        raise UsageError("Say what to play: PROMPT, --features or --description.")
    return extension


def _composer(args: argparse.Namespace) -> Composer:
    from generation.composer import Composer  # noqa: PLC0415 - slow imports only for this command
    from service.models.chosen import recipe_of  # noqa: PLC0415
    from service.settings import load  # noqa: PLC0415

    recipe = recipe_of(load(args.config), BUILT_IN)
    return Composer(
        renderer=recipe.option("renderer", "auto"),
        soundfont=recipe.option("soundfont"),
        emotion=args.emotion or recipe.option("emotion"),
    )


def _request(args: argparse.Namespace) -> ClipRequest:
    from service.studio import Wish, wanted  # noqa: PLC0415 - slow imports only for this command

    described = _description(args.description) if args.description is not None else None
    try:
        facets = wanted(Wish(text=args.prompt, features=_features(args.features)))
    except DescriptionError as error:
        raise UsageError(f"--features: {error}") from None
    return ClipRequest(
        prompt=args.prompt,
        seed=args.seed,
        seconds=args.seconds,
        description=described,
        facets=facets.to_json(),
    )


def _say_what_is_unknown(prompt: str) -> None:
    from prompts.reader import interpret  # noqa: PLC0415 - slow imports only for this command

    unknown = interpret(prompt).facets.unknown
    if unknown:
        print(f"The composer does not know these words: {', '.join(unknown)}.", file=sys.stderr)


def _features(text: str) -> dict[str, float]:
    out: dict[str, float] = {}
    for part in filter(None, (one.strip() for one in text.split(","))):
        name, _, value = part.partition("=")
        try:
            out[name.strip()] = float(value)
        except ValueError:
            raise UsageError(f"--features: {part!r} is not of the form name=number.") from None
    return out


def _description(file: Path) -> dict[str, Any]:
    """Read a description, mend it and say on stderr what was mended."""
    from generation.genome.mend import repair  # noqa: PLC0415 - slow imports only for this command

    try:
        data = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}.") from None
    except ValueError as error:
        raise UsageError(f"{file} is not JSON: {error}.") from None
    try:
        mended, repairs = repair(data)
    except DescriptionError as error:
        raise UsageError(f"{file}: {error}") from None
    for one in repairs:
        print(f"Repaired {one}", file=sys.stderr)
    return mended.to_json()


def _write_more(args: argparse.Namespace, composer: Composer, made: Composition) -> None:
    from domain.description import Description  # noqa: PLC0415 - slow imports only for this command
    from generation.midi import to_midi  # noqa: PLC0415
    from generation.musicxml import to_musicxml  # noqa: PLC0415

    if args.midi is not None:
        args.midi.write_bytes(to_midi(made))
    genome = Description.from_json(made.description["genome"])
    if args.stems is not None:
        stems = composer.stems(genome)
        if isinstance(stems, ClipFailure):
            raise UserError(stems.reason)
        args.stems.write_bytes(stems)
    if args.musicxml is not None and made.notes is not None:
        args.musicxml.write_bytes(to_musicxml(made.notes, genome))
    if args.save_description is not None:
        text = json.dumps(genome.to_json(), indent=1, ensure_ascii=False)
        args.save_description.write_text(text + "\n", encoding="utf-8")


def _sentence(report: dict[str, object]) -> str:
    return (
        f"{report['out']}: {report.get('family')}, {float(str(report.get('tempo', 0))):.0f} bpm, "
        f"{report.get('tonic')} {report.get('mode')}, {report['seconds']} s, {report['loudness_lufs']} LUFS"
    )
