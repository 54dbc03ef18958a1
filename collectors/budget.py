"""Request budgets: how fast one credential may be used, whoever uses it."""

import asyncio
import contextlib
import hashlib
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Protocol

import aiolimiter

FINGERPRINT_DIGITS = 16


@dataclass(frozen=True)
class Terms:
    """What a vendor lets one credential do. ``is_one_at_a_time``: no request while another is under way."""

    requests_per_second: float
    is_one_at_a_time: bool = False

    def strictest(self, other: "Terms") -> "Terms":
        """What keeps both: for two accounts that share a credential."""
        return Terms(
            min(self.requests_per_second, other.requests_per_second),
            self.is_one_at_a_time or other.is_one_at_a_time,
        )


class Budget(Protocol):
    """What one credential may spend at its vendor."""

    def turn(self) -> contextlib.AbstractAsyncContextManager[None]:
        """Wait until one more request may be sent; the request is sent inside."""
        ...

    async def hold_off(self, seconds: float) -> None:
        """Let nobody send for so long: the vendor asked for it."""
        ...


class Budgets(Protocol):
    """Hands out the budget of a credential: the same one to every account that shares it."""

    def of(self, fingerprint: str, terms: Terms) -> Budget: ...


def fingerprint(*parts: str) -> str:
    """Name a credential without giving it away: the start of a SHA-256 over its parts."""
    digest = hashlib.sha256()
    for part in parts:
        encoded = part.encode()
        # Lengths keep ("ab", "c") and ("a", "bc") apart.
        digest.update(len(encoded).to_bytes(8, "big") + encoded)
    return digest.hexdigest()[:FINGERPRINT_DIGITS]


class LocalBudget:
    """Spaces requests evenly, with no bursts, within this process."""

    def __init__(self, terms: Terms) -> None:
        self.terms = terms
        self._limiter = aiolimiter.AsyncLimiter(1, 1 / terms.requests_per_second)
        self._alone = asyncio.Lock()
        self._held_until = 0.0

    @contextlib.asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        async with self._alone if self.terms.is_one_at_a_time else contextlib.nullcontext():
            await self._limiter.acquire()
            while (quiet := self._held_until - time.monotonic()) > 0:
                await asyncio.sleep(quiet)
                await self._limiter.acquire()  # those that waited do not all send at once
            yield

    async def hold_off(self, seconds: float) -> None:
        self._held_until = max(self._held_until, time.monotonic() + seconds)

    def restrict(self, terms: Terms) -> None:
        """Take over what is stricter in ``terms``."""
        stricter = self.terms.strictest(terms)
        if stricter.requests_per_second < self.terms.requests_per_second:
            self._limiter = aiolimiter.AsyncLimiter(1, 1 / stricter.requests_per_second)
        self.terms = stricter


class LocalBudgets:
    """Budgets of one process. Where two accounts share a credential, the stricter terms hold for both."""

    def __init__(self) -> None:
        self._budgets: dict[str, LocalBudget] = {}

    def of(self, fingerprint: str, terms: Terms) -> LocalBudget:
        if (known := self._budgets.get(fingerprint)) is not None:
            known.restrict(terms)
            return known
        return self._budgets.setdefault(fingerprint, LocalBudget(terms))


class Unlimited:
    """No budget at all: for simulators and tests, never for a vendor."""

    def of(self, fingerprint: str, terms: Terms) -> "Unlimited":
        return self

    def turn(self) -> contextlib.AbstractAsyncContextManager[None]:
        return contextlib.nullcontext()

    async def hold_off(self, seconds: float) -> None:
        return
