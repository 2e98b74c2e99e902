"""Children of named parents, moved by words, by taste and by what was said: what people say is the gradient."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Mapping, Sequence

import numpy as np

from domain.candidate import Brief, Directive
from domain.facets import Facets
from evolution.archive import Individual
from evolution.herd import Herd
from evolution.language.calling import Caller
from evolution.language.credit import DIRECTED, Told
from evolution.language.drafting import Drafting, Text, Written, part_of, spawned
from evolution.language.novelty import mate
from evolution.selection import ranking
from prompts.levels import AXES
from prompts.reader import interpret, read
from prompts.reading import Reading
from prompts.templates import data
from prompts.tidy import tidy
from prompts.vocabulary import Vocabulary

IMPROVE = "improve"
AIMS: Mapping[str, str] = {
    IMPROVE: "Each piece below was liked. Write versions of it that these listeners should like even more.",
    Directive.VARY.value: (
        "Write close relatives of the piece below. Change one or two details of each and keep the rest."
    ),
    Directive.CROSS.value: (
        "Write pieces that could be children of the pieces below: the groove or genre of one with instruments, mood or "
        "sound of the other."
    ),
    Directive.REMIX.value: (
        "Rewrite the piece below as the listener asks. Do what the words ask for and keep everything else."
    ),
}
"""What is asked for, by directive. Trusted text."""
_EACH = 10
"""Children of one group in one request."""
_PER_CALL = 30
_ROOM = 300
"""Characters up to which a text is put right by adding words."""
_OBEYS = 0.5
"""Share of a listener's wishes that a remix must follow, as far as they can be read."""


