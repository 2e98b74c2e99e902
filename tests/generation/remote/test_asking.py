"""Asking again, giving up, and what is said of it, by a clock that only waits move."""

from __future__ import annotations

import email.utils
import time

import pytest

from domain.errors import GenerationError
from generation.generator import Cancelled
from generation.remote.asking import Asker, Spoilt, complaint
from generation.remote.line import Lack
from generation.remote.server import server_of
from tests.generation.remote.scripted import ENVIRON, KEY, Clock, ScriptedLine, answer, recipe, said


def asker(line, clock=None, given_up=False, **options):
    clock = clock or Clock()

    def wait(seconds):
        clock.waits.append(seconds)
        clock.now += seconds
        return given_up

    options = {"key_variable": "MUSIC_KEY", **options}
    return Asker(server_of(recipe(**options), ENVIRON), line, wait, clock)


@pytest.mark.parametrize(
    ("trouble", "waits"),
    [
        ([answer(status=500), answer(status=503)], [0.5, 1.0]),
        ([answer(status=429, retry_after="7")], [7.0]),
        ([answer(status=429, retry_after="soon")], [0.5]),
        ([Lack.UNREACHABLE, Lack.CUT], [0.5, 1.0]),
    ],
)
def test_passing_trouble_is_waited_out(trouble, waits):
    clock = Clock()
    line = ScriptedLine(*trouble, answer(b"sound"))
    assert asker(line, clock).post("/x", {"a": 1}).body == b"sound"
    assert clock.waits == waits


def test_a_date_to_come_back_at_is_waited_for():
    clock = Clock()
    then = email.utils.formatdate(time.time() + 20, usegmt=True)
    asker(ScriptedLine(answer(status=429, retry_after=then), answer(b"sound")), clock).get("/x")
    assert 15 < clock.waits[0] <= 20


@pytest.mark.parametrize(
    ("given", "kind", "words", "calls"),
    [
        (answer(status=500), Spoilt, "trouble of its own (HTTP 500).", 4),
        (answer(status=429), Spoilt, "asked too often", 4),
        (answer(status=429, retry_after="3600"), Spoilt, "asked too often", 1),
        (
            said({"error": {"message": "quota exceeded"}}, 429, retry_after="99"),
            GenerationError,
            "money",
            1,
        ),
        (answer(status=402), GenerationError, "money", 1),
        (answer(status=401), GenerationError, "environment variable MUSIC_KEY", 1),
        (answer(status=403), GenerationError, "environment variable MUSIC_KEY", 1),
        (said({"detail": "no tunes-1"}, 404), GenerationError, "It says: no tunes-1", 1),
        (answer(status=302, location="http://evil"), GenerationError, "moved", 1),
        (said({"detail": [{"msg": "too long"}]}, 422), Spoilt, "(HTTP 422). It says: too long", 1),
        (answer(b"<html>oops</html>", 400), Spoilt, "refuses the request (HTTP 400).", 1),
        (Lack.UNREACHABLE, GenerationError, "music.local:8091 cannot be reached", 4),
        (Lack.UNTRUSTED, GenerationError, "certificate", 1),
        (Lack.NONSENSE, GenerationError, "HTTP", 1),
        (Lack.CUT, Spoilt, "broke off", 4),
        (Lack.SILENT, Spoilt, "within 300 seconds", 1),
        (Lack.HUGE, Spoilt, "more than 256 MB", 1),
        (Lack.HUNG_UP, Cancelled, "", 1),
    ],
)
def test_lasting_trouble_is_a_sentence(given, kind, words, calls):
    line = ScriptedLine(given)
    with pytest.raises(kind) as raised:
        asker(line).get("/x")
    assert words in str(raised.value)
    assert len(line.calls) == calls


def test_no_key_is_ever_said():
    line = ScriptedLine(said({"error": f"bad {KEY} and Bearer abcdefgh\x07"}, 400))
    with pytest.raises(Spoilt) as raised:
        asker(line).get("/x")
    assert str(raised.value).endswith("It says: bad *** and ***")
    assert line.calls[0].headers["Authorization"] == f"Bearer {KEY}"
    assert KEY not in repr(line.calls[0])
    assert KEY not in repr(server_of(recipe(key_variable="MUSIC_KEY"), ENVIRON))
    without = ScriptedLine(answer(status=401))
    with pytest.raises(GenerationError, match="wants a key"):
        asker(without, key_variable="").get("/x")
    assert "Authorization" not in without.calls[0].headers


def test_waiting_ends_with_the_time_and_with_patience():
    clock = Clock()
    late = asker(ScriptedLine(answer(status=503, retry_after="6")), clock, timeout="10")
    with pytest.raises(Spoilt, match="trouble of its own"):
        late.get("/x")
    assert clock.waits == [6.0]
    with pytest.raises(Spoilt, match="within 10 seconds"):
        late.pause(5.0)
    with pytest.raises(Cancelled):
        asker(ScriptedLine(answer(status=500)), given_up=True).get("/x")


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"plain", "plain"),
        (b'{"error": "one"}', "one"),
        (b'{"error": {"message": "two", "code": 3}}', "two"),
        (b'{"detail": [{"msg": "three"}]}', "three"),
        (b'{"code": 4}', ""),
        (b'{"error": {"deep": 1}}', ""),
        (b"[]", ""),
        (b"[" * 5000, "[" * 4000),
    ],
)
def test_complaints_of_any_shape(body, words):
    assert complaint(body) == words
