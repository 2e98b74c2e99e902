"""``compose --model``: a MusicGen whose weights are on this machine."""

from __future__ import annotations

import json
import shutil

import pytest
import soundfile

pytest.importorskip("transformers", reason="TRANSFORMERS IS MISSING: MusicGen was not tested")

from cli.main import main
from service.models.catalogue import entry
from service.models.download import adopt
from service.models.store import ModelStore
from tests.generation.musicgen.conftest import make

NAME = "musicgen-small"


@pytest.fixture(scope="session")
def published(tmp_path_factory):
    folder = tmp_path_factory.mktemp("published")
    make(folder)
    return folder


@pytest.fixture
def store(tmp_path, monkeypatch, published):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TUNEBREEDER_DATA_DIR", str(tmp_path / "data"))
    here = ModelStore(tmp_path / "data" / "models")
    shutil.copytree(published, here.path(NAME))
    adopt(entry(NAME), here)
    return here


def composed(*argv: str) -> int:
    return main(["compose", *argv, "--out", "clip.wav", "--seconds", "1"])


def test_words_become_a_file_that_says_what_made_it(store, capsys):
    store.agree(NAME, "CC-BY-NC-4.0")
    assert composed("slow jazz with piano", "--model", NAME, "--json") == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["generator"], report["licence"]) == (NAME, "CC-BY-NC-4.0")
    samples, rate = soundfile.read("clip.wav")
    assert len(samples) == pytest.approx(rate, rel=0.01)


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["jazz", "--model", NAME], "does not allow commercial use"),
        (["jazz", "--model", "musicgen-large"], "models pull musicgen-large"),
        (["jazz", "--model", "musicgen-smal"], "Did you mean musicgen-small"),
        (["jazz", "--model", "mert-95m"], "cannot be played here; there are: musicgen-small"),
        ([" ", "--model", NAME], "Say in words what to play"),
        (["jazz", "--model", NAME, "--midi", "a.mid"], "--midi is for composed notes"),
    ],
)
def test_what_cannot_be_is_said(store, capsys, argv, words):
    assert composed(*argv) in {1, 2}
    error = capsys.readouterr().err
    assert words in error
    assert len(error.strip().splitlines()) == 1
