"""The client against servers as they are: through its HTTP client's mock transport."""

from __future__ import annotations

import asyncio
import json
import logging
import sys

import httpx2
import numpy as np
import pytest

from domain.errors import LanguageModelError, UnreachableError
from evolution.language.client import LONGEST_WAIT, Endpoint, OpenAIModel
from evolution.language.seam import (
    Answer,
    Ask,
    LanguageModel,
    Message,
    Tool,
    ToolCall,
    system,
    user,
)
from evolution.language.wire import Lack

KEY = "sk-verysecret-0123456789"
ASK = Ask(task="full", messages=(system("You write prompts."), user("Two, please.")))
SCHEMA = {"type": "object", "properties": {"prompts": {"type": "array"}}}
TOOL = Tool(name="next_round", description="Start it.", parameters={"type": "object"})


def completion(text: str | None = "slow jazz", **changes) -> dict:
    message = {"role": "assistant", "content": text} | changes.pop("message", {})
    return {
        "id": "x",
        "object": "chat.completion",
        "choices": [
            {"index": 0, "message": message, "finish_reason": changes.pop("finish", "stop")}
        ],
        "usage": {"prompt_tokens": 12, "completion_tokens": 3, "total_tokens": 15},
    } | changes


class Server:
    """Gives the scripted replies in turn, the last one for ever, and remembers what it got."""

    def __init__(self, *replies) -> None:
        self.replies = list(replies)
        self.got: list[dict] = []
        self.headers: list[httpx2.Headers] = []
        self.waits: list[float] = []

    async def handle(self, request: httpx2.Request) -> httpx2.Response:
        self.got.append(json.loads(request.content))
        self.headers.append(request.headers)
        reply = self.replies[min(len(self.got), len(self.replies)) - 1]
        if callable(reply):
            reply = reply(self.got[-1])
        if asyncio.iscoroutine(reply):
            reply = await reply
        if isinstance(reply, Exception):
            raise reply
        return reply if isinstance(reply, httpx2.Response) else httpx2.Response(200, json=reply)

    def model(self, **changes) -> OpenAIModel:
        async def sleep(seconds: float) -> None:
            self.waits.append(seconds)

        values = {"base_url": "http://models.example:8000/v1", "model": "tiny", "key": KEY}
        return OpenAIModel(
            Endpoint(**(values | changes)),
            http_client=httpx2.AsyncClient(transport=httpx2.MockTransport(self.handle)),
            rng=np.random.default_rng(1),
            sleep=sleep,
        )


def error(
    status: int, message: str = "no", headers: dict | None = None, **fields
) -> httpx2.Response:
    body = {"error": {"message": message, "type": "invalid_request_error"} | fields}
    return httpx2.Response(status, json=body, headers=headers)


async def test_a_request_and_its_answer():
    server = Server(completion("<think>hm</think>slow jazz"))
    model = server.model(models={"operator": "small", "operator:blend": "blender"})
    seam: LanguageModel = model
    answer = await seam.answer(ASK)
    assert (answer.text, answer.tokens_in, answer.tokens_out) == ("slow jazz", 12, 3)
    assert answer.finished
    assert answer.seconds > 0
    sent = server.got[0]
    assert (sent["model"], sent["max_tokens"], sent["temperature"]) == ("tiny", 2000, 0.8)
    assert sent["messages"][0] == {"role": "system", "content": "You write prompts."}
    assert server.headers[0]["authorization"] == f"Bearer {KEY}"
    assert model.name == "tiny at models.example:8000"
    assert [model.model_for(task) for task in ("operator:blend", "operator:x", "chat")] == [
        "blender",
        "small",
        "tiny",
    ]
    await model.close()
    await model.close()


async def test_further_fields_go_with_every_request():
    extra = {"reasoning_effort": "low", "chat_template_kwargs": {"enable_thinking": False}}
    server = Server(completion(), events(delta("ok"), delta(None, "stop")))
    model = server.model(extra=extra)
    await model.answer(ASK)
    assert [one async for one in model.stream(ASK)] == ["ok"]
    assert all(extra.items() <= sent.items() for sent in server.got)


