"""Where records, vendors and bills contradict each other: found by views, counted when days were computed."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

import asyncpg

import sql
from service.model import reconciliation
from service.store import pool as pools

KEPT_FOR = timedelta(minutes=10)  # looking through 100,000 lines takes seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """By internal ids. The identifiers are None unless they were asked for."""

    district_id: int
    kind: str  # of reconciliation.KINDS
    on_day: date  # the reported day that it was judged on
    ncessch: str | None  # None: no school is known
    school: str | None
    device_id: int | None
    line_id: int | None
    loan_id: int | None  # of a returned device: its last one
    other_device_id: int | None  # that the SIM is in now
    other_loan_id: int | None  # the earlier of a borrower's, the later of a device's
    other_ncessch: str | None  # where the student is now
    reason: str | None  # of reconciliation.REASONS
    since_on: date
    days: int  # since then; of use after a return: days with bytes, of the last seven
    used_bytes: int | None
    monthly_cost: Decimal | None
    imei: str | None = None
    serial: str | None = None
    iccid: str | None = None
    mdn: str | None = None
    other_imei: str | None = None
    other_serial: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """Of one kind, at one school or at several. ``monthly_cost`` is of those whose cost is known; None: of none."""

    kind: str
    ncessch: str | None
    school: str | None  # None: no school is known
    findings: int
    oldest_on: date
    monthly_cost: Decimal | None
    without_cost: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """A district's findings as they were last counted. ``lines_untold`` could not be judged."""

    on_day: date
    computed_at: datetime
    lines: int
    lines_untold: int
    lines_in_no_device: int
    counts: tuple[Count, ...] = ()  # by kind and school, the most findings of a kind first

    def of(self, kind: str) -> tuple[Count, ...]:
        return tuple(count for count in self.counts if count.kind == kind)

    def total(self, kind: str) -> Count | None:
        """Of the whole district; None where nothing was found."""
        return together(self.of(kind))


def together(counts: Iterable[Count]) -> Count | None:
    """Counts of one kind as one, which names no school."""
    found = list(counts)
    if not found:
        return None
    costs = [count.monthly_cost for count in found if count.monthly_cost is not None]
    return Count(
        kind=found[0].kind,
        ncessch=None,
        school=None,
        findings=sum(count.findings for count in found),
        oldest_on=min(count.oldest_on for count in found),
        monthly_cost=sum(costs, Decimal(0)) if costs else None,
        without_cost=sum(count.without_cost for count in found),
    )


def counted(findings: Iterable[Finding]) -> Count | None:
    """Findings of one kind as a count, which names no school."""
    return together(
        Count(
            kind=one.kind,
            ncessch=None,
            school=None,
            findings=1,
            oldest_on=one.since_on,
            monthly_cost=one.monthly_cost,
            without_cost=int(one.monthly_cost is None),
        )
        for one in findings
    )


async def refresh(pool: asyncpg.Pool, district_id: int, *, now: datetime) -> bool:
    """Count a district's findings anew where it is time; whether that was done."""
    with pools.translated():
        due = await pool.fetchval(sql.queries()["reconciliation_is_due"], district_id, now, KEPT_FOR)
    return bool(due) and await keep(pool, district_id, now=now)


async def keep(pool: asyncpg.Pool, district_id: int, *, now: datetime) -> bool:
    """Count a district's findings; False where another process is at it."""
    queries = sql.queries()
    with pools.translated():
        async with pool.acquire() as connection, connection.transaction():
            if not await connection.fetchval(queries["lock_reconciliation"], district_id):
                return False
            await connection.execute(queries["prepare_reconciliation"])
            await connection.execute(queries["keep_reconciliation"], district_id, now)
            await connection.execute(queries["drop_reconciliation_counts"], district_id)
            await connection.execute(queries["keep_reconciliation_counts"], district_id)
    return True


async def by_district(connection: asyncpg.Connection) -> dict[int, Summary]:
    """What was counted last; districts without a reported day are not in it."""
    counts: dict[int, list[Count]] = {}
    for row in await connection.fetch(sql.queries()["kept_reconciliation_counts"]):
        values = dict(row)
        counts.setdefault(values.pop("district_id"), []).append(Count(**values))
    found = {}
    for row in await connection.fetch(sql.queries()["kept_reconciliations"]):
        values = dict(row)
        district_id = values.pop("district_id")
        found[district_id] = Summary(**values, counts=tuple(counts.get(district_id, ())))
    return found


async def judged_on(pool: asyncpg.Pool, district_id: int | None = None) -> dict[int, date]:
    """The reported day of each district that has one."""
    with pools.translated():
        rows = await pool.fetch(sql.queries()["reconciliation_judged_on"], district_id)
    return {row["district_id"]: row["on_day"] for row in rows}


async def findings(
    pool: asyncpg.Pool,
    *,
    district_id: int | None = None,
    kind: str | None = None,
    ncessch: str | None = None,
    with_identifiers: bool = False,
) -> list[Finding]:
    """As the records stand now, in the order of the kinds; the oldest of each first."""
    queries = sql.queries()
    with pools.translated():
        async with pool.acquire() as connection, connection.transaction():
            await connection.execute(queries["prepare_reconciliation"])
            rows = await connection.fetch(
                queries["reconciliation_told"], district_id, kind, ncessch, with_identifiers
            )
    order = {name: place for place, name in enumerate(reconciliation.BY_NAME)}
    return sorted((Finding(**row) for row in rows), key=lambda one: (one.district_id, order[one.kind]))
