"""Logging on stderr, with the token and the language model's key blacked out whatever logs them."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping

from service.settings import token_from

FORMAT = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"
NOISY = ("discord", "aiohttp", "asyncio", "aiosqlite", "openai", "httpx2", "httpcore2")
"""Libraries that say more than a host wants to read."""
SHORTEST_KEY = 8
"""Characters below which a key is a stand-in such as ``none``, which servers without keys are given, and no secret."""


class SecretFilter(logging.Filter):
    """Replaces a secret in every record that passes."""

    def __init__(self, secret: str, word: str = "[token]") -> None:
        super().__init__()
        self._secret = secret
        self._word = word

    def filter(self, record: logging.LogRecord) -> bool:
        """Black out the secret and let the record pass."""
        message = record.getMessage()
        if self._secret in message:
            record.msg, record.args = message.replace(self._secret, self._word), None
        if record.exc_info:
            record.exc_text = (
                logging.Formatter()
                .formatException(record.exc_info)
                .replace(self._secret, self._word)
            )
            record.exc_info = None
        return True


def set_up_logging(
    environ: Mapping[str, str], level: str = "", key_variable: str = "OPENAI_API_KEY"
) -> None:
    """Log to stderr.

    Args:
        environ: The environment. Its TUNEBREEDER_LOG_LEVEL wins over ``level``.
        level: Such as ``"info"``.
        key_variable: The environment variable with the language model's key.
    """
    name = (environ.get("TUNEBREEDER_LOG_LEVEL") or level or "info").upper()
    number = logging.getLevelNamesMapping().get(name, logging.INFO)
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter(FORMAT))
    token = token_from(os.environ)
    if token is not None:
        handler.addFilter(SecretFilter(token.get_secret_value()))
    key = os.environ.get(key_variable, "").strip()
    if len(key) >= SHORTEST_KEY:
        handler.addFilter(SecretFilter(key, "[key]"))
    logging.basicConfig(level=number, handlers=[handler], force=True)
    for library in NOISY:
        logging.getLogger(library).setLevel(max(number, logging.WARNING))
