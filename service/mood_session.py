"""What a listener has set on a panel of ``/mood``: ten features, every press as an edit, and the way back. Pure."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import numpy as np

from domain.clip import BUILT_IN, ClipRequest
from domain.errors import UsageError
from domain.facets import TONICS, Facets
from domain.features import RANGES, WHOLE, Features
from domain.ids import ClipId
from evolution.remix import remix
from prompts.features import SHARED, from_facets, metre_of, time_signature_of, to_facets
from prompts.reader import interpret
from prompts.reading import Reading
from prompts.vocabulary import shipped
from prompts.writer import write

MOST_STEPS = 200
"""Presses that can be undone."""
STEPS: Mapping[str, tuple[float, float]] = {
    "energy": (0.1, 0.3),
    "valence": (0.1, 0.3),
    "danceability": (0.1, 0.3),
    "acousticness": (0.1, 0.3),
    "instrumentalness": (0.1, 0.3),
    "loudness": (3.0, 9.0),
    "tempo": (4.0, 12.0),
}
"""What one press of a stepper changes, and what a big one does; one cell and three cells of a bar of ten."""
ENDS: Mapping[str, tuple[str, str]] = {
    "energy": ("calm", "driving"),
    "valence": ("sad", "happy"),
    "danceability": ("loose", "danceable"),
    "acousticness": ("electronic", "acoustic"),
    "instrumentalness": ("vocal", "instrumental"),
    "loudness": ("soft", "loud"),
    "tempo": ("slow", "fast"),
}
"""What a feature is at its lowest and at its highest."""
NOTHING_SAID = "I found no change in that. Try such as: slower, sadder, more acoustic, in D minor."
TUNE_STAYS = (
    "Not from here, where the tune and its players stay: {words}. Say that to me with a mention, or use Remix under a "
    "round."
)
_FEATURES_OF_FACETS = frozenset({*SHARED, "loudness", "tempo", "tonic", "unknown"})
_BEYOND_FEATURES = ("genre", "instruments", "without", "textures", "production", "era", "uses")
_HEARD, _ASKED = 0.05, 0.15
"""Changes of a level: what can be heard, and what is no mere side effect of a word that changes a feature."""
_SHIFTED = {"brightness": ("darker", "brighter"), "density": ("sparser", "busier")}
_COVERED = {
    "acousticness": ("acoustic", "electronic", "electric", "synthetic"),
    "instrumentalness": ("no vocals", "less vocals", "vocals", "instrumental"),
}
"""Words that a feature says as well."""
_DARK, _SPARSE = ("dark", "bright"), ("sparse", "busy")


class Kind(StrEnum):
    """What a panel makes."""

    MOOD = "mood"
    LONGER = "extend"
    """The same piece, longer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """One feature, changed."""

    feature: str
    before: float
    after: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What one press changed; ``words`` are the facets before it, where it changed them."""

    edits: tuple[Edit, ...] = ()
    words: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A panel's state.

    Attributes:
        kind: What it makes.
        start: What it started from, in words for people.
        start_clip: The clip whose tune is kept, or ``None``.
        keeps_tune: Whether that clip has a description, so that nothing but features can change.
        base: The features it started with.
        base_words: Facets in JSON that it started with: what words say beyond features.
        features: As they are now.
        words: Facets as they are now.
        steps: Every press, the latest last.
        seed: Of the clips.
        seconds: Length of the clips.
        chosen: The feature that the steppers change.
        clip: The latest clip made here.
        heard: ``features`` and ``words`` of that clip.
    """

    kind: Kind = Kind.MOOD
    start: str
    start_clip: ClipId | None = None
    keeps_tune: bool = False
    base: Features
    base_words: Mapping[str, Any] = field(default_factory=dict)
    features: Features
    words: Mapping[str, Any] = field(default_factory=dict)
    steps: tuple[Step, ...] = ()
    seed: int
    seconds: float
    chosen: str = "energy"
    clip: ClipId | None = None
    heard: Mapping[str, Any] | None = None

    @property
    def fresh(self) -> bool:
        """Whether the latest clip sounds as the panel is set."""
        return self.heard == self._sound()

    def _sound(self) -> dict[str, Any]:
        return {"features": self.features.to_json(), "words": dict(self.words)}

    def with_clip(self, clip_id: ClipId, heard: Mapping[str, Any]) -> Session:
        """Remember the clip that was made from ``heard``."""
        return dataclasses.replace(self, clip=clip_id, heard=heard)

    def facets(self) -> Facets:
        """Return everything that is set, as facets."""
        return to_facets(self.features, Facets.from_json(self.words))

    def sound(self) -> Mapping[str, Any]:
        """Return what a clip made now would be made from; compare it with ``heard``."""
        return self._sound()

    def net(self) -> tuple[Edit, ...]:
        """Return what has changed since the start, a feature at a time."""
        return net(self.base, self.features)

    def to_json(self) -> dict[str, Any]:
        """Return it ready for ``json.dumps``."""
        out = {one.name: getattr(self, one.name) for one in dataclasses.fields(self)}
        out["base"], out["features"] = self.base.to_json(), self.features.to_json()
        out["kind"], out["steps"] = self.kind.value, [_step_json(one) for one in self.steps]
        return out

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Session:
        """Rebuild from ``to_json``."""
        values = dict(data)
        values["kind"] = Kind(values["kind"])
        values["base"] = Features.from_json(values["base"])
        values["features"] = Features.from_json(values["features"])
        values["steps"] = tuple(
            Step(edits=tuple(edits_from(one["edits"])), words=one["words"])
            for one in values["steps"]
        )
        return cls(**values)


