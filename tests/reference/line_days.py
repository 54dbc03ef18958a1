"""What each source says of a line on a local day: bytes, status, allowances reached."""

from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property

from tests.reference import counters, days, described

BASES = ("interval", "bucket", "difference", "span")  # the finest first


@dataclass(frozen=True)
class LineDay:
    used_bytes: int | None = None
    basis: str | None = None
    status: str | None = None
    suspended_by: str | None = None
    is_fresh: bool = False
    has_reached_day: bool = False


class Source:
    """One account's readings of one line. The reading told last stands for its instant."""

    def __init__(self, district: described.District, account: described.Account, line: described.Line):
        self.district, self.account, self.line = district, account, line
        told = [use for use in district.usage if (use.line, use.account) == (line.number, account.key)]
        latest = {
            (use.kind, use.series, use.starts_at): use for use in sorted(told, key=lambda use: use.told_at)
        }
        self.usage = sorted(latest.values(), key=lambda use: use.starts_at)
        self.states = sorted(
            (state for state in district.states if (state.line, state.account) == (line.number, account.key)),
            key=lambda state: state.at,
        )
        self.spans = [
            span for span in district.spans if (span.line, span.account) == (line.number, account.key)
        ]

    def day(self, day: date) -> LineDay:
        used_bytes, basis = self.used(day)
        state = self.state(day)
        return LineDay(
            used_bytes=used_bytes,
            basis=basis,
            status=state.status if state else None,
            suspended_by=state.suspended_by if state else None,
            is_fresh=state is not None,
            has_reached_day=self._has_reached_day(used_bytes),
        )

    def used(self, day: date) -> tuple[int | None, str | None]:
        figures = (self._intervals, self._buckets, self._differences, self._zero_spans)
        for basis, figure in zip(BASES, figures, strict=True):
            if day in figure:
                return figure[day], basis
        return None, None

    @cached_property
    def _intervals(self) -> dict[date, int]:
        """A provider's own figures; not a 0 of parts where more is missing than a status may be old."""
        told: dict[date, list[described.Usage]] = {}
        for use in self.usage:
            if use.kind == "interval":
                told.setdefault(self._day_of_interval(use), []).append(use)
        totals = {day: sum(use.total_bytes for use in uses) for day, uses in told.items()}
        return {day: total for day, total in totals.items() if total or not self._has_holes(told[day], day)}

    def _has_holes(self, told: list[described.Usage], day: date) -> bool:
        if told[0].series == "day":
            return False
        until = min(days.end(day, self.account.zone), self.district.now)
        missing = until - days.start(day, self.account.zone)
        for use in told:
            missing -= (use.ends_at or use.starts_at) - use.starts_at
        return missing > 2 * self.account.cadence

    def _day_of_interval(self, use: described.Usage) -> date:
        """A provider's day keeps its date; a part of a day belongs where its middle is."""
        if use.series == "day":
            return days.of(use.starts_at, self.account.zone)
        assert use.ends_at is not None
        return days.of(use.starts_at + (use.ends_at - use.starts_at) / 2, self.district.zone)

    @cached_property
    def _buckets(self) -> dict[date, int]:
        """The greatest total of each of the provider's days, as totals only grow; not a 0 with a blind rest."""
        totals: dict[date, list[described.Usage]] = {}
        for use in self.usage:
            if (use.kind, use.series) == ("counter", "day"):
                totals.setdefault(days.of(use.starts_at, self.account.zone), []).append(use)
        return {
            day: most
            for day, told in totals.items()
            if (most := max(use.total_bytes for use in told)) or not self._is_blind(told[-1].starts_at, day)
        }

    def _is_blind(self, since: datetime, day: date) -> bool:
        """Whether too much of the provider's day came after the instant."""
        until = min(days.end(day, self.account.zone), self.district.now)
        return until - since > 2 * self.account.cadence

    @cached_property
    def differences(self) -> list[counters.Difference]:
        return list(counters.differences(self.cycle_totals))

    @property
    def cycle_totals(self) -> list[tuple[datetime, int]]:
        return [
            (use.starts_at, use.total_bytes)
            for use in self.usage
            if (use.kind, use.series) == ("counter", "cycle")
        ]

    @cached_property
    def _differences(self) -> dict[date, int]:
        """Not a 0 of a day whose end nobody has read."""
        found: dict[date, int] = {}
        for difference in self.differences:
            if not difference.is_span:
                day = days.of(difference.midpoint, self.district.zone)
                found[day] = found.get(day, 0) + difference.used_bytes
        return {day: total for day, total in found.items() if total or not self._is_cut_short(day)}

    def _is_cut_short(self, day: date) -> bool:
        zone = self.district.zone
        until = min(days.end(day, zone), self.district.now)
        seen = [
            min(difference.ends_at, until)
            for difference in self.differences
            if self._is_seen(difference) and difference.starts_at < until
        ]
        return until - max(seen) > 2 * self.account.cadence

    def _is_seen(self, difference: counters.Difference) -> bool:
        return not difference.is_span or difference.used_bytes == 0

    @cached_property
    def _zero_spans(self) -> dict[date, int]:
        zone = self.district.zone
        empty = [(span.first, span.until) for span in self.spans if span.total_bytes == 0]
        found = {day: 0 for first, until in empty for day in days.between(first, until - days.DAY)}
        for difference in self.differences:
            if difference.is_span and difference.used_bytes == 0 and not difference.is_reset:
                first, last = days.of(difference.starts_at, zone), days.of(difference.ends_at, zone)
                for day in days.between(first, last):
                    if (
                        days.start(day, zone) >= difference.starts_at
                        and days.end(day, zone) <= difference.ends_at
                    ):
                        found[day] = 0
        return found

    @cached_property
    def spans_of_use(self) -> list[tuple[date, date]]:
        """The first and the last days of spans that brought use."""
        zone = self.district.zone
        counted = [
            (days.of(difference.starts_at, zone), days.of(difference.ends_at, zone))
            for difference in self.differences
            if difference.is_span and difference.used_bytes
        ]
        return counted + [(span.first, span.until - days.DAY) for span in self.spans if span.total_bytes]

    def state(self, day: date) -> described.State | None:
        """The last state read at the day's end, if it is not older than twice the cadence."""
        until = min(days.end(day, self.district.zone), self.district.now)
        read = [state for state in self.states if state.at <= until]
        if read and until - read[-1].at <= 2 * self.account.cadence:
            return read[-1]
        return None

    def _has_reached_day(self, used_bytes: int | None) -> bool:
        limit = self.day_limit
        return limit is not None and used_bytes is not None and used_bytes >= limit

    @cached_property
    def plan(self) -> described.Plan | None:
        return next((plan for plan in self.district.plans if plan.key == self.line.plan), None)

    @property
    def _told_limit(self) -> described.Limit | None:
        return next(
            (
                limit
                for limit in self.district.limits
                if (limit.line, limit.account) == (self.line.number, self.account.key)
            ),
            None,
        )

    @property
    def day_limit(self) -> int | None:
        if self.plan and self.plan.at_allowance not in ("stop", "throttle"):
            return None
        if self._told_limit and self._told_limit.day_bytes is not None:
            return self._told_limit.day_bytes
        return self.plan.allowance_bytes if self.plan and self.plan.period == "day" else None

    @property
    def cycle_limit(self) -> int | None:
        if self.plan and self.plan.period in ("month", "cycle") and self.plan.allowance_bytes:
            return self.plan.allowance_bytes
        return self._told_limit.cycle_bytes if self._told_limit else None
