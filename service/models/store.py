"""Weights on this machine: a folder for each model, with a note of what lies in it and under which licence."""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from domain.errors import UserError

NOTE = "tunebreeder.json"
LICENCES = "licences.json"
CHUNK = 1 << 22


@dataclass(frozen=True, slots=True, kw_only=True)
class Installed:
    """A model that is here, whole.

    Attributes:
        name: How it is called here.
        repo: Its name on the hub.
        revision: The commit, or ``"local"`` for files that were copied here.
        licence: Of the weights.
        commercial: Whether the licence allows commercial use.
        files: sha256 of each file.
        bytes: Of all files.
        fingerprint: Changes with the weights.
        measured: What ``models bench`` found on this machine: ``load_seconds``, ``clips_per_second``, ``device`` ...
    """

    name: str
    repo: str
    revision: str
    licence: str
    commercial: bool
    files: Mapping[str, str]
    bytes: int
    fingerprint: str
    measured: Mapping[str, Any] = field(default_factory=dict)


class ModelStore:
    """The folder that holds them.

    Args:
        folder: Is made when something is stored.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, name: str) -> Path:
        """Return where a model lies, or would."""
        return self.folder / name.replace("/", "--")

    def installed(self, name: str) -> Installed | None:
        """Return what is noted of a model, or ``None`` when it is not here or not whole.

        A file that has gone since counts; that its content is right was checked when it came.
        """
        try:
            noted = json.loads((self.path(name) / NOTE).read_text(encoding="utf-8"))
            found = Installed(**noted)
        except (OSError, ValueError, TypeError):
            return None
        if any(not (self.path(name) / file).is_file() for file in found.files):
            return None
        return found

    def every(self) -> list[Installed]:
        """Return all models that are here, by name."""
        if not self.folder.is_dir():
            return []
        names = [one.name.replace("--", "/") for one in self.folder.iterdir() if one.is_dir()]
        found = [self.installed(name) for name in sorted(names)]
        return [one for one in found if one is not None]

    def note(self, model: Installed) -> None:
        """Write down what lies in a model's folder."""
        text = json.dumps(asdict(model), indent=1, ensure_ascii=False)
        part = self.path(model.name) / f"{NOTE}.part"
        part.write_text(text + "\n", encoding="utf-8")
        part.replace(self.path(model.name) / NOTE)

    def remove(self, name: str) -> int:
        """Delete a model's folder, whole or not.

        Returns:
            Bytes that were freed.

        Raises:
            UserError: It is not here.
        """
        folder = self.path(name)
        if not folder.is_dir():
            raise UserError(f"{name} is not on this machine: there is no {folder}.")
        freed = size_of(folder)
        shutil.rmtree(folder)
        return freed

    def agreed(self, name: str, licence: str) -> bool:
        """Whether the host has agreed to use a model under a licence that does not allow commercial use."""
        said = self._licences().get(name)
        return isinstance(said, dict) and said.get("licence") == licence

    def agree(self, name: str, licence: str) -> None:
        """Write down that the host has agreed; it is not asked again."""
        said = {**self._licences(), name: {"licence": licence, "at": int(time.time())}}
        self.folder.mkdir(parents=True, exist_ok=True)
        text = json.dumps(said, indent=1, ensure_ascii=False)
        (self.folder / LICENCES).write_text(text + "\n", encoding="utf-8")

    def _licences(self) -> dict[str, Any]:
        try:
            found = json.loads((self.folder / LICENCES).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}


def size_of(folder: Path) -> int:
    """Return the bytes of all files under a folder."""
    return sum(one.stat().st_size for one in folder.rglob("*") if one.is_file())


def digest(file: Path) -> str:
    """Return the sha256 of a file as 64 hexadecimal digits."""
    total = hashlib.sha256()
    with file.open("rb") as stream:
        while chunk := stream.read(CHUNK):
            total.update(chunk)
    return total.hexdigest()


def fingerprint(files: Mapping[str, str]) -> str:
    """Return eight hexadecimal digits that other weights, or another configuration, will not have.

    Args:
        files: sha256 of each file.
    """
    lines = "\n".join(f"{name} {sha}" for name, sha in sorted(files.items()))
    return hashlib.sha256(lines.encode()).hexdigest()[:8]
