"""Frames through real pipes: batches, trouble, cancelling, ends, and garbage."""

from __future__ import annotations

import ast
import io
import math
import os
import time
from pathlib import Path

import pytest

from generation import frames, parcels, serving
from generation.frames import PROTOCOL, Frame, FrameError
from generation.parcels import Refusal, Sound
from tests.generation.serving.worker import SCRIPT, order, working


def test_a_batch_is_made_with_steps_and_told_in_order():
    with working("--noise", "--refuse", "polka") as worker:
        hello = worker.hear()
        assert (hello.kind, hello.header["protocol"]) == ("hello", PROTOCOL)
        assert hello.header["info"]["name"] == "scripted"
        worker.ask(7, order(source=b"abc"), order("a polka"), order(seconds=2.0, embedding=b"1234"))
        heard = [worker.hear()]
        while heard[-1].kind == "step":
            heard.append(worker.hear())
        assert heard[-2].header == {"batch": 7, "done": 3, "total": 3}
        assert heard[-1].header["batch"] == 7
        first, second, third = parcels.clips(heard[-1])
        assert second == Refusal("polka cannot be played.")
        assert (first.rate, len(first.samples), len(third.samples)) == (8000, 32_000, 64_000)
        assert (first.description["source"], third.description["embedding"]) == (3, 4)
        worker.say("stop")
        assert worker.hear() is None
        assert worker.process.wait(10) == 0
        assert b"a library says something" in worker.process.stderr.read()


@pytest.mark.parametrize(
    ("arguments", "kind", "reason"),
    [
        (("--room", 1), "no_room", ""),
        (("--fail-at", 1), "failed", "Nothing works today."),
        (
            ("--raise-at", 1),
            "failed",
            "Something went wrong in the generator (ZeroDivisionError). The log says more.",
        ),
    ],
)
def test_trouble_with_a_batch_is_said_and_the_next_is_made(arguments, kind, reason):
    with working(*arguments) as worker:
        worker.hear()
        worker.ask(1, order(), order())
        frame = worker.answer()
        assert (frame.kind, frame.header.get("reason", "")) == (kind, reason)
        worker.ask(2, order())
        assert worker.answer().kind == "clips"


def test_a_header_that_nobody_would_read_is_not_sent(monkeypatch):
    monkeypatch.setattr(frames, "MOST_HEADER", 100)
    refused = parcels.made(1, [Refusal("No. " * 20)])
    assert "MB; at most 0.0 MB" in frames.too_large(refused)
    assert frames.too_large(parcels.made(1, [Refusal("No.")])) == ""


def test_an_order_that_makes_no_sense_fails_alone():
    with working() as worker:
        worker.hear()
        worker.say("generate", batch=[1], requests="all")
        assert "FrameError" in worker.answer().header["reason"]
        worker.say("dance")
        worker.ask(2, order())
        assert worker.answer().header["batch"] == 2


def test_a_worker_that_cannot_work_says_sorry():
    with working("--sorry", "There is no GPU.") as worker:
        assert worker.hear() == Frame("sorry", {"reason": "There is no GPU."})
        assert worker.hear() is None
        assert worker.process.wait(10) == 0


def test_cancelled_batches_end_at_their_next_step_and_before_their_first():
    with working("--steps", 2000, "--step-seconds", 0.01) as worker:
        worker.hear()
        worker.ask(1, order())
        worker.ask(2, order())
        assert worker.hear().kind == "step"
        worker.say("cancel", batch=2)
        worker.say("cancel", batch=1)
        assert worker.answer() == Frame("cancelled", {"batch": 1})
        assert worker.hear() == Frame("cancelled", {"batch": 2})


@pytest.mark.parametrize("arguments", [("--start-seconds", 60), ("--steps", 1, "--hang-at", 1)])
def test_the_end_of_the_pipe_ends_a_process_that_hangs(arguments):
    with working(*arguments, "--grace", 0.1) as worker:
        worker.ask(1, order())
        if "--hang-at" in arguments:
            worker.hear()
            worker.hear()
        worker.process.stdin.close()
        assert worker.process.wait(20) == serving.GONE


def test_the_end_of_the_pipe_gives_a_batch_up():
    with working("--steps", 2000, "--step-seconds", 0.01) as worker:
        worker.hear()
        worker.ask(1, order())
        assert worker.hear().kind == "step"
        worker.process.stdin.close()
        assert worker.answer().kind == "cancelled"
        assert worker.process.wait(20) == 0


def test_garbage_ends_the_process_with_words():
    with working() as worker:
        worker.hear()
        worker.process.stdin.write(b"no frame, but a line of a log\n")
        worker.process.stdin.flush()
        assert worker.hear() is None
        assert worker.process.wait(20) == 0
        assert b"cannot be read" in worker.process.stderr.read()


def test_a_bot_that_is_gone_ends_the_process():
    with working("--steps", 2000, "--step-seconds", 0.01) as worker:
        worker.hear()
        worker.ask(1, order())
        worker.process.stdout.close()
        assert worker.process.wait(20) == 0


