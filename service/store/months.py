"""Everything that is known of a district's month, read as of one instant."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg

import sql
from service import errors
from service.model import costs, months, protection
from service.store import costs as cost_rows
from service.store import pool as pools

_MIDNIGHT = datetime.min.time()
_LEA_DIGITS = 7  # of an NCES school id: the district
_FIRST_HOUR, _LAST_HOUR = 16, 22  # of the homework window, where no setting says otherwise

BySchool = dict[int, dict[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    district_id: int
    month: months.Month
    zone: ZoneInfo
    through_on: date
    figure_on: date | None

    @property
    def days(self) -> tuple[int, date, date]:
        return self.district_id, self.month.first_on, self.through_on

    @property
    def instants(self) -> tuple[datetime, datetime]:
        """The first one, and that after the last."""
        return (
            datetime.combine(self.month.first_on, _MIDNIGHT, self.zone),
            datetime.combine(self.through_on + timedelta(days=1), _MIDNIGHT, self.zone),
        )


async def facts(
    pool: asyncpg.Pool,
    district_id: int,
    month: months.Month,
    *,
    time_zone: str,
    reported_on: date,
    floor: float = 0.9,
    thresholds: Mapping[str, object] | None = None,
) -> months.Facts:
    """As far as the reported day. Schools that came after the month are not in it. Raises ExportRefused where nothing
    is known of the month, and DatabaseUnavailable."""
    known = dict(thresholds or {})
    async with pools.one_instant(pool) as connection:
        district = await _district(connection, district_id)
        asked = await _asked(connection, district_id, month, time_zone, reported_on, floor)
        accounts = await connection.fetch(sql.queries()["month_accounts"], *asked.days)
        schools = await _schools(connection, asked, accounts, known)
        return months.Facts(
            district_id=district_id,
            district_name=district["name"],
            leaid=_leaid(school.ncessch for school in schools),
            time_zone=time_zone,
            month=month,
            through_on=asked.through_on,
            figure_on=asked.figure_on,
            instructional_days=await connection.fetchval(
                sql.queries()["month_instructional_days"], district_id, month.first_on, month.last_on
            ),
            need_mode=district["need_mode"],
            schools=schools,
            sources=await _sources(connection, asked, accounts),
            money=await _money(connection, asked, time_zone, floor),
            thresholds=known,
        )


async def _district(connection: asyncpg.Connection, district_id: int) -> asyncpg.Record:
    row = await connection.fetchrow(sql.queries()["month_district"], district_id)
    if row is None:
        raise errors.ExportRefused(
            f"district {district_id} is not in the database: run `afterbell poll` or import its files first"
        )
    return row


async def _asked(
    connection: asyncpg.Connection,
    district_id: int,
    month: months.Month,
    time_zone: str,
    reported_on: date,
    floor: float,
) -> _Asked:
    last_on = min(month.last_on, reported_on)
    row = await connection.fetchrow(
        sql.queries()["month_figure_days"], district_id, month.first_on, last_on, floor
    )
    if row["through_on"] is None:
        raise errors.ExportRefused(_nothing(district_id, month, reported_on, row))
    return _Asked(
        district_id=district_id,
        month=month,
        zone=ZoneInfo(time_zone),
        through_on=row["through_on"],
        figure_on=row["figure_on"],
    )


def _nothing(district_id: int, month: months.Month, reported_on: date, row: asyncpg.Record) -> str:
    nothing = f"a package of {month} cannot be made: district {district_id} has no figures"
    if row["first_on"] is None:
        return f"{nothing} of any day: run afterbell poll, or import its files"
    if month.first_on > reported_on:
        return (
            f"{nothing} of it yet: the last day that is complete is {reported_on}. Run afterbell poll, or leave "
            "afterbell serve running; each source has some days to report (lag_days)"
        )
    return (
        f"{nothing} of it: there are some from {row['first_on']} to {row['last_on']}. Bring in what the month lacks "
        "with afterbell import usage, then run afterbell poll"
    )


def _leaid(ncessch: Iterable[str]) -> str | None:
    found = {school[:_LEA_DIGITS] for school in ncessch}
    return found.pop() if len(found) == 1 else None


async def _schools(
    connection: asyncpg.Connection,
    asked: _Asked,
    accounts: Iterable[asyncpg.Record],
    thresholds: Mapping[str, object],
) -> tuple[months.School, ...]:
    queries = sql.queries()
    rows = await connection.fetch(queries["month_schools"], *asked.days, asked.figure_on)
    found: BySchool = {row["school_id"]: dict(row) for row in rows}
    of_loans: Mapping[str, tuple[object, ...]] = {
        "month_idle": (asked.district_id, asked.figure_on),
        "month_lost": asked.days,
        "month_use": asked.days,
        "month_uptime": (asked.district_id, *asked.instants),
    }
    for name, values in of_loans.items():
        _merge(found, await connection.fetch(queries[name], *values))
    fine = [row["account_id"] for row in accounts if row["is_interval"]]
    _merge(found, await _homework(connection, asked, fine, thresholds))
    return tuple(_school(row) for row in found.values())


def _merge(found: BySchool, rows: Iterable[asyncpg.Record]) -> None:
    for row in rows:
        if row["school_id"] in found:
            found[row["school_id"]] |= dict(row)


async def _homework(
    connection: asyncpg.Connection, asked: _Asked, accounts: list[int], thresholds: Mapping[str, object]
) -> list[asyncpg.Record]:
    """Readings are many, and most sources tell only days: those of the others are all that is read."""
    if not accounts:
        return []
    hours = (
        thresholds.get("homework_starts_hour", _FIRST_HOUR),
        thresholds.get("homework_ends_hour", _LAST_HOUR),
    )
    values = asked.district_id, *asked.instants, accounts, *hours
    rows: list[asyncpg.Record] = await connection.fetch(sql.queries()["month_homework"], *values)
    return rows


def _school(row: Mapping[str, Any]) -> months.School:
    has_figures = row["coverage_status"] is not None
    # What loans tell is 0 where there is none; need and what is asked for can be unknown.
    counts = {name: row.get(name, 0) for name in protection.COUNTS}
    samples, part_bytes = row.get("samples"), row.get("part_bytes")
    return months.School(
        **{name: row[name] for name in _TOLD},
        counts=counts if has_figures else dict.fromkeys(protection.COUNTS),
        used_bytes=row.get("used_bytes"),
        devices_used=row.get("devices_used", 0),
        uptime=row["online"] / samples if samples else None,
        homework_share=row["homework_bytes"] / part_bytes if part_bytes else None,
        days_missing=row.get("days_missing", 0),
        devices_online=row.get("devices_online", 0),
        devices_timed=row.get("devices_timed", 0),
    )


_TOLD = (
    "school_id", "ncessch", "name", "is_high_needs", "high_needs_basis", "indicator", "indicator_value",
    "indicator_year", "enrolled", "need_source", "completeness", "coverage_status", "is_need_exceeded", "library_hours",
    "activity_bus_hours",
)  # fmt: skip


async def _sources(
    connection: asyncpg.Connection, asked: _Asked, accounts: Iterable[asyncpg.Record]
) -> tuple[months.Source, ...]:
    told = [row["account_id"] for row in accounts]
    values = asked.district_id, *asked.instants, told
    rows = await connection.fetch(sql.queries()["month_sources"], *values)
    gaps: dict[int, list[tuple[date, date]]] = {}
    for row in await connection.fetch(sql.queries()["month_gaps"], *asked.days, str(asked.zone)):
        gaps.setdefault(row["account_id"], []).append((row["first_on"], row["last_on"]))
    return tuple(
        months.Source(
            account_key=row["account_key"],
            collector=row["collector"],
            lag_days=row["lag_days"],
            last_success_at=row["last_success_at"],
            gaps=tuple(gaps.get(row["account_id"], ())),
        )
        for row in rows
    )


async def _money(connection: asyncpg.Connection, asked: _Asked, time_zone: str, floor: float) -> months.Money:
    """Of lines at home that were in service."""
    found = await cost_rows.read(
        connection,
        asked.district_id,
        time_zone=time_zone,
        month=asked.month.first_on,
        reported_on=asked.through_on,
        floor=floor,
    )
    lines: costs.Lines = found.district.all_lines
    return months.Money(
        lines=lines.lines,
        cost=lines.cost,
        idle_lines=found.district.idle.lines,
        idle_cost=found.district.idle.cost,
        unknown_lines=found.district.unknown.lines,
        without_price=lines.without_cost,
        highest_price=found.highest_price,
        lowest_price=found.lowest_price,
    )
