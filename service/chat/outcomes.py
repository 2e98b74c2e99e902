"""What comes of a tool, and how clips are named in it."""

from __future__ import annotations

from domain.clip import Clip
from domain.ids import ClipId
from service.chat.turns import Outcome
from service.queue import Ticket
from service.views import ClipRating, Receipt


def own_rating(receipt: Receipt, clip: Clip) -> ClipRating:
    """Return what the speaker has said of a clip so far."""
    return next(one for one in receipt.ratings if one.clip_id == clip.id)


def job(ticket: Ticket, headline: str, text: str, did: str, clip: Clip | None = None) -> Outcome:
    """Return a job that the speaker can watch."""
    return Outcome(
        ticket=ticket,
        headline=headline,
        text=text,
        did=did,
        clip=ClipId(clip.id) if clip is not None else None,
    )


def names(found: list[Clip]) -> str:
    """Return clips by the letters that people see."""
    letters = [
        "ABCD"[one.posted_slot - 1] if one.posted_slot and one.posted_slot <= 4 else "that clip"
        for one in found
    ]
    if len(letters) == 1:
        return f"clip {letters[0]}" if len(letters[0]) == 1 else letters[0]
    return f"{', '.join(letters[:-1])} and {letters[-1]}"
