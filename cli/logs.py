"""Logging on stderr, with the token blacked out whatever logs it."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping

from service.settings import token_from

FORMAT = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"
NOISY = ("discord", "aiohttp", "asyncio", "aiosqlite")
"""Libraries that say more than a host wants to read."""


class SecretFilter(logging.Filter):
    """Replaces a secret in every record that passes."""

    def __init__(self, secret: str) -> None:
        super().__init__()
        self._secret = secret

    def filter(self, record: logging.LogRecord) -> bool:
        """Black out the secret and let the record pass."""
        message = record.getMessage()
        if self._secret in message:
            record.msg, record.args = message.replace(self._secret, "[token]"), None
        if record.exc_info:
            record.exc_text = (
                logging.Formatter()
                .formatException(record.exc_info)
                .replace(self._secret, "[token]")
            )
            record.exc_info = None
        return True


def set_up_logging(environ: Mapping[str, str], level: str = "") -> None:
    """Log to stderr at a level such as ``"info"``; the environment's TUNEBREEDER_LOG_LEVEL wins."""
    name = (environ.get("TUNEBREEDER_LOG_LEVEL") or level or "info").upper()
    number = logging.getLevelNamesMapping().get(name, logging.INFO)
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter(FORMAT))
    token = token_from(os.environ)
    if token is not None:
        handler.addFilter(SecretFilter(token.get_secret_value()))
    logging.basicConfig(level=number, handlers=[handler], force=True)
    for library in NOISY:
        logging.getLogger(library).setLevel(max(number, logging.WARNING))
