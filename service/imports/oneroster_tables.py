"""Rows of a OneRoster file with the wanted columns alone: all others are dropped as soon as a row is split."""

import contextlib
import csv
import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import cast

from service import errors
from service.imports import columns, oneroster_package, outcomes, rows

GONE = ("tobedeleted", "inactive")  # statuses that take a row back


class Row(rows.Row):
    """One row of a file of people: no cell of it is ever shown."""

    __slots__ = ()

    def text(self, column: str) -> str:
        return cast(str, self.cell(column)).strip()


@dataclass(frozen=True, slots=True)
class Table:
    """``kept``: the places of the wanted columns in the file; ``places``: in a row that is kept."""

    name: str
    width: int
    kept: tuple[int, ...]
    places: dict[str, int]
    rows: Iterator[tuple[int, list[str]]]

    def read(self, tally: outcomes.Tally) -> Iterator[Row]:
        """Each row of the right width. The others are refused, and so are those that get problems."""
        for number, values in self.rows:
            row = self._kept(number, values)
            if not row.problems:
                yield row
            if row.problems:
                refuse(tally, self.name, row.problems)

    def texts(self, tally: outcomes.Tally, *wanted: str) -> Iterator[tuple[str, ...]]:
        """The cells of each row of the right width, those of missing columns empty: for files of a million rows."""
        kept = [self.kept[self.places[column]] if column in self.places else None for column in wanted]
        for number, values in self.rows:
            if len(values) == self.width:
                yield tuple("" if place is None else values[place].strip() for place in kept)
            else:
                refuse(tally, self.name, self._kept(number, values).problems)

    def good(self) -> Iterator[Row]:
        """Each row of the right width."""
        return (row for number, values in self.rows if not (row := self._kept(number, values)).problems)

    def _kept(self, number: int, values: list[str]) -> Row:
        if len(values) == self.width:
            return Row(number, [values[place] for place in self.kept], self.places, _nothing)
        reason = (
            f"has {len(values)} cells where the header has {self.width}: cut off, or a comma without quotes"
        )
        return Row(number, [], {}, _nothing, [outcomes.Problem(number, "", reason)])


@contextlib.contextmanager
def opened(
    package: oneroster_package.Package, name: str, *, required: Sequence[str], optional: Sequence[str] = ()
) -> Iterator[Table]:
    """Raises ImportRejected where a required column is missing, and, while rows are read, where it is no CSV."""
    with package.lines(name) as lines:
        split = _split(name, lines)
        _, header = next(split, (0, []))
        try:
            found = columns.match(header, required=required, optional=optional)
        except errors.ImportRejected as error:
            raise errors.ImportRejected(f"{name}: {error}") from error
        kept = tuple(found.places.values())
        places = {column: place for place, column in enumerate(found.places)}
        yield Table(name, found.width, kept, places, split)


def header(package: oneroster_package.Package, name: str) -> set[str]:
    """The names of a file's columns, as they are compared."""
    with package.lines(name) as lines:
        _, titles = next(_split(name, lines), (0, []))
        return set(map(columns.plain, titles))


def refuse(tally: outcomes.Tally, name: str, problems: Sequence[outcomes.Problem]) -> None:
    """Refuse a row for what is wrong in a file."""
    tally.rows += 1
    tally.reject(
        dataclasses.replace(problem, column=f"{name} {problem.column}".strip()) for problem in problems
    )


def status(row: Row) -> bool | None:
    """Whether the row takes back what it tells of; None where its status is not one of OneRoster's."""
    said = row.text("status").lower()
    if said in GONE or said in ("", "active"):
        return said in GONE
    row.refuse("status", "is neither active nor tobedeleted")
    return None


def _split(name: str, lines: Iterator[str]) -> Iterator[tuple[int, list[str]]]:
    """Each row with its number; blank rows are left out."""
    reader = csv.reader(lines, strict=True)
    try:
        yield from ((number, row) for number, row in enumerate(reader, start=1) if any(row))
    except csv.Error as error:
        raise errors.ImportRejected(f"{name}, line {reader.line_num}: not valid CSV: {error}") from error


def _nothing(_: str) -> None:
    return None
