"""What a run measures clips against, today: its listeners' tastes, its track, and what else counts. Stores nothing."""

from __future__ import annotations

import logging
import math
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from domain.candidate import Candidate, Evaluation
from domain.clip import ArchivedClip, RenderedClip
from domain.fitness import Component, Judgement, Mode, Weights
from domain.ids import ClipId, GuildId, ListenerId
from domain.run import Run
from scoring.answers import chance
from scoring.beliefs import Doubles, Prediction
from scoring.fitness import Reward, combine, gated, preference, share_of
from scoring.judges import HerdJudge, MusicJudge
from scoring.likeness import places
from scoring.novelty import among, distances, novelty
from scoring.slate import fairness
from scoring.space import TasteSpace
from scoring.taste import influence
from service import auditing
from service.clock import Clock
from service.folding import Said, said_of
from service.tasting import TasteService
from service.voices import Voice
from storage import clips, judgements, runs, targets, votes
from storage.database import Database, Reader

log = logging.getLogger(__name__)

OWN_VOTES = 2.0
"""Raters after which what people said about a clip counts as much as what their tastes predict."""
RECENT = 3
"""Rounds whose families the wild card avoids."""

Rewards = Callable[[GuildId], Awaitable[Reward | None]]
"""Gives a server's model of what people prefer; ``None`` where there is none."""
Parts = Mapping[Component, NDArray[np.float64]]


async def no_rewards(_guild_id: GuildId) -> Reward | None:
    """Give nothing: no reward model was trained."""
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Standard:
    """What a run measures against now.

    Attributes:
        herd: The tastes of those who steer it.
        debts: (L,), what each of them is owed.
        say: (L,) above 0, how much each of them counts: next to nothing for whoever votes at random.
        track: What it is bred towards, if anything.
        reward: What people prefer, as a model has it, if there is one.
        weights: What counts how much, after the votes so far.
    """

    herd: HerdJudge
    debts: Doubles
    say: Doubles
    track: MusicJudge | None
    reward: Reward | None
    weights: Weights

    @property
    def mode(self) -> Mode:
        """Whom or what clips are measured against first of all."""
        if self.track is not None:
            return Mode.MUSIC
        return Mode.DYNAMIC if len(self.herd.tastes) == 1 else Mode.HERD


@dataclass(frozen=True, slots=True, kw_only=True)
class Archive:
    """What a run has rendered so far, under today's standard.

    ``voices`` are those who steer the run; ``phi`` (m, k + 1) are the places of its clips.
    """

    voices: list[Voice]
    standard: Standard
    evaluations: list[Evaluation]
    recent_families: dict[str, int]
    phi: Doubles


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """New clips, measured.

    Attributes:
        liking: (V, n) in [0, 1]: what each voice makes of each clip, everything that counts taken together. The track
            speaks where nobody has voted yet; V is 0 where there is neither.
        spread: (V, n), how unsure each liking is.
        debts: (V,), what each voice is owed; the track is owed nothing.
        say: (V,) above 0, how much each voice counts.
        own: (L, n), what tastes alone foretell, for the votes to be compared with.
        gate: (n,) in [0, 1].
        phi: (n, k + 1).
        judgements: The record of each clip.
    """

    liking: Doubles
    spread: Doubles
    debts: Doubles
    say: Doubles
    own: Prediction
    gate: Doubles
    phi: Doubles
    judgements: list[Judgement]


