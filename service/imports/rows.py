"""Reads the rows of a table column by column, gathering every problem of a row."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TypeVar

from service import errors
from service.imports import cells, columns, outcomes, tables

T = TypeVar("T")
Progress = Callable[[int], None]  # told the number of rows read so far
Shown = Callable[[str], str | None]

_PROGRESS_ROWS = 1000


def anything(value: str) -> str | None:
    return value


def codes_only(value: str) -> str | None:
    """Hides what may be a person's name: in a file of people a value can stand in the wrong column."""
    return value if any(map(str.isdigit, value)) and len(value) <= 40 else None


@dataclass(slots=True)
class Row:
    number: int
    values: tables.Cells
    places: dict[str, int]
    shown: Shown = anything
    problems: list[outcomes.Problem] = field(default_factory=list)

    def cell(self, column: str) -> cells.Cell:
        """The column's cell; empty where the file has no such column."""
        place = self.places.get(column)
        return "" if place is None else self.values[place]

    def read(self, column: str, parse: Callable[[cells.Cell], T], *, is_personal: bool = False) -> T | None:
        """What the cell holds. A cell that cannot be right is a problem of the row, and None."""
        try:
            return parse(self.cell(column))
        except cells.REASONS as error:
            self.refuse(column, str(error), is_personal=is_personal)
            return None

    def refuse(self, column: str, reason: str, *, is_personal: bool = False) -> None:
        value = None if is_personal else self.shown(cells.text(self.cell(column)))
        self.problems.append(outcomes.Problem(self.number, column, reason, value))


def read(
    table: tables.Table,
    found: columns.Columns,
    tally: outcomes.Tally,
    record: Callable[[Row], T | None],
    *,
    shown: Shown = anything,
    progress: Progress | None = None,
) -> Iterator[T]:
    """What ``record`` makes of each good row; the others are in the tally. A record of None is left out."""
    for number, row in table.rows:
        reading = Row(number, row, found.places, shown)
        made = record(reading) if _has_width(reading, found.width) else None
        if reading.problems:
            tally.reject(reading.problems)
        tally.rows += bool(reading.problems) or made is not None
        if made is not None and not reading.problems:
            yield made
        if progress is not None and tally.rows % _PROGRESS_ROWS == 0:
            progress(tally.rows)


def some(tally: outcomes.Tally) -> None:
    """Raise ImportRejected where the file had no row: an empty full file would close every loan."""
    if tally.rows == 0:
        raise errors.ImportRejected("the file has a header and no rows: nothing was changed")


def _has_width(row: Row, width: int) -> bool:
    """A row that is cut off, or has a comma too many, has its values in the wrong columns."""
    filled = len(row.values)
    if filled != width:
        reason = f"has {filled} cells where the header has {width}: cut off, or a comma without quotes"
        row.problems.append(outcomes.Problem(row.number, "", reason))
    return filled == width
