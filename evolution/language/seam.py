"""The seam between this program and any language model."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

Role = Literal["system", "user", "assistant", "tool"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message of a conversation.

    Attributes:
        role: Who speaks.
        text: What is said; data, never instructions, unless the role is ``"system"``.
        tool_call: For ``"tool"``: the id of the call that this is the result of.
        calls: For ``"assistant"``: the calls it made.
    """

    role: Role
    text: str
    tool_call: str = ""
    calls: tuple[ToolCall, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCall:
    """A model wants a tool to be used.

    Attributes:
        id: Names the call in its result.
        name: The tool.
        arguments: As the model wrote them, parsed; not checked yet.
    """

    id: str
    name: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """Something a model may ask for.

    Attributes:
        name: Letters, digits and underscores.
        description: What it does and when to use it.
        parameters: JSON schema of its arguments, an object.
    """

    name: str
    description: str
    parameters: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """A request. Two equal requests may be answered once.

    Attributes:
        task: What it is for: ``"operator:NAME"``, ``"full"``, ``"novel"``, ``"reflect"`` or ``"chat"``; settings choose
            the model by it and costs are counted for it.
        messages: The conversation so far.
        schema: JSON schema that the answer should obey, or ``None``. A server may not honour it.
        tools: What may be asked for.
        account: Whose budget pays: a guild's id as text, or ``""`` for nobody's.
        temperature: Above 0, or ``None`` for the setting's.
        most_tokens: Length limit of the answer.
        fresh: Whether a cached answer will not do.
    """

    task: str
    messages: tuple[Message, ...]
    schema: Mapping[str, Any] | None = None
    tools: tuple[Tool, ...] = ()
    account: str = ""
    temperature: float | None = None
    most_tokens: int = 2000
    fresh: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back.

    Attributes:
        text: The words, without the reasoning of models that think aloud.
        calls: Tools that the model wants used.
        tokens_in: Tokens read.
        tokens_out: Tokens written.
        cost: In the currency of the settings' prices, 0 where no price is set.
        seconds: How long it took.
        cached: Whether nothing was sent.
        finished: Whether it ended by itself and was not cut off.
    """

    text: str
    calls: tuple[ToolCall, ...] = ()
    tokens_in: int = 0
    tokens_out: int = 0
    cost: float = 0.0
    seconds: float = 0.0
    cached: bool = False
    finished: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What a request cost, for the meter.

    Attributes:
        account: As in ``Ask``.
        task: As in ``Ask``.
        model: Which model answered.
        tokens_in: Tokens read.
        tokens_out: Tokens written.
        cost: Money, 0 where no price is set.
        failed: Whether nothing usable came back.
    """

    account: str
    task: str
    model: str
    tokens_in: int = 0
    tokens_out: int = 0
    cost: float = 0.0
    failed: bool = False


class LanguageModel(Protocol):
    """Answers requests. Everything that can go wrong is a ``LanguageModelError``."""

    @property
    def name(self) -> str:
        """What answers, for ``/about``: model and host, never a key."""

    async def answer(self, ask: Ask) -> Answer:
        """Answer a request.

        Raises:
            LanguageModelError: No answer, within the time and tries that settings allow.
        """

    def stream(self, ask: Ask) -> AsyncIterator[str]:
        """Yield an answer's text piece by piece.

        Raises:
            LanguageModelError: As ``answer``; what was yielded before stays.
        """


def user(text: str) -> Message:
    """Return a person's or program's message."""
    return Message(role="user", text=text)


def system(text: str) -> Message:
    """Return what the model is told to be."""
    return Message(role="system", text=text)
