"""A pilot's days and schools, and what they come to."""

from collections.abc import Iterable
from datetime import date

import asyncpg

import sql
from service.model import equity, pilot_results, pilots
from service.store import pool as pools


async def judged(
    pool: asyncpg.Pool,
    district_id: int,
    pilot: pilots.Pilot,
    *,
    reported_on: date,
    floor: float = equity.COMPLETENESS_FLOOR,
) -> pilots.Result:
    """As far as the reported day. Raises DatabaseUnavailable."""
    queries = sql.queries()
    ids = [*pilot.schools, *pilot.comparison]
    sides = [str(pilots.Side.PILOT)] * len(pilot.schools)
    sides += [str(pilots.Side.COMPARISON)] * len(pilot.comparison)
    asked = district_id, ids, sides, pilot.first(reported_on), pilot.through(reported_on)
    with pools.translated():
        days = await pool.fetch(queries["pilot_days"], *asked)
        schools = await pool.fetch(queries["pilot_schools"], *asked, pilot.starts_on, floor)
        known = await pool.fetch(queries["known_schools"], district_id, ids)
    return pilot_results.judge(
        pilot,
        [_day(row) for row in days],
        [_school(row) for row in schools],
        reported_on=reported_on,
        unknown_schools=sorted(set(ids) - {row["ncessch"] for row in known}),
        floor=floor,
    )


def _day(row: asyncpg.Record) -> pilots.Day:
    return pilots.Day(**{**row, "side": pilots.Side(row["side"])})


def _school(row: asyncpg.Record) -> pilots.SchoolPeriod:
    told = {"side": pilots.Side(row["side"]), "period": pilots.Period(row["period"])}
    return pilots.SchoolPeriod(**{**row, **told, "need_sources": tuple(row["need_sources"])})


async def unknown_schools(pool: asyncpg.Pool, district_id: int, ncessch: Iterable[str]) -> list[str]:
    """Those that no school of the district bears."""
    asked = sorted(set(ncessch))
    with pools.translated():
        rows = await pool.fetch(sql.queries()["known_schools"], district_id, asked)
    return sorted(set(asked) - {row["ncessch"] for row in rows})
