"""The decoder against transformers' own, token for token, and what a row may depend on."""

from __future__ import annotations

import functools
import weakref
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

torch = pytest.importorskip("torch", reason="PYTORCH IS MISSING: MusicGen was not tested")

from domain.errors import GenerationError  # noqa: E402
from generation.musicgen import decoder as decoders  # noqa: E402
from generation.musicgen import engine as engines  # noqa: E402
from generation.musicgen.checkpoint import load  # noqa: E402
from generation.musicgen.decoder import Decoder, add_product  # noqa: E402
from generation.musicgen.delay import gathered, spread, valid  # noqa: E402
from generation.musicgen.graphs import AHEAD, WARM, Pace, run  # noqa: E402
from generation.musicgen.loop import Batch, Prompts, Stopped, least_rows, write  # noqa: E402
from generation.musicgen.place import Place, Places  # noqa: E402
from generation.musicgen.sampling import Sampling, draw, noise  # noqa: E402
from generation.musicgen.shapes import SHAPES, Shape, cost  # noqa: E402
from generation.musicgen.weights import packed, random_weights  # noqa: E402
from tests.generation.musicgen.conftest import written_by_transformers  # noqa: E402

PROMPTS = ["slow lofi with piano and bass", "fast techno", "warm jazz with drums and rain"]
FRAMES = 30
GREEDY = {guidance: Sampling(guidance=guidance, temperature=0.0) for guidance in (1.0, 3.0)}


@pytest.mark.parametrize("kind", ["mono", "stereo"])
@pytest.mark.parametrize("guidance", [1.0, 3.0])
def test_greedy_codes_are_those_of_transformers(kind, guidance, request):
    folder, model = request.getfixturevalue(kind)
    ours = load(folder, dtype=torch.float32)
    prompts = ours.text.prompts(PROMPTS, 64)
    rows = [ours.text._tokenizer(one)["input_ids"] for one in PROMPTS]
    longest = max(map(len, rows))
    tokens = torch.tensor([row + [0] * (longest - len(row)) for row in rows])
    mask = torch.tensor([[1] * len(row) + [0] * (longest - len(row)) for row in rows])
    theirs = written_by_transformers(model, tokens, mask, FRAMES, guidance)
    batch = Batch(ours.decoder, prompts, seeds=[1, 2, 3], frames=FRAMES, how=GREEDY[guidance])
    codes = write(batch)
    assert codes.shape == (3, ours.decoder.shape.codebooks, FRAMES)
    assert torch.equal(codes, theirs)
    assert len({tuple(row.flatten().tolist()) for row in codes}) == 3
    on = Batch(
        ours.decoder,
        prompts,
        seeds=[1, 2, 3],
        frames=FRAMES,
        how=GREEDY[guidance],
        begin=codes[:, :, :12],
    )
    assert on.first == 9
    assert torch.equal(write(on), codes)


@pytest.fixture
def graphed(monkeypatch):
    """Let steps run as they do in CUDA graphs, but for the graph; gives how often one was captured."""
    taken = []

    def captured(step, reset):
        for _ in range(WARM):
            reset()
            step()
        reset()
        taken.append(step)
        return step

    def write_graphed(batch):
        with torch.inference_mode():
            for number in range(batch.first, batch.steps):
                run(batch, number, captured)
            return batch.result()

    return write_graphed, taken


@pytest.mark.parametrize("guidance", [1.0, 3.0])
def test_captured_steps_are_those_without_a_graph(mono, guidance, graphed):
    """Also for the batches after the first, which lie in the same place and take over its steps."""
    write_graphed, taken = graphed
    ours = load(mono[0], dtype=torch.float32)
    how = Sampling(guidance=guidance)
    place = None
    for number, (texts, frames, begun) in enumerate(
        [(PROMPTS, 60, 0), (PROMPTS[::-1], FRAMES, 0), (PROMPTS, 60, 20), (PROMPTS, 280, 0)]
    ):
        prompts = ours.text.prompts(texts, 64)
        seeds = [number, 2, 3]
        own = torch.Generator().manual_seed(number)
        begin = torch.randint(0, 64, (3, 4, begun), generator=own) if begun else None
        made = {"seeds": seeds, "frames": frames, "how": how, "begin": begin}
        plain = write(Batch(ours.decoder, prompts, **made))
        places = Places()
        places._kept = place
        batch = Batch(ours.decoder, prompts, **made, places=places)
        assert (batch.place is place) == (0 < number < 3)
        place = batch.place
        assert torch.equal(write_graphed(batch), plain)
        assert len(taken) == (
            1 if number < 3 else 3
        )  # a window of 256, then one of 512 with its own 256


