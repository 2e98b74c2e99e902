"""``/duel``: start one, answer it, decide it, branch from it."""

from __future__ import annotations

import discord
from discord import app_commands
from discord.app_commands import locale_str

from bot.errors import acknowledge, answering, dismiss, tell
from bot.ids import DuelAction, DuelPress
from bot.places import check_may_post
from bot.progress import StatusLine
from bot.room import Room, actor_of
from bot.steering import Steering
from bot.text import quote
from domain.duel import Choice
from domain.errors import UserError
from service.views import Actor

PATIENCE = 15.0
"""Seconds for which whoever starts a duel waits to hear that it is out."""
UNSEEN = (
    "I am at it, but that channel does not take my messages, so the duel may not show up there."
)
ON_IT = "On it."
_CHOICES = {
    DuelAction.A: Choice.A,
    DuelAction.B: Choice.B,
    DuelAction.TIE: Choice.TIE,
    DuelAction.BAD: Choice.BAD,
}
_BRANCHED = {DuelAction.BRANCH_A: Choice.A, DuelAction.BRANCH_B: Choice.B}


class DuelFace:
    """Starts duels and does what is pressed on them. Buttons carry ids only, so they survive a restart."""

    def __init__(self, room: Room, steering: Steering) -> None:
        self._room = room
        self._duels = room.services.duels
        self._steering = steering

    async def start(self, interaction: discord.Interaction) -> None:
        """Post two clips to compare: the command."""
        await acknowledge(interaction)
        check_may_post(interaction)
        actor = actor_of(interaction)
        started = await self._duels.start(actor)
        if started.duel is not None:
            problem = await self._duels.problem(started.duel.id, PATIENCE)
            if problem:
                raise UserError(f"The duel could not be posted: {problem}")
            await dismiss(interaction)
        elif started.ticket is not None:
            headline = f"⚔️ {_name(actor)} asked for a duel"
            line = await StatusLine.open(
                interaction.client, actor.channel_id, headline, started.ticket
            )
            if line is None:
                await tell(interaction, UNSEEN)
                return
            await tell(interaction, ON_IT)
            await line.follow(started.ticket, self._room.services.clock)
            await dismiss(interaction)

    async def press(self, interaction: discord.Interaction, press: DuelPress) -> None:
        """Do what was pressed on a duel or on its verdict."""
        actor = actor_of(interaction)
        choice = _CHOICES.get(press.action)
        if choice is not None:
            await self._room.receipts.press(
                interaction,
                lambda: self._duels.vote(actor, press.duel_id, choice, interaction.id),
            )
        elif press.action is DuelAction.DECIDE:
            await acknowledge(interaction)
            await self._duels.decide(actor, press.duel_id)
            await dismiss(interaction)
        else:
            await acknowledge(interaction)
            branched = _BRANCHED[press.action]
            clip_id = await self._duels.clip(actor, press.duel_id, branched)
            label = f"clip {branched.value.upper()} of duel {press.duel_id}"
            await self._steering.branch(interaction, clip_id, label)


def _name(actor: Actor) -> str:
    return quote(actor.name, 40) or "Somebody"


def duel_command(face: DuelFace) -> app_commands.Command[app_commands.Group, ..., None]:
    """Return ``/duel``."""

    @app_commands.command(
        name=locale_str("duel"),
        description=locale_str("Compare two clips blind; one of them gets the trophy"),
    )
    async def duel(interaction: discord.Interaction) -> None:
        """Start a duel."""
        async with answering(interaction):
            await face.start(interaction)

    return duel
