"""The rows that equity is judged from: every school on a day."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

import asyncpg

import sql
from service.model import equity
from service.store import pool as pools


@dataclass(frozen=True, slots=True, kw_only=True)
class District:
    """``reported_on`` None: no day is complete yet."""

    district_id: int
    name: str
    time_zone: str
    reported_on: date | None


async def districts(pool: asyncpg.Pool, *, now: datetime) -> list[District]:
    """By name, each with the day that is reported now."""
    with pools.translated():
        rows = await pool.fetch(sql.queries()["coverage_districts"], now)
    return [
        District(**{name: row[name] for name in ("district_id", "name", "time_zone", "reported_on")})
        for row in rows
    ]


async def computed(pool: asyncpg.Pool, district_id: int) -> tuple[date, date] | None:
    """The first and the last day with figures; None: there are none."""
    with pools.translated():
        row = await pool.fetchrow(sql.queries()["first_and_last_figures"], district_id)
    return (row["first_on"], row["last_on"]) if row["first_on"] is not None else None


async def schools(pool: asyncpg.Pool, district_id: int, on_day: date) -> tuple[equity.School, ...]:
    """By NCESSCH."""
    with pools.translated():
        async with pool.acquire() as connection:
            found = await _schools(connection, [district_id], [on_day])
    return found.get(district_id, ())


async def by_district(
    connection: asyncpg.Connection,
    districts: Sequence[int],
    days: Sequence[date | None],
    *,
    floor: float = equity.COMPLETENESS_FLOOR,
) -> dict[int, equity.Equity]:
    """On the day of each district (None: no day)."""
    found = await _schools(connection, districts, days)
    return {district_id: equity.of(rows, floor=floor) for district_id, rows in found.items()}


async def _schools(
    connection: asyncpg.Connection, districts: Sequence[int], days: Sequence[date | None]
) -> dict[int, tuple[equity.School, ...]]:
    found: dict[int, list[equity.School]] = {}
    for row in await connection.fetch(sql.queries()["equity_schools"], districts, days):
        values = dict(row)
        found.setdefault(values.pop("district_id"), []).append(equity.School(**values))
    return {district_id: tuple(rows) for district_id, rows in found.items()}
