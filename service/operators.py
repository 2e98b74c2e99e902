"""What moderators tune: the operators of their server, with versions, dry runs and a track record."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace

from domain.errors import BusyError, UsageError
from domain.ids import DIRECT_MESSAGES, ChannelId, GuildId
from domain.operators import EvolveSettings, Operator
from evolution.language.seam import LanguageModel
from prompts.operators import shipped, to_yaml
from prompts.templates import Templates
from scoring.quality import BROKEN
from service.clock import Clock
from service.operator_changes import (
    OneOperator,
    changed,
    diff,
    find,
    moved,
    operator_lines,
    tidied,
    what_changed,
)
from service.operator_editing import NOTHING, Editing
from service.operator_prompts import MOVED_ON, PromptService
from service.operator_record import Spent, record_of
from service.operator_store import (
    AUDIT,
    MOST_VERSIONS,
    OperatorStore,
    check_moderator,
    line_of,
    named,
    problems_of,
    settings_of,
)
from service.operator_trial import Trial
from service.operator_views import OperatorView, OverviewView, Saved, TrialView, VersionLine
from service.views import Actor, Download
from storage import guilds
from storage import operator_versions as versions
from storage.breeding_record import tallies
from storage.database import Database, Reader, Transaction
from storage.operator_versions import Version

FILENAME = "tunebreeder-operators.yaml"
NOTHING_BEFORE = "It is as shipped; there is nothing to roll back to."

Meter = Callable[[str], Awaitable[Mapping[str, Spent]]]
"""Gives what requests have cost an account, by task."""


async def no_costs(_account: str) -> Mapping[str, Spent]:
    """Return the costs where there is no language model: none."""
    return {}


class OperatorService:
    """Operators of servers; ``editing`` changes their texts, ``prompts`` has the prompts.

    ``Actor.is_moderator`` must say here whether somebody may manage the server: what they change counts in all its
    channels.
    """

    def __init__(
        self,
        db: Database,
        clock: Clock,
        *,
        model: LanguageModel | None = None,
        meter: Meter = no_costs,
    ) -> None:
        self._db = db
        self._clock = clock
        self._meter = meter
        self._store = OperatorStore(db, clock)
        self._trial = Trial(model)
        self.editing = Editing(db, self._store, self._trial, clock)
        self.prompts = PromptService(db, self._store, self._trial, clock)

    # For whoever breeds -----------------------------------------------------------------------------

    async def current(self, guild_id: GuildId) -> EvolveSettings:
        """Return the settings and operators in force in a server."""
        async with self._db.reading() as tx:
            return (await self._store.current(tx, guild_id)).settings

    async def templates(self, guild_id: GuildId) -> Templates:
        """Return the prompts in force in a server."""
        async with self._db.reading() as tx:
            return await self._store.templates(tx, guild_id)

    # Looking ------------------------------------------------------------------------------------------

    async def names(self, actor: Actor) -> list[str]:
        """Return the names of the operators here, in their order; none to who may not tune."""
        if not actor.is_moderator or actor.guild_id == DIRECT_MESSAGES:
            return []
        return [operator.name for operator in (await self.current(actor.guild_id)).operators]

    async def overview(self, actor: Actor) -> OverviewView:
        """Return all operators with their track record."""
        check_moderator(actor)
        spent = await self._meter(str(actor.guild_id))
        async with self._db.reading() as tx:
            current = await self._store.current(tx, actor.guild_id)
            bred = await tallies(tx, actor.guild_id, least_quality=BROKEN)
        records = {one.name: record_of(one.name, bred, spent) for one in current.settings.operators}
        return OverviewView(
            settings=current.settings,
            version=line_of(current.version),
            records=records,
            model=self._trial.model,
            problem=current.problem,
        )

    async def show(self, actor: Actor, name: str, note: str = "") -> OperatorView:
        """Return one operator.

        Raises:
            NotFoundError: There is none of that name.
        """
        check_moderator(actor)
        spent = await self._meter(str(actor.guild_id))
        async with self._db.reading() as tx:
            current = await self._store.current(tx, actor.guild_id)
            operator = find(current.settings, name)
            bred = await tallies(tx, actor.guild_id, least_quality=BROKEN)
        return OperatorView(
            operator=operator,
            place=current.settings.operators.index(operator) + 1,
            count=len(current.settings.operators),
            base=current.number,
            record=record_of(operator.name, bred, spent),
            note=note,
        )

    async def history(self, actor: Actor, name: str = "") -> list[VersionLine]:
        """Return what was saved, newest first; with a ``name`` only what changed that operator.

        Raises:
            NotFoundError: There is and was none of that name.
        """
        check_moderator(actor)
        name = tidied(name)
        async with self._db.reading() as tx:
            if not name:
                return await self._store.history(tx, actor.guild_id, "operators")
            steps = await _steps(tx, actor.guild_id)
            if not any(named(before, name) for before, _, _ in steps):
                find((await self._store.current(tx, actor.guild_id)).settings, name)
        lines = []
        for before, after, version in steps:
            old, new = named(before, name), named(after, name)
            if old != new:
                difference = diff(
                    operator_lines(old) if old else [], operator_lines(new) if new else []
                )
                lines.append(replace(line_of(version), diff=difference))
        return lines

    async def export(self, actor: Actor) -> Download:
        """Return the operators as a file that can be imported again, here or elsewhere."""
        check_moderator(actor)
        settings = await self.current(actor.guild_id)
        return Download(
            filename=FILENAME,
            data=to_yaml(settings).encode(),
            note="The operators of this server. `/operators import` takes such a file.",
        )

    async def try_(self, actor: Actor, name: str) -> TrialView:
        """Try an operator on fixed parents, whether it is enabled or not."""
        check_moderator(actor)
        async with self._db.reading() as tx:
            current = await self._store.current(tx, actor.guild_id)
            templates = await self._store.templates(tx, actor.guild_id)
        operator = find(current.settings, name)
        seed = int(self._clock.now() * 1000) % 2**31
        return await self._trial.operator(actor.guild_id, operator, templates, seed)

    # Changing at once -----------------------------------------------------------------------------------

    async def switch(self, actor: Actor, name: str, *, enabled: bool) -> Saved:
        """Enable or disable an operator."""

        def change(settings: EvolveSettings) -> tuple[EvolveSettings, str]:
            operator = find(settings, name)
            now = replace(operator, enabled=enabled)
            return changed(settings, OneOperator(was=operator, now=now)), what_changed(
                operator, now
            )

        return await self._change(actor, name, change)

    async def move(self, actor: Actor, name: str, step: int) -> Saved:
        """Apply an operator one place earlier (-1) or later (1)."""

        def change(settings: EvolveSettings) -> tuple[EvolveSettings, str]:
            where = "earlier" if step < 0 else "later"
            return moved(settings, name, step), f"moved {tidied(name)} {where}"

        return await self._change(actor, name, change)

    async def remove(self, actor: Actor, name: str) -> Saved:
        """Remove an operator; rolling back brings it back."""

        def change(settings: EvolveSettings) -> tuple[EvolveSettings, str]:
            operator = find(settings, name)
            return changed(settings, OneOperator(was=operator, now=None)), what_changed(
                operator, None
            )

        return await self._change(actor, name, change)

    async def _change(
        self,
        actor: Actor,
        name: str,
        change: Callable[[EvolveSettings], tuple[EvolveSettings, str]],
    ) -> Saved:
        check_moderator(actor)
        async with self._db.transaction() as tx:
            before = (await self._store.current(tx, actor.guild_id)).settings
            after, comment = change(before)
            return await self._save(tx, actor, before, after, (tidied(name), comment))

    async def _save(
        self,
        tx: Transaction,
        actor: Actor,
        before: EvolveSettings,
        after: EvolveSettings,
        what: tuple[str, str],
    ) -> Saved:
        """Save a set as a version. ``what`` is the operator that it is about and what was done."""
        name, comment = what
        if after == before:
            raise UsageError(NOTHING)
        problems = problems_of(after)
        if problems:
            raise UsageError(f"That cannot be saved. {problems[0]}")
        line = await self._store.add_set(tx, actor, after, comment)
        audit = await self._store.audit(tx, actor.guild_id)
        kept = name if named(after, name) else ""
        return Saved(kind="operator" if kept else "set", name=kept, version=line, audit=audit)

    # Rolling back ---------------------------------------------------------------------------------------

    async def rollback(self, actor: Actor, *, version: int | None = None) -> Saved:
        """Bring the whole set back: to what it was before the last change, or to a version, 0 being what is shipped.

        Raises:
            UsageError: There is no such version, or nothing to go back to.
        """
        check_moderator(actor)
        async with self._db.transaction() as tx:
            current = await self._store.current(tx, actor.guild_id)
            number = current.number - 1 if version is None else version
            if number < 0:
                raise UsageError(NOTHING_BEFORE)
            wanted = await self._store.set_at(tx, actor.guild_id, number)
            if wanted is None:
                raise UsageError(f"There is no version {number}. /operators history shows them.")
            words = f"version {number}" if number else "what is shipped"
            comment = f"rolled back to {words}"
            return await self._save(tx, actor, current.settings, wanted, ("", comment))

    async def undo(self, actor: Actor, name: str, *, base: int | None = None) -> Saved:
        """Bring one operator back to what it was before it was last changed; the others stay.

        Args:
            actor: Who.
            name: The operator.
            base: The version that the person sees; where the operator was changed since, nothing is done.

        Raises:
            UsageError: It never changed.
            NotFoundError: There is and was none of that name.
            BusyError: Somebody else changed it meanwhile.
        """
        check_moderator(actor)
        name = tidied(name)
        async with self._db.transaction() as tx:
            current = await self._store.current(tx, actor.guild_id)
            now = named(current.settings, name)
            if base is not None:
                seen = await self._store.set_at(tx, actor.guild_id, base)
                if seen is None or named(seen, name) != now:
                    raise BusyError(MOVED_ON)
            for before, after, _ in await _steps(tx, actor.guild_id):
                if named(before, name) != named(after, name):
                    break
            else:
                find(current.settings, name)
                raise UsageError(NOTHING_BEFORE)
            was = _before(before, after, name)
            settings = changed(current.settings, OneOperator(was=now, now=was))
            if now is None and was is not None:  # it was removed: it comes back where it stood
                step = before.operators.index(was) - len(current.settings.operators)
                settings = moved(settings, name, step)
            done = what_changed(now, was).removeprefix(f"changed {name}: ")
            comment = f"rolled back {name}: {done}"
            kept = was.name if was is not None else ""
            return await self._save(tx, actor, current.settings, settings, (kept, comment))

    # Audit ----------------------------------------------------------------------------------------------

    async def audit(self, actor: Actor) -> ChannelId | None:
        """Return the channel that changes are told in, ``None`` for none."""
        check_moderator(actor)
        async with self._db.reading() as tx:
            return await self._store.audit(tx, actor.guild_id)

    async def set_audit(self, actor: Actor, channel_id: ChannelId | None) -> None:
        """Choose the channel that changes are told in, or none."""
        check_moderator(actor)
        async with self._db.transaction() as tx:
            await guilds.set_guild_setting(tx, actor.guild_id, AUDIT, channel_id)


async def _steps(
    tx: Reader, guild_id: GuildId
) -> list[tuple[EvolveSettings, EvolveSettings, Version]]:
    """Return each version of the set as what was before it, what it made of it, and itself; newest first."""
    found = await versions.history(tx, guild_id, "operators", most=MOST_VERSIONS + 1)
    sets = [settings_of(one.content) for one in found]
    steps = list(zip([*sets[1:], shipped()][: len(found)], sets, found, strict=True))
    return steps if not found or found[-1].number == 1 else steps[:-1]


def _before(before: EvolveSettings, after: EvolveSettings, name: str) -> Operator | None:
    """Return how an operator was before a change that renamed, added, removed or edited it."""
    old = named(before, name)
    if (
        old is not None
        or named(after, name) is None
        or len(before.operators) != len(after.operators)
    ):
        return old
    place = next(at for at, one in enumerate(after.operators) if one.name == name)
    renamed = before.operators[place]
    return renamed if named(after, renamed.name) is None else None
