"""Experiments: what a file may say, who listens, and whole runs that come out the same and go on where they stopped."""

import asyncio
import csv
import dataclasses
import json
import sys
from contextlib import asynccontextmanager

import numpy as np
import pytest

from bench.taste_bank import shipped_clips
from cli.main import main
from domain.errors import ConfigError
from experiments.device import HereWorker
from experiments.listeners import made, truth
from experiments.models import check
from experiments.plots import draw, project
from experiments.records import write_table
from experiments.running import jobs, play, processes, run_all
from experiments.sounds import Sound
from experiments.spec import ListenerSpec, load, shipped
from experiments.summary import of_condition
from experiments.table_users import aligner_of
from experiments.tracking import MISSING, track
from playground.hearing import PROPERTIES, Heard
from playground.tastes import CHARACTERS, shipped_bank
from prompts import operators
from scoring.aligner.compact import CompactShape
from scoring.aligner.folder import Config
from scoring.aligner.folder import save as save_aligner
from scoring.aligner.protocol import AlignerKind
from scoring.space import default_space
from service.device import RenderSpec
from service.heavy.worker import HeavyWorker
from service.settings import Settings
from tests.service.heavy.conftest import MODEL, Shop

pytestmark = pytest.mark.timeout(600)  # real clips; minutes on a machine that does much else
TINY = """
name: tiny
title: as small as can be
seconds: 4
seeds: 1
conditions:
  - name: told the truth
    searcher: cmaes
    fitness: listener
    listeners: [{kind: character, name: Dusk}]
    population: 4
    rounds: 2
"""


def write(tmp_path, text):
    file = tmp_path / "file.yaml"
    file.write_text(text, encoding="utf-8")
    return str(file)


def sound(bank, standard):
    values = bank.mean + bank.deviation * np.asarray(standard)
    heard = Heard(**dict(zip(PROPERTIES, map(float, values), strict=True)), seconds=5.0)
    return Sound(heard=heard, embedding=np.zeros(1, np.float32))


# Files ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["table1", "table2", "table3", "table4"])
def test_the_shipped_files_are_sound(name):
    assert name in shipped()
    experiment = load(name)
    assert experiment.name == name
    assert len({one.fitness for one in experiment.conditions}) == 3
    small = experiment.quick()
    assert all(one.rounds <= 2 and one.population <= 6 for one in small.conditions)
    assert [one.name for one in small.conditions] == [one.name for one in experiment.conditions]


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("seconds: 4", "seconds: 2", "seconds: Input should be greater than or equal to 4"),
        ("seeds: 1", "sedes: 1", 'there is no key "sedes"'),
        ("title: as small as can be\n", "", "title is missing"),
        ("searcher: cmaes", "searcher: oracle", "conditions.0.searcher"),
        ("name: Dusk", "name: Dawn", 'a listener of kind character cannot be "Dawn"'),
        ("fitness: listener", "fitness: music", "fitness music needs a target"),
        ("rounds: 2", "rounds: 2\n    target: jazz", "fitness listener has no target"),
        ("rounds: 2", "rounds: 2\n    tournament: 4", "cmaes holds no tournaments"),
        ("searcher: cmaes", "searcher: evolve\n    tournament: 1", "evolve needs 2 or more"),
        ("kind: character, name: Dusk", "kind: noisy, then: Dusk", "noisy has none"),
        (
            "kind: character, name: Dusk",
            "kind: drifting, name: Dusk, then: Dusk",
            "another one than Dusk",
        ),
        ("name: tiny", "name: Tiny Two", "name: String should match pattern"),
        ("conditions:", "conditions: [", "is not readable YAML"),
        ("conditions:", "conditions: " + "[" * 2000, "is not readable YAML"),
        ("seeds: 1", f"seeds: {'1' * 5000}", "is not readable YAML"),
        (TINY, "- a list", "must hold keys such as name"),
    ],
)
def test_what_a_file_cannot_say_is_named(tmp_path, old, new, says):
    assert old in TINY
    with pytest.raises(ConfigError, match=r"file\.yaml") as caught:
        load(write(tmp_path, TINY.replace(old, new)))
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_model_breeds_with_the_shipped_settings_but_for_a_tournament_that_is_said(tmp_path):
    for searcher, usual in (("auto", True), ("evolve", True), ("evolve\n    tournament: 5", False)):
        (one,) = load(write(tmp_path, TINY.replace("cmaes", searcher))).quick().conditions
        assert (one.evolving() == operators.shipped()) is usual
    assert one.evolving().tournament_size == 5


