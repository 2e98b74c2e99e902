"""``compose --model``: a MusicGen whose weights are on this machine."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
import soundfile

pytest.importorskip("transformers", reason="TRANSFORMERS IS MISSING: MusicGen was not tested")

from cli.main import main
from service.models.catalogue import entry
from service.models.download import adopt
from service.models.store import ModelStore
from tests.generation.musicgen.conftest import make

NAME, MELODY = "musicgen-small", "musicgen-melody"


@pytest.fixture(scope="session")
def published(tmp_path_factory):
    folder = tmp_path_factory.mktemp("published")
    make(folder / NAME)
    make(folder / MELODY, melody=True)
    return folder


@pytest.fixture
def store(tmp_path, monkeypatch, published):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TUNEBREEDER_DATA_DIR", str(tmp_path / "data"))
    here = ModelStore(tmp_path / "data" / "models")
    for name in (NAME, MELODY):
        shutil.copytree(published / name, here.path(name))
        adopt(entry(name), here)
    wave = np.sin(np.arange(24_000) / 15)  # an F: C is what silence counts as
    soundfile.write("tune.wav", wave, 16_000)
    (tmp_path / "text.wav").write_text("no sound")
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
        (["jazz", "--melody", "tune.wav"], "--melody is for models that start from sound"),
        (["jazz", "--continue", "tune.wav"], "--continue is for models that start from sound"),
        (["jazz", "--model", NAME, "--continue", "none.wav"], "There is no file none.wav"),
        (
            ["jazz", "--model", NAME, "--continue", "tune.wav", "--melody", "tune.wav"],
            "one sound, not from several (--melody and --continue)",
        ),
    ],
)
def test_what_cannot_be_is_said(store, capsys, argv, words):
    assert composed(*argv) in {1, 2}
    error = capsys.readouterr().err
    assert words in error
    assert len(error.strip().splitlines()) == 1


@pytest.mark.parametrize(
    ("option", "name"), [("--melody", MELODY), ("--continue", MELODY), ("--continue", NAME)]
)
def test_a_clip_starts_from_a_sound(store, option, name):
    store.agree(name, "CC-BY-NC-4.0")
    assert composed("slow jazz", "--model", name) == 0
    without, _ = soundfile.read("clip.wav")
    assert composed("slow jazz", "--model", name, option, "tune.wav") == 0
    with_it, rate = soundfile.read("clip.wav")
    assert len(with_it) == pytest.approx(rate, rel=0.01)
    assert not np.array_equal(with_it, without)


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["--model", NAME, "--melody", "tune.wav"], "musicgen-small cannot follow a melody."),
        (["--model", NAME, "--continue", "text.wav"], "text.wav is no sound that can be read"),
        (["--model", MELODY, "--melody", "."], "There is no file ."),
    ],
)
def test_what_a_clip_cannot_start_from_is_said(store, capsys, argv, words):
    for name in (NAME, MELODY):
        store.agree(name, "CC-BY-NC-4.0")
    assert composed("jazz", *argv) == 2
    error = capsys.readouterr().err
    assert words in error
    assert len(error.strip().splitlines()) == 1
