"""calendar.csv: the school year's days, and where one school differs."""

from datetime import date, timedelta
from pathlib import Path

from service.imports import cells, columns, frame, outcomes, rows, tables
from service.model import calendars
from service.store import pool as pools
from service.store import records

REQUIRED = ("starts_on", "kind")
OPTIONAL = ("ends_on", "ncessch")
MOST_DAYS_AHEAD = 3 * 366
TABLES = ("calendar_days", "school_calendar_days")
LONGEST_RANGE = 400  # days: more than a school year is a mistyped year


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
        "calendar",
        frame.checksum(path),
        tables=TABLES,
        today=today,
        dry_run=dry_run,
    ) as importing:
        schools = await records.school_ids(importing.connection, district_id)
        reader = _Reader(schools, today + timedelta(days=MOST_DAYS_AHEAD))
        with tables.opened(path) as table:
            found = columns.match(table.header, required=REQUIRED, optional=OPTIONAL)
            importing.ignore(found.ignored)
            ranges = list(rows.read(table, found, importing.tally, reader.range, progress=progress))
        await write(importing, schools, ranges)
    return importing.outcome


class _Reader:
    def __init__(self, schools: dict[str, int], last: date) -> None:
        self._schools = schools
        self._last = last

    def range(self, row: rows.Row) -> calendars.Range | None:
        starts_on = row.read("starts_on", cells.between(cells.required_day, self._last))
        ends_on = row.read("ends_on", cells.between(cells.day, self._last)) or starts_on
        kind = row.read("kind", cells.one_of(calendars.DayKind))
        school = row.read("ncessch", cells.ncessch) or None
        if kind is None and not row.problems:
            row.refuse("kind", "is empty")
        if school is not None and school not in self._schools:
            row.refuse("ncessch", "there is no such school: import it with the schools first")
        if starts_on is None or ends_on is None or kind is None:
            return None
        if ends_on < starts_on:
            row.refuse("ends_on", "is before starts_on")
        if ends_on - starts_on > timedelta(days=LONGEST_RANGE):
            row.refuse("ends_on", f"is more than {LONGEST_RANGE} days after starts_on")
        return calendars.Range(starts_on, ends_on, kind, school)


async def write(importing: frame.Frame, schools: dict[str, int], ranges: list[calendars.Range]) -> None:
    """Replace the days that the ranges speak of; counts are days."""
    days = calendars.days(ranges)
    bounds = calendars.bounds(ranges)
    district = await _write_district(importing, days, bounds)
    differing = await records.write_school_calendars(
        importing.connection,
        importing.district_id,
        {(schools[school], day): kind for (school, day), kind in days.items() if school is not None},
        district_bounds=bounds.get(None),
        school_bounds={schools[school]: span for school, span in bounds.items() if school is not None},
    )
    for written in (district, differing):
        importing.affects(written.first_on)
    added, changed = district.added + differing.added, district.changed + differing.changed
    importing.finish(
        added=added,
        changed=changed,
        removed=district.removed + differing.removed,
        unchanged=len(days) - added - changed,
    )


async def _write_district(
    importing: frame.Frame,
    days: dict[tuple[str | None, date], calendars.DayKind],
    bounds: dict[str | None, tuple[date, date]],
) -> records.Written:
    if None not in bounds:
        return records.Written()
    of_district = {day: kind for (school, day), kind in days.items() if school is None}
    return await records.write_calendar(
        importing.connection, importing.district_id, of_district, bounds[None]
    )
