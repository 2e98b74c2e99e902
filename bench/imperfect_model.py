"""What the scripted language model makes of a request: it reads what is asked for and writes plausible children.

It stands for a small instruction-tuned model: it sees which prompts it is given, in which groups and with which scores,
what it is told about the listeners, how many prompts are wanted and in which form. It breeds by recombining what the
parents say and changing a thing or two, leans towards what listeners are said to like, and prefers parents with high
scores where it is told scores, so whoever gives it more to go on gets better children. It knows nothing of any
listener's hidden taste, and treats every system under test alike.
"""

from __future__ import annotations

import ast
import dataclasses
import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from domain.facets import Facets
from prompts.reader import read
from prompts.vocabulary import Vocabulary, shipped
from prompts.writer import write

Values = Mapping[str, Any]

LEANS = 0.3
"""How often a child takes over something that the listeners are said to like."""
KEEPS = 0.6
"""How often a crossed child keeps a thing that only one parent says."""
CHANGES = (0.25, 0.5, 0.25)
"""How often a child changes none, one and two things."""
SCORE_SCALE = 12.0
"""Points of a score out of 100 that make a parent e times as likely."""
MOST_READ = 400
"""Lines of a request that are read."""
_FIELDS = ("genre", "moods", "instruments", "era", "textures", "production", "tempo", "mode")
_LEVELS = ("energy", "density", "brightness", "valence", "danceability", "acousticness")
_ITEM = re.compile(r"^\s*(?:[-*•]|\d{1,3}[.):])\s+(?P<text>.+)$")
_GROUP = re.compile(r"^\s*Group\s+\d+\s*:?\s*$", re.IGNORECASE)
_SCORE = re.compile(
    r"(?:[-\u2013\u2014:(|]\s*)(?P<score>\d{1,3}(?:\.\d+)?)\s*(?:/\s*100|±|\))[^a-z]*(?:new\W*)?$"
)
_RANKED = re.compile(r"^(?P<score>\d{1,3}(?:\.\d+)?)\s*\u00b1\s*\d+(?:\s+new)?\s*:\s*(?P<text>.+)$")
_NOTE = re.compile(r"\banswer with the note alone\b", re.IGNORECASE)
_EXACTLY = re.compile(r"\bexactly\s+(\d{1,3})\b", re.IGNORECASE)
_WRITE = re.compile(r"\b(?:write|generate|make|produce|give)\s+(\d{1,3})\b", re.IGNORECASE)
_DATA = re.compile(r"</?data>")
_LIKES = re.compile(
    r"\b(?:tastes?|likes?|liked|said|known|wish|run is about|own words)\b", re.IGNORECASE
)
_DISLIKES = re.compile(
    r"\b(?:dislik\w*|not lik\w*|hate\w*|avoid\w*|too|less|worst|lowest)\b", re.IGNORECASE
)
_KNOWN = re.compile(r"\bdo not repeat\b|\balready\b", re.IGNORECASE)
_POINTS = re.compile(r"starting points[^:]*:\s*(?P<points>.+)$", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """A prompt that a request holds, with its score out of 100 if it has one."""

    text: str
    score: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """A request, understood.

    Attributes:
        groups: Parents to breed from, each group by itself; one empty group when there are none.
        each: Prompts wanted for each group.
        liked: What the listeners are said to like.
        points: What novel prompts are to start from.
        form: ``"groups"`` and ``"prompts"`` are JSON, ``"tags"`` are ``<prompt>`` tags, ``"text"`` is free text, and
            ``"note"`` wants a summary instead of prompts.
    """

    groups: tuple[tuple[Given, ...], ...]
    each: int
    liked: tuple[str, ...]
    points: tuple[str, ...]
    form: str


def understand(messages: Sequence[Values]) -> Wish:
    """Read the messages of a chat-completions request."""
    told = "\n".join(str(one.get("content") or "") for one in messages)
    asked = str(messages[-1].get("content") or "") if messages else ""
    groups: list[list[Given]] = [[]]
    liked: list[str] = []
    points: tuple[str, ...] = ()
    known = False
    for line in _lines(asked):
        bare = _DATA.sub("", line).strip()
        item = _ITEM.match(bare)
        if _GROUP.match(bare):
            groups.append([])
        elif item and not known:
            groups[-1].append(_given(item["text"]))
        elif found := _POINTS.search(bare):
            points = tuple(one.strip() for one in found["points"].split(",") if one.strip())
        elif not item:
            known = bool(_KNOWN.search(bare))
            liked += _liked(bare)
    used = tuple(tuple(group) for group in groups if group)
    return Wish(
        groups=used or ((),),
        each=_wanted(asked),
        liked=tuple(liked),
        points=points,
        form=_form(asked, told),
    )


def _lines(text: str) -> list[str]:
    """Return the lines, with lists that a program printed taken apart."""
    out: list[str] = []
    for line in text.splitlines()[:MOST_READ]:
        start, end = line.find("["), line.rfind("]")
        try:
            inner = ast.literal_eval(line[start : end + 1]) if 0 <= start < end else None
        except (ValueError, SyntaxError):
            inner = None
        if isinstance(inner, list) and all(isinstance(one, str) for one in inner):
            out += [one.strip() for one in inner]
        else:
            out.append(line)
    return out


def _given(text: str) -> Given:
    ranked = _RANKED.match(text)
    if ranked:
        return Given(text=ranked["text"], score=min(float(ranked["score"]), 100.0))
    found = _SCORE.search(text)
    if found is None:
        return Given(text=text)
    return Given(text=text[: found.start()].strip(" -"), score=min(float(found["score"]), 100.0))


def _liked(line: str) -> list[str]:
    """Return what a line says that listeners like, without what it says they dislike."""
    before, colon, after = line.partition(":")
    if not colon or not _LIKES.search(before):
        return []
    return [
        part.strip()
        for part in re.split(r"[;.]", after)
        if part.strip() and not _DISLIKES.search(part)
    ]


def _wanted(text: str) -> int:
    found = _EXACTLY.findall(text) or _WRITE.findall(text)
    return min(max(int(found[-1]), 1), 200) if found else 1


def _form(asked: str, told: str) -> str:
    if _NOTE.search(asked):
        return "note"
    if '"groups"' in asked:
        return "groups"
    if '"prompts"' in asked:
        return "prompts"
    return "tags" if "<prompt>" in told else "text"


class Mind:
    """Writes children. The same request and chance give the same children."""

    def __init__(self, vocabulary: Vocabulary | None = None) -> None:
        self._vocabulary = vocabulary or shipped()
        self._words: dict[str, tuple[str, ...]] = {
            "genre": tuple(self._vocabulary.genres),
            "instruments": tuple(self._vocabulary.instruments),
            "moods": tuple(self._vocabulary.moods),
            "textures": tuple(self._vocabulary.textures),
            "production": tuple(self._vocabulary.production),
            "era": tuple(self._vocabulary.eras),
        }

    def children(self, wish: Wish, rng: np.random.Generator) -> list[list[str]]:
        """Return the prompts for each group of a wish."""
        liked = [facets for facets in (self._read(one) for one in wish.liked) if facets != Facets()]
        out = []
        for group in wish.groups:
            texts: list[str] = []
            for number in range(wish.each):
                child = self._child(group, rng) if group else self._novel(wish, number, rng)
                texts.append(self._write(self._leaning(child, liked, rng), rng))
            out.append(texts)
        return out

    def note(self, wish: Wish) -> str:
        """Return what the better half of ranked prompts says more often than the worse half."""
        ranked = sorted(
            (one for group in wish.groups for one in group if one.score is not None),
            key=lambda one: -(one.score or 0.0),
        )
        half = len(ranked) // 2
        counts: Counter[str] = Counter()
        for place, one in enumerate(ranked):
            facets = self._read(one.text)
            words = [*facets.instruments, *facets.moods, *facets.textures]
            words += [facets.genre] if facets.genre else []
            for word in words:
                counts[word] += 1 if place < half else -1
        order = [word for word, _ in counts.most_common()]
        return f"Likes: {', '.join(order[:4])}. Dislikes: {', '.join(order[:-4:-1])}."

    def _read(self, text: str) -> Facets:
        return dataclasses.replace(read(text, self._vocabulary), unknown=())

    def _write(self, facets: Facets, rng: np.random.Generator) -> str:
        return write(facets, rng, self._vocabulary)

    def _child(self, group: Sequence[Given], rng: np.random.Generator) -> Facets:
        first, second = self._parents(group, rng)
        child = self._crossed(first, second, rng) if second is not None else first
        for _ in range(int(rng.choice(len(CHANGES), p=CHANGES))):
            child = self._changed(child, rng)
        return child

    def _parents(
        self, group: Sequence[Given], rng: np.random.Generator
    ) -> tuple[Facets, Facets | None]:
        scores = [one.score for one in group]
        if any(score is not None for score in scores):
            values = np.array([50.0 if score is None else score for score in scores])
            shares = np.exp((values - values.max()) / SCORE_SCALE)
        else:
            shares = np.ones(len(group))
        count = min(2, len(group))
        chosen = rng.choice(len(group), size=count, replace=False, p=shares / shares.sum())
        read_ = [self._read(group[int(index)].text) for index in chosen]
        return read_[0], read_[1] if count > 1 else None

    def _crossed(self, first: Facets, second: Facets, rng: np.random.Generator) -> Facets:
        values = {}
        for field in dataclasses.fields(Facets):
            ours, theirs = getattr(first, field.name), getattr(second, field.name)
            if bool(ours) != bool(theirs):
                values[field.name] = (
                    (ours or theirs) if rng.random() < KEEPS else type(ours or theirs)()
                )
                if not isinstance(ours or theirs, tuple) and not values[field.name]:
                    values[field.name] = None
            else:
                values[field.name] = ours if rng.random() < 0.5 else theirs
        return self._with_genre(Facets(**values), values["genre"])

    def _changed(self, facets: Facets, rng: np.random.Generator) -> Facets:
        name = str(rng.choice((*_FIELDS, *_LEVELS)))
        if name == "tempo":
            tempo = (facets.tempo or 104.0) * float(np.exp(rng.normal(0.0, 0.15)))
            return dataclasses.replace(facets, tempo=float(np.clip(round(tempo), 50, 200)))
        if name == "mode":
            return dataclasses.replace(facets, mode=str(rng.choice(("major", "minor"))))
        if name in _LEVELS:
            return _with(facets, name, float(rng.choice((0.0, 0.25, 0.75, 1.0))))
        word = str(rng.choice(self._words[name]))
        if name == "genre":
            return self._with_genre(facets, word)
        if name == "era":
            return dataclasses.replace(facets, era=word)
        words = [one for one in getattr(facets, name) if one != word]
        kept = [one for one in words if rng.random() < 0.6][:2]
        return _with(facets, name, (*kept, word))

    def _with_genre(self, facets: Facets, genre: str | None) -> Facets:
        known = self._vocabulary.genres.get(genre) if genre else None
        return dataclasses.replace(facets, genre=genre, family=known.family if known else None)

    def _novel(self, wish: Wish, number: int, rng: np.random.Generator) -> Facets:
        start = self._read(wish.points[number % len(wish.points)]) if wish.points else Facets()
        if not start.genre:
            start = self._with_genre(start, str(rng.choice(self._words["genre"])))
        for _ in range(3):
            start = self._changed(start, rng) if rng.random() < 0.7 else start
        return start

    def _leaning(self, child: Facets, liked: Sequence[Facets], rng: np.random.Generator) -> Facets:
        """Take one thing over from what is liked, sometimes."""
        if not liked or rng.random() >= LEANS:
            return child
        wish = liked[int(rng.integers(len(liked)))]
        said = [
            field.name
            for field in dataclasses.fields(Facets)
            if getattr(wish, field.name) not in (None, ())
            and field.name not in ("family", "unknown")
        ]
        if not said:
            return child
        name = str(rng.choice(said))
        value = getattr(wish, name)
        if name == "genre":
            return self._with_genre(child, value)
        if isinstance(value, tuple):
            value = tuple(dict.fromkeys((*value, *getattr(child, name))))[:3]
        return _with(child, name, value)


def _with(facets: Facets, name: str, value: Any) -> Facets:
    return dataclasses.replace(facets, **{name: value})


def formed(wish: Wish, groups: Sequence[Sequence[str]]) -> str:
    """Return children in the form that was asked for."""
    flat = [one for group in groups for one in group]
    if wish.form == "groups":
        rows = [{"group": n, "prompts": list(one)} for n, one in enumerate(groups, start=1)]
        return json.dumps({"groups": rows}, ensure_ascii=False)
    if wish.form == "prompts":
        return json.dumps({"prompts": flat}, ensure_ascii=False)
    if wish.form == "tags":
        return "\n".join(f"<prompt>{one}</prompt>" for one in flat)
    return "\n".join(f"{number}. {one}" for number, one in enumerate(flat, start=1))
