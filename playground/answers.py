"""The bot's side of an interaction: first responses of each type, the original response, and follow-ups."""

from __future__ import annotations

from dataclasses import replace

from playground import components, errors, fields
from playground.drafts import Draft, read_draft
from playground.forms import Form, as_object
from playground.interactions import (
    AUTOCOMPLETE,
    COMMAND,
    COMPONENT,
    MODAL_SUBMIT,
    Interaction,
    Interactions,
)
from playground.messages import Delivery, Messages
from playground.model import Channel, Json, Message, MessageFlag, MessageType
from playground.posting import check_open
from playground.snowflakes import parse
from playground.world import World

MESSAGE, DEFER, DEFER_UPDATE, UPDATE, CHOICES, MODAL = 4, 5, 6, 7, 8, 9
_FITTING = {
    COMMAND: (MESSAGE, DEFER, MODAL),
    COMPONENT: (MESSAGE, DEFER, DEFER_UPDATE, UPDATE, MODAL),
    AUTOCOMPLETE: (CHOICES,),
    MODAL_SUBMIT: (MESSAGE, DEFER, DEFER_UPDATE, UPDATE),
}


class Answers:
    """Takes what the bot says to an interaction."""

    def __init__(self, world: World, messages: Messages, interactions: Interactions) -> None:
        self._world = world
        self._messages = messages
        self._interactions = interactions

    def respond(self, interaction_id: int, token: str, form: Form) -> Json:
        """Take a first response.

        Returns:
            The callback object that ``with_response`` asks for.

        Raises:
            ApiError: 10062, 40060, 50035 and whatever sending a message can raise.
        """
        interaction = self._interactions.waiting(interaction_id, token)
        kind = fields.whole(form.payload, "type", 0)
        fitting = _FITTING[interaction.kind]
        if kind not in fitting or (kind in (DEFER_UPDATE, UPDATE) and interaction.message is None):
            raise errors.wrong_choice("type", fitting)
        data = as_object(form.payload.get("data") or {}, "data")
        message: Message | None = None
        if kind in (MESSAGE, DEFER):
            message = self._message(interaction, Form(payload=data, files=form.files), kind=kind)
        elif kind in (DEFER_UPDATE, UPDATE):
            message = self._update(interaction, Form(payload=data, files=form.files), kind=kind)
        elif kind == CHOICES:
            self._choose(interaction, data)
        else:
            self._open_modal(interaction, data)
        self._interactions.settle(interaction)
        if kind != CHOICES:
            self._interactions.tell(interaction, "INTERACTION_DONE")
        return self._callback(interaction, kind, message)

    def _callback(self, interaction: Interaction, kind: int, message: Message | None) -> Json:
        about: Json = {"id": str(interaction.id), "type": interaction.kind}
        resource: Json = {"type": kind}
        if message is not None and kind != DEFER_UPDATE:
            about |= {
                "response_message_id": str(message.id),
                "response_message_loading": bool(message.flags & MessageFlag.LOADING),
                "response_message_ephemeral": bool(message.flags & MessageFlag.EPHEMERAL),
            }
            resource["message"] = self._messages.payload(message)
        return {"interaction": about, "resource": resource}

    def _message(self, interaction: Interaction, form: Form, *, kind: int) -> Message:
        channel = self._world.channel(interaction.channel_id)
        draft = read_draft(form, path="data")
        private = bool(draft.flags & MessageFlag.EPHEMERAL)
        if not private:
            check_open(self._world, self._world.bot.id, channel)
        if kind == DEFER:
            draft = Draft(flags=draft.flags & MessageFlag.EPHEMERAL)
        delivery = replace(
            self._delivery(interaction, private=private),
            kind=self._message_type(interaction),
            loading=kind == DEFER,
            reference=_reference_to(interaction.message) if interaction.message else None,
        )
        message = self._messages.send(channel, self._world.bot, draft, delivery)
        interaction.original_id, interaction.deferred = message.id, kind == DEFER
        interaction.own_ids.add(message.id)
        return message

    def _message_type(self, interaction: Interaction) -> int:
        if interaction.message is not None:
            return MessageType.REPLY
        return (
            MessageType.CONTEXT_MENU_COMMAND if interaction.menu else MessageType.CHAT_INPUT_COMMAND
        )

    def _delivery(self, interaction: Interaction, *, private: bool) -> Delivery:
        return Delivery(
            only_for=interaction.user_id if private else None,
            origin=interaction.origin,
            command=interaction.command,
            webhook_id=self._world.bot.id,
        )

    def _update(self, interaction: Interaction, form: Form, *, kind: int) -> Message | None:
        message = interaction.message
        if (
            message is None
            or message.id not in self._world.channel(interaction.channel_id).messages
        ):
            raise errors.unknown_message()
        interaction.original_id = message.id
        interaction.own_ids.add(message.id)
        return self._edit(message, form, path="data") if kind == UPDATE else message

    def _edit(self, message: Message, form: Form, *, path: str = "") -> Message:
        layout = bool(message.flags & MessageFlag.COMPONENTS_V2)
        draft = self._messages.clear_content(
            read_draft(form, layout=layout, path=path), form.payload
        )
        return self._messages.edit(message, draft)

    def _choose(self, interaction: Interaction, data: Json) -> None:
        choices = fields.objects(data, "choices", limit=25, path="data")
        if choices is None:
            raise errors.required("data.choices")
        for index, each in enumerate(choices):
            where = f"data.choices.{index}"
            fields.needed_text(each, "name", high=100, path=where)
            if isinstance(each.get("value"), bool) or not isinstance(
                each.get("value"), (str, int, float)
            ):
                raise errors.required(f"{where}.value")
        if interaction.choices is not None and not interaction.choices.done():
            interaction.choices.set_result(choices)

    def _open_modal(self, interaction: Interaction, data: Json) -> None:
        modal = components.checked_modal(data)
        interaction.modal = modal
        number = str(interaction.id)
        self._interactions.tell(
            interaction,
            "MODAL_OPEN",
            id=number,
            modal=number,
            channel=str(interaction.channel_id),
            **modal,
        )

    def follow_up(self, token: str, form: Form) -> Message:
        """Send one more message. After a deferred response the first of them takes its place.

        Raises:
            ApiError: 10015, 50027 and whatever sending a message can raise.
        """
        interaction = self._interactions.by_token(token)
        channel = self._world.channel(interaction.channel_id)
        original = channel.messages.get(interaction.original_id or 0)
        if interaction.deferred and original is not None:
            if read_draft(form).is_empty:
                raise errors.ApiError(400, 50006, "Cannot send an empty message")
            interaction.deferred = False
            return self._edit(original, form)
        draft = read_draft(form)
        private = bool(draft.flags & MessageFlag.EPHEMERAL)
        if not private:
            check_open(self._world, self._world.bot.id, channel)
        before = original or interaction.message
        delivery = replace(
            self._delivery(interaction, private=private),
            reference=_reference_to(before) if before is not None else None,
        )
        message = self._messages.send(channel, self._world.bot, draft, delivery)
        interaction.own_ids.add(message.id)
        return message

    def find(self, token: str, name: str) -> tuple[Interaction, Channel, Message]:
        """A message of an interaction.

        Args:
            token: The interaction's token.
            name: A message id or ``@original``.

        Raises:
            ApiError: 10015, 50027, 10008.
        """
        interaction = self._interactions.by_token(token)
        channel = self._world.channel(interaction.channel_id)
        number = interaction.original_id if name == "@original" else parse(name)
        message = channel.messages.get(number or 0)
        if message is None or message.id not in interaction.own_ids:
            raise errors.unknown_message()
        return interaction, channel, message

    def edit(self, token: str, name: str, form: Form) -> Message:
        """Change a message of an interaction."""
        interaction, _, message = self.find(token, name)
        edited = self._edit(message, form)
        if message.id == interaction.original_id:
            interaction.deferred = False
        return edited

    def delete(self, token: str, name: str) -> None:
        """Delete a message of an interaction."""
        interaction, channel, message = self.find(token, name)
        self._messages.delete(channel, message)
        if message.id == interaction.original_id:
            interaction.deferred = False


def _reference_to(message: Message) -> Json:
    return {"type": 0, "channel_id": str(message.channel_id), "message_id": str(message.id)}
