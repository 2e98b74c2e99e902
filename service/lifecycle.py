"""The steps of a run's life as changes inside one transaction, so that a kill finds it before or after a step."""

from __future__ import annotations

from dataclasses import dataclass

from domain.candidate import Directive
from domain.errors import NotFoundError
from domain.ids import CandidateId, RunId
from domain.run import (
    CloseReason,
    Generation,
    GenerationState,
    Post,
    PostKind,
    PostState,
    Run,
    RunState,
)
from storage import posts, runs, votes
from storage.database import Reader, Transaction

WORDS_LIMIT = 400
"""Characters of a person's words that are kept: more than anybody says about one kind of music."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What the next generation shall be."""

    directive: Directive = Directive.NEXT
    parents: tuple[CandidateId, ...] = ()
    words: str = ""


async def generation_of(tx: Reader, run_id: RunId, number: int) -> Generation | None:
    """Return a generation, or ``None`` when there is none."""
    try:
        return await runs.generation(tx, run_id, number)
    except NotFoundError:
        return None


async def current(tx: Reader, run: Run) -> Generation | None:
    """Return the last generation of a run that was made, or ``None`` before the first."""
    return await generation_of(tx, run.id, run.generation)


async def begin_next(tx: Transaction, run: Run, order: Order) -> Generation:
    """Store the generation after the run's last one, to be bred; a cancelled try at it makes room."""
    number = run.generation + 1
    if await generation_of(tx, run.id, number) is not None:
        await runs.delete_generation(tx, run.id, number)
    generation = Generation(
        run_id=run.id,
        number=number,
        state=GenerationState.BREEDING,
        directive=order.directive.value,
        directive_parents=order.parents,
        directive_words=order.words[:WORDS_LIMIT],
    )
    await runs.add_generation(tx, generation)
    return generation


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed:
    """A round that was closed, whether anybody had voted, and then its reveal."""

    run_id: RunId
    number: int
    attended: bool
    reveal: Post | None


async def close(tx: Transaction, run: Run, reason: CloseReason, now: float) -> Closed | None:
    """Close the open round and put its reveal into the outbox; ``None`` when no round is open."""
    generation = await current(tx, run)
    if generation is None or generation.state is not GenerationState.OPEN:
        return None
    people = await votes.voters(tx, run.id, run.generation)
    await runs.set_generation(
        tx, run.id, run.generation, state=GenerationState.CLOSED, closed_at=now, close_reason=reason
    )
    if not people:
        return Closed(run_id=run.id, number=run.generation, attended=False, reveal=None)
    reveal = await posts.add_post(tx, run.id, run.generation, PostKind.REVEAL, run.channel_id, now)
    return Closed(run_id=run.id, number=run.generation, attended=True, reveal=reveal)


async def withdraw(tx: Transaction, run: Run, now: float) -> None:
    """Take a round that was not sent yet out of the outbox."""
    generation = await current(tx, run)
    if generation is None or generation.state is not GenerationState.READY:
        return
    post = await posts.post_of(tx, run.id, generation.number, PostKind.ROUND)
    if post is not None and post.state in {PostState.PENDING, PostState.FAILED}:
        why = "The run was stopped before this round was posted."
        await posts.mark_failed(tx, post.id, why, now)
        await runs.set_generation(tx, run.id, generation.number, state=GenerationState.CANCELLED)


async def abandon(tx: Transaction, run_id: RunId) -> Run | None:
    """Give up a round in the making: its run is paused, or stopped when it was the first round.

    Returns:
        The run if it was paused by this, else ``None``.
    """
    try:
        run = await runs.get_run(tx, run_id)
    except NotFoundError:
        return None  # erased meanwhile
    generation = await generation_of(tx, run_id, run.generation + 1)
    if generation is None or generation.state is not GenerationState.BREEDING:
        return None
    await runs.set_generation(tx, run_id, generation.number, state=GenerationState.CANCELLED)
    if run.state is not RunState.ACTIVE:
        return None
    first = generation.number == 1
    changed = await runs.set_run(tx, run_id, state=RunState.STOPPED if first else RunState.PAUSED)
    return None if first else changed
