"""Start, next, vary, cross, remix, resume, stop, reset, branch: what commands and buttons share."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

import discord

from bot.errors import acknowledge, acknowledge_quietly, announce, dismiss, is_waiting, tell
from bot.ids import Do, Pick, Verb
from bot.places import branch_thread, check_may_post, private_place
from bot.present import best_of, not_known, run_words, stopped_text, vibe_of
from bot.progress import StatusLine
from bot.room import Room, actor_of
from bot.text import letter, quote
from bot.views import Slot, clip_select, remix_modal
from domain.candidate import Directive
from domain.errors import ForbiddenError, NotFoundError, UserError
from domain.ids import DIRECT_MESSAGES, ChannelId, ClipId, GuildId, RunId
from domain.run import Run, RunSettings, RunState, SearcherName
from prompts.reader import interpret
from service.like_this import Track
from service.queue import Ticket
from service.rules import steering
from service.views import Actor, Receipt

Ask = Callable[[Actor], Awaitable[Ticket | None]]
_DIRECTIVES = {
    Verb.NEXT: Directive.NEXT,
    Verb.VARY: Directive.VARY,
    Verb.CROSS: Directive.CROSS,
    Verb.REMIX: Directive.REMIX,
}
_HEADLINES = {
    Verb.NEXT: "asked for the next round",
    Verb.VARY: "asked for variations",
    Verb.CROSS: "asked for a cross",
    Verb.REMIX: "asked for a remix",
}
OVER = (
    "That run is over. Start a new one with /evolve start, or branch a clip from its More button."
)
NEWER = "A newer round is out already; use its buttons."
UNPOSTED = "The round is made, but it could not be posted."
UNPOSTED_HELP = (
    "Check that I may send messages and attach files there and that the thread is open. "
    "Then use /evolve resume."
)
ON_IT = "On it."
UNSEEN = (
    "I am at it, but that channel does not take my messages, so the round may not show up there."
)
ONE_CLIP = (
    "A changed clip costs no round: mention me and say “B darker”, or use /mood with from: B."
)
TOO_FEW = "A cross needs two clips. Pick two or more."


@dataclass(frozen=True, slots=True, kw_only=True)
class StartRequest:
    """What a run shall be; ``settings`` and ``searcher`` are ``None`` for the host's, ``track`` for votes alone."""

    vibe: str
    for_me: bool
    settings: RunSettings | None
    track: Track | None = None
    searcher: SearcherName | None = None

    @property
    def towards(self) -> str:
        """The track in words, to put behind a headline; ``""`` where there is none."""
        return f" towards “{quote(self.track.title, 60)}”" if self.track is not None else ""


