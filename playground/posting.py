"""Whether a user may post in a channel now: permissions, archived and locked threads."""

from __future__ import annotations

from playground import errors, permissions
from playground.drafts import Draft
from playground.model import Channel
from playground.permissions import Permission
from playground.world import World


def check_open(world: World, user_id: int, channel: Channel) -> None:
    """Raise 50083 or 160005 when a thread takes nothing from this user."""
    if not channel.locked:
        return
    if world.permissions(user_id, channel) & Permission.MANAGE_THREADS:
        return
    raise errors.archived() if channel.archived else errors.locked()


def check_post(world: World, user_id: int, channel: Channel, draft: Draft) -> None:
    """Raise 50001, 50013, 50083 or 160005 when this user may not post this here."""
    if not world.can_see(user_id, channel):
        raise errors.missing_access()
    wanted = Permission.SEND_MESSAGES_IN_THREADS if channel.is_thread else Permission.SEND_MESSAGES
    if draft.files:
        wanted |= Permission.ATTACH_FILES
    if draft.reference is not None:
        wanted |= Permission.READ_MESSAGE_HISTORY
    if permissions.missing(world.permissions(user_id, channel), wanted):
        raise errors.missing_permissions()
    check_open(world, user_id, channel)
