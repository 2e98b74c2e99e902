"""The real client over the real use cases, database and breeder; only the sound is made up."""

from __future__ import annotations

import asyncio
import contextlib
import json

import pytest

from bot.app import TunebreederBot
from bot.room import Room
from domain.ids import DIRECT_MESSAGES
from domain.run import RunState
from domain.vote import VoteSource
from service.bootstrap import open_services
from service.settings import Settings
from storage import runs, votes
from tests.fakes import FakeDevice
from tests.simcord.conftest import Stage

pytestmark = pytest.mark.simcord(settle_timeout=20.0)  # well below the settle time of a quorum


class EnvClock:
    """Discord's simulated time, so that ids and times agree; short waits pass at once."""

    def __init__(self) -> None:
        self.env = None

    def now(self) -> float:
        return self.env.now().timestamp() if self.env is not None else 0.0

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(0 if seconds < 2 else seconds)


@pytest.fixture
def clock():
    return EnvClock()


@pytest.fixture
def device():
    return FakeDevice()


@pytest.fixture
async def services(tmp_path, clock, device):
    settings = Settings.model_validate(
        {"storage": {"data_dir": str(tmp_path)}, "runs": {"candidates": 8, "settle": 120.0}}
    )
    async with open_services(settings, clock=clock, device=device) as opened:
        yield opened


@pytest.fixture
def simcord_bot(services, sink, clock):
    return TunebreederBot(Room(services=services), sink)


@pytest.fixture
async def stage(simcord_env, services, sink, clock):
    clock.env = simcord_env
    guild = simcord_env.create_guild()
    people = [guild.add_member(simcord_env.create_user(name)) for name in ("ann", "bob")]
    mod = guild.add_member(guild.owner)
    made = Stage(
        env=simcord_env,
        world=services,
        room=Room(services=services),
        sink=sink,
        guild=guild,
        channel=guild.create_text_channel("music"),
        mod=mod,
        ann=people[0],
        bob=people[1],
    )
    await simcord_env.settle()
    return made


async def cast(stage):
    """Return the votes that stand in the channel's latest run."""
    async with stage.world.db.reading() as tx:
        run = await runs.latest_run_in_channel(tx, stage.channel.id)
        stored = await votes.votes_of_run(tx, run.id)
    return [vote for vote in stored if not vote.retracted]


async def run_of(stage, channel):
    async with stage.world.db.reading() as tx:
        return await runs.latest_run_in_channel(tx, channel.id)


async def until(stage, condition):
    """Let the use cases, which run beside the client, get on until something is so."""
    for _ in range(400):
        found = condition()
        if found:
            return found
        await asyncio.sleep(0.005)
        with contextlib.suppress(TimeoutError):
            await stage.env.settle()
    raise AssertionError("it never happened")


def reveals(stage):
    return [one for one in stage.channel.history() if "is closed" in one.content]


async def test_from_the_first_round_to_the_next(stage, ids):
    message = await stage.start(vibe="rainy lofi")
    assert len(message.attachments) == 4
    assert sum(len(row.children) for row in message.components) == 25

    await stage.ann.click(message, custom_id=ids(message, "tb:rate:", 3))
    await stage.ann.click(message, custom_id=ids(message, "tb:rate:", 4))
    await stage.ann.click(message, custom_id=ids(message, "tb:fav:", 0))
    (receipt,) = stage.private(stage.ann)
    assert "**A** 😍⭐ · **B** 😖 · **C** \u2013" in receipt.content
    await stage.ann.click(message, custom_id=ids(message, "tb:rate:", 4))
    assert len(await cast(stage)) == 2

    await stage.env.restart_bot(TunebreederBot(Room(services=stage.world), stage.sink))
    await stage.bob.click(message, custom_id=ids(message, "tb:rate:", 3))
    await stage.ann.click(message, custom_id=ids(message, "tb:do:"))
    assert "Only moderators" in stage.private(stage.ann)[-1].content

    await stage.mod.click(message, custom_id=ids(message, "tb:do:"))
    (reveal,) = await until(stage, lambda: reveals(stage))
    assert "🏆 **A** won among 2 listeners" in reveal.content
    second = await until(stage, lambda: stage.round() if stage.round().id != message.id else None)
    assert "**Round 2**" in second.content
    assert ids(second, "tb:rate:") != ids(message, "tb:rate:")
    await stage.bob.click(message, custom_id=ids(message, "tb:rate:", 5))
    assert "still counts" in stage.private(stage.bob)[-1].content
    assert await stage.world.db.integrity() == []


