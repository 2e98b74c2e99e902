"""The world: one guild with its people, roles and channels, direct messages, and what each person may do where."""

from __future__ import annotations

from collections.abc import Callable

from playground import errors, permissions
from playground.events import EventHub, Viewer
from playground.media import MediaStore
from playground.model import Channel, ChannelType, Emoji, Json, Member, Message, Role, User
from playground.options import PlaygroundOptions
from playground.payloads import Drawer
from playground.payloads import member as draw_member
from playground.permissions import Permission
from playground.snowflakes import Snowflakes

_DM_STEP = 1 << 12
"""Added to a user's id to get the id of their direct message channel, the same after a restart."""


class World:
    """Everything that exists. Changes go through the modules beside it; reading is free.

    Attributes:
        base_url: Where the server is reached by the bot, without a slash at the end.
    """

    def __init__(
        self,
        options: PlaygroundOptions,
        *,
        clock: Callable[[], float],
        media: MediaStore,
        bot: User,
    ) -> None:
        self.options = options
        self.clock = clock
        self.media = media
        self.snowflakes = Snowflakes(clock)
        self.hub = EventHub()
        self.draw = Drawer(self)
        self.base_url = ""
        self.bot = bot
        self.users: dict[int, User] = {bot.id: bot}
        self.guild_id = 0
        self.guild_name = ""
        self.owner_id = 0
        self.roles: dict[int, Role] = {}
        self.members: dict[int, Member] = {}
        self.emojis: dict[int, Emoji] = {}
        self.channels: dict[int, Channel] = {}

    @property
    def bot_view(self) -> Viewer:
        """The bot as an onlooker."""
        return Viewer(user_id=self.bot.id, base_url=self.base_url, is_bot=True)

    def user(self, user_id: int) -> User:
        """A user by id, or error 10013."""
        if user_id not in self.users:
            raise errors.unknown_user()
        return self.users[user_id]

    def member(self, user_id: int) -> Member:
        """A guild member by id, or error 10007."""
        if user_id not in self.members:
            raise errors.unknown_member()
        return self.members[user_id]

    def channel(self, channel_id: int) -> Channel:
        """A channel by id, or error 10003."""
        if channel_id not in self.channels:
            raise errors.unknown_channel()
        return self.channels[channel_id]

    def channel_for(self, user_id: int, channel_id: int, wanted: int = 0) -> Channel:
        """A channel in which a user may do something.

        Args:
            user_id: Who asks.
            channel_id: Where.
            wanted: Permission bits needed besides seeing it.

        Raises:
            ApiError: 10003, 50001 when they cannot see it, 50013 when a bit is missing.
        """
        channel = self.channel(channel_id)
        if not self.can_see(user_id, channel):
            raise errors.missing_access()
        if permissions.missing(self.permissions(user_id, channel), wanted):
            raise errors.missing_permissions()
        return channel

    def message(self, channel: Channel, message_id: int, viewer_id: int) -> Message:
        """A message that a viewer may know of, or error 10008."""
        message = channel.messages.get(message_id)
        if message is None or not message.is_for(viewer_id):
            raise errors.unknown_message()
        return message

    def guild_permissions(self, user_id: int) -> int:
        """What a member may do before channels are looked at; 0 for strangers."""
        member = self.members.get(user_id)
        if member is None:
            return 0
        bits = [self.roles[self.guild_id].permissions]
        bits += [self.roles[role].permissions for role in member.roles if role in self.roles]
        return permissions.base(bits, owner=user_id == self.owner_id)

    def permissions(self, user_id: int, channel: Channel) -> int:
        """What a user may do in a channel, thread or direct message."""
        if channel.is_dm:
            return int(permissions.DIRECT) if user_id in channel.members else 0
        member = self.members.get(user_id)
        home = self.channels.get(channel.parent_id or 0, channel) if channel.is_thread else channel
        if member is None:
            return 0
        return permissions.in_channel(
            self.guild_permissions(user_id),
            home,
            everyone=self.guild_id,
            roles=member.roles,
            user_id=user_id,
        )

    def can_see(self, user_id: int, channel: Channel) -> bool:
        """Whether a channel exists for this user."""
        bits = self.permissions(user_id, channel)
        if not bits & Permission.VIEW_CHANNEL:
            return False
        if channel.kind is not ChannelType.PRIVATE_THREAD:
            return True
        return user_id in channel.members or bool(bits & Permission.MANAGE_THREADS)

    def is_moderator(self, user_id: int) -> bool:
        """Whether the page shows this person as a moderator."""
        return bool(self.guild_permissions(user_id) & Permission.MANAGE_GUILD)

    def dm_with(self, user_id: int) -> Channel:
        """The direct message between a person and the bot, made when first needed."""
        person = self.user(user_id)
        channel_id = person.id + _DM_STEP
        if channel_id not in self.channels:
            now = self.clock()
            self.channels[channel_id] = Channel(
                id=channel_id,
                kind=ChannelType.DM,
                name="",
                created=now,
                members={person.id: now, self.bot.id: now},
            )
            self.announce_channel("CHANNEL_CREATE", self.channels[channel_id])
        return self.channels[channel_id]

    def add_person(
        self,
        name: str,
        *,
        synthetic: bool = False,
        user_id: int | None = None,
        roles: tuple[int, ...] = (),
        color: str = "#5865f2",
    ) -> User:
        """Let somebody join the guild.

        Args:
            name: Shown name; the user name is made of it.
            synthetic: Whether a program acts for them.
            user_id: A fixed id, else a new one.
            roles: Ids of roles besides everyone.
            color: CSS colour for the page.
        """
        handle = (
            "".join(char for char in name.lower() if char.isalnum() or char in "._") or "someone"
        )
        user = User(
            id=user_id or self.snowflakes.next(),
            username=handle,
            global_name=name,
            avatar_color=color,
            synthetic=synthetic,
        )
        self.users[user.id] = user
        self.members[user.id] = Member(user=user, roles=list(roles), joined_at=self.clock())
        self.announce_member("GUILD_MEMBER_ADD", user.id)
        return user

    def remove_person(self, user_id: int) -> None:
        """Let somebody leave; what they wrote stays."""
        self.announce_member("GUILD_MEMBER_REMOVE", user_id)
        self.members.pop(user_id, None)
        self.hub.publish_pages("USERS_UPDATE", lambda viewer: {"users": self.people()})

    def people(self) -> list[Json]:
        """Everybody in the guild as the page's switch shows them."""
        return [
            {
                "id": str(uid),
                "username": one.user.username,
                "global_name": one.user.global_name,
                "avatar_color": one.user.avatar_color,
                "moderator": self.is_moderator(uid) and not one.user.bot,
                "synthetic": one.user.synthetic,
                "bot": one.user.bot,
            }
            for uid, one in self.members.items()
        ]

    def announce_member(self, event: str, user_id: int) -> None:
        """Tell the bot of a member and the pages of the new list."""
        one = self.members.get(user_id)
        if one is None:
            return
        data = {**draw_member(one), "guild_id": str(self.guild_id)}
        self.hub.publish(event, lambda viewer: data if viewer.is_bot else None)
        self.hub.publish_pages("USERS_UPDATE", lambda viewer: {"users": self.people()})

    def announce_channel(self, event: str, channel: Channel, **extra: object) -> None:
        """Tell everybody who can see a channel about it."""

        def render(viewer: Viewer) -> Json | None:
            if not self.can_see(viewer.user_id, channel):
                return None
            return {**self.draw.channel(channel, viewer.user_id), **extra}

        self.hub.publish(event, render)
