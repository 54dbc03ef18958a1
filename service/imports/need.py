"""need.csv: a school's totals of students enrolled, answered and in need, with their date."""

from datetime import date, timedelta
from pathlib import Path

from service.imports import cells, columns, frame, outcomes, rows, tables, unique
from service.store import pool as pools
from service.store import records

REQUIRED = ("ncessch", "as_of", "enrolled", "answered", "need")
MOST_DAYS_AHEAD = 31


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
        pool, district_id, "need", frame.checksum(path), tables=("need_counts",), today=today, dry_run=dry_run
    ) as importing:
        reader = _Reader(
            await records.school_ids(importing.connection, district_id),
            today + timedelta(days=MOST_DAYS_AHEAD),
        )
        with tables.opened(path) as table:
            found = columns.match(table.header, required=REQUIRED)
            importing.ignore(found.ignored)
            read = rows.read(table, found, importing.tally, reader.need_count, progress=progress)
            counts, repeated = unique.kept(read, importing.tally)
        written = await records.write_need_counts(importing.connection, district_id, counts)
        importing.affects(written.first_on)
        importing.finish(added=written.added, changed=written.changed, repeated=repeated)
    return importing.outcome


class _Reader:
    def __init__(self, schools: dict[str, int], last: date) -> None:
        self._schools = schools
        self._last = last

    def need_count(self, row: rows.Row) -> unique.Keyed[records.NeedCount] | None:
        ncessch = row.read("ncessch", cells.required_ncessch)
        as_of_on = row.read("as_of", cells.between(cells.required_day, self._last))
        enrolled = row.read("enrolled", cells.count)
        answered = row.read("answered", cells.count)
        need = row.read("need", cells.count)
        school_id = self._schools.get(ncessch or "")
        if ncessch is not None and school_id is None:
            row.refuse("ncessch", "there is no such school: import it with the schools first")
        if enrolled is not None and answered is not None and answered > enrolled:
            row.refuse("answered", "is more than enrolled")
        if answered is not None and need is not None and need > answered:
            row.refuse("need", "is more than answered: need is part of those who answered")
        if school_id is None or as_of_on is None or enrolled is None or answered is None or need is None:
            return None
        count = records.NeedCount(school_id, as_of_on, enrolled, answered, need)
        return unique.Keyed(row.number, "as_of", (school_id, as_of_on), count)
