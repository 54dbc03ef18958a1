"""What days a row of usage is of, and the instants that they begin and end at."""

from calendar import monthrange
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from service import errors
from service.imports import cells, rows, usage_maps

OLDEST = date(2015, 1, 1)
LONGEST = 366  # days
ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Period:
    """Both days are included."""

    first_on: date
    last_on: date


def given(text: str) -> Period:
    """The period of the command line, such as 2026-10-01:2026-10-31. Raises ImportRejected."""
    first, _, last = text.partition(":")
    try:
        period = Period(cells.required_day(first), cells.required_day(last))
    except cells.Invalid as error:
        raise errors.ImportRejected(
            f"the period {text!r} is not two dates with a colon, such as 2026-10-01:2026-10-31"
        ) from error
    if period.last_on < period.first_on:
        raise errors.ImportRejected(f"the period {text!r} ends before it starts")
    return period


class Reader:
    """Reads the period of each row, and checks that it is over and not older than any hotspot."""

    def __init__(self, way: usage_maps.Period | None, given_period: Period | None, today: date) -> None:
        if (way is None) == (given_period is None):
            raise errors.ImportRejected(
                "the map reads the period from the file: leave --period out"
                if way is not None
                else "the map reads no period from the file: give it, as in --period 2026-10-01:2026-10-31"
            )
        self._way = way
        self._given = given_period
        self._last = today + ONE_DAY

    def read(self, row: rows.Row) -> Period | None:
        """None, with a problem of the row, where there is no period that can be."""
        column = self._way.columns[-1] if self._way is not None else ""
        period = self._given or self._period(row)
        if period is None:
            return None
        if not period.first_on <= period.last_on:
            row.refuse(column, "the period ends before it starts")
        elif (period.last_on - period.first_on).days > LONGEST:
            row.refuse(column, f"the period has more than {LONGEST} days")
        elif period.first_on < OLDEST or period.last_on > self._last:
            row.refuse(column, f"the period is not over, or begins before {OLDEST}")
        else:
            return period
        return None

    def _period(self, row: rows.Row) -> Period | None:
        way = self._way
        if way is None:
            return None
        if way.day is not None:
            return self._of_one(row, way.day, lambda day: Period(day, day))
        if way.month is not None:
            return self._of_one(row, way.month, _month)
        if way.cycle_end is not None:
            return self._of_one(row, way.cycle_end, _cycle)
        first, last = row.read(way.starts or "", self._day), row.read(way.ends or "", self._day)
        return None if first is None or last is None else Period(first, last)

    def _of_one(self, row: rows.Row, column: str, made: Callable[[date], Period]) -> Period | None:
        day = row.read(column, self._day)
        return None if day is None else made(day)

    def _day(self, cell: cells.Cell) -> date:
        formats = self._way.formats if self._way is not None else ()
        if not formats or isinstance(cell, date):
            return cells.required_day(cell)
        found = {day for each in formats if (day := _parsed(cells.text(cell), each)) is not None}
        if len(found) != 1:
            raise cells.Invalid(f"is not a date written as {' or '.join(formats)}")
        return found.pop()


class Bounds:
    """The instants at which a zone's days begin: a day may have 23 or 25 hours."""

    def __init__(self, time_zone: str) -> None:
        self._zone = ZoneInfo(time_zone)
        self._known: dict[date, datetime] = {}

    def of(self, period: Period) -> tuple[datetime, datetime]:
        return self._midnight(period.first_on), self._midnight(period.last_on + ONE_DAY)

    def _midnight(self, day: date) -> datetime:
        if day not in self._known:
            self._known[day] = datetime.combine(day, time(), self._zone).astimezone(UTC)
        return self._known[day]


def _month(day: date) -> Period:
    return Period(day.replace(day=1), day.replace(day=_length(day)))


def _cycle(last_on: date) -> Period:
    """The month-long cycle that ends on the day; the calendar month where that is a month's last."""
    before = last_on.replace(day=1) - ONE_DAY
    if last_on.day == _length(last_on):
        return Period(before + ONE_DAY, last_on)
    return Period(before.replace(day=min(last_on.day, before.day)) + ONE_DAY, last_on)


def _length(day: date) -> int:
    return monthrange(day.year, day.month)[1]


def _parsed(text: str, written: str) -> date | None:
    try:
        return datetime.strptime(text, written).date()  # noqa: DTZ007 - a date has no zone
    except ValueError:
        return None
