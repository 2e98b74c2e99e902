"""``doctor``: check token, intents, permissions, database, sound, language model and disk, and say what to do."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import aiohttp

from domain.clip import GeneratorInfo
from domain.errors import LanguageModelError, StorageError, TunebreederError
from service.bootstrap import DATABASE_FILE
from service.generator_state import GeneratorState, Readiness
from service.health import LOW_DISK, Stored, Unsent, stored, unsent
from service.settings import LanguageSettings, Settings, load, token_from
from storage.language_usage import DAY

TIMEOUT = aiohttp.ClientTimeout(total=10)
PERMISSIONS = {
    "View Channels": 1 << 10,
    "Send Messages": 1 << 11,
    "Attach Files": 1 << 15,
    "Read Message History": 1 << 16,
    "Add Reactions": 1 << 6,
    "Create Public Threads": 1 << 35,
    "Create Private Threads": 1 << 36,
    "Send Messages in Threads": 1 << 38,
    "Manage Threads": 1 << 34,
}
ADMINISTRATOR = 1 << 3
INVITE_PERMISSIONS = sum(PERMISSIONS.values())


class Verdict(StrEnum):
    """How a check went."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One finding: ``message`` says what is, ``remedy`` what to do."""

    name: str
    verdict: Verdict
    message: str
    remedy: str = ""


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    command = commands.add_parser(
        "doctor", help="check the set-up and say what to do", description=__doc__
    )
    command.add_argument("--json", action="store_true", help="print the findings as JSON")


def run(args: argparse.Namespace) -> int:
    """Run all checks; 1 if one failed."""
    checks = asyncio.run(examine(args.config, os.environ))
    if args.json:
        print(json.dumps([asdict(check) for check in checks], ensure_ascii=False, indent=2))
    else:
        for check in checks:
            print(f"{check.verdict.value:8}{check.name:13}{check.message}")
            if check.remedy:
                print(f"{'':21}-> {check.remedy}")
    return int(any(check.verdict is Verdict.FAILED for check in checks))


async def examine(config: Path | None, environ: Mapping[str, str]) -> list[Check]:
    """Return all findings, the settings' first; without readable settings only that one."""
    checks = [_python()]
    try:
        settings = load(config, environ)
    except TunebreederError as error:
        return [*checks, Check(name="settings", verdict=Verdict.FAILED, message=str(error))]
    checks.append(
        Check(name="settings", verdict=Verdict.OK, message="All keys are known and in range.")
    )
    checks.append(_disk(settings))
    checks += await _database(settings)
    checks += _sound(settings)
    checks.append(_encoder(settings))
    checks.append(await _language(settings.language, environ))
    checks += await _discord(settings, environ)
    return checks


def _python() -> Check:
    version = ".".join(str(part) for part in sys.version_info[:3])
    return Check(name="python", verdict=Verdict.OK, message=f"Python {version}.")


def _disk(settings: Settings) -> Check:
    folder = settings.storage.data_dir.absolute()
    existing = next(one for one in (folder, *folder.parents) if one.exists())
    if not os.access(existing, os.W_OK):
        return Check(
            name="disk",
            verdict=Verdict.FAILED,
            message=f"{existing} cannot be written to.",
            remedy="Change its owner, or set TUNEBREEDER_DATA_DIR to a folder that can.",
        )
    free = shutil.disk_usage(existing).free
    low = free < LOW_DISK
    return Check(
        name="disk",
        verdict=Verdict.WARNING if low else Verdict.OK,
        message=f"{free / 1e9:.1f} GB free for {folder}.",
        remedy="Free some space, or lower storage.audio_days." if low else "",
    )


