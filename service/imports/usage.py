"""A carrier's usage file, read by a map: the bytes of each line in a day, a month or a billing cycle."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path

from service import errors
from service.imports import amounts, cells, columns, frame, outcomes, periods, rows, tables, usage_maps
from service.model import identifiers, retention
from service.store import pool as pools
from service.store import usage_imports as store

READING_MONTHS = 13  # raw readings are kept this long

_REASONS = {
    "unknown_line": "no source knows this line",
    "several_lines": "fits several lines: a map with the ICCID tells them apart",
    "told_twice": "row {other_row} is of the same line and period; figures are never added up",
    "overlaps_row": "row {other_row} is of the same line and an overlapping period",
    "overlaps_earlier_file": "an earlier file is of the same line and an overlapping period",
}


async def run(
    pool: pools.Pool,
    district_id: int,
    path: Path,
    *,
    usage_map: usage_maps.UsageMap,
    today: date,
    period: periods.Period | None = None,
    reading_months: int = READING_MONTHS,
    new_lines: bool = False,
    dry_run: bool = False,
    progress: rows.Progress | None = None,
) -> outcomes.Outcome:
    """``period``: where the map reads none. ``new_lines``: unknown lines are made, not refused."""
    period_reader = periods.Reader(usage_map.period, period, today)
    async with frame.opened(
        pool, district_id, "usage", frame.checksum(path), tables=(), today=today, dry_run=dry_run
    ) as importing:
        account = await _account(importing, usage_map)
        layout = usage_map.file
        with tables.opened(path, skip_rows=layout.skip_rows, sheet=layout.sheet) as table:
            found = _columns(table.header, usage_map)
            importing.ignore(found.ignored)
            reader = _Reader(usage_map, period_reader, periods.Bounds(account.time_zone))
            read = rows.read(
                tables.without_footer(table, layout.footer),
                found,
                importing.tally,
                reader.usage,
                shown=rows.codes_only,
                progress=progress,
            )
            await store.stage(importing.connection, read)
        await _write(
            importing, account, usage_map, retention.first_kept(today, reading_months), new_lines=new_lines
        )
    return importing.outcome


async def _account(importing: frame.Frame, usage_map: usage_maps.UsageMap) -> store.Account:
    key, zone = usage_map.account.key, usage_map.zone or importing.district.time_zone
    account = await store.account(importing.connection, importing.district_id, key, zone)
    if account.collector != "file":
        raise errors.ImportRejected(
            f"the account {key} is polled ({account.collector}): give the map another account.key"
        )
    if account.time_zone != zone:
        raise errors.ImportRejected(
            f"the account {key} has its days in {account.time_zone}, the map in {zone}: they must be the same"
        )
    return account


def _columns(header: Sequence[str], usage_map: usage_maps.UsageMap) -> columns.Columns:
    """Every column is used or said to be ignored: a new one may be one that counts."""
    found = columns.match(header, required=usage_map.columns)
    ignore = {columns.plain(name) for name in usage_map.file.ignore}
    unknown = [name for name in found.ignored if columns.plain(name) not in ignore]
    if unknown and usage_maps.EVERYTHING_ELSE not in usage_map.file.ignore:
        listed = ", ".join(repr(name) for name in unknown)
        raise errors.ImportRejected(
            f"the file has columns that the map does not know: {listed}. "
            'Use them in the map, or list them under file.ignore ("*" ignores all others)'
        )
    return found


class _Reader:
    def __init__(
        self, usage_map: usage_maps.UsageMap, period_reader: periods.Reader, bounds: periods.Bounds
    ) -> None:
        self._line = usage_map.line
        self._usage = usage_map.usage
        self._notation = amounts.Notation(
            usage_map.usage.thousands, usage_map.usage.decimal, usage_map.usage.kilobyte
        )
        self._periods = period_reader
        self._bounds = bounds

    def usage(self, row: rows.Row) -> store.Usage | None:
        iccids = row.read(self._line.iccid or "", _iccids)
        mdn = row.read(self._line.mdn or "", _mdn)
        imei = row.read(self._line.imei or "", _imei)
        total = self._total(row)
        period = self._periods.read(row)
        if not row.problems and iccids is None and mdn is None and imei is None:
            row.refuse(self._line.columns[0], "names no line")
        if row.problems or total is None or period is None:
            return None
        starts_at, ends_at = self._bounds.of(period)
        on_day = period.first_on if period.first_on == period.last_on else None
        return store.Usage(row.number, mdn, iccids, imei, on_day, starts_at, ends_at, total)

    def _total(self, row: rows.Row) -> int | None:
        size = self._unit(row)
        parts = [row.read(column, lambda cell: self._amount(cell, size)) for column in self._usage.columns]
        return None if None in parts else sum(part or 0 for part in parts)

    def _unit(self, row: rows.Row) -> int | None:
        """The bytes of a unit; None where each cell has its own, or where the row's is none."""
        if self._usage.unit is not None:
            return amounts.unit_bytes(self._usage.unit, kilobyte=self._notation.kilobyte)
        if self._usage.unit_column is None:
            return None
        return row.read(self._usage.unit_column, lambda cell: amounts.unit(cell, self._notation))

    def _amount(self, cell: cells.Cell, size: int | None) -> int:
        if self._usage.empty_is_zero and not cells.text(cell):
            return 0
        if self._usage.unit_in_cell:
            return amounts.amount_with_unit(cell, self._notation)
        return amounts.amount(cell, size or 1, self._notation)


def _iccids(cell: cells.Cell) -> tuple[str, ...] | None:
    shown = cells.identifier(cell)
    return identifiers.iccid_forms(shown) if shown else None


def _mdn(cell: cells.Cell) -> str | None:
    shown = cells.identifier(cell)
    return identifiers.mdn(shown) if shown else None


def _imei(cell: cells.Cell) -> str | None:
    shown = cells.identifier(cell)
    return identifiers.imei(shown) if shown else None


async def _write(
    importing: frame.Frame,
    account: store.Account,
    usage_map: usage_maps.UsageMap,
    kept_from_day: date,
    *,
    new_lines: bool,
) -> None:
    connection, district_id = importing.connection, importing.district_id
    made = await store.match(connection, district_id, account.account_id, new_lines=new_lines)
    column = usage_map.line.columns[0]
    for refusal in await store.refusals(connection):
        reason = _REASONS[refusal.reason].format(other_row=refusal.other_row)
        importing.tally.reject([outcomes.Problem(refusal.row_number, column, reason, refusal.line)])
    written = await store.write(connection, district_id, account, kept_from=kept_from_day)
    importing.affects(written.first_on)
    importing.finish(added=written.added, changed=written.changed)
    if made:
        importing.warn([outcomes.Problem(0, column, f"{made} line(s) were new")])
