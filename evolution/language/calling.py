"""Asks a language model for prompts within one ``ask`` of a searcher: bounded in calls and time, never raising."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from domain.errors import LanguageModelError, OverBudgetError, UnreachableError
from evolution.language.grouping import grouped
from evolution.language.kit import LanguageKit
from evolution.language.parsing import prompts_in
from evolution.language.seam import Answer, Ask, system, user
from prompts.templates import data

MOST_CALLS = 12
"""Requests of one ask for each hundred proposals that are wanted."""
SPARE = 2
"""Prompts beyond those wanted that are kept of each group."""
_TEXTS = {"type": "array", "items": {"type": "string"}}
LIST_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"prompts": _TEXTS},
    "required": ["prompts"],
    "additionalProperties": False,
}
GROUPS_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "groups": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"group": {"type": "integer"}, "prompts": _TEXTS},
                "required": ["group", "prompts"],
                "additionalProperties": False,
            },
        }
    },
    "required": ["groups"],
    "additionalProperties": False,
}


class Caller:
    """Talks to the model for one ``ask``. A call that fails gives nothing; the reason is kept."""

    def __init__(self, kit: LanguageKit, account: str, wanted: int) -> None:
        """Begin; the kit's seconds count from now.

        Args:
            kit: Model and templates.
            account: Whose budget pays.
            wanted: Proposals that the ask is for; decides how many calls are allowed.
        """
        self.kit = kit
        self.calls = 0
        self.problem = ""
        """Why the latest failed call failed, a sentence; empty while none has."""
        self._account = account
        self._left = MOST_CALLS * max(1, -(-wanted // 100))
        self._deadline = asyncio.get_running_loop().time() + kit.seconds
        self._over = False

    async def text(
        self, task: str, request: str, *, schema: dict[str, Any] | None = None, prompts: int = 0
    ) -> Answer | None:
        """Ask once.

        Args:
            task: What for, as in ``Ask``.
            request: Everything after the rules.
            schema: Form of the answer.
            prompts: How many prompts the answer will hold, which bounds its length.

        Returns:
            The answer; ``None`` when there is none or no more may be asked.
        """
        if self._over or self._left < 1:
            return None
        self._left -= 1
        self.calls += 1
        ask = Ask(
            task=task,
            messages=(system(self.kit.templates["system"]), user(request)),
            schema=schema,
            account=self._account,
            most_tokens=max(2000, 600 + 80 * prompts),
        )
        try:
            async with asyncio.timeout_at(self._deadline):
                return await self.kit.model.answer(ask)
        except TimeoutError:
            self._over = True
            self.problem = f"The language model took longer than {self.kit.seconds:g} seconds."
        except LanguageModelError as error:
            # Retries are the model's own business: a server that it gave up on stays down for this ask.
            self._over = self._over or isinstance(error, UnreachableError | OverBudgetError)
            self.problem = str(error)
        return None

    async def prompts(self, task: str, request: str, wanted: int) -> list[str]:
        """Ask for ``wanted`` prompts and return what usable ones came, perhaps a few more."""
        form = self.kit.templates.fill("answer", {"num_generate": str(wanted)})
        answer = await self.text(task, f"{request}\n\n{form}", schema=LIST_SCHEMA, prompts=wanted)
        if answer is None:
            return []
        return prompts_in(answer.text, wanted + SPARE, cut=not answer.finished)

    async def groups(
        self,
        task: str,
        render: Callable[[str], str],
        groups: Sequence[Sequence[str]],
        each: int,
    ) -> list[list[str]]:
        """Have the same done to many groups of prompts in one request.

        Args:
            task: What for, as in ``Ask``.
            render: Puts the block with the prompts into the instructions.
            groups: The prompts of each group.
            each: Prompts wanted for each group.

        Returns:
            What came for each group, perhaps fewer or a few more than ``each``.
        """
        if len(groups) == 1:
            listed = "\n".join(f"{n}. {one}" for n, one in enumerate(groups[0], start=1))
            return [await self.prompts(task, render(data(listed)), each)]
        blocks = []
        for number, group in enumerate(groups, start=1):
            blocks += [f"Group {number}:", *(f"- {one}" for one in group)]
        inner = render(data("\n".join(blocks)))
        values = {"num_groups": str(len(groups)), "num_each": str(each)}
        request = self.kit.templates.fill("groups", {**values, "task": inner})
        form = self.kit.templates.fill("answer_groups", values)
        answer = await self.text(
            task, f"{request}\n\n{form}", schema=GROUPS_SCHEMA, prompts=each * len(groups)
        )
        if answer is None:
            return [[] for _ in groups]
        return grouped(answer.text, groups, each, cut=not answer.finished)
