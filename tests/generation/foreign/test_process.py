"""A generator in a process of its own, whatever that process does."""

from __future__ import annotations

import dataclasses
import sys
import time

import pytest

from domain.clip import ClipFailure, ClipRequest, GeneratorInfo, Source, SourceUse
from domain.errors import GenerationError, NoRoomError
from generation.foreign import process
from generation.foreign.process import Foreign, Program
from generation.generator import Cancelled, Capabilities, Composition, Generator
from tests.generation.serving.worker import SCRIPT

ABLE = Capabilities(shortest=1.0, longest=60.0, sample_rate=8000, commercial=True, batch=8)


def foreign(*arguments, start=30.0, silence=30.0, **environ):
    program = Program(
        command=(sys.executable, "-I", str(SCRIPT), *map(str, arguments)),
        environ=environ,
        start=start,
        silence=silence,
    )
    return Foreign(program, GeneratorInfo(name="far", version="1", licence="MIT"), ABLE)


def request(prompt="a tune", seed=1, seconds=1.0):
    return ClipRequest(prompt=prompt, seed=seed, seconds=seconds)


@pytest.fixture
def made():
    """Makes generators and ends their processes."""
    all_of_them = []

    def make(*arguments, **more):
        all_of_them.append(foreign(*arguments, **more))
        return all_of_them[-1]

    yield make
    for one in all_of_them:
        one.release()


def test_clips_come_in_order_beside_those_that_are_refused(made, tmp_path):
    generator: Generator = made("--noise", "--refuse", "polka", "--log", tmp_path / "log")
    steps = []
    clips = generator.generate(
        [request(), request(" "), request("polka"), request(seconds=2.0)],
        progress=lambda *now: steps.append(now),
    )
    assert [type(one) for one in clips] == [Composition, ClipFailure, ClipFailure, Composition]
    assert clips[1].reason.startswith("The prompt is empty")
    assert clips[2].reason == "polka cannot be played."
    assert clips[3].audio.seconds == pytest.approx(2.0, abs=0.01)
    assert steps[-1] == (3, 3)
    assert isinstance(generator.generate([request()])[0], Composition)
    assert isinstance(generator.generate([request(" ")])[0], ClipFailure)
    generator.release()
    generator.prepare()
    assert (tmp_path / "log").read_text().splitlines() == ["start", "batch 3", "batch 1", "start"]


@pytest.mark.parametrize(
    ("arguments", "kind", "words"),
    [
        (("--sorry", "No GPU here."), GenerationError, "No GPU here."),
        (("--protocol", 99), GenerationError, "version 99 of the protocol"),
        (("--crash-at", 1), GenerationError, "far's process ended (status 3)."),
        (("--garbage-at", 1), GenerationError, "says what cannot be read"),
        (("--cut-at", 1), GenerationError, "says what cannot be read"),
        (("--fail-at", 1), GenerationError, "Nothing works today."),
        (("--raise-at", 1), GenerationError, "wrong in the generator (ZeroDivisionError)"),
        (("--room", 0), NoRoomError, "does not fit"),
        (("--no-such-option",), GenerationError, "unrecognized arguments: --no-such-option"),
    ],
)
def test_trouble_is_a_sentence_and_the_next_batch_is_made(made, tmp_path, arguments, kind, words):
    generator = made(*arguments, "--once", tmp_path / "once")
    with pytest.raises(kind) as raised:
        generator.generate([request()])
    assert words in str(raised.value)
    if arguments[0] not in {"--protocol", "--room", "--no-such-option"}:
        assert isinstance(generator.generate([request()])[0], Composition)


def test_silence_ends_the_process(made, tmp_path):
    generator = made("--hang-at", 1, "--once", tmp_path / "once", silence=2.0)
    with pytest.raises(GenerationError, match="silent for 2 seconds"):
        generator.generate([request()])
    assert isinstance(generator.generate([request()])[0], Composition)
    with pytest.raises(GenerationError, match="silent"):
        made("--start-seconds", 60, start=0.3).prepare()


DEAF = """
import json, struct, sys, time
hello = json.dumps({"kind": "hello", "protocol": 1}).encode()
sys.stdout.buffer.write(struct.pack(">II", len(hello), 0) + hello)
sys.stdout.buffer.flush()
time.sleep(600)
"""


def test_a_process_that_does_not_listen_is_ended():
    program = Program(command=(sys.executable, "-I", "-c", DEAF), silence=0.3)
    info = GeneratorInfo(name="far", version="1", licence="MIT")
    able = dataclasses.replace(ABLE, sources=frozenset({SourceUse.VARY}))
    generator = Foreign(program, info, able)
    long = Source(audio=bytes(1 << 20), use=SourceUse.VARY)
    with pytest.raises(GenerationError, match="did not listen for 0 seconds and was ended"):
        generator.generate([ClipRequest(prompt="a", seed=1, seconds=1.0, source=long)])
    assert generator._process is None


def test_a_program_that_is_not_there_is_a_sentence():
    info = GeneratorInfo(name="far", version="1", licence="MIT")
    with pytest.raises(GenerationError, match="far cannot be started: No such file"):
        Foreign(Program(command=("/nowhere/python",)), info, ABLE).prepare()


def test_a_batch_that_nobody_waits_for_is_given_up(made, tmp_path, monkeypatch):
    log = tmp_path / "log"

    def cancel(done, total):
        if done:
            raise Cancelled

    generator = made("--steps", 2000, "--step-seconds", 0.01, "--log", log)
    begin = time.monotonic()
    with pytest.raises(Cancelled):
        generator.generate([request()], progress=cancel)
    assert time.monotonic() - begin < 15
    generator.prepare()
    assert log.read_text().splitlines() == ["start", "batch 1"]
    monkeypatch.setattr(process, "GRACE", 0.3)
    hanging = made("--steps", 1, "--hang-at", 1)
    with pytest.raises(Cancelled):
        hanging.generate([request()], progress=cancel)
    assert hanging._process is None


def test_a_process_that_nobody_waits_for_any_more_is_not_started(made):
    def cancel(done, total):
        assert (done, total) == (0, 1)
        raise Cancelled

    generator = made("--start-seconds", 600, start=5.0)
    with pytest.raises(Cancelled):
        generator.generate([request()], progress=cancel)
    assert generator._process is None


def test_a_defect_of_who_is_told_is_not_laid_to_the_process(made):
    def tell(done, total):
        raise ValueError("nobody here")

    with pytest.raises(ValueError, match="nobody here"):
        made().generate([request()], progress=tell)


def test_secrets_stay_here(monkeypatch):
    monkeypatch.setenv("DISCORD_TOKEN", "hush")
    monkeypatch.setenv("MUSIC_API_KEY", "hush")
    monkeypatch.setenv("HARMLESS", "seen")
    script = "import os, sys; sys.exit(repr(sorted(k for k, v in os.environ.items() if v in ('hush', 'seen', 'more'))))"
    program = Program(command=(sys.executable, "-I", "-c", script), environ={"EXTRA": "more"})
    info = GeneratorInfo(name="far", version="1", licence="MIT")
    with pytest.raises(GenerationError) as raised:
        Foreign(program, info, ABLE).prepare()
    assert "It says: ['EXTRA', 'HARMLESS']" in str(raised.value)
