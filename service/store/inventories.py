"""What the packages for the district itself hold: read in one snapshot, in batches, so that a large fleet fits."""

import contextlib
from collections.abc import AsyncIterator
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg

import sql
from service.store import pool as pools

BATCH = 2000
LONGEST_SECONDS = 3600.0  # until the first rows of a million lines, on a small server, with room

Record = tuple[Any, ...]
Batches = AsyncIterator[list[Record]]


@contextlib.asynccontextmanager
async def snapshot(pool: asyncpg.Pool) -> AsyncIterator[asyncpg.Connection]:
    """Everything is read as it was at one instant. Raises DatabaseUnavailable."""
    with pools.translated():
        async with (
            pool.acquire() as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            await connection.execute(sql.queries()["inventory_snapshot"])
            yield connection


async def fingerprint(connection: asyncpg.Connection, district_id: int) -> str | None:
    """Of the key that the district's pseudonyms were made with; None: there are none."""
    found: str | None = await connection.fetchval(sql.queries()["inventory_fingerprint"], district_id)
    return found


def borrowers(connection: asyncpg.Connection, district_id: int, last_on: date) -> Batches:
    """Everybody who was lent a device, as a pseudonym, and how many loans that were."""
    return _batches(connection, "inventory_borrowers", district_id, last_on)


def line_usage(
    connection: asyncpg.Connection, district_id: int, first_on: date, last_on: date, time_zone: str
) -> Batches:
    """In the order of the columns of line_usage_period."""
    start, end = instants(first_on, last_on, time_zone)
    return _batches(connection, "line_usage_period", district_id, first_on, last_on, start, end)


def alerts(
    connection: asyncpg.Connection, district_id: int, first_on: date, last_on: date, time_zone: str
) -> Batches:
    """In the order of the columns of alerts_month."""
    return _batches(connection, "alerts_month", district_id, *instants(first_on, last_on, time_zone))


def assets(connection: asyncpg.Connection, district_id: int, last_on: date, time_zone: str) -> Batches:
    """The borrower first, a pseudonym, and the borrower's number in this package."""
    end = instants(last_on, last_on, time_zone)[1]
    return _batches(connection, "asset_inventory", district_id, last_on, end)


def unnamed(connection: asyncpg.Connection, district_id: int, last_on: date) -> Batches:
    """Every loan: the borrower first, a pseudonym, then its keys, school and dates."""
    return _batches(connection, "unnamed_loans", district_id, last_on)


def services(connection: asyncpg.Connection, district_id: int, last_on: date, time_zone: str) -> Batches:
    """The borrower first, a pseudonym, and the borrower's number in this package."""
    end = instants(last_on, last_on, time_zone)[1]
    return _batches(connection, "service_inventory", district_id, last_on, end)


def answers(connection: asyncpg.Connection, district_id: int, on_day: date) -> Batches:
    """What families answered: the student first, a pseudonym, then date, access, barrier, type and performance."""
    return _batches(connection, "confirmed_answers", district_id, on_day)


def instants(first_on: date, last_on: date, time_zone: str) -> tuple[datetime, datetime]:
    """The first instant of the days, and the first after them."""
    zone, midnight = ZoneInfo(time_zone), datetime.min.time()
    return (
        datetime.combine(first_on, midnight, zone),
        datetime.combine(last_on + timedelta(days=1), midnight, zone),
    )


async def _batches(connection: asyncpg.Connection, query: str, *values: object) -> Batches:
    with pools.translated():
        cursor = await connection.cursor(sql.queries()[query], *values)
        while rows := await cursor.fetch(BATCH, timeout=LONGEST_SECONDS):
            yield [tuple(row) for row in rows]
