"""What of the bot's environment goes along to processes of others: nothing that sounds like a secret."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

_PRIVATE = re.compile(r"TOKEN|SECRET|PASSWORD|KEY", re.IGNORECASE)


def without_secrets(environ: Mapping[str, str], keep: Collection[str] = ()) -> dict[str, str]:
    """Return environment variables whose names sound like no secret.

    Args:
        environ: All of them.
        keep: Names that stay whatever they sound like.
    """
    return {
        name: value for name, value in environ.items() if name in keep or not _PRIVATE.search(name)
    }
