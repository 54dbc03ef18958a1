"""What a table of a package is: its columns with types, units and bounds, told once for every format and the notes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Kind = Literal["text", "integer", "number", "boolean", "date", "month", "instant"]
Value = str | int | float | bool | None  # dates, months and instants as ISO text; an instant with its offset

SHARE = "share from 0 to 1"  # units that begin with "share" are shown as percentages
CHANGE = "share from -1 to 1"
MONEY = "US dollars"
PERCENT = "percent"
_DECIMALS = {SHARE: 4, CHANGE: 4, MONEY: 2, PERCENT: 1}  # of a number, in every format alike


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """``says`` is its sentence in the notes. ``unit`` as in "students", "GB", SHARE, MONEY.

    ``decimals``: a number is rounded to so many, before any format gets it; None: by its unit. ``pattern`` is of the
    whole text.
    """

    name: str
    kind: Kind
    says: str
    unit: str = ""
    is_required: bool = False
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()
    pattern: str = ""
    decimals: int | None = None

    @property
    def places(self) -> int:
        return self.decimals if self.decimals is not None else _DECIMALS.get(self.unit, 4)


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """``key`` names the columns that tell one row from another."""

    name: str
    title: str
    says: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)


Row = Sequence[Value]  # in the order of the columns


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """A chart of the workbook, on a sheet of its own beside its rows.

    ``columns``: the category first, then the series. ``bounds``: of the first series, the columns of its least and most
    value; they are listed beside it and drawn as error bars. ``says`` is what a screen reader reads in its place.
    """

    sheet: str
    title: str
    says: str
    kind: Literal["bar", "line"]
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    unit: str = ""
    bounds: tuple[str, str] | None = None


def count(name: str, says: str, *, unit: str = "students") -> tuple[Column, ...]:
    """A count that may be coarsened: its value (empty where it is), its symbol, and what it lies between."""
    return (
        Column(name=name, kind="integer", says=says, unit=unit, minimum=0),
        Column(
            name=f"{name}_symbol",
            kind="text",
            says=f"Why {name} is empty: a range as 5 to 9, withheld, unknown, or not applicable.",
        ),
        Column(
            name=f"{name}_least", kind="integer", says=f"The least that {name} can be.", unit=unit, minimum=0
        ),
        Column(
            name=f"{name}_most", kind="integer", says=f"The most that {name} can be.", unit=unit, minimum=0
        ),
    )
