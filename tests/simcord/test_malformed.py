"""Whatever comes in, the bot stays connected and answers politely or not at all."""

from __future__ import annotations

import copy
import random

import discord
import pytest
from simcord import interactions as wire
from simcord.backend import serializers

from bot.dispatch import UNKNOWN_BUTTON


def interaction(stage, message, kind: int, data: dict) -> dict:
    backend = stage.env.backend
    _, payload = wire.base_payload(
        backend,
        type=kind,
        channel_id=stage.channel.id,
        guild_id=stage.guild.id,
        user_id=stage.ann.id,
        data=data,
    )
    if message is not None:
        stored = backend.get_message(message.channel.id, message.id)
        payload["message"] = dict(serializers.message_payload(backend, stored))
    return payload


async def with_button(stage, custom_id: str):
    """Return a message of the bot that has this button."""
    view = discord.ui.View(timeout=None)
    view.add_item(discord.ui.Button(label="odd", custom_id=custom_id))
    view.stop()
    sent = await stage.env.bot.get_partial_messageable(stage.channel.id).send("odd", view=view)
    await stage.env.settle()
    return next(one for one in stage.channel.history() if one.id == sent.id)


@pytest.mark.parametrize(
    "custom_id",
    [
        "tb:",
        "tb:rate:x:1",
        "tb:rate:1:9",
        "tb:rate:99999999999999999999:1",
        "tb:do:1:1:explode",
        "tb:more:1:1:why:2:3",
        "tb:consent:maybe",
        "other:thing",
        "tb:rate:1:1\n",
        "\N{MATHEMATICAL DOUBLE-STRUCK DIGIT ONE}" * 20,
    ],
)
async def test_unknown_buttons_get_a_polite_answer(stage, custom_id):
    message = await with_button(stage, custom_id)
    await stage.ann.click(message, custom_id=custom_id)
    (answer,) = stage.private(stage.ann)
    assert answer.content == UNKNOWN_BUTTON


async def test_buttons_about_things_that_do_not_exist_get_a_sentence(stage):
    for custom_id in (
        "tb:rate:424242:1",
        "tb:fav:424242",
        "tb:do:9:9:next",
        "tb:do:9:9:more",
        "tb:do:9:9:remix",
        "tb:pick:9:9:cross",
        "tb:more:9:9:why",
        "tb:more:9:9:why:4",
        "tb:resume:9",
        "tb:cancel:9",
    ):
        message = await with_button(stage, custom_id)
        before = len(stage.private(stage.ann))
        await stage.ann.click(message, custom_id=custom_id)
        answers = stage.private(stage.ann)[before:]
        assert len(answers) == 1, custom_id
        assert "went wrong" not in answers[0].content, custom_id


async def test_mangled_events_never_end_the_client(stage, ids, caplog):
    message = await stage.start()
    rng = random.Random(5)
    base = [
        (
            "INTERACTION_CREATE",
            interaction(
                stage, message, 3, {"custom_id": ids(message, "tb:rate:"), "component_type": 2}
            ),
        ),
        (
            "INTERACTION_CREATE",
            interaction(stage, None, 5, {"custom_id": "tb:do:1:1:remix", "components": []}),
        ),
        (
            "MESSAGE_REACTION_ADD",
            {
                "user_id": str(stage.ann.id),
                "channel_id": str(stage.channel.id),
                "message_id": str(message.id),
                "guild_id": str(stage.guild.id),
                "emoji": {"id": None, "name": "👍"},
                "burst": False,
                "type": 0,
            },
        ),
        ("MESSAGE_DELETE", {"id": str(message.id), "channel_id": str(stage.channel.id)}),
        (
            "THREAD_DELETE",
            {"id": "5", "guild_id": str(stage.guild.id), "parent_id": "6", "type": 11},
        ),
    ]
    parsers = stage.env.bot._connection.parsers
    for _ in range(300):
        event, payload = rng.choice(base)
        broken = mangle(copy.deepcopy(payload), rng)
        with stage.env._bot_scope():
            parsers[event](broken)  # raises where the shield does not hold
    await stage.env.settle()
    await stage.ann.click(message, custom_id=ids(message, "tb:rate:", 3))
    assert any("**A**" in one.content for one in stage.private(stage.ann))
    stage.env.errors  # noqa: B018 - what handlers raised about garbage is logged, and looked at here


def mangle(payload, rng: random.Random):
    """Delete, replace or nest one value somewhere in a payload."""
    junk = [None, "", "x", -1, 2**70, [], {}, [[]], {"id": None}, True, 1.5, "💥" * 5]
    node = payload
    while isinstance(node, dict) and node:
        key = rng.choice(list(node))
        child = node[key]
        if isinstance(child, dict) and child and rng.random() < 0.6:
            node = child
            continue
        if rng.random() < 0.5:
            del node[key]
        else:
            node[key] = rng.choice(junk)
        break
    return payload if rng.random() > 0.05 else rng.choice(junk)


@pytest.mark.parametrize(
    "components",
    [
        None,
        "x",
        [],
        [None],
        [{"type": 18}],
        [{"component": {"custom_id": "clip", "values": ["x"]}}],
    ],
)
async def test_malformed_forms_get_a_polite_answer(stage, components):
    payload = interaction(
        stage, None, 5, {"custom_id": "tb:do:1:1:remix", "components": components}
    )
    stage.env.backend.emit("INTERACTION_CREATE", payload)
    await stage.env.settle()
    assert [one.content for one in stage.private(stage.ann)] == [UNKNOWN_BUTTON]


async def test_a_command_that_has_changed_gets_a_sentence(stage):
    payload = interaction(
        stage,
        None,
        2,
        {"id": "1", "name": "evolve", "type": 1, "options": [{"name": "gone", "type": 1}]},
    )
    stage.env.backend.emit("INTERACTION_CREATE", payload)
    await stage.env.settle()
    (answer,) = stage.private(stage.ann)
    assert "has just changed" in answer.content
    assert len(stage.env.errors) == 1