def test_scripted_trouble_looks_like_trouble(tmp_path):
    once, log = tmp_path / "once", tmp_path / "log"
    with working("--crash-at", 1, "--once", once, "--log", log) as worker:
        worker.hear()
        worker.ask(1, order())
        assert worker.answer() is None
        assert worker.process.wait(10) == 3
    with working("--crash-at", 1, "--once", once, "--log", log, "--protocol", 99) as worker:
        assert worker.hear().header["protocol"] == 99
        worker.ask(1, order())
        assert worker.answer().kind == "clips"
    assert log.read_text().splitlines() == ["start", "batch 1"] * 2
    for trouble in ("--garbage-at", "--cut-at"):
        with working(trouble, 1) as worker:
            worker.hear()
            worker.ask(1, order())
            with pytest.raises(FrameError):
                worker.answer()


def test_frames_whose_body_is_another_are_refused():
    asked = parcels.ordered(1, [order(source=b"ab"), order(embedding=b"c")])
    assert [(one.source, one.embedding) for one in parcels.orders(asked)] == [
        (b"ab", b""),
        (b"", b"c"),
    ]
    whole = parcels.made(1, [Sound(b"\0" * 8, 8000, 2), Refusal("no")])
    assert parcels.clips(whole) == [Sound(b"\0" * 8, 8000, 2), Refusal("no")]
    first = whole.header["clips"][0]
    for header, body in (
        (whole.header, b"\0" * 4),
        ({"clips": [{**first, "size": -8}, {**first, "size": 16}]}, b"\0" * 8),
        ({"clips": [{**first, "channels": 3}]}, whole.body),
        ({"clips": [{**first, "rate": None}]}, whole.body),
        ({"clips": [{**first, "rate": math.inf}, {"reason": "no"}]}, whole.body),
        ({"clips": [{**first, "loudness": math.nan}, {"reason": "no"}]}, whole.body),
        ({"clips": [{"size": 8}]}, whole.body),
        ({"clips": ["one"]}, b""),
        ({}, b""),
    ):
        with pytest.raises(FrameError):
            parcels.clips(Frame("clips", header, body))
    with pytest.raises(FrameError, match="two sizes"):
        parcels.orders(Frame("generate", {"requests": [{"sizes": 3}]}))


def test_clips_are_read_one_by_one_and_a_body_that_is_another_whole():
    sounds = [Sound(samples=bytes([one]) * 8, rate=8000) for one in (1, 2)]
    frame = parcels.made(3, [sounds[0], Refusal("No."), sounds[1]])
    apart = frames.read(io.BytesIO(frames.packed(frame)), parcels.clip_sizes)
    assert (apart.body, apart.parts) == (b"", [sounds[0].samples, sounds[1].samples])
    assert parcels.clips(apart) == parcels.clips(frame)
    for body in (b"", frame.body + b"1234"):
        other = Frame(frame.kind, frame.header, body)
        whole = frames.read(io.BytesIO(frames.packed(other)), parcels.clip_sizes)
        assert (whole.body, whole.parts) == (body, ())
        with pytest.raises(FrameError):
            parcels.clips(whole)
    with pytest.raises(FrameError, match="within a frame"):
        frames.read(io.BytesIO(frames.packed(frame)[:-1]), parcels.clip_sizes)
    for said in (7, [7], [{"size": "8"}], [{"size": -8}], [{"size": True}]):
        strange = Frame("clips", {"clips": said}, b"12345678")
        assert frames.read(io.BytesIO(frames.packed(strange)), parcels.clip_sizes).body


def test_what_is_nested_without_end_is_no_frame_and_half_a_letter_is_said():
    deep = b"[" * 100_000
    with pytest.raises(FrameError, match="no JSON object"):
        frames.read(io.BytesIO(len(deep).to_bytes(4, "big") + bytes(4) + deep))
    cut = frames.packed(Frame("generate", {"prompt": "rain \ud83c"}))
    assert frames.read(io.BytesIO(cut)).header["prompt"] == "rain ?"


def test_what_a_foreign_environment_runs_is_old_python_and_needs_nothing():
    for file in (frames.__file__, parcels.__file__, serving.__file__, SCRIPT):
        ast.parse(Path(file).read_text(encoding="utf-8"), feature_version=(3, 9))


def test_steps_are_told_seldom_and_the_last_always():
    with working("--steps", 300) as worker:
        worker.hear()
        begin = time.monotonic()
        worker.ask(1, order())
        steps = []
        while (frame := worker.hear()).kind == "step":
            steps.append(frame.header["done"])
        assert len(steps) <= 2 + (time.monotonic() - begin) / serving.EVERY
        assert steps[-1] == 300


def test_a_batch_that_fits_into_no_frame_is_no_room_and_says_how_large_it_is(monkeypatch):
    monkeypatch.setattr(frames, "MOST_BODY", 3_000_000)

    class Long:
        def hello(self):
            return {}

        def make(self, orders, step):
            return [Sound(b"\0" * 2_000_000, 8000) for _ in orders]

    inlet, outlet = os.pipe()
    said = io.BytesIO()
    with os.fdopen(inlet, "rb") as heard, os.fdopen(outlet, "wb") as bot:
        for batch, clips in ((1, 2), (2, 1)):
            frames.write(bot, parcels.ordered(batch, [order()] * clips))
        frames.write(bot, Frame("stop"))
        serving.serve(heard, said, Long)
        bot.close()
    said.seek(0)
    hello, refused, made = (frames.read(said) for _ in range(3))
    assert [hello.kind, refused.kind, made.kind] == ["hello", "no_room", "clips"]
    assert refused.header["reason"] == (
        "What was made is 4.0 MB; at most 3.0 MB can be handed over at once."
    )
