"""What every import has around it: the file's checksum, the transaction and the record of it."""

import contextlib
import dataclasses
import hashlib
import logging
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from service import errors
from service.imports import outcomes, rows
from service.store import imports as store
from service.store import pool as pools

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Frame:
    """One import under way. Its ``outcome`` is complete once the transaction has ended."""

    connection: pools.Connection
    district_id: int
    district: store.District
    today: date
    outcome: outcomes.Outcome
    tally: outcomes.Tally = field(default_factory=outcomes.Tally)
    _first_on: date | None = None

    def affects(self, first_on: date | None) -> None:
        """The import changes what is known of a day, and so of all days after it."""
        if first_on is not None:
            self._first_on = min(first_on, self._first_on or first_on)

    def finish(
        self,
        *,
        added: int,
        changed: int,
        unchanged: int | None = None,
        repeated: int = 0,
        removed: int = 0,
        closed: int = 0,
    ) -> None:
        """Set the counts. Unless told, what is neither new, changed nor repeated is unchanged."""
        accepted = self.tally.accepted
        self.outcome = dataclasses.replace(
            self.outcome,
            accepted=accepted,
            added=added,
            changed=changed,
            unchanged=accepted - added - changed - repeated if unchanged is None else unchanged,
            repeated=repeated,
            removed=removed,
            closed=closed,
            rejected=self.tally.rejected,
            problems=self.tally.in_order(),
        )

    def warn(self, warnings: list[outcomes.Problem]) -> None:
        self.outcome = dataclasses.replace(self.outcome, warnings=(*self.outcome.warnings, *warnings))

    def ignore(self, columns: tuple[str, ...]) -> None:
        self.outcome = dataclasses.replace(self.outcome, ignored_columns=columns)

    def say(self, *counted: str) -> None:
        """What the import did in the words of its kind, such as "12 loans closed"."""
        self.outcome = dataclasses.replace(self.outcome, said=(*self.outcome.said, *counted))

    async def record(self) -> None:
        """Write the import down, and what is to be computed again."""
        done = self.outcome
        first_on = None if self._first_on is None else min(self._first_on, self.today)
        if first_on is not None:
            await store.recompute_from(self.connection, self.district_id, first_on)
        await store.record(
            self.connection,
            self.district_id,
            done.kind,
            done.sha256,
            accepted=done.accepted,
            rejected=done.rejected,
            changed=done.added + done.changed + done.removed + done.closed,
            first_on=first_on,
        )


@contextlib.asynccontextmanager
async def opened(
    pool: pools.Pool,
    district_id: int,
    kind: str,
    sha256: str,
    *,
    tables: Sequence[str],
    today: date,
    dry_run: bool,
) -> AsyncIterator[Frame]:
    """The frame of an import. Whatever is raised within undoes all of it.

    ``sha256``: of what is read (see ``checksum``). ``tables``: whose rows it may change, in the order in which rows
    may be made; what becomes of them is kept, so that the import can be undone.
    """
    blank = outcomes.Outcome(kind, sha256, dry_run)
    async with store.transaction(pool, district_id, is_kept=not dry_run) as connection:
        district = await store.district(connection, district_id)
        await store.watch(connection, district_id, tables)
        frame = Frame(connection, district_id, district, today, blank)
        yield frame
        rows.some(frame.tally)
        await frame.record()
    if not dry_run:
        _log.info("imported %s", kind, extra={"action": "imported_file"})


def checksum(path: Path) -> str:
    """SHA-256 of a file. Raises ImportRejected where it cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise errors.ImportRejected(f"cannot read {path}: {error.strerror or error}") from error
