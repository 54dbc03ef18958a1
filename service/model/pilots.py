"""Pilots: coverage before and during, of the pilot's schools and of others, and whether that says anything."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from service.model import equity


class Side(StrEnum):
    PILOT = "pilot"
    COMPARISON = "comparison"


class Period(StrEnum):
    BEFORE = "before"
    DURING = "during"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pilot:
    """Schools by NCESSCH. ``ends_on`` is its last day; None: it goes on."""

    name: str
    question: str
    schools: tuple[str, ...]
    comparison: tuple[str, ...]
    starts_on: date
    ends_on: date | None = None
    before_starts_on: date | None = None
    min_need: int = 10

    def through(self, reported_on: date) -> date:
        return reported_on if self.ends_on is None else min(self.ends_on, reported_on)

    def first(self, reported_on: date) -> date:
        """The first day before it: as many days as it takes, or took so far, unless told."""
        if self.before_starts_on is not None:
            return self.before_starts_on
        length = (self.ends_on or reported_on) - self.starts_on + timedelta(days=1)
        return self.starts_on - max(length, timedelta(0))

    def period(self, day: date) -> Period:
        return Period.BEFORE if day < self.starts_on else Period.DURING


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """One side on one day: counts over its schools in session whose need is known.

    ``need_at_most`` None: how many have not answered is not known.
    """

    side: Side
    on_day: date
    schools: int  # with figures
    in_session: int  # of these
    without_need: int  # of those in session
    need: int
    covered: int
    loaned: int
    unknown: int
    covered_at_most: int  # if every loan of unknown state were adequate
    need_at_most: int | None  # if everyone who has not answered were in need
    covered_of_most: int  # of these
    has_calendar: bool

    def left_out(self, floor: float) -> str | None:
        """Why the day is not used; None: it is."""
        if not self.in_session:
            return "no school on the day"
        if self.in_session == self.without_need:
            return "need is not known"
        if not self.need:
            return "no student in need"
        if self.loaned and 1 - self.unknown / self.loaned < floor:
            return "too few loans have reported"
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class SchoolPeriod:
    """One school in one period, on its days in session."""

    side: Side
    period: Period
    ncessch: str
    name: str
    days: int  # with a known need
    days_heard: int  # of these, with enough loans heard from: of them are need and covered
    need: int  # student-days
    covered: int
    need_sources: tuple[str, ...]

    def coverage(self, min_need: int) -> float | None:
        """None where fewer students were in need, or no day was heard from."""
        return self.covered / self.need if self.need and self.need >= min_need * self.days_heard else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One side in one period, from summed counts. ``need`` and ``covered`` are means of its days."""

    side: Side
    period: Period
    days: int
    left_out: Mapping[str, int]  # days by reason
    need: float
    covered: float
    coverage: equity.Measure
    low: float | None
    high: float | None
    need_sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Warned:
    code: str
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """A day for the drawing. ``coverage`` None and ``is_skipped``: there was no school."""

    side: Side
    on_day: date
    coverage: float | None
    is_skipped: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    pilot: Pilot
    before_on: tuple[date, date]
    during_on: tuple[date, date]  # the last is before the first while it has not begun
    cells: tuple[Cell, ...]
    schools: tuple[SchoolPeriod, ...]
    unknown_schools: tuple[str, ...]  # NCESSCH that no school bears
    change: equity.Measure  # of the pilot's schools
    comparison_change: equity.Measure
    difference: equity.Measure  # of the two changes
    lowest: float | None  # the difference, if all that is unknown went against it
    highest: float | None  # ... or for it
    by_chance: float | None  # so large a difference would be no surprise
    warnings: tuple[Warned, ...]
    points: tuple[Point, ...]

    def cell(self, side: Side, period: Period) -> Cell:
        return next(cell for cell in self.cells if (cell.side, cell.period) == (side, period))
