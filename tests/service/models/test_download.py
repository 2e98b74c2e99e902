"""Fetching from a hub that breaks in every way a hub can break."""

from __future__ import annotations

import errno
import json

import numpy as np
import pytest

pytest.importorskip("huggingface_hub", reason="HUGGINGFACE_HUB IS MISSING: downloads untested")

from huggingface_hub import constants

from domain.errors import DiskFullError, UsageError, UserError
from service.models import download
from service.models.catalogue import FILE, Role, catalogue, entry, is_free
from service.models.download import adopt, chosen, fetch, look_up
from service.models.store import NOTE, ModelStore, fingerprint
from service.models.transfer import in_a_sentence
from tests.service.models.fakehub import COMMIT, FakeHub, Running

REPO = "m-a-p/MERT-v1-95M"
WEIGHTS = np.random.default_rng(0).bytes(60_000)
CONFIG = json.dumps({"model_type": "mert_model"}).encode()
FILES = {
    "config.json": CONFIG,
    "preprocessor_config.json": b"{}",
    "pytorch_model.bin": WEIGHTS,
    "modeling_MERT.py": b"raise SystemExit('code was fetched')",
    "README.md": b"---\nlicense: cc-by-nc-4.0\n---\n",
}
FETCHED = {"config.json", "preprocessor_config.json", "pytorch_model.bin"}
MERT = entry("mert-95m")


@pytest.fixture
def hub():
    made = FakeHub(repos={REPO: dict(FILES)}, card={"license": "cc-by-nc-4.0"})
    with Running(made) as running:
        yield running


@pytest.fixture
def store(tmp_path):
    return ModelStore(tmp_path / "models")


def pull(hub, store, known=MERT):
    said = []
    environ = {"HF_ENDPOINT": hub.url}
    return fetch(known, look_up(known, environ), store, said.append, environ), said


def test_a_pull_brings_weights_and_configuration_and_no_code(hub, store):
    found, said = pull(hub, store)
    folder = store.path("mert-95m")
    assert {path.name for path in folder.iterdir() if path.is_file()} == FETCHED | {NOTE}
    assert (folder / "pytorch_model.bin").read_bytes() == WEIGHTS
    assert set(found.files) == FETCHED
    assert (found.revision, found.licence, found.commercial) == (COMMIT, "CC-BY-NC-4.0", False)
    assert found.bytes == sum(len(FILES[name]) for name in FETCHED)
    assert len(found.fingerprint) == 8
    assert said[0].startswith("1/3")
    assert store.installed("mert-95m") == found
    assert store.every() == [found]


def test_what_is_here_is_not_fetched_again(hub, store):
    pull(hub, store)
    hub.asked.clear()
    pull(hub, store)
    assert hub.asked == ["/api/models/m-a-p/MERT-v1-95M/revision/main"]


def test_a_cut_is_resumed_within_a_pull(hub, store, monkeypatch):
    monkeypatch.setattr(constants, "DOWNLOAD_CHUNK_SIZE", 1000)
    hub.cut, hub.cut_after = 1, 20_000
    found, _ = pull(hub, store)
    assert (store.path("mert-95m") / "pytorch_model.bin").read_bytes() == WEIGHTS
    assert len(hub.ranges) == 1
    assert 0 < int(hub.ranges[0].removeprefix("bytes=").rstrip("-")) <= 20_000
    assert found.files["pytorch_model.bin"]


def test_a_pull_that_failed_goes_on_where_it_stopped(hub, store, monkeypatch):
    monkeypatch.setattr(constants, "DOWNLOAD_CHUNK_SIZE", 1000)
    hub.cut, hub.cut_after, hub.broken = 1, 20_000, 1
    with pytest.raises(UserError, match="HTTP 503"):
        pull(hub, store)
    assert store.installed("mert-95m") is None
    hub.ranges.clear()
    pull(hub, store)
    assert store.installed("mert-95m") is not None
    assert (store.path("mert-95m") / "pytorch_model.bin").read_bytes() == WEIGHTS
    assert int(hub.ranges[0].removeprefix("bytes=").rstrip("-")) > 10_000


@pytest.mark.parametrize("name", ["pytorch_model.bin", "config.json"])
def test_a_wrong_checksum_deletes_the_file(hub, store, name):
    hub.lies.add(name)
    with pytest.raises(UserError, match=f"{name} is not what the hub says"):
        pull(hub, store)
    assert not (store.path("mert-95m") / name).exists()
    assert store.installed("mert-95m") is None
    hub.lies.clear()
    pull(hub, store)
    assert store.installed("mert-95m") is not None


@pytest.mark.parametrize(
    ("status", "code", "words"),
    [
        (404, "RepoNotFound", "There is no model m-a-p/MERT-v1-95M"),
        (401, "RepoNotFound", "There is no model"),
        (403, "GatedRepo", "is gated: accept its terms"),
        (404, "RevisionNotFound", "has no revision main"),
        (400, "", "HTTP 400"),
    ],
)
def test_what_the_hub_refuses_is_a_sentence(hub, store, status, code, words):
    hub.status, hub.error_code = status, code
    with pytest.raises(UserError, match=words) as caught:
        pull(hub, store)
    assert "\n" not in str(caught.value)
    assert store.every() == []


