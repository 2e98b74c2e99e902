"""Dry runs: what an operator or a prompt does with three fixed parents. Nothing of it is stored or rendered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from domain.candidate import Brief, Candidate, Directive, Evaluation
from domain.errors import LanguageModelError
from domain.ids import CandidateId, GuildId, RunId
from domain.operators import Operator
from evolution.language.calling import LIST_SCHEMA
from evolution.language.parsing import prompts_in, without_reasoning
from evolution.language.seam import Ask, LanguageModel, system, user
from evolution.offline import OfflineBreeder
from prompts.templates import OPERATOR, Templates, data, fill
from service.chat.asking import TASK, opening
from service.chat.memory import Remembered
from service.operator_views import TrialView

PARENTS = (
    "slow lo-fi hip hop with a felt piano, brushed drums and vinyl crackle, 72 bpm",
    "driving minimal techno with a rubbery bass line and bright metallic percussion",
    "wistful waltz for accordion, nylon guitar and double bass, recorded in a small room",
)
SCORES = (81, 64, 38)
"""What the parents are said to have scored out of 100."""
WORDS = "a little slower and warmer"
CHILDREN = 3
OFFLINE = "the offline breeder"
NO_MODEL = "No language model is set up, so your text was not read. Instead the offline breeder {did} these parents."
NO_NOTE = (
    "No language model is set up, and the offline breeder keeps no notes, so there is nothing to show. "
    "The text is fine as far as I can check it."
)
REMARK = "The second one is great. Why did you pick it?"
"""What the prompt ``chat`` is tried on."""
NO_CHAT = (
    "No language model is set up, so I answer in words of my own that this text does not change. "
    "The text is fine as far as I can check it."
)
EXCERPT = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wanted:
    """What one trial asks for; ``directive`` is what comes nearest to it offline."""

    title: str
    task: str
    text: str
    parents: tuple[str, ...]
    count: int
    directive: Directive


class Trial:
    """Tries texts on the language model that there is, or shows what stands in for it."""

    def __init__(self, model: LanguageModel | None) -> None:
        self._model = model

    @property
    def model(self) -> str:
        """Name of the model, ``""`` without one."""
        return self._model.name if self._model is not None else ""

    async def operator(
        self, guild_id: GuildId, operator: Operator, templates: Templates, seed: int
    ) -> TrialView:
        """Apply an operator once; its probability is left out of it."""
        parents = tuple(PARENTS[at % len(PARENTS)] for at in range(min(operator.input, 10)))
        wanted = _Wanted(
            title=operator.name,
            task=f"operator:{operator.name}",
            text=fill(operator.template, OPERATOR.all, {"prompts": data(_listed(parents))}),
            parents=parents,
            count=operator.output,
            directive=Directive.CROSS if operator.input > 1 else Directive.VARY,
        )
        return await self._tried(guild_id, wanted, templates, seed)

    async def prompt(
        self, guild_id: GuildId, name: str, templates: Templates, seed: int
    ) -> TrialView:
        """Fill a prompt in with the three parents and ask it; of ``chat``, answer a fixed remark."""
        if name == "chat":
            return await self._chat(guild_id, templates)
        ranking = "\n".join(
            f"{place}. {prompt} - {score} ± 9"
            for place, (prompt, score) in enumerate(zip(PARENTS, SCORES, strict=True), start=1)
        )
        values = {
            "num_generate": str(CHILDREN),
            "ranking": data(ranking),
            "prompts": data(_listed(PARENTS)),
            "aim": "Change these pieces as the listener asks.",
            "words": data(WORDS),
            "vibe": data("music for a rainy evening"),
        }
        wanted = _Wanted(
            title=name,
            task=name,
            text=templates.fill(name, values),
            parents=PARENTS,
            count=CHILDREN,
            directive=Directive.VARY if name == "directed" else Directive.NEXT,
        )
        if name == "reflect":
            ask = _ask(guild_id, wanted, templates, wanted.text)
            return await self._said(name, PARENTS, ask, NO_NOTE)
        return await self._tried(guild_id, wanted, templates, seed)

    async def _tried(
        self, guild_id: GuildId, wanted: _Wanted, templates: Templates, seed: int
    ) -> TrialView:
        if self._model is None:
            return await _offline(wanted, seed, NO_MODEL)
        how = templates.fill("answer", {"num_generate": str(wanted.count)})
        ask = _ask(guild_id, wanted, templates, f"{wanted.text}\n\n{how}", LIST_SCHEMA)
        try:
            answer = await self._model.answer(ask)
        except LanguageModelError as error:
            why = f"{error} Your text was not read. Instead the offline breeder {{did}} these parents."
            return await _offline(wanted, seed, why)
        children = tuple(prompts_in(answer.text, wanted.count, cut=not answer.finished))
        note = ""
        if len(children) < wanted.count:
            note = f"It gave {len(children)} of {wanted.count}; in a run the rest is asked for or bred offline."
        if not children:
            note += (
                f" Its answer began: {without_reasoning(answer.text)[:EXCERPT] or 'with nothing'}"
            )
        return TrialView(
            title=wanted.title,
            parents=wanted.parents,
            children=children,
            by=self.model,
            note=note,
            cost=answer.cost,
            tokens=answer.tokens_in + answer.tokens_out,
        )

    async def _chat(self, guild_id: GuildId, templates: Templates) -> TrialView:
        """Answer a remark about the three parents, without tools: nothing is rated or made."""
        facts = [f"clip {slot}: {prompt}" for slot, prompt in zip("ABC", PARENTS, strict=True)]
        words = opening(REMARK, facts, Remembered(), templates)
        ask = Ask(task=TASK, messages=tuple(words), account=str(guild_id), fresh=True)
        return await self._said("chat", (REMARK,), ask, NO_CHAT)

    async def _said(self, title: str, shown: tuple[str, ...], ask: Ask, alone: str) -> TrialView:
        """Try a prompt whose answer is a few words, no list of prompts; ``alone`` is said without a model."""
        empty = TrialView(title=title, parents=shown, children=(), by=OFFLINE)
        if self._model is None:
            return _with_note(empty, alone)
        try:
            answer = await self._model.answer(ask)
        except LanguageModelError as error:
            return _with_note(empty, str(error))
        said = " ".join(without_reasoning(answer.text).split())[:EXCERPT]
        return TrialView(
            title=title,
            parents=shown,
            children=(said,) if said else (),
            by=self.model,
            note="" if said else "The answer was empty.",
            cost=answer.cost,
            tokens=answer.tokens_in + answer.tokens_out,
        )


def _ask(
    guild_id: GuildId,
    wanted: _Wanted,
    templates: Templates,
    text: str,
    schema: dict[str, Any] | None = None,
) -> Ask:
    return Ask(
        task=wanted.task,
        messages=(system(templates["system"]), user(text)),
        schema=schema,
        account=str(guild_id),
        fresh=True,
    )


def _listed(parents: tuple[str, ...]) -> str:
    return "\n".join(f"{place}. {prompt}" for place, prompt in enumerate(parents, start=1))


def _with_note(view: TrialView, note: str) -> TrialView:
    return TrialView(
        title=view.title, parents=view.parents, children=view.children, by=view.by, note=note
    )


_DID = {Directive.CROSS: "crossed", Directive.VARY: "varied", Directive.NEXT: "bred from"}


async def _offline(wanted: _Wanted, seed: int, why: str) -> TrialView:
    """Breed with what comes nearest to the trial without a model."""
    told = [
        Evaluation(
            candidate=Candidate(
                id=CandidateId(number),
                run_id=RunId(0),
                generation=1,
                prompt=prompt,
                genome={},
                operator="novel",
                searcher="offline",
                parents=(),
                seed=number,
            ),
            fitness=score / 100,
            uncertainty=0.09,
            rated=True,
        )
        for number, (prompt, score) in enumerate(zip(PARENTS, SCORES, strict=True), start=1)
    ]
    breeder = OfflineBreeder(seed=seed)
    breeder.tell(told)
    ids = dict.fromkeys(CandidateId(PARENTS.index(parent) + 1) for parent in wanted.parents)
    proposals = await breeder.ask(
        Brief(count=wanted.count, directive=wanted.directive, parents=tuple(ids))
    )
    return TrialView(
        title=wanted.title,
        parents=wanted.parents,
        children=tuple(one.prompt for one in proposals),
        by=OFFLINE,
        note=why.replace("{did}", _DID[wanted.directive]),
    )
