"""The language model of an experiment: the bench's scripted one, or that of the settings file."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import numpy as np

from bench.imperfect_server import PERFECT, Imperfect
from domain.errors import ConfigError, UserError
from evolution.language.auto import MIXES
from experiments.spec import Condition, Experiment
from experiments.table_users import aligner_of
from service.models.chosen import recipe_of
from service.settings import LanguageSettings, Settings, language_key

SCRIPTED = "The bench's scripted model stands in for a language model."
PATIENCE = 1.5
"""How many times the timeout of a request a generation may wait for the model in all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Speech:
    """A model that answers at an address, as settings say it; and what people should know of it."""

    language: LanguageSettings
    key: str
    note: str


@asynccontextmanager
async def speech(
    experiment: Experiment, condition: Condition, seed: int, settings: Settings
) -> AsyncIterator[Speech | None]:
    """Yield the model that a condition needs; ``None`` where it needs none.

    Raises:
        ConfigError: The settings' model is asked for, and there is none.
    """
    if condition.searcher not in MIXES:
        yield None
    elif experiment.model == "scripted":
        async with Imperfect(seed=seed, manners=PERFECT) as server:
            told = settings.language.model_copy(
                update={
                    "base_url": server.base_url,
                    "model": "scripted",
                    "models": {},
                    "requests_per_minute": 0,
                    "daily_tokens": 0,
                    "daily_money": 0.0,
                }
            )
            yield Speech(language=told, key="", note=SCRIPTED)
    else:
        found = settings.language
        if not found.base_url:
            raise ConfigError(
                "The experiment wants the language model of the settings, and language.base_url is not set. "
                "Set it, or say model: scripted."
            )
        key = language_key(found, os.environ).get_secret_value()
        yield Speech(language=found, key=key, note=f"Prompts by {found.model}.")


async def check(experiment: Experiment, settings: Settings) -> None:
    """Raise what the generator, ``speech`` and the aligners of listeners would, before anything is rendered.

    Raises:
        ConfigError: One of them cannot be used; says why and what to do.
    """
    try:
        recipe_of(settings, experiment.generator)
    except UserError as error:
        raise ConfigError(
            f"The experiment's generator is {experiment.generator}. {error}"
        ) from None
    for condition in experiment.conditions:
        for one in condition.listeners:
            if one.aligner:
                aligner_of(one.aligner)
        if experiment.model == "settings":
            async with speech(experiment, condition, 0, settings):
                await asyncio.sleep(0)


def rng_of(seed: int) -> np.random.Generator:
    """Return the chance of a client's waits."""
    return np.random.default_rng([seed, 13])
