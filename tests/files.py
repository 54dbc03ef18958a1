"""Files for import tests, and what a database holds."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import asyncpg

_TABLES = (
    "SELECT c.relname FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace "
    "WHERE c.relkind IN ('r', 'p') AND n.nspname = 'public' AND NOT c.relispartition ORDER BY c.relname"
)


def written(folder: Path, name: str, *lines: str) -> Path:
    """A text file of the lines."""
    path = folder / name
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def csv_file(folder: Path, name: str, header: Sequence[str], rows: Sequence[Sequence[object]]) -> Path:
    path = folder / name
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    return path


async def contents(pool: asyncpg.Pool, *, without: Sequence[str] = ()) -> dict[str, str]:
    """Every table as text, in no order that a rewrite of a row would change."""
    found: dict[str, str] = {}
    for record in await pool.fetch(_TABLES):
        name = record["relname"]
        if name not in without:
            found[name] = await _table(pool, name)
    return found


async def _table(pool: asyncpg.Pool, name: str) -> str:
    out = io.BytesIO()
    async with pool.acquire() as connection:
        await connection.copy_from_query(f'SELECT * FROM "{name}"', output=out)
    return "\n".join(sorted(out.getvalue().decode().splitlines()))


async def only(pool: asyncpg.Pool, statement: str, *values: Any) -> dict[str, Any]:
    """The one row that the statement finds."""
    rows = await pool.fetch(statement, *values)
    assert len(rows) == 1
    return dict(rows[0])
