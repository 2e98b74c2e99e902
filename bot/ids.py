"""Custom ids of buttons, selects and modals: ids and verbs only. All state lives in the database."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from bot.tuning_ids import Tune, read_tune
from domain.ids import ClipId, DuelId, RunId
from domain.vote import Grade

PREFIX = "tb:"
TEMPLATE = r"(?s:tb:.{0,97})"
"""Every custom id of ours, well-formed or not: Discord allows 1 to 100 characters."""
_NUMBER = re.compile(r"[0-9]{1,19}")
_LARGEST = 2**63 - 1
_SUBJECT = re.compile(r"[0-9a-f.]{0,40}")


class Verb(StrEnum):
    """The last row of a round."""

    NEXT = "next"
    VARY = "vary"
    CROSS = "cross"
    REMIX = "remix"
    MORE = "more"


class MoreAction(StrEnum):
    """What the private panel behind *More* does."""

    PICK = "pick"
    WHY = "why"
    LINEAGE = "lineage"
    PLAY = "play"
    MOOD = "mood"
    LONGER = "longer"
    BRANCH = "branch"
    KEEP = "keep"
    WAV = "wav"
    DOWNLOAD = "download"
    BROKEN = "broken"
    ALL_BAD = "allbad"
    FOR_ME = "forme"


class MoodAction(StrEnum):
    """What the private panel of ``/mood`` does."""

    FEATURE = "feature"
    DOWN_MUCH = "dd"
    DOWN = "d"
    UP = "u"
    UP_MUCH = "uu"
    UNDO = "undo"
    TONE = "tone"
    LISTEN = "listen"
    SAY = "say"
    RESET = "reset"
    POST = "post"
    BREED = "breed"
    KEEP = "keep"


class ChatAction(StrEnum):
    """What a button under an answer in a chat does."""

    YES = "yes"
    NO = "no"
    TASTE = "taste"
    DATA = "data"
    CONSENT = "consent"
    WHY = "why"
    FOR_ME = "forme"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """One of the four graded buttons of a clip."""

    clip_id: ClipId
    grade: Grade

    def __str__(self) -> str:
        return f"tb:rate:{self.clip_id}:{int(self.grade)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Favourite:
    """The star of a clip."""

    clip_id: ClipId

    def __str__(self) -> str:
        return f"tb:fav:{self.clip_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Do:
    """A button of the last row; also the custom id of the remix modal."""

    run_id: RunId
    generation: int
    verb: Verb

    def __str__(self) -> str:
        return f"tb:do:{self.run_id}:{self.generation}:{self.verb}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pick:
    """The private select of the clips to vary or cross."""

    run_id: RunId
    generation: int
    verb: Verb

    def __str__(self) -> str:
        return f"tb:pick:{self.run_id}:{self.generation}:{self.verb}"


@dataclass(frozen=True, slots=True, kw_only=True)
class More:
    """A button of the private panel."""

    run_id: RunId
    generation: int
    action: MoreAction
    clip_id: ClipId | None = None

    def __str__(self) -> str:
        clip = "" if self.clip_id is None else f":{self.clip_id}"
        return f"tb:more:{self.run_id}:{self.generation}:{self.action}{clip}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mood:
    """A button, select or form of the panel of ``/mood``; the clip is the one that was made last."""

    panel_id: int
    action: MoodAction
    clip_id: ClipId | None = None

    def __str__(self) -> str:
        clip = "" if self.clip_id is None else f":{self.clip_id}"
        return f"tb:mood:{self.panel_id}:{self.action}{clip}"


class DuelAction(StrEnum):
    """What a button of a duel or of its verdict does."""

    A = "a"
    B = "b"
    TIE = "tie"
    BAD = "bad"
    DECIDE = "decide"
    BRANCH_A = "brancha"
    BRANCH_B = "branchb"


@dataclass(frozen=True, slots=True, kw_only=True)
class DuelPress:
    """A button of a duel or of its verdict."""

    duel_id: DuelId
    action: DuelAction

    def __str__(self) -> str:
        return f"tb:duel:{self.duel_id}:{self.action}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentAnswer:
    """Yes or no to a taste profile."""

    yes: bool

    def __str__(self) -> str:
        return f"tb:consent:{'yes' if self.yes else 'no'}"


@dataclass(frozen=True, slots=True, kw_only=True)
class EraseAnswer:
    """Yes or no to deleting everything held about the person."""

    yes: bool

    def __str__(self) -> str:
        return f"tb:erase:{'yes' if self.yes else 'no'}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ForgetAnswer:
    """Yes or no to forgetting the person's votes and taste in this server."""

    yes: bool

    def __str__(self) -> str:
        return f"tb:forget:{'yes' if self.yes else 'no'}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Resume:
    """Go on with a paused run."""

    run_id: RunId

    def __str__(self) -> str:
        return f"tb:resume:{self.run_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancel:
    """Take a round out of the queue."""

    ticket_id: int

    def __str__(self) -> str:
        return f"tb:cancel:{self.ticket_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Chat:
    """A button under an answer in a chat; ``subject`` is a question, a clip or a round."""

    action: ChatAction
    subject: str = ""

    def __str__(self) -> str:
        return f"tb:chat:{self.action}:{self.subject}"


