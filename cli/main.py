"""Parse the command line and run one command.

Exit codes: 0 done, 1 failed, 2 wrong use. Errors are one sentence on stderr.
"""

from __future__ import annotations

import argparse
import importlib
import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import NoReturn

from cli.logs import set_up_logging
from domain.errors import ConfigError, TunebreederError, UsageError

DONE, FAILED, WRONG_USE = 0, 1, 2
COMMANDS = (
    "run",
    "playground",
    "compose",
    "soundfont",
    "train",
    "models",
    "worker",
    "doctor",
    "progress",
    "bench",
    "experiment",
    "backup",
    "import-config",
)
INTERRUPTED = 130

log = logging.getLogger(__name__)


class Parser(argparse.ArgumentParser):
    """An argument parser whose errors are one sentence."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong and leave with 2."""
        self.exit(WRONG_USE, f"{self.prog}: {message}. Try {self.prog} --help.\n")

    def format_help(self) -> str:
        """Return the help without the marks of docstrings, which descriptions are taken from."""
        return super().format_help().replace("``", "")


def parser() -> argparse.ArgumentParser:
    """Return the parser with every command."""
    top = Parser(
        prog="bot.py", description="Tunebreeder: a Discord bot that breeds music for a community."
    )
    top.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        help="settings file (default: config.yaml if it is there)",
    )
    commands = top.add_subparsers(
        dest="command", metavar="COMMAND", required=True, parser_class=Parser
    )
    for name in COMMANDS:
        _module(name).add_to(commands)
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        argv: Arguments without the program's name; ``sys.argv`` when ``None``.

    Returns:
        The exit code.
    """
    args = parser().parse_args(argv)
    set_up_logging(os.environ)
    try:
        return int(_module(args.command).run(args))
    except (ConfigError, UsageError) as error:
        return _fail(str(error), WRONG_USE)
    except TunebreederError as error:
        return _fail(str(error), FAILED)
    except KeyboardInterrupt:
        return INTERRUPTED
    except OSError as error:
        where = f" {error.filename}" if error.filename else ""
        return _fail(f"{error.strerror or error}{where}", FAILED)
    except Exception as error:
        log.debug("Command failed", exc_info=True)
        return _fail(
            f"Something unexpected went wrong ({type(error).__name__}: {error}). "
            "Set TUNEBREEDER_LOG_LEVEL=debug to see where.",
            FAILED,
        )


def _module(command: str) -> ModuleType:
    return importlib.import_module(f"cli.{command.replace('-', '_')}")


def _fail(sentence: str, code: int) -> int:
    print(f"tunebreeder: {sentence}", file=sys.stderr)
    return code
