"""Duels, answers and preferences on a real file."""

import dataclasses
import itertools

import pytest

from domain.duel import Choice, DuelState
from domain.errors import NotFoundError, StorageError
from domain.ids import DuelId, GuildId
from domain.run import CloseReason, PostKind
from domain.vote import Consent, VoteSource
from storage import clips, duels, listeners, preferences, runs, votes
from storage.database import Database
from tests.storage.samples import (
    ALICE,
    BOB,
    CHANNEL,
    GUILD,
    answer,
    make_duel,
    make_round,
    new_duel,
    vote,
)


async def test_a_duel_is_stored_and_changed(db):
    async with db.transaction() as tx:
        made = await make_round(tx)
        new = new_duel(made.clips[1], made.clips[0])
        one = await duels.add_duel(tx, new)
        assert {f.name: getattr(one, f.name) for f in dataclasses.fields(new)} == {
            f.name: getattr(new, f.name) for f in dataclasses.fields(new)
        }
        assert one.state is DuelState.WAITING
        assert await duels.awaiting(tx, CHANNEL) == one
        assert await duels.count_awaiting(tx, GUILD, ALICE) == (1, 1)
        assert await duels.count_awaiting(tx, GuildId(1), BOB) == (0, 0)
        done = await duels.set_duel(
            tx, one.id, state=DuelState.DECIDED, decided_at=5.0, reason=CloseReason.TIMER
        )
        assert await duels.duel(tx, one.id) == done
        assert await duels.awaiting(tx, CHANNEL) is None
        assert await duels.latest(tx, CHANNEL) == done
        with pytest.raises(NotFoundError):
            await duels.duel(tx, DuelId(99))


async def test_a_duel_has_one_message_and_one_verdict(db):
    async with db.transaction() as tx:
        made = await make_round(tx)
        one = await duels.add_duel(tx, new_duel(*made.clips[:2]))
        posted = [await duels.add_duel_post(tx, one, PostKind.DUEL, 1.0) for _ in range(2)]
        verdict = await duels.add_duel_post(tx, one, PostKind.VERDICT, 2.0)
        another = await duels.add_duel(tx, new_duel(*made.clips[2:4]))
        other = await duels.add_duel_post(tx, another, PostKind.DUEL, 3.0)
        assert posted[0] == posted[1]
        assert len({posted[0].id, verdict.id, other.id}) == 3
        assert (verdict.duel_id, verdict.kind) == (one.id, PostKind.VERDICT)


async def test_a_clip_against_itself_is_refused(db):
    async with db.transaction() as tx:
        made = await make_round(tx)
        with pytest.raises(StorageError):
            await duels.add_duel(tx, new_duel(made.clips[0], made.clips[0]))


async def test_the_order_of_events_does_not_matter(db):
    events = [
        (1, Choice.A, False),
        (2, Choice.B, False),
        (3, Choice.TIE, True),
        (4, Choice.BAD, False),
    ]
    async with db.transaction() as tx:
        made = await make_round(tx)
        for order in itertools.permutations(events):
            one = await make_duel(tx, *made.clips[:2])
            for event, choice, retracted in [*order, *order]:
                await duels.upsert(tx, answer(one.id, event, choice=choice, retracted=retracted))
            stands = await duels.stored(tx, one.id, ALICE)
            assert (stands.choice, stands.event_id, stands.retracted) == (Choice.BAD, 4, False)


async def test_votes_and_answers_count_together(db):
    async with db.transaction() as tx:
        made = await make_round(tx)
        one = await make_duel(tx, *made.clips[:2])
        seen = []
        await votes.upsert(tx, [vote(made.clips[2].id, 10)])
        seen.append(await votes.high_water(tx, GUILD, ALICE))
        await duels.upsert(tx, answer(one.id, 11))
        seen.append(await votes.high_water(tx, GUILD, ALICE))
        await votes.upsert(tx, [vote(made.clips[0].id, 12)])
        seen.append(await votes.high_water(tx, GUILD, ALICE))
        await duels.upsert(tx, answer(one.id, 11))  # delivered again
        seen.append(await votes.high_water(tx, GUILD, ALICE))
        assert seen == [1, 2, 3, 3]
        assert await votes.rated_clips(tx, GUILD, ALICE) == 3
        assert await duels.voters_of_channel(tx, CHANNEL) == {ALICE: 4100.0}


async def test_what_may_be_compared(db):
    async with db.transaction() as tx:
        made = await make_round(tx, count=6)
        assert await duels.eligible(tx, CHANNEL, None, 9) == [
            made.clips[5].id,
            made.clips[4].id,
        ], "the four posted ones of an open round are left out"
        again = await make_round(tx, run=made.run, number=2, count=5)
        await clips.mark_broken(tx, made.clips[0].id)
        found = await duels.eligible(tx, CHANNEL, None, 9)
        assert found == [again.clips[4].id, *(one.id for one in reversed(made.clips[1:]))]
        assert await duels.eligible(tx, CHANNEL, None, 2) == found[:2]
        await runs.set_run(tx, made.run.id, for_listener=BOB)
        assert await duels.eligible(tx, CHANNEL, None, 9) == []
        assert await duels.eligible(tx, CHANNEL, BOB, 9) == found


