"""What every encoder promises, whatever hears: the same tests over the built-in one and tiny learned ones."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("transformers", reason="TRANSFORMERS IS MISSING: learned encoders untested")

from domain.errors import ScoringError
from scoring.encoder import Kind
from scoring.encoders import create_encoder
from tests.scoring.learned import checkpoints
from tests.scoring.synth import Piece, play

RATE = 22050
MADE = {
    "mert": (checkpoints.mert, Kind.MERT),
    "wav2vec2": (checkpoints.wav2vec2, Kind.HUB),
    "wavlm": (checkpoints.wavlm, Kind.HUB),
    "clap": (checkpoints.clap, Kind.CLAP),
}
NAMES = ("features", *MADE)


@pytest.fixture(scope="module")
def encoders(tmp_path_factory):
    made = {"features": create_encoder()}
    for name, (write, kind) in MADE.items():
        folder = tmp_path_factory.mktemp(name)
        write(folder)
        made[name] = create_encoder(checkpoints.weights(folder, kind), device="cpu")
    return made


@pytest.fixture(scope="module")
def clips():
    pieces = (Piece(tempo=80, minor=True, drums=0.1), Piece(tempo=150, bright=0.9, drums=1.0))
    return [play(piece, seed=i, seconds=2.0 + i, rate=RATE) for i, piece in enumerate(pieces)]


@pytest.fixture(params=NAMES)
def encoder(request, encoders):
    return encoders[request.param]


def apart(one, other) -> float:
    """Distance of two embeddings in parts of their length, the worst layer's."""
    return float((np.linalg.norm(one - other, axis=1) / np.linalg.norm(other, axis=1)).max())


def test_shape_type_and_finiteness(encoder, clips):
    for clip in (*clips, clips[0][:, 0]):
        heard = encoder.encode(clip, RATE)
        assert heard.shape == (encoder.info.layers, encoder.info.dimensions)
        assert heard.dtype == np.float32
        assert np.isfinite(heard).all()


def test_the_same_clip_gives_the_same_numbers(encoder, clips):
    assert np.array_equal(encoder.encode(clips[0], RATE), encoder.encode(clips[0].copy(), RATE))


def test_other_clips_give_other_numbers(encoder, clips):
    assert apart(encoder.encode(clips[0], RATE), encoder.encode(clips[1], RATE)) > 1e-4


def test_a_batch_changes_nothing_and_keeps_the_order(encoder, clips):
    alone = [encoder.encode(clip, RATE) for clip in clips]
    together = encoder.encode_batch([clips[1], clips[0], clips[1]], RATE)
    for heard, own in zip(together, (alone[1], alone[0], alone[1]), strict=True):
        assert np.array_equal(heard, own)
    assert encoder.encode_batch([], RATE) == []


def test_one_bad_clip_costs_no_other(encoder, clips):
    bad = clips[0].copy()
    bad[100] = np.nan
    first, broken, empty, last = encoder.encode_batch(
        [clips[0], bad, np.zeros((0, 2), np.float32), clips[1]], RATE
    )
    assert np.array_equal(first, encoder.encode(clips[0], RATE))
    assert np.array_equal(last, encoder.encode(clips[1], RATE))
    assert isinstance(broken, ScoringError)
    assert "not finite" in str(broken)
    assert isinstance(empty, ScoringError)
    assert "empty" in str(empty)


def test_gain_does_not_matter(encoder, clips):
    heard = encoder.encode(clips[0], RATE)
    for gain in (0.001, 0.25, 2.0):
        assert apart(encoder.encode((gain * clips[0]).astype(np.float32), RATE), heard) < 0.02


@pytest.mark.parametrize(
    ("clip", "rate", "words"),
    [
        (np.zeros(0, np.float32), RATE, "empty"),
        (np.full(1000, np.nan, np.float32), RATE, "not finite"),
        (np.full(1000, np.inf, np.float32), RATE, "not finite"),
        (np.zeros((100, 9), np.float32), RATE, "channels"),
        (np.zeros(1000, np.float32), 7, "sample rate"),
        (np.zeros(601 * 2000, np.float32), 2000, "longer than 600 seconds"),
        (np.array(["noise"] * 100), RATE, "numbers"),
    ],
)
def test_what_is_no_clip_is_refused_in_a_sentence(encoder, clip, rate, words):
    with pytest.raises(ScoringError, match=words) as caught:
        encoder.encode(clip, rate)
    assert str(caught.value).endswith(".")


def test_silence_and_a_single_sample_are_heard(encoder):
    for clip in (np.zeros((RATE, 2), np.float32), np.full(1, 0.5, np.float32)):
        assert np.isfinite(encoder.encode(clip, RATE)).all()


def test_a_long_clip_is_heard_from_end_to_end(encoder, clips):
    calm, busy = (np.tile(clip[: 2 * RATE], (12, 1)) for clip in clips)
    heard = encoder.encode(np.concatenate([calm, busy]), RATE)
    halves = [encoder.encode(half, RATE) for half in (calm, busy)]
    assert apart(heard, (halves[0] + halves[1]) / 2) < apart(halves[0], halves[1])
    assert min(apart(half, heard) for half in halves) > 1e-4


def test_ids_tell_weights_apart(encoders):
    assert len({one.info.id for one in encoders.values()}) == 2  # the tiny ones share a fingerprint
    assert encoders["mert"].info.id == "tiny-1.12345678"
    assert encoders["mert"].info.licence == "CC-BY-NC-4.0"