async def test_messages_tools_and_calls_are_sent_and_read():
    calls = [
        {"id": "a", "function": {"name": "next_round", "arguments": '{"n": 1,}'}},
        {"function": {"name": "next_round", "arguments": {"n": 2}}},
        {"function": {"name": "next_round", "arguments": "nonsense"}},
        {"function": None},
    ]
    server = Server(completion(None, message={"tool_calls": calls}, finish="tool_calls"))
    call = ToolCall(id="z", name="next_round", arguments={"n": 0})
    history = (
        *ASK.messages,
        Message(role="assistant", text="", calls=(call,)),
        Message(role="tool", text="done \ud800", tool_call="z"),
    )
    answer = await server.model().answer(
        Ask(task="chat", messages=history, tools=(TOOL,), temperature=0.1, most_tokens=50)
    )
    assert [(one.id, one.arguments) for one in answer.calls] == [
        ("a", {"n": 1}),
        ("call_1", {"n": 2}),
        ("call_2", {}),
    ]
    sent = server.got[0]
    assert sent["tools"][0]["function"]["name"] == "next_round"
    assert sent["messages"][2]["tool_calls"][0]["function"]["arguments"] == '{"n": 0}'
    assert sent["messages"][3] == {"role": "tool", "tool_call_id": "z", "content": "done ?"}
    assert (sent["temperature"], sent["max_tokens"]) == (0.1, 50)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (completion("a b c", usage=None), Answer(text="a b c", tokens_in=8, tokens_out=2)),
        ({"choices": [{"message": {"content": "a"}}]}, Answer(text="a", tokens_in=8, tokens_out=1)),
        ({"choices": [{"text": "a"}]}, Answer(text="a", tokens_in=8, tokens_out=1)),
        (
            completion("cut", finish="length"),
            Answer(text="cut", tokens_in=12, tokens_out=3, finished=False),
        ),
        (
            completion(None, message={"reasoning_content": "hm, well"}, finish="length"),
            Answer(text="", tokens_in=12, tokens_out=3, finished=False),
        ),
        (
            completion([{"type": "text", "text": "a"}, {"type": "image"}, {"text": "b"}]),
            Answer(text="ab", tokens_in=12, tokens_out=3),
        ),
        (
            completion(None, message={"refusal": "I can't help with that."}),
            Answer(text="I can't help with that.", tokens_in=12, tokens_out=3),
        ),
    ],
)
async def test_answers_of_all_servers_are_read(body, expected):
    answer = await Server(body).model().answer(ASK)
    assert (answer.text, answer.tokens_in, answer.tokens_out, answer.finished) == (
        expected.text,
        expected.tokens_in,
        expected.tokens_out,
        expected.finished,
    )


@pytest.mark.parametrize(
    ("trouble", "says"),
    [
        (error(500, "cuda"), "HTTP 500.*cuda"),
        (error(429, "slow down"), "asked too often"),
        (httpx2.ConnectError("no route"), "cannot be reached"),
        (httpx2.ReadTimeout("late"), "did not answer"),
        (httpx2.RemoteProtocolError("cut"), "cannot be reached"),
        (httpx2.Response(200, html="<!DOCTYPE html><b>Sign in</b>"), "a web page"),
        (httpx2.Response(200, content=b""), "nothing"),
        (httpx2.Response(200, content=b"\xff\xfe{", headers={"content-type": "application/json"}), "no JSON"),
        (httpx2.Response(502, html="<html>Bad gateway</html>"), r"HTTP 502\)\.$"),
        ({"choices": []}, "nothing to use"),
        ({"error": {"code": 503, "message": "overloaded"}}, "HTTP 503.*overloaded"),
        ([1, 2], "nothing to use"),
    ],
)  # fmt: skip
async def test_what_may_pass_is_tried_again_a_bounded_number_of_times(trouble, says):
    server = Server(trouble, trouble, completion())
    assert (await server.model().answer(ASK)).text == "slow jazz"
    assert len(server.waits) == 2
    assert 0 < server.waits[0] < server.waits[1] < 2
    server = Server(trouble)
    with pytest.raises(LanguageModelError, match=says) as caught:
        await server.model(retries=1).answer(ASK)
    assert len(server.got) == 2
    assert "<" not in str(caught.value)


