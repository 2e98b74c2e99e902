"""Use cases in memory with the signatures of service/: enough of a world to drive the bot through it."""

from __future__ import annotations

import asyncio
import dataclasses
from types import SimpleNamespace

from domain.candidate import Candidate, Directive
from domain.clip import Clip, HeardTrack
from domain.duel import Choice, Duel, DuelState
from domain.errors import BusyError, ForbiddenError, NotFoundError
from domain.features import Features
from domain.ids import CandidateId, ChannelId, ClipId, DuelId, GuildId, ListenerId, PostId, RunId
from domain.run import (
    CloseReason,
    Generation,
    GenerationState,
    Post,
    PostKind,
    PostState,
    Run,
    RunSettings,
    RunState,
)
from domain.vote import Consent, Grade
from scoring.intervals import share
from service import mood_session
from service.duel_views import DuelClip, DuelReceipt, DuelView, Tally, VerdictRow, VerdictView
from service.duels import Started
from service.exports import ENDINGS, play_view
from service.health import CLOSED, HealthView, LanguageState, Stored, Unsent
from service.language import NO_MODEL
from service.like_this import Track
from service.mood import MoodView
from service.mood_session import Kind, Session
from service.mood_start import from_clip, from_words
from service.posting import Undeliverable
from service.progress import assess
from service.queue import Standing
from service.settings import Settings
from service.tasks import TaskSet
from service.taste_map import TasteMap
from service.top import Scope, TopClip, TopView
from service.views import (
    AboutView,
    ClipRating,
    Download,
    ForMe,
    LineageView,
    PauseView,
    Progress,
    Receipt,
    RevealRow,
    RevealView,
    RoundClip,
    RoundView,
    StatusView,
    TasteView,
    TasteWord,
    WhyReason,
    WhyView,
)
from tests.fakes import FakeDevice, generator_state

GENOME = {
    "genome": {},
    "features": Features(energy=0.4, tempo=92.0, mode=0, key=2).to_json(),
    "facets": {"genre": "lofi"},
    "mode": "dorian",
}
"""The account of a described clip, as far as panels read it."""
PROMPTS = ("warm lofi with brushes", "slow *dub* techno", "bright chiptune", "nylon bossa nova")


class FakeClock:
    """Tells the real time, so that ids fit, and never waits longer than a turn of the loop."""

    def __init__(self, now) -> None:
        self._now = now

    def now(self) -> float:
        return self._now()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(0)


class FakeTicket:
    def __init__(self, number: int, run: Run, steps: list[Progress]) -> None:
        self.id = number
        self.run = run
        self.steps = steps
        self.progress = steps[0]

    async def watch(self):
        for step in self.steps:
            self.progress = step
            yield step
            await asyncio.sleep(0)


def make_run(**changes) -> Run:
    values = {
        "id": RunId(1),
        "guild_id": GuildId(5),
        "channel_id": ChannelId(6),
        "started_by": ListenerId(7),
        "vibe": "rainy lofi",
        "seed": 1,
        "searcher": "offline",
        "settings": RunSettings(),
        "generation": 1,
    }
    return Run(**{**values, **changes})


def make_clip(clip_id: int = 11, slot: int | None = 1, **changes) -> Clip:
    values = {
        "id": ClipId(clip_id),
        "run_id": RunId(1),
        "generation": 1,
        "candidate_id": CandidateId(clip_id),
        "prompt": PROMPTS[((slot or 1) - 1) % 4],
        "family": "lofi",
        "seed": 3,
        "seconds": 8.0,
        "sha256": "0" * 64,
        "extension": "mp3",
        "media_type": "audio/mpeg",
        "loudness": -16.0,
        "waveform": (0.0, 0.5, 1.0),
        "encoder_id": "features-1",
        "quality": 0.9,
        "generator": "composer",
        "generator_version": "1",
        "licence": "MIT",
        "description": {"tempo": 84},
        "posted_slot": slot,
        "role": "exploit",
    }
    return Clip(**{**values, **changes})