class Steering:
    """Turns what people ask for into rounds, and shows how far they are."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self._runs = room.services.runs
        self._feedback = room.services.feedback

    async def start(self, interaction: discord.Interaction, request: StartRequest) -> None:
        """Start a run here, or in a private place when it is for one listener."""
        actor = actor_of(interaction)
        if request.for_me:
            await self._start_private(interaction, actor, request)
            return
        await acknowledge(interaction)
        check_may_post(interaction)
        ticket = await self._runs.start(
            actor,
            vibe=request.vibe,
            settings=request.settings,
            track=request.track,
            searcher=request.searcher,
        )
        about = f" {vibe_of(ticket.run)}" if ticket.run.vibe.strip() else " the first round here"
        what = request.towards or about
        note = self._not_known(request.vibe)
        await self._show(interaction, ticket, f"🎛️ {_name(actor)} breeds{what}", note)

    async def _start_private(
        self, interaction: discord.Interaction, actor: Actor, request: StartRequest
    ) -> None:
        await acknowledge(interaction)
        async with private_place(interaction, f"Bred for {actor.name}") as where:
            guild = actor.guild_id if isinstance(where, discord.Thread) else GuildId(0)
            there = replace(actor, channel_id=ChannelId(where.id), guild_id=guild)
            ticket = await self._runs.start(
                there,
                vibe=request.vibe,
                for_listener=actor.user_id,
                settings=request.settings,
                track=request.track,
                searcher=request.searcher,
            )
        link = f"<#{where.id}>" if isinstance(where, discord.Thread) else "our direct messages"
        note = self._not_known(request.vibe)
        await tell(interaction, f"Your own run starts in {link}. {note}".rstrip())
        await self._show(interaction, ticket, f"🎛️ Bred for you{request.towards}")

    async def next(self, interaction: discord.Interaction) -> None:
        """Close the open round and breed the next one: the command."""
        actor = actor_of(interaction)
        await acknowledge(interaction)
        run = await self._run(actor)
        await self._breed(interaction, actor, run, Verb.NEXT)

    async def stop(self, interaction: discord.Interaction) -> None:
        """End the run here."""
        actor = actor_of(interaction)
        await acknowledge(interaction)
        run = await self._runs.stop(steering(actor, await self._run(actor), "stop"))
        await announce(interaction, stopped_text(run))

    async def reset(self, interaction: discord.Interaction) -> None:
        """Start over here with the same vibe and settings."""
        actor = actor_of(interaction)
        await acknowledge(interaction)
        check_may_post(interaction)
        ticket = await self._runs.reset(steering(actor, await self._run(actor), "reset"))
        await self._show(
            interaction, ticket, f"🎛️ {_name(actor)} started {run_words(ticket.run)} over"
        )

    async def resume(self, interaction: discord.Interaction, run_id: RunId | None = None) -> None:
        """Go on with a paused run: whoever is listening again may. ``run_id`` is that of the button."""
        await acknowledge(interaction)
        actor = actor_of(interaction)
        run = await self._run(actor)
        if run_id not in {None, run.id}:
            raise NotFoundError(OVER)
        check_may_post(interaction)
        ticket = await self._runs.resume(actor)
        if ticket is None:
            await tell(interaction, "Going on. The last round is posted again.")
            return
        await self._show(interaction, ticket, f"▶️ {_name(actor)} resumed {run_words(run)}")

    async def cancel(self, interaction: discord.Interaction, ticket_id: int) -> None:
        """Take a round out of the queue; its status line says so."""
        await acknowledge_quietly(interaction)
        await self._runs.cancel(actor_of(interaction), ticket_id)

    async def branch(self, interaction: discord.Interaction, clip_id: ClipId, label: str) -> None:
        """Start a run of the person's own in a new thread, from one clip. The press is acknowledged already."""
        actor = actor_of(interaction)
        async with branch_thread(interaction, f"A branch of {label}") as thread:
            ticket = await self._runs.branch(
                replace(actor, channel_id=ChannelId(thread.id)), clip_id
            )
        await tell(interaction, f"Your branch grows in <#{thread.id}>.")
        await self._show(interaction, ticket, f"🌿 {_name(actor)} branched {label}")

    async def breed_from(self, interaction: discord.Interaction, clip_id: ClipId) -> None:
        """Breed from a clip made by hand: the next round here, or a branch for who may not call one."""
        await acknowledge(interaction)
        actor = actor_of(interaction)
        label = "a mood"
        try:
            run = await self._run(actor)
            steering(actor, run, Verb.VARY)
        except (NotFoundError, ForbiddenError):
            if actor.guild_id != DIRECT_MESSAGES:
                await self.branch(interaction, clip_id, label)
                return
            ticket = await self._runs.branch(actor, clip_id)
            await self._show(interaction, ticket, f"🌿 {_name(actor)} branched {label}")
            return
        await self._breed(interaction, actor, run, Verb.VARY, [clip_id])

    async def branch_by_letter(self, interaction: discord.Interaction, slot: int) -> None:
        """Branch a clip of the latest round here, by its letter: the command."""
        await acknowledge(interaction)
        actor = actor_of(interaction)
        run = await self._run(actor, live=False)
        receipt = await self._feedback.receipt(actor, run.id, run.generation)
        clip_id = next((one.clip_id for one in receipt.ratings if one.slot == slot), None)
        if clip_id is None:
            raise NotFoundError(f"The latest round here has no clip {letter(slot)}.")
        await self.branch(interaction, clip_id, f"clip {letter(slot)} of round {receipt.number}")

    async def press(self, interaction: discord.Interaction, press: Do) -> None:
        """Next, Vary, Cross or Remix on a round."""
        actor = actor_of(interaction)
        if (
            press.verb is Verb.REMIX
        ):  # a form must be the first answer, so nothing is acknowledged before it
            await self._ask_for_words(interaction, actor, press)
            return
        await acknowledge(interaction)
        run = await self._run_of(actor, press)
        steering(actor, run, press.verb)
        if press.verb is Verb.NEXT:
            await self._breed(interaction, actor, run, Verb.NEXT)
            return
        receipt = await self._feedback.receipt(actor, press.run_id, press.generation)
        liked = [one.clip_id for one in best_of(receipt)]
        chosen = liked[:1] if press.verb is Verb.VARY else liked
        if len(chosen) >= (2 if press.verb is Verb.CROSS else 1):
            await self._breed(interaction, actor, run, press.verb, chosen)
            return
        vary = press.verb is Verb.VARY
        await tell(
            interaction,
            "You have not liked a clip of this round. Pick from it; its tune stays:"
            if vary
            else "You have not liked two clips of this round. Pick from it:",
            view=clip_select(press.run_id, press.generation, press.verb, slots_of(receipt)),
        )

    async def picked(
        self, interaction: discord.Interaction, press: Pick, values: Sequence[str]
    ) -> None:
        """Vary or cross the clips that were picked in the private select."""
        await acknowledge(interaction)
        actor = actor_of(interaction)
        run = await self._run_of(actor, press)
        chosen = [ClipId(int(value)) for value in values if value.isdecimal() and len(value) < 19]
        if len(chosen) < (2 if press.verb is Verb.CROSS else 1):
            raise UserError(TOO_FEW)
        await self._breed(interaction, actor, run, press.verb, chosen)

    async def remix(
        self, interaction: discord.Interaction, press: Do, clip_id: ClipId, words: str
    ) -> None:
        """Change a clip by a person's words: the form that came back."""
        await acknowledge(interaction)
        actor = actor_of(interaction)
        run = await self._run_of(actor, press)
        if not words.strip():
            raise UserError("Say in a few words what should change, such as: slower and warmer.")
        await self._breed(interaction, actor, run, Verb.REMIX, [clip_id], words=words)

    async def _ask_for_words(
        self, interaction: discord.Interaction, actor: Actor, press: Do
    ) -> None:
        run = await self._run_of(actor, press)
        try:
            steering(actor, run, press.verb)
        except ForbiddenError as refused:
            raise ForbiddenError(f"{refused} {ONE_CLIP}") from None
        receipt = await self._feedback.receipt(actor, press.run_id, press.generation)
        slots = slots_of(receipt)
        if not slots:
            raise NotFoundError(OVER)
        liked = best_of(receipt)
        first = liked[0].clip_id if liked else slots[0][1]
        await interaction.response.send_modal(
            remix_modal(press.run_id, press.generation, slots, first)
        )

    async def _breed(
        self,
        interaction: discord.Interaction,
        actor: Actor,
        run: Run,
        verb: Verb,
        clip_ids: Sequence[ClipId] = (),
        *,
        words: str = "",
    ) -> None:
        allowed = steering(actor, run, verb)
        check_may_post(interaction)
        ticket = await self._runs.next(
            allowed, directive=_DIRECTIVES[verb], clip_ids=clip_ids, words=words
        )
        said = f": “{quote(words, 80)}”" if words else ""
        headline = f"🎛️ {_name(actor)} {_HEADLINES[verb]}{said}"
        await self._show(interaction, ticket, headline, self._not_known(words))

    def _not_known(self, words: str) -> str:
        """Return which words change nothing: a language model knows them all, the built-in breeder does not."""
        if self._room.services.language.model is not None:
            return ""
        return not_known(interpret(words).facets.unknown)

    async def _run(self, actor: Actor, *, live: bool = True) -> Run:
        run = (await self._runs.status(actor.channel_id)).run
        if live and run.state is RunState.STOPPED:
            raise NotFoundError("Nothing is being bred here. Start with /evolve start.")
        return run

    async def _run_of(self, actor: Actor, press: Do | Pick) -> Run:
        """Return the run of a round's button if that round is still the latest."""
        run = await self._run(actor, live=False)
        if run.id != press.run_id or run.state is RunState.STOPPED:
            raise NotFoundError(OVER)
        if press.verb is Verb.NEXT and press.generation < run.generation:
            raise UserError(NEWER)
        return run

    async def _show(
        self, interaction: discord.Interaction, ticket: Ticket, headline: str, note: str = ""
    ) -> None:
        """Show how far a job is, where its run lives, until it is done; ``note`` stays, for whoever asked."""
        line = await StatusLine.open(interaction.client, ticket.run.channel_id, headline, ticket)
        if line is None:
            await tell(interaction, UNSEEN)
            return
        placeholder = is_waiting(interaction)
        if placeholder:
            await tell(interaction, f"{ON_IT} {note}".rstrip())
        last = await line.follow(ticket, self._room.services.clock)
        now = await self._runs.status(ticket.run.channel_id)
        mine = last.error is None and now.run.id == ticket.run.id
        if mine and now.run.state is RunState.PAUSED:
            await tell(interaction, f"{UNPOSTED} {now.problem or UNPOSTED_HELP}")
        elif placeholder and not note:
            await dismiss(interaction)


def slots_of(receipt: Receipt) -> list[Slot]:
    """Return the posted clips of a receipt's round with their places."""
    return [(one.slot, one.clip_id) for one in receipt.ratings]


def _name(actor: Actor) -> str:
    return quote(actor.name, 40) or "Somebody"