def test_a_place_is_kept_on_a_gpu_where_it_is_small(mono, monkeypatch):
    ours = load(mono[0], dtype=torch.float32)
    prompts = ours.text.prompts(PROMPTS, 64)

    def batch(places, frames=FRAMES):
        made = {"seeds": [1, 2, 3], "frames": frames, "how": Sampling(), "places": places}
        return Batch(ours.decoder, prompts, **made)

    places = Places()
    first = batch(places)
    places.keep(first.place)
    assert batch(places).place is not first.place  # on a CPU nothing is captured there

    size = SimpleNamespace(total_memory=first.memory.nbytes * 32)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda _: size)
    monkeypatch.setattr(torch.cuda, "get_per_process_memory_fraction", lambda _: 0.5)
    on_gpu = SimpleNamespace(
        at=SimpleNamespace(device=torch.device("cuda:0")),
        memory=first.memory,
        plan=first.place.plan,
    )
    places.keep(on_gpu)
    assert places.take(first.place.plan) is on_gpu
    assert places.take(first.place.plan) is not on_gpu  # it is somebody's now
    places.keep(on_gpu)
    assert batch(places, 300).place is not on_gpu  # of another size: given up
    assert batch(places).place is not on_gpu
    size.total_memory -= 32
    places.keep(on_gpu)
    assert batch(places).place is not on_gpu


def test_a_window_gives_its_place_up_before_there_is_another(mono, monkeypatch):
    alive, most = weakref.WeakSet(), []
    make = Place.made.__func__

    class Known(Place):  # with what a weak reference needs
        __slots__ = ("__weakref__",)

    def made(cls, plan):
        most.append(len(alive))
        place = make(Known, plan)
        alive.add(place)
        return place

    monkeypatch.setattr(Place, "made", classmethod(made))
    monkeypatch.setattr(engines, "WINDOW", 60)
    monkeypatch.setattr(engines, "KEPT", 10)
    engine = engines.Engine(load(mono[0], dtype=torch.float32), bucket=1)
    engine.write([engines.Order(said=PROMPTS[0], seed=1, frames=150)])
    assert len(most) == 3
    assert max(most) == 0


def test_the_host_is_never_far_ahead_of_the_device():
    ordered, done = [0], [0]

    class Mark:
        def record(self):
            self.at = ordered[0]

        def synchronize(self):
            done[0] = max(done[0], self.at)

    pace = Pace(Mark)
    for _ in range(100):
        ordered[0] += 1
        pace.step()
        assert ordered[0] - done[0] <= 2 * AHEAD
        assert ordered[0] - done[0] >= min(ordered[0], AHEAD)  # the device has something to do


def test_adding_a_product_at_once_is_adding_it(monkeypatch):
    own = torch.Generator().manual_seed(3)
    state, given, weight = (
        torch.randn(size, generator=own, dtype=torch.float64)
        for size in ((4, 2, 6), (4, 2, 5), (6, 5))
    )
    for at_once in (False, True):
        for rows in (4, 3):
            changed = state.clone()
            add_product(changed[:rows], given[:rows], weight, at_once=at_once)
            wanted = state.clone()
            wanted[:rows] += given[:rows] @ weight.T
            assert torch.allclose(changed, wanted)


