"""The pretend district as its vendor lists it at an instant: a pure function of the dates and the instant."""

import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from collectors.kajeet import world as kajeet
from service.demo import fleet, names, schools, timeline, use
from service.demo.schools import Persona

ROOT_GROUP = "880001"
_WARM_UP_DAYS = 35  # before the first day, so that its month and its 30 days hold something
_KB_IN_MB = 1000
_ROLLING_DAYS = 30
_SUSPENDED = (Persona.AT_DESK, Persona.CUT_OFF, Persona.SHELVED)
_SHELVED = (Persona.AT_DESK, Persona.SHELVED)


class Line:
    """A SIM in a hotspot, and the days that it is listed: from ``starts_on`` to before ``ends_on``.

    Whole days are added up once and kept: an instant needs two sums and its own day.
    """

    def __init__(
        self, hotspot: fleet.Hotspot, sim: fleet.Sim, habit: use.Habit, starts_on: date, ends_on: date | None
    ) -> None:
        self.hotspot = hotspot
        self._habit = habit
        self._starts_on = starts_on
        self._ends_on = ends_on
        self._row = _row(hotspot, sim, habit)
        self._sums = [0]  # kilobytes before the first day, the second, the third ...

    def is_listed(self, day: date) -> bool:
        return day >= self._starts_on and (self._ends_on is None or day < self._ends_on)

    def row(self, local: datetime, elapsed: float) -> kajeet.Device:
        """The vendor's row when a share of the day's wants has passed."""
        day, row = local.date(), copy.copy(self._row)
        self._add_up(day)
        before, month_kb = self._sums[self._index(day)], self._before_in_month(day)
        today_kb = self._habit.moved_kb(day, elapsed, month_kb)
        since_kb = self._sums[max(0, self._index(day) - _ROLLING_DAYS + 1)]
        row.day_amount_mb = today_kb / _KB_IN_MB
        row.month_amount_mb = (month_kb + today_kb) / _KB_IN_MB
        row.last_30_days_mb = (before - since_kb + today_kb) / _KB_IN_MB
        row.online = self._habit.is_online(local)
        if _is_suspended(self.hotspot, day):
            row.status = "Suspended"
            row.media_center_status = "Checked In" if self.hotspot.persona in _SHELVED else "Checked Out"
        return row

    def _add_up(self, day: date) -> None:
        while len(self._sums) <= self._index(day):
            done = self._starts_on + timedelta(days=len(self._sums) - 1)
            moved_kb = self._habit.moved_kb(done, 1.0, self._before_in_month(done))
            self._sums.append(self._sums[-1] + moved_kb)

    def _before_in_month(self, day: date) -> int:
        index = self._index(day)
        return self._sums[index] - self._sums[max(0, index - day.day + 1)]

    def _index(self, day: date) -> int:
        return (day - self._starts_on).days


@dataclass(frozen=True)
class World:
    """Implements the stand-in's protocol."""

    dates: timeline.Timeline
    lines: Sequence[Line]

    def devices(self, corp_id: str, instant: datetime) -> Sequence[kajeet.Device] | None:
        """The rows of the root group or of a school's; None where no such group exists."""
        if corp_id not in {ROOT_GROUP, *(school.group_key for school in schools.SCHOOLS)}:
            return None
        local = instant.astimezone(timeline.ZONE)
        elapsed = use.elapsed(local, is_school_day=self.dates.is_school_day(local.date()))
        return [line.row(local, elapsed) for line in self._listed(corp_id, local.date())]

    def groups(self, instant: datetime) -> Sequence[kajeet.Group]:
        """A school's group is called by a child's name, as it happens in real accounts."""
        return [
            kajeet.Group(key=ROOT_GROUP, description=schools.DISTRICT_NAME),
            *(_group(school) for school in schools.SCHOOLS),
        ]

    def _listed(self, corp_id: str, day: date) -> Iterator[Line]:
        for line in self.lines:
            if line.is_listed(day) and corp_id in (ROOT_GROUP, line.hotspot.school.group_key):
                yield line


def build(dates: timeline.Timeline, hotspots: Sequence[fleet.Hotspot]) -> World:
    """The world of these hotspots, without those that the vendor does not know."""
    listed = [hotspot for hotspot in hotspots if hotspot.is_listed]
    return World(dates, [line for hotspot in listed for line in _lines(hotspot, dates)])


def _lines(hotspot: fleet.Hotspot, dates: timeline.Timeline) -> Iterator[Line]:
    """One line, or two where the SIM is changed: the second begins on the day that the first goes."""
    habit = use.Habit(hotspot, dates)
    first, *second = hotspot.sims
    begins_on = dates.first_on - timedelta(days=_WARM_UP_DAYS)
    yield Line(hotspot, first, habit, begins_on, dates.swap_on if second else None)
    for sim in second:
        yield Line(hotspot, sim, habit, dates.swap_on, None)


def _row(hotspot: fleet.Hotspot, sim: fleet.Sim, habit: use.Habit) -> kajeet.Device:
    """What the vendor's row says at all times."""
    return kajeet.Device(
        key=sim.key,
        mdn=sim.mdn,
        status="Suspended" if hotspot.persona is Persona.ASLEEP else "Active",
        corp_id=hotspot.school.group_key,
        corp_description=f"{hotspot.school.name}, {names.child(hotspot.number // 3)}",
        network="Verizon" if hotspot.number % 3 else "T-Mobile",
        device_name=f"{names.child(hotspot.number)} hotspot",
        nickname=names.child(hotspot.number),
        imei=hotspot.imei,
        uicc=sim.uicc,
        media_center_status="Checked Out",
        summer_status="Suspended" if hotspot.persona is Persona.ASLEEP else None,
        day_limit_mb=_in_mb(habit.day_limit_kb),
        month_limit_mb=_in_mb(habit.month_limit_kb),
    )


def _is_suspended(hotspot: fleet.Hotspot, day: date) -> bool:
    return hotspot.persona in _SUSPENDED and hotspot.has_quit(day)


def _in_mb(kilobytes: int | None) -> float | None:
    return None if kilobytes is None else kilobytes / _KB_IN_MB


def _group(school: schools.School) -> kajeet.Group:
    return kajeet.Group(key=school.group_key, parent_key=ROOT_GROUP, description=names.child(school.number))