def test_a_tournament_that_is_said_makes_another_run_though_it_be_the_default(tmp_path):
    marks = set()
    for searcher in ("evolve", "evolve\n    tournament: 4"):
        experiment = load(write(tmp_path, TINY.replace("cmaes", searcher)))
        marks.add(experiment.fingerprint(experiment.conditions[0]))
    assert len(marks) == 2


def test_two_conditions_of_one_name_and_a_tournament_of_the_bots_own_are_refused(tmp_path):
    row = TINY.partition("conditions:\n")[2]
    with pytest.raises(ConfigError, match='two conditions are called "told the truth"'):
        load(write(tmp_path, TINY + row))
    learned = TINY.replace("fitness: listener", "fitness: dynamic").replace("cmaes", "ga")
    with pytest.raises(ConfigError, match="the bot's own settings"):
        load(write(tmp_path, learned.replace("rounds: 2", "rounds: 2\n    tournament: 3")))


def test_a_file_that_is_not_there_is_named_with_the_shipped_ones():
    with pytest.raises(ConfigError, match=r"no experiment file nowhere.yaml.*table1"):
        load("nowhere.yaml")


# Listeners -----------------------------------------------------------------------------------------------


def test_listeners_are_drawn_by_the_seed_and_named_ones_stay():
    bank = shipped_bank()
    specs = [ListenerSpec(kind="genre", name="jazz"), ListenerSpec(kind="character", count=3)]
    first, again, other = (made(specs, bank, seed) for seed in (1, 1, 2))
    assert [one.name for one in first] == [one.name for one in again]
    assert first[0].name == other[0].name == "jazz"
    assert len({one.name for one in first}) == 4


def test_how_listeners_vote():
    bank = shipped_bank()
    kinds = ("character", "noisy", "lurking", "trolling")
    people = {kind: made([ListenerSpec(kind=kind, name="Dusk")], bank, 1)[0] for kind in kinds}
    good = sound(bank, people["character"].mind.first.centre)
    bad = sound(bank, -2 * people["character"].mind.first.centre)

    def said(kind, clip):
        rng = np.random.default_rng(3)
        return [people[kind].vote(clip, 0.5, rng) for _ in range(200)]

    def grades(kind, clip):
        return float(np.mean([vote.grade for vote in said(kind, clip) if vote is not None]))

    assert grades("character", good) > 2.2
    assert grades("character", bad) < 0.6
    assert grades("trolling", good) < 0.8
    assert grades("character", good) - grades("noisy", good) > 0.2
    spoken = [sum(vote is not None for vote in said("lurking", clip)) for clip in (good, bad)]
    assert 25 <= spoken[0] <= 75
    assert spoken[1] <= 25


def test_two_tastes_like_either_and_drifting_ones_change():
    bank = shipped_bank()
    both, moving = (
        made([ListenerSpec(kind=kind, name="Dusk", then="Spark")], bank, 1)[0]
        for kind in ("two-taste", "drifting")
    )
    dusk, spark = sound(bank, both.mind.first.centre), sound(bank, both.mind.then.centre)
    assert both.likes([dusk, spark], 0.5).min() > 0.6
    early, late = (moving.likes([dusk, spark], progress) for progress in (0.1, 0.9))
    assert early[0] > 0.6 > early[1]
    assert late[1] > 0.6 > late[0]


