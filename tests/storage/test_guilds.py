"""Servers and settings."""

from domain.ids import ChannelId, GuildId
from storage import guilds
from tests.storage.samples import GUILD


async def test_servers_come_and_go(db):
    async with db.transaction() as tx:
        for guild in (GUILD, GuildId(1), GUILD):
            await guilds.guild_joined(tx, guild, 5.0)
        assert await guilds.guild_ids(tx) == [1, GUILD]
        await guilds.guild_left(tx, GUILD, 6.0)
        assert await guilds.guild_ids(tx) == [1]
        await guilds.guild_joined(tx, GUILD, 7.0)
        assert await guilds.guild_ids(tx) == [1, GUILD]


async def test_settings_are_json_by_key(db):
    async with db.transaction() as tx:
        assert await guilds.guild_settings(tx, GUILD) == {}
        await guilds.set_guild_setting(tx, GUILD, "quorum", 2)
        await guilds.set_guild_setting(tx, GUILD, "quorum", 3)
        await guilds.set_guild_setting(tx, GUILD, "emoji", {"👍": 0.5})
        await guilds.set_guild_setting(tx, GuildId(1), "quorum", False)
        assert await guilds.guild_settings(tx, GUILD) == {"quorum": 3, "emoji": {"👍": 0.5}}
        await guilds.set_guild_setting(tx, GUILD, "quorum", None)
        assert await guilds.guild_settings(tx, GUILD) == {"emoji": {"👍": 0.5}}
        assert await guilds.guild_settings(tx, GuildId(1)) == {"quorum": False}
        await guilds.set_channel_setting(tx, ChannelId(2), "timer", 0)
        await guilds.set_channel_setting(tx, ChannelId(2), "timer", [1, 2])
        assert await guilds.channel_settings(tx, ChannelId(2)) == {"timer": [1, 2]}
        await guilds.set_channel_setting(tx, ChannelId(2), "timer", None)
        assert await guilds.channel_settings(tx, ChannelId(2)) == {}
