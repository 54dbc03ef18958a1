"""loans.csv: which device is lent to whom, from which school, from when to when."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from enum import StrEnum
from pathlib import Path

from service import errors
from service.imports import cells, columns, device_names, frame, outcomes, pseudonym_keys, rows, tables
from service.model import pseudonyms
from service.store import loan_imports as store
from service.store import pool as pools

REQUIRED = ("device", "checked_out_on")
OPTIONAL = ("ncessch", "borrower", "household", "due_on", "returned_on", "device_kind")
MOST_DAYS_AHEAD = 31
LONGEST_LOAN = 10 * 366  # days

_REASONS = {
    "unknown_device": "no source knows this device, and it is no whole IMEI that could name a new one",
    "several_devices": "fits several devices: name it by its IMEI",
    "unknown_school": "there is no such school: import it with the schools first",
    "no_school": "is empty, and the device is in no group that belongs to one school",
    "told_differently": "row {other_row} tells of the same loan and says otherwise",
    "overlaps": "row {other_row} has the device lent at the same time",
}
_DOUBTS = {
    "unseen": "no source has seen this device: its state is unknown",
    "lent_twice": "the device has another open loan, which this file does not tell of",
}
_OF_SCHOOL = ("unknown_school", "no_school")


class DeviceKind(StrEnum):
    HOTSPOT = "hotspot"
    FIXED_ROUTER = "fixed_router"
    BUS_ROUTER = "bus_router"
    LAPTOP = "laptop"


async def run(
    pool: pools.Pool,
    district_id: int,
    path: Path,
    *,
    pseudonymizer: pseudonyms.Pseudonymizer | None,
    today: date,
    full: bool = False,
    dry_run: bool = False,
    progress: rows.Progress | None = None,
) -> outcomes.Outcome:
    """``full``: the file has every open loan, so those absent end today, unless a row was refused."""
    async with frame.opened(
        pool,
        district_id,
        "loans",
        frame.checksum(path),
        tables=("devices", "loans"),
        today=today,
        dry_run=dry_run,
    ) as importing:
        if pseudonymizer is not None:
            await pseudonym_keys.check(importing.connection, district_id, importing.district, pseudonymizer)
        with tables.opened(path) as table:
            found = columns.match(table.header, required=REQUIRED, optional=OPTIONAL)
            importing.ignore(found.ignored)
            reader = _Reader(pseudonymizer, today)
            read = rows.read(
                table, found, importing.tally, reader.loan, shown=rows.codes_only, progress=progress
            )
            await store.stage(importing.connection, read)
        rows.some(importing.tally)
        repeated = await _refuse(importing)
        await _write(importing, repeated=repeated, full=full)
    return importing.outcome


class _Reader:
    def __init__(self, pseudonymizer: pseudonyms.Pseudonymizer | None, today: date) -> None:
        self._pseudonymizer = pseudonymizer
        self._check_out = cells.between(cells.required_day, today + timedelta(days=MOST_DAYS_AHEAD))
        self._due = cells.between(cells.day, today + timedelta(days=LONGEST_LOAN))
        self._return = cells.between(cells.day, today + timedelta(days=1))

    def loan(self, row: rows.Row) -> store.Loan | None:
        device = row.read("device", cells.required_identifier)
        ncessch = row.read("ncessch", cells.ncessch)
        borrower = row.read("borrower", cells.identifier, is_personal=True)
        household = row.read("household", cells.identifier, is_personal=True)
        kind = row.read("device_kind", cells.one_of(DeviceKind))
        checked_out_on, due_on, returned_on = self._dates(row)
        if row.problems or device is None or checked_out_on is None:
            return None
        name = device_names.read(device)
        return store.Loan(
            row.number,
            device=device,
            imei=name.imei,
            serial=name.serial,
            mdn=name.mdn,
            iccids=name.iccids,
            is_whole_imei=name.is_whole_imei,
            ncessch=ncessch or "",
            borrower=self._keyed().borrower(borrower) if borrower else "",
            household=self._keyed().household(household) if household else "",
            checked_out_on=checked_out_on,
            due_on=due_on,
            returned_on=returned_on,
            kind=kind,
        )

    def _dates(self, row: rows.Row) -> tuple[date | None, date | None, date | None]:
        checked_out_on = row.read("checked_out_on", self._check_out)
        due_on = row.read("due_on", self._due)
        returned_on = row.read("returned_on", self._return)
        if checked_out_on is not None and due_on is not None and due_on < checked_out_on:
            row.refuse("due_on", "is before checked_out_on")
        if checked_out_on is not None and returned_on is not None and returned_on < checked_out_on:
            row.refuse("returned_on", "is before checked_out_on")
        return checked_out_on, due_on, returned_on

    def _keyed(self) -> pseudonyms.Pseudonymizer:
        if self._pseudonymizer is None:
            raise errors.ConfigError(
                "the file has borrowers or households, which are stored as pseudonyms only: "
                "set the district's pseudonym_key_file in the configuration"
            )
        return self._pseudonymizer


async def _refuse(importing: frame.Frame) -> int:
    """Refuse what the database or the rest of the file contradicts; returns the number of exact repeats."""
    connection = importing.connection
    await store.match(connection, importing.district_id, importing.district.time_zone)
    await store.refuse(connection, list(contradicting(await store.overlapping(connection))))
    repeated = 0
    for refusal in await store.refusals(connection):
        if refusal.reason == "repeat":
            repeated += 1
        else:
            importing.tally.reject([_problem(refusal)])
    return repeated


def contradicting(spans: Sequence[store.Span]) -> Iterator[tuple[int, int]]:
    """The rows that lend a device which an earlier row has out, each with that row."""
    out: dict[int, list[store.Span]] = defaultdict(list)
    for span in spans:
        other = next((known for known in out[span.device_id] if _overlap(span, known)), None)
        if other is None:
            out[span.device_id].append(span)
        else:
            yield span.row_number, other.row_number


def _overlap(one: store.Span, other: store.Span) -> bool:
    return one.checked_out_on < other.until_on and other.checked_out_on < one.until_on


def _problem(refusal: store.Refusal) -> outcomes.Problem:
    reason = _REASONS[refusal.reason].format(other_row=refusal.other_row)
    if refusal.reason in _OF_SCHOOL:
        return outcomes.Problem(refusal.row_number, "ncessch", reason, refusal.ncessch)
    return outcomes.Problem(refusal.row_number, "device", reason, rows.codes_only(refusal.device))


async def _write(importing: frame.Frame, *, repeated: int, full: bool) -> None:
    connection, district_id = importing.connection, importing.district_id
    importing.warn([_doubt(doubt) for doubt in await store.doubts(connection, district_id)])
    kinds = await store.write_kinds(connection, district_id)
    written = await store.write(connection, district_id)
    closed = await _close(importing) if full else 0
    importing.affects(kinds.first_on)
    importing.affects(written.first_on)
    importing.finish(added=written.added, changed=written.changed, repeated=repeated, closed=closed)
    if kinds.changed:
        importing.warn([outcomes.Problem(0, "device_kind", f"the kind of {kinds.changed} device(s) changed")])


async def _close(importing: frame.Frame) -> int:
    if importing.tally.rejected:
        reason = "rows were refused, so no absent loan was closed: put them right and import the file again"
        importing.warn([outcomes.Problem(0, "", reason)])
        return 0
    closed, first_on = await store.close_absent(importing.connection, importing.district_id, importing.today)
    importing.affects(first_on)
    return closed


def _doubt(doubt: store.Doubt) -> outcomes.Problem:
    return outcomes.Problem(doubt.row_number, "device", _DOUBTS[doubt.doubt], rows.codes_only(doubt.device))
