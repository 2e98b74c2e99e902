"""Embeddings of many tracks in one file of half-precision numbers, read from disk as they are needed.

The store grows one source file at a time. Its journal has a line for the store itself and one for each source that is
done; a line is written when its rows are on the disk. So a build that was killed goes on behind the last whole line.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from domain.errors import UserError
from scoring.encoder import Floats

FORMAT = 1
JOURNAL, NUMBERS = "store.jsonl", "embeddings.f16"
LARGEST = 65_000.0
"""Largest number that half precision holds, a little below its end."""


class Store:
    """A finished or growing store.

    Attributes:
        tracks: Names in the order of the rows.
        layers: Layers of an embedding.
        dimensions: Numbers in a layer.
        encoder_id: The encoder; empty where nobody said.
        sources: Names of the source files that are done, with how many tracks each gave.
    """

    def __init__(self, folder: Path) -> None:
        """Open a store.

        Raises:
            UserError: There is none, or it is damaged; says what to do.
        """
        self._folder = folder
        header, *lines = _journal(folder)
        try:
            self.layers, self.dimensions = int(header["layers"]), int(header["dimensions"])
            self.encoder_id = str(header["encoder_id"])
            self.tracks: list[str] = [name for line in lines for name in line["tracks"]]
            self.sources: dict[str, int] = {line["source"]: len(line["tracks"]) for line in lines}
            fits = header["format"] == FORMAT
        except (KeyError, TypeError, ValueError):
            fits = False
        if not fits:
            raise UserError(
                f"{folder / JOURNAL} is not of a store of this version. Delete the folder; it is built again."
            )
        size = (folder / NUMBERS).stat().st_size if (folder / NUMBERS).is_file() else 0
        if size < len(self.tracks) * self._bytes:
            raise UserError(
                f"{folder / NUMBERS} is cut off. Delete the folder {folder}; it is built again."
            )
        self._numbers = self._mapped()

    @property
    def _bytes(self) -> int:
        return 2 * self.layers * self.dimensions

    def _mapped(self) -> NDArray[np.float16]:
        shape = (len(self.tracks), self.layers, self.dimensions)
        if not self.tracks:
            return np.empty(shape, dtype=np.float16)
        return np.memmap(self._folder / NUMBERS, dtype=np.float16, mode="r", shape=shape)

    def read(self, rows: NDArray[np.int64]) -> Floats:
        """Return embeddings (n, layers, dimensions) as float32."""
        out: Floats = self._numbers[rows].astype(np.float32)
        return out

    @classmethod
    def create(cls, folder: Path, *, layers: int, dimensions: int, encoder_id: str) -> Store:
        """Make an empty store."""
        folder.mkdir(parents=True, exist_ok=True)
        header = {
            "format": FORMAT,
            "layers": layers,
            "dimensions": dimensions,
            "encoder_id": encoder_id,
        }
        (folder / NUMBERS).write_bytes(b"")
        (folder / JOURNAL).write_text(json.dumps(header) + "\n", encoding="utf-8")
        return cls(folder)

    def append(
        self, source: str, tracks: Sequence[str], embeddings: Iterator[NDArray[Any]]
    ) -> None:
        """Add one source's tracks and note that it is done.

        Args:
            source: Name of the file.
            tracks: Names, none of them in the store.
            embeddings: One of (layers, dimensions) for each of them.
        """
        with (self._folder / NUMBERS).open("r+b") as file:
            file.truncate(len(self.tracks) * self._bytes)
            file.seek(0, os.SEEK_END)
            for one in embeddings:
                file.write(np.ascontiguousarray(one, dtype=np.float16).tobytes())
        with (self._folder / JOURNAL).open("a", encoding="utf-8") as journal:
            journal.write(json.dumps({"source": source, "tracks": list(tracks)}) + "\n")
        self.tracks += tracks
        self.sources[source] = len(tracks)
        self._numbers = self._mapped() if tracks else self._numbers


def _journal(folder: Path) -> list[Mapping[str, Any]]:
    """Return the lines of the journal; a last one that was cut off is taken away."""
    file = folder / JOURNAL
    try:
        text = file.read_text(encoding="utf-8")
    except OSError as error:
        raise UserError(f"There is no store in {folder}: {error.strerror}.") from None
    whole = text[: text.rfind("\n") + 1]
    if whole != text:
        file.write_text(whole, encoding="utf-8")
    try:
        lines = [json.loads(line) for line in whole.splitlines()]
    except ValueError:
        lines = []
    if not lines:
        raise UserError(f"{file} is damaged. Delete the folder {folder}; it is built again.")
    return lines
