"""What the lines cost in a month or several, and what of it went to lines that nobody used."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import asyncpg

import sql
from service.model import costs, retention
from service.store import pool as pools


async def of(
    pool: asyncpg.Pool,
    district_id: int,
    *,
    time_zone: str,
    month: date,
    reported_on: date,
    months: int = 1,
    floor: float = 0.9,
) -> costs.Costs:
    """Of the ``months`` that end with the month of a day, as far as the reported day. Raises DatabaseUnavailable."""
    async with pools.whole_sets(pool) as connection:
        return await read(
            connection,
            district_id,
            time_zone=time_zone,
            month=month,
            reported_on=reported_on,
            months=months,
            floor=floor,
        )


async def read(
    connection: asyncpg.Connection,
    district_id: int,
    *,
    time_zone: str,
    month: date,
    reported_on: date,
    months: int = 1,
    floor: float = 0.9,
) -> costs.Costs:
    """As ``of``, within a transaction that is planned for whole sets."""
    first_on = retention.month(month, 1 - months)
    ends_on = retention.month(month, 1) - timedelta(days=1)
    last_on = min(ends_on, reported_on)
    zone, midnight = ZoneInfo(time_zone), datetime.min.time()
    lines = await connection.fetch(
        sql.queries()["line_costs"],
        district_id,
        first_on,
        last_on,
        datetime.combine(first_on, midnight, zone),
        datetime.combine(last_on + timedelta(days=1), midnight, zone),
    )
    figures = await connection.fetch(sql.queries()["period_figures"], district_id, first_on, last_on, floor)
    home = [row for row in lines if row["is_home"] and row["use"] != costs.NOT_IN_SERVICE]
    return costs.Costs(
        district_id=district_id,
        first_on=first_on,
        last_on=last_on,
        months=months,
        is_complete=last_on == ends_on,
        figure_on=figures[0]["on_day"] if figures else None,
        district=_cost(None, None, home, sum(row["adequate"] for row in figures) if figures else None),
        schools=_schools(home, figures),
        other_lines=_sum(row for row in lines if not row["is_home"] and row["use"] != costs.NOT_IN_SERVICE),
        not_in_service=_sum(row for row in lines if row["use"] == costs.NOT_IN_SERVICE),
        lowest_price=min((row["lowest"] for row in home if row["lowest"] is not None), default=None),
        highest_price=max((row["highest"] for row in home if row["highest"] is not None), default=None),
    )


def _schools(lines: list[asyncpg.Record], figures: list[asyncpg.Record]) -> tuple[costs.Cost, ...]:
    adequate = {row["ncessch"]: row["adequate"] for row in figures}
    names = {row["ncessch"]: row["name"] for row in [*figures, *lines]}
    grouped: dict[str | None, list[asyncpg.Record]] = {}
    for row in lines:
        grouped.setdefault(row["ncessch"], []).append(row)
    return tuple(
        _cost(ncessch, name, grouped.get(ncessch, []), adequate.get(ncessch))
        for ncessch, name in sorted(
            names.items(), key=lambda one: (one[0] is None, one[1] or "", one[0] or "")
        )
    )


def _cost(
    ncessch: str | None, name: str | None, lines: Iterable[asyncpg.Record], adequate: int | None
) -> costs.Cost:
    rows = list(lines)
    by_use = {use: _sum(row for row in rows if row["use"] == use) for use in costs.USES}
    return costs.Cost(ncessch=ncessch, name=name, adequate=adequate, **by_use)


def _sum(rows: Iterable[asyncpg.Record]) -> costs.Lines:
    made = (
        costs.Lines(lines=row["lines"], with_cost=row["lines_with_cost"], cost=row["cost"]) for row in rows
    )
    return sum(made, costs.NONE)