Changed = tuple[Session, str]
"""A session after a press, and a sentence about it or ``""``."""


def net(base: Features, now: Features) -> tuple[Edit, ...]:
    """Return the features in which two moods differ."""
    return tuple(
        Edit(feature=name, before=getattr(base, name), after=getattr(now, name))
        for name in RANGES
        if getattr(base, name) != getattr(now, name)
    )


def edits_json(edits: tuple[Edit, ...]) -> list[list[Any]]:
    """Return edits ready for ``json.dumps``."""
    return [[one.feature, one.before, one.after] for one in edits]


def edits_from(data: Any) -> list[Edit]:
    """Read what ``edits_json`` wrote; what is none is left away."""
    return [
        Edit(feature=str(one[0]), before=float(one[1]), after=float(one[2]))
        for one in (data if isinstance(data, list) else [])
        if isinstance(one, list) and len(one) == 3 and one[0] in RANGES
    ]


def merged(edits: Sequence[Edit]) -> tuple[Edit, ...]:
    """Return presses one after the other as one edit for each feature that ended up elsewhere."""
    found: dict[str, Edit] = {}
    for one in edits:
        first = found.get(one.feature, one)
        found[one.feature] = dataclasses.replace(first, after=one.after)
    return tuple(one for one in found.values() if one.before != one.after)


def _step_json(step: Step) -> dict[str, Any]:
    return {"edits": edits_json(step.edits), "words": step.words}


def _changed(session: Session, now: Features, words: Mapping[str, Any] | None = None) -> Session:
    """Return the session with new features (and words), and the press that led to them on top of its steps."""
    new_words = session.words if words is None else words
    edits = net(session.features, now)
    if not edits and new_words == session.words:
        return session
    step = Step(edits=edits, words=None if new_words == session.words else session.words)
    steps = (*session.steps, step)[-MOST_STEPS:]
    return dataclasses.replace(session, features=now, words=new_words, steps=steps)


def choose(session: Session, feature: str) -> Changed:
    """Let the steppers change another feature.

    Raises:
        UsageError: There is no such feature, or it has no steps.
    """
    if feature not in STEPS:
        raise UsageError("That cannot be stepped. Pick one of the features in the list.")
    return dataclasses.replace(session, chosen=feature), ""