async def test_a_quorum_closes_the_round_and_breeds_on(stage, ids):
    message = await stage.start()
    await stage.ann.click(message, custom_id=ids(message, "tb:rate:", 3))
    await stage.bob.click(message, custom_id=ids(message, "tb:rate:", 2))
    await stage.env.advance_time(stage.world.settings.runs.settle + 1)
    await until(stage, lambda: reveals(stage) and stage.round().id != message.id)
    assert "enough of you voted" in reveals(stage)[0].content


async def test_reactions_are_weaker_votes_that_can_be_taken_back(stage):
    message = await stage.start()
    await stage.ann.react(message, "👎")
    (*stored,) = await cast(stage)
    assert {vote.source for vote in stored} == {VoteSource.REACTION}
    assert all(vote.weight < 1 and vote.rating < 0 for vote in stored)
    await stage.ann.unreact(message, "👎")
    assert await cast(stage) == []
    await stage.ann.react(message, "🔥")
    await stage.bob.react(message, "🔥")
    stage.env.backend.clear_reactions(stage.channel.id, message.id)
    await stage.env.settle()
    assert await cast(stage) == []


async def test_what_happened_while_the_bot_was_away_is_healed(stage):
    message = await stage.start()
    await stage.ann.react(message, "👍")
    env = stage.env
    await env.advance_time(1)
    env.backend.subscribers.remove(env._gateway_feed)  # the connection is gone
    env.backend.remove_reaction(stage.channel.id, message.id, "👍", stage.ann.id)
    env.backend.add_reaction(stage.channel.id, message.id, "🔥", stage.bob.id)
    env.backend.subscribers.append(env._gateway_feed)
    await env.restart_bot(TunebreederBot(Room(services=stage.world), stage.sink))
    assert {(vote.listener_id, vote.symbol) for vote in await cast(stage)} == {(stage.bob.id, "🔥")}


async def test_consent_taste_why_and_own_data(stage, ids):
    message = await stage.start()
    for index in (3, 4, 8, 15):
        await stage.ann.click(message, custom_id=ids(message, "tb:rate:", index))
    (receipt,) = stage.private(stage.ann)
    await stage.ann.click(receipt, label="Yes, learn my taste")
    shown = await stage.ann.slash(stage.channel, "taste show")
    assert "**Your taste here**, from" in shown.response.content

    await stage.ann.click(message, custom_id=ids(message, "tb:do:", 4))
    panel = stage.private(stage.ann)[-1]
    await stage.ann.click(panel, label="Why this clip")
    assert "Chance that you like it: **" in stage.private(stage.ann)[-1].content
    await stage.ann.click(panel, label="Lineage")
    assert "gen 1" in stage.private(stage.ann)[-1].content
    await stage.ann.click(panel, label="Keep")
    for kind in ("wav", "midi"):
        await stage.ann.select(panel, custom_id=ids(panel, "tb:more:", -1), values=[kind])
    await stage.ann.click(panel, label="For me")
    files = [one.attachments[0].filename for one in stage.private(stage.ann) if one.attachments]
    assert [name.rsplit(".", 1)[1] for name in files] == ["png", "wav", "mid", "mp3"]

    result = await stage.ann.slash(stage.channel, "mydata export")
    held = stage.env.backend.cdn.get(result.response.attachments[0].url).decode()
    assert len(json.loads(held)["votes"]) == 4
    result = await stage.ann.slash(stage.channel, "mydata delete")
    await stage.ann.click(result.response, label="Delete everything")
    assert "Deleted:" in result.response.content
    assert await cast(stage) == []
    assert await stage.world.db.integrity() == []


