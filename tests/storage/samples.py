"""Ready-made rows for the storage tests."""

from dataclasses import dataclass, replace

import numpy as np

from domain.candidate import Candidate, Proposal
from domain.clip import Clip, ClipRequest, GeneratorInfo, RenderedClip
from domain.duel import Choice, Duel, DuelState, DuelVote
from domain.fitness import Component, Judgement, Mode, Weights
from domain.ids import (
    CandidateId,
    ChannelId,
    ClipId,
    DuelId,
    GuildId,
    ListenerId,
    MessageId,
    RunId,
)
from domain.outcome import Foretold
from domain.run import CloseReason, Generation, GenerationState, Post, PostKind, Run
from domain.vote import Consent, Vote, VoteSource
from storage import (
    chat_memory,
    clips,
    duels,
    guilds,
    judgements,
    language_usage,
    listeners,
    operator_versions,
    panels,
    posts,
    preferences,
    projections,
    proof,
    runs,
    targets,
    tastes,
    votes,
)
from storage.database import Transaction

GUILD = GuildId(700)
CHANNEL = ChannelId(800)
ALICE = ListenerId(987654321012345678)
BOB = ListenerId(123456789098765432)


def new_run(**changes):
    values = {
        "guild_id": GUILD,
        "channel_id": CHANNEL,
        "started_by": ALICE,
        "vibe": "rainy window",
        "seed": 17,
        "searcher": "offline",
        "created_at": 1000.5,
    }
    return runs.NewRun(**(values | changes))


def generation(run_id: RunId, number: int = 1, **changes) -> Generation:
    values = {"run_id": run_id, "number": number, "state": GenerationState.BREEDING}
    return Generation(**(values | changes))


def proposal(number: int = 1, **changes) -> Proposal:
    values = {
        "prompt": f"slow lofi number {number}",
        "genome": {"genre": "lofi", "tempo": 70.5 + number, "moods": ["calm"]},
        "operator": "novel",
        "seed": number,
        "predicted": 0.25,
    }
    return Proposal(**(values | changes))


def rendered(seed: int = 1, dimensions: int = 4, **changes) -> RenderedClip:
    values = {
        "request": ClipRequest(prompt=f"slow lofi number {seed}", seed=seed, seconds=8.0),
        "generator": GeneratorInfo(name="composer", version="1", licence="MIT"),
        "audio": b"sound %d" % seed,
        "media_type": "audio/mpeg",
        "extension": "mp3",
        "seconds": 8.1,
        "loudness": -16.2,
        "waveform": (0.0, 1.0, 128 / 255),
        "encoder_id": "features-1",
        "embedding": np.arange(seed, seed + dimensions, dtype="<f4").tobytes(),
        "quality": 0.9,
        "defects": {"hum": 0.1},
        "description": {"tempo": 71.5, "chords": ["Am", "F"]},
    }
    return RenderedClip(**(values | changes))


def vote(clip_id: int, event_id: int, **changes) -> Vote:
    values = {
        "clip_id": ClipId(clip_id),
        "guild_id": GUILD,
        "listener_id": ALICE,
        "source": VoteSource.BUTTON,
        "rating": 0.5,
        "event_id": event_id,
        "at": 2000.0,
    }
    return Vote(**(values | changes))


def tuned(number: int = 1, **changes) -> operator_versions.Version:
    values = {
        "guild_id": GUILD,
        "kind": "template",
        "name": "novel",
        "number": number,
        "content": "Write {num_generate} prompts.",
        "author_id": ALICE,
        "comment": "shorter",
        "at": 3000.0 + number,
    }
    return operator_versions.Version(**(values | changes))


def new_duel(a: Clip, b: Clip, **changes) -> duels.NewDuel:
    values = {
        "run_id": a.run_id,
        "generation": a.generation,
        "guild_id": GUILD,
        "channel_id": CHANNEL,
        "for_listener": None,
        "started_by": ALICE,
        "a": a.id,
        "b": b.id,
        "quorum": 2,
        "timer": 1200.0,
        "created_at": 4000.0,
    }
    return duels.NewDuel(**(values | changes))


