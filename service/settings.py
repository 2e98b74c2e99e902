"""Settings: one YAML file, then the environment. Every key is documented here and has a default.

Secrets (``DISCORD_TOKEN``, the key of a language model) come from the environment only; in the file they are refused.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self, get_args

import yaml
from pydantic import Field, SecretStr, ValidationError, model_validator

from domain.errors import ConfigError
from domain.run import SearcherName
from service.settings_generation import GenerationSettings
from service.settings_rules import FitnessSettings, LimitSettings
from service.settings_section import Section
from service.settings_taste import ScoringSettings, TasteSettings

DEFAULT_FILE = Path("config.yaml")

ENVIRONMENT = {
    "TUNEBREEDER_DISCORD_API": ("discord", "api"),
    "TUNEBREEDER_DISCORD_GATEWAY": ("discord", "gateway"),
    "TUNEBREEDER_DATA_DIR": ("storage", "data_dir"),
    "TUNEBREEDER_LOG_LEVEL": ("log_level",),
    "TUNEBREEDER_WORKERS": ("generation", "workers"),
    "TUNEBREEDER_LANGUAGE_URL": ("language", "base_url"),
    "TUNEBREEDER_LANGUAGE_MODEL": ("language", "model"),
}
"""Environment variables and the setting each one overrides. ``DISCORD_TOKEN`` is apart: it has no key."""


class DiscordSettings(Section):
    """How to reach Discord, or any server that speaks its protocol."""

    api: str = Field(
        "https://discord.com/api/v10",
        description="Base address of the REST API.",
        pattern=r"^https?://",
    )
    gateway: str = Field(
        "wss://gateway.discord.gg/", description="Address of the gateway.", pattern=r"^wss?://"
    )
    sync_commands: bool = Field(
        True, description="Register the slash commands at start when they changed."
    )
    everyone_may_start: bool = Field(
        True, description="Whether any member may start a run, or moderators only."
    )


class StorageSettings(Section):
    """Where things are kept, and for how long."""

    data_dir: Path = Field(Path("data"), description="Folder of the database and the audio files.")
    models_dir: str = Field(
        "", description="Folder of model weights; empty is models below data_dir."
    )
    audio_days: float = Field(
        30.0,
        ge=0.0,
        description="Days after which audio that was never posted is deleted. Posted and kept clips stay; 0 keeps all.",
    )


class RunDefaults(Section):
    """What a run uses where its starter does not say."""

    seconds: float = Field(8.0, ge=4.0, le=30.0, description="Length of a clip in seconds.")
    candidates: int = Field(
        12, ge=4, le=32, description="Clips rendered for a generation; four of them are posted."
    )
    quorum: int = Field(2, ge=1, le=100, description="Voters after which a round closes.")
    settle: float = Field(
        15.0,
        ge=0.0,
        le=600.0,
        description="Seconds without a new vote before a quorum closes the round.",
    )
    timer_minutes: float = Field(
        20.0,
        ge=0.0,
        le=10080.0,
        description="Minutes after which a round closes by itself; 0 is never.",
    )
    unattended_limit: int = Field(
        3, ge=1, le=100, description="Rounds in a row without a vote after which a run pauses."
    )
    repost_every: int = Field(
        5,
        ge=0,
        le=1000,
        description="Rounds after which an old clip comes back unmarked among new ones, so that votes prove whether "
        "these are better; 0 is never.",
    )
    searcher: SearcherName = Field(
        "auto",
        description="What breeds. evolve applies operators and full rewrites the whole population, both with the "
        "language model; auto mixes them with the built-in offline breeder by what each has earned, and is offline in "
        "runs that start while no model is set up. ga, cmaes, snes, pgpe, xnes and cem search by numbers, see "
        "docs/search.md; those that end in -tokens need a generator that takes embeddings.",
    )


class ReactionSettings(Section):
    """Ordinary emoji reactions as votes."""

    weight: float = Field(
        0.5,
        gt=0.0,
        le=1.0,
        description="Evidence of a reaction against a button press, which is 1.",
    )
    emoji: dict[str, Annotated[float, Field(ge=-1.0, le=1.0)]] = Field(
        default={
            "👍": 0.5,
            "❤️": 1.0,
            "🔥": 1.0,
            "😍": 1.0,
            "🎉": 0.8,
            "🙂": 0.5,
            "👎": -0.8,
            "😐": -0.4,
            "😖": -1.0,
            "🤮": -1.0,
            "💤": -0.6,
        },
        description="Rating in [-1, 1] of each emoji for the whole post. A custom emoji is written by its name.",
    )
    slots: dict[str, Annotated[int, Field(ge=1, le=4)]] = Field(
        default={"1️⃣": 1, "2️⃣": 2, "3️⃣": 3, "4️⃣": 4, "🇦": 1, "🇧": 2, "🇨": 3, "🇩": 4},
        description="Emoji that like a single clip of the post, with its place from 1 to 4.",
    )


class LanguageSettings(Section):
    """The language model that writes prompts and chats; without an address the offline breeder does both."""

    base_url: str = Field(
        "",
        description="Address of a server that speaks OpenAI's chat completions, such as http://localhost:11434/v1; "
        "empty is none.",
        pattern=r"^(https?://[^\s/@?#]+(/[^\s@?#]*)?)?$",
    )
    model: str = Field("", description="Name of the model, as the server knows it.")
    models: dict[str, str] = Field(
        default={},
        description="Other models for some tasks: operator, full, novel, reflect or chat; operator:NAME is for one "
        "operator.",
    )
    key_variable: str = Field(
        "OPENAI_API_KEY",
        description="Environment variable that holds the server's key. A server that wants none needs none.",
        pattern=r"^[A-Za-z_][A-Za-z0-9_]*$",
    )
    temperature: float = Field(
        0.8, ge=0.0, le=2.0, description="How varied the answers are, where a task does not say."
    )
    extra: dict[str, Any] = Field(
        default={},
        description="Further fields of every request, as the server knows them, such as {reasoning_effort: low}.",
    )
    timeout: float = Field(
        60.0, gt=0.0, le=600.0, description="Seconds after which a request is given up."
    )
    retries: int = Field(
        2, ge=0, le=5, description="Further tries where a server is busy or cannot be reached."
    )
    concurrency: int = Field(4, ge=1, le=64, description="Requests in flight at a time.")
    requests_per_minute: int = Field(
        60,
        ge=0,
        le=10000,
        description="Requests of one Discord server within a minute; 0 is no limit.",
    )
    daily_money: float = Field(
        0.0,
        ge=0.0,
        description="What one Discord server may spend in a day (UTC), in the prices' currency; 0 is no limit.",
    )
    daily_tokens: int = Field(
        2_000_000,
        ge=0,
        description="Tokens that one Discord server may use in a day (UTC); 0 is no limit.",
    )
    price_in: float = Field(0.0, ge=0.0, description="Price of a million tokens read.")
    price_out: float = Field(0.0, ge=0.0, description="Price of a million tokens written.")
    prices: dict[str, tuple[Annotated[float, Field(ge=0.0)], Annotated[float, Field(ge=0.0)]]] = (
        Field(
            default={},
            description="Prices of single models where they differ: for each its name and [read, written].",
        )
    )
    cache: int = Field(256, ge=0, le=10000, description="Answers remembered for equal requests.")

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.base_url and not self.model:
            raise ValueError("language.base_url is set, so language.model must name a model")
        return self


class PlaygroundSettings(Section):
    """The loopback Discord and its page."""

    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(8080, ge=0, le=65535, description="Port to listen on; 0 takes a free one.")
    listeners: int = Field(
        0, ge=0, le=50, description="Synthetic listeners in the channel at start."
    )
    seed: int = Field(0, ge=0, description="Seed of the synthetic listeners' hidden tastes.")
    auto_start: bool = Field(True, description="Whether the first round is started by itself.")


class Settings(Section):
    """All settings. The token is not part of them: see ``token_from``."""

    discord: DiscordSettings = Field(default_factory=DiscordSettings)
    storage: StorageSettings = Field(default_factory=StorageSettings)
    runs: RunDefaults = Field(default_factory=RunDefaults)
    limits: LimitSettings = Field(default_factory=LimitSettings)
    generation: GenerationSettings = Field(default_factory=GenerationSettings)
    scoring: ScoringSettings = Field(default_factory=ScoringSettings)
    reactions: ReactionSettings = Field(default_factory=ReactionSettings)
    taste: TasteSettings = Field(default_factory=TasteSettings)
    fitness: FitnessSettings = Field(default_factory=FitnessSettings)
    language: LanguageSettings = Field(default_factory=LanguageSettings)
    playground: PlaygroundSettings = Field(default_factory=PlaygroundSettings)
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="How much is logged. Message texts and prompts only at debug."
    )


def language_key(settings: LanguageSettings, environ: Mapping[str, str]) -> SecretStr:
    """Return the key of the language model's server from the environment; empty where none is set."""
    return SecretStr(environ.get(settings.key_variable, "").strip())