async def test_vary_cross_and_remix_breed_from_what_the_presser_liked(stage, ids):
    message = await stage.start(quorum=1)
    for index in (2, 7):
        await stage.ann.click(message, custom_id=ids(message, "tb:rate:", index))
    for place, number in ((1, 2), (2, 3)):
        await stage.ann.click(message, custom_id=ids(message, "tb:do:", place))
        await until(stage, lambda number=number: f"**Round {number}**" in stage.round().content)
    message = stage.round()
    shown = await stage.ann.click(message, custom_id=ids(message, "tb:do:", 3))
    clip = shown.modal["components"][0]["component"]["options"][1]["value"]
    await stage.ann.submit_modal(shown, {"clip": [clip], "words": "slower, no drums"})
    await until(stage, lambda: "**Round 4**" in stage.round().content)


async def test_a_branch_and_a_private_run(stage):
    await stage.start(vibe="dub")
    await stage.ann.slash(stage.channel, "evolve branch", clip="A")
    await stage.bob.slash(stage.channel, "evolve start", **{"for": "me"})
    branch, private = stage.channel.threads
    for thread in (branch, private):
        assert any(message.attachments for message in thread.history())
    assert (await run_of(stage, branch)).parent_clip_id is not None
    assert (await run_of(stage, private)).for_listener == stage.bob.id


async def test_in_direct_messages(stage, ids):
    user = stage.ann.user
    await user.slash("evolve start", vibe="ambient")
    message = next(one for one in user.dm_channel.history() if one.attachments)
    await user.click(message, custom_id=ids(message, "tb:rate:", 3))
    run = await run_of(stage, user.dm_channel)
    assert run.guild_id == DIRECT_MESSAGES


async def test_a_revoked_permission_pauses_and_resume_posts_what_waited(stage):
    env = stage.env
    env.inject_error("POST", "/channels/*/messages", status=403, code=50013, times=2)
    await stage.mod.slash(stage.channel, "evolve start")

    async def paused():
        run = await run_of(stage, stage.channel)
        return run.state is RunState.PAUSED

    for _ in range(2000):
        if await paused():
            break
        await asyncio.sleep(0.01)
    assert await paused()
    await stage.mod.slash(stage.channel, "evolve resume")
    await until(stage, lambda: [one for one in stage.channel.history() if one.attachments])
    assert not await paused()


async def test_a_deleted_channel_stops_its_run(stage):
    await stage.start()
    stage.env.backend.delete_channel(stage.channel.id)
    await stage.env.settle()
    assert (await run_of(stage, stage.channel)).state is RunState.STOPPED


async def test_a_prompt_of_4000_emoji(stage):
    message = await stage.start(vibe="🎷💥" * 2000)
    assert len(message.attachments) == 4
    assert len((await run_of(stage, stage.channel)).vibe) <= 400


@pytest.mark.simcord(settle_timeout=0.5)
async def test_a_round_in_the_making_can_be_cancelled(stage, device):
    device.hold = asyncio.Event()
    with pytest.raises(TimeoutError):  # the command goes on for as long as the round is being made
        await stage.mod.slash(stage.channel, "evolve start")
    (line,) = [message for message in stage.channel.history() if message.components]
    assert "8" in line.content or "Starting" in line.content
    with pytest.raises(TimeoutError):
        await stage.ann.click(line, label="Cancel")
    assert "Only the person who asked" in stage.private(stage.ann)[0].content
    with contextlib.suppress(TimeoutError):
        await stage.mod.click(line, label="Cancel")
    await until(stage, lambda: "Cancelled." in stage.channel.history(viewer=stage.bob)[0].content)
    assert (await run_of(stage, stage.channel)).state is RunState.STOPPED
    (line,) = [message for message in stage.channel.history() if "breeds" in message.content]
    assert line.content.endswith("Cancelled.")
    assert line.components == []


