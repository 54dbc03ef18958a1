"""The sums of days that reports are made of: what was computed anew is summed up again, a day at a time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

import asyncpg

import sql
from service.model import costs
from service.store import pool as pools

_FIRST, _LAST = date.min, date.max


async def mark(connection: asyncpg.Connection, district_id: int, first: date, last: date) -> None:
    """In the transaction that computes the days: they are to be summed up again."""
    await connection.execute(sql.queries()["mark_summary_days"], district_id, first, last)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The settings that sums are made by."""

    completeness_floor: float = 0.9
    minimum_cell_size: int = 10
    rsrp_floor_dbm: float = -110


async def refresh(pool: asyncpg.Pool, district_id: int, limits: Limits) -> int:
    """Sum up every marked day, the latest first; returns how many. Raises DatabaseUnavailable.

    Each day is a transaction: one that is stopped goes on where it was. Where another process is at it, it does it.
    """
    days = 0
    with pools.translated():
        await _refresh_schools(pool, district_id, limits)
        await _refresh_counts(pool, district_id)
        while await _refresh_day(pool, district_id, limits):
            days += 1
    return days


async def _refresh_counts(pool: asyncpg.Pool, district_id: int) -> None:
    """Sweeps and changes of alerts: what is past does not change."""
    queries = sql.queries()
    async with pool.acquire() as connection, connection.transaction():
        if not await connection.fetchval(queries["lock_summaries"], district_id):
            return
        since = await connection.fetchval(queries["drop_poll_days"], district_id)
        await connection.execute(queries["sum_polls"], district_id, since or _FIRST)
        await connection.execute(queries["sum_flips"], district_id)


async def _refresh_schools(pool: asyncpg.Pool, district_id: int, limits: Limits) -> None:
    """All days anew where other schools are high-needs or small by now: old days, too, are told by today's."""
    queries = sql.queries()
    async with pool.acquire() as connection, connection.transaction():
        if not await connection.fetchval(queries["lock_summaries"], district_id):
            return
        known = await connection.fetchrow(queries["school_groups"], district_id)
        before = known["summed_by"], known["minimum_cell_size"]
        present = known["groups_digest"], limits.minimum_cell_size
        if known["summed_by"] is not None and before != present:
            await sum_schools(connection, district_id, _FIRST, _LAST, limits)
        if (*before, known["completeness_floor"]) != (*present, limits.completeness_floor):
            told = limits.completeness_floor, limits.minimum_cell_size, known["groups_digest"]
            await connection.execute(queries["write_summary"], district_id, *told)


async def sum_schools(
    connection: asyncpg.Connection, district_id: int, first: date, last: date, limits: Limits
) -> None:
    """The sums of schools on a span of days, and what is withheld, in a transaction of the caller's."""
    queries = sql.queries()
    span = district_id, first, last
    await connection.execute(queries["drop_group_days"], *span)
    await connection.execute(queries["sum_groups"], *span)
    await connection.execute(queries["withhold_schools"], *span, limits.minimum_cell_size)


async def _refresh_day(pool: asyncpg.Pool, district_id: int, limits: Limits) -> bool:
    queries = sql.queries()
    async with pool.acquire() as connection, connection.transaction():
        marked = await connection.fetchrow(queries["next_summary_day"], district_id)
        if marked is None or not await connection.fetchval(queries["lock_summaries"], district_id):
            return False
        day = marked["on_day"]
        await sum_schools(connection, district_id, day, day, limits)
        await connection.execute(queries["drop_summaries"], district_id, day)
        await connection.execute(queries["sum_signals"], district_id, day, limits.rsrp_floor_dbm)
        await connection.execute(queries["sum_fleet"], district_id, day)
        await connection.execute(queries["sum_plans"], district_id, day)
    await pool.execute(queries["forget_summary_day"], district_id, day, marked["written"])
    return True


async def keep_costs(pool: asyncpg.Pool, found: costs.Costs, *, now: datetime) -> None:
    """Keep what a month's lines cost, by school, where the month is complete. Raises DatabaseUnavailable."""
    if found.is_complete and found.months == 1 and found.schools:
        with pools.translated():
            await pool.execute(
                sql.queries()["write_cost_month"],
                found.district_id,
                found.first_on,
                now,
                *_columns(found.schools),
            )


def _columns(schools: Sequence[costs.Cost]) -> list[list[object]]:
    rows = [
        (
            one.ncessch,
            one.all_lines.lines,
            one.idle.lines,
            one.idle.lines + one.used.lines,
            one.all_lines.cost,
            one.idle.cost,
            one.all_lines.without_cost,
        )
        for one in schools
    ]
    return [list(column) for column in zip(*rows, strict=True)]
