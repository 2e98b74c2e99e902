"""A crowd that votes until it is killed: prints every vote whose receipt it got.

Started by ``test_kill`` as a process of its own.
"""

import asyncio
import sys
from pathlib import Path

from domain.ids import GuildId, ListenerId
from storage import guilds, votes
from storage.database import Database
from tests.storage.samples import make_round, vote

PEOPLE = 40


async def crowd(path: Path, start: int) -> None:
    database = await Database.open(path)
    async with database.transaction() as tx:
        clip = (await make_round(tx, channel_id=start)).clips[0].id
    writer = votes.VoteWriter(database)

    async def person(listener: int) -> None:
        event = start + listener
        while True:
            event += PEOPLE
            await writer.record([vote(clip, event, listener_id=ListenerId(listener))])
            print(clip, listener, event, flush=True)  # noqa: T201 - read by the test

    async def other_work() -> None:
        while True:
            async with database.transaction() as tx:
                for number in range(20):
                    await guilds.set_guild_setting(tx, GuildId(1), str(number), "x" * 500)

    await asyncio.gather(other_work(), *(person(one) for one in range(1, PEOPLE + 1)))


if __name__ == "__main__":
    asyncio.run(crowd(Path(sys.argv[1]), int(sys.argv[2])))
