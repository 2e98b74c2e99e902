"""An advisory lock on a file: two bots on one data folder get a sentence, not a mixed-up outbox.

The operating system lets go of it when the process ends, however it ends.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Self

from domain.errors import StorageError

if sys.platform == "win32":
    import msvcrt

    def _take(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _take(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


class FileLock:
    """Held from ``acquire`` to ``release``. The file stays: removing it would race with the next owner."""

    def __init__(self, descriptor: int, path: Path) -> None:
        self._descriptor = descriptor
        self.path = path

    @classmethod
    def acquire(cls, path: Path) -> Self:
        """Lock ``path``, made when missing.

        Raises:
            StorageError: Another process (or another owner in this one) holds it, or it cannot be made.
        """
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o644)
        except OSError as error:
            raise StorageError(
                f"The lock file {path} cannot be made ({error.strerror}). "
                "Check that the folder exists and that the bot's account may write there."
            ) from error
        try:
            _take(descriptor)
        except OSError as error:
            os.close(descriptor)
            raise StorageError(
                f"Another Tunebreeder already uses this data (it holds {path}). "
                "Stop it, or give this one another data folder (TUNEBREEDER_DATA_DIR)."
            ) from error
        return cls(descriptor, path)

    def release(self) -> None:
        """Let go. Doing it twice is fine."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
