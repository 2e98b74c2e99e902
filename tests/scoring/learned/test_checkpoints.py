"""Real formats, read strictly: the network is exactly the published one, and what is no checkpoint is never run."""

from __future__ import annotations

import json
import os
import pickle

import numpy as np
import pytest

pytest.importorskip("transformers", reason="TRANSFORMERS IS MISSING: learned encoders untested")

import torch
from safetensors.torch import load_file, save_file

from domain.errors import ScoringError
from scoring.encoder import Kind
from scoring.encoders import create_clap, create_encoder
from scoring.learned.hearing import LEVEL, Hearing, resampled
from scoring.learned.waves import Runtime
from tests.scoring.learned import checkpoints

RATE = 24000


@pytest.fixture
def sound():
    time = np.arange(2 * RATE) / RATE
    return (0.3 * np.sin(2 * np.pi * 220 * time) + 0.1 * np.sin(900 * time)).astype(np.float32)


def load(folder, kind=Kind.MERT):
    return create_encoder(checkpoints.weights(folder, kind), device="cpu")


def by_hand(network, sound, *, standardise=True):
    """What the published network itself says: each layer's mean over time, in float32."""
    given = (sound - sound.mean()) / sound.std() if standardise else sound
    with torch.inference_mode():
        layers = network(torch.from_numpy(given)[None], output_hidden_states=True).hidden_states
    return np.stack([layer[0].mean(dim=0).numpy() for layer in layers])


def cosine(one, other):
    return (one * other).sum(axis=1) / np.linalg.norm(one, axis=1) / np.linalg.norm(other, axis=1)


@pytest.mark.parametrize("safe", [False, True])
@pytest.mark.parametrize("stable", [False, True])
def test_mert_is_heard_as_its_authors_network_hears(tmp_path, sound, safe, stable):
    network = checkpoints.mert(tmp_path, safe=safe, stable=stable)
    heard = load(tmp_path).encode(sound, RATE)
    wanted = by_hand(network, sound)
    assert heard.shape == (checkpoints.LAYERS + 1, checkpoints.WIDTH)
    assert cosine(heard, wanted).min() > 0.999  # bfloat16 against float32


def test_wav2vec2_leaves_its_heads_behind(tmp_path):
    network = checkpoints.wav2vec2(tmp_path)
    sound = np.random.default_rng(0).normal(size=16000).astype(np.float32)
    heard = load(tmp_path, Kind.HUB).encode(sound, 16000)
    assert cosine(heard, by_hand(network.wav2vec2, sound)).min() > 0.999


def test_wavlm_hears_the_level_that_it_was_trained_on(tmp_path):
    network = checkpoints.wavlm(tmp_path)
    sound = np.random.default_rng(0).normal(size=16000).astype(np.float32)
    heard = load(tmp_path, Kind.HUB).encode(sound, 16000)
    level = sound * (LEVEL / np.sqrt(np.mean(sound**2)))
    assert cosine(heard, by_hand(network, level, standardise=False)).min() > 0.999


def test_clap_puts_sound_and_words_into_one_space(tmp_path, sound):
    network = checkpoints.clap(tmp_path)
    encoder = create_clap(checkpoints.weights(tmp_path, Kind.CLAP), device="cpu")
    heard = encoder.encode(sound, RATE)
    read = encoder.encode_text(["slow lofi piano", "techno " * 60])
    assert heard.shape == (1, checkpoints.CLAP_WIDTH)
    assert read.shape == (2, checkpoints.CLAP_WIDTH)
    assert np.linalg.norm(np.concatenate([heard, read]), axis=1) == pytest.approx(1.0, abs=0.01)
    assert not np.allclose(read[0], read[1], atol=1e-3)
    alone = encoder.encode_text(["slow lofi piano"])
    assert cosine(alone, read[:1]).min() > 0.999  # padding says nothing
    with torch.inference_mode():
        ids = encoder._reader()(["slow lofi piano"], return_tensors="pt")["input_ids"]
        wanted = network.get_text_features(input_ids=ids).pooler_output.numpy()
    assert cosine(alone, wanted).min() > 0.99
    for texts in ([], [" "]):
        with pytest.raises(ScoringError, match="must not be empty"):
            encoder.encode_text(texts)


def test_clap_crops_nothing_by_chance(tmp_path):
    checkpoints.clap(tmp_path)
    encoder = create_clap(checkpoints.weights(tmp_path, Kind.CLAP), device="cpu")
    sound = np.random.default_rng(1).normal(size=12 * 48000).astype(np.float32)
    assert np.array_equal(encoder.encode(sound, 48000), encoder.encode(sound, 48000))


def test_a_tokenizer_that_is_missing_is_a_sentence(tmp_path):
    checkpoints.clap(tmp_path)
    for name in ("vocab.json", "merges.txt", "tokenizer_config.json"):
        (tmp_path / name).unlink()
    encoder = create_clap(checkpoints.weights(tmp_path, Kind.CLAP), device="cpu")
    with pytest.raises(ScoringError, match="tokenizer"):
        encoder.encode_text(["slow lofi"])


class Bomb:
    def __init__(self, path) -> None:
        self.path = path

    def __reduce__(self):
        return (os.mkdir, (str(self.path),))


def test_a_pickle_that_wants_to_run_code_is_never_run(tmp_path):
    checkpoints.mert(tmp_path)
    mark, file = tmp_path / "exploded", tmp_path / "pytorch_model.bin"
    for write in (
        lambda: torch.save({"encoder.layer_norm.weight": Bomb(mark)}, file),
        lambda: file.write_bytes(pickle.dumps(Bomb(mark))),
    ):
        write()
        with pytest.raises(ScoringError, match="something other than weights"):
            load(tmp_path)
        assert not mark.exists()
    pickle.loads(pickle.dumps(Bomb(mark)))  # noqa: S301 - so that the test would notice
    assert mark.exists()


