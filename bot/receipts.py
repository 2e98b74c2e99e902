"""One private receipt for each listener and round or duel, updated and never repeated, however fast they press."""

from __future__ import annotations

import asyncio
import datetime
import logging
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace

import discord

from bot.duel_words import duel_receipt_text
from bot.errors import WIRE_ERRORS, acknowledge, acknowledge_quietly, sentence_for, show
from bot.present import difference_text, receipt_text
from bot.views import consent_buttons, nothing
from domain.vote import Consent
from service.duel_views import DuelReceipt
from service.views import Receipt, RevealView

log = logging.getLogger(__name__)

Vote = Callable[[], Awaitable[Receipt | DuelReceipt]]
MARGIN = datetime.timedelta(seconds=60)
"""A receipt's token is not used in the last minute of its fifteen."""
MOST_BALLOTS = 4096


@dataclass(slots=True)
class _Ballot:
    """The presses of one listener on one message."""

    waiting: deque[Vote] = field(default_factory=deque)
    owner: discord.Interaction | None = None
    """Whose answer the receipt is."""
    acknowledged: asyncio.Event = field(default_factory=asyncio.Event)
    recording: bool = False
    showing: bool = False
    face: tuple[str, discord.ui.View] | None = None
    """What the receipt has to say next."""
    last: Receipt | DuelReceipt | None = None

    def has_receipt(self) -> bool:
        """Tell whether there is a receipt that can still be edited."""
        return self.owner is not None and discord.utils.utcnow() < self.owner.expires_at - MARGIN


class ReceiptBook:
    """Remembers the receipts of the last quarter of an hour. Losing it costs a second receipt, never a vote."""

    def __init__(self) -> None:
        self._ballots: OrderedDict[tuple[int, int], _Ballot] = OrderedDict()

    async def press(self, interaction: discord.Interaction, vote: Vote) -> None:
        """Record a press and show what stands now.

        Presses of one listener on one message are recorded in the order in which they arrived, at once, however long
        Discord takes to accept an earlier one. The receipt is edited after the last one, so that it ends up right.

        Args:
            interaction: The press.
            vote: Records it; called once.
        """
        ballot = self._ballot(interaction)
        ballot.waiting.append(vote)
        await asyncio.gather(self._accept(ballot, interaction), self._record(ballot))

    async def reveal(self, view: RevealView) -> None:
        """Tell who voted in a closed round, on the receipts that are still there, how their taste differed."""
        for ballot in list(self._ballots.values()):
            receipt = ballot.last
            if not isinstance(receipt, Receipt) or (
                receipt.run_id,
                receipt.number,
            ) != (view.run.id, view.number):
                continue
            difference = difference_text(receipt, view)
            if difference and ballot.has_receipt() and not ballot.showing:
                closed = replace(receipt, late=True, note=difference)
                await self._show(ballot, *faces(closed))

    def settled(self, listener_id: int, consent: Consent | None) -> None:
        """Note that somebody answered the question, or with ``None`` deleted their data: what was shown is outdated."""
        for (user_id, _), ballot in self._ballots.items():
            if user_id == listener_id and ballot.last is not None:
                ballot.last = replace(ballot.last, consent=consent) if consent else None

    def _ballot(self, interaction: discord.Interaction) -> _Ballot:
        message_id = interaction.message.id if interaction.message is not None else 0
        key = (interaction.user.id, message_id)
        ballot = self._ballots.setdefault(key, _Ballot())
        self._ballots.move_to_end(key)
        while len(self._ballots) > MOST_BALLOTS:
            self._ballots.popitem(last=False)
        return ballot

    async def _accept(self, ballot: _Ballot, interaction: discord.Interaction) -> None:
        """Acknowledge a press. It counts even when Discord is in trouble, so nobody is told to try again."""
        try:
            if ballot.has_receipt():
                await acknowledge_quietly(interaction)
            else:
                await self._own(ballot, interaction)
        except WIRE_ERRORS as error:
            log.warning("A press could not be acknowledged; it counts all the same: %s", error)

    async def _own(self, ballot: _Ballot, interaction: discord.Interaction) -> None:
        """Make this press's answer the receipt. It stays so when it is not known whether Discord took it."""
        ballot.owner = interaction
        ballot.acknowledged.clear()
        try:
            if not await acknowledge(interaction):
                ballot.owner = None
        finally:
            ballot.acknowledged.set()

    async def _record(self, ballot: _Ballot) -> None:
        if ballot.recording:
            return
        ballot.recording = True
        try:
            while ballot.waiting:
                ballot.face = await _recorded(ballot)
        finally:
            ballot.recording = False
        await self._refresh(ballot)

    async def _refresh(self, ballot: _Ballot) -> None:
        if ballot.showing:
            return
        ballot.showing = True
        try:
            while ballot.face is not None:
                await ballot.acknowledged.wait()
                face, ballot.face = ballot.face, None
                await self._show(ballot, *face)
        finally:
            ballot.showing = False

    async def _show(self, ballot: _Ballot, text: str, view: discord.ui.View) -> None:
        if ballot.owner is None:
            return
        try:
            await show(ballot.owner, text, view=view)
        except WIRE_ERRORS as error:
            log.debug("A receipt could not be shown: %s", error)
            ballot.owner = None


async def _recorded(ballot: _Ballot) -> tuple[str, discord.ui.View]:
    """Record what waits, in order, and return what the receipt says after it."""
    text, view = "", nothing()
    while ballot.waiting:
        try:
            receipt = ballot.last = await ballot.waiting.popleft()()
        except Exception as error:  # noqa: BLE001 - the next press must still be recorded
            text, view = sentence_for(error), nothing()
        else:
            text, view = faces(receipt)
    return text, view


def faces(receipt: Receipt | DuelReceipt) -> tuple[str, discord.ui.View]:
    """Return the text of a receipt, and its buttons: the question about consent while it is open."""
    view = consent_buttons() if receipt.consent is Consent.UNASKED else nothing()
    if isinstance(receipt, DuelReceipt):
        return duel_receipt_text(receipt), view
    return receipt_text(receipt), view
