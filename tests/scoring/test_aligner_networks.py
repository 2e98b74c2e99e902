"""The two networks: AlignerV2 number for number, its checkpoints, our compact one, and their folders."""

from __future__ import annotations

import json
import math
import pickle
import zipfile

import numpy as np
import pytest
from scipy.special import erf

torch = pytest.importorskip("torch", reason="TORCH IS MISSING: the aligners were not tested")

from domain.errors import ScoringError  # noqa: E402
from scoring.aligner.checkpoint import read_checkpoint  # noqa: E402
from scoring.aligner.compact import BUFFERS, CompactAligner, CompactShape  # noqa: E402
from scoring.aligner.compact_network import CompactNetwork  # noqa: E402
from scoring.aligner.folder import CONFIG, WEIGHTS, Config, load, save  # noqa: E402
from scoring.aligner.protocol import AlignerKind  # noqa: E402
from scoring.aligner.seed import SeedAligner  # noqa: E402
from scoring.aligner.seed_network import SeedNetwork, SeedShape  # noqa: E402

SMALL = SeedShape(users=9, layers=3, dimensions=8, user_size=5, hidden=16)
GOLDEN = {
    "temp": (),
    "gate.weight": (9984, 9984),
    "gate.bias": (9984,),
    "gate_transform.weight": (768, 768),
    "gate_transform.bias": (768,),
    "gate_norm.weight": (768,),
    "gate_norm.bias": (768,),
    "gate_out_norm.weight": (768,),
    "gate_out_norm.bias": (768,),
    "users.weight": (967, 256),
    "linear1.weight": (2048, 256),
    "linear1.bias": (2048,),
    "fc1.weight": (2048, 256),
    "fc1.bias": (2048,),
    "linear2.weight": (768, 2048),
    "linear2.bias": (768,),
    "fc2.weight": (768, 2048),
    "fc2.bias": (768,),
    "ln_usr.weight": (768,),
    "ln_usr.bias": (768,),
    "linear3.weight": (768, 256),
    "linear3.bias": (768,),
    "f5.weight": (2048, 768),
    "f5.bias": (2048,),
    "f6.weight": (768, 2048),
    "f6.bias": (768,),
    "ln2.weight": (768,),
    "ln2.bias": (768,),
}


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(3)
    made = SeedNetwork(SMALL)
    for one in made.parameters():  # norms and biases that do something
        one.data += 0.3 * torch.randn(one.shape)
    return made.eval()


@pytest.fixture(scope="module")
def clips():
    return np.random.default_rng(0).normal(size=(7, 3, 8)).astype(np.float32)


@pytest.fixture
def checkpoint(tmp_path, network):
    """Write a file as the original's training does, with changes."""

    def write(model=None, settings=None, **more):
        optimiser = torch.optim.AdamW(network.parameters())
        config = {"aggr": "gating-tanh", "dropout": 0.25, "encoder": "MERT", "lr": 0.001}
        config |= settings or {}
        content = {
            "model": network.state_dict() if model is None else model,
            "optimizer": optimiser.state_dict(),
            "config": config,
        }
        file = tmp_path / "run_best.pt"
        torch.save(content | more, file)
        return file

    return write


def test_alignerv2_has_the_names_shapes_and_number_of_parameters_of_the_original():
    with torch.device("meta"):
        full = SeedNetwork(SeedShape())
    assert {name: tuple(one.shape) for name, one in full.state_dict().items()} == GOLDEN
    assert sum(one.numel() for one in full.parameters()) == 108_080_385


def test_alignerv2_computes_what_its_description_says(network, clips):
    """Worked out once more, in numpy, from the formulas."""
    w = {name: one.numpy().astype(np.float64) for name, one in network.state_dict().items()}

    def gelu(x):
        return x * 0.5 * (1 + erf(x / math.sqrt(2)))

    def linear(name, x):
        return x @ w[f"{name}.weight"].T + w[f"{name}.bias"]

    def norm(name, x):
        x = (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-5)
        return x * w[f"{name}.weight"] + w[f"{name}.bias"]

    def head(x):
        return norm("ln2", linear("f6", gelu(linear("f5", x))) + x)

    gate = np.tanh(linear("gate", clips.reshape(7, 24))).reshape(7, 3, 8)
    values = norm("gate_norm", clips + gelu(linear("gate_transform", clips)))
    music = head(norm("gate_out_norm", (gate * values).sum(axis=1)))
    row = w["users.weight"]
    hidden = gelu(linear("fc1", row)) + linear("linear1", row)
    users = head(
        norm(
            "ln_usr",
            gelu(linear("fc2", hidden)) + linear("linear2", hidden) + linear("linear3", row),
        )
    )
    with torch.inference_mode():
        assert np.allclose(network.pieces(torch.from_numpy(clips)), music, atol=1e-4)
        assert np.allclose(network.listeners(torch.arange(9)), users, atol=1e-4)


