"""``playground``: the bot in a loopback Discord of its own, with a page and synthetic listeners."""

from __future__ import annotations

import argparse
import asyncio
import ipaddress
import logging
import os
import sys
from typing import TYPE_CHECKING

from cli.logs import set_up_logging
from domain.errors import UsageError, UserError
from service.settings import Settings, load, models_folder

if TYPE_CHECKING:
    from playground.parts import Parts
    from playground.server import PlaygroundServer
    from service.bootstrap import Services
    from service.tasks import TaskSet

log = logging.getLogger(__name__)

TOKEN = "playground"  # noqa: S105 - of the loopback server, not of Discord
OWN_FOLDER = "playground"
MOST_LISTENERS = 50


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    command = commands.add_parser(
        "playground", help="the bot without Discord, on a page", description=__doc__
    )
    command.add_argument("--host", help="address to listen on (default: 127.0.0.1)")
    command.add_argument(
        "--port", type=int, help="port to listen on; 0 takes a free one (default: 8080)"
    )
    command.add_argument(
        "--listeners", type=int, metavar="N", help="synthetic listeners at start (default: 0)"
    )
    command.add_argument(
        "--seed", type=int, metavar="S", help="seed of their hidden tastes (default: 0)"
    )
    command.add_argument(
        "--no-bot", action="store_true", help="serve only; a bot logs in from elsewhere"
    )


def run(args: argparse.Namespace) -> int:
    """Serve until interrupted."""
    settings = with_arguments(load(args.config), args)
    set_up_logging(os.environ, settings.log_level, settings.language.key_variable)
    asyncio.run(serve(settings, bot=not args.no_bot))
    return 0


def with_arguments(settings: Settings, args: argparse.Namespace) -> Settings:
    """Return the settings with the command line's changes, and a data folder apart from the real bot's.

    Raises:
        UsageError: A number is out of range.
    """
    given = {key: getattr(args, key) for key in ("host", "port", "listeners", "seed")}
    ours = {key: value for key, value in given.items() if value is not None}
    for key, low, high in (
        ("port", 0, 65535),
        ("listeners", 0, MOST_LISTENERS),
        ("seed", 0, 2**31 - 1),
    ):
        if key in ours and not low <= ours[key] <= high:
            raise UsageError(f"--{key} must be from {low} to {high}, not {ours[key]}.")
    folder = settings.storage.data_dir / OWN_FOLDER
    storage = settings.storage.model_copy(
        update={"data_dir": folder, "models_dir": str(models_folder(settings))}
    )
    return settings.model_copy(
        update={"playground": settings.playground.model_copy(update=ours), "storage": storage}
    )


async def serve(settings: Settings, *, bot: bool = True) -> None:
    """Start the server, its listeners and the bot; end them all at an interrupt.

    Raises:
        UserError: The address cannot be listened on.
    """
    from playground.audience import Audience  # noqa: PLC0415 - slow imports only for this command
    from playground.server import PlaygroundServer  # noqa: PLC0415
    from service.tasks import TaskSet  # noqa: PLC0415

    chosen = settings.playground
    server = PlaygroundServer()
    tasks = TaskSet()
    try:
        try:
            await server.start(chosen.host, chosen.port)
        except OSError as error:
            why = os.strerror(error.errno) if error.errno and error.errno > 0 else str(error)
            raise UserError(
                f"{chosen.host}:{chosen.port} cannot be listened on: {why}. "
                "Is a playground running already? Try another port: make run PORT=9000."
            ) from None
        audience = Audience(server.parts, tasks)
        server.use_listeners(audience)
        if chosen.listeners:
            await audience.add(chosen.listeners, chosen.seed)
        _greet(server.page_url, chosen.host)
        if bot:
            await _run_bot(settings, server)
        else:
            print(f"API {server.api_url}  gateway {server.gateway_url}  token {TOKEN}", flush=True)
            await _studio_only(settings, server, tasks)
    finally:
        await tasks.close()
        await server.close()


def _greet(url: str, host: str) -> None:
    print(f"Tunebreeder's playground is at {url}", flush=True)
    try:
        loopback = ipaddress.ip_address(host).is_loopback
    except ValueError:
        loopback = host == "localhost"
    if not loopback:
        print(
            "Anybody who reaches this address can act as anybody there.",
            file=sys.stderr,
            flush=True,
        )


async def _studio_only(settings: Settings, server: PlaygroundServer, tasks: TaskSet) -> None:
    """Keep the studio open while the bot is elsewhere."""
    from service.clock import SystemClock  # noqa: PLC0415 - slow imports only for this command
    from service.heavy.opening import open_device  # noqa: PLC0415
    from service.studio import Studio  # noqa: PLC0415

    device = open_device(settings)
    try:
        server.use_studio(Studio(device, SystemClock(), tasks))
        await asyncio.Event().wait()
    finally:
        await device.close()


async def _run_bot(settings: Settings, server: PlaygroundServer) -> None:
    from bot.run import run_bot  # noqa: PLC0415 - slow imports only for this command
    from service.bootstrap import open_services  # noqa: PLC0415
    from service.pauses import spare_what_is_here  # noqa: PLC0415
    from service.studio import Studio  # noqa: PLC0415

    discord = settings.discord.model_copy(
        update={"api": server.api_url, "gateway": server.gateway_url}
    )
    settings = settings.model_copy(update={"discord": discord})
    started = False

    async def ready() -> None:
        nonlocal started
        spare_what_is_here()
        if not started and settings.playground.auto_start:
            started = True
            _as_moderator(server.parts, await opening(services))

    async with open_services(settings) as services:
        server.use_studio(Studio(services.device, services.clock, services.tasks))
        services.tasks.spawn(services.device.warm_up(), "warm-up")
        await run_bot(TOKEN, services, ready=ready)


async def opening(services: Services) -> str:
    """Return the part of ``/evolve`` that brings the first round of a session.

    Runs outlive the playground, its messages do not: a run that is there goes on with a new round.
    """
    from domain.errors import NotFoundError  # noqa: PLC0415 - slow imports only for this command
    from domain.ids import ChannelId  # noqa: PLC0415
    from domain.run import RunState  # noqa: PLC0415
    from playground.start import MUSIC_ID  # noqa: PLC0415

    try:
        run = (await services.runs.status(ChannelId(MUSIC_ID))).run
    except NotFoundError:
        return "start"
    return {RunState.ACTIVE: "next", RunState.PAUSED: "resume", RunState.STOPPED: "start"}[
        run.state
    ]


def _as_moderator(parts: Parts, action: str) -> None:
    """Let the moderator use ``/evolve``, as they would by hand."""
    from playground.option_values import Filled  # noqa: PLC0415 - slow imports only for this command
    from playground.people import CommandCall, People, Place  # noqa: PLC0415
    from playground.refusals import RefusalError  # noqa: PLC0415
    from playground.start import MODERATOR_ID, MUSIC_ID  # noqa: PLC0415

    place = Place(user_id=MODERATOR_ID, channel_id=MUSIC_ID)
    try:
        People(parts).command(
            place, CommandCall(name="evolve", filled=Filled(path=(action,), values={}))
        )
    except RefusalError as error:
        log.warning("No round was asked for: %s", error)
