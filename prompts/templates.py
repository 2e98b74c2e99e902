"""What language models are told: shipped templates, the check of edited ones, and how they are filled in.

A placeholder is the name of something in braces. Only those that belong to the template are replaced, in one pass, so
braces in templates and in what people wrote are plain text. What people or models wrote goes in between ``<data>``
tags, which nothing in it can close.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from domain.errors import PromptError
from domain.operators import LONGEST_TEMPLATE

FOLDER = Path(__file__).parent / "templates"


@dataclass(frozen=True, slots=True, kw_only=True)
class Slots:
    """What a template may hold.

    Attributes:
        required: Placeholders that it holds once.
        optional: Placeholders that it holds at most once.
    """

    required: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()

    @property
    def all(self) -> tuple[str, ...]:
        """Every placeholder."""
        return (*self.required, *self.optional)


EDITABLE: Mapping[str, Slots] = {
    "full": Slots(
        required=("num_generate", "ranking"),
        optional=("vibe", "note", "taste", "feedback", "ideas"),
    ),
    "novel": Slots(required=("num_generate",), optional=("vibe", "taste", "ideas")),
    "directed": Slots(required=("prompts", "aim"), optional=("words", "taste", "feedback", "note")),
    "reflect": Slots(required=("ranking",), optional=("note", "taste")),
    "chat": Slots(),
}
"""Templates that moderators may edit, with their placeholders."""
FIXED: Mapping[str, Slots] = {
    "system": Slots(),
    "groups": Slots(required=("num_groups", "task")),
    "answer": Slots(required=("num_generate",)),
    "answer_groups": Slots(required=("num_groups", "num_each")),
    "again": Slots(required=("known",)),
    "likes": Slots(required=("taste",)),
    "chat_rules": Slots(required=("voice",)),
}
"""Templates that hold the rules: nobody edits them, and every request has them around the others."""
OPERATOR = Slots(required=("prompts",))
"""Placeholders of an operator's template."""
_BRACED = re.compile(r"\{([A-Za-z_ ]{1,30})\}")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Templates:
    """Texts by name: every name of ``EDITABLE`` and ``FIXED``."""

    texts: Mapping[str, str]

    def __getitem__(self, name: str) -> str:
        """Return the text of a template.

        Raises:
            PromptError: There is none of that name.
        """
        try:
            return self.texts[name]
        except KeyError:
            raise PromptError(
                f'There is no template "{name}". There are: {", ".join(self.texts)}.'
            ) from None

    def replaced(self, texts: Mapping[str, str]) -> Templates:
        """Return these with some editable ones replaced; they must have passed ``check``.

        Raises:
            PromptError: One of them may not be edited or is wrong; says why.
        """
        problems = [problem for name, text in texts.items() for problem in check(name, text)]
        if problems:
            raise PromptError(problems[0])
        return Templates({**self.texts, **texts})

    def fill(self, name: str, values: Mapping[str, str]) -> str:
        """Return a template with its placeholders filled in; see ``fill``."""
        return fill(self[name], (EDITABLE.get(name) or FIXED[name]).all, values)


@lru_cache(maxsize=1)
def shipped() -> Templates:
    """Return the templates that come with the program.

    Raises:
        PromptError: A file is missing or wrong.
    """
    return load(FOLDER)


def load(folder: Path) -> Templates:
    """Read a folder with one ``NAME.md`` for each template.

    Raises:
        PromptError: A file is missing or wrong; says which and why.
    """
    texts = {}
    for name, slots in {**EDITABLE, **FIXED}.items():
        file = folder / f"{name}.md"
        try:
            texts[name] = file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise PromptError(f"{file} cannot be read: {error}.") from None
        problems = check_text(texts[name], slots)
        if problems:
            raise PromptError(f"{file}: {problems[0]}")
    return Templates(texts)


def check(name: str, text: str) -> list[str]:
    """Return what is wrong with an edited template, a sentence each; nothing when it can be used."""
    if name in FIXED:
        return [f'The template "{name}" holds the rules and cannot be edited.']
    slots = EDITABLE.get(name)
    if slots is None:
        near = difflib.get_close_matches(name, EDITABLE, n=1)
        hint = f' Did you mean "{near[0]}"?' if near else f" There are: {', '.join(EDITABLE)}."
        return [f'There is no template "{name[:40]}".{hint}']
    return check_text(text, slots)


def check_text(text: str, slots: Slots) -> list[str]:
    """Return what is wrong with a text that is to hold ``slots``, a sentence each."""
    problems = []
    if len(text) > LONGEST_TEMPLATE:
        problems.append(
            f"The text has {len(text)} characters; at most {LONGEST_TEMPLATE} are possible."
        )
    if _CONTROL.search(text):
        problems.append("The text has control characters; write it as plain text.")
    for name in slots.all:
        times = text.count(f"{{{name}}}")
        if times > 1:
            problems.append(f"{{{name}}} is there {times} times; write it once.")
        elif not times and name in slots.required:
            problems.append(f"{{{name}}} is missing{_nearly(text, name, slots)}.")
    words = _BRACED.sub("", text)
    if not any(char.isalpha() for char in words):
        problems.append("The text says nothing besides placeholders; write what is to be done.")
    return problems


def _nearly(text: str, name: str, slots: Slots) -> str:
    """Point out a placeholder that is almost the missing one."""
    strange = [word for word in _BRACED.findall(text) if word not in slots.all]
    near = difflib.get_close_matches(name, strange, n=1, cutoff=0.5)
    return f"; {{{near[0]}}} is not it" if near else ""


def fill(text: str, names: Sequence[str], values: Mapping[str, str]) -> str:
    """Replace the placeholders ``names`` in one pass; every other brace stays.

    A line whose placeholders are all empty is left out, so that "They like: {taste}" is only said when it is known.

    Args:
        text: A template.
        names: The placeholders that it may hold.
        values: What to put there; one that is missing is empty. Wrap what people wrote with ``data``.
    """
    if not names:
        return text
    pattern = re.compile(r"\{(" + "|".join(map(re.escape, names)) + r")\}")
    out = []
    for line in text.splitlines():
        found = pattern.findall(line)
        if found and not any(values.get(name) for name in found):
            continue
        out.append(pattern.sub(lambda match: values.get(match.group(1), ""), line))
    return "\n".join(out)


def data(text: str) -> str:
    """Return what a person or a model wrote as a block that no instruction can leave; empty stays empty."""
    text = _CONTROL.sub(" ", text.replace("\r", "\n")).replace("<", "\u2039").replace(">", "\u203a")
    text = text.strip()
    if not text:
        return ""
    return f"<data>\n{text}\n</data>" if "\n" in text else f"<data>{text}</data>"
