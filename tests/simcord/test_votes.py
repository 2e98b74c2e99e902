from __future__ import annotations

import asyncio
import dataclasses

import pytest
from simcord import interactions as wire
from simcord.backend import serializers

from domain.errors import DiskFullError
from domain.vote import Consent, Grade
from tests.bot.fakes import reveal_view


async def test_a_press_is_answered_by_one_private_receipt_that_is_updated(stage, ids):
    message = await stage.start()
    await stage.ann.click(message, custom_id=ids(message, "tb:rate:", 3))
    (receipt,) = stage.private(stage.ann)
    assert "**A** 😍" in receipt.content
    assert "**B** \u2013" in receipt.content
    await stage.ann.click(message, custom_id=ids(message, "tb:rate:", 4))
    await stage.ann.click(message, custom_id=ids(message, "tb:fav:", 2))
    (again,) = stage.private(stage.ann)
    assert again.id == receipt.id
    assert "**A** 😍 · **B** 😖 · **C** ⭐ · **D** \u2013" in again.content
    assert stage.private(stage.bob) == []


async def test_the_same_button_again_takes_it_back(stage, ids):
    message = await stage.start()
    for _ in range(2):
        await stage.ann.click(message, custom_id=ids(message, "tb:rate:", 3))
    (receipt,) = stage.private(stage.ann)
    assert "**A** \u2013" in receipt.content


async def test_votes_never_change_the_rounds_message(stage, ids):
    message = await stage.start()
    await stage.ann.click(message, custom_id=ids(message, "tb:rate:", 3))
    await stage.bob.click(message, custom_id=ids(message, "tb:fav:", 1))
    after = stage.round()
    assert (after.content, after.edited_at) == (message.content, None)


async def test_the_interaction_is_the_event(stage, ids):
    message = await stage.start()
    result = await stage.ann.click(message, custom_id=ids(message, "tb:rate:", 3))
    assert stage.world.feedback.events == [result._interaction.id]


async def test_presses_work_after_a_restart(stage, ids):
    message = await stage.start()
    await stage.ann.click(message, custom_id=ids(message, "tb:rate:", 3))
    await stage.env.restart_bot(stage.new_bot())
    await stage.ann.click(message, custom_id=ids(message, "tb:rate:", 7))
    assert [one.grade for one in stage.world.feedback.votes.values()] == [Grade.LOVE, Grade.LOVE]
    assert "**A** 😍 · **B** 😍" in stage.private(stage.ann)[-1].content


async def test_an_expired_receipt_is_replaced(stage, ids):
    message = await stage.start()
    await stage.ann.click(message, custom_id=ids(message, "tb:rate:", 3))
    await stage.env.advance_time(15 * 60)
    await stage.ann.click(message, custom_id=ids(message, "tb:rate:", 4))
    receipts = stage.private(stage.ann)
    assert len(receipts) == 2
    assert "**B** 😖" in receipts[-1].content


async def test_twenty_fast_presses_end_with_the_right_receipt(stage, ids):
    message = await stage.start()
    backend = stage.env.backend
    stored = backend.get_message(message.channel.id, message.id)
    presses = [button for _ in range(5) for button in (3, 7, 11, 15)]
    for index in presses:  # all of them before the bot gets a turn
        _, payload = wire.base_payload(
            backend,
            type=3,
            channel_id=stage.channel.id,
            guild_id=stage.guild.id,
            user_id=stage.ann.id,
            data={"custom_id": ids(message, "tb:rate:", index), "component_type": 2},
        )
        payload["message"] = dict(serializers.message_payload(backend, stored))
        backend.emit("INTERACTION_CREATE", payload)
    await stage.env.settle()
    assert len(stage.world.feedback.events) == 20
    assert stage.world.feedback.events == sorted(stage.world.feedback.events)
    (receipt,) = stage.private(stage.ann)
    assert "**A** 😍 · **B** 😍 · **C** 😍 · **D** 😍" in receipt.content  # pressed five times each
    edits = [
        entry
        for entry in stage.env.http_requests
        if entry.method == "PATCH" and "/webhooks/" in entry.path and "votes in" in str(entry.json)
    ]
    assert len(edits) < 20


async def test_a_late_vote_says_so(stage, ids):
    message = await stage.start()
    stage.world.feedback.late = True
    await stage.ann.click(message, custom_id=ids(message, "tb:rate:", 3))
    assert "still counts" in stage.private(stage.ann)[0].content