def models_folder(settings: Settings) -> Path:
    """Return where model weights lie."""
    named = settings.storage.models_dir
    return Path(named) if named else settings.storage.data_dir / "models"


SECRET_WORDS = ("token", "secret", "password", "api_key", "apikey")


def token_from(environ: Mapping[str, str]) -> SecretStr | None:
    """Return the bot token of ``DISCORD_TOKEN``, or ``None`` when it is not set."""
    value = environ.get("DISCORD_TOKEN", "").strip()
    return SecretStr(value) if value else None


def load(path: Path | None = None, environ: Mapping[str, str] | None = None) -> Settings:
    """Read the settings: defaults, then the YAML file, then the environment.

    Args:
        path: The file. ``None`` takes ``config.yaml`` if it is there; a named file must exist.
        environ: The environment; ``os.environ`` when ``None``.

    Raises:
        ConfigError: A key is unknown or a value is wrong; names the key and the nearest right one.
    """
    values = _read_file(path)
    _refuse_secrets(values, "")
    for name, keys in ENVIRONMENT.items():
        value = (os.environ if environ is None else environ).get(name, "").strip()
        if value:
            _put(values, keys, value)
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        raise ConfigError(_sentence(error, path or DEFAULT_FILE)) from None


def _read_file(path: Path | None) -> dict[str, Any]:
    file = path or DEFAULT_FILE
    if not file.exists():
        if path is None:
            return {}
        raise ConfigError(
            f"There is no settings file {file}. Copy config.example.yaml to it, or leave --config away."
        )
    try:
        values = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f" at line {mark.line + 1}" if mark else ""
        raise ConfigError(
            f"{file} is not readable YAML{where}. Compare it with config.example.yaml."
        ) from None
    except OSError as error:
        raise ConfigError(f"{file} cannot be read: {error.strerror}.") from None
    if values is None:
        return {}
    if not isinstance(values, dict):
        raise ConfigError(f"{file} must hold sections with keys, as config.example.yaml does.")
    return values


