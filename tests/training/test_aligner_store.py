"""Stores of embeddings: from every kind of source, with broken pieces between, killed and gone on with."""

from __future__ import annotations

import json

import numpy as np
import pytest
import soundfile

pytest.importorskip("safetensors", reason="SAFETENSORS IS MISSING: stores were not tested")
from safetensors.numpy import save_file

from domain.errors import UserError
from scoring.features import FeatureEncoder
from training.aligner.account import Account
from training.aligner.build_store import Encoding, build_store
from training.aligner.store import JOURNAL, NUMBERS, Store

RNG = np.random.default_rng(0)
ONE = {f"t{i}": RNG.normal(size=(3, 5)).astype(np.float32) for i in range(6)}
ENCODER = FeatureEncoder()


def _build(source, folder):
    account, said = Account(), []
    store = build_store(
        source,
        folder,
        encoding=Encoding(encoder=lambda: ENCODER, id="theirs"),
        account=account,
        say=said.append,
    )
    return store, account


def _write(folder, kind, tracks):
    folder.mkdir(exist_ok=True)
    names = list(tracks)
    match kind:
        case "npz of tracks":
            np.savez(folder / "a.npz", **tracks)
        case "npz of arrays":
            half = len(names) // 2
            for place, part in enumerate((names[:half], names[half:])):
                np.savez(
                    folder / f"{place}.npz",
                    ids=np.array(part),
                    embeddings=np.stack([tracks[n] for n in part]),
                )
        case "safetensors":
            save_file(tracks, folder / "a.safetensors")
        case "json":
            for name, value in tracks.items():
                (folder / f"{name}.json").write_text(json.dumps({name: value.tolist()}))


@pytest.mark.parametrize("kind", ["npz of tracks", "npz of arrays", "safetensors", "json"])
def test_embeddings_of_every_kind_end_in_one_store(tmp_path, kind):
    _write(tmp_path / "in", kind, ONE)
    store, account = _build(tmp_path / "in", tmp_path / "store")
    assert sorted(store.tracks) == sorted(ONE)
    assert (store.layers, store.dimensions, account.embedded) == (3, 5, 6)
    assert store.encoder_id == "theirs"
    assert account.lines() == []
    rows = np.array([5, 0, 5])
    expected = np.stack([ONE[store.tracks[r]] for r in rows])
    assert np.allclose(store.read(rows), expected, atol=2e-3)
    assert store.read(rows).dtype == np.float32
    again, _ = _build(tmp_path / "store", tmp_path / "elsewhere")
    assert again.tracks == store.tracks
    assert not (tmp_path / "elsewhere").exists()


def test_what_is_broken_is_named_and_the_rest_kept(tmp_path):
    _write(tmp_path, "json", ONE)
    (tmp_path / "a0.json").write_text('{"cut": [[1, 2')
    (tmp_path / "a1.json").write_text("[1, 2]")
    (tmp_path / "a2.json").write_text("[" * 100_000)
    (tmp_path / "b.npz").write_bytes(b"PK\x03\x04 no")
    np.savez(tmp_path / "c.npz", ids=np.array([object()]), embeddings=np.zeros((1, 3, 5)))
    (tmp_path / "d.safetensors").write_bytes(b"\x00" * 20)
    np.savez(
        tmp_path / "u.npz",
        t1=ONE["t1"],
        nan=np.full((3, 5), np.nan),
        huge=np.full((3, 5), 1e9),
        wide=np.zeros((3, 6)),
        words=np.array(["x"]),
        deep=np.zeros((1, 1, 3, 5)),
    )
    (tmp_path / "v.json").write_text(
        json.dumps({"ragged": [[1], [1, 2]], "long": [[10**400]], "batch": [ONE["t2"].tolist()]})
    )
    store, account = _build(tmp_path, tmp_path / "store")
    assert sorted(store.tracks) == sorted([*ONE, "batch"])
    assert dict(account.skipped) == {
        "a file that cannot be read": 6,
        "a track that was there before": 1,
        "an embedding with numbers that are not finite or too large": 2,
        "an embedding that is not (3, 5)": 1,
        "an embedding that is no matrix of numbers": 4,
    }
    assert "u.npz: wide" in "".join(account.lines())


