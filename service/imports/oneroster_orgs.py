"""Which school of the district each org of a OneRoster export is."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from service import errors
from service.imports import cells, columns, oneroster_tables, outcomes, rows, tables
from service.store import enrollment_imports as store

_NO_SCHOOL = "there is no such school: import it with the schools first"


@dataclass(frozen=True, slots=True)
class Org:
    sourced_id: str
    standing: store.Standing
    school_id: int | None = None
    why: str = ""  # it is no school of the district
    is_told: bool = True  # by orgs.csv or the file of schools


class Orgs:
    """The orgs, each with a number by which the staged rows name it."""

    def __init__(self, schools: Mapping[str, int], told: Mapping[str, str]) -> None:
        """``schools``: the school of each NCESSCH; ``told``: the NCESSCH of an org, '' where it is left out."""
        self._schools = schools
        self._told = told
        self._orgs: list[Org] = []
        self._numbers: dict[str, int] = {}
        for sourced_id in told:
            self._add(self._named(sourced_id, told[sourced_id]))

    def read(self, table: oneroster_tables.Table, tally: outcomes.Tally) -> None:
        for row in table.read(tally):
            is_gone = oneroster_tables.status(row)
            sourced_id = row.text("sourcedId")
            if is_gone or sourced_id in self._told:
                continue
            if not sourced_id:
                row.refuse("sourcedId", "is empty")
            elif row.text("type").lower() == "school":
                self._add(self._named(sourced_id, row.text("identifier")))
            else:
                self._add(Org(sourced_id, store.Standing.NO_SCHOOL, why="it is no school by its type"))

    def number(self, sourced_id: str) -> int:
        known = self._numbers.get(sourced_id)
        if known is not None:
            return known
        why = "orgs.csv does not have it"
        return self._add(Org(sourced_id, store.Standing.UNMATCHED, why=why, is_told=False))

    def rows(self) -> Iterator[store.Org]:
        return (store.Org(number, org.school_id, org.standing) for number, org in enumerate(self._orgs))

    def problem(self, misplaced: store.Misplaced) -> outcomes.Problem:
        """Of all the students who are at an org that is no school of the district."""
        counted = f"{misplaced.students:,} student(s)"
        if misplaced.org is None:
            return outcomes.Problem(
                misplaced.first_row, "users.csv", f"{counted} from this row on have no org"
            )
        org = self._orgs[misplaced.org]
        shown = org.sourced_id if org.is_told else rows.codes_only(org.sourced_id)
        reason = f"{counted} from this row on are at this org: {org.why}. Name its school with --schools"
        return outcomes.Problem(misplaced.first_row, "users.csv org", reason, shown)

    def _named(self, sourced_id: str, identifier: str) -> Org:
        if not identifier and sourced_id in self._told:
            return Org(sourced_id, store.Standing.LEFT_OUT)
        try:
            school_id = self._schools.get(cells.required_ncessch(identifier))
        except cells.REASONS as error:
            return Org(sourced_id, store.Standing.UNMATCHED, why=f"its identifier {error}")
        if school_id is None:
            return Org(
                sourced_id, store.Standing.UNMATCHED, why=f"its identifier is {identifier}: {_NO_SCHOOL}"
            )
        return Org(sourced_id, store.Standing.SCHOOL, school_id)

    def _add(self, org: Org) -> int:
        number = self._numbers.setdefault(org.sourced_id, len(self._orgs))
        if number == len(self._orgs):
            self._orgs.append(org)
        return number


def named_schools(path: Path | None, schools: Mapping[str, int]) -> dict[str, str]:
    """The NCESSCH of each org that a file names; '': the org is left out. Raises ImportRejected for a wrong row."""
    if path is None:
        return {}
    found: dict[str, str] = {}
    tally = outcomes.Tally()
    with tables.opened(path) as table:
        matched = columns.match(table.header, required=("sourcedId", "ncessch"))
        for sourced_id, ncessch in rows.read(table, matched, tally, lambda row: _named_school(row, schools)):
            if found.setdefault(sourced_id, ncessch) != ncessch:
                raise errors.ImportRejected(f"{path.name} names two schools for org {sourced_id}")
    if tally.problems:
        wrong = tally.problems[0]
        raise errors.ImportRejected(
            f"{path.name}, row {wrong.row}, {wrong.column or 'cells'}: {wrong.reason}"
        )
    return found


def _named_school(row: rows.Row, schools: Mapping[str, int]) -> tuple[str, str] | None:
    sourced_id = row.read("sourcedId", cells.required_identifier)
    ncessch = row.read("ncessch", cells.ncessch)
    if ncessch and ncessch not in schools:
        row.refuse("ncessch", _NO_SCHOOL)
    return None if sourced_id is None or ncessch is None else (sourced_id, ncessch)
