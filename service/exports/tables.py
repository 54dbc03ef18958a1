"""What a table of a package is: its columns with types, units and bounds, told once for every format and the notes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Kind = Literal["text", "integer", "number", "boolean", "date", "month", "instant"]
Value = str | int | float | bool | None  # dates, months and instants as ISO text


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """``says`` is its sentence in the notes. ``unit`` as in "students", "GB", "share from 0 to 1"."""

    name: str
    kind: Kind
    says: str
    unit: str = ""
    is_required: bool = False
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()
    pattern: str = ""


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


def count(name: str, says: str, *, unit: str = "students") -> tuple[Column, ...]:
    """A count that may be coarsened: its value (empty where it is), its symbol, and what it lies between."""
    return (
        Column(name=name, kind="integer", says=says, unit=unit, minimum=0),
        Column(
            name=f"{name}_symbol",
            kind="text",
            says=f"Why {name} is empty: a range as 5 to 9, withheld, unknown, or not applicable.",
        ),
        Column(name=f"{name}_least", kind="integer", says=f"The least that {name} can be.", unit=unit, minimum=0),
        Column(name=f"{name}_most", kind="integer", says=f"The most that {name} can be.", unit=unit, minimum=0),
    )
