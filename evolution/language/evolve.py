"""Breeds texts as EvoMusic's "LLM evolve" does: tournaments, elites, a chain of operators, and some novel ones.

What differs: every chance comes from the run's own RNG; elites stay parents and are not made again; one request
breeds many children, and requests of a step go out together; what fails is passed over, never asked for again; and
more texts are bred than are proposed.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from domain.candidate import Brief
from domain.operators import EvolveSettings, Operator
from evolution.archive import Individual
from evolution.herd import Herd
from evolution.language.calling import Caller
from evolution.language.credit import DIRECTED, NOVEL, Told, allocate, best_draw, gains, tilted
from evolution.language.directed import IMPROVE, directed
from evolution.language.drafting import Drafting, Text, Written, part_of, spawned
from evolution.language.novelty import mate, newest, starting_points
from evolution.selection import elites, ranking, softmax
from prompts.levels import clamp
from prompts.operators import ASIDE, EVOLVE, JOINT, applied, check_settings, shipped
from prompts.templates import OPERATOR, data, fill

GROUPS = 10
"""Groups of parents that go into one request."""
OUTPUTS = 30
"""Prompts that one request is asked for; a small model loses count beyond."""
NOVELS = 20
"""Novel prompts of one request."""
_FEW = 24
"""Up to so many proposals, twice as many are bred; beyond, calls count for more, and a quarter more are bred."""
_CHAIN, _FAR, _IMPROVE = "chain", "far", DIRECTED + IMPROVE
_WAYS = (_CHAIN, _FAR, _IMPROVE)
FAR = f"{ASIDE}far"
"""Ends the operator of children whose parents were chosen for being unlike each other."""
_HEAD_START = 0.06
"""What the operators that people chose are thought to be worth above other ways, before anything is known."""
_WORTH_SPLITTING = 6
"""Fewer children than this are all made in one way, drawn by credit."""
_OTHER_COUPLES = 6
"""Draws of parents, until some come together that have not yet in this generation."""
_SATISFIED = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A text on its way through the chain: where it comes from and what was done to it."""

    text: str
    parents: tuple[int, ...]
    applied: tuple[str, ...] = ()


@dataclass(slots=True, kw_only=True)
class Line:
    """One walk through the chain: what the next operator reads, and children that were too many."""

    items: list[Item]
    far: bool = False
    spare: list[Item] = field(default_factory=list)


