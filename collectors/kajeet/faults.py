"""What can go wrong with the Sentinel stand-in, on request."""

import asyncio
import collections
import email.utils
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

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

        The endpoints: token, devices, groups, statuses; None is any of them. Of two faults for the same
        request the one ordered first wins.
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
        await response.write(b'{"devices":["')
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


def changed(change: Callable[[dict[str, Any]], object]) -> Fault:
    """Answer with the usual JSON after ``change`` had its way with it."""

    async def fault(call: Call) -> web.StreamResponse:
        body = msgspec.json.decode(await _body(call))
        change(body)
        return web.Response(body=msgspec.json.encode(body), content_type="application/json")

    return fault


def fewer_rows(count: int) -> Fault:
    return changed(lambda body: body.update(devices=body["devices"][:count]))


def other_total(difference: int) -> Fault:
    return changed(lambda body: body.update(totalCount=body["totalCount"] + difference))


def reordered(seed: int = 0) -> Fault:
    return changed(lambda body: random.Random(seed).shuffle(body["devices"]))  # noqa: S311


def spoiled_row(index: int, **fields: object) -> Fault:
    """Give a device's fields (under their JSON names) other values; ``...`` takes a field away."""

    def change(body: dict[str, Any]) -> None:
        row = body["devices"][index] | fields
        body["devices"][index] = {name: value for name, value in row.items() if value is not ...}

    return changed(change)


async def hang(call: Call) -> web.StreamResponse:
    """Never answer."""
    await asyncio.Event().wait()
    raise AssertionError


async def html(call: Call) -> web.StreamResponse:
    return web.Response(text=HTML, content_type="text/html")


async def truncated(call: Call) -> web.StreamResponse:
    """Break off in the middle of the JSON, yet call it complete."""
    body = await _body(call)
    return web.Response(body=body[: len(body) // 2], content_type="application/json")


async def repeated(call: Call) -> web.StreamResponse:
    """Answer with the page before this one."""
    return web.Response(body=call.previous or await _body(call), content_type="application/json")


async def _body(call: Call) -> bytes:
    response = await call.reply()
    if not isinstance(response, web.Response) or not isinstance(response.body, bytes):
        raise TypeError("only a plain answer can be spoiled")
    return response.body
