"""Drafts: what a moderator has typed is checked, compared and tried before it is saved."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from domain.errors import NotFoundError, UsageError
from domain.operators import EvolveSettings
from prompts import operators as shipped_operators
from prompts import templates as shipped_templates
from prompts.templates import Templates
from service.clock import Clock
from service.operator_changes import (
    Fields,
    OneOperator,
    OnePrompt,
    WholeSet,
    changed,
    diff,
    fields_of,
    find,
    operator_lines,
    read_fields,
    set_lines,
    text_lines,
    what_changed,
    what_differs,
)
from service.operator_drafts import Draft, DraftBook
from service.operator_files import read_file
from service.operator_store import (
    OperatorStore,
    check_moderator,
    line_of,
    named,
    problems_of,
    problems_of_prompt,
    text_of,
)
from service.operator_trial import Trial
from service.operator_views import DraftView, Saved, TrialView
from service.views import Actor
from storage import operator_versions as versions
from storage.database import Database, Reader, Transaction

COMMENT = 120
"""Characters of a comment that are kept."""
NOTHING = "That changes nothing."


class Editing:
    """Takes in forms and files, keeps them as drafts, and saves them when their author says so."""

    def __init__(self, db: Database, store: OperatorStore, trial: Trial, clock: Clock) -> None:
        self._db = db
        self._store = store
        self._trial = trial
        self._clock = clock
        self._drafts = DraftBook()

    # Taking in ------------------------------------------------------------------------------------------

    async def form(self, actor: Actor, name: str) -> tuple[Fields, int]:
        """Return a form filled in with an operator, and the version that it is of."""
        check_moderator(actor)
        async with self._db.reading() as tx:
            current = await self._store.current(tx, actor.guild_id)
        return fields_of(find(current.settings, name)), current.number

    async def propose(self, actor: Actor, name: str, base: int, form: Fields) -> DraftView:
        """Take in a form about an operator; nothing is saved yet.

        Args:
            actor: Who.
            name: The operator that is changed, ``""`` for a new one.
            base: The version that they began from.
            form: What they typed.
        """
        check_moderator(actor)
        async with self._db.reading() as tx:
            current = await self._store.current(tx, actor.guild_id)
            began = await self._store.set_at(tx, actor.guild_id, base)
            was = named(began or current.settings, name) if name else None
            draft = Draft(
                guild_id=actor.guild_id,
                author_id=actor.user_id,
                base=base if was is not None or not name else current.number,
                change=OneOperator(was=was or named(current.settings, name), now=None),
                form=form,
                target=name,
                comment=form.comment.strip()[:COMMENT],
            )
            return await self._settle(tx, self._drafts.add(draft), draft)

    async def propose_file(self, actor: Actor, data: bytes) -> DraftView:
        """Take in an exported file; nothing is saved yet.

        Raises:
            UsageError: It is too large or no such file; says where.
        """
        check_moderator(actor)
        settings = await asyncio.to_thread(read_file, data)
        return await self._propose_set(actor, settings, "imported a file")

    async def propose_reset(self, actor: Actor) -> DraftView:
        """Propose the operators that are shipped; nothing is saved yet."""
        check_moderator(actor)
        return await self._propose_set(actor, None, "back to the shipped operators")

    async def _propose_set(
        self, actor: Actor, settings: EvolveSettings | None, comment: str
    ) -> DraftView:
        async with self._db.reading() as tx:
            current = await self._store.current(tx, actor.guild_id)
            draft = Draft(
                guild_id=actor.guild_id,
                author_id=actor.user_id,
                base=current.number,
                change=WholeSet(settings=settings),
                comment=comment,
            )
            return await self._settle(tx, self._drafts.add(draft), draft)

    async def propose_prompt(
        self, actor: Actor, change: OnePrompt, base: int, comment: str = ""
    ) -> DraftView:
        """Take in a prompt's text, or with ``None`` propose the shipped one; nothing is saved yet.

        Raises:
            NotFoundError: There is no prompt of that name.
        """
        check_moderator(actor)
        check_prompt(change.name)
        text = None if change.text is None else change.text.replace("\r\n", "\n").strip()
        draft = Draft(
            guild_id=actor.guild_id,
            author_id=actor.user_id,
            base=base,
            change=OnePrompt(name=change.name, text=text),
            target=change.name,
            text=text_of(change.name, text),
            comment=comment.strip()[:COMMENT] or ("back to the shipped text" if not text else ""),
        )
        async with self._db.reading() as tx:
            return await self._settle(tx, self._drafts.add(draft), draft)

    # Looking --------------------------------------------------------------------------------------------

    async def draft(self, actor: Actor, number: int) -> DraftView:
        """Return a draft as it stands.

        Raises:
            NotFoundError: It is gone, or somebody else's.
        """
        draft = self._mine(actor, number)
        async with self._db.reading() as tx:
            return await self._settle(tx, number, draft)

    def base(self, actor: Actor, number: int) -> int:
        """Return the version that a draft changes."""
        return self._mine(actor, number).base

    async def try_draft(self, actor: Actor, number: int) -> TrialView:
        """Try what a draft says, as far as it can be tried."""
        draft = self._mine(actor, number)
        seed = int(self._clock.now() * 1000) % 2**31
        async with self._db.reading() as tx:
            templates = await self._store.templates(tx, actor.guild_id)
        problems = await self._problems_alone(draft)
        if problems:
            raise UsageError(problems[0])
        match draft.change:
            case OneOperator(now=operator) if operator is not None:
                return await self._trial.operator(actor.guild_id, operator, templates, seed)
            case OnePrompt(name=name, text=text):
                shown = Templates({**templates.texts, name: text_of(name, text)})
                return await self._trial.prompt(actor.guild_id, name, shown, seed)
        raise UsageError("A whole set is tried operator by operator, once it is saved.")

    async def _problems_alone(self, draft: Draft) -> list[str]:
        """Return what keeps a draft from being tried: the chain does not matter for that."""
        match draft.change:
            case OneOperator(now=operator) if operator is not None:
                alone = replace(operator, enabled=False)
                spare = replace(
                    shipped_operators.shipped().operators[0], name="spare", enabled=True
                )
                return problems_of(EvolveSettings(operators=(alone, spare), tournament_size=10))
            case OnePrompt(name=name, text=text):
                return problems_of_prompt(name, text_of(name, text))
        return list(draft.problems)

    def discard(self, actor: Actor, number: int) -> None:
        """Forget a draft."""
        self._mine(actor, number)
        self._drafts.drop(number)

    def _mine(self, actor: Actor, number: int) -> Draft:
        check_moderator(actor)
        return self._drafts.get(number, actor.guild_id, actor.user_id)

    # Saving ---------------------------------------------------------------------------------------------

    async def save(self, actor: Actor, number: int) -> Saved | DraftView:
        """Save a draft. Where somebody else was faster it is shown again, compared with what they saved.

        Raises:
            NotFoundError: It is gone, or somebody else's.
            UsageError: It has problems.
        """
        draft = self._mine(actor, number)
        async with self._db.transaction() as tx:
            view = await self._settle(tx, number, draft)
            if view.conflict is not None:
                return view
            if view.problems:
                raise UsageError(view.problems[0])
            saved = await self._saved(tx, actor, self._mine(actor, number), view.title)
        self._drafts.drop(number)
        return saved

    async def _saved(self, tx: Transaction, actor: Actor, draft: Draft, title: str) -> Saved:
        comment = f"{title} ({draft.comment})" if draft.comment else title
        audit = await self._store.audit(tx, actor.guild_id)
        match draft.change:
            case OnePrompt(name=name, text=text):
                line = await self._store.add_prompt(tx, actor, name, text, comment)
                return Saved(kind="prompt", name=name, version=line, audit=audit)
            case OneOperator(now=now) as change:
                current = await self._store.current(tx, actor.guild_id)
                after = changed(current.settings, change)
                line = await self._store.add_set(tx, actor, after, comment)
                kept = now.name if now is not None else ""
                return Saved(kind="operator", name=kept, version=line, audit=audit)
            case WholeSet(settings=settings):
                line = await self._store.add_set(tx, actor, settings, comment)
        return Saved(kind="set", name="", version=line, audit=audit)

    # Comparing ------------------------------------------------------------------------------------------

    async def _settle(self, tx: Reader, number: int, draft: Draft) -> DraftView:
        """Compare a draft with what is in force now, check it, and tell when somebody else was faster."""
        match draft.change:
            case OnePrompt():
                view = await self._settle_prompt(tx, number, draft, draft.change)
            case WholeSet():
                view = await self._settle_set(tx, number, draft, draft.change)
            case OneOperator():
                view = await self._settle_operator(tx, number, draft, draft.change)
        return view

    async def _settle_operator(
        self, tx: Reader, number: int, draft: Draft, change: OneOperator
    ) -> DraftView:
        current = await self._store.current(tx, draft.guild_id)
        there = named(current.settings, draft.target) if draft.target else None
        overtaken = change.was is not None and there != change.was
        was, problems = there, []
        now = change.now
        if draft.form is not None:
            try:
                now = read_fields(draft.form, enabled=was.enabled if was else True)
            except UsageError as error:
                problems, now = [str(error)], None
        title = what_changed(was, now) if now is not None else draft.target or "a new operator"
        if now is not None:
            rebased = OneOperator(was=was, now=now)
            problems = problems_of(changed(current.settings, rebased))
            if now == was:
                problems = [NOTHING]
        before = operator_lines(was) if was else []
        view = DraftView(
            id=number,
            title=title,
            kind="operator",
            name=draft.target,
            problems=tuple(dict.fromkeys(problems)),
            diff=diff(before, operator_lines(now)) if now is not None else "",
            form=draft.form,
            comment=draft.comment,
            conflict=line_of(current.version) if overtaken else None,
        )
        change = OneOperator(was=was, now=now)
        self._keep(number, draft, view, current.number, change)
        return view

    async def _settle_set(
        self, tx: Reader, number: int, draft: Draft, change: WholeSet
    ) -> DraftView:
        current = await self._store.current(tx, draft.guild_id)
        wanted = change.settings or shipped_operators.shipped()
        problems = problems_of(wanted)
        if wanted == current.settings and not current.problem:
            problems = [NOTHING]
        view = DraftView(
            id=number,
            title=what_differs(current.settings, wanted),
            kind="set",
            name="",
            problems=tuple(problems),
            diff=diff(set_lines(current.settings), set_lines(wanted)),
            comment=draft.comment,
            conflict=line_of(current.version) if draft.base != current.number else None,
        )
        self._keep(number, draft, view, current.number, change)
        return view

    async def _settle_prompt(
        self, tx: Reader, number: int, draft: Draft, change: OnePrompt
    ) -> DraftView:
        stored = await versions.latest(tx, draft.guild_id, "template", change.name)
        before = text_of(change.name, stored.content if stored else None)
        after = text_of(change.name, change.text)
        problems = problems_of_prompt(change.name, after)
        if before == after:
            problems = [NOTHING]
        latest = stored.number if stored else 0
        view = DraftView(
            id=number,
            title=f"changed the prompt {change.name}",
            kind="prompt",
            name=change.name,
            problems=tuple(problems),
            diff=diff(text_lines(before), text_lines(after)),
            text=after,
            comment=draft.comment,
            conflict=line_of(stored) if draft.base != latest else None,
        )
        self._keep(number, draft, view, latest, change)
        return view

    def _keep(
        self,
        number: int,
        draft: Draft,
        view: DraftView,
        base: int,
        change: OneOperator | WholeSet | OnePrompt,
    ) -> None:
        """Note what a draft was last compared with, so that it can be saved over what has now been shown."""
        seen = replace(draft, base=base, change=change, problems=view.problems)
        self._drafts.replace(number, seen)


def check_prompt(name: str) -> None:
    """Check that there is a prompt of a name that may be edited.

    Raises:
        NotFoundError: There is none.
        UsageError: It holds the rules.
    """
    if name in shipped_templates.EDITABLE:
        return
    if name in shipped_templates.FIXED:
        raise UsageError(
            f"The prompt “{name}” holds the rules for all others; nobody edits it here."
        )
    raise NotFoundError(
        f"There is no prompt of that name. There are: {', '.join(shipped_templates.EDITABLE)}."
    )
