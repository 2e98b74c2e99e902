"""A taste in plain words: what a listener seems to like, and why a clip scored as it did."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from domain.errors import ScoringError
from scoring.beliefs import Doubles, Reason, Taste
from scoring.space import REACH, Column, Form, TasteSpace

GRID = np.linspace(-1.6, 1.6, 33)
SLIGHT = 0.5
FAINT = 0.16
"""Log odds below which a leaning is no news: what ships with the space assumes as much of everybody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Property:
    """The columns of phi that speak of one property."""

    column: Column
    indices: tuple[int, ...]


def _properties(space: TasteSpace) -> list[_Property]:
    groups: dict[str, list[int]] = {}
    for index, column in enumerate(space.columns):
        groups.setdefault(column.words.label, []).append(index)
    return [_Property(column=space.columns[g[0]], indices=tuple(g)) for g in groups.values()]


def _check(taste: Taste, space: TasteSpace) -> None:
    if taste.space_id != space.id:
        message = f"This taste was learned in {taste.space_id}, not in {space.id}; learn it again from the votes."
        raise ScoringError(message)


def _certainty(mean: float, deviation: float) -> float:
    """Return the probability that a Gaussian has the sign of its mean."""
    return 0.5 * (1.0 + math.erf(abs(mean) / (deviation * math.sqrt(2.0) + 1e-12)))


def explain(taste: Taste, phi_row: NDArray[np.float64], space: TasteSpace) -> list[Reason]:
    """Return what speaks for and against one clip, the strongest first.

    Args:
        taste: Of the listener.
        phi_row: (k + 1,) of the clip.
        space: Of both.
    """
    _check(taste, space)
    row = np.asarray(phi_row, dtype=np.float64)
    if row.shape != (space.dimensions + 1,):
        message = f"A clip of shape {row.shape} is not of the space {space.id}."
        raise ScoringError(message)
    reasons = []
    for prop in _properties(space):
        part = np.zeros_like(row)
        part[list(prop.indices)] = row[list(prop.indices)]
        contribution = float(part @ taste.mean)
        deviation = math.sqrt(max(float(part @ taste.covariance @ part), 0.0))
        reasons.append(
            Reason(
                label=prop.column.words.label,
                contribution=contribution,
                words=_clip_words(prop, row, contribution, space),
                certainty=_certainty(contribution, deviation),
            )
        )
    return sorted(reasons, key=lambda reason: -abs(reason.contribution))


def parts_of(space: TasteSpace, phi: NDArray[np.float64]) -> dict[str, Doubles]:
    """Return, for the label of each property, phi (n, k + 1) with nothing but this property in it."""
    out = {}
    for prop in _properties(space):
        part = np.zeros_like(phi)
        part[:, list(prop.indices)] = phi[:, list(prop.indices)]
        out[prop.column.words.label] = part
    return out


def _kind_of(prop: _Property, row: Doubles, space: TasteSpace) -> str:
    """Return the kind of music that the clip sounds most like."""
    columns = [space.columns[index] for index in prop.indices]
    shares = [
        float(row[i]) / c.weight + c.centre for i, c in zip(prop.indices, columns, strict=True)
    ]
    best = int(np.argmax(shares))
    return columns[best].words.high if shares[best] > 0.5 else columns[best].words.middle


def _clip_words(prop: _Property, row: Doubles, contribution: float, space: TasteSpace) -> str:
    column = prop.column
    if column.form is Form.COMPONENT:
        return "close to what you like" if contribution > 0 else "far from what you like"
    if column.form is Form.KIND:
        return _kind_of(prop, row, space)
    at = float(row[prop.indices[0]]) / column.weight
    if abs(at) < SLIGHT:
        return f"{column.words.middle}{_amount(column, at)}"
    return f"{column.words.high if at > 0 else column.words.low}{_amount(column, at)}"


def _amount(column: Column, at: float) -> str:
    """Return the measure in its own unit where people know it."""
    if column.name != "tempo":
        return ""
    raw = REACH * math.atanh(max(-0.99, min(0.99, at / REACH)))
    return f" (about {100.0 * 2.0 ** (column.centre + column.scale * raw):.0f} beats a minute)"


def describe(taste: Taste, space: TasteSpace) -> list[Reason]:
    """Return what this listener seems to like, the strongest and most certain first.

    Each property's liking is read along its range: at an end it is a direction ("slower"), inside it is a place
    ("around 92 beats a minute"). ``contribution`` is the log odds gained there over a typical clip; a kind of music
    that the listener avoids has one below 0.
    """
    _check(taste, space)
    reasons = _kinds(taste, space)
    for prop in _properties(space):
        if prop.column.form in (Form.COMPONENT, Form.KIND):
            continue
        curve = _curve(prop, space)
        level = curve @ taste.mean
        best = int(level.argmax())
        row = curve[best]
        deviation = math.sqrt(max(float(row @ taste.covariance @ row), 0.0))
        reasons.append(
            Reason(
                label=prop.column.words.label,
                contribution=float(level[best]),
                words=_taste_words(prop.column, best),
                certainty=_certainty(float(level[best]), deviation),
            )
        )
    return sorted(reasons, key=lambda r: -abs(r.contribution) * (2.0 * r.certainty - 1.0))


def _kinds(taste: Taste, space: TasteSpace) -> list[Reason]:
    """Return a reason for each kind of music: how a clip of this kind alone compares with a typical one."""
    places = [i for i, column in enumerate(space.columns) if column.form is Form.KIND]
    usual = np.array([-space.columns[i].weight * space.columns[i].centre for i in places])
    reasons = []
    for place in places:
        column = space.columns[place]
        row = np.zeros(space.dimensions + 1)
        row[places] = usual
        row[place] += column.weight
        level = float(row @ taste.mean)
        deviation = math.sqrt(max(float(row @ taste.covariance @ row), 0.0))
        words = column.words.high if level >= 0 else column.words.low
        certainty = _certainty(level, deviation)
        reasons.append(Reason(label="kind", contribution=level, words=words, certainty=certainty))
    return reasons


def _curve(prop: _Property, space: TasteSpace) -> Doubles:
    """Return (points, k + 1): phi of clips that differ from the typical one in this property alone."""
    rows = np.zeros((len(GRID), space.dimensions + 1))
    for index in prop.indices:
        column = space.columns[index]
        values = GRID if column.form is Form.LINEAR else (GRID**2 - 1.0) / math.sqrt(2.0)
        rows[:, index] = column.weight * values
    return rows


def _taste_words(column: Column, best: int) -> str:
    at = float(GRID[best])
    if best in (0, len(GRID) - 1):
        return column.words.high if at > 0 else column.words.low
    if column.name == "tempo":
        return _amount(column, at).strip(" ()").replace("about", "around")
    if abs(at) < SLIGHT:
        return column.words.middle
    return f"a little {column.words.high if at > 0 else column.words.low}"
