"""Reads who listened to what, row by row: three layouts, and nothing but numbers stays in memory.

- Tab-separated without a header, as Last.fm-1K has it: ``userid timestamp artid artname traid traname``; a row is a
  play.
- CSV or TSV with a header that names a user, a track and, if rows are no single plays, a count.
- Parquet with such columns, where ``pyarrow`` is installed.

Each may be gzipped, but for Parquet. Broken rows are skipped, counted and named; a row is one line, so that a stray
quotation mark breaks no other.
"""

from __future__ import annotations

import csv
import gzip
import importlib.util
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from domain.errors import UserError
from training.aligner.account import Account

USER = ("user", "userid", "user_id", "listener")
TRACK = ("track", "trackid", "track_id", "traid", "id")
COUNT = ("count", "plays", "playcount", "play_count")
LASTFM = 6
MOST = 10**9
"""Plays of one row beyond which its count is not believed."""
CHUNK = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Listening:
    """Who listened to what: pairs in order of user, then track.

    Attributes:
        users: How many there are.
        tracks: How many tracks have embeddings, listened to or not.
        user: (m,) from 0.
        track: (m,) from 0, as the embeddings are numbered.
        plays: (m,) at least 1.
    """

    users: int
    tracks: int
    user: NDArray[np.int64]
    track: NDArray[np.int64]
    plays: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class _Row:
    """A row with its names: tracks can be called in more than one way."""

    user: str
    tracks: tuple[str, ...]
    plays: int


class _Broken(Exception):  # noqa: N818 - a value that travels, not a failure
    """A row that cannot be used."""


def read_log(file: Path, tracks: Sequence[str], account: Account) -> Listening:
    """Read a log.

    Args:
        file: By its name: ``.parquet``, or text (``.tsv``, ``.csv``, ``.txt``; ``.gz`` after it when it is gzipped).
        tracks: Names of the tracks with embeddings, in their order. Capitals do not matter.
        account: Filled with what was read and skipped.

    Raises:
        UserError: It is not there, has no usable layout, or no row can be used.
    """
    numbers: dict[str, int] = {}
    for place, name in enumerate(tracks):
        numbers.setdefault(_key(name), place)
    users: dict[str, int] = {}
    pairs = _Pairs(len(tracks))
    unknown = "a track without an embedding"
    try:
        for where, found in _rows(file):
            account.rows += 1
            if isinstance(found, _Broken):
                account.skip(str(found), where)
                continue
            track = next((numbers[k] for k in map(_key, found.tracks) if k in numbers), None)
            if track is None:
                account.skip(unknown, where)
                continue
            account.plays += found.plays
            pairs.add(users.setdefault(found.user, len(users)), track, found.plays)
    except (EOFError, gzip.BadGzipFile) as error:
        raise UserError(f"{file} cannot be read to its end: {error}.") from None
    except OSError as error:
        raise UserError(f"{file} cannot be read: {error.strerror or error}.") from None
    if not users:
        raise UserError(
            f"No row of {file} can be used: {account.rows:,} were read, {account.skipped[unknown]:,} name a track "
            "without an embedding."
        )
    return pairs.listening(len(users))


def _key(name: str) -> str:
    return name.strip().casefold()


class _Pairs:
    """Counts plays by user and track in bounded chunks."""

    def __init__(self, tracks: int) -> None:
        self._tracks = tracks
        self._fresh: dict[int, int] = {}
        self._keys = np.empty(0, dtype=np.int64)
        self._plays = np.empty(0, dtype=np.int64)

    def add(self, user: int, track: int, plays: int) -> None:
        key = user * self._tracks + track
        self._fresh[key] = self._fresh.get(key, 0) + plays
        if len(self._fresh) >= CHUNK:
            self._merge()

    def _merge(self) -> None:
        fresh = np.fromiter(self._fresh.keys(), dtype=np.int64, count=len(self._fresh))
        plays = np.fromiter(self._fresh.values(), dtype=np.int64, count=len(self._fresh))
        self._keys, place = np.unique(np.concatenate([self._keys, fresh]), return_inverse=True)
        total = np.zeros(len(self._keys), dtype=np.int64)
        np.add.at(total, place, np.concatenate([self._plays, plays]))
        self._plays = total
        self._fresh = {}

    def listening(self, users: int) -> Listening:
        self._merge()
        return Listening(
            users=users,
            tracks=self._tracks,
            user=self._keys // self._tracks,
            track=self._keys % self._tracks,
            plays=self._plays,
        )


