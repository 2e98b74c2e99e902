"""Which device worker the settings ask for."""

from __future__ import annotations

import os

from domain.clip import BUILT_IN
from generation.foreign.privacy import without_secrets
from generation.registry import Recipe
from service.device import DeviceWorker, ProcessWorker, RenderSpec
from service.heavy.choice import ChoiceWorker
from service.heavy.dispatch import Dispatcher
from service.heavy.main import COMMAND, told
from service.heavy.process import GeneratorProcess, Patience
from service.heavy.worker import HeavyWorker
from service.models.chosen import chosen_generators, recipe_of
from service.settings import Settings


def open_dispatcher(settings: Settings) -> Dispatcher:
    """Return what lets models play in processes of their own under these settings; nothing is started yet."""
    generation = settings.generation
    patience = Patience(start=generation.loading, silence=generation.deadline)

    def launch(recipe: Recipe) -> GeneratorProcess:
        keep = {recipe.option("key_variable")}
        environ = without_secrets(os.environ, keep)
        return GeneratorProcess(COMMAND, patience, environ, first=told(recipe))

    return Dispatcher(launch, idle=generation.idle, drain=patience.drain)


def open_device(settings: Settings) -> DeviceWorker:
    """Return what makes clips under these settings; nothing is started yet.

    The composer plays in the same processes that gate and measure what models play.

    Raises:
        ConfigError: A generator of the settings cannot be used; says why and what to do.
    """
    recipes = chosen_generators(settings)
    generation = settings.generation
    hands = ProcessWorker(
        RenderSpec(generator=recipe_of(settings, BUILT_IN), extension=generation.format),
        workers=generation.workers,
        deadline=generation.deadline,
    )
    dispatcher = open_dispatcher(settings)
    workers: dict[str, DeviceWorker] = {
        name: hands if name == BUILT_IN else HeavyWorker(dispatcher, recipe, hands)
        for name, recipe in recipes.items()
    }
    # Notes to edit are always there: what is made by hand in the studio is composed, whatever plays in the channels.
    return ChoiceWorker(workers, {BUILT_IN: hands})
