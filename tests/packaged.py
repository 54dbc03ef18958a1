"""The district's own packages as tests read them: every table by its name, every row by its columns."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import asyncpg

from service.exports import internal, inventory, tables
from service.model import months, pseudonyms
from tests import factories

OCTOBER = months.parse("2026-10")
KEY = pseudonyms.Pseudonymizer(b"correct horse battery staple, and more of it")
NO_MONEY = months.Money(
    lines=0,
    cost=Decimal(0),
    idle_lines=0,
    idle_cost=Decimal(0),
    unknown_lines=0,
    without_price=0,
    highest_price=None,
)

Rows = list[dict[str, Any]]


def facts(
    month: months.Month = OCTOBER, *, through_on: date | None = None, figure_on: date | None = None
) -> months.Facts:
    return months.Facts(
        district_id=factories.DISTRICT,
        district_name="District 1",
        leaid="4101920",
        time_zone=factories.ZONE,
        month=month,
        through_on=through_on or month.last_on,
        figure_on=figure_on,
        instructional_days=None,
        need_mode="student",
        schools=(),
        sources=(),
        money=NO_MONEY,
    )


async def read(parts: Sequence[internal.Part]) -> dict[str, Rows]:
    """Raises where a row does not keep what its table promises."""
    found = {}
    for table, batches in parts:
        rows = [dict(zip(table.names, row, strict=True)) async for batch in batches for row in batch]
        for row in rows:
            keep_promises(table, row)
        keys = [tuple(row[name] for name in table.key) for row in rows]
        assert len(set(keys)) == len(keys), table.name
        found[table.name] = rows
    return found


def keep_promises(table: tables.Table, row: dict[str, Any]) -> None:
    kinds: dict[str, tuple[type, ...]] = {"integer": (int,), "number": (int, float), "boolean": (bool,)}
    for column in table.columns:
        value: Any = row[column.name]
        where = f"{table.name}.{column.name}: {value!r}"
        if value is None:
            assert not column.is_required, where
            continue
        is_right = isinstance(value, kinds.get(column.kind, (str,)))
        assert is_right, where
        assert column.kind == "boolean" or not isinstance(value, bool), where
        assert column.minimum is None or value >= column.minimum, where
        assert column.maximum is None or value <= column.maximum, where
        assert not column.choices or value in column.choices, where
        if column.kind == "date":
            date.fromisoformat(value)


async def internal_tables(
    pool: asyncpg.Pool, of: months.Facts | None = None, terms: internal.Terms | None = None
) -> dict[str, Rows]:
    async with internal.opened(pool, of or facts(), terms) as parts:
        return await read(parts)


async def lines(pool: asyncpg.Pool, of: months.Facts | None = None) -> dict[str, dict[str, Any]]:
    """By line_key."""
    found = await internal_tables(pool, of)
    return {row["line_key"]: row for row in found["line_usage_period"]}


async def line(pool: asyncpg.Pool, line_id: int, of: months.Facts | None = None) -> dict[str, Any]:
    return (await lines(pool, of))[f"line-{line_id}"]


async def inventory_tables(
    pool: asyncpg.Pool,
    *files: Path,
    of: months.Facts | None = None,
    pseudonymizer: pseudonyms.Pseudonymizer = KEY,
    is_deidentified: bool = False,
) -> tuple[dict[str, Rows], inventory.Made, bytes | None]:
    roster = inventory.Roster(files=files, pseudonymizer=pseudonymizer) if files else None
    async with inventory.opened(pool, of or facts(), roster=roster, is_deidentified=is_deidentified) as made:
        return await read(made.parts), made, await made.ed_fi()
