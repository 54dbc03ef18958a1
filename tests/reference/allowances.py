"""Whether a line's allowance is used up on a day, and until when."""

from dataclasses import dataclass
from datetime import date, timedelta

from tests.reference import days, described, line_days
from tests.reference.fleet import Fleet

OFTEN = 3  # of the last 7 days a daily cap was reached


@dataclass(frozen=True)
class Exhausted:
    reason: str
    until_on: date | None


def of_line(fleet: Fleet, line: int, day: date, since: date) -> Exhausted | None:
    """``since``: the first day of the loan; what was used up before is not the borrower's."""
    plan = fleet.plan(line)
    if plan is not None and plan.at_allowance not in ("stop", "throttle"):
        return None
    by_day = _by_day(fleet, line, day, since)
    if by_day is not None or plan is None:
        return by_day or _by_cycle(fleet, plan, line, day)
    if plan.is_pooled:
        return _by_pool(fleet, plan, day)
    return _by_cycle(fleet, plan, line, day) or _by_year(fleet, plan, line, day)


def _by_day(fleet: Fleet, line: int, day: date, since: date) -> Exhausted | None:
    window = days.between(max(since, day - timedelta(days=6)), day)
    reached = [
        known for known in window if any(told.has_reached_day for told in fleet.by_source(line, known))
    ]
    return Exhausted("day_allowance", None) if len(reached) >= OFTEN else None


def _by_cycle(fleet: Fleet, plan: described.Plan | None, line: int, day: date) -> Exhausted | None:
    """By the last total of the still-open period, of the first source that has one."""
    cycle_day = plan.cycle_day if plan and plan.period == "cycle" else 1
    first, until = days.cycle_start(day, cycle_day), days.next_cycle_start(day, cycle_day) - days.DAY
    source, total = _last_total(fleet, line, first, day)
    if source is None or total is None or source.cycle_limit is None or total < source.cycle_limit:
        return None
    return Exhausted("cycle_allowance", until)


def _last_total(
    fleet: Fleet, line: int, first: date, day: date
) -> tuple[line_days.Source | None, int | None]:
    zone = fleet.district.zone
    for (number, _), source in fleet.sources.items():
        totals = [
            total for at, total in source.cycle_totals if days.start(first, zone) <= at < days.end(day, zone)
        ]
        if number == line and totals:
            return source, totals[-1]
    return None, None


def _by_pool(fleet: Fleet, plan: described.Plan, day: date) -> Exhausted | None:
    if plan.allowance_bytes is None or plan.period == "day":
        return None
    first, until = period(plan, day)
    members = [number for number, line in fleet.lines.items() if line.plan == plan.key]
    total = sum(used(fleet, plan, line, first, day) for line in members)
    is_reached = total >= plan.allowance_bytes * len(members)
    return Exhausted("pool_allowance", until) if is_reached else None


def _by_year(fleet: Fleet, plan: described.Plan, line: int, day: date) -> Exhausted | None:
    if plan.period != "year" or plan.allowance_bytes is None:
        return None
    first, until = period(plan, day)
    return (
        Exhausted("year_allowance", until)
        if used(fleet, plan, line, first, day) >= plan.allowance_bytes
        else None
    )


def period(plan: described.Plan, day: date) -> tuple[date, date]:
    """The first and the last day of the allowance's period that the day is in."""
    if plan.period == "year":
        return days.year_start(day, plan.starts_on), days.next_year_start(day, plan.starts_on) - days.DAY
    cycle_day = plan.cycle_day if plan.period == "cycle" else 1
    return days.cycle_start(day, cycle_day), days.next_cycle_start(day, cycle_day) - days.DAY


def used(fleet: Fleet, plan: described.Plan, line: int, first: date, day: date) -> int:
    """Of a line in a period: the known days' bytes, or a vendor's total of a cycle within it, if that is more."""
    known = days.between(max(first, fleet.first_on), day)
    return max(sum(fleet.used(line, on) or 0 for on in known), _counted(fleet, plan, line, first, day))


def _counted(fleet: Fleet, plan: described.Plan, line: int, first: date, day: date) -> int:
    """The largest of the days' last totals whose cycle began in the period; not of its first day."""
    zone = fleet.district.zone
    found = 0
    for (number, _), source in fleet.sources.items():
        if number == line:
            last = {days.of(at, zone): total for at, total in source.cycle_totals}
            within = [
                total
                for on, total in last.items()
                if first < on <= day and days.cycle_start(on, plan.cycle_day) >= first
            ]
            found = max([found, *within])
    return found
