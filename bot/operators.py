"""``/operators`` and ``/prompts``: what moderators tune."""

from __future__ import annotations

import discord
from discord import app_commands
from discord.app_commands import Choice, Range, locale_str

from bot import tuning_face as face
from bot.errors import WIRE_ERRORS, acknowledge, answering, tell
from bot.panel import send_file
from bot.room import Room
from bot.tuning import Tuning, tuner_of
from bot.tuning_ids import Of
from domain.errors import UserError
from domain.ids import ChannelId
from service.operator_changes import tidied
from service.operator_files import LARGEST_FILE

MANAGERS = discord.Permissions(manage_guild=True)
"""Who is offered these commands until a server's settings say otherwise."""
IN_SERVERS = app_commands.AppCommandContext(guild=True, dm_channel=False, private_channel=False)
MOST_CHOICES = 25
NOT_READ = "I could not fetch that file from Discord. Try it once more."
TOO_LARGE = "That file has {size} KiB; operators take at most {most} KiB."
NO_ENTRY = "I may not write in <#{channel}>. Give me View Channel and Send Messages there, or pick another."
BOTH = "A version is of all operators together. Give a name or a version, not both."
Name = Range[str, 1, 40]


def _matching(names: list[str], typed: str) -> list[Choice[str]]:
    words = typed.lower().strip()
    found = [name for name in names if words in name]
    return [Choice(name=name, value=name) for name in found[:MOST_CHOICES]]