def make_post(kind: PostKind = PostKind.ROUND, **changes) -> Post:
    values = {
        "id": PostId(1),
        "run_id": RunId(1),
        "generation": 1,
        "kind": kind,
        "channel_id": ChannelId(6),
        "state": PostState.PENDING,
    }
    return Post(**{**values, **changes})


def round_view(
    run: Run | None = None, post: Post | None = None, clips=None, **changes
) -> RoundView:
    run = run or make_run()
    clips = clips or [make_clip(10 + slot, slot) for slot in range(1, 5)]
    values = {
        "post": post or make_post(),
        "run": run,
        "number": 1,
        "clips": tuple(
            RoundClip(
                slot=clip.posted_slot,
                clip=clip,
                filename=f"{'ABCD'[clip.posted_slot - 1]}-lofi-84bpm.mp3",
                data=b"audio",
            )
            for clip in clips
        ),
        "stand_ins": ("The built-in composer plays.",),
        "closes_at": 1_800_000_000.0,
    }
    return RoundView(**{**values, **changes})


class World:
    """All fake services over one state."""

    def __init__(self, now) -> None:
        self.settings = Settings()
        self.clock = FakeClock(now)
        self.tasks = TaskSet()
        self.runs = FakeRuns(self)
        self.feedback = FakeFeedback(self)
        self.listeners = FakeListeners()
        self.clips = FakeClips(self)
        self.moods = FakeMoods(self)
        self.exports = FakeExports(self)
        self.top = FakeTop()
        self.like_this = FakeLikeThis()
        self.device = FakeDevice()
        self.about = SimpleNamespace(view=self._about)
        self.language = SimpleNamespace(model=None)
        self.health = SimpleNamespace(view=self._health)
        self.duels = FakeDuels(self)
        self.outbox = FakeOutbox(self)
        self.conductor = SimpleNamespace(wake=self._wake)
        self.woken = 0

    async def _wake(self) -> None:
        self.woken += 1

    async def _health(self, actor) -> HealthView:
        if not actor.is_moderator:
            raise ForbiddenError(CLOSED)
        return health_view()

    async def _about(self) -> AboutView:
        return AboutView(
            version="0.1.0",
            parts={"generator": "composer 1"},
            stand_ins=("The offline breeder writes the prompts.",),
            licences={"composer": "MIT"},
        )


class FakeOutbox:
    def __init__(self, world: World) -> None:
        self.world = world
        self.sink = None
        self.errors: list[Undeliverable] = []
        self.posts: list[Post] = []

    async def attach(self, sink) -> None:
        self.sink = sink

    def detach(self) -> None:
        self.sink = None

    async def deliver(self, view) -> None:
        try:
            message_id = await self.sink.send(view)
        except Undeliverable as error:
            self.errors.append(error)
            run = self.world.runs.by_id(view.run.id)
            self.world.runs.put(dataclasses.replace(run, state=RunState.PAUSED))
            return
        self.posts.append(
            dataclasses.replace(view.post, message_id=message_id, state=PostState.POSTED)
        )

    def message_of(self, run_id: int, number: int) -> int | None:
        for post in self.posts:
            if (post.run_id, post.generation, post.kind) == (run_id, number, PostKind.ROUND):
                return post.message_id
        return None


