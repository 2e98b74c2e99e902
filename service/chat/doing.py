"""Does what tools say, through the use cases that commands and buttons call, as the speaker and with no more rights."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any

from domain.candidate import Directive
from domain.clip import Clip
from domain.errors import BusyError, ForbiddenError, NotFoundError, UsageError, UserError
from domain.ids import ClipId
from domain.run import Run, RunState
from domain.vote import Consent, Grade
from service.chat.cases import UseCases
from service.chat.clauses import says_what
from service.chat.meant import Meant
from service.chat.notes import GOES_ON, GOES_ON_FOR_ALL, RESTS, RESTS_FOR_ALL
from service.chat.outcomes import job, names, own_rating
from service.chat.tools import problem_of
from service.chat.turns import Outcome, Personal, Speaker
from service.mood_session import Kind
from service.queue import Ticket
from service.rules import is_own, steering
from service.views import Actor, Receipt
from storage.database import Database

Tool = Callable[[Speaker, Mapping[str, Any]], Awaitable[Outcome]]
GRADES = {"awful": Grade.AWFUL, "meh": Grade.MEH, "good": Grade.GOOD, "love": Grade.LOVE}
NOTHING = "Nothing is being bred here. Say “start”, and what it should be about."
PAUSED = "You paused collection with `/mydata pause`, so no vote was recorded."
FOR_YOU = "That is between us: press the button, and only you see it."


class HelpView:
    """What one can say and press."""


class Doer:
    """Uses tools. Whatever is refused is raised as the ``UserError`` of the use case."""

    def __init__(self, db: Database, cases: UseCases) -> None:
        self._runs = cases.runs
        self._conductor = cases.conductor
        self._feedback = cases.feedback
        self._listeners = cases.listeners
        self._library = cases.library
        self._exports = cases.exports
        self._moods = cases.moods
        self._like_this = cases.like_this
        self._about = cases.about
        self._duels = cases.duels
        self._meant = Meant(db)
        self._tools: Mapping[str, Tool] = {
            "start": self._start,
            "next": self._next,
            "vary": self._vary,
            "cross": self._cross,
            "remix": self._remix,
            "mood": self._mood,
            "longer": self._longer,
            "branch": self._branch,
            "duel": self._duel,
            "resume": self._resume,
            "pause": self._pause,
            "stop": self._stop,
            "reset": self._reset,
            "rate": self._rate,
            "favourite": self._favourite,
            "broken": self._broken,
            "all_bad": self._all_bad,
            "keep": self._keep,
            "why": self._why,
            "lineage": self._lineage,
            "play": self._play,
            "for_me": self._for_me,
            "taste": self._taste,
            "my_data": self._my_data,
            "status": self._status,
            "about": self._tell_about,
            "help": self._help,
        }

    async def do(self, speaker: Speaker, name: str, arguments: Mapping[str, Any]) -> Outcome:
        """Use a tool.

        Raises:
            UserError: The call is malformed, the speaker may not do it, or it cannot be done; says why.
        """
        problem = problem_of(name, arguments)
        if problem:
            raise UsageError(problem)
        return await self._tools[name](speaker, arguments)

    async def check(self, speaker: Speaker, name: str) -> None:
        """Check whether it makes sense to ask the speaker to confirm a tool.

        Raises:
            UserError: They may not use it, or there is nothing to use it on.
        """
        if name in {"stop", "pause", "reset", "next", "vary", "cross", "remix"}:
            steering(speaker.actor, await self._run(speaker), name)

    async def _run(self, speaker: Speaker) -> Run:
        run = (await self._runs.status(speaker.actor.channel_id)).run
        if run.state is RunState.STOPPED:
            raise NotFoundError(NOTHING)
        return run

    # The run ------------------------------------------------------------------------------------------

    async def _start(self, speaker: Speaker, said: Mapping[str, Any]) -> Outcome:
        actor, vibe, track = speaker.actor, str(said.get("vibe", "")), None
        private = bool(said.get("private")) or speaker.alone
        if not said.get("private") and (run := await self._live(speaker)) is not None:
            own = actor.is_moderator or is_own(actor, run)
            if run.state is RunState.PAUSED:
                raise BusyError(RESTS if own else RESTS_FOR_ALL)
            raise BusyError(GOES_ON if own else GOES_ON_FOR_ALL)
        if speaker.upload is not None:
            if not private:
                speaker.front.check_may_post()
            await self._runs.check_may_start(actor, private=private)
            track = await self._like_this.hear(actor.user_id, speaker.upload, vibe)
            vibe = track.vibe
        if said.get("private") and not speaker.alone:
            async with speaker.front.private_place(f"Bred for {actor.name}") as where:
                there = replace(actor, channel_id=where.channel_id, guild_id=where.guild_id)
                ticket = await self._runs.start(
                    there, vibe=vibe, for_listener=actor.user_id, track=track
                )
            return job(
                ticket,
                "Bred for you",
                f"Your own run starts in {where.link}.",
                "started a run of their own",
            )
        speaker.front.check_may_post()
        ticket = await self._runs.start(actor, vibe=vibe, track=track)
        towards = "A run towards your track" if track else "A run"
        return job(
            ticket,
            "breeds",
            f"{towards} starts here; its first round is on its way.",
            "started a run",
        )

    async def _live(self, speaker: Speaker) -> Run | None:
        try:
            return await self._run(speaker)
        except NotFoundError:
            return None

    async def _breed(
        self, speaker: Speaker, directive: Directive, found: list[Clip], words: str = ""
    ) -> Ticket:
        run = await self._run(speaker)
        allowed = steering(speaker.actor, run, directive.value)
        speaker.front.check_may_post()
        return await self._runs.next(
            allowed, directive=directive, clip_ids=[ClipId(one.id) for one in found], words=words
        )

    async def _next(self, speaker: Speaker, said: Mapping[str, Any]) -> Outcome:
        ticket = await self._breed(speaker, Directive.NEXT, [])
        return job(
            ticket, "asked for the next round", "The next round is on its way.", "next round"
        )

    async def _vary(self, speaker: Speaker, said: Mapping[str, Any]) -> Outcome:
        found = (
            [await self._clip(speaker, said)] if said.get("clip") else await self._close(speaker)
        )
        ticket = await self._breed(speaker, Directive.VARY, found)
        name = names(found)
        text = f"The next round stays close to {name}; its tune is kept."
        return job(ticket, "asked for variations", text, f"varied {name}", found[0])

    async def _close(self, speaker: Speaker) -> list[Clip]:
        """Return what "more like that" is about: the clip at hand, or the one the speaker likes best."""
        found = await self._meant.liked_or_shown(speaker)
        return found if len(found) == 1 else [await self._meant.clip(speaker)]

    async def _cross(self, speaker: Speaker, said: Mapping[str, Any]) -> Outcome:
        found = [await self._meant.clip(speaker, str(one)) for one in said["clips"]]
        found = list({one.id: one for one in found}.values())
        if len(found) < 2:
            raise UsageError("A cross needs two clips, such as: mix A and C.")
        ticket = await self._breed(speaker, Directive.CROSS, found)
        name = names(found)
        return job(
            ticket, "asked for a cross", f"The next round crosses {name}.", f"crossed {name}"
        )

    async def _remix(self, speaker: Speaker, said: Mapping[str, Any]) -> Outcome:
        words = str(said["words"]).strip()
        if not said.get("clip") and says_what(words) and await self._live(speaker) is None:
            return await self._start(speaker, {"vibe": words})
        found = (
            [await self._clip(speaker, said)]
            if said.get("clip")
            else await self._meant.liked_or_shown(speaker)
        )
        try:
            ticket = await self._breed(speaker, Directive.REMIX, found, words)
        except ForbiddenError as refused:
            return await self._instead(speaker, found, words, refused)
        name = names(found) if len(found) == 1 else "the clips of this round"
        text = f"On it: I breed the next round from {name}, as you say: {words}"
        focus = found[0] if len(found) == 1 else None
        return job(ticket, "asked for a remix", text, f"remix of {name}", focus)

    async def _instead(
        self, speaker: Speaker, found: list[Clip], words: str, refused: ForbiddenError
    ) -> Outcome:
        """Make one clip for somebody who may not call a round, as they could with ``/mood``."""
        if len(found) != 1:
            raise ForbiddenError(
                f"{refused} Name a clip (“B darker”) or reply to it, and I make you a version."
            )
        made = await self._version(speaker, found[0], words)
        return replace(
            made, text=f"Rounds are for moderators to call here, so instead: {made.text}"
        )

    async def _resume(self, speaker: Speaker, said: Mapping[str, Any]) -> Outcome:
        speaker.front.check_may_post()
        ticket = await self._runs.resume(speaker.actor)
        if ticket is None:
            return Outcome(text="Going on. The last round is posted again.", did="resumed")
        return job(ticket, "resumed the run", "Going on: the next round is on its way.", "resumed")

    async def _pause(self, speaker: Speaker, said: Mapping[str, Any]) -> Outcome:
        run = await self._run(speaker)
        steering(speaker.actor, run, "pause")
        if run.state is RunState.PAUSED:
            raise UserError("This run rests already. Say “resume” to go on.")
        await self._conductor.pause(run)
        return Outcome(
            text="Paused. Votes still count; say “resume” to go on.", did="paused the run"
        )

    async def _stop(self, speaker: Speaker, said: Mapping[str, Any]) -> Outcome:
        run = await self._runs.stop(steering(speaker.actor, await self._run(speaker), "stop"))
        return Outcome(view=run, did="stopped the run")

    async def _reset(self, speaker: Speaker, said: Mapping[str, Any]) -> Outcome:
        speaker.front.check_may_post()
        ticket = await self._runs.reset(steering(speaker.actor, await self._run(speaker), "reset"))
        return job(ticket, "started over", "Starting over with the same vibe.", "started over")

    async def _branch(self, speaker: Speaker, said: Mapping[str, Any]) -> Outcome:
        clip = await self._clip(speaker, said)
        if speaker.alone:
            ticket = await self._runs.branch(speaker.actor, ClipId(clip.id))
            return job(ticket, "branched", "Your branch grows here.", "branched", clip)
        async with speaker.front.branch_thread(f"A branch of {names([clip])}") as where:
            there = replace(speaker.actor, channel_id=where.channel_id)
            ticket = await self._runs.branch(there, ClipId(clip.id))
        return job(ticket, "branched", f"Your branch grows in {where.link}.", "branched", clip)

    async def _duel(self, speaker: Speaker, said: Mapping[str, Any]) -> Outcome:
        speaker.front.check_may_post()
        started = await self._duels.start(speaker.actor)
        text, did = "Two clips, one trophy: listen to both, then press for one.", "started a duel"
        if started.ticket is not None:
            return job(started.ticket, "asked for a duel", text, did)
        return Outcome(text=text, did=did)

    # One new clip -------------------------------------------------------------------------------------

    async def _mood(self, speaker: Speaker, said: Mapping[str, Any]) -> Outcome:
        return await self._version(speaker, await self._near(speaker, said), str(said["words"]))

    async def _longer(self, speaker: Speaker, said: Mapping[str, Any]) -> Outcome:
        return await self._version(speaker, await self._near(speaker, said), "", Kind.LONGER)

    async def _near(self, speaker: Speaker, said: Mapping[str, Any]) -> Clip:
        return (
            await self._clip(speaker, said) if said.get("clip") else (await self._close(speaker))[0]
        )

    async def _version(
        self, speaker: Speaker, clip: Clip, words: str, kind: Kind = Kind.MOOD
    ) -> Outcome:
        """Open a panel of ``/mood`` on a clip, say the words there, listen, and post what comes."""
        actor = speaker.actor
        speaker.front.check_may_post()
        panel = await self._moods.open_on(actor, ClipId(clip.id), kind, words=words[:300])
        note = panel.note
        if words:
            panel = await self._moods.say(actor, panel.panel_id, words[:300])
            if not panel.session.steps:  # so the tune does not change either
                raise UsageError(
                    panel.note
                    or "I found no change in that. Try such as: slower, sadder, in D minor."
                )
            note = " ".join(one for one in (note, panel.note) if one)
        ticket = await self._moods.listen(actor, panel.panel_id)
        if ticket is None:
            raise UserError("That clip sounds like that already.")
        panel_id = panel.panel_id

        async def post() -> str:
            made = (await self._moods.look(actor, panel_id)).clip
            if made is not None:
                await self._moods.post(actor, panel_id, ClipId(made.id))
            return ""

        what = "a longer version" if kind is Kind.LONGER else "a version"
        made = job(
            ticket,
            f"asked for {what} of {names([clip])}",
            note,
            f"{what} of {names([clip])} is being made",
            clip,
        )
        text = " ".join(
            part for part in (f"I make {what} of {names([clip])} and post it here.", note) if part
        )
        return replace(made, text=text, after=post)

    # Votes --------------------------------------------------------------------------------------------

    async def _rate(self, speaker: Speaker, said: Mapping[str, Any]) -> Outcome:
        clip = await self._clip(speaker, said)
        grade = GRADES[said["grade"]]
        before = await self._receipt(speaker, clip)
        if own_rating(before, clip).grade is grade:
            return self._voted(before, clip, f"You gave {names([clip])} {grade.emoji} already.", "")
        receipt = await self._feedback.rate(speaker.actor, ClipId(clip.id), grade, speaker.event_id)
        return self._voted(
            receipt,
            clip,
            f"Noted: {grade.emoji} for {names([clip])}.",
            f"{grade.emoji} for {names([clip])}",
        )

    async def _favourite(self, speaker: Speaker, said: Mapping[str, Any]) -> Outcome:
        clip = await self._clip(speaker, said)
        before = await self._receipt(speaker, clip)
        if own_rating(before, clip).favourite:
            return self._voted(before, clip, f"{names([clip])} has your ⭐ already.", "")
        receipt = await self._feedback.favourite(speaker.actor, ClipId(clip.id), speaker.event_id)
        return self._voted(
            receipt, clip, f"Noted: ⭐ for {names([clip])}.", f"⭐ for {names([clip])}"
        )

    async def _broken(self, speaker: Speaker, said: Mapping[str, Any]) -> Outcome:
        clip = await self._clip(speaker, said)
        before = await self._receipt(speaker, clip)
        if own_rating(before, clip).broken:
            return self._voted(before, clip, f"You called {names([clip])} broken already.", "")
        receipt = await self._feedback.broken(speaker.actor, ClipId(clip.id), speaker.event_id)
        text = f"Thank you: {names([clip])} is noted as broken, which teaches no taste."
        return self._voted(receipt, clip, text, f"{names([clip])} is broken")

    async def _all_bad(self, speaker: Speaker, said: Mapping[str, Any]) -> Outcome:
        run_id, number = speaker.round or (None, 0)
        if run_id is None:
            run = (await self._runs.status(speaker.actor.channel_id)).run
            run_id, number = run.id, run.generation
        receipt = await self._feedback.all_bad(speaker.actor, run_id, number, speaker.event_id)
        return self._voted(receipt, None, "Noted: 😖 for the whole round.", "😖 for all")

    async def _receipt(self, speaker: Speaker, clip: Clip) -> Receipt:
        return await self._feedback.receipt(speaker.actor, clip.run_id, clip.generation)

    def _voted(self, receipt: Receipt, clip: Clip | None, text: str, did: str) -> Outcome:
        if receipt.consent is Consent.PAUSED:
            return Outcome(text=PAUSED, failed=True)
        asked = Personal.CONSENT if receipt.consent is Consent.UNASKED and did else None
        return Outcome(text=text, did=did, clip=ClipId(clip.id) if clip else None, personal=asked)

    async def _keep(self, speaker: Speaker, said: Mapping[str, Any]) -> Outcome:
        clip = await self._clip(speaker, said)
        await self._library.keep(speaker.actor, ClipId(clip.id))
        text = f"Kept: the audio of {names([clip])} stays for good."
        return Outcome(text=text, did=f"kept {names([clip])}", clip=ClipId(clip.id))

    # Questions ----------------------------------------------------------------------------------------

    async def _why(self, speaker: Speaker, said: Mapping[str, Any]) -> Outcome:
        clip = await self._near(speaker, said)
        view = await self._library.why(speaker.actor, ClipId(clip.id))
        run = (clip.run_id, clip.generation)
        if not speaker.alone and view.liking is not None:
            public = replace(view, liking=None, reasons=(), nearest=(), evidence=0)
            return Outcome(view=public, clip=ClipId(clip.id), run=run, personal=Personal.WHY)
        return Outcome(view=view, clip=ClipId(clip.id), run=run)

    async def _lineage(self, speaker: Speaker, said: Mapping[str, Any]) -> Outcome:
        clip = await self._near(speaker, said)
        view = await self._library.lineage(speaker.actor, ClipId(clip.id))
        return Outcome(view=view, clip=ClipId(clip.id))

    async def _play(self, speaker: Speaker, said: Mapping[str, Any]) -> Outcome:
        clip = await self._near(speaker, said)
        view = await self._exports.sheet(speaker.actor, ClipId(clip.id))
        return Outcome(view=view, clip=ClipId(clip.id))

    async def _for_me(self, speaker: Speaker, said: Mapping[str, Any]) -> Outcome:
        run = (await self._runs.status(speaker.actor.channel_id)).run
        where = speaker.round or (run.id, run.generation)
        found = await self._library.for_me(speaker.actor, *where)
        text = "" if speaker.alone else FOR_YOU
        return Outcome(
            text=text, view=found if speaker.alone else None, run=where, personal=Personal.FOR_ME
        )

    async def _taste(self, speaker: Speaker, said: Mapping[str, Any]) -> Outcome:
        if not speaker.alone:
            return Outcome(text=FOR_YOU, personal=Personal.TASTE)
        view = await self._listeners.taste(speaker.actor)
        asked = Personal.CONSENT if view.consent is Consent.UNASKED else None
        return Outcome(view=view, personal=asked)

    async def _my_data(self, speaker: Speaker, said: Mapping[str, Any]) -> Outcome:
        text = "`/mydata export` gives you everything I hold, `/mydata delete` erases it, `/mydata pause` stops it."
        return Outcome(text=f"{FOR_YOU} {text}", personal=Personal.DATA)

    async def _status(self, speaker: Speaker, said: Mapping[str, Any]) -> Outcome:
        return Outcome(view=await self._runs.status(speaker.actor.channel_id))

    async def _tell_about(self, speaker: Speaker, said: Mapping[str, Any]) -> Outcome:
        return Outcome(view=await self._about.view())

    async def _help(self, speaker: Speaker, said: Mapping[str, Any]) -> Outcome:
        return Outcome(view=HelpView())

    async def _clip(self, speaker: Speaker, said: Mapping[str, Any]) -> Clip:
        return await self._meant.clip(speaker, str(said.get("clip") or ""))

    async def own_liking(self, actor: Actor) -> tuple[str, ...]:
        """Return what somebody seems to like, in plain words, for the model; nothing without their consent."""
        if await self._listeners.consent(actor) is not Consent.TASTE:
            return ()
        view = await self._listeners.taste(actor)
        return (
            *(f"likes {one.words}" for one in view.likes),
            *(f"avoids {one.words}" for one in view.dislikes),
        )

    async def collects(self, actor: Actor) -> bool:
        """Tell whether anything may be kept about somebody."""
        return await self._listeners.consent(actor) is not Consent.PAUSED