class Operators(app_commands.Group):
    """The steps that make children from parents."""

    def __init__(self, room: Room, tuning: Tuning) -> None:
        super().__init__(
            name=locale_str("operators"),
            description=locale_str("Tune the prompts that breed children from parents"),
            default_permissions=MANAGERS,
            allowed_contexts=IN_SERVERS,
        )
        self._room = room
        self._tuning = tuning

    @app_commands.command(
        name=locale_str("list"), description=locale_str("All operators with their track record")
    )
    async def list_(self, interaction: discord.Interaction) -> None:
        """Show the list."""
        async with answering(interaction):
            await self._tuning.overview(interaction)

    @app_commands.command(
        name=locale_str("show"), description=locale_str("One operator: its prompt and its record")
    )
    @app_commands.describe(name=locale_str("Which operator"))
    async def show(self, interaction: discord.Interaction, name: Name) -> None:
        """Show one."""
        async with answering(interaction):
            await self._tuning.operator(interaction, name)

    @app_commands.command(
        name=locale_str("edit"),
        description=locale_str("Change an operator; you see it before it counts"),
    )
    @app_commands.describe(name=locale_str("Which operator"))
    async def edit(self, interaction: discord.Interaction, name: Name) -> None:
        """Open its form."""
        async with answering(interaction):
            await self._tuning.ask_to_edit(interaction, name)

    @app_commands.command(
        name=locale_str("add"), description=locale_str("Write a new operator, applied last")
    )
    async def add(self, interaction: discord.Interaction) -> None:
        """Open an empty form."""
        async with answering(interaction):
            await self._tuning.ask_to_add(interaction)

    @app_commands.command(
        name=locale_str("enable"), description=locale_str("Use an operator again")
    )
    @app_commands.describe(name=locale_str("Which operator"))
    async def enable(self, interaction: discord.Interaction, name: Name) -> None:
        """Enable one."""
        async with answering(interaction):
            await self._tuning.switch(interaction, name, enabled=True)

    @app_commands.command(
        name=locale_str("disable"), description=locale_str("Leave an operator out; it is kept")
    )
    @app_commands.describe(name=locale_str("Which operator"))
    async def disable(self, interaction: discord.Interaction, name: Name) -> None:
        """Disable one."""
        async with answering(interaction):
            await self._tuning.switch(interaction, name, enabled=False)

    @app_commands.command(
        name=locale_str("try"),
        description=locale_str("A dry run on three fixed parents, for you alone"),
    )
    @app_commands.describe(name=locale_str("Which operator"))
    async def try_(self, interaction: discord.Interaction, name: Name) -> None:
        """Try one."""
        async with answering(interaction):
            await self._tuning.try_operator(interaction, name)

    @app_commands.command(
        name=locale_str("history"), description=locale_str("Who changed what, and when")
    )
    @app_commands.describe(name=locale_str("Which operator; all of them when empty"))
    async def history(self, interaction: discord.Interaction, name: Range[str, 0, 40] = "") -> None:
        """Show the versions."""
        async with answering(interaction):
            await self._tuning.history(interaction, Of.OPERATOR if name else Of.SET, tidied(name))

    @app_commands.command(
        name=locale_str("rollback"),
        description=locale_str("Take the last change back, or go to a version"),
    )
    @app_commands.describe(
        name=locale_str("Only this operator: back to before its last change"),
        version=locale_str("All operators: as they were in this version; 0 is as shipped"),
    )
    async def rollback(
        self,
        interaction: discord.Interaction,
        name: Range[str, 0, 40] = "",
        version: Range[int, 0, 999_999] | None = None,
    ) -> None:
        """Roll back."""
        async with answering(interaction):
            if name and version is not None:
                raise UserError(BOTH)
            if name:
                await self._tuning.undo(interaction, name)
            else:
                await self._tuning.roll_back(interaction, version)

    @app_commands.command(
        name=locale_str("export"), description=locale_str("All operators as a YAML file")
    )
    async def export(self, interaction: discord.Interaction) -> None:
        """Send them as a file."""
        async with answering(interaction):
            await acknowledge(interaction)
            file = await self._room.services.operators.export(tuner_of(interaction))
            await send_file(interaction, file.note, file.filename, file.data)

    @app_commands.command(
        name=locale_str("import"),
        description=locale_str("Take operators from a YAML file; you see them first"),
    )
    @app_commands.describe(file=locale_str("A file that /operators export made, or one like it"))
    async def import_(self, interaction: discord.Interaction, file: discord.Attachment) -> None:
        """Propose what a file says."""
        async with answering(interaction):
            await acknowledge(interaction)
            await self._room.services.operators.audit(
                tuner_of(interaction)
            )  # nothing is fetched for others
            if file.size > LARGEST_FILE:
                size, most = file.size // 1024, LARGEST_FILE // 1024
                raise UserError(TOO_LARGE.format(size=size, most=most))
            try:
                data = await file.read()
            except WIRE_ERRORS as error:
                raise UserError(NOT_READ) from error
            await self._tuning.take_file(interaction, data)

    @app_commands.command(
        name=locale_str("reset"),
        description=locale_str("Back to the shipped operators; you see it first"),
    )
    async def reset(self, interaction: discord.Interaction) -> None:
        """Propose what is shipped."""
        async with answering(interaction):
            await self._tuning.reset(interaction)

    @app_commands.command(
        name=locale_str("audit"), description=locale_str("Tell every change in a channel")
    )
    @app_commands.describe(channel=locale_str("Where; leave it empty to stop"))
    async def audit(
        self, interaction: discord.Interaction, channel: discord.TextChannel | None = None
    ) -> None:
        """Choose where changes are told."""
        async with answering(interaction):
            await acknowledge(interaction)
            actor, operators = tuner_of(interaction), self._room.services.operators
            await operators.audit(actor)
            if channel is None:
                await operators.set_audit(actor, None)
                await tell(interaction, face.AUDIT_OFF)
                return
            try:
                await channel.send(
                    face.audit_begins(actor), allowed_mentions=discord.AllowedMentions.none()
                )
            except WIRE_ERRORS as error:
                raise UserError(NO_ENTRY.format(channel=channel.id)) from error
            await operators.set_audit(actor, ChannelId(channel.id))
            await tell(interaction, face.AUDIT_ON.format(channel=channel.id))

    @show.autocomplete("name")
    @edit.autocomplete("name")
    @enable.autocomplete("name")
    @disable.autocomplete("name")
    @try_.autocomplete("name")
    @history.autocomplete("name")
    @rollback.autocomplete("name")
    async def names(self, interaction: discord.Interaction, current: str) -> list[Choice[str]]:
        """Offer the operators there are."""
        return _matching(await self._room.services.operators.names(tuner_of(interaction)), current)