class FakeRuns:
    def __init__(self, world: World) -> None:
        self.world = world
        self.all: dict[int, Run] = {}
        self.rounds: dict[tuple[int, int], list[Clip]] = {}
        self.calls: list[tuple[str, object]] = []
        self.tickets = 0
        self.fail: Exception | None = None
        self.steps: list[Progress] = [
            Progress(text="2nd in line, about 40 s", position=1),
            Progress(text="3 of 12 candidates ready", done=3, total=12),
        ]
        self.error: str | None = None
        self.gone: list[int] = []
        self.cancelled: list[int] = []
        self.tracks: list[Track | None] = []

    def put(self, run: Run) -> None:
        self.all[run.id] = run

    def by_id(self, run_id: int) -> Run:
        return self.all[run_id]

    def here(self, channel_id: int) -> Run:
        for run in reversed(list(self.all.values())):
            if run.channel_id == channel_id:
                return run
        raise NotFoundError("Nothing has been bred here yet. Start with /evolve start.")

    generators = ("composer", "musicgen-small")

    def default_settings(self) -> RunSettings:
        return RunSettings()

    async def check_may_start(self, actor, *, private):
        self.calls.append(("may start", private))
        if self.fail is not None:
            raise self.fail

    async def start(
        self,
        actor,
        *,
        vibe="",
        for_listener=None,
        settings=None,
        track=None,
        searcher=None,
    ):
        self.calls.append(("start", settings))
        self.tracks.append(track)
        if self.fail is not None:
            raise self.fail
        if any(
            run.channel_id == actor.channel_id and run.state is not RunState.STOPPED
            for run in self.all.values()
        ):
            raise BusyError("This channel breeds already. Use /evolve stop first.")
        run = make_run(
            id=RunId(len(self.all) + 1),
            guild_id=actor.guild_id,
            channel_id=actor.channel_id,
            started_by=actor.user_id,
            vibe=vibe[:400],
            for_listener=for_listener,
            settings=settings or RunSettings(),
            searcher=searcher or "offline",
            generation=0,
        )
        self.put(run)
        return await self._round(run)

    async def _round(self, run: Run):
        run = dataclasses.replace(run, generation=run.generation + 1)
        self.put(run)
        clips = [
            make_clip(
                1000 * run.id + 10 * run.generation + slot,
                slot,
                run_id=run.id,
                generation=run.generation,
            )
            for slot in range(1, 5)
        ]
        self.rounds[run.id, run.generation] = clips
        self.tickets += 1
        if self.error is None:
            post = make_post(
                id=PostId(100 * run.id + run.generation),
                run_id=run.id,
                generation=run.generation,
                channel_id=run.channel_id,
                created_at=self.world.clock.now(),
            )
            await self.world.outbox.deliver(
                round_view(run, post, clips, number=run.generation, closes_at=None)
            )
        last = Progress(text=self.error or "Ready", finished=True, error=self.error)
        return FakeTicket(self.tickets, self.by_id(run.id), [*self.steps, last])

    async def next(self, actor, *, directive=Directive.NEXT, clip_ids=(), words=""):
        self.calls.append(("next", (directive, tuple(clip_ids), words)))
        run = self.here(actor.channel_id)
        if not actor.is_moderator:
            raise ForbiddenError("Only a moderator can call the next one.")
        return await self._round(run)

    async def stop(self, actor):
        run = dataclasses.replace(self.here(actor.channel_id), state=RunState.STOPPED)
        self.put(run)
        return run

    async def reset(self, actor):
        run = await self.stop(actor)
        return await self.start(actor, vibe=run.vibe, settings=run.settings)

    async def resume(self, actor):
        run = dataclasses.replace(self.here(actor.channel_id), state=RunState.ACTIVE)
        self.put(run)
        return await self._round(run)

    async def branch(self, actor, clip_id):
        self.calls.append(("branch", clip_id))
        run = make_run(
            id=RunId(len(self.all) + 1),
            guild_id=actor.guild_id,
            channel_id=actor.channel_id,
            started_by=actor.user_id,
            vibe="",
            parent_clip_id=clip_id,
            generation=0,
        )
        self.put(run)
        return await self._round(run)

    async def cancel(self, actor, ticket_id):
        if ticket_id > self.tickets:
            raise NotFoundError("That round is finished already, so there is nothing to cancel.")
        self.cancelled.append(ticket_id)

    async def status(self, channel_id):
        run = self.here(channel_id)
        return StatusView(
            run=run,
            generation=Generation(
                run_id=run.id, number=run.generation, state=GenerationState.OPEN, closes_at=2e9
            ),
            voters=1,
            progress=None,
            families={"lofi": 3, "techno": 1},
            message_id=self.world.outbox.message_of(run.id, run.generation),
            problem=str(self.world.outbox.errors[-1]) if self.world.outbox.errors else "",
        )

    async def channel_gone(self, channel_id):
        self.gone.append(channel_id)

    async def guild_gone(self, guild_id):
        self.gone.append(guild_id)


