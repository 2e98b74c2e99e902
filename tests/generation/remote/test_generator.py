"""From requests to clips through a server that answers as a test says."""

from __future__ import annotations

import base64
import dataclasses
import email
import io
import json
import pickle
import threading

import numpy as np
import pytest
import soundfile

from domain.clip import ClipFailure, Source, SourceUse
from domain.errors import GenerationError
from generation.generator import Cancelled, Composition
from generation.remote.dialects import AceStep
from generation.remote.line import Lack
from tests.generation.remote.scripted import (
    KEY,
    ScriptedLine,
    answer,
    remote,
    request,
    said,
    sound,
)


def floats(level):
    out = io.BytesIO()
    samples = np.full((16_000, 1), level, dtype=np.float32)
    soundfile.write(out, samples, 8000, format="WAV", subtype="FLOAT")
    return out.getvalue()


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    monkeypatch.setattr(AceStep, "PAUSE", 0.0)


def test_a_clip_comes_with_its_cost():
    line = ScriptedLine(answer(sound(5.0, channels=2, kind="FLAC")))
    generator = remote(line, price_per_clip="0.01", price_per_minute="0.3", fields='{"voice": "x"}')
    done = []
    clip = generator.generate([request()], progress=lambda *now: done.append(now))[0]
    assert isinstance(clip, Composition)
    assert (clip.audio.seconds, clip.audio.sample_rate) == (2.0, 44_100)
    assert -17 < clip.loudness < -15
    assert line.calls[0].target == "/v1/audio/speech"
    assert line.sent() == {
        "input": "slow rain",
        "model": "tunes-1",
        "response_format": "wav",
        "seed": 7,
        "audio_length": 2.0,
        "voice": "x",
    }
    assert done[-1] == (100, 100)
    cost = clip.description["cost"]
    assert cost == {"amount": pytest.approx(0.02), "currency": "USD", "source": "price"}
    assert clip.description["made_rate"] == 22_050
    assert generator.info.details["spent"] == "0.02 USD for 1 clips"
    json.dumps(clip.description)
    pickle.dumps(generator.info)


def test_a_file_within_json_may_say_its_own_cost():
    file = base64.b64encode(sound()).decode()
    for given in (
        {"audio": {"b64_json": file}, "usage": {"cost": 0.5}},
        {"data": [{"b64_json": file}], "cost": 0.5},
        {"audio": f"data:audio/wav;base64,{file}", "usage": {"cost": 0.5}},
    ):
        clip = remote(ScriptedLine(said(given)), price_per_clip="9").generate([request()])[0]
        assert clip.description["cost"] == {"amount": 0.5, "currency": "USD", "source": "server"}


def test_where_nobody_knows_a_cost_none_is_said():
    clip = remote(ScriptedLine(answer(sound(1.9)))).generate([request()])[0]
    assert "cost" not in clip.description
    assert clip.description["short_by"] == pytest.approx(0.1)


def test_length_and_fields_go_where_the_host_says():
    line = ScriptedLine(answer(sound()))
    fields = '{"options": {"steps": 8}, "seed": null}'
    remote(line, length_field="options.duration_sec", fields=fields).generate([request()])
    assert line.sent()["options"] == {"duration_sec": 2.0, "steps": 8}
    assert "seed" not in line.sent()
    remote(line, length_field="").generate([request()])
    assert "audio_length" not in line.sent(1)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "an empty file"),
        (b"nonsense" * 100, "800 bytes that are no WAV"),
        (b"<!DOCTYPE html><p>hi", "a web page instead of sound"),
        (b'{"message": "queue is full"}', "words instead of sound. It says: queue is full"),
        (b"{broken", "words instead of sound"),
        (sound(0.5), "made 0.5 s of sound instead of 2 s"),
        (sound(2.0, channels=6), "6 channels"),
        (sound(2.0, rate=4000), "cannot be used. A sample rate of 4000 Hz is out of range."),
        (floats(1e38), "cannot be used: a sample is 1e+38, and full scale is 1."),
        (floats(np.nan), "cannot be used. Audio has samples that are not numbers."),
        (sound(0.0), "made 0.0 s of sound instead of 2 s"),
        (sound()[:2000], "instead of 2 s"),
    ],
)
def test_what_is_no_clip_is_a_sentence(body, words):
    generator = remote(ScriptedLine(answer(body)), price_per_clip="1")
    failure = generator.generate([request()])[0]
    assert isinstance(failure, ClipFailure)
    assert words in failure.reason
    assert generator.info.details["spent"].startswith("1.00 USD")


