"""The prompts of the whole-population searcher, as moderators see and roll them back."""

from __future__ import annotations

from domain.errors import BusyError, UsageError
from domain.ids import DIRECT_MESSAGES
from prompts import templates as shipped_templates
from service.clock import Clock
from service.operator_editing import NOTHING, check_prompt
from service.operator_store import OperatorStore, check_moderator, problems_of_prompt, text_of
from service.operator_trial import Trial
from service.operator_views import PromptView, Saved, TrialView, VersionLine
from service.views import Actor
from storage import operator_versions as versions
from storage.database import Database, Reader

PURPOSES = {
    "full": "writes a whole generation from a ranking of the past",
    "novel": "invents prompts that owe nothing to the past",
    "directed": "changes clips as Vary, Cross and Remix ask",
    "reflect": "keeps the short note about what this herd likes",
    "chat": "how I speak with members; it changes nothing of what I do",
    "system": "the rules that every request has; nobody edits them here",
}
MOVED_ON = "It has been changed since you opened it. Look at it again; nothing was done."


class PromptService:
    """Prompts of a server; ``service.operator_editing`` changes them."""

    def __init__(self, db: Database, store: OperatorStore, trial: Trial, clock: Clock) -> None:
        self._db = db
        self._store = store
        self._trial = trial
        self._clock = clock

    async def names(self, actor: Actor, *, editable: bool = True) -> list[str]:
        """Return the names of prompts; none to who may not tune."""
        if not actor.is_moderator or actor.guild_id == DIRECT_MESSAGES:
            return []
        return [*shipped_templates.EDITABLE] if editable else [*PURPOSES]

    async def overview(self, actor: Actor) -> list[PromptView]:
        """Return all prompts."""
        check_moderator(actor)
        async with self._db.reading() as tx:
            return [await self._view(tx, actor, name) for name in PURPOSES]

    async def show(self, actor: Actor, name: str, note: str = "") -> PromptView:
        """Return one prompt.

        Raises:
            NotFoundError: There is none of that name.
        """
        check_moderator(actor)
        if name not in PURPOSES:
            check_prompt(name)
        async with self._db.reading() as tx:
            return await self._view(tx, actor, name, note)

    async def _view(self, tx: Reader, actor: Actor, name: str, note: str = "") -> PromptView:
        stored = await versions.latest(tx, actor.guild_id, "template", name)
        content = stored.content if stored else None
        slots = shipped_templates.EDITABLE.get(name)
        problems = problems_of_prompt(name, content) if content is not None else []
        if problems:
            note = f"{note} It is not used, the shipped one is: {problems[0]}".strip()
        return PromptView(
            name=name,
            text=text_of(name, content),
            base=stored.number if stored else 0,
            shipped=content is None,
            editable=slots is not None,
            required=slots.required if slots else (),
            optional=slots.optional if slots else (),
            note=note,
        )

    async def history(self, actor: Actor, name: str) -> list[VersionLine]:
        """Return what was saved, newest first."""
        check_moderator(actor)
        check_prompt(name)
        async with self._db.reading() as tx:
            return await self._store.history(tx, actor.guild_id, "template", name)

    async def rollback(
        self, actor: Actor, name: str, *, version: int | None = None, base: int | None = None
    ) -> Saved:
        """Bring a prompt back: to what it was before the last change, or to a version.

        Args:
            actor: Who.
            name: The prompt.
            version: Its number, 0 for what is shipped.
            base: The version that the person sees; where there is a newer one nothing is done.

        Raises:
            UsageError: There is no such version, or nothing to go back to.
            BusyError: Somebody else changed it meanwhile.
        """
        check_moderator(actor)
        check_prompt(name)
        async with self._db.transaction() as tx:
            stored = await versions.latest(tx, actor.guild_id, "template", name)
            latest = stored.number if stored else 0
            if base is not None and base != latest:
                raise BusyError(MOVED_ON)
            wanted = latest - 1 if version is None else version
            if wanted < 0:
                raise UsageError("It is as shipped; there is nothing to roll back to.")
            found = await versions.version(tx, actor.guild_id, "template", name, wanted)
            if found is None and wanted > 0:
                raise UsageError(f"There is no version {wanted}. /prompts history shows them.")
            text = text_of(name, found.content if found else None)
            if text == text_of(name, stored.content if stored else None):
                raise UsageError(NOTHING)
            problems = problems_of_prompt(name, text)
            if problems:
                raise UsageError(problems[0])
            words = f"version {wanted}" if wanted else "what is shipped"
            line = await self._store.add_prompt(
                tx, actor, name, text, f"rolled the prompt {name} back to {words}"
            )
            audit = await self._store.audit(tx, actor.guild_id)
        return Saved(kind="prompt", name=name, version=line, audit=audit)

    async def try_(self, actor: Actor, name: str) -> TrialView:
        """Try a prompt on the three fixed parents."""
        check_moderator(actor)
        check_prompt(name)
        async with self._db.reading() as tx:
            templates = await self._store.templates(tx, actor.guild_id)
        seed = int(self._clock.now() * 1000) % 2**31
        return await self._trial.prompt(actor.guild_id, name, templates, seed)
