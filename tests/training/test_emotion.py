"""Training from CSV and MIDI to a playable model, end to end, on songs that the composer writes for the test."""

from __future__ import annotations

import csv
import json
import math

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="TORCH IS MISSING: training was not tested")

from domain.errors import GenerationError, UserError  # noqa: E402
from domain.facets import Facets  # noqa: E402
from domain.features import Features  # noqa: E402
from generation.composer import Composer  # noqa: E402
from generation.emotion.inputs import SIZE, vector  # noqa: E402
from generation.emotion.lexicon import (  # noqa: E402
    BINS,
    ORDINAL,
    Grammar,
    Kind,
    lexicon,
    parse,
)
from generation.emotion.model import CONFIG, WEIGHTS, EmotionModel, Shape, build  # noqa: E402
from generation.genome.figaro import VOCABULARY, from_tokens  # noqa: E402
from generation.midi import score_to_midi  # noqa: E402
from generation.planning.plan import make_plan  # noqa: E402
from generation.writing.arrange import arrange  # noqa: E402
from prompts.features import to_facets  # noqa: E402
from training.emotion.batches import NOTHING, batch, labels_for, lines  # noqa: E402
from training.emotion.learn import PROGRESS, Plan, train  # noqa: E402
from training.emotion.songs import Account, read_songs, split  # noqa: E402

SONGS = 40


@pytest.fixture(scope="module")
def songs(tmp_path_factory):
    """Songs whose energy can be heard: half calm, half driving."""
    folder = tmp_path_factory.mktemp("songs")
    (folder / "midi").mkdir()
    rows = []
    for number in range(SONGS):
        energy = 0.05 if number % 2 else 0.95
        features = Features(energy=energy, tempo=100.0 + number % 5, loudness=-20 + 15 * energy)
        plan = make_plan(to_facets(features, Facets(family="pop")), number, 16.0)
        (folder / "midi" / f"s{number}.mid").write_bytes(score_to_midi(arrange(plan)))
        rows.append({"midi": f"s{number}.mid", **features.to_json()})
    with (folder / "table.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)
    return folder


@pytest.fixture(scope="module")
def examples(songs):
    return read_songs(songs / "table.csv", songs / "midi", Account(), bars=4)


@pytest.fixture(scope="module")
def model(songs, examples, tmp_path_factory):
    training, validation = split(examples, seed=1, held_out=0.2)
    return train(
        training,
        validation,
        shape=Shape(width=32, layers=1),
        plan=Plan(epochs=12, rate=8e-3, threads=1),
        folder=tmp_path_factory.mktemp("model"),
        say=lambda _: None,
    )


# Songs -------------------------------------------------------------------------------------------------


def test_every_example_is_by_the_grammar(examples):
    assert len(examples) >= SONGS
    for example in examples:
        assert parse(example.tokens)
        described, _ = from_tokens([VOCABULARY[n] for n in example.tokens[:-1]])
        assert len(described.bars) >= 2


def test_no_song_lies_on_both_sides(examples):
    training, validation = split(examples, seed=3, held_out=0.3)
    assert training
    assert validation
    assert not {one.song for one in training} & {one.song for one in validation}
    more, _ = split([*examples, *examples], seed=3, held_out=0.3)
    assert {one.song for one in more} == {one.song for one in training}


def test_what_cannot_be_used_is_counted_and_named(songs, tmp_path):
    (tmp_path / "TRAAA").mkdir()
    (tmp_path / "TRAAA" / "x.mid").write_bytes((songs / "midi" / "s0.mid").read_bytes())
    (tmp_path / "broken.mid").write_bytes(b"MThd nothing")
    good = {**Features().to_json(), "tempo": 300}
    rows = [
        {"track_id": "TRAAA", **good},
        {"track_id": "TRAAA", **good},
        {"track_id": "broken", **good},
        {"track_id": "nowhere", **good},
        {"track_id": "TRAAA", **good, "energy": "loud"},
        {"track_id": "TRAAA", **good, "energy": "nan"},
    ]
    table = tmp_path / "t.csv"
    with table.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)
    account = Account()
    found = read_songs(table, tmp_path, account, bars=4)
    assert found
    assert {one.features.tempo for one in found} == {220.0}
    assert (account.rows, account.files) == (6, 1)
    text = "\n".join(account.lines())
    for word in ("same file again", "cannot be read", "no MIDI file", "energy is not", "tempo"):
        assert word in text