class Prompts(app_commands.Group):
    """The prompts of the whole-population searcher."""

    def __init__(self, room: Room, tuning: Tuning) -> None:
        super().__init__(
            name=locale_str("prompts"),
            description=locale_str("Tune what the language model is asked besides the operators"),
            default_permissions=MANAGERS,
            allowed_contexts=IN_SERVERS,
        )
        self._room = room
        self._tuning = tuning

    @app_commands.command(
        name=locale_str("list"), description=locale_str("All prompts and what they are for")
    )
    async def list_(self, interaction: discord.Interaction) -> None:
        """Show the list."""
        async with answering(interaction):
            await self._tuning.all_prompts(interaction)

    @app_commands.command(
        name=locale_str("show"), description=locale_str("One prompt and its placeholders")
    )
    @app_commands.describe(name=locale_str("Which prompt"))
    async def show(self, interaction: discord.Interaction, name: Name) -> None:
        """Show one."""
        async with answering(interaction):
            await self._tuning.prompt(interaction, tidied(name))

    @app_commands.command(
        name=locale_str("edit"),
        description=locale_str("Change a prompt; you see it before it counts"),
    )
    @app_commands.describe(name=locale_str("Which prompt"))
    async def edit(self, interaction: discord.Interaction, name: Name) -> None:
        """Open its form."""
        async with answering(interaction):
            await self._tuning.ask_for_prompt(interaction, tidied(name))

    @app_commands.command(
        name=locale_str("try"),
        description=locale_str("A dry run on three fixed parents, for you alone"),
    )
    @app_commands.describe(name=locale_str("Which prompt"))
    async def try_(self, interaction: discord.Interaction, name: Name) -> None:
        """Try one."""
        async with answering(interaction):
            await self._tuning.try_prompt(interaction, tidied(name))

    @app_commands.command(
        name=locale_str("history"), description=locale_str("Who changed what, and when")
    )
    @app_commands.describe(name=locale_str("Which prompt"))
    async def history(self, interaction: discord.Interaction, name: Name) -> None:
        """Show the versions."""
        async with answering(interaction):
            await self._tuning.history(interaction, Of.PROMPT, tidied(name))

    @app_commands.command(
        name=locale_str("rollback"),
        description=locale_str("Take the last change back, or go to a version"),
    )
    @app_commands.describe(
        name=locale_str("Which prompt"),
        version=locale_str("The version to go back to; 0 is as shipped"),
    )
    async def rollback(
        self,
        interaction: discord.Interaction,
        name: Name,
        version: Range[int, 0, 999_999] | None = None,
    ) -> None:
        """Roll back."""
        async with answering(interaction):
            await self._tuning.roll_back_prompt(interaction, tidied(name), version=version)

    @show.autocomplete("name")
    async def all_names(self, interaction: discord.Interaction, current: str) -> list[Choice[str]]:
        """Offer all prompts."""
        prompts = self._room.services.operators.prompts
        return _matching(await prompts.names(tuner_of(interaction), editable=False), current)

    @edit.autocomplete("name")
    @try_.autocomplete("name")
    @history.autocomplete("name")
    @rollback.autocomplete("name")
    async def names(self, interaction: discord.Interaction, current: str) -> list[Choice[str]]:
        """Offer the prompts that can be edited."""
        prompts = self._room.services.operators.prompts
        return _matching(await prompts.names(tuner_of(interaction)), current)