def answer(duel_id: DuelId, event_id: int, **changes) -> DuelVote:
    values = {
        "duel_id": duel_id,
        "guild_id": GUILD,
        "listener_id": ALICE,
        "choice": Choice.A,
        "event_id": event_id,
        "at": 4100.0,
    }
    return DuelVote(**(values | changes))


async def make_duel(tx: Transaction, a: Clip, b: Clip, **changes) -> Duel:
    """Store a duel that is posted and awaits votes."""
    made = await duels.add_duel(tx, new_duel(a, b, **changes))
    post = await duels.add_duel_post(tx, made, PostKind.DUEL, 4000.0)
    await posts.mark_attempted(tx, post.id)
    await posts.mark_posted(tx, post.id, MessageId(9500 + post.id))
    return await duels.set_duel(tx, made.id, state=DuelState.OPEN, closes_at=5200.0)


def target(**changes) -> targets.Target:
    values = {
        "guild_id": GUILD,
        "listener_id": ALICE,
        "title": "my song",
        "words": "slow lofi",
        "seconds": 200.5,
        "encoder_id": "features-1",
        "vector": np.arange(4, dtype="<f4").tobytes(),
        "at": 3000.0,
    }
    return targets.Target(**(values | changes))


def judgement(**changes) -> Judgement:
    values = {
        "mode": Mode.HERD,
        "fitness": 0.6,
        "gate": 0.9,
        "adherence": 0.75,
        "components": {Component.TASTE: 0.7, Component.NOVELTY: 0.25},
        "weights": Weights(novelty=0.1),
        "at": 3000.0,
    }
    return Judgement(**(values | changes))


@dataclass
class Round:
    run: Run
    candidates: list[Candidate]
    clips: list[Clip]
    post: Post


async def make_round(
    tx: Transaction, *, run: Run | None = None, number: int = 1, count: int = 4, **changes
) -> Round:
    """Store an open round with ``count`` clips, the first four of them posted; the one before it is closed."""
    if run is None:
        run = await runs.create_run(tx, new_run(**changes))
    else:
        await runs.set_generation(
            tx,
            run.id,
            run.generation,
            state=GenerationState.CLOSED,
            closed_at=1400.0,
            close_reason=CloseReason.NEXT,
        )
    await runs.add_generation(tx, generation(run.id, number))
    candidates = await runs.add_candidates(
        tx, run.id, number, "offline", [proposal(index + 1) for index in range(count)]
    )
    made = [
        await clips.add_clip(
            tx, one, rendered(index + 1), f"{run.id:02x}{number:02x}{index:060x}", "lofi"
        )
        for index, one in enumerate(candidates)
    ]
    for slot, one in enumerate(made[:4], start=1):
        await clips.mark_posted(tx, one.id, slot, "exploit")
    post = await posts.add_post(tx, run.id, number, PostKind.ROUND, run.channel_id, 1500.0)
    await posts.mark_attempted(tx, post.id)
    post = await posts.mark_posted(tx, post.id, MessageId(9000 + post.id))
    await runs.set_generation(
        tx, run.id, number, state=GenerationState.OPEN, opened_at=1500.0, closes_at=2700.0
    )
    run = await runs.set_run(tx, run.id, generation=number)
    return Round(run, candidates, [(await clips.clip(tx, one.id)) for one in made], post)