def test_no_network_is_a_sentence():
    with pytest.raises(UserError, match=r"http://127.0.0.1:9 cannot be reached"):
        look_up(MERT, {"HF_ENDPOINT": "http://127.0.0.1:9"})


def test_a_full_disk_is_a_sentence(hub, store, monkeypatch):
    with pytest.raises(DiskFullError, match="The disk is full"), in_a_sentence(MERT, hub.url):
        raise OSError(errno.ENOSPC, "No space left on device")
    monkeypatch.setattr(download, "SPARE", 10**18)
    with pytest.raises(DiskFullError, match="free some space"):
        pull(hub, store)
    assert not (store.path("mert-95m") / "config.json").exists()


def test_the_hub_says_what_the_licence_is_now(hub, store):
    hub.card = {"license": "apache-2.0"}
    found, _ = pull(hub, store)
    assert (found.licence, found.commercial) == ("apache-2.0", True)


def test_any_encoder_of_the_hub(hub, store):
    hub.repos["some/wavlm"] = {"config.json": b"{}", "model.safetensors": WEIGHTS, "a.bin": b"x"}
    hub.card = {}
    found, _ = pull(hub, store, entry("some/wavlm"))
    assert set(found.files) == {"config.json", "model.safetensors"}
    assert (found.licence, found.commercial) == ("not known", False)
    assert store.path("some/wavlm").name == "some--wavlm"
    assert [one.name for one in store.every()] == ["some/wavlm"]


def test_a_file_outside_the_folder_is_not_fetched(hub, store):
    hub.repos[REPO] |= {"../../evil.json": b"{}", "/etc/evil.json": b"{}"}
    found, _ = pull(hub, store)
    assert set(found.files) == FETCHED


def test_a_repository_without_weights(hub, store):
    hub.repos[REPO] = {"config.json": b"{}", "flax_model.msgpack": b"x"}
    with pytest.raises(UserError, match="holds no weights"):
        pull(hub, store)


def test_files_that_were_copied_here_are_taken_over_without_a_network(store):
    folder = store.path("mert-95m")
    with pytest.raises(UserError, match="does not hold"):
        adopt(MERT, store)
    folder.mkdir(parents=True)
    (folder / "pytorch_model.bin").write_bytes(WEIGHTS)
    with pytest.raises(UserError, match="does not hold"):
        adopt(MERT, store)
    (folder / "config.json").write_bytes(CONFIG)
    found = adopt(MERT, store)
    assert (found.revision, set(found.files)) == ("local", {"config.json", "pytorch_model.bin"})
    assert store.installed("mert-95m") == found


def test_the_same_files_have_the_same_fingerprint_however_they_came(hub, store, tmp_path):
    found, _ = pull(hub, store)
    other = ModelStore(tmp_path / "other")
    other.path("mert-95m").mkdir(parents=True)
    for name in FETCHED:
        (other.path("mert-95m") / name).write_bytes(FILES[name])
    assert adopt(MERT, other).fingerprint == found.fingerprint
    assert fingerprint({**found.files, "config.json": "0" * 64}) != found.fingerprint


def test_a_file_that_went_makes_a_model_incomplete(hub, store):
    pull(hub, store)
    (store.path("mert-95m") / "pytorch_model.bin").unlink()
    assert store.installed("mert-95m") is None
    assert store.remove("mert-95m") > 0
    with pytest.raises(UserError, match="not on this machine"):
        store.remove("mert-95m")


def test_what_was_agreed_to_is_remembered_for_that_licence(store):
    assert not store.agreed("mert-95m", "CC-BY-NC-4.0")
    store.agree("mert-95m", "CC-BY-NC-4.0")
    assert store.agreed("mert-95m", "CC-BY-NC-4.0")
    assert not store.agreed("mert-95m", "another")
    assert not store.agreed("clap", "CC-BY-NC-4.0")
    (store.folder / "licences.json").write_text("[")
    assert not store.agreed("mert-95m", "CC-BY-NC-4.0")


def test_the_catalogue_is_whole():
    assert FILE.is_file()
    for one in catalogue().values():
        assert one.repo.count("/") == 1
        assert one.megabytes > 0
        assert one.purpose
        assert one.memory
        assert one.commercial == is_free(one.licence)
    assert [one.name for one in catalogue().values() if one.role is Role.ENCODER] == [
        "mert-95m",
        "mert-330m",
        "clap",
    ]
    assert entry("laion/larger_clap_music") is entry("clap")
    for wrong in ("mert-95", "../secret", "a/b/c", ""):
        with pytest.raises(UsageError, match=r"There is no model"):
            entry(wrong)


def test_which_files_are_fetched():
    everything = [*FILES, "model.safetensors", "tokenizer.json", "merges.txt", "onnx/model.onnx"]
    assert chosen(everything) == {
        *(FETCHED - {"pytorch_model.bin"}),
        "model.safetensors",
        "tokenizer.json",
        "merges.txt",
    }
    parts = ["pytorch_model-00001-of-00002.bin", "pytorch_model.bin.index.json"]
    assert chosen(["config.json", *parts]) == {"config.json", *parts}
    assert chosen(["config.json"]) == set()
