"""Options of ``compose`` for a sound to start from: go on, follow its melody, vary it, make a stretch of it anew."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from domain.clip import ClipFailure, Source, SourceUse
from domain.errors import UsageError

USES: Mapping[str, tuple[SourceUse, str]] = MappingProxyType(
    {
        "melody": (SourceUse.MELODY, "a sound file whose melody the clip follows"),
        "continue": (
            SourceUse.CONTINUE,
            "a sound file that the clip begins with and goes on from",
        ),
        "vary": (SourceUse.VARY, "a sound file that the clip is a variation of"),
        "fill": (SourceUse.FILL, "a sound file of which --stretch is made anew"),
    }
)
"""Options that name a file: what is done with it, and what it is."""
LARGEST = 512 * 2**20
"""Bytes of a sound file to start from."""


def add_sources(command: argparse.ArgumentParser) -> None:
    """Add the options."""
    for name, (_, words) in USES.items():
        command.add_argument(
            f"--{name}",
            dest=_dest(name),
            type=Path,
            metavar="FILE",
            help=f"with a --model or --remote that can: {words}",
        )
    command.add_argument(
        "--strength",
        type=float,
        default=0.5,
        metavar="S",
        help="with --vary: how much of the sound goes, 0 to 1 (default: 0.5)",
    )
    command.add_argument(
        "--stretch",
        default="",
        metavar="FROM:TO",
        help="with --fill: what is made anew, in seconds, such as 2.5:6",
    )


def _dest(name: str) -> str:
    return f"{name}_file"


def _named(args: argparse.Namespace) -> dict[str, Path]:
    """Return the files that were named, by their option."""
    files = {name: getattr(args, _dest(name)) for name in USES}
    return {name: file for name, file in files.items() if file is not None}


def check_no_source(args: argparse.Namespace) -> None:
    """Check that there is no sound to start from where notes are composed.

    Raises:
        UsageError: There is one.
    """
    for name in _named(args):
        raise UsageError(f"--{name} is for models that start from sound; name one with --model.")


def check_source(args: argparse.Namespace) -> None:
    """Check what was said of a sound to start from.

    Raises:
        UsageError: There is more than one, there is no such file, or a number is out of range.
    """
    named = _named(args)
    if len(named) > 1:
        both = " and ".join(f"--{name}" for name in named)
        raise UsageError(f"A clip starts from one sound, not from several ({both}).")
    for file in named.values():
        if not file.is_file():
            raise UsageError(f"There is no file {file} to start from.")
    if not 0 <= args.strength <= 1:
        raise UsageError(f"--strength must be from 0 to 1, not {args.strength:g}.")
    if ("fill" in named) != bool(args.stretch):
        raise UsageError("--fill and --stretch belong together: --fill FILE --stretch FROM:TO.")
    _stretch(args)


def _stretch(args: argparse.Namespace) -> tuple[float, float]:
    """Return where the new stretch begins and ends; 0 and 0 where there is none.

    Raises:
        UsageError: It is no stretch of the clip.
    """
    if not args.stretch:
        return 0.0, 0.0
    begin, _, end = args.stretch.partition(":")
    try:
        found = float(begin), float(end)
    except ValueError:
        found = 1.0, 0.0
    if not 0 <= found[0] < found[1] <= args.seconds:
        raise UsageError(
            f"--stretch {args.stretch} is no stretch of a clip of {args.seconds:g} s: give FROM:TO in seconds."
        )
    return found


def source_of(args: argparse.Namespace) -> Source | None:
    """Return the sound to start from, if one was named.

    Raises:
        UsageError: It cannot be read.
    """
    from generation.sources import decoded  # noqa: PLC0415 - slow imports only for these options

    for name, file in _named(args).items():
        try:
            if file.stat().st_size > LARGEST:
                raise UsageError(f"{file} is larger than {LARGEST // 2**20} MB; cut it first.")
            data = file.read_bytes()
        except OSError as error:
            raise UsageError(f"{file} cannot be read: {error.strerror}.") from None
        if isinstance(decoded(data), ClipFailure):
            raise UsageError(f"{file} is no sound that can be read: use WAV, FLAC, MP3 or Ogg.")
        start, end = _stretch(args)
        return Source(audio=data, use=USES[name][0], strength=args.strength, start=start, end=end)
    return None
