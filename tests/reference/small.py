"""Districts of a hotspot or two, for cases that a reader can check by hand."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from tests.reference import days, described

ZONE = "America/Los_Angeles"
MB = 1_000_000
CARRIER = described.Account("carrier", ZONE, cadence=timedelta(hours=12))


def at(day: date, hour: int, minute: int = 0, zone: str = ZONE) -> datetime:
    return datetime.combine(day, time(hour, minute), ZoneInfo(zone)).astimezone(UTC)


def district(first: date, last: date, **parts: object) -> described.District:
    """One school, one hotspot lent to one student since before the first day; five past midnight after the last."""
    known = described.District(
        zone=ZONE,
        first_on=first,
        now=at(last + days.DAY, 0, 5),
        accounts=(CARRIER,),
        devices=(described.Device(1),),
        lines=(described.Line(1, at(first, 6)),),
        links=(described.Link(1, 1),),
        schools=(described.School(1),),
        loans=(described.Loan(1, device=1, school=1, checked_out_on=first - days.DAY, borrower="s1"),),
        totals=(described.NeedTotal(1, first - days.DAY, enrolled=10, answered=5, need=2),),
    )
    return replace(known, **parts)  # type: ignore[arg-type]


def daily(
    first: date, figures: Iterable[int | None], *, line: int = 1, series: str = "day"
) -> tuple[described.Usage, ...]:
    """The counter's totals at 23:50 on one day after another; None: it was not read."""
    return tuple(
        described.Usage(line, "carrier", "counter", series, read_at, total, read_at)
        for offset, total in enumerate(figures)
        if total is not None
        for read_at in [at(first + timedelta(days=offset), 23, 50)]
    )


def active(
    first: date, last: date, *, line: int = 1, status: str = "active", by: str | None = None
) -> tuple[described.State, ...]:
    """A state at 23:50 on each day."""
    return tuple(
        described.State(line, "carrier", read_at, read_at, status, by)
        for day in days.between(first, last)
        for read_at in [at(day, 23, 50)]
    )
