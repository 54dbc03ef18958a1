"""What goes into the packages that stay in the district: internal, and inventory."""

import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence

from service.exports import ed_fi, internal, inventory, steps
from service.exports import tables as export_tables
from service.exports.writing import package
from service.model import protection
from service.store import releases

NOTES = "notes.txt"
PROBLEMS_TOLD = 20


class Contents:
    """Read as it is written: memory stays flat, however many lines there are."""

    def __init__(self, job: steps.Job, reasons: tuple[str, ...]) -> None:
        self._job = job
        self.rows: Sequence[releases.Row] = ()
        self.totals: Mapping[str, protection.Cell] = {}
        self.reasons = reasons
        self.told: tuple[str, ...] = ()

    def tables(self) -> tuple[tuple[str, releases.Cells], ...]:
        """None: it is not told what differs from the revision before."""
        return ()

    async def write(self, writer: package.Writer) -> None:
        if self._job.asked.profile == "internal":
            await self._internal(writer)
        else:
            await self._inventory(writer)

    async def _internal(self, writer: package.Writer) -> None:
        job = self._job
        chosen = internal.Terms(reclaim_days=job.terms.reclaim_days, floor=job.terms.floor)
        async with internal.opened(job.pool, job.facts, chosen) as parts:
            for table, batches in parts:
                await writer.stream(table, self._counted(table, batches))
        writer.file(NOTES, _lines(internal.notes(job.facts, chosen)))

    async def _inventory(self, writer: package.Writer) -> None:
        job = self._job
        roster = None
        if job.asked.rosters and job.asked.pseudonymizer is not None:
            roster = inventory.Roster(files=job.asked.rosters, pseudonymizer=job.asked.pseudonymizer)
        async with inventory.opened(
            job.pool, job.facts, roster=roster, is_deidentified=job.asked.is_deidentified
        ) as made:
            for table, batches in made.parts:
                await writer.stream(table, self._counted(table, batches))
            answers = await made.ed_fi()
        if answers is not None:
            writer.file(ed_fi.FILE, answers)
        writer.file(NOTES, _lines(made.notes))
        self.told = tuple(_told(made, is_deidentified=job.asked.is_deidentified))

    async def _counted(
        self, table: export_tables.Table, batches: AsyncIterator[Sequence[export_tables.Row]]
    ) -> AsyncIterator[Sequence[export_tables.Row]]:
        """Where writing fails, the query that is read from ends at once."""
        count = 0
        async with contextlib.aclosing(batches) as rows:  # type: ignore[type-var]
            async for batch in rows:
                yield batch
                count += len(batch)
                self._job.progress(table.name, count, count)


def _told(made: inventory.Made, *, is_deidentified: bool) -> list[str]:
    """By line number, never by what is in the row."""
    if is_deidentified:
        return []
    told = []
    if made.counts.loans_without_name:
        told.append(
            f"{made.counts.loans_without_name:,} loans are of a borrower whom no roster file names: see missing_names"
        )
    listed = made.problems[:PROBLEMS_TOLD]
    told += [f"roster {problem.file}, line {problem.line}: {problem.reason}" for problem in listed]
    if len(made.problems) > len(listed):
        told.append(f"and {len(made.problems) - len(listed):,} more rows of the roster files")
    return told


def _lines(notes: Sequence[str]) -> bytes:
    return "".join(f"{note}\n" for note in notes).encode()