@pytest.mark.parametrize("kind", ["mono", "stereo"])
def test_greedy_codes_are_the_same_with_products_added_at_once(kind, request, monkeypatch):
    """As on a GPU."""
    ours = load(request.getfixturevalue(kind)[0], dtype=torch.float32)
    made = {"seeds": [1, 2, 3], "frames": FRAMES, "how": GREEDY[3.0]}
    prompts = ours.text.prompts(PROMPTS, 64)
    plain = write(Batch(ours.decoder, prompts, **made))
    at_once = functools.partial(add_product, at_once=True)
    monkeypatch.setattr(decoders, "add_product", at_once)
    assert torch.equal(write(Batch(ours.decoder, prompts, **made)), plain)


def test_a_row_depends_on_its_prompt_and_seed_alone(mono):
    decoder = load(mono[0], dtype=torch.float32).decoder
    text = load(mono[0]).text
    least = least_rows(decoder)
    assert least <= 8, "this processor adds up differently for every size of a batch"

    def codes(texts, seeds):
        filled = [*texts, *texts[:1] * max(0, least - len(texts))]
        own = [*seeds, *seeds[:1] * (len(filled) - len(seeds))]
        batch = Batch(decoder, text.prompts(filled, 64), seeds=own, frames=FRAMES, how=Sampling())
        return write(batch)[: len(texts)]

    alone = codes(PROMPTS[:1], [7])[0]
    together = codes([PROMPTS[2], PROMPTS[0], *PROMPTS[1:] * 3], [9, 7, *range(6)])[1]
    assert torch.equal(alone, together)
    assert not torch.equal(alone, codes(PROMPTS[:1], [8])[0])
    assert not torch.equal(alone, codes(PROMPTS[1:2], [7])[0])


def test_a_step_that_is_told_to_stop_stops(mono):
    ours = load(mono[0], dtype=torch.float32)
    batch = Batch(
        ours.decoder, ours.text.prompts(PROMPTS[:1], 64), seeds=[1], frames=40, how=Sampling()
    )
    done = []

    def on_step(number, steps):
        done.append((number, steps))
        return number < 5

    with pytest.raises(Stopped):
        write(batch, on_step)
    assert done == [(number, 43) for number in range(1, 6)]


@given(st.integers(1, 2), st.integers(1, 4), st.integers(1, 20), st.integers(0, 99))
def test_the_delay_pattern_is_undone(channels, books, frames, seed):
    shape = Shape(
        layers=1,
        hidden=4,
        heads=1,
        feedforward=4,
        codebooks=books * channels,
        vocabulary=9,
        channels=channels,
    )
    own = torch.Generator().manual_seed(seed)
    codes = torch.randint(0, 9, (2, shape.codebooks, frames), generator=own)
    steps = spread(codes, shape)
    assert steps.shape[2] == frames + books - 1
    assert torch.equal(gathered(steps, shape, frames), codes)
    assert torch.equal(steps[0] != shape.padding, valid(shape, frames).T)


def test_the_delay_pattern_is_that_of_the_paper():
    shape = Shape(layers=1, hidden=4, heads=1, feedforward=4, codebooks=3, vocabulary=9)
    steps = spread(torch.tensor([[[1, 2], [3, 4], [5, 6]]]), shape)
    assert steps.tolist() == [[[1, 2, 9, 9], [9, 3, 4, 9], [9, 9, 5, 6]]]


@settings(max_examples=30)
@given(st.integers(0, 2**31), st.floats(0.2, 3.0), st.integers(1, 20), st.floats(0.05, 1.0))
def test_only_probable_tokens_are_drawn(seed, temperature, top_k, top_p):
    own = torch.Generator().manual_seed(seed)
    logits = torch.randn((2, 3, 20), generator=own)
    how = Sampling(temperature=temperature, top_k=top_k, top_p=top_p)
    shares = (logits / temperature).softmax(-1)
    for chance in (0.0, 0.5, 1 - 2**-24):
        drawn = draw(logits, torch.full((2, 3), chance), how)
        rank = (shares > shares.gather(-1, drawn[..., None])).sum(-1)
        assert (rank < top_k).all()
        kept = (logits / temperature).topk(top_k, -1).values.softmax(-1)
        before = (kept.cumsum(-1) - kept).gather(-1, rank[..., None])[..., 0]
        assert (before < top_p + 1e-6).all()