async def _database(settings: Settings) -> list[Check]:
    from storage.database import Database  # noqa: PLC0415 - keeps other commands light

    file = settings.storage.data_dir / DATABASE_FILE
    if not file.exists():
        return [
            Check(
                name="database", verdict=Verdict.OK, message=f"{file} is made at the first start."
            )
        ]
    try:
        db = await Database.open(file, read_only=True)
        try:
            problems, now = await db.integrity(), time.time()
            if problems:
                return [_damaged(file, problems)]
            return [_stored(file, await stored(db, now)), _posts(await unsent(db, now))]
        finally:
            await db.close()
    except StorageError as error:
        return [Check(name="database", verdict=Verdict.FAILED, message=str(error))]


def _damaged(file: Path, problems: Sequence[str]) -> Check:
    return Check(
        name="database",
        verdict=Verdict.FAILED,
        message=f"{file}: {problems[0]}"
        + (f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""),
        remedy="Stop the bot and put the latest backup in its place.",
    )


def _stored(file: Path, found: Stored) -> Check:
    age = found.backup_age
    copied = (
        "No backup is known of." if age is None else f"Its last backup is {age / DAY:.1f} days old."
    )
    return Check(
        name="database",
        verdict=Verdict.OK,
        message=f"{file} is sound, schema {found.schema}, {found.size / 1e6:.1f} MB. {copied}",
        remedy=""
        if age is not None
        else "Make one: bot.py backup FILE. The bot may run meanwhile.",
    )


def _posts(found: Unsent) -> Check:
    if not found.failed:
        waiting = f"{found.waiting} wait to be sent." if found.waiting else "Every post is out."
        return Check(name="posts", verdict=Verdict.OK, message=waiting)
    return Check(
        name="posts",
        verdict=Verdict.WARNING,
        message=f"{found.failed} of the last day could not be sent.",
        remedy="/evolve status in their channels says why. Then use /evolve resume.",
    )


def _sound(settings: Settings) -> list[Check]:
    from bot.words_health import able_words  # noqa: PLC0415 - keeps other commands light
    from generation.registry import create_generator  # noqa: PLC0415
    from service.models.chosen import chosen_generators  # noqa: PLC0415

    checks: list[Check] = []
    try:
        for recipe in chosen_generators(settings).values():
            made = create_generator(recipe)
            info, able = made.info, made.capabilities
            at_once = settings.generation.workers or os.cpu_count() or 1
            state = GeneratorState(
                info=info,
                readiness=Readiness.ASLEEP,
                commercial=recipe.commercial,
                capabilities=able,
                batch=at_once if able.notes else able.batch,
            )
            stands = (
                f" It stands in for {info.stand_in_for}, whose weights are not set up."
                if info.stand_in_for and not checks
                else ""
            )
            words = f"{_named(info)}: {able_words(state)}.{stands}"
            checks.append(Check(name="sound", verdict=Verdict.OK, message=words))
    except TunebreederError as error:
        checks.append(Check(name="sound", verdict=Verdict.FAILED, message=str(error)))
    return checks


def _named(info: GeneratorInfo) -> str:
    details = ", ".join(f"{key} {value}" for key, value in info.details.items())
    return f"{info.name} {info.version} ({details})"


def _encoder(settings: Settings) -> Check:
    from service.models.chosen import (  # noqa: PLC0415 - keeps other commands light
        chosen_aligner,
        chosen_encoder,
    )

    try:
        weights = chosen_encoder(settings)
        axes = chosen_aligner(settings, weights)
    except TunebreederError as error:
        return Check(
            name="encoder",
            verdict=Verdict.FAILED,
            message=str(error),
            remedy="Or set scoring.encoder to features and scoring.aligner to nothing.",
        )
    words = "The built-in features hear."
    if weights is not None:
        words = f"{weights.name} ({weights.licence}) hears besides the built-in features."
    if axes is not None:
        words += f" The aligner {axes.id} adds {axes.dimensions} columns to tastes."
    return Check(name="encoder", verdict=Verdict.OK, message=words)


