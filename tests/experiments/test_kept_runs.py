"""Which runs of an experiment are kept and which are done again, and what is said where one cannot be done."""

import asyncio
import dataclasses
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from domain.errors import ConfigError, UserError
from experiments.records import Run, read, save
from experiments.running import jobs, run_all
from experiments.spec import load
from service.settings import Settings
from tests.experiments.test_experiments import TINY, write


def test_a_run_of_other_settings_or_half_a_file_is_done_again(tmp_path):
    run = Run(fingerprint="a", rows=[], heard=[], listeners=[], notes=[])
    file = tmp_path / "run.json"
    save(run, file)
    assert read(file, "a") == run
    assert read(file, "b") is None
    file.write_text(file.read_text(encoding="utf-8")[:20], encoding="utf-8")
    assert read(file, "a") is None
    assert read(tmp_path / "none.json", "a") is None


def test_runs_are_done_again_when_settings_that_they_go_by_changed(tmp_path):
    asked = TINY.replace("cmaes", "evolve").replace("seeds: 1", "seeds: 1\nmodel: settings")
    learned = TINY.replace("fitness: listener", "fitness: dynamic")
    played = TINY.replace("seeds: 1", "seeds: 1\ngenerator: musicgen-small")
    server = {"base_url": "http://localhost:1/v1", "model": "a"}
    changes = [
        (asked, {"language": server}, {"language": {**server, "model": "b"}}),
        (asked, {"language": server}, {"language": {**server, "temperature": 0.1}}),
        (learned, {}, {"taste": {"silence": 0.0}}),
        (learned, {}, {"scoring": {"encoder": "clap"}}),
        (played, {}, {"generation": {"drafts": True}}),
        (played, {}, {"generation": {"batch": 2}}),
    ]
    for text, before, after in changes:
        experiment = load(write(tmp_path, text))
        (job,) = jobs(experiment, tmp_path / "out", Settings.model_validate(before))
        save(Run(fingerprint=job.fingerprint, rows=[], heard=[], listeners=[], notes=[]), job.file)
        assert job.kept() is not None
        (again,) = jobs(experiment, tmp_path / "out", Settings.model_validate(after))
        assert again.kept() is None
    told = load(write(tmp_path, TINY))
    usual, strange = Settings(), Settings.model_validate({"language": server, "log_level": "debug"})
    marks = {jobs(told, tmp_path, one)[0].fingerprint for one in (usual, strange)}
    assert marks == {told.fingerprint(told.conditions[0])}  # nothing of that changes such a run


def test_a_condition_more_has_no_other_done_again(tmp_path):
    one = load(write(tmp_path, TINY))
    (job,) = jobs(one, tmp_path, Settings())
    save(Run(fingerprint=job.fingerprint, rows=[], heard=[], listeners=[], notes=[]), job.file)
    names = ("told the truth!", "\u771f\u5b9f", "\u5618", "told the truth")
    more = [one.conditions[0].model_copy(update={"name": name}) for name in names]
    found = jobs(one.model_copy(update={"conditions": tuple(more)}), tmp_path, Settings())
    assert [each.kept() is not None for each in found] == [False, False, False, True]
    assert len({each.file for each in found}) == len(names)


def hold(folder):
    """Say who runs this, and go on for ever."""
    (folder / str(os.getpid())).touch()
    threading.Event().wait()


class Endless:
    """Keeps the process that unpickles it busy."""

    def __init__(self, folder):
        self.folder = folder

    def __reduce__(self):
        return hold, (self.folder,)


CODE = """
import dataclasses, sys
from pathlib import Path
from experiments.running import jobs, run_all
from experiments.spec import load
from tests.experiments.test_kept_runs import Endless
folder = Path(sys.argv[1])
wanted = jobs(load(sys.argv[2]).model_copy(update={"seeds": 2}), folder, None)
run_all([dataclasses.replace(one, settings=Endless(folder / "who")) for one in wanted], workers=2, say=print)
"""


async def test_no_process_outlives_a_program_that_is_killed(tmp_path):
    (tmp_path / "who").mkdir()
    command = [sys.executable, "-c", CODE, str(tmp_path), write(tmp_path, TINY)]
    with subprocess.Popen(command, env={**os.environ, "PYTHONPATH": "."}) as program:
        try:
            await until(lambda: len(list((tmp_path / "who").iterdir())) == 2)
        finally:
            program.kill()
    await until(lambda: not any(is_there(int(path.name)) for path in (tmp_path / "who").iterdir()))


def is_there(process):
    try:
        os.kill(process, 0)
        if sys.platform != "linux":
            return True
        stat = Path("/proc", str(process), "stat").read_text(encoding="ascii")
    except (ProcessLookupError, FileNotFoundError):
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"  # one that is not buried yet is there no more


async def until(fact):
    """Wait for a fact, for two minutes at most."""
    async with asyncio.timeout(120.0):
        while not fact():
            await asyncio.sleep(0.02)


class Deadly:
    """Ends the process that unpickles it."""

    def __reduce__(self):
        return os._exit, (3,)


def test_a_process_that_ends_without_a_word_is_a_sentence(tmp_path):
    experiment = load(write(tmp_path, TINY)).model_copy(update={"seeds": 2})
    doomed = [
        dataclasses.replace(one, settings=Deadly()) for one in jobs(experiment, tmp_path, None)
    ]
    with pytest.raises(UserError, match="start again with fewer --workers"):
        run_all(doomed, workers=2, say=lambda _: None)


def test_results_in_a_folder_named_like_the_experiment_do_not_hide_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "table1").mkdir()
    assert load("table1").name == "table1"
    (tmp_path / "mine").mkdir()
    with pytest.raises(ConfigError, match="mine cannot be read"):
        load("mine")