def test_nothing_usable_is_a_sentence(tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "x.json").write_text("{}")
    for source, words in (
        (tmp_path / "none", "There is no"),
        (tmp_path / "empty", "holds no embeddings"),
        (tmp_path / "x.json", "can be used"),
    ):
        with pytest.raises(UserError, match=words):
            _build(source, tmp_path / "store")


def test_audio_is_encoded_under_its_own_name(tmp_path):
    tone = np.sin(np.arange(22050 * 2) * 0.05).astype(np.float32)
    soundfile.write(tmp_path / "tone.wav", tone, 22050)
    soundfile.write(tmp_path / "noise.flac", 0.1 * RNG.normal(size=22050), 22050)
    soundfile.write(tmp_path / "empty.wav", tone[:0], 22050)
    (tmp_path / "no.flac").write_bytes(b"nothing")
    store, account = _build(tmp_path, tmp_path / "store")
    assert store.tracks == ["noise", "tone"]
    assert store.encoder_id == ENCODER.info.id
    expected = ENCODER.encode(*soundfile.read(tmp_path / "tone.wav", dtype="float32"))
    assert np.allclose(store.read(np.array([1]))[0], expected, rtol=2e-3, atol=2e-3)
    assert account.skipped == {"audio that cannot be encoded": 2}


def test_audio_and_embeddings_are_not_mixed(tmp_path):
    _write(tmp_path, "safetensors", ONE)
    soundfile.write(tmp_path / "tone.wav", 0.1 * RNG.normal(size=22050), 22050)
    for _ in range(2):  # also where the store is there already
        store, account = _build(tmp_path, tmp_path / "store")
        assert sorted(store.tracks) == sorted(ONE)
    assert account.embedded == 6


def test_a_build_that_was_killed_goes_on(tmp_path):
    _write(tmp_path / "in", "json", ONE)
    whole, _ = _build(tmp_path / "in", tmp_path / "store")
    folder = tmp_path / "store"
    lines = (folder / JOURNAL).read_text().splitlines(keepends=True)
    for cut in (1, 3, len(lines)):
        torn = "".join(lines[:cut]) + '{"source": "t4.js'
        (folder / JOURNAL).write_text(torn)
        with (folder / NUMBERS).open("ab") as file:
            file.write(b"rows that no line tells of")
        again, _ = _build(tmp_path / "in", folder)
        assert again.tracks == whole.tracks
        assert np.array_equal(again.read(np.arange(6)), whole.read(np.arange(6)))
        assert (folder / NUMBERS).stat().st_size in (6 * 3 * 5 * 2, 6 * 3 * 5 * 2 + 26)


def test_a_store_of_another_encoder_is_not_gone_on_with(tmp_path):
    _write(tmp_path / "in", "json", ONE)
    _build(tmp_path / "in", tmp_path / "store")
    for name in ("theirs", ""):
        again = Encoding(encoder=lambda: ENCODER, id=name)
        build_store(
            tmp_path / "in", tmp_path / "store", encoding=again, account=Account(), say=print
        )
    other = Encoding(encoder=lambda: ENCODER, id="ours")
    with pytest.raises(UserError, match="begun with the encoder theirs, not ours"):
        build_store(
            tmp_path / "in", tmp_path / "store", encoding=other, account=Account(), say=print
        )


def test_a_damaged_store_is_a_sentence(tmp_path):
    _write(tmp_path / "in", "json", ONE)
    _build(tmp_path / "in", tmp_path / "store")
    folder = tmp_path / "store"
    journal = (folder / JOURNAL).read_text()
    (folder / NUMBERS).write_bytes(b"short")
    with pytest.raises(UserError, match="cut off"):
        Store(folder)
    for text in ("", "no json\n", "[]\n", journal.replace('"format": 1', '"format": 9')):
        (folder / JOURNAL).write_text(text)
        with pytest.raises(UserError, match=r"damaged|not of a store"):
            Store(folder)
    with pytest.raises(UserError, match="no store"):
        Store(tmp_path / "nowhere")
