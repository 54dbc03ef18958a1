"""The marks that charts are made of, as parts of a Vega-Lite spec."""

from collections.abc import Sequence

INK = "#1a1a1a"
MARK = "#12395b"  # dots and lines
RANGE = "#7697b8"  # where a figure lies
BOUND = "#6b7480"  # the least and the most that it can be
GRID = "#e3e6ea"
PAPER = "#ffffff"
FONT = "Libertinus Serif, sans-serif"  # the first in the PDF, the second in browsers that lack it

WIDTH = 460
NAMES = 168  # where a plot of rows begins; names end left of it
PLOT = 352  # where it ends; figures begin right of it
AXIS = 34  # where a plot of months begins
_SIZE = 12

Spec = dict[str, object]
Row = dict[str, object]

PLACED: Spec = {"field": "x", "type": "quantitative", "scale": None, "axis": None}  # in pixels
BARS: Spec = {"field": "bar", "type": "quantitative", "scale": None, "axis": None}
LIFTED: Spec = {"field": "lifted", "type": "quantitative", "scale": None, "axis": None}

_AXIS: Spec = {"format": "%", "values": [0, 0.25, 0.5, 0.75, 1], "title": None, "grid": True}


def framed(*, height: int, rows: Sequence[Row], layers: Sequence[Spec]) -> Spec:
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
        "width": WIDTH,
        "height": height,
        "padding": {"left": 2, "right": 2, "top": 8, "bottom": 24},
        "autosize": "none",
        "background": PAPER,
        "config": {
            "aria": False,  # the picture as a whole is told in words, not mark by mark
            "mark": {"aria": False},
            "font": FONT,
            "view": {"stroke": None},
            "axis": {
                "labelColor": INK,
                "labelFontSize": 11,
                "labelFlush": False,
                "labelOverlap": False,
                "gridColor": GRID,
                "tickColor": BOUND,
                "domainColor": BOUND,
            },
        },
        "data": {"values": list(rows)},
        "layer": list(layers),
    }


def row(number: int) -> Spec:
    """The place of a row among so many."""
    scale = {"domain": list(range(number)), "paddingOuter": 0.25}
    return {"field": "place", "type": "ordinal", "axis": None, "scale": scale}


def across(field: str) -> Spec:
    """A share from left to right."""
    scale = {"domain": [0, 1], "range": [NAMES, PLOT]}
    return {"field": field, "type": "quantitative", "scale": scale, "axis": _AXIS}


def up(field: str, height: int) -> Spec:
    """A share from bottom to top."""
    scale = {"domain": [0, 1], "range": [height, 0]}
    return {"field": field, "type": "quantitative", "scale": scale, "axis": {**_AXIS, "offset": -AXIS}}


def text(
    field: str,
    *,
    align: str,
    x: Spec,
    y: Spec,
    shift: tuple[int, int] = (0, 0),
    needs: str = "",
    has_weight: bool = False,
) -> Spec:
    """``needs``: only for rows that have this field. ``has_weight``: each row tells whether it is bold."""
    mark: Spec = {
        "type": "text",
        "align": align,
        "baseline": "middle",
        "fontSize": _SIZE,
        "color": INK,
        "limit": 0,
        "dx": shift[0],
        "dy": shift[1],
    }
    if has_weight:
        mark["fontWeight"] = {"expr": "datum.weight"}
    encoding = {"x": x, "y": y, "text": {"field": field, "type": "nominal"}}
    return {"mark": mark, "transform": _having(needs or field), "encoding": encoding}


def bar(low: str, high: str, *, y: Spec, tone: str, size: float) -> Spec:
    """From the one to the other, lying."""
    return {
        "mark": {"type": "rule", "color": tone, "strokeWidth": size},
        "transform": _having(low),
        "encoding": {"x": across(low), "x2": {"field": high}, "y": y},
    }


def rule(low: str, high: str, *, height: int, x: Spec = PLACED) -> Spec:
    """From the one to the other, standing."""
    return {
        "mark": {"type": "rule", "color": BOUND, "strokeWidth": 1.4},
        "transform": _having(low),
        "encoding": {"x": x, "y": up(low, height), "y2": {"field": high}},
    }


def line(*, y: Spec, dash: Sequence[int] = (1, 0), side: str = "") -> Spec:
    """Through the rows of a side, or through all; it breaks where a row has no value."""
    return {
        "mark": {
            "type": "line",
            "color": MARK,
            "strokeWidth": 1.6,
            "strokeDash": list(dash),
            "invalid": "break-paths-filter-domains",
        },
        "transform": [{"filter": f"datum.side === '{side}'"}] if side else [],
        "encoding": {"x": PLACED, "y": y},
    }


def points(*, x: Spec, y: Spec) -> Spec:
    return {
        "mark": {"type": "point", "size": 62, "stroke": MARK, "strokeWidth": 1.6, "opacity": 1},
        "transform": _having("at"),
        "encoding": {
            "x": x,
            "y": y,
            "shape": {"field": "shape", "type": "nominal", "scale": None},
            "fill": {"field": "fill", "type": "nominal", "scale": None},
        },
    }


def _having(field: str) -> list[Spec]:
    return [{"filter": f"isValid(datum['{field}']) && datum['{field}'] !== ''"}]
