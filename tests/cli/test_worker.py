"""``worker audiocraft``: set up, check, pull; and ``compose`` with what was pulled."""

from __future__ import annotations

import pytest

from cli.main import main
from generation.foreign import setup
from service.models.chosen import recipe_of
from service.settings import load
from tests.generation.foreign.conftest import made


@pytest.fixture
def data(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TUNEBREEDER_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("CALLS", str(tmp_path / "calls"))
    return tmp_path / "data"


@pytest.fixture
def environment(data):
    return made(data / "audiocraft", "quick.py")


def worker(*argv):
    return main(["worker", "audiocraft", *argv])


def test_a_model_is_pulled_and_plays(environment, tmp_path, capsys):
    assert main(["compose", "jazz", "--model", "magnet-small", "--out", "a.wav"]) == 1
    assert "--pull magnet-small" in capsys.readouterr().err
    assert worker("--pull", "magnet-small") == 1
    assert "--accept-noncommercial" in capsys.readouterr().err
    assert worker("--pull", "magnet-small", "--accept-noncommercial") == 0
    assert "1.5 GB, licence CC-BY-NC-4.0" in capsys.readouterr().out
    assert worker("--check") == 0
    said = capsys.readouterr().out
    assert "audiocraft 1.3.0 works: Python 3.10.4, PyTorch 2.1.0, no GPU" in said
    assert "magnet-small      on this machine" in said
    assert "jasco-400m        not in this version of audiocraft" in said
    assert (
        main(["compose", "jazz", "--model", "magnet-small", "--seconds", "2", "--out", "a.wav"])
        == 0
    )
    assert "a.wav: magnet-small (CC-BY-NC-4.0), 2.0 s" in capsys.readouterr().out
    recipe = recipe_of(load(), "magnet-small")
    assert (recipe.loader, recipe.folder, recipe.commercial) == (
        "audiocraft",
        str(environment.folder),
        False,
    )
    (tmp_path / "config.yaml").write_text("generation: {memory: 5, workers: 3}")
    asked = recipe_of(load(tmp_path / "config.yaml"), "magnet-small")
    assert (asked.option("memory"), asked.option("threads")) == ("5", "3")


@pytest.mark.parametrize(
    ("argv", "code", "words"),
    [
        (["--check"], 1, "Set it up: python bot.py worker audiocraft --setup"),
        (["--pull", "magnet-huge"], 2, "there are: magnet-small"),
        (["--pull", "magnet-small"], 1, "Set it up"),
        (
            ["--setup", "--python", "/nowhere/python"],
            1,
            "cannot be started; audiocraft needs Python",
        ),
        ([], 2, "required"),
    ],
)
def test_what_is_missing_is_said(data, argv, code, words, capsys):
    try:
        assert worker(*argv) == code
    except SystemExit as ended:
        assert ended.code == code
    assert words in capsys.readouterr().err


def test_set_up_says_what_it_fetches(environment, monkeypatch, capsys):
    monkeypatch.setattr(setup, "find_python", lambda given: "/usr/bin/python3.10")
    monkeypatch.setattr(setup, "set_up", lambda *_: None)
    assert worker("--setup") == 0
    said = capsys.readouterr().out
    assert "about 3 GB to download, 6 GB on the disk" in said
    assert "CC-BY-NC-4.0" in said


def test_models_pull_points_here(data, capsys):
    assert main(["models", "pull", "magnet-small"]) == 1
    assert "python bot.py worker audiocraft --pull magnet-small" in capsys.readouterr().err
    assert main(["compose", "jazz", "--model", "jasco-400m", "--out", "a.wav"]) == 1
    assert "environment of its own" in capsys.readouterr().err
