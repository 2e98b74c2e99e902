"""What all page routes share: errors as ``{"error": sentence}``."""

from __future__ import annotations

import asyncio
import logging

from aiohttp import web

from playground.errors import ApiError
from playground.refusals import RefusalError, refused
from playground.rest import Handler, answer

_log = logging.getLogger(__name__)


async def serve_page(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer a request of the page, whatever happens."""
    try:
        return await handler(request)
    except RefusalError as error:
        return answer({"error": error.sentence}, error.status)
    except ApiError as error:
        refusal = refused(error)
        return answer({"error": refusal.sentence}, refusal.status)
    except web.HTTPException as error:
        return answer({"error": f"The playground cannot do this: {error.reason}."}, error.status)
    except asyncio.CancelledError:
        raise
    except Exception:  # noqa: BLE001  (the boundary: a bug in one route must not end the server)
        _log.exception("%s %s failed", request.method, request.path)
        return answer({"error": "The playground made a mistake. Its log says more."}, 500)
