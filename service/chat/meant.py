"""From "B", "the winner" or "the one with the flute" to a clip that the speaker may hear here."""

from __future__ import annotations

import re
from dataclasses import dataclass

from domain.clip import Clip
from domain.errors import NotFoundError, UsageError
from domain.ids import ClipId, ListenerId, MessageId, RunId
from domain.run import PostKind, Run
from domain.vote import Consent, VoteSource
from service.chat.turns import Speaker
from service.folding import said_of
from service.mood_start import allowed, clip_named
from service.views import Actor
from storage import clips, listeners, posts, runs, votes
from storage.database import Database, Reader

WHICH = "Which clip do you mean? Say A, B, C or D, or reply to it."
_PLACED = re.compile(r"([A-Da-d])(?: of (previous|\d{1,6}))?")
_MEMBER = re.compile(r"@(\d{1,20})")
LIKED = 0.5
"""Rating from which a clip counts as liked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What a message shows: its clips, and the run and number of its round."""

    clips: tuple[ClipId, ...]
    round: tuple[RunId, int]


class Meant:
    """Finds clips. A reference never reaches what its speaker could not reach with a command."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def about(self, message_id: MessageId) -> About | None:
        """Return what a message of the bot shows, or ``None`` where it shows no clips."""
        async with self._db.reading() as tx:
            post = await posts.post_by_message(tx, message_id)
            if post is None or post.kind is not PostKind.ROUND:
                return None
            shown = await clips.posted_clips(tx, post.run_id, post.generation)
        return About(
            clips=tuple(ClipId(one.id) for one in shown), round=(post.run_id, post.generation)
        )

    async def clip(self, speaker: Speaker, reference: str = "") -> Clip:
        """Return the clip that a reference means; see ``references`` for how they are written.

        Raises:
            NotFoundError: It is not there, or not for this person here.
            UsageError: It is not clear which one is meant.
        """
        async with self._db.reading() as tx:
            if not reference:
                return await self._at_hand(tx, speaker)
            return await self._named(tx, speaker, reference.strip())

    async def liked_or_shown(self, speaker: Speaker) -> list[Clip]:
        """Return the clip at hand, else what the speaker likes best of the latest round, else all of that round.

        What was talked about last and found bad is not at hand: "C sucks, give me something jazzy" is no wish for C.
        """
        async with self._db.reading() as tx:
            try:
                found = await self._at_hand(tx, speaker)
                if len(speaker.clips) == 1 or not await _found_bad(tx, speaker.actor, found):
                    return [found]
            except UsageError:
                pass  # nothing was talked about
            shown = await self._shown(tx, speaker)
            best = await _liked_most(tx, speaker.actor, shown)
            return [best] if best is not None else shown

    async def has_none_in(self, speaker: Speaker, letter: str) -> bool:
        """Tell whether the round that letters are about shows clips, but none in that place."""
        async with self._db.reading() as tx:
            try:
                shown = await self._shown(tx, speaker)
            except NotFoundError:
                return False  # whoever uses a tool on it is told why
        return all(one.posted_slot != "ABCD".index(letter) + 1 for one in shown)

    async def _at_hand(self, tx: Reader, speaker: Speaker) -> Clip:
        if len(speaker.clips) == 1:
            return await allowed(tx, speaker.actor, speaker.clips[0])
        if speaker.focus is not None and (not speaker.clips or speaker.focus in speaker.clips):
            return await allowed(tx, speaker.actor, speaker.focus)
        raise UsageError(WHICH)

    async def _named(self, tx: Reader, speaker: Speaker, reference: str) -> Clip:
        if match := _PLACED.fullmatch(reference):
            return await self._placed(tx, speaker, match[1].upper(), match[2] or "")
        if reference == "winner":
            return await self._winner(tx, speaker)
        if reference == "best":
            best = await _liked_most(tx, speaker.actor, await self._shown(tx, speaker))
            if best is None:
                raise NotFoundError("You have not liked a clip of the latest round yet.")
            return best
        if match := _MEMBER.fullmatch(reference):
            return await self._made_by(tx, speaker, ListenerId(int(match[1]) % 2**63))
        if reference.startswith("~"):
            return await self._described(tx, speaker, reference[1:])
        found = await clip_named(tx, speaker.actor, reference[:300])
        if found is None:
            raise UsageError(WHICH)
        return found

    async def _round(self, tx: Reader, speaker: Speaker, which: str = "") -> tuple[Run, int]:
        """Return the round that letters are about: the one replied to, else the latest."""
        if speaker.round is not None and not which:
            run = await runs.get_run(tx, speaker.round[0])
            return run, speaker.round[1]
        run_here = await runs.latest_run_in_channel(tx, speaker.actor.channel_id)
        if run_here is None:
            raise NotFoundError(
                "Nothing has been bred here yet. Say “start”, and what it should be about."
            )
        number = run_here.generation
        if which:
            number = number - 1 if which == "previous" else int(which)
        return run_here, number

    async def _shown(self, tx: Reader, speaker: Speaker, which: str = "") -> list[Clip]:
        run, number = await self._round(tx, speaker, which)
        _check_open(speaker.actor, run)
        shown = await clips.posted_clips(tx, run.id, number)
        if not shown and number <= 0:
            raise NotFoundError(
                "The first round is still being made. Say it again when its clips are here."
            )
        if not shown:
            raise NotFoundError("That round shows no clips yet, or it is not there any more.")
        return shown

    async def _placed(self, tx: Reader, speaker: Speaker, letter: str, which: str) -> Clip:
        for clip in await self._shown(tx, speaker, which):
            if clip.posted_slot == "ABCD".index(letter) + 1:
                return clip
        raise NotFoundError(f"There is no clip {letter} in that round.")

    async def _described(self, tx: Reader, speaker: Speaker, words: str) -> Clip:
        stems = [word.lower()[:6] for word in words.split() if len(word) > 2]
        fitting = [
            clip
            for clip in await self._shown(tx, speaker)
            if stems
            and all(stem.rstrip("y") in f"{clip.prompt} {clip.family}".lower() for stem in stems)
        ]
        if len(fitting) == 1:
            return fitting[0]
        how_many = "Several clips of that round fit" if fitting else "No clip of that round says"
        raise UsageError(f"{how_many} “{words[:40]}”. {WHICH}")

    async def _made_by(self, tx: Reader, speaker: Speaker, maker: ListenerId) -> Clip:
        made = await runs.posted_by_hand(tx, speaker.actor.channel_id, maker)
        if made is None:
            raise NotFoundError(
                "That person has posted no clip of their own here. Name one of the round: A, B, C or D."
            )
        _check_open(speaker.actor, made)
        return (await clips.posted_clips(tx, made.id, made.generation))[0]

    async def _winner(self, tx: Reader, speaker: Speaker) -> Clip:
        run, number = await self._round(tx, speaker)
        _check_open(speaker.actor, run)
        cast = [vote for vote in await votes.votes_of_run(tx, run.id) if not vote.retracted]
        said = said_of(cast)
        for earlier in range(number - (speaker.round is None), 0, -1):
            shown = [
                one for one in await clips.posted_clips(tx, run.id, earlier) if said.get(one.id)
            ]
            if shown:
                return max(
                    shown, key=lambda one: _mean([two.rating for two in said[one.id].values()])
                )
        raise NotFoundError(
            "No round here has been won yet: winners are known once a round is closed."
        )


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)


def _check_open(actor: Actor, run: Run) -> None:
    here = (run.guild_id, run.channel_id) == (actor.guild_id, actor.channel_id)
    if not here or run.for_listener not in {None, actor.user_id}:
        raise NotFoundError("That round is another channel's, or somebody's own.")


async def _found_bad(tx: Reader, actor: Actor, clip: Clip) -> bool:
    """Tell whether somebody's grade of a clip is bad; the votes of who paused collection steer nothing."""
    if await listeners.consent(tx, actor.guild_id, actor.user_id) is Consent.PAUSED:
        return False
    cast = await votes.votes_of_round(tx, RunId(clip.run_id), clip.generation, actor.user_id)
    return any(one.clip_id == clip.id and not one.retracted and one.rating < 0 for one in cast)


async def _liked_most(tx: Reader, actor: Actor, shown: list[Clip]) -> Clip | None:
    """Return what somebody likes most among clips: by their star, then by their grade."""
    if not shown or await listeners.consent(tx, actor.guild_id, actor.user_id) is Consent.PAUSED:
        return None
    cast = await votes.votes_of_round(
        tx, RunId(shown[0].run_id), shown[0].generation, actor.user_id
    )
    own = [vote for vote in cast if not vote.retracted and vote.rating >= LIKED]
    by_id = {clip.id: clip for clip in shown}
    ranked = sorted(own, key=lambda vote: (vote.source is not VoteSource.FAVOURITE, -vote.rating))
    return next((by_id[vote.clip_id] for vote in ranked if vote.clip_id in by_id), None)