class Judging:
    """Rescores what a run has made and measures what it has just made."""

    def __init__(
        self, db: Database, tastes: TasteService, clock: Clock, rewards: Rewards = no_rewards
    ) -> None:
        self._db = db
        self._tastes = tastes
        self._clock = clock
        self._rewards = rewards

    @property
    def space(self) -> TasteSpace:
        """The space that clips are compared in."""
        return self._tastes.space

    # The past ----------------------------------------------------------------------------------------

    async def archive(self, run: Run) -> Archive:
        """Return everything a run has made, rescored for those who steer it now."""
        voices = await self._tastes.voices(run)
        reward = await self._rewards(run.guild_id)
        async with self._db.reading() as tx:
            made = await clips.archive_of_run(tx, run.id)
            candidates = {one.id: one for one in await runs.candidates_of_run(tx, run.id)}
            found, phi = await self._tastes.phi(tx, [clip.id for clip in made])
            cast = await votes.votes_of_run(tx, run.id)
            said = auditing.same_audio_once(said_of(cast), made)
            adherence = await judgements.adherence_of_run(tx, run.id)
            standard = await self._standard(tx, run, voices, reward, rated=len(said))
        by_id = {clip.id: clip for clip in made}
        first = [by_id[clip_id].original_id is None for clip_id in found]
        rows = [by_id[clip_id] for clip_id, once in zip(found, first, strict=True) if once]
        phi = phi[first]
        known = np.array([adherence.get(clip.id, math.nan) for clip in rows])
        new = among(phi) if standard.weights.novelty else None
        parts, doubt = self._parts(standard, phi, known, new)
        expected = combine(parts, standard.weights, np.ones(len(rows)))
        evaluations = [
            _evaluation(
                candidates[clip.candidate_id],
                clip,
                said,
                _Expected(
                    fitness=float(expected[row]),
                    doubt=float(doubt[row]),
                    parts=_row(parts, row),
                ),
            )
            for row, clip in enumerate(rows)
            if clip.candidate_id in candidates
        ]
        return Archive(
            voices=voices,
            standard=standard,
            evaluations=evaluations,
            recent_families=_recent(made, run),
            phi=phi,
        )

    async def _standard(
        self,
        tx: Reader,
        run: Run,
        voices: Sequence[Voice],
        reward: Reward | None,
        *,
        rated: int,
    ) -> Standard:
        owed = await runs.debts(tx, run.id)
        track = await self._track(tx, run)
        debts = np.array([owed.get(voice.listener_id, 0.0) for voice in voices])
        say = np.array([influence(voice.taste) for voice in voices])
        return Standard(
            herd=HerdJudge(tastes=[voice.taste for voice in voices], weights=fairness(debts) * say),
            debts=debts,
            say=say,
            track=track,
            reward=reward,
            weights=run.settings.weights.after(rated, has_target=track is not None),
        )

    async def _track(self, tx: Reader, run: Run) -> MusicJudge | None:
        target = await targets.target_of(tx, run.id)
        if target is None:
            return None
        space = self.space
        if target.encoder_id != space.encoder_id:
            log.warning(
                "Run %s follows votes alone: its track was heard by %s, and %s listens today",
                run.id,
                target.encoder_id,
                space.encoder_id,
            )
            return None
        heard = np.frombuffer(target.vector, "<f4")[None, :]
        return MusicJudge(target=places(space.project(heard), space)[0])

    def _parts(
        self,
        standard: Standard,
        phi: Doubles,
        adherence: Doubles,
        new: Doubles | None,
    ) -> tuple[dict[Component, Doubles], Doubles]:
        """Return the components of clips, each (n,), and how unsure their fitness is before the gate."""
        parts: dict[Component, Doubles] = {}
        opinion = standard.herd.judge(phi)
        parts[Component.TASTE] = opinion.fitness
        if standard.track is not None:
            close = places(phi, self.space)
            parts[Component.TARGET] = standard.track.judge(close).fitness
        if len(phi):
            parts[Component.ADHERENCE] = adherence
        if new is not None:
            parts[Component.NOVELTY] = new
        if standard.reward is not None and len(phi):
            parts[Component.PREFERENCE] = preference(standard.reward, phi)
        return parts, opinion.deviation * share_of(Component.TASTE, parts, standard.weights)

    # The present --------------------------------------------------------------------------------------

    def verdict(self, archive: Archive, made: Sequence[RenderedClip]) -> Verdict:
        """Measure clips that were just rendered, each also against those before it: no two alike are posted."""
        standard = archive.standard
        phi = self._tastes.phi_of(made)
        past = distances(phi, archive.phi)
        near = np.concatenate([past, _earlier(phi)], axis=1)
        adherence = np.array([math.nan if one.adherence is None else one.adherence for one in made])
        parts, _ = self._parts(standard, phi, adherence, novelty(past))
        gate = gated(np.array([clip.quality for clip in made]), near)
        own = standard.herd.each(phi)
        liking, spread = _each(standard, parts, own)
        fitness = combine(parts, standard.weights, gate)
        now = self._clock.now()
        return Verdict(
            liking=liking,
            spread=spread,
            debts=standard.debts if len(standard.debts) else np.zeros(len(liking)),
            say=standard.say if len(standard.say) else np.ones(len(liking)),
            own=own,
            gate=gate,
            phi=phi,
            judgements=[
                Judgement(
                    mode=standard.mode,
                    fitness=float(fitness[row]),
                    gate=float(gate[row]),
                    adherence=clip.adherence,
                    components=_row(parts, row),
                    weights=standard.weights,
                    at=now,
                )
                for row, clip in enumerate(made)
            ],
        )


