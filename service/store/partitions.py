"""Monthly partitions: made ahead of time, and dropped when raw readings have been kept long enough."""

import logging
from datetime import date

import asyncpg

import sql
from service.model import retention
from service.store import pool as pools
from service.store import readings

MONTHS_AHEAD = 2

_log = logging.getLogger(__name__)


async def maintain(pool: asyncpg.Pool, *, today: date, reading_months: int) -> None:
    """Make the partitions of the coming months; drop raw readings older than ``reading_months``."""
    with pools.translated():
        async with pool.acquire() as connection:
            await readings.ensure_partitions(connection, today, retention.month(today, MONTHS_AHEAD))
        await _drop_old(pool, retention.first_kept(today, reading_months))


async def _drop_old(pool: asyncpg.Pool, first_kept: date) -> None:
    for row in await pool.fetch(sql.queries()["old_reading_partitions"], first_kept):
        try:
            await pool.execute(sql.queries()["drop_partition"], row["parent"], row["partition"])
        except asyncpg.LockNotAvailableError:
            # Somebody reads the table; the next run tries again.
            _log.info("%s is in use; kept for now", row["partition"], extra={"action": "partition_kept"})
        else:
            _log.info("dropped %s: its time is over", row["partition"], extra={"action": "partition_dropped"})
