from __future__ import annotations


async def test_reactions_are_translated(stage):
    message = await stage.start()
    await stage.ann.react(message, "👍")
    await stage.ann.unreact(message, "👍")
    added, removed = stage.world.feedback.reactions
    assert added["listener_id"] == stage.ann.id
    assert (added["message_id"], added["emoji"], added["added"]) == (message.id, "👍", True)
    assert removed["added"] is False
    assert removed["event_id"] > added["event_id"] > 2**40


async def test_custom_emoji_carry_name_and_id(stage):
    message = await stage.start()
    emoji = stage.guild.create_emoji("banger")
    await stage.ann.react(message, f"banger:{emoji.id}")
    assert stage.world.feedback.reactions[0]["emoji"] == f"banger:{emoji.id}"


async def test_bots_and_the_bot_itself_do_not_vote(stage):
    message = await stage.start()
    robot = stage.guild.add_member(stage.env.create_user("robot", bot=True))
    await robot.react(message, "👍")
    await stage.round().add_reaction("👍")
    await stage.env.settle()
    assert stage.world.feedback.reactions == []


async def test_cleared_reactions(stage):
    message = await stage.start()
    await stage.ann.react(message, "👍")
    stage.env.backend.clear_reaction(stage.channel.id, message.id, "👍")
    stage.env.backend.clear_reactions(stage.channel.id, message.id)
    await stage.env.settle()
    assert stage.world.feedback.cleared == [(message.id, "👍"), (message.id, None)]


async def test_reactions_are_healed_after_the_bot_was_away(stage):
    message = await stage.start()
    robot = stage.guild.add_member(stage.env.create_user("robot", bot=True))
    await stage.ann.react(message, "🔥")
    await stage.bob.react(message, "🔥")
    await robot.react(message, "🔥")
    await stage.bob.react(message, "👎")
    await stage.env.restart_bot(stage.new_bot())
    healed = stage.world.feedback.healed[-1]
    assert healed["message_id"] == message.id
    assert healed["seen"] == {"🔥": {stage.ann.id, stage.bob.id}, "👎": {stage.bob.id}}
    await stage.ann.react(message, "👍")
    assert stage.world.feedback.reactions[-1]["event_id"] > healed["event_id"]


async def test_healing_survives_a_deleted_message(stage):
    message = await stage.start()
    stage.env.backend.delete_message(stage.channel.id, message.id)
    await stage.mod.slash(stage.channel, "evolve next")
    before = len(stage.world.feedback.healed)
    await stage.env.restart_bot(stage.new_bot())
    assert len(stage.world.feedback.healed) == before + 1  # the round that is still there


async def test_a_round_whose_message_was_deleted_is_no_news(stage, caplog):
    await stage.start()
    stage.env.inject_error("GET", "/channels/*/messages/*", status=404, code=10008)
    with caplog.at_level("INFO", logger="bot.reactions"):
        await stage.env.bot._reactions.heal()
    assert not caplog.records
