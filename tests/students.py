"""Students, what they answered and what they borrowed, straight into the tables."""

from collections.abc import Sequence
from datetime import date

import asyncpg

from tests.fleet import DISTRICT, Fleet

DAY = date(2026, 10, 7)
ASKED_ON = date(2026, 9, 1)
SCHOOL_YEAR_STARTED_ON = date(2026, 7, 1)


async def enroll(
    pool: asyncpg.Pool,
    school_id: int,
    *students: str,
    starts_on: date = SCHOOL_YEAR_STARTED_ON,
    ends_on: date | None = None,
) -> None:
    await pool.executemany(
        "INSERT INTO enrollments (district_id, student, starts_on, ends_on, school_id)"
        " VALUES ($1, $2, $3, $4, $5)",
        [(DISTRICT, student, starts_on, ends_on, school_id) for student in students],
    )


async def answer(
    pool: asyncpg.Pool,
    school_id: int | None,
    *students: str,
    on: date = ASKED_ON,
    household: str = "",
    has_access: bool | None = None,
    access_type: str | None = None,
    performance: str | None = None,
    by_staff: bool = False,
) -> None:
    await pool.executemany(
        "INSERT INTO need_answers (district_id, student, answered_on, school_id, household, has_access,"
        " access_type, performance, is_documented_by_staff)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7::internet_access_type, $8::internet_performance, $9)",
        [
            (DISTRICT, student, on, school_id, household, has_access, access_type, performance, by_staff)
            for student in students
        ],
    )


async def borrow(
    f: Fleet,
    school_id: int,
    number: int,
    mb: float | None,
    *,
    borrower: str = "",
    household: str = "",
    on: date = DAY,
    kind: str = "hotspot",
) -> int:
    """Lend hotspot ``number``, which has used ``mb`` on DAY; None: nobody has read it."""
    line = await f.line(number, kind=kind)
    await f.told(line, DAY, mb=mb)
    loan_id = await f.lend(number, school_id, on, borrower=borrower)
    await f.pool.execute("UPDATE loans SET household = $2 WHERE loan_id = $1", loan_id, household)
    return loan_id


async def counts(f: Fleet, school_id: int, names: Sequence[str], on: date = DAY) -> tuple[object, ...]:
    row = await f.school_day(school_id, on)
    return tuple(row[name] for name in names)


def names(prefix: str, count: int) -> list[str]:
    return [f"{prefix}{number}" for number in range(count)]
