"""Faults on demand: what REST answers wrongly, what the gateway does to its clients, what happens to the world."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from playground.gateway import Gateway
from playground.model import Channel, Overwrite
from playground.sessions import Sessions
from playground.world import World

REST_KINDS = ("429", "429-global", "500", "502", "503", "504", "slow", "drop-request")
GATEWAY_KINDS = ("drop", "op7", "op9", "op9-resumable", "silence", "duplicate", "malformed")
_CLOSE = re.compile(r"close(\d{4})")


@dataclass(slots=True, kw_only=True)
class RestFault:
    """One planned fault.

    Attributes:
        kind: One of ``REST_KINDS``.
        count: Requests that it still hits.
        route: Only paths below the API root that start with this.
        method: Only this HTTP method; empty for any.
        seconds: Delay for ``slow``, wait for 429.
        after: Do the work first, then fail, so that the client cannot know that it was done.
    """

    kind: str
    count: int = 1
    route: str = ""
    method: str = ""
    seconds: float = 0.1
    after: bool = False


@dataclass(slots=True)
class FaultPlan:
    """The REST faults to come, in order."""

    planned: list[RestFault] = field(default_factory=list)

    def add(self, fault: RestFault) -> None:
        """Plan a fault."""
        self.planned.append(fault)

    def take(self, method: str, path: str) -> RestFault | None:
        """The fault that hits this request, used up by one."""
        for fault in self.planned:
            if path.startswith(fault.route) and fault.method in ("", method):
                fault.count -= 1
                if fault.count <= 0:
                    self.planned.remove(fault)
                return fault
        return None

    def clear(self) -> None:
        """Plan nothing any more."""
        self.planned.clear()


class UnknownFaultError(ValueError):
    """No fault has this name."""


class Faults:
    """Everything that can be made to go wrong."""

    def __init__(self, world: World, gateway: Gateway, sessions: Sessions) -> None:
        self.plan = FaultPlan()
        self._world = world
        self._gateway = gateway
        self._sessions = sessions

    async def raise_fault(self, kind: str, **details: Any) -> None:
        """Plan a REST fault or do a gateway fault now.

        Args:
            kind: One of ``REST_KINDS``, ``GATEWAY_KINDS`` or ``closeNNNN``.
            details: Fields of ``RestFault``; ``count`` also for ``silence`` and ``duplicate``.

        Raises:
            UnknownFaultError: There is no such fault.
        """
        if kind in REST_KINDS:
            self.plan.add(RestFault(kind=kind, **details))
        elif match := _CLOSE.fullmatch(kind):
            await self._gateway.close_all(int(match.group(1)), "Closed on request.")
        elif kind in GATEWAY_KINDS:
            self._gateway_fault(kind, details.get("count", 1))
        else:
            known = ", ".join((*REST_KINDS, *GATEWAY_KINDS, "close4000"))
            raise UnknownFaultError(f"There is no fault called {kind!r}. These exist: {known}.")

    def _gateway_fault(self, kind: str, count: int) -> None:
        if kind == "drop":
            self._gateway.drop()
        elif kind == "op7":
            self._gateway.reconnect()
        elif kind.startswith("op9"):
            self._gateway.invalidate(resumable=kind == "op9-resumable")
        elif kind == "silence":
            self._gateway.faults.silent_beats += count
        elif kind == "duplicate":
            self._gateway.faults.duplicates += count
        else:
            for _ in range(count):
                self.inject("MESSAGE_CREATE", {"id": "not a number", "channel_id": None})

    def inject(self, event: str, data: Any) -> None:
        """Dispatch anything at all, also what Discord would never send."""
        self._sessions.dispatch(event, data)

    def revoke(self, channel: Channel, permission: int, *, user_id: int | None = None) -> None:
        """Take permission bits away in a channel, from the bot unless somebody else is named."""
        target = user_id or self._world.bot.id
        overwrite = channel.overwrites.setdefault(target, Overwrite(id=target, kind=1))
        overwrite.deny |= permission
        overwrite.allow &= ~permission
        self._world.announce_channel("CHANNEL_UPDATE", channel)

    def grant(self, channel: Channel, permission: int, *, user_id: int | None = None) -> None:
        """Give back what ``revoke`` took."""
        target = user_id or self._world.bot.id
        overwrite = channel.overwrites.get(target)
        if overwrite is not None:
            overwrite.deny &= ~permission
            self._world.announce_channel("CHANNEL_UPDATE", channel)

    def lock(self, thread: Channel, *, archive: bool = False) -> None:
        """Lock a thread as a moderator would."""
        thread.locked, thread.archived = True, archive
        self._world.announce_channel("THREAD_UPDATE", thread)
