"""``models bench``: generators on this machine, against the clock."""

from __future__ import annotations

import json
import os
import shutil

import pytest

pytest.importorskip("transformers", reason="TRANSFORMERS IS MISSING: MusicGen was not measured")

from cli.main import main
from cli.measure_generator import measure
from cli.measuring import alone
from domain.clip import ClipFailure, GeneratorInfo
from domain.errors import GenerationError, NoRoomError, UserError
from generation import registry
from generation.generator import Capabilities
from generation.registry import Recipe
from service.models.catalogue import entry
from service.models.download import adopt
from service.models.store import ModelStore
from tests.generation.musicgen.conftest import make

NAME = "musicgen-small"


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TUNEBREEDER_DATA_DIR", str(tmp_path / "data"))
    (tmp_path / "config.yaml").write_text("generation: {batch: 2, device: cpu, workers: 1}\n")


@pytest.fixture
def store(tmp_path, mono):
    here = ModelStore(tmp_path / "data" / "models")
    shutil.copytree(mono, here.path(NAME))
    adopt(entry(NAME), here)
    return here


@pytest.fixture(scope="session")
def mono(tmp_path_factory):
    folder = tmp_path_factory.mktemp("published")
    make(folder)
    return folder


def refused(capsys, *argv: str) -> str:
    assert main(["models", "bench", *argv]) == 1
    error = capsys.readouterr().err
    assert len(error.strip().splitlines()) == 1
    return error


def test_a_generator_is_measured_and_listed(store, capsys):
    assert "does not allow commercial use" in refused(capsys, NAME)
    store.agree(NAME, "CC-BY-NC-4.0")
    assert main(["models", "bench", NAME, "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert (row["name"], row["device"], row["vram_mb"]) == (NAME, "cpu", None)
    assert row["load_seconds"] > 0
    assert row["memory_mb"] > 50
    for which, batch in (("alone", 1), ("together", 2), ("drafts", 2)):
        assert row[which]["batch"] == batch
        assert row[which]["real_time"] == pytest.approx(
            10 * row[which]["clips_per_second"], rel=0.01
        )
        assert row[which]["cpu_seconds_per_clip"] > 0
    assert main(["models", "list"]) == 0
    text = capsys.readouterr().out
    assert "2 at once, drafts" in text
    assert "3 GB VRAM" in text
    assert store.installed(NAME).measured == row


def test_the_composer_is_measured_as_well(capsys):
    assert main(["models", "bench", "composer"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("generator")
    assert lines[1].startswith("composer")
    assert len(lines) == 2, "it plays one clip at a time and has no drafts"


def test_a_model_that_is_not_here_is_a_sentence(capsys):
    assert "models pull musicgen-small" in refused(capsys, NAME)


def test_a_process_that_is_ended_is_a_sentence():
    with pytest.raises(UserError, match="measured large was ended from outside"):
        alone("large", os._exit, 9)


class Scripted:
    """A generator that has room for so many clips at once."""

    capabilities = Capabilities(
        shortest=1.0, longest=5.0, sample_rate=8000, commercial=True, batch=8
    )

    def __init__(self, room: int) -> None:
        self.room, self.released = room, False
        self.info = GeneratorInfo(name="scripted", version="1", licence="MIT")

    def prepare(self) -> None:
        pass

    def release(self) -> None:
        self.released = True

    def generate(self, requests, *, progress=None):
        assert all(one.seconds <= 5.0 for one in requests)
        if len(requests) > self.room:
            raise NoRoomError("No.")
        return []


@pytest.mark.parametrize(("room", "fits"), [(8, 8), (3, 2), (1, 1)])
def test_the_batch_that_fits_is_measured(monkeypatch, room, fits):
    monkeypatch.setattr(registry, "LOADERS", {"scripted": lambda _: Scripted(room)})
    found = measure(Recipe(loader="scripted", name="scripted"))
    assert (found.alone.batch, found.together.batch, found.drafts) == (1, fits, None)


def test_a_clip_that_cannot_be_made_is_said_and_memory_given_back(monkeypatch):
    made = Scripted(0)
    made.generate = lambda requests, progress=None: [ClipFailure(reason="There is nothing.")]
    monkeypatch.setattr(registry, "LOADERS", {"scripted": lambda _: made})
    with pytest.raises(GenerationError, match="There is nothing"):
        measure(Recipe(loader="scripted", name="scripted"))
    assert made.released
