"""Answers a person: with a language model where there is one, else by the offline grammar, with the same tools."""

from __future__ import annotations

import logging
import re
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from domain.errors import LanguageModelError, OverBudgetError, UserError
from domain.ids import ChannelId, GuildId, ListenerId, MessageId
from evolution.language.seam import LanguageModel, Message
from prompts.reader import interpret
from prompts.templates import Templates, data
from service.chat import asking, intents
from service.chat.clauses import plainly
from service.chat.doing import Doer
from service.chat.meant import About, Meant
from service.chat.memory import ChatMemory
from service.chat.notes import TEXTS, Note
from service.chat.phrases import KNOWN
from service.chat.tools import TOOLS, Cost
from service.chat.turns import Outcome, Speaker
from service.clock import Clock
from service.runs import RunService
from service.views import Actor
from storage.database import Database

log = logging.getLogger(__name__)

Show = Callable[[str], Awaitable[None]]
ROUNDS = 4
"""Requests to the model in a turn."""
MOST_CALLS = 8
"""Tools used in a turn."""
ROUNDS_UNASKED = 1
"""Rounds of music that one message may cost without being asked about."""
PATIENCE = 120.0
"""Seconds in which a question can be answered."""
MOST_PENDING = 500
YES = re.compile(
    r"(?:yes|yep|yeah|yup|go ahead|do it|confirm|yes,? (?:please|do it|go ahead))[\s.!]*",
    re.IGNORECASE,
)
NO = re.compile(
    r"(?:no|nope|nah|don'?t|do not|rather not|cancel|never ?mind|no,? (?:thanks|thank you|don'?t))[\s.!]*",
    re.IGNORECASE,
)
EXPIRED = "That question is too old to be answered. Say it again if you still want it."
NOT_YOURS = "That question was for somebody else."
COSTLY = "That would be another round on top of one. Make it as well?"
UNKNOWN_WORDS = "These words change nothing, because I do not know them: {}."
IN_PART = "-# I did not get all of that."
OFFLINE = "-# My language model does not answer just now, so I understood that by simple rules."
OVER = "-# This server's language budget is used up for now, so I understood that by simple rules."
MORE_LIKELY = "“help” tells what I understand."


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What to show.

    Attributes:
        text: The answer.
        outcomes: What was done, for buttons and jobs to follow.
        question: Id of a question with Yes and No, or ``""``.
    """

    text: str
    outcomes: tuple[Outcome, ...] = ()
    question: str = ""


@dataclass(slots=True, kw_only=True)
class _Turn:
    """What has happened in a turn so far."""

    speaker: Speaker
    outcomes: list[Outcome] = field(default_factory=list)
    waiting: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)
    rounds: int = 0

    @property
    def acted(self) -> bool:
        return bool(self.waiting) or any(one.did for one in self.outcomes)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pending:
    """Calls that wait for a yes."""

    asked: ListenerId
    channel_id: ChannelId
    speaker: Speaker
    calls: tuple[tuple[str, Mapping[str, Any]], ...]
    until: float


class ChatAgent:
    """Turns what people say into what commands do.

    ``model`` returns the language model of now, or ``None``; ``templates`` what a server has it told.
    """

    def __init__(  # noqa: PLR0913 - what it stands on, all by name
        self,
        *,
        db: Database,
        runs: RunService,
        doer: Doer,
        memory: ChatMemory,
        clock: Clock,
        model: Callable[[], LanguageModel | None],
        templates: Callable[[GuildId], Awaitable[Templates]],
    ) -> None:
        self._db = db
        self._runs = runs
        self._doer = doer
        self._meant = Meant(db)
        self._memory = memory
        self._clock = clock
        self._model = model
        self._templates = templates
        self._pending: OrderedDict[str, _Pending] = OrderedDict()
        self._numbers = 0

    async def answer(self, speaker: Speaker, text: str, show: Show) -> Reply:
        """Answer what somebody said to the bot.

        A plain yes or no answers the question that they were asked last, if it is still open.

        Args:
            speaker: Who, with their rights of now.
            text: Their words.
            show: Called with the answer so far while it is written.
        """
        yes, no = (one.fullmatch(text.replace("\u2019", "'").strip()) for one in (YES, NO))
        if (yes or no) and (question := self._open_question(speaker.actor)):
            return await self.answered(question, speaker, yes=yes is not None)
        remembered = await self._memory.recall(speaker.actor)
        speaker = replace(speaker, focus=remembered.focus)
        turn = _Turn(speaker=speaker)
        model = self._model()
        if model is None:
            answer = await self._offline(turn, text)
        else:
            taste = await self._doer.own_liking(speaker.actor)
            facts = await asking.facts_for(self._db, self._runs, speaker, taste)
            templates = await self._templates(speaker.actor.guild_id)
            opening = asking.opening(text, facts, remembered, templates)
            try:
                answer = await self._online(turn, model, text, opening, show)
            except LanguageModelError as error:
                log.info("A chat goes on without the language model: %s", error)
                note = OVER if isinstance(error, OverBudgetError) else OFFLINE
                said = (
                    self._told(turn)
                    if turn.acted or turn.outcomes
                    else await self._offline(turn, text)
                )
                answer = f"{said}\n{note}"
        reply = self._reply(turn, answer)
        if await self._doer.collects(speaker.actor):
            focus = next((one.clip for one in reversed(turn.outcomes) if one.clip), None)
            await self._memory.keep(speaker.actor, text, reply.text, focus)
        return reply

    def _reply(self, turn: _Turn, answer: str) -> Reply:
        question = self._ask(turn) if turn.waiting else ""
        return Reply(text=answer, outcomes=tuple(turn.outcomes), question=question)

    # Without a model ----------------------------------------------------------------------------------

    async def _offline(self, turn: _Turn, text: str) -> str:
        understood = intents.read(text, with_file=turn.speaker.upload is not None)
        for call in understood.calls:
            clip = str(call.arguments.get("clip"))
            if call.if_shown and await self._meant.has_none_in(turn.speaker, clip):
                continue
            await self._use(turn, call.name, call.arguments)
        told = self._told(turn) or TEXTS.get(understood.note, TEXTS[Note.UNKNOWN])
        unknown = _not_known(understood.calls) if any(one.did for one in turn.outcomes) else ()
        lines = [told, *(TEXTS[one] for one in understood.asides)]
        lines.append(UNKNOWN_WORDS.format(", ".join(unknown)) if unknown else "")
        if understood.calls and not understood.whole:
            lines.append(IN_PART)
        return "\n".join(line for line in lines if line)

    def _told(self, turn: _Turn) -> str:
        return "\n".join(dict.fromkeys(self._words(turn.speaker, one) for one in turn.outcomes))

    def _words(self, speaker: Speaker, outcome: Outcome) -> str:
        seen = speaker.front.words(outcome.view) if outcome.view is not None else ""
        return "\n".join(part for part in (outcome.text, seen) if part)

    # With one -----------------------------------------------------------------------------------------

    async def _online(
        self, turn: _Turn, model: LanguageModel, text: str, messages: list[Message], show: Show
    ) -> str:
        tools = asking.tools_for(text)
        for number in range(ROUNDS):
            last = number == ROUNDS - 1
            if turn.acted or last:
                return await self._streamed(turn, model, messages, show)
            got = await model.answer(asking.ask_for(turn.speaker, messages, tools))
            if not got.calls:
                return self._finished(turn, got.text)
            messages.append(Message(role="assistant", text=got.text, calls=got.calls))
            for call in got.calls:
                result = "That was one call too many; it was not done."
                if len(turn.outcomes) < MOST_CALLS:
                    allowed = any(tool.name == call.name for tool in tools)
                    outcome = (
                        await self._use(turn, call.name, call.arguments)
                        if allowed
                        else _refused(turn)
                    )
                    result = self._words(turn.speaker, outcome)
                messages.append(Message(role="tool", text=data(result[:2500]), tool_call=call.id))
        return self._told(turn)

    async def _streamed(
        self, turn: _Turn, model: LanguageModel, messages: Sequence[Message], show: Show
    ) -> str:
        text = ""
        async for piece in model.stream(asking.ask_for(turn.speaker, messages, ())):
            text += piece
            await show(asking.harmless(text))
        return self._finished(turn, text)

    def _finished(self, turn: _Turn, text: str) -> str:
        """Add to a model's words what was really done, whatever it says."""
        said = asking.harmless(text) or self._told(turn) or MORE_LIKELY
        asked = [one.text for one in turn.outcomes if one.text in _QUESTIONS]
        failed = [one.text for one in turn.outcomes if one.failed and one.text]
        done = [one.did for one in turn.outcomes if one.did]
        lines = [said, *(line for line in asked if line not in said)]
        if done:
            lines.append(f"-# Done: {' · '.join(done)}")
        if failed:
            lines.append(f"-# Not done: {' '.join(failed)}")
        return "\n".join(lines)

    # Tools --------------------------------------------------------------------------------------------

    async def _use(self, turn: _Turn, name: str, arguments: Mapping[str, Any]) -> Outcome:
        """Use a tool, or keep it until the speaker says yes. What is refused is an outcome too."""
        spec = TOOLS.get(name)
        round_ = spec is not None and spec.cost is Cost.ROUND
        costly = round_ and turn.rounds >= ROUNDS_UNASKED
        try:
            if spec is not None and (spec.confirm or costly):
                await self._doer.check(turn.speaker, name)
                turn.waiting.append((name, arguments))
                outcome = Outcome(text=spec.confirm or COSTLY)
            else:
                outcome = await self._doer.do(turn.speaker, name, arguments)
                turn.rounds += round_
        except UserError as error:
            outcome = Outcome(text=str(error), failed=True)
        if outcome.clip is not None:
            turn.speaker = replace(turn.speaker, focus=outcome.clip)
        turn.outcomes.append(outcome)
        return outcome

    # Questions ----------------------------------------------------------------------------------------

    def _ask(self, turn: _Turn) -> str:
        self._numbers += 1
        name = f"{int(self._clock.now()) % 10**9:x}{self._numbers:x}"
        self._pending[name] = _Pending(
            asked=turn.speaker.actor.user_id,
            channel_id=turn.speaker.actor.channel_id,
            speaker=turn.speaker,
            calls=tuple(turn.waiting),
            until=self._clock.now() + PATIENCE,
        )
        while len(self._pending) > MOST_PENDING:
            self._pending.popitem(last=False)
        return name

    def _open_question(self, actor: Actor) -> str:
        """Return the latest question that waits for somebody's answer here, or ``""``."""
        place = (actor.user_id, actor.channel_id)
        return next(
            (
                name
                for name, one in reversed(self._pending.items())
                if (one.asked, one.channel_id) == place and one.until >= self._clock.now()
            ),
            "",
        )

    async def about(self, message_id: MessageId) -> About | None:
        """Return what a message of the bot shows, or ``None`` where it shows no clips."""
        return await self._meant.about(message_id)

    def check_question(self, name: str, actor: Actor) -> None:
        """Check that somebody may answer a question.

        Raises:
            UserError: It was somebody else's, or is too old.
        """
        pending = self._pending.get(name)
        if pending is None or pending.until < self._clock.now():
            self._pending.pop(name, None)
            raise UserError(EXPIRED)
        if (actor.user_id, actor.channel_id) != (pending.asked, pending.channel_id):
            raise UserError(NOT_YOURS)

    async def answered(self, name: str, speaker: Speaker, *, yes: bool) -> Reply:
        """Do what was asked about, with the rights that the speaker has now, or leave it.

        Args:
            name: The question.
            speaker: Who presses.
            yes: Which button.

        Raises:
            UserError: The question was somebody else's, or is too old.
        """
        self.check_question(name, speaker.actor)
        pending = self._pending.pop(name)
        if not yes:
            return Reply(text="Left as it is.")
        turn = _Turn(speaker=replace(pending.speaker, actor=speaker.actor, front=speaker.front))
        for tool, arguments in pending.calls:
            try:
                turn.outcomes.append(await self._doer.do(turn.speaker, tool, arguments))
            except UserError as error:
                turn.outcomes.append(Outcome(text=str(error), failed=True))
        return Reply(text=self._told(turn), outcomes=tuple(turn.outcomes))


_QUESTIONS = frozenset({COSTLY, *(spec.confirm for spec in TOOLS.values() if spec.confirm)})


def _not_known(calls: Sequence[intents.Call]) -> tuple[str, ...]:
    """Return the words of wishes for rounds that mean nothing to the built-in breeder."""
    said = [str(one.arguments.get("words") or one.arguments.get("vibe") or "") for one in calls]
    found = [word for text in said for word in interpret(plainly(text)).facets.unknown]
    return tuple(dict.fromkeys(word for word in found if word not in KNOWN))[:8]


def _refused(turn: _Turn) -> Outcome:
    outcome = Outcome(text=TEXTS[Note.REFUSED], failed=True)
    turn.outcomes.append(outcome)
    return outcome
