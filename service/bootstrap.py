"""Settings in, object graph out. The only place that picks implementations."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from domain.ids import GuildId
from domain.run import Post, PostKind
from evolution.language.kit import LanguageKit
from evolution.language.metered import Backend
from scoring.space import TasteSpace, wider_space
from service.about import AboutService
from service.briefing import Kits
from service.chat.agent import ChatAgent
from service.chat.cases import UseCases
from service.chat.doing import Doer
from service.chat.memory import ChatMemory
from service.clips import ClipService
from service.clock import Clock, SystemClock
from service.conductor import Conductor
from service.device import DeviceWorker
from service.duel_clips import DuelClips
from service.duel_presenting import DuelViews
from service.duels import DuelService
from service.ears import Ears, EncoderProcess
from service.exports import ExportService
from service.feedback import FeedbackService
from service.generator_state import playing
from service.handmade import Handmade
from service.health import HealthService
from service.hearing import CatchingUp, HearingDevice
from service.heavy.opening import open_device
from service.judging import Judging
from service.language import LanguageService
from service.like_this import LikeThisService
from service.listeners import ListenerService
from service.longer import Longer
from service.models.chosen import chosen_aligner, chosen_encoder, offered_names
from service.mood import MoodService
from service.operator_record import Spent
from service.operators import OperatorService
from service.posting import Outbox, View
from service.presenting import Views
from service.queue import JobQueue
from service.retention import Retention
from service.rewarding import RewardService
from service.rounds import RoundMaker
from service.runs import RunService
from service.settings import Settings
from service.spaces import Hearing, SpaceKeeper, stored_space
from service.tasks import TaskSet
from service.tasting import TasteService
from service.top import TopService
from storage import tastes
from storage.database import Database
from storage.files import AudioStore
from storage.votes import VoteWriter

DATABASE_FILE = "tunebreeder.db"
AUDIO_FOLDER = "audio"
PATIENCE = 1.5
"""How many times the timeout of a request a round may wait for the language model in all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """Everything that a front end talks to."""

    settings: Settings
    clock: Clock
    db: Database
    tasks: TaskSet
    device: DeviceWorker
    runs: RunService
    feedback: FeedbackService
    listeners: ListenerService
    clips: ClipService
    exports: ExportService
    moods: MoodService
    like_this: LikeThisService
    language: LanguageService
    operators: OperatorService
    chat: ChatAgent
    about: AboutService
    health: HealthService
    outbox: Outbox
    conductor: Conductor
    duels: DuelService
    tastes: TasteService
    rewards: RewardService
    top: TopService
    retention: Retention


@asynccontextmanager
async def open_services(
    settings: Settings,
    *,
    clock: Clock | None = None,
    device: DeviceWorker | None = None,
    environ: Mapping[str, str] | None = None,
    backend: Backend | None = None,
    ears: Ears | None = None,
) -> AsyncIterator[Services]:
    """Open database, audio store and device worker, take up interrupted work, and close everything at the end.

    Args:
        settings: The settings.
        clock: The machine's when ``None``.
        device: A process for each core when ``None``.
        environ: Where the language model's key is; the process's own when ``None``.
        backend: A language model in place of the settings' one, for tests.
        ears: A learned encoder in place of the settings' one, for tests.

    Raises:
        ConfigError: The encoder, the aligner or a generator of the settings cannot be used; says why and what to do.
        StorageError: The database cannot be opened; says why and what to do.
    """
    clock = clock or SystemClock()
    tasks = TaskSet()
    ears = ears or _ears(settings)
    axes = chosen_aligner(settings, ears.weights if ears else None)
    device = device or open_device(settings)
    async with AsyncExitStack() as closing:  # all of it, though one may fail to
        db = await Database.open(settings.storage.data_dir / DATABASE_FILE)
        closing.push_async_callback(db.close)
        if ears is not None:
            device = HearingDevice(device, ears, db)
        closing.push_async_callback(device.close)
        keys = os.environ if environ is None else environ
        language = LanguageService(settings.language, db, clock, tasks, keys, backend=backend)
        closing.push_async_callback(language.close)
        closing.push_async_callback(tasks.close)
        await language.start()
        async with db.reading() as tx:
            stored = await stored_space(tx, ears.weights if ears else None)
        ground = _Ground(
            clock=clock,
            tasks=tasks,
            db=db,
            store=AudioStore(settings.storage.data_dir / AUDIO_FOLDER),
            device=device,
            language=language,
            ears=ears,
            space=wider_space(axes) if axes else stored,
        )
        services = _build(settings, ground)
        await tastes_missed(services)
        await services.conductor.recover()
        yield services


