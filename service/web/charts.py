"""The geometry of the page's drawings, in a box of WIDTH x HEIGHT that the page stretches."""

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from service.store import coverage

HEIGHT = 100.0


@dataclass(frozen=True, slots=True)
class Chart:
    """SVG points, one string a piece. Where nothing is known there is no piece: a hole, never a fall to 0."""

    width: int
    bands: tuple[str, ...]  # between the bounds
    lines: tuple[str, ...]  # coverage
    breaks: tuple[tuple[int, int], ...]  # x and width of the days out of session
    ticks: tuple[date, ...]  # first, middle and last day


def history(days: Sequence[coverage.Day]) -> Chart:
    """One unit of width is one day; the day's value stands at its middle."""
    return Chart(
        width=len(days),
        bands=tuple(_band(run) for run in _runs(days, lambda day: day.coverage_low is not None)),
        lines=tuple(_line(run) for run in _runs(days, lambda day: day.coverage is not None)),
        breaks=tuple((run[0][0], len(run)) for run in _runs(days, lambda day: day.is_out_of_session is True)),
        ticks=tuple(days[index].on_day for index in (0, len(days) // 2, -1)) if days else (),
    )


_Run = list[tuple[int, coverage.Day]]


def _runs(days: Sequence[coverage.Day], is_in: Callable[[coverage.Day], bool]) -> Iterator[_Run]:
    """Stretches of consecutive days, each day with its place."""
    for found, run in itertools.groupby(enumerate(days), key=lambda item: is_in(item[1])):
        if found:
            yield list(run)


def _line(run: _Run) -> str:
    """A day alone is drawn as a dot: a line of no length with round ends."""
    points = [_point(x, day.coverage) for x, day in run]
    return " ".join(points * 2 if len(points) == 1 else points)


def _band(run: _Run) -> str:
    """Out along the upper bound and back along the lower one; the whole width of its first and last day."""
    upper = [_point(x, day.coverage_high) for x, day in run]
    lower = [_point(x, day.coverage_low) for x, day in reversed(run)]
    if len(run) == 1:
        x, day = run[0]
        upper = [f"{x},{_y(day.coverage_high)}", f"{x + 1},{_y(day.coverage_high)}"]
        lower = [f"{x + 1},{_y(day.coverage_low)}", f"{x},{_y(day.coverage_low)}"]
    return " ".join(upper + lower)


def _point(x: int, ratio: float | None) -> str:
    return f"{x + 0.5},{_y(ratio)}"


def _y(ratio: float | None) -> str:
    return f"{HEIGHT * (1 - (ratio or 0)):.1f}"
