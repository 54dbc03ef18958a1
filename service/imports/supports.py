"""supports.csv: library hours, activity buses and community Wi-Fi: beside coverage, never in it."""

from datetime import date
from decimal import Decimal
from enum import StrEnum
from pathlib import Path

from service.imports import cells, columns, frame, outcomes, plans, rows, tables, unique
from service.store import pool as pools
from service.store import program_imports as store
from service.store import records

REQUIRED = ("ncessch", "kind", "name", "weekly_hours", "starts_on")
OPTIONAL = ("ends_on",)
_HOURS_OF_A_WEEK = 168
_LAST_YEAR = date(2100, 1, 1)


class Kind(StrEnum):
    LIBRARY_HOURS = "library_hours"
    ACTIVITY_BUS = "activity_bus"
    COMMUNITY_WIFI = "community_wifi"


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
        "supports",
        frame.checksum(path),
        tables=("supports",),
        today=today,
        dry_run=dry_run,
    ) as importing:
        reader = _Reader(await records.school_ids(importing.connection, district_id))
        with tables.opened(path) as table:
            found = columns.match(table.header, required=REQUIRED, optional=OPTIONAL)
            importing.ignore(found.ignored)
            read = rows.read(table, found, importing.tally, reader.support, progress=progress)
            told, repeated = unique.kept(read, importing.tally)
        written = await store.write_supports(importing.connection, district_id, told)
        importing.finish(added=written.added, changed=written.changed, repeated=repeated)
    return importing.outcome


class _Reader:
    def __init__(self, schools: dict[str, int]) -> None:
        self._schools = schools

    def support(self, row: rows.Row) -> unique.Keyed[store.Support] | None:
        ncessch = row.read("ncessch", cells.required_ncessch)
        kind = row.read("kind", cells.one_of(Kind))
        name = row.read("name", cells.required_label)
        hours = row.read("weekly_hours", plans.number(most=_HOURS_OF_A_WEEK))
        starts_on = row.read("starts_on", cells.between(cells.required_day, _LAST_YEAR))
        ends_on = row.read("ends_on", cells.between(cells.day, _LAST_YEAR))
        school_id = self._schools.get(ncessch or "")
        if ncessch is not None and school_id is None:
            row.refuse("ncessch", "there is no such school: import it with the schools first")
        for column, told in (("kind", kind), ("weekly_hours", hours)):
            if told is None and all(problem.column != column for problem in row.problems):
                row.refuse(column, "is empty")
        if starts_on is not None and ends_on is not None and ends_on <= starts_on:
            row.refuse("ends_on", "is not after starts_on: it is the first day no longer")
        if school_id is None or kind is None or name is None or hours is None or starts_on is None:
            return None
        support = store.Support(school_id, kind, name, starts_on, ends_on, hours.quantize(Decimal("0.01")))
        return unique.Keyed(row.number, "starts_on", (school_id, kind, name, starts_on), support)
