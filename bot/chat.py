"""Conversation: a mention, a reply to one of the bot's messages, or a direct message, answered in one message."""

from __future__ import annotations

import asyncio
import logging
import re
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from weakref import WeakValueDictionary

import discord

from bot.chat_front import DiscordFront, Scene
from bot.chat_words import buttons_for, safe
from bot.errors import WIRE_ERRORS, acknowledge_quietly, sentence_for
from bot.ids import Chat as ChatPress
from bot.ids import ChatAction
from bot.like_this import upload_of
from bot.personal_answers import show_personal
from bot.progress import EDIT_EVERY, StatusLine
from bot.room import Room, actor_of, is_moderator
from bot.text import quote
from bot.views import nothing
from domain.errors import UserError
from domain.ids import DIRECT_MESSAGES, ChannelId, GuildId, ListenerId, MessageId
from service.chat.agent import ChatAgent, Reply
from service.chat.turns import Outcome, Speaker
from service.clock import Clock
from service.views import Actor

log = logging.getLogger(__name__)

WINDOW = 20.0
"""Seconds in which somebody may say ``MOST`` things."""
MOST = 5
MOST_PEOPLE = 4096
WAITING = 3
"""People who may wait for an answer in a channel."""
SLOWLY = "One thing at a time, please. I listen to you again in a few seconds."
BUSY = "I am still answering others here. Say it again in a moment."
_KINDS = (discord.MessageType.default, discord.MessageType.reply)


class Chat:
    """Listens to what is said to the bot, and answers. Guards go from cheap to dear."""

    def __init__(self, client: discord.Client, room: Room) -> None:
        self._client = client
        self._room = room
        self._locks: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()
        self._waiting: dict[int, int] = {}
        self._said: OrderedDict[int, deque[float]] = OrderedDict()

    @property
    def _agent(self) -> ChatAgent:
        return self._room.services.chat

    @property
    def _clock(self) -> Clock:
        return self._room.services.clock

    async def heard(self, message: discord.Message) -> None:
        """Answer a message if it is meant for the bot."""
        me = self._client.user
        if me is None or message.author.bot or message.webhook_id is not None:
            return
        if message.type not in _KINDS or message.mention_everyone:
            return
        if not is_for(message, me.id):
            return
        text = said_in(message, me.id)
        if not text and (message.guild is None or me not in message.mentions):
            return  # nothing that can be read: a file, or a reply without a ping
        answer = Answer(message, self._clock.now)
        pace = self._pace(message.author.id)
        if pace > MOST:
            if pace == MOST + 1:
                await self._say(answer, SLOWLY)
            return
        if self._waiting.get(message.channel.id, 0) >= WAITING:
            await self._say(answer, BUSY)
            return
        await self._in_turn(message, answer, text or "help")

    async def _in_turn(self, message: discord.Message, answer: Answer, text: str) -> None:
        place = message.channel.id
        self._waiting[place] = self._waiting.get(place, 0) + 1
        try:
            async with self._locks.setdefault(place, asyncio.Lock()):
                await self._answer(message, answer, text)
        finally:
            self._waiting[place] -= 1
            if not self._waiting[place]:
                del self._waiting[place]

    async def _answer(self, message: discord.Message, answer: Answer, text: str) -> None:
        try:
            await answer.typing()
            speaker = await self._speaker(message)
            reply = await self._agent.answer(speaker, text, answer.show)
        except Exception as error:  # noqa: BLE001 - the boundary of a message
            if self._client.is_closed():
                log.info("The bot ended while it was answering somebody: %s", error)
                return
            await self._say(answer, sentence_for(error))
            return
        await self._say(answer, reply.text, buttons_for(reply))
        self._follow(reply, speaker.actor)

    async def _say(self, answer: Answer, text: str, view: discord.ui.View | None = None) -> None:
        try:
            await answer.finish(text, view)
        except WIRE_ERRORS as error:
            log.info("An answer could not be sent: %s", error)

    async def _speaker(self, message: discord.Message) -> Speaker:
        reference = message.reference
        here = reference is not None and reference.channel_id == message.channel.id
        replied = reference.message_id if reference is not None and here else None
        about = await self._agent.about(MessageId(replied)) if replied else None
        return Speaker(
            actor=actor_of_message(message),
            event_id=message.id,
            front=DiscordFront(scene_of(message)),
            clips=about.clips if about else (),
            round=about.round if about else None,
            upload=upload_of(message.attachments),
        )

    def _pace(self, user_id: int) -> int:
        """Count what somebody said within the window, this included."""
        said = self._said.setdefault(user_id, deque(maxlen=MOST + 2))
        self._said.move_to_end(user_id)
        while len(self._said) > MOST_PEOPLE:
            self._said.popitem(last=False)
        now = self._clock.now()
        while said and said[0] <= now - WINDOW:
            said.popleft()
        said.append(now)
        return len(said)

    # What follows -------------------------------------------------------------------------------------

    def _follow(self, reply: Reply, actor: Actor) -> None:
        for outcome in reply.outcomes:
            if outcome.ticket is not None:
                self._room.services.tasks.spawn(
                    self._watch(outcome, actor), f"status line of ticket {outcome.ticket.id}"
                )

    async def _watch(self, outcome: Outcome, actor: Actor) -> None:
        """Show how far a job is where its run lives, then do what remains."""
        ticket = outcome.ticket
        if ticket is None:
            return
        headline = f"🎛️ {quote(actor.name, 40) or 'Somebody'}: {outcome.headline}"
        line = await StatusLine.open(self._client, ticket.run.channel_id, headline, ticket)
        last = await (line.follow(ticket, self._clock) if line is not None else ticket.done())
        if outcome.after is None or last.error:
            return
        try:
            await outcome.after()
        except UserError as error:
            await self._tell(ticket.run.channel_id, str(error))

    async def _tell(self, channel_id: int, text: str) -> None:
        try:
            await self._client.get_partial_messageable(channel_id).send(safe(text))
        except WIRE_ERRORS as error:
            log.info("A channel did not take a message: %s", error)

    # Presses ------------------------------------------------------------------------------------------

    async def press(self, interaction: discord.Interaction, press: ChatPress) -> None:
        """Answer a button of a reply: yes, no, or what only the person sees who presses."""
        if press.action not in {ChatAction.YES, ChatAction.NO}:
            await show_personal(interaction, self._room, press)
            return
        speaker = Speaker(
            actor=actor_of(interaction), event_id=interaction.id, front=DiscordFront(interaction)
        )
        self._agent.check_question(press.subject, speaker.actor)
        await acknowledge_quietly(interaction)
        yes = press.action is ChatAction.YES
        reply = await self._agent.answered(press.subject, speaker, yes=yes)
        before = interaction.message.content if interaction.message is not None else ""
        said = f"{before}\n{reply.text}" if before else reply.text
        await interaction.edit_original_response(content=safe(said), view=nothing())
        self._follow(reply, speaker.actor)


