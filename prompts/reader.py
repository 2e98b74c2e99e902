"""Reads free text into facets. Any text can be read; nothing in it is ever an instruction to the program."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from enum import Enum, auto

from domain.facets import Facets
from prompts.entries import Effect, Kind, Term
from prompts.levels import AXES, clamp
from prompts.notation import Span
from prompts.reading import LIMITS, Reading
from prompts.scanning import read_spans
from prompts.text import word_set
from prompts.vocabulary import Vocabulary, shipped

_FIELDS = {
    Kind.MOOD: "moods",
    Kind.TEXTURE: "textures",
    Kind.PRODUCTION: "production",
    Kind.USE: "uses",
    Kind.ERA: "era",
    Kind.GENRE: "genre",
    Kind.INSTRUMENT: "instruments",
}
_ADJECTIVES = (Kind.MOOD, Kind.TEXTURE, Kind.LEVEL, Kind.ERA, Kind.TEMPO)
_NOUNS = (Kind.INSTRUMENT, Kind.GENRE)
_TRANSPARENT = (Kind.FILLER, Kind.UNKNOWN)
_SECOND_BEFORE = word_set(
    "hint hints touch touches element elements influence influences influenced inspired dash meets meet "
    "flavour flavours flavor flavors undertones overtones accents with"
)
_SECOND_AFTER = word_set(
    "influence influences influenced inspired tinged flavoured flavored undertones overtones elements touches "
    "accents"
)
_TURNS = word_set("but just only with plus yet keep use add please instead while have want for by")


def read(text: str, vocabulary: Vocabulary | None = None) -> Facets:
    """Read ``text`` into facets: what it states, with "darker" and the like taken relative to the usual.

    Args:
        text: Any text. What lies beyond 4,000 characters is not read.
        vocabulary: The shipped one unless given.

    Returns:
        Facets. Words that the vocabulary does not have are in ``unknown`` and change nothing.
    """
    vocabulary = vocabulary or shipped()
    return interpret(text, vocabulary).stated(vocabulary)


def interpret(text: str, vocabulary: Vocabulary | None = None) -> Reading:
    """Read ``text`` as a request: what it states apart from what it changes. See ``Reading``."""
    vocabulary = vocabulary or shipped()
    spans, read_as = read_spans(text, vocabulary)
    reading = _Interpreter(_meant(spans), vocabulary).run()
    return dataclasses.replace(reading, read_as=read_as) if read_as else reading


def _meant(spans: Sequence[Span]) -> list[Span]:
    """Settle what depends on the words around: "not dark enough" asks for more, a wedding dance is danced to."""
    out = list(spans)
    for index, span in enumerate(out):
        before = out[index - 1] if index else None
        if span.name == "enough" and index > 1 and out[index - 2].kind is Kind.NEGATION:
            more = out[index - 2]
            out[index - 2] = Span(Kind.COMPARE, "more", 1.0, more.start, more.end)
        elif span.kind is Kind.GENRE and span.name == "dance" and before is not None:
            follows = out[index + 1].name if index + 1 < len(out) else ""
            if before.kind is Kind.USE or (before.name == "to" and follows in ("", "to")):
                out[index] = Span(Kind.USE, "dancing", None, span.start, span.end)
        elif span.kind is Kind.PLACE:
            out[index] = Span(Kind.GENRE, span.name, Kind.PLACE, span.start, span.end)
    return out


class _Stance(Enum):
    """How the coming words are meant."""

    PLAIN = auto()
    NEGATED = auto()
    COMPARED = auto()


class _Interpreter:
    """Walks over spans with the stance, degree and comparison that hold at the moment."""

    def __init__(self, spans: Sequence[Span], vocabulary: Vocabulary) -> None:
        self.spans = spans
        self.vocabulary = vocabulary
        self.words: dict[str, dict[str, None]] = {name: {} for name in LIMITS}
        self.values: dict[str, object] = {}
        self.genres: list[tuple[Span, bool]] = []
        self.shifts: dict[str, float] = {}
        self.removed: set[tuple[str, str]] = set()
        self.tempo_level: float | None = None
        self.claimed = -1  # the span that makes the genre before it a flavour: "jazz-influenced"
        self._calm_down()

    def _calm_down(self) -> None:
        self.stance = _Stance.PLAIN
        self.degree = 1.0
        self.sign = 1.0
        self.applied: Kind | None = None
        self.passed: list[str] = []

    def run(self) -> Reading:
        for index, span in enumerate(self.spans):
            if span.kind is Kind.STOP:
                if not self._list_goes_on(index):
                    self._calm_down()
            elif span.kind in _TRANSPARENT:
                self._pass_over(span, index)
            elif span.kind in (Kind.NEGATION, Kind.COMPARE, Kind.DEGREE):
                self._turn(span)
            else:
                self._meaning(span, index)
        self._settle_genres()
        return self._reading()

    # What only sets the stance.

    def _turn(self, span: Span) -> None:
        if span.kind is Kind.NEGATION:
            self._calm_down()
            self.stance = _Stance.NEGATED
            return
        if self.applied is not None:
            self._calm_down()
        factor = _number(span.value)
        if span.kind is Kind.DEGREE:
            self.degree *= factor
        else:
            # "Not too busy" and "no more drums" are comparisons in the other direction.
            self.sign = -abs(factor) if self.stance is _Stance.NEGATED else factor
            self.stance = _Stance.COMPARED

    def _pass_over(self, span: Span, index: int) -> None:
        wordlike = len(span.name) > 1 and any(char.isalpha() for char in span.name)
        if span.kind is Kind.UNKNOWN and wordlike:
            self.words["unknown"][span.name] = None
        if index != self.claimed:
            self.passed.append(span.name)
        if span.name in _TURNS or (self.applied is not None and not self._joins(span, index)):
            self._calm_down()

    def _joins(self, span: Span, index: int) -> bool:
        """Say whether "or" and "and" carry "no drums" on to the next word."""
        if span.name in ("or", "the", "any"):
            return True
        following = self._next_kind(index)
        return span.name == "and" and following is self.applied is Kind.INSTRUMENT

    def _next_kind(self, index: int) -> Kind | None:
        return self.spans[index + 1].kind if index + 1 < len(self.spans) else None

    def _list_goes_on(self, index: int) -> bool:
        """Say whether a comma continues a list that ends with "or": "without drums, bass or vocals"."""
        if self.stance is _Stance.PLAIN or self.applied is None:
            return False
        for span in self.spans[index + 1 : index + 12]:
            if span.name in ("or", "nor"):
                return True
            if span.kind is not self.applied and span.kind is not Kind.STOP:
                return False
        return False

    # What means something.

    def _meaning(self, span: Span, index: int) -> None:
        if self.applied not in (None, span.kind):
            self._calm_down()
        elif self.stance is not _Stance.PLAIN and self._leads_to_noun(span, index):
            return
        if self.stance is _Stance.NEGATED:
            self._negate(span)
        elif self.stance is _Stance.COMPARED:
            self._compare(span)
        else:
            self._state(span, index)
        if self.stance is _Stance.PLAIN:
            self._calm_down()
        else:
            self.applied = span.kind

    def _leads_to_noun(self, span: Span, index: int) -> bool:
        return span.kind in _ADJECTIVES and self._next_kind(index) in _NOUNS

    def _state(self, span: Span, index: int) -> None:
        if span.kind is Kind.GENRE:
            second = span.value is Kind.PLACE or not _SECOND_BEFORE.isdisjoint(self.passed[-3:])
            if self._is_second(index):
                second, self.claimed = True, index + 1
            self.genres.append((span, second))
        elif span.kind is Kind.ERA:
            if not str(self.values.get("era", "")).endswith("0s") or span.name.endswith("0s"):
                self.values["era"] = span.name
        elif span.kind in _FIELDS:
            self._add(_FIELDS[span.kind], span.name)
            if span.kind is Kind.MOOD and self.degree != 1.0:
                self._push(self.vocabulary.moods[span.name].effect, self.degree)
        elif span.kind in (Kind.SHIFT, Kind.AMOUNT):
            if (
                span.kind is Kind.SHIFT or self.degree > 1
            ):  # "lots of space" is as good as "more space"
                self._shift(span.value, self.degree if span.kind is Kind.SHIFT else 1.0)
        else:
            self._set_value(span)

    def _set_value(self, span: Span) -> None:
        if span.kind is Kind.LEVEL and isinstance(span.value, tuple):
            axis, level = span.value
            level = round(clamp(0.5 + (level - 0.5) * self.degree, 0.05, 0.95), 2)
            said = self.values.get(axis)
            # "Extremely dense and busy" stays extreme.
            if isinstance(said, float) and (said - 0.5) * (level - 0.5) > 0:
                level = max(said, level, key=lambda value: abs(value - 0.5))
            self.values[axis] = level
        elif span.kind is Kind.TEMPO and isinstance(span.value, tuple):
            tempo, level = span.value
            if tempo is not None:
                self.values["tempo"] = tempo
            else:
                self.tempo_level = clamp(0.5 + (level - 0.5) * self.degree, 0.02, 0.98)
        elif span.kind is Kind.KEY and isinstance(span.value, tuple):
            self.values["tonic"], mode = span.value
            if mode:
                self.values["mode"] = mode
        elif span.kind in (Kind.MODE, Kind.METRE):
            self.values[span.kind.value] = span.value
        elif span.kind is Kind.SILENCE:
            self._add("without", str(span.value))

    def _is_second(self, index: int) -> bool:
        after = self.spans[index + 1 : index + 2]
        return bool(after) and after[0].name in _SECOND_AFTER

    def _negate(self, span: Span) -> None:
        if span.kind is Kind.INSTRUMENT:
            self._add("without", span.name)
        elif span.kind is Kind.LEVEL and isinstance(span.value, tuple):
            self.values[span.value[0]] = round(1 - span.value[1], 2)
        elif span.kind is Kind.TEMPO and isinstance(span.value, tuple) and span.value[1]:
            self.tempo_level = 0.5 + (0.5 - span.value[1]) * 0.5
        elif span.kind in _FIELDS:
            self.removed.add((_FIELDS[span.kind], span.name))
            if span.kind is Kind.MOOD:
                self._push(self.vocabulary.moods[span.name].effect, -0.3)

    def _compare(self, span: Span) -> None:
        amount = self.sign * self.degree
        if span.kind is Kind.LEVEL and isinstance(span.value, tuple):
            axis, level = span.value
            self._shift(Effect(**{axis: level - 0.5}), amount)
        elif span.kind is Kind.TEMPO and isinstance(span.value, tuple) and span.value[1]:
            self._shift(Effect(tempo=0.14 if span.value[1] > 0.5 else -0.14), amount)
        elif span.kind in (Kind.AMOUNT, Kind.SHIFT):
            self._shift(span.value, abs(amount) if span.kind is Kind.SHIFT else amount)
        elif span.kind in _FIELDS and self.sign < 0:
            self.removed.add((_FIELDS[span.kind], span.name))
            self._shift(self._effect(span), 0.6 * amount)
            if span.kind is Kind.INSTRUMENT and amount < -1:  # "hardly any drums"
                self._shift(Effect(density=-0.12), 1.0)
        elif span.kind in _FIELDS:
            self._add_or_choose(span)
            self._shift(self._effect(span), 0.6 * amount)

    def _add_or_choose(self, span: Span) -> None:
        if span.kind is Kind.GENRE:
            self.genres.append((span, bool(self.genres)))
        elif span.kind is Kind.ERA:
            self.values["era"] = span.name
        else:
            self._add(_FIELDS[span.kind], span.name)

    def _effect(self, span: Span) -> Effect:
        term: Term | None = self.vocabulary.term(span.kind, span.name)
        return term.effect if term else Effect()

    # Keeping what was found.

    def _add(self, field: str, word: str) -> None:
        if len(self.words[field]) < LIMITS[field]:
            self.words[field][word] = None

    def _push(self, effect: Effect, factor: float) -> None:
        """State the level of the axis that a mood moves most: "very sad" is a low valence."""
        axis = max(AXES, key=lambda name: abs(getattr(effect, name)))
        if getattr(effect, axis):
            level = clamp(0.5 + getattr(effect, axis) * factor, 0.05, 0.95)
            self.values[axis] = round(level, 2)

    def _shift(self, effect: object, factor: float) -> None:
        for axis in (*AXES, "tempo"):
            amount = getattr(effect, axis, 0.0)
            if amount:
                total = self.shifts.get(axis, 0.0) + amount * factor
                self.shifts[axis] = round(clamp(total, -0.6, 0.6), 3)

    def _settle_genres(self) -> None:
        """Choose the genre that the text is about; the others become a flavour.

        In "jazz techno" the last word of the compound is the head, in "techno with jazz" the first.
        """
        if not self.genres:
            return
        heads = [span for span, second in self.genres if not second] or [self.genres[0][0]]
        head = heads[0]
        for span in heads[1:]:
            if span.start != head.end:
                break
            head = span
        genre = self.vocabulary.genres[head.name]
        self.values["genre"], self.values["family"] = genre.name, genre.family
        for span, _ in self.genres:
            other = self.vocabulary.genres[span.name].family
            if other != genre.family:
                self._add("textures", self.vocabulary.families[other].flavour)

    def _reading(self) -> Reading:
        lists = {name: tuple(words)[: LIMITS[name]] for name, words in self.words.items()}
        lists["instruments"] = self.vocabulary.audible(lists["instruments"], lists["without"])
        return Reading(
            facets=Facets(**lists, **self.values),  # type: ignore[arg-type]
            shifts=self.shifts,
            removed=frozenset(self.removed),
            tempo_level=self.tempo_level,
        )


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else 1.0
