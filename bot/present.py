"""What the channel sees: rounds, reveals, pauses, receipts and states, as text. Pure functions."""

from __future__ import annotations

from collections.abc import Sequence

from bot.text import bar, count, duration, fit, letter, quote, shorten
from domain.candidate import Candidate
from domain.clip import Clip
from domain.run import CloseReason, GenerationState, Run, RunState
from domain.vote import FAVOURITE_EMOJI, Consent, Grade
from service.mood_session import edit_words, edits_from, merged
from service.views import (
    ClipRating,
    PauseView,
    Receipt,
    RevealRow,
    RevealView,
    RoundView,
    StatusView,
    TargetView,
)

SAME = 0.5
"""Distance between two ratings in [-1, 1] up to which opinions count as the same."""
NO_VOTE = "\u2013"
AI_LABEL = "AI-made music"
CONSENT_QUESTION = (
    "May I learn **your** taste from your votes here? With yes, clips are also picked for you, and you can see, export "
    "or delete it any time with `/mydata`. With no, your votes count for the channel only."
)
CONSENT_YES = "Thank you. Your taste is learned from now on; `/taste show` says what it looks like."
CONSENT_NO = (
    "Fine. Your votes count for the channel only. `/mydata show` is where you can change that."
)
PAUSED = "You paused collection, so this was not recorded. `/mydata pause` turns it on again."
_REASONS = {
    CloseReason.QUORUM: "enough of you voted",
    CloseReason.TIMER: "time was up",
    CloseReason.NEXT: "the next round was asked for",
    CloseReason.STOPPED: "the run was stopped",
}
_ROLES = {
    "exploit": "expected to please",
    "uncertain": "posted to learn from",
    "wild": "the wild card",
    "opening": "chosen to be different",
    "nearest": "near the track",
}


def vibe_of(run: Run, limit: int = 60) -> str:
    """Return what a run is about, in quotation marks."""
    return f"“{quote(run.vibe, limit)}”" if run.vibe.strip() else "no particular vibe"


def run_words(run: Run) -> str:
    """Return a run as a thing that one can stop: by what it is about, if that was said."""
    return f"the run of {vibe_of(run)}" if run.vibe.strip() else "this run"


def not_known(words: Sequence[str]) -> str:
    """Return a sentence about words that change nothing; ``""`` where there are none."""
    if not words:
        return ""
    return (
        f"These words change nothing, because I do not know them: {quote(', '.join(words), 120)}."
    )


def round_title(run: Run, number: int) -> str:
    """Return the first line of a round, which is also how a lost message of it is recognised."""
    whose = " · just for you" if run.for_listener is not None else ""
    return f"**Round {number}** · generation {number} of {vibe_of(run)}{whose}"


def round_text(view: RoundView) -> str:
    """Return the text of a round's message. It says nothing about votes or about why a clip was chosen."""
    footer = [AI_LABEL, *(sentence.rstrip(".") for sentence in view.stand_ins)]
    closing = (
        f"Closes <t:{int(view.closes_at)}:R>"
        if view.closes_at
        else "Stays open until Next is pressed"
    )
    lines = [
        round_title(view.run, view.number),
        *(f"**{letter(one.slot)}** {quote(one.clip.prompt, 140)}" for one in view.clips),
        f"Rate what you heard; {FAVOURITE_EMOJI} is the best one. Votes stay hidden until the round closes. {closing}.",
        f"-# {shorten(' · '.join(footer), 380)}",
    ]
    return fit(lines)


def made_text(view: RoundView) -> str:
    """Return the text of a clip that somebody made by hand and posted."""
    maker = f"<@{view.run.started_by}>" if view.run.started_by else "somebody"
    made = view.made
    longer = made is not None and made.operator == "extend"
    head = f"🎚️ **{'A longer version' if longer else 'A mood'} by {maker}** · from {vibe_of(view.run, 120)}"
    changes = made_words(made) if made is not None else ""
    lines = [head]
    lines += [quote(one.clip.prompt, 160) for one in view.clips]
    if changes:
        lines.append(f"Changed: {changes}")
    lines += [
        "Rate it like a clip of a round: your votes steer what is bred here next.",
        f"-# {AI_LABEL}",
    ]
    return fit(lines)


