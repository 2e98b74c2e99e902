"""Changes that are looked at before they are saved. They live in memory: a restart loses drafts, never a version."""

from __future__ import annotations

import secrets
from collections import OrderedDict
from dataclasses import dataclass

from domain.errors import NotFoundError
from domain.ids import GuildId, ListenerId
from service.operator_changes import Change, Fields

MOST_DRAFTS = 200
GONE = "That draft is gone. Open the operator or prompt again; nothing was changed."


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A change in somebody's hands.

    Attributes:
        guild_id: The server that it is for.
        author_id: Whose it is; nobody else can touch it.
        base: Number of the version that it changes.
        change: What it does.
        form: What was typed about an operator.
        target: The operator (``""`` for a new one) or prompt; ``""`` for a whole set.
        text: What was typed as a prompt.
        comment: Why.
        problems: Why it cannot be saved.
    """

    guild_id: GuildId
    author_id: ListenerId
    base: int
    change: Change
    form: Fields | None = None
    target: str = ""
    text: str = ""
    comment: str = ""
    problems: tuple[str, ...] = ()


class DraftBook:
    """The latest drafts of everybody."""

    def __init__(self) -> None:
        self._drafts: OrderedDict[int, Draft] = OrderedDict()

    def add(self, draft: Draft) -> int:
        """Keep a draft; the number that it is found by cannot be guessed and is never given out again."""
        number = secrets.randbits(48)
        self._drafts[number] = draft
        while len(self._drafts) > MOST_DRAFTS:
            self._drafts.popitem(last=False)
        return number

    def get(self, number: int, guild_id: GuildId, author_id: ListenerId) -> Draft:
        """Return a draft to who made it, where they made it.

        Raises:
            NotFoundError: It is gone, or somebody else's.
        """
        draft = self._drafts.get(number)
        if draft is None or (draft.guild_id, draft.author_id) != (guild_id, author_id):
            raise NotFoundError(GONE)
        return draft

    def replace(self, number: int, draft: Draft) -> None:
        """Change a draft that is there."""
        self._drafts[number] = draft

    def drop(self, number: int) -> None:
        """Forget a draft."""
        self._drafts.pop(number, None)
