"""Experiments: what a file may say, who listens, and whole runs that come out the same and go on where they stopped."""

import csv
import json

import numpy as np
import pytest

from cli.main import main
from domain.errors import ConfigError
from experiments.listeners import made, truth
from experiments.plots import project
from experiments.records import Run, read, save
from experiments.running import jobs, run_all
from experiments.spec import ListenerSpec, load, shipped
from experiments.tracking import MISSING, track
from playground.hearing import PROPERTIES, Heard
from playground.tastes import shipped_bank
from service.settings import Settings

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
    return Heard(**dict(zip(PROPERTIES, map(float, values), strict=True)), seconds=5.0)


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
        ("kind: character, name: Dusk", "kind: noisy, then: Dusk", "noisy has none"),
        ("name: tiny", "name: Tiny Two", "name: String should match pattern"),
        ("conditions:", "conditions: [", "is not readable YAML"),
        (TINY, "- a list", "must hold keys such as name"),
    ],
)
def test_what_a_file_cannot_say_is_named(tmp_path, old, new, says):
    assert old in TINY
    with pytest.raises(ConfigError, match=r"file\.yaml") as caught:
        load(write(tmp_path, TINY.replace(old, new)))
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


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
    good = sound(bank, people["character"].first.centre)
    bad = sound(bank, -2 * people["character"].first.centre)

    def said(kind, clip):
        rng = np.random.default_rng(3)
        return [people[kind].vote(clip, bank, 0.5, rng) for _ in range(200)]

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
    dusk, spark = sound(bank, both.first.centre), sound(bank, both.then.centre)
    assert both.likes([dusk, spark], bank, 0.5).min() > 0.6
    early, late = (moving.likes([dusk, spark], bank, progress) for progress in (0.1, 0.9))
    assert early[0] > 0.6 > early[1]
    assert late[1] > 0.6 > late[0]


def test_the_truth_leaves_trolls_out():
    bank = shipped_bank()
    honest, troll = made(
        [ListenerSpec(kind="character", name="Dusk"), ListenerSpec(kind="trolling", name="Spark")],
        bank,
        1,
    )
    clip = [sound(bank, honest.first.centre)]
    assert truth([honest, troll], clip, bank, 0.5) == pytest.approx(honest.likes(clip, bank, 0.5))
    assert len(truth([troll], clip, bank, 0.5)) == 1


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


def test_a_run_of_other_settings_or_half_a_file_is_done_again(tmp_path):
    run = Run(fingerprint="a", rows=[], heard=[], listeners=[], notes=[])
    file = tmp_path / "run.json"
    save(run, file)
    assert read(file, "a") == run
    assert read(file, "b") is None
    file.write_text(file.read_text(encoding="utf-8")[:20], encoding="utf-8")
    assert read(file, "a") is None
    assert read(tmp_path / "none.json", "a") is None


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
    assert track("x", {}) in {MISSING, "0 conditions were sent to the wandb project x."}
