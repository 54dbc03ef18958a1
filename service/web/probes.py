"""/healthz and /readyz, open to everybody: whether the service does its work, and whether it can answer yet."""

from collections.abc import Callable
from dataclasses import dataclass

import aiohttp.web


@dataclass(frozen=True, slots=True)
class Health:
    """Whether the service should be left alone, and why."""

    is_alive: bool
    reason: str


def add_routes(
    application: aiohttp.web.Application,
    *,
    health: Callable[[], Health],
    ready: Callable[[], bool],
    is_guarded: bool = False,
) -> None:
    """Where people sign in, these say yes or no and nothing else: a reason names accounts."""

    async def healthz(_: aiohttp.web.Request) -> aiohttp.web.Response:
        found = health()
        reason = {} if is_guarded else {"reason": found.reason}
        return _answer(found.is_alive, {"is_alive": found.is_alive, **reason})

    async def readyz(_: aiohttp.web.Request) -> aiohttp.web.Response:
        is_ready = ready()
        return _answer(is_ready, {"is_ready": is_ready})

    application.router.add_get("/healthz", healthz)
    application.router.add_get("/readyz", readyz)


def _answer(is_well: bool, content: dict[str, object]) -> aiohttp.web.Response:
    return aiohttp.web.json_response(content, status=200 if is_well else 503)