@pytest.mark.parametrize(
    ("trouble", "says"),
    [
        (error(400, "context too long"), "context too long"),
        (error(401, f"Incorrect API key provided: {KEY}"), "OPENAI_API_KEY"),
        (error(403), "forbids"),
        (error(404, "model 'tiny' not found"), "language.model.*not found"),
        (error(429, "You exceeded your quota", code="insufficient_quota"), "no money left"),
        (error(429, headers={"retry-after": "3600"}), "too often"),
        (error(400, f"bad key {KEY}"), r"bad key \*\*\*"),
    ],
)
async def test_what_will_not_pass_is_not_tried_again_and_shows_no_key(trouble, says, caplog):
    caplog.set_level(logging.DEBUG)
    server = Server(trouble)
    model = server.model()
    with pytest.raises(UnreachableError, match=says) as caught:
        await model.answer(ASK)
    assert len(server.got) == 1
    assert server.waits == []
    assert caught.value.__cause__ is None
    shown = f"{caught.value}{caught.value!r}{model!r}{model.name}{model._endpoint!r}{caplog.text}"
    assert KEY not in shown
    assert "/v1" not in str(caught.value)


async def test_a_server_says_when_it_may_be_asked_again():
    server = Server(
        error(429, headers={"retry-after": "7"}),
        error(503, headers={"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}),
        error(429, headers={"retry-after-ms": "1500"}),
        completion(),
    )
    await server.model(retries=3).answer(ASK)
    assert 7 <= server.waits[0] < 7.1
    assert 0 <= server.waits[1] < 0.2
    assert 1.5 <= server.waits[2] < 1.8
    assert max(server.waits) < LONGEST_WAIT


async def test_a_slow_server_is_given_up():
    async def never() -> httpx2.Response:
        await asyncio.sleep(60)
        raise AssertionError

    server = Server(lambda _: never())
    with pytest.raises(UnreachableError, match=r"within 0\.05 seconds"):
        await server.model(timeout=0.05, retries=1).answer(ASK)
    assert len(server.got) == 2


async def test_a_server_without_schemas_is_told_in_words_and_remembered():
    def picky(sent: dict) -> object:
        if "response_format" in sent:
            return error(400, "'response_format' of type 'json_schema' is not supported")
        return completion('{"prompts": ["slow jazz"]}')

    server = Server(picky)
    model = server.model()
    ask = Ask(task="full", messages=ASK.messages, schema=SCHEMA)
    for _ in range(2):
        assert "slow jazz" in (await model.answer(ask)).text
    assert ["response_format" in sent for sent in server.got] == [True, False, False]
    assert "schema" in server.got[1]["messages"][-1]["content"]
    assert model.lacks("tiny") == {Lack.SCHEMA}
    assert server.waits == []


async def test_a_refusal_that_has_nothing_to_do_with_schemas_is_not_remembered():
    server = Server(error(400, "context too long"))
    model = server.model()
    with pytest.raises(UnreachableError, match="context too long"):
        await model.answer(Ask(task="full", messages=ASK.messages, schema=SCHEMA))
    assert model.lacks("tiny") == frozenset()


async def test_a_server_without_tools_is_told_of_them_in_words():
    def picky(sent: dict) -> object:
        if "tools" in sent:
            return error(400, "tiny does not support tools")
        return completion('<tool_call>{"name": "next_round", "arguments": {"n": 3}}</tool_call>')

    server = Server(picky)
    call = ToolCall(id="z", name="next_round", arguments={"n": 0})
    history = (
        *ASK.messages,
        Message(role="assistant", text="", calls=(call,)),
        Message(role="tool", text="done", tool_call="z"),
    )
    answer = await server.model().answer(Ask(task="chat", messages=history, tools=(TOOL,)))
    assert (answer.text, answer.calls[0].arguments) == ("", {"n": 3})
    told = server.got[1]["messages"]
    assert "next_round: Start it." in told[0]["content"]
    assert [one["role"] for one in told[-2:]] == ["assistant", "user"]


async def test_newer_models_names_for_parameters_are_learned():
    def picky(sent: dict) -> object:
        if "max_tokens" in sent:
            return error(400, "Use 'max_completion_tokens' instead.", param="max_tokens")
        if "temperature" in sent:
            return error(400, "Unsupported value: 'temperature' does not support 0.8.")
        return completion()

    server = Server(picky)
    model = server.model()
    assert (await model.answer(ASK)).text == "slow jazz"
    assert server.got[-1]["max_completion_tokens"] == 2000
    assert model.lacks("tiny") == {Lack.MAX_TOKENS, Lack.TEMPERATURE}


def events(*chunks: object, tail: bytes = b"data: [DONE]\n\n") -> httpx2.Response:
    lines = b"".join(b"data: " + json.dumps(one).encode() + b"\n\n" for one in chunks)
    return httpx2.Response(200, content=lines + tail, headers={"content-type": "text/event-stream"})


def delta(text: str | None, finish: str | None = None) -> dict:
    return {"choices": [{"index": 0, "delta": {"content": text}, "finish_reason": finish}]}


async def test_an_answer_is_streamed_without_thoughts():
    server = Server(
        events(
            {"choices": []},
            delta("<th"),
            delta("ink>Should I?"),
            {"choices": [{"delta": {"reasoning_content": "hm"}}]},
            delta("</think>\n\nSlower "),
            delta("now"),
            delta(" [1"),
            delta("]."),
            delta(None, "stop"),
            {"choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": 4}},
        )
    )
    heard: list[Answer] = []
    pieces = [one async for one in server.model().stream(ASK, heard.append)]
    assert "".join(pieces) == "Slower now [1]."
    assert len(pieces) > 2
    assert (heard[0].text, heard[0].tokens_in, heard[0].tokens_out) == ("Slower now [1].", 9, 4)
    assert heard[0].finished
    assert server.got[0]["stream_options"] == {"include_usage": True}


async def collect(stream, seen: list[str]) -> None:
    async for one in stream:
        seen.append(one)  # noqa: PERF401 - what came before an error counts


async def test_a_stream_that_breaks_keeps_what_came_and_is_an_error():
    heard: list[Answer] = []
    for tail in (b"data: {broken\n\n", b'data: {"error": {"message": "out of memory"}}\n\n'):
        seen: list[str] = []
        server = Server(events(delta("Slower"), tail=tail))
        with pytest.raises(LanguageModelError):
            await collect(server.model().stream(ASK, heard.append), seen)
        assert seen == ["Slower"]
    assert [one.finished for one in heard] == [False, False]


async def test_a_stream_is_begun_again_and_without_what_is_not_understood():
    def picky(sent: dict) -> object:
        if "stream_options" in sent:
            return error(400, "unknown field stream_options")
        return events(delta("ok"), delta(None, "stop"))

    server = Server(error(503), picky)
    assert [one async for one in server.model().stream(ASK)] == ["ok"]
    assert len(server.got) == 3


@pytest.mark.parametrize(
    ("reply", "says"),
    [
        (httpx2.Response(200, html="<html>"), "a web page"),
        (events(), "without an answer"),
        (httpx2.Response(200, json=completion()), "without an answer"),
    ],
)
async def test_a_stream_of_nothing_is_an_error(reply, says):
    with pytest.raises(UnreachableError, match=says):
        await collect(Server(reply).model(retries=0).stream(ASK), [])


async def test_no_key_is_needed_and_a_stream_can_be_left():
    server = Server(events(delta("one"), delta("two"), delta(None, "stop")))
    heard: list[Answer] = []
    stream = server.model(key="").stream(ASK, heard.append)
    assert await anext(stream) == "one"
    await stream.aclose()
    assert heard[0].text == "one"
    assert server.headers[0]["authorization"] == "Bearer none"


async def test_a_missing_package_is_a_sentence_that_says_what_to_run(monkeypatch):
    monkeypatch.setitem(sys.modules, "openai", None)
    with pytest.raises(LanguageModelError, match=r"pip install -e '\.\[llm\]'"):
        await Server(completion()).model().answer(ASK)


async def test_many_requests_share_one_client_and_it_can_be_opened_again():
    server = Server(completion())
    model = server.model()
    answers = await asyncio.gather(*(model.answer(ASK) for _ in range(8)))
    assert len(answers) == len(server.got) == 8
    opened = model._client
    await model.answer(ASK)
    assert model._client is opened
    await model.close()
    assert model._client is None
