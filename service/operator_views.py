"""What moderators see of operators and prompts, ready to be worded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from domain.ids import ChannelId, ListenerId
from domain.operators import EvolveSettings, Operator
from service.operator_changes import Fields
from service.operator_record import Record


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionLine:
    """A saved version.

    Attributes:
        number: 0 for what is shipped.
        author_id: Who saved it; 0 for somebody who had their data erased, ``None`` for what is shipped.
        at: Unix time in seconds.
        comment: What changed, in words.
        diff: What changed, line by line.
    """

    number: int
    author_id: ListenerId | None = None
    at: float = 0.0
    comment: str = ""
    diff: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OverviewView:
    """The operators of a server in their order.

    Attributes:
        settings: They and how they are used.
        version: The version in force.
        records: Track record by name.
        model: What answers, or ``""`` where the offline breeder stands in.
        problem: Why the saved set is not used, or ``""``.
    """

    settings: EvolveSettings
    version: VersionLine
    records: Mapping[str, Record]
    model: str = ""
    problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorView:
    """One operator.

    Attributes:
        operator: It.
        place: Its place in the order, from 1.
        count: How many there are.
        base: Number of the version that it was read from.
        record: What it has to show.
        note: A sentence about the last press, or ``""``.
    """

    operator: Operator
    place: int
    count: int
    base: int
    record: Record
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptView:
    """One prompt.

    Attributes:
        name: Its name.
        text: What it says.
        base: Number of the version; 0 as shipped.
        shipped: Whether it says what is shipped.
        editable: Whether moderators may change it.
        required: Placeholders that it must have.
        optional: Placeholders that it may have.
        note: A sentence about the last press, or ``""``.
    """

    name: str
    text: str
    base: int
    shipped: bool
    editable: bool
    required: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftView:
    """A change that is not saved yet.

    Attributes:
        id: What its buttons carry.
        title: What it would do, in words.
        kind: What it is about.
        name: The operator or prompt; ``""`` for a whole set.
        problems: Sentences; it can be saved when there are none.
        diff: What would change, line by line.
        form: What was typed, for editing again; ``None`` for a whole set.
        text: What was typed, for a prompt.
        comment: Why, for the history.
        conflict: A version that somebody else saved meanwhile.
    """

    id: int
    title: str
    kind: Literal["operator", "set", "prompt"]
    name: str
    problems: tuple[str, ...]
    diff: str
    form: Fields | None = None
    text: str = ""
    comment: str = ""
    conflict: VersionLine | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    """A change that counts from the next round on.

    Attributes:
        kind: What it is about.
        name: The operator or prompt; ``""`` for a whole set, or for one that is gone.
        version: Its version, with what changed.
        audit: Where to tell others, or ``None``.
    """

    kind: Literal["operator", "set", "prompt"]
    name: str
    version: VersionLine
    audit: ChannelId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialView:
    """What a dry run gave.

    Attributes:
        title: What was tried.
        parents: What it was tried on.
        children: What came of it.
        by: Who made them: a model's name, or the offline breeder.
        note: A sentence or two: that something stood in, or why there is less than asked for.
        cost: Money that it cost.
        tokens: Tokens that it took.
    """

    title: str
    parents: tuple[str, ...]
    children: tuple[str, ...]
    by: str
    note: str = ""
    cost: float = 0.0
    tokens: int = 0
