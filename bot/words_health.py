"""What a moderator sees of how the bot does: a mark, what is, and what to do where something is wrong."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from bot.text import count, duration, fit, plain
from bot.words import licence_words
from domain.clip import SourceUse
from generation.generator import Capabilities
from service.generator_state import GeneratorState, Readiness, Tally
from service.health import LOW_DISK, HealthView, LanguageState, Stored, Unsent
from service.queue import Standing
from service.spaces import Hearing

SLOW = 2.0
"""Seconds of Discord's answer above which it is slow."""
LONG_WAIT = 900.0
"""Seconds that a round may wait before that is worth a look."""
OLD_BACKUP = 7 * 86400.0
"""Seconds after which a backup is old."""
_USES = {
    SourceUse.CONTINUE: "goes on from a sound",
    SourceUse.MELODY: "follows a melody",
    SourceUse.VARY: "varies a sound",
    SourceUse.FILL: "makes a stretch of a sound anew",
}


class Mark(StrEnum):
    """How a line is meant."""

    WELL = "🟢"
    LOOK = "🟡"
    WRONG = "🔴"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One thing: how it is, more about it in small print, and what to do if something."""

    mark: Mark
    text: str
    more: str = ""
    remedy: str = ""

    def words(self) -> Iterator[str]:
        """Yield it as lines of a message."""
        yield f"{self.mark} {self.text}"
        if self.remedy:
            yield f"-# → {self.remedy}"
        if self.more:
            yield f"-# {self.more}"


def health_text(view: HealthView, latency: float) -> str:
    """Return how the bot does, what is wrong first.

    Args:
        view: How it does.
        latency: Seconds of Discord's answer; not finite where none came yet.
    """
    lines = [
        _language(view.language),
        _encoder(view.hearing),
        _rounds(view.rounds),
        _posts(view.unsent),
        _database(view.stored),
        _disk(view.stored),
        _discord(latency),
        *(_generator(one) for one in view.generators),
    ]
    # What is wrong comes first, and what the message has no room for is well.
    order = list(Mark)
    lines.sort(key=lambda one: -order.index(one.mark))
    wrong = sum(one.mark is not Mark.WELL for one in lines)
    head = f"**How I do**, up for {duration(view.uptime)}: " + (
        f"{count(wrong, 'thing needs', 'things need')} a look" if wrong else "all is well"
    )
    return fit([head, *(words for line in lines for words in line.words())])


# Generators -------------------------------------------------------------------------------------------


def _generator(state: GeneratorState) -> Line:
    mark, how, remedy = Mark.WELL, "", ""
    match state.readiness:
        case Readiness.READY:
            how = "is loaded"
        case Readiness.STARTING:
            how = "is being loaded"
        case Readiness.ASLEEP:
            how = "starts with its next clip"
        case Readiness.UNABLE:
            mark, how = Mark.WRONG, f"cannot start: {plain(state.reason)}"
            remedy = "The host can run bot.py doctor. Its next clip tries again."
    name = f"**{plain(state.info.name)}** {how.rstrip('.')}."
    if not state.offered:
        name += " It plays only what is made by hand."
    if state.waiting or state.making:
        name += f" {state.making} being made, {state.waiting} waiting."
    if mark is Mark.WELL and _mostly_fails(state.tally):
        mark, remedy = Mark.LOOK, "Most of its clips fail. A round says why; the log says more."
    done = _done(state.tally)
    return Line(
        mark=mark,
        text=f"{name} {done}" if done else name,
        more=able_words(state),
        remedy=remedy,
    )


def _mostly_fails(tally: Tally) -> bool:
    return tally.failed > tally.made


def _done(tally: Tally) -> str:
    parts = [
        f"{number} {what}"
        for number, what in (
            (tally.made, "made"),
            (tally.failed, "failed"),
            (tally.given_up, "given up"),
        )
        if number
    ]
    if not parts:
        return ""
    mean = f"; {tally.mean:.1f} s a clip" if tally.mean is not None else ""
    return f"Since the start {', '.join(parts)}{mean}."


def able_words(state: GeneratorState) -> str:
    """Return what a generator can do and under which licence, in a line."""
    able = state.capabilities
    parts = ["what it can do is known once it has started"] if able is None else _able(able)
    at_once = f"{state.batch} at once"
    if state.batch < state.most:
        at_once += f" ({state.most} did not fit into memory)"
    return " · ".join([*parts, at_once, licence_words(state)])


def _able(able: Capabilities) -> list[str]:
    takes = ["words"]
    takes += ["notes"] if able.notes else []
    takes += ["embeddings"] if able.embedding else []
    return [
        f"takes {', '.join(takes)}",
        *(_USES[use] for use in SourceUse if use in able.sources),
        *(["drafts"] if able.drafts else []),
        f"up to {duration(able.longest)}",
        f"{able.sample_rate / 1000:g} kHz",
    ]


# All else ---------------------------------------------------------------------------------------------


def _language(state: LanguageState) -> Line:
    lines = [plain(line).rstrip(".") for line in state.lines]
    text = ". ".join(lines) + "."
    if state.resting:
        remedy = "The offline breeder stands in. The host can check its server and its key with bot.py doctor."
        return Line(mark=Mark.WRONG, text=text, remedy=remedy)
    if state.here is None:
        return Line(mark=Mark.WELL, text=text)
    text += f" This server: {state.here.words()}."
    if state.here.share >= 1.0:
        remedy = "This server's budget for today is used up: the offline breeder stands in until 0:00 UTC."
        return Line(mark=Mark.LOOK, text=text, remedy=remedy)
    return Line(mark=Mark.WELL, text=text)


def _encoder(hearing: Hearing | None) -> Line:
    if hearing is None:
        return Line(mark=Mark.WELL, text="The built-in features hear.")
    if hearing.stand_in:
        return Line(mark=Mark.LOOK, text=f"{plain(hearing.encoder)}: {plain(hearing.stand_in)}")
    return Line(mark=Mark.WELL, text=f"{plain(hearing.encoder)} hears besides the features.")


def _rounds(rounds: Standing) -> Line:
    now = "A round is being made" if rounds.running else "No round is being made"
    if not rounds.waiting:
        return Line(mark=Mark.WELL, text=f"{now}, none waits.")
    text = f"{now}, {count(rounds.waiting, 'waits', 'wait')}, the oldest for {duration(rounds.oldest)}."
    if rounds.oldest <= LONG_WAIT:
        return Line(mark=Mark.WELL, text=text)
    remedy = (
        "Fewer candidates, shorter clips or a quicker generator (/evolve start) shorten the line."
    )
    return Line(mark=Mark.LOOK, text=text, remedy=remedy)


def _posts(unsent: Unsent) -> Line:
    if not (unsent.waiting or unsent.failed):
        return Line(mark=Mark.WELL, text="Every post is out.")
    parts = []
    if unsent.waiting:
        parts.append(f"{count(unsent.waiting, 'post waits', 'posts wait')} to be sent")
    if unsent.failed:
        parts.append(f"{count(unsent.failed, 'post')} of the last day could not be sent")
    text = f"{' and '.join(parts)}."
    if unsent.reason:
        remedy = f"In this server: {plain(unsent.reason)} Then use /evolve resume."
    elif unsent.failed:
        remedy = "Not in this server. /evolve status in their channels says why."
    else:
        return Line(mark=Mark.WELL, text=f"{text} They are tried again by themselves.")
    return Line(mark=Mark.LOOK, text=text, remedy=remedy)


def _database(stored: Stored) -> Line:
    age = stored.backup_age
    copied = "no backup is known of" if age is None else f"the last backup is {_days(age)} old"
    text = f"The database has {stored.size / 1e6:.1f} MB, schema {stored.schema}; {copied}."
    if age is not None and age <= OLD_BACKUP:
        return Line(mark=Mark.WELL, text=text)
    return Line(
        mark=Mark.LOOK, text=text, remedy="The host can make one while I run: bot.py backup."
    )


def _days(seconds: float) -> str:
    return duration(seconds) if seconds < 2 * 86400 else count(round(seconds / 86400), "day")


def _disk(stored: Stored) -> Line:
    text = f"{stored.free / 1e9:.1f} GB are free on the disk."
    if stored.free >= LOW_DISK:
        return Line(mark=Mark.WELL, text=text)
    return Line(
        mark=Mark.WRONG,
        text=text,
        remedy="Votes and rounds are refused once it is full. The host can free some, or lower storage.audio_days.",
    )


def _discord(latency: float) -> Line:
    if not math.isfinite(latency):
        return Line(mark=Mark.WELL, text="How fast Discord answers is not known yet.")
    text = f"Discord answers in {1000 * latency:.0f} ms."
    if latency <= SLOW:
        return Line(mark=Mark.WELL, text=text)
    return Line(
        mark=Mark.LOOK, text=text, remedy="The machine, its network or Discord is slow just now."
    )
