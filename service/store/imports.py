"""The frame of every import: one transaction, one at a time in a district, and a record of it."""

import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime

import asyncpg

import sql
from service import errors
from service.store import pool as pools

_LOCK = 0x616262  # one import of a district at a time


@dataclass(frozen=True, slots=True)
class District:
    time_zone: str
    pseudonym_fingerprint: str | None


@contextlib.asynccontextmanager
async def transaction(
    pool: asyncpg.Pool, district_id: int, *, is_kept: bool
) -> AsyncIterator[asyncpg.Connection]:
    """A connection in a transaction, which is undone at the end unless ``is_kept``."""
    with pools.translated():
        async with pool.acquire() as connection:
            open_transaction = connection.transaction()
            await open_transaction.start()
            try:
                await connection.execute(sql.queries()["lock_imports"], _LOCK, district_id)
                yield connection
            except BaseException:
                await open_transaction.rollback()
                raise
            await (open_transaction.commit() if is_kept else open_transaction.rollback())


async def district(connection: asyncpg.Connection, district_id: int) -> District:
    row = await connection.fetchrow(sql.queries()["importing_district"], district_id)
    if row is None:
        raise errors.ConfigError(f"there is no district {district_id} in the database")
    return District(row["time_zone"], row["pseudonym_fingerprint"])


async def keep_fingerprint(connection: asyncpg.Connection, district_id: int, fingerprint: str) -> None:
    await connection.execute(sql.queries()["record_pseudonym_fingerprint"], district_id, fingerprint)


async def watch(connection: asyncpg.Connection, district_id: int, tables: Sequence[str]) -> None:
    """Keep in mind how the district's rows of the tables are now."""
    for table in tables:
        query = "watch_known_devices" if table == "devices" else "watch_table"
        await connection.execute(sql.queries()[query], district_id, table)


async def record(
    connection: asyncpg.Connection,
    district_id: int,
    kind: str,
    sha256: str,
    *,
    accepted: int,
    rejected: int,
    changed: int,
    first_on: date | None,
) -> None:
    """Write the import down, with what became of the watched rows."""
    queries = sql.queries()
    import_id = await connection.fetchval(
        queries["record_import"], district_id, kind, sha256, accepted, rejected, changed, first_on
    )
    await connection.execute(queries["keep_import_changes"], district_id, import_id)


@dataclass(frozen=True, slots=True)
class Standing:
    """An import that stands. ``rows``: how many of its changes can be taken back."""

    import_id: int
    kind: str
    imported_at: datetime
    first_on: date | None
    rows: int
    rows_changed: int


@dataclass(frozen=True, slots=True)
class Past:
    import_id: int
    kind: str
    imported_at: datetime
    rows_accepted: int
    rows_rejected: int
    rows_changed: int
    undone_at: datetime | None
    is_undoable: bool


async def newest(connection: asyncpg.Connection, district_id: int, kind: str | None) -> Standing | None:
    """The newest import that changed anything: of the kind, or of any."""
    row = await connection.fetchrow(sql.queries()["newest_import"], district_id, kind)
    return None if row is None else Standing(**row)


async def changed_since(connection: asyncpg.Connection, district_id: int, import_id: int) -> int:
    """How many rows are no longer as the import left them."""
    found: int = await connection.fetchval(sql.queries()["import_changed_since"], district_id, import_id)
    return found


async def undo(connection: asyncpg.Connection, district_id: int, import_id: int) -> int:
    """Put back what the import changed; returns how many rows. Raises ImportRejected where something builds on it."""
    queries = sql.queries()
    await connection.execute(queries["mark_undone_usage"], district_id, import_id)
    await connection.execute(queries["mark_undone_plans"], district_id, import_id)
    try:
        rows: int = await connection.fetchval(queries["undo_import_changes"], district_id, import_id)
    except asyncpg.ForeignKeyViolationError as error:
        raise errors.ImportRejected(
            "what the import added is in use by now: undo the imports that came after it first "
            "(see afterbell import history)"
        ) from error
    await connection.execute(queries["record_undo"], district_id, import_id)
    return rows


async def history(pool: asyncpg.Pool, district_id: int, *, most: int) -> list[Past]:
    """The district's imports, newest first."""
    with pools.translated():
        return [Past(**row) for row in await pool.fetch(sql.queries()["import_history"], district_id, most)]


async def recompute_from(connection: asyncpg.Connection, district_id: int, on_day: date) -> None:
    """Have the loan states and school counts computed again from a day on."""
    await connection.execute(sql.queries()["mark_dirty_loan_days"], district_id, on_day)
