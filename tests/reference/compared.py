"""Where the database and the reference differ, as sentences."""

from collections.abc import Iterator
from datetime import date
from typing import Any

from tests.reference import days, described, schools, states, stored, truth, whole


def differences(district: described.District, rows: stored.Rows) -> list[str]:
    """One sentence for each figure that is not as the reference has it, the earliest day first."""
    first = min((day for day, _ in rows.school_days), default=district.first_on)
    last = days.of(district.now, district.zone)
    since = min((day for day, _, _ in rows.line_days), default=last)  # nothing is known before
    known = truth.of(district, first, last)
    return [
        *_late_start(district, first),
        *_of_lines(known, rows),
        *_missing("loan", known.loan_days, rows.loan_days, since),
        *_missing("school", known.school_days, rows.school_days, since),
        *(sentence for key, row in sorted(known.loan_days.items()) for sentence in _of_loan(key, row, rows)),
        *(
            sentence
            for key, row in sorted(known.school_days.items())
            if key[0] >= since
            for sentence in _of_school(key, row, rows)
        ),
        *_of_districts(known, rows, since),
    ]


def _of_districts(known: truth.Truth, rows: stored.Rows, since: date) -> Iterator[str]:
    for day, got in sorted(rows.district_days.items()):
        if day >= since:
            told = [row for (on, _), row in known.school_days.items() if on == day]
            figures = vars(whole.of_schools(told))
            expected = {
                "coverage_if_complete" if name == "coverage" else name: figures[name] for name in figures
            }
            yield from _differing("district", (day,), expected, got)


def _late_start(district: described.District, first: date) -> Iterator[str]:
    """Days are computed from the first one that a source tells of."""
    told = [
        days.of(at, district.zone)
        for at in (*(use.starts_at for use in district.usage), *(state.at for state in district.states))
    ]
    if told and first > min(told) + days.DAY:  # a provider's day may have its date a day later
        yield f"the first day is {first}, not {min(told)}"


def _missing(name: str, expected: dict[Any, Any], got: dict[Any, Any], since: date) -> Iterator[str]:
    for key in sorted(key for key in expected.keys() - got.keys() if key[0] >= since):
        yield f"{name} day {_said(key)}: no row"
    for key in sorted(got.keys() - expected.keys()):
        yield f"{name} day {_said(key)}: a row, and the reference has none"


def _of_lines(known: truth.Truth, rows: stored.Rows) -> Iterator[str]:
    for key, told in sorted(known.line_days.items()):
        expected = {
            "used_bytes": told.used_bytes,
            "basis": told.basis,
            "status": told.status,
            "suspended_by": told.suspended_by,
            "is_state_fresh": told.is_fresh,
            "has_reached_day_limit": told.has_reached_day,
        }
        silent = {**dict.fromkeys(expected), "is_state_fresh": False, "has_reached_day_limit": False}
        yield from _differing("line", key, expected, rows.line_days.get(key, silent))


def _of_loan(key: tuple[Any, int], row: schools.LoanDay, rows: stored.Rows) -> Iterator[str]:
    got = rows.loan_days.get(key)
    if got is None:
        return
    expected = {
        "state": row.judged.state,
        "reason": row.judged.reason,
        "used_bytes": row.use.used_bytes,
        "is_used_7": row.use.is_used_7,
        "is_used_30": row.use.is_used_30,
        "is_coarse": row.use.is_coarse,
        "last_used_on": row.use.last_used_on,
        "exhausted_until_on": row.judged.exhausted_until_on,
        "idle_days": row.use.idle_days,
        "idle_instructional_days": row.use.idle_instructional_days,
    }
    if row.judged.reason != "cycle_allowance":
        del expected["exhausted_until_on"]  # of no account then
    if row.judged.reason == states.NOT_YET_SEEN:
        expected["reason"] = got["reason"]  # nothing told of its status, nor enough of its use
    yield from _differing("loan", key, expected, got)


def _of_school(key: tuple[Any, int], row: schools.SchoolDay, rows: stored.Rows) -> Iterator[str]:
    got = rows.school_days.get(key)
    if got is None:
        return
    expected = {
        "need_source": row.need.source,
        "enrolled": row.need.enrolled,
        "answered": row.need.answered,
        "need": row.need.need,
        "loaned": row.counts.loaned,
        "active_30": row.counts.active_30,
        "active_7": row.counts.active_7,
        **row.counts.by_state,
        "coverage_status": row.status,
        "completeness": row.completeness,
        "coverage": row.coverage,
        "coverage_low": row.low,
        "coverage_high": row.high,
        "is_need_exceeded": row.is_need_exceeded,
        "is_instructional": row.is_instructional,
        "is_out_of_session": row.is_out_of_session,
        "served_outside_need": row.served_outside_need,
        "unattributed": row.unattributed,
    }
    yield from _differing("school", key, expected, got)


def _differing(name: str, key: Any, expected: dict[str, Any], got: dict[str, Any]) -> Iterator[str]:
    for figure, value in expected.items():
        if not _same(value, got[figure]):
            yield f"{name} day {_said(key)}: {figure} expected {value}, got {got[figure]}"


def _same(expected: Any, got: Any) -> bool:
    if isinstance(expected, float) and got is not None:
        return abs(expected - float(got)) < 1e-9
    return bool(expected == got)


def _said(key: Any) -> str:
    return " of ".join(str(part) for part in key)