async def tastes_missed(services: Services) -> None:
    """Mark the tastes that a crash kept from hearing of a vote, or that another encoder's space was learned in."""
    async with services.db.reading() as tx:
        stale = await tastes.stale_tastes(tx)
        stale += await tastes.tastes_elsewhere(tx, services.tastes.space.id)
    for guild_id, listener_id in dict.fromkeys(stale):
        services.tastes.mark(guild_id, listener_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ground:
    """What services stand on."""

    clock: Clock
    tasks: TaskSet
    db: Database
    store: AudioStore
    device: DeviceWorker
    language: LanguageService
    ears: Ears | None
    space: TasteSpace


def _ears(settings: Settings) -> Ears | None:
    weights = chosen_encoder(settings)
    return EncoderProcess(weights, device=settings.scoring.device) if weights else None


def _hearing(
    ground: _Ground, learner: TasteService, queue: JobQueue
) -> Callable[[], Hearing] | None:
    """Put a learned encoder to work and return what says how it is; ``None`` where there is no such encoder."""
    if ground.ears is None:
        return None
    keeper = SpaceKeeper(ground.db, learner, ground.ears, ground.clock, lambda: queue.idle)
    catching_up = CatchingUp(ground.db, ground.store, ground.ears, ground.clock, keeper.look)
    ground.tasks.spawn(keeper.serve(), "taste space")
    ground.tasks.spawn(catching_up.serve(), "listening to older clips")
    return keeper.view


def _queue(settings: Settings, ground: _Ground) -> JobQueue:
    async def room(generator: str) -> int:
        return playing(await ground.device.states(), generator).batch

    names = offered_names(settings)
    return JobQueue(settings.limits, ground.clock, ground.tasks, generators=names, room=room)


def _kits(settings: Settings, language: LanguageService, operators: OperatorService) -> Kits:
    """Return what gives searchers their model, with the operators and templates of the server."""

    async def kit_of(guild_id: GuildId) -> LanguageKit | None:
        if language.model is None:
            return None
        return LanguageKit(
            model=language.model,
            settings=await operators.current(guild_id),
            templates=await operators.templates(guild_id),
            seconds=PATIENCE * settings.language.timeout,
        )

    return kit_of


def _operators(db: Database, clock: Clock, language: LanguageService) -> OperatorService:
    async def spent(account: str) -> Mapping[str, Spent]:
        usage = await language.usage_by_task(account)
        return {
            task: Spent(asks=one.requests, tokens=one.tokens, cost=one.cost)
            for task, one in usage.items()
        }

    return OperatorService(db, clock, model=language.model, meter=spent)


def _build(settings: Settings, ground: _Ground) -> Services:
    clock, tasks, db, store = ground.clock, ground.tasks, ground.db, ground.store
    device, language, space = ground.device, ground.language, ground.space
    operators = _operators(db, clock, language)
    learner = TasteService(db, space, clock, settings.taste, tasks)
    queue = _queue(settings, ground)
    rewards = _rewards(ground, learner)
    judging = Judging(db, learner, clock, rewards.reward)
    conductor = _conductor(settings, ground, judging, operators, queue)
    conductor.teach(learner.closed)
    writer = VoteWriter(db)
    duels = _duels(settings, ground, writer, learner, queue)
    hearing = _hearing(ground, learner, queue)
    about = AboutService(settings, device, space.encoder_id, language, hearing)
    outbox = _outbox(ground, about, conductor, duels)
    library = ClipService(db, store, device, learner)
    retention = Retention(db, store, clock, settings.storage.audio_days)
    for service, name in ((queue, "job queue"), (retention, "retention"), (learner, "priors")):
        tasks.spawn(service.serve(), name)
    runs = RunService(db, queue, conductor, settings, clock, device)
    forget, changed = conductor.forget, rewards.changed
    listeners = ListenerService(db, store, learner, settings.taste, forget, changed)
    cases = UseCases(
        runs=runs,
        conductor=conductor,
        feedback=FeedbackService(db, writer, learner, settings, clock, conductor.voted),
        listeners=listeners,
        library=library,
        exports=ExportService(library, device),
        moods=_moods(ground, queue, library, outbox),
        like_this=LikeThisService(device, space, settings.limits),
        about=about,
        duels=duels,
    )
    return Services(
        settings=settings,
        clock=clock,
        db=db,
        tasks=tasks,
        device=device,
        runs=runs,
        feedback=cases.feedback,
        listeners=listeners,
        clips=library,
        exports=cases.exports,
        moods=cases.moods,
        like_this=cases.like_this,
        chat=_chat(ground, cases, operators),
        language=language,
        operators=operators,
        about=about,
        health=HealthService(db, device, queue, language, clock, hearing),
        outbox=outbox,
        conductor=conductor,
        duels=duels,
        tastes=learner,
        rewards=rewards,
        top=TopService(db, library),
        retention=retention,
    )


def _conductor(
    settings: Settings,
    ground: _Ground,
    judging: Judging,
    operators: OperatorService,
    queue: JobQueue,
) -> Conductor:
    kits = _kits(settings, ground.language, operators)
    drafts = settings.generation.drafts
    maker = RoundMaker(
        ground.db, ground.store, ground.device, judging, ground.clock, kits, drafts=drafts
    )
    settle = settings.runs.settle
    return Conductor(ground.db, queue, maker, ground.clock, ground.tasks, settle=settle)


def _duels(
    settings: Settings, ground: _Ground, writer: VoteWriter, learner: TasteService, queue: JobQueue
) -> DuelService:
    clips = DuelClips(ground.db, ground.store, ground.device, learner, ground.clock)
    return DuelService(
        ground.db, writer, clips, learner, queue, settings, ground.clock, ground.tasks
    )


def _outbox(
    ground: _Ground, about: AboutService, conductor: Conductor, duels: DuelService
) -> Outbox:
    """Return what posts for both of them, and tells both of what is out."""

    async def posted(post: Post) -> None:
        await conductor.posted(post)
        await duels.posted(post)

    outbox = Outbox(ground.db, ground.clock, ground.tasks, _viewer(ground, about), posted)
    conductor.attach(outbox)
    duels.attach(outbox)
    return outbox


def _moods(ground: _Ground, queue: JobQueue, library: ClipService, outbox: Outbox) -> MoodService:
    db, clock, device = ground.db, ground.clock, ground.device
    handmade = Handmade(db, ground.store, device, queue, clock)
    return MoodService(db, handmade, library, outbox, clock, Longer(device, library))


def _viewer(ground: _Ground, about: AboutService) -> Callable[[Post], Awaitable[View]]:
    """Return what says how a post looks, by its kind."""
    views = Views(ground.db, ground.store, ground.clock, about)
    duel_views = DuelViews(ground.db, ground.store, ground.clock, about)

    async def view_of(post: Post) -> View:
        match post.kind:
            case PostKind.ROUND:
                return await views.round(post)
            case PostKind.REVEAL:
                return await views.reveal(post)
            case PostKind.PAUSE:
                return await views.pause(post)
            case PostKind.DUEL:
                return await duel_views.duel(post)
            case PostKind.VERDICT:
                return await duel_views.verdict(post)

    return view_of


def _rewards(ground: _Ground, learner: TasteService) -> RewardService:
    rewards = RewardService(ground.db, learner, ground.clock, ground.tasks)
    ground.tasks.spawn(rewards.serve(), "rewards")
    return rewards


def _chat(ground: _Ground, cases: UseCases, operators: OperatorService) -> ChatAgent:
    memory = ChatMemory(ground.db, ground.clock)
    ground.tasks.spawn(memory.serve(), "chat memory")
    return ChatAgent(
        db=ground.db,
        runs=cases.runs,
        doer=Doer(ground.db, cases),
        memory=memory,
        clock=ground.clock,
        model=lambda: ground.language.model,
        templates=operators.templates,
    )
