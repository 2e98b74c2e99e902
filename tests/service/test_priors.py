"""What a community has in common: learned from votes, kept, learned again each day, gone with whoever leaves."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest

from domain.run import RunSettings
from domain.vote import Consent, Grade
from scoring.taste import default_prior, unpack_prior
from service.evidence import Witness
from service.priors import Priors
from service.tasting import DAY, FIRST_REFIT
from storage import listeners, tastes
from tests.service.conftest import GUILD, MOD, actor

PEOPLE = [actor(40 + number) for number in range(11)]
SETTINGS = RunSettings(candidates=8, quorum=99, timer=0)


async def vote(stage, rounds: int = 2) -> None:
    """Everybody opts in, loves the first two clips of each round and hates the others."""
    for person in PEOPLE:
        await stage.services.listeners.set_consent(person, Consent.TASTE)
    await stage.start(settings=SETTINGS)
    for number in range(1, rounds + 1):
        for person in PEOPLE:
            for slot in range(1, 5):
                await stage.rate(person, slot, Grade.LOVE if slot < 3 else Grade.AWFUL)
        if number < rounds:
            await stage.next(MOD)
    await stage.settle()


async def stored(stage):
    async with stage.services.db.reading() as tx:
        return await tastes.latest_prior(tx, GUILD)


async def until(condition) -> None:
    async with asyncio.timeout(20):
        while not await condition():
            await asyncio.sleep(0.01)


@pytest.fixture
async def taught(stage):
    await vote(stage)
    learner = stage.services.tastes
    await learner.refit_prior(GUILD)
    return stage


async def test_a_prior_is_learned_from_votes_and_kept(taught):
    learner = taught.services.tastes
    prior = await learner.prior(GUILD)
    assert prior.members == len(PEOPLE)
    row = await stored(taught)
    assert row.members == len(PEOPLE)
    assert unpack_prior(row.payload).mean == pytest.approx(prior.mean, abs=1e-5)
    assert not np.allclose(prior.mean, default_prior(learner.space).mean, atol=1e-3)


async def test_the_same_votes_give_the_same_prior(taught):
    learner = taught.services.tastes
    before = await learner.prior(GUILD)
    learner.forget(GUILD)
    await learner.refit_prior(GUILD)
    after = await learner.prior(GUILD)
    assert np.array_equal(before.mean, after.mean)
    assert np.array_equal(before.covariance, after.covariance)


async def test_every_day_the_prior_and_the_tastes_are_learned_again(stage):
    await vote(stage)
    async with stage.services.db.transaction() as tx:
        await tastes.delete_priors(tx, GUILD)

    async def there() -> bool:
        return await stored(stage) is not None

    stage.clock.advance(FIRST_REFIT + 1)
    await until(there)
    async with stage.services.db.transaction() as tx:
        await tastes.delete_priors(tx, GUILD)
    stage.clock.advance(DAY + 1)
    await until(there)
    await stage.settle()


async def test_who_is_erased_leaves_nothing_in_the_prior(taught):
    learner = taught.services.tastes
    before = await learner.prior(GUILD)
    await taught.services.listeners.erase(PEOPLE[0])
    assert await stored(taught) is None
    await taught.settle()
    after = await learner.prior(GUILD)
    assert after.members == len(PEOPLE) - 1
    assert not np.allclose(before.mean, after.mean, atol=1e-6)
    await taught.services.listeners.reset_taste(PEOPLE[1])
    await taught.settle()
    last = await learner.prior(GUILD)
    assert last.members == 0
    assert np.array_equal(last.mean, default_prior(learner.space).mean)


class Slow(Witness):
    """Reads evidence; calls back when it has read some."""

    async def of_listener(self, tx, guild_id, listener_id):
        found = await super().of_listener(tx, guild_id, listener_id)
        await self.then()
        return found


async def test_who_withdraws_while_a_prior_is_learned_is_not_in_it(taught):
    services, space = taught.services, taught.services.tastes.space
    witness = Slow(space)
    priors = Priors(services.db, witness, taught.clock)

    async def withdraw():
        async with services.db.transaction() as tx:  # nobody is told to forget yet
            await listeners.set_consent(tx, GUILD, PEOPLE[0].user_id, Consent.CHANNEL_ONLY)
            await tastes.delete_priors(tx, GUILD)

    witness.then = withdraw
    await priors.refit(GUILD)
    assert await stored(taught) is None


async def test_a_prior_that_is_forgotten_while_it_is_leaned_is_not_remembered(taught):
    services = taught.services
    priors = Priors(services.db, Witness(services.tastes.space), taught.clock)
    leant = 0

    async def lean(guild_id, prior):
        nonlocal leant
        leant += 1
        if leant == 1:
            priors.forget(guild_id)
        return prior

    priors.lean_on(lean)
    await priors.refit(GUILD)
    assert (await priors.prior(GUILD)).members == len(PEOPLE)
    assert leant == 2


async def test_a_prior_of_another_space_or_a_damaged_one_is_learned_again(taught):
    learner = taught.services.tastes
    right = await learner.prior(GUILD)
    for space_id, payload in (("other/1", b"x"), (learner.space.id, b"TBP\x01cut off")):
        learner.forget(GUILD)
        async with taught.services.db.transaction() as tx:
            await tastes.save_prior(tx, GUILD, payload, space_id=space_id, members=9, now=1.0)
        assert np.array_equal((await learner.prior(GUILD)).mean, right.mean)
