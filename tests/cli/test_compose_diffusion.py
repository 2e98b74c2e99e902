"""``compose --model`` with a pipeline of diffusers: from a folder that was copied here to a file."""

from __future__ import annotations

import json

import pytest
import soundfile

pytest.importorskip("torch", reason="PYTORCH IS MISSING: diffusion models were not tested")
pytest.importorskip("diffusers", reason="DIFFUSERS IS MISSING: diffusion models were not tested")

from cli.main import main
from service.models.catalogue import Role, catalogue
from service.models.store import NOTE, ModelStore
from tests.generation.diffusion import tiny

NAME = "ace-step-1.5"


@pytest.fixture
def store(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TUNEBREEDER_DATA_DIR", str(tmp_path / "data"))
    return ModelStore(tmp_path / "data" / "models")


def test_a_pipeline_that_was_copied_here_plays(store, capsys):
    tiny.make("ace-step", store.path(NAME))
    (store.path(NAME) / "old.bin").write_bytes(b"left out")
    assert main(["models", "pull", NAME, "--offline"]) == 0
    noted = json.loads((store.path(NAME) / NOTE).read_text())
    assert {"model_index.json", "vae/config.json", "condition_encoder/config.json"} <= {
        *noted["files"]
    }
    assert "old.bin" not in noted["files"]
    capsys.readouterr()
    argv = ["compose", "slow jazz", "--model", NAME, "--out", "clip.wav", "--json"]
    assert main([*argv, "--seconds", "1.5"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["generator"], report["licence"]) == (NAME, "MIT")
    assert (report["pipeline"], report["steps"]) == ("AceStepPipeline", "8")
    samples, rate = soundfile.read("clip.wav")
    assert samples.shape == (round(1.5 * rate), 2)
    assert main([*argv, "--seconds", "601"]) == 2
    assert "Traceback" not in capsys.readouterr().err


def test_what_is_not_as_it_should_be_is_one_sentence(store, capsys):
    tiny.make("ace-step", store.path(NAME))
    assert main(["models", "pull", NAME, "--offline"]) == 0
    weights = store.path(NAME) / "transformer/diffusion_pytorch_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    capsys.readouterr()
    assert main(["compose", "jazz", "--model", NAME, "--out", "clip.wav"]) == 1
    error = capsys.readouterr().err
    assert "The part transformer" in error
    assert len(error.strip().splitlines()) == 1


def test_every_pipeline_of_the_catalogue_can_be_played():
    known = [one for one in catalogue().values() if one.loader == "diffusers"]
    assert len(known) == 7
    assert all(one.usable and one.role is Role.GENERATOR for one in known)
