"""Give audiocraft an environment of its own: find a Python for it, fetch its packages, look whether it works."""

from __future__ import annotations

import hashlib
import http.client
import os
import shutil
import subprocess
import sys
import urllib.request
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from domain.errors import UserError
from generation.foreign.environment import Environment, check
from generation.foreign.privacy import without_secrets

OLDEST, NEWEST = (3, 9), (3, 11)
"""Versions of Python that PyTorch 2.1 and xformers 0.0.22 were built for."""
PACKAGES = (
    *("torch==2.1.0", "torchaudio==2.1.0", "xformers==0.0.22.post7", "numpy<2"),
    *("transformers>=4.31,<4.40", "huggingface_hub<0.26", "sentencepiece", "protobuf"),
    *("av>=12", "soundfile", "librosa", "julius", "demucs", "encodec"),
    *("einops", "flashy>=0.0.1", "hydra-core>=1.1", "hydra_colorlog", "torchmetrics", "tqdm"),
    *("num2words", "spacy>=3.6.1,<3.8", "click", "torchdiffeq"),
)
"""What audiocraft imports to make music. Its own list also has what it trains and demonstrates with, and an ``av`` that
needs ffmpeg's headers; so it is installed without its list."""
COMMIT = "896ec7c47f5e5d1e5aa1e4b260c4405328bf009d"
"""Of March 2025; the release on PyPI is older and has neither JASCO nor MusicGen-Style."""
ARCHIVE = f"https://github.com/facebookresearch/audiocraft/archive/{COMMIT}.zip"
RELEASE = "audiocraft==1.3.0"
RELEASE_HASH = "d82ade3eb4f934ee1adb438ae687a2bf59d33ca4a20039beab072548c038ac80"
"""SHA-256 of its source on PyPI, which pip checks. Of the archive, which GitHub makes anew at will, there is none."""
CHORDS = "assets/chord_to_index_mapping.pkl"
LARGEST = 200 << 20
"""Bytes of the archive."""
_NO_ARCHIVE = (
    *(OSError, http.client.HTTPException),  # it cannot be fetched
    *(zipfile.BadZipFile, zlib.error, StopIteration),  # or is no such archive
)
SIZES = "about 3 GB to download, 6 GB on the disk"
NO_PYTHON = (
    "audiocraft needs Python 3.9, 3.10 or 3.11, and there is none here. Install one (Debian and Ubuntu: "
    "sudo apt install python3.11-venv; macOS: brew install python@3.11; anywhere: pyenv install 3.10), "
    "or name one with --python PATH."
)

Run = Callable[[Sequence[str]], "subprocess.CompletedProcess[str]"]
"""Runs a command, its output shown."""
Say = Callable[[str], None]
Fetch = Callable[[str, Path], None]
"""Fetches an address into a file; ``OSError`` if it cannot."""


