"""What fitness was made of when the clips of a round were chosen: a record, never read back as today's fitness."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence

from domain.fitness import Component, Judgement, Mode, Weights
from domain.ids import CandidateId, ClipId, GuildId, ListenerId, RunId
from storage import _json
from storage._sqlite import Reader, Transaction


async def add_judgements(tx: Transaction, made: Mapping[ClipId, Judgement]) -> None:
    """Store how clips stand."""
    await tx.many(
        "INSERT INTO judgements VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (
                clip_id,
                one.mode,
                one.fitness,
                one.gate,
                one.adherence,
                _json.dump({name.value: value for name, value in one.components.items()}),
                _json.dump(one.weights.to_json()),
                one.at,
            )
            for clip_id, one in made.items()
        ],
    )


async def judgements(tx: Reader, clip_ids: Sequence[ClipId]) -> dict[ClipId, Judgement]:
    """Return how the clips stood that have a record; those from before there were records have none."""
    rows = await tx.rows(
        "SELECT * FROM judgements WHERE clip_id IN (SELECT value FROM json_each(?))",
        (_json.id_list(clip_ids),),
    )
    return {ClipId(row["clip_id"]): _judgement(row) for row in rows}


async def fitness_of(tx: Reader, candidate_ids: Sequence[CandidateId]) -> dict[CandidateId, float]:
    """Return the best fitness that clips of each candidate had when they were chosen from, where it is recorded."""
    rows = await tx.rows(
        """
        SELECT c.candidate_id, max(j.fitness) AS fitness FROM judgements AS j JOIN clips AS c ON c.id = j.clip_id
        WHERE c.candidate_id IN (SELECT value FROM json_each(?)) AND j.fitness IS NOT NULL GROUP BY c.candidate_id
        """,
        (_json.id_list(candidate_ids),),
    )
    return {CandidateId(row["candidate_id"]): row["fitness"] for row in rows}


async def adherence_of_run(tx: Reader, run_id: RunId) -> dict[ClipId, float]:
    """Return the adherence of each clip of a run that has one: a fact of the clip, whatever anybody likes."""
    rows = await tx.rows(
        """
        SELECT j.clip_id, j.adherence FROM judgements AS j JOIN clips AS c ON c.id = j.clip_id
        WHERE c.run_id = ? AND j.adherence IS NOT NULL
        """,
        (run_id,),
    )
    return {ClipId(row["clip_id"]): row["adherence"] for row in rows}


async def forget_tastes(
    tx: Transaction, listener_id: ListenerId, guild_id: GuildId | None = None
) -> int:
    """Take what was foretold out of the records of each run that a listener voted in; returns how many changed.

    What was foretold there was an average over people, and of one person where nobody else had voted.
    """
    return await tx.run(
        """
        UPDATE judgements SET fitness = NULL,
            components_json = json_remove(components_json, '$.taste', '$.preference')
        WHERE clip_id IN (
            SELECT c.id FROM clips AS c WHERE c.run_id IN (
                SELECT k.run_id FROM votes AS v JOIN clips AS k ON k.id = v.clip_id
                WHERE v.listener_id = :listener AND (:guild IS NULL OR v.guild_id = :guild)
                UNION
                SELECT d.run_id FROM duel_votes AS a JOIN duels AS d ON d.id = a.duel_id
                WHERE a.listener_id = :listener AND (:guild IS NULL OR a.guild_id = :guild)
            )
        )
        """,
        {"listener": listener_id, "guild": guild_id},
    )


def _judgement(row: sqlite3.Row) -> Judgement:
    return Judgement(
        mode=Mode(row["mode"]),
        fitness=row["fitness"],
        gate=row["gate"],
        adherence=row["adherence"],
        components={
            Component(name): float(value)
            for name, value in _json.load(row["components_json"]).items()
            if name in set(Component)
        },
        weights=Weights.from_json(_json.load(row["weights_json"])),
        at=row["at"],
    )
