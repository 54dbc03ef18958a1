"""What may be told of a school: which counts, at which levels, and which of them are protected.

Ranges are of fixed classes (0 to 4, 5 to 9 ...; 0 to 9, 10 to 19 ...), never centred on the count: a class of ten is
two classes of five, so what two releases tell at different levels never comes to less than the finer one told.
"""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

PROTECT_WIDTH = 5  # consecutive values that stay possible for a protected count
SMALLEST_FREE = 10  # counts from 1 to 9 are protected

MAIN = ("need", "loaned", "active_30", "active_7", "adequate", "unknown")
SIDE = ("answered", "waitlist", "idle_30", "idle_60", "idle_90", "lost")  # each at a level of its own
COUNTS = MAIN + SIDE

# Shares that bound the bands of coverage: below 5 %, tens between, above 95 %.
BANDS = (0.0, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0)


class Level(StrEnum):
    """From all that is known to nothing."""

    EXACT = "exact"
    FIVE = "five"
    TEN = "ten"
    BAND = "band"
    WITHHELD = "withheld"


@dataclass(frozen=True, slots=True)
class Cell:
    """A count as published: somewhere from ``least`` to ``most``."""

    least: int
    most: int

    @property
    def is_exact(self) -> bool:
        return self.least == self.most

    @property
    def middle(self) -> float:
        return (self.least + self.most) / 2


@dataclass(frozen=True, slots=True)
class Band:
    """Coverage as published: ``low`` <= coverage < ``high``; the last one begins above 0.95 and has 1."""

    low: float
    high: float

    def holds(self, covered: int, need: int) -> bool:
        if self.low == BANDS[-2]:
            return covered * 100 > need * 95
        is_below = covered * 100 < need * round(self.high * 100) or (
            self.high == BANDS[-2] and covered * 100 == need * 95
        )
        return covered * 100 >= need * round(self.low * 100) and is_below


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """A school's true counts in a month. A count of None is unknown, which everybody may know."""

    ncessch: str
    month_on: date
    enrolled: int | None
    counts: Mapping[str, int | None]

    @property
    def covered(self) -> int | None:
        need, adequate = self.counts.get("need"), self.counts.get("adequate")
        return None if need is None or adequate is None else min(need, adequate)


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """A school's month as published. A cell that is absent is not told (or unknown in the facts)."""

    ncessch: str
    month_on: date
    level: Level
    cells: Mapping[str, Cell]
    band: Band | None = None


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number of students that follows from counts: the sum of some less the sum of others; never below 0."""

    plus: tuple[str, ...]
    minus: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return " - ".join([" + ".join(self.plus), *self.minus])

    def of(self, values: Mapping[str, int | None]) -> int | None:
        """None where a count is unknown. ``values`` has enrolled beside the counts."""
        total = 0
        for names, sign in ((self.plus, 1), (self.minus, -1)):
            for name in names:
                count = values.get(name)
                if count is None:
                    return None
                total += sign * count
        return max(0, total)


# Every count by itself, and every difference that is a number of students.
QUANTITIES = (
    *(Quantity((name,)) for name in COUNTS),
    Quantity(("enrolled",), ("answered",)),
    Quantity(("enrolled",), ("need",)),
    Quantity(("answered",), ("need",)),
    Quantity(("need",), ("loaned",)),
    Quantity(("loaned",), ("need",)),
    Quantity(("need",), ("active_30",)),
    Quantity(("need",), ("active_7",)),
    Quantity(("need",), ("adequate",)),
    Quantity(("need",), ("unknown",)),
    Quantity(("need",), ("adequate", "unknown")),
    Quantity(("adequate",), ("need",)),
    Quantity(("loaned",), ("active_30",)),
    Quantity(("loaned",), ("active_7",)),
    Quantity(("loaned",), ("adequate",)),
    Quantity(("loaned",), ("unknown",)),
    Quantity(("loaned",), ("adequate", "unknown")),
    Quantity(("active_30",), ("active_7",)),
    Quantity(("active_30",), ("adequate",)),
    Quantity(("active_7",), ("adequate",)),
    Quantity(("idle_30",), ("idle_60",)),
    Quantity(("idle_60",), ("idle_90",)),
)


def is_protected(count: int | None) -> bool:
    return count is not None and 1 <= count < SMALLEST_FREE


def values(facts: Facts) -> dict[str, int | None]:
    """The counts, with enrolled beside them."""
    return {**facts.counts, "enrolled": facts.enrolled}


def range_of(count: int, width: int) -> Cell:
    """The class of ``width`` values that a count is in."""
    least = count - count % width
    return Cell(least, least + width - 1)


def cell(count: int, level: Level) -> Cell | None:
    """A count at a level; None: it is not told."""
    if level is Level.EXACT:
        return Cell(count, count)
    widths = {Level.FIVE: 5, Level.TEN: 10}
    return range_of(count, widths[level]) if level in widths else None


def band_of(covered: int, need: int) -> Band:
    """``need`` is above 0."""
    bands = (Band(low, high) for low, high in itertools.pairwise(BANDS))
    return next(band for band in bands if band.holds(covered, need))
