"""Which files of a repository are fetched, of a single model and of a pipeline of diffusers."""

from __future__ import annotations

import json

import pytest

from domain.errors import UserError
from service.models.catalogue import entry
from service.models.selection import chosen
from tests.service.models.fakehub import FakeHub, Running

pytest.importorskip("huggingface_hub", reason="HUGGINGFACE_HUB IS MISSING: downloads untested")

from service.models.download import adopt, fetch, look_up
from service.models.store import NOTE, ModelStore

PARTS = {
    "scheduler/scheduler_config.json",
    "text_encoder/config.json",
    "text_encoder/model.safetensors",
    "tokenizer/merges.txt",
    "tokenizer/spiece.model",
    "tokenizer/tokenizer.json",
    "transformer/config.json",
    "transformer/diffusion_pytorch_model-00001-of-00002.safetensors",
    "transformer/diffusion_pytorch_model-00002-of-00002.safetensors",
    "transformer/diffusion_pytorch_model.safetensors.index.json",
    "vae/config.json",
    "vae/diffusion_pytorch_model.fp16.safetensors",
}
"""Of a pipeline: sharded weights, and a part that comes in half precision alone."""
WANTED = PARTS | {"model_index.json"}
OTHER = {
    "audio_tokenizer/config.json",
    "audio_tokenizer/diffusion_pytorch_model.safetensors",
    "README.md",
    "model.ckpt",
    "model.safetensors",
    "model_config.json",
    "safety_checker/config.json",
    "safety_checker/model.safetensors",
    "seed_images/agile.png",
    "text_encoder/model.fp16.safetensors",
    "text_encoder/pytorch_model.bin",
    "transformer/diffusion_pytorch_model.bin.index.json",
    "transformer/diffusion_pytorch_model.fp16-00001-of-00001.safetensors",
    "transformer/diffusion_pytorch_model.safetensors.index.fp16.json",
    "transformer/modeling.py",
    "transformer/old/diffusion_pytorch_model.safetensors",
    "unet_traced.pt",
    "vae/diffusion_pytorch_model.non_ema.safetensors",
}
REPO = "stabilityai/stable-audio-open-1.0"
OPEN = entry("stable-audio-open")


def test_of_a_pipeline_every_part_is_fetched_once():
    assert chosen(sorted(WANTED | OTHER)) == WANTED


def test_a_part_with_pickles_alone_is_not_fetched():
    names = {"model_index.json", "unet/config.json", "unet/model.bin", *PARTS}
    assert chosen(sorted(names)) == set()
    assert chosen(["model_index.json", "scheduler/scheduler_config.json"]) == set()


def test_a_pipeline_is_pulled_into_its_folders(tmp_path):
    files = {name: name.encode() for name in WANTED | OTHER}
    files["model_index.json"] = json.dumps({"_class_name": "StableAudioPipeline"}).encode()
    store = ModelStore(tmp_path / "models")
    with Running(FakeHub(repos={REPO: files}, card={"license": "other"})) as hub:
        environ = {"HF_ENDPOINT": hub.url}
        found = fetch(OPEN, look_up(OPEN, environ), store, lambda _: None, environ)
    folder = store.path(OPEN.name)
    there = {one.relative_to(folder).as_posix() for one in folder.rglob("*") if one.is_file()} - {
        NOTE
    }
    assert set(found.files) == there == WANTED
    assert (folder / "vae/config.json").read_bytes() == b"vae/config.json"
    assert not found.commercial
    (folder / NOTE).unlink()
    assert adopt(OPEN, store).fingerprint == found.fingerprint
    (folder / "model_index.json").unlink()
    with pytest.raises(UserError, match="does not hold"):
        adopt(OPEN, store)


def test_weights_of_another_format_are_not_fetched_in_vain():
    known = entry("stable-audio-3-medium")
    files = {"model.safetensors": b"x", "model_config.json": b"{}"}
    with (
        Running(FakeHub(repos={known.repo: files})) as hub,
        pytest.raises(UserError, match=r"Convert it, .* docs/diffusion\.md"),
    ):
        look_up(known, {"HF_ENDPOINT": hub.url})
