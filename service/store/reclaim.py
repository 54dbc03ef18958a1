"""Hotspots to ask back: loans that nobody uses, and active lines that nobody has on loan."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import asyncpg

import sql
from service.store import pool as pools

DAYS = 30
KINDS = ("never_used", "idle", "line_without_loan")


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """By internal ids, never a borrower. ``ncessch`` None: the line was never lent."""

    kind: str
    ncessch: str | None
    school: str | None
    device_id: int | None
    line_id: int | None
    loan_id: int | None
    days: int  # without use, or without a loan
    is_at_least: bool  # it may be longer: nobody watched before
    since_on: date | None
    monthly_cost: Decimal | None  # of the device's lines; None: not known


@dataclass(frozen=True, slots=True, kw_only=True)
class Identifiers:
    """What names a device and a line: for the terminal alone."""

    device_id: int | None
    line_id: int | None
    imei: str | None
    serial: str | None
    iccid: str | None
    mdn: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Total:
    """Of a school, or of lines that no school ever lent (``ncessch`` None)."""

    ncessch: str | None
    school: str | None
    never_used: int
    idle: int
    line_without_loan: int
    monthly_cost: Decimal  # of those whose cost is known
    without_cost: int

    @property
    def count(self) -> int:
        return self.never_used + self.idle + self.line_without_loan


@dataclass(frozen=True, slots=True, kw_only=True)
class Reclaim:
    district_id: int
    on_day: date
    days: int
    items: tuple[Item, ...]  # by school, the longest first within a kind
    unheard: int  # loans that had reached the days when their provider fell silent: not on the list

    @property
    def hotspots(self) -> int:
        """How many can be handed out again: each device once, and no line whose device is not known."""
        return len({item.device_id for item in self.items if item.device_id is not None})

    @property
    def by_school(self) -> tuple[Total, ...]:
        """By name; what no school ever lent comes last."""
        keys = {(item.ncessch, item.school) for item in self.items}
        ordered = sorted(keys, key=lambda key: (key[0] is None, key[1] or "", key[0] or ""))
        grouped: dict[str | None, list[Item]] = {}
        for item in self.items:
            grouped.setdefault(item.ncessch, []).append(item)
        return tuple(_total(ncessch, school, grouped[ncessch]) for ncessch, school in ordered)

    @property
    def total(self) -> Total:
        return _total(None, None, self.items)


def _total(ncessch: str | None, school: str | None, items: Iterable[Item]) -> Total:
    mine = list(items)
    costs = [item.monthly_cost for item in mine if item.monthly_cost is not None]
    return Total(
        ncessch=ncessch,
        school=school,
        **{kind: sum(item.kind == kind for item in mine) for kind in KINDS},
        monthly_cost=sum(costs, Decimal(0)),
        without_cost=len(mine) - len(costs),
    )


async def of(pool: asyncpg.Pool, district_id: int, on_day: date, *, days: int = DAYS) -> Reclaim:
    """As the figures of a day tell. Raises DatabaseUnavailable."""
    queries, values = sql.queries(), (district_id, on_day, days)
    async with pools.whole_sets(pool) as connection:
        loans = await connection.fetch(queries["reclaim_loans"], *values)
        lines = await connection.fetch(queries["reclaim_lines"], *values)
        unheard = await connection.fetchval(queries["reclaim_unheard"], *values)
    items = sorted((Item(**row) for row in (*loans, *lines)), key=_order)
    return Reclaim(district_id=district_id, on_day=on_day, days=days, items=tuple(items), unheard=unheard)


def _order(item: Item) -> tuple[bool, str, str, int, int, int]:
    kind = KINDS.index(item.kind)
    return item.ncessch is None, item.school or "", item.ncessch or "", kind, -item.days, item.line_id or 0


async def identifiers(
    pool: asyncpg.Pool, district_id: int, items: Sequence[Item]
) -> dict[tuple[int | None, int | None], Identifiers]:
    """By device and line."""
    asked = [item.device_id for item in items], [item.line_id for item in items]
    with pools.translated():
        rows = await pool.fetch(sql.queries()["reclaim_identifiers"], district_id, *asked)
    return {(row["device_id"], row["line_id"]): Identifiers(**row) for row in rows}


async def students(pool: asyncpg.Pool, reclaim: Reclaim) -> dict[str, int]:
    """By NCESSCH, how many students would have no loan left."""
    loans = [item.loan_id for item in reclaim.items if item.loan_id is not None]
    with pools.translated():
        rows = await pool.fetch(
            sql.queries()["reclaimed_students"], reclaim.district_id, reclaim.on_day, loans
        )
    return {row["ncessch"]: row["students"] for row in rows}
