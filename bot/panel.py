"""The private panel behind *More*: why, lineage, branch, keep, WAV, broken, all bad, for me."""

from __future__ import annotations

import io
from collections.abc import Awaitable, Callable, Sequence

import discord

from bot.errors import acknowledge, acknowledge_quietly, tell
from bot.ids import Do, More, MoreAction
from bot.mood import MoodPanel
from bot.present import best_of
from bot.receipts import faces
from bot.room import Room, actor_of
from bot.steering import Steering, slots_of
from bot.text import fit, letter
from bot.views import panel
from bot.words import for_me_text, lineage_text, why_text
from bot.words_play import play_text
from domain.errors import NotFoundError, UserError
from domain.ids import ClipId
from service.exports import ExportKind
from service.mood_session import Kind
from service.views import Actor, Receipt

INTRO = "Pick a clip, then what you want with it. Only you see this."
GONE = "That round is not there any more."


class Panel:
    """Opens the panel and does what is pressed on it. It is rebuilt from its custom ids, so it survives a restart."""

    def __init__(self, room: Room, steering: Steering, moods: MoodPanel) -> None:
        self._services = room.services
        self._steering = steering
        self._moods = moods

    async def open(self, interaction: discord.Interaction, press: Do) -> None:
        """Show the panel of a round."""
        await acknowledge(interaction)
        actor = actor_of(interaction)
        receipt = await self._services.feedback.receipt(actor, press.run_id, press.generation)
        slots = slots_of(receipt)
        if not slots:
            raise NotFoundError(GONE)
        liked = best_of(receipt)
        chosen = liked[0].clip_id if liked else slots[0][1]
        await tell(interaction, INTRO, view=panel(press.run_id, press.generation, slots, chosen))

    async def press(
        self, interaction: discord.Interaction, press: More, values: Sequence[str] = ()
    ) -> None:
        """Do what was pressed on the panel."""
        actor = actor_of(interaction)
        if press.action is MoreAction.FOR_ME:
            await self._for_me(interaction, actor, press)
        elif press.action is MoreAction.ALL_BAD:
            vote = self._services.feedback.all_bad(
                actor, press.run_id, press.generation, interaction.id
            )
            await self._vote(interaction, vote)
        elif press.clip_id is None:
            raise UserError("Pick a clip first.")
        else:
            await self._on_clip(interaction, press, press.clip_id, values)

    async def _on_clip(
        self,
        interaction: discord.Interaction,
        press: More,
        clip_id: ClipId,
        values: Sequence[str],
    ) -> None:
        actor = actor_of(interaction)
        if press.action is MoreAction.BROKEN:
            await self._vote(
                interaction, self._services.feedback.broken(actor, clip_id, interaction.id)
            )
        elif press.action is MoreAction.WAV:
            await self._download(interaction, actor, clip_id, ExportKind.WAV)
        elif press.action is MoreAction.DOWNLOAD:
            await self._download(interaction, actor, clip_id, _kind(values))
        elif press.action is MoreAction.MOOD:
            await self._moods.open_on(interaction, clip_id, Kind.MOOD)
        elif press.action is MoreAction.LONGER:
            await self._moods.open_on(interaction, clip_id, Kind.LONGER)
        elif press.action is MoreAction.BRANCH:
            await self._branch(interaction, actor, press, clip_id)
        else:
            texts: dict[MoreAction, Callable[[], Awaitable[str]]] = {
                MoreAction.PICK: self._picked,
                MoreAction.WHY: lambda: self._why(actor, clip_id),
                MoreAction.LINEAGE: lambda: self._lineage(actor, clip_id),
                MoreAction.PLAY: lambda: self._play(actor, clip_id),
                MoreAction.KEEP: lambda: self._keep(actor, clip_id),
            }
            await self._redraw(interaction, actor, press, clip_id, texts[press.action])

    async def _redraw(
        self,
        interaction: discord.Interaction,
        actor: Actor,
        press: More,
        clip_id: ClipId,
        text: Callable[[], Awaitable[str]],
    ) -> None:
        """Show an answer on the panel itself."""
        await acknowledge_quietly(interaction)
        receipt = await self._services.feedback.receipt(actor, press.run_id, press.generation)
        slots = slots_of(receipt)
        slot = next((place for place, one in slots if one == clip_id), None)
        head = f"**Clip {letter(slot)}**" if slot is not None else "**That clip**"
        await interaction.edit_original_response(
            content=fit([head, *(await text()).split("\n")]),
            view=panel(press.run_id, press.generation, slots, clip_id),
        )

    async def _picked(self) -> str:
        return INTRO

    async def _why(self, actor: Actor, clip_id: ClipId) -> str:
        return why_text(await self._services.clips.why(actor, clip_id))

    async def _lineage(self, actor: Actor, clip_id: ClipId) -> str:
        return lineage_text(await self._services.clips.lineage(actor, clip_id))

    async def _keep(self, actor: Actor, clip_id: ClipId) -> str:
        await self._services.clips.keep(actor, clip_id)
        return "Kept: its audio stays for good."

    async def _vote(self, interaction: discord.Interaction, vote: Awaitable[Receipt]) -> None:
        await acknowledge_quietly(interaction)
        text, view = faces(await vote)
        await tell(interaction, text, view=view)

    async def _play(self, actor: Actor, clip_id: ClipId) -> str:
        return play_text(await self._services.exports.sheet(actor, clip_id))

    async def _download(
        self, interaction: discord.Interaction, actor: Actor, clip_id: ClipId, kind: ExportKind
    ) -> None:
        await acknowledge(interaction)
        download = await self._services.exports.export(actor, clip_id, kind)
        await send_file(interaction, download.note, download.filename, download.data)

    async def _for_me(self, interaction: discord.Interaction, actor: Actor, press: More) -> None:
        await acknowledge(interaction)
        clip = await self._services.clips.for_me(actor, press.run_id, press.generation)
        await send_file(interaction, for_me_text(clip), clip.filename, clip.data)

    async def _branch(
        self, interaction: discord.Interaction, actor: Actor, press: More, clip_id: ClipId
    ) -> None:
        await acknowledge(interaction)
        receipt = await self._services.feedback.receipt(actor, press.run_id, press.generation)
        slot = next((place for place, one in slots_of(receipt) if one == clip_id), 0)
        label = f"clip {letter(slot)} of round {press.generation}"
        await self._steering.branch(interaction, clip_id, label)


def _kind(values: Sequence[str]) -> ExportKind:
    try:
        return ExportKind(values[0])
    except (IndexError, ValueError):
        raise UserError("Pick what to download from the list.") from None


async def send_file(
    interaction: discord.Interaction, text: str, filename: str, data: bytes
) -> None:
    """Give one person a file.

    Raises:
        UserError: It is larger than Discord takes here.
    """
    limit = interaction.filesize_limit
    if limit and len(data) > limit:
        raise UserError(
            f"That file has {len(data) / 2**20:.0f} MiB, and Discord takes {limit / 2**20:.0f} MiB here."
        )
    await tell(interaction, text, file=discord.File(io.BytesIO(data), filename=filename))
