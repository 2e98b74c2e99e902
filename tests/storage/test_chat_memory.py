from dataclasses import replace

from domain.ids import ChannelId, ClipId
from storage import chat_memory
from storage.chat_memory import Turn
from tests.storage.samples import ALICE, CHANNEL, GUILD

TURN = Turn(
    guild_id=GUILD,
    channel_id=CHANNEL,
    listener_id=ALICE,
    said="darker",
    answered="On it.",
    clip_id=ClipId(3),
    at=10.0,
)


async def test_the_newest_turns_of_a_channel_are_kept_in_order(db):
    async with db.transaction() as tx:
        await chat_memory.add_turn(tx, replace(TURN, channel_id=ChannelId(9)), most=2)
        for at in (10.0, 20.0, 30.0):
            await chat_memory.add_turn(tx, replace(TURN, at=at), most=2)
        assert await chat_memory.turns_of(tx, CHANNEL, since=0.0) == [
            replace(TURN, at=20.0),
            replace(TURN, at=30.0),
        ]
        assert len(await chat_memory.turns_of(tx, ChannelId(9), since=0.0)) == 1


async def test_old_turns_are_neither_told_nor_kept(db):
    async with db.transaction() as tx:
        for at in (10.0, 20.0):
            await chat_memory.add_turn(tx, replace(TURN, at=at, clip_id=None), most=9)
        assert [one.at for one in await chat_memory.turns_of(tx, CHANNEL, since=15.0)] == [20.0]
        assert await chat_memory.forget_turns(tx, before=15.0) == 1
        assert [one.at for one in await chat_memory.turns_of(tx, CHANNEL, since=0.0)] == [20.0]