def _refuse_secrets(values: Mapping[Any, Any], prefix: str) -> None:
    for key, value in values.items():
        if isinstance(value, Mapping):
            _refuse_secrets(value, f"{prefix}{key}.")
        elif f"{prefix}{key}" in set(keys()) or isinstance(value, (int, float)):
            continue
        elif any(word in str(key).lower() for word in SECRET_WORDS):
            variable = (
                "that language.key_variable names (OPENAI_API_KEY)"
                if prefix.startswith("language.")
                else "DISCORD_TOKEN"
            )
            raise ConfigError(
                f"{prefix}{key} looks like a secret. Remove it from the file and set the environment variable "
                f"{variable} instead."
            )


def _put(values: dict[str, Any], keys: tuple[str, ...], value: str) -> None:
    for key in keys[:-1]:
        inner = values.get(key)
        if not isinstance(inner, dict):
            inner = values[key] = {}
        values = inner
    values[keys[-1]] = value


def _sentence(error: ValidationError, file: Path) -> str:
    problem = error.errors(include_url=False, include_input=False)[0]
    key = ".".join(str(part) for part in problem["loc"])
    if problem["type"] == "extra_forbidden":
        known = list(keys()) if "." in key else list(Settings.model_fields)
        near = difflib.get_close_matches(key, known, n=1, cutoff=0.4)
        hint = (
            f" Did you mean {near[0]}?"
            if near
            else " See config.example.yaml for the keys there are."
        )
        return f"{file}: there is no setting {key}.{hint}"
    variable = next((name for name, path in ENVIRONMENT.items() if ".".join(path) == key), None)
    also = f" (or the environment variable {variable})" if variable else ""
    reason = str(problem["msg"])
    return f"{file}: the setting {key}{also} is wrong: {reason[:1].lower()}{reason[1:]}."


def keys() -> Iterator[str]:
    """Yield every key as ``section.name``."""
    for name, field in Settings.model_fields.items():
        section = field.annotation
        if isinstance(section, type) and issubclass(section, Section):
            yield from (f"{name}.{inner}" for inner in section.model_fields)
        else:
            yield name


def example() -> str:
    """Return the text of ``config.example.yaml``: every key with its meaning and default."""
    lines = [
        "# Tunebreeder settings. Copy to config.yaml and change what you need; everything here is the default.",
        "# Secrets do not belong here: set DISCORD_TOKEN, and OPENAI_API_KEY if there is one, in the environment.",
    ]
    for name, field in Settings.model_fields.items():
        section = field.annotation
        if isinstance(section, type) and issubclass(section, Section):
            lines += ["", f"# {(section.__doc__ or '').splitlines()[0]}", f"{name}:"]
            for key, inner in section.model_fields.items():
                lines += _lines(key, inner, "  ")
        else:
            lines += ["", *_lines(name, field, "")]
    return "\n".join(lines) + "\n"


def _lines(key: str, field: Any, indent: str) -> list[str]:
    choices = [str(choice) for choice in get_args(field.annotation) if isinstance(choice, str)]
    note = f" One of {', '.join(choices)}." if len(choices) > 1 else ""
    default = field.get_default(call_default_factory=True)
    if isinstance(default, Path):
        default = str(default)
    text = yaml.safe_dump({key: default}, allow_unicode=True, sort_keys=False).rstrip()
    return [
        f"{indent}# {field.description}{note}",
        *(f"{indent}{line}" for line in text.splitlines()),
    ]
