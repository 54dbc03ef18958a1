"""What the stand-ins of the described platforms share: tokens, lines, and the reading of requests."""

import base64
import itertools
import math
import time
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, ClassVar

import msgspec
from aiohttp import web

from collectors import simulation
from collectors.described.world import Line

Row = dict[str, Any]
TOKEN_SECONDS = 3600


class Simulator:
    """What all four share: tokens, and pages of lines. ``lines`` may be changed while it is served."""

    credentials: ClassVar[Mapping[str, str]]
    prefix: ClassVar[str] = ""  # of every path

    def __init__(self, lines: Sequence[Line], faults: simulation.Faults | None = None) -> None:
        self.lines = list(lines)
        self.faults = faults or simulation.Faults()
        self.tokens: set[str] = set()
        self.is_revoked = False
        self._serial = itertools.count(1)

    def app(self) -> web.Application:
        app = web.Application(middlewares=[self.faults.middleware])
        self.add_routes(app.router)
        return app

    def add_routes(self, router: web.UrlDispatcher) -> None:
        raise NotImplementedError

    def row(self, line: Line) -> Row:
        """A line as the platform lists it."""
        raise NotImplementedError

    def expire(self) -> None:
        """Every token given so far is refused from now on."""
        self.tokens.clear()

    def revoke(self) -> None:
        """The credentials are refused from now on, and every token given for them."""
        self.expire()
        self.is_revoked = True

    def new_token(self) -> str:
        token = jwt({"exp": int(time.time()) + TOKEN_SECONDS, "jti": next(self._serial)})
        self.tokens.add(token)
        return token

    def is_signed_in(self, request: web.Request) -> bool:
        return request.headers.get("Authorization", "").removeprefix("Bearer ") in self.tokens

    def line(self, key: str) -> Line | None:
        return next((line for line in self.lines if self.key(line) == key), None)

    def key(self, line: Line) -> str:
        raise NotImplementedError


def numbered(rows: Sequence[Row], number: int, size: int) -> web.Response:
    """A page as 1NCE and emnify send it: a bare list, and its place in headers."""
    found = rows[(number - 1) * size : number * size]
    headers = {
        "X-Current-Page": str(number),
        "X-Total-Pages": str(math.ceil(len(rows) / size)),
        "X-Total-Count": str(len(rows)),
        "X-Count-Per-Page": str(size),
    }
    return simulation.answer(found, headers=headers)


def within(line: Line, first: date, last: date) -> list[tuple[date, int]]:
    return [(on, used) for on, used in sorted(line.days.items()) if first <= on <= last]


async def read_json(request: web.Request) -> Row:
    body: Row = await request.json()
    return body


def numbers(query: Mapping[str, str], expected: Mapping[str, int]) -> tuple[int, ...] | None:
    """The values of whole numbers, with their defaults; None where one is none."""
    found = []
    for name, default in expected.items():
        text = query.get(name, str(default))
        if not text.isdecimal() or (default and int(text) < 1):
            return None
        found.append(int(text))
    return tuple(found)


def dates(query: Mapping[str, str], first: str, last: str) -> tuple[date, date] | None:
    try:
        return date.fromisoformat(query[first]), date.fromisoformat(query[last])
    except (KeyError, ValueError):
        return None


def jwt(claims: Mapping[str, object]) -> str:
    """A token of the right shape. Its signature is none: the stand-in knows its tokens by heart."""
    encode = msgspec.json.encode
    parts = (encode({"alg": "none", "typ": "JWT"}), encode(claims), b"simulated")
    return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts)
