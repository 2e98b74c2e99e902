from __future__ import annotations

import asyncio

import pytest

from domain.errors import NotFoundError
from domain.vote import Consent, Grade
from storage import votes
from tests.service.conftest import ANN, BOB, GUILD, MOD, MUSIC, actor


async def test_votes_change_and_are_taken_back(stage):
    await stage.start()
    receipt = await stage.rate(ANN, 1, Grade.GOOD, 100)
    assert receipt.ratings[0].grade is Grade.GOOD
    assert receipt.consent is Consent.UNASKED
    assert receipt.votes_until_taste == 4
    receipt = await stage.rate(ANN, 1, Grade.LOVE, 101)
    assert receipt.ratings[0].grade is Grade.LOVE
    receipt = await stage.rate(ANN, 1, Grade.LOVE, 102)
    assert receipt.ratings[0].grade is None
    receipt = await stage.rate(ANN, 1, Grade.LOVE, 102)  # the same event, delivered again
    assert receipt.ratings[0].grade is None


async def test_the_star_moves_within_a_round(stage):
    await stage.start()
    one, two, *_ = await stage.shown()
    await stage.services.feedback.favourite(ANN, one.id, 100)
    receipt = await stage.services.feedback.favourite(ANN, two.id, 101)
    assert [rating.favourite for rating in receipt.ratings] == [False, True, False, False]
    receipt = await stage.services.feedback.favourite(ANN, two.id, 102)
    assert not any(rating.favourite for rating in receipt.ratings)


async def test_late_votes_count_and_say_so(stage):
    await stage.start()
    await stage.rate(ANN, 1, Grade.GOOD)
    first = (await stage.shown(1))[0]
    await stage.next()
    receipt = await stage.services.feedback.rate(BOB, first.id, Grade.LOVE, 500)
    assert receipt.late
    assert receipt.ratings[0].grade is Grade.LOVE


async def test_all_bad_is_one_press_and_idempotent(stage):
    await stage.start()
    run = await stage.run()
    receipt = await stage.services.feedback.all_bad(ANN, run.id, 1, 100)
    assert [rating.grade for rating in receipt.ratings] == [Grade.AWFUL] * 4
    receipt = await stage.services.feedback.all_bad(ANN, run.id, 1, 101)
    assert [rating.grade for rating in receipt.ratings] == [Grade.AWFUL] * 4


async def test_paused_listeners_leave_no_trace(stage):
    await stage.start()
    await stage.services.listeners.set_consent(ANN, Consent.PAUSED)
    receipt = await stage.rate(ANN, 1, Grade.LOVE)
    assert "paused" in receipt.note
    assert receipt.ratings[0].grade is None
    message = await stage.message_of(1)
    await react(stage, message, ANN, "👍", 900)
    async with stage.services.db.reading() as tx:
        assert await votes.votes_of_listener(tx, GUILD, ANN.user_id) == []


async def test_forged_ids_are_refused_politely(stage):
    await stage.start()
    with pytest.raises(NotFoundError):
        await stage.services.feedback.rate(ANN, 99_999, Grade.LOVE, 1)
    clip = (await stage.shown())[0]
    with pytest.raises(NotFoundError):
        await stage.services.feedback.rate(actor(2, guild=9), clip.id, Grade.LOVE, 1)
    with pytest.raises(NotFoundError):
        await stage.services.feedback.all_bad(ANN, 12345, 1, 1)


async def react(stage, message, who, emoji, event, added=True):
    await stage.services.feedback.react(
        guild_id=GUILD,
        channel_id=MUSIC,
        message_id=message,
        listener_id=who.user_id,
        emoji=emoji,
        added=added,
        event_id=event,
    )


async def standing(stage, who):
    async with stage.services.db.reading() as tx:
        cast = await votes.votes_of_listener(tx, GUILD, who.user_id)
    return [vote for vote in cast if not vote.retracted]


async def test_reactions_are_weak_votes_and_can_be_removed_and_cleared(stage):
    await stage.start()
    message = await stage.message_of(1)
    await react(stage, message, ANN, "👍", 10)
    cast = await standing(stage, ANN)
    assert len(cast) == 4
    assert sum(vote.weight for vote in cast) == pytest.approx(0.5)
    await react(stage, message, ANN, "👍", 11, added=False)
    assert await standing(stage, ANN) == []
    await react(stage, message, ANN, "2️⃣", 12)
    (vote,) = await standing(stage, ANN)
    assert vote.clip_id == (await stage.shown())[1].id
    await react(stage, message, BOB, "unknown", 13)
    await react(stage, 424242, BOB, "👍", 14)
    assert await standing(stage, BOB) == []
    await stage.services.feedback.clear_reactions(message_id=message, emoji=None, event_id=20)
    assert await standing(stage, ANN) == []


async def test_healing_makes_votes_equal_to_what_is_shown(stage):
    await stage.start()
    message = await stage.message_of(1)
    await react(stage, message, ANN, "👍", 10)
    await react(stage, message, BOB, "👎", 11)
    await stage.services.feedback.heal_reactions(
        message_id=message, seen={"👍": {BOB.user_id}, "?": {ANN.user_id}}, event_id=50
    )
    assert await standing(stage, ANN) == []
    assert {vote.symbol for vote in await standing(stage, BOB)} == {"👍"}


async def test_many_votes_at_once_lose_nothing(stage):
    await stage.start()
    shown = await stage.shown()
    presses = [
        stage.services.feedback.rate(
            actor(100 + user), clip.id, Grade.GOOD, 1000 + 10 * user + clip.posted_slot
        )
        for user in range(60)
        for clip in shown
    ]
    await asyncio.gather(*presses)
    run = await stage.run()
    async with stage.services.db.reading() as tx:
        assert len(await votes.votes_of_run(tx, run.id)) == 240
        assert len(await votes.voters(tx, run.id, 1)) == 60
    assert await stage.services.db.integrity() == []


async def test_status_tells_voters_and_families(stage):
    await stage.start()
    await stage.rate(ANN, 1, Grade.GOOD)
    status = await stage.services.runs.status(MUSIC)
    assert status.voters == 1
    assert sum(status.families.values()) == 8
    assert status.progress is None
    assert status.message_id == 1000
    assert MOD.is_moderator