class FakeFeedback:
    def __init__(self, world: World) -> None:
        self.world = world
        self.votes: dict[tuple[int, int], ClipRating] = {}
        self.events: list[int] = []
        self.reactions: list[dict] = []
        self.cleared: list[tuple[int, str | None]] = []
        self.healed: list[dict] = []
        self.fail: Exception | None = None
        self.late = False

    def _clip(self, clip_id: int) -> Clip:
        for clips in self.world.runs.rounds.values():
            for clip in clips:
                if clip.id == clip_id:
                    return clip
        raise NotFoundError(
            "That clip is not there any more. Rate one of the latest round instead."
        )

    def _rating(self, actor, clip: Clip) -> ClipRating:
        empty = ClipRating(slot=clip.posted_slot or 0, clip_id=clip.id)
        return self.votes.get((actor.user_id, clip.id), empty)

    async def _change(self, actor, clip_id, event_id, change):
        if self.fail is not None:
            raise self.fail
        self.events.append(event_id)
        clip = self._clip(clip_id)
        self.votes[actor.user_id, clip.id] = change(self._rating(actor, clip))
        return await self.receipt(actor, clip.run_id, clip.generation)

    async def rate(self, actor, clip_id, grade, event_id):
        return await self._change(
            actor,
            clip_id,
            event_id,
            lambda one: dataclasses.replace(one, grade=None if one.grade == grade else grade),
        )

    async def favourite(self, actor, clip_id, event_id):
        return await self._change(
            actor,
            clip_id,
            event_id,
            lambda one: dataclasses.replace(one, favourite=not one.favourite),
        )

    async def broken(self, actor, clip_id, event_id):
        return await self._change(
            actor, clip_id, event_id, lambda one: dataclasses.replace(one, broken=True)
        )

    async def all_bad(self, actor, run_id, number, event_id):
        for clip in self.world.runs.rounds[run_id, number]:
            await self._change(
                actor, clip.id, event_id, lambda one: dataclasses.replace(one, grade=Grade.AWFUL)
            )
        return await self.receipt(actor, run_id, number)

    async def receipt(self, actor, run_id, number):
        if (run_id, number) not in self.world.runs.rounds:
            raise NotFoundError(
                "That round is not there any more. Use /evolve start for a new one."
            )
        clips = self.world.runs.rounds[run_id, number]
        return Receipt(
            round_label=f"Round {number}",
            run_id=run_id,
            number=number,
            ratings=tuple(self._rating(actor, clip) for clip in clips),
            late=self.late,
            consent=self.world.listeners.said.get(actor.user_id, Consent.UNASKED),
            votes_until_taste=5,
        )

    async def react(self, **event):
        self.reactions.append(event)

    async def clear_reactions(self, *, message_id, emoji, event_id):
        self.cleared.append((message_id, emoji))

    async def heal_reactions(self, *, message_id, seen, event_id):
        self.healed.append({"message_id": message_id, "seen": dict(seen), "event_id": event_id})

    async def open_posts(self):
        return list(self.world.outbox.posts)