async def directed(
    aim: str,
    groups: Sequence[Sequence[Individual]],
    each: int,
    told: Mapping[int, Told],
    brief: Brief,
    caller: Caller,
) -> list[Text]:
    """Have ``each`` children written for every group of parents, in as few requests as are good.

    Args:
        aim: A key of ``AIMS``.
        groups: Parents that are bred with each other.
        each: Children of each group.
        told: The parents' prompts.
        brief: Its words, taste and feedback steer; they are data to the model.
        caller: Asks.
    """
    values = {
        "aim": AIMS[aim],
        "words": data(brief.words[:500]) if aim != IMPROVE else "",
        "taste": data("; ".join(brief.taste)),
        "feedback": data("; ".join(brief.feedback)),
    }
    jobs = []  # groups of one request, children wanted of each, and what tells requests for the same group apart
    rounds = -(-each // _EACH)
    for number in range(rounds):
        wanted = len(range(number, each, rounds))
        per = max(1, _PER_CALL // wanted)
        mark = part_of(number, rounds) if rounds > 1 else ""
        jobs += [
            (groups[start : start + per], wanted, mark) for start in range(0, len(groups), per)
        ]

    def rendered(block: str, mark: str) -> str:
        text = caller.kit.templates.fill("directed", {**values, "prompts": block})
        return f"{text}\n\n{mark}" if mark else text

    answers = await asyncio.gather(
        *(
            caller.groups(
                f"directed:{aim}",
                lambda block, mark=mark: rendered(block, mark),  # type: ignore[misc]
                [[told[parent.id].prompt for parent in group] for group in some],
                wanted,
            )
            for some, wanted, mark in jobs
        )
    )
    return [
        Text(
            text=text,
            operator=DIRECTED + aim,
            parents=tuple(parent.id for parent in group),
        )
        for (some, _, _), answer in zip(jobs, answers, strict=True)
        for group, texts in zip(some, answer, strict=True)
        for text in texts
    ]


async def breed_directed(
    brief: Brief,
    parents: Sequence[Individual],
    herd: Herd,
    told: Mapping[int, Told],
    caller: Caller,
) -> list[Written]:
    """Return up to ``brief.count`` drafts for ``VARY``, ``CROSS`` or ``REMIX``, shared out evenly among the parents.

    Args:
        brief: Any directive but ``NEXT``.
        parents: Who it is about; at least one, all different, all with a prompt in ``told``.
        herd: For mates, tunes and the choice among more children than are wanted.
        told: Prompts of told candidates.
        caller: Asks.
    """
    rng = spawned(herd.rng)
    groups = _groups(brief, parents, herd, told, rng)
    share = -(-brief.count // len(groups))
    bred = round(share * 1.5 + 0.5) if brief.count <= 24 else share
    texts = await directed(brief.directive.value, groups, bred, told, brief, caller)
    vocabulary = herd.breeder.vocabulary
    if brief.directive is Directive.REMIX:
        reading = interpret(brief.words, vocabulary)
        texts = obedient(texts, reading, {one.id: one for one in parents}, vocabulary)
    drafts = await Drafting(herd).drafts(texts)
    out: list[Written] = []
    for index, group in enumerate(groups):
        ids = tuple(parent.id for parent in group)
        own = [draft for draft in drafts if draft.parents == ids]
        wanted = len(range(index, brief.count, len(groups)))
        chosen = herd.screen.choose(own, wanted, rng, daring=0.5)
        out += [draft for draft in chosen if isinstance(draft, Written)]
        await asyncio.sleep(0)
    return out


def _groups(
    brief: Brief,
    parents: Sequence[Individual],
    herd: Herd,
    told: Mapping[int, Told],
    rng: np.random.Generator,
) -> list[list[Individual]]:
    """Return who is bred together: each alone, or for a cross in pairs in which everybody takes part."""
    parents = parents[: brief.count]
    if brief.directive is not Directive.CROSS:
        return [[parent] for parent in parents]
    if len(parents) > 1:
        pairs = [list(pair) for pair in itertools.pairwise(parents)]
        more = [list(pair) for pair in itertools.combinations(parents, 2)]
        pairs += [pair for pair in more if pair not in pairs]
        return pairs[: max(len(parents) - 1, brief.count // 2)]
    order = ranking([member.promise for member in herd.members])
    known = [herd.members[index] for index in order if herd.members[index].id in told]
    mates = [member for member in known[:24] if member.id != parents[0].id]
    if not mates:
        return [[parents[0]]]
    chosen: dict[int, Individual] = {}
    for _ in range(min(3, brief.count)):
        other = mate(parents[0], mates, herd, rng)
        chosen[other.id] = other
    return [[parents[0], other] for other in chosen.values()]


def obedient(
    texts: Sequence[Text],
    reading: Reading,
    parents: Mapping[int, Individual],
    vocabulary: Vocabulary,
) -> list[Text]:
    """Keep texts that do what a listener asked, as far as it can be read; put right what only needs a few words."""
    out = []
    for text in texts:
        missing = [
            word
            for word in reading.facets.without
            if word not in read(text.text, vocabulary).without
        ]
        words = text.text
        if missing and len(words) <= _ROOM:
            words = f"{words.rstrip('. ')}, without {' or '.join(missing[:3])}"
        child = tidy(read(words, vocabulary), vocabulary)
        parent = parents[text.parents[0]].facets
        if obeys(reading, parent, child, vocabulary) >= _OBEYS:
            out.append(Text(text=words, operator=text.operator, parents=text.parents))
    return out


def obeys(reading: Reading, parent: Facets, child: Facets, vocabulary: Vocabulary) -> float:
    """Return the share of what ``reading`` asks for that ``child`` follows, in [0, 1]; 1 when it asks for nothing.

    Args:
        reading: A listener's words.
        parent: What they are about.
        child: What came of it.
        vocabulary: Gives the levels that words imply.
    """
    said, then, now = reading.facets, vocabulary.settle(parent), vocabulary.settle(child)
    met = []
    for name in ("moods", "instruments", "textures", "production", "without"):
        met += [word in getattr(child, name) for word in getattr(said, name)]
    if said.family is not None:
        met.append(child.family == said.family)
    for name in ("tonic", "mode", "metre", "era"):
        if getattr(said, name) is not None:
            met.append(getattr(now, name) == getattr(said, name))
    if said.tempo is not None:
        met.append(abs((now.tempo or 0.0) - said.tempo) < 0.1 * said.tempo)
    for name, shift in reading.shifts.items():
        before, after = getattr(then, name), getattr(now, name)
        if name in (*AXES, "tempo") and before is not None and after is not None:
            met.append((after - before) * shift >= 0)
    return sum(met) / len(met) if met else 1.0
