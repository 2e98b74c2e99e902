"""What the parts of the composer's bench share: findings, shares with intervals, and clips made on demand."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.listening_control import sines
from bench.report import CONFIDENCE_95
from domain.clip import ClipFailure
from domain.description import Description
from domain.facets import FAMILIES, Facets
from generation.composer import Composer
from generation.generator import Composition, Score
from generation.planning.styles import style
from scoring.features import FeatureEncoder

Doubles = NDArray[np.float64]
Floats = NDArray[np.float32]
RATE = 44_100


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One line of the table. ``met`` is ``None`` where nothing is asked."""

    what: str
    ours: str
    baseline: str = ""
    asked: str = ""
    met: bool | None = None


@dataclass(slots=True, kw_only=True)
class Part:
    """What one part of the bench found.

    Attributes:
        findings: Lines of the table.
        figures: Numbers for the JSON file.
        notes: Sentences and small tables to print.
    """

    findings: list[Finding] = field(default_factory=list)
    figures: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def add(
        self, what: str, ours: str, baseline: str = "", asked: str = "", *, met: bool | None = None
    ) -> None:
        """Add a finding."""
        self.findings.append(Finding(what=what, ours=ours, baseline=baseline, asked=asked, met=met))


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """A share with Wilson's 95 % interval."""

    hits: int
    count: int

    @property
    def mean(self) -> float:
        """The share itself; 0 of nothing is 0."""
        return self.hits / self.count if self.count else 0.0

    @property
    def bounds(self) -> tuple[float, float]:
        """Lower and upper end of the interval."""
        if not self.count:
            return 0.0, 1.0
        z, n = 1.96, self.count
        middle = (self.mean + z * z / (2 * n)) / (1 + z * z / n)
        wide = (
            z / (1 + z * z / n) * math.sqrt(self.mean * (1 - self.mean) / n + z * z / (4 * n * n))
        )
        return max(0.0, middle - wide), min(1.0, middle + wide)

    def __str__(self) -> str:
        low, high = self.bounds
        return f"{self.mean:.3f} [{low:.3f}, {high:.3f}] of {self.count}"


def share(values: Sequence[bool]) -> Share:
    """Return how many of the values are true."""
    return Share(hits=sum(map(bool, values)), count=len(values))


def mean_text(values: Sequence[float], digits: int = 3) -> str:
    """Return a mean with Student's 95 % interval as text."""
    found = np.asarray(values, dtype=np.float64)
    if len(found) < 2:
        return f"{found.mean():.{digits}f}" if len(found) else "none"
    freedom = len(found) - 1
    student = CONFIDENCE_95.get(freedom, 1.96 + 2.7 / freedom)
    wide = student * float(found.std(ddof=1)) / math.sqrt(len(found))
    mean = float(found.mean())
    return f"{mean:.{digits}f} [{mean - wide:.{digits}f}, {mean + wide:.{digits}f}]"


class Studio:
    """A composer that fails loudly, and an encoder, so that a part is a few lines."""

    def __init__(self) -> None:
        self.composer = Composer()
        self._encoder = FeatureEncoder()

    def make(self, facets: Facets, seed: int, seconds: float) -> Composition:
        """Return a finished clip."""
        return _made(self.composer.compose(facets, seed=seed, seconds=seconds))

    def play(self, description: Description) -> Composition:
        """Return a finished clip of a description."""
        return _made(self.composer.play(description))

    def embed(self, samples: Floats) -> Doubles:
        """Return the embedding that tastes are learned over, shape (d,)."""
        return self._encoder.encode(samples, RATE).astype(np.float64).ravel()


def _made(outcome: Composition | ClipFailure) -> Composition:
    if isinstance(outcome, ClipFailure):
        raise RuntimeError(outcome.reason)  # noqa: TRY004 - a failure is a value here
    return outcome


def plain_notes(score: Score) -> list[tuple[float, float, int, int]]:
    """Return a score as ``bench.listening_control.sines`` plays it, percussion with negative keys."""
    return [
        (note.start, note.seconds, -1 if part.percussion else note.pitch, note.velocity)
        for part in score.parts
        for note in part.notes
    ]


def beeps(score: Score) -> Floats:
    """Return the baseline of the field: the same notes as sine beeps."""
    return sines(plain_notes(score), score.seconds)


def genome(composition: Composition) -> Description:
    """Return the description of a clip."""
    data: Mapping[str, Any] = composition.description["genome"]
    return Description.from_json(data)


def families() -> Sequence[str]:
    """Return all families."""
    return FAMILIES


def tempo_span(family: str) -> tuple[float, float]:
    """Return the slowest and fastest tempo that are plausible for a family."""
    low, high = style(family).tempo
    return float(low), float(high)


def markdown(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a small table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def standard(embeddings: Doubles) -> tuple[Doubles, Doubles]:
    """Return means and deviations of columns (n, d) for making distances comparable; still columns weigh nothing."""
    spread = embeddings.std(axis=0)
    return embeddings.mean(axis=0), np.where(spread > 1e-9, spread, np.inf)


def distances(rows: Doubles) -> Doubles:
    """Return the distances between rows (n, d), root mean square over columns, shape (n, n)."""
    square = (rows**2).sum(axis=1)
    gram = square[:, None] + square[None, :] - 2 * rows @ rows.T
    out: Doubles = np.sqrt(np.maximum(gram, 0) / rows.shape[1])
    return out