def test_a_second_taste_that_is_drawn_is_never_the_first_one():
    bank = shipped_bank()
    for name in CHARACTERS:
        people = made([ListenerSpec(kind="drifting", name=name, count=8)], bank, 0)
        assert name not in {one.mind.then.name for one in people}


def test_the_truth_leaves_trolls_out():
    bank = shipped_bank()
    honest, troll = made(
        [ListenerSpec(kind="character", name="Dusk"), ListenerSpec(kind="trolling", name="Spark")],
        bank,
        1,
    )
    clip = [sound(bank, honest.mind.first.centre)]
    assert truth([honest, troll], clip, 0.5) == pytest.approx(honest.likes(clip, 0.5))
    assert len(truth([troll], clip, 0.5)) == 1


# Whole runs ----------------------------------------------------------------------------------------------


def test_an_experiment_runs_and_goes_on(tmp_path, capsys):
    file = write(tmp_path, TINY)
    out = tmp_path / "out"
    assert main(["experiment", file, "--out", str(out), "--workers", "1"]) == 0
    said = capsys.readouterr().out
    assert "1 of 1: told the truth, seed 0: true liking" in said
    assert "| told the truth |" in said
    with (out / "clips.csv").open(encoding="utf-8") as rows:
        clips = list(csv.DictReader(rows))
    assert [int(one["generation"]) for one in clips] == [1] * 4 + [2] * 4
    assert any(one["operator"] == "cmaes:draw" and one["parents"] for one in clips)
    summary = json.loads((out / "summary.json").read_text(encoding="utf-8"))
    figures = summary["conditions"]["told the truth"]
    liked = [float(one["liked"]) for one in clips]
    assert figures["liked"]["best ever"]["mean"] == pytest.approx(max(liked), abs=1e-3)
    assert (out / "course.png").stat().st_size > 5000
    assert (out / "map.png").exists()

    assert main(["experiment", file, "--out", str(out)]) == 0
    assert "1 of 1 runs were done before and are kept." in capsys.readouterr().out


def test_the_learned_loop_keeps_what_was_estimated(tmp_path):
    text = TINY.replace("fitness: listener", "fitness: dynamic").replace("cmaes", "ga")
    text = text.replace("{kind: character, name: Dusk}", "{kind: character}, {kind: trolling}")
    experiment = load(write(tmp_path, text))
    runs = run_all(jobs(experiment, tmp_path, Settings()), workers=1, say=lambda _: None)
    (found,) = runs["told the truth"]
    rows = found.rows
    assert sum(row.posted for row in rows) == 8
    assert len({row.estimated for row in rows}) > 4
    assert [one["kind"] for one in found.listeners] == ["character", "trolling"]


def test_the_same_file_gives_the_same_table_in_one_process_and_in_two(tmp_path):
    text = TINY.replace("fitness: listener", "fitness: dynamic").replace("cmaes", "ga")
    text = text.replace("{kind: character, name: Dusk}", "{kind: genre}, {kind: lurking}")

    def table(workers):
        experiment = load(write(tmp_path, text.replace("seeds: 1", f"seeds: {workers}")))
        folder = tmp_path / str(workers)
        found = run_all(jobs(experiment, folder, Settings()), workers=workers, say=lambda _: None)
        first = found["told the truth"][0].rows
        assert [row.seed for row in first] == [0] * 8
        return write_table(first, folder, "clips").read_bytes()

    assert table(1) == table(2)


# Users of an aligner's table -----------------------------------------------------------------------------