class Evolution:
    """Breeds one generation. Made anew for every ask."""

    def __init__(self, herd: Herd, told: dict[int, Told], caller: Caller, brief: Brief) -> None:
        self._herd = herd
        self._told = told
        self._caller = caller
        self._brief = brief
        self._rng = spawned(herd.rng)
        self._drafting = Drafting(herd)
        settings = caller.kit.settings
        self.problem = next(iter(check_settings(settings)), "")
        """Why the settings could not be used and the shipped ones were, a sentence; empty when all is well."""
        self._settings: EvolveSettings = shipped() if self.problem else settings
        self._used = [one for one in self._settings.operators if one.enabled]
        self._members = [member for member in herd.members if member.id in told]
        self._earned = gains(self._members)

    async def breed(self, count: int, *, exploring: bool = True) -> list[Written]:
        """Return up to ``count`` drafts, chosen among more, the most promising first.

        Args:
            count: How many are wanted.
            exploring: Whether some shall have no parents; without an archive all have none.
        """
        novel = self._novel_share(count, self._settings.novel_prompts if exploring else 0.0)
        children = count - novel
        surplus = 2.0 if count <= _FEW else 1.25
        bred = max(round(children * surplus), min(self._settings.population_size, 100))
        ways = dict.fromkeys(_WAYS, 0)
        if children:
            earned = self._earned_by_way()
            options = self._ways()
            if children < _WORTH_SPLITTING:  # every way is a request or two
                options = [best_draw(options, earned, self._rng, {_CHAIN: _HEAD_START})]
            ways |= allocate(options, earned, children, self._rng, {_CHAIN: _HEAD_START})
        scale = bred / max(children, 1)
        last = self._used[-1].output if self._used else 1
        near = math.ceil(ways[_CHAIN] * scale / last)
        far = math.ceil(ways[_FAR] * scale / last)
        improving, founding = spawned(self._rng), spawned(self._rng)
        improved, new, lines = await asyncio.gather(
            self._improve(math.ceil(ways[_IMPROVE] * scale), improving),
            self._novel(round(novel * min(surplus, 1.5)), founding),
            self._chain([*self._lines(near, far=False), *self._lines(far, far=True)]),
        )
        # Only now, in a fixed order: which request was answered first must decide nothing.
        drafts = await self._drafting.drafts([*improved, *_children(lines)])
        fresh = await self._drafting.drafts(new)
        pieces = round(children / 3)
        chosen = self._herd.screen.choose(drafts, children, self._rng, daring=0.2, pieces=pieces)
        chosen += newest(fresh, count - len(chosen), self._herd, self._rng)
        taken = {id(draft) for draft in chosen}
        chosen += [draft for draft in drafts if id(draft) not in taken][: count - len(chosen)]
        return [draft for draft in chosen if isinstance(draft, Written)]

    def _novel_share(self, count: int, share: float) -> int:
        """Return how many are to be without parents: ``share`` of them, more while nothing is liked."""
        if not self._members or not self._used:
            return count
        if share > 0:
            share += 0.4 * clamp((_SATISFIED - self._herd.screen.level) / 0.25)
        return min(round(count * share + 0.25 * (share > 0)), count)

    def _ways(self) -> list[str]:
        ways = [_CHAIN, _IMPROVE]
        if self._used[0].input > 1 and len(self._members) > 2:
            ways.append(_FAR)
        return ways

    def _earned_by_way(self) -> dict[str, list[float]]:
        """Return what ways have gained, against the mean of all."""
        out: dict[str, list[float]] = {way: [] for way in _WAYS}
        for operator, values in self._earned.items():
            if applied(operator):
                out[_FAR if operator.endswith(FAR) else _CHAIN] += values
            elif operator == _IMPROVE:
                out[_IMPROVE] += values
        known = [value for values in out.values() for value in values]
        mean = sum(known) / len(known) if known else 0.0
        return {way: [value - mean for value in values] for way, values in out.items()}

    # Parents -------------------------------------------------------------------------------------------

    def _lines(self, count: int, *, far: bool) -> list[Line]:
        """Choose parents for ``count`` walks through the chain. Every elite is a parent while there are enough."""
        if not count:
            return []
        pool = self._pool()
        best = elites([member.promise for member in pool], self._elites(len(pool)))
        lines: list[Line] = []
        couples: set[frozenset[int]] = set()
        for index in range(count):
            first = pool[best[index]] if index < len(best) and not far else None
            for _ in range(_OTHER_COUPLES):
                parents = self._parents(pool, first, far)
                couple = frozenset(parent.id for parent in parents)
                if couple not in couples:
                    break
            couples.add(couple)
            lines.append(self._line(parents, far=far))
        return lines

    def _pool(self) -> list[Individual]:
        size = max(2 * self._brief.count, 4 * self._settings.tournament_size, 16)
        order = ranking([member.promise for member in self._members])[:size]
        return [self._members[index] for index in order]

    def _elites(self, size: int) -> int:
        share = self._settings.elites
        return max(1, round(share * min(size, self._brief.count))) if share > 0 else 0

    def _parents(
        self, pool: Sequence[Individual], first: Individual | None, far: bool
    ) -> list[Individual]:
        """Return the parents of one walk, all different while there are enough."""
        wanted = self._used[0].input
        contestants = self.contestants(pool, max(wanted, self._settings.tournament_size))
        chosen = [] if first is None else [first]
        rest = [one for one in contestants if first is None or one.id != first.id]
        while len(chosen) < wanted and rest:
            if far and chosen:
                others = [one for one in pool if one.id not in {parent.id for parent in chosen}]
                one = mate(chosen[0], others or rest, self._herd, self._rng)
            else:
                one = self.selected(rest)
            chosen.append(one)
            rest = [other for other in rest if other.id != one.id]
        while len(chosen) < wanted:
            chosen.append(chosen[len(chosen) % max(len(pool), 1)])
        return chosen

    def contestants(self, pool: Sequence[Individual], size: int) -> list[Individual]:
        """Return ``size`` different members of the pool, evenly drawn; all of a smaller pool."""
        entered = self._rng.choice(len(pool), size=min(size, len(pool)), replace=False)
        return [pool[int(index)] for index in entered]

    def selected(self, contestants: Sequence[Individual]) -> Individual:
        """Return one contestant: drawn by softmax of what is promised, or the best, as the settings say."""
        promise = [member.promise for member in contestants]
        if not self._settings.sample:
            return contestants[ranking(promise)[0]]
        shares = softmax(promise, self._settings.temperature)
        return contestants[int(self._rng.choice(len(contestants), p=shares))]

    def _line(self, parents: Sequence[Individual], *, far: bool) -> Line:
        items = [Item(text=self._told[one.id].prompt, parents=(one.id,)) for one in parents]
        return Line(items=items, far=far)

    # Operators -----------------------------------------------------------------------------------------

    async def _chain(self, lines: list[Line]) -> list[Line]:
        """Take every line through every operator. Chance is drawn before the first request of a step."""
        everything = [value for values in self._earned.values() for value in values]
        for operator in self._used:
            own = [
                value
                for name, values in self._earned.items()
                if operator.name in applied(name)
                for value in values
            ]
            chance = tilted(operator.probability, own, everything)
            taking = [line for line in lines if self._rng.random() < chance]
            marked = {id(line) for line in taking}
            per = max(1, min(GROUPS, OUTPUTS // operator.output))
            parts = [taking[start : start + per] for start in range(0, len(taking), per)]
            answers = await asyncio.gather(*(self._apply(operator, part) for part in parts))
            for line, texts in zip(taking, (one for part in answers for one in part), strict=True):
                self._take(line, operator, texts)
            for line in lines:
                if id(line) not in marked:
                    line.items = self._some(line.items, operator.output)
        return lines

    async def _apply(self, operator: Operator, lines: Sequence[Line]) -> list[list[str]]:
        groups = [[item.text for item in line.items] for line in lines]
        taste = data("; ".join(self._brief.taste))
        likes = self._caller.kit.templates.fill("likes", {"taste": taste})
        return await self._caller.groups(
            f"operator:{operator.name}",
            lambda block: (
                f"{fill(operator.template, OPERATOR.all, {'prompts': block})}\n{likes}".strip()
            ),
            groups,
            operator.output,
        )

    def _take(self, line: Line, operator: Operator, texts: Sequence[str]) -> None:
        """Give a line what came for it; where too little came, what it had goes on."""
        parents = tuple(dict.fromkeys(number for item in line.items for number in item.parents))
        before = max((item.applied for item in line.items), key=len, default=())
        made = [
            Item(text=text, parents=parents, applied=(*before, operator.name))
            for text in texts
            if self._drafting.is_music(text)
        ]
        line.spare += made[operator.output :]
        missing = operator.output - len(made)
        line.items = [*made[: operator.output], *self._some(line.items, missing)]

    def _some(self, items: Sequence[Item], count: int) -> list[Item]:
        """Return ``count`` of ``items``, none twice while there are enough."""
        if count < 1:
            return []
        order = [items[int(index)] for index in self._rng.permutation(len(items))]
        return [order[index % len(order)] for index in range(count)]

    # Without operators ---------------------------------------------------------------------------------

    async def _improve(self, count: int, rng: np.random.Generator) -> list[Text]:
        """Let the model move good ones along what is liked."""
        if not count:
            return []
        pool = self._pool()
        shares = softmax([member.promise for member in pool], 0.1)
        groups = min(max(1, math.ceil(count / 3)), len(pool))
        picked = rng.choice(len(pool), size=groups, replace=False, p=shares)
        parents = [[pool[int(index)]] for index in picked]
        each = math.ceil(count / groups)
        return await directed(IMPROVE, parents, each, self._told, self._brief, self._caller)

    async def _novel(self, count: int, rng: np.random.Generator) -> list[Text]:
        """Have ``count`` prompts written without parents, from starting points that were seen least."""
        parts = [min(NOVELS, count - start) for start in range(0, count, NOVELS)]
        points = [] if self._herd.vibe else starting_points(self._herd, count, rng)
        answers = await asyncio.gather(
            *(
                self._caller.prompts(
                    "novel",
                    self._novel_request(part, points[NOVELS * n :][:part], n, len(parts)),
                    part,
                )
                for n, part in enumerate(parts)
            )
        )
        return [Text(text=text, operator=NOVEL) for texts in answers for text in texts]

    def _novel_request(self, count: int, points: Sequence[str], part: int, parts: int) -> str:
        request = self._caller.kit.templates.fill(
            "novel",
            {
                "num_generate": str(count),
                "vibe": data(self._herd.vibe[:300]),
                "taste": data("; ".join(self._brief.taste)),
                "ideas": ", ".join(points),
            },
        )
        return request if parts == 1 else f"{request}\n\n{part_of(part, parts)}"


def _children(lines: Sequence[Line]) -> Iterator[Text]:
    """Yield what came out of the chain, spare children last."""
    for items in ([line.items for line in lines], [line.spare for line in lines]):
        for line, some in zip(lines, items, strict=True):
            mark = FAR if line.far else ""
            for item in some:
                if item.applied:
                    operator = EVOLVE + JOINT.join(item.applied) + mark
                    yield Text(text=item.text, operator=operator, parents=item.parents)
