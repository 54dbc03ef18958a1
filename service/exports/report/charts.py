"""The charts as Vega-Lite: the same spec for every format, in tones that stay apart in grey.

Every place is given in pixels and nothing is laid out by the width of a text, so that a drawing is the same on every
machine, whatever fonts it has. Names are data, never part of an expression.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from service.exports import published
from service.exports.report import figures, marks
from service.exports.report.marks import Row, Spec
from service.exports.report.words import Words
from service.model import months

COVERAGES = ("coverage", "coverage_low", "coverage_high")
MOST_MONTHS = 13
_LONGEST = 25  # characters of a name
_ROW, _LOW_ROW = 19, 15  # pixels of a row, and where there are so many that they would not fit on a page
_MANY = 30
_TREND = 110  # pixels from 0 to 100 %
_SLOPES = 120
_BEFORE, _DURING = 140, marks.WIDTH - 185  # where the ends of a pilot's lines are
_BESIDE = {"pilot": -3, "comparison": 3}  # pixels: the bars of both sides stand beside each other
_LINE = 15.0  # between two lines of text
_DASHES = {"pilot": [1, 0], "comparison": [5, 4]}


@dataclass(frozen=True, slots=True, kw_only=True)
class Dot:
    """A row of a chart of dots. ``least`` and ``most`` bound all that it can be."""

    name: str
    is_marked: bool
    number: published.Number
    says: str
    least: float | None
    most: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    month: str
    number: published.Number
    says: str
    least: float | None
    most: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """One side of a pilot in one period."""

    side: str
    is_before: bool
    number: published.Number
    says: str
    least: float | None = None
    most: float | None = None


def shortened(name: str, longest: int = _LONGEST) -> str:
    return name if len(name) <= longest else f"{name[: longest - 1].rstrip()}…"


def point(words: Words, month: months.Month, numbers: Mapping[str, published.Number]) -> Point:
    coverage = figures.of(numbers, "coverage")
    bounds = [figures.of(numbers, name) for name in COVERAGES]
    return Point(
        month=words.month_in_short(month),
        number=coverage,
        says=words.percent(coverage) if figures.is_told(coverage) else "",
        least=figures.least(bounds),
        most=figures.most(bounds),
    )


def dots(rows: Sequence[Dot]) -> Spec:
    """A row for each: its name, a dot on its bounds, its figure in words."""
    place = marks.row(len(rows))
    return marks.framed(
        height=(_ROW if len(rows) <= _MANY else _LOW_ROW) * len(rows) + 8,
        rows=[_dot(index, row) for index, row in enumerate(rows)],
        layers=[
            marks.text("name", align="right", x={"value": marks.NAMES - 8}, y=place, has_weight=True),
            marks.text("says", align="left", x={"value": marks.PLOT + 10}, y=place),
            marks.bar("least", "most", y=place, tone=marks.BOUND, size=1.4),
            marks.bar("from", "to", y=place, tone=marks.RANGE, size=8),
            marks.points(x=marks.across("at"), y=place),
        ],
    )


def _dot(index: int, row: Dot) -> Row:
    is_exact = figures.is_exact(row.number)
    return {
        "place": index,
        "name": shortened(row.name),
        "says": row.says,
        "weight": "bold" if row.is_marked else "normal",
        "shape": "diamond" if row.is_marked else "circle",
        "fill": marks.MARK if is_exact else marks.PAPER,
        "at": row.number.middle,
        "least": row.least,
        "most": row.most,
        "from": None if is_exact else row.number.least,
        "to": None if is_exact else row.number.most,
    }


def trend(points: Sequence[Point]) -> Spec:
    """Coverage by month with its bounds; a month that is not told leaves a gap."""
    up = marks.up("at", _TREND)
    return marks.framed(
        height=_TREND,
        rows=_points(points),
        layers=[
            marks.rule("least", "most", height=_TREND),
            marks.line(y=up),
            marks.points(x=marks.PLACED, y=up),
            marks.text("says", align="left", x=marks.PLACED, y=up, shift=(7, -8), needs="at"),
            marks.text("month", align="center", x=marks.PLACED, y={"value": _TREND + 14}),
        ],
    )


def _points(points: Sequence[Point]) -> list[Row]:
    step = (marks.WIDTH - 20 - marks.AXIS) / len(points)
    return [
        {
            "x": marks.AXIS + step * (index + 0.5),
            "month": one.month,
            "at": one.number.middle,
            "fill": marks.MARK if figures.is_exact(one.number) else marks.PAPER,
            "shape": "circle",
            "says": one.says if index in (0, len(points) - 1) or len(points) <= 6 else "",
            "least": one.least,
            "most": one.most,
        }
        for index, one in enumerate(points)
    ]


def slopes(ends: Sequence[End], *, before: str, during: str) -> Spec:
    """A line from before to during for each side: the pilot's is solid, the other dashed."""
    up = marks.up("at", _SLOPES)
    headings = [
        marks.text(name, align="center", x={"value": x}, y={"value": _SLOPES + 14}, needs=name)
        for name, x in (("before", _BEFORE), ("during", _DURING))
    ]
    return marks.framed(
        height=_SLOPES,
        rows=[*_ends(ends), {"before": before}, {"during": during}],
        layers=[
            marks.rule("least", "most", height=_SLOPES, x=marks.BARS),
            *(marks.line(y=up, dash=dash, side=side) for side, dash in _DASHES.items()),
            marks.points(x=marks.PLACED, y=up),
            marks.text("left", align="right", x=marks.PLACED, y=marks.LIFTED, shift=(-10, 0), needs="left"),
            marks.text("right", align="left", x=marks.PLACED, y=marks.LIFTED, shift=(10, 0), needs="right"),
            *headings,
        ],
    )


def _ends(ends: Sequence[End]) -> list[Row]:
    return [
        {
            "x": _BEFORE if end.is_before else _DURING,
            "bar": (_BEFORE if end.is_before else _DURING) + _BESIDE.get(end.side, 0),
            "least": end.least,
            "most": end.most,
            "at": end.number.middle,
            "left" if end.is_before else "right": end.says,
            "lifted": lifted,
            "side": end.side,
            "fill": marks.MARK if end.side == "pilot" else marks.PAPER,
            "shape": "circle",
        }
        for end, lifted in zip(ends, _apart(ends), strict=True)
    ]


def _apart(ends: Sequence[End]) -> list[float]:
    """Heights of labels: each at its end, the two of a period moved apart where they would overlap."""
    found = [_SLOPES * (1 - (end.number.middle or 0.0)) for end in ends]
    for is_before in (True, False):
        places = [place for place, end in enumerate(ends) if end.is_before is is_before]
        if len(places) == 2 and abs(found[places[0]] - found[places[1]]) < _LINE:
            upper, lower = sorted(places, key=lambda place: found[place])
            middle = (found[upper] + found[lower]) / 2
            found[upper], found[lower] = middle - _LINE / 2, middle + _LINE / 2
    return found
