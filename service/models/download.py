"""Fetch a model from the hub: only weights and configurations, resumed after a cut, each file checked by its checksum.

``HF_ENDPOINT`` names another hub, ``HF_TOKEN`` a key for gated models.
"""

from __future__ import annotations

import importlib.util
import logging
import os
import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from domain.errors import DiskFullError, UserError
from service.models.catalogue import PIPELINE, Entry, is_free
from service.models.selection import INDEX, chosen, has_weights
from service.models.store import NOTE, Installed, ModelStore, digest, fingerprint, size_of
from service.models.transfer import (
    PARTS,
    Remote,
    Source,
    bring,
    checked,
    endpoint,
    in_a_sentence,
)

SPARE = 200_000_000
"""Bytes that a download leaves free on the disk: a full one stops the bot."""
NEEDS_HUB = "Fetching models needs huggingface_hub: pip install 'tunebreeder[models]'."

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """What a download would fetch."""

    commit: str
    licence: str
    commercial: bool
    files: tuple[Remote, ...]

    @property
    def bytes(self) -> int:
        """Of all files."""
        return sum(one.size for one in self.files)


def look_up(entry: Entry, environ: Mapping[str, str] = os.environ) -> Offer:
    """Ask the hub what there is of a model now.

    Raises:
        UserError: The hub cannot be reached, or has no such model, or no weights of it; says what to do.
    """
    if importlib.util.find_spec("huggingface_hub") is None:
        raise UserError(NEEDS_HUB)
    from huggingface_hub import HfApi  # noqa: PLC0415 - slow, and only for a download

    hub = endpoint(environ)
    with in_a_sentence(entry, hub):
        api = HfApi(endpoint=hub, token=environ.get("HF_TOKEN") or None)
        info = api.model_info(
            entry.repo, revision=entry.revision, files_metadata=True, timeout=20.0
        )
    found = [
        Remote(
            name=one.rfilename,
            size=one.size or 0,
            sha256=one.lfs.sha256 if one.lfs else "",
            git="" if one.lfs else one.blob_id or "",
        )
        for one in info.siblings or ()
        if not {"", ".."} & set(one.rfilename.split("/"))  # nothing outside the model's folder
    ]
    names = [one.name for one in found]
    if entry.loader == PIPELINE and INDEX not in names:
        raise UserError(
            f"{entry.repo} is not published as a pipeline of diffusers. Convert it, copy the folder here and pull it "
            "with --offline: docs/diffusion.md says how."
        )
    wanted = chosen(names)
    if not wanted or info.sha is None:
        raise UserError(
            f"{entry.repo} holds no weights that could be used: neither safetensors nor pytorch_model.bin; of a "
            "pipeline, safetensors for every part."
        )
    card = info.card_data
    told = str(
        getattr(card, "license_name", None) or getattr(card, "license", None) or entry.licence
    )
    same = told.lower() == entry.licence.lower()
    return Offer(
        commit=info.sha,
        licence=entry.licence if same else told,
        commercial=entry.commercial if same else is_free(told),
        files=tuple(sorted((one for one in found if one.name in wanted), key=_size)),
    )


def _size(file: Remote) -> tuple[int, str]:
    return file.size, file.name


def fetch(
    entry: Entry, offer: Offer, store: ModelStore, say: Say, environ: Mapping[str, str] = os.environ
) -> Installed:
    """Fetch what is not here yet, check everything, and note it down.

    Raises:
        UserError: The connection broke (calling again resumes), or a file is not what the hub says it is.
        DiskFullError: There is no room.
    """
    from huggingface_hub.utils import disable_progress_bars  # type: ignore[attr-defined]  # noqa: PLC0415

    folder, hub = store.path(entry.name), endpoint(environ)
    logging.getLogger("huggingface_hub").setLevel(logging.ERROR)  # what goes wrong is said below
    if not sys.stderr.isatty():
        disable_progress_bars()
    with in_a_sentence(entry, hub):
        folder.mkdir(parents=True, exist_ok=True)
        _require_room(folder, offer)
    source = Source(
        repo=entry.repo, commit=offer.commit, hub=hub, token=environ.get("HF_TOKEN") or None
    )
    sums: dict[str, str] = {}
    for place, file in enumerate(offer.files, start=1):
        say(f"{place}/{len(offer.files)}  {file.name}  {file.size / 1e6:.1f} MB")
        with in_a_sentence(entry, hub):
            path = bring(source, file, folder)
        sums[file.name] = checked(path, file)
    found = Installed(
        name=entry.name,
        repo=entry.repo,
        revision=offer.commit,
        licence=offer.licence,
        commercial=offer.commercial,
        files=sums,
        bytes=offer.bytes,
        fingerprint=fingerprint(sums),
    )
    shutil.rmtree(folder / PARTS, ignore_errors=True)
    store.note(found)
    return found


def _require_room(folder: Path, offer: Offer) -> None:
    free = shutil.disk_usage(folder).free
    if free + size_of(folder) < offer.bytes + SPARE:
        raise DiskFullError(
            f"{folder} has {free / 1e9:.1f} GB free, and the model takes {offer.bytes / 1e9:.1f} GB; free some space."
        )


def adopt(entry: Entry, store: ModelStore) -> Installed:
    """Take a model over whose files were copied into its folder, without a network.

    Raises:
        UserError: There are no weights or no configuration.
    """
    folder = store.path(entry.name)
    names = [
        one.relative_to(folder).as_posix()
        for one in sorted(folder.rglob("*"))
        if one.is_file() and PARTS not in one.parts and not one.name.startswith(NOTE)
    ]
    wanted = chosen(names)
    index = INDEX if entry.loader == PIPELINE else "config.json"
    if not has_weights(wanted) or index not in wanted:
        raise UserError(
            f"{folder} does not hold {entry.repo}: copy its configuration and weights there from another machine."
        )
    sums = {name: digest(folder / name) for name in sorted(wanted)}
    found = Installed(
        name=entry.name,
        repo=entry.repo,
        revision="local",
        licence=entry.licence,
        commercial=entry.commercial,
        files=sums,
        bytes=sum((folder / name).stat().st_size for name in sums),
        fingerprint=fingerprint(sums),
    )
    store.note(found)
    return found
