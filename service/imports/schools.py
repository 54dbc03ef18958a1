"""schools.csv: the schools, and which of them are high-needs on what ground."""

from datetime import date
from pathlib import Path

from service.imports import cells, columns, frame, outcomes, rows, shares, tables, unique
from service.model import high_needs
from service.store import pool as pools
from service.store import records

REQUIRED = ("ncessch", "name")
OF_NEED = ("high_needs", "high_needs_basis", "indicator", "indicator_value", "indicator_year")


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
        pool, district_id, "schools", frame.checksum(path), tables=("schools",), today=today, dry_run=dry_run
    ) as importing:
        with tables.opened(path) as table:
            found = columns.match(table.header, required=REQUIRED, optional=OF_NEED)
            importing.ignore(found.ignored)
            read = rows.read(table, found, importing.tally, _school, progress=progress)
            schools, repeated = unique.kept(read, importing.tally)
        written = await records.write_schools(
            importing.connection,
            district_id,
            schools,
            tells_need=any(name in found.places for name in OF_NEED),
        )
        importing.affects(today if written.added else None)
        importing.finish(added=written.added, changed=written.changed, repeated=repeated)
    return importing.outcome


def _school(row: rows.Row) -> unique.Keyed[records.School] | None:
    ncessch = row.read("ncessch", cells.required_ncessch)
    name = row.read("name", cells.required_label)
    is_high_needs = row.read("high_needs", cells.yes_no)
    basis = row.read("high_needs_basis", cells.label) or None
    indicator, value, year = _indicator(row)
    if is_high_needs and basis is None:
        row.refuse(
            "high_needs_basis", "is empty: say which list or rule makes the school high-needs, and its year"
        )
    if ncessch is None or name is None:
        return None
    school = records.School(ncessch, name, is_high_needs, basis, indicator, value, year)
    return unique.Keyed(row.number, "ncessch", ncessch, school)


def _indicator(row: rows.Row) -> tuple[high_needs.Indicator | None, float | None, str | None]:
    """What the school was judged by: a figure of no told indicator or year cannot be compared with another."""
    indicator = row.read("indicator", cells.one_of(high_needs.Indicator))
    value = row.read("indicator_value", shares.share)
    year = row.read("indicator_year", shares.school_year)
    if value is not None and indicator is None and not row.problems:
        row.refuse("indicator", "is empty: say what indicator_value is a share of")
    if indicator is not None and year is None and not row.problems:
        row.refuse("indicator_year", "is empty: say which school year the indicator is of")
    return indicator, value, year