async def test_a_mood_from_a_clip_to_votes_on_it(stage, ids, device):
    await stage.start(vibe="dub")
    await stage.ann.slash(stage.channel, "mood", **{"from": "B"})
    shown = stage.private(stage.ann)[-1]
    await stage.ann.click(shown, label="--")
    before = len(device.requests)
    await stage.ann.click(shown, label="Listen")
    await until(stage, lambda: stage.private(stage.ann)[-1].attachments)
    assert len(device.requests) == before + 1
    assert device.requests[-1].facets["energy"] < 0.7
    await stage.env.restart_bot(stage.new_bot())
    shown = stage.private(stage.ann)[-1]
    await stage.ann.click(shown, label="Post it")
    await until(stage, lambda: "A mood by" in stage.channel.history()[-1].content)
    posted = stage.channel.history()[-1]
    assert f"<@{stage.ann.id}>" in posted.content
    assert "Changed: energy" in posted.content
    assert stage.private(stage.bob) == []
    await stage.bob.click(posted, custom_id=ids(posted, "tb:rate:", 3))
    assert "Your vote on this clip" in stage.private(stage.bob)[-1].content
    async with stage.world.db.reading() as tx:
        heard = await votes.votes_of_channel(tx, stage.channel.id)
    assert [vote.listener_id for vote in heard] == [stage.bob.id]
    await stage.bob.click(posted, label="More")
    panel = stage.private(stage.bob)[-1]
    assert "For me" not in [
        getattr(item, "label", "") for row in panel.components for item in row.children
    ]
    await stage.bob.click(panel, label="Lineage")
    assert "mood: energy" in stage.private(stage.bob)[-1].content
    status = await stage.ann.slash(stage.channel, "evolve status")
    assert "“dub”" in status.response.content


async def test_a_mood_in_direct_messages_starts_a_run_there(stage):
    user = stage.ann.user
    shown = (await user.slash("mood", **{"from": "lofi"})).response
    await user.click(shown, label="Listen")
    await until(
        stage, lambda: "sounds like this" in user.dm_channel.history(viewer=user)[-1].content
    )
    shown = user.dm_channel.history(viewer=user)[-1]
    await user.click(shown, label="Breed from this")
    await until(
        stage, lambda: any("**Round 1**" in one.content for one in user.dm_channel.history())
    )
    run = await run_of(stage, user.dm_channel)
    assert run.for_listener == stage.ann.id
    assert run.parent_clip_id is not None
    result = await user.slash("mydata delete")
    await user.click(result.response, label="Delete everything")
    async with stage.world.db.reading() as tx:
        assert await runs.runs_of_guild(tx, DIRECT_MESSAGES) == []


async def test_a_channel_breeds_towards_a_track_and_says_so(stage):
    await stage.ann.slash(stage.channel, "like-this", track=("notes.pdf", b"%PDF"))
    assert stage.private(stage.ann)[-1].content == "That is no sound. Send an MP3."
    await stage.ann.slash(stage.channel, "like-this", track=("Night_Drive.wav", b"RIFFtechno"))
    await until(stage, lambda: [one for one in stage.channel.history() if one.attachments])
    await stage.ann.slash(stage.channel, "evolve status")
    told = stage.private(stage.ann)[-1].content
    assert "Bred towards “Night Drive” (3:00)" in told
    assert "votes count for 0% and the track for the rest" in told
    await stage.ann.click(stage.round(), label="More")
    await stage.ann.slash(stage.channel, "like-this", track=("Night_Drive.wav", b"RIFFtechno"))
    assert stage.private(stage.ann)[-1].content.startswith("This channel already has a run.")


async def test_a_mention_with_a_track_breeds_towards_it(stage):
    said = f"<@{stage.env.bot.user.id}> something like this please"
    picture, song = ("cover.png", b"\x89PNG"), ("Night_Drive.wav", b"RIFFtechno")
    await stage.ann.send(stage.channel, said, attachments=[picture, song])
    await until(
        stage, lambda: any("towards your track" in one.content for one in stage.channel.history())
    )
    run = await run_of(stage, stage.channel)
    status = await stage.world.runs.status(run.channel_id)
    assert status.target.title == "Night Drive"
