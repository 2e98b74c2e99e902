from __future__ import annotations

import asyncio

import numpy as np
import pytest

from domain.vote import Consent, Grade
from scoring.taste import default_prior
from storage import preferences
from tests.service.conftest import EVENTS, GUILD, actor

PEOPLE = [actor(100 + number) for number in range(6)]


async def community(stage, rounds=3, people=PEOPLE):
    """Let members who opted in grade rounds and star the clip of the alphabetically first family."""
    for who in people:
        await stage.services.listeners.set_consent(who, Consent.TASTE)
    await stage.start(seed=7)
    for number in range(rounds):
        shown = await stage.shown()
        best = min(shown, key=lambda clip: (clip.family, clip.id))
        for who in people:
            for clip in shown:
                grade = Grade.LOVE if clip.id == best.id else Grade.MEH
                await stage.services.feedback.rate(who, clip.id, grade, next(EVENTS))
            await stage.services.feedback.favourite(who, best.id, next(EVENTS))
        if number < rounds - 1:
            await stage.next()
    await stage.services.tastes.flush()


async def stored(stage):
    async with stage.services.db.reading() as tx:
        return await preferences.latest_reward(tx, GUILD)


async def until(stage, wanted):
    async with asyncio.timeout(20):
        while not wanted(await stored(stage)):
            await asyncio.sleep(0.01)


async def test_a_community_gets_a_reward_that_newcomers_lean_on(stage):
    await community(stage)
    assert await stage.services.rewards.catch_up() == [GUILD]
    found = await stored(stage)
    assert (found.pairs, found.listeners, found.version) == (54, 6, 1)
    prior = await stage.services.tastes.prior(GUILD)
    plain = default_prior(stage.services.tastes.space)
    assert not np.allclose(prior.mean[:-1], plain.mean[:-1])
    assert prior.members == 0
    shown = await stage.shown()
    best = min(shown, key=lambda clip: (clip.family, clip.id))
    async with stage.services.db.reading() as tx:
        ids, phi = await stage.services.tastes.phi(tx, [clip.id for clip in shown])
    assert ids[int((phi @ prior.mean).argmax())] == best.id
    assert await stage.services.rewards.catch_up() == [], "nothing changed"


async def test_other_servers_know_nothing_of_it(stage):
    await community(stage)
    await stage.services.rewards.catch_up()
    elsewhere = await stage.services.tastes.prior(GUILD + 1)
    assert np.array_equal(elsewhere.mean, default_prior(stage.services.tastes.space).mean)
    assert await stage.services.rewards.reward(GUILD + 1) is None


async def test_with_too_few_there_is_none(stage, caplog):
    caplog.set_level("INFO")
    await community(stage, people=PEOPLE[:2])
    assert await stage.services.rewards.catch_up() == []
    assert not await stage.services.rewards.refit(GUILD)
    assert "There are 18 preferences of 2 listeners; a reward needs 40 of 3 or more." in caplog.text


async def test_who_did_not_opt_in_counts_for_nothing(stage):
    await community(stage)
    await stage.services.rewards.catch_up()
    await stage.services.listeners.set_consent(PEOPLE[0], Consent.CHANNEL_ONLY)
    await until(stage, lambda found: found is not None and found.listeners == 5)


@pytest.mark.parametrize("leave", ["erase", "reset_taste"])
async def test_who_leaves_is_out_of_it_at_once(stage, leave):
    await community(stage)
    await stage.services.rewards.catch_up()
    await getattr(stage.services.listeners, leave)(PEOPLE[0])
    await until(stage, lambda found: found is not None and found.listeners == 5)
    assert (await stored(stage)).pairs == 45
    for who in PEOPLE[1:4]:
        await stage.services.listeners.erase(who)
    async with asyncio.timeout(20):
        while stage.services.rewards._one_at_a_time.locked():
            await asyncio.sleep(0.01)
    assert await stored(stage) is None
    prior = await stage.services.tastes.prior(GUILD)
    assert np.array_equal(prior.mean, default_prior(stage.services.tastes.space).mean)


async def test_it_is_learned_again_after_enough_new_preferences_or_a_day(stage):
    await community(stage)
    await stage.services.rewards.catch_up()
    await stage.next()
    shown = await stage.shown()
    for who in PEOPLE[:2]:
        for clip in shown:
            await stage.services.feedback.rate(who, clip.id, Grade.GOOD, next(EVENTS))
        await stage.services.feedback.favourite(who, shown[0].id, next(EVENTS))
    assert await stage.services.rewards.catch_up() == []
    stage.clock.advance(86_401)
    assert await stage.services.rewards.catch_up() == [GUILD]
    assert (await stored(stage)).pairs == 60


async def test_a_stored_reward_that_cannot_be_read_is_left_out(stage):
    async with stage.services.db.transaction() as tx:
        await preferences.save_reward(
            tx,
            preferences.StoredReward(
                guild_id=GUILD,
                version=0,
                space_id=stage.services.tastes.space.id,
                payload=b"nonsense",
                pairs=40,
                listeners=3,
                saved_at=0.0,
            ),
        )
    assert await stage.services.rewards.reward(GUILD) is None
