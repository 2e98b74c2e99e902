"""Whatever a server sends is an answer or a LanguageModelError."""

from __future__ import annotations

import contextlib

import httpx2
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import LanguageModelError
from evolution.language import wire
from evolution.language.client import _error_of, _retry_after
from evolution.language.seam import Answer, Ask, Tool, ToolCall, user
from evolution.language.streaming import Visible
from evolution.language.wire import Lack

TOOL = Tool(name="next_round", description="Start it.", parameters={"type": "object"})
ASK = Ask(task="chat", messages=(user("more"),), tools=(TOOL,), schema={"type": "object"})

WORDS = st.sampled_from(
    ["choices", "message", "content", "tool_calls", "function", "name", "arguments", "usage", "error", "code", "text",
     "prompt_tokens", "delta", "finish_reason", "next_round", "{}", "[", "", "²", "500"]
)  # fmt: skip
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | WORDS | st.text(max_size=5)
JSON = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=5)
)
SHAPED = st.fixed_dictionaries(
    {
        "choices": st.lists(
            st.fixed_dictionaries({"message": st.dictionaries(WORDS, JSON)}), max_size=2
        )
    },
    optional={"usage": JSON, "error": JSON},
)


@given(SHAPED | JSON)
def test_any_body_is_an_answer_or_an_error(data):
    with contextlib.suppress(LanguageModelError):
        answer = wire.read(data, ASK)
        assert isinstance(answer, Answer)
        assert isinstance(answer.text, str)
        assert 0 <= answer.tokens_in <= 10_000_000
    text, reason = wire.piece(data)
    assert isinstance(text + reason, str)
    status, words = _error_of(data)
    assert 100 <= status < 600
    assert isinstance(words, str)


@given(
    st.text(max_size=12) | st.sampled_from(["nan", "inf", "-5", "Mon, 01 Jan 0001 00:00:00 GMT"])
)
def test_any_retry_after_is_survived(value):
    seconds = _retry_after({"retry-after": value})
    assert seconds is None or seconds >= 0
    assert _retry_after(httpx2.Headers()) is None


@given(st.text(max_size=60), st.integers(1, 7))
def test_pieces_put_together_are_the_answer(text, size):
    seen = Visible()
    pieces = [seen.add(text[at : at + size]) for at in range(0, len(text), size)]
    pieces.append(seen.add("", last=True))
    assert "".join(pieces).strip() == seen.text.strip()
    assert seen.raw == text


def test_calls_are_found_in_words_only_for_tools_that_exist():
    text = """Sure. [{"name": "next_round", "arguments": {"n": 1}}, {"name": "format_disk", "arguments": {}}]
    {"function": {"name": "next_round", "parameters": {"n": 2}}}"""
    assert wire.calls_in(text, (TOOL,)) == (
        ToolCall(id="call_0", name="next_round", arguments={"n": 1}),
        ToolCall(id="call_1", name="next_round", arguments={"n": 2}),
    )
    assert wire.calls_in("no", (TOOL,)) == ()


def test_what_to_leave_out_is_read_from_the_complaint():
    sent = wire.request(ASK, model="m", temperature=0.5, lacks=frozenset())
    assert wire.lack(sent, 404, "No endpoints found that support tool use") is Lack.TOOLS
    assert wire.lack(sent, 500, "failed to parse grammar") is Lack.SCHEMA
    assert wire.lack(sent, 400, "bad request") is Lack.SCHEMA
    assert wire.lack(sent, 500, "out of memory") is None
    assert wire.lack(sent, 401, "no") is None
    bare = wire.request(ASK, model="m", temperature=0.5, lacks=frozenset(Lack))
    assert not {"temperature", "tools", "response_format", "max_tokens"} & bare.keys()
    assert wire.lack(bare, 400, "tools and schema") is None
