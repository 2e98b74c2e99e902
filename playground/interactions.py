"""Interactions: raised by a person on the page, answered within three seconds, followed up for fifteen minutes."""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import dataclass, field
from enum import Enum, auto

from playground import errors
from playground.model import Channel, Json, Message
from playground.payloads import member as draw_member
from playground.payloads import user as draw_user
from playground.world import World

COMMAND, COMPONENT, AUTOCOMPLETE, MODAL_SUBMIT = 2, 3, 4, 5
_KEPT = 5000
_NO_ANSWER = "This application did not respond."


class Stage(Enum):
    """How far an interaction has come."""

    WAITING = auto()
    ANSWERED = auto()
    EXPIRED = auto()


@dataclass(slots=True, kw_only=True)
class Interaction:
    """One interaction.

    Attributes:
        nonce: The page's name for it.
        message: The message whose component was used (also behind a modal), or ``None``.
        origin: Its ``interaction_metadata``.
        command: Name of the command, with subcommands.
        menu: Whether the command came from a context menu.
        original_id: The message that counts as ``@original``, once there is one.
        deferred: Whether that message still says that the bot is thinking.
        own_ids: Messages made with this token.
        modal: The modal that the bot opened, until it is submitted.
        choices: Resolves to the choices of an autocomplete.
    """

    id: int
    token: str
    kind: int
    user_id: int
    channel_id: int
    created: float
    nonce: str
    origin: Json
    message: Message | None = None
    command: str | None = None
    menu: bool = False
    stage: Stage = Stage.WAITING
    original_id: int | None = None
    deferred: bool = False
    own_ids: set[int] = field(default_factory=set)
    modal: Json | None = None
    choices: asyncio.Future[list[Json]] | None = None
    timer: asyncio.TimerHandle | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Invocation:
    """What a person did, ready to be sent to the bot."""

    kind: int
    user_id: int
    channel: Channel
    data: Json
    nonce: str = ""
    message: Message | None = None
    command: str | None = None
    menu: bool = False
    parent: Interaction | None = None