def _each(standard: Standard, parts: Parts, own: Prediction) -> tuple[Doubles, Doubles]:
    """Return (V, n) what each voice makes of clips, everything taken together, and how unsure that is."""
    if len(own.liking):
        liking = combine({**parts, Component.TASTE: own.liking}, standard.weights, np.ones(1))
        return liking, own.spread * share_of(Component.TASTE, parts, standard.weights)
    if standard.track is not None:
        alone = combine(parts, standard.weights, np.ones(1))[None, :]
        return alone, np.zeros_like(alone)
    return own.liking, own.spread


@dataclass(frozen=True, slots=True, kw_only=True)
class _Expected:
    """What is foretold of an archived clip, before its gate."""

    fitness: float
    doubt: float
    parts: Mapping[Component, float]


def _evaluation(
    candidate: Candidate,
    clip: ArchivedClip,
    said: Mapping[ClipId, Mapping[ListenerId, Said]],
    expected: _Expected,
) -> Evaluation:
    """Blend what is foretold with what people said about this very clip, as like probabilities, times its quality."""
    ratings = list(said.get(clip.id, {}).values())
    weight = sum(one.weight for one in ratings)
    share = weight / (weight + OWN_VOTES)
    observed = sum(chance(one.rating) * one.weight for one in ratings) / weight if ratings else 0.0
    liking = (1.0 - share) * expected.fitness + share * observed
    gate = float(gated(np.array([0.0 if clip.broken else clip.quality]))[0])
    return Evaluation(
        candidate=candidate,
        fitness=liking * gate,
        uncertainty=expected.doubt * (1.0 - share) * gate,
        rated=bool(ratings),
        components={
            **{name.value: value for name, value in expected.parts.items()},
            "expected": expected.fitness,
            "observed": observed,
            "raters": float(len(ratings)),
            "quality": gate,
        },
    )


def _row(parts: Parts, row: int) -> dict[Component, float]:
    """Return what is known of one clip."""
    return {
        name: float(values[row]) for name, values in parts.items() if math.isfinite(values[row])
    }


def _earlier(phi: Doubles) -> Doubles:
    """Return distances (n, n) of clips to those before them; infinite to themselves and those after."""
    return np.where(np.tri(len(phi), k=-1, dtype=bool), distances(phi, phi), np.inf)


def _recent(made: Sequence[ArchivedClip], run: Run) -> dict[str, int]:
    recent: dict[str, int] = {}
    for clip in made:
        if clip.posted_slot and clip.generation > run.generation - RECENT:
            recent[clip.family] = recent.get(clip.family, 0) + 1
    return recent
