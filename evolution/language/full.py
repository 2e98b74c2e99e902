"""Lets the model read the ranking and write the next generation whole."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from domain.candidate import Brief
from evolution.archive import Individual
from evolution.herd import Herd
from evolution.language.calling import Caller
from evolution.language.credit import WHOLE, Told
from evolution.language.drafting import Drafting, Text, Written, part_of, spawned
from evolution.language.novelty import newest, starting_points
from evolution.language.reflection import ranking_of
from evolution.surrogate import similarity
from prompts.reader import read
from prompts.templates import data
from prompts.tidy import tidy

OPERATOR = f"{WHOLE}ranking"
PER_CALL = 25
"""Prompts that one request is asked for."""
_SURPLUS = 1.5
"""Prompts that are asked for, for each one that is proposed."""
_TRIED = 0.25
_KIN = 0.8
"""A text as near as this to a told candidate (cosine of facets) counts as its child."""
_KNOWN = 40
"""Prompts that are named when more are asked for."""


class WholePopulation:
    """Writes one generation from the ranking. Made anew for every ask."""

    def __init__(
        self, herd: Herd, told: Mapping[int, Told], caller: Caller, brief: Brief, note: str
    ) -> None:
        self._herd = herd
        self._told = told
        self._caller = caller
        self._brief = brief
        self._note = note
        self._rng = spawned(herd.rng)
        self._drafting = Drafting(herd)
        self._members: list[Individual] = [one for one in herd.members if one.id in told]

    async def breed(self, count: int, *, exploring: bool = True) -> list[Written]:
        """Return up to ``count`` drafts. What is missing is asked for once more, and only once.

        Args:
            count: How many are wanted.
            exploring: Whether a quarter of them is chosen for being new.
        """
        if count < 1:
            return []
        wanted = round(count * (_SURPLUS if count <= PER_CALL else 1.1) + 0.5)
        parts = -(-wanted // PER_CALL)
        sizes = [len(range(part, wanted, parts)) for part in range(parts)]
        requests = [self._request(size, part, parts) for part, size in enumerate(sizes)]
        answers = await asyncio.gather(
            *(
                self._caller.prompts("full", request, size)
                for request, size in zip(requests, sizes, strict=True)
            )
        )
        written = [text for texts in answers for text in texts]
        drafts = await self._drafted(written)
        if written and len(drafts) < count:
            missing = min(count - len(drafts), PER_CALL)
            drafts += await self._drafted(await self._again(missing, written))
        chosen = self._herd.screen.choose(
            drafts,
            count - round(_TRIED * count * exploring),
            self._rng,
            daring=0.2,
            pieces=round(count / 3),
        )
        taken = {id(draft) for draft in chosen}
        rest = [draft for draft in drafts if id(draft) not in taken]
        chosen += newest(rest, count - len(chosen), self._herd, self._rng)
        return [draft for draft in chosen if isinstance(draft, Written)]

    async def _again(self, missing: int, written: Sequence[str]) -> list[str]:
        known = data("\n".join(f"- {text}" for text in written[-_KNOWN:]))
        known = self._caller.kit.templates.fill("again", {"known": known})
        request = f"{self._request(missing, 0, 1)}\n\n{known}"
        return await self._caller.prompts("full", request, missing)

    async def _drafted(self, texts: Sequence[str]) -> list[Written]:
        made = []
        for text in texts:
            made.append(Text(text=text, operator=OPERATOR, parents=self._kin(text)))
            await asyncio.sleep(0)
        return await self._drafting.drafts(made)

    def _kin(self, text: str) -> tuple[int, ...]:
        """Return the told candidate that a text comes from, where it is near enough to one."""
        if not self._members:
            return ()
        facets = tidy(read(text, self._herd.breeder.vocabulary), self._herd.breeder.vocabulary)
        own = self._herd.features.matrix([facets])
        rows = self._herd.features.matrix([member.facets for member in self._members])
        alike = similarity(own, rows)[0]
        best = int(alike.argmax())
        return (self._members[best].id,) if alike[best] >= _KIN else ()

    def _request(self, count: int, part: int, parts: int) -> str:
        templates = self._caller.kit.templates
        vibe, taste = data(self._herd.vibe[:300]), data("; ".join(self._brief.taste))
        ideas = starting_points(self._herd, max(1, count // 4), self._rng)
        ranked = ranking_of(self._members, self._told)
        if ranked:
            request = templates.fill(
                "full",
                {
                    "num_generate": str(count),
                    "ranking": data(ranked),
                    "vibe": vibe,
                    "note": data(self._note),
                    "taste": taste,
                    "feedback": data("; ".join(self._brief.feedback)),
                    "ideas": "" if vibe else ", ".join(ideas),
                },
            )
        else:
            points = [] if vibe else starting_points(self._herd, count, self._rng)
            request = templates.fill(
                "novel",
                {
                    "num_generate": str(count),
                    "vibe": vibe,
                    "taste": taste,
                    "ideas": ", ".join(points),
                },
            )
        return request if parts == 1 else f"{request}\n\n{part_of(part, parts)}"
