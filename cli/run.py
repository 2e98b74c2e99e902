"""``run``: be on Discord, with the token of DISCORD_TOKEN."""

from __future__ import annotations

import argparse
import asyncio
import os

from cli.logs import set_up_logging
from domain.errors import ConfigError
from service.settings import Settings, load, token_from


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    commands.add_parser("run", help="be on Discord", description=__doc__)


def run(args: argparse.Namespace) -> int:
    """Run until interrupted.

    Raises:
        ConfigError: There is no token, or Discord refuses it.
    """
    settings = load(args.config)
    set_up_logging(os.environ, settings.log_level, settings.language.key_variable)
    token = token_from(os.environ)
    if token is None:
        raise ConfigError(
            "DISCORD_TOKEN is not set. Set it to your bot's token, or try the bot without Discord: make run."
        )
    asyncio.run(serve(settings, token.get_secret_value()))
    return 0


async def serve(settings: Settings, token: str) -> None:
    """Open everything, be on Discord until interrupted, close everything."""
    from bot.run import run_bot  # noqa: PLC0415 - discord.py only where it is needed
    from service.bootstrap import open_services  # noqa: PLC0415
    from service.pauses import spare_what_is_here  # noqa: PLC0415

    async with open_services(settings) as services:

        def ready() -> None:
            spare_what_is_here()
            services.tasks.spawn(services.device.warm_up(), "warm-up")

        await run_bot(token, services, ready=ready)