@pytest.fixture
def aligner(tmp_path):
    """A small aligner with random weights, as if it had been trained on the features."""
    pytest.importorskip("safetensors", reason="SAFETENSORS IS MISSING: table users untested")
    bank = shipped_clips().embeddings
    shape = CompactShape(
        users=7, layers=1, dimensions=bank.shape[1], width=8, heads=2, inner=8, hidden=8
    )
    rng = np.random.default_rng(5)
    weights = {
        name: rng.normal(size=size).astype(np.float32) for name, size in shape.weights().items()
    }
    weights["mean"], weights["deviation"] = bank.mean(axis=0)[None], bank.std(axis=0)[None] + 0.1
    weights["log_scale"] = np.float32(1.6)
    folder = tmp_path / "aligner"
    config = Config(
        kind=AlignerKind.COMPACT,
        shape=dataclasses.asdict(shape),
        encoder_id=default_space().encoder_id,
    )
    save_aligner(folder, config, weights, "a card")
    return folder


def test_users_of_a_table_like_their_share_of_all_music(aligner):
    spec = ListenerSpec(kind="table", aligner=str(aligner), count=3, base_rate=0.4)
    people, again, others = (made([spec], shipped_bank(), seed) for seed in (1, 1, 2))
    names = [[one.name for one in group] for group in (people, again, others)]
    assert names[0] == names[1] != names[2]
    assert len(set(names[0])) == 3
    heard = sound(shipped_bank(), np.zeros(len(PROPERTIES))).heard
    clips = [Sound(heard=heard, embedding=one) for one in shipped_clips().embeddings]
    for one in people:
        likes = one.likes(clips, 0.5)
        assert likes.mean() == pytest.approx(0.4, abs=0.03)
        assert likes.std() > 0.02
    (third,) = made([spec.model_copy(update={"row": 3, "count": 1})], shipped_bank(), 1)
    assert third.name == "user 3"
    assert third.vote(clips[0], 0.5, np.random.default_rng(1)).grade in range(4)


def test_music_is_bred_for_a_user_of_a_table(aligner, tmp_path):
    text = TINY.replace(
        "{kind: character, name: Dusk}", f"{{kind: table, aligner: {aligner}, row: 2}}"
    )
    experiment = load(write(tmp_path, text.replace("rounds: 2", "rounds: 1")))
    asyncio.run(check(experiment, Settings()))
    (found,) = run_all(jobs(experiment, tmp_path, Settings()), workers=1, say=lambda _: None)[
        "told the truth"
    ]
    assert found.listeners[0]["name"] == "user 2"
    assert found.listeners[0]["centre"] is None
    assert len({row.liked for row in found.rows}) == 4
    files, _ = draw(
        {"told the truth": [found]}, {"told the truth": of_condition([found])}, tmp_path
    )
    assert all(file.stat().st_size > 5000 for file in files)
    before = experiment.fingerprint(experiment.conditions[0])
    (aligner / "aligner.safetensors").write_bytes(b"another one")
    assert experiment.fingerprint(experiment.conditions[0]) != before


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("{kind: table}", "needs an aligner"),
        ("{kind: table, aligner: x, name: Dusk}", "has no name"),
        ("{kind: character, base_rate: 0.5}", "only a listener of kind table has base_rate"),
        ("{kind: noisy, aligner: x}", "only a listener of kind table has aligner"),
    ],
)
def test_what_a_user_of_a_table_cannot_be_is_named(tmp_path, said, words):
    text = TINY.replace("{kind: character, name: Dusk}", said)
    with pytest.raises(ConfigError, match=words):
        load(write(tmp_path, text))


def test_an_aligner_that_cannot_be_used_is_said_before_anything_runs(aligner, tmp_path):
    text = TINY.replace("{kind: character, name: Dusk}", "{kind: table, aligner: nowhere}")
    with pytest.raises(ConfigError, match="There is no aligner in nowhere"):
        asyncio.run(check(load(write(tmp_path, text)), Settings()))
    with pytest.raises(ConfigError, match="none in row 9"):
        made([ListenerSpec(kind="table", aligner=str(aligner), row=9)], shipped_bank(), 1)
    other = json.loads((aligner / "aligner.json").read_text())
    moved = aligner.rename(tmp_path / "other")
    (moved / "aligner.json").write_text(json.dumps({**other, "encoder_id": "mert"}))
    with pytest.raises(ConfigError, match="trained on encoder mert, and experiments measure"):
        aligner_of(str(moved))


