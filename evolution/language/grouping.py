"""Finds which group of parents each prompt of an answer belongs to, however the answer is written."""

from __future__ import annotations

import re
from collections.abc import Sequence

from evolution.language.parsing import prompts_in, without_reasoning
from prompts.text import STOP, tokenise

_HEADING = re.compile(r"group[\s\"'*_#:.-]{0,6}(\d{1,3})", re.IGNORECASE)
_HEADING_ALONE = re.compile(r"\W*group\W*\d{1,3}\W*", re.IGNORECASE)
_NUMBER = re.compile(r"^[\s>*-]{0,6}(\d{1,3})\s*[.):]", re.MULTILINE)
_HEAD = 18
"""Characters by which a cleaned prompt is found again in the answer."""


def grouped(
    text: str, groups: Sequence[Sequence[str]], each: int, *, cut: bool = False
) -> list[list[str]]:
    """Return the prompts of an answer for each of ``groups``. Never raises and loses no prompt that is there.

    Headings such as "Group 3" decide, in JSON or not; with one prompt a group also the numbers of lines. Without
    either, a complete answer goes in order, and the prompts of another to the group whose words they share.

    Args:
        text: What the model wrote.
        groups: The prompts that each group was made of.
        each: How many were wanted for each group.
        cut: Whether the answer was cut off.
    """
    # Room for headings, which look like a line of a list, and for a spare child of each group.
    listed = prompts_in(text, len(groups) * (each + 2), cut=cut)
    found = [prompt for prompt in listed if not _HEADING_ALONE.fullmatch(prompt)]
    answer = without_reasoning(text)
    numbers = _by_marks(answer, found, _HEADING, len(groups))
    if numbers is None and each == 1:
        numbers = _by_marks(answer, found, _NUMBER, len(groups))
    if numbers is None and len(found) == len(groups) * each:
        numbers = [index // each for index in range(len(found))]
    out: list[list[str]] = [[] for _ in groups]
    homeless = []
    for index, prompt in enumerate(found):
        number = numbers[index] if numbers is not None else None
        if number is None:
            homeless.append(prompt)
        else:
            out[number].append(prompt)
    parents = [_words(" ".join(group)) for group in groups]
    for prompt in homeless:
        out[_nearest(prompt, parents, out, each)].append(prompt)
    return out


def _by_marks(
    answer: str, found: Sequence[str], pattern: re.Pattern[str], count: int
) -> list[int | None] | None:
    """Return the group that the last mark before each prompt names; ``None`` where the marks make no sense."""
    marks = [(match.start(), int(match[1]) - 1) for match in pattern.finditer(answer)]
    if len({number for _, number in marks if 0 <= number < count}) < min(2, count):
        return None
    out: list[int | None] = []
    position = 0
    for prompt in found:
        at = answer.find(prompt[:_HEAD], position)
        at = answer.find(prompt[:_HEAD]) if at < 0 else at
        position = max(position, at)
        before = [number for start, number in marks if start <= (at if at >= 0 else position)]
        good = bool(before) and 0 <= before[-1] < count
        out.append(before[-1] if good else None)
    return out


def _words(text: str) -> set[str]:
    return {token.word for token in tokenise(text) if token is not STOP and len(token.word) > 2}


def _nearest(
    prompt: str, parents: Sequence[set[str]], given: Sequence[Sequence[str]], each: int
) -> int:
    """Return the group that shares most words with ``prompt``; those that have enough come last."""
    words = _words(prompt)
    return max(
        range(len(parents)),
        key=lambda group: (len(given[group]) < each, len(words & parents[group]), -group),
    )