async def test_answers_are_read_back_with_their_clips(db):
    async with db.transaction() as tx:
        made = await make_round(tx)
        one = await make_duel(tx, made.clips[0], made.clips[1])
        two = await make_duel(tx, made.clips[2], made.clips[3])
        gone = await make_duel(tx, made.clips[1], made.clips[3])
        await duels.upsert(tx, answer(two.id, 10, choice=Choice.TIE))
        await duels.upsert(tx, answer(one.id, 20, choice=Choice.B))
        await duels.upsert(tx, answer(gone.id, 30, retracted=True))
        found = await duels.answers_of(tx, GUILD, ALICE)
        assert [(item.a, item.choice) for item in found] == [
            (made.clips[2].id, Choice.TIE),
            (made.clips[0].id, Choice.B),
        ]
        assert await duels.answers_of(tx, GUILD, ALICE, CHANNEL) == found
        assert await duels.answers_of(tx, GUILD, ALICE, 1) == []
        await clips.mark_broken(tx, made.clips[0].id)
        assert len(await duels.answers_of(tx, GUILD, ALICE)) == 1
        assert await duels.pairs_of_channel(tx, CHANNEL) == {
            frozenset({made.clips[0].id, made.clips[1].id}),
            frozenset({made.clips[2].id, made.clips[3].id}),
            frozenset({made.clips[1].id, made.clips[3].id}),
        }


async def test_preferences_are_favourites_and_answers_of_members_who_opted_in(db):
    async with db.transaction() as tx:
        made = await make_round(tx)
        first, second, third, fourth = (one.id for one in made.clips)
        star = {"source": VoteSource.FAVOURITE, "rating": 1.0}
        for who, event in ((ALICE, 10), (BOB, 20)):
            await votes.upsert(
                tx,
                [
                    vote(first, event, listener_id=who, **star),
                    vote(second, event, listener_id=who),
                    vote(third, event, listener_id=who, source=VoteSource.BROKEN),
                    vote(fourth, event, listener_id=who, retracted=True),
                ],
            )
        one = await make_duel(tx, made.clips[2], made.clips[3])
        two = await make_duel(tx, made.clips[1], made.clips[2])
        three = await make_duel(tx, made.clips[0], made.clips[2])
        await duels.upsert(tx, answer(one.id, 30, choice=Choice.B))
        await duels.upsert(tx, answer(two.id, 31, choice=Choice.TIE))
        await duels.upsert(tx, answer(three.id, 32, choice=Choice.BAD))
        assert await preferences.preferences_of_guild(tx, GUILD) == []
        await listeners.set_consent(tx, GUILD, ALICE, Consent.TASTE)
        found = {
            (item.listener_id, item.better, item.worse, item.weight)
            for item in await preferences.preferences_of_guild(tx, GUILD)
        }
        assert found == {
            (ALICE, first, second, 1.0),
            (ALICE, fourth, third, 1.0),
            (ALICE, second, third, 0.5),
            (ALICE, third, second, 0.5),
        }
        await clips.mark_broken(tx, first)
        assert len(await preferences.preferences_of_guild(tx, GUILD)) == 3
        assert await preferences.guilds_with_tastes(tx) == [GUILD]
        assert await preferences.preferences_of_guild(tx, GuildId(1)) == []


async def test_rewards_are_kept_in_versions(db):
    async with db.transaction() as tx:
        for pairs in range(1, 6):
            version = await preferences.save_reward(
                tx,
                preferences.StoredReward(
                    guild_id=GUILD,
                    version=0,
                    space_id="s",
                    payload=b"x",
                    pairs=pairs,
                    listeners=2,
                    saved_at=1.0,
                ),
            )
        newest = await preferences.latest_reward(tx, GUILD)
        assert (newest.version, newest.pairs) == (version, 5) == (5, 5)
        assert await tx.value("SELECT count(*) FROM rewards") == preferences.VERSIONS_KEPT
        assert await preferences.delete_rewards(tx, GUILD) == preferences.VERSIONS_KEPT
        assert await preferences.latest_reward(tx, GUILD) is None


async def test_duels_that_cannot_be_are_found_by_the_integrity_check(path):
    database = await Database.open(path)
    async with database.transaction() as tx:
        made = await make_round(tx)
        await make_duel(tx, *made.clips[:2], channel_id=5)
        await duels.add_duel(tx, new_duel(*made.clips[2:4]))
    problems = await database.integrity()
    await database.close()
    assert len(problems) == 2
    assert "another server or channel" in problems[0]
    assert "without a message" in problems[1]
