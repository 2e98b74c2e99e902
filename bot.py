"""Tunebreeder's entry point: ``python bot.py --help``. Nothing imports this file; ``bot/`` is the Discord room."""

import sys

from cli.main import main

if __name__ == "__main__":
    sys.exit(main())