class FakeDuels:
    """Duels of two fixed clips: answers in memory, decided when told to."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.all: dict[int, Duel] = {}
        self.answers: dict[tuple[int, int], Choice] = {}
        self.events: list[int] = []
        self.fail: Exception | None = None
        self.refused = ""
        self.makes_clips = False
        self.woken = 0

    async def wake(self) -> None:
        self.woken += 1

    async def start(self, actor):
        if self.fail is not None:
            raise self.fail
        number = len(self.all) + 1
        run = make_run(guild_id=actor.guild_id, channel_id=actor.channel_id)
        view = duel_view(
            duel=make_duel(
                id=DuelId(number),
                guild_id=actor.guild_id,
                channel_id=actor.channel_id,
                started_by=actor.user_id,
            ),
            run=run,
            post=make_post(PostKind.DUEL, channel_id=actor.channel_id, duel_id=DuelId(number)),
        )
        self.all[number] = view.duel
        await self.world.outbox.sink.send(view)
        if self.makes_clips:
            steps = [Progress(text="1 of 4 candidates ready"), Progress(text="", finished=True)]
            return Started(ticket=FakeTicket(1, run, steps))
        return Started(duel=view.duel)

    async def problem(self, duel_id, patience):
        return self.refused

    async def vote(self, actor, duel_id, choice, event_id):
        if duel_id not in self.all:
            raise NotFoundError("That duel is not there any more. /duel starts a new one.")
        self.events.append(event_id)
        stands = self.answers.get((actor.user_id, duel_id)) is choice
        if stands:
            del self.answers[actor.user_id, duel_id]
        else:
            self.answers[actor.user_id, duel_id] = choice
        return DuelReceipt(
            duel=self.all[duel_id],
            choice=None if stands else choice,
            late=False,
            consent=await self.world.listeners.consent(actor),
            votes_until_taste=3,
        )

    async def decide(self, actor, duel_id):
        duel = self.all[duel_id]
        if actor.user_id != duel.started_by and not actor.is_moderator:
            raise ForbiddenError("Only who started it, or a moderator, can decide it before.")
        await self.world.outbox.sink.send(verdict_view(duel=duel))

    async def clip(self, actor, duel_id, choice):
        duel = self.all[duel_id]
        return duel.a if choice is Choice.A else duel.b


def make_duel(**changes) -> Duel:
    values = {
        "id": DuelId(1),
        "run_id": RunId(1),
        "generation": 1,
        "guild_id": GuildId(5),
        "channel_id": ChannelId(6),
        "for_listener": None,
        "started_by": ListenerId(7),
        "a": ClipId(12),
        "b": ClipId(13),
        "state": DuelState.OPEN,
        "quorum": 2,
        "timer": 1200.0,
        "created_at": 0.0,
    }
    return Duel(**{**values, **changes})


def duel_view(**changes) -> DuelView:
    a, b = make_clip(12, 2), make_clip(13, 3)
    values = {
        "post": make_post(PostKind.DUEL, duel_id=DuelId(1)),
        "run": make_run(),
        "duel": make_duel(),
        "clips": (
            DuelClip(clip=a, filename="A.mp3", data=b"audio"),
            DuelClip(clip=b, filename="B.mp3", data=b"sound"),
        ),
        "stand_ins": ("The built-in composer plays.",),
        "closes_at": 1_800_000_000.0,
    }
    return DuelView(**{**values, **changes})


def verdict_view(**changes) -> VerdictView:
    duel = changes.get("duel") or make_duel()
    values = {
        "post": make_post(PostKind.VERDICT, channel_id=duel.channel_id, duel_id=duel.id),
        "run": make_run(),
        "duel": duel,
        "rows": (
            VerdictRow(
                choice=Choice.A,
                clip=make_clip(12, 2),
                trophies=3,
                operator="vary",
                parents=("warm lofi with brushes",),
            ),
            VerdictRow(
                choice=Choice.B, clip=make_clip(13, 3), trophies=1, operator="novel", parents=()
            ),
        ),
        "tally": Tally(a=3, b=1, ties=1, bad=2),
        "reason": CloseReason.QUORUM,
    }
    return VerdictView(**{**values, **changes})


class FakeListeners:
    def __init__(self) -> None:
        self.said: dict[int, Consent] = {}
        self.map: TasteMap | None = None
        self.erased: list[int] = []
        self.forgot: list[int] = []

    async def consent(self, actor):
        return self.said.get(actor.user_id, Consent.UNASKED)

    async def set_consent(self, actor, consent):
        self.said[actor.user_id] = consent

    async def taste(self, actor):
        return taste_view(consent=self.said.get(actor.user_id, Consent.UNASKED))

    async def taste_map(self, actor):
        return self.map if self.said.get(actor.user_id) is Consent.TASTE else None

    async def reset_taste(self, actor):
        self.forgot.append(actor.user_id)
        return 4

    async def export(self, actor):
        return {"listener": str(actor.user_id), "votes": [{"clip": 1}], "tastes": []}

    async def erase(self, actor):
        self.erased.append(actor.user_id)
        return {"votes": 3, "tastes": 1}


class FakeMoods:
    """Panels in memory, with the real rules of what a press does."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.sessions: dict[int, tuple[int, Session]] = {}
        self.clips: dict[int, Clip] = {}
        self.posted: list[int] = []
        self.steps: list[Progress] = [Progress(text="2nd in line, about 8 s", position=1)]
        self.error: str | None = None
        self.during = None
        self.tickets: dict[int, int] = {}

    async def open(self, actor, start=""):
        if start == "B":
            session, note = from_clip(make_clip(1012, 2, description=GENOME))
        else:
            session, note = from_words(start)
        return self._add(actor, session, note)

    async def open_on(self, actor, clip_id, kind=Kind.MOOD):
        session, note = from_clip(make_clip(clip_id, description=GENOME), kind)
        return self._add(actor, session, note)

    def _add(self, actor, session, note):
        panel_id = len(self.sessions) + 1
        self.sessions[panel_id] = (actor.user_id, session)
        return self._view(panel_id, note)

    def _view(self, panel_id, note=""):
        _, session = self.sessions[panel_id]
        facets = session.facets()
        return MoodView(
            panel_id=panel_id,
            session=session,
            mode=facets.mode,
            metre=facets.metre,
            words=tuple(mood_session.said_words(session.words)),
            clip=self.clips.get(session.clip),
            posted=session.clip in self.posted,
            ticket_id=self.tickets.get(panel_id),
            note=note,
        )

    def session(self, actor, panel_id) -> Session:
        if panel_id not in self.sessions:
            raise NotFoundError("That panel is not there any more. /mood opens a new one.")
        owner, session = self.sessions[panel_id]
        if owner != actor.user_id:
            raise ForbiddenError("That panel is somebody else's. /mood opens one of your own.")
        return session

    async def look(self, actor, panel_id, note=""):
        self.session(actor, panel_id)
        return self._view(panel_id, note)

    def _change(self, actor, panel_id, change):
        session, note = change(self.session(actor, panel_id))
        self.sessions[panel_id] = (actor.user_id, session)
        return self._view(panel_id, note)

    async def choose(self, actor, panel_id, feature):
        return self._change(actor, panel_id, lambda one: mood_session.choose(one, feature))

    async def step(self, actor, panel_id, amount):
        return self._change(actor, panel_id, lambda one: mood_session.step(one, amount))

    async def tone(self, actor, panel_id, name, value):
        return self._change(actor, panel_id, lambda one: mood_session.tone(one, name, value))

    async def say(self, actor, panel_id, words):
        return self._change(actor, panel_id, lambda one: mood_session.say(one, words))

    async def undo(self, actor, panel_id):
        return self._change(actor, panel_id, mood_session.undo)

    async def reset(self, actor, panel_id):
        return self._change(actor, panel_id, mood_session.reset)

    async def listen(self, actor, panel_id):
        session = self.session(actor, panel_id)
        if panel_id in self.tickets:
            raise BusyError("It is being made already. One moment.")
        if session.clip is not None and session.fresh:
            return None
        self.tickets[panel_id] = 500 + panel_id
        last = Progress(text=self.error or "Ready", finished=True, error=self.error)
        return FakeMoodTicket(self, actor, panel_id, [*self.steps, last])

    def finish(self, actor, panel_id):
        del self.tickets[panel_id]
        if self.error is None:
            clip = make_clip(7000 + len(self.clips), None)
            self.clips[clip.id] = clip
            session = self.session(actor, panel_id)
            changed = session.with_clip(clip.id, session.sound())
            self.sessions[panel_id] = (actor.user_id, changed)

    async def sound(self, clip):
        return Download(filename=f"lofi-{clip.id}.mp3", data=b"mp3", note="")

    async def post(self, actor, panel_id, clip_id):
        self.session(actor, panel_id)
        again = clip_id in self.posted
        self.posted.append(clip_id)
        return self._view(panel_id, "It is posted already." if again else "Posted for everybody.")