def test_words_instead_of_sound_say_no_key():
    line = ScriptedLine(said({"error": f"{KEY} has no credit"}))
    failure = remote(line, key_variable="MUSIC_KEY").generate([request()])[0]
    assert failure.reason.endswith("words instead of sound. It says: *** has no credit")


def test_bad_requests_never_reach_the_server():
    line = ScriptedLine(answer(sound()))
    tune = Source(audio=b"", use=SourceUse.MELODY)
    made = remote(line, longest="30").generate(
        [request(" "), request(seconds=31.0), request(seed=-1), request(source=tune)]
    )
    assert all(isinstance(one, ClipFailure) for one in made)
    assert line.calls == []


def test_trouble_with_one_clip_leaves_the_others():
    def by_prompt(call):
        return said({"error": "no"}, 400) if b"bad" in call.body else answer(sound())

    made = remote(ScriptedLine(by_prompt)).generate(
        [request(), request("bad"), request("x", seconds=1.0)]
    )
    assert [type(one) for one in made] == [Composition, ClipFailure, Composition]
    assert made[1].reason == "music.local:8091 refuses the request (HTTP 400). It says: no"
    assert made[2].audio.seconds == pytest.approx(1.0)


def test_trouble_with_all_is_raised_unless_clips_came():
    with pytest.raises(GenerationError, match="environment variable MUSIC_KEY") as raised:
        remote(ScriptedLine(answer(status=401)), key_variable="MUSIC_KEY").generate([request()] * 3)
    assert KEY not in str(raised.value)
    line = ScriptedLine(answer(sound()), answer(status=402))
    made = remote(line, parallel="1").generate([request()] * 4)
    assert isinstance(made[0], Composition)
    assert {one.reason for one in made[1:]} == {
        "The account at music.local:8091 has no money left."
    }
    assert len(line.calls) == 2


def test_a_batch_that_nobody_waits_for_is_hung_up_on():
    asked = threading.Event()

    def hanging(call):
        asked.set()
        line.ended.wait(20)
        return Lack.HUNG_UP

    line = ScriptedLine(hanging)

    def progress(done, total):
        if asked.is_set():
            raise Cancelled

    with pytest.raises(Cancelled):
        remote(line, parallel="2").generate([request()] * 5, progress=progress)
    assert line.ended.is_set()
    assert len(line.calls) <= 2


def ace(*states, file=None, given=None):
    """Return a line to an ACE-Step server."""
    left = list(states)

    def serve(call):
        if call.target == "/release_task":
            return given or said({"data": {"task_id": "t1", "status": "queued"}, "code": 200})
        if call.target == "/query_result":
            assert json.loads(call.body) == {"task_id_list": ["t1"]}
            return said({"data": [left.pop(0)], "code": 200, "error": None})
        return answer(sound(10.0, 48_000, 2) if file is None else file)

    return ScriptedLine(serve)


def result(**said):
    return json.dumps([{"file": "/v1/audio?path=%2Ftmp%2Fa.flac", **said}])


