"""What moderators press on the panels of operators and prompts. Panels are rebuilt from their custom ids each time."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

import discord
from discord import ui

from bot import tuning_face as face
from bot import tuning_views as views
from bot.errors import WIRE_ERRORS, acknowledge, acknowledge_quietly, tell
from bot.room import Room, actor_of, place
from bot.tuning_ids import Of, Tune, TuneAction
from bot.views import nothing
from domain.errors import UserError
from domain.ids import ChannelId
from service.operator_changes import Fields, OnePrompt
from service.operator_store import check_moderator
from service.operator_views import DraftView, Saved
from service.operators import OperatorService
from service.views import Actor

log = logging.getLogger(__name__)

Face = tuple[str, ui.View]
Answer = Callable[[], Awaitable[None]]
DISCARDED = "Discarded; nothing was changed."
NOT_THERE = (
    "That button does nothing there. `/operators list` and `/prompts list` show what there is."
)
EMPTY = Fields(name="", template="", counts="2 -> 1", probability="100 %")


def tuner_of(interaction: discord.Interaction) -> Actor:
    """Return who is behind an interaction, as a moderator only if they may manage the server.

    What is tuned counts in every channel of a server, so what somebody may do in a single one is not enough.
    """
    may = interaction.permissions
    manages = interaction.guild_id is not None and (may.administrator or may.manage_guild)
    return replace(actor_of(interaction), is_moderator=manages)


class Tuning:
    """Shows operators and prompts and does what is pressed on them. Everything is private to who pressed."""

    def __init__(self, room: Room) -> None:
        self._room = room

    @property
    def _operators(self) -> OperatorService:
        return self._room.services.operators

    # Panels -------------------------------------------------------------------------------------------

    async def overview(self, interaction: discord.Interaction, note: str = "") -> None:
        """Show the list of operators."""
        await self._take(interaction)
        view = await self._operators.overview(tuner_of(interaction))
        await self._show(interaction, (face.overview_text(view, note), views.overview_view(view)))

    async def operator(self, interaction: discord.Interaction, name: str, note: str = "") -> None:
        """Show one operator."""
        await self._take(interaction)
        view = await self._operators.show(tuner_of(interaction), name, note)
        await self._show(interaction, (face.operator_text(view), views.operator_view(view)))

    async def all_prompts(self, interaction: discord.Interaction) -> None:
        """Show the list of prompts."""
        await self._take(interaction)
        found = await self._operators.prompts.overview(tuner_of(interaction))
        await self._show(interaction, (face.prompts_text(found), views.prompts_view(found)))

    async def prompt(self, interaction: discord.Interaction, name: str, note: str = "") -> None:
        """Show one prompt."""
        await self._take(interaction)
        view = await self._operators.prompts.show(tuner_of(interaction), name, note)
        await self._show(interaction, (face.prompt_text(view), views.prompt_view(view)))

    async def history(self, interaction: discord.Interaction, of: Of, name: str) -> None:
        """Show what was saved."""
        await self._take(interaction)
        actor = tuner_of(interaction)
        if of is Of.PROMPT:
            lines = await self._operators.prompts.history(actor, name)
        else:
            lines = await self._operators.history(actor, name)
        title = name or "all operators"
        shown = face.history_text(title, lines), views.history_view(of, name, lines)
        await self._show(interaction, shown)

    async def draft(self, interaction: discord.Interaction, view: DraftView) -> None:
        """Show a change that is not saved yet."""
        await self._show(interaction, (face.draft_text(view), views.draft_view(view)))

    async def _take(self, interaction: discord.Interaction) -> None:
        """Acknowledge: a panel is changed in place, a command gets a private answer of its own."""
        if interaction.response.is_done():
            return
        if interaction.message is None:
            await acknowledge(interaction)
        else:
            await acknowledge_quietly(interaction)

    async def _show(self, interaction: discord.Interaction, shown: Face) -> None:
        text, view = shown
        if interaction.message is None:
            await tell(interaction, text, view=view)
        else:
            await interaction.edit_original_response(content=text, view=view)

    # Forms --------------------------------------------------------------------------------------------

    async def ask_to_add(self, interaction: discord.Interaction) -> None:
        """Open an empty form. A form must be the first answer, so nothing is acknowledged before it."""
        view = await self._operators.overview(tuner_of(interaction))
        custom_id = Tune(of=Of.SET, action=TuneAction.ADD, number=view.version.number)
        await interaction.response.send_modal(
            views.operator_form("A new operator", custom_id, EMPTY)
        )

    async def ask_to_edit(self, interaction: discord.Interaction, name: str) -> None:
        """Open a form filled in with an operator."""
        fields, base = await self._operators.editing.form(tuner_of(interaction), name)
        custom_id = Tune(of=Of.OPERATOR, action=TuneAction.EDIT, number=base, name=fields.name)
        form = views.operator_form(f"Operator: {fields.name}", custom_id, fields)
        await interaction.response.send_modal(form)

    async def ask_for_prompt(self, interaction: discord.Interaction, name: str) -> None:
        """Open a form filled in with a prompt."""
        view = await self._operators.prompts.show(tuner_of(interaction), name)
        if not view.editable:
            raise UserError(
                f"The prompt “{name}” holds the rules for all others; nobody edits it here."
            )
        custom_id = Tune(of=Of.PROMPT, action=TuneAction.EDIT, number=view.base, name=name)
        await interaction.response.send_modal(views.prompt_form(custom_id, view, view.text))

    async def _ask_again(self, interaction: discord.Interaction, number: int) -> None:
        """Open the form of a draft with everything that was typed."""
        actor = tuner_of(interaction)
        draft = await self._operators.editing.draft(actor, number)
        base = self._operators.editing.base(actor, number)
        if draft.kind == "prompt":
            view = await self._operators.prompts.show(actor, draft.name)
            custom_id = Tune(of=Of.PROMPT, action=TuneAction.EDIT, number=base, name=draft.name)
            form = views.prompt_form(custom_id, view, draft.text, draft.comment)
        elif draft.form is not None:
            of, action = (Of.OPERATOR, TuneAction.EDIT) if draft.name else (Of.SET, TuneAction.ADD)
            custom_id = Tune(of=of, action=action, number=base, name=draft.name)
            title = f"Operator: {draft.name}" if draft.name else "A new operator"
            form = views.operator_form(title, custom_id, draft.form)
        else:
            raise UserError(NOT_THERE)
        await interaction.response.send_modal(form)

    async def sent(
        self, interaction: discord.Interaction, press: Tune, values: dict[str, str]
    ) -> None:
        """Take in a form that came back: it becomes a draft, compared with what is there."""
        check_moderator(tuner_of(interaction))
        await self._take(interaction)
        actor, editing, form = (
            tuner_of(interaction),
            self._operators.editing,
            views.read_form(values),
        )
        match press.of, press.action:
            case Of.SET, TuneAction.ADD:
                draft = await editing.propose(actor, "", press.number, form)
            case Of.OPERATOR, TuneAction.EDIT:
                draft = await editing.propose(actor, press.name, press.number, form)
            case Of.PROMPT, TuneAction.EDIT:
                change = OnePrompt(name=press.name, text=form.template)
                draft = await editing.propose_prompt(actor, change, press.number, form.comment)
            case _:
                raise UserError(NOT_THERE)
        await self.draft(interaction, draft)

    # Presses ------------------------------------------------------------------------------------------

    async def press(
        self, interaction: discord.Interaction, press: Tune, values: Sequence[str]
    ) -> None:
        """Do what was pressed."""
        check_moderator(tuner_of(interaction))  # the use cases check it again
        value = values[0] if values else ""
        match press.of:
            case Of.SET:
                await self._on_set(interaction, press, value)
            case Of.OPERATOR:
                await self._on_operator(interaction, press)
            case Of.PROMPT:
                await self._on_prompt(interaction, press, value)
            case Of.DRAFT:
                await self._on_draft(interaction, press)

    async def _on_set(self, interaction: discord.Interaction, press: Tune, value: str) -> None:
        match press.action:
            case TuneAction.LIST:
                await self.overview(interaction)
            case TuneAction.PICK:
                await self.operator(interaction, value)
            case TuneAction.ADD:
                await self.ask_to_add(interaction)
            case TuneAction.HISTORY:
                await self.history(interaction, Of.SET, "")
            case TuneAction.RESET:
                await self.reset(interaction)
            case TuneAction.BACK:
                await self.roll_back(interaction, _version(value))
            case _:
                raise UserError(NOT_THERE)

    async def _on_operator(self, interaction: discord.Interaction, press: Tune) -> None:
        name, operators = press.name, self._operators
        actor = tuner_of(interaction)
        answers: dict[TuneAction, Answer] = {
            TuneAction.PICK: lambda: self.operator(interaction, name),
            TuneAction.EDIT: lambda: self.ask_to_edit(interaction, name),
            TuneAction.TRY: lambda: self.try_operator(interaction, name),
            TuneAction.HISTORY: lambda: self.history(interaction, Of.OPERATOR, name),
            TuneAction.UNDO: lambda: self.undo(interaction, name, press.number),
            TuneAction.ON: lambda: self.switch(interaction, name, enabled=True),
            TuneAction.OFF: lambda: self.switch(interaction, name, enabled=False),
            TuneAction.UP: lambda: self._save(interaction, lambda: operators.move(actor, name, -1)),
            TuneAction.DOWN: lambda: self._save(
                interaction, lambda: operators.move(actor, name, 1)
            ),
            TuneAction.REMOVE: lambda: self._save(
                interaction, lambda: operators.remove(actor, name)
            ),
        }
        await _answer(answers, press)

    async def _on_prompt(self, interaction: discord.Interaction, press: Tune, value: str) -> None:
        name = press.name
        answers: dict[TuneAction, Answer] = {
            TuneAction.LIST: lambda: self.all_prompts(interaction),
            TuneAction.PICK: lambda: self.prompt(interaction, name or value),
            TuneAction.EDIT: lambda: self.ask_for_prompt(interaction, name),
            TuneAction.TRY: lambda: self.try_prompt(interaction, name),
            TuneAction.HISTORY: lambda: self.history(interaction, Of.PROMPT, name),
            TuneAction.UNDO: lambda: self.roll_back_prompt(interaction, name, base=press.number),
            TuneAction.BACK: lambda: self.roll_back_prompt(
                interaction, name, version=_version(value)
            ),
            TuneAction.RESET: lambda: self.reset_prompt(interaction, name, press.number),
        }
        await _answer(answers, press)

    async def _on_draft(self, interaction: discord.Interaction, press: Tune) -> None:
        actor, editing = tuner_of(interaction), self._operators.editing
        match press.action:
            case TuneAction.SAVE:
                await self._save(interaction, lambda: editing.save(actor, press.number))
            case TuneAction.TRY:
                await acknowledge(interaction)
                tried = await editing.try_draft(actor, press.number)
                await tell(interaction, face.trial_text(tried))
            case TuneAction.EDIT:
                await self._ask_again(interaction, press.number)
            case TuneAction.DISCARD:
                await self._take(interaction)
                editing.discard(actor, press.number)
                await self._show(interaction, (DISCARDED, nothing()))
            case _:
                raise UserError(NOT_THERE)

    # Doing --------------------------------------------------------------------------------------------

    async def switch(self, interaction: discord.Interaction, name: str, *, enabled: bool) -> None:
        """Enable or disable an operator."""
        actor = tuner_of(interaction)
        await self._save(interaction, lambda: self._operators.switch(actor, name, enabled=enabled))

    async def undo(
        self, interaction: discord.Interaction, name: str, base: int | None = None
    ) -> None:
        """Bring an operator back to what it was before its last change."""
        actor = tuner_of(interaction)
        await self._save(interaction, lambda: self._operators.undo(actor, name, base=base))

    async def roll_back(self, interaction: discord.Interaction, version: int | None) -> None:
        """Bring the whole set back."""
        actor = tuner_of(interaction)
        await self._save(interaction, lambda: self._operators.rollback(actor, version=version))

    async def roll_back_prompt(
        self,
        interaction: discord.Interaction,
        name: str,
        *,
        version: int | None = None,
        base: int | None = None,
    ) -> None:
        """Bring a prompt back."""
        actor, prompts = tuner_of(interaction), self._operators.prompts
        await self._save(
            interaction, lambda: prompts.rollback(actor, name, version=version, base=base)
        )

    async def reset(self, interaction: discord.Interaction) -> None:
        """Propose the shipped operators."""
        await self._take(interaction)
        await self.draft(
            interaction, await self._operators.editing.propose_reset(tuner_of(interaction))
        )

    async def reset_prompt(self, interaction: discord.Interaction, name: str, base: int) -> None:
        """Propose the shipped text of a prompt."""
        await self._take(interaction)
        change = OnePrompt(name=name, text=None)
        editing = self._operators.editing
        await self.draft(
            interaction, await editing.propose_prompt(tuner_of(interaction), change, base)
        )

    async def take_file(self, interaction: discord.Interaction, data: bytes) -> None:
        """Propose what an exported file says."""
        await self._take(interaction)
        draft = await self._operators.editing.propose_file(tuner_of(interaction), data)
        await self.draft(interaction, draft)

    async def try_operator(self, interaction: discord.Interaction, name: str) -> None:
        """Show what an operator does, in an answer of its own."""
        await acknowledge(interaction)
        tried = await self._operators.try_(tuner_of(interaction), name)
        await tell(interaction, face.trial_text(tried))

    async def try_prompt(self, interaction: discord.Interaction, name: str) -> None:
        """Show what a prompt does, in an answer of its own."""
        await acknowledge(interaction)
        tried = await self._operators.prompts.try_(tuner_of(interaction), name)
        await tell(interaction, face.trial_text(tried))

    async def _save(
        self,
        interaction: discord.Interaction,
        change: Callable[[], Awaitable[Saved | DraftView]],
    ) -> None:
        """Save something, show it as it is now, and tell it in the channel of the moderators' choice."""
        await self._take(interaction)
        saved = await change()
        if isinstance(saved, DraftView):
            await self.draft(interaction, saved)
            return
        note = face.saved_text(saved)
        if saved.kind == "prompt":
            await self.prompt(interaction, saved.name, note)
        elif saved.kind == "operator" and saved.name:
            await self.operator(interaction, saved.name, note)
        else:
            await self.overview(interaction, note)
        if saved.audit is not None:
            await self._tell_others(interaction, saved, saved.audit)

    async def _tell_others(
        self, interaction: discord.Interaction, saved: Saved, channel_id: ChannelId
    ) -> None:
        try:
            await place(interaction.client, channel_id).send(
                face.audit_text(tuner_of(interaction), saved),
                allowed_mentions=discord.AllowedMentions.none(),
            )
        except WIRE_ERRORS as error:
            log.info("A change of operators could not be told in %s: %s", channel_id, error)
            await tell(interaction, face.AUDIT_FAILED.format(channel=channel_id))


async def _answer(answers: dict[TuneAction, Answer], press: Tune) -> None:
    answer = answers.get(press.action)
    if answer is None:
        raise UserError(NOT_THERE)
    await answer()


def _version(value: str) -> int:
    if not value.isdecimal() or len(value) > 9:
        raise UserError("Pick a version from the list.")
    return int(value)
