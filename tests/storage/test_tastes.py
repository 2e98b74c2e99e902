"""Tastes and priors in versions, and which of them have not seen every vote."""

from domain.ids import GuildId
from domain.vote import Consent
from storage import listeners, tastes, votes
from tests.storage.samples import ALICE, BOB, GUILD, make_round, vote


async def save(tx, listener=ALICE, guild=GUILD, payload=b"p", high_water=0):
    return await tastes.save_taste(
        tx,
        guild,
        listener,
        payload,
        space_id="space-1",
        evidence=7,
        high_water=high_water,
        now=4.5,
    )


async def test_the_last_versions_of_a_taste_are_kept(db):
    async with db.transaction() as tx:
        assert await tastes.latest_taste(tx, GUILD, ALICE) is None
        versions = [await save(tx, payload=bytes([number])) for number in range(8)]
        await save(tx, BOB, payload=b"bob")
        assert versions == list(range(1, 9))
        kept = await tastes.taste_versions(tx, GUILD, ALICE)
        assert [one.version for one in kept] == [4, 5, 6, 7, 8]
        latest = await tastes.latest_taste(tx, GUILD, ALICE)
        assert latest == kept[-1]
        assert latest == tastes.StoredTaste(
            guild_id=GUILD,
            listener_id=ALICE,
            version=8,
            space_id="space-1",
            payload=b"\x07",
            evidence=7,
            high_water=0,
            saved_at=4.5,
        )
        everybody = await tastes.latest_tastes(tx, GUILD)
        assert {who: one.payload for who, one in everybody.items()} == {
            ALICE: b"\x07",
            BOB: b"bob",
        }
        assert await tastes.latest_tastes(tx, GuildId(1)) == {}
        assert await tastes.delete_tastes(tx, GUILD, ALICE) == 5
        assert await tastes.latest_taste(tx, GUILD, ALICE) is None
        assert await tastes.latest_taste(tx, GUILD, BOB) is not None


async def test_priors_have_versions_too(db):
    async with db.transaction() as tx:
        assert await tastes.latest_prior(tx, GUILD) is None
        for number in range(7):
            version = await tastes.save_prior(
                tx, GUILD, bytes([number]), space_id="s", members=10 + number, now=1.0
            )
        latest = await tastes.latest_prior(tx, GUILD)
        assert (latest.version, latest.payload, latest.members) == (version, b"\x06", 16)
        assert await tastes.latest_prior(tx, GuildId(1)) is None
        assert await tastes.delete_priors(tx, GUILD) == tastes.VERSIONS_KEPT
        assert await tastes.latest_prior(tx, GUILD) is None


async def test_a_taste_is_stale_until_it_has_seen_every_vote(db):
    async with db.transaction() as tx:
        clip = (await make_round(tx)).clips[0].id
        await listeners.set_consent(tx, GUILD, ALICE, Consent.TASTE)
        await listeners.set_consent(tx, GUILD, BOB, Consent.CHANNEL_ONLY)
        assert await tastes.stale_tastes(tx) == []
        await votes.upsert(tx, [vote(clip, 50), vote(clip, 51, listener_id=BOB)])
        assert await tastes.stale_tastes(tx) == [(GUILD, ALICE)]
        await save(tx, high_water=await votes.high_water(tx, GUILD, ALICE))
        assert await tastes.stale_tastes(tx) == []
        older = vote(clip, 40, source="reaction", symbol="👍")
        await votes.upsert(tx, [older])
        assert await tastes.stale_tastes(tx) == [(GUILD, ALICE)]
