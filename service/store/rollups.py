"""Raw readings to line days, to loan days, to school days: the days that new data touched, set-wise.

The marks are rows, so a rollup that is stopped goes on where it was.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby
from zoneinfo import ZoneInfo

import asyncpg

import sql
from service.model import retention
from service.store import pool as pools
from service.store import readings as reading_rows
from service.store import summaries

_LONGEST_RANGE = 31  # days of raw readings that one statement looks at
_MARGIN = timedelta(hours=50)  # time zones of a district and a provider, and the longest difference for a day
_EVERY_LINE = 0

Told = Callable[[date, int], None]  # the day computed, and how many more are marked


@dataclass(frozen=True)
class Thresholds:
    """The settings that decide states and coverage, and how far back there are readings to decide from."""

    completeness_floor: float = 0.9
    rsrp_floor_dbm: float = -110
    signal_samples: int = 20
    homework_starts_hour: int = 16
    homework_ends_hour: int = 22
    reading_months: int = 13


@dataclass(frozen=True)
class District:
    district_id: int
    time_zone: str

    def day_of(self, instant: datetime) -> date:
        return instant.astimezone(ZoneInfo(self.time_zone)).date()


async def districts(pool: asyncpg.Pool) -> list[District]:
    with pools.translated():
        rows = await pool.fetch(sql.queries()["all_districts"])
    return [District(row["district_id"], row["time_zone"]) for row in rows]


async def waiting(pool: asyncpg.Pool, district_id: int, last_on: date) -> int:
    """How many days up to one are still to be computed. Raises DatabaseUnavailable."""
    with pools.translated():
        found: int = await pool.fetchval(sql.queries()["days_waiting"], district_id, last_on)
    return found


async def refresh(
    pool: asyncpg.Pool,
    district: District,
    *,
    now: datetime,
    thresholds: Thresholds,
    told: Told = lambda day, marked: None,
) -> int:
    """Compute what is marked, and the days up to the present one; returns how many days were computed.

    Returns 0 where another process is at it.
    """
    today = district.day_of(now)
    days = 0
    with pools.translated():
        # A day whose readings are gone stays as it was computed.
        first_kept = retention.first_kept(today, thresholds.reading_months)
        if not await _refresh_line_days(pool, district, now, today, first_kept):
            return 0
        while (marked := await _refresh_next_day(pool, district, now, today, thresholds)) is not None:
            days += 1
            told(*marked)
    return days


async def _refresh_line_days(
    pool: asyncpg.Pool, district: District, now: datetime, today: date, first_kept: date
) -> bool:
    queries = sql.queries()
    async with pool.acquire() as connection, connection.transaction():
        if not await connection.fetchval(queries["lock_rollup"], district.district_id):
            return False
        await connection.execute(queries["mark_judged_days"], district.district_id, today, now)
        rows = await connection.fetch(queries["take_dirty_line_days"], district.district_id, first_kept)
        for account_id, first, last, lines in _ranges(rows):
            await _compute_line_days(connection, district, account_id, first, min(last, today), now, lines)
        await connection.execute(queries["mark_days_to_come"], district.district_id, today)
        await connection.execute(queries["drop_marks_before_first_day"], district.district_id, today)
    return True


async def _compute_line_days(
    connection: asyncpg.Connection,
    district: District,
    account_id: int,
    first: date,
    last: date,
    now: datetime,
    lines: list[int] | None,
) -> None:
    await reading_rows.ensure_partitions(connection, first, last)
    midnight = datetime.min.time()
    await summaries.mark(connection, district.district_id, first, last)
    await connection.execute(
        sql.queries()["compute_line_days"],
        district.district_id,
        account_id,
        first,
        last,
        now,
        lines,
        datetime.combine(first, midnight, now.tzinfo) - _MARGIN,
        datetime.combine(last, midnight, now.tzinfo) + timedelta(days=1) + _MARGIN,
    )


def _ranges(rows: Iterable[asyncpg.Record]) -> Iterator[tuple[int, date, date, list[int] | None]]:
    """Marked days as ranges of days next to each other: (account, first, last, lines or None for all)."""
    for account_id, marked in groupby(rows, key=lambda row: row["account_id"]):
        days = list(marked)
        whole = [row["on_day"] for row in days if _EVERY_LINE in row["line_ids"]]
        for first, last in _runs(whole):
            yield account_id, first, last, None
        parts = [row for row in days if _EVERY_LINE not in row["line_ids"]]
        for first, last in _runs([row["on_day"] for row in parts]):
            within = [row for row in parts if first <= row["on_day"] <= last]
            yield account_id, first, last, sorted({line for row in within for line in row["line_ids"]})


def _runs(days: list[date]) -> Iterator[tuple[date, date]]:
    first = last = None
    for day in sorted(days):
        if first is None or last is None:
            first = last = day
        elif day - last > timedelta(days=1) or (day - first).days >= _LONGEST_RANGE:
            yield first, last
            first = last = day
        else:
            last = day
    if first is not None and last is not None:
        yield first, last


async def _refresh_next_day(
    pool: asyncpg.Pool, district: District, now: datetime, today: date, thresholds: Thresholds
) -> tuple[date, int] | None:
    """Compute the earliest marked day; where that changed a row, the next day follows. None: nothing is marked."""
    queries = sql.queries()
    async with pool.acquire() as connection, connection.transaction():
        if not await connection.fetchval(queries["lock_rollup"], district.district_id):
            return None
        marked = await connection.fetchrow(queries["next_dirty_loan_day"], district.district_id, today)
        day = marked["on_day"]
        if day is None:
            return None
        await connection.execute(queries["take_dirty_loan_day"], district.district_id, day)
        changed = await compute_day(connection, district, day, now, thresholds)
        await summaries.mark(connection, district.district_id, day, day)
        is_new = await connection.fetchval(queries["set_computed_through"], district.district_id, day)
        if (changed or is_new) and day < today:
            await connection.execute(
                queries["mark_next_loan_day"], district.district_id, day + timedelta(days=1)
            )
        return day, marked["marked"] - 1


async def compute_day(
    connection: asyncpg.Connection, district: District, day: date, now: datetime, thresholds: Thresholds
) -> int:
    """Allowances, loan states and school counts of one day; returns how many rows changed that the next builds on."""
    queries = sql.queries()
    district_id = district.district_id
    zone = ZoneInfo(district.time_zone)
    midnight = datetime.min.time()
    await reading_rows.ensure_partitions(connection, day, day)
    carried = await connection.fetchval(queries["compute_allowance_days"], district_id, day)
    dropped = await connection.fetchval(queries["drop_closed_loan_days"], district_id, day)
    changed: int = await connection.fetchval(
        queries["compute_loan_days"],
        district_id,
        day,
        now,
        datetime.combine(day - timedelta(days=6), midnight, zone),
        datetime.combine(day + timedelta(days=1), midnight, zone),
        thresholds.rsrp_floor_dbm,
        thresholds.signal_samples,
        thresholds.homework_starts_hour,
        thresholds.homework_ends_hour,
    )
    await connection.execute(
        queries["compute_school_days"], district_id, day, now, thresholds.completeness_floor
    )
    return changed + int(dropped) + int(carried)
