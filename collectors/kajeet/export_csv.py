"""Reads the portal's CSV export of devices, for districts without API access.

The documentation names the columns but not the header text of the file, so a header that is not such a name
must be mapped by the district: a guess could put one amount in the place of another.
"""

import csv
import re
from collections.abc import Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from collectors import errors, readings
from collectors.kajeet import options as kajeet_options
from collectors.kajeet import parse, rows, states

READ = frozenset(
    {
        "IMEI",
        "MDN",
        "UICC",
        "OEM_SERIAL_NUMBER",
        "CORP_ID",
        "STATUS",
        "MEDIA_CENTER_STATUS",
        "SUMMER_STATUS",
        "DAY_AMOUNT_USED",
        "MONTHLY_AMOUNT_USED",
        "LAST_30_DAYS_USED",
        "DAILY_LIMIT",
        "MONTHLY_LIMIT",
    }
)
# Known, and never looked at: free text that may name a child comes first, then what no reading holds.
DROPPED = frozenset(
    {
        "NICKNAME",
        "NOTE",
        "NAME",
        "DESCRIPTION",
        "MDN_CUSTOM_FIELD",
        "LABELS",
        "CORP_DESCRIPTION",
        "DEVICE_NAME",
        "FILTER_GROUP",
        "NETWORK",
        "APN",
        "EFFECTIVE_VPN_STATUS",
        "MAC",
        "VERIZON_BI_PLAN_ID",
        "SIM_TYPE",
        "EID",
    }
)
NUMBER = re.compile(r"\d{1,12}(?:\.\d*)?|\.\d+", re.ASCII)


def _defaults() -> kajeet_options.Options:
    """Options for a file alone: its lines name their own group."""
    return kajeet_options.Options(corp_ids=("export",))


@dataclass(frozen=True)
class Layout:
    """How a file is read. ``headers`` maps its header text to a documented column, where they differ."""

    headers: Mapping[str, str] = field(default_factory=dict)
    options: kajeet_options.Options = field(default_factory=_defaults)


def read(
    lines: Iterable[str], *, instant: datetime, layout: Layout | None = None
) -> Generator[readings.Sighting | readings.Rejection, None, None]:
    """Yield a sighting or a rejection for every row. Raises ResponseInvalid for a header not to be trusted.

    ``lines`` is the open file (newline="", encoding="utf-8-sig"); ``instant`` is when it was exported.
    """
    layout = layout or Layout()
    records = _records(lines)
    _, header = next(records, (1, []))
    reader = Reader(_columns(header, layout.headers), instant, layout.options)
    for number, cells in records:
        if cells:
            yield reader.row(number, cells)


class Reader:
    """Reads rows under a known header."""

    def __init__(self, columns: list[str], instant: datetime, options: kajeet_options.Options) -> None:
        self._width = len(columns)
        self._places = {column: place for place, column in enumerate(columns) if column in READ}
        self._instant = instant
        self._megabyte_bytes = options.megabyte_bytes
        self._states = states.States(states.Vocabulary(options), instant)

    def row(self, number: int, cells: list[str]) -> readings.Sighting | readings.Rejection:
        if len(cells) != self._width:
            reason = f"{len(cells)} cells where the header has {self._width}"
            return readings.Rejection(f"rows[{number}]", reason)
        told = {column: cells[place].strip() for column, place in self._places.items()}
        # The documentation's own sample has the MDN's digits as the key.
        if not (key := "".join(filter(str.isdigit, told["MDN"]))):
            return readings.Rejection(f"rows[{number}].MDN", "missing")
        try:
            return self._sighting(key, told)
        except CellError as bad:
            return readings.Rejection(f"rows[{number}].{bad.column}", "not a number of megabytes")

    def _sighting(self, key: str, told: Mapping[str, str]) -> readings.Sighting:
        size = self._megabyte_bytes
        return readings.Sighting(
            provider_key=key,
            mdn=told["MDN"],
            iccid=told.get("UICC") or None,
            imei=told.get("IMEI") or None,
            serial=told.get("OEM_SERIAL_NUMBER") or None,
            group_key=told.get("CORP_ID") or None,
            day_limit_bytes=parse.in_bytes(_amount(told, "DAILY_LIMIT"), size),
            cycle_limit_bytes=parse.in_bytes(_amount(told, "MONTHLY_LIMIT"), size),
            usage=parse.usage(
                self._instant,
                size,
                day=_amount(told, "DAY_AMOUNT_USED"),
                month=_amount(told, "MONTHLY_AMOUNT_USED"),
                last_30_days=_amount(told, "LAST_30_DAYS_USED"),
            ),
            states=self._state(told),
        )

    def _state(self, told: Mapping[str, str]) -> tuple[readings.State, ...]:
        if not (status := told.get("STATUS")):
            return ()
        return (self._states.read(status, told.get("MEDIA_CENTER_STATUS"), told.get("SUMMER_STATUS"), None),)


class CellError(ValueError):
    """A cell is not what its column says."""

    def __init__(self, column: str) -> None:
        super().__init__(column)
        self.column = column


def _amount(told: Mapping[str, str], column: str) -> float | None:
    """A plain number of MB. Thousands separators are refused: 1,234 is 1.234 elsewhere."""
    if not (cell := told.get(column, "")):
        return None
    if not NUMBER.fullmatch(cell) or float(cell) > rows.MAX_MEGABYTES:
        raise CellError(column)
    return float(cell)


def _columns(header: list[str], mapped: Mapping[str, str]) -> list[str]:
    """Name the columns of a header. Raises ResponseInvalid for one that is not known, missing or doubled."""
    known = READ | DROPPED
    if strange := sorted(set(mapped.values()) - known):
        raise errors.OptionsInvalid(f"headers map to unknown columns {', '.join(strange)}; {_known()}")
    columns = [mapped.get(text, text) for text in (cell.strip() for cell in header)]
    if not known & set(columns):
        # Not repeated here: without a header the first line is a device, and may name a child.
        raise errors.ResponseInvalid(f"the first line has no known column: is the header missing? {_known()}")
    if unknown := [column for column in columns if column not in known]:
        raise errors.ResponseInvalid(
            f"unknown headers: {', '.join(unknown)}; map them to columns. {_known()}"
        )
    if doubled := sorted({column for column in columns if columns.count(column) > 1}):
        raise errors.ResponseInvalid(f"columns come twice: {', '.join(doubled)}")
    if "MDN" not in columns:
        raise errors.ResponseInvalid("the column MDN is missing: without it no line is known")
    return columns


def _known() -> str:
    return "Known: " + ", ".join(sorted(READ | DROPPED))


def _records(lines: Iterable[str]) -> Iterator[tuple[int, list[str]]]:
    """Yield record numbers, the header being 1 as a spreadsheet shows it, and their cells."""
    table = csv.reader(lines, strict=True)
    number = 0
    while True:
        number += 1
        try:
            cells = next(table, None)
        except csv.Error as error:
            raise errors.ResponseInvalid(f"row {number} is not CSV: {error}") from error
        if cells is None:
            return
        yield number, cells
