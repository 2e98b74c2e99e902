"""Fills a store from what people have: audio, npz or safetensors files, or a JSON file for each track."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from numpy.typing import NDArray

from domain.errors import ScoringError, UserError
from scoring.encoder import MAX_SECONDS, Encoder
from training.aligner.account import Account
from training.aligner.store import JOURNAL, LARGEST, Store

Say = Callable[[str], None]
Read = Callable[[Path], Iterator[tuple[str, NDArray[Any]]]]
"""Yields the tracks of a file with their embeddings."""
AUDIO = (".wav", ".flac", ".mp3", ".ogg", ".opus", ".aiff")
EVERY = 1000
"""Files after which progress is told."""
_BROKEN = (OSError, ValueError, KeyError, EOFError, RecursionError, zipfile.BadZipFile)


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoding:
    """Where embeddings come from.

    Attributes:
        encoder: Makes what embeds audio, when there is any.
        id: Id of the encoder that made the embeddings that somebody brings; empty where nobody knows.
    """

    encoder: Callable[[], Encoder]
    id: str = ""


def build_store(
    source: Path, folder: Path, *, encoding: Encoding, account: Account, say: Say
) -> Store:
    """Return a store of everything usable in ``source``; one that was begun goes on.

    Args:
        source: A store, a folder of audio or of embeddings, or one file of embeddings.
        folder: Where the store is built, when ``source`` is none.
        encoding: Where embeddings come from.
        account: Filled with what was read and skipped.
        say: Hears about progress.

    Raises:
        UserError: There is nothing usable in ``source``, or the store was begun with another encoder.
    """
    if (source / JOURNAL).is_file():
        store = Store(source)
        account.embedded = len(store.tracks)
        return store
    files = _files(source)
    building = _Building(folder, encoding, account)
    for number, file in enumerate(files, start=1):
        building.add(file, file.name if file == source else str(file.relative_to(source)))
        if number % EVERY == 0:
            say(f"{number:,} of {len(files):,} files of embeddings or audio read.")
    built = building.store
    if built is None or not built.tracks:
        raise UserError(
            f"Nothing in {source} can be used. " + " ".join(account.lines() or ["It is empty."])
        )
    account.embedded = len(built.tracks)
    return built


def _files(source: Path) -> list[Path]:
    known = {*AUDIO, *_READERS}
    if source.is_file():
        found = [source]
    elif source.is_dir():
        found = sorted(path for path in source.rglob("*") if path.suffix.lower() in known)
    else:
        raise UserError(f"There is no {source}.")
    if not found or found[0].suffix.lower() not in known:
        raise UserError(
            f"{source} holds no embeddings ({', '.join(sorted(_READERS))}) and no audio ({', '.join(AUDIO)})."
        )
    return found


class _Building:
    """A store on its way."""

    def __init__(self, folder: Path, encoding: Encoding, account: Account) -> None:
        self._folder, self._encoding, self._account = folder, encoding, account
        self._encoder: Encoder | None = None
        self.store: Store | None = Store(folder) if (folder / JOURNAL).is_file() else None
        done = self.store.sources if self.store else {}
        useful = (Path(name) for name, tracks in done.items() if tracks)
        self._audio: bool | None = next((_is_audio(path) for path in useful), None)
        if self.store is not None and self._audio is not None:
            self._same_encoder(self.store)
        self._seen = set(self.store.tracks) if self.store else set()

    def _same_encoder(self, store: Store) -> None:
        given = self._hearing().info.id if self._audio else self._encoding.id
        if given and given != store.encoder_id:
            raise UserError(
                f"{self._folder} was begun with the encoder {store.encoder_id or 'that nobody named'}, not {given}. "
                "Delete it, or choose another folder."
            )

    def add(self, file: Path, name: str) -> None:
        """Add what is usable in a file, unless it is there already."""
        if self.store is not None and name in self.store.sources:
            return
        good: dict[str, NDArray[Any]] = {}
        audio = _is_audio(file)
        read = self._listen if audio else _READERS[file.suffix.lower()]
        try:
            for track, embedding in read(file):
                fault = self._fault(embedding, audio=audio)
                if fault is None and (track in self._seen or track in good):
                    fault = "a track that was there before"
                if fault is None:
                    good[track] = _layered(embedding)
                else:
                    self._account.skip(fault, f"{name}: {track}")
        except (ScoringError, soundfile.LibsndfileError) as error:
            self._account.skip("audio that cannot be encoded", f"{name}: {error}")
        except _BROKEN as error:
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            self._account.skip("a file that cannot be read", f"{name}: {reason}")
        if self.store is not None:
            self.store.append(name, list(good), iter(good.values()))
            self._seen.update(good)

    def _fault(self, embedding: NDArray[Any], *, audio: bool) -> str | None:
        """Say what is wrong with an embedding; the first good one decides the shape of all."""
        if embedding.dtype.kind not in "fiu" or embedding.ndim not in (1, 2) or not embedding.size:
            return "an embedding that is no matrix of numbers"
        if not np.isfinite(embedding).all() or np.abs(embedding).max() > LARGEST:
            return "an embedding with numbers that are not finite or too large"
        layers, dimensions = _layered(embedding).shape
        if self.store is None:
            self.store = Store.create(
                self._folder,
                layers=layers,
                dimensions=dimensions,
                encoder_id=self._hearing().info.id if audio else self._encoding.id,
            )
        if (layers, dimensions) != (self.store.layers, self.store.dimensions):
            return f"an embedding that is not ({self.store.layers}, {self.store.dimensions})"
        self._audio = audio if self._audio is None else self._audio
        if audio != self._audio:
            return "audio among embeddings, or embeddings among audio"
        return None

    def _listen(self, file: Path) -> Iterator[tuple[str, NDArray[Any]]]:
        with soundfile.SoundFile(file) as sound:
            samples = sound.read(
                frames=int(MAX_SECONDS * sound.samplerate), dtype="float32", always_2d=True
            )
            yield file.stem, self._hearing().encode(samples, sound.samplerate)

    def _hearing(self) -> Encoder:
        if self._encoder is None:
            self._encoder = self._encoding.encoder()
        return self._encoder


def _is_audio(file: Path) -> bool:
    return file.suffix.lower() in AUDIO


def _layered(embedding: NDArray[Any]) -> NDArray[Any]:
    return embedding[None] if embedding.ndim == 1 else embedding


def _npz(file: Path) -> Iterator[tuple[str, NDArray[Any]]]:
    """Read ``ids`` and ``embeddings``, or an array for each track."""
    with file.open("rb") as opened, np.load(opened, allow_pickle=False) as content:
        if {"ids", "embeddings"} <= set(content.files):
            ids, embeddings = content["ids"], content["embeddings"]
            if len(ids) != len(embeddings):
                raise ValueError(f"{len(ids)} ids for {len(embeddings)} embeddings")
            yield from ((str(name), one) for name, one in zip(ids, embeddings, strict=True))
            return
        for name in content.files:
            yield name, content[name]


def _safetensors(file: Path) -> Iterator[tuple[str, NDArray[Any]]]:
    from safetensors import SafetensorError, safe_open  # noqa: PLC0415 - part of an extra

    try:
        with safe_open(file, framework="np") as content:
            for name in content.keys():  # noqa: SIM118 - not a mapping
                yield name, content.get_tensor(name)
    except (SafetensorError, TypeError) as error:
        raise ValueError(str(error)) from None


def _json(file: Path) -> Iterator[tuple[str, NDArray[Any]]]:
    """Read ``{id: [[numbers of a layer], ...]}``; one layer more around it, as for a batch of one, is taken away."""
    content = json.loads(file.read_text(encoding="utf-8"))
    if not isinstance(content, dict):
        raise ValueError("not an object of tracks")  # noqa: TRY004 - the file is wrong, not the program
    for name, value in content.items():
        try:
            found = np.array(value, dtype=np.float32)
        except (ValueError, TypeError, OverflowError):
            found = np.empty(0, dtype=np.float32)
        yield name, found[0] if found.ndim == 3 and len(found) == 1 else found


_READERS: dict[str, Read] = {".npz": _npz, ".safetensors": _safetensors, ".json": _json}
