"""The tables and charts of a shareable package."""

from collections.abc import Iterator

from service.exports import changes, columns, district_tables, notes, pilot_tables, published, school_table
from service.exports.tables import SHARE, Chart, Column, Row, Table

MOST_DRAWN = 60  # schools in a chart: more cannot be read
MIDDLE = "coverage (middle of range)"  # of a chart's rows: exact where least and most are alike

DICTIONARY = Table(
    name=changes.DICTIONARY,
    title="Data dictionary",
    says="Every column of every table. How the files write texts and numbers is in the notes, section files.",
    columns=(
        columns.text("table", "The table.", is_required=True),
        columns.text("column", "The column.", is_required=True),
        columns.text("kind", "text, integer, number, boolean, date or month.", is_required=True),
        columns.text("unit", "What a number counts."),
        Column(name="is_required", kind="boolean", says="Whether it is never empty.", is_required=True),
        columns.text("choices", "What it can be, separated by commas; empty: anything of its kind."),
        columns.text("says", "What it means.", is_required=True),
        columns.version(),
    ),
    key=("table", "column"),
)


def tables(told: published.Published) -> list[tuple[Table, list[Row]]]:
    made: list[tuple[Table, list[Row]]] = [
        (school_table.TABLE, school_table.rows(told)),
        (district_tables.MONTH, district_tables.month_rows(told)),
        (district_tables.GROUPS, district_tables.group_rows(told)),
        (district_tables.TREND, district_tables.trend_rows(told)),
    ]
    if told.pilot is not None:
        made += [
            (pilot_tables.MONTH, pilot_tables.month_rows(told.pilot)),
            (pilot_tables.PERIODS, pilot_tables.period_rows(told.pilot)),
            (pilot_tables.EFFECT, pilot_tables.effect_rows(told.pilot)),
        ]
    if told.revision > 1:
        made.append((changes.TABLE, changes.rows(told.changes)))
    made.append((notes.TABLE, notes.rows(told)))
    described = [table for table, _ in made]
    return [*made, (DICTIONARY, list(_dictionary([*described, DICTIONARY])))]


def _dictionary(described: list[Table]) -> Iterator[Row]:
    for table in described:
        for column in table.columns:
            yield (
                table.name,
                column.name,
                column.kind,
                column.unit or None,
                column.is_required,
                ", ".join(column.choices) or None,
                column.says,
                columns.VERSION,
            )


def charts(told: published.Published) -> list[Chart]:
    """For the workbook. What cannot be drawn is left out of a chart, never drawn as 0."""
    found = [_schools(told), _trend(told), _groups(told), _sides(told)]
    return [chart for chart in found if chart is not None]


def _schools(told: published.Published) -> Chart | None:
    drawn = [one for one in told.schools if one.numbers["coverage"].middle is not None]
    drawn.sort(key=lambda one: (one.numbers["coverage"].middle or 0, one.school.ncessch))
    if not drawn:
        return None
    chosen = drawn if len(drawn) <= MOST_DRAWN else [*drawn[: MOST_DRAWN // 2], *drawn[-MOST_DRAWN // 2 :]]
    says = f"Coverage of {len(chosen)} schools, the lowest first; {len(told.schools) - len(drawn)} cannot be drawn."
    if len(chosen) < len(drawn):
        says += f" The {MOST_DRAWN // 2} lowest and the {MOST_DRAWN // 2} highest of {len(drawn)}."
    return Chart(
        sheet="Coverage by school",
        title="Coverage by school, with what it lies between",
        says=says,
        kind="bar",
        columns=("school", MIDDLE, "least", "most"),
        bounds=("least", "most"),
        rows=tuple((one.school.name, *_drawn(one.numbers["coverage"])) for one in chosen),
        unit=SHARE,
    )


def _drawn(number: published.Number) -> Row:
    """The middle, and what it lies between."""
    middle = number.middle
    least = middle if number.least is None else number.least
    most = middle if number.most is None else number.most
    return middle, least, most


def _trend(told: published.Published) -> Chart | None:
    points = [(str(one.month), one.district.get("coverage")) for one in told.earlier]
    points.append((str(told.facts.month), told.district.numbers["coverage"]))
    rows = [(month, *_drawn(one)) for month, one in points if one is not None and one.middle is not None]
    if len(rows) < 2:
        return None
    return Chart(
        sheet="Coverage by month",
        title="Coverage of the district by released month",
        says=f"Coverage of the district in {len(rows)} released months, with what it lies between.",
        kind="line",
        columns=("month", MIDDLE, "least", "most"),
        bounds=("least", "most"),
        rows=tuple(rows),
        unit=SHARE,
    )


def _groups(told: published.Published) -> Chart | None:
    rows = [
        (group.name, *_drawn(group.coverage))
        for group in (*told.district.groups, *told.district.bands)
        if group.coverage.middle is not None
    ]
    if not rows:
        return None
    return Chart(
        sheet="Coverage by need",
        title="Coverage of high-needs schools and the others, and by band of need",
        says=f"Coverage of {len(rows)} groups of schools, with what it lies between.",
        kind="bar",
        columns=("group", MIDDLE, "least", "most"),
        bounds=("least", "most"),
        rows=tuple(rows),
        unit=SHARE,
    )


def _sides(told: published.Published) -> Chart | None:
    if told.pilot is None:
        return None
    rows = [
        (f"{one.side}, {one.period}", *_drawn(one.coverage))
        for one in told.pilot.periods
        if one.coverage.middle is not None
    ]
    if not rows:
        return None
    return Chart(
        sheet="Pilot",
        title="Coverage of the pilot's schools and of the comparison, before and during",
        says=f"Coverage of {len(rows)} of the pilot's sides and periods, with what it lies between.",
        kind="bar",
        columns=("side", MIDDLE, "least", "most"),
        bounds=("least", "most"),
        rows=tuple(rows),
        unit=SHARE,
    )
