"""A OneRoster export: which school each student belongs to, from when to when."""

from collections.abc import Iterator, Sequence
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
    oneroster_staging,
    outcomes,
    pseudonym_keys,
    rows,
)
from service.model import pseudonyms
from service.store import enrollment_imports as store
from service.store import pool as pools

MOST_LEAVING = 1 / 3  # of the students: where more are absent, the file is more likely cut off

_REASONS = {
    "no_key": "has no student key ({column}): no loan or answer could be joined to the student",
    "told_differently": "row {other_row} tells of the same user and says otherwise",
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """How an export is to be read. ``schools``: a file that tells the school of an org."""

    key: oneroster_keys.StudentKey
    as_of: date
    schools: Path | None = None
    many_left: bool = False


@dataclass(frozen=True, slots=True)
class Imported:
    """``enrolled``: on the day of the export, also of a dry run."""

    outcome: outcomes.Outcome
    enrolled: Sequence[store.SchoolBands]


async def run(
    pool: pools.Pool,
    district_id: int,
    path: Path,
    *,
    pseudonymizer: pseudonyms.Pseudonymizer | None,
    wanted: Wanted,
    today: date,
    dry_run: bool = False,
    progress: rows.Progress | None = None,
) -> Imported:
    """Take a zip or a folder of OneRoster 1.1 or 1.2."""
    if pseudonymizer is None:
        raise errors.ConfigError(
            "students are stored as pseudonyms only: set the district's pseudonym_key_file in the configuration"
        )
    with oneroster_package.opened(path) as package:
        manifest = oneroster_manifest.read(package)
        export = oneroster_staging.Export(package, manifest, wanted.key, wanted.schools)
        checksum = package.checksum(oneroster_manifest.READ)
        async with frame.opened(
            pool, district_id, "roster", checksum, tables=("enrollments",), today=today, dry_run=dry_run
        ) as importing:
            await pseudonym_keys.check(importing.connection, district_id, importing.district, pseudonymizer)
            await _refuse_out_of_order(importing, wanted.as_of)
            orgs = await oneroster_staging.stage(importing, export, pseudonymizer, progress)
            term_starts_on = oneroster_staging.term_start(importing, export, wanted.as_of)
            judged = await _judge(importing, export, orgs)
            changes = await _write(importing, wanted, term_starts_on, judged, is_bulk=manifest.is_bulk)
            enrolled = await store.enrolled_by_grade_band(importing.connection, district_id, wanted.as_of)
            importing.say(*_said(enrolled, changes, judged))
    return Imported(importing.outcome, enrolled)


async def _refuse_out_of_order(importing: frame.Frame, as_of: date) -> None:
    if as_of > importing.today:
        raise errors.ImportRejected(f"{as_of} is after today: a roster tells of a day that has come")
    newest = await store.newest_change(importing.connection, importing.district_id)
    if newest is not None and newest > as_of:
        raise errors.ImportRejected(
            f"the roster is known as of {newest} already, and this one is of {as_of}: rosters are taken in the order "
            "of their days (--as-of names the day)"
        )


async def _judge(
    importing: frame.Frame, export: oneroster_staging.Export, orgs: oneroster_orgs.Orgs
) -> store.Judged:
    """Find the students and their schools, and refuse those who have none."""
    connection, tally = importing.connection, importing.tally
    judged = await store.judge(connection, importing.district_id, is_bulk=export.manifest.is_bulk)
    if export.manifest.is_bulk and not judged.students:
        raise errors.ImportRejected("users.csv has no student: nothing was changed")
    for refusal in await store.refusals(connection):
        reason = _REASONS[refusal.reason].format(column=export.key.column, other_row=refusal.other_row)
        tally.reject([outcomes.Problem(refusal.row_number, oneroster_manifest.USERS, reason)])
    for misplaced in await store.misplaced(connection):
        tally.reject([orgs.problem(misplaced)])
        tally.rejected += misplaced.students - 1
    importing.warn([*_doubts(judged), *([] if export.manifest.is_bulk else _left_open(judged))])
    return judged


async def _write(
    importing: frame.Frame,
    wanted: Wanted,
    term_starts_on: date | None,
    judged: store.Judged,
    *,
    is_bulk: bool,
) -> store.Changes:
    """Begin and end enrollments."""
    connection, district_id, as_of = importing.connection, importing.district_id, wanted.as_of
    if is_bulk and importing.tally.rejected:
        reason = (
            "rows were refused, so nobody who is absent has left: put them right and import the file again"
        )
        importing.warn([outcomes.Problem(0, "", reason)])
    changes = await store.find_changes(
        connection,
        district_id,
        as_of=as_of,
        term_starts_on=min(as_of, term_starts_on or as_of),
        absent_have_left=is_bulk and not importing.tally.rejected,
    )
    if is_bulk and not wanted.many_left:
        _refuse_cut_off(changes)
    await store.write_changes(connection, district_id, as_of)
    importing.affects(changes.first_on)
    changed = changes.moved + changes.regraded
    importing.finish(
        added=changes.new,
        changed=changed,
        closed=changes.left,
        unchanged=changes.present - changes.new - changed,
        repeated=judged.repeated,
    )
    return changes


def _refuse_cut_off(changes: store.Changes) -> None:
    if changes.left > changes.before * MOST_LEAVING:
        raise errors.ImportRejected(
            f"{changes.left:,} of the {changes.before:,} students would have left the district, which looks like an "
            "export that was cut off: nothing was changed. If they have left, say so with --many-left"
        )


def _doubts(judged: store.Judged) -> Iterator[outcomes.Problem]:
    if judged.at_several:
        reason = f"{judged.at_several:,} student(s) are at several schools: each is counted at the first"
        yield outcomes.Problem(0, oneroster_manifest.USERS, reason)
    if judged.same_student:
        reason = f"{judged.same_student:,} row(s) have the key of a student before them: the first active one counts"
        yield outcomes.Problem(0, oneroster_manifest.USERS, reason)
    if judged.strange_grades:
        reason = (
            f"the grade of {judged.strange_grades:,} student(s), from this row on, is no code such as KG or 05: it is "
            "taken as not told"
        )
        yield outcomes.Problem(judged.first_strange_grade or 0, f"{oneroster_manifest.USERS} grades", reason)


def _left_open(judged: store.Judged) -> Iterator[outcomes.Problem]:
    """What a delta of OneRoster 1.2 does not tell."""
    if judged.without_role:
        reason = (
            f"{judged.without_role:,} user(s) have no role in the file and are no known students: left out"
        )
        yield outcomes.Problem(0, oneroster_manifest.ROLES, reason)
    if judged.roles_alone:
        reason = (
            f"the role of {judged.roles_alone:,} user(s) changed who are not in users.csv: left out; a bulk export "
            "tells of them"
        )
        yield outcomes.Problem(0, oneroster_manifest.ROLES, reason)


def _said(
    enrolled: Sequence[store.SchoolBands], changes: store.Changes, judged: store.Judged
) -> Iterator[str]:
    schools = [school for school in enrolled if school.enrolled]
    yield f"{sum(school.enrolled for school in schools):,} students enrolled at {len(schools):,} schools"
    yield f"{changes.new:,} new"
    yield f"{changes.moved:,} changed school"
    if changes.regraded:
        yield f"{changes.regraded:,} changed grade"
    yield f"{changes.left:,} left the district"
    if judged.left_out:
        yield f"{judged.left_out:,} at schools that are left out"
