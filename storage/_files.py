"""What the audio store and the backups share: syncing, and disk errors in the project's words."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from domain.errors import DiskFullError, StorageError


@contextmanager
def disk_errors(path: Path, what: str) -> Iterator[None]:
    """Turn an ``OSError`` inside the block into a sentence about ``what`` at ``path``."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DiskFullError(
                f"There is no room left for the {what} {path}. Free some disk space and try again."
            ) from error
        reason = error.strerror or type(error).__name__
        raise StorageError(
            f"The {what} {path} cannot be read or written ({reason}). "
            "Check the folder and its permissions."
        ) from error


def sync_folder(folder: Path) -> None:
    """Make a rename in ``folder`` survive a power cut; Windows has no such call and needs none."""
    if sys.platform == "win32":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