def step(session: Session, amount: int) -> Changed:
    """Take one of the four steps.

    Args:
        session: Before it.
        amount: -2 (a big step down), -1, 1 or 2.
    """
    name = session.chosen
    low, high = RANGES[name]
    before = getattr(session.features, name)
    size = STEPS[name][abs(amount) - 1]
    after = round(before + (size if amount > 0 else -size), 2)
    if name == "tempo":
        after = float(round(after))
    after = min(high, max(low, after))
    if after == before:
        word = ENDS[name][1 if amount > 0 else 0]
        return session, f"This is as {word} as it gets."
    return _changed(session, dataclasses.replace(session.features, **{name: after})), ""


def tone(session: Session, name: str, value: int) -> Changed:
    """Set the key, the mode or the metre.

    Raises:
        UsageError: There is no such value.
    """
    if name not in WHOLE or not RANGES[name][0] <= value <= RANGES[name][1]:
        raise UsageError("There is no such key, mode or metre.")
    return _changed(session, dataclasses.replace(session.features, **{name: value})), ""


def reset(session: Session) -> Changed:
    """Go back to the start; this can be undone too."""
    changed = _changed(session, session.base, session.base_words)
    return changed, "" if changed is not session else "It is as it was at the start."


def undo(session: Session) -> Changed:
    """Take the latest press back."""
    if not session.steps:
        return session, "There is nothing to undo."
    last = session.steps[-1]
    before: dict[str, Any] = {one.feature: _typed(one.feature, one.before) for one in last.edits}
    return dataclasses.replace(
        session,
        features=dataclasses.replace(session.features, **before),
        words=session.words if last.words is None else last.words,
        steps=session.steps[:-1],
    ), ""


def say(session: Session, text: str) -> Changed:
    """Change what a person's words ask for, relative to what is set now; the sentence says what was not understood."""
    said = _said(session, text)
    now = dataclasses.replace(session.features, **said.asked)
    kept = session.keeps_tune or said.words == said.unasked
    changed = _changed(session, now, session.words if kept else said.words)
    beyond = said.beyond if session.keeps_tune else ()
    notes = [NOTHING_SAID] if changed is session and not beyond else []
    if beyond:
        notes.append(TUNE_STAYS.format(words=", ".join(beyond)))
    if said.unknown:
        notes.append(f"I do not know: {', '.join(said.unknown)}.")
    return changed, " ".join(notes)


def is_beyond(session: Session, text: str) -> bool:
    """Tell whether words ask for what a clip that keeps its tune cannot become: other players, a darker sound."""
    said = _said(session, text)
    other_mode = said.words.get("mode") != said.unasked.get("mode")
    return bool(said.beyond) or other_mode


@dataclass(frozen=True, slots=True, kw_only=True)
class _Said:
    """What words ask for.

    Attributes:
        asked: Features to set.
        words: Facets in JSON beyond features, once the words are heard.
        unasked: The same without the words.
        beyond: What no feature is, in words for people.
        unknown: Words that mean nothing.
    """

    asked: Mapping[str, Any]
    words: Mapping[str, Any]
    unasked: Mapping[str, Any]
    beyond: tuple[str, ...]
    unknown: tuple[str, ...]


def _said(session: Session, text: str) -> _Said:
    vocabulary = shipped()
    reading = interpret(text, vocabulary)
    parent = session.facets()
    mixed = remix(parent, reading, vocabulary)
    # Remixing rounds to five levels, so only what differs from a remix without words is taken over.
    unasked = remix(parent, interpret("", vocabulary), vocabulary)
    before = from_facets(vocabulary.settle(unasked))
    after = tidy_features(from_facets(vocabulary.settle(mixed)))
    asked: dict[str, Any] = {
        one.feature: getattr(after, one.feature) for one in net(tidy_features(before), after)
    }
    if "vocals" in reading.facets.without:
        asked["instrumentalness"] = 1.0
    covered = {word for name in asked for word in _COVERED.get(name, ())}
    beyond = [*_beyond(reading.facets), *_less_or_more(reading, _ASKED if asked else _HEARD)]
    return _Said(
        asked=asked,
        words=beyond_features(mixed),
        unasked=beyond_features(unasked),
        beyond=tuple(word for word in beyond if word not in covered),
        unknown=reading.facets.unknown,
    )


