"""A process that does not listen, or dies and leaves something behind that holds its pipes."""

from __future__ import annotations

import asyncio
import os
import sys
import time

import pytest

from generation.frames import PROTOCOL, Frame
from service.heavy.process import KEPT_LINES, LONGEST_LINE, Died, GeneratorProcess, Patience

HELLO = f"""
import os, subprocess, sys, time
from generation.frames import Frame, write
from generation.serving import private_pipes
heard, said = private_pipes()
write(said, Frame("hello", {{"protocol": {PROTOCOL}}}))
"""
SLEEPER = '[sys.executable, "-c", "import time; time.sleep(20)"]'
DEAF = "time.sleep(30)"
SURVIVED = f"subprocess.Popen({SLEEPER}); os._exit(3)"
LEFT = f"subprocess.Popen({SLEEPER}, start_new_session=True); os._exit(3)"
LARGE = 2**20
"""Bytes, more than a pipe takes before somebody reads."""


async def opened(then: str) -> GeneratorProcess:
    patience = Patience(start=60.0, silence=0.5, drain=0.5)
    process = GeneratorProcess([sys.executable, "-c", HELLO + then], patience)
    await process.start()
    return process


async def test_who_does_not_listen_is_given_up():
    process = await opened(DEAF)
    with pytest.raises(Died, match="did not listen"):
        await process.work(Frame("generate", {"batch": 1}, bytes(LARGE)), lambda _, __: None)


async def test_who_does_not_listen_can_be_stopped():
    process = await opened(DEAF)
    saying = asyncio.ensure_future(
        process.work(Frame("generate", {"batch": 1}, bytes(LARGE)), lambda _, __: None)
    )
    await asyncio.sleep(0.1)
    saying.cancel()
    async with asyncio.timeout(20):
        await process.stop()


async def test_who_stops_waiting_for_the_end_of_a_process_ends_it():
    process = GeneratorProcess([sys.executable, "-c", HELLO + DEAF], Patience(drain=600.0))
    await process.start()
    stopping = asyncio.ensure_future(process.stop())
    await asyncio.sleep(0)
    stopping.cancel()
    async with asyncio.timeout(20):
        with pytest.raises(asyncio.CancelledError):
            await stopping
    assert process._child.returncode is not None


async def test_who_is_in_a_hurry_twice_leaves_no_process_behind():
    process = GeneratorProcess([sys.executable, "-c", HELLO + DEAF], Patience(drain=600.0))
    await process.start()
    stopping = asyncio.ensure_future(process.stop())
    for _ in range(2):
        await asyncio.sleep(0)
        stopping.cancel()
    with pytest.raises(asyncio.CancelledError):
        await stopping
    async with asyncio.timeout(20):
        while process._child.returncode is None:  # not alive: that is told from the kill on
            await asyncio.sleep(0.01)


async def test_a_process_that_comes_to_life_unwanted_is_ended():
    process = GeneratorProcess([sys.executable, "-c", HELLO + DEAF], Patience())
    starting = asyncio.ensure_future(process.start())
    await asyncio.sleep(0)  # a thread starts it now
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    async with asyncio.timeout(20):
        await process.kill()
    assert process._child is not None
    assert process._child.returncode is not None


async def test_a_line_without_end_is_kept_in_pieces():
    process = await opened("sys.stderr.write('no end ' * 20_000); os._exit(3)")
    with pytest.raises(Died):
        await process.work(Frame("generate", {"batch": 1}), lambda _, __: None)
    assert len(process._errors) == KEPT_LINES
    assert max(map(len, process._errors)) <= LONGEST_LINE


@pytest.mark.skipif(not hasattr(os, "waitid"), reason="cannot look without taking note")
async def test_the_number_of_a_process_that_died_is_kept_until_it_is_buried():
    process = await opened("os._exit(3)")
    while process.alive:
        await asyncio.sleep(0.01)
    assert process._child.returncode is None, "else its number could be somebody else's"
    await process.kill()
    assert process._child.returncode == 3
    assert not process.alive


@pytest.mark.parametrize("then", [SURVIVED, LEFT])
@pytest.mark.skipif(sys.platform == "win32", reason="there are no groups of processes")
async def test_what_a_process_leaves_behind_holds_up_nobody(then):
    process = await opened(then)
    began = time.monotonic()
    with pytest.raises(Died, match=r"ended|closed its ear"):
        await process.work(Frame("generate", {"batch": 1}), lambda _, __: None)
    assert time.monotonic() - began < 15
