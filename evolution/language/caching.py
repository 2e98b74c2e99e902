"""Answers by exact request, the least lately used ones forgotten."""

from __future__ import annotations

import hashlib
import json
from collections import OrderedDict
from dataclasses import replace

from evolution.language.seam import Answer, Ask, Message

LONGEST_KEPT = 20_000
"""Characters of an answer that is worth keeping: with 256 of them at most 20 MB."""


def key_of(ask: Ask, model: str) -> str:
    """Return what makes two requests equal: everything that is sent, and to which model; not who pays."""
    sent = [
        model,
        [_message(one) for one in ask.messages],
        None if ask.schema is None else dict(ask.schema),
        [(one.name, one.description, dict(one.parameters)) for one in ask.tools],
        ask.temperature,
        ask.most_tokens,
    ]
    text = json.dumps(sent, sort_keys=True, default=str, ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _message(message: Message) -> tuple[object, ...]:
    calls = [(one.id, one.name, dict(one.arguments)) for one in message.calls]
    return message.role, message.text, message.tool_call, calls


class AnswerCache:
    """Keeps up to ``size`` whole answers in memory; 0 keeps none."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._kept: OrderedDict[str, Answer] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, key: str) -> Answer | None:
        """Return a kept answer, marked as cached and free, or ``None``."""
        answer = self._kept.get(key)
        if answer is not None:
            self._kept.move_to_end(key)
        return answer

    def put(self, key: str, answer: Answer) -> None:
        """Keep an answer if it is whole and says anything."""
        if (
            not answer.finished
            or not (answer.text or answer.calls)
            or len(answer.text) > LONGEST_KEPT
        ):
            return
        self._kept[key] = replace(answer, cached=True, cost=0.0, seconds=0.0)
        self._kept.move_to_end(key)
        while len(self._kept) > self._size:
            self._kept.popitem(last=False)
