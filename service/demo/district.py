"""Brings the pretend district in the way a real one would: as CSV files, through the imports."""

import csv
import hashlib
import tempfile
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from pathlib import Path

from service.demo import fleet, schools, timeline
from service.imports import calendars, loans, need, outcomes, supports, waitlists
from service.imports import schools as school_imports
from service.model import pilots, pseudonyms
from service.store import pool as pools

# Pretend students need no secret; and a start that was cut short is taken up under the same key.
KEY = hashlib.sha256(b"the pretend district's students").hexdigest().encode()
_LOAN_DAYS = 300

Row = Sequence[object]


async def bring_in(pool: pools.Pool, district_id: int, dates: timeline.Timeline, of: fleet.Fleet) -> None:
    """Import the district's records; what is there already stays as it is."""
    with tempfile.TemporaryDirectory(prefix="afterbell-demo-") as name:
        folder, today = Path(name), dates.anchor
        file = _written(folder / "schools.csv", _SCHOOLS, _school_rows())
        _check(await school_imports.run(pool, district_id, file, today=today))
        file = _written(folder / "need.csv", _NEED, _need_rows(dates))
        _check(await need.run(pool, district_id, file, today=today))
        file = _written(folder / "calendar.csv", _CALENDAR, _calendar_rows(dates))
        _check(await calendars.run(pool, district_id, file, today=today))
        file = _written(folder / "waitlist.csv", _WAITLIST, _waitlist_rows(dates))
        _check(await waitlists.run(pool, district_id, file, today=today))
        file = _written(folder / "supports.csv", _SUPPORTS, _support_rows(dates))
        _check(await supports.run(pool, district_id, file, today=today))
        file = _written(folder / "loans.csv", _LOANS, map(_loan_row, of.loans))
        keyed = pseudonyms.Pseudonymizer(KEY)
        _check(await loans.run(pool, district_id, file, pseudonymizer=keyed, today=today))


_SCHOOLS = (
    "ncessch",
    "name",
    "high_needs",
    "high_needs_basis",
    "indicator",
    "indicator_value",
    "indicator_year",
)
_NEED = ("ncessch", "as_of", "enrolled", "answered", "need")
_CALENDAR = ("starts_on", "ends_on", "kind")
_WAITLIST = ("ncessch", "as_of", "requests")
_SUPPORTS = ("ncessch", "kind", "name", "weekly_hours", "starts_on")
_LOANS = ("device", "device_kind", "ncessch", "borrower", "checked_out_on", "due_on", "returned_on")


def pilot(dates: timeline.Timeline) -> pilots.Pilot:
    """The three schools that the hotspots were first meant for, beside three like them."""
    return pilots.Pilot(
        name="Hotspots at the highest-needs schools",
        question="Does a hotspot of their own keep more students of these schools connected?",
        schools=tuple(school.ncessch for school in schools.SCHOOLS if school.is_high_needs),
        comparison=tuple(school.ncessch for school in schools.SCHOOLS if school.name in schools.COMPARISON),
        starts_on=dates.day(-42),
    )


def _written(path: Path, header: Row, rows: Iterable[Row]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    return path


def _check(outcome: outcomes.Outcome) -> None:
    if outcome.rejected:
        raise AssertionError(f"the demo's own {outcome.kind}.csv is refused: {outcome.problems[0].reason}")


def _school_rows() -> Iterable[Row]:
    for school in schools.SCHOOLS:
        basis = schools.HIGH_NEEDS_BASIS if school.is_high_needs else ""
        told = "yes" if school.is_high_needs else "no"
        yield school.ncessch, school.name, told, basis, "isp", school.isp, schools.INDICATOR_YEAR


def _need_rows(dates: timeline.Timeline) -> Iterable[Row]:
    as_of_on = dates.year_starts_on + timedelta(days=10)
    for school in schools.SCHOOLS:
        if school.need is not None:
            yield school.ncessch, as_of_on, school.enrolled, school.answered, school.need


def _waitlist_rows(dates: timeline.Timeline) -> Iterable[Row]:
    for school in schools.SCHOOLS:
        if school.waitlist is not None:
            yield school.ncessch, dates.day(-14), school.waitlist


def _support_rows(dates: timeline.Timeline) -> Iterable[Row]:
    for school in schools.SCHOOLS:
        if school.library_hours is not None:
            yield (
                school.ncessch,
                "library_hours",
                "County Library",
                school.library_hours,
                dates.year_starts_on,
            )


def _calendar_rows(dates: timeline.Timeline) -> Iterable[Row]:
    yield dates.year_starts_on, dates.year_ends_on, "instructional"
    yield dates.break_starts_on, dates.break_ends_on, "break"
    yield dates.holiday_on, dates.holiday_on, "holiday"


def _loan_row(loan: fleet.Loan) -> Row:
    hotspot = loan.hotspot
    return (
        hotspot.imei,
        "fixed_router" if hotspot.is_router else "hotspot",
        hotspot.school.ncessch,
        loan.student,
        loan.checked_out_on,
        _due_on(loan.checked_out_on),
        loan.returned_on or "",
    )


def _due_on(checked_out_on: date) -> date:
    return checked_out_on + timedelta(days=_LOAN_DAYS)
