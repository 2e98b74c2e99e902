"""``import-config``: read an EvoMusic configuration, say what becomes of every key, write settings and operators."""

from __future__ import annotations

import argparse
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from domain.errors import ConfigError, UsageError, UserError

if TYPE_CHECKING:
    from cli.evomusic_config import Imported
    from cli.loose_yaml import Loose

LARGEST = 1_000_000
"""Bytes of a file."""
MOST_KEYS = 2000
MOST_SKIPPED = 5
"""Skipped lines that are shown; the others are counted."""
SIGNS = {"used": "->", "ignored": "- ", "secret": "! ", "unknown": "? "}
SETTINGS, OPERATORS, FULL = "config.yaml", "operators.yaml", "full.md"


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    command = commands.add_parser(
        "import-config", help="take over an EvoMusic configuration", description=__doc__
    )
    command.add_argument("file", type=Path, metavar="FILE", help="EvoMusic's YAML file")
    command.add_argument(
        "--out",
        type=Path,
        metavar="FOLDER",
        help=f"write {SETTINGS}, {OPERATORS} and {FULL} there instead of printing them; no file is overwritten",
    )


def run(args: argparse.Namespace) -> int:
    """Import, and say what was done.

    Raises:
        UsageError: The file or the folder is not one.
        ConfigError: The file is no EvoMusic configuration.
        UserError: A file is there already, or operators cannot be used as they are.
    """
    from cli.evomusic_config import convert  # noqa: PLC0415 - slow imports only for this command
    from service.settings import LanguageSettings  # noqa: PLC0415

    loose = _read(args.file)
    variable = LanguageSettings().key_variable
    imported = convert(loose.values, variable)
    if not any(line.kind != "unknown" for line in imported.lines):
        raise ConfigError(f"{args.file} has no key of an EvoMusic configuration.")
    files = _files(imported, args.file)
    _refuse_overwriting(args.out, files)
    print("\n".join(_report(args.file, loose, imported)))
    for name, text in files.items():
        if args.out is None:
            print(f"\n# {name}\n{text}", end="")
        else:
            (args.out / name).write_text(text, encoding="utf-8")
            print(f"Wrote {args.out / name}.")
    if imported.problems:
        raise UserError(f"{args.file}: {imported.problems[0]}")
    print(f"\n{_next(imported, args.out, variable)}")
    return 0


def _read(file: Path) -> Loose:
    from cli.evomusic_keys import TREE, flattened  # noqa: PLC0415
    from cli.loose_yaml import read  # noqa: PLC0415

    if file.is_dir():
        raise UsageError(f"{file} is a folder; name a YAML file.")
    if not file.exists():
        raise UsageError(f"There is no file {file}; name EvoMusic's YAML file.")
    if file.stat().st_size > LARGEST:
        raise UsageError(
            f"{file} is larger than {LARGEST // 1_000_000} MB; that is no configuration."
        )
    try:
        text = file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise ConfigError(f"{file} is not a text in UTF-8.") from None
    loose = read(text, TREE)
    if len(list(islice(flattened(loose.values), MOST_KEYS))) == MOST_KEYS:
        raise ConfigError(f"{file} has more than {MOST_KEYS} keys; that is no configuration.")
    if not loose.values:
        raise ConfigError(f"{file} has no key of an EvoMusic configuration.")
    return loose


def _files(imported: Imported, source: Path) -> dict[str, str]:
    """Return the text of each file to write, checked by the code that will read it."""
    import yaml  # noqa: PLC0415
    from pydantic import ValidationError  # noqa: PLC0415

    from prompts.operators import to_yaml  # noqa: PLC0415
    from service.settings import Settings  # noqa: PLC0415

    try:
        Settings.model_validate(imported.settings)
    except ValidationError as error:
        problem = error.errors(include_url=False, include_input=False)[0]
        key = ".".join(str(part) for part in problem["loc"])
        raise ConfigError(
            f"{source}: it would set {key} to what is not possible: {problem['msg']}."
        ) from None
    head = (
        f"# From {source.name}, an EvoMusic configuration. Every other setting keeps its default.\n"
    )
    files = {}
    if imported.settings:
        files[SETTINGS] = head + yaml.safe_dump(
            imported.settings, sort_keys=False, allow_unicode=True
        )
    if imported.evolve is not None:
        files[OPERATORS] = to_yaml(imported.evolve)
    if imported.full:
        files[FULL] = imported.full + "\n"
    return files


def _refuse_overwriting(folder: Path | None, files: dict[str, str]) -> None:
    if folder is None:
        return
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"--out {folder} is not a folder.")
    there = [folder / name for name in files if (folder / name).exists()]
    if there:
        raise UserError(f"{there[0]} is there already; move it away or take another --out.")
    folder.mkdir(parents=True, exist_ok=True)


def _report(file: Path, loose: Loose, imported: Imported) -> list[str]:
    out = [f"{file}: {len(imported.lines)} keys"]
    if loose.trouble:
        out.append(
            f"It is not sound YAML ({loose.trouble}), so it was read by the names of its keys."
        )
    out += [f"Line {at}: the text of {key} was put together again." for at, key in loose.mended]
    out += [f"Line {at} was skipped: {_safe(line)}" for at, line in loose.skipped[:MOST_SKIPPED]]
    if len(loose.skipped) > MOST_SKIPPED:
        out.append(f"{len(loose.skipped) - MOST_SKIPPED} more lines were skipped.")
    width = max(len(line.key) for line in imported.lines)
    out += [f"{SIGNS[one.kind]} {one.key:<{width}}  {one.says}" for one in imported.lines]
    out += [f"Problem: {problem}" for problem in imported.problems]
    return out


def _safe(line: str) -> str:
    """Return the beginning of a line, without what may be a secret."""
    bare = line.lower()
    if any(word in bare for word in ("key", "token", "secret", "password", "sk-")):
        return "(it may hold a secret)"
    return line if len(line) <= 60 else f"{line[:57]}..."


def _next(imported: Imported, out: Path | None, variable: str) -> str:
    steps = []
    if "language" in imported.settings:
        steps.append(f"set {variable}, unless the model is a local one")
    if out is not None:
        steps.append(f"start with python bot.py --config {out / SETTINGS} run")
    if imported.evolve is not None:
        steps.append("take over the operators on your server with /operators import")
    if imported.full:
        steps.append("paste full.md into /prompts edit")
    return f"Next: {'; '.join(steps)}." if steps else "Nothing in it has a place here."
