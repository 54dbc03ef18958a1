"""Who made and took what: entries are only ever added."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

import asyncpg

import sql
from service.store import pool as pools

LIMIT = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """``actor``: command, schedule, or the name of a token; never a person's."""

    happened_at: datetime
    actor: str
    action: str  # as export_created, export_downloaded
    subject: str  # as 2026-10 shareable revision 1
    details: Mapping[str, object] = field(default_factory=dict)


async def entry(where: asyncpg.Pool | asyncpg.Connection, district_id: int, new: Entry) -> None:
    """Add an entry; with a connection, within its transaction. Raises DatabaseUnavailable."""
    details = json.dumps(dict(new.details), sort_keys=True)
    with pools.translated():
        await where.execute(
            sql.queries()["add_audit_entry"],
            district_id,
            new.happened_at,
            new.actor,
            new.action,
            new.subject,
            details,
        )


async def read(
    pool: asyncpg.Pool, district_id: int, *, since: datetime | None = None, limit: int = LIMIT
) -> list[Entry]:
    """The newest first. Raises DatabaseUnavailable."""
    with pools.translated():
        rows = await pool.fetch(sql.queries()["audit_entries"], district_id, since, limit)
    return [Entry(**{**row, "details": json.loads(row["details"])}) for row in rows]
