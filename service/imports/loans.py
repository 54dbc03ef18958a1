"""Loan files: which device is lent to whom, from which school, from when to when."""

from datetime import date
from pathlib import Path

from service import errors
from service.imports import (
    frame,
    loan_maps,
    loan_rows,
    loan_sites,
    loan_writing,
    outcomes,
    pseudonym_keys,
    rows,
    tables,
)
from service.model import pseudonyms
from service.store import loan_imports as store
from service.store import pool as pools

TABLES = ("devices", "loans")  # what an import of loans may change


async def run(
    pool: pools.Pool,
    district_id: int,
    path: Path,
    *,
    pseudonymizer: pseudonyms.Pseudonymizer | None,
    today: date,
    layout: loan_maps.LoanMap | None = None,
    schools: Path | None = None,
    full: bool = False,
    dry_run: bool = False,
    progress: rows.Progress | None = None,
) -> outcomes.Outcome:
    """``layout``: without one, that of plain names. ``schools``: a table of sites, where the map needs one.

    ``full``: the file has every open loan of its source, so those absent end, unless a row was refused.
    """
    layout = layout or loan_maps.load(loan_maps.GENERIC)
    sites = loan_sites.of(layout, schools)
    checksum = frame.checksum(path)
    async with frame.opened(
        pool, district_id, "loans", checksum, tables=TABLES, today=today, dry_run=dry_run
    ) as importing:
        context = loan_rows.Context(pseudonymizer, today, importing.district.time_zone, sites)
        with tables.opened(path, skip_rows=layout.file.skip_rows, sheet=layout.file.sheet) as table:
            kept = tables.without_footer(table, layout.file.footer)
            await import_table(importing, kept, layout, context, full=full, progress=progress)
    return importing.outcome


async def import_table(
    importing: frame.Frame,
    table: tables.Table,
    layout: loan_maps.LoanMap,
    context: loan_rows.Context,
    *,
    full: bool,
    progress: rows.Progress | None = None,
) -> None:
    """Read a table of loans by its map and write them, within an import that is under way."""
    if context.pseudonymizer is not None:
        await pseudonym_keys.check(
            importing.connection, importing.district_id, importing.district, context.pseudonymizer
        )
    found = loan_rows.match(table.header, layout)
    importing.ignore(found.ignored)
    has = layout.columns.present(found.places)
    reader = loan_rows.Reader(layout, found, context)
    read = rows.read(table, found, importing.tally, reader.loan, shown=rows.codes_only, progress=progress)
    await store.stage(importing.connection, read)
    _some(importing.tally, reader.left_out)
    await loan_writing.write(importing, _told(layout.source, has), _names(layout), full=full)
    if reader.nameless and has.borrower:
        reason = f"{reader.nameless:,} open loan(s) name no borrower: whose they are is not known"
        importing.warn([outcomes.Problem(0, has.borrower, reason)])
    if reader.left_out:
        importing.say(f"{reader.left_out:,} rows of other things left out")


def from_source(layout: loan_maps.LoanMap, source: str | None) -> loan_maps.LoanMap:
    """The map with another source. Raises ConfigError for a name that is none."""
    if source is None:
        return layout
    try:
        return loan_maps.LoanMap.model_validate(layout.model_dump(by_alias=True) | {"source": source})
    except ValueError as error:
        raise errors.ConfigError(
            f"--source {source}: a source is a short name in lower case, digits, - and _"
        ) from error


def _some(tally: outcomes.Tally, left_out: int) -> None:
    if tally.rows == 0 and left_out:
        raise errors.ImportRejected(
            f"[only] of the map leaves out all {left_out:,} rows: nothing was changed. Compare its words with the file"
        )
    rows.some(tally)


def _told(source: str, has: loan_maps.Columns) -> store.Told:
    return store.Told(
        source,
        households=has.household is not None,
        due_dates=has.due_on is not None,
        losses=has.lost_on is not None or has.status is not None,
    )


def _names(layout: loan_maps.LoanMap) -> loan_writing.Names:
    school = layout.columns.ncessch or layout.columns.site or "ncessch"
    return loan_writing.Names(layout.columns.device[0], school)
