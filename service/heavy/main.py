"""The process of a generator of ours: ``python -m service.heavy.main RECIPE``, with the recipe as JSON."""

from __future__ import annotations

import dataclasses
import json
import os
import sys

from domain.errors import GenerationError
from generation.memory import limit_memory
from generation.registry import Recipe, create_generator
from generation.serving import Failed, private_pipes, serve
from generation.wire import Served


def command(recipe: Recipe) -> list[str]:
    """Return what starts such a process."""
    said = json.dumps(dataclasses.asdict(recipe), ensure_ascii=False)
    return [sys.executable, "-m", "service.heavy.main", said]


def main(said: str) -> None:
    """Load the generator and make clips until the bot ends."""
    heard, mouth = private_pipes()
    if hasattr(os, "nice"):
        os.nice(10)  # votes are more urgent than music
    fields = json.loads(said)
    options = tuple((name, value) for name, value in fields.pop("options"))
    serve(heard, mouth, lambda: _served(Recipe(**fields, options=options)))


def _served(recipe: Recipe) -> Served:
    try:
        made = create_generator(recipe)
        limit_memory(recipe.device, float(recipe.option("memory", "0")))
    except GenerationError as error:
        raise Failed(str(error)) from None
    return Served(made)


if __name__ == "__main__":
    main(sys.argv[1])
