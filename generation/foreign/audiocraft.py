"""audiocraft's models as generators."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from domain.clip import ClipRequest, GeneratorInfo, SourceUse
from domain.description import Description
from domain.errors import DescriptionError, GenerationError
from generation import wire
from generation.foreign.environment import MODELS, Environment
from generation.foreign.process import Foreign, Program
from generation.generator import Capabilities
from generation.genome.realise import plan_of
from generation.parcels import Order
from generation.registry import Recipe

VERSION = "2"
"""Raise it whenever the same request would sound different."""
LICENCE = "CC-BY-NC-4.0"
"""Of the released weights."""
SAMPLE_RATE = 32_000
"""Of the released codecs."""


def audiocraft(recipe: Recipe) -> Foreign:
    """Return what makes clips with a model in audiocraft's environment.

    Args:
        recipe: With the environment's folder, one of ``environment.MODELS`` as its name and, as options, how many
            gigabytes of ``memory`` it may take of a GPU (0, all, if it does not say) and how many ``threads`` on a CPU
            (one, if it does not say).

    Raises:
        GenerationError: There is no such model.
    """
    known = MODELS.get(recipe.name)
    if known is None:
        raise GenerationError(
            f"audiocraft has no model {recipe.name!r} here; there are: {', '.join(MODELS)}."
        )
    environment = Environment(folder=Path(recipe.folder))
    program = Program(
        command=environment.command(
            *environment.model_arguments(recipe.name, recipe.device),
            *("--memory", recipe.option("memory", "0"), "--threads", recipe.option("threads", "1")),
        ),
        environ=environment.variables(),
    )
    info = GeneratorInfo(
        name=recipe.name,
        version=f"{VERSION}-{recipe.device}",
        licence=recipe.licence or LICENCE,
        details={"device": recipe.device, "runs in": "an environment of its own"},
    )
    able = Capabilities(
        shortest=1.0,
        longest=known.longest,
        sample_rate=SAMPLE_RATE,
        commercial=False,
        sources=frozenset({SourceUse.VARY} if known.kind == "style" else ()),
        batch=1,  # the worker makes one clip after the other
    )
    return Foreign(program, info, able, with_chords if known.kind == "jasco" else wire.order_of)


def with_chords(request: ClipRequest) -> Order:
    """Return an order that also says the chords of the request's description, and when each begins in seconds."""
    order = wire.order_of(request)
    if request.description is None:
        return order
    try:
        plan = plan_of(Description.from_json(request.description))
    except DescriptionError:
        return order
    chords = [
        (chord.name, round(plan.grid.time(number, step), 3))
        for number, bar in enumerate(plan.bars)
        for step, chord in bar.chords
    ]
    heard = [[name, begin] for name, begin in chords if begin < request.seconds]
    return dataclasses.replace(order, said={**order.said, "chords": heard})
