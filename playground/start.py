"""The world at start: The Playground with a moderator, a few listeners, two channels and the bot.

Its ids are fixed, so that a bot which kept its database finds the same channels and people after a restart.
"""

from __future__ import annotations

from collections.abc import Callable

from playground import permissions
from playground.media import MediaStore
from playground.model import Channel, ChannelType, Emoji, Member, Role, User
from playground.options import PlaygroundOptions
from playground.snowflakes import at
from playground.world import World

FOUNDED = 1_767_225_600.0
"""Unix time at which the guild is said to have been founded: the first second of 2026."""

_COLORS = ("#e0567a", "#3f9c8c", "#c98a1b", "#6b74d6", "#2f8fc4", "#9a5bbf", "#5b8f3a", "#c4602f")


def fixed_id(sequence: int) -> int:
    """An id that is the same in every playground."""
    return at(FOUNDED, sequence)


GUILD_ID = fixed_id(1)
BOT_ID = fixed_id(2)
MODERATOR_ROLE_ID = fixed_id(3)
BOT_ROLE_ID = fixed_id(4)
MUSIC_ID = fixed_id(5)
LOUNGE_ID = fixed_id(6)
EMOJI_ID = fixed_id(7)
MODERATOR_ID = fixed_id(16)
FIRST_LISTENER_ID = fixed_id(17)


def person_color(index: int) -> str:
    """A CSS colour for the ``index``-th person."""
    return _COLORS[index % len(_COLORS)]


def new_world(
    options: PlaygroundOptions, *, clock: Callable[[], float], media: MediaStore
) -> World:
    """Build the world.

    Args:
        options: Names and numbers.
        clock: Unix time in seconds.
        media: Where uploads go.
    """
    bot = User(
        id=BOT_ID, username=options.bot_name, global_name=None, avatar_color="#7c5cff", bot=True
    )
    world = World(options, clock=clock, media=media, bot=bot)
    world.guild_id, world.guild_name, world.owner_id = GUILD_ID, "The Playground", MODERATOR_ID
    for role in (
        Role(id=GUILD_ID, name="@everyone", permissions=int(permissions.EVERYONE), position=0),
        Role(
            id=MODERATOR_ROLE_ID,
            name="Moderator",
            permissions=int(permissions.EVERYONE | permissions.MODERATOR),
            position=1,
            color=0x2ECC71,
        ),
        Role(
            id=BOT_ROLE_ID,
            name=options.bot_name,
            permissions=int(permissions.BOT),
            position=2,
            managed=True,
        ),
    ):
        world.roles[role.id] = role
    world.members[bot.id] = Member(user=bot, roles=[BOT_ROLE_ID], joined_at=FOUNDED)
    world.add_person("Mo", user_id=MODERATOR_ID, roles=(MODERATOR_ROLE_ID,), color=person_color(0))
    for index, name in enumerate(options.people):
        world.add_person(name, user_id=FIRST_LISTENER_ID + index, color=person_color(index + 1))
    for position, (channel_id, name, topic) in enumerate(
        (
            (MUSIC_ID, "music", "Listen, rate, and hear the next round get closer."),
            (LOUNGE_ID, "lounge", "Talk about anything."),
        )
    ):
        world.channels[channel_id] = Channel(
            id=channel_id,
            kind=ChannelType.TEXT,
            name=name,
            topic=topic,
            guild_id=GUILD_ID,
            position=position,
            created=FOUNDED,
        )
    world.emojis[EMOJI_ID] = Emoji(name="banger", id=EMOJI_ID)
    return world
