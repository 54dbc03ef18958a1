"""Schools, their need and the calendar, written as sets; what is told again changes nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import asyncpg

import sql


@dataclass(frozen=True, slots=True)
class School:
    ncessch: str
    name: str
    is_high_needs: bool | None
    high_needs_basis: str | None
    indicator: str | None = None
    indicator_value: float | None = None
    indicator_year: str | None = None


@dataclass(frozen=True, slots=True)
class NeedCount:
    school_id: int
    as_of_on: date
    enrolled: int
    answered: int
    need: int


@dataclass(frozen=True, slots=True)
class Written:
    """``first_on``: the earliest day that changed; None where none did."""

    added: int = 0
    changed: int = 0
    removed: int = 0
    first_on: date | None = None


Days = Mapping[date, str]  # the kind of each day
Bounds = tuple[date, date]


async def write_schools(
    connection: asyncpg.Connection, district_id: int, schools: Sequence[School], *, tells_need: bool
) -> Written:
    """Where the file does not tell of high-needs, what is known of it stays."""
    row = await connection.fetchrow(
        sql.queries()["write_schools"],
        district_id,
        [school.ncessch for school in schools],
        [school.name for school in schools],
        [school.is_high_needs for school in schools],
        [school.high_needs_basis for school in schools],
        [school.indicator for school in schools],
        [school.indicator_value for school in schools],
        [school.indicator_year for school in schools],
        tells_need,
    )
    return Written(**row)


async def school_ids(connection: asyncpg.Connection, district_id: int) -> dict[str, int]:
    """The school of each NCESSCH."""
    return {
        row["ncessch"]: row["school_id"]
        for row in await connection.fetch(sql.queries()["school_ids"], district_id)
    }


async def write_need_counts(
    connection: asyncpg.Connection, district_id: int, counts: Sequence[NeedCount]
) -> Written:
    row = await connection.fetchrow(
        sql.queries()["write_need_counts"],
        district_id,
        [count.school_id for count in counts],
        [count.as_of_on for count in counts],
        [count.enrolled for count in counts],
        [count.answered for count in counts],
        [count.need for count in counts],
    )
    return Written(**row)


async def write_calendar(
    connection: asyncpg.Connection, district_id: int, days: Days, bounds: Bounds
) -> Written:
    """Replace the district's days within the bounds."""
    row = await connection.fetchrow(
        sql.queries()["write_calendar_days"], district_id, list(days), list(days.values()), *bounds
    )
    return Written(**row)


async def write_school_calendars(
    connection: asyncpg.Connection,
    district_id: int,
    days: Mapping[tuple[int, date], str],
    *,
    district_bounds: Bounds | None,
    school_bounds: Mapping[int, Bounds],
) -> Written:
    """Replace where schools differ: all of them within the district's bounds, and each within its own."""
    row = await connection.fetchrow(
        sql.queries()["write_school_calendar_days"],
        district_id,
        [school_id for school_id, _ in days],
        [on_day for _, on_day in days],
        list(days.values()),
        *(district_bounds or (None, None)),
        list(school_bounds),
        [first_on for first_on, _ in school_bounds.values()],
        [last_on for _, last_on in school_bounds.values()],
    )
    return Written(**row)
