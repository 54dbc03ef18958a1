"""A loan's use, day by day: its bytes, the windows of 7 and 30 days, the clocks of non-use."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from tests.reference import calendar, days, described
from tests.reference.fleet import Fleet

BY_THE_DISTRICT = ("loan_desk", "season")


@dataclass(frozen=True)
class Use:
    used_bytes: int | None
    is_used_7: bool | None
    is_used_30: bool | None
    is_coarse: bool
    last_used_on: date | None
    idle_days: int
    idle_instructional_days: int | None


def is_open(loan: described.Loan, day: date) -> bool:
    return loan.checked_out_on <= day and (loan.returned_on is None or day < loan.returned_on)


def used(fleet: Fleet, loan: described.Loan, day: date) -> int | None:
    """Over the lines its device held; more than 0 is known even where one of them is not."""
    told = [fleet.used(line, day) for line in fleet.held_by(loan.device, day)]
    known = [figure for figure in told if figure is not None]
    if sum(known) > 0 or (known and len(known) == len(told)):
        return sum(known)
    return None


def of_day(fleet: Fleet, calendars: calendar.Calendar, loan: described.Loan, day: date) -> Use:
    week, week_is_coarse = in_use(fleet, loan, day, 7)
    month, _ = in_use(fleet, loan, day, 30)
    return Use(
        used_bytes=used(fleet, loan, day),
        is_used_7=week,
        is_used_30=month,
        is_coarse=week_is_coarse,
        last_used_on=last_used_on(fleet, loan, day),
        idle_days=len(list(idle(fleet, loan, day))),
        idle_instructional_days=instructional(fleet, calendars, loan, day),
    )


def in_use(fleet: Fleet, loan: described.Loan, day: date, width: int) -> tuple[bool | None, bool]:
    """Whether it was used in the window, and whether a longer period stood in for it."""
    first = max(loan.checked_out_on, day - timedelta(days=width - 1))
    figures = [used(fleet, loan, known) for known in days.between(first, day)]
    if any(figures):
        return True, False
    if None not in figures:
        return False, False
    coarse = _in_period(fleet, loan, day)
    return coarse, coarse is not None


def _in_period(fleet: Fleet, loan: described.Loan, day: date) -> bool | None:
    """What the portals' periods that contain the day tell of the device's lines."""
    told = [
        next(
            (
                span.total_bytes
                for account in fleet.district.accounts
                for span in fleet.sources[line, account.key].spans
                if _is_period(loan, span) and span.first <= day < span.until
            ),
            None,
        )
        for line in fleet.held_by(loan.device, day)
    ]
    if any(told):
        return True
    return False if told and None not in told else None


def _is_period(loan: described.Loan, span: described.FileSpan) -> bool:
    """Its use did not begin in somebody else's hands."""
    return span.first >= loan.checked_out_on or span.total_bytes == 0


def last_used_on(fleet: Fleet, loan: described.Loan, day: date) -> date | None:
    so_far = reversed(list(days.between(loan.checked_out_on, day)))
    return next((known for known in so_far if used(fleet, loan, known)), None)


def observed_since(fleet: Fleet, loan: described.Loan, day: date) -> date:
    """The later of the loan's start and the first observation of the lines its device holds."""
    zone = fleet.district.zone
    seen = [days.of(fleet.lines[line].observed_since, zone) for line in fleet.held_by(loan.device, day)]
    return max(loan.checked_out_on, min(seen, default=loan.checked_out_on))


def idle(fleet: Fleet, loan: described.Loan, day: date) -> Iterator[date]:
    """Known-zero days since the last use; blind days and days suspended by the district do not count."""
    last = last_used_on(fleet, loan, day)
    uses = [*unseen_uses(fleet, loan, day), *([] if last is None else [last])]
    for known in days.between(max([loan.checked_out_on, *(use + days.DAY for use in uses)]), day):
        if used(fleet, loan, known) == 0 and not suspended_by_district(fleet, loan, known):
            yield known


def was_used_in_a_span(fleet: Fleet, loan: described.Loan, day: date) -> bool:
    return any(spans_of_use(fleet, loan, day))


def unseen_uses(fleet: Fleet, loan: described.Loan, day: date) -> Iterator[date]:
    """The end of each span that brought use on none of the days that are known: when it was, nobody can tell."""
    for line, first, last in spans_of_use(fleet, loan, day):
        figures = {known: fleet.used(line, known) for known in days.between(first, last)}
        if not any(figures.values()) and None in figures.values():
            yield last


def spans_of_use(fleet: Fleet, loan: described.Loan, day: date) -> list[tuple[int, date, date]]:
    """Line, first and last day of the spans that brought use while the loan's device held the line."""
    return [
        (line, first, last)
        for (line, _), source in fleet.sources.items()
        for first, last in source.spans_of_use
        if loan.checked_out_on <= first and last <= day and line in fleet.held_by(loan.device, last)
    ]


def suspended_by_district(fleet: Fleet, loan: described.Loan, day: date) -> bool:
    told = [fleet.state(line, day) for line in fleet.held_by(loan.device, day)]
    return bool(told) and all(
        state is not None and state.status == "suspended" and state.suspended_by in BY_THE_DISTRICT
        for state in told
    )


def instructional(fleet: Fleet, calendars: calendar.Calendar, loan: described.Loan, day: date) -> int | None:
    """Unknown where the run of days since the last use leaves the calendar."""
    last = last_used_on(fleet, loan, day)
    run = days.between(max(fleet.first_on, last or loan.checked_out_on), day)
    if None in [calendars.is_instructional(loan.school, known) for known in run]:
        return None
    return sum(1 for known in idle(fleet, loan, day) if calendars.is_instructional(loan.school, known))
