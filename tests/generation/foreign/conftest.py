from __future__ import annotations

import sys
from pathlib import Path

import pytest

from generation.foreign.environment import Environment

HERE = Path(__file__).parent


def made(folder, script):
    """Return an environment whose Python is a script beside this file."""
    environment = Environment(folder=folder)
    environment.python.parent.mkdir(parents=True)
    environment.python.write_text(f'#!/bin/sh\nexec "{sys.executable}" -I "{HERE / script}" "$@"\n')
    environment.python.chmod(0o755)
    environment.chords.write_bytes(b"")
    return environment


@pytest.fixture
def environment(tmp_path):
    """With a stand-in for audiocraft."""
    return made(tmp_path / "audiocraft", "shim.py")


@pytest.fixture
def quick(tmp_path):
    """With a scripted worker in place of audiocraft."""
    return made(tmp_path / "audiocraft", "quick.py")
