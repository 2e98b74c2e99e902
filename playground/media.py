"""Uploaded files: kept on disk under their attachment's id, served with ranges, deleted with their message."""

from __future__ import annotations

import mimetypes
import shutil
import tempfile
from pathlib import Path
from urllib.parse import quote

from aiohttp import web

from playground.model import Attachment

_AUDIO = {
    ".mp3": "audio/mpeg",
    ".ogg": "audio/ogg",
    ".opus": "audio/ogg",
    ".oga": "audio/ogg",
    ".wav": "audio/x-wav",
    ".flac": "audio/flac",
    ".m4a": "audio/mp4",
    ".mid": "audio/midi",
}
_INLINE = ("audio/", "video/", "image/png", "image/jpeg", "image/gif", "image/webp", "text/plain")


def content_type(filename: str) -> str:
    """The media type that a file name stands for."""
    suffix = Path(filename).suffix.lower()
    guess = _AUDIO.get(suffix) or mimetypes.guess_type(filename)[0] or "application/octet-stream"
    return f"{guess}; charset=utf-8" if guess.startswith("text/") else guess


class MediaStore:
    """A folder of uploads. Without a folder of its own it makes one and removes it at the end."""

    def __init__(self, folder: Path | None = None) -> None:
        self._temporary = folder is None
        self._folder = folder or Path(tempfile.mkdtemp(prefix="tunebreeder-playground-"))
        self._folder.mkdir(parents=True, exist_ok=True)
        self._names: dict[int, tuple[str, str]] = {}

    def put(self, attachment: Attachment, data: bytes) -> None:
        """Keep the bytes of an attachment."""
        self._path(attachment.id).write_bytes(data)
        self._names[attachment.id] = (attachment.filename, attachment.content_type)

    def read(self, attachment_id: int) -> bytes:
        """The bytes of an attachment."""
        return self._path(attachment_id).read_bytes()

    def delete(self, attachment_id: int) -> None:
        """Forget an attachment; one that is not there is no error."""
        if self._names.pop(attachment_id, None) is not None:
            self._path(attachment_id).unlink(missing_ok=True)

    def close(self) -> None:
        """Remove everything that was kept."""
        for attachment_id in tuple(self._names):
            self.delete(attachment_id)
        if self._temporary:
            shutil.rmtree(self._folder, ignore_errors=True)

    def response(self, attachment_id: int, filename: str) -> web.StreamResponse:
        """Serve an attachment, whole or in part.

        Anything a browser could run is offered for download only, so that an upload cannot act as the page.
        """
        name, kind = self._names.get(attachment_id, ("", ""))
        if not name or name != filename or not self._path(attachment_id).is_file():
            raise web.HTTPNotFound(text="This file is gone: it was deleted with its message.")
        inline = kind.startswith(_INLINE)
        headers = {
            "Content-Type": kind,
            "Accept-Ranges": "bytes",
            "Cache-Control": "private, max-age=3600",
            "X-Content-Type-Options": "nosniff",
            "Content-Security-Policy": "sandbox; default-src 'none'; media-src 'self'",
            "Content-Disposition": f"{'inline' if inline else 'attachment'}; filename*=UTF-8''{quote(name)}",
        }
        return web.FileResponse(self._path(attachment_id), headers=headers)

    def _path(self, attachment_id: int) -> Path:
        return self._folder / str(attachment_id)
