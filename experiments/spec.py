"""What an experiment file may say, and clear sentences for what it may not."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from domain.clip import BUILT_IN
from domain.errors import ConfigError
from domain.facets import FAMILIES
from domain.operators import EvolveSettings
from domain.run import SearcherName
from evolution.language.auto import MIXES
from experiments.table_users import fingerprint
from playground.tastes import CHARACTERS
from prompts.operators import shipped as shipped_operators

SHIPPED = Path(__file__).with_name("files")
Kind = Literal[
    "genre", "character", "two-taste", "drifting", "noisy", "lurking", "trolling", "table"
]
Fitness = Literal["dynamic", "listener", "music"]
QUICK_ROUNDS, QUICK_CLIPS, QUICK_SEEDS = 2, 6, 2


class Part(BaseModel):
    """A part of a file; unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ListenerSpec(Part):
    """One or several synthetic listeners."""

    kind: Kind
    name: str = Field("", description="A genre family or a character; drawn by the seed if empty.")
    then: str = Field("", description="The second taste of two-taste and drifting; drawn if empty.")
    count: int = Field(1, ge=1, le=200)
    aligner: str = Field("", description="For table: the folder of an aligner.")
    row: int | None = Field(None, ge=0, description="For table: which user; drawn if left away.")
    base_rate: float = Field(
        0.3, gt=0.0, lt=1.0, description="For table: share of all music that each of them likes."
    )

    @model_validator(mode="after")
    def _known(self) -> Self:
        own = {"aligner", "row", "base_rate"} & self.model_fields_set
        if self.kind == "table":
            if not self.aligner or self.name or self.then:
                raise ValueError("a listener of kind table needs an aligner, and has no name")
        elif own:
            raise ValueError(f"only a listener of kind table has {sorted(own)[0]}")
        known = FAMILIES if self.kind == "genre" else tuple(CHARACTERS)
        for name in filter(None, (self.name, self.then)):
            if name not in known:
                raise ValueError(
                    f'a listener of kind {self.kind} cannot be "{name}"; there are {", ".join(known)}'
                )
        if self.then and self.kind not in {"two-taste", "drifting"}:
            raise ValueError(
                f"only two-taste and drifting have a second taste, {self.kind} has none"
            )
        if self.then and self.then == self.name:
            raise ValueError(f"the second taste of a listener is another one than {self.name}")
        return self


class Condition(Part):
    """One row of the experiment: what breeds, for whom, on what fitness."""

    name: str = Field(min_length=1, max_length=60)
    searcher: SearcherName = "offline"
    fitness: Fitness = Field(
        "dynamic",
        description="dynamic: tastes learned from votes, as the bot does it. listener: what the listeners truly think. "
        "music: likeness to a target clip.",
    )
    listeners: tuple[ListenerSpec, ...] = (ListenerSpec(kind="character"),)
    target: str = Field("", description="For music: the prompt of the clip to come near to.")
    population: int = Field(12, ge=4, le=200, description="Clips rendered for a generation.")
    rounds: int = Field(10, ge=1, le=200)
    tournament: int = Field(
        4,
        ge=1,
        le=200,
        description="For ga, and for evolve, whose own is that of its shipped settings.",
    )

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if self.fitness == "music" and not self.target:
            raise ValueError("fitness music needs a target, the prompt of the clip to come near to")
        if self.target and self.fitness != "music":
            raise ValueError(f"fitness {self.fitness} has no target")
        changed = "tournament" in self.model_fields_set
        if changed and self.fitness == "dynamic":
            raise ValueError(
                "a tournament can be chosen for fitness listener and music; dynamic goes by the bot's own settings"
            )
        if changed and self.searcher.split("-")[0] not in {"ga", "evolve"}:
            raise ValueError(f"{self.searcher} holds no tournaments")
        least = next(one.input for one in shipped_operators().operators if one.enabled)
        if changed and self.searcher == "evolve" and self.tournament < least:
            raise ValueError(
                f"a tournament of evolve needs {least} or more, as it has {least} winners"
            )
        return self

    def evolving(self) -> EvolveSettings:
        """Return how a language model's operators are used: the shipped settings, but for a tournament that is said."""
        usual = shipped_operators()
        said = self.searcher == "evolve" and "tournament" in self.model_fields_set
        return replace(usual, tournament_size=self.tournament) if said else usual