def _rows(file: Path) -> Iterator[tuple[str, _Row | _Broken]]:
    """Yield every row with its place, or what is wrong with it."""
    if file.suffix == ".parquet":
        yield from _parquet_rows(file)
        return
    with _opened(file) as lines:
        number, layout = 0, None
        for raw in lines:
            number += 1
            where = f"line {number}"
            try:
                line = raw.decode("utf-8-sig" if number == 1 else "utf-8").rstrip("\r\n")
            except UnicodeDecodeError:
                yield where, _Broken("not UTF-8")
                continue
            if not line.strip():
                continue
            if layout is None:
                layout = _layout(file, line)
                if layout.header:
                    continue
            yield where, layout.row(line)


def _opened(file: Path) -> IO[bytes]:
    return gzip.open(file, "rb") if file.suffix == ".gz" else file.open("rb")  # type: ignore[return-value]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Layout:
    """How a text file is laid out; ``columns`` are user, tracks and count."""

    separator: str
    width: int
    user: int
    tracks: tuple[int, ...]
    count: int | None
    header: bool

    def row(self, line: str) -> _Row | _Broken:
        """Read one line."""
        cells = _cells(line, self.separator)
        if cells is None or len(cells) != self.width:
            return _Broken(f"a row that has not {self.width} fields")
        if not self.header:
            artist, title = cells[3].strip(), cells[5].strip()
            both = f"{artist} - {title}" if artist and title else ""
            return _checked(cells[0], (cells[4], both), "1")
        plays = "1" if self.count is None else cells[self.count]
        return _checked(cells[self.user], tuple(cells[i] for i in self.tracks), plays)


def _layout(file: Path, first: str) -> _Layout:
    for separator in ("\t", ",", ";"):
        cells = _cells(first, separator) or []
        names = [cell.strip().casefold() for cell in cells]
        columns = _columns(names)
        if columns is not None:
            user, track, count = columns
            return _Layout(
                separator=separator,
                width=len(cells),
                user=user,
                tracks=(track,),
                count=count,
                header=True,
            )
    if len(first.split("\t")) == LASTFM:
        return _Layout(separator="\t", width=LASTFM, user=0, tracks=(), count=None, header=False)
    raise UserError(
        f"The layout of {file} is unknown: bring a header that names a user ({', '.join(USER)}), a track "
        f"({', '.join(TRACK)}) and perhaps a count ({', '.join(COUNT)}), or Last.fm-1K's six columns."
    )


def _columns(names: Sequence[str]) -> tuple[int, int, int | None] | None:
    """Return the places of user, track and count, or nothing where a user or a track is missing."""
    places = [
        next((names.index(name) for name in known if name in names), None)
        for known in (USER, TRACK, COUNT)
    ]
    user, track, count = places
    return None if user is None or track is None else (user, track, count)


def _cells(line: str, separator: str) -> list[str] | None:
    if separator == "\t":
        return line.split("\t")
    try:
        return next(csv.reader([line], delimiter=separator, strict=True), None)
    except csv.Error:
        return None


def _checked(user: str, tracks: tuple[str, ...], plays: str) -> _Row | _Broken:
    user, named = user.strip(), tuple(one for one in tracks if one.strip())
    if not user:
        return _Broken("no user")
    if not named:
        return _Broken("no track")
    try:
        count = float(plays)
    except ValueError:
        return _Broken("a count that is no number")
    if not 1 <= count <= MOST:
        return _Broken(f"a count that is not from 1 to {MOST:,}")
    return _Row(user, named, round(count))


def _parquet_rows(file: Path) -> Iterator[tuple[str, _Row | _Broken]]:
    if importlib.util.find_spec("pyarrow") is None:
        raise UserError(f"Reading {file.name} needs pyarrow: pip install pyarrow, or bring CSV.")
    import pyarrow as pa  # noqa: PLC0415 - optional
    import pyarrow.parquet as pq  # noqa: PLC0415

    try:
        table = pq.ParquetFile(file)
        names = [name.casefold() for name in table.schema_arrow.names]
        found = _columns(names)
        if found is None:
            raise UserError(f"{file} has no column for a user and a track: {', '.join(names)}.")
        chosen = [table.schema_arrow.names[i] for i in found if i is not None]
        number = 0
        for batch in table.iter_batches(columns=chosen):
            for row in batch.to_pylist():
                number += 1
                yield f"row {number}", _parquet_row(row, chosen)
    except pa.ArrowException as error:
        raise UserError(f"{file} cannot be read: {str(error).splitlines()[0]}") from None


def _parquet_row(row: Mapping[str, Any], names: Sequence[str]) -> _Row | _Broken:
    user, track, *count = ("" if row[name] is None else str(row[name]) for name in names)
    return _checked(user, (track,), count[0] if count else "1")
