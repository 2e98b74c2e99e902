"""Where audiocraft lives: a folder with an environment of its own, its weights, and JASCO's table of chords."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from domain.errors import UserError
from generation.foreign.privacy import without_secrets

WORKER = Path(__file__).with_name("audiocraft_worker.py")
TOLD = ("python", "torch", "audiocraft", "gpu", "kinds")
"""What the worker tells of its environment."""
CHECK_SECONDS = 300
"""The first import of PyTorch on a slow disk takes minutes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A model of audiocraft.

    Attributes:
        repo: Its name on the hub.
        kind: ``"magnet"``, ``"jasco"`` or ``"style"``.
        longest: Seconds of its clips at most.
    """

    repo: str
    kind: str
    longest: float


MODELS = {
    "magnet-small": Known(repo="facebook/magnet-small-10secs", kind="magnet", longest=10.0),
    "magnet-medium": Known(repo="facebook/magnet-medium-10secs", kind="magnet", longest=10.0),
    "magnet-small-30": Known(repo="facebook/magnet-small-30secs", kind="magnet", longest=30.0),
    "jasco-400m": Known(repo="facebook/jasco-chords-drums-melody-400M", kind="jasco", longest=10.0),
    "musicgen-style": Known(repo="facebook/musicgen-style", kind="style", longest=30.0),
}
"""By the names of the catalogue."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """The folder."""

    folder: Path

    @property
    def venv(self) -> Path:
        """The environment."""
        return self.folder / "venv"

    @property
    def python(self) -> Path:
        """Its interpreter."""
        inner = "Scripts/python.exe" if os.name == "nt" else "bin/python"
        return self.venv / inner

    @property
    def chords(self) -> Path:
        """JASCO's table of chords."""
        return self.folder / "chord_to_index_mapping.pkl"

    @property
    def pulled(self) -> Path:
        """A list of the models whose weights are here."""
        return self.folder / "pulled.json"

    def variables(self, *, online: bool = False) -> dict[str, str]:
        """Return environment variables for its processes: weights lie in its folder, and nothing is fetched unasked."""
        off = "0" if online else "1"
        return {
            "HF_HOME": str(self.folder / "hub"),
            "HF_HUB_OFFLINE": off,
            "TRANSFORMERS_OFFLINE": off,
            "HF_HUB_DISABLE_TELEMETRY": "1",
        }

    def command(self, *arguments: str) -> tuple[str, ...]:
        """Return how the worker is started there. ``-I``: only its own packages are on its path."""
        return (str(self.python), "-I", str(WORKER), *arguments)

    def model_arguments(self, name: str, device: str = "auto") -> tuple[str, ...]:
        """Return the worker's arguments for a model."""
        known = MODELS[name]
        return (
            *("--name", name, "--model", known.repo, "--kind", known.kind),
            *("--device", device, "--chords", str(self.chords)),
        )

    def models(self) -> tuple[str, ...]:
        """Return the models whose weights are here."""
        try:
            names = json.loads(self.pulled.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return ()
        return tuple(name for name in MODELS if name in names) if isinstance(names, list) else ()

    def note(self, name: str) -> None:
        """Note that a model's weights are here."""
        names = sorted({*self.models(), name})
        self.pulled.write_text(json.dumps(names), encoding="utf-8")


def check(environment: Environment) -> Mapping[str, Any]:
    """Return what is in the environment, see ``TOLD``.

    Raises:
        UserError: It is not there, or does not work; says why and what to do.
    """
    if not environment.python.exists():
        raise UserError(
            f"audiocraft has no environment in {environment.folder} yet. "
            "Set it up: python bot.py worker audiocraft --setup"
        )
    done = _run(environment, ("--check",), online=False)
    try:
        found = json.loads(done.stdout.splitlines()[-1])
        return {name: found[name] for name in TOLD}
    except (ValueError, IndexError, KeyError, TypeError):
        raise UserError(
            f"audiocraft's environment does not work (status {done.returncode}): "
            f"{_last(done.stderr) or 'it says nothing'}"
        ) from None


def pull(environment: Environment, name: str) -> None:
    """Fetch the weights of a model, with what it needs besides (T5, EnCodec); how far it is goes to the errors.

    Raises:
        UserError: It cannot be done.
    """
    arguments = ("--fetch", *environment.model_arguments(name, "cpu"))
    done = _run(environment, arguments, online=True)
    if done.returncode or MODELS[name].repo not in done.stdout:
        raise UserError(
            f"{name} could not be fetched (status {done.returncode}); why stands above."
        )
    environment.note(name)


def _run(
    environment: Environment, arguments: tuple[str, ...], *, online: bool
) -> subprocess.CompletedProcess[str]:
    hub = ("HF_TOKEN",) if online else ()
    variables = {**without_secrets(os.environ, hub), **environment.variables(online=online)}
    try:
        return subprocess.run(  # noqa: S603 - our own script
            environment.command(*arguments),
            stdout=subprocess.PIPE,
            stderr=None if online else subprocess.PIPE,
            text=True,
            errors="replace",
            env=variables,
            check=False,
            timeout=None if online else CHECK_SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UserError(
            f"audiocraft's environment does not work ({type(error).__name__}). "
            "Set it up again: python bot.py worker audiocraft --setup"
        ) from None


def _last(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:300] if lines else ""
