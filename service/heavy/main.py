"""The process of a generator of ours: ``python -m service.heavy.main``, whose first frame brings its recipe.

The recipe does not stand in the arguments: every user of the machine can read those, and it may hold what a host wants
to keep, such as the fields that go to a server of their own.
"""

from __future__ import annotations

import dataclasses
import os
import sys

from domain.errors import GenerationError
from generation.frames import Frame, read
from generation.memory import limit_memory
from generation.registry import Recipe, create_generator
from generation.serving import Failed, private_pipes, serve
from generation.wire import Served

COMMAND = (sys.executable, "-m", "service.heavy.main")


def told(recipe: Recipe) -> Frame:
    """Return the frame that tells such a process what to load."""
    return Frame("recipe", dataclasses.asdict(recipe))


def recipe_in(frame: Frame) -> Recipe:
    """Return what a frame tells to load.

    Raises:
        Failed: It is no recipe.
    """
    try:
        fields = dict(frame.header)
        options = tuple((str(name), str(value)) for name, value in fields.pop("options"))
        return Recipe(**fields, options=options)
    except (KeyError, TypeError, ValueError):
        raise Failed(f"A recipe was to come first; {frame.kind!r} is none.") from None


def main() -> None:
    """Load the generator and make clips until the bot ends."""
    heard, mouth = private_pipes()
    if hasattr(os, "nice"):
        os.nice(10)  # votes are more urgent than music
    first = read(heard)
    if first is not None:  # else the bot ended before it said anything
        serve(heard, mouth, lambda: _served(recipe_in(first)))


def _served(recipe: Recipe) -> Served:
    try:
        made = create_generator(recipe)
        limit_memory(recipe.device, float(recipe.option("memory", "0")))
    except GenerationError as error:
        raise Failed(str(error)) from None
    return Served(made)


if __name__ == "__main__":
    main()
