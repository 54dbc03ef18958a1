"""The days that a reading may change, as ingest marks them, and generously."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta

from tests.reference import days, described

EVERY_LINE = 0
Mark = tuple[str, int, date]  # account, line, day


def of(district: described.District, since: datetime, until: datetime) -> set[Mark]:
    """Of all that was told after ``since``, up to ``until``."""
    return {
        (account, line, day)
        for account, line, first, last in _stretches(district, since, until)
        for day in days.between(
            days.of(first, district.zone) - days.DAY, days.of(last, district.zone) + days.DAY
        )
    }


def _stretches(
    district: described.District, since: datetime, until: datetime
) -> Iterator[tuple[str, int, datetime, datetime]]:
    for use in district.usage:
        if since < use.told_at <= until:
            yield (use.account, use.line, *_neighbours(district, use, until))
    for state in district.states:
        if since < state.told_at <= until:
            yield state.account, state.line, state.at, state.at + timedelta(days=1)
    yield from _others(district, since, until)


def _others(
    district: described.District, since: datetime, until: datetime
) -> Iterator[tuple[str, int, datetime, datetime]]:
    for signal in district.signals:
        if since < signal.told_at <= until:
            yield signal.account, signal.line, signal.at, signal.at
    for span in district.spans:
        if since < span.told_at <= until:
            first, last = (days.start(day, district.zone) for day in (span.first, span.until))
            yield span.account, span.line, first, last
    for gap in district.gaps:
        if since < gap.ends_at <= until:
            yield gap.account, EVERY_LINE, gap.starts_at, gap.ends_at


def _neighbours(
    district: described.District, use: described.Usage, until: datetime
) -> tuple[datetime, datetime]:
    """The reading before and the one after: a difference on either side may have changed."""
    series = (use.line, use.account, use.kind, use.series)
    others = [
        known.starts_at
        for known in district.usage
        if (known.line, known.account, known.kind, known.series) == series and known.told_at <= until
    ]
    before = max((at for at in others if at < use.starts_at), default=use.starts_at)
    after = min((at for at in others if at > use.starts_at), default=use.ends_at or use.starts_at)
    return before, after