def _less_or_more(reading: Reading, least: float) -> list[str]:
    """Return what a text wants less of, and how its sound and its bustle should change, as words for people."""
    shifts = {axis: reading.shifts.get(axis, 0.0) for axis in _SHIFTED}
    return [
        *(f"less {word}" for field, word in sorted(reading.removed) if field in _BEYOND_FEATURES),
        *(_SHIFTED[axis][by > 0] for axis, by in shifts.items() if abs(by) >= least),
    ]


def beyond_features(facets: Facets) -> dict[str, Any]:
    """Return as JSON what facets say beyond the ten features, with a mode or metre that the features only round."""
    said = facets.to_json()
    if facets.mode in {"major", "minor"}:
        said.pop("mode")
    if facets.metre is not None and facets.metre == metre_of(time_signature_of(facets.metre)):
        said.pop("metre")
    return {key: value for key, value in said.items() if key not in _FEATURES_OF_FACETS}


def said_words(words: Mapping[str, Any]) -> list[str]:
    """Return what facets in JSON say beyond features, as words for people."""
    facets = Facets.from_json(words)
    levels = [
        pair[value > 0.5]
        for value, pair in ((facets.brightness, _DARK), (facets.density, _SPARSE))
        if value is not None and value != 0.5
    ]
    return [*levels, *_beyond(facets, (*_BEYOND_FEATURES, "moods"))]


def _beyond(said: Facets, fields: Sequence[str] = _BEYOND_FEATURES) -> list[str]:
    """Return the words that ask for something that no feature is."""
    found: list[str] = []
    for name in fields:
        value = getattr(said, name)
        prefix = "no " if name == "without" else ""
        found += [prefix + word for word in ([value] if isinstance(value, str) else value or ())]
    return found


def tidy_features(features: Features) -> Features:
    """Return levels with two decimals and a whole tempo: as fine as a person can hear and a panel can show."""
    values: dict[str, Any] = {
        name: float(round(getattr(features, name), 0 if name == "tempo" else 2)) for name in STEPS
    }
    return dataclasses.replace(features, **values)


def _typed(name: str, value: float) -> float:
    return int(value) if name in WHOLE else value


def request_of(session: Session, description: Mapping[str, Any] | None = None) -> ClipRequest:
    """Return the clip to render.

    Args:
        session: What is set.
        description: The piece in JSON, where the tune of a described clip is kept.
    """
    facets = session.facets()
    return ClipRequest(
        generator=BUILT_IN,
        prompt=write(facets, np.random.default_rng(session.seed)),
        seed=session.seed,
        seconds=session.seconds,
        description=description,
        facets=facets.to_json(),
    )


def value_words(name: str, value: float) -> str:
    """Return a feature's value for people: ``".40"``, ``"92"``, ``"-7.4 dB"``, ``"D"``, ``"minor"``, ``"3/4"``."""
    if name == "key":
        return TONICS[int(value)]
    if name == "mode":
        return "major" if value else "minor"
    if name == "time_signature":
        beats, note = metre_of(int(value))
        return f"{beats}/{note}"
    if name == "tempo":
        return f"{value:.0f}"
    if name == "loudness":
        return f"{value:g} dB"
    return f"{value:.2f}".removeprefix("0")


def edit_words(edits: tuple[Edit, ...]) -> str:
    """Return edits as a list for people, such as ``"energy .40 → .60, tempo 92 → 104"``; ``""`` for none."""
    return ", ".join(
        f"{NAMES[one.feature]} {value_words(one.feature, one.before)} → {value_words(one.feature, one.after)}"
        for one in edits
    )


NAMES: Mapping[str, str] = {name: name for name in RANGES} | {
    "time_signature": "metre",
    "valence": "happiness",
}
"""What people call each feature."""
