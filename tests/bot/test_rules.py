from __future__ import annotations

import discord
import pytest

from bot.room import is_moderator
from domain.errors import ForbiddenError
from domain.run import RunSettings
from service.rules import steering
from service.views import Actor
from tests.bot.fakes import make_run


def actor(user_id: int = 50, *, moderator: bool = False) -> Actor:
    return Actor(user_id=user_id, guild_id=5, channel_id=6, is_moderator=moderator)


@pytest.mark.parametrize("verb", ["next", "vary", "cross", "remix", "stop", "reset"])
def test_moderators_and_owners_may_everything_and_others_are_told_why(verb):
    assert steering(actor(moderator=True), make_run(), verb).is_moderator
    assert steering(actor(), make_run(for_listener=50), verb).is_moderator
    assert steering(actor(), make_run(parent_clip_id=3, started_by=50), verb).is_moderator
    with pytest.raises(ForbiddenError, match="Only moderators"):
        steering(actor(), make_run(started_by=50), verb)
    with pytest.raises(ForbiddenError, match="Only moderators"):
        steering(actor(), make_run(for_listener=51), verb)


def test_one_voter_may_propose_but_not_end():
    run = make_run(settings=RunSettings(quorum=1))
    assert steering(actor(), run, "next").is_moderator
    with pytest.raises(ForbiddenError):
        steering(actor(), run, "stop")


def test_who_moderates():
    assert is_moderator(discord.Permissions(manage_messages=True), in_guild=True)
    assert is_moderator(discord.Permissions(manage_guild=True), in_guild=True)
    assert is_moderator(discord.Permissions.none(), in_guild=False)
    assert not is_moderator(discord.Permissions(send_messages=True), in_guild=True)
