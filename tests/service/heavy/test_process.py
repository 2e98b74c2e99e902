"""A process that does not listen, or dies and leaves something behind that holds its pipes."""

from __future__ import annotations

import asyncio
import sys
import time

import pytest

from generation.frames import PROTOCOL, Frame
from service.heavy.process import Died, GeneratorProcess, Patience

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


@pytest.mark.parametrize("then", [SURVIVED, LEFT])
@pytest.mark.skipif(sys.platform == "win32", reason="there are no groups of processes")
async def test_what_a_process_leaves_behind_holds_up_nobody(then):
    process = await opened(then)
    began = time.monotonic()
    with pytest.raises(Died, match=r"ended|closed its ear"):
        await process.work(Frame("generate", {"batch": 1}), lambda _, __: None)
    assert time.monotonic() - began < 15
