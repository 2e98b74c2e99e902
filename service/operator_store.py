"""What is in force in a server: its own versions of operators and prompts over those that are shipped."""

from __future__ import annotations

import json
import logging
import re
import unicodedata
from dataclasses import dataclass

from domain.errors import ForbiddenError, UsageError
from domain.ids import DIRECT_MESSAGES, ChannelId, GuildId
from domain.operators import EvolveSettings, Operator
from prompts import operators as shipped_operators
from prompts import templates as shipped_templates
from prompts.templates import Templates
from service.clock import Clock
from service.operator_changes import (
    diff,
    set_lines,
    settings_from_json,
    settings_to_json,
    text_lines,
)
from service.operator_views import VersionLine
from service.views import Actor
from storage import guilds
from storage import operator_versions as versions
from storage.database import Database, Reader, Transaction
from storage.operator_versions import Kind, Version

log = logging.getLogger(__name__)

AUDIT = "operators.audit_channel"
"""Key of the server's setting."""
MOST_VERSIONS = 50
"""Versions that a history goes back."""
ONLY_MODERATORS = "Only moderators who may manage this server can see and change that."
IN_A_SERVER = "Operators belong to a server. Use this in one of its channels."
_SMUGGLED = re.compile(
    r"<\s*/?\s*(?:data|system|user|assistant|tool)\b[^<>]{0,40}>?|<\|[^<>|]{0,40}\|?>?|\[/?\s*INST\s*\]|<</?SYS>>",
    re.IGNORECASE,
)
"""Marks that tell a model whose words are whose. Only the program writes them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Current:
    """The set in force.

    Attributes:
        settings: What is used.
        number: Version of it; 0 is what is shipped.
        version: That version, ``None`` for 0.
        problem: Why what was saved is not used, or ``""``.
    """

    settings: EvolveSettings
    number: int = 0
    version: Version | None = None
    problem: str = ""


def check_moderator(actor: Actor) -> None:
    """Check that somebody may tune.

    Raises:
        ForbiddenError: They may not.
        UsageError: They are in direct messages, where there is nothing to tune.
    """
    if actor.guild_id == DIRECT_MESSAGES:
        raise UsageError(IN_A_SERVER)
    if not actor.is_moderator:
        raise ForbiddenError(ONLY_MODERATORS)


def named(settings: EvolveSettings, name: str) -> Operator | None:
    """Return an operator by its exact name, ``None`` where there is none."""
    return next((one for one in settings.operators if one.name == name), None)


def line_of(version: Version | None) -> VersionLine:
    """Say which version it is; ``None`` is what is shipped."""
    if version is None:
        return VersionLine(number=0)
    return VersionLine(
        number=version.number,
        author_id=version.author_id,
        at=version.at,
        comment=version.comment,
    )


def smuggled(text: str) -> list[str]:
    """Return a sentence where a text has marks that could pass for the program's own, else nothing."""
    seen = "".join(
        char for char in unicodedata.normalize("NFKC", text) if unicodedata.category(char) != "Cf"
    )  # as a reader sees it: without what is invisible, and wide letters as plain ones
    found = _SMUGGLED.search(seen)
    if found is None:
        return []
    mark = found.group().strip()
    return [
        f"“{mark}” could pass for a mark of mine that tells a model whose words are whose. Leave it out."
    ]


def problems_of(settings: EvolveSettings) -> list[str]:
    """Return what is wrong with a set, a sentence each."""
    problems = shipped_operators.check_settings(settings)
    for operator in settings.operators:
        problems += [
            f'Operator "{operator.name}": {sentence}' for sentence in smuggled(operator.template)
        ]
    return problems


def problems_of_prompt(name: str, text: str) -> list[str]:
    """Return what is wrong with a prompt's text, a sentence each."""
    return [*shipped_templates.check(name, text), *smuggled(text)]


def settings_of(content: str | None) -> EvolveSettings:
    """Read a stored set; ``None`` is what is shipped."""
    if content is None:
        return shipped_operators.shipped()
    return settings_from_json(json.loads(content))


def content_of(settings: EvolveSettings | None) -> str | None:
    """Write a set as it is stored; what is shipped is stored as ``None``, so that it follows upgrades."""
    if settings is None or settings == shipped_operators.shipped():
        return None
    return json.dumps(settings_to_json(settings), ensure_ascii=False)


