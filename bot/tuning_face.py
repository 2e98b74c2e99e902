"""What moderators read about operators and prompts. Pure functions."""

from __future__ import annotations

from collections.abc import Sequence

from bot.text import MESSAGE_LIMIT, count, fit, quote
from domain.operators import Operator
from service.operator_prompts import PURPOSES
from service.operator_record import Record
from service.operator_views import (
    DraftView,
    OperatorView,
    OverviewView,
    PromptView,
    Saved,
    TrialView,
    VersionLine,
)
from service.views import Actor

NO_MODEL = "No language model is set up here, so the offline breeder breeds and operators wait."
EMPTY_HISTORY = "Nothing has been changed here yet: this is what is shipped."
AUDIT_ON = "Changes are told in <#{channel}> from now on."
AUDIT_OFF = "Changes are no longer told in a channel. `/operators history` still has them."
AUDIT_FAILED = "It is saved, but I could not tell it in <#{channel}>: I lack View Channel or Send Messages there."
TEXT_ROOM = 1200
"""Characters of a text that a message shows; forms show all of it."""
DIFF_ROOM = 1100


def block(text: str, limit: int, language: str = "") -> str:
    """Return a text in a code block of its own that nothing in it can end, cut to about ``limit`` characters."""
    inner = text.replace("```", "`\u200b``")
    if len(inner) > limit:
        cut = inner[:limit]
        inner = cut[: cut.rfind("\n")] if "\n" in cut[limit // 2 :] else cut
        inner += "\n…"
    return f"```{language}\n{inner}\n```"


def who(version: VersionLine) -> str:
    """Say who saved a version. A mention shows the name of today; the bot's messages ping nobody."""
    return f"<@{version.author_id}>" if version.author_id else "a former member"


def when(version: VersionLine) -> str:
    """Say how long ago a version was saved, as Discord shows it."""
    return f"<t:{int(version.at)}:R>"


def share(value: float) -> str:
    """Say how often."""
    return "always" if value >= 1 else f"{value * 100:.3g} %"


def numbers(operator: Operator) -> str:
    """Say how many prompts go in and come out, and how often."""
    return f"{operator.input} → {operator.output}, {share(operator.probability)}"


def record_text(record: Record) -> str:
    """Say what an operator has to show."""
    if not record.children and not record.asks:
        return "no children yet"
    parts = [count(record.children, "child", "children")]
    if record.gain is not None:
        spread = f" ± {record.margin:.2f}" if record.margin is not None else ""
        parts.append(f"gain **{record.gain:+.2f}**{spread} ({record.rated} rated)")
    else:
        parts.append("none rated yet")
    if record.children:
        parts.append(f"{record.rejected / record.children:.0%} rejected")
    if record.asks:
        money = f", cost {record.cost:.4g}" if record.cost else ""
        parts.append(f"{count(record.asks, 'request')}, {record.tokens:,} tokens{money}")
    return ", ".join(parts)


def overview_text(view: OverviewView, note: str = "") -> str:
    """Return the list of operators, with a sentence about the last press."""
    version = view.version
    head = "**Operators of this server**"
    head += (
        f" · version {version.number}, {who(version)} {when(version)}"
        if version.number
        else " · as shipped"
    )
    lines = [head, note] if note else [head]
    if view.problem:
        lines.append(
            f"⚠️ The saved ones are not used, the shipped ones are: {quote(view.problem, 300)}"
        )
    place = 0
    for operator in view.settings.operators:
        place += operator.enabled
        mark = f"`{place}`" if operator.enabled else "`off`"
        record = record_text(view.records[operator.name])
        lines.append(f"{mark} **{quote(operator.name, 40)}** {numbers(operator)} · {record}")
    lines.append(
        "-# Each one reads what the one before it made. Gain: rating of the children less that of their parents, from "
        "-2 to 2, with its 95 % interval. Parents are picked for being liked, so compare operators with each other."
    )
    lines.append(f"-# {quote(view.model, 100)} answers." if view.model else f"-# {NO_MODEL}")
    return fit(lines)


def operator_text(view: OperatorView) -> str:
    """Return what one operator is and has to show."""
    operator = view.operator
    state = "" if operator.enabled else " · **disabled**"
    lines = [
        f"**{quote(operator.name, 40)}** · {view.place} of {view.count} · {numbers(operator)}{state}"
    ]
    lines.append(block(operator.template, TEXT_ROOM))
    lines.append(f"{record_text(view.record)[0].upper()}{record_text(view.record)[1:]}.")
    if view.note:
        lines.append(view.note)
    return fit(lines)


def prompts_text(views: Sequence[PromptView]) -> str:
    """Return the list of prompts."""
    lines = ["**Prompts of this server**"]
    for view in views:
        state = "as shipped" if view.shipped else f"version {view.base}"
        lines.append(f"**{view.name}** ({state}): {PURPOSES[view.name]}.")
    lines.append("-# Operators are prompts too: `/operators list`.")
    return fit(lines)


def prompt_text(view: PromptView) -> str:
    """Return what one prompt says."""
    state = "as shipped" if view.shipped else f"version {view.base}"
    lines = [f"**{view.name}** ({state}): {PURPOSES[view.name]}."]
    lines.append(block(view.text, TEXT_ROOM))
    if view.editable:
        lines.append(_placeholders(view))
    if view.note:
        lines.append(view.note)
    return fit(lines)


def _placeholders(view: PromptView) -> str:
    if not view.required:
        return "It needs no placeholders."
    needed = " ".join(f"`{{{name}}}`" for name in view.required)
    return f"Must have {needed}" + _also(view.optional)


def _also(names: Sequence[str]) -> str:
    if not names:
        return "."
    return f"; may have {' '.join(f'`{{{name}}}`' for name in names)}. A line whose placeholders are empty is left out."


def draft_text(view: DraftView) -> str:
    """Return a change that is not saved yet."""
    lines = [f"**Not saved yet**: {quote(view.title, 300) or 'no change'}"]
    if view.conflict is not None:
        other = view.conflict
        lines.append(
            f"⚠️ {who(other)} saved version {other.number} {when(other)} while you were editing: "
            f"{quote(other.comment, 200)}. Below is yours compared with that; **Save** puts yours over it."
            if other.number
            else "⚠️ It changed while you were editing. Below is yours compared with what is there now."
        )
    lines += [f"❌ {quote(problem, 400)}" for problem in view.problems[:4]]
    if view.diff:
        room = MESSAGE_LIMIT - sum(len(line) + 1 for line in lines) - 120
        lines.append(block(view.diff, max(200, min(DIFF_ROOM, room)), "diff"))
    if view.problems and view.form is not None:
        lines.append("**Edit again** opens the form with everything you typed.")
    return fit(lines)


def history_text(title: str, lines_: Sequence[VersionLine]) -> str:
    """Return what was saved, newest first, with the difference that the newest made."""
    if not lines_:
        return f"**{quote(title, 60)}**\n{EMPTY_HISTORY}"
    lines = [f"**History of {quote(title, 60)}**"]
    lines += [
        f"`{one.number}` {when(one)} {who(one)}: {quote(one.comment, 140) or '(no comment)'}"
        for one in lines_[:8]
    ]
    if len(lines_) > 8:
        lines.append(f"… and {len(lines_) - 8} older ones")
    newest = next((one for one in lines_ if one.diff), None)
    if newest is not None:
        room = MESSAGE_LIMIT - sum(len(line) + 1 for line in lines) - 60
        lines += [
            f"What version {newest.number} changed:",
            block(newest.diff, max(150, min(DIFF_ROOM, room)), "diff"),
        ]
    return fit(lines)


def trial_text(view: TrialView) -> str:
    """Return what a dry run gave."""
    lines = [f"**Dry run of {quote(view.title, 40)}**: nothing of this is stored."]
    lines.append("From")
    lines += [f"· {quote(parent, 120)}" for parent in view.parents[:3]]
    if len(view.parents) > 3:
        lines.append(f"· … and again, {len(view.parents)} in all")
    if view.children:
        lines.append(f"came, by {quote(view.by, 80)}")
        lines += [f"· {quote(child, 300)}" for child in view.children]
    if view.note:
        lines.append(quote(view.note, 700))
    if view.tokens:
        lines.append(
            f"-# {view.tokens:,} tokens" + (f", cost {view.cost:.4g}" if view.cost else "")
        )
    return fit(lines)


def audit_begins(actor: Actor) -> str:
    """Return the first line in the channel of a moderator's choice."""
    return f"🔧 {_by(actor)} has changes of operators and prompts told here from now on."


def saved_text(saved: Saved) -> str:
    """Return the sentence after saving."""
    version = saved.version
    return f"✅ Version {version.number}: {quote(version.comment, 200)}. It counts from the next round on."


def audit_text(actor: Actor, saved: Saved) -> str:
    """Return the line for the channel of a moderator's choice."""
    what = "prompts" if saved.kind == "prompt" else "operators"
    version = saved.version
    return f"🔧 {_by(actor)} · {what}, version {version.number}: {quote(version.comment, 300)}"


def _by(actor: Actor) -> str:
    return f"**{quote(actor.name, 40) or 'A moderator'}**"