def run(command: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """Run a command; what it prints is shown, its last words are kept. It hears of no secrets."""
    return subprocess.run(  # noqa: S603 - pip and Python, whose paths we made
        command,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        check=False,
        env=without_secrets(os.environ),
    )


def fetch(address: str, file: Path) -> None:
    """Fetch an address into a file.

    Raises:
        OSError: It cannot be fetched, or is larger than ``LARGEST``.
    """
    with urllib.request.urlopen(address, timeout=60) as answer:  # noqa: S310 - https, a constant
        data = answer.read(LARGEST + 1)
    if len(data) > LARGEST:
        raise OSError(f"{address} is larger than {LARGEST >> 20} MB.")
    file.write_bytes(data)


def find_python(given: Path | None = None, environ: Mapping[str, str] = os.environ) -> Path:
    """Return an interpreter that audiocraft runs on.

    Args:
        given: The one to take.
        environ: Says where to look.

    Raises:
        UserError: There is none, or the one that was named does not fit.
    """
    if given is not None:
        version = version_of(given)
        if version is None or not OLDEST <= version <= NEWEST:
            what = f"is Python {version[0]}.{version[1]}" if version else "cannot be started"
            raise UserError(f"{given} {what}; audiocraft needs Python 3.9, 3.10 or 3.11.")
        return given
    for one in _candidates(environ):
        version = version_of(one)
        if version is not None and OLDEST <= version <= NEWEST:
            return one
    raise UserError(NO_PYTHON)


def _candidates(environ: Mapping[str, str]) -> Iterator[Path]:
    """Yield where a fitting Python may be, the oldest version first: that is what audiocraft was written with."""
    names = [f"python3.{minor}" for minor in range(OLDEST[1], NEWEST[1] + 1)]
    for name in names:
        if found := shutil.which(name, path=environ.get("PATH")):
            yield Path(found)
    versions = Path(environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    for name in names:
        yield from sorted(versions.glob(f"{name.removeprefix('python')}.*/bin/python"))
    yield Path(sys.executable)


def version_of(python: Path) -> tuple[int, int] | None:
    """Return the version of an interpreter; ``None`` where it cannot be started."""
    script = "import sys, venv, ensurepip; print(*sys.version_info[:2])"
    try:
        done = subprocess.run(  # noqa: S603 - an interpreter
            [str(python), "-I", "-c", script],
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
        major, minor = done.stdout.split()
        return int(major), int(minor)
    except (OSError, ValueError, subprocess.SubprocessError):
        return None


def set_up(
    environment: Environment,
    python: Path,
    say: Say,
    *,
    run: Run = run,
    fetch: Fetch = fetch,
) -> Mapping[str, Any]:
    """Make the environment, or mend it; called again it goes on where it stopped.

    Returns:
        What is in it, see ``check``.

    Raises:
        UserError: A step failed; says which, and what the tool said last.
    """
    environment.folder.mkdir(parents=True, exist_ok=True)
    if not environment.python.exists():
        say(f"1/4 An environment with {python} ...")
        _step(run, [str(python), "-m", "venv", str(environment.venv)], "The environment")
    pip = (str(environment.python), "-m", "pip", "install", "--disable-pip-version-check")
    say("2/4 PyTorch 2.1 and other packages ...")
    _step(run, [*pip, "--prefer-binary", *PACKAGES], "Its packages")
    say("3/4 audiocraft ...")
    _step(run, [*pip, "--no-deps", *_source(environment, say, fetch)], "audiocraft")
    say("4/4 Whether it works ...")
    return check(environment)


def _source(environment: Environment, say: Say, fetch: Fetch) -> tuple[str, ...]:
    """Return what pip is to install: the archive, with the table of chords taken out of it, or the release."""
    archive = environment.folder / f"audiocraft-{COMMIT[:7]}.zip"
    try:
        if not archive.exists():
            part = archive.with_suffix(".part")
            fetch(ARCHIVE, part)
            part.replace(archive)
        with zipfile.ZipFile(archive) as opened:
            name = next(one for one in opened.namelist() if one.endswith(CHORDS))
            environment.chords.write_bytes(opened.read(name))
        digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    except _NO_ARCHIVE as error:
        archive.unlink(missing_ok=True)
        why = str(error) or type(error).__name__
        say(
            f"GitHub does not give audiocraft's newest source ({why}), so {RELEASE} comes from PyPI instead: MAGNeT "
            "works with it, JASCO and MusicGen-Style do not. Set it up again to try once more."
        )
        release = environment.folder / "release.txt"
        release.write_text(f"{RELEASE} --hash=sha256:{RELEASE_HASH}\n", encoding="utf-8")
        return "-r", str(release)
    say(
        f"    from {ARCHIVE}. GitHub publishes no checksum of it, so only the secure connection vouches for what came; "
        f"its SHA-256 is {digest}."
    )
    return (str(archive),)


def _step(run: Run, command: Sequence[str], what: str) -> None:
    try:
        done = run(command)
    except OSError as error:
        raise UserError(f"{what} could not be installed: {error.strerror}.") from None
    if done.returncode:
        lines = [line.strip() for line in (done.stderr or "").splitlines() if line.strip()]
        told = [line for line in lines if line.startswith("ERROR:")] or lines
        last = told[-1][:300] if told else f"status {done.returncode}"
        raise UserError(f"{what} could not be installed: {last}")
