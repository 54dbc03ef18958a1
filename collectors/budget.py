"""Request budgets: how fast one credential may be used, whoever uses it."""

import hashlib
from collections.abc import Iterator
from typing import Protocol

import aiolimiter

FINGERPRINT_DIGITS = 16


class Budget(Protocol):
    """What one credential may spend at its vendor."""

    async def reserve(self) -> None:
        """Return when one more request may be sent."""
        ...


class Budgets(Protocol):
    """Hands out the budget of a credential: the same one to every account that shares it."""

    def of(self, fingerprint: str, requests_per_second: float) -> Budget: ...


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

    def __init__(self, requests_per_second: float) -> None:
        self.requests_per_second = requests_per_second
        self._limiter = aiolimiter.AsyncLimiter(1, 1 / requests_per_second)

    async def reserve(self) -> None:
        await self._limiter.acquire()

    def slow_down(self, requests_per_second: float) -> None:
        """Take over a lower rate; a higher one changes nothing."""
        if requests_per_second < self.requests_per_second:
            self.requests_per_second = requests_per_second
            self._limiter = aiolimiter.AsyncLimiter(1, 1 / requests_per_second)


class LocalBudgets:
    """Budgets of one process. Where two accounts share a credential, the lower rate holds for both."""

    def __init__(self) -> None:
        self._budgets: dict[str, LocalBudget] = {}

    def of(self, fingerprint: str, requests_per_second: float) -> LocalBudget:
        if (known := self._budgets.get(fingerprint)) is not None:
            known.slow_down(requests_per_second)
            return known
        return self._budgets.setdefault(fingerprint, LocalBudget(requests_per_second))

    def __iter__(self) -> Iterator[LocalBudget]:
        return iter(self._budgets.values())


class Unlimited:
    """No budget at all: for simulators and tests, never for a vendor."""

    def of(self, fingerprint: str, requests_per_second: float) -> "Unlimited":
        return self

    async def reserve(self) -> None:
        return