def made_words(candidate: Candidate) -> str:
    """Return what somebody changed by hand, such as ``"energy .40 → .60, tempo 92 → 104"``; ``""`` for nothing."""
    return edit_words(merged(edits_from(candidate.genome.get("edits"))))


def alt_text(clip: Clip, slot: int) -> str:
    """Return the description of an attached clip, at most 1,024 characters."""
    return (
        f"Clip {letter(slot)}, {clip.seconds:.0f} seconds, {AI_LABEL}: {shorten(clip.prompt, 900)}"
    )


def reveal_title(view: RevealView) -> str:
    """Return the first line of a reveal, which is also how a lost message of it is recognised."""
    return f"**Round {view.number} is closed** · run {view.run.id}"


def reveal_text(view: RevealView) -> str:
    """Return the text of a reveal: the winner, then each clip with its votes, spread and parents."""
    lines = [reveal_title(view)]
    winner = next((row for row in view.rows if row.slot == view.winner_slot), None)
    if winner is None:
        lines.append(
            "Nobody voted, so nothing was learned from it. The next round starts from what is known."
        )
    else:
        lines.append(
            f"🏆 **{letter(winner.slot)}** won among {count(view.voters, 'listener')}: {quote(winner.clip.prompt, 120)}"
        )
    lines.extend(_reveal_row(row) for row in view.rows)
    lines.append(f"-# Closed because {_REASONS[view.reason]}. Late votes still count.")
    return fit(lines)


def _reveal_row(row: RevealRow) -> str:
    if row.mean is None:
        verdict = "no votes"
    else:
        stars = f" · {FAVOURITE_EMOJI} {row.favourites}" if row.favourites else ""
        split = " · opinions differ" if row.votes > 1 and row.spread > 0.7 else ""
        verdict = f"{bar((row.mean + 1) / 2, 8)} {row.mean:+.1f} from {count(row.votes, 'vote')}{stars}{split}"
    if row.clip.original_generation is not None:
        return f"**{letter(row.slot)}** {verdict} · {_friend(row)}"
    role = _ROLES.get(row.clip.role or "", "")
    why = f" · {role}" if role else ""
    parents = "; ".join(f"“{quote(parent, 50)}”" for parent in row.parents[:2])
    origin = f" · {row.operator} of {parents}" if parents else f" · {row.operator}"
    return f"**{letter(row.slot)}** {verdict}{why}{origin}"


def _friend(row: RevealRow) -> str:
    """Return where a clip that came back unmarked is from, and what was thought of it then."""
    then = "" if row.then is None else f" ({row.then:+.1f} then)"
    return f"an old friend from round {row.clip.original_generation}{then}, to see whether new ones beat it"


def pause_text(view: PauseView) -> str:
    """Return the text of a pause."""
    if view.reason:
        return f"**Paused.** {view.reason} Press Resume to try again."
    return (
        f"**Paused.** {count(view.rounds, 'round')} in a row went by without a vote, so {run_words(view.run)} "
        "rests. Press Resume when somebody is listening again."
    )


def receipt_text(receipt: Receipt) -> str:
    """Return the private answer to a vote: everything this listener has said in this round."""
    closed = (
        "closed; your vote still counts" if receipt.late else "results stay hidden until it closes"
    )
    where = f"**Your votes in {shorten(receipt.round_label, 40)}** · {closed}"
    lines = [
        "**Your vote on this clip** · it counts like any other" if receipt.by_hand else where,
        " · ".join(_rating(one) for one in receipt.ratings),
    ]
    if any(one.broken for one in receipt.ratings):
        lines.append("-# 🔧 is broken audio; it says nothing about the music.")
    if receipt.consent is Consent.PAUSED:
        lines.append(PAUSED)
    elif receipt.note:
        lines.append(receipt.note)
    if receipt.consent is Consent.UNASKED:
        lines.append(CONSENT_QUESTION)
    elif receipt.consent is Consent.TASTE:
        lines.append(taste_line(receipt.votes_until_taste))
    return fit(lines)


def _rating(one: ClipRating) -> str:
    marks = "" if one.grade is None else one.grade.emoji
    marks += FAVOURITE_EMOJI if one.favourite else ""
    marks += "🔧" if one.broken else ""
    return f"**{letter(one.slot)}** {marks or NO_VOTE}"


