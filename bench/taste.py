"""(f) Taste: after how many votes does the bot know what somebody likes, and how near is that to the best possible?

Simulated listeners (``bench.taste_world``) vote on clips of the built-in composer, in rounds of five, picked from 200
by the learner under test. What counts is what it would post next: the true like rate of the ten clips that it puts
first out of 200 that it never learned from. Beside it stand, below, the EvoMusic rule, the average listener and chance;
above, the best ten, what the features can tell at all, and a learner that knows how the listeners were made.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np
from numpy.typing import NDArray

from bench import taste_herd
from bench.report import Report
from bench.taste_bank import Clips, shipped_clips
from bench.taste_cost import cost
from bench.taste_ears import ears
from bench.taste_learners import EvoMusic, Fixed, Insider, Learner, Ours, best, known_features
from bench.taste_table import Found, Seed, report
from bench.taste_world import Doubles, Kind, Listener, Tastes, server
from playground.tastes import shipped_bank
from scoring.community import Member, refit
from scoring.space import default_space
from scoring.taste import Prior, Rated, default_prior

AT = (0, 5, 10, 20, 40)
"""Ratings after which a learner is asked."""
EACH, POOL, NEXT = 5, 200, 10
"""Clips of a round, clips that it is picked from, and clips that count."""
SEEDS, QUICK_SEEDS = 20, 3
MEMBERS, MEMBER_ROUNDS = 30, 6
MIXED = {Kind.ONE: 0.5, Kind.TWO: 0.3, Kind.NOISY: 0.2}
"""What the members of a community are like."""
TESTED = {Kind.ONE: 8, Kind.TWO: 6, Kind.NOISY: 4}
DRIFTERS, CHANGE = 6, 20
"""Listeners who change, and the rating after which they do."""
DRIFT_AT = (20, 25, 30, 35, 40)
MADE_UP = 250
"""Listeners of each sort that the insider makes up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hall:
    """One server with everything that learners may know of it.

    Half of the clips are voted on, by members and by those under test; the other half only serves as what comes next.
    """

    clips: Clips
    phi: Doubles
    tastes: Tastes
    heard: NDArray[np.intp]
    fresh: NDArray[np.intp]
    start: Prior
    prior: Prior
    mean_user: Doubles
    popular: Doubles
    made_up: Doubles


@dataclass(slots=True, kw_only=True)
class Course:
    """What came of one learner with one listener.

    Attributes:
        likes: True like rate of what would be posted next, after each number of ratings of ``at``.
        posted: The same of what was posted while it learned.
        foretold: Predicted like probability of fresh clips, of learners that predict one.
        truth: Their true probability.
    """

    likes: list[float] = field(default_factory=list)
    posted: list[float] = field(default_factory=list)
    foretold: list[Doubles] = field(default_factory=list)
    truth: list[Doubles] = field(default_factory=list)


def course(
    hall: Hall,
    learner: Learner,
    who: Listener,
    seed: Sequence[int],
    *,
    at: Sequence[int] = AT,
    change: float = np.inf,
) -> Course:
    """Let a listener vote on what a learner picks, and ask it along the way."""
    rng = np.random.default_rng(seed)
    out, voted = Course(), np.zeros(len(hall.phi), dtype=bool)
    for count in range(0, max(at) + 1, EACH):
        # What is asked at the moment of a change is still about the taste before it.
        chance = who.chance(changed=count > change)
        pool = rng.permutation(hall.fresh)[:POOL]
        offered = rng.permutation(hall.heard[~voted[hall.heard]])[:POOL]
        if count in at:
            out.likes.append(float(chance[best(learner.worth(), pool, NEXT)].mean()))
            if isinstance(learner, Ours):
                out.foretold.append(learner.liking()[pool])
                out.truth.append(chance[pool])
        if count == max(at):
            break
        picked = learner.picks(offered, EACH)
        changed = count >= change
        out.posted.append(float(who.chance(changed=changed)[picked].mean()))
        learner.observe(picked, [who.grade(row, rng, changed=changed) for row in picked])
        voted[picked] = True
    return out


def open_hall(clips: Clips, number: int) -> Hall:
    """Return a server whose community has voted."""
    rng = np.random.default_rng([number, 0])
    space = default_space()
    phi = space.project(clips.embeddings)
    tastes = server(clips, shipped_bank(), rng)
    halves = rng.permutation(len(phi))
    start = default_prior(space)
    empty = np.zeros((0, len(phi)))
    hall = Hall(
        clips=clips,
        phi=phi,
        tastes=tastes,
        heard=halves[::2],
        fresh=halves[1::2],
        start=start,
        prior=start,
        mean_user=empty,
        popular=empty,
        made_up=empty,
    )
    return _with_community(hall, number, rng)


