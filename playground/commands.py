"""The bot's application commands, global and of the guild, and who may use which."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from playground import errors, permissions
from playground.command_checks import CHAT_INPUT, check
from playground.model import Channel, Json
from playground.permissions import Permission
from playground.snowflakes import parse
from playground.world import World

_LIMITS = {1: 100, 2: 15, 3: 15}
_IN_GUILD, _IN_DM = 0, 1
_COPIED = (
    "name",
    "name_localizations",
    "description_localizations",
    "nsfw",
    "contexts",
    "integration_types",
    "dm_permission",
)


class Commands:
    """What the bot has registered. ``guild_id`` is ``None`` for global commands."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._scopes: dict[int | None, dict[int, Json]] = {None: {}, world.guild_id: {}}

    def listed(self, guild_id: int | None) -> list[Json]:
        """Every command of a scope."""
        return list(self._scopes[guild_id].values())

    def get(self, guild_id: int | None, command_id: int) -> Json:
        """One command, or error 10063."""
        if command_id not in self._scopes[guild_id]:
            raise errors.unknown_command()
        return self._scopes[guild_id][command_id]

    def replace_all(self, guild_id: int | None, bodies: list[object]) -> list[Json]:
        """Register exactly these. One that keeps its name and type keeps its id.

        Raises:
            ApiError: 50035 or 30032; nothing is changed then.
        """
        checked: list[Json] = []
        taken: set[tuple[int, str]] = set()
        for index, body in enumerate(bodies):
            if not isinstance(body, dict):
                raise errors.form_error(
                    str(index), "MODEL_TYPE_CONVERT", "Only dictionaries may be used"
                )
            check(body, str(index))
            key = (body.get("type", CHAT_INPUT), body["name"])
            if key in taken:
                raise errors.form_error(
                    str(index),
                    "APPLICATION_COMMANDS_DUPLICATE_NAME",
                    "Application command names must be unique",
                )
            taken.add(key)
            checked.append(body)
        self._check_counts(key for key, _ in taken)
        ids = {(one["type"], one["name"]): int(one["id"]) for one in self.listed(guild_id)}
        fresh = [self._stored(body, guild_id, ids) for body in checked]
        self._scopes[guild_id] = {int(one["id"]): one for one in fresh}
        self._changed()
        return fresh

    def put(self, guild_id: int | None, body: Json) -> Json:
        """Add a command, or replace the one of the same name and type."""
        check(body)
        ids = {(one["type"], one["name"]): int(one["id"]) for one in self.listed(guild_id)}
        stored = self._stored(body, guild_id, ids)
        others = [one["type"] for one in self.listed(guild_id) if one["id"] != stored["id"]]
        self._check_counts([*others, stored["type"]])
        self._scopes[guild_id][int(stored["id"])] = stored
        self._changed()
        return stored

    def change(self, guild_id: int | None, command_id: int, body: Json) -> Json:
        """Change what a PATCH names."""
        old = self.get(guild_id, command_id)
        merged = {**old, **body, "type": old["type"]}
        check(merged)
        stored = self._stored(merged, guild_id, {(merged["type"], merged["name"]): command_id})
        self._scopes[guild_id][command_id] = stored
        self._changed()
        return stored

    def delete(self, guild_id: int | None, command_id: int) -> None:
        """Take a command away."""
        self.get(guild_id, command_id)
        del self._scopes[guild_id][command_id]
        self._changed()

    def usable(self, user_id: int, channel: Channel | None = None) -> Iterator[Json]:
        """Commands that a person is offered, those of the guild before global ones of the same name.

        Args:
            user_id: The person.
            channel: Where; ``None`` for anywhere.
        """
        seen: set[tuple[int, str]] = set()
        for guild_id in (self._world.guild_id, None):
            for command in self._scopes[guild_id].values():
                key = (command["type"], command["name"])
                if key not in seen and self.may_use(command, user_id, channel):
                    seen.add(key)
                    yield command

    def may_use(self, command: Json, user_id: int, channel: Channel | None) -> bool:
        """Whether contexts and default member permissions let a person use a command."""
        contexts = command.get("contexts")
        if channel is not None and channel.is_dm:
            return (_IN_DM in contexts) if contexts is not None else bool(command["dm_permission"])
        if channel is not None:
            if contexts is not None and _IN_GUILD not in contexts:
                return False
            bits = self._world.permissions(user_id, channel)
            if permissions.missing(bits, Permission.USE_APPLICATION_COMMANDS):
                return False
        wanted = command.get("default_member_permissions")
        if wanted is None:
            return True
        bits = self._world.guild_permissions(user_id)
        if bits & Permission.ADMINISTRATOR:
            return True
        return int(wanted) != 0 and not permissions.missing(bits, int(wanted))

    def _check_counts(self, kinds: Iterable[int]) -> None:
        found = list(kinds)
        for kind, limit in _LIMITS.items():
            if found.count(kind) > limit:
                raise errors.ApiError(
                    400, 30032, f"Maximum number of application commands reached ({limit})."
                )

    def _stored(self, body: Json, guild_id: int | None, ids: dict[tuple[int, str], int]) -> Json:
        kind = body.get("type", CHAT_INPUT)
        wanted = body.get("default_member_permissions")
        number = parse(wanted)
        if wanted is not None and number is None:
            raise errors.wrong_type("default_member_permissions", "snowflake")
        stored: Json = {
            "id": str(ids.get((kind, body["name"]), 0) or self._world.snowflakes.next()),
            "application_id": str(self._world.bot.id),
            "version": str(self._world.snowflakes.next()),
            "type": kind,
            "description": body.get("description") or "",
            "default_member_permissions": None if number is None else str(number),
            "nsfw": False,
            "dm_permission": True,
            "contexts": None,
            "integration_types": [0],
        }
        stored |= {key: body[key] for key in _COPIED if body.get(key) is not None}
        if kind == CHAT_INPUT:
            stored["options"] = body.get("options") or []
        if guild_id is not None:
            stored["guild_id"] = str(guild_id)
        return stored

    def _changed(self) -> None:
        self._world.hub.publish_pages(
            "COMMANDS_UPDATE", lambda viewer: {"commands": list(self.usable(viewer.user_id))}
        )
