"""Takes back the newest import of a kind."""

import logging
from dataclasses import dataclass
from datetime import date, datetime

from service import errors
from service.store import imports as store
from service.store import pool as pools

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Undone:
    kind: str
    imported_at: datetime
    rows: int


async def run(pool: pools.Pool, district_id: int, kind: str | None, *, today: date) -> Undone:
    """Put back what the newest import (of the kind) changed. Raises ImportRejected where that cannot be done."""
    async with store.transaction(pool, district_id, is_kept=True) as connection:
        found = await _undoable(connection, district_id, kind)
        rows = await store.undo(connection, district_id, found.import_id)
        if found.first_on is not None:
            await store.recompute_from(connection, district_id, min(found.first_on, today))
    _log.info("undid an import of %s", found.kind, extra={"action": "undid_import"})
    return Undone(found.kind, found.imported_at, rows)


async def _undoable(connection: pools.Connection, district_id: int, kind: str | None) -> store.Standing:
    found = await store.newest(connection, district_id, kind)
    if found is None:
        of_kind = f" of {kind}" if kind else ""
        raise errors.ImportRejected(
            f"there is no import{of_kind} to undo: none stands that changed anything (see afterbell import history)"
        )
    if not found.rows:
        raise errors.ImportRejected(
            f"the newest import of {found.kind} cannot be undone: a later one of its kind was undone already, or it "
            "brought a reading of a whole fleet; import a corrected file, which replaces it"
        )
    if changed := await store.changed_since(connection, district_id, found.import_id):
        raise errors.ImportRejected(
            f"{changed:,} of the rows that the newest import of {found.kind} changed have changed since: undo what "
            "came after it first (see afterbell import history)"
        )
    return found