class Interactions:
    """Every interaction of the last while."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._by_id: dict[int, Interaction] = {}
        self._by_token: dict[str, Interaction] = {}

    def begin(self, invocation: Invocation) -> Interaction:
        """Send an interaction to the bot and start its three seconds."""
        world = self._world
        number = world.snowflakes.next()
        loop = asyncio.get_running_loop()
        interaction = Interaction(
            id=number,
            token=secrets.token_urlsafe(48),
            kind=invocation.kind,
            user_id=invocation.user_id,
            channel_id=invocation.channel.id,
            created=world.clock(),
            nonce=invocation.nonce,
            origin=self._origin(number, invocation),
            message=invocation.message,
            command=invocation.command,
            menu=invocation.menu,
        )
        if invocation.kind == AUTOCOMPLETE:
            interaction.choices = loop.create_future()
        self._keep(interaction)
        interaction.timer = loop.call_later(
            world.options.response_seconds, self._expire, interaction
        )
        if invocation.kind != AUTOCOMPLETE:
            self.tell(interaction, "INTERACTION_PENDING")
        body = self._payload(interaction, invocation)
        world.hub.publish("INTERACTION_CREATE", lambda viewer: body if viewer.is_bot else None)
        return interaction

    def waiting(self, interaction_id: int, token: str) -> Interaction:
        """An interaction that still takes a first response.

        Raises:
            ApiError: 10062 when it is unknown or too late, 40060 when it was answered.
        """
        interaction = self._by_id.get(interaction_id)
        if interaction is None or interaction.token != token or interaction.stage is Stage.EXPIRED:
            raise errors.unknown_interaction()
        if interaction.stage is Stage.ANSWERED:
            raise errors.acknowledged()
        return interaction

    def by_token(self, token: str) -> Interaction:
        """An answered interaction whose token still lives.

        Raises:
            ApiError: 10015 when there is none, 50027 after fifteen minutes.
        """
        interaction = self._by_token.get(token)
        if interaction is None or interaction.stage is not Stage.ANSWERED:
            raise errors.unknown_webhook()
        if self._world.clock() - interaction.created > self._world.options.token_seconds:
            raise errors.token_expired()
        return interaction

    def opened_modal(self, modal_id: int, user_id: int) -> Interaction | None:
        """The interaction whose modal a person has open."""
        interaction = self._by_id.get(modal_id)
        if interaction is None or interaction.user_id != user_id or interaction.modal is None:
            return None
        return interaction

    def settle(self, interaction: Interaction) -> None:
        """Note the first response."""
        interaction.stage = Stage.ANSWERED
        if interaction.timer is not None:
            interaction.timer.cancel()

    def tell(self, interaction: Interaction, event: str, **extra: object) -> None:
        """Tell the person's pages how their interaction goes."""
        self._world.hub.tell(interaction.user_id, event, {"nonce": interaction.nonce, **extra})

    def close(self) -> None:
        """Stop every timer."""
        for interaction in self._by_id.values():
            if interaction.timer is not None:
                interaction.timer.cancel()
            if interaction.choices is not None and not interaction.choices.done():
                interaction.choices.cancel()

    def _keep(self, interaction: Interaction) -> None:
        self._by_id[interaction.id] = interaction
        self._by_token[interaction.token] = interaction
        while len(self._by_id) > _KEPT:
            oldest = self._by_id.pop(next(iter(self._by_id)))
            self._by_token.pop(oldest.token, None)

    def _expire(self, interaction: Interaction) -> None:
        if interaction.stage is not Stage.WAITING:
            return
        interaction.stage = Stage.EXPIRED
        if interaction.choices is not None:
            if not interaction.choices.done():
                interaction.choices.set_result([])
            return
        self.tell(interaction, "INTERACTION_FAILED", message=_NO_ANSWER)

    def _origin(self, number: int, invocation: Invocation) -> Json:
        owner = str(self._world.guild_id) if invocation.channel.guild_id else "0"
        origin: Json = {
            "id": str(number),
            "type": invocation.kind,
            "user": draw_user(self._world.user(invocation.user_id)),
            "authorizing_integration_owners": {"0": owner},
        }
        if invocation.kind == COMPONENT and invocation.message is not None:
            origin["interacted_message_id"] = str(invocation.message.id)
        if invocation.kind == MODAL_SUBMIT and invocation.parent is not None:
            origin["triggering_interaction_metadata"] = invocation.parent.origin
        return origin

    def _payload(self, interaction: Interaction, invocation: Invocation) -> Json:
        """The INTERACTION_CREATE object."""
        world, channel = self._world, invocation.channel
        bits = world.permissions(invocation.user_id, channel)
        drawn = world.draw.channel(channel, invocation.user_id if channel.is_dm else world.bot.id)
        if channel.is_dm:
            drawn["recipients"] = [draw_user(world.user(invocation.user_id))]
        body: Json = {
            "id": str(interaction.id),
            "application_id": str(world.bot.id),
            "type": invocation.kind,
            "token": interaction.token,
            "version": 1,
            "data": invocation.data,
            "channel_id": str(channel.id),
            "channel": {**drawn, "permissions": str(bits)},
            "app_permissions": str(world.permissions(world.bot.id, channel)),
            "locale": "en-US",
            "entitlements": [],
            "entitlement_sku_ids": [],
            "authorizing_integration_owners": interaction.origin["authorizing_integration_owners"],
            "attachment_size_limit": world.options.file_bytes,
            "context": 1 if channel.is_dm else 0,
        }
        if invocation.message is not None:
            body["message"] = world.draw.message(invocation.message, world.bot_view)
        if channel.guild_id is None:
            body["user"] = draw_user(world.user(invocation.user_id))
            return body
        body["guild_id"] = str(channel.guild_id)
        body["guild"] = {"id": str(channel.guild_id), "locale": "en-US", "features": []}
        body["guild_locale"] = "en-US"
        body["member"] = {
            **draw_member(world.member(invocation.user_id)),
            "permissions": str(bits),
            "unusual_dm_activity_until": None,
        }
        return body
