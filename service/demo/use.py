"""How much a pretend hotspot moves on a day, and when: whole kilobytes, the same on every run."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import accumulate

from service.demo import fleet, timeline
from service.demo.schools import Persona

DAY_LIMIT_KB = 500_000
MONTH_LIMIT_KB = 2_000_000
_SEED = b"afterbell demo"
_SIDES = 256  # of every die

# Use by the hour. None from one to five: where a clock is set back then, no total falls.
_SCHOOL_HOURS = (2, 0, 0, 0, 0, 0, 2, 3, 1, 1, 1, 1, 1, 1, 1, 6, 11, 14, 15, 14, 12, 8, 4, 2)
_FREE_HOURS = (2, 0, 0, 0, 0, 0, 1, 2, 4, 5, 6, 7, 7, 7, 6, 6, 7, 7, 7, 7, 7, 6, 4, 2)
_BUSY = 5  # an hour of use above this is spent online

_NEVER = (Persona.NEVER_USED, Persona.SPARE, Persona.ASLEEP, Persona.UNLISTED)


@dataclass(frozen=True)
class Level:
    """A usual day's kilobytes: the least, and how much more it may be."""

    least: int
    spread: int


_LEVELS = {
    Persona.DAY_CAPPED: Level(1_000_000, 600_000),
    Persona.MONTH_CAPPED: Level(340_000, 100_000),
    Persona.WEAK_ROUTER: Level(30_000, 90_000),
}
_USUAL = Level(40_000, 300_000)


class Habit:
    """How one hotspot is used. What is thrown for a day is kept until another day is asked for."""

    def __init__(self, hotspot: fleet.Hotspot, dates: timeline.Timeline) -> None:
        self.month_limit_kb = MONTH_LIMIT_KB if hotspot.persona is Persona.MONTH_CAPPED else None
        has_limit = self.month_limit_kb is None and not hotspot.is_router
        self.day_limit_kb = DAY_LIMIT_KB if has_limit else None
        self._hotspot = hotspot
        self._dates = dates
        self._usual_kb = _usual_kb(hotspot)
        self._presence = _presence(hotspot)
        self._day = date.min
        self._dice = b""
        self._wanted_kb = 0

    def moved_kb(self, day: date, elapsed: float, month_kb: int) -> int:
        """So far on the day, after ``month_kb`` on earlier days of the month."""
        self._throw(day)
        wanted = int(self._wanted_kb * elapsed)
        if self.month_limit_kb is not None:
            return min(wanted, max(0, self.month_limit_kb - month_kb))
        return wanted if self.day_limit_kb is None else min(wanted, self.day_limit_kb)

    def is_online(self, local: datetime) -> bool:
        day = local.date()
        if not self._is_used(day):
            return False
        self._throw(day)
        return self._dice[local.hour] < self._presence[local.hour]

    def _throw(self, day: date) -> None:
        """A die for every hour, and two for the day."""
        if day != self._day:
            self._day = day
            self._dice = _dice(self._hotspot.number, day.toordinal())
            self._wanted_kb = self._wanted(day) if self._is_used(day) else 0

    def _wanted(self, day: date) -> int:
        """What the day's use would be if nothing stopped it."""
        size, mood = self._dice[-2] / _SIDES, self._dice[-1] / _SIDES
        return round(self._usual_kb * (0.6 + 0.8 * size) * self._eagerness(day, mood))

    def _is_used(self, day: date) -> bool:
        hotspot = self._hotspot
        if hotspot.persona in _NEVER or hotspot.has_quit(day):
            return False
        return hotspot.starts_on is None or day >= hotspot.starts_on

    def _eagerness(self, day: date, mood: float) -> float:
        """Less at weekends and in a break, when some days are without use."""
        if self._dates.is_school_day(day):
            return 1.0
        if self._hotspot.persona is Persona.SCHOOL_DAYS:
            return 0.0
        share, idle = (0.4, 0.35) if self._dates.is_break(day) else (0.7, 0.15)
        return 0.0 if mood < idle and self._hotspot.persona not in _LEVELS else share


def elapsed(local: datetime, *, is_school_day: bool) -> float:
    """The share of the day's wants that came before a local time."""
    sums = _SCHOOL_SUMS if is_school_day else _FREE_SUMS
    before, after = sums[local.hour], sums[local.hour + 1]
    return (before + (after - before) * (local.minute + local.second / 60) / 60) / sums[-1]


def _dice(*what: int) -> bytes:
    """32 numbers below 256 that are the same for the same question."""
    return hashlib.blake2b(repr(what).encode(), digest_size=32, key=_SEED).digest()


def _usual_kb(hotspot: fleet.Hotspot) -> float:
    """Most use little, some use much."""
    level = _LEVELS.get(hotspot.persona, _USUAL)
    return level.least + level.spread * (_dice(hotspot.number)[0] / _SIDES) ** 2


def _presence(hotspot: fleet.Hotspot) -> Sequence[float]:
    """What the die of an hour must stay below for the hotspot to be online."""
    if hotspot.persona is Persona.WEAK_ROUTER:
        return [0.15 * _SIDES] * 24
    if hotspot.is_router:
        return [0.97 * _SIDES] * 24
    return [(0.8 if use > _BUSY else 0.3) * _SIDES for use in _SCHOOL_HOURS]


def _sums(hours: Sequence[int]) -> tuple[int, ...]:
    return tuple(accumulate(hours, initial=0))


_SCHOOL_SUMS = _sums(_SCHOOL_HOURS)
_FREE_SUMS = _sums(_FREE_HOURS)
