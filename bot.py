"""Tunebreeder's entry point: ``python bot.py --help``. Nothing imports this file; ``bot/`` is the Discord room."""

import sys

SET_UP = "Set it up with: make setup. Then use .venv/bin/python instead of python."


def run() -> int:
    """Run the command line.

    Returns:
        The exit code.

    Raises:
        SystemExit: This Python is too old, or has not the packages that the bot stands on; says how to get them.
    """
    if sys.version_info < (3, 11):  # noqa: UP036 - whatever Python somebody types may run this file
        version = ".".join(map(str, sys.version_info[:2]))
        sys.exit(f"tunebreeder: Python {version} is too old; 3.11 or newer is needed. {SET_UP}")
    try:
        from cli.main import main  # noqa: PLC0415 - imports what may be missing

        return main()
    except ModuleNotFoundError as error:
        sys.exit(f"tunebreeder: This Python has no package {error.name}. {SET_UP}")


if __name__ == "__main__":
    sys.exit(run())