def taste_line(votes: int) -> str:
    """Return how far a listener is from a taste of their own that counts."""
    if votes <= 0:
        return "-# Your taste counts. `/taste show` says what it looks like."
    return f"-# {count(votes, 'more vote')} until your taste counts."


def answered(content: str, *, yes: bool) -> str:
    """Return a receipt's text after its consent question was answered."""
    kept = content.replace(CONSENT_QUESTION, "").rstrip()
    answer = CONSENT_YES if yes else CONSENT_NO
    return f"{kept}\n{answer}" if kept else answer


def difference_text(receipt: Receipt, view: RevealView) -> str:
    """Return how one listener's ratings differ from those of all voters, for their eyes only."""
    means = {row.clip.id: row.mean for row in view.rows if row.votes > 1}
    gaps = [
        (one.grade.rating - mean, one)
        for one in receipt.ratings
        if one.grade is not None and (mean := means.get(one.clip_id)) is not None
    ]
    if not gaps:
        return ""
    gap, one = max(gaps, key=lambda pair: abs(pair[0]))
    if abs(gap) < SAME:
        return "You and the others heard this round much the same way."
    return f"You liked **{letter(one.slot)}** {'more' if gap > 0 else 'less'} than the others did ({gap:+.1f})."


def status_text(view: StatusView) -> str:
    """Return what ``/evolve status`` says."""
    run = view.run
    settings = run.settings
    lines = [f"**{vibe_of(run)}** · generation {run.generation} · {_state(run)}"]
    generation = view.generation
    if view.progress is not None and not view.progress.finished:
        lines.append(view.progress.text)
    elif generation is not None and generation.state is GenerationState.OPEN:
        closing = f", or <t:{int(generation.closes_at)}:R>" if generation.closes_at else ""
        enough = 1 if run.for_listener is not None else settings.quorum
        lines.append(
            f"Round {generation.number} is open: {count(view.voters, 'voter')} so far. "
            f"It closes when {enough} {'has' if enough == 1 else 'have'} voted{closing}."
        )
    if view.target is not None:
        lines.append(_towards(view.target))
    if view.problem:
        lines.append(f"The last round could not be posted: {view.problem}")
    if view.families:
        alive = sorted(view.families.items(), key=lambda pair: -pair[1])[:6]
        lines.append(
            "Alive in the population: " + ", ".join(f"{name} ({number})" for name, number in alive)
        )
    if run.state is RunState.STOPPED:
        lines.append("`/evolve start` begins a new one.")
    elif run.state is RunState.PAUSED:
        lines.append("`/evolve resume` goes on with it.")
    timer = f"timer {duration(settings.timer)}" if settings.timer else "no timer"
    lines.append(
        f"-# {settings.candidates} candidates of {settings.seconds:.0f} s a round"
        f"{f' by {settings.generator}' if settings.generator else ''} · {timer} · "
        f"pauses after {count(settings.unattended_limit, 'round')} without a vote"
    )
    return fit(lines)


def _towards(target: TargetView) -> str:
    minutes, seconds = divmod(round(target.seconds), 60)
    sounds = f": {target.words}" if target.words else ""
    return (
        f"Bred towards “{quote(target.title, 80)}” ({minutes}:{seconds:02}){quote(sounds, 200)}. "
        f"With {count(target.rated, 'clip')} rated here, votes count for {target.votes_share:.0%} and the track for "
        "the rest."
    )


def _state(run: Run) -> str:
    return {RunState.ACTIVE: "running", RunState.PAUSED: "paused", RunState.STOPPED: "stopped"}[
        run.state
    ]


def stopped_text(run: Run) -> str:
    """Return what the channel reads when a run is stopped."""
    what = run_words(run)
    when = f"after {count(run.generation, 'round')}" if run.generation else "before its first round"
    return f"Stopped {what} {when}. Clips and votes are kept, and votes still count. `/evolve start` begins a new one."


def best_of(receipt: Receipt) -> list[ClipRating]:
    """Return a listener's own liked clips of a round, the best first: favourites, then loved, then good."""
    liked = [one for one in receipt.ratings if one.favourite or (one.grade or 0) >= Grade.GOOD]
    return sorted(liked, key=lambda one: (not one.favourite, -int(one.grade or 0), one.slot))
