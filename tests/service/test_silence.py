"""What is made of clips that somebody left unrated beside those that they rated."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from domain.ids import ClipId, GuildId, ListenerId, RunId
from domain.run import RunSettings
from domain.vote import Consent, Grade, Vote, VoteSource
from scoring.space import default_space
from scoring.taste import Rated, default_prior, fit, predict
from service.bootstrap import open_services
from service.folding import fold, silences
from storage import tastes
from tests.fakes import FakeClock, FakeDevice, FakeSink
from tests.service.conftest import ANN, BOB, GUILD, MOD, Stage

SETTINGS = RunSettings(candidates=8, quorum=99, timer=0)
FIRST, SECOND = (RunId(1), 1), (RunId(1), 2)
SHOWN = {ClipId(one): FIRST for one in (1, 2, 3, 4)} | {ClipId(one): SECOND for one in (5, 6, 7, 8)}
PLACES = {clip_id: row for row, clip_id in enumerate(SHOWN)}


def vote(clip: int, event: int, source: VoteSource = VoteSource.BUTTON, **changes: object) -> Vote:
    return Vote(
        clip_id=ClipId(clip),
        guild_id=GuildId(1),
        listener_id=ListenerId(1),
        source=source,
        rating=Grade.LOVE.rating,
        event_id=event,
        at=float(event),
        **changes,
    )


def silent(cast, beside=SHOWN, places=PLACES):
    return silences(fold(cast, places, SHOWN), cast, places, beside, 0.15)


def rows(found):
    return [one.clip for one in found]


def test_what_stands_beside_a_rating_is_mildly_disliked():
    found = silent([vote(1, 1), vote(6, 2), vote(7, 3)])
    assert rows(found) == [1, 2, 3, 4, 7]
    assert {(one.rating, one.weight, one.silent) for one in found} == {
        (Grade.MEH.rating, 0.15, True)
    }
    assert [one.age for one in found] == [2, 2, 2, 0, 0]
    assert not any(one.counts for one in found)


def test_a_round_without_a_rating_says_nothing():
    assert silent([]) == []
    assert silent([vote(1, 1, retracted=True)]) == []
    assert silent([vote(1, 1, VoteSource.BROKEN)]) == []
    assert silent([vote(1, 1)], beside={}) == [], "open rounds are not among those beside"


def test_what_was_called_broken_or_rated_elsewhere_is_not_silence():
    assert rows(silent([vote(1, 1), vote(2, 2, VoteSource.BROKEN)])) == [2, 3]
    again = {**PLACES, ClipId(5): PLACES[ClipId(1)]}
    assert PLACES[ClipId(1)] not in rows(silent([vote(1, 1), vote(6, 2)], places=again))


def test_a_later_rating_takes_silence_away_and_a_retraction_brings_it_back():
    assert 1 not in rows(silent([vote(1, 1), vote(2, 9)]))
    assert 1 in rows(silent([vote(1, 1), vote(2, 9, retracted=True)]))


def test_the_order_in_which_votes_arrive_does_not_matter():
    cast = [vote(1, 3), vote(3, 1, VoteSource.FAVOURITE), vote(6, 2, VoteSource.BROKEN), vote(8, 4)]
    said = [silent(list(order)) for order in itertools.permutations(cast)]
    assert all(one == said[0] for one in said)


# In the house --------------------------------------------------------------------------------------------


async def said_by(stage: Stage, who=ANN):
    async with stage.services.db.reading() as tx:
        return await stage.services.tastes.of_listener(tx, GUILD, who.user_id)


async def stored(stage: Stage, who=ANN):
    async with stage.services.db.reading() as tx:
        return await tastes.latest_taste(tx, GUILD, who.user_id)


async def test_silence_counts_once_a_round_is_closed_and_for_consenting_listeners_only(stage):
    await stage.services.listeners.set_consent(ANN, Consent.TASTE)
    await stage.start(settings=SETTINGS)
    for who in (ANN, BOB):
        await stage.rate(who, 1, Grade.LOVE)
    await stage.settle()
    before = await said_by(stage)
    assert [one.silent for one in before.rated] == [False], "the round is open"
    early = await stored(stage)

    await stage.next(MOD)
    said = await said_by(stage)
    assert sorted(one.silent for one in said.rated) == [False, True, True, True]
    assert said.count == before.count == 1
    late = await stored(stage)
    assert late.payload != early.payload, "closing the round is enough for the taste to know"
    assert late.evidence == 1
    assert [one.silent for one in (await said_by(stage, BOB)).rated] == [False]

    second = (await stage.shown(1))[1]
    await stage.services.feedback.rate(ANN, second.id, Grade.GOOD, 10**9)
    assert sum(one.silent for one in (await said_by(stage)).rated) == 2


async def test_no_silence_without_the_setting(settings):
    taste = settings.taste.model_copy(update={"silence": 0.0})
    changed = settings.model_copy(update={"taste": taste})
    device = FakeDevice()
    async with open_services(changed, clock=FakeClock(), device=device) as services:
        stage = Stage(
            services=services, clock=FakeClock(), device=device, sink=FakeSink(), settings=changed
        )
        await services.outbox.attach(stage.sink)
        await services.listeners.set_consent(ANN, Consent.TASTE)
        await stage.start(settings=SETTINGS)
        await stage.rate(ANN, 1, Grade.LOVE)
        await stage.next(MOD)
        assert [one.silent for one in (await said_by(stage)).rated] == [False]


async def test_why_and_the_words_of_a_taste_speak_of_votes_alone(stage):
    await stage.services.listeners.set_consent(ANN, Consent.TASTE)
    await stage.start(settings=SETTINGS)
    await stage.rate(ANN, 1, Grade.LOVE)
    await stage.next(MOD)
    shown = await stage.shown(1)
    why = await stage.services.clips.why(ANN, shown[2].id)
    assert why.evidence == 1
    assert all(one.alike <= 1 and len(one.moved) <= 1 for one in why.reasons)
    assert (await stage.services.listeners.taste(ANN)).evidence == 1


def test_silence_pulls_a_taste_a_little_away():
    space = default_space()
    rng = np.random.default_rng(0)
    phi = 0.4 * rng.normal(size=(4, space.dimensions + 1))
    phi[:, -1] = 1.0
    prior = default_prior(space)
    loved = Rated(clip=0, rating=1.0, round=1)
    quiet = [
        Rated(clip=row, rating=Grade.MEH.rating, weight=0.15, round=1, silent=True)
        for row in (1, 2)
    ]
    alone, beside = fit(prior, phi, [loved]), fit(prior, phi, [loved, *quiet])
    assert beside.evidence == alone.evidence == 1
    assert beside.gain == alone.gain == 0.0
    less = predict([beside], phi).liking[0] - predict([alone], phi).liking[0]
    assert (less[1:3] < 0).all()
    assert less[1:3] == pytest.approx([0.0, 0.0], abs=0.1)
