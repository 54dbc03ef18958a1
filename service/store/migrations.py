"""Applies the plain SQL migrations under an advisory lock, each in a transaction, and checks their sums."""

import hashlib
import logging
from collections.abc import Sequence

import asyncpg

import sql
from service import errors
from service.store import pool as pools

_LOCK = 0x61667462656C6C  # "aftbell": one migration at a time, whoever runs it

_log = logging.getLogger(__name__)


def checksum(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


async def migrate(pool: asyncpg.Pool, files: Sequence[tuple[str, str]] | None = None) -> list[str]:
    """Apply what is missing; returns the names applied. Raises SchemaMismatch, changing nothing more."""
    files = sql.migrations() if files is None else files
    with pools.translated():
        async with pool.acquire() as connection:
            await connection.execute(sql.queries()["lock_migrations"], _LOCK)
            try:
                return await _apply_missing(connection, files)
            finally:
                await connection.execute(sql.queries()["unlock_migrations"], _LOCK)


async def check(pool: asyncpg.Pool) -> None:
    """Raise SchemaMismatch unless the schema is the one that this version was written for."""
    with pools.translated():
        async with pool.acquire() as connection:
            missing = _missing(await _applied(connection), sql.migrations())
    if missing:
        raise errors.SchemaMismatch(
            f"the database lacks {len(missing)} migration(s), first {missing[0][0]}: run `afterbell migrate`"
        )


async def _apply_missing(connection: asyncpg.Connection, files: Sequence[tuple[str, str]]) -> list[str]:
    missing = _missing(await _applied(connection), files)
    for name, text in missing:
        async with connection.transaction():
            await connection.execute(text)
            await connection.execute(sql.queries()["record_migration"], name, checksum(text))
        _log.info("applied migration %s", name, extra={"action": "applied_migration"})
    return [name for name, _ in missing]


async def _applied(connection: asyncpg.Connection) -> dict[str, str]:
    if await connection.fetchval(sql.queries()["has_migrations_table"]) is None:
        return {}
    rows = await connection.fetch(sql.queries()["applied_migrations"])
    return {row["name"]: row["checksum"] for row in rows}


def _missing(applied: dict[str, str], files: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    known = dict(files)
    for name, digest in applied.items():
        if name not in known:
            raise errors.SchemaMismatch(
                f"the database has migration {name}, which this version does not know: it was written by a "
                "newer afterbell. Upgrade afterbell, or restore the backup that belongs to this version."
            )
        if checksum(known[name]) != digest:
            raise errors.SchemaMismatch(
                f"migration {name} was applied in another form than the one shipped: "
                "a released migration must never be edited. Reinstall afterbell."
            )
    return [(name, text) for name, text in files if name not in applied]
