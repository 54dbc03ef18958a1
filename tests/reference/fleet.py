"""Lines and devices day by day: which lines a device held, and the one source each line's day is taken from."""

from datetime import date, datetime

from tests.reference import days, described, line_days


class Fleet:
    def __init__(self, district: described.District, first_on: date):
        self.district, self.first_on = district, first_on
        self.accounts = {account.key: account for account in district.accounts}
        self.lines = {line.number: line for line in district.lines}
        self.sources = {
            (line.number, account.key): line_days.Source(district, account, line)
            for line in district.lines
            for account in sorted(district.accounts, key=lambda account: account.rank)
        }
        self._days: dict[tuple[int, str, date], line_days.LineDay] = {}
        self._held: dict[tuple[int, date], list[int]] = {}

    def plan(self, line: int) -> described.Plan | None:
        key = self.lines[line].plan
        return next((plan for plan in self.district.plans if plan.key == key), None)

    def line_day(self, line: int, account: str, day: date) -> line_days.LineDay:
        key = (line, account, day)
        if key not in self._days:
            self._days[key] = self.sources[line, account].day(day)
        return self._days[key]

    def by_source(self, line: int, day: date) -> list[line_days.LineDay]:
        """What the sources say of a line's day, the one of the lowest rank first."""
        return [self.line_day(line, account, day) for number, account in self.sources if number == line]

    def used(self, line: int, day: date) -> int | None:
        """Of the sources that know the day: the lowest rank, then the finest, then the first."""
        known = [
            (self.accounts[account].rank, line_days.BASES.index(told.basis or "span"), place, told.used_bytes)
            for place, (number, account) in enumerate(self.sources)
            if number == line and (told := self.line_day(line, account, day)).used_bytes is not None
        ]
        return min(known)[3] if known else None

    def state(self, line: int, day: date) -> line_days.LineDay | None:
        """Of the sources with a fresh state: the first that tells a status, else any."""
        fresh = [told for told in self.by_source(line, day) if told.is_fresh]
        return next((told for told in fresh if told.status is not None), fresh[0] if fresh else None)

    def holds(self, device: int, line: int, at: datetime) -> bool:
        return any(
            (link.line, link.device) == (line, device)
            and (link.starts_at is None or link.starts_at <= at)
            and (link.ends_at is None or at < link.ends_at)
            for link in self.district.links
        )

    def held_by(self, device: int, day: date) -> list[int]:
        """The lines whose day belongs to the device: the last that held them on it."""
        key = (device, day)
        if key not in self._held:
            self._held[key] = [line for line in self.lines if self._holder(line, day) == device]
        return self._held[key]

    def _holder(self, line: int, day: date) -> int | None:
        starts, ends = days.start(day, self.district.zone), days.end(day, self.district.zone)
        held = [
            link
            for link in self.district.links
            if link.line == line
            and (link.starts_at is None or link.starts_at < ends)
            and (link.ends_at is None or link.ends_at > starts)
        ]
        last = max(
            held, key=lambda link: (link.starts_at is not None, link.starts_at or starts), default=None
        )
        return last.device if last else None
