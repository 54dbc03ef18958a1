"""Answers of students: can they get online at home, and if not, why? From a file, or as another source lists them."""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import NamedTuple

from service import errors
from service.imports import answer_maps, cells, columns, frame, outcomes, pseudonym_keys, rows, tables
from service.model import need, pseudonyms
from service.store import need_imports as store
from service.store import pool as pools

TABLES = ("need_answers",)
_REASONS = {
    "unknown_school": "there is no such school: import it with the schools first",
    "no_school": "belongs to no school: the row names none, and the roster does not know the student",
    "told_differently": "row {other_row} is of the same student and day and says otherwise",
}


class Terms(NamedTuple):
    """How answers are read. ``as_of``: the date of those that have none of their own."""

    answer_map: answer_maps.AnswerMap
    pseudonymizer: pseudonyms.Pseudonymizer | None
    today: date
    as_of: date | None = None


async def run(
    pool: pools.Pool,
    district_id: int,
    path: Path,
    terms: Terms,
    *,
    dry_run: bool = False,
    progress: rows.Progress | None = None,
) -> outcomes.Outcome:
    async with frame.opened(
        pool, district_id, "answers", frame.checksum(path), tables=TABLES, today=terms.today, dry_run=dry_run
    ) as importing:
        file = terms.answer_map.file
        with tables.opened(path, skip_rows=file.skip_rows, sheet=file.sheet) as table:
            await take(importing, table, terms, progress=progress)
    return importing.outcome


async def take(
    importing: frame.Frame, table: tables.Table, terms: Terms, *, progress: rows.Progress | None
) -> None:
    """Take over every answer of a table whose headers are the map's."""
    connection, district_id = importing.connection, importing.district_id
    headers, found = _headers(table, terms.answer_map)
    importing.ignore(found.ignored)
    reader = Reader(terms, headers)
    await pseudonym_keys.check(connection, district_id, importing.district, reader.pseudonymizer)
    read = rows.read(table, found, importing.tally, reader.answer, shown=rows.codes_only, progress=progress)
    await store.stage(connection, read)
    rows.some(importing.tally)
    await store.match(
        connection, district_id, told=[_COLUMNS[name] for name in reader.told if name in _COLUMNS]
    )
    repeated = await _refuse(importing, headers)
    written = await store.write(connection, district_id)
    importing.affects(written.first_on)
    importing.finish(added=written.added, changed=written.changed, repeated=repeated)
    _tell(importing, await store.known(connection, district_id, importing.today))


_COLUMNS = {  # of the table, by what the map calls them
    "ncessch": "school_id",
    "household": "household",
    "has_access": "has_access",
    "barrier": "barrier",
    "access_type": "access_type",
    "performance": "performance",
    "documented_by_staff": "is_documented_by_staff",
}


def _headers(
    table: tables.Table, answer_map: answer_maps.AnswerMap
) -> tuple[Mapping[str, str], columns.Columns]:
    """The file's own header of each column that the map names and the file has."""
    known = {
        header: name
        for name in (*answer_maps.OTHERS, *answer_maps.ELEMENTS)
        for header in answer_map.columns.of(name)
    }
    found = columns.match(table.header, required=(), optional=list(known))
    headers: dict[str, str] = {}
    for header in found.places:
        other = headers.setdefault(known[header], header)
        if other != header:
            raise errors.ImportRejected(f"the columns {other!r} and {header!r} are both the {known[header]}")
    _enough(headers, answer_map)
    return headers, found


def _enough(headers: Mapping[str, str], answer_map: answer_maps.AnswerMap) -> None:
    if "student" not in headers:
        wanted = " or ".join(repr(header) for header in answer_map.columns.student)
        raise errors.ImportRejected(f"the file lacks the column {wanted}, which names the student")
    if not any(element in headers for element in answer_maps.ELEMENTS):
        wanted = ", ".join(
            repr(answer_map.columns.of(element)[0])
            for element in answer_maps.ELEMENTS
            if answer_map.columns.of(element)
        )
        raise errors.ImportRejected(f"the file has no answer: none of its columns is {wanted}")


