"""Reads songs: a table of features in CSV, and MIDI files beside it. What cannot be used is counted and named.

Two layouts are understood. A column ``midi`` names a file below the MIDI folder. Or a column ``track_id`` holds an id,
and its MIDI files lie in a folder of that name, as in the Lakh MIDI data matched with the Million Song data, or are
called ``<id>.mid``.
"""

from __future__ import annotations

import csv
import hashlib
import itertools
import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from domain.errors import TunebreederError, UserError
from domain.features import RANGES, WHOLE, Features
from generation.emotion.lexicon import EOS, MOST_CHORDS, MOST_INSTRUMENTS, Kind, lexicon, parse
from generation.genome.extract import BarFound, extract
from generation.genome.figaro import chord_name, to_bin
from generation.genome.midi_read import read_midi
from generation.planning.gm import DRUM

SUFFIXES = (".mid", ".midi")
SEGMENT = 12
"""Bars of one example."""
_NUMBERS = {
    "density": Kind.DENSITY,
    "velocity": Kind.VELOCITY,
    "pitch": Kind.PITCH,
    "duration": Kind.DURATION,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """Some bars of a song.

    Attributes:
        song: What the song is called in the table; all its examples lie on one side of a split.
        features: As the table has them.
        tokens: Numbers of a description's tokens, bars counted from 1, ending with the end sign.
    """

    song: str
    features: Features
    tokens: tuple[int, ...]


@dataclass(slots=True)
class Account:
    """What was read and what was not: reason, how often, and where first."""

    rows: int = 0
    files: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    first: dict[str, str] = field(default_factory=dict)
    clamped: Counter[str] = field(default_factory=Counter)

    def skip(self, reason: str, where: str) -> None:
        """Note that something was left out."""
        self.skipped[reason] += 1
        self.first.setdefault(reason, where)

    def lines(self) -> list[str]:
        """Return the account in sentences."""
        out = [f"{self.rows} rows, {self.files} MIDI files read."]
        out += [f"Skipped {n}: {why} (first: {self.first[why]})" for why, n in self.skipped.items()]
        out += [
            f"{name}: {n} values outside its range were brought to its edge"
            for name, n in self.clamped.items()
        ]
        return out


def read_songs(table: Path, midi: Path, account: Account, *, bars: int = SEGMENT) -> list[Example]:
    """Read every song that can be read.

    Args:
        table: CSV with a header; one column for each feature and ``midi`` or ``track_id``.
        midi: Folder of MIDI files.
        account: Filled with what was read and skipped.
        bars: Length of an example; a last one of at least half of it is kept.

    Raises:
        UserError: The table or the folder is not there, or lacks a column; says which.
    """
    if not midi.is_dir():
        raise UserError(f"There is no folder {midi} with MIDI files.")
    files = _files(midi)
    out: list[Example] = []
    seen: set[tuple[str, str]] = set()
    for number, row in _rows(table):
        account.rows += 1
        where = f"{table.name} line {number}"
        found = _features(row, account, where)
        if found is None:
            continue
        name = (row.get("midi") or row.get("track_id") or "").strip()
        paths = files.get(name) or files.get(name.lower()) or ()
        if not paths:
            account.skip("no MIDI file of that name", f"{where}: {name or 'empty'}")
        for path in paths:
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            if (
                name,
                digest,
            ) in seen:  # the same file under several entries would only be counted twice
                account.skip("the same file again", f"{where}: {path.name}")
                continue
            seen.add((name, digest))
            out += _examples(digest, path, found, account, bars)
    return out


def _rows(table: Path) -> Iterator[tuple[int, Mapping[str, str]]]:
    try:
        with table.open(encoding="utf-8-sig", errors="replace", newline="") as file:
            reader = csv.DictReader(file)
            columns = set(reader.fieldnames or ())
            missing = [name for name in RANGES if name not in columns]
            if missing:
                raise UserError(f"{table}: there is no column {', '.join(missing)}.")
            if not columns & {"midi", "track_id"}:
                raise UserError(
                    f"{table}: a column midi or track_id must say which file belongs to a row."
                )
            for row in reader:
                yield reader.line_num, row
    except OSError as error:
        raise UserError(f"{table} cannot be read: {error.strerror}.") from None
    except csv.Error as error:
        raise UserError(f"{table} is not a CSV file: {error}.") from None


def _files(folder: Path) -> dict[str, tuple[Path, ...]]:
    """Return MIDI files by every name that a table may call them: path, file name, stem, and folder."""
    found: dict[str, list[Path]] = {}
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() not in SUFFIXES or not path.is_file():
            continue
        near = path.relative_to(folder)
        for name in {
            near.as_posix(),
            path.name,
            path.stem,
            path.parent.name if near.parent.parts else "",
        }:
            if name:
                found.setdefault(name, []).append(path)
    return {name: tuple(paths) for name, paths in found.items()}


def _features(row: Mapping[str, str], account: Account, where: str) -> Features | None:
    values: dict[str, float] = {}
    for name, (low, high) in RANGES.items():
        try:
            value = float(row.get(name) or "")
        except ValueError:
            account.skip(f"{name} is not a number", f"{where}: {row.get(name)!r}")
            return None
        if not math.isfinite(value) or (name == "tempo" and value <= 0):
            account.skip(f"{name} is not a usable number", f"{where}: {value!r}")
            return None
        edge = min(max(value, low), high)
        account.clamped[name] += edge != value
        values[name] = round(edge) if name in WHOLE else edge
    account.clamped = +account.clamped
    return Features.from_json(values)


def _examples(
    song: str, path: Path, features: Features, account: Account, bars: int
) -> list[Example]:
    try:
        found = extract(read_midi(path.read_bytes()))
    except (TunebreederError, OSError) as error:
        account.skip("the MIDI file cannot be read", f"{path.name}: {error}")
        return []
    account.files += 1
    out = []
    for part in segments(found.bars, bars):
        tokens = numbered(part, found.metre)
        if tokens is None:
            account.skip("bars that the grammar does not know", path.name)
        else:
            out.append(Example(song=song, features=features, tokens=tokens))
    return out


def segments(bars: Sequence[BarFound], length: int) -> list[list[BarFound]]:
    """Cut a piece into runs of ``length`` bars without an empty one; a last one of at least half of it is kept."""
    runs: list[list[BarFound]] = [[]]
    for bar in bars:
        if not bar.instruments:
            runs.append([])
            continue
        if len(runs[-1]) == length:
            runs.append([])
        runs[-1].append(bar)
    return [run for run in runs if len(run) >= max(1, length // 2)]


def numbered(bars: Sequence[BarFound], metre: tuple[int, int]) -> tuple[int, ...] | None:
    """Return bars as token numbers in the grammar's one spelling, or ``None`` where the grammar has no place for them.

    A pitched bar in which no chord could be recognised goes on with the one before, as FIGARO's do.
    """
    words = lexicon()
    out: list[int] = []
    chord: str | None = None
    for index, bar in enumerate(bars, start=1):
        said = [f"Bar_{index}", f"Time Signature_{metre[0]}/{metre[1]}"]
        said += [
            f"{kind.value}{to_bin(name, getattr(bar, name) or 0.0)}"
            for name, kind in _NUMBERS.items()
        ]
        said += sorted((f"Instrument_{name}" for name in bar.instruments), key=words.number)[
            :MOST_INSTRUMENTS
        ]
        if any(name != DRUM for name in bar.instruments):
            names = [chord_name(one) for one in bar.chords] or ([chord] if chord else [])
            kept = [name for name, _ in itertools.groupby(names)][:MOST_CHORDS]
            chord = kept[-1] if kept else None
            said += [f"Chord_{name}" for name in kept]
        try:
            out += [words.number(token) for token in said]
        except KeyError:
            return None
    out.append(words.number(EOS))
    return tuple(out) if parse(out) else None


def split(
    examples: Sequence[Example], *, seed: int, held_out: float = 0.1
) -> tuple[list[Example], list[Example]]:
    """Split by song: no song has examples on both sides.

    Args:
        examples: Any.
        seed: Another seed is another split; the same seed keeps a song on its side when others are added.
        held_out: Share of songs for validation, in (0, 1).

    Returns:
        Training and validation examples.
    """
    training: list[Example] = []
    validation: list[Example] = []
    for example in examples:
        digest = hashlib.sha256(f"{seed}:{example.song}".encode()).digest()
        side = validation if int.from_bytes(digest[:8], "big") < held_out * 2**64 else training
        side.append(example)
    return training, validation
