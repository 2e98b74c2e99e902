"""``compose --model`` with a pipeline of diffusers: from a folder that was copied here to a file."""

from __future__ import annotations

import json

import numpy as np
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


def test_a_clip_is_varied_and_a_stretch_of_it_made_anew(store, capsys):
    tiny.make("ace-step", store.path(NAME))
    assert main(["models", "pull", NAME, "--offline"]) == 0
    tone = 0.3 * np.sin(np.arange(32_000) / 9)
    soundfile.write("tone.wav", tone, 16_000)
    argv = ["compose", "jazz", "--model", NAME, "--out", "clip.wav", "--seconds", "2"]
    assert main([*argv, "--vary", "tone.wav", "--strength", "0.3"]) == 0
    varied, _ = soundfile.read("clip.wav")
    assert main([*argv, "--fill", "tone.wav", "--stretch", "0.5:1"]) == 0
    filled, rate = soundfile.read("clip.wav")
    assert not np.array_equal(varied, filled)
    there = 0.3 * np.sin(np.arange(round(0.4 * rate)) * 16_000 / rate / 9)
    assert np.corrcoef(filled[: len(there), 0], there)[0, 1] > 0.99
    capsys.readouterr()
    for wrong, words in (
        (["--fill", "tone.wav"], "--fill and --stretch belong together"),
        (["--stretch", "0:1"], "--fill and --stretch belong together"),
        (["--fill", "tone.wav", "--stretch", "1:3"], "1:3 is no stretch of a clip of 2 s"),
        (["--fill", "tone.wav", "--stretch", "here"], "here is no stretch"),
        (["--vary", "tone.wav", "--strength", "2"], "--strength must be from 0 to 1"),
        (["--melody", "tone.wav"], "cannot follow a melody"),
    ):
        assert main([*argv, *wrong]) == 2
        assert words in capsys.readouterr().err


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
