"""Native charts of the workbook, each on a sheet of its own beside the rows that it shows."""

import xlsxwriter
from xlsxwriter import chart as charts
from xlsxwriter import worksheet

from service.exports import tables
from service.exports.writing import sheets, styles, text

# Far apart in lightness, so that they stay apart in grey.
_COLOURS = ("#1F4E79", "#A6A6A6", "#000000", "#7BA7D0")
_DASHES = ("solid", "dash", "round_dot", "long_dash")
_MARKERS = ("circle", "square", "triangle", "diamond")
_WIDTH, _HEIGHT = 820, 420  # pixels
_PER_BAR = 22

Options = dict[str, object]


def write(
    book: xlsxwriter.Workbook, sheet: worksheet.Worksheet, parts: sheets.Parts, *, chart: tables.Chart
) -> None:
    top = sheets.marked(sheet, parts)
    sheet.write_string(top, 0, text.clean(chart.title), parts.style.title)
    sheet.write_string(top + 1, 0, text.clean(chart.says))
    header = top + 3
    _rows(sheet, parts, chart=chart, header=header)
    drawn = _drawn(book, sheet, chart=chart, header=header)
    place = {"description": text.clean(chart.says), "object_position": 1}
    sheet.insert_chart(header, len(chart.columns) + 1, drawn, place)
    sheets.printed(sheet, parts)


def _rows(sheet: worksheet.Worksheet, parts: sheets.Parts, *, chart: tables.Chart, header: int) -> None:
    for at, name in enumerate(chart.columns):
        sheet.write_string(header, at, name, parts.style.header)
        sheet.set_column(at, at, max(14, len(name) + 2, *(sheets.shown(row[at]) + 2 for row in chart.rows)))
    for row, values in enumerate(chart.rows, header + 1):
        for at, value in enumerate(values):
            _cell(sheet, parts, at=(row, at), value=value, unit=chart.unit)


def _cell(
    sheet: worksheet.Worksheet, parts: sheets.Parts, *, at: tuple[int, int], value: tables.Value, unit: str
) -> None:
    if isinstance(value, str):
        sheet.write_string(*at, text.clean(value), parts.style.by_number[styles.number("text", "", 0)])
    elif value is not None:
        column = _column(value, unit)
        shown = value if isinstance(value, int) else round(value, column.places)
        sheet.write_number(*at, shown, parts.style.of(column))


def _column(value: float, unit: str) -> tables.Column:
    kind: tables.Kind = "integer" if isinstance(value, int) and not unit.startswith("share") else "number"
    return tables.Column(name="", kind=kind, says="", unit=unit)


def _drawn(
    book: xlsxwriter.Workbook, sheet: worksheet.Worksheet, *, chart: tables.Chart, header: int
) -> charts.Chart:
    drawn = book.add_chart({"type": chart.kind})
    for number, at in enumerate(_series(chart)):
        drawn.add_series(_one(sheet.name, chart, at=at, number=number, header=header))
    drawn.set_title({"name": text.clean(chart.title), "overlay": False, "name_font": {"size": 13}})
    drawn.set_size({"width": _WIDTH, "height": max(_HEIGHT, _PER_BAR * len(chart.rows) + 120)})
    drawn.show_blanks_as("gap")
    _axes(drawn, chart)
    return drawn


def _series(chart: tables.Chart) -> list[int]:
    """The columns that are drawn; bounds are drawn as error bars only."""
    return [at for at, name in enumerate(chart.columns) if at and name not in (chart.bounds or ())]


def _one(sheet: str, chart: tables.Chart, *, at: int, number: int, header: int) -> Options:
    """The values are given beside the place where they stand: a viewer shows these without calculating."""
    first, last = header + 1, header + max(len(chart.rows), 1)
    options: Options = {
        "name": text.clean(chart.columns[at]),
        "categories": [sheet, first, 0, last, 0],
        "values": [sheet, first, at, last, at],
        "categories_data": [text.clean(str(row[0])) for row in chart.rows],
        "values_data": [row[at] for row in chart.rows],
        **_looks(chart.kind, number),
    }
    if chart.bounds and number == 0:
        options["y_error_bars"] = _error_bars(chart, at)
    return options


def _looks(kind: str, number: int) -> Options:
    colour = _COLOURS[number % len(_COLOURS)]
    if kind == "bar":
        return {"fill": {"color": colour}, "border": {"color": "#404040"}, "gap": 60}
    dash, marker = _DASHES[number % len(_DASHES)], _MARKERS[number % len(_MARKERS)]
    return {
        "line": {"color": colour, "width": 2.25, "dash_type": dash},
        "marker": {"type": marker, "size": 7, "fill": {"color": colour}, "border": {"color": "#404040"}},
    }


def _error_bars(chart: tables.Chart, at: int) -> Options:
    least, most = (chart.columns.index(name) for name in chart.bounds or ())
    return {
        "type": "custom",
        "plus_values": [_beyond(row[at], row[most]) for row in chart.rows],
        "minus_values": [_beyond(row[least], row[at]) for row in chart.rows],
        "line": {"color": "#595959", "width": 1},
    }


def _beyond(low: tables.Value, high: tables.Value) -> float:
    if isinstance(low, int | float) and isinstance(high, int | float):
        return round(high - low, 6)
    return 0


def _axes(drawn: charts.Chart, chart: tables.Chart) -> None:
    """Bars lie: their categories are on the y axis, the first at the top as in the rows, the values below the last."""
    if chart.kind == "bar":
        drawn.set_x_axis(_values_axis(chart))
        drawn.set_y_axis({"reverse": True, "crossing": "max", "major_gridlines": {"visible": False}})
    else:
        drawn.set_y_axis(_values_axis(chart))
    drawn.set_legend({"none": True} if len(_series(chart)) == 1 else {"position": "bottom"})


def _values_axis(chart: tables.Chart) -> Options:
    options: Options = {
        "num_format": _axis_format(chart.unit),
        "major_gridlines": {"visible": True, "line": {"color": "#D9D9D9"}},
    }
    if chart.unit == tables.SHARE:
        return options | {"min": 0, "max": 1}
    return options | ({"name": chart.unit} if chart.unit else {})


def _axis_format(unit: str) -> str:
    if unit.startswith("share"):
        return "0%"
    return styles.number("number", unit, 0) if unit == tables.MONEY else "#,##0"
