"""Duels and verdicts as text and buttons. Pure functions; nothing here says what a clip is before it is decided."""

from __future__ import annotations

from discord import ButtonStyle, ui

from bot.ids import DuelAction, DuelPress
from bot.present import AI_LABEL, CONSENT_QUESTION, PAUSED, taste_line
from bot.text import count, fit, quote, shorten
from bot.views import button, stateless
from domain.clip import Clip
from domain.duel import Choice, Duel
from domain.ids import DuelId
from domain.run import CloseReason
from domain.vote import Consent
from service.duel_views import DuelReceipt, DuelView, Tally, VerdictRow, VerdictView

TROPHY = "🏆"
_BUTTONS = {
    DuelAction.A: ("A", TROPHY),
    DuelAction.B: ("B", TROPHY),
    DuelAction.TIE: ("Tie", "🤝"),
    DuelAction.BAD: ("Both bad", "😖"),
    DuelAction.DECIDE: ("Decide", "🏁"),
}
_BRANCHES = {DuelAction.BRANCH_A: "Branch A", DuelAction.BRANCH_B: "Branch B"}
_SAID = {
    Choice.A: f"{TROPHY} **A** is better",
    Choice.B: f"{TROPHY} **B** is better",
    Choice.TIE: "🤝 neither is better",
    Choice.BAD: "😖 both are bad",
}
_REASONS = {
    CloseReason.QUORUM: "enough of you voted",
    CloseReason.TIMER: "time was up",
    CloseReason.NEXT: "it was asked for",
    CloseReason.STOPPED: "it was stopped",
}
_LETTERS = {Choice.A: "A", Choice.B: "B"}


def duel_text(view: DuelView) -> str:
    """Return the text of a duel's message."""
    closing = (
        f"Decided <t:{int(view.closes_at)}:R>, or when {count(view.duel.quorum, 'listener')} voted."
        if view.closes_at
        else f"Decided when {count(view.duel.quorum, 'listener')} voted."
    )
    whose = " · just for you" if view.duel.for_listener is not None else ""
    footer = [AI_LABEL, *(sentence.rstrip(".") for sentence in view.stand_ins)]
    return fit(
        [
            f"⚔️ **Duel {view.duel.id}**{whose} · which of the two would you rather hear again?",
            f"Hear both, then give the {TROPHY}. What they are and how others voted is told afterwards. {closing}",
            f"-# {shorten(' · '.join(footer), 380)}",
        ]
    )


def duel_alt_text(duel: Duel, clip: Clip) -> str:
    """Return the description of an attached clip, which says nothing about the music."""
    letter = "A" if clip.id == duel.a else "B"
    return f"Clip {letter} of duel {duel.id}, {clip.seconds:.0f} seconds, {AI_LABEL}"


def duel_buttons(duel_id: DuelId) -> ui.View:
    """Return the four answers and the button that decides."""
    return stateless(
        [
            button(
                DuelPress(duel_id=duel_id, action=action),
                label,
                emoji=emoji,
                style=ButtonStyle.primary
                if action in {DuelAction.A, DuelAction.B}
                else ButtonStyle.secondary,
            )
            for action, (label, emoji) in _BUTTONS.items()
        ]
    )


def verdict_buttons(duel_id: DuelId) -> ui.View:
    """Return a button for each clip that starts a branch from it."""
    return stateless(
        [
            button(DuelPress(duel_id=duel_id, action=action), label)
            for action, label in _BRANCHES.items()
        ]
    )


def verdict_title(duel: Duel) -> str:
    """Return the first line of a verdict, which is also how a lost message of it is recognised."""
    return f"**Duel {duel.id} is decided**"


def verdict_text(view: VerdictView) -> str:
    """Return the text of a verdict: who won by how much, what the clips are and where they come from."""
    also = [
        count(view.tally.ties, "tie") if view.tally.ties else "",
        f"{count(view.tally.bad, 'listener')} found both bad" if view.tally.bad else "",
    ]
    said = [one for one in also if one]
    return fit(
        [
            f"{verdict_title(view.duel)} · {_outcome(view.tally)}",
            *(_row(row) for row in view.rows),
            *([" · ".join(said)] if said else []),
            f"-# Decided because {_REASONS[view.reason]}. Late votes still count.",
        ]
    )


def _outcome(tally: Tally) -> str:
    if not tally.voters:
        return "nobody voted"
    if tally.winner is Choice.BAD:
        return "😖 neither: most found both bad"
    if tally.winner is Choice.TIE:
        return f"🤝 a tie, {tally.a} to {tally.b}"
    won, lost = max(tally.a, tally.b), min(tally.a, tally.b)
    return f"{TROPHY} **{_LETTERS[tally.winner]}** won by {won} to {lost}"


def _row(row: VerdictRow) -> str:
    parents = "; ".join(f"“{quote(parent, 50)}”" for parent in row.parents[:2])
    origin = f"{row.operator} of {parents}" if parents else row.operator
    return (
        f"**{_LETTERS[row.choice]}** {quote(row.clip.prompt, 140)} · {TROPHY} {row.trophies} · "
        f"generation {row.clip.generation}, {origin}"
    )


def duel_receipt_text(receipt: DuelReceipt) -> str:
    """Return the private answer to a vote on a duel."""
    closed = (
        "decided; your vote still counts"
        if receipt.late
        else "the verdict stays hidden until it is decided"
    )
    said = "none: not given, or taken back" if receipt.choice is None else _SAID[receipt.choice]
    lines = [f"**Your vote in duel {receipt.duel.id}** · {closed}", said]
    if receipt.prompts is not None:
        lines += [
            f"**{letter}** {quote(prompt, 140)}"
            for letter, prompt in zip("AB", receipt.prompts, strict=True)
        ]
    if receipt.consent is Consent.PAUSED:
        lines.append(PAUSED)
    elif receipt.note:
        lines.append(receipt.note)
    if receipt.consent is Consent.UNASKED:
        lines.append(CONSENT_QUESTION)
    elif receipt.consent is Consent.TASTE:
        lines.append(taste_line(receipt.votes_until_taste))
    return fit(lines)