@dataclass(slots=True)
class _Shown:
    message: discord.Message | None = None
    text: str = ""
    at: float = float("-inf")


class Answer:
    """One message that grows."""

    def __init__(self, message: discord.Message, now: Callable[[], float]) -> None:
        self._message = message
        self._now = now
        self._shown = _Shown()

    async def typing(self) -> None:
        """Show that the bot is writing."""
        try:
            await self._message.channel.typing()
        except WIRE_ERRORS as error:
            log.debug("Typing is not shown: %s", error)

    async def show(self, text: str) -> None:
        """Show the answer so far, not too often; losing it stops nothing."""
        now = self._now()
        if not text.strip() or now - self._shown.at < EDIT_EVERY:
            return
        try:
            await self._put(f"{safe(text)[:1990]} …", None)
        except WIRE_ERRORS as error:
            log.debug("A part of an answer is not shown: %s", error)
        self._shown.at = now

    async def finish(self, text: str, view: discord.ui.View | None) -> None:
        """Show the whole answer."""
        await self._put(safe(text), view)

    async def _put(self, text: str, view: discord.ui.View | None) -> None:
        quiet = discord.AllowedMentions.none()
        if self._shown.message is not None:
            await self._shown.message.edit(
                content=text, view=view or nothing(), allowed_mentions=quiet
            )
            return
        extra: dict[str, Any] = {} if view is None else {"view": view}
        self._shown.message = await self._message.channel.send(
            text,
            reference=self._message.to_reference(fail_if_not_exists=False),
            mention_author=False,
            allowed_mentions=quiet,
            **extra,
        )


def is_for(message: discord.Message, me: int) -> bool:
    """Tell whether a message is meant for the bot: direct, a mention, or a reply to one of its messages."""
    if message.guild is None:
        return isinstance(message.channel, (discord.DMChannel, discord.PartialMessageable))
    if any(one.id == me for one in message.mentions):
        return True
    resolved = message.reference.resolved if message.reference is not None else None
    return isinstance(resolved, discord.Message) and resolved.author.id == me


def said_in(message: discord.Message, me: int) -> str:
    """Return the words of a message without the mention of the bot."""
    return re.sub(rf"<@!?{me}>", " ", message.content).strip(" ,:\n\t")


def actor_of_message(message: discord.Message) -> Actor:
    """Return who wrote a message, with the rights that Discord gives them in that channel."""
    in_guild = message.guild is not None
    return Actor(
        user_id=ListenerId(message.author.id),
        guild_id=GuildId(message.guild.id) if message.guild is not None else DIRECT_MESSAGES,
        channel_id=ChannelId(message.channel.id),
        is_moderator=is_moderator(_permissions(message), in_guild=in_guild),
        name=message.author.display_name,
    )


def _permissions(message: discord.Message) -> discord.Permissions:
    """Return what the author may do there; nothing where that is not known."""
    channel, author = message.channel, message.author
    if isinstance(author, discord.Member) and isinstance(
        channel, (discord.abc.GuildChannel, discord.Thread)
    ):
        try:
            return channel.permissions_for(author)
        except discord.ClientException as error:  # a thread whose channel is not known
            log.debug("The permissions of a speaker are not known: %s", error)
    return discord.Permissions.none()


def scene_of(message: discord.Message) -> Scene:
    """Return what places for runs are made from."""
    guild = message.guild
    mine = discord.Permissions.none()
    channel = message.channel
    if guild is not None and isinstance(channel, (discord.abc.GuildChannel, discord.Thread)):
        try:
            mine = channel.permissions_for(guild.me)
        except discord.ClientException as error:
            log.debug("The bot's permissions are not known: %s", error)
    return Scene(
        guild_id=guild.id if guild is not None else None,
        channel=channel,
        user=message.author,
        app_permissions=mine,
    )
