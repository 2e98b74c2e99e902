"""Who may steer a run: moderators, and whoever it is bred for."""

from __future__ import annotations

from dataclasses import replace

from domain.errors import ForbiddenError
from domain.run import Run, RunState
from service.views import Actor

VERBS = {
    "next": "ask for the next round",
    "vary": "steer the next round",
    "cross": "steer the next round",
    "remix": "steer the next round",
    "stop": "stop a run",
    "pause": "pause a run",
    "reset": "start a run over",
}
ALONE = "start one for you alone with `for: me`"
PROPOSALS = frozenset({"next", "vary", "cross", "remix"})
"""What a single voter may do where one voter closes a round."""


def is_own(actor: Actor, run: Run) -> bool:
    """Tell whether a run belongs to one person: bred for them, or branched by them."""
    if run.for_listener is not None:
        return run.for_listener == actor.user_id
    return run.parent_clip_id is not None and run.started_by == actor.user_id


def steering(actor: Actor, run: Run, verb: str) -> Actor:
    """Return the actor with the rights they have over this run.

    Args:
        actor: Who.
        run: The run.
        verb: A key of ``VERBS``.

    Raises:
        ForbiddenError: They may not.
    """
    alone = run.settings.quorum == 1 and run.for_listener is None and verb in PROPOSALS
    if actor.is_moderator or is_own(actor, run) or alone:
        return replace(actor, is_moderator=True)
    what = VERBS[verb]
    if verb in PROPOSALS:
        raise ForbiddenError(
            f"Only moderators can {what} here, so that everybody has time to listen. This round closes by itself "
            f"when {_listeners(run.settings.quorum)} voted. Your votes steer it."
        )
    raise ForbiddenError(
        f"Only moderators can {what} here. A moderator can manage messages in this channel."
    )


def _listeners(number: int) -> str:
    return "1 listener" if number == 1 else f"{number} listeners"


def occupied(actor: Actor, run: Run) -> str:
    """Return what is said to who would start another run in the channel of one that has not ended."""
    if run.state is RunState.PAUSED:
        rest = "/evolve stop to end it first" if actor.is_moderator else ALONE
        return f"This channel's run is paused. Use /evolve resume to go on, or {rest}."
    if actor.is_moderator:
        return "This channel already has a run. Use /evolve next to go on, or /evolve stop to end it first."
    return f"This channel already has a run. Rate its clips to steer it, or {ALONE}."