class Experiment(Part):
    """A whole file."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")
    title: str = Field(min_length=1, max_length=200)
    seconds: float = Field(5.0, ge=4.0, le=30.0)
    seeds: int = Field(3, ge=1, le=1000, description="Runs of each condition; seed 0 and on.")
    generator: str = Field(
        BUILT_IN,
        min_length=1,
        description="What plays: composer, a model of bot.py models list, or remote.",
    )
    model: Literal["scripted", "settings"] = Field(
        "scripted",
        description="For evolve, full and auto: the scripted model of the bench, or that of the settings file.",
    )
    wandb: bool = Field(False, description="Also log to Weights & Biases, where it is installed.")
    conditions: tuple[Condition, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _different(self) -> Self:
        names = [one.name for one in self.conditions]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise ValueError(f'two conditions are called "{twice}"')
        return self

    def quick(self) -> Experiment:
        """Return the same with few rounds, clips and seeds: to see that it runs, not what comes of it."""
        conditions = []
        for one in self.conditions:
            small = {
                "rounds": min(one.rounds, QUICK_ROUNDS),
                "population": min(one.population, QUICK_CLIPS),
            }
            conditions.append(one.model_copy(update=small))
        return self.model_copy(
            update={
                "seeds": min(self.seeds, QUICK_SEEDS),
                "seconds": 4.0,
                "conditions": tuple(conditions),
            }
        )

    def fingerprint(
        self, condition: Condition, settings: Mapping[str, Any] = MappingProxyType({})
    ) -> str:
        """Return what changes when a run of the condition would come out differently.

        Args:
            condition: One of these.
            settings: What the run takes from the settings file, where that is not as usual.
        """
        said = {
            "seconds": self.seconds,
            "generator": self.generator,
            "model": self.model,
            **condition.model_dump(mode="json"),
            **(
                {"evolving": condition.evolving().tournament_size}
                if condition.searcher in MIXES
                else {}
            ),
            **({"settings": dict(settings)} if settings else {}),
        }
        aligners = sorted({one.aligner for one in condition.listeners if one.aligner})
        if aligners:
            said["aligners"] = [fingerprint(folder) for folder in aligners]
        return hashlib.blake2b(json.dumps(said, sort_keys=True).encode(), digest_size=8).hexdigest()


def shipped() -> list[str]:
    """Return the names of the experiments that come with the program."""
    return sorted(path.stem for path in SHIPPED.glob("*.yaml"))


def load(given: str) -> Experiment:
    """Read an experiment.

    Args:
        given: Path of a YAML file, or the name of one of ``shipped``.

    Raises:
        ConfigError: There is no such file, or what it says cannot be; says what and where.
    """
    path = Path(given)
    # Not exists(): a folder of a shipped one's name is where its results went.
    if given in shipped() and not path.is_file():
        path = SHIPPED / f"{given}.yaml"
    elif not path.exists():
        raise ConfigError(
            f"There is no experiment file {given}. Name a YAML file, or one of: {', '.join(shipped())}."
        )
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f" at line {mark.line + 1}" if mark else ""
        raise ConfigError(f"{path} is not readable YAML{where}.") from None
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}.") from None
    if not isinstance(values, dict):
        raise ConfigError(f"{path} must hold keys such as name, title and conditions.")
    try:
        return Experiment.model_validate(values)
    except ValidationError as error:
        raise ConfigError(f"{path}: {_sentence(error)}") from None


def _sentence(error: ValidationError) -> str:
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        return f'there is no key "{where}".'
    if first["type"] == "missing":
        return f"{where} is missing."
    said = first["msg"].removeprefix("Value error, ")
    return f"{where}: {said}." if where else f"{said}."
