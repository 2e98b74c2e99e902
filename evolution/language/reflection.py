"""The past as a model reads it, and the short running note that it keeps of what a herd likes."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from domain.candidate import Brief
from domain.facets import Facets
from evolution.archive import Individual
from evolution.language.calling import Caller
from evolution.language.cleaning import is_order, is_refusal, printable
from evolution.language.credit import Told
from evolution.language.parsing import without_reasoning
from evolution.selection import ranking
from prompts.reader import read
from prompts.templates import data
from prompts.tidy import tidy
from prompts.vocabulary import shipped

BEST, WORST, MOST_NEW = 12, 6, 24
"""Lines of a ranking: the best and worst ever, and the latest generation's."""
LONGEST_NOTE = 400
"""Characters of the note."""
_SENTENCE = re.compile(r"[.!?;](?=\s|$)")
_ITEM = re.compile(r"(?:^|\s)\d{1,2}[.)]\s")
_LINK = re.compile(r"https?://\S+|www\.\S+|<[^<>\s]{0,60}>|[*_`#|~]+")


def ranking_of(members: Sequence[Individual], told: Mapping[int, Told]) -> str:
    """Return told candidates best first as numbered lines with scores from 0 to 100; empty when nothing is told.

    What is shown are the best and the worst of the run and the latest generation.
    """
    known = [member for member in members if member.id in told]
    if not known:
        return ""
    latest = max(told[member.id].generation for member in known)
    new = [member for member in known if told[member.id].generation == latest]
    fresh = {member.id for member in new}
    order = [known[index] for index in ranking([member.fitness for member in known])]
    first_new = [member.id for member in order if member.id in fresh][:MOST_NEW]
    shown = {
        *(member.id for member in order[:BEST]),
        *(member.id for member in order[-WORST:]),
        *first_new,
    }
    lines: list[str] = []
    for member in order:
        if member.id in shown:
            mark = " new" if member.id in fresh else ""
            score = f"{100 * member.fitness:.0f} \u00b1{100 * member.uncertainty:.0f}"
            lines.append(f"{len(lines) + 1}. {score}{mark}: {told[member.id].prompt[:300]}")
    return "\n".join(lines)


async def reflect(ranked: str, note: str, brief: Brief, caller: Caller) -> str:
    """Return the note as the model writes it anew; empty where nothing usable comes.

    Args:
        ranked: As from ``ranking_of``.
        note: The note so far.
        brief: Its taste is told.
        caller: Asks.
    """
    request = caller.kit.templates.fill(
        "reflect",
        {"ranking": data(ranked), "note": data(note), "taste": data("; ".join(brief.taste))},
    )
    answer = await caller.text("reflect", request)
    return bounded_note(answer.text) if answer is not None else ""


def bounded_note(text: str) -> str:
    """Return a model's note as one harmless line of at most ``LONGEST_NOTE`` characters; empty when it is none.

    A list of prompts, a refusal, orders, and words that say nothing of music are no notes.
    """
    text = _LINK.sub(" ", printable(without_reasoning(text)))
    text = " ".join(text.replace("@", "").split()).strip("\"' ")
    listed = len(_ITEM.findall(text)) > 1 or "{" in text
    if listed or is_refusal(text) or is_order(text) or tidy(read(text), shipped()) == Facets():
        return ""
    if len(text) <= LONGEST_NOTE:
        return text
    head = text[:LONGEST_NOTE]
    ends = [match.end() for match in _SENTENCE.finditer(head) if match.end() > LONGEST_NOTE // 2]
    return head[: ends[-1]] if ends else head.rsplit(" ", 1)[0]
