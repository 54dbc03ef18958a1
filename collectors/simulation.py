"""What the vendors' stand-ins share: serving, and what can go wrong, on request."""

import asyncio
import collections
import contextlib
import email.utils
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

import msgspec
from aiohttp import web
from aiohttp.typedefs import Handler

BLIND_STATUS = 503
HTML = "<!doctype html><title>Sign in</title>"


@dataclass(frozen=True)
class Call:
    """A request that a fault may spoil: what would be answered, and what the same endpoint answered last."""

    request: web.Request
    reply: Callable[[], Awaitable[web.StreamResponse]]
    previous: bytes | None


Fault = Callable[[Call], Awaitable[web.StreamResponse]]


@dataclass(frozen=True)
class Order:
    """A fault for the requests ``start`` to ``end`` of an endpoint, counted from 1, the end left out."""

    fault: Fault
    endpoint: str | None
    start: int
    end: int


class Faults:
    """The faults on order. ``is_blind``: every request is answered 503, as if the vendor were down."""

    def __init__(self) -> None:
        self.is_blind = False
        self._orders: list[Order] = []
        self._previous: dict[str, bytes] = {}
        self._seen: collections.Counter[str | None] = collections.Counter()

    def next(self, fault: Fault, *, endpoint: str | None = "devices", after: int = 0, times: int = 1) -> None:
        """Spoil ``times`` requests of an endpoint, from the next but ``after`` on.

        An endpoint is the name of a route; None is any of them. Of two faults for the same request the one
        ordered first wins.
        """
        start = self.seen(endpoint) + after + 1
        self._orders.append(Order(fault, endpoint, start, start + times))

    def seen(self, endpoint: str | None = None) -> int:
        """How many requests came in, spoiled or not."""
        return self._seen[endpoint]

    def clear(self) -> None:
        self.is_blind = False
        self._orders.clear()

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        endpoint = request.match_info.route.name or ""
        self._seen.update((endpoint, None))
        if self.is_blind:
            return web.json_response({"message": "Service Unavailable"}, status=BLIND_STATUS)
        order = self._due(endpoint)
        call = Call(request, lambda: handler(request), self._previous.get(endpoint))
        response = await (call.reply() if order is None else order.fault(call))
        if isinstance(response, web.Response) and isinstance(response.body, bytes):
            self._previous[endpoint] = response.body
        return response

    def _due(self, endpoint: str) -> Order | None:
        for order in self._orders:
            if order.endpoint in {None, endpoint} and order.start <= self.seen(order.endpoint) < order.end:
                return order
        return None


def status(code: int, *, retry_after: str | None = None) -> Fault:
    async def fault(call: Call) -> web.StreamResponse:
        headers = {} if retry_after is None else {"Retry-After": retry_after}
        return web.json_response({"message": "refused"}, status=code, headers=headers)

    return fault


def redirect(location: str) -> Fault:
    async def fault(call: Call) -> web.StreamResponse:
        return web.Response(status=302, headers={"Location": location})

    return fault


def oversized(size: int) -> Fault:
    """Answer JSON of ``size`` bytes without telling its length first."""

    async def fault(call: Call) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        await response.prepare(call.request)
        await response.write(b'["')
        for _ in range(size // 65_536 + 1):
            await response.write(b"x" * 65_536)
        return response

    return fault


def dated(seconds: float) -> Fault:
    """Answer as usual with a Date that is so many seconds off."""

    async def fault(call: Call) -> web.StreamResponse:
        response = await call.reply()
        response.headers["Date"] = email.utils.formatdate(time.time() + seconds, usegmt=True)
        return response

    return fault


def first(action: Callable[[], object]) -> Fault:
    """Do something to the world, then answer as usual: the list changes between two pages."""

    async def fault(call: Call) -> web.StreamResponse:
        action()
        return await call.reply()

    return fault


def changed(change: Callable[[Any], object]) -> Fault:
    """Answer with the usual JSON after ``change`` had its way with it."""

    async def fault(call: Call) -> web.StreamResponse:
        response = await _reply(call)
        body = msgspec.json.decode(response.body)
        change(body)
        return _again(response, msgspec.json.encode(body))

    return fault


async def hang(call: Call) -> web.StreamResponse:
    """Never answer."""
    await asyncio.Event().wait()
    raise AssertionError


async def html(call: Call) -> web.StreamResponse:
    return web.Response(text=HTML, content_type="text/html")


async def truncated(call: Call) -> web.StreamResponse:
    """Break off in the middle of the JSON, yet call it complete."""
    response = await _reply(call)
    return _again(response, response.body[: len(response.body) // 2])


async def repeated(call: Call) -> web.StreamResponse:
    """Answer with the rows of the page before this one."""
    response = await _reply(call)
    return _again(response, call.previous or response.body)


async def trickle(call: Call) -> web.StreamResponse:
    """Answer a little at a time, and never finish."""
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    await response.prepare(call.request)
    while True:
        await response.write(b" ")
        await asyncio.sleep(0.01)


@dataclass(frozen=True)
class Reply:
    """A plain answer, taken apart."""

    status: int
    headers: Mapping[str, str]
    body: bytes


async def _reply(call: Call) -> Reply:
    response = await call.reply()
    if not isinstance(response, web.Response) or not isinstance(response.body, bytes):
        raise TypeError("only a plain answer can be spoiled")
    kept = {name: value for name, value in response.headers.items() if name.lower() != "content-length"}
    return Reply(response.status, kept, response.body)


def _again(reply: Reply, body: bytes) -> web.Response:
    """The same answer, paging in its headers and all, with another body."""
    return web.Response(status=reply.status, headers=reply.headers, body=body)


def answer(content: object, *, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    """Answer with JSON."""
    body = msgspec.json.encode(content)
    return web.Response(status=status, body=body, content_type="application/json", headers=headers)


def utc_now() -> datetime:
    return datetime.now(UTC)


class Simulator(Protocol):
    """A vendor's stand-in."""

    faults: Faults

    def app(self) -> web.Application: ...


@contextlib.asynccontextmanager
async def serve(simulator: Simulator, *, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[str]:
    """Serve until the block ends; gives the base URL. Port 0 takes a free one."""
    runner = web.AppRunner(simulator.app(), access_log=None, shutdown_timeout=0.05)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port)
        await site.start()
        yield f"http://{host}:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()
