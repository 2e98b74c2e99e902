"""What language models were used for and cost: one row for each day, account, task and model."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from storage._sqlite import Reader, Transaction

DAY = 86400.0


def day_of(at: float) -> int:
    """Return the number of the UTC day that a Unix time in seconds is in."""
    return int(at // DAY)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """What requests came to.

    Attributes:
        requests: How many were sent.
        failed: Those among them that brought nothing usable.
        tokens_in: Tokens read.
        tokens_out: Tokens written.
        cost: In the currency of the settings' prices.
    """

    requests: int = 0
    failed: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    cost: float = 0.0

    @property
    def tokens(self) -> int:
        """Tokens read and written."""
        return self.tokens_in + self.tokens_out

    def plus(self, other: Spent) -> Spent:
        """Return the sum of both."""
        return Spent(
            requests=self.requests + other.requests,
            failed=self.failed + other.failed,
            tokens_in=self.tokens_in + other.tokens_in,
            tokens_out=self.tokens_out + other.tokens_out,
            cost=self.cost + other.cost,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageRow:
    """What one account's requests of a day came to, for one task and model.

    Attributes:
        day: As ``day_of`` counts.
        account: A guild's id as text, or ``""`` for nobody's.
        task: What for, such as ``"operator:blend"`` or ``"chat"``.
        model: Who answered.
        spent: What it came to.
    """

    day: int
    account: str
    task: str
    model: str
    spent: Spent


async def add_usage(tx: Transaction, rows: Iterable[UsageRow]) -> None:
    """Add to what is stored."""
    await tx.many(
        """
        INSERT INTO language_usage VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT (day, account, task, model) DO UPDATE SET
            requests = requests + excluded.requests,
            failed = failed + excluded.failed,
            tokens_in = tokens_in + excluded.tokens_in,
            tokens_out = tokens_out + excluded.tokens_out,
            cost = cost + excluded.cost
        """,
        [
            (
                row.day,
                row.account,
                row.task,
                row.model,
                row.spent.requests,
                row.spent.failed,
                row.spent.tokens_in,
                row.spent.tokens_out,
                row.spent.cost,
            )
            for row in rows
        ],
    )


async def spent_by_account(tx: Reader, day: int) -> dict[str, Spent]:
    """Return what each account has spent on a day."""
    return await _sums(tx, "account", "day = ?", (day,))


async def spent_by_task(tx: Reader, account: str, *, since: int = 0) -> dict[str, Spent]:
    """Return what an account has spent on each task, from a day on."""
    return await _sums(tx, "task", "account = ? AND day >= ?", (account, since))


async def forget_usage(tx: Transaction, *, before: int) -> int:
    """Delete the rows of days before ``before``; returns how many went."""
    return await tx.run("DELETE FROM language_usage WHERE day < ?", (before,))


async def _sums(
    tx: Reader, column: str, where: str, parameters: tuple[int | str, ...]
) -> dict[str, Spent]:
    rows = await tx.rows(
        f"""
        SELECT {column} AS name, sum(requests) AS requests, sum(failed) AS failed, sum(tokens_in) AS tokens_in,
            sum(tokens_out) AS tokens_out, sum(cost) AS cost
        FROM language_usage WHERE {where} GROUP BY {column} ORDER BY {column}
        """,  # noqa: S608 - column and condition come from this file
        parameters,
    )
    return {
        row["name"]: Spent(
            requests=row["requests"],
            failed=row["failed"],
            tokens_in=row["tokens_in"],
            tokens_out=row["tokens_out"],
            cost=row["cost"],
        )
        for row in rows
    }
