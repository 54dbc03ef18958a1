"""Sign-ins that end: a token is kept while it is good, and replaced when it is refused."""

import asyncio
import base64
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

import msgspec

from collectors import errors

MARGIN_SECONDS = 60.0  # sign in again this long before a token ends
_BRIEF_SECONDS = 60.0  # a token that is refused this soon after another was is no accident

Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Grant:
    """What a sign-in gave: the headers that carry it, and for how many seconds it is good."""

    headers: Mapping[str, str] = field(repr=False)
    seconds: float


@dataclass(frozen=True, eq=False)
class Token:
    """A grant, and when, on the monotonic clock, it was got and is to be used no more."""

    headers: Mapping[str, str] = field(repr=False)
    got_at: float
    usable_until: float


class _Claims(msgspec.Struct, frozen=True, gc=False):
    """The two parts of a JWT that tell its lifetime."""

    exp: float | None = None
    iat: float | None = None


class SignIn:
    """Keeps one account's token. ``grant`` signs in and may raise CollectorError."""

    def __init__(
        self, grant: Callable[[], Awaitable[Grant]], *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._grant = grant
        self._monotonic = monotonic
        self._token: Token | None = None
        self._signing_in = asyncio.Lock()

    async def token(self, *, refused: Token | None = None) -> Token:
        """Return a token that is still good and is not the ``refused`` one."""
        async with self._signing_in:
            if self._token is None or self._token is refused or self._monotonic() >= self._token.usable_until:
                self._token = await self._signed_in()
            return self._token

    def visit(self) -> "Visit":
        return Visit(self)

    async def _signed_in(self) -> Token:
        grant = await self._grant()
        now = self._monotonic()
        return Token(grant.headers, now, now + max(grant.seconds - MARGIN_SECONDS, grant.seconds / 2))


class Visit:
    """The calls of one sweep. A token that is refused in its midst is replaced, but not over and over."""

    def __init__(self, sign_in: SignIn) -> None:
        self._sign_in = sign_in
        self._refused: Token | None = None

    async def call(self, send: Callable[[Mapping[str, str]], Awaitable[Answer]]) -> Answer:
        """Send with the token's headers, and once more with a new one's. Raises CollectorError."""
        token = await self._sign_in.token()
        try:
            return await send(token.headers)
        except errors.AuthenticationFailed:
            # calls that are under way together are refused with the same token
            if self._refused not in (None, token) and token.got_at - self._refused_at() < _BRIEF_SECONDS:
                raise
            self._refused = token
        return await send((await self._sign_in.token(refused=token)).headers)

    def _refused_at(self) -> float:
        return self._refused.got_at if self._refused is not None else 0.0


def basic(username: str, password: str) -> dict[str, str]:
    """The header of HTTP Basic."""
    return {"authorization": f"Basic {base64.b64encode(f'{username}:{password}'.encode()).decode()}"}


def bearer(token: str) -> dict[str, str]:
    """The header of a bearer token. Raises ResponseInvalid for one that no header can carry."""
    if not is_sendable(token):
        raise errors.ResponseInvalid("the sign-in's answer holds a token that no header can carry")
    return {"authorization": f"Bearer {token}"}


def is_sendable(token: str) -> bool:
    return bool(token) and token.isascii() and token.isprintable()


def jwt_seconds(token: str, *, vendor_now: float) -> float | None:
    """Seconds that a JWT lasts; None where it does not tell. With ``iat`` no clock is needed.

    The claims are not verified: it is the vendor who checks them.
    """
    try:
        _, payload, _ = token.split(".")
        padded = payload + "=" * (-len(payload) % 4)
        claims = msgspec.json.decode(base64.urlsafe_b64decode(padded), type=_Claims)
    except (ValueError, msgspec.MsgspecError):
        return None
    if claims.exp is None:
        return None
    seconds = claims.exp - (claims.iat if claims.iat is not None else vendor_now)
    return seconds if seconds > 0 else None
