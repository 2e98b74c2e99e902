"""Searches over embeddings in the bot: the table of the generator, and what reaches it."""

from __future__ import annotations

import asyncio
import hashlib

import numpy as np
import pytest

from domain.errors import UserError
from domain.run import RunSettings
from service.tables import Tables
from tests.bot.fakes import make_run
from tests.fakes import FakeDevice, generator_state
from tests.service.conftest import ANN, MOD

WIDTH = 16


def states(prompt: str) -> np.ndarray:
    """A token for each word; like a text encoder's, the same for the same word."""
    return np.stack(
        [
            np.random.default_rng(
                int.from_bytes(hashlib.sha256(word.encode()).digest()[:8])
            ).normal(size=WIDTH)
            for word in prompt.split()
        ]
    ).astype(np.float32)


async def test_embeddings_reach_a_generator_that_takes_them(stage):
    stage.device.reads = states
    done = await stage.start(searcher="ga-tokens", vibe="slow lofi")
    assert done.error is None
    asked = list(stage.device.requests)
    assert all(one.embedding for one in asked)
    assert all(len(one.embedding) % (4 * WIDTH) == 0 for one in asked)
    assert all(one.prompt for one in asked), "a child is said in words too"
    read = len(stage.device.read_prompts)
    assert (await stage.next()).error is None
    assert len(stage.device.read_prompts) == read, "a table is made once"
    run = await stage.run()
    clip = (await stage.services.clips.of_round(run.id, 2))[0]
    again = []
    wav = stage.device.wav

    async def kept(request):
        again.append(request)
        return await wav(request)

    stage.device.wav = kept
    await stage.services.clips.wav(ANN, clip.id)
    wanted = next(one for one in stage.device.requests if one.seed == again[0].seed)
    assert again[0].embedding == wanted.embedding


async def test_a_generator_that_turns_out_to_take_words_alone_says_so(stage):
    stage.device.reads = states
    await stage.start(searcher="snes-tokens")
    await stage.services.runs.stop(MOD)
    stage.device.reads = None
    with pytest.raises(UserError, match="snes-tokens searches what a text encoder says"):
        await stage.services.runs.start(MOD, searcher="snes-tokens")


class Readers(FakeDevice):
    """Two generators, of which the second reads once it is let."""

    def __init__(self) -> None:
        super().__init__()
        self.generators = [generator_state(name="quick"), generator_state(name="slow")]
        self.reads, self.gate, self.asked = states, asyncio.Event(), []

    async def read(self, prompts, generator: str = ""):
        self.asked.append(generator)
        if generator == "slow":
            await self.gate.wait()
        return await super().read(prompts, generator)


async def test_a_generator_that_reads_slowly_holds_up_no_others_table():
    device = Readers()
    tables = Tables(device)

    def of(name: str):
        return tables.of(make_run(searcher="ga-tokens", settings=RunSettings(generator=name)))

    slow = [asyncio.ensure_future(of("slow")) for _ in range(2)]
    while not device.asked:
        await asyncio.sleep(0)
    async with asyncio.timeout(20):
        quick = await of("quick")
        assert await of("") is quick, "the default one by its name is the same"
    assert not any(one.done() for one in slow)
    device.gate.set()
    first, second = await asyncio.gather(*slow)
    assert first is second
    assert first is not quick
    assert device.asked == ["slow", "quick"]
