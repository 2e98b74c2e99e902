"""``soundfont``: which recordings play, which others were found and why they do not, and how to get better ones."""

from __future__ import annotations

import argparse
import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from domain.errors import UsageError

if TYPE_CHECKING:
    from generation.sounding.soundfonts import Choice, Probe

BETTER = (
    "Better recordings: apt-get install fluid-soundfont-gm, or put a General MIDI .sf2 into {folder}.",
    "A better player: apt-get install libfluidsynth3, and pip install 'tunebreeder[fluidsynth]'.",
)
SCALE = (60, 62, 64, 65, 67, 69, 71, 72)


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    command = commands.add_parser(
        "soundfont", help="say which SoundFont plays, and why", description=__doc__
    )
    command.add_argument(
        "file",
        nargs="?",
        type=Path,
        metavar="FILE",
        help="look at this SoundFont instead of the one in the settings",
    )
    command.add_argument(
        "--test", action="store_true", help="play a scale through it and say what was heard"
    )
    command.add_argument(
        "--out", type=Path, metavar="WAV", help="with --test: write the scale to this file"
    )
    command.add_argument("--json", action="store_true", help="print it as JSON")


def run(args: argparse.Namespace) -> int:
    """Say what plays.

    Raises:
        UsageError: An argument is wrong.
        GenerationError: Nothing can play.
    """
    from generation.sounding.renderers import available  # noqa: PLC0415 - slow imports only for this command
    from generation.sounding.soundfonts import FOLDER, choose, folders, probe  # noqa: PLC0415
    from service.settings import load  # noqa: PLC0415

    _check(args)
    settings = load(args.config)
    own = settings.storage.data_dir / FOLDER
    wanted = str(args.file or settings.generation.soundfont or (own if own.is_dir() else ""))
    choice = choose(settings.generation.renderer, wanted)
    heard = choice.probe
    if args.test:
        heard = heard or probe(choice.renderer)
        if args.out:
            _write_scale(choice, args.out)
    report: dict[str, Any] = {
        "soundfont": str(choice.font.path),
        "title": choice.font.title,
        "licence": choice.font.licence,
        "renderer": choice.renderer.name,
        "renderers": list(available()),
        "not_used": [{"soundfont": str(font.path), "why": why} for font, why in choice.rejected],
        "searched": [str(folder) for folder in (own, *folders(os.environ))],
        "probe": asdict(heard) if args.test and heard else None,
    }
    if args.json:
        print(json.dumps(report, ensure_ascii=False, indent=2))
    else:
        _say(report, heard if args.test else None)
    return int(bool(args.test and heard and heard.faults))


def _check(args: argparse.Namespace) -> None:
    if args.file is not None and not args.file.is_file():
        raise UsageError(f"There is no SoundFont file at {args.file}.")
    if args.out is None:
        return
    if not args.test:
        raise UsageError("--out writes the scale that --test plays; give both.")
    if args.out.suffix.lower() != ".wav" or not args.out.parent.is_dir():
        raise UsageError(f"--out {args.out} must end in .wav and lie in a folder that exists.")


def _say(report: dict[str, Any], heard: Probe | None) -> None:
    print(f"in use      {report['title']} ({report['licence']}), {report['soundfont']}")
    print(f"played by   {report['renderer']} (available: {', '.join(report['renderers'])})")
    for other in report["not_used"]:
        print(f"not used    {other['soundfont']}: {other['why']}")
    own, *shared = report["searched"]
    there = [folder for folder in shared if Path(folder).is_dir()]
    print(
        f"searched    {', '.join((own, *there))} and {len(shared) - len(there)} usual places that are not there"
    )
    if heard is not None:
        tuning = ", ".join(
            f"{name.replace('_', ' ')} {off:+.1f}" for name, off in heard.cents.items()
        )
        print(f"tuning      {tuning} cents")
        print(f"touch       a soft note is {heard.softer:.1f} dB quieter than a loud one")
        print(f"drums       {'drums' if heard.alike < 0.5 else 'like a piano'}")
        print(f"verdict     {'; '.join(heard.faults) or 'fit to play'}")
    for line in BETTER:
        print(f"            {line.format(folder=report['searched'][0])}")


def _write_scale(choice: Choice, path: Path) -> None:
    """Play a scale on a piano and write it at a comfortable level."""
    import numpy as np  # noqa: PLC0415

    from generation.audio import SAMPLE_RATE, Audio  # noqa: PLC0415
    from generation.encode import encode  # noqa: PLC0415
    from generation.generator import Note, Part  # noqa: PLC0415

    notes = tuple(
        Note(start=0.3 * place, seconds=0.28, pitch=pitch, velocity=90)
        for place, pitch in enumerate(SCALE)
    )
    part = Part(role="lead", patch="piano", program=0, percussion=False, notes=notes)
    stem = choice.renderer.play(part, int(3.2 * SAMPLE_RATE))
    level = 0.5 / max(1e-6, float(np.abs(stem).max()))
    samples = np.ascontiguousarray(stem.T * np.float32(level))
    path.write_bytes(
        encode(
            Audio(samples=samples, sample_rate=SAMPLE_RATE),
            extension="wav",
            title=choice.font.title,
        )
    )
