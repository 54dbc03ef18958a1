"""One row of a loan file, read as its map says."""

import fnmatch
import functools
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from service import errors
from service.imports import cells, columns, device_names, loan_maps, outcomes, rows
from service.model import pseudonyms
from service.store import loan_imports as store

MOST_DAYS_AHEAD = 31
LONGEST_LOAN = 10 * 366  # days

_TIME = re.compile(r"[T ]\s*\d{1,2}:\d{2}.*", re.DOTALL)
_ZONED = re.compile(r"[T ]\d{2}:\d{2}.*(Z|[+-]\d{2}:?\d{2})$")

ParseDay = Callable[[cells.Cell], date | None]


@dataclass(frozen=True, slots=True)
class Context:
    """What reading needs beside the map. ``sites``: the NCESSCH of each name or code, as ``site_key`` spells it."""

    pseudonymizer: pseudonyms.Pseudonymizer | None
    today: date
    time_zone: str
    sites: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Dates:
    checked_out_on: date | None = None
    due_on: date | None = None
    returned_on: date | None = None
    lost_on: date | None = None


def site_key(text: str) -> str:
    return " ".join(text.split()).casefold()


class Reader:
    """Reads rows by the map, of a table whose columns were found.

    ``left_out`` counts the rows that [only] excludes, ``nameless`` open loans without the borrower's number.
    """

    def __init__(self, layout: loan_maps.LoanMap, found: columns.Columns, context: Context) -> None:
        self.left_out = 0
        self.nameless = 0
        self._layout = layout
        self._columns = layout.columns.present(found.places)
        self._context = context
        parse = day_parser(layout.dates, context.time_zone)
        self._check_out = cells.between(parse, context.today + timedelta(days=MOST_DAYS_AHEAD))
        self._due = cells.between(parse, context.today + timedelta(days=LONGEST_LOAN))
        self._past = cells.between(parse, context.today + timedelta(days=1))
        self._only = {header: _words(told) for header, told in layout.only.items()}
        self._kind = _kind_parser(layout.device_kinds)
        self._status = _status_parser(layout.status)

    def loan(self, row: rows.Row) -> store.Loan | None:
        if not all(_has_word(row.cell(header), words) for header, words in self._only.items()):
            self.left_out += 1
            return None
        device = self._device(row)
        status = row.read(self._columns.status, self._status) if self._columns.status else "out"
        if status == "lost" or self._is_filled(row, "lost_on"):
            made = self._lost(row, device)
        elif status == "in" or self._is_with_nobody(row):
            made = self._in_stock(row, device)
        else:
            made = self._lent(row, device)
        return None if row.problems else made

    def _lost(self, row: rows.Row, device: str) -> store.Loan:
        """A system that ends the loan of a lost device tells of the device alone: its open loan is meant."""
        has_borrower = self._columns.borrower is None or self._is_filled(row, "borrower")
        if has_borrower and self._is_filled(row, "checked_out_on"):
            return self._lent(row, device, is_lost=True)
        lost_on = row.read(self._columns.lost_on, self._past) if self._columns.lost_on else None
        return self._of_device(row, device, lost_on, is_lost=True)

    def _in_stock(self, row: rows.Row, device: str) -> store.Loan:
        if self._is_filled(row, "checked_out_on") and self._is_filled(row, "returned_on"):
            return self._lent(row, device)
        return self._of_device(row, device, None, is_lost=False)

    def _lent(self, row: rows.Row, device: str, *, is_lost: bool = False) -> store.Loan:
        personal = self._personal(row)
        kind = row.read(self._columns.device_kind, self._kind) if self._columns.device_kind else None
        dates = self._dates(row)
        self.nameless += not personal[0] and dates.returned_on is None and not row.problems
        return self._made(row, device, dates, self._school(row), personal, kind, is_lost=is_lost)

    def _of_device(self, row: rows.Row, device: str, lost_on: date | None, *, is_lost: bool) -> store.Loan:
        dates = _Dates(lost_on=lost_on)
        return self._made(row, device, dates, "", ("", ""), None, is_lost=is_lost, of_device=True)

    def _made(
        self,
        row: rows.Row,
        device: str,
        dates: _Dates,
        ncessch: str,
        personal: tuple[str, str],
        kind: loan_maps.DeviceKind | None,
        *,
        is_lost: bool,
        of_device: bool = False,
    ) -> store.Loan:
        name = device_names.read(device)
        borrower, household = personal
        return store.Loan(
            row.number,
            device=device,
            imei=name.imei,
            serial=name.serial,
            mdn=name.mdn,
            iccids=name.iccids,
            is_whole_imei=name.is_whole_imei,
            ncessch=ncessch,
            borrower=borrower,
            household=household,
            checked_out_on=dates.checked_out_on or self._context.today,
            due_on=dates.due_on,
            returned_on=dates.returned_on,
            lost_on=dates.lost_on,
            is_lost=is_lost,
            of_device=of_device,
            kind=kind,
        )

    def _device(self, row: rows.Row) -> str:
        """What stands in the first column that is filled."""
        headers = self._columns.device
        filled = next((header for header in headers if cells.text(row.cell(header))), headers[-1])
        return row.read(filled, cells.required_identifier) or ""

    def _personal(self, row: rows.Row) -> tuple[str, str]:
        told = self._columns
        borrower = row.read(told.borrower, cells.identifier, is_personal=True) if told.borrower else None
        household = row.read(told.household, cells.identifier, is_personal=True) if told.household else None
        return (
            self._keyed().borrower(borrower) if borrower else "",
            self._keyed().household(household) if household else "",
        )

    def _dates(self, row: rows.Row) -> _Dates:
        told = self._columns
        found = _Dates(
            row.read(told.checked_out_on, self._required_check_out),
            row.read(told.due_on, self._due) if told.due_on else None,
            row.read(told.returned_on, self._past) if told.returned_on else None,
            row.read(told.lost_on, self._past) if told.lost_on else None,
        )
        first_on = found.checked_out_on
        for name in ("due_on", "returned_on", "lost_on"):
            later = getattr(found, name)
            if first_on is not None and later is not None and later < first_on:
                row.refuse(getattr(told, name), f"is before {told.checked_out_on}")
        return found

    def _required_check_out(self, cell: cells.Cell) -> date:
        found = self._check_out(cell)
        if found is None:
            raise cells.Invalid("is empty")
        return found

    def _school(self, row: rows.Row) -> str:
        if self._columns.ncessch:
            return row.read(self._columns.ncessch, cells.ncessch) or ""
        if self._columns.site is None:
            return ""
        site = cells.text(row.cell(self._columns.site))
        found = self._context.sites.get(site_key(site), "") if site else ""
        if site and not found:
            reason = "is not in the table of sites: add it with its NCESSCH to the file of --schools"
            row.problems.append(outcomes.Problem(row.number, self._columns.site, reason, site))
        return found

    def _is_with_nobody(self, row: rows.Row) -> bool:
        told = self._layout.status.nobody
        return told is not None and bool(self._columns.of(told)) and not self._is_filled(row, told)

    def _is_filled(self, row: rows.Row, told: str) -> bool:
        return any(cells.text(row.cell(header)) for header in self._columns.of(told))

    def _keyed(self) -> pseudonyms.Pseudonymizer:
        if self._context.pseudonymizer is None:
            raise errors.ConfigError(
                "the file has borrowers or households, which are stored as pseudonyms only: "
                "set the district's pseudonym_key_file in the configuration"
            )
        return self._context.pseudonymizer


