"""The process of a generator of ours, started as the bot starts it."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path

import pytest

from generation.frames import Frame
from generation.registry import composer
from generation.serving import Failed
from service.heavy.main import COMMAND, recipe_in, told
from service.heavy.process import GeneratorProcess, Patience, Unable

PRIVATE = "only-for-our-own-server"


def started(recipe) -> GeneratorProcess:
    return GeneratorProcess(COMMAND, Patience(start=60.0, drain=5.0), first=told(recipe))


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
async def test_its_recipe_stands_where_nobody_else_can_read_it():
    recipe = dataclasses.replace(composer(), options=(("fields", PRIVATE),))
    process = started(recipe)
    try:
        hello = await process.start()
        shown = Path(f"/proc/{process._child.pid}/cmdline").read_bytes()
    finally:
        await process.stop()
    assert hello.header["info"]["name"] == "composer"
    assert b"service.heavy.main" in shown
    assert PRIVATE.encode() not in shown


async def test_what_its_recipe_asks_for_and_nobody_has_is_said():
    process = started(dataclasses.replace(composer(), loader="nobody"))
    with pytest.raises(Unable, match="There is no generator 'nobody'"):
        await process.start()
    assert not process.alive


def test_a_recipe_comes_through_whole_and_nothing_else_is_one():
    recipe = dataclasses.replace(composer(renderer="tiny"), device="cuda:1", batch=3)
    assert recipe_in(told(recipe)) == recipe
    for frame in (Frame("stop"), Frame("recipe", {"options": 3}), Frame("recipe", {"no": 1})):
        with pytest.raises(Failed, match="is none"):
            recipe_in(frame)
