"""The space that tastes live in: embeddings made comparable, with a bend where people like a middle.

A liking for "around 90 beats a minute" is no straight line in tempo, but is one in tempo and its square. A liking for
jazz is no straight line in anything that is measured, but is one in how much a clip sounds like jazz. So each property
gives a linear column, some give a squared one, and each kind of music that the space was fitted on gives a share: 1 for
a clip that sounds like this kind and no other. Columns are scaled so that one unit of prior variance on every weight is
a sensible belief about a stranger.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from domain.errors import ScoringError
from scoring.beliefs import Doubles
from scoring.projection import Axes
from scoring.words import OVERALL, WORDS, Words, kind_words

STATISTICS = Path(__file__).with_name("space.json")
REACH = 3.0
"""Standard deviations beyond which more of a property says hardly more."""
LEARNED_WEIGHT = 1.0
"""Length of a clip's learned columns taken together: a stranger may feel about them as about any single property."""


class Form(StrEnum):
    """What a column makes of its source."""

    LINEAR = "linear"
    SQUARE = "square"
    KIND = "kind"
    COMPONENT = "component"


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column of phi.

    Attributes:
        name: Encoder feature, kind of music, or ``component_<i>``.
        form: What is made of it.
        words: How to speak of it.
        source: Index of the feature in the embedding, of the kind or of the component.
        weight: Scale of the column.
        centre: Mean of the feature, or share of the kind, over the bank of clips.
        scale: Standard deviation of the feature there.
    """

    name: str
    form: Form
    words: Words
    source: int
    weight: float
    centre: float = 0.0
    scale: float = 1.0


class TasteSpace:
    """Projects embeddings of one encoder to phi.

    Attributes:
        id: Names the space; tastes of different spaces are never mixed.
        encoder_id: The encoder whose embeddings it takes.
        learned: The axes of a learned encoder or of an aligner, if there are any.
        columns: What each column but the last is.
        labels: A (less, more) word pair for each column of phi, the intercept last.
    """

    def __init__(self, statistics: dict[str, Any], learned: Axes | None = None) -> None:
        """Build from the statistics that ``scoring.fit_space`` writes.

        Args:
            statistics: Of the built-in encoder's columns.
            learned: Further columns: of what a learned encoder hears, or an aligner's.

        Raises:
            ScoringError: A key is missing or of a wrong shape.
        """
        try:
            self.id: str = str(statistics["id"])
            self.encoder_id: str = str(statistics["encoder_id"])
            self._centre = np.array(statistics["centre"], dtype=np.float64)
            self._scale = np.array(statistics["scale"], dtype=np.float64)
            self._components = self._matrix(statistics["components"])
            self._kinds = self._matrix(statistics["kinds"])
            self._kind_bias = np.array(statistics["kind_bias"], dtype=np.float64)
            own = tuple(self._column(entry) for entry in statistics["columns"])
        except (KeyError, TypeError, ValueError) as error:
            message = f"The statistics of the taste space are damaged ({error}); fit them again or reinstall."
            raise ScoringError(message) from error
        self.learned = learned
        if learned is not None:
            self.id = f"{self.id}+{learned.id}"
        self.columns: tuple[Column, ...] = (*own, *_learned_columns(learned))
        self.labels: tuple[tuple[str, str], ...] = (
            *((column.words.low, column.words.high) for column in self.columns),
            ("stricter", "more generous"),
        )
        self._linear = np.array(
            [c.source for c in self.columns if c.form is Form.LINEAR], dtype=int
        )
        self._square = np.array(
            [c.source for c in self.columns if c.form is Form.SQUARE], dtype=int
        )
        self._weights = np.array([c.weight for c in own])
        self._shares = np.array([c.centre for c in self.columns if c.form is Form.KIND])

    def _matrix(self, rows: Any) -> Doubles:
        return np.array(rows, dtype=np.float64).reshape(-1, len(self._centre)).T

    def _column(self, entry: dict[str, Any]) -> Column:
        form, source, name = Form(entry["form"]), int(entry["source"]), str(entry["name"])
        words = {Form.KIND: kind_words(name), Form.COMPONENT: OVERALL}.get(form)
        measured = words is None
        return Column(
            name=name,
            form=form,
            words=WORDS[name] if words is None else words,
            source=source,
            weight=float(entry["weight"]),
            centre=float(self._centre[source]) if measured else float(entry.get("centre", 0.0)),
            scale=float(self._scale[source]) if measured else 1.0,
        )

    @property
    def dimensions(self) -> int:
        """Columns of phi without the intercept."""
        return len(self.columns)

    def project(self, embeddings: NDArray[Any], further: NDArray[Any] | None = None) -> Doubles:
        """Return phi (n, k + 1), the last column 1.

        Args:
            embeddings: (n, dimensions of the encoder).
            further: (n, learned columns) as ``Projection.project`` gives them; ``None`` where the learned encoder has
                heard none of the clips. A clip that it has not heard has zeros there.

        Raises:
            ScoringError: They are of another encoder or not finite.
        """
        given = np.asarray(embeddings, dtype=np.float64)
        if given.ndim != 2 or given.shape[1] != len(self._centre):
            message = (
                f"Embeddings of shape {given.shape} are not of encoder {self.encoder_id}, which has"
                f" {len(self._centre)} numbers for each clip; encode the clips again."
            )
            raise ScoringError(message)
        if not np.isfinite(given).all():
            message = "An embedding holds numbers that are not finite; encode the clip again."
            raise ScoringError(message)
        standard = self._standard(given)
        squares = (standard[:, self._square] ** 2 - 1.0) / np.sqrt(2.0)
        parts = [
            standard[:, self._linear],
            squares,
            self._likeness(standard),
            standard @ self._components,
        ]
        measured = np.concatenate(parts, axis=1) * self._weights
        return np.concatenate(
            [measured, self._further(further, len(given)), np.ones((len(given), 1))], axis=1
        )

    def _further(self, further: NDArray[Any] | None, rows: int) -> Doubles:
        columns = 0 if self.learned is None else self.learned.dimensions
        if further is None or not columns:
            return np.zeros((rows, columns))
        if further.shape != (rows, columns):
            message = f"Learned columns of shape {further.shape} do not fit {rows} clips of the space {self.id}."
            raise ScoringError(message)
        out: Doubles = LEARNED_WEIGHT * np.asarray(further, dtype=np.float64)
        return out

    def kinds(self, embeddings: NDArray[Any]) -> dict[str, Doubles]:
        """Return the share in [0, 1], of shape (n,), of each kind of music in what clips sound like.

        Args:
            embeddings: (n, dimensions of the encoder).
        """
        names = [column.name for column in self.columns if column.form is Form.KIND]
        given = np.asarray(embeddings, dtype=np.float64)
        shares = self._likeness(self._standard(given)) + self._shares
        return {name: shares[:, place] for place, name in enumerate(names)}

    def _standard(self, given: Doubles) -> Doubles:
        out: Doubles = REACH * np.tanh((given - self._centre) / (REACH * self._scale))
        return out

    def _likeness(self, standard: Doubles) -> Doubles:
        """Return (n, kinds) how much each clip sounds like each kind, less the usual share of the kind."""
        if not len(self._shares):
            return np.empty((len(standard), 0))
        score = standard @ self._kinds + self._kind_bias
        share = np.exp(score - score.max(axis=1, keepdims=True))
        share /= share.sum(axis=1, keepdims=True)
        out: Doubles = share - self._shares
        return out


def _learned_columns(learned: Axes | None) -> list[Column]:
    return [
        Column(
            name=f"component_{place}",
            form=Form.COMPONENT,
            words=OVERALL,
            source=place,
            weight=LEARNED_WEIGHT,
        )
        for place in range(0 if learned is None else learned.dimensions)
    ]


@lru_cache(maxsize=1)
def default_space() -> TasteSpace:
    """Return the space that ships with the built-in encoder."""
    return TasteSpace(_shipped())


def wider_space(learned: Axes) -> TasteSpace:
    """Return the space that ships with the built-in encoder, with the columns of a learned one beside its own."""
    return TasteSpace(_shipped(), learned)


def _shipped() -> dict[str, Any]:
    statistics: dict[str, Any] = json.loads(STATISTICS.read_text(encoding="utf-8"))
    return statistics
