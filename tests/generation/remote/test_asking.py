"""Asking again, giving up, and what is said of it, by a clock that only waits move."""

from __future__ import annotations

import email.utils
import time

import pytest

from domain.errors import GenerationError
from generation.generator import Cancelled
from generation.remote.asking import JSON, Asker, Spoilt, complaint, in_json
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


def order(asker):
    return asker.order("/x", b"{}", JSON)


@pytest.mark.parametrize(
    ("trouble", "waits"),
    [
        ([answer(status=503), answer(status=503)], [0.5, 1.0]),
        ([answer(status=429, retry_after="7")], [7.0]),
        ([answer(status=429, retry_after="soon")], [0.5]),
        ([Lack.UNREACHABLE, Lack.UNREACHABLE], [0.5, 1.0]),
    ],
)
def test_an_order_that_was_not_taken_is_given_again(trouble, waits):
    clock = Clock()
    line = ScriptedLine(*trouble, answer(b"sound"))
    assert order(asker(line, clock)).body == b"sound"
    assert clock.waits == waits


@pytest.mark.parametrize(
    "trouble", [Lack.CUT, Lack.SILENT, *(answer(status=one) for one in (408, 500, 502, 504, 520))]
)
def test_an_order_that_may_have_been_taken_is_given_once(trouble):
    line = ScriptedLine(trouble, answer(b"sound"))
    with pytest.raises(Spoilt):
        order(asker(line))
    assert len(line.calls) == 1


def test_a_question_is_asked_again():
    clock = Clock()
    line = ScriptedLine(Lack.CUT, answer(status=500), answer(status=502), answer(b"sound"))
    assert asker(line, clock).question("/x", {"a": 1}).body == b"sound"
    assert clock.waits == [0.5, 1.0, 2.0]


def test_a_date_to_come_back_at_is_waited_for():
    clock = Clock()
    then = email.utils.formatdate(time.time() + 20, usegmt=True)
    order(asker(ScriptedLine(answer(status=429, retry_after=then), answer(b"sound")), clock))
    assert 15 < clock.waits[0] <= 20


@pytest.mark.parametrize(
    ("given", "kind", "words", "calls"),
    [
        (answer(status=503), Spoilt, "trouble of its own (HTTP 503).", 4),
        (answer(status=500), Spoilt, "(HTTP 500). It may have made, and charged for, the clip", 1),
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
        (Lack.CUT, Spoilt, "broke off in the middle of its answer. It may have made", 1),
        (Lack.SILENT, Spoilt, "within 300 seconds", 1),
        (Lack.HUGE, Spoilt, "more than 256 MB", 1),
        (Lack.HUNG_UP, Cancelled, "", 1),
    ],
)
def test_lasting_trouble_is_a_sentence(given, kind, words, calls):
    line = ScriptedLine(given)
    with pytest.raises(kind) as raised:
        order(asker(line))
    assert words in str(raised.value)
    assert len(line.calls) == calls


@pytest.mark.parametrize(
    ("given", "words", "calls"),
    [
        (answer(status=404), "took the order but does not give the clip (HTTP 404).", 1),
        (answer(status=401), "does not give the clip (HTTP 401).", 1),
        (answer(status=500), "does not give the clip (HTTP 500).", 4),
        (Lack.UNREACHABLE, "cannot be reached", 4),
        (Lack.CUT, "broke off in the middle of its answer.", 4),
        (Lack.NONSENSE, "HTTP", 1),
    ],
)
def test_what_goes_wrong_after_an_order_concerns_its_clip_alone(given, words, calls):
    line = ScriptedLine(given)
    with pytest.raises(Spoilt) as raised:
        asker(line).fetched("/x")
    assert words in str(raised.value)
    assert len(line.calls) == calls


def test_no_key_is_ever_said():
    line = ScriptedLine(said({"error": f"bad {KEY} and Bearer abcdefgh\x07"}, 400))
    with pytest.raises(Spoilt) as raised:
        order(asker(line))
    assert str(raised.value).endswith("It says: bad *** and ***")
    assert line.calls[0].headers["Authorization"] == f"Bearer {KEY}"
    assert KEY not in repr(line.calls[0])
    assert KEY not in repr(server_of(recipe(key_variable="MUSIC_KEY"), ENVIRON))
    without = ScriptedLine(answer(status=401))
    with pytest.raises(GenerationError, match="wants a key"):
        order(asker(without, key_variable=""))
    assert "Authorization" not in without.calls[0].headers


def test_waiting_ends_with_the_time_and_with_patience():
    clock = Clock()
    late = asker(ScriptedLine(answer(status=503, retry_after="6")), clock, timeout="10")
    with pytest.raises(Spoilt, match="trouble of its own"):
        order(late)
    assert clock.waits == [6.0]
    with pytest.raises(Spoilt, match="within 10 seconds"):
        late.pause(5.0)
    with pytest.raises(Cancelled):
        order(asker(ScriptedLine(answer(status=503)), given_up=True))


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


def test_letters_that_utf_8_does_not_know_are_sent_all_the_same():
    assert in_json({"prompt": "rain \ud83c"}) == b'{"prompt": "rain ?"}'
