"""What NCES's Common Core of Data says of schools: lunch (033), membership (052), characteristics (129)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from service import errors
from service.imports import ccd_files, cells, columns, outcomes, rows, unique
from service.model import high_needs

SOURCE = "NCES CCD"

T = TypeVar("T")
Key = tuple[str, ...]  # the school, and what was counted of it
Keyed = unique.Keyed[tuple[Key, T]]

_COUNTED = ("NCESSCH", "SCHOOL_YEAR", "TOTAL_INDICATOR", "STUDENT_COUNT")
_LUNCH = (*_COUNTED, "DATA_GROUP", "LUNCH_PROGRAM")
_CHARACTERISTICS = ("NCESSCH", "SCHOOL_YEAR", "TITLEI_STATUS", "NSLP_STATUS")
_FLAG = "DMS_FLAG"
_GOOD_FLAGS = ("", "reported", "derived")

# The lunch table is told as a total and again by category: the two are never added.
_TOTAL = "education unit total"
_BY_CATEGORY = "category set a"
_FRPL_TABLE = "free and reduced-price lunch table"
_DIRECT_CERTIFICATION = "direct certification"
_FREE = "free lunch qualified"
_REDUCED = "reduced-price lunch qualified"
_WITHOUT_ADULTS = "derived - education unit total minus adult education count"

_IS_CEP = {
    "NSLPCEO": True,
    "NSLPNO": False,
    "NSLPWOPRO": False,
    "NSLPPRO1": False,
    "NSLPPRO2": False,
    "NSLPPRO3": False,
}
_TITLE_ONE = {
    "NOTTITLE1ELIG": high_needs.TitleOne.NONE,
    "SWELIGNOPROG": high_needs.TitleOne.NONE,
    "TGELGBNOPROG": high_needs.TitleOne.NONE,
    "SWELIGTGPROG": high_needs.TitleOne.TARGETED,
    "TGELGBTGPROG": high_needs.TitleOne.TARGETED,
    "SWELIGSWPROG": high_needs.TitleOne.SCHOOLWIDE,
}


@dataclass(frozen=True, slots=True)
class Files:
    lunch: Path | None = None
    membership: Path | None = None
    characteristics: Path | None = None

    @property
    def given(self) -> tuple[Path, ...]:
        return tuple(path for path in (self.lunch, self.membership, self.characteristics) if path is not None)


@dataclass(frozen=True, slots=True)
class Count:
    """``value`` None: not known, for the reason ``why``."""

    value: int | None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Characteristics:
    """None: not reported."""

    is_cep: bool | None
    title_one: high_needs.TitleOne | None


Counts = Mapping[Key, Count]
Traits = Mapping[Key, Characteristics]


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads the rows of the schools (NCESSCH) in files of one school year, as 2024-25."""

    schools: frozenset[str]
    year: str
    tally: outcomes.Tally
    progress: rows.Progress | None = None

    def facts(self, files: Files) -> dict[str, high_needs.Facts]:
        """Of every school. Raises ImportRejected where a file is of another year, or has none of the schools."""
        lunch = self._read(files.lunch, _LUNCH, _lunch)
        membership = self._read(files.membership, _COUNTED, _membership)
        traits = self._read(files.characteristics, _CHARACTERISTICS, _characteristics)
        return {school: _facts(school, lunch, membership, traits) for school in self.schools}

    def _read(
        self, path: Path | None, wanted: tuple[str, ...], made: Callable[[rows.Row], Keyed[T] | None]
    ) -> dict[Key, T] | None:
        if path is None:
            return None

        def of_year(row: rows.Row) -> Keyed[T] | None:
            self._check_year(path, cells.text(row.cell("SCHOOL_YEAR")))
            return made(row)

        tally = outcomes.Tally()
        with ccd_files.opened(path, self.schools, self.progress) as table:
            found = columns.match(table.header, required=wanted, optional=(_FLAG,))
            kept, _ = unique.kept(rows.read(table, found, tally, of_year), tally)
        self._add(tally, path)
        if not kept:
            raise errors.ImportRejected(_none_found(path, len(self.schools)))
        return dict(kept)

    def _add(self, tally: outcomes.Tally, path: Path) -> None:
        """A row number alone would not say which of the files it is in."""
        self.tally.rows += tally.rows
        self.tally.rejected += tally.rejected
        self.tally.problems += [replace(one, column=f"{path.name}: {one.column}") for one in tally.problems]

    def _check_year(self, path: Path, told: str) -> None:
        first, _, second = self.year.partition("-")
        if told not in (self.year, f"{first}-{first[:2]}{second}"):
            raise errors.ImportRejected(
                f"{path.name} is of {told or 'no school year'}, and --year says {self.year}"
            )