@pytest.mark.parametrize("prefix", ["", "module.", "_orig_mod."])
def test_a_checkpoint_is_read_whatever_wrapped_it(checkpoint, network, clips, prefix):
    file = checkpoint({f"{prefix}{k}": v for k, v in network.state_dict().items()})
    found = read_checkpoint(file)
    info = found.info
    assert (info.users, info.layers, info.dimensions, info.width) == (9, 3, 8, 8)
    assert (info.kind, info.encoder_id) == (AlignerKind.SEED, "MERT")
    assert info.scale == pytest.approx(math.exp(network.temp.item()))
    with torch.inference_mode():
        expected = torch.nn.functional.cosine_similarity(
            network.listeners(torch.arange(9))[:, None],
            network.pieces(torch.from_numpy(clips)),
            dim=2,
        )
    assert np.allclose(found.users() @ found.music(clips).T, expected, atol=1e-5)
    assert np.allclose(found.music(clips.reshape(7, 24)), found.music(clips))
    assert load(file).info.id == info.id


def test_a_checkpoint_may_call_its_dropout_either_way_or_not_at_all(checkpoint):
    for config in ({"drop": 0.4}, {"dropout": 0.1}, {"dropout": "much"}, {"hidden_size": 99}):
        assert read_checkpoint(checkpoint(settings=config)).info.users == 9
    assert read_checkpoint(checkpoint(config=None)).info.encoder_id == ""


def test_another_network_is_named(checkpoint, network):
    full = dict(network.state_dict())
    without = {k: v for k, v in full.items() if k != "f5.bias"}
    broken = full | {"f6.bias": torch.full((8,), float("nan"))}
    for model, config, words in (
        ({"fc.weight": torch.zeros(2, 2)}, None, "'users.weight' is missing"),
        (without, None, "f5.bias is missing"),
        (full | {"extra": torch.zeros(1)}, None, "also has extra"),
        (full | {"f6.bias": torch.zeros(9)}, None, "f6.bias is .9,., not .8,."),
        (full | {"gate.weight": torch.zeros(25, 25)}, None, "no whole number of layers"),
        (full | {"users.weight": torch.zeros(3)}, None, "other shapes"),
        (broken, None, "f6.bias holds numbers that are not finite"),
        (full | {"f6.bias": 3}, None, "no tensor"),
        (full, {"aggr": "weighted"}, "only 'gating-tanh'"),
        ([1, 2], None, 'no weights under "model"'),
    ):
        with pytest.raises(ScoringError, match=words):
            read_checkpoint(checkpoint(model, config))


class _Trap:
    """Leaves a mark when somebody unpickles it."""

    def __init__(self, mark):
        self.mark = mark

    def __reduce__(self):
        return (open, (str(self.mark), "w"))


def test_nothing_is_unpickled_but_tensors(tmp_path, checkpoint):
    mark = tmp_path / "mark"
    plain = tmp_path / "plain.pt"
    plain.write_bytes(pickle.dumps({"model": _Trap(mark)}))
    for file in (checkpoint(settings={"x": _Trap(mark)}), plain):
        with pytest.raises(ScoringError, match=r"is not loaded|damaged"):
            load(file)
    assert not mark.exists()


