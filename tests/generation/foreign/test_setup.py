"""Finding a Python, making the environment, and looking whether it works."""

from __future__ import annotations

import hashlib
import http.client
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from domain.errors import UserError
from generation.foreign import setup
from generation.foreign.environment import Environment, check, pull
from generation.foreign.setup import (
    ARCHIVE,
    CHORDS,
    PACKAGES,
    RELEASE,
    RELEASE_HASH,
    find_python,
    set_up,
    version_of,
)


def python(folder: Path, version: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"python{version.rpartition('.')[0] if version.count('.') > 1 else version}"
    file.write_text(f"#!/bin/sh\necho {version.replace('.', ' ')}\n")
    file.chmod(0o755)
    return file


def test_the_oldest_python_that_fits_is_taken(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    environ = {"PATH": str(tmp_path / "bin"), "PYENV_ROOT": str(tmp_path / "pyenv")}
    with pytest.raises(UserError, match=r"Python 3\.9, 3\.10 or 3\.11, and there is none here"):
        find_python(environ=environ)
    python(tmp_path / "bin", "3.8")
    python(tmp_path / "bin", "3.12")
    inner = tmp_path / "pyenv/versions/3.10.4/bin"
    (python(inner, "3.10")).rename(inner / "python")
    assert find_python(environ=environ) == inner / "python"
    eleven = python(tmp_path / "bin", "3.11")
    assert find_python(environ=environ) == eleven
    assert (
        find_python(environ=environ)
        != python(tmp_path / "bin", "3.9")
        == find_python(environ=environ)
    )


def test_a_python_that_is_named_must_fit(tmp_path):
    with pytest.raises(UserError, match=r"is Python 3\.12; audiocraft needs"):
        find_python(python(tmp_path, "3.12"))
    with pytest.raises(UserError, match="cannot be started"):
        find_python(tmp_path / "nothing")
    assert version_of(Path(sys.executable)) == sys.version_info[:2]


class Steps:
    """Runs nothing, and notes what was to be run."""

    def __init__(self, environment, fails=""):
        self.commands, self._environment, self._fails = [], environment, fails

    def __call__(self, command):
        self.commands.append(list(command))
        failed = bool(self._fails) and self._fails in " ".join(command)
        if "venv" in command:
            self._environment.python.parent.mkdir(parents=True)
            self._environment.python.touch()
        return subprocess.CompletedProcess(command, int(failed), "", "a warning\nno such package\n")


def archive(address, file):
    assert address == ARCHIVE
    with zipfile.ZipFile(file, "w") as made:
        made.writestr(f"audiocraft-1/{CHORDS}", b"table")


def offline(address, file):
    raise OSError("no route")


@pytest.fixture
def fresh(tmp_path, monkeypatch):
    monkeypatch.setattr(setup, "check", lambda environment: {"audiocraft": "1.4.0a2"})
    return Environment(folder=tmp_path / "data/audiocraft")


def test_the_environment_is_made_step_by_step(fresh):
    steps, told = Steps(fresh), []
    assert set_up(fresh, Path("/usr/bin/python3.10"), told.append, run=steps, fetch=archive) == {
        "audiocraft": "1.4.0a2"
    }
    made, packages, last = steps.commands
    assert made == ["/usr/bin/python3.10", "-m", "venv", str(fresh.venv)]
    assert packages[-len(PACKAGES) :] == list(PACKAGES)
    assert packages[0] == last[0] == str(fresh.python)
    assert last[-2] == "--no-deps"
    assert last[-1].endswith(".zip")
    assert fresh.chords.read_bytes() == b"table"
    (source,) = [line for line in told if ARCHIVE in line]
    assert "GitHub publishes no checksum" in source
    assert hashlib.sha256(Path(last[-1]).read_bytes()).hexdigest() in source
    assert len(told) == 5
    again = Steps(fresh)
    set_up(fresh, Path("python"), told.append, run=again, fetch=offline)
    assert len(again.commands) == 2


def cut(address, file):
    file.write_bytes(b"half an arch")
    raise http.client.IncompleteRead(b"")


@pytest.mark.parametrize(
    "fetch", [offline, cut, lambda address, file: file.write_bytes(b"no archive")]
)
def test_without_github_the_release_is_taken_with_its_hash_and_said(fresh, fetch):
    steps, told = Steps(fresh), []
    set_up(fresh, Path("python"), told.append, run=steps, fetch=fetch)
    assert steps.commands[-1][-3:-1] == ["--no-deps", "-r"]
    wanted = Path(steps.commands[-1][-1]).read_text()
    assert wanted == f"{RELEASE} --hash=sha256:{RELEASE_HASH}\n"
    assert any("JASCO and MusicGen-Style do not" in line for line in told)
    again = Steps(fresh)
    set_up(fresh, Path("python"), told.append, run=again, fetch=archive)
    assert again.commands[-1][-1].endswith(".zip"), "what was cut is not taken for the archive"


def test_what_pip_calls_an_error_is_said(fresh):
    words = "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES.\n    Got 0000\n"

    def run(command):
        return subprocess.CompletedProcess(command, 1, "", words)

    with pytest.raises(UserError, match=r"installed: ERROR: THESE PACKAGES DO NOT MATCH"):
        set_up(fresh, Path("python"), print, run=run, fetch=archive)


def test_a_step_that_fails_is_a_sentence(fresh):
    with pytest.raises(UserError, match=r"^Its packages could not be installed: no such package$"):
        set_up(fresh, Path("python"), print, run=Steps(fresh, fails="torch"), fetch=archive)

    def nobody(command):
        raise FileNotFoundError(2, "No such file or directory")

    with pytest.raises(UserError, match="No such file or directory"):
        set_up(fresh, Path("python"), print, run=nobody, fetch=archive)


def test_what_is_there_is_checked(quick, tmp_path):
    assert check(quick)["kinds"] == ["magnet", "style"]
    pull(quick, "magnet-small")
    pull(quick, "musicgen-style")
    assert quick.models() == ("magnet-small", "musicgen-style")
    quick.pulled.write_text("no JSON")
    assert quick.models() == ()
    with pytest.raises(UserError, match="--setup"):
        check(Environment(folder=tmp_path / "nothing"))


def test_nothing_of_others_hears_a_secret(quick, monkeypatch, capfd):
    for name in ("DISCORD_TOKEN", "OPENAI_API_KEY", "HF_TOKEN"):
        monkeypatch.setenv(name, name.lower())
    line = 'echo "heard: $DISCORD_TOKEN$OPENAI_API_KEY$HF_TOKEN" >&2; exit 1'
    quick.python.write_text(f"#!/bin/sh\n{line}\n")
    with pytest.raises(UserError, match=r"heard:$"):
        check(quick)
    assert setup.run(["/bin/sh", "-c", line]).stderr == "heard: \n"
    with pytest.raises(UserError):
        pull(quick, "magnet-small")
    assert capfd.readouterr().err == "heard: hf_token\n", "the hub's own goes to the hub"


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("#!/bin/sh\necho 'no torch' >&2; exit 1", "does not work (status 1): no torch"),
        ("#!/bin/sh\necho hello", "does not work (status 0): it says nothing"),
        ("#!/bin/sh\necho '{}'", "does not work (status 0): it says nothing"),
        ("not a program", "does not work (OSError)"),
    ],
)
def test_what_does_not_work_is_a_sentence(quick, script, words):
    quick.python.write_text(script)
    with pytest.raises(UserError) as raised:
        check(quick)
    assert words in str(raised.value)
    with pytest.raises(UserError):
        pull(quick, "magnet-small")
