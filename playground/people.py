"""What a person can do: write, react, press, choose, run commands, fill in forms. The page and programs share it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from playground import components, emoji
from playground.command_checks import CHAT_INPUT, MESSAGE_MENU, USER_MENU
from playground.drafts import FileDraft, read_draft, safe_name
from playground.errors import ApiError
from playground.forms import Form, Upload
from playground.interactions import (
    AUTOCOMPLETE,
    COMMAND,
    COMPONENT,
    MODAL_SUBMIT,
    Interaction,
    Invocation,
)
from playground.modal_values import ModalReader, chosen_thing
from playground.model import Attachment, Channel, ChannelType, Json, Message
from playground.option_values import Filled, OptionReader, Resolved
from playground.parts import Parts
from playground.permissions import Permission
from playground.posting import check_open, check_post
from playground.refusals import RefusalError, refused


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Who acts where.

    Attributes:
        nonce: The page's own name for an interaction.
    """

    user_id: int
    channel_id: int
    nonce: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandCall:
    """A command as a person runs it.

    Attributes:
        name: Name of the command.
        filled: Subcommands and option values.
        kind: 1 for a slash command, 2 and 3 for the menus of a person and of a message.
        target: Id of that person or message.
        files: Uploads that attachment options name by number.
    """

    name: str
    filled: Filled = field(default_factory=lambda: Filled(path=(), values={}))
    kind: int = CHAT_INPUT
    target: int | None = None
    files: Mapping[int, Upload] = field(default_factory=dict)