def test_a_file_that_is_cut_off_or_something_else_is_a_sentence(tmp_path, checkpoint):
    whole = checkpoint().read_bytes()
    other = tmp_path / "other.pt"
    with zipfile.ZipFile(tmp_path / "zip.pt", "w") as archive:
        archive.writestr("hello.txt", "hello")
    pieces = [whole[:n] for n in (0, 1, 50, len(whole) // 2, len(whole) - 30)]
    for content in (*pieces, b"RIFF....WAVE", b"\x80\x02.", (tmp_path / "zip.pt").read_bytes()):
        other.write_bytes(content)
        with pytest.raises(ScoringError, match=r"other\.pt") as caught:
            load(other)
        assert "\n" not in str(caught.value)
    with pytest.raises(ScoringError, match="no aligner in"):
        load(tmp_path / "nowhere")


SHAPE = CompactShape(users=6, layers=3, dimensions=8, width=5, heads=2, inner=8, hidden=12)


@pytest.fixture(scope="module")
def compact():
    torch.manual_seed(4)
    made = CompactNetwork(SHAPE)
    for one in made.parameters():
        one.data += 0.3 * torch.randn(one.shape)
    made.observe(torch.randn(3, 8), torch.rand(3, 8) + 0.5)
    made.middle(torch.randn(5))
    return made.eval()


def _weights(network):
    return {name: one.detach().numpy() for name, one in network.state_dict().items()}


def test_the_compact_network_is_the_same_in_numpy(compact, clips):
    found = CompactAligner(_weights(compact), SHAPE, "e")
    with torch.inference_mode():
        music = torch.nn.functional.normalize(compact.pieces(torch.from_numpy(clips)))
        users = torch.nn.functional.normalize(compact.listeners(torch.arange(6)))
    assert np.allclose(found.music(clips), music, atol=1e-5)
    assert np.allclose(found.users(), users, atol=1e-6)
    assert np.allclose(found.centre, compact.centre)
    assert found.info.scale == pytest.approx(compact.log_scale.exp().item())


def test_its_numbers_are_counted_right(compact):
    shape = CompactShape(users=967)
    with torch.device("meta"):
        full = CompactNetwork(shape)
    assert {k: tuple(v.shape) for k, v in full.state_dict().items()} == shape.weights()
    learned = sum(one.numel() for one in full.parameters())
    assert learned < 108_080_385 / 100
    assert {name for name, _ in full.named_buffers()} == BUFFERS
    small = CompactAligner(_weights(compact), SHAPE, "e")
    assert small.info.parameters == sum(one.numel() for one in compact.parameters())


def test_clips_beyond_everything_heard_stay_in_bounds(compact):
    found = CompactAligner(_weights(compact), SHAPE, "e")
    music = found.music(np.full((1, 3, 8), 1e30))
    assert np.isfinite(music).all()
    assert found.music(np.empty((0, 3, 8))).shape == (0, 5)


@pytest.mark.parametrize("kind", AlignerKind)
def test_a_folder_gives_back_the_aligner(tmp_path, compact, network, clips, kind):
    made = compact if kind is AlignerKind.COMPACT else network
    shape = {name: getattr(made.shape, name) for name in type(made.shape).__slots__}
    config = Config(kind=kind, shape=shape, encoder_id="e", card={"a": 1})
    save(tmp_path, config, _weights(made), "card")
    found = load(tmp_path)
    assert (found.info.kind, found.info.encoder_id) == (kind, "e")
    with torch.inference_mode():
        expected = torch.nn.functional.normalize(made.pieces(torch.from_numpy(clips)))
    assert np.allclose(found.music(clips), expected, atol=1e-5)
    assert found.info.parameters == sum(one.numel() for one in made.parameters())
    assert (tmp_path / "CARD.md").read_text() == "card"


@pytest.mark.parametrize("kind", AlignerKind)
def test_a_damaged_folder_is_a_sentence(tmp_path, compact, network, kind):
    made = compact if kind is AlignerKind.COMPACT else network
    shape = {name: getattr(made.shape, name) for name in type(made.shape).__slots__}
    save(tmp_path, Config(kind=kind, shape=shape, encoder_id="e"), _weights(made), "")
    good = json.loads((tmp_path / CONFIG).read_text())
    whole = (tmp_path / WEIGHTS).read_bytes()
    for change, words in (
        ({"format": 2}, "another version"),
        ({"kind": "resnet"}, "not an aligner's"),
        ({"shape": {**shape, "layers": 4}}, "do not fit|does not hold"),
        ({"shape": {**shape, "layers": -1}}, "cannot be"),
        ({"shape": {**shape, "depth": 4}}, "not an aligner's|does not hold"),
        ({"shape": 3}, "not an aligner's"),
        ({"more": 3}, "not an aligner's"),
    ):
        (tmp_path / CONFIG).write_text(json.dumps({**good, **change}))
        with pytest.raises(ScoringError, match=words):
            load(tmp_path)
    (tmp_path / CONFIG).write_text(json.dumps(good))
    for content in (b"", whole[:40], whole[:-5], b"{}" * 40):
        (tmp_path / WEIGHTS).write_bytes(content)
        with pytest.raises(ScoringError, match=WEIGHTS):
            load(tmp_path)
    (tmp_path / CONFIG).write_text("[]")
    with pytest.raises(ScoringError, match="not an aligner's"):
        load(tmp_path)


def test_weights_that_are_not_finite_are_refused(compact):
    weights = _weights(compact) | {"up.bias": np.full(12, np.inf, dtype=np.float32)}
    with pytest.raises(ScoringError, match=r"up\.bias"):
        CompactAligner(weights, SHAPE, "e")
    weights = _weights(compact) | {"log_scale": np.array(1000.0, dtype=np.float32)}
    with pytest.raises(ScoringError, match="logarithm of its scale is 1000"):
        CompactAligner(weights, SHAPE, "e")
    other = SeedNetwork(SMALL)
    other.f6.bias.data[0] = torch.nan
    with pytest.raises(ScoringError, match=r"f6\.bias holds numbers that are not finite"):
        SeedAligner(other, "e")
