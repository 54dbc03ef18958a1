"""The dates of the pretend district, all counted from the day that the demo was first started."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

ZONE = ZoneInfo("America/Chicago")
HISTORY_DAYS = 90
_CALENDAR_DAYS = 280  # ahead: a demo that is kept for long still knows its school days
_SATURDAY = 5


def local_day(instant: datetime) -> date:
    return instant.astimezone(ZONE).date()


@dataclass(frozen=True)
class Timeline:
    """``anchor``: the day of the first start. The world stays the same however often it is started again."""

    anchor: date

    def day(self, offset: int) -> date:
        return self.anchor + timedelta(days=offset)

    @cached_property
    def first_on(self) -> date:
        """The first day that is swept."""
        return self.day(-HISTORY_DAYS)

    @property
    def year_starts_on(self) -> date:
        return self.day(-HISTORY_DAYS - 20)

    @property
    def year_ends_on(self) -> date:
        return self.day(_CALENDAR_DAYS)

    @cached_property
    def break_starts_on(self) -> date:
        """A Monday: a break is whole weeks."""
        middle = self.day(-45)
        return middle - timedelta(days=middle.weekday())

    @cached_property
    def break_ends_on(self) -> date:
        return self.break_starts_on + timedelta(days=13)

    @cached_property
    def holiday_on(self) -> date:
        """The Monday four weeks before the break."""
        return self.break_starts_on - timedelta(days=28)

    @cached_property
    def swap_on(self) -> date:
        """The day that SIMs are changed."""
        return self.day(-30)

    @cached_property
    def blind_starts_on(self) -> date:
        return self.day(-20)

    @cached_property
    def blind_ends_on(self) -> date:
        return self.day(-18)

    def is_blind(self, day: date) -> bool:
        """Whether the vendor is down all day."""
        return self.blind_starts_on <= day <= self.blind_ends_on

    def is_break(self, day: date) -> bool:
        return self.break_starts_on <= day <= self.break_ends_on

    def is_school_day(self, day: date) -> bool:
        return day.weekday() < _SATURDAY and not self.is_break(day) and day != self.holiday_on
