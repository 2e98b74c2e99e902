"""Turns what a person filled into a slash command into the option tree and resolved objects that a bot gets."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from playground.command_checks import GROUP, SUBCOMMAND
from playground.model import Attachment, Json
from playground.payloads import attachment as draw_attachment
from playground.payloads import member as draw_member
from playground.payloads import role as draw_role
from playground.payloads import user as draw_user
from playground.refusals import RefusalError
from playground.snowflakes import parse
from playground.world import World

STRING, INTEGER, BOOLEAN, USER, CHANNEL, ROLE, MENTIONABLE, NUMBER, FILE = range(3, 12)
_TEXT_LIMIT = 6000
_TRUTH = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


@dataclass(slots=True)
class Resolved:
    """Objects behind the ids that a person chose."""

    world: World
    channel_id: int
    user_id: int
    found: dict[str, Json] = field(default_factory=dict)

    def user(self, user_id: int) -> bool:
        """Add a user, and their membership; ``False`` when there is no such person."""
        if user_id not in self.world.users:
            return False
        self._put("users", user_id, draw_user(self.world.users[user_id]))
        if user_id in self.world.members:
            bits = str(self.world.guild_permissions(user_id))
            body = draw_member(self.world.members[user_id], with_user=False)
            self._put("members", user_id, {**body, "permissions": bits})
        return True

    def role(self, role_id: int) -> bool:
        """Add a role; ``False`` when there is none."""
        if role_id not in self.world.roles:
            return False
        self._put("roles", role_id, draw_role(self.world.roles[role_id], bot_id=self.world.bot.id))
        return True

    def channel(self, channel_id: int) -> bool:
        """Add a channel that the person can see; ``False`` when there is none."""
        channel = self.world.channels.get(channel_id)
        if channel is None or not self.world.can_see(self.user_id, channel):
            return False
        bits = str(self.world.permissions(self.user_id, channel))
        self._put(
            "channels",
            channel_id,
            {**self.world.draw.channel(channel, self.user_id), "permissions": bits},
        )
        return True

    def attachment(self, one: Attachment) -> None:
        """Add an uploaded file."""
        drawn = draw_attachment(one, self.channel_id, self.world.base_url)
        self._put("attachments", one.id, drawn)

    def message(self, message_id: int, drawn: Json) -> None:
        """Add the message of a context menu."""
        self._put("messages", message_id, drawn)

    def _put(self, kind: str, number: int, drawn: Json) -> None:
        self.found.setdefault(kind, {})[str(number)] = drawn


TakeFile = Callable[[Any], Attachment]
"""Stores the upload that a value names; refuses one that is not there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """What a person filled in.

    Attributes:
        path: Names of the group and subcommand.
        values: Values by option name.
        focused: The option being typed in, for autocomplete.
    """

    path: tuple[str, ...]
    values: Mapping[str, Any]
    focused: str | None = None


class OptionReader:
    """Reads the options of one command."""

    def __init__(self, resolved: Resolved, take_file: TakeFile) -> None:
        self._resolved = resolved
        self._take_file = take_file

    def read(self, command: Json, filled: Filled) -> list[Json]:
        """The ``options`` of the interaction data.

        Raises:
            RefusalError: Something is missing, unknown or out of range.
        """
        part, wrappers = command, []
        for name in filled.path:
            inner = _named(part, name)
            if inner is None or inner["type"] not in (SUBCOMMAND, GROUP):
                raise RefusalError(f"/{command['name']} has nothing called {name!r}.", 404)
            part = inner
            wrappers.append({"type": part["type"], "name": name})
        offered = part.get("options") or []
        if any(each["type"] in (SUBCOMMAND, GROUP) for each in offered):
            words = ", ".join(each["name"] for each in offered)
            raise RefusalError(f"/{command['name']} needs one of these after it: {words}.")
        options = self._values(part, filled)
        for wrapper in reversed(wrappers):
            options = [{**wrapper, "options": options}]
        return options

    def _values(self, part: Json, filled: Filled) -> list[Json]:
        offered = part.get("options") or []
        unknown = [name for name in filled.values if _named(part, name) is None]
        if unknown:
            raise RefusalError(f"There is no option called {unknown[0]!r} here.")
        read = []
        for option in offered:
            name = option["name"]
            if name not in filled.values:
                if option.get("required") and filled.focused is None:
                    raise RefusalError(f"{name} is needed.")
                continue
            if name == filled.focused:
                raw = filled.values[name]
                read.append({"type": option["type"], "name": name, "value": raw, "focused": True})
            elif filled.focused is not None:
                read.append({"type": option["type"], "name": name, "value": filled.values[name]})
            else:
                value = self._value(option, filled.values[name])
                read.append({"type": option["type"], "name": name, "value": value})
        return read

    def _value(self, option: Json, raw: Any) -> Any:
        kind, name = option["type"], option["name"]
        if kind == STRING:
            value: Any = _text(option, raw)
        elif kind in (INTEGER, NUMBER):
            value = _number(option, raw)
        elif kind == BOOLEAN:
            value = raw if isinstance(raw, bool) else _TRUTH.get(str(raw).lower())
            if value is None:
                raise RefusalError(f"{name} must be yes or no.")
        elif kind == FILE:
            stored = self._take_file(raw)
            self._resolved.attachment(stored)
            value = str(stored.id)
        else:
            value = self._thing(option, raw)
        choices = option.get("choices")
        if choices and value not in [each["value"] for each in choices]:
            raise RefusalError(f"{name} must be one of the choices.")
        return value

    def _thing(self, option: Json, raw: Any) -> str:
        """A user, channel, role or mentionable by id."""
        number = parse(str(raw).strip("<>@#&!")) or 0
        ways: dict[int, tuple[Callable[[int], bool], ...]] = {
            USER: (self._resolved.user,),
            CHANNEL: (self._resolved.channel,),
            ROLE: (self._resolved.role,),
            MENTIONABLE: (self._resolved.user, self._resolved.role),
        }
        if not any(way(number) for way in ways[option["type"]]):
            raise RefusalError(f"{option['name']} does not name anything that exists here.")
        return str(number)


def _named(part: Json, name: str) -> Json | None:
    return next((each for each in part.get("options") or [] if each["name"] == name), None)


def _text(option: Json, raw: Any) -> str:
    value = str(raw)
    low, high = option.get("min_length") or 0, option.get("max_length") or _TEXT_LIMIT
    if not low <= len(value) <= high:
        raise RefusalError(f"{option['name']} needs {low} to {high} letters.")
    return value


def _number(option: Json, raw: Any) -> int | float:
    name, whole = option["name"], option["type"] == INTEGER
    try:
        value: int | float = int(str(raw)) if whole else float(str(raw))
    except ValueError:
        raise RefusalError(f"{name} must be a {'whole ' if whole else ''}number.") from None
    low, high = option.get("min_value"), option.get("max_value")
    if not abs(value) <= 2**53:
        raise RefusalError(f"{name} is too large.")
    if low is not None and value < low:
        raise RefusalError(f"{name} must be at least {low}.")
    if high is not None and value > high:
        raise RefusalError(f"{name} must be at most {high}.")
    return value
