"""Bring one file from the hub, going on where an earlier try stopped, and say what went wrong in a sentence.

``huggingface_hub`` speaks to the hub. Its own downloads begin a file anew in each call, so partial files are kept here.
"""

from __future__ import annotations

import errno
import hashlib
import urllib.parse
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from domain.errors import DiskFullError, UserError
from service.models.catalogue import Entry
from service.models.store import digest

DEFAULT_HUB = "https://huggingface.co"
PARTS = ".parts"
"""Folder of files that are on their way, in the model's folder."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Remote:
    """A file on the hub: its size in bytes, and its checksum as sha256 or, of small files, as git's sha1."""

    name: str
    size: int
    sha256: str = ""
    git: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where files come from: a commit of a repository of a hub, and the key for it if one is needed."""

    repo: str
    commit: str
    hub: str
    token: str | None = None


def endpoint(environ: Mapping[str, str]) -> str:
    """Return the hub's address."""
    return (environ.get("HF_ENDPOINT") or DEFAULT_HUB).rstrip("/")


def bring(source: Source, file: Remote, folder: Path) -> Path:
    """Fetch a file that is not there yet; what has come of it before is not fetched again.

    Returns:
        Where it lies.

    Raises:
        Exception: What ``in_a_sentence`` turns into a sentence.
    """
    from huggingface_hub import get_hf_file_metadata, hf_hub_url  # noqa: PLC0415 - slow
    from huggingface_hub.file_download import http_get  # noqa: PLC0415
    from huggingface_hub.utils import build_hf_headers  # type: ignore[attr-defined]  # noqa: PLC0415

    path = folder / file.name
    if path.is_file() and path.stat().st_size == file.size:
        return path
    url = hf_hub_url(source.repo, file.name, revision=source.commit, endpoint=source.hub)
    found = get_hf_file_metadata(url, token=source.token, endpoint=source.hub)
    at_hub = urllib.parse.urlsplit(found.location).netloc == urllib.parse.urlsplit(url).netloc
    key = source.token if at_hub else False  # the key is the hub's own, not its file server's
    part = folder / PARTS / f"{file.name.replace('/', '--')}.{source.commit[:8]}"
    part.parent.mkdir(parents=True, exist_ok=True)
    with part.open("ab") as stream:
        http_get(
            found.location,
            stream,
            resume_size=part.stat().st_size,
            headers=build_hf_headers(token=key),
            expected_size=file.size or None,
            displayed_filename=file.name,
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    part.replace(path)
    return path


def checked(path: Path, file: Remote) -> str:
    """Return the sha256 of a file that came.

    Raises:
        UserError: It is not what the hub says it is; it is deleted.
    """
    found = digest(path)
    right = path.stat().st_size == file.size or not file.size
    if file.sha256:
        right = right and found == file.sha256
    elif file.git:
        content = path.read_bytes()
        blob = b"blob %d\0" % len(content) + content
        right = right and hashlib.sha1(blob, usedforsecurity=False).hexdigest() == file.git
    if not right:
        path.unlink()
        raise UserError(
            f"{path.name} is not what the hub says it is (wrong size or checksum); it was deleted. Pull again."
        )
    return found


@contextmanager
def in_a_sentence(entry: Entry, hub: str) -> Iterator[None]:
    """Turn what goes wrong between here and the hub into a sentence.

    Raises:
        UserError: It went wrong.
        DiskFullError: The disk is full.
    """
    import httpx2  # noqa: PLC0415 - huggingface_hub raises its errors
    from huggingface_hub import errors  # noqa: PLC0415

    try:
        yield
    except errors.GatedRepoError:
        raise UserError(
            f"{entry.repo} is gated: accept its terms at {hub}/{entry.repo}, then set HF_TOKEN to your key there."
        ) from None
    except errors.RevisionNotFoundError:
        raise UserError(f"{entry.repo} has no revision {entry.revision} at {hub}.") from None
    except errors.RepositoryNotFoundError:
        raise UserError(f"There is no model {entry.repo} at {hub}, or it is private.") from None
    except errors.OfflineModeIsEnabled:
        raise UserError(
            "HF_HUB_OFFLINE is set, so nothing is fetched. Unset it, or pull with --offline."
        ) from None
    except errors.HfHubHTTPError as error:
        status = error.response.status_code
        raise UserError(
            f"The hub at {hub} answered HTTP {status} for {entry.repo}; try again later."
        ) from None
    except (httpx2.HTTPError, errors.LocalEntryNotFoundError) as error:
        raise UserError(
            f"The hub at {hub} cannot be reached, or the connection broke ({type(error).__name__}). Pull again to go on"
            " where it stopped."
        ) from None
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise DiskFullError(
                "The disk is full; free some space and pull again to go on."
            ) from None
        reason = str(error).partition("\n")[0]
        raise UserError(f"{entry.repo} could not be fetched: {reason}") from None
