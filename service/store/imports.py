"""The frame of every import: one transaction, one at a time in a district, and a record of it."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import date

import asyncpg

import sql
from service import errors
from service.store import pool as pools

_LOCK = 0x616262  # one import of a district at a time


@dataclass(frozen=True, slots=True)
class District:
    time_zone: str
    pseudonym_fingerprint: str | None


@contextlib.asynccontextmanager
async def transaction(
    pool: asyncpg.Pool, district_id: int, *, is_kept: bool
) -> AsyncIterator[asyncpg.Connection]:
    """A connection in a transaction, which is undone at the end unless ``is_kept``."""
    with pools.translated():
        async with pool.acquire() as connection:
            open_transaction = connection.transaction()
            await open_transaction.start()
            try:
                await connection.execute(sql.queries()["lock_imports"], _LOCK, district_id)
                yield connection
            except BaseException:
                await open_transaction.rollback()
                raise
            await (open_transaction.commit() if is_kept else open_transaction.rollback())


async def district(connection: asyncpg.Connection, district_id: int) -> District:
    row = await connection.fetchrow(sql.queries()["importing_district"], district_id)
    if row is None:
        raise errors.ConfigError(f"there is no district {district_id} in the database")
    return District(row["time_zone"], row["pseudonym_fingerprint"])


async def keep_fingerprint(connection: asyncpg.Connection, district_id: int, fingerprint: str) -> None:
    await connection.execute(sql.queries()["record_pseudonym_fingerprint"], district_id, fingerprint)


async def record(
    connection: asyncpg.Connection,
    district_id: int,
    kind: str,
    sha256: str,
    *,
    accepted: int,
    rejected: int,
    changed: int,
) -> None:
    await connection.execute(
        sql.queries()["record_import"], district_id, kind, sha256, accepted, rejected, changed
    )


async def recompute_from(connection: asyncpg.Connection, district_id: int, on_day: date) -> None:
    """Have the loan states and school counts computed again from a day on."""
    await connection.execute(sql.queries()["mark_dirty_loan_days"], district_id, on_day)