async def fill(tx: Transaction, who: ListenerId, other: ListenerId) -> None:
    """Put rows into every table: a shared run and a private one of ``who``, and feedback of both listeners."""
    await guilds.guild_joined(tx, GUILD, 1.0)
    await guilds.set_guild_setting(tx, GUILD, "quorum", 3)
    await guilds.set_channel_setting(tx, CHANNEL, "emoji", {"👍": 1})
    shared = await make_round(tx, started_by=who)
    await runs.add_generation(tx, generation(shared.run.id, 2))
    await runs.add_candidates(
        tx,
        shared.run.id,
        2,
        "offline",
        [proposal(9, parents=(shared.candidates[0].id, shared.candidates[1].id))],
    )
    private = await make_round(
        tx, channel_id=ChannelId(801), started_by=who, for_listener=who, vibe="only mine"
    )
    for made in (shared, private):
        await runs.save_searcher_state(tx, made.run.id, {"rng": [1, 2, 3]})
        await runs.save_debts(tx, made.run.id, {who: 0.5})
    await runs.save_debts(tx, shared.run.id, {who: 0.5, other: -0.25})
    await runs.set_generation(
        tx,
        private.run.id,
        1,
        state=GenerationState.CLOSED,
        closed_at=3000.0,
        close_reason=CloseReason.QUORUM,
    )
    await proof.add_repost(tx, shared.clips[3].id, 2, 1)
    await proof.save_chances(tx, {shared.clips[0].id: 0.5})
    guess = Foretold(
        clip_id=shared.clips[0].id, listener_id=who, liking=0.7, spread=0.2, evidence=3
    )
    await proof.save_predictions(tx, [guess, replace(guess, listener_id=other)])
    branch = await runs.create_run(
        tx,
        new_run(channel_id=ChannelId(802), started_by=other, parent_clip_id=private.clips[0].id),
    )
    await runs.add_generation(tx, generation(branch.id, 1))
    await runs.add_candidates(
        tx, branch.id, 1, "offline", [proposal(5, parents=(private.candidates[0].id,))]
    )
    for listener, event in ((who, 100), (other, 200)):
        await listeners.set_consent(tx, GUILD, listener, Consent.TASTE)
        first = shared.clips[0].id
        await votes.upsert(
            tx,
            [
                vote(first, event, listener_id=listener),
                vote(
                    shared.clips[1].id,
                    event + 1,
                    listener_id=listener,
                    source=VoteSource.REACTION,
                    symbol="👍",
                    weight=0.5,
                    late=True,
                ),
            ],
        )
        await tastes.save_taste(
            tx,
            GUILD,
            listener,
            b"\x00posterior",
            space_id="space-1",
            evidence=2,
            high_water=2,
            now=3000.0,
        )
        await clips.keep_clip(tx, first, listener)
    await votes.upsert(tx, [vote(private.clips[0].id, 300, listener_id=who)])
    duel = await make_duel(tx, shared.clips[2], shared.clips[3], started_by=who)
    await duels.upsert(tx, answer(duel.id, 400, listener_id=who))
    await duels.upsert(tx, answer(duel.id, 401, listener_id=other, choice=Choice.TIE))
    mine = await make_duel(
        tx,
        private.clips[0],
        private.clips[1],
        channel_id=ChannelId(801),
        started_by=who,
        for_listener=who,
    )
    await duels.upsert(tx, answer(mine.id, 402, listener_id=who, choice=Choice.BAD))
    await preferences.save_reward(
        tx,
        preferences.StoredReward(
            guild_id=GUILD,
            version=0,
            space_id="space-1",
            payload=b"\x00reward",
            pairs=3,
            listeners=2,
            saved_at=3000.0,
        ),
    )
    await panels.add_panel(tx, GUILD, CHANNEL, who, {"features": {"energy": 0.7}}, 3000.0)
    await operator_versions.add_version(tx, tuned(author_id=who))
    said = chat_memory.Turn(
        guild_id=GUILD,
        channel_id=CHANNEL,
        listener_id=who,
        said="darker",
        answered="On it.",
        at=3000.0,
    )
    await chat_memory.add_turn(tx, said, most=12)
    for made in (shared, private):
        await targets.save_target(tx, made.run.id, target(listener_id=who))
        await judgements.add_judgements(tx, {made.clips[0].id: judgement()})
    await tastes.save_prior(tx, GUILD, b"\x00prior", space_id="space-1", members=2, now=3000.0)
    fitted = projections.StoredProjection(
        id="tiny-1.12345678/pca-0", encoder_id="tiny-1.12345678", clips=200, payload=b"\x00axes"
    )
    await projections.save_projection(tx, fitted, 3000.0)
    spent = language_usage.Spent(requests=3, failed=1, tokens_in=900, tokens_out=120, cost=0.01)
    await language_usage.add_usage(
        tx,
        [
            language_usage.UsageRow(
                day=19_700, account=str(GUILD), task="operator:blend", model="tiny", spent=spent
            )
        ],
    )


def candidate_ids(found: list[Candidate]) -> list[CandidateId]:
    return [one.id for one in found]