def test_tokens_come_as_often_as_they_are_probable():
    logits = torch.log(torch.tensor([0.5, 0.3, 0.15, 0.05])).expand(20_000, 1, 4)
    drawn = draw(logits, noise([3], 20_000, 1)[:, 0, :], Sampling(top_k=0))[:, 0]
    shares = torch.bincount(drawn, minlength=4) / 20_000
    assert torch.allclose(shares, torch.tensor([0.5, 0.3, 0.15, 0.05]), atol=0.01)


def size_of(weights):
    """Return the bytes of a record of tensors, of records and of tuples of them."""
    if weights is None or isinstance(weights, torch.Tensor):
        return 0 if weights is None else weights.nbytes
    if isinstance(weights, tuple):
        return sum(map(size_of, weights))
    return sum(size_of(getattr(weights, name)) for name in weights.__slots__)


@pytest.mark.parametrize("melody", [0, 20])
def test_memory_is_as_foretold(melody):
    shape = Shape(layers=3, hidden=64, heads=4, feedforward=128, vocabulary=50, melody=melody)
    weights = random_weights(shape, device="cpu", dtype=torch.bfloat16)
    states = torch.zeros(4, 64, 64)
    front = torch.zeros(4, melody + 64, 64)
    batch = Batch(
        Decoder(shape, weights),
        Prompts(states=states, mask=torch.ones(4, 64), front=front, blank=front[0])
        if melody
        else Prompts(states=states, mask=torch.ones(4, 64)),
        seeds=[1, 2, 3, 4],
        frames=100,
        how=Sampling(),
    )
    told = cost(shape, 100)
    assert batch.memory.nbytes == pytest.approx(4 * told.clip, rel=0.01)
    assert size_of(weights) == pytest.approx(told.weights, rel=0.01)


def test_the_released_sizes_cost_what_was_measured():
    small, medium, large = (cost(SHAPES[name], 500) for name in ("small", "medium", "large"))
    assert [round(one.step / 1e9, 2) for one in (small, medium, large)] == [0.72, 3.2, 5.67]
    assert [round(one.clip / 1e9, 2) for one in (small, medium, large)] == [0.11, 0.32, 0.43]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"hidden_size": None}, "decoder.hidden_size is None"),
        ({"num_hidden_layers": True}, "decoder.num_hidden_layers is True"),
        ({"hidden_size": 30}, "a multiple of its heads"),
        ({"audio_channels": 3}, "1 channel or 2"),
        ({"activation_function": "relu"}, "of another kind"),
    ],
)
def test_a_strange_configuration_is_named(change, words):
    config = {
        "num_hidden_layers": 2,
        "hidden_size": 32,
        "num_attention_heads": 4,
        "ffn_dim": 64,
        "num_codebooks": 4,
        "vocab_size": 64,
    }
    with pytest.raises(GenerationError, match=words):
        Shape.from_config(config | change)


def test_a_tensor_that_is_missing_or_of_another_size_is_named(mono):
    state = dict(mono[1].decoder.state_dict())
    shape = Shape.from_config(mono[1].config.decoder.to_dict())
    name = "model.decoder.layers.1.fc1.weight"
    tensor = state.pop(name)
    with pytest.raises(GenerationError, match=name):
        packed(state, shape, device="cpu", dtype=torch.float32)
    state[name] = tensor[:5]
    with pytest.raises(GenerationError, match=rf"{name} is of the size \(5, 64\)"):
        packed(state, shape, device="cpu", dtype=torch.float32)


@pytest.mark.parametrize(
    "wrong", [{"guidance": 0.5}, {"temperature": -1}, {"top_p": 0}, {"top_k": -1}]
)
def test_impossible_sampling_is_refused(wrong):
    with pytest.raises(GenerationError):
        Sampling(**wrong)
