"""What a language model is told in a chat: the rules, then data within tags, then the words of who speaks."""

from __future__ import annotations

import re
from collections.abc import Sequence

from domain.clip import Clip
from domain.errors import UserError
from evolution.language.seam import Ask, Message, Tool, system, user
from prompts.templates import Templates, data
from service.chat.intents import read
from service.chat.memory import Remembered
from service.chat.notes import Note
from service.chat.tools import TOOLS
from service.chat.turns import Speaker
from service.runs import RunService
from storage import clips
from storage.database import Database

TASK = "chat"
MOST_TOKENS = 500
LONGEST = 1500
"""Characters of the speaker's words."""
_LINK = re.compile(r"\]\s*\(")


def rules(templates: Templates) -> str:
    """Return the system prompt: the rules, which are fixed, around a server's way of speaking."""
    return templates.fill("chat_rules", {"voice": templates["chat"]})


def tools_for(text: str) -> tuple[Tool, ...]:
    """Return the tools that a text may lead to.

    Nothing is changed by claims of authority, by mere quotations, or by what is a question as a whole: no text that
    a model comes across can talk it into a vote or a round.
    """
    understood = read(text)
    asked = [TOOLS[call.name].acts for call in understood.calls]
    question = understood.whole and not any(asked)
    reads_only = question or understood.note in {Note.REFUSED, Note.QUOTED, Note.NEGATED}
    return tuple(spec.tool() for spec in TOOLS.values() if not (reads_only and spec.acts))


def ask_for(speaker: Speaker, messages: Sequence[Message], tools: tuple[Tool, ...]) -> Ask:
    """Return the request; the server that somebody writes in pays for it."""
    return Ask(
        task=TASK,
        messages=tuple(messages),
        tools=tools,
        account=str(speaker.actor.guild_id),
        most_tokens=MOST_TOKENS,
        fresh=True,
    )


def opening(
    text: str, facts: Sequence[str], remembered: Remembered, templates: Templates
) -> list[Message]:
    """Return the conversation so far.

    Args:
        text: What the speaker says now.
        facts: What is known, a line each; data.
        remembered: What was said here before; data, whoever said it.
        templates: Those of the server.
    """
    earlier = [f"somebody: {turn.said}\nyou: {turn.answered}" for turn in remembered.turns]
    parts = [f"What is known now:\n{data(chr(10).join(facts))}"] if facts else []
    if earlier:
        parts.append(f"Said here in the last hour:\n{data(chr(10).join(earlier))}")
    words = text[:LONGEST].replace("<", "\u2039").replace(">", "\u203a")
    parts.append(f"The speaker says:\n{words}")
    return [system(rules(templates)), user("\n\n".join(parts))]


async def facts_for(
    db: Database, runs: RunService, speaker: Speaker, taste: Sequence[str]
) -> list[str]:
    """Return what a model should know: the run, the clips at hand, the speaker's taste. Nobody's name is in it."""
    lines = [f"The speaker {one}." for one in taste]
    if speaker.actor.is_moderator:
        lines.append("The speaker is a moderator here.")
    if speaker.upload is not None:
        lines.append("An audio file is in the message: start breeds towards it.")
    try:
        status = await runs.status(speaker.actor.channel_id)
    except UserError:
        return [*lines, "Nothing has been bred in this channel yet."]
    lines.append(speaker.front.words(status))
    run, number = speaker.round or (status.run.id, status.run.generation)
    async with db.reading() as tx:
        shown = await clips.posted_clips(tx, run, number)
    head = "The speaker replied to this round" if speaker.round else "The latest round"
    if status.run.for_listener in {None, speaker.actor.user_id}:
        lines += [f"{head}: {_clip(one)}" for one in shown]
    return lines


def _clip(clip: Clip) -> str:
    letter = "ABCD"[clip.posted_slot - 1] if clip.posted_slot and clip.posted_slot <= 4 else "?"
    return f"clip {letter}: {clip.prompt[:160]}"


def harmless(text: str) -> str:
    """Return a model's words without links that hide where they lead."""
    return _LINK.sub("] (", text).strip()
