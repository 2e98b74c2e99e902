"""Seeds that the bot draws for itself, the same each time: a clean machine is to judge a change, not to draw lots."""

from __future__ import annotations

import random
import secrets

import pytest


@pytest.fixture(autouse=True)
def same_draws(monkeypatch, request):
    """Let ``secrets.randbits`` give the same numbers in each run of a test."""
    monkeypatch.setattr(secrets, "randbits", random.Random(request.node.name).getrandbits)
