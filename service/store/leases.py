"""One export of a district at a time. A process that dies holds it no longer than the lease lasts."""

import asyncio
import contextlib
import logging
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta

import asyncpg

import sql
from service import errors
from service.store import pool as pools

LASTS = timedelta(seconds=60)
RENEWED_EVERY = timedelta(seconds=20)

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Lease:
    district_id: int
    holder: str = field(default_factory=lambda: uuid.uuid4().hex)

    async def renew(self, where: asyncpg.Pool | asyncpg.Connection, *, lasts: timedelta = LASTS) -> None:
        """Raises ExportRefused where it is no longer held, and DatabaseUnavailable."""
        with pools.translated():
            row = await where.fetchrow(
                sql.queries()["renew_export_lease"], self.district_id, self.holder, lasts
            )
        if row is None:
            raise errors.ExportRefused(
                f"this export of district {self.district_id} stood still for too long, and another one took over: "
                "nothing was issued. Run it again."
            )


@contextlib.asynccontextmanager
async def held(
    pool: asyncpg.Pool,
    district_id: int,
    *,
    lasts: timedelta = LASTS,
    renewed_every: timedelta = RENEWED_EVERY,
) -> AsyncIterator[Lease]:
    """Raises ExportRefused where another export of the district is being made, and DatabaseUnavailable."""
    lease = Lease(district_id)
    await _take(pool, lease, lasts)
    renewing = asyncio.create_task(_renew(pool, lease, lasts, renewed_every))
    try:
        yield lease
    finally:
        renewing.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await renewing
        await _release(pool, lease)


async def _take(pool: asyncpg.Pool, lease: Lease, lasts: timedelta) -> None:
    with pools.translated():
        row = await pool.fetchrow(sql.queries()["take_export_lease"], lease.district_id, lease.holder, lasts)
    if row is None:
        raise errors.ExportRefused(
            f"another export of district {lease.district_id} is being made: wait until it is done. "
            f"One that was killed frees its place {lasts.seconds} seconds later."
        )


async def _renew(pool: asyncpg.Pool, lease: Lease, lasts: timedelta, every: timedelta) -> None:
    while True:
        await asyncio.sleep(every.total_seconds())
        try:
            await lease.renew(pool, lasts=lasts)
        except errors.DatabaseUnavailable as error:
            logger.warning(
                "The lease of an export was not renewed: %s", error, extra={"action": "renew_lease"}
            )
        except errors.ExportRefused:
            return  # whoever records the release is told


async def _release(pool: asyncpg.Pool, lease: Lease) -> None:
    # Where the database is away, it runs out by itself; what the export itself came to matters more.
    with contextlib.suppress(errors.DatabaseUnavailable), pools.translated():
        await pool.execute(sql.queries()["release_export_lease"], lease.district_id, lease.holder)
