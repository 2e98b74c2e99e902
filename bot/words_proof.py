"""Whether the bot works, and what is best, in words that claim no more than the votes say. Pure functions."""

from __future__ import annotations

from bot.text import count, fit, quote
from scoring.calibration import Calibration
from scoring.intervals import Interval
from service.progress import ENDS, LEAST_VOTES, ProgressView, Versus
from service.top import Scope, TopClip, TopView

MEDALS = ("🥇", "🥈", "🥉", "4.", "5.")
_LIKELY_WRONG = 0.05
"""Bias from which predictions are called too hopeful or too gloomy."""


def percent(rate: Interval) -> str:
    """Return a share, such as ``"61% (50-71)"``."""
    return f"{rate.value:.0%} ({100 * rate.low:.0f}–{100 * rate.high:.0f})"  # noqa: RUF001 - a range


def points(gap: Interval) -> str:
    """Return a difference of shares, such as ``"+27 points (+12 to +40)"``."""
    return f"{100 * gap.value:+.0f} points ({100 * gap.low:+.0f} to {100 * gap.high:+.0f})"


def progress_lines(view: ProgressView) -> list[str]:
    """Return what the votes say about the bot, a sentence or two for each question."""
    seen = f"{count(view.votes, 'vote')} of {count(view.listeners, 'listener')} in {count(view.rounds, 'round')}"
    lines = [
        f"From {seen}; the ranges hold in 19 of 20 cases.",
        _breeding(view),
        _against_openings(view),
        _against_wild(view),
        _against_old(view),
    ]
    if view.steady is not None:
        lines.append(
            f"Who heard a clip twice judged it alike in {percent(view.steady)} of "
            f"{count(view.steady.count, 'case')}."
        )
    lines.append(_calibration(view.calibration))
    return lines


def _against_wild(view: ProgressView) -> str:
    told = _versus(view.picks_against_wild, "they are liked more", "they are liked less")
    return f"Clips that should please against the wild cards of their rounds: {told}"


def _against_old(view: ProgressView) -> str:
    told = _versus(view.new_against_old, "new ones win", "old ones win")
    return f"New clips against old ones that came back unmarked: {told}"


def _news(view: ProgressView) -> list[str]:
    """Return what can be told of new rounds by now; a single sentence while that is nothing."""
    told = [
        (view.gain is not None, _breeding),
        (view.picks_against_wild.enough, _against_wild),
        (view.new_against_old.enough, _against_old),
    ]
    lines = [say(view) for known, say in told if known]
    seen = f"{count(view.votes, 'vote')} in {count(view.rounds, 'round')}"
    return lines or [f"Too early to tell, with {seen}: a run needs {2 * ENDS} rounds with votes."]


def _breeding(view: ProgressView) -> str:
    if view.early is None or view.late is None or view.gain is None:
        return f"Whether new rounds win: a run needs {2 * ENDS} rounds with votes before that can be told."
    head = (
        f"First {ENDS} rounds of a run: {percent(view.early)} liked; last {ENDS}: {percent(view.late)}; "
        f"{points(view.gain)}: "
    )
    if min(view.early.count, view.late.count) < LEAST_VOTES:
        more = LEAST_VOTES - min(view.early.count, view.late.count)
        return f"{head}not enough votes yet to tell, {more} more."
    return head + _verdict(view.gain, "new rounds win", "new rounds are liked less")


def _verdict(gap: Interval, better: str, worse: str) -> str:
    if gap.above_zero:
        return f"{better}."
    if gap.below_zero:
        return f"{worse}."
    return "that may still be chance."


def _against_openings(view: ProgressView) -> str:
    head = "Clips that should please against openings, which no taste chose: "
    gap, opening, picks = (
        view.picks_against_opening,
        view.roles.get("opening"),
        view.roles.get("exploit"),
    )
    least = min((one.count if one else 0) for one in (opening, picks))
    if gap is None or least < LEAST_VOTES:
        return f"{head}not enough votes yet to tell, {LEAST_VOTES - least} more."
    return f"{head}{points(gap)}: " + _verdict(
        gap, "the bot beats chance", "the bot does worse than chance"
    )


def _versus(one: Versus, better: str, worse: str) -> str:
    if one.gap is None:
        return "no votes yet."
    if not one.enough:
        more = max(1, one.needed)
        return (
            f"{points(one.gap)} over {count(one.rounds, 'round')}; not enough votes yet to tell, about "
            f"{count(more, 'more round', 'more rounds')}."
        )
    return f"{points(one.gap)} over {count(one.rounds, 'round')}: {better if one.gap.above_zero else worse}."


def _calibration(found: Calibration | None) -> str:
    have = 0 if found is None else found.error.count
    if found is None or have < LEAST_VOTES:
        return (
            "Foretold against actual liking: not enough votes yet to tell, "
            f"{LEAST_VOTES - have} more of members who let me learn their taste."
        )
    error = found.error
    bias = ""
    if abs(found.bias) >= _LIKELY_WRONG:
        bias = f" I am too {'hopeful' if found.bias > 0 else 'gloomy'} by {abs(100 * found.bias):.0f} points."
    return (
        f"Foretold against actual liking over {count(have, 'vote')}: off by {100 * error.value:.0f} points on average "
        f"({100 * error.low:.0f} to {100 * error.high:.0f}); chance alone would show {100 * found.by_chance:.0f}.{bias}"
    )


def top_text(view: TopView) -> str:
    """Return the best clips of a place, and whether its new rounds win."""
    whose = " for you" if view.for_me else ""
    lines = [f"**Best of {view.scope.value}{whose}** · {count(view.rated, 'rated clip')}"]
    if not view.best:
        lines.append("You liked none of them so far, or their sound can no longer be read.")
    for medal, one in zip(MEDALS, view.best, strict=False):
        lines.append(f"{medal} {_clip(view, one)}")
    if view.best and len(view.files) < min(3, len(view.best)):
        lines.append("-# Some of the audio is not kept any more.")
    lines.append("**Do new rounds win?**")
    lines += _news(view.progress)
    lines.append("-# Ranked by the lower end of the range, so that one like is not the top.")
    return fit(lines)


def _clip(view: TopView, one: TopClip) -> str:
    where = f"round {one.clip.generation}"
    if one.message_id is not None:
        server = view.guild_id or "@me"
        where = (
            f"[{where}](https://discord.com/channels/{server}/{one.channel_id}/{one.message_id})"
        )
    place = f" in <#{one.channel_id}>" if view.scope is Scope.SERVER else ""
    foretold = "" if one.expected is None else f"I expect {one.expected:.0%} · "
    return (
        f"{foretold}liked by {one.likes} of {one.voters}, {percent(one.liked)} · {where}{place} · "
        f"{quote(one.clip.prompt, 90)}"
    )
