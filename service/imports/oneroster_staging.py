"""Puts the files of a OneRoster export into temporary tables, where they are judged as one."""

import contextlib
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from service import errors
from service.imports import (
    frame,
    oneroster_keys,
    oneroster_manifest,
    oneroster_orgs,
    oneroster_package,
    oneroster_people,
    oneroster_sessions,
    oneroster_tables,
    rows,
)
from service.imports.oneroster_manifest import ENROLLMENTS, ORGS, ROLES, SESSIONS, USERS
from service.model import pseudonyms
from service.store import enrollment_imports as store
from service.store import records

_COLUMNS = {
    ORGS: (("sourcedId", "type"), ("identifier", "status")),
    ROLES: (("userSourcedId", "role", "orgSourcedId"), ("roleType", "status")),
    ENROLLMENTS: (("userSourcedId", "role", "schoolSourcedId"), ("status",)),
    SESSIONS: (("type", "startDate", "endDate"), ("status",)),
}


@dataclass(frozen=True, slots=True)
class Export:
    """``named_schools``: a file that tells the school of an org."""

    package: oneroster_package.Package
    manifest: oneroster_manifest.Manifest
    key: oneroster_keys.StudentKey
    named_schools: Path | None

    def opened(self, name: str) -> AbstractContextManager[oneroster_tables.Table | None]:
        """The table of a file; None where the export does not have it."""
        if not self.manifest.has(name):
            return contextlib.nullcontext()
        required, optional = _COLUMNS[name] if name in _COLUMNS else self._user_columns()
        return oneroster_tables.opened(self.package, name, required=required, optional=optional)

    def _user_columns(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        always = tuple(dict.fromkeys((oneroster_keys.SOURCED_ID, self.key.column)))
        optional = ("status", "enabledUser", "grades")
        if self.manifest.version is oneroster_manifest.Version.V1_1:
            return (*always, "orgSourcedIds", "role"), optional
        return always, ("primaryOrgSourcedId", *optional)


async def stage(
    importing: frame.Frame,
    export: Export,
    pseudonymizer: pseudonyms.Pseudonymizer,
    progress: rows.Progress | None,
) -> oneroster_orgs.Orgs:
    """Everything that the export tells of students; no name or number of a person goes into the tables."""
    connection = importing.connection
    orgs = await _orgs(importing, export)
    reader = oneroster_people.Reader(
        pseudonymizer, export.key, export.manifest.version, orgs, importing.tally
    )
    await store.create(connection)
    with export.opened(ROLES) as table:
        if table is not None:
            await store.stage_roles(connection, reader.roles(table))
    with export.opened(USERS) as table:
        if table is not None:
            await store.stage_users(connection, reader.users(table, progress))
    with export.opened(ENROLLMENTS) as table:
        if table is not None:
            await store.stage_classes(connection, reader.classes(table))
    await store.stage_orgs(connection, orgs.rows())
    rows.some(importing.tally)
    return orgs


def term_start(importing: frame.Frame, export: Export, on_day: date) -> date | None:
    """The first day of the school year, or else of the term, that a day is in; None where it is not told."""
    with export.opened(SESSIONS) as table:
        return None if table is None else oneroster_sessions.start(table, importing.tally, on_day)


async def _orgs(importing: frame.Frame, export: Export) -> oneroster_orgs.Orgs:
    schools = await records.school_ids(importing.connection, importing.district_id)
    orgs = oneroster_orgs.Orgs(schools, oneroster_orgs.named_schools(export.named_schools, schools))
    with export.opened(ORGS) as table:
        if table is not None:
            orgs.read(table, importing.tally)
        elif export.named_schools is None:
            raise errors.ImportRejected(
                "orgs.csv is absent, which tells the schools: export it too, or name the schools with --schools"
            )
    return orgs
