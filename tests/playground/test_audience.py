"""Synthetic listeners in the playground: they hear what is posted, press buttons, and can be asked."""

from __future__ import annotations

import asyncio
import io

import discord
import numpy as np
import pytest
import soundfile

from playground.audience import Audience
from playground.refusals import RefusalError
from playground.start import MUSIC_ID
from service.tasks import TaskSet


def clip(bpm: float) -> bytes:
    sound = np.zeros(44100 * 3, dtype=np.float32)
    for start in np.arange(0, 2.9, 60 / bpm):
        sound[int(44100 * start) : int(44100 * start) + 2000] = 0.3 * np.hanning(2000)
    out = io.BytesIO()
    soundfile.write(out, sound, 44100, format="WAV")
    return out.getvalue()


def rows() -> discord.ui.View:
    view = discord.ui.View(timeout=None)
    for row in range(2):
        for grade in range(5):
            view.add_item(
                discord.ui.Button(label=f"{row}{grade}", custom_id=f"grade:{row}:{grade}", row=row)
            )
    return view


@pytest.fixture
async def audience(server):
    tasks = TaskSet()
    made = Audience(server.parts, tasks, pace=0.0)
    server.use_listeners(made)
    yield made
    await tasks.close()


async def test_listeners_hear_vote_and_are_counted(server, log_in, audience):
    pressed: list[tuple[int, str]] = []
    async with log_in(server) as bot:

        async def on_interaction(interaction: discord.Interaction) -> None:
            pressed.append((interaction.user.id, interaction.data["custom_id"]))
            await interaction.response.defer()

        bot.on_interaction = on_interaction
        people = await audience.add(2, seed=4)
        channel = bot.get_channel(MUSIC_ID)
        files = [discord.File(io.BytesIO(clip(bpm)), f"{bpm}.wav") for bpm in (80, 160)]
        await channel.send("Round 1", files=files, view=rows())
        async with asyncio.timeout(15):
            while sum(row["votes"] for row in audience.rows()) < 3 or len(pressed) < 3:
                await asyncio.sleep(0.02)
    assert {user for user, _ in pressed} <= set(people)
    assert all(custom_id.startswith("grade:") for _, custom_id in pressed)
    per_clip = [
        (user, custom_id[:7]) for user, custom_id in pressed if not custom_id.endswith(":4")
    ]
    assert len(set(per_clip)) == len(per_clip)  # one grade for each clip


async def test_who_comes_in_late_votes_on_the_round_that_is_there(server, log_in, audience):
    async with log_in(server) as bot:
        channel = bot.get_channel(MUSIC_ID)
        files = [discord.File(io.BytesIO(clip(bpm)), f"{bpm}.wav") for bpm in (80, 160)]
        await channel.send("Round 1", files=files, view=rows())
        await audience.add(3, seed=4)
        async with asyncio.timeout(15):
            while sum(row["votes"] for row in audience.rows()) < 4:
                await asyncio.sleep(0.02)


async def test_listeners_answer_a_duel_once_each(server, log_in, audience):
    pressed: list[tuple[int, str]] = []
    answers = discord.ui.View(timeout=None)
    for end in ("a", "b", "tie", "bad", "decide"):
        answers.add_item(discord.ui.Button(label=end, custom_id=f"tb:duel:7:{end}"))
    async with log_in(server) as bot:

        async def on_interaction(interaction: discord.Interaction) -> None:
            pressed.append((interaction.user.id, interaction.data["custom_id"]))
            await interaction.response.defer()

        bot.on_interaction = on_interaction
        people = await audience.add(3, seed=4)
        files = [discord.File(io.BytesIO(clip(bpm)), f"{bpm}.wav") for bpm in (80, 160)]
        await bot.get_channel(MUSIC_ID).send("Duel 7", files=files, view=answers)
        async with asyncio.timeout(15):
            while len(pressed) < 3:
                await asyncio.sleep(0.02)
    assert sorted(user for user, _ in pressed) == sorted(people)
    assert {custom_id.split(":")[-1] for _, custom_id in pressed} <= {"a", "b", "tie", "bad"}
    assert sum(row["votes"] for row in audience.rows()) == 3


async def test_tastes_are_hidden_until_revealed_and_come_back_the_same(server, audience):
    first = await audience.add(3, seed=9)
    assert all(row["hidden"] is None for row in audience.rows())
    await audience.reveal(first[0])
    told = [row["hidden"] for row in audience.rows()]
    assert told[0] is not None
    assert told[1:] == [None, None]
    await audience.reveal(None)
    words = [row["hidden"] for row in audience.rows()]
    await audience.clear()
    assert audience.rows() == []
    assert await audience.add(3, seed=9) == first
    await audience.reveal(None)
    assert [row["hidden"] for row in audience.rows()] == words


async def test_revealing_a_stranger_is_refused(audience):
    with pytest.raises(RefusalError):
        await audience.reveal(12345)