def _none_found(path: Path, schools: int) -> str:
    return (
        f"{path.name} has no such row of the district's {schools:,} school(s): it is not the national file of schools "
        "that is wanted here, or a spreadsheet took the leading zeros of its NCESSCH"
    )


def _lunch(row: rows.Row) -> Keyed[Count] | None:
    group, total, programme = (
        cells.text(row.cell(column)).lower() for column in ("DATA_GROUP", "TOTAL_INDICATOR", "LUNCH_PROGRAM")
    )
    if total == _TOTAL and group in (_FRPL_TABLE, _DIRECT_CERTIFICATION):
        return _count(row, group)
    if total == _BY_CATEGORY and group == _FRPL_TABLE and programme in (_FREE, _REDUCED):
        return _count(row, programme)
    return None


def _membership(row: rows.Row) -> Keyed[Count] | None:
    total = cells.text(row.cell("TOTAL_INDICATOR")).lower()
    return _count(row, total) if total in (_TOTAL, _WITHOUT_ADULTS) else None


def _count(row: rows.Row, counted: str) -> Keyed[Count]:
    key = (cells.text(row.cell("NCESSCH")), counted)
    count = row.read("STUDENT_COUNT", _student_count)
    flag = cells.text(row.cell(_FLAG))
    if flag.lower() not in _GOOD_FLAGS:
        count = Count(None, f"is flagged {flag!r}")
    return unique.Keyed(row.number, "STUDENT_COUNT", key, (key, count or Count(None, "cannot be read")))


def _student_count(cell: cells.Cell) -> Count:
    """-1, -2 and -9 stand for missing, not applicable and of poor quality: never for a number, nor for 0."""
    shown = cells.text(cell)
    if not shown:
        return Count(None, "is empty")
    if shown.startswith("-"):
        return Count(None, f"is {shown}, which stands for not known")
    return Count(cells.count(cell))


def _characteristics(row: rows.Row) -> Keyed[Characteristics]:
    key = (cells.text(row.cell("NCESSCH")),)
    made = Characteristics(
        _IS_CEP.get(cells.text(row.cell("NSLP_STATUS")).upper()),
        _TITLE_ONE.get(cells.text(row.cell("TITLEI_STATUS")).upper()),
    )
    return unique.Keyed(row.number, "NCESSCH", key, (key, made))


def _facts(
    school: str, lunch: Counts | None, membership: Counts | None, traits: Traits | None
) -> high_needs.Facts:
    shares: dict[high_needs.Indicator, high_needs.Share] = {}
    missing: dict[high_needs.Indicator, str] = {}
    for indicator, counted in (
        (high_needs.Indicator.FRPL, _eligible(school, lunch)),
        (high_needs.Indicator.DIRECT_CERT, _told(school, lunch, _DIRECT_CERTIFICATION)),
    ):
        enrolled = _enrolled(school, membership)
        if counted.value is None:
            missing[indicator] = f"its {high_needs.NAMES[indicator]} count {counted.why}"
        elif not enrolled.value:
            missing[indicator] = f"its membership {'is 0' if enrolled.value == 0 else enrolled.why}"
        else:
            shares[indicator] = high_needs.Share(counted.value / enrolled.value, SOURCE)
    if traits is None:
        return high_needs.Facts(shares, missing)
    trait = traits.get((school,), Characteristics(None, None))
    return high_needs.Facts(
        shares, missing, trait.is_cep, trait.title_one, "its status is not in the characteristics"
    )


def _eligible(school: str, lunch: Counts | None) -> Count:
    """The table's total, which has those of no told category too; else free and reduced together."""
    total = _told(school, lunch, _FRPL_TABLE)
    parts = _told(school, lunch, _FREE).value, _told(school, lunch, _REDUCED).value
    if parts[0] is None or parts[1] is None:
        return total
    free_and_reduced = parts[0] + parts[1]
    if total.value is not None and total.value < free_and_reduced:
        return Count(None, f"is {total.value:,}, and free and reduced together are {free_and_reduced:,}")
    return Count(free_and_reduced) if total.value is None else total


def _enrolled(school: str, membership: Counts | None) -> Count:
    without_adults = _told(school, membership, _WITHOUT_ADULTS)
    return without_adults if without_adults.value is not None else _told(school, membership, _TOTAL)


def _told(school: str, counts: Counts | None, counted: str) -> Count:
    return (
        Count(None, "is in no file")
        if counts is None
        else counts.get((school, counted), Count(None, "has no row"))
    )
