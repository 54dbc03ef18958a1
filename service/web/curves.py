"""The geometry of the concentration curve and of a pilot's lines, in boxes that the page stretches."""

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from service.model import equity, pilots

SIZE = 100.0


def concentration(found: equity.Concentration) -> str | None:
    """SVG points, the neediest school at the left; None: there is no curve to draw."""
    if not found.mean:
        return None
    return " ".join(f"{x * SIZE:.2f},{(1 - y) * SIZE:.2f}" for x, y in equity.curve(found.ranked))


@dataclass(frozen=True, slots=True)
class Lines:
    """Of one side: points of each unbroken piece. Days without school are passed over; unknown ones are holes."""

    side: str
    pieces: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PilotChart:
    """One unit of width is one day."""

    width: int
    starts_at: int  # where the pilot begins
    lines: tuple[Lines, ...]
    ticks: tuple[date, ...]  # first day, the pilot's first, last


def pilot(result: pilots.Result) -> PilotChart | None:
    """None: no day is known."""
    if not any(point.coverage is not None for point in result.points):
        return None
    first, last = result.before_on[0], max(result.during_on[1], result.before_on[1])
    lines = (
        Lines(str(side), tuple(_pieces([point for point in result.points if point.side is side], first)))
        for side in pilots.Side
    )
    start = result.pilot.starts_on
    return PilotChart(
        width=(last - first).days + 1,
        starts_at=(start - first).days,
        lines=tuple(line for line in lines if line.pieces),
        ticks=(first, start, last),
    )


def _pieces(points: Sequence[pilots.Point], first: date) -> Iterator[str]:
    for run in _runs(point for point in points if not point.is_skipped):
        drawn = [f"{(point.on_day - first).days + 0.5},{_y(point)}" for point in run]
        yield " ".join(drawn * 2 if len(drawn) == 1 else drawn)  # a day alone is a dot


def _runs(points: Iterable[pilots.Point]) -> Iterator[list[pilots.Point]]:
    """Stretches of known days; more than a week without any day is a hole too."""
    for is_known, same in itertools.groupby(points, key=lambda point: point.coverage is not None):
        if is_known:
            run: list[pilots.Point] = []
            for point in same:
                if run and point.on_day - run[-1].on_day > timedelta(days=7):
                    yield run
                    run = []
                run.append(point)
            yield run


def _y(point: pilots.Point) -> str:
    return f"{SIZE * (1 - (point.coverage or 0)):.1f}"
