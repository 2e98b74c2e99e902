"""``bot.py models`` as a host uses it."""

from __future__ import annotations

import json

import pytest

pytest.importorskip("transformers", reason="TRANSFORMERS IS MISSING: learned encoders untested")

from cli.main import main
from domain.errors import ConfigError, UserError
from service.models.catalogue import catalogue, entry
from service.models.chosen import chosen_encoder, weights_of
from service.models.download import adopt
from service.models.foreign import audiocraft_environment
from service.models.store import ModelStore
from service.settings import load
from tests.scoring.learned import checkpoints
from tests.service.models.fakehub import FakeHub, Running

REPO = "m-a-p/MERT-v1-95M"


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TUNEBREEDER_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.delenv("HF_ENDPOINT", raising=False)


@pytest.fixture
def hub(tmp_path, monkeypatch):
    folder = tmp_path / "published"
    checkpoints.mert(folder)
    files = {path.name: path.read_bytes() for path in folder.iterdir()}
    with Running(FakeHub(repos={REPO: files}, card={"license": "cc-by-nc-4.0"})) as running:
        monkeypatch.setenv("HF_ENDPOINT", running.url)
        yield running


def said(capsys) -> str:
    return capsys.readouterr().out


def failed(capsys, *argv: str) -> str:
    assert main(argv) in {1, 2}
    error = capsys.readouterr().err
    assert len(error.strip().splitlines()) == 1
    assert "Traceback" not in error
    return error


def test_the_list_names_licence_size_and_memory(capsys):
    assert main(["models", "list"]) == 0
    text = said(capsys)
    for name, one in catalogue().items():
        assert f"{name} " in text
        assert one.licence in text
        assert one.memory in text
    unused = [one for one in catalogue().values() if not one.usable]
    assert text.count("this version cannot use it yet") == len(unused)
    assert main(["models", "list", "--json"]) == 0
    rows = {row["name"]: row for row in json.loads(said(capsys))}
    assert rows["mert-95m"]["commercial"] is False
    assert not any(row["installed"] for row in rows.values())


def test_from_pull_to_remove(hub, capsys, tmp_path):
    (tmp_path / "config.yaml").write_text("scoring: {encoder: mert-95m}\n")
    assert "Accept that with --accept-noncommercial" in failed(capsys, "models", "pull", "mert-95m")
    assert not [line for line in hub.asked if line.startswith("GET")]
    assert main(["models", "pull", "mert-95m", "--accept-noncommercial"]) == 0
    text = said(capsys)
    assert "licence CC-BY-NC-4.0" in text
    assert "3/3  pytorch_model.bin" in text
    assert "set scoring.encoder to mert-95m" in text
    assert main(["models", "pull", "mert-95m"]) == 0  # asked once
    assert "is here already" in said(capsys)

    weights = chosen_encoder(load())
    assert weights is not None
    assert weights.encoder_id.startswith("mert-95m-1.")
    assert main(["models", "bench", "mert-95m", "--json"]) == 0
    (row,) = json.loads(said(capsys))
    assert row["clips_per_second"] > 0
    assert row["device"] == "cpu"
    assert main(["models", "list", "--json"]) == 0
    listed = {one["name"]: one for one in json.loads(said(capsys))}["mert-95m"]
    assert listed["installed"]
    assert listed["measured"]["clips_per_second"] == row["clips_per_second"]

    assert main(["models", "remove", "mert-95m"]) == 0
    assert "scoring.encoder still names it" in said(capsys)
    assert "not on this machine" in failed(capsys, "models", "remove", "mert-95m")
    assert "not on this machine" in failed(capsys, "models", "bench", "mert-95m")


def test_offline_takes_over_what_was_copied(capsys, tmp_path):
    store = ModelStore(tmp_path / "data" / "models")
    words = failed(capsys, "models", "pull", "clap", "--offline")
    assert "copy its configuration and weights there" in words
    checkpoints.clap(store.path("clap"))
    assert main(["models", "pull", "clap", "--offline"]) == 0
    assert "is complete" in said(capsys)
    assert store.installed("clap") is not None


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["pull", "mert-9m"], "Did you mean mert-95m?"),
        (["remove", "nonsense"], "There is no model"),
        (["bench", "musicgen-small"], "models pull musicgen-small"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(argv, words, capsys):
    assert words in failed(capsys, "models", *argv)


def test_no_network_is_one_sentence(capsys, monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    assert "cannot be reached" in failed(capsys, "models", "pull", "clap")


@pytest.mark.parametrize(
    ("encoder", "words"),
    [
        ("mert-95m", "python bot.py models pull mert-95m"),
        ("musicgen-small", "is a generator"),
        ("mert-95", "Did you mean mert-95m?"),
    ],
)
def test_an_encoder_that_cannot_be_used_is_named(encoder, words, tmp_path):
    (tmp_path / "config.yaml").write_text(f"scoring: {{encoder: {encoder}}}\n")
    with pytest.raises(ConfigError, match=r"scoring\.encoder is ") as caught:
        chosen_encoder(load())
    assert words in str(caught.value)


def test_weights_that_were_not_agreed_to_are_not_used(tmp_path):
    store = ModelStore(tmp_path / "data" / "models")
    checkpoints.mert(store.path("mert-95m"))
    adopt(entry("mert-95m"), store)
    with pytest.raises(UserError, match="--accept-noncommercial"):
        weights_of(store, "mert-95m")
    store.agree("mert-95m", "CC-BY-NC-4.0")
    assert weights_of(store, "mert-95m").licence == "CC-BY-NC-4.0"


def test_models_of_audiocraft_are_listed_where_they_are(capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TUNEBREEDER_DATA_DIR", str(tmp_path / "data"))
    environment = audiocraft_environment(tmp_path / "data")
    environment.folder.mkdir(parents=True)
    environment.note("magnet-small")
    assert main(["models", "list", "--json"]) == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert rows["magnet-small"]["installed"]
    assert not rows["magnet-medium"]["installed"]
    assert main(["models", "list"]) == 0
    assert capsys.readouterr().out.count("in audiocraft's environment") == 1
    assert "Delete audiocraft below" in failed(capsys, "models", "remove", "magnet-small")