def test_an_ace_step_task_is_given_asked_for_and_fetched():
    line = ace(
        {"task_id": "t1", "status": 0, "result": ""},
        {"task_id": "t1", "status": 0, "result": result(file="", progress=0.5)},
        {"task_id": "t1", "status": 1, "result": result(status=1)},
    )
    generator = remote(
        line,
        url="http://music.local:8001",
        style="acestep",
        fields='{"thinking": true}',
        price_per_minute="0.6",
    )
    clip = generator.generate([request()])[0]
    assert clip.audio.seconds == 2.0
    assert clip.description["cost"]["amount"] == pytest.approx(0.1), "ten seconds are ordered"
    sent = line.sent()
    assert (sent["prompt"], sent["audio_duration"], sent["seed"]) == ("slow rain", 10.0, 7)
    assert (sent["use_random_seed"], sent["thinking"], sent["batch_size"]) == (False, True, 1)
    assert [call.method + " " + call.target for call in line.calls][-1] == (
        "GET /v1/audio?path=%2Ftmp%2Fa.flac"
    )
    assert generator.capabilities.sample_rate == 48_000
    assert generator.capabilities.sources == {SourceUse.VARY, SourceUse.FILL}


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (
            ace({"status": 2, "result": result(error="CUDA is full")}),
            "could not make the clip. It says: CUDA is full",
        ),
        (ace({"status": 1, "result": result(file="http://evil.example/a")}), "does not say where"),
        (ace({"status": 1, "result": result(file="http://[evil/a")}), "does not say where"),
        (ace({"status": 1, "result": "[]"}), "does not say where"),
        (ace(given=said({"data": {}, "code": 200})), "gave it no number"),
        (
            ace(given=said({"data": None, "error": "no such model"})),
            "refuses the task. It says: no such model",
        ),
        (ace(given=answer(b"hello")), "does not answer as an ACE-Step server does"),
        (ace(given=said([1])), "does not answer as an ACE-Step server does"),
        (ace({"status": 1, "result": result()}, file=b"zip"), "3 bytes that are no WAV"),
    ],
)
def test_trouble_with_a_task_is_a_sentence(line, words):
    made = remote(line, url="http://music.local:8001", style="acestep").generate([request()])[0]
    assert isinstance(made, ClipFailure)
    assert words in made.reason


def uploaded(call):
    """Return the fields of a form, with its file as what soundfile reads."""
    kind = call.headers["Content-Type"]
    form = email.message_from_bytes(f"Content-Type: {kind}\r\n\r\n".encode() + call.body)
    fields = {
        part.get_param("name", header="content-disposition"): part.get_payload(decode=True)
        for part in form.get_payload()
    }
    return fields, soundfile.read(io.BytesIO(fields.pop("src_audio")))


@pytest.mark.parametrize(
    ("source", "task"),
    [
        (
            Source(audio=sound(3.0), use=SourceUse.VARY, strength=0.25),
            {b"cover", b"0.75"},
        ),
        (
            Source(audio=sound(3.0), use=SourceUse.FILL, start=0.5, end=1.5),
            {b"repaint", b"0.5", b"1.5"},
        ),
    ],
)
def test_a_sound_goes_along_as_long_as_the_clip_that_is_asked_for(source, task):
    line = ace({"status": 1, "result": result()})
    fields = '{"lyrics": "Größe\\"", "bpm": 90}'
    (made,) = remote(line, url="http://h", style="acestep", fields=fields).generate(
        [request(source=source)]
    )
    assert isinstance(made, Composition)
    sent, (samples, rate) = uploaded(line.calls[0])
    assert task <= set(sent.values())
    assert (sent["prompt"], sent["bpm"], sent["use_random_seed"]) == (b"slow rain", b"90", b"false")
    assert sent["lyrics"].decode() == 'Größe"'
    assert (len(samples), rate) == (480_000, 48_000)
    assert np.abs(samples[: 2 * rate]).max() > 0.2
    assert not samples[2 * rate :].any(), "what is beyond the clip is silence"


def test_what_is_around_a_new_stretch_stays_as_it_was():
    silence = io.BytesIO()
    soundfile.write(silence, np.zeros((441_000, 1)), 44_100, format="WAV")
    source = Source(audio=sound(2.0), use=SourceUse.FILL, start=0.5, end=1.5)
    line = ace({"status": 1, "result": result()}, file=silence.getvalue())
    (made,) = remote(line, url="http://h", style="acestep").generate([request(source=source)])
    loud = np.abs(made.audio.samples).max(axis=1)
    assert loud[:20_000].max() > 0.1
    assert loud[30_000:58_000].max() < 0.001
    assert loud[68_000:].max() > 0.1


