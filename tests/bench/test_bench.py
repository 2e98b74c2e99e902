"""The benches' own arithmetic: intervals, reports, and a baseline that follows its description."""

from __future__ import annotations

import json

import numpy as np
import pytest

from bench.evomusic import EPOCHS, LEARNING_RATE, Population, UserVector, noise_penalty
from bench.registry import NAMES, PAGES, run_bench
from bench.report import Bar, Report, interval, write_json
from domain.errors import UsageError
from prompts.vocabulary import shipped


def test_an_interval_is_students():
    found = interval([1.0, 2.0, 3.0])
    assert found.mean == pytest.approx(2.0)
    assert found.high - found.mean == pytest.approx(4.30 * 1.0 / np.sqrt(3))
    assert interval([1.0]).low == -np.inf


def test_a_report_passes_only_when_every_bar_is_met(tmp_path):
    report = Report(name="x", header=["a"], rows=[["1"]])
    report.bars.append(Bar(name="good", value="1", asked="1", met=True))
    assert report.passed
    report.bars.append(Bar(name="bad", value="0", asked="1", met=False))
    assert not report.passed
    assert "MISSED  bad" in report.text()
    write_json([report], tmp_path / "deep" / "out.json")
    assert json.loads((tmp_path / "deep" / "out.json").read_text())[0]["bars"][1]["met"] is False


def test_an_unknown_bench_is_a_sentence():
    with pytest.raises(UsageError, match=NAMES[0]):
        run_bench("nonsense")


def test_a_bench_whose_package_is_missing_is_a_sentence(monkeypatch):
    monkeypatch.setitem(PAGES, "sound", "no_such_package.bench")
    with pytest.raises(UsageError, match="sound needs a package that is not installed: no_such"):
        run_bench("sound")


def test_the_baseline_learns_as_slowly_as_described():
    rng = np.random.default_rng(0)
    user = UserVector(8, rng)
    clips = rng.normal(size=(6, 8))
    liked = np.array([True, False, True, False, False, True])
    before = user.vector.copy()
    gap = user.scores(clips)[liked].mean() - user.scores(clips)[~liked].mean()
    user.train(clips, liked)
    assert np.abs(user.vector - before).max() <= 1.01 * EPOCHS * LEARNING_RATE
    assert user.scores(clips)[liked].mean() - user.scores(clips)[~liked].mean() > gap


def test_the_baseline_gradient_is_right():
    rng = np.random.default_rng(1)
    user = UserVector(5, rng)
    clips, liked = rng.normal(size=(4, 5)), np.array([True, False, True, False])

    def loss(vector):
        cosine = clips @ vector / (np.linalg.norm(clips, axis=1) * np.linalg.norm(vector))
        weight = np.exp(cosine * np.exp(np.log(5)))
        return -np.log(weight[liked].sum() / weight.sum())

    step = 1e-6
    numeric = [
        (loss(user.vector + step * axis) - loss(user.vector - step * axis)) / (2 * step)
        for axis in np.eye(5)
    ]
    given = user._gradient(clips, liked)
    length = np.linalg.norm(numeric)
    assert given == pytest.approx(np.array(numeric) * min(1.0, 5.0 / length), rel=1e-3, abs=1e-5)


def test_the_baseline_penalty_has_the_described_fault():
    rng = np.random.default_rng(2)
    noise = rng.normal(0, 0.1, 44100).astype(np.float32)
    assert 0 < noise_penalty(noise, 44100) < 0.9
    assert noise_penalty(np.zeros(44100, dtype=np.float32), 44100) < noise_penalty(noise, 44100)


def test_the_baseline_population_keeps_its_size_and_its_best():
    population = Population(vocabulary=shipped(), size=12, rng=np.random.default_rng(3))
    population.begin()
    for place, member in enumerate(population.members):
        member.fitness = place / 12
    best = population.members[-1].prompt
    population.evolve()
    assert len(population.members) == 12
    assert population.members[0].prompt == best
