"""Predicts fitness from the text alone, so that many more texts can be bred than are rendered.

Bayesian linear regression on facets, in its dual form: with n told candidates and d features the cost is n**3 + n*d,
and a draw from the posterior over functions is one more matrix product (Matheron's rule; Wilson et al. 2020).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from domain.facets import MODES, Facets
from evolution.archive import Individual
from prompts.entries import Kind
from prompts.levels import AXES
from prompts.vocabulary import Vocabulary

Array = NDArray[np.float64]

# Prior standard deviation of one word's effect, relative to the whole: a family says most, a use least.
_SCALES = {
    "family": 1.0,
    "genre": 0.6,
    "kin": 0.3,
    "instruments": 0.4,
    "without": 0.3,
    "moods": 0.3,
    "textures": 0.2,
    "production": 0.2,
    "uses": 0.1,
    "era": 0.2,
    "mode": 0.2,
}
_NUMBER_SCALE = 0.6
_USUAL_TEMPO = 104.0
_OCTAVE = 1.5
"""What an octave of tempo is on the scale on which levels go from -1 to 1."""
_SQUARE_SCALE = 0.4
_AMPLITUDE = 0.3
"""Standard deviation of fitness that a unit of feature length explains."""
_MAX_KNOWN = 1024
"""Rows that are kept: an archive is asked for again every round."""
_RATED_NOISE = 0.12
_UNRATED_NOISE = 0.35


class FeatureMap:
    """Facets as vectors, each column already times its prior standard deviation."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary
        names: list[tuple[str, str]] = [("family", name) for name in vocabulary.families]
        names += [("genre", name) for name in vocabulary.genres]
        names += [("instruments", name) for name in vocabulary.instruments]
        names += [("without", name) for name in vocabulary.instruments]
        kins = dict.fromkeys(instrument.kin for instrument in vocabulary.instruments.values())
        names += [("kin", name) for name in kins]
        for field, kind in (
            ("moods", Kind.MOOD),
            ("textures", Kind.TEXTURE),
            ("production", Kind.PRODUCTION),
            ("uses", Kind.USE),
            ("era", Kind.ERA),
        ):
            names += [(field, name) for name in vocabulary.terms(kind)]
        names += [("mode", name) for name in MODES]
        self._columns = {name: column for column, name in enumerate(names)}
        self.size = len(names) + 2 * (len(AXES) + 1)
        self._known: dict[Facets, Array] = {}

    def vector(self, facets: Facets) -> Array:
        """Return the features of ``facets``: words once as said, levels and tempo as they will sound. Shape (size,)."""
        settled = self._vocabulary.settle(facets)
        out = np.zeros(self.size)
        for field in ("family", "genre", "era", "mode"):
            self._set(out, field, getattr(settled, field))
        for field in ("instruments", "without", "moods", "textures", "production", "uses"):
            for word in getattr(settled, field):
                self._set(out, field, word)
        for word in settled.instruments:
            instrument = self._vocabulary.instruments.get(word)
            if instrument is not None:
                self._set(out, "kin", instrument.kin)
        tempo = np.log2((settled.tempo or _USUAL_TEMPO) / _USUAL_TEMPO)
        levels = (getattr(settled, axis) for axis in AXES)
        numbers = [0.0 if level is None else 2 * level - 1 for level in levels]
        values = np.array([*numbers, _OCTAVE * tempo])
        half = len(values)
        out[-2 * half : -half] = _NUMBER_SCALE * values
        out[-half:] = _SQUARE_SCALE * values**2
        return out

    def columns(self, field: str) -> tuple[dict[str, int], float]:
        """Return the column of each word of a field such as ``"moods"``, and the value of a word that is said."""
        found = {name: column for (kind, name), column in self._columns.items() if kind == field}
        return found, _SCALES[field]

    def matrix(self, many: Sequence[Facets]) -> Array:
        """Return one row per facets. Shape (len(many), size)."""
        if len(self._known) > _MAX_KNOWN:
            self._known.clear()
        rows = [self._row(facets) for facets in many]
        return np.array(rows).reshape(len(many), self.size)

    def _row(self, facets: Facets) -> Array:
        row = self._known.get(facets)
        if row is None:
            row = self._known[facets] = self.vector(facets)
        return row

    def _set(self, out: Array, field: str, word: str | None) -> None:
        column = self._columns.get((field, word or ""))
        if column is not None:
            out[column] = _SCALES[field]


def level_of(row: Array, axis: str) -> float:
    """Return the level that a row of ``FeatureMap`` or a blend of such rows (size,) has, in [0, 1]."""
    value = row[-2 * (len(AXES) + 1) + AXES.index(axis)] / _NUMBER_SCALE
    return min(max(float(value + 1) / 2, 0.0), 1.0)


def tempo_of(row: Array) -> float:
    """Return the tempo of such a row in beats per minute."""
    return float(_USUAL_TEMPO * 2 ** (row[-len(AXES) - 2] / _NUMBER_SCALE / _OCTAVE))


class Surrogate:
    """The posterior over fitness after some told candidates. Ratings weigh more than expectations."""

    def __init__(self, features: Array, members: Sequence[Individual]) -> None:
        fitness = np.array([member.fitness for member in members])
        self._features = features
        noise = np.array([_RATED_NOISE if member.rated else _UNRATED_NOISE for member in members])
        spread = np.array([member.uncertainty for member in members])
        self._variance = noise**2 + 0.25 * spread**2
        self.mean_fitness = _weighted_mean(fitness, self._variance)
        kernel = _AMPLITUDE**2 * features @ features.T
        self._inverse = np.linalg.inv(kernel + np.diag(self._variance))
        self._residual = fitness - self.mean_fitness
        self._weights = _AMPLITUDE**2 * features.T @ (self._inverse @ self._residual)

    def mean(self, features: Array) -> Array:
        """Return the expected fitness of each row. Shape (rows,), not limited to [0, 1]."""
        return np.asarray(self.mean_fitness + features @ self._weights)

    def draw(self, features: Array, rng: np.random.Generator) -> Array:
        """Return one draw from the posterior for all rows together (Thompson sampling). Shape (rows,)."""
        prior = _AMPLITUDE * rng.standard_normal(features.shape[1])
        noise = np.sqrt(self._variance) * rng.standard_normal(len(self._variance))
        error = self._residual - self._features @ prior - noise
        update = _AMPLITUDE**2 * self._features.T @ (self._inverse @ error)
        return np.asarray(self.mean_fitness + features @ (prior + update))


def _weighted_mean(values: Array, variances: Array) -> float:
    """Average with a weak pull to .4, so that one lucky first clip does not set the level."""
    weights = 1 / (variances + 0.05)
    return float((weights @ values + 20 * 0.4) / (weights.sum() + 20))


def similarity(rows: Array, others: Array) -> Array:
    """Return the cosine between each row and each of ``others``. Shape (rows, others)."""
    left = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)
    right = others / np.maximum(np.linalg.norm(others, axis=1, keepdims=True), 1e-9)
    return np.asarray(left @ right.T)