def test_a_table_that_is_none_is_refused(songs, tmp_path):
    with pytest.raises(UserError, match="cannot be read"):
        read_songs(tmp_path / "no.csv", songs, Account())
    (tmp_path / "a.csv").write_text("midi,energy\nx,1\n")
    with pytest.raises(UserError, match="no column valence"):
        read_songs(tmp_path / "a.csv", songs, Account())
    with pytest.raises(UserError, match="no folder"):
        read_songs(songs / "table.csv", tmp_path / "nowhere", Account())


# Learning ----------------------------------------------------------------------------------------------


def test_features_are_of_one_size():
    low, high = Features(tempo=40.0, loudness=-30.0), Features(tempo=220.0, loudness=0.0)
    for features in (low, high, Features(key=11)):
        assert len(vector(features)) == SIZE
        assert max(abs(one) for one in vector(features)) <= 1.5


def test_soft_labels_stay_within_their_kind_and_never_reach_padding():
    table = labels_for("all", len(VOCABULARY), 1.0)
    assert torch.allclose(table.sum(dim=1), torch.ones(len(VOCABULARY)))
    words = lexicon()
    for kind in ORDINAL:
        own = set(words.of(kind))
        for number in own:
            assert set(table[number].nonzero().flatten().tolist()) <= own
    chord = words.of(Kind.CHORD)[5]
    assert table[chord].nonzero().flatten().tolist() == [chord]
    assert torch.equal(labels_for("pitch", BINS, 0.0), torch.eye(BINS))


def test_padding_is_no_target(examples):
    rows = [(one, lines(one, "pitch")) for one in examples[:1]] + [(examples[1], [3])]
    made = batch(rows, start=BINS)
    assert made.before[:, 0].tolist() == [BINS, BINS]
    assert made.after[1].tolist() == [3] + [NOTHING] * (made.after.shape[1] - 1)


@pytest.mark.parametrize("route", ["lstm", "transformer"])
def test_a_network_sees_only_what_came_before(route):
    torch.manual_seed(0)
    network = build(Shape(route=route, width=16, layers=2))["words"].eval()
    features = torch.randn(2, SIZE)
    before = torch.randint(0, 900, (2, 9))
    other = before.clone()
    other[0, 5:] = 7
    with torch.inference_mode():
        first, second = network(features, before), network(features, other)
    assert torch.allclose(first[0, :5], second[0, :5], atol=1e-6)
    assert not torch.allclose(first[0, 5:], second[0, 5:])
    assert torch.allclose(first[1], second[1], atol=1e-6), "rows of a batch must not mix"


def test_it_learns_what_can_be_learned(model):
    metrics = model.card["metrics"]
    assert metrics["velocity"]["near"] > 0.5
    assert metrics["velocity"]["accuracy"] > metrics["velocity"]["majority"]
    assert metrics["words"]["accuracy"] > metrics["words"]["majority"]
    for found in metrics.values():
        assert found["symbols"] > 0
        assert math.isfinite(found["kl"])


def test_energy_is_heard_in_what_it_writes(model):
    def velocity(energy):
        features = Features(energy=energy, tempo=102.0, loudness=-20 + 15 * energy)
        said = [
            int(token.split("_")[1])
            for seed in range(6)
            for token in model.write(features, bars=4, metre="4/4", seed=seed, temperature=0.3)
            if token.startswith("Mean Velocity_")
        ]
        return np.mean(said)

    assert velocity(0.95) > velocity(0.05) + 1


# Writing -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("route", ["lstm", "transformer"])
def test_an_untrained_model_still_obeys_the_grammar(route):
    torch.manual_seed(1)
    shape = Shape(route=route, width=16, layers=1)
    wild = EmotionModel(build(shape), shape, {})
    for seed in range(3):
        tokens = wild.write(Features(), bars=3, metre="7/8", seed=seed, temperature=2.0)
        numbers = [*(lexicon().number(one) for one in tokens), lexicon().number("<eos>")]
        assert parse(numbers)
        assert {one for one in tokens if one.startswith("Time")} == {"Time Signature_7/8"}
        assert sum(one.startswith("Bar_") for one in tokens) == 3
    again = wild.write(Features(), bars=3, metre="7/8", seed=2, temperature=2.0)
    assert again == tokens


def test_the_grammar_refuses_what_may_not_come():
    grammar = Grammar(1)
    grammar.take(lexicon().number("Bar_1"))
    with pytest.raises(ValueError, match="may not come"):
        grammar.take(lexicon().number("Chord_C:maj"))


