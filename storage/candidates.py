"""Candidates and their lineage. Callers reach these through ``storage.runs``."""

# ruff: noqa: S608 - statements are put together from constants of this file; values are always bound

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from domain.candidate import Candidate, Proposal
from domain.errors import NotFoundError, StorageError
from domain.ids import CandidateId, RunId
from storage import _json
from storage._sqlite import Reader, Transaction

_SELECT = """
SELECT c.*, (
    SELECT json_group_array(parent_id) FROM (
        SELECT parent_id FROM candidate_parents WHERE candidate_id = c.id ORDER BY position
    )
) AS parents_json
FROM candidates AS c
"""


async def add_candidates(
    tx: Transaction, run_id: RunId, number: int, searcher: str, proposals: Sequence[Proposal]
) -> list[Candidate]:
    """Store what ``searcher`` proposed for a generation, in order, and return it with ids.

    Raises:
        StorageError: The generation or a parent is not there.
    """
    stored = []
    for proposal in proposals:
        new_id = await tx.value(
            """
            INSERT INTO candidates (run_id, generation, prompt, genome_json, operator, searcher, seed, predicted)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?) RETURNING id
            """,
            (
                run_id,
                number,
                proposal.prompt,
                _json.dump(dict(proposal.genome)),
                proposal.operator,
                searcher,
                proposal.seed,
                proposal.predicted,
            ),
        )
        await tx.many(
            "INSERT INTO candidate_parents (candidate_id, position, parent_id) VALUES (?, ?, ?)",
            [(new_id, position, parent) for position, parent in enumerate(proposal.parents)],
        )
        stored.append(new_id)
    found = await _by_id(tx, stored)
    return [found[key] for key in stored]


async def candidate(tx: Reader, candidate_id: CandidateId) -> Candidate:
    """Return a candidate.

    Raises:
        NotFoundError: It is not there (any more).
    """
    row = await tx.row(f"{_SELECT} WHERE c.id = ?", (candidate_id,))
    if row is None:
        raise NotFoundError("That clip's prompt is not there any more.")
    return _candidate(row)


async def candidates_of_run(tx: Reader, run_id: RunId) -> list[Candidate]:
    """Return a run's whole population, oldest first."""
    return [
        _candidate(row)
        for row in await tx.rows(f"{_SELECT} WHERE c.run_id = ? ORDER BY c.id", (run_id,))
    ]


async def candidates_of_generation(tx: Reader, run_id: RunId, number: int) -> list[Candidate]:
    """Return the candidates of one generation, in the order they were proposed."""
    rows = await tx.rows(
        f"{_SELECT} WHERE c.run_id = ? AND c.generation = ? ORDER BY c.id", (run_id, number)
    )
    return [_candidate(row) for row in rows]


async def ancestors(tx: Reader, candidate_id: CandidateId, depth: int) -> list[Candidate]:
    """Return parents, grandparents and so on up to ``depth`` steps: nearest first, each once, other runs' too."""
    rows = await tx.rows(
        """
        WITH RECURSIVE line (id, steps) AS (
            SELECT parent_id, 1 FROM candidate_parents WHERE candidate_id = :start AND :depth >= 1
            UNION
            SELECT p.parent_id, line.steps + 1
            FROM candidate_parents AS p JOIN line ON p.candidate_id = line.id
            WHERE line.steps < :depth
        )
        SELECT id FROM line GROUP BY id ORDER BY min(steps), id
        """,
        {"start": candidate_id, "depth": depth},
    )
    order = [row["id"] for row in rows]
    found = await _by_id(tx, order)
    return [found[key] for key in order]


async def delete_candidates(tx: Transaction, run_id: RunId, number: int) -> int:
    """Delete a generation's candidates with their clips, to breed it again; returns how many went.

    Raises:
        StorageError: One of its clips was posted or voted on: it is history by now.
    """
    history = await tx.value(
        """
        SELECT 1 FROM clips WHERE run_id = ? AND generation = ? AND (
            posted_slot IS NOT NULL OR EXISTS (SELECT 1 FROM votes WHERE clip_id = clips.id)
        )
        """,
        (run_id, number),
    )
    if history is not None:
        raise StorageError(
            f"Generation {number} of run {run_id} has posted clips; it stays as it is."
        )
    return await tx.run(
        "DELETE FROM candidates WHERE run_id = ? AND generation = ?", (run_id, number)
    )


async def _by_id(tx: Reader, ids: Sequence[int]) -> dict[int, Candidate]:
    rows = await tx.rows(
        f"{_SELECT} WHERE c.id IN (SELECT value FROM json_each(?))", (_json.id_list(ids),)
    )
    return {row["id"]: _candidate(row) for row in rows}


def _candidate(row: sqlite3.Row) -> Candidate:
    return Candidate(
        id=CandidateId(row["id"]),
        run_id=RunId(row["run_id"]),
        generation=row["generation"],
        prompt=row["prompt"],
        genome=_json.load(row["genome_json"]),
        operator=row["operator"],
        searcher=row["searcher"],
        parents=tuple(CandidateId(item) for item in _json.load(row["parents_json"])),
        seed=row["seed"],
        predicted=row["predicted"],
    )