@pytest.mark.parametrize("safe", [False, True])
def test_a_truncated_checkpoint_is_refused(tmp_path, safe):
    checkpoints.mert(tmp_path, safe=safe)
    file = tmp_path / ("model.safetensors" if safe else "pytorch_model.bin")
    whole = file.read_bytes()
    for size in (0, 7, len(whole) // 2, len(whole) - 10):
        file.write_bytes(whole[:size])
        with pytest.raises(ScoringError, match=file.name) as caught:
            load(tmp_path)
        assert "\n" not in str(caught.value)


def drop(state):
    del state["encoder.layers.1.attention.k_proj.weight"]


def add(state):
    state["encoder.layers.3.attention.k_proj.weight"] = torch.zeros(2, 2)


def bend(state):
    state["encoder.layer_norm.weight"] = torch.zeros(3)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (drop, "lacks encoder.layers.1.attention.k_proj.weight"),
        (add, "more weights than its configuration, such as encoder.layers.3"),
        (bend, r"encoder.layer_norm.weight is of shape \(3,\), not \(24,\)"),
    ],
)
def test_weights_that_do_not_fit_are_named(tmp_path, change, words):
    checkpoints.mert(tmp_path, safe=True)
    state = load_file(tmp_path / "model.safetensors")
    change(state)
    save_file(state, tmp_path / "model.safetensors")
    with pytest.raises(ScoringError, match=words):
        load(tmp_path)


def test_weights_that_are_not_finite_are_noticed(tmp_path, sound):
    checkpoints.mert(tmp_path, safe=True)
    state = load_file(tmp_path / "model.safetensors")
    state["encoder.layer_norm.weight"][0] = torch.nan
    save_file(state, tmp_path / "model.safetensors")
    with pytest.raises(ScoringError, match="not finite"):
        load(tmp_path).encode(sound, RATE)


def test_weights_in_parts_are_put_together(tmp_path, sound):
    checkpoints.mert(tmp_path, safe=True)
    whole = load(tmp_path).encode(sound, RATE)
    state = load_file(tmp_path / "model.safetensors")
    (tmp_path / "model.safetensors").unlink()
    names = sorted(state)
    where = {name: f"part-{place % 2}.safetensors" for place, name in enumerate(names)}
    for part in set(where.values()):
        save_file({n: t for n, t in state.items() if where[n] == part}, tmp_path / part)
    index = tmp_path / "model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": where}))
    assert np.array_equal(load(tmp_path).encode(sound, RATE), whole)
    (tmp_path / "part-1.safetensors").unlink()
    with pytest.raises(ScoringError, match=r"part-1.safetensors is missing"):
        load(tmp_path)
    index.write_text(json.dumps({"weight_map": {"x": "../../etc/passwd"}}))
    with pytest.raises(ScoringError, match="does not say which files"):
        load(tmp_path)


@pytest.mark.parametrize(
    ("kind", "change", "words"),
    [
        (Kind.MERT, {"feature_extractor_cqt": True}, "constant-Q"),
        (Kind.MERT, {"deepnorm": True}, "DeepNorm"),
        (Kind.MERT, {"hidden_size": 25}, "makes no network|is wrong|shape"),
        (Kind.MERT, {"conv_dim": [16]}, "is wrong|makes no network"),
        (Kind.HUB, {}, "brings code of its own, which is never run"),
        (Kind.HUB, {"model_type": "whisper", "auto_map": None}, "of type whisper"),
        (Kind.CLAP, {}, "not CLAP"),
    ],
)
def test_configurations_that_cannot_be_used_are_refused(tmp_path, kind, change, words):
    checkpoints.mert(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    checkpoints.write_json(tmp_path, "config.json", config | change)
    with pytest.raises(ScoringError, match=words) as caught:
        load(tmp_path, kind)
    assert "\n" not in str(caught.value)


def test_what_is_missing_is_named(tmp_path):
    with pytest.raises(ScoringError, match=r"config.json is missing"):
        load(tmp_path)
    checkpoints.mert(tmp_path)
    (tmp_path / "pytorch_model.bin").unlink()
    with pytest.raises(ScoringError, match="holds no weights"):
        load(tmp_path)
    (tmp_path / "config.json").write_text("[]")
    with pytest.raises(ScoringError, match="not the configuration"):
        load(tmp_path)
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(ScoringError, match="not JSON"):
        load(tmp_path)


def test_a_device_that_is_not_there_is_a_sentence():
    with pytest.raises(ScoringError, match="There is no device 'cuda:7'"):
        Runtime.named("cuda:7")
    assert torch.get_num_threads() == 1


def test_rates_levels_and_windows():
    hearing = Hearing(sample_rate=16000, standardise=False)
    time = np.arange(3 * 44100) / 44100
    (window,) = hearing.windows(np.sin(2 * np.pi * 440 * time).astype(np.float32), 44100)
    assert len(window) == 48000
    assert np.sqrt(np.mean(window**2)) == pytest.approx(LEVEL, rel=1e-3)
    peak = np.argmax(np.abs(np.fft.rfft(window))) / 3
    assert peak == pytest.approx(440.0, abs=1.0)
    parts = Hearing(sample_rate=16000).windows(np.ones(16000 * 400, np.float32), 16000)
    assert len(parts) == 12
    assert {len(part) for part in parts} == {160000}
    assert resampled(window, 16000, 16000) is window
