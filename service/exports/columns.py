"""Columns that many tables have, and a figure's cells in them."""

from service.exports import tables
from service.exports.published import Number
from service.exports.tables import Column, Value

VERSION = "1"  # of the tables: a column added keeps it, a column changed or gone raises it

_SYMBOL = "Why {} is empty, or how far it is to be trusted: see the notes, section symbols."


def month() -> Column:
    return Column(
        name="month", kind="month", says="The calendar month, in the district's time zone.", is_required=True
    )


def version() -> Column:
    return Column(
        name="version",
        kind="text",
        says="Version of the table's columns.",
        is_required=True,
        choices=(VERSION,),
    )


def text(name: str, says: str, *, is_required: bool = False, choices: tuple[str, ...] = ()) -> Column:
    return Column(name=name, kind="text", says=says, is_required=is_required, choices=choices)


def whole(name: str, says: str, *, unit: str = "") -> Column:
    return Column(name=name, kind="integer", says=says, unit=unit, is_required=True, minimum=0)


def share(name: str, says: str) -> tuple[Column, ...]:
    """A share that may be told as a range."""
    return _ranged(name, says, unit=tables.SHARE, minimum=0, maximum=1)


def change(name: str, says: str) -> tuple[Column, ...]:
    return _ranged(name, says, unit=tables.CHANGE, minimum=-2, maximum=2)


def money(name: str, says: str) -> tuple[Column, ...]:
    return _ranged(name, says, unit=tables.MONEY, minimum=0)


def index(name: str, says: str, *, unit: str = "") -> tuple[Column, ...]:
    """A measure of how coverage lies over schools."""
    return _ranged(name, says, unit=unit, decimals=2)


def mean(name: str, says: str) -> tuple[Column, ...]:
    return _ranged(name, says, unit="students", minimum=0, decimals=1)


def _ranged(
    name: str,
    says: str,
    *,
    unit: str,
    minimum: float | None = None,
    maximum: float | None = None,
    decimals: int | None = None,
) -> tuple[Column, ...]:
    told = (
        (name, says),
        (f"{name}_least", f"The least that {name} can be."),
        (f"{name}_most", f"The most that {name} can be."),
    )
    value, least, most = (
        Column(
            name=named,
            kind="number",
            says=sentence,
            unit=unit,
            minimum=minimum,
            maximum=maximum,
            decimals=decimals,
        )
        for named, sentence in told
    )
    return value, _symbol(name), least, most


def _symbol(name: str) -> Column:
    return Column(name=f"{name}_symbol", kind="text", says=_SYMBOL.format(name))


def measure(name: str, says: str, *, unit: str = "", decimals: int = 2) -> tuple[Column, ...]:
    """A figure without bounds."""
    return Column(name=name, kind="number", says=says, unit=unit, decimals=decimals), _symbol(name)


def of_count(number: Number) -> tuple[Value, ...]:
    return _whole(number.value), number.symbol or None, _whole(number.least), _whole(number.most)


def of_range(number: Number) -> tuple[Value, ...]:
    return number.value, number.symbol or None, number.least, number.most


def of_measure(number: Number) -> tuple[Value, ...]:
    return number.value, number.symbol or None


def _whole(value: float | None) -> int | None:
    return None if value is None else round(value)
