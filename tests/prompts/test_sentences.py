"""Two tables of sentences from life: one that the reader was made for, one that it was only tried on."""

import re
from pathlib import Path

import pytest
import yaml

from domain.description import LEVELS
from prompts.reader import interpret, read
from prompts.vocabulary import shipped

_FOLDER = Path(__file__).parent
TABLE = yaml.safe_load((_FOLDER / "sentences.yaml").read_text(encoding="utf-8"))
HELD_OUT = yaml.safe_load((_FOLDER / "heldout.yaml").read_text(encoding="utf-8"))

_EXACT = ("genre", "instruments", "without", "moods", "uses", "era", "tonic", "mode")
_ASKED = ("textures", "production", "unknown")
_BOUNDS = {
    "very low": (0, 0.25),
    "low": (0, 0.45),
    "middle": (0.4, 0.6),
    "high": (0.55, 1),
    "very high": (0.75, 1),
}


def _bounds(text):
    text = str(text)
    if text in _BOUNDS:
        return _BOUNDS[text]
    if text[0] == "<":
        return 0, float(text[1:])
    if text[0] == ">":
        return float(text[1:]), 1e9
    low, _, high = text.partition("-")
    return float(low), float(high or low)


def _plain(value):
    return list(value) if isinstance(value, tuple) else value


def complaints(row):
    """What of a row the reader gets wrong."""
    known = {"say", "shifts", "read_as", "metre", "tempo", *_EXACT, *_ASKED, *LEVELS}
    assert set(row) <= known, row
    facets, reading = read(row["say"]), interpret(row["say"])
    settled = shipped().settle(facets)
    out = []
    for field in _EXACT:
        got = _plain(getattr(facets, field))
        wanted = row.get(field, [] if isinstance(got, list) else None)
        if wanted not in ("any", got):
            out.append(f"{field} {got} not {wanted}")
    out += [
        f"{field} {getattr(facets, field)} not {row[field]}"
        for field in _ASKED
        if field in row and _plain(getattr(facets, field)) != row[field]
    ]
    metre = "{}/{}".format(*facets.metre) if facets.metre else None
    if metre != row.get("metre"):
        out.append(f"metre {metre}")
    if row.get("tempo") != "any" and not _fits(facets.tempo, row.get("tempo")):
        out.append(f"tempo {facets.tempo} not {row.get('tempo')}")
    out += [
        f"{level} {getattr(settled, level)} not {row[level]}"
        for level in LEVELS
        if level in row and not _fits(getattr(settled, level), row[level])
    ]
    for axis, way in row.get("shifts", {}).items():
        shift = reading.shifts.get(axis, 0.0)
        if (shift > 0) - (shift < 0) != (1 if way == "up" else -1):
            out.append(f"shift of {axis} is {shift}")
    if row.get("read_as", {}) != dict(reading.read_as) and "read_as" in row:
        out.append(f"read as {dict(reading.read_as)}")
    return out


def _fits(value, wanted):
    if wanted is None or value is None:
        return wanted is value is None
    low, high = _bounds(wanted)
    return low <= value <= high


@pytest.mark.parametrize("row", TABLE, ids=lambda row: re.sub(r"\W+", "_", row["say"])[:40])
def test_a_sentence_is_read_as_meant(row):
    assert complaints(row) == []


def test_sentences_that_it_was_only_tried_on_are_mostly_read_as_meant():
    """54 of 60 were right when they were first tried."""
    wrong = {row["say"]: found for row in HELD_OUT if (found := complaints(row))}
    assert len(wrong) <= 6, wrong


def test_there_are_enough_sentences():
    assert len({row["say"] for row in TABLE}) >= 200
    assert len({row["say"] for row in HELD_OUT}) >= 60
    assert not {row["say"] for row in TABLE} & {row["say"] for row in HELD_OUT}
