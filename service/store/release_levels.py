"""At which levels releases tell of schools: what one learns from a package, in a few numbers."""

import asyncpg

import sql
from service.store import pool as pools


async def of(pool: asyncpg.Pool, district_id: int) -> dict[int, dict[str, int]]:
    """Schools by level, of each release that tells of any, the finest level first. Raises DatabaseUnavailable."""
    with pools.translated():
        rows = await pool.fetch(sql.queries()["release_levels"], district_id)
    found: dict[int, dict[str, int]] = {}
    for row in rows:
        found.setdefault(row["release_id"], {})[row["level"]] = row["schools"]
    return found
