"""waitlist.csv: unfilled requests of each school, with their date."""

from datetime import date
from pathlib import Path

from service.imports import cells, columns, frame, outcomes, rows, tables, unique
from service.store import pool as pools
from service.store import program_imports as store
from service.store import records

REQUIRED = ("ncessch", "as_of", "requests")


async def run(
    pool: pools.Pool,
    district_id: int,
    path: Path,
    *,
    today: date,
    dry_run: bool = False,
    progress: rows.Progress | None = None,
) -> outcomes.Outcome:
    async with frame.opened(
        pool,
        district_id,
        "waitlist",
        frame.checksum(path),
        tables=("waitlist_counts",),
        today=today,
        dry_run=dry_run,
    ) as importing:
        reader = _Reader(await records.school_ids(importing.connection, district_id), today)
        with tables.opened(path) as table:
            found = columns.match(table.header, required=REQUIRED)
            importing.ignore(found.ignored)
            read = rows.read(table, found, importing.tally, reader.count, progress=progress)
            counts, repeated = unique.kept(read, importing.tally)
        written = await store.write_waitlists(importing.connection, district_id, counts)
        importing.finish(added=written.added, changed=written.changed, repeated=repeated)
    return importing.outcome


class _Reader:
    def __init__(self, schools: dict[str, int], today: date) -> None:
        self._schools = schools
        self._today = today

    def count(self, row: rows.Row) -> unique.Keyed[store.WaitlistCount] | None:
        ncessch = row.read("ncessch", cells.required_ncessch)
        as_of_on = row.read("as_of", cells.between(cells.required_day, self._today))
        requests = row.read("requests", cells.count)
        school_id = self._schools.get(ncessch or "")
        if ncessch is not None and school_id is None:
            row.refuse("ncessch", "there is no such school: import it with the schools first")
        if school_id is None or as_of_on is None or requests is None:
            return None
        count = store.WaitlistCount(school_id, as_of_on, requests)
        return unique.Keyed(row.number, "as_of", (school_id, as_of_on), count)
