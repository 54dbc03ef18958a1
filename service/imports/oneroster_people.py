"""Users, roles and enrollments of a OneRoster export as rows that name nobody: people are pseudonyms from here on."""

from collections.abc import Iterator
from dataclasses import dataclass

from service.imports import cells, oneroster_keys, oneroster_orgs, oneroster_tables, outcomes, rows
from service.imports.oneroster_manifest import Version
from service.model import grades, pseudonyms
from service.store import enrollment_imports as store

STUDENT = "student"
_PROGRESS_ROWS = 1000


@dataclass(frozen=True, slots=True)
class Reader:
    pseudonymizer: pseudonyms.Pseudonymizer
    key: oneroster_keys.StudentKey
    version: Version
    orgs: oneroster_orgs.Orgs
    tally: outcomes.Tally

    def users(self, table: oneroster_tables.Table, progress: rows.Progress | None) -> Iterator[store.User]:
        """Every student of OneRoster 1.1; every user of 1.2, whose roles are in a file of their own."""
        for row in table.read(self.tally):
            is_staff = self.version is Version.V1_1 and row.text("role").lower() != STUDENT
            made = None if is_staff else self._user(row)
            if not row.problems:
                self.tally.rows += 1
            if made is not None:
                yield made
            if progress is not None and self.tally.rows % _PROGRESS_ROWS == 0:
                progress(self.tally.rows)

    def roles(self, table: oneroster_tables.Table) -> Iterator[store.Role]:
        """In OneRoster 1.2: of everyone."""
        for row in table.read(self.tally):
            is_gone = oneroster_tables.status(row)
            user = row.text("userSourcedId")
            if not user:
                row.refuse("userSourcedId", "is empty")
            if is_gone is None or not user:
                continue
            yield store.Role(
                row.number,
                self._pseudonym(user),
                self._org(row, "orgSourcedId"),
                is_student=row.text("role").lower() == STUDENT,
                is_primary=row.text("roleType").lower() != "secondary",
                is_gone=is_gone,
            )

    def classes(self, table: oneroster_tables.Table) -> Iterator[store.Class]:
        """The schools at which a student takes classes, each once: a student has many classes and few schools."""
        seen: set[int] = set()
        columns = ("role", "status", "userSourcedId", "schoolSourcedId")
        for role, status, *place in table.texts(self.tally, *columns):
            is_told = role.lower() == STUDENT and status.lower() not in oneroster_tables.GONE and all(place)
            if is_told and (key := hash((*place,))) not in seen:
                seen.add(key)
                user, org = place
                yield store.Class(self._pseudonym(user), self.orgs.number(org))

    def _user(self, row: oneroster_tables.Row) -> store.User | None:
        sourced_id = row.read(oneroster_keys.SOURCED_ID, cells.required_identifier, is_personal=True)
        key = self.key.of(row)
        is_gone = oneroster_tables.status(row)
        is_enabled = row.read("enabledUser", cells.yes_no)
        if row.problems or sourced_id is None:
            return None
        told_grade = row.text("grades").split(",")[0]
        grade = grades.code(told_grade)
        user_key = self._pseudonym(sourced_id)
        return store.User(
            row.number,
            user_key=user_key,
            student=user_key if key == sourced_id else self._pseudonym(key),
            is_student=True if self.version is Version.V1_1 else None,
            is_gone=bool(is_gone) or is_enabled is False,
            grade=grade,
            has_strange_grade=bool(told_grade.strip()) and grade is None,
            orgs=self._places(row),
        )

    def _places(self, row: oneroster_tables.Row) -> list[int]:
        column = "orgSourcedIds" if self.version is Version.V1_1 else "primaryOrgSourcedId"
        told = (part.strip() for part in row.text(column).split(","))
        return [self.orgs.number(sourced_id) for sourced_id in told if sourced_id]

    def _org(self, row: oneroster_tables.Row, column: str) -> int | None:
        sourced_id = row.text(column)
        return self.orgs.number(sourced_id) if sourced_id else None

    def _pseudonym(self, text: str) -> str:
        return self.pseudonymizer.borrower(text)