async def _language(settings: LanguageSettings, environ: Mapping[str, str]) -> Check:
    from service.language import NO_MODEL, try_out  # noqa: PLC0415 - keeps other commands light

    if not settings.base_url:
        return Check(name="language", verdict=Verdict.OK, message=NO_MODEL)
    try:
        words = await try_out(settings, environ)
    except LanguageModelError as error:
        return Check(
            name="language",
            verdict=Verdict.FAILED,
            message=str(error),
            remedy="Until it answers the offline breeder stands in. Check the section language of the settings and "
            f"the environment variable {settings.key_variable}.",
        )
    return Check(name="language", verdict=Verdict.OK, message=words)


async def _discord(settings: Settings, environ: Mapping[str, str]) -> list[Check]:
    token = token_from(environ)
    if token is None:
        return [
            Check(
                name="token",
                verdict=Verdict.WARNING,
                message="DISCORD_TOKEN is not set, so only the playground can run.",
                remedy="Make an application at https://discord.com/developers/applications and set its bot token.",
            )
        ]
    headers = {
        "Authorization": f"Bot {token.get_secret_value()}",
        "User-Agent": "DiscordBot (tunebreeder doctor)",
    }
    try:
        async with aiohttp.ClientSession(headers=headers, timeout=TIMEOUT) as session:
            return await _ask(session, settings.discord.api)
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:
        return [
            Check(
                name="token",
                verdict=Verdict.FAILED,
                message=f"{settings.discord.api} cannot be reached ({type(error).__name__}).",
                remedy="Check the network, or discord.api in the settings.",
            )
        ]


async def _ask(session: aiohttp.ClientSession, api: str) -> list[Check]:
    status, me = await _get(session, f"{api}/users/@me")
    if status != 200:
        return [
            Check(
                name="token",
                verdict=Verdict.FAILED,
                message=f"Discord does not accept the token (HTTP {status}).",
                remedy="Reset the token in the developer portal and set DISCORD_TOKEN to the new one.",
            )
        ]
    checks = [
        Check(name="token", verdict=Verdict.OK, message=f"Logged in as {me.get('username')}.")
    ]
    _, application = await _get(session, f"{api}/oauth2/applications/@me")
    checks.append(_intents(application))
    status, guilds = await _get(session, f"{api}/users/@me/guilds")
    checks += _permissions(
        guilds if status == 200 else None, str(application.get("id", me.get("id")))
    )
    return checks


async def _get(session: aiohttp.ClientSession, url: str) -> tuple[int, Any]:
    async with session.get(url) as response:
        return response.status, await response.json(content_type=None)


def _intents(application: Mapping[str, Any]) -> Check:
    public = application.get("bot_public")
    words = "No privileged intents are needed."
    if public is False:
        words += " The bot is private: only its owner can invite it."
    return Check(name="intents", verdict=Verdict.OK, message=words)


def _permissions(guilds: Any, application_id: str) -> list[Check]:
    invite = (
        f"https://discord.com/oauth2/authorize?client_id={application_id}"
        f"&scope=bot+applications.commands&permissions={INVITE_PERMISSIONS}"
    )
    if not isinstance(guilds, list):
        words = "The list of servers could not be read."
        return [Check(name="permissions", verdict=Verdict.WARNING, message=words)]
    if not guilds:
        return [
            Check(
                name="permissions",
                verdict=Verdict.WARNING,
                message="The bot is in no server yet.",
                remedy=f"Invite it: {invite}",
            )
        ]
    checks = []
    for guild in guilds:
        bits = int(guild.get("permissions", 0))
        missing = (
            []
            if bits & ADMINISTRATOR
            else [name for name, bit in PERMISSIONS.items() if not bits & bit]
        )
        name = str(guild.get("name", guild.get("id")))
        checks.append(
            Check(
                name="permissions",
                verdict=Verdict.WARNING if missing else Verdict.OK,
                message=f"{name}: "
                + (f"missing {', '.join(missing)}." if missing else "all that is needed."),
                remedy=f"Grant them to the bot's role, or invite it again: {invite}"
                if missing
                else "",
            )
        )
    return checks