def test_impossible_orders_are_refused(model):
    with pytest.raises(GenerationError, match="cannot be written"):
        model.write(Features(), bars=100_000, metre="4/4", seed=0)
    with pytest.raises(GenerationError, match="cannot be written"):
        model.write(Features(), bars=2, metre="4/5", seed=0)


# Files -------------------------------------------------------------------------------------------------


def test_a_saved_model_writes_the_same(model, tmp_path):
    model.save(tmp_path / "m")
    loaded = EmotionModel.load(tmp_path / "m")
    order = {"bars": 3, "metre": "3/4", "seed": 4}
    assert loaded.write(Features(), **order) == model.write(Features(), **order)
    assert loaded.fingerprint == model.fingerprint
    assert loaded.card == model.card


def test_what_is_no_model_is_refused_and_never_unpickled(model, tmp_path):
    with pytest.raises(GenerationError, match="no emotion model"):
        EmotionModel.load(tmp_path / "nowhere")
    model.save(tmp_path / "m")
    weights = tmp_path / "m" / WEIGHTS
    data = weights.read_bytes()
    weights.write_bytes(data[: len(data) // 2])
    with pytest.raises(GenerationError, match="cannot be read"):
        EmotionModel.load(tmp_path / "m")
    torch.save({"x": 1}, weights)
    with pytest.raises(GenerationError, match="cannot be read"):
        EmotionModel.load(tmp_path / "m")
    config = json.loads((tmp_path / "m" / CONFIG).read_text())
    (tmp_path / "m" / CONFIG).write_text(json.dumps(config | {"vocabulary": 3}))
    with pytest.raises(GenerationError, match="another version"):
        EmotionModel.load(tmp_path / "m")
    (tmp_path / "m" / CONFIG).write_text("[]")
    with pytest.raises(GenerationError, match="not an emotion model"):
        EmotionModel.load(tmp_path / "m")


class StopError(Exception):
    pass


def stop(text: str) -> None:
    if text.startswith("pitch"):
        raise StopError


def test_damaged_progress_is_a_sentence(examples, tmp_path):
    training, validation = split(examples, seed=1, held_out=0.2)

    def go_on() -> None:
        shape, plan = Shape(width=8, layers=1), Plan(epochs=1, threads=1)
        train(training, validation, shape=shape, plan=plan, folder=tmp_path, say=stop)

    with pytest.raises(StopError):
        go_on()
    for file in (tmp_path / "density.partial.safetensors", tmp_path / PROGRESS):
        file.write_bytes(file.read_bytes()[:20])
        with pytest.raises(UserError, match=f"{file.name} cannot be read"):
            go_on()


def test_an_interrupted_training_goes_on_where_it_was(examples, tmp_path):
    training, validation = split(examples, seed=1, held_out=0.2)
    shape, plan = Shape(width=8, layers=1), Plan(epochs=1, threads=1)
    with pytest.raises(StopError):
        train(training, validation, shape=shape, plan=plan, folder=tmp_path, say=stop)
    said: list[str] = []
    train(training, validation, shape=shape, plan=plan, folder=tmp_path, say=said.append)
    assert not [line for line in said if line.startswith(("density", "velocity"))]
    assert [line for line in said if line.startswith("words")]
    assert {path.name for path in tmp_path.iterdir()} == {CONFIG, WEIGHTS}
    with pytest.raises(UserError, match="too few"):
        train([], validation, shape=shape, plan=plan, folder=tmp_path, say=said.append)


def test_the_composer_plays_what_a_model_writes(model, tmp_path):
    model.save(tmp_path / "m")
    composer = Composer(renderer="numpy", emotion=str(tmp_path / "m"))
    assert model.fingerprint in composer.info.version
    assert "emotion model" in composer.info.details["features to music"]
    features = Features(energy=0.9, key=4, tempo=104.0)
    made = composer.compose(to_facets(features), seed=3, seconds=6.0)
    table = Composer(renderer="numpy").compose(to_facets(features), seed=3, seconds=6.0)
    assert made.description["tempo"] == pytest.approx(104.0)
    assert made.description["tonic"] == "E"
    assert made.description["genome"]["bars"] != table.description["genome"]["bars"]
    assert made.loudness == pytest.approx(-16, abs=0.5)
    named = composer.compose(Facets(genre="swing", family="swing"), seed=3, seconds=6.0)
    assert named.description["family"] == "swing"
