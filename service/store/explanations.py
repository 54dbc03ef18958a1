"""What one number is made of: a school's figures on a day, down to counts of answers and loans, and of no person."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from datetime import date, datetime
from typing import TypeVar

import asyncpg

import sql
from service.store import coverage
from service.store import pool as pools

_Row = TypeVar("_Row")


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """What need is decided from. A student may be in need for several reasons."""

    on_roster: int
    total_on: date | None  # of the newest total up to the day
    total_enrolled: int | None
    total_valid_through_on: date | None
    oldest_on: date | None  # of the answers that can be used and are valid
    newest_on: date | None
    unusable: int
    answered: int
    in_need: int
    says_no: int
    lacks_by_type: int
    lacks_by_performance: int
    is_documented: int
    has_our_hotspot: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Loans:
    """Open loans of one state and reason. ``counts_as``: in_need, presumed, outside_need or unattributed."""

    counts_as: str
    state: str
    reason: str | None
    loans: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """An account that tells of the hotspots which the school lent."""

    account_key: str
    collector: str
    lag_days: int
    lines: int
    lines_with_state: int  # on the day
    lines_with_use: int
    last_spoke_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures(coverage.Counts):
    """As they were computed. Students by the best state of their loans."""

    need_source: str | None
    coverage_status: str
    weak: int
    exhausted: int
    idle: int
    never_used: int
    suspended: int
    is_need_exceeded: bool
    is_instructional: bool | None
    is_out_of_session: bool
    computed_at: datetime
    revised_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """``figures`` and what follows are None and empty where the day was never computed for the school."""

    district_id: int
    district_name: str
    name: str
    ncessch: str
    on_day: date | None
    reported_on: date | None
    computed_through_on: date | None
    need_mode: str
    completeness_floor: float
    figures: Figures | None = None
    need: Need | None = None
    loans: Sequence[Loans] = ()
    sources: Sequence[Source] = ()


async def of_school(
    pool: asyncpg.Pool, ncessch: str, *, on: date | None, now: datetime, completeness_floor: float
) -> list[Explanation]:
    """In every district that has the school; ``on`` None: each district's reported day. Raises DatabaseUnavailable."""
    queries = sql.queries()
    with pools.translated():
        async with (
            pool.acquire() as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            districts = await connection.fetch(queries["coverage_districts"], now)
            reported = {row["district_id"]: row["reported_on"] for row in districts}
            days = [on or day for day in reported.values()]
            rows = await connection.fetch(queries["explained_schools"], ncessch, list(reported), days)
            return [
                await _explained(connection, row, ncessch, reported[row["district_id"]], completeness_floor)
                for row in rows
            ]


async def _explained(
    connection: asyncpg.Connection, row: asyncpg.Record, ncessch: str, reported_on: date | None, floor: float
) -> Explanation:
    told = _made(Explanation, row, ncessch=ncessch, reported_on=reported_on, completeness_floor=floor)
    if not row["is_computed"]:
        return told
    queries = sql.queries()
    asked = row["district_id"], row["on_day"], row["school_id"]
    is_by_student = row["need_source"] == "answers"
    loans = await connection.fetch(queries["explained_loans"], *asked, is_by_student)
    return replace(
        told,
        figures=_made(Figures, row),
        need=_made(Need, await connection.fetchrow(queries["explained_need"], *asked)),
        loans=tuple(_made(Loans, one) for one in loans),
        sources=tuple(
            _made(Source, one) for one in await connection.fetch(queries["explained_sources"], *asked)
        ),
    )


def _made(kind: type[_Row], row: asyncpg.Record, **more: object) -> _Row:
    """A dataclass from the columns that bear the names of its fields, and what is told beside them."""
    names = {field.name for field in fields(kind)}  # type: ignore[arg-type]
    told = {name: value for name, value in row.items() if name in names}
    return kind(**told, **more)
