"""A listener's taste as a map: the clips of a server on the two properties that matter most to them.

The two axes are properties that people have words for, such as slower to faster. Among all of them those two are taken
along which the expected liking of the clips here differs most and most surely, so that the picture shows what was
learned and not what music differs in anyway. While nothing was learned they are tempo and brightness.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from domain.clip import Clip
from domain.ids import ClipId
from scoring.beliefs import Taste
from scoring.calibration import Calibration
from scoring.intervals import Interval
from scoring.space import Form, TasteSpace
from scoring.taste import predict

MOST = 300
"""Clips on a map: the latest that everybody could hear, and those that the listener rated."""
USUAL = ("tempo", "brightness")
ALIKE = 0.75
"""Correlation above which two properties would show the same thing twice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MapPoint:
    """A clip on the map.

    Attributes:
        x: Place on the first axis, in [-1, 1].
        y: Place on the second one.
        liking: Expected liking in [0, 1].
        spread: How unsure it is, in [0, 0.5].
        rating: What the listener said, in [-1, 1], or ``None``.
        family: Genre family.
    """

    x: float
    y: float
    liking: float
    spread: float
    rating: float | None
    family: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TasteMap:
    """All that a picture of a taste shows.

    Attributes:
        points: The clips, those that were not rated first.
        across: What less and more of the first property are called.
        upwards: The same of the second.
        evidence: Clips that the taste was learned from.
        rounds: The listener's own like rate in each round that they voted in, oldest first.
        calibration: What was foretold of them against their votes, where any was.
        enough: Votes from which on the taste counts.
    """

    points: tuple[MapPoint, ...]
    across: tuple[str, str]
    upwards: tuple[str, str]
    evidence: int
    rounds: tuple[Interval, ...]
    calibration: Calibration | None
    enough: int

    @property
    def liked(self) -> int:
        """Clips that the listener liked."""
        return sum(point.rating is not None and point.rating > 0 for point in self.points)

    @property
    def disliked(self) -> int:
        """Clips that they rated and did not like."""
        return sum(point.rating is not None and point.rating <= 0 for point in self.points)


def points_of(
    taste: Taste,
    space: TasteSpace,
    clips: Sequence[Clip],
    phi: NDArray[np.float64],
    said: Mapping[ClipId, float],
) -> tuple[tuple[MapPoint, ...], tuple[str, str], tuple[str, str]]:
    """Return the points, and the words of both axes.

    Args:
        taste: The listener's.
        space: Of the taste.
        clips: n of them.
        phi: (n, k + 1).
        said: What the listener said of clips.
    """
    first, second = axes(taste, space, phi)
    foretold = predict([taste], phi)
    places = [_place(phi, column) for column in (first, second)]
    points = [
        MapPoint(
            x=float(places[0][row]),
            y=float(places[1][row]),
            liking=float(foretold.liking[0, row]),
            spread=float(foretold.spread[0, row]),
            rating=said.get(clip.id),
            family=clip.family,
        )
        for row, clip in enumerate(clips)
    ]
    points.sort(key=lambda point: (point.rating is not None, point.liking))
    words = [space.columns[column].words for column in (first, second)]
    return (
        tuple(points),
        (words[0].low, words[0].high),
        (words[1].low, words[1].high),
    )


def axes(taste: Taste, space: TasteSpace, phi: NDArray[np.float64]) -> tuple[int, int]:
    """Return the columns of the two properties that tell most about what this listener likes."""
    linear = [index for index, one in enumerate(space.columns) if one.form is Form.LINEAR]
    usual = [index for index in linear if space.columns[index].name in USUAL]
    if not taste.evidence or len(phi) < 3:
        return usual[0], usual[1]
    worth = {index: _worth(taste, space, phi, index) for index in linear}
    order = sorted(linear, key=lambda index: (-worth[index], index))
    first = order[0]
    for second in order[1:]:
        if abs(_correlation(phi[:, first], phi[:, second])) < ALIKE:
            return first, second
    return first, order[1]


def _worth(taste: Taste, space: TasteSpace, phi: NDArray[np.float64], index: int) -> float:
    """Return the spread of what a property adds to the expected liking of the clips, less for doubt about it."""
    same = [
        i
        for i, one in enumerate(space.columns)
        if one.words.label == space.columns[index].words.label
    ]
    part = phi[:, same] - phi[:, same].mean(axis=0)
    told = float((part @ taste.mean[same]).std())
    doubt = float(np.einsum("ij,jk,ik->i", part, taste.covariance[np.ix_(same, same)], part).mean())
    return told * told / (told * told + doubt + 1e-12) * told


def _correlation(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    a, b = one - one.mean(), other - other.mean()
    return float(a @ b / max(float(np.linalg.norm(a) * np.linalg.norm(b)), 1e-12))


def _place(phi: NDArray[np.float64], column: int) -> NDArray[np.float64]:
    """Return where each clip lies on an axis, in [-1, 1]: the middle is what is usual, most clips fill the rest."""
    values = phi[:, column]
    reach = float(np.quantile(np.abs(values), 0.97)) if len(values) else 1.0
    return np.clip(values / max(reach, 1e-9), -1.0, 1.0)
