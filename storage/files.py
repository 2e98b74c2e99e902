"""The audio store: files under the hash of what is in them, so that they never change and are never kept twice."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Collection
from pathlib import Path

from domain.errors import CorruptError, StorageError
from storage._files import disk_errors, sync_folder

_SHA256 = re.compile(r"[0-9a-f]{64}")
_EXTENSION = re.compile(r"[a-z0-9]{1,8}")
_PART = ".part"


class AudioStore:
    """Audio files below ``root``, as ``ab/cd/abcd....mp3``.

    All calls block on the disk: about 0.5 ms for a ``put`` of a clip on an SSD, since it waits until the file is safe.

    Args:
        root: The folder; made when the first file is put.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def put(self, data: bytes, extension: str) -> str:
        """Store ``data`` and return its sha256. It is on the disk, complete, when this returns.

        Raises:
            DiskFullError: No room; nothing is left behind.
            StorageError: The folder cannot be written.
        """
        sha256 = hashlib.sha256(data).hexdigest()
        path = self.path(sha256, extension)
        with disk_errors(path, "audio file"):
            if path.exists() and path.stat().st_size == len(data):
                # Young again, so that a sweep leaves it alone until the database knows of it.
                os.utime(path)
                return sha256
            path.parent.mkdir(parents=True, exist_ok=True)
            self._write(path, data)
        return sha256

    def path(self, sha256: str, extension: str) -> Path:
        """Return where a file of that hash lies or would lie.

        Raises:
            StorageError: These are no hash and extension.
        """
        if not _SHA256.fullmatch(sha256) or not _EXTENSION.fullmatch(extension):
            raise StorageError("An audio file was asked for under a name that is none of ours.")
        return self.root / sha256[:2] / sha256[2:4] / f"{sha256}.{extension}"

    def read(self, sha256: str, extension: str, *, verify: bool = False) -> bytes:
        """Return a file's bytes, checked against its hash when ``verify`` is set.

        Raises:
            StorageError: It is not kept any more, or cannot be read.
            CorruptError: ``verify`` is set and the file is not what was stored.
        """
        path = self.path(sha256, extension)
        if not path.is_file():
            raise StorageError(
                "The audio of that clip is not kept any more. Clips that were posted or kept stay."
            )
        with disk_errors(path, "audio file"):
            data = path.read_bytes()
        if verify and hashlib.sha256(data).hexdigest() != sha256:
            raise CorruptError(f"The audio file {path} is damaged. Put it back from a backup.")
        return data

    def delete(self, sha256: str, extension: str) -> int:
        """Delete a file and return the bytes freed, 0 when it was not there."""
        return _delete(self.path(sha256, extension))

    def sweep(self, referenced: Collection[str], older_than: float) -> int:
        """Delete what nobody refers to, half-written leftovers included; returns the bytes freed.

        Args:
            referenced: sha256 of every file to keep, as ``clips.audio_to_keep`` tells.
            older_than: Unix time in seconds. Younger files stay: the row that refers to them may not be stored yet.
        """
        freed = 0
        for path in self.root.glob("??/??/*"):
            if path.stem in referenced and path.suffix != _PART:
                continue
            with disk_errors(path, "audio file"):
                young = path.is_file() and path.stat().st_mtime >= older_than
            if not young:
                freed += _delete(path)
        return freed

    def _write(self, path: Path, data: bytes) -> None:
        """Write beside the final name, sync, rename; take the leftover away when anything fails."""
        part = path.with_name(f"{path.name}.{os.getpid()}{_PART}")
        try:
            with part.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            part.replace(path)
        except BaseException:
            part.unlink(missing_ok=True)
            raise
        sync_folder(path.parent)


def _delete(path: Path) -> int:
    with disk_errors(path, "audio file"):
        if not path.is_file():
            return 0
        size = path.stat().st_size
        path.unlink(missing_ok=True)
        return size
