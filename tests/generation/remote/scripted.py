"""A line to nowhere that answers as a test says, and sounds to answer with."""

from __future__ import annotations

import io
import json
import threading

import numpy as np
import soundfile

from domain.clip import ClipRequest
from generation.registry import Recipe
from generation.remote.generator import Remote
from generation.remote.line import Answer, Lack, NoAnswer
from generation.remote.server import server_of

KEY = "sk-very-secret-123"
ENVIRON = {"MUSIC_KEY": KEY}


def sound(seconds=2.0, rate=22_050, channels=1, kind="WAV"):
    turns = np.arange(round(seconds * rate)) * 2 * np.pi * 330 / rate
    out = io.BytesIO()
    soundfile.write(out, np.tile(0.3 * np.sin(turns)[:, None], (1, channels)), rate, format=kind)
    return out.getvalue()


def answer(body=b"", status=200, **headers):
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status=status, headers=named, body=body)


def said(value, status=200, **headers):
    return answer(json.dumps(value).encode(), status, **headers)


class Clock:
    """Time that passes when somebody waits."""

    def __init__(self):
        self.now = 1000.0
        self.waits = []

    def __call__(self):
        return self.now


class ScriptedLine:
    """A ``Line``: each answer is an ``Answer``, a ``Lack``, or a function of the call."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.calls = []
        self.ended = threading.Event()

    def call(self, call):
        self.calls.append(call)
        if self.ended.is_set():
            raise NoAnswer(Lack.HUNG_UP)
        given = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        given = given(call) if callable(given) else given
        if isinstance(given, Lack):
            raise NoAnswer(given)
        return given

    def hang_up(self):
        self.ended.set()

    def sent(self, number=0):
        return json.loads(self.calls[number].body)


def recipe(batch=8, commercial=True, **options):
    given = {"url": "http://music.local:8091/v1", "model": "tunes-1", **options}
    return Recipe(
        loader="remote",
        name="remote",
        licence="CC-BY-4.0",
        commercial=commercial,
        batch=batch,
        options=tuple(given.items()),
    )


def remote(line, **options):
    made = recipe(**options)
    return Remote(made, server_of(made, ENVIRON), lambda: line)


def request(prompt="slow rain", seed=7, seconds=2.0, **more):
    return ClipRequest(prompt=prompt, seed=seed, seconds=seconds, **more)