class FakeTop:
    """The best of a channel; remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[Scope, bool]] = []
        self.seen: dict[int, bool] = {}

    async def top(self, actor, scope, *, for_me=False, may_see=lambda _: True):
        self.asked.append((scope, for_me))
        self.seen = {channel_id: may_see(channel_id) for channel_id in self.seen}
        clip = make_clip(11, 1)
        best = TopClip(
            clip=clip,
            likes=9,
            voters=10,
            liked=share(9, 10),
            channel_id=actor.channel_id,
            message_id=None,
        )
        return TopView(
            scope=scope,
            guild_id=actor.guild_id,
            for_me=for_me,
            best=(best,),
            files=(RoundClip(slot=1, clip=clip, filename="1-lofi-84bpm.mp3", data=b"mp3"),),
            rated=4,
            progress=assess([]),
        )


class FakeExports:
    def __init__(self, world: World) -> None:
        self.world = world
        self.data = b"file"
        self.told = {
            "tonic": "Eb",
            "mode": "major",
            "tempo": 84,
            "metre": [4, 4],
            "swing": 0.3,
            "upbeat": False,
            "chords": [["Ebmaj7"], ["Cm7", "F7"], ["Bb7"]],
            "sections": [["A", 2]],
            "instruments": {"lead": ["alto_sax"]},
        }

    async def sheet(self, actor, clip_id):
        return play_view(make_clip(clip_id, description=self.told))

    async def export(self, actor, clip_id, kind):
        return Download(filename=f"A-lofi-84bpm{ENDINGS[kind]}", data=self.data, note="Notes.")


class FakeLikeThis:
    def __init__(self) -> None:
        self.heard: list[bytes] = []
        self.fail: Exception | None = None

    async def hear(self, user_id, upload, wish=""):
        self.heard.append(await upload.fetch())
        if self.fail is not None:
            raise self.fail
        return Track(
            title=upload.filename.removesuffix(".mp3"),
            words="fast techno",
            vibe=f"{wish}, fast techno",
            heard=HeardTrack(encoder_id="features-1", embedding=b"0000", seconds=200.0),
        )


class FakeMoodTicket:
    def __init__(self, moods: FakeMoods, actor, panel_id: int, steps: list[Progress]) -> None:
        self.id = 500 + panel_id
        self.progress = steps[0]
        self._rest = (moods, actor, panel_id, steps)

    async def watch(self):
        moods, actor, panel_id, steps = self._rest
        for step in steps:
            if step.finished:
                moods.finish(actor, panel_id)
            elif moods.during is not None:
                await moods.during()
            self.progress = step
            yield step
            await asyncio.sleep(0)


class FakeClips:
    def __init__(self, world: World) -> None:
        self.world = world
        self.kept: list[int] = []
        self.wav_bytes = b"RIFFdata"
        self.reasons: tuple[WhyReason, ...] = ()
        self.nearest: tuple[tuple[str, float], ...] = ()

    async def why(self, actor, clip_id):
        view = why_view(make_clip(clip_id))
        return dataclasses.replace(
            view, reasons=self.reasons or view.reasons, nearest=self.nearest or view.nearest
        )

    async def lineage(self, actor, clip_id):
        return LineageView(
            clip=make_clip(clip_id), ancestors=(make_candidate(3), make_candidate(2))
        )

    async def keep(self, actor, clip_id):
        self.kept.append(clip_id)
        return make_clip(clip_id)

    async def wav(self, actor, clip_id):
        return Download(filename="A-lofi-84bpm.wav", data=self.wav_bytes, note="Lossless.")

    async def for_me(self, actor, run_id, number):
        return ForMe(
            clip=make_clip(99, None),
            filename="lofi-84bpm.mp3",
            data=b"mp3",
            liking=0.8,
            evidence=6,
            note="The best of 12 for you.",
        )


def health_view(**changes) -> HealthView:
    values = {
        "uptime": 7200.0,
        "generators": (generator_state(name="composer"),),
        "language": LanguageState(lines=(NO_MODEL,), resting=0.0, here=None),
        "hearing": None,
        "rounds": Standing(),
        "unsent": Unsent(waiting=0, failed=0),
        "stored": Stored(size=12_300_000, schema=9, backup_age=7200.0, free=31_000_000_000),
    }
    return HealthView(**{**values, **changes})


def make_candidate(number: int) -> Candidate:
    return Candidate(
        id=CandidateId(number),
        run_id=RunId(1),
        generation=number,
        prompt=f"prompt {number}",
        genome={},
        operator="cross",
        searcher="offline",
        parents=(CandidateId(number - 1),),
        seed=1,
    )


def why_view(clip: Clip) -> WhyView:
    return WhyView(
        clip=clip,
        role="picked because the people here are expected to like it",
        liking=0.7,
        spread=0.1,
        reasons=(
            WhyReason(
                words="slower",
                strength=0.8,
                certainty=0.9,
                alike=7,
                liked=6,
                moved=(("soft keys", 1.0), ("fast drums", -1.0)),
            ),
            WhyReason(words="noisier", strength=-0.2, certainty=0.6, alike=3, liked=1),
        ),
        evidence=6,
        nearest=(("soft keys", 1.0),),
        operator="cross",
        parents=("parent one", "parent two"),
    )


def taste_view(**changes) -> TasteView:
    values = {
        "consent": Consent.TASTE,
        "evidence": 7,
        "votes_until_shown": 0,
        "likes": (TasteWord(words="slower", strength=0.8, certainty=0.9),),
        "dislikes": (TasteWord(words="brighter", strength=-0.4, certainty=0.8),),
        "liked_families": {"lofi": (4, 0.6)},
        "trend": (-0.5, 0.1, 0.8),
    }
    return TasteView(**{**values, **changes})


def reveal_view(**changes) -> RevealView:
    rows = tuple(
        RevealRow(
            slot=slot,
            clip=make_clip(10 + slot, slot),
            mean=0.5 if slot == 1 else None,
            votes=2 if slot == 1 else 0,
            favourites=1 if slot == 1 else 0,
            spread=0.9,
            operator="mutate:tempo",
            parents=("parent one",),
        )
        for slot in range(1, 5)
    )
    values = {
        "post": make_post(PostKind.REVEAL),
        "run": make_run(),
        "number": 1,
        "rows": rows,
        "winner_slot": 1,
        "reason": CloseReason.QUORUM,
        "voters": 2,
    }
    return RevealView(**{**values, **changes})


def pause_view() -> PauseView:
    return PauseView(post=make_post(PostKind.PAUSE), run=make_run(), rounds=3)
