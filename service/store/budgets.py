"""What each credential may spend, as rows: budgets that hold across processes and restarts.

No lock is held while a request is under way: a slot is reserved by one statement, and a credential that serves one
request at a time is leased, for no longer than a request may take.
"""

import asyncio
import contextlib
import uuid
from collections.abc import AsyncIterator
from datetime import timedelta

import asyncpg

import sql
from collectors import budget, client
from service import errors
from service.store import pool as pools

# longer than any request, and any quiet that the vendor may ask for before it
LEASE = timedelta(seconds=client.ATTEMPT_SECONDS + client.MAX_RETRY_AFTER + 30)
_FIRST_LOOK_SECONDS = 0.02  # after finding the credential in use; then ever longer
_LONGEST_LOOK_SECONDS = 0.5
_FAREWELL_SECONDS = 5.0


class SharedBudget:
    """One credential's budget, kept in the database."""

    def __init__(self, pool: asyncpg.Pool, fingerprint: str, terms: budget.Terms) -> None:
        self.terms = terms
        self._pool = pool
        self._fingerprint = fingerprint
        self._alone = asyncio.Lock()  # of this process's own requests only one asks the database

    @contextlib.asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        async with self._leased() if self.terms.is_one_at_a_time else contextlib.nullcontext():
            await self._wait_for_slot()
            yield

    async def hold_off(self, seconds: float) -> None:
        with pools.translated():
            await self._pool.execute(sql.queries()["hold_off"], self._fingerprint, timedelta(seconds=seconds))

    def restrict(self, terms: budget.Terms) -> None:
        self.terms = self.terms.strictest(terms)

    async def _wait_for_slot(self) -> None:
        wait = await self._reserved()
        while wait > 0:
            await asyncio.sleep(wait)
            # the vendor may have asked for quiet meanwhile: then the slot is of no use
            wait = await self._reserved() if await self._is_quiet() else 0.0

    async def _reserved(self) -> float:
        """Reserve the next slot; returns the seconds until it."""
        between = timedelta(seconds=1 / self.terms.requests_per_second)
        with pools.translated():
            wait: float = await self._pool.fetchval(sql.queries()["reserve_slot"], self._fingerprint, between)
        return wait

    async def _is_quiet(self) -> bool:
        with pools.translated():
            return bool(await self._pool.fetchval(sql.queries()["is_quiet"], self._fingerprint))

    @contextlib.asynccontextmanager
    async def _leased(self) -> AsyncIterator[None]:
        holder = uuid.uuid4()
        async with self._alone:
            try:
                await self._take(holder)  # cancelled here, it may have been taken all the same
                yield
            finally:
                await self._free(holder)

    async def _take(self, holder: uuid.UUID) -> None:
        look = _FIRST_LOOK_SECONDS
        while not await self._is_taken(holder):
            await asyncio.sleep(look)
            look = min(2 * look, _LONGEST_LOOK_SECONDS)

    async def _is_taken(self, holder: uuid.UUID) -> bool:
        with pools.translated():
            taken = await self._pool.fetchval(
                sql.queries()["take_credential"], self._fingerprint, holder, LEASE
            )
        return taken is not None

    async def _free(self, holder: uuid.UUID) -> None:
        """Also while being cancelled: else every other process would wait for the lease to run out, as it does
        where the database is away; the request itself is over."""
        freeing = asyncio.ensure_future(
            self._pool.execute(sql.queries()["free_credential"], self._fingerprint, holder)
        )
        with contextlib.suppress(errors.DatabaseUnavailable), pools.translated():
            await asyncio.wait_for(asyncio.shield(freeing), _FAREWELL_SECONDS)


class SharedBudgets:
    """Budgets that all processes on one database share."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self._budgets: dict[str, SharedBudget] = {}

    def of(self, fingerprint: str, terms: budget.Terms) -> SharedBudget:
        if (known := self._budgets.get(fingerprint)) is not None:
            known.restrict(terms)
            return known
        return self._budgets.setdefault(fingerprint, SharedBudget(self._pool, fingerprint, terms))