def match(header: Sequence[str], layout: loan_maps.LoanMap) -> columns.Columns:
    """Where the map's columns are. Raises ImportRejected that lists what is there where one is missing."""
    told = ("device", "checked_out_on", *loan_maps.Columns.model_fields)
    wanted = {name: layout.columns.of(name) for name in dict.fromkeys(told)}
    optional = [header for name in layout.file.may_lack for header in wanted[name]]
    required = [header for name in wanted for header in wanted[name] if header not in optional]
    found = columns.match(header, required=(*required, *layout.only), optional=optional)
    if not any(device in found.places for device in layout.columns.device):
        columns.match(header, required=layout.columns.device)
    return found


def day_parser(dates: loan_maps.Dates, time_zone: str) -> ParseDay:
    """Reads dates as the map says. A time with its zone is brought to the district's day."""
    zone = ZoneInfo(time_zone)

    @functools.lru_cache(maxsize=4096)  # a file has few dates and many rows
    def read(shown: str) -> date | None:
        if dates.formats:
            return _formatted(shown, dates.formats)
        if dates.times and _ZONED.search(shown):
            return _at(shown).astimezone(zone).date()
        return cells.day(_TIME.sub("", shown) if dates.times else shown)

    def parse(cell: cells.Cell) -> date | None:
        if isinstance(cell, datetime) and dates.times:
            return cell.date()
        if isinstance(cell, date):
            return cells.day(cell)
        shown = cells.text(cell)
        return read(shown) if shown else None

    return parse


def _at(shown: str) -> datetime:
    try:
        return datetime.fromisoformat(shown)
    except ValueError:
        raise cells.Invalid("is not an instant such as 2026-10-31T15:30:00Z") from None


def _formatted(shown: str, formats: Sequence[str]) -> date:
    for form in formats:
        try:
            return datetime.strptime(shown, form).date()  # noqa: DTZ007  # a date has no zone
        except ValueError:
            continue
    raise cells.Invalid(f"is not a date such as {formats[0]}")


def _words(told: Sequence[str]) -> tuple[str, ...]:
    return tuple(word.casefold() for word in told)


def _has_word(cell: cells.Cell, words: Sequence[str]) -> bool:
    shown = cells.text(cell).casefold()
    return any(fnmatch.fnmatchcase(shown, word) for word in words)


def _status_parser(told: loan_maps.Status) -> Callable[[cells.Cell], str]:
    kinds = {"lost": _words(told.lost), "out": _words(told.out), "in": _words(told.in_)}

    def parse(cell: cells.Cell) -> str:
        for kind, words in kinds.items():
            if _has_word(cell, words):
                return kind
        raise cells.Invalid("the map does not know this status: add it to [status] in a copy of the map")

    return parse


def _kind_parser(
    told: Mapping[str, loan_maps.DeviceKind],
) -> Callable[[cells.Cell], loan_maps.DeviceKind | None]:
    ours = cells.one_of(loan_maps.DeviceKind)
    theirs = {word.casefold(): kind for word, kind in told.items()}

    def parse(cell: cells.Cell) -> loan_maps.DeviceKind | None:
        return theirs.get(cells.text(cell).casefold()) or ours(cell)

    return parse
