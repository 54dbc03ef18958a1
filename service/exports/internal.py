"""The internal package: every line's month, the alerts, and what could be handed out again. It names nobody."""

import contextlib
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass

import asyncpg

from service.exports import internal_tables, tables
from service.model import equity, months, reallocation
from service.store import equity as equity_rows
from service.store import inventories, reclaim

Batches = AsyncIterator[Sequence[tables.Row]]
Part = tuple[tables.Table, Batches]


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """By which hotspots are asked back and handed out."""

    reclaim_days: int = reclaim.DAYS
    floor: float = equity.COMPLETENESS_FLOOR


@contextlib.asynccontextmanager
async def opened(
    pool: asyncpg.Pool, facts: months.Facts, terms: Terms | None = None
) -> AsyncIterator[tuple[Part, ...]]:
    """Every table with its rows, to be read one after the other while this is open. Raises DatabaseUnavailable."""
    lists = await _lists(pool, facts, terms or Terms())
    place = facts.district_id, facts.month.first_on, facts.through_on, facts.time_zone
    async with inventories.snapshot(pool) as connection:
        yield (
            (internal_tables.LINE_USAGE, inventories.line_usage(connection, *place)),
            (internal_tables.ALERTS_MONTH, inventories.alerts(connection, *place)),
            *lists,
        )


async def _lists(pool: asyncpg.Pool, facts: months.Facts, terms: Terms) -> tuple[Part, Part]:
    on_day = facts.figure_on or facts.through_on
    found = await reclaim.of(pool, facts.district_id, on_day, days=terms.reclaim_days)
    plan = reallocation.plan(
        await equity_rows.schools(pool, facts.district_id, on_day),
        found.hotspots,
        reclaimed=await reclaim.students(pool, found),
        floor=terms.floor,
    )
    return (
        (internal_tables.RECLAIM, _once([_reclaimed(item) for item in found.items])),
        (internal_tables.REALLOCATION, _once([_shared(share) for share in plan.shares])),
    )


async def _once(rows: Iterable[tables.Row]) -> Batches:
    yield list(rows)


def _reclaimed(item: reclaim.Item) -> tables.Row:
    return (
        item.kind,
        item.ncessch,
        item.school,
        key("device", item.device_id),
        key("line", item.line_id),
        key("loan", item.loan_id),
        item.days,
        item.is_at_least,
        None if item.since_on is None else item.since_on.isoformat(),
        None if item.monthly_cost is None else float(item.monthly_cost),
    )


def _shared(share: reallocation.Share) -> tables.Row:
    return (
        share.school.ncessch,
        share.school.name,
        share.hotspots,
        share.school.need,
        share.school.loaned,
        share.unserved_before,
        share.unserved_after,
        share.most_gained,
        None if share.likely_gained is None else round(share.likely_gained, 1),
        ", ".join(share.ties),
    )


def key(kind: str, number: int | None) -> str | None:
    """As line-12."""
    return None if number is None else f"{kind}-{number}"


def notes(facts: months.Facts, terms: Terms | None = None) -> tuple[str, ...]:
    """What a reader must know of these tables."""
    terms = terms or Terms()
    on_day = facts.figure_on or facts.through_on
    return (
        (
            "This package is internal: lines, devices and loans are told by internal ids, which lead to a family with "
            "the district's own records. It does not leave the district."
        ),
        "bytes_up and bytes_down are empty: sources are kept as the sum of both ways.",
        (
            "What is told of a line is what was kept day by day; plans and prices are as they are known at the time of "
            "the export. is_in_service is empty where no source told a status in the month or the year before it; such "
            "a line counts as billed."
        ),
        f"reclaim and reallocation are of {on_day.isoformat()}, with {terms.reclaim_days} days without use.",
    )
