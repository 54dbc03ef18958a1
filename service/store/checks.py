"""What is missing or doubtful in the records."""

from dataclasses import dataclass

import asyncpg

import sql
from service.store import pool as pools


@dataclass(frozen=True, kw_only=True)
class Doubts:
    district_id: int
    name: str
    schools: int
    schools_without_need: int
    open_loans: int
    loans_without_line: int  # no source has ever shown the device
    has_calendar: bool


@dataclass(frozen=True, kw_only=True)
class Unmapped:
    """A status word of a vendor that is not known."""

    district_id: int
    account_key: str
    word: str
    count: int  # of lines, or of students' devices


async def unmapped(pool: asyncpg.Pool) -> list[Unmapped]:
    with pools.translated():
        rows = await pool.fetch(sql.queries()["unmapped_statuses"])
    return [Unmapped(**row) for row in rows]


async def doubts(pool: asyncpg.Pool) -> list[Doubts]:
    with pools.translated():
        rows = await pool.fetch(sql.queries()["record_doubts"])
    return [Doubts(**row) for row in rows]
