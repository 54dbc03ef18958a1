"""Plans, lines' plans, supports and waitlists on their way in, each file as one set."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import asyncpg

import sql
from service.store import records

Written = records.Written


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    key: str
    provider: str | None
    allowance_bytes: int | None
    allowance_period: str
    cycle_day: int
    is_pooled: bool
    at_allowance: str
    monthly_cost: Decimal | None
    download_mbps: float | None
    upload_mbps: float | None
    starts_on: date | None
    ends_on: date | None
    is_filtered: bool | None


@dataclass(frozen=True, slots=True)
class LineName:
    """What a row names a line by: every form of its SIM's number, or its phone number."""

    row_number: int
    iccids: tuple[str, ...]
    mdn: str | None


@dataclass(frozen=True, slots=True)
class Support:
    school_id: int
    kind: str
    name: str
    starts_on: date
    ends_on: date | None
    weekly_hours: Decimal


@dataclass(frozen=True, slots=True)
class WaitlistCount:
    school_id: int
    as_of_on: date
    requests: int


async def school_year_starts(connection: asyncpg.Connection, district_id: int) -> str:
    """Its month and day, as 07-01."""
    found: str = await connection.fetchval(sql.queries()["school_year_starts"], district_id)
    return found


async def plans(connection: asyncpg.Connection, district_id: int) -> dict[str, tuple[int, bool]]:
    """Every plan by its key, and whether it is in the configuration."""
    found = await connection.fetch(sql.queries()["known_plans"], district_id)
    return {row["plan_key"]: (row["plan_id"], row["is_configured"]) for row in found}


async def write_plans(
    connection: asyncpg.Connection, district_id: int, told: Sequence[Plan]
) -> tuple[Written, list[int]]:
    """What became of the plans, and the ids of those that changed."""
    columns = (
        "key", "provider", "allowance_bytes", "allowance_period", "cycle_day", "is_pooled", "at_allowance",
        "monthly_cost", "download_mbps", "upload_mbps", "starts_on", "ends_on", "is_filtered",
    )  # fmt: skip
    values = ([getattr(plan, column) for plan in told] for column in columns)
    row = await connection.fetchrow(sql.queries()["write_plans"], district_id, *values)
    return Written(added=row["added"], changed=len(row["changed_ids"])), row["changed_ids"]


async def lines(
    connection: asyncpg.Connection, district_id: int, named: Sequence[LineName]
) -> Mapping[int, list[int]]:
    """The lines that each row may mean, by row number."""
    sims = [(name.row_number, form) for name in named for form in name.iccids]
    numbers = [(name.row_number, name.mdn) for name in named if name.mdn is not None]
    found = await connection.fetch(
        sql.queries()["named_lines"],
        district_id,
        [row for row, _ in sims],
        [form for _, form in sims],
        [row for row, _ in numbers],
        [mdn for _, mdn in numbers],
    )
    return {row["row_number"]: row["line_ids"] for row in found}


async def write_line_plans(
    connection: asyncpg.Connection, district_id: int, plan_of_line: Mapping[int, int]
) -> list[int]:
    """Give lines their plans; returns the lines that had another, or only by their account."""
    changed: list[int] = await connection.fetchval(
        sql.queries()["write_line_plans"], district_id, list(plan_of_line), list(plan_of_line.values())
    )
    return changed


async def mark_days(
    connection: asyncpg.Connection,
    district_id: int,
    *,
    plans: Sequence[int] = (),
    lines: Sequence[int] = (),
    first_on: date,
    last_on: date,
) -> None:
    """Have the days computed again of the accounts that have these lines, or lines of these plans."""
    await connection.execute(
        sql.queries()["mark_days_of_plans"], district_id, list(plans), list(lines), first_on, last_on
    )


async def write_supports(
    connection: asyncpg.Connection, district_id: int, supports: Sequence[Support]
) -> Written:
    row = await connection.fetchrow(
        sql.queries()["write_supports"],
        district_id,
        [support.school_id for support in supports],
        [support.kind for support in supports],
        [support.name for support in supports],
        [support.starts_on for support in supports],
        [support.ends_on for support in supports],
        [support.weekly_hours for support in supports],
    )
    return Written(**row)


async def write_waitlists(
    connection: asyncpg.Connection, district_id: int, counts: Sequence[WaitlistCount]
) -> Written:
    row = await connection.fetchrow(
        sql.queries()["write_waitlist_counts"],
        district_id,
        [count.school_id for count in counts],
        [count.as_of_on for count in counts],
        [count.requests for count in counts],
    )
    return Written(**row)
