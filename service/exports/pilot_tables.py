"""The tables of a pilot: its sides month by month, before and during, and what came of it."""

from service.exports import columns, published, tables
from service.exports.tables import Row, Table

_SIDES, _PERIODS = ("pilot", "comparison"), ("before", "during")
_SAME = "Schools count that are told, and were heard from, in every month that is used"


def _figures() -> tuple[tables.Column, ...]:
    return (
        columns.whole("schools", f"Schools that are counted. {_SAME}.", unit="schools"),
        columns.whole("left_out", "Schools of the side that are not.", unit="schools"),
        *columns.mean("need", "Students in need, mean of the months."),
        *columns.mean("covered", "Of these, those with a working connection, mean of the months."),
        *columns.share("coverage", "covered / need, from the sums of the months."),
        columns.version(),
    )


def _side() -> tuple[tables.Column, ...]:
    return (
        columns.text(
            "side", "The pilot's schools, or those it is compared with.", is_required=True, choices=_SIDES
        ),
        columns.text("period", "Before the pilot, or during it.", is_required=True, choices=_PERIODS),
    )


MONTH = Table(
    name="pilot_month",
    title="The pilot month by month",
    says="Coverage of the pilot's schools and of those it is compared with, in every released month.",
    columns=(columns.text("pilot", "Its name.", is_required=True), columns.month(), *_side(), *_figures()),
    key=("pilot", "month", "side"),
)
PERIODS = Table(
    name="pilot_periods",
    title="The pilot before and during",
    says="Each side in each period, from the released months.",
    columns=(
        columns.text("pilot", "Its name.", is_required=True),
        *_side(),
        columns.text("months", "Months that are used, separated by spaces."),
        columns.text("months_missing", "Months of the period that were not released, separated by spaces."),
        *_figures(),
    ),
    key=("pilot", "side", "period"),
)
_EFFECTS = ("change", "comparison_change", "difference")
EFFECT = Table(
    name="pilot_effect",
    title="What came of the pilot",
    says="Change of coverage of the pilot's schools, of those it is compared with, and the difference of both changes "
    "(difference-in-differences).",
    columns=(
        columns.text("pilot", "Its name.", is_required=True),
        columns.text(
            "measure",
            "change: pilot, during less before; comparison_change: likewise; difference: the first less the second.",
            is_required=True,
            choices=_EFFECTS,
        ),
        *columns.change("value", "In shares: 0.05 are 5 percentage points."),
        columns.version(),
    ),
    key=("pilot", "measure"),
)


def month_rows(pilot: published.Pilot) -> list[Row]:
    return [
        (pilot.name, str(one.months[0]), str(one.side), str(one.period), *_cells(one))
        for one in pilot.by_month
    ]


def period_rows(pilot: published.Pilot) -> list[Row]:
    return [
        (
            pilot.name,
            str(one.side),
            str(one.period),
            " ".join(map(str, one.months)) or None,
            " ".join(map(str, one.missing)) or None,
            *_cells(one),
        )
        for one in pilot.periods
    ]


def effect_rows(pilot: published.Pilot) -> list[Row]:
    told = (pilot.change, pilot.comparison_change, pilot.difference)
    return [
        (pilot.name, name, *columns.of_range(number), columns.VERSION)
        for name, number in zip(_EFFECTS, told, strict=True)
    ]


def _cells(one: published.PilotPeriod) -> Row:
    figures = (one.need, one.covered, one.coverage)
    return (
        one.schools,
        one.left_out,
        *(cell for number in figures for cell in columns.of_range(number)),
        columns.VERSION,
    )
