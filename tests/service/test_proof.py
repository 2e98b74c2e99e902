"""Old friends, foretold likings, /top and progress: from votes to what is claimed."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from domain.errors import NotFoundError
from domain.ids import ChannelId, ClipId, ListenerId, RunId
from domain.outcome import Outcome
from domain.run import RunSettings
from domain.vote import Consent, Grade
from service.folding import fold, places_of
from service.progress import assess
from service.top import Scope, every_server
from service.views import RevealView
from storage import duels, proof, votes
from tests.service.conftest import ANN, BOB, GUILD, MOD, MUSIC, actor

SETTINGS = RunSettings(candidates=8, quorum=9, timer=0, repost_every=2)
NUMBERS = itertools.count(1)


def verdict(liked: bool = True, **changes) -> Outcome:
    clip = ClipId(next(NUMBERS))
    values = {
        "clip_id": clip,
        "original_id": clip,
        "run_id": RunId(1),
        "channel_id": ChannelId(10),
        "generation": 1,
        "role": "exploit",
        "listener_id": ListenerId(2),
        "rating": 0.5 if liked else -1.0,
        "late": False,
    }
    return Outcome(**{**values, **changes})


async def play(stage, rounds: int, who=(ANN,)):
    """Start a run and vote through some rounds: everybody loves slots 1 and 2 and hates the others."""
    await stage.start(settings=SETTINGS)
    for number in range(1, rounds + 1):
        for person in who:
            for slot in range(1, len(await stage.shown()) + 1):
                await stage.rate(person, slot, Grade.LOVE if slot < 3 else Grade.AWFUL)
        if number < rounds:
            await stage.next()


async def test_an_old_clip_comes_back_unmarked_and_is_revealed(stage):
    await play(stage, 4)
    shown = await stage.shown(4)
    friend = next(clip for clip in shown if clip.original_id is not None)
    assert len(shown) == 4
    assert friend.role == "repost"
    assert friend.original_generation == 1
    assert sorted(clip.role for clip in shown if clip is not friend) == [
        "exploit",
        "exploit",
        "wild",
    ]
    posted = stage.rounds()[-1].clips
    assert [one.clip.id for one in posted] == [clip.id for clip in shown]
    why = await stage.services.clips.why(ANN, friend.id)
    assert "closed" in why.role
    await stage.next()
    why = await stage.services.clips.why(ANN, friend.id)
    assert "posted again" in why.role
    reveal = [view for view in stage.sink.sent if isinstance(view, RevealView)][-1]
    row = next(row for row in reveal.rows if row.clip.id == friend.id)
    assert row.then in {1.0, -1.0}
    async with stage.services.db.reading() as tx:
        chance = await proof.chances_of(tx, [clip.id for clip in shown])
    assert chance[friend.id] == 0.25
    assert all(0 < one <= 1 for one in chance.values())
    assert len(chance) == 4
    assert await stage.services.db.integrity() == []
    async with stage.services.db.reading() as tx:
        assert friend.id not in await duels.eligible(tx, MUSIC, None, 500)
    assert (await stage.services.clips.for_me(ANN, friend.run_id, 4)).clip.id != friend.id


async def test_without_rated_old_clips_nothing_comes_back(stage):
    await stage.start(settings=SETTINGS)
    for _ in range(4):
        await stage.next()
    for number in range(1, 6):
        assert all(clip.original_id is None for clip in await stage.shown(number))


async def test_both_votes_on_one_sound_are_one_opinion(stage):
    await play(stage, 4)
    shown = await stage.shown(4)
    friend = next(clip for clip in shown if clip.original_id is not None)
    async with stage.services.db.reading() as tx:
        cast = await votes.votes_of_listener(tx, GUILD, ANN.user_id)
        ids = sorted({vote.clip_id for vote in cast})
        found, _ = await stage.services.tastes.phi(tx, ids)
        places = places_of(found, await proof.originals(tx, found))
    assert places[friend.id] == places[friend.original_id]
    rated = fold(cast, places, {})
    both = [one for one in rated if one.clip == places[friend.id]]
    assert [one.weight for one in both] == [0.5, 0.5]
    assert len({one.clip for one in rated}) == len(rated) - 1 == 15


async def test_only_members_who_opted_in_are_foretold_and_may_take_it_back(stage):
    await stage.services.listeners.set_consent(ANN, Consent.TASTE)
    await play(stage, 2, who=(ANN, BOB))
    async with stage.services.db.reading() as tx:
        found = await proof.outcomes(tx, GUILD)
    known = {one.listener_id for one in found if one.foretold is not None}
    assert known == {ANN.user_id}
    assert {one.generation for one in found if one.foretold is not None} == {2}
    held = await stage.services.listeners.export(ANN)
    assert len(held["predictions"]) == 4
    await stage.services.listeners.set_consent(ANN, Consent.CHANNEL_ONLY)
    assert (await stage.services.listeners.export(ANN))["predictions"] == []


async def test_top_ranks_shows_files_and_keeps_private_places_private(stage):
    await play(stage, 2, who=(ANN, BOB))
    first = (await stage.shown(1))[0]
    other = actor(9, channel=99)
    await stage.start(other, settings=SETTINGS)
    view = await stage.services.top.top(MOD, Scope.CHANNEL)
    assert view.rated == 8
    assert [(one.likes, one.voters) for one in view.best] == [(2, 2)] * 4 + [(0, 2)]
    assert len(view.files) == 3
    assert view.best[0].message_id is not None
    assert view.best[0].liked.low > view.best[-1].liked.low
    assert {one.channel_id for one in view.best} == {MUSIC}
    with pytest.raises(NotFoundError, match="this channel"):
        await stage.services.top.top(other, Scope.CHANNEL)
    with pytest.raises(NotFoundError, match="this server"):
        await stage.services.top.top(other, Scope.SERVER, may_see=lambda _: False)
    seen = await stage.services.top.top(other, Scope.SERVER)
    assert seen.rated == 8
    # A file that is gone leaves its line.
    store = stage.services.clips._store
    for one in view.best[:3]:
        store.delete(one.clip.sha256, one.clip.extension)
    assert (await stage.services.top.top(MOD, Scope.RUN)).files == ()
    assert first.id in {one.clip.id for one in view.best}


async def test_top_for_me_leaves_out_what_i_disliked(stage):
    await play(stage, 2)
    view = await stage.services.top.top(ANN, Scope.CHANNEL, for_me=True)
    assert len(view.best) == 4
    likings = [one.expected for one in view.best]
    assert likings == sorted(likings, reverse=True)
    with pytest.raises(NotFoundError, match="Rate a clip"):
        await stage.services.top.top(BOB, Scope.CHANNEL, for_me=True)


async def test_progress_of_every_server(stage):
    await play(stage, 3)
    (one,) = await every_server(stage.services.db)
    assert one.guild_id == GUILD
    assert one.progress.votes == 12
    assert [number for number, _ in one.progress.by_round] == [1, 2, 3]


def test_new_rounds_that_win_are_seen():
    heard = [
        verdict(
            slot < (1 if number < 5 else 3), generation=number, listener_id=ListenerId(listener)
        )
        for number in range(1, 11)
        for slot in range(4)
        for listener in (2, 3, 4)
    ]
    view = assess(heard)
    assert (view.early.value, view.late.value) == (0.25, 0.75)
    assert view.gain.above_zero
    assert len(view.by_round) == 10
    assert view.listeners == 3


def test_a_comparison_is_made_within_people_and_rounds():
    # Ann is generous, Bob is not; each likes what should please and the wild card equally.
    heard = [
        verdict(liked, generation=number, role=role, listener_id=ListenerId(person))
        for number in range(1, 9)
        for person, liked in ((2, True), (3, False))
        for role in ("exploit", "wild")
    ]
    # Only the generous one hears more of what should please.
    heard += [verdict(True, generation=number) for number in range(1, 9)]
    view = assess(heard)
    assert view.picks_against_wild.gap.value == 0.0
    assert view.picks_against_wild.rounds == 8
    assert not view.picks_against_wild.enough


def test_where_nothing_differs_little_is_claimed():
    # Listeners of different generosity, no difference between the clips: a claim is an error, made in 1 of 20 cases.
    rng = np.random.default_rng(5)
    claims = 0
    for _ in range(200):
        generous = rng.uniform(0.2, 0.8, size=4)
        heard = [
            verdict(
                bool(rng.random() < generous[person]),
                generation=number,
                role=role,
                listener_id=ListenerId(person),
            )
            for number in range(10)
            for person in range(4)
            for role in ("exploit", "exploit", "wild")
        ]
        claims += assess(heard).picks_against_wild.enough
    assert claims <= 20


def test_late_votes_prove_nothing():
    view = assess([verdict(late=True, role=role) for role in ("exploit", "wild")])
    assert view.votes == 2
    assert view.rounds == 0
    assert view.picks_against_wild.gap is None
    assert view.roles == {}


def test_old_friends_tell_how_steady_people_are():
    heard = []
    for number in range(4, 10):
        first = verdict(number % 2 == 0, generation=1)
        again = verdict(
            True, generation=number, role="repost", original_id=first.clip_id, foretold=0.9
        )
        heard += [first, again, verdict(True, generation=number)]
    view = assess(heard)
    assert (view.steady.value, view.steady.count) == (0.5, 6)
    assert view.new_against_old.rounds == 6
    assert view.new_against_old.gap.value == 0.0
    assert view.calibration is None  # what was heard before is no test of a forecast