class Reader:
    def __init__(self, terms: Terms, headers: Mapping[str, str]) -> None:
        if terms.pseudonymizer is None:
            raise errors.ConfigError(
                "students are stored as pseudonyms only: set the district's pseudonym_key_file in the configuration"
            )
        self.pseudonymizer = terms.pseudonymizer
        self._headers = headers
        self._questions = [
            (headers[element], terms.answer_map.question(element))
            for element in answer_maps.ELEMENTS
            if element in headers
        ]
        self._day = cells.between(_day_reader(terms), terms.today)

    @property
    def told(self) -> set[str]:
        """What the rows can tell: of the rest, what is known of a student's day stays."""
        return set(self._headers).union(*(question.elements for _, question in self._questions))

    def answer(self, row: rows.Row) -> store.Answer | None:
        student = row.read(self._headers["student"], cells.required_identifier, is_personal=True)
        ncessch = self._read(row, "ncessch", cells.ncessch)
        household = self._read(row, "household", cells.identifier, is_personal=True)
        answered_on = row.read(self._headers.get("answered_on", ""), self._day)
        elements = self._elements(row)
        if row.problems or student is None or answered_on is None:
            return None
        return store.Answer(
            row.number,
            student=self.pseudonymizer.borrower(student),
            ncessch=ncessch or "",
            answered_on=answered_on,
            household=self.pseudonymizer.household(household or ""),
            has_access=elements.get("has_access"),
            barrier=elements.get("barrier"),
            access_type=elements.get("access_type"),
            performance=elements.get("performance"),
            is_documented_by_staff=elements.get("documented_by_staff") is True,
        )

    def _read(
        self, row: rows.Row, name: str, parse: Callable[[cells.Cell], str], *, is_personal: bool = False
    ) -> str | None:
        header = self._headers.get(name)
        return None if header is None else row.read(header, parse, is_personal=is_personal)

    def _elements(self, row: rows.Row) -> dict[str, answer_maps.Value]:
        """What the row's answers mean. One may mean several elements; they may not contradict each other."""
        found: dict[str, answer_maps.Value] = {}
        for header, question in self._questions:
            # A free answer may name a person: what is not known is not shown.
            for element, value in row.read(header, question.meaning, is_personal=True) or ():
                if found.setdefault(element, value) != value:
                    row.refuse(
                        header, f"contradicts another column of the row on {element}", is_personal=True
                    )
        return found


def _day_reader(terms: Terms) -> Callable[[cells.Cell], date | None]:
    """Reads the day of an answer, whatever its time of day."""
    formats = terms.answer_map.file.date_formats

    def day(cell: cells.Cell) -> date:
        if isinstance(cell, datetime):
            return cell.date()
        if not cells.text(cell):
            return _given(terms.as_of)
        if not formats or isinstance(cell, date):
            return cells.required_day(cell)
        found = {at for each in formats if (at := _parsed(cells.text(cell), each)) is not None}
        if len(found) != 1:
            raise cells.Invalid(f"is not a date written as {' or '.join(formats)}")
        return found.pop()

    return day


def _given(as_of: date | None) -> date:
    if as_of is None:
        raise cells.Invalid("has no date: fill it in, or give that of all answers with --as-of")
    return as_of


def _parsed(text: str, written: str) -> date | None:
    try:
        return datetime.strptime(text, written).date()  # noqa: DTZ007 - a date has no zone
    except ValueError:
        return None


async def _refuse(importing: frame.Frame, headers: Mapping[str, str]) -> int:
    """Refuse what the database or the rest of the file contradicts; returns the number of repeats."""
    repeated = 0
    for refusal in await store.refusals(importing.connection):
        if refusal.reason == "repeat":
            repeated += 1
            continue
        reason = _REASONS[refusal.reason].format(other_row=refusal.other_row)
        is_school = refusal.reason == "unknown_school"
        column = headers["ncessch"] if is_school else headers["student"]
        value = refusal.ncessch if is_school else None
        importing.tally.reject([outcomes.Problem(refusal.row_number, column, reason, value)])
    return repeated


def _tell(importing: frame.Frame, known: store.Known) -> None:
    importing.say(
        f"{known.students:,} students",
        f"{known.in_roster:,} of them in the roster",
        f"{known.with_loan:,} with an open loan",
        f"{known.unusable:,} with an answer that cannot be used",
    )
    doubts = need.doubts(
        students=known.students,
        in_roster=known.in_roster,
        roster=known.roster,
        with_loan=known.with_loan,
        borrowers=known.borrowers,
    )
    importing.warn([outcomes.Problem(0, "", doubt) for doubt in doubts])