def text_of(name: str, content: str | None) -> str:
    """Read a stored prompt; ``None`` is what is shipped."""
    return shipped_templates.shipped()[name] if content is None else content


def text_content(name: str, text: str | None) -> str | None:
    """Write a prompt as it is stored; what is shipped is stored as ``None``."""
    return None if text is None or text == shipped_templates.shipped()[name] else text


class OperatorStore:
    """Reads what is in force and adds versions."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self.db = db
        self._clock = clock

    async def current(self, tx: Reader, guild_id: GuildId) -> Current:
        """Return the set in force. One that does not fit this version of the program is not used, and says so."""
        stored = await versions.latest(tx, guild_id, "operators")
        if stored is None:
            return Current(settings=shipped_operators.shipped())
        settings = settings_of(stored.content)
        problems = problems_of(settings) if stored.content is not None else []
        if problems:
            log.warning("Operators of server %s are not used: %s", guild_id, problems[0])
            settings = shipped_operators.shipped()
        return Current(
            settings=settings,
            number=stored.number,
            version=stored,
            problem=problems[0] if problems else "",
        )

    async def templates(self, tx: Reader, guild_id: GuildId) -> Templates:
        """Return the prompts in force. One that does not fit this version of the program is not used."""
        texts = {}
        for stored in await versions.latest_of_kind(tx, guild_id, "template"):
            if stored.content is None:
                continue
            problems = problems_of_prompt(stored.name, stored.content)
            if problems:
                log.warning(
                    "Prompt %s of server %s is not used: %s", stored.name, guild_id, problems[0]
                )
            else:
                texts[stored.name] = stored.content
        return shipped_templates.shipped().replaced(texts)

    async def set_at(self, tx: Reader, guild_id: GuildId, number: int) -> EvolveSettings | None:
        """Return the set as some version left it, 0 being what is shipped; ``None`` where there is no such version."""
        if number == 0:
            return shipped_operators.shipped()
        stored = await versions.version(tx, guild_id, "operators", "", number)
        return None if stored is None else settings_of(stored.content)

    async def add_set(
        self, tx: Transaction, actor: Actor, settings: EvolveSettings | None, comment: str
    ) -> VersionLine:
        """Save a set; ``None`` is what is shipped."""
        return await self._add(tx, actor, ("operators", ""), content_of(settings), comment)

    async def add_prompt(
        self, tx: Transaction, actor: Actor, name: str, text: str | None, comment: str
    ) -> VersionLine:
        """Save a prompt; ``None`` is what is shipped."""
        return await self._add(tx, actor, ("template", name), text_content(name, text), comment)

    async def _add(
        self,
        tx: Transaction,
        actor: Actor,
        of: tuple[Kind, str],
        content: str | None,
        comment: str,
    ) -> VersionLine:
        kind, name = of
        stored = await versions.latest(tx, actor.guild_id, kind, name)
        version = Version(
            guild_id=actor.guild_id,
            kind=kind,
            name=name,
            number=1 if stored is None else stored.number + 1,
            content=content,
            author_id=actor.user_id,
            comment=comment,
            at=self._clock.now(),
        )
        await versions.add_version(tx, version)
        return line(version, stored)

    async def history(
        self, tx: Reader, guild_id: GuildId, kind: Kind, name: str = ""
    ) -> list[VersionLine]:
        """Return what was saved, newest first, each with what it changed."""
        found = await versions.history(tx, guild_id, kind, name, most=MOST_VERSIONS + 1)
        pairs = zip(found, [*found[1:], None][: len(found)], strict=True)
        return [
            line(after, before) for after, before in pairs if before is not None or after.number < 2
        ]

    async def audit(self, tx: Reader, guild_id: GuildId) -> ChannelId | None:
        """Return the channel that changes are told in."""
        value = (await guilds.guild_settings(tx, guild_id)).get(AUDIT)
        return ChannelId(value) if isinstance(value, int) else None


def line(after: Version, before: Version | None) -> VersionLine:
    """Say what a version changed. ``before`` is the one before it; ``None`` is what is shipped."""
    old = None if before is None else before.content
    if after.kind == "operators":
        changes = diff(set_lines(settings_of(old)), set_lines(settings_of(after.content)))
    else:
        changes = diff(
            text_lines(text_of(after.name, old)), text_lines(text_of(after.name, after.content))
        )
    return VersionLine(
        number=after.number,
        author_id=after.author_id,
        at=after.at,
        comment=after.comment,
        diff=changes,
    )