Press = (
    Rate
    | Favourite
    | Do
    | Pick
    | More
    | Mood
    | DuelPress
    | ConsentAnswer
    | EraseAnswer
    | ForgetAnswer
    | Resume
    | Cancel
    | Chat
    | Tune
)


def parse(custom_id: str) -> Press | None:
    """Read a custom id. Never raises; ``None`` for anything that this version does not make."""
    if not custom_id.startswith(PREFIX) or len(custom_id) > 100:
        return None
    kind, *rest = custom_id.removeprefix(PREFIX).split(":")
    try:
        press = _READERS[kind](rest)
    except (KeyError, ValueError):
        return None
    return press if str(press) == custom_id else None


def _number(text: str) -> int:
    if not _NUMBER.fullmatch(text) or int(text) > _LARGEST:
        raise ValueError(text)
    return int(text)


def _rate(rest: list[str]) -> Press:
    clip, grade = rest
    return Rate(clip_id=ClipId(_number(clip)), grade=Grade(_number(grade)))


def _favourite(rest: list[str]) -> Press:
    (clip,) = rest
    return Favourite(clip_id=ClipId(_number(clip)))


def _do(rest: list[str]) -> Press:
    run, generation, verb = rest
    return Do(run_id=RunId(_number(run)), generation=_number(generation), verb=Verb(verb))


def _pick(rest: list[str]) -> Press:
    run, generation, verb = rest
    if verb not in {Verb.VARY, Verb.CROSS}:
        raise ValueError(verb)
    return Pick(run_id=RunId(_number(run)), generation=_number(generation), verb=Verb(verb))


def _more(rest: list[str]) -> Press:
    run, generation, action, *clip = rest
    if len(clip) > 1:
        raise ValueError(rest)
    return More(
        run_id=RunId(_number(run)),
        generation=_number(generation),
        action=MoreAction(action),
        clip_id=ClipId(_number(clip[0])) if clip else None,
    )


def _mood(rest: list[str]) -> Press:
    panel, action, *clip = rest
    if len(clip) > 1:
        raise ValueError(rest)
    return Mood(
        panel_id=_number(panel),
        action=MoodAction(action),
        clip_id=ClipId(_number(clip[0])) if clip else None,
    )


def _duel(rest: list[str]) -> Press:
    duel, action = rest
    return DuelPress(duel_id=DuelId(_number(duel)), action=DuelAction(action))


def _chat(rest: list[str]) -> Press:
    action, subject = rest
    if not _SUBJECT.fullmatch(subject):
        raise ValueError(subject)
    return Chat(action=ChatAction(action), subject=subject)


def _yes(rest: list[str]) -> bool:
    (answer,) = rest
    if answer not in {"yes", "no"}:
        raise ValueError(answer)
    return answer == "yes"


def _resume(rest: list[str]) -> Press:
    (run,) = rest
    return Resume(run_id=RunId(_number(run)))


def _cancel(rest: list[str]) -> Press:
    (ticket,) = rest
    return Cancel(ticket_id=_number(ticket))


_READERS = {
    "rate": _rate,
    "fav": _favourite,
    "do": _do,
    "pick": _pick,
    "more": _more,
    "mood": _mood,
    "duel": _duel,
    "consent": lambda rest: ConsentAnswer(yes=_yes(rest)),
    "erase": lambda rest: EraseAnswer(yes=_yes(rest)),
    "forget": lambda rest: ForgetAnswer(yes=_yes(rest)),
    "resume": _resume,
    "cancel": _cancel,
    "chat": _chat,
    "tune": read_tune,
}