def test_a_model_of_the_settings_that_is_not_set_is_said_before_anything_runs(tmp_path, capsys):
    text = TINY.replace("cmaes", "evolve").replace("seeds: 1", "seeds: 1\nmodel: settings")
    assert main(["experiment", write(tmp_path, text), "--out", str(tmp_path / "out")]) == 2
    assert "language.base_url is not set" in capsys.readouterr().err


# Figures -------------------------------------------------------------------------------------------------


def test_the_map_is_flat_and_the_same_each_time():
    points = np.random.default_rng(1).normal(size=(40, 10))
    points[:20, 0] += 20
    flat = project(points, "PCA")
    assert flat.shape == (40, 2)
    assert abs(flat[:20, 0].mean() - flat[20:, 0].mean()) > 10
    assert np.array_equal(flat, project(points, "PCA"))


def test_wandb_is_only_used_where_it_is_installed():
    assert track("x", {}) in {MISSING, "0 conditions were logged to the wandb project x."}


FAKE_WANDB = """
import json, pathlib

class Run:
    def __init__(self, **given):
        self.said = [given]
    def log(self, values, step):
        self.said.append([step, values])
    def finish(self):
        place = pathlib.Path(__file__).with_name(self.said[0]["name"] + ".json")
        place.write_text(json.dumps(self.said))

def init(**given):
    return Run(**given)
"""


def test_wandb_gets_every_generation_of_every_condition(tmp_path, monkeypatch):
    (tmp_path / "wandb.py").write_text(FAKE_WANDB)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "wandb", raising=False)
    course = {kind: [0.1, 0.2] for kind in ("best", "mean", "median")}
    figures = {measure: {"course": course} for measure in ("liked", "estimated")}
    assert (
        track("x", {"a": figures, "b": figures})
        == "2 conditions were logged to the wandb project x."
    )
    monkeypatch.delitem(sys.modules, "wandb")
    given, *steps = json.loads((tmp_path / "b.json").read_text())
    assert (given["project"], given["name"]) == ("x", "b")
    assert [step for step, _ in steps] == [1, 2]
    assert steps[1][1]["estimated median"] == 0.2
    assert len(steps[0][1]) == 6


# What plays ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("generator", "says"),
    [
        ("musicgen-small", "generator is musicgen-small. musicgen-small is not on this machine"),
        ("musicgen-smal", "Did you mean musicgen-small?"),
        ("mert-95m", "mert-95m is an encoder"),
        ("remote", "set generation.remote.url"),
    ],
)
def test_a_generator_that_is_not_there_is_said_before_anything_is_made(
    tmp_path, monkeypatch, capsys, generator, says
):
    monkeypatch.setenv("TUNEBREEDER_DATA_DIR", str(tmp_path / "data"))
    file = write(tmp_path, TINY + f"generator: {generator}\n")
    assert main(["experiment", file, "--out", str(tmp_path / "out")]) in {1, 2}
    error = capsys.readouterr().err
    assert says in error
    assert len(error.strip().splitlines()) == 1


async def test_a_model_in_a_process_of_its_own_plays(tmp_path):
    shop = Shop(tmp_path)

    @asynccontextmanager
    async def opening(settings, generator):
        assert generator == settings.generation.generator == "scripted"
        dispatcher = shop.open()
        yield HeavyWorker(dispatcher, MODEL, HereWorker(RenderSpec(extension="wav")))
        await dispatcher.close()

    experiment = load(write(tmp_path, TINY + "generator: scripted\n"))
    assert processes(experiment, 8) == 1
    (job,) = jobs(experiment, tmp_path / "out", Settings())
    run = await play(job, opening)
    assert [row.generation for row in run.rows] == [1] * 4 + [2] * 4
    assert shop.lines() == ["start", "batch 4", "batch 4"]