@pytest.mark.parametrize(
    ("label", "consent", "words"),
    [
        ("Yes, learn my taste", Consent.TASTE, "learned from now on"),
        ("No, channel only", Consent.CHANNEL_ONLY, "channel only"),
    ],
)
async def test_the_first_receipt_asks_for_consent_once(stage, ids, label, consent, words):
    message = await stage.start()
    await stage.ann.click(message, custom_id=ids(message, "tb:rate:", 3))
    (receipt,) = stage.private(stage.ann)
    assert "learn **your** taste" in receipt.content
    await stage.ann.click(receipt, label=label)
    (receipt,) = stage.private(stage.ann)
    assert stage.world.listeners.said == {stage.ann.id: consent}
    assert words in receipt.content
    assert "**A** 😍" in receipt.content
    assert receipt.components == []
    await stage.ann.click(message, custom_id=ids(message, "tb:rate:", 4))
    (receipt,) = stage.private(stage.ann)
    assert "learn **your** taste" not in receipt.content


async def test_newcomers_read_how_many_votes_are_missing(stage, ids):
    stage.world.listeners.said[stage.ann.id] = Consent.TASTE
    message = await stage.start()
    await stage.ann.click(message, custom_id=ids(message, "tb:rate:", 3))
    assert "5 more votes until your taste counts" in stage.private(stage.ann)[0].content


async def test_a_vanished_clip_gets_a_sentence(stage, ids):
    message = await stage.start()
    stage.world.runs.rounds.clear()
    await stage.ann.click(message, custom_id=ids(message, "tb:rate:", 3))
    assert "not there any more" in stage.private(stage.ann)[0].content


async def test_a_failure_gets_a_reference_and_the_next_press_works(stage, ids, caplog):
    message = await stage.start()
    stage.world.feedback.fail = RuntimeError("secret detail")
    await stage.ann.click(message, custom_id=ids(message, "tb:rate:", 3))
    text = stage.private(stage.ann)[0].content
    assert "Something went wrong on our side (ref " in text
    assert "secret detail" not in text
    reference = text.split("ref ")[1].split(")")[0]
    assert reference in caplog.text
    stage.world.feedback.fail = None
    await stage.ann.click(message, custom_id=ids(message, "tb:rate:", 3))
    assert "**A** 😍" in stage.private(stage.ann)[-1].content


async def test_a_full_disk_gets_its_own_sentence(stage, ids):
    message = await stage.start()
    stage.world.feedback.fail = DiskFullError("no space left")
    await stage.ann.click(message, custom_id=ids(message, "tb:rate:", 3))
    assert "disk" in stage.private(stage.ann)[0].content


async def test_a_vote_counts_even_when_its_answer_is_too_late(stage, ids):
    message = await stage.start()
    stage.env.inject_error("POST", "/interactions/*/callback", status=404, code=10062)
    await stage.ann.click(message, custom_id=ids(message, "tb:rate:", 3))
    assert [one.grade for one in stage.world.feedback.votes.values()] == [Grade.LOVE]
    assert stage.private(stage.ann) == []
    await stage.ann.click(message, custom_id=ids(message, "tb:rate:", 4))
    assert "**A** 😍 · **B** 😖" in stage.private(stage.ann)[0].content


async def test_slow_storage_does_not_keep_discord_waiting(stage, ids):
    message = await stage.start()
    gate = asyncio.Event()
    plain = stage.world.feedback.rate

    async def slow(*args):
        await stage.env.external_wait(gate.wait(), reason="slow disk")
        return await plain(*args)

    stage.world.feedback.rate = slow
    result = await stage.ann.click(message, custom_id=ids(message, "tb:rate:", 3))
    assert result.deferred
    gate.set()
    await stage.env.settle()
    assert "**A** 😍" in stage.private(stage.ann)[0].content


async def test_after_the_reveal_the_receipt_says_how_a_taste_differed(stage, ids):
    message = await stage.start()
    await stage.ann.click(message, custom_id=ids(message, "tb:rate:", 3))
    row = reveal_view().rows[0]
    rows = (dataclasses.replace(row, clip=stage.world.runs.rounds[1, 1][0], mean=-0.5, votes=3),)
    with stage.env._bot_scope():
        await stage.room.receipts.reveal(reveal_view(run=stage.world.runs.by_id(1), rows=rows))
    await stage.env.settle()
    (receipt,) = stage.private(stage.ann)
    assert "You liked **A** more than the others did (+1.5)." in receipt.content
    assert stage.private(stage.bob) == []


@pytest.mark.parametrize(
    ("status", "code", "words"),
    [
        (403, 50013, "**A** 😍"),  # refused once: the receipt is the first answer instead
        (404, 10062, None),  # too late for any answer
    ],
)
async def test_a_press_counts_when_it_cannot_be_acknowledged(stage, ids, status, code, words):
    message = await stage.start()
    stage.env.inject_error("POST", "/interactions/*/callback", status=status, code=code)
    await stage.ann.click(message, custom_id=ids(message, "tb:rate:", 3))
    assert len(stage.world.feedback.events) == 1
    told = [one.content for one in stage.private(stage.ann)]
    assert [words in text for text in told] == [True] if words else told == []
