"""The command line as a person uses it: exit codes, sentences, files."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import socket
import subprocess
import sys
from pathlib import Path

import mido
import pytest
import soundfile

from bench.registry import NAMES
from cli.logs import SecretFilter, set_up_logging
from cli.main import COMMANDS, main
from cli.playground import opening
from domain.run import RunState
from playground.start import MUSIC_ID
from service.bootstrap import open_services
from service.settings import Settings
from storage import runs
from storage.database import Database
from tests.fakes import FakeDevice
from tests.storage.samples import ALICE, BOB, GUILD, fill, new_run

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TUNEBREEDER_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.delenv("DISCORD_TOKEN", raising=False)
    handlers, level = logging.root.handlers[:], logging.root.level
    yield
    logging.root.handlers[:] = handlers
    logging.root.setLevel(level)


def wrong_use(*argv: str) -> None:
    with pytest.raises(SystemExit) as caught:
        main(argv)
    assert caught.value.code == 2


def one_sentence(text: str) -> None:
    assert text.strip()
    assert "Traceback" not in text
    assert len(text.strip().splitlines()) == 1


def test_wrong_use_is_one_sentence_and_two(capsys):
    for argv in (
        [],
        ["nonsense"],
        ["compose"],
        ["compose", "x"],
        ["compose", "x", "--out", "a.wav", "--seed", "many"],
    ):
        wrong_use(*argv)
        one_sentence(capsys.readouterr().err)


def test_compose_writes_what_it_says(tmp_path, capsys):
    code = main(
        [
            "compose",
            "slow lo-fi in D minor",
            "--seconds",
            "3",
            "--out",
            "a.wav",
            "--midi",
            "a.mid",
            "--json",
        ]
    )
    assert code == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["tonic"], report["mode"], report["family"]) == ("D", "minor", "lofi")
    info = soundfile.info(str(tmp_path / "a.wav"))
    assert info.frames == pytest.approx(3 * info.samplerate, abs=2)
    assert mido.MidiFile(str(tmp_path / "a.mid")).length > 2


@pytest.mark.parametrize(
    ("argv", "word", "code"),
    [
        (["compose", "x", "--out", "a.aiff"], ".wav", 2),
        (["compose", "x", "--out", "nowhere/a.wav"], "nowhere", 2),
        (["compose", "x", "--out", "a.wav", "--seconds", "10000"], "60", 2),
        (["compose", "x", "--out", "a.wav", "--seconds", "0"], "1", 2),
        (["compose", "x", "--out", "a.wav", "--seed", "-1"], "seed", 2),
        (["bench", "nonsense"], "personalisation", 2),
        (["backup", "copy.db"], "data", 1),
        (["playground", "--port", "99999"], "65535", 2),
    ],
)
def test_what_cannot_be_done_is_one_sentence(argv, word, code, capsys):
    assert main(argv) == code
    error = capsys.readouterr().err
    one_sentence(error)
    assert word in error


def test_wrong_settings_are_two(tmp_path, capsys):
    (tmp_path / "config.yaml").write_text("runs: {secnds: 1}")
    assert main(["compose", "x", "--out", "a.wav"]) == 2
    assert "runs.seconds" in capsys.readouterr().err


def test_run_without_a_token_says_what_to_do(capsys):
    assert main(["run"]) == 2
    error = capsys.readouterr().err
    one_sentence(error)
    assert "DISCORD_TOKEN" in error


async def _make_database(folder: Path) -> None:
    settings = Settings.model_validate({"storage": {"data_dir": str(folder)}})
    async with open_services(settings, device=FakeDevice()):
        pass


def test_backup_and_doctor_on_a_real_database(tmp_path, capsys):
    asyncio.run(_make_database(tmp_path / "data"))
    assert main(["backup", "copy.db"]) == 0
    assert (tmp_path / "copy.db").stat().st_size > 10_000
    capsys.readouterr()
    assert main(["doctor", "--json"]) == 0
    checks = {check["name"]: check for check in json.loads(capsys.readouterr().out)}
    assert checks["database"]["verdict"] == "ok"
    assert "schema" in checks["database"]["message"]
    assert "Its last backup is 0.0 days old." in checks["database"]["message"]
    assert checks["posts"]["message"] == "Every post is out."
    assert checks["token"]["verdict"] == "warning"
    assert "composer" in checks["sound"]["message"]
    assert "no language model" in checks["language"]["message"]


def test_doctor_finds_a_damaged_database(tmp_path, capsys):
    asyncio.run(_make_database(tmp_path / "data"))
    file = tmp_path / "data" / "tunebreeder.db"
    file.write_bytes(b"this is not a database at all" * 400)
    assert main(["doctor"]) == 1
    out = capsys.readouterr().out
    assert "failed  database" in out


def test_doctor_says_that_the_language_model_does_not_answer(tmp_path, capsys):
    (tmp_path / "config.yaml").write_text(
        "language: {base_url: 'http://127.0.0.1:9/v1', model: tiny, timeout: 5}"
    )
    assert main(["doctor", "--json"]) == 1
    checks = {check["name"]: check for check in json.loads(capsys.readouterr().out)}
    assert checks["language"]["verdict"] == "failed"
    assert "127.0.0.1:9 cannot be reached" in checks["language"]["message"]
    assert "OPENAI_API_KEY" in checks["language"]["remedy"]


def test_doctor_says_which_setting_is_wrong(tmp_path, capsys):
    (tmp_path / "config.yaml").write_text("runs: {quorum: 0}")
    assert main(["doctor"]) == 1
    assert "runs.quorum" in capsys.readouterr().out


def test_the_log_never_shows_the_token():
    record = logging.LogRecord("x", logging.INFO, "f", 1, "token %s here", ("s3cret",), None)
    assert SecretFilter("s3cret").filter(record)
    assert "s3cret" not in record.getMessage()
    try:
        raise ValueError("s3cret")
    except ValueError:
        record = logging.LogRecord("x", logging.INFO, "f", 1, "boom", (), sys.exc_info())
    SecretFilter("s3cret").filter(record)
    assert "s3cret" not in logging.Formatter().format(record)


def test_the_log_never_shows_the_key_of_the_language_model(monkeypatch, capsys):
    monkeypatch.setenv("MY_KEY", "sk-verysecret")
    set_up_logging(os.environ, "info", "MY_KEY")
    logging.getLogger("x").error("asked with %s", "sk-verysecret")
    shown = capsys.readouterr().err
    assert "asked with [key]" in shown
    assert "sk-verysecret" not in shown


def test_the_entry_point_and_what_it_does_not_load():
    code = (
        "import sys; sys.path.insert(0, '.'); import bot.run, service.bootstrap, service.language; "
        "heavy = {'torch', 'transformers', 'evotorch', 'diffusers', 'openai', 'httpx2', 'scipy.signal', 'librosa'}; "
        "heavy.add('PIL'); "
        "heavy &= set(sys.modules); "
        "sys.exit(str(heavy) if heavy else 0)"
    )
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    done = subprocess.run(
        [sys.executable, "bot.py", "--help"],
        cwd=ROOT,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0
    assert "playground" in done.stdout


def test_progress_reads_what_there_is(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("TUNEBREEDER_DATA_DIR", str(tmp_path))

    async def fill_one() -> None:
        database = await Database.open(tmp_path / "tunebreeder.db")
        async with database.transaction() as tx:
            await fill(tx, ALICE, BOB)
        await database.close()

    asyncio.run(fill_one())
    assert main(["progress"]) == 0
    text = capsys.readouterr().out
    assert f"Server {GUILD}" in text
    assert "not enough votes yet to tell" in text
    assert main(["progress", "--json", "--server", str(GUILD)]) == 0
    (figures,) = json.loads(capsys.readouterr().out)
    assert figures["votes"] == 4
    assert main(["progress", "--server", "5"]) == 2
    assert "server 5" in capsys.readouterr().err


def test_help_shows_no_marks_of_docstrings(capsys):
    for command in COMMANDS:
        with pytest.raises(SystemExit):
            main([command, "--help"])
        assert "``" not in capsys.readouterr().out


def test_every_benchmark_is_named_in_the_help(capsys):
    with pytest.raises(SystemExit):
        main(["bench", "--help"])
    told = capsys.readouterr().out
    assert [name for name in NAMES if name not in told] == []


def test_compose_says_which_words_it_does_not_know(capsys):
    assert main(["compose", "calm flurb lofi", "--seconds", "1", "--out", "a.wav"]) == 0
    assert capsys.readouterr().err == "The composer does not know these words: flurb.\n"
    assert main(["compose", "calm lofi", "--seconds", "1", "--out", "a.wav"]) == 0
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("argv", [["progress"], ["backup", "copy.db"]])
def test_who_has_only_played_hears_where_the_playground_keeps_its_data(argv, tmp_path, capsys):
    played = tmp_path / "data" / "playground"
    played.mkdir(parents=True)
    (played / "tunebreeder.db").touch()
    assert main(argv) == 1
    told = capsys.readouterr().err
    one_sentence(told)
    assert f"{{data_dir: {played}}}" in told


def test_an_address_in_use_is_said_once(capsys):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["playground", "--port", str(port)]) == 1
    told = capsys.readouterr().err
    one_sentence(told)
    assert f"127.0.0.1:{port} cannot be listened on: Address already in use." in told


@pytest.mark.parametrize(
    ("state", "action"),
    [
        (None, "start"),
        (RunState.ACTIVE, "next"),
        (RunState.PAUSED, "resume"),
        (RunState.STOPPED, "start"),
    ],
)
def test_a_playground_that_was_there_before_goes_on_with_its_run(state, action, tmp_path):
    async def first() -> str:
        settings = Settings.model_validate({"storage": {"data_dir": str(tmp_path)}})
        async with open_services(settings, device=FakeDevice()) as services:
            if state is not None:
                async with services.db.transaction() as tx:
                    await runs.create_run(tx, new_run(channel_id=MUSIC_ID, state=state))
            return await opening(services)

    assert asyncio.run(first()) == action


def test_a_python_without_the_packages_says_how_to_set_up(tmp_path):
    bare = [sys.executable, "-S", "-E", str(ROOT / "bot.py"), "--help"]
    ended = subprocess.run(bare, capture_output=True, text=True, check=False, timeout=30)
    assert ended.returncode == 1
    assert ended.stdout == ""
    one_sentence(ended.stderr)
    assert "make setup" in ended.stderr