@pytest.mark.parametrize(
    ("source", "file", "words"),
    [
        (Source(audio=b"no sound", use=SourceUse.VARY), sound(10.0), "cannot be read"),
        (Source(audio=sound(), use=SourceUse.VARY, strength=2.0), sound(10.0), "between 0 and 1"),
        (Source(audio=sound(), use=SourceUse.FILL, start=1, end=5), sound(10.0), "no stretch"),
        (Source(audio=sound(), use=SourceUse.FILL, end=2.0), sound(1.8), "stretch ends at 2 s"),
        (Source(audio=sound(), use=SourceUse.CONTINUE), sound(10.0), "cannot go on from a clip"),
    ],
)
def test_what_is_wrong_with_a_sound_to_start_from_is_a_sentence(source, file, words):
    line = ace({"status": 1, "result": result()}, file=file)
    (made,) = remote(line, url="http://h", style="acestep").generate([request(source=source)])
    assert isinstance(made, ClipFailure)
    assert words in made.reason
    assert ("stretch ends" in words) == bool(line.calls), "only what can be done is asked for"


def test_a_file_that_is_not_there_costs_its_clip_alone():
    def serve(call):
        if call.target == "/release_task":
            return said({"data": {"task_id": json.loads(call.body)["prompt"]}})
        if call.target == "/query_result":
            (task,) = json.loads(call.body)["task_id_list"]
            return said({"data": [{"status": 1, "result": result(file=f"/v1/audio?path={task}")}]})
        return answer(status=404) if call.target.endswith("=lost") else answer(sound(10.0))

    line = ScriptedLine(serve)
    made = remote(line, url="http://music.local:8001", style="acestep", parallel="1").generate(
        [request("lost"), request("found")]
    )
    assert (
        made[0].reason == "music.local:8001 took the order but does not give the clip (HTTP 404)."
    )
    assert isinstance(made[1], Composition)


def test_what_was_ordered_is_fetched_though_more_is_ordered_in_vain():
    begun, refused = threading.Event(), threading.Event()

    def serve(call):
        if call.target == "/release_task":
            if json.loads(call.body)["prompt"] == "paid":
                begun.set()
                return said({"data": {"task_id": "t1"}})
            begun.wait(20)
            refused.set()
            return answer(status=402)
        if call.target == "/query_result":
            refused.wait(20)
            return said({"data": [{"status": 1, "result": result()}]})
        return answer(sound(10.0))

    made = remote(ScriptedLine(serve), url="http://music.local:8001", style="acestep").generate(
        [request("paid"), request("poor"), request("never")]
    )
    assert [type(one) for one in made] == [Composition, ClipFailure, ClipFailure]
    assert made[2].reason == "The account at music.local:8001 has no money left."


@pytest.mark.parametrize("base", ["", "/\u00e9"])
def test_addresses_are_asked_for_in_ascii(base):
    line = ace(
        {"status": 1, "result": result(file=f"{base}/v1/audio?path=/tmp/a b/\u00e9%20.flac")}
    )
    url, below = "http://music.local:8001/\u00e9", "/%C3%A9"
    bare = ScriptedLine(lambda call: line.call(_without(call, below)))
    (made,) = remote(bare, url=url, style="acestep").generate([request()])
    assert isinstance(made, Composition)
    assert bare.calls[-1].target == f"{below}/v1/audio?path=/tmp/a%20b/%C3%A9%20.flac"


def test_an_ace_step_server_below_a_path():
    line = ace({"status": 1, "result": result()})
    base = "http://music.local:8001/ace"
    line.answers = [lambda call, serve=line.answers[0]: serve(_without(call))]
    made = remote(line, url=base, style="acestep").generate([request()])[0]
    assert isinstance(made, Composition)
    assert {call.target.split("/")[1] for call in line.calls} == {"ace"}


def _without(call, base="/ace"):
    return dataclasses.replace(call, target=call.target.removeprefix(base))


def test_a_task_that_never_ends_is_given_up():
    def serve(call):
        if call.target == "/release_task":
            return said({"data": {"task_id": "t1"}})
        return said({"data": [{"status": 0}]})

    def progress(done, total):
        if len(line.calls) > 20:
            raise Cancelled

    line = ScriptedLine(serve)
    with pytest.raises(Cancelled):
        remote(line, url="http://music.local:8001", style="acestep").generate(
            [request()], progress=progress
        )


def test_the_same_answer_gives_the_same_clip():
    clips = [remote(ScriptedLine(answer(sound()))).generate([request()])[0] for _ in range(2)]
    assert np.array_equal(clips[0].audio.samples, clips[1].audio.samples)