class People:
    """Acts for people. Every wish that cannot be granted raises ``RefusalError`` with a sentence."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._world = parts.world

    def channel(self, place: Place) -> Channel:
        """The channel that a person acts in."""
        try:
            self._world.user(place.user_id)
            return self._world.channel_for(place.user_id, place.channel_id)
        except ApiError as error:
            raise refused(error) from None

    def message(self, place: Place, message_id: int) -> tuple[Channel, Message]:
        """A message that a person can see."""
        channel = self.channel(place)
        try:
            return channel, self._world.message(channel, message_id, place.user_id)
        except ApiError as error:
            raise refused(error) from None

    def say(self, place: Place, form: Form) -> Message:
        """Write a message; the form has the fields of Discord's own."""
        channel = self.channel(place)
        try:
            draft = read_draft(form)
            check_post(self._world, place.user_id, channel, draft)
            return self._parts.messages.send(channel, self._world.user(place.user_id), draft)
        except ApiError as error:
            raise refused(error) from None

    def delete(self, place: Place, message_id: int) -> None:
        """Delete an own message, or anybody's as a moderator. An ephemeral one is dismissed."""
        channel, message = self.message(place, message_id)
        moderates = self._world.permissions(place.user_id, channel) & Permission.MANAGE_MESSAGES
        if (
            message.author.id != place.user_id
            and not moderates
            and message.only_for != place.user_id
        ):
            raise RefusalError("You can delete only what you wrote yourself.", 403)
        self._parts.messages.delete(channel, message)

    def react(self, place: Place, message_id: int, symbol: str) -> None:
        """Add a reaction."""
        channel, message = self.message(place, message_id)
        try:
            one = emoji.read(symbol, self._world.emojis)
            self._parts.reactions.add(channel, message, one, place.user_id)
        except ApiError as error:
            raise refused(error) from None

    def unreact(self, place: Place, message_id: int, symbol: str) -> None:
        """Take an own reaction back."""
        channel, message = self.message(place, message_id)
        try:
            one = emoji.read(symbol, self._world.emojis)
            self._parts.reactions.remove(channel, message, one, place.user_id)
        except ApiError as error:
            raise refused(error) from None

    def clear_reactions(self, place: Place, message_id: int, symbol: str | None) -> None:
        """Take every reaction away, or all with one emoji. For moderators."""
        channel, message = self.message(place, message_id)
        if not self._world.permissions(place.user_id, channel) & Permission.MANAGE_MESSAGES:
            raise RefusalError("Only moderators can clear reactions.", 403)
        try:
            if symbol is None:
                self._parts.reactions.clear(channel, message)
            else:
                one = emoji.read(symbol, self._world.emojis)
                self._parts.reactions.clear_emoji(channel, message, one)
        except ApiError as error:
            raise refused(error) from None

    def start_thread(self, place: Place, name: str, message_id: int | None = None) -> Channel:
        """Start a public thread."""
        channel = self.channel(place)
        message = self.message(place, message_id)[1] if message_id else None
        body: Json = {"name": name, "type": int(ChannelType.PUBLIC_THREAD)}
        try:
            return self._parts.threads.start(
                channel, self._world.user(place.user_id), body, message=message
            )
        except ApiError as error:
            raise refused(error) from None

    def dm(self, user_id: int) -> Channel:
        """The direct message with the bot."""
        try:
            return self._world.dm_with(user_id)
        except ApiError as error:
            raise refused(error) from None

    def click(
        self, place: Place, message_id: int, custom_id: str, values: list[Any] | None = None
    ) -> Interaction:
        """Press a button, or choose ``values`` in a select."""
        channel, message = self.message(place, message_id)
        self._check_usable(place, channel)
        component = components.find(message.components, custom_id)
        if component is None:
            raise RefusalError("This message has no such button or menu any more.", 404)
        if component.get("disabled"):
            raise RefusalError("This button or menu is switched off.", 409)
        data: Json = {
            "component_type": component["type"],
            "custom_id": custom_id,
            "id": component["id"],
        }
        if component["type"] in components.SELECTS:
            data |= self._chosen(component, values or [], place)
        return self._begin(place, channel, COMPONENT, data, message=message)

    def _chosen(self, component: Json, values: list[Any], place: Place) -> Json:
        low, high = component.get("min_values", 1), component.get("max_values", 1)
        if not low <= len(values) <= high:
            raise RefusalError(f"Choose {low}." if low == high else f"Choose {low} to {high}.")
        if component["type"] == components.STRING_SELECT:
            offered = {each["value"] for each in component["options"]}
            if any(each not in offered for each in values):
                raise RefusalError("This choice is not offered.")
            return {"values": values}
        resolved = Resolved(self._world, place.channel_id, place.user_id)
        chosen = [chosen_thing(resolved, component["type"], "The menu", each) for each in values]
        return {"values": chosen, "resolved": resolved.found}

    def command(self, place: Place, call: CommandCall) -> Interaction:
        """Run a slash or context menu command."""
        channel = self.channel(place)
        self._check_usable(place, channel)
        command = self._command(place, channel, call)
        resolved = Resolved(self._world, channel.id, place.user_id)
        data = self._command_data(command, channel)
        if call.kind == CHAT_INPUT:
            reader = OptionReader(resolved, lambda raw: self._take_file(raw, call.files))
            data["options"] = reader.read(command, call.filled)
        else:
            data["target_id"] = str(call.target)
            self._resolve_target(place, call, resolved)
        if resolved.found:
            data["resolved"] = resolved.found
        words = " ".join((call.name, *call.filled.path))
        return self._begin(
            place, channel, COMMAND, data, command=words, menu=call.kind != CHAT_INPUT
        )

    def _resolve_target(self, place: Place, call: CommandCall, resolved: Resolved) -> None:
        if call.target is None:
            raise RefusalError("This command needs the message or person it is about.")
        if call.kind == USER_MENU:
            if not resolved.user(call.target):
                raise RefusalError("There is nobody with this id.", 404)
            return
        _, message = self.message(place, call.target)
        resolved.message(message.id, self._parts.messages.payload(message))

    async def autocomplete(self, place: Place, call: CommandCall) -> list[Json]:
        """Ask the bot for suggestions; an empty list when it says nothing in time."""
        channel = self.channel(place)
        command = self._command(place, channel, call)
        resolved = Resolved(self._world, channel.id, place.user_id)
        data = self._command_data(command, channel)
        data["options"] = OptionReader(resolved, lambda raw: self._take_file(raw, {})).read(
            command, call.filled
        )
        interaction = self._begin(place, channel, AUTOCOMPLETE, data, command=call.name)
        return await interaction.choices if interaction.choices is not None else []

    def submit(
        self, place: Place, modal_id: int, values: Mapping[str, Any], files: Mapping[int, Upload]
    ) -> Interaction:
        """Send a modal. It stays open: when the bot does not answer, it can be sent again."""
        channel = self.channel(place)
        opener = self._parts.interactions.opened_modal(modal_id, place.user_id)
        if opener is None or opener.modal is None or opener.channel_id != channel.id:
            raise RefusalError(
                "This form is not open any more. Start again from its button or command.", 404
            )
        resolved = Resolved(self._world, channel.id, place.user_id)
        reader = ModalReader(resolved, lambda raw: self._take_file(raw, files))
        data: Json = {
            "custom_id": opener.modal["custom_id"],
            "components": reader.read(opener.modal, values),
        }
        if resolved.found:
            data["resolved"] = resolved.found
        return self._begin(
            place, channel, MODAL_SUBMIT, data, message=opener.message, parent=opener
        )

    def _check_usable(self, place: Place, channel: Channel) -> None:
        """Buttons and commands are dead in a locked or archived thread, except for moderators."""
        try:
            check_open(self._world, place.user_id, channel)
        except ApiError as error:
            raise refused(error) from None

    def _command(self, place: Place, channel: Channel, call: CommandCall) -> Json:
        named = [
            each
            for guild_id in (self._world.guild_id, None)
            for each in self._parts.commands.listed(guild_id)
            if each["name"] == call.name and each["type"] == call.kind
        ]
        if not named:
            raise RefusalError(f"The bot has no command called {call.name!r}.", 404)
        if not self._parts.commands.may_use(named[0], place.user_id, channel):
            raise RefusalError(_not_yours(named[0], channel), 403)
        return named[0]

    def _command_data(self, command: Json, channel: Channel) -> Json:
        data: Json = {"id": command["id"], "name": command["name"], "type": command["type"]}
        if "guild_id" in command and channel.guild_id:
            data["guild_id"] = command["guild_id"]
        return data

    def _take_file(self, raw: Any, files: Mapping[int, Upload]) -> Attachment:
        text = str(raw).removeprefix("files[").removesuffix("]")
        upload = files.get(int(text)) if text.isdecimal() and len(text) < 3 else None
        if upload is None:
            raise RefusalError("A file is needed here.")
        return self._parts.messages.store_loose(
            FileDraft(upload=upload, filename=safe_name(upload.filename))
        )

    def _begin(
        self, place: Place, channel: Channel, kind: int, data: Json, **more: Any
    ) -> Interaction:
        invocation = Invocation(
            kind=kind, user_id=place.user_id, channel=channel, data=data, nonce=place.nonce, **more
        )
        return self._parts.interactions.begin(invocation)


def _not_yours(command: Json, channel: Channel) -> str:
    sign = "/" if command["type"] not in (USER_MENU, MESSAGE_MENU) else ""
    if channel.is_dm:
        return f"{sign}{command['name']} works only in a server channel."
    return f"You are not allowed to use {sign}{command['name']}. Ask a moderator."