def _with_community(hall: Hall, number: int, rng: np.random.Generator) -> Hall:
    members: list[Ours] = []
    for place in range(MEMBERS):
        kind = Kind(str(rng.choice(list(MIXED), p=list(MIXED.values()))))
        member = Ours(phi=hall.phi, prior=hall.start, rng=np.random.default_rng([number, 1, place]))
        votes = (MEMBER_ROUNDS * EACH,)
        course(hall, member, hall.tastes.listener(kind, rng), [number, 2, place], at=votes)
        members.append(member)
    said = [Member(phi=hall.phi, rated=member.votes()) for member in members]
    made = [
        hall.tastes.listener(kind, rng).chance()
        for kind in (Kind.ONE, Kind.TWO)
        for _ in range(MADE_UP)
    ]
    directions = [_leaning(hall.phi[:, :-1], member.votes()) for member in members]
    mean_user = np.mean(directions, axis=0)
    return Hall(
        clips=hall.clips,
        phi=hall.phi,
        tastes=hall.tastes,
        heard=hall.heard,
        fresh=hall.fresh,
        start=hall.start,
        prior=refit(said, default_space()),
        mean_user=mean_user,
        popular=hall.phi @ np.mean([member.taste.mean for member in members], axis=0),
        made_up=np.array(made),
    )


def _leaning(places: Doubles, votes: Sequence[Rated]) -> Doubles:
    """Return the unit vector from what somebody dislikes to what they like, their row of a user table."""
    likes = [vote.clip for vote in votes if vote.rating > 0]
    others = [vote.clip for vote in votes if vote.rating <= 0]
    if not likes or not others:
        return np.zeros(places.shape[1])
    away = places[likes].mean(axis=0) - places[others].mean(axis=0)
    return np.asarray(away / max(float(np.linalg.norm(away)), 1e-9))


def systems(hall: Hall, who: Listener) -> Mapping[str, Callable[[np.random.Generator], Learner]]:
    """Return what is compared, each made afresh for a listener."""
    return {
        "ours": partial(Ours, phi=hall.phi, prior=hall.prior),
        "ours, a new server": partial(Ours, phi=hall.phi, prior=hall.start),
        "ours, a new server, with their ears": partial(Ours, phi=ears()[0], prior=ears()[1]),
        "EvoMusic rule": partial(
            EvoMusic,
            places=hall.phi[:, :-1],
            mean=hall.mean_user,
            penalties=hall.clips.penalties,
        ),
        "average listener": lambda rng: Fixed(values=hall.popular),
        "all the features tell": lambda rng: Fixed(
            values=known_features(hall.phi, who.felt, hall.heard)
        ),
        "knows how listeners are made": lambda rng: Insider(chances=hall.made_up),
        "chance": lambda rng: Fixed(values=rng.random(len(hall.phi))),
        "oracle": lambda rng: Fixed(values=who.chance()),
    }


def _make(make: Callable[..., Learner], seed: Sequence[int]) -> Learner:
    return make(rng=np.random.default_rng(seed))


def one_seed(clips: Clips, number: int) -> Seed:
    """Run everything on one server."""
    hall = open_hall(clips, number)
    rng = np.random.default_rng([number, 3])
    out = Seed()
    for kind, count in TESTED.items():
        for place in range(count):
            who = hall.tastes.listener(kind, rng)
            for name, make in systems(hall, who).items():
                learner = _make(make, [number, 4, place])
                found = course(hall, learner, who, [number, 5, place])
                out.add(kind, name, _found(found))
                if name == "ours" and isinstance(learner, Ours):
                    out.seconds += learner.seconds
    for place in range(DRIFTERS):
        who = hall.tastes.listener(Kind.DRIFTING, rng)
        for name in ("ours", "EvoMusic rule", "chance"):
            learner = _make(systems(hall, who)[name], [number, 6, place])
            found = course(hall, learner, who, [number, 7, place], at=DRIFT_AT, change=CHANGE)
            out.add(Kind.DRIFTING, name, _found(found))
        out.add_oracle(
            [
                float(np.sort(who.chance(changed=later)[hall.fresh])[-_top(hall) :].mean())
                for later in (False, True)
            ]
        )
    out.herd = taste_herd.one_seed(
        taste_herd.Channel(
            phi=hall.phi, rows=hall.heard, tastes=hall.tastes, prior=hall.prior, number=number
        )
    )
    return out


def _top(hall: Hall) -> int:
    """Return how many clips are as rare a find among all fresh ones as ten among 200."""
    return max(1, round(NEXT * len(hall.fresh) / POOL))


def _found(done: Course) -> Found:
    return Found(
        likes=np.array(done.likes),
        posted=float(np.mean(done.posted)),
        foretold=np.concatenate(done.foretold[1:]) if len(done.foretold) > 1 else np.zeros(0),
        truth=np.concatenate(done.truth[1:]) if len(done.truth) > 1 else np.zeros(0),
    )


async def measure(*, quick: bool = False, seeds: int | None = None) -> Report:
    """Run all servers and report."""
    clips = shipped_clips()
    count = seeds or (QUICK_SEEDS if quick else SEEDS)
    start, done = time.perf_counter(), []
    for number in range(count):
        done.append(one_seed(clips, number))
        took = time.perf_counter() - start
        print(f"{number + 1} of {count} servers, {took:.0f} s", file=sys.stderr, flush=True)
    spent = cost(default_space().project(clips.embeddings))
    return report(done, AT, DRIFT_AT, clips=len(clips.families), cost=spent)
