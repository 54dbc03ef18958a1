"""The schools behind a loan system's sites: from the map, and from a table of the district."""

from collections.abc import Mapping
from pathlib import Path

from service import errors
from service.imports import cells, columns, loan_maps, loan_rows, outcomes, rows, tables


def of(layout: loan_maps.LoanMap, path: Path | None) -> Mapping[str, str]:
    """The NCESSCH of each site. Raises where the map has sites and nothing says which school each is."""
    found = {loan_rows.site_key(site): ncessch for site, ncessch in layout.schools.items()}
    if path is not None:
        found |= _read(path)
    if layout.columns.site is not None and not found:
        raise errors.ConfigError(
            f"the map names schools by the column {layout.columns.site!r}: say which school each is with "
            "--schools FILE (columns site and ncessch), or under [schools] in a copy of the map"
        )
    return found


def _read(path: Path) -> dict[str, str]:
    """A file of two columns. It is small and configures the import, so any mistake in it stops the import."""
    tally = outcomes.Tally()
    with tables.opened(path) as table:
        found = columns.match(table.header, required=("site", "ncessch"))
        read = list(rows.read(table, found, tally, _site))
    if tally.problems:
        first = tally.in_order()[0]
        raise errors.ConfigError(
            f"{path.name}, row {first.row}: {first.column or 'the row'} {first.reason}"
            f" ({tally.rejected} row(s) are wrong)"
        )
    return {loan_rows.site_key(site): ncessch for site, ncessch in read}


def _site(row: rows.Row) -> tuple[str, str]:
    return row.read("site", cells.required_label) or "", row.read("ncessch", cells.required_ncessch) or ""
