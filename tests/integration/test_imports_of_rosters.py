"""A OneRoster export tells who is enrolled where and since when: whole or as changes, in both versions."""

from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path

import asyncpg
import pytest

from service.imports import undoing
from service.model import grades
from service.store import enrollment_imports
from tests import factories, files, rosters
from tests.rosters import ALDER, BIRCH, CEDAR, TODAY

TERM = date(2026, 8, 31)
LATER = TODAY + timedelta(days=7)


@pytest.fixture
async def pool(pool: asyncpg.Pool) -> asyncpg.Pool:
    await rosters.district(pool)
    return pool


@pytest.fixture
def export(tmp_path: Path) -> rosters.Export:
    return rosters.Export(tmp_path)


Enrolled = tuple[str, date, date | None, str | None]


async def history(pool: asyncpg.Pool, number: str) -> list[Enrolled]:
    """School, first day, first day no longer and grade of each enrollment of a student."""
    statement = (
        "SELECT ncessch, starts_on, ends_on, grade FROM enrollments JOIN schools USING (district_id, school_id) "
        "WHERE student = $1 ORDER BY starts_on"
    )
    rows = await pool.fetch(statement, rosters.student(number))
    return [(row["ncessch"], row["starts_on"], row["ends_on"], row["grade"]) for row in rows]


async def by_band(pool: asyncpg.Pool, on_day: date = TODAY) -> dict[str, Mapping[grades.Band, int]]:
    found = await enrollment_imports.enrolled_by_grade_band(pool, factories.DISTRICT, on_day)
    return {school.ncessch: school.bands for school in found}


async def dirty(pool: asyncpg.Pool) -> date | None:
    """The first day that is to be computed again; then none is."""
    rows = await pool.fetch("DELETE FROM dirty_loan_days RETURNING on_day")
    return min((row["on_day"] for row in rows), default=None)


WHOLE = {
    ALDER: {grades.Band.ELEMENTARY: 3, grades.Band.OTHER: 1},
    BIRCH: {grades.Band.HIGH: 4, grades.Band.NOT_TOLD: 1},
    CEDAR: {grades.Band.MIDDLE: 4},
}


@pytest.mark.parametrize("version", rosters.VERSIONS)
@pytest.mark.parametrize("is_zip", [False, True], ids=["folder", "zip"])
async def test_both_versions_of_one_district_give_the_same_counts(
    pool: asyncpg.Pool, tmp_path: Path, version: str, is_zip: bool
) -> None:
    export = rosters.Export(tmp_path, version)
    imported = await rosters.imported(pool, export.zipped() if is_zip else export.path)
    outcome = imported.outcome
    assert (outcome.accepted, outcome.rejected, outcome.added, outcome.closed) == (16, 0, 13, 0)
    assert outcome.said == (
        "13 students enrolled at 3 schools",
        "13 new",
        "0 changed school",
        "0 left the district",
    )
    (several,) = outcome.warnings
    assert several.reason == "2 student(s) are at several schools: each is counted at the first"
    assert await by_band(pool) == WHOLE
    assert {school.ncessch: school.bands for school in imported.enrolled} == WHOLE


async def test_both_versions_make_the_same_rows(pool: asyncpg.Pool, tmp_path: Path) -> None:
    await rosters.imported(pool, rosters.Export(tmp_path, "v1p1").path)
    before = await files.contents(pool, without=["imports"])
    again = await rosters.outcome(pool, rosters.Export(tmp_path, "v1p2").path)
    assert (again.added, again.changed, again.closed, again.unchanged) == (0, 0, 0, 13)
    assert await files.contents(pool, without=["imports"]) == before


async def test_the_same_file_again_changes_nothing(pool: asyncpg.Pool, export: rosters.Export) -> None:
    await rosters.imported(pool, export.path)
    before = await files.contents(pool, without=["imports"])
    for as_of in (TODAY, LATER):
        again = await rosters.outcome(pool, export.path, as_of=as_of)
        assert (again.accepted, again.added, again.changed, again.closed) == (16, 0, 0, 0)
        assert await files.contents(pool, without=["imports"]) == before


async def test_the_students_of_a_first_roster_began_with_the_school_year(
    pool: asyncpg.Pool, export: rosters.Export
) -> None:
    await rosters.imported(pool, export.path)
    assert await history(pool, "u-05") == [(CEDAR, TERM, None, "06")]
    assert await dirty(pool) == TERM


async def test_without_a_school_year_the_term_tells_and_without_either_the_day_of_the_export(
    pool: asyncpg.Pool, export: rosters.Export
) -> None:
    export.drop("academicSessions.csv", "ay-2027")
    export.set("academicSessions.csv", "t-1", startDate="2026-09-08")
    await rosters.imported(pool, export.path)
    assert (await history(pool, "u-05"))[0][1] == date(2026, 9, 8)
    await pool.execute("DELETE FROM enrollments")
    export.say("file.academicSessions", "absent")
    await rosters.imported(pool, export.path)
    assert (await history(pool, "u-05"))[0][1] == TODAY


async def test_a_student_who_comes_later_begins_on_the_day_of_the_export(
    pool: asyncpg.Pool, export: rosters.Export
) -> None:
    export.drop("users.csv", "u-05")
    await rosters.imported(pool, export.path)
    await dirty(pool)
    later = rosters.Export(export.path / "later")
    outcome = await rosters.outcome(pool, later.path, as_of=LATER)
    assert (outcome.added, outcome.unchanged) == (1, 12)
    assert await history(pool, "u-05") == [(CEDAR, LATER, None, "06")]
    assert await dirty(pool) == LATER


async def test_a_changed_school_ends_one_enrollment_and_begins_another(
    pool: asyncpg.Pool, export: rosters.Export
) -> None:
    await rosters.imported(pool, export.path)
    await dirty(pool)
    export.set("users.csv", "u-05", orgSourcedIds="org-birch")
    outcome = await rosters.outcome(pool, export.path, as_of=LATER)
    assert (outcome.changed, outcome.unchanged, "1 changed school" in outcome.said) == (1, 12, True)
    assert await history(pool, "u-05") == [(CEDAR, TERM, LATER, "06"), (BIRCH, LATER, None, "06")]
    assert (await by_band(pool, LATER - timedelta(days=1)))[CEDAR] == {grades.Band.MIDDLE: 4}
    assert (await by_band(pool, LATER))[CEDAR] == {grades.Band.MIDDLE: 3}
    assert await dirty(pool) == LATER


async def test_a_new_grade_begins_an_enrollment_so_that_the_past_keeps_its_grade(
    pool: asyncpg.Pool, export: rosters.Export
) -> None:
    await rosters.imported(pool, export.path)
    await dirty(pool)
    export.set("users.csv", "u-08", grades="09")
    outcome = await rosters.outcome(pool, export.path, as_of=LATER)
    assert "1 changed grade" in outcome.said
    assert await history(pool, "u-08") == [(CEDAR, TERM, LATER, "08"), (CEDAR, LATER, None, "09")]
    assert await dirty(pool) is None  # no count of a school depends on it


async def test_a_grade_told_for_the_first_time_was_so_before_and_one_not_told_again_stays(
    pool: asyncpg.Pool, export: rosters.Export
) -> None:
    await rosters.imported(pool, export.path)
    export.set("users.csv", "u-13", grades="10")
    export.set("users.csv", "u-12", grades="")
    await rosters.imported(pool, export.path, as_of=LATER)
    assert await history(pool, "u-13") == [(BIRCH, TERM, None, "10")]
    assert await history(pool, "u-12") == [(BIRCH, TERM, None, "12")]


@pytest.mark.parametrize("version", rosters.VERSIONS)
async def test_who_is_absent_from_a_bulk_file_has_left(
    pool: asyncpg.Pool, tmp_path: Path, version: str
) -> None:
    export = rosters.Export(tmp_path, version)
    await rosters.imported(pool, export.path)
    await dirty(pool)
    export.drop("users.csv", "u-01", "u-12")
    outcome = await rosters.outcome(pool, export.path, as_of=LATER)
    assert (outcome.closed, outcome.said[0]) == (2, "11 students enrolled at 3 schools")
    assert "2 left the district" in outcome.said
    assert await history(pool, "u-01") == [(ALDER, TERM, LATER, "KG")]
    assert await dirty(pool) == LATER


@pytest.mark.parametrize("version", rosters.VERSIONS)
async def test_who_is_disabled_or_taken_back_has_left(
    pool: asyncpg.Pool, tmp_path: Path, version: str
) -> None:
    export = rosters.Export(tmp_path, version)
    await rosters.imported(pool, export.path)
    export.set("users.csv", "u-01", enabledUser="false")
    export.set("users.csv", "u-02", status="tobedeleted")
    outcome = await rosters.outcome(pool, export.path, as_of=LATER)
    assert outcome.closed == 2
    assert (await history(pool, "u-02"))[0][2] == LATER


async def test_nobody_absent_has_left_while_a_row_is_refused(
    pool: asyncpg.Pool, export: rosters.Export
) -> None:
    await rosters.imported(pool, export.path)
    export.drop("users.csv", "u-01")
    export.set("users.csv", "u-02", status="gone fishing")
    export.set("users.csv", "u-05", orgSourcedIds="org-birch")
    export.set("users.csv", "u-06", enabledUser="false")
    outcome = await rosters.outcome(pool, export.path, as_of=LATER)
    assert (outcome.rejected, outcome.closed, outcome.changed) == (1, 1, 1)  # what is told plainly is done
    assert "nobody who is absent has left" in outcome.warnings[-1].reason
    assert (await history(pool, "u-01"))[0][2] is None
    assert (await history(pool, "u-06"))[0][2] == LATER


async def test_a_file_without_more_than_a_third_of_the_students_is_taken_for_cut_off(
    pool: asyncpg.Pool, export: rosters.Export
) -> None:
    await rosters.imported(pool, export.path)
    before = await files.contents(pool)
    export.drop("users.csv", *(f"u-{number:02}" for number in range(1, 6)))
    message = await rosters.rejection(pool, export.path, as_of=LATER)
    assert "5 of the 13 students would have left" in message
    assert "--many-left" in message
    assert await files.contents(pool) == before
    outcome = await rosters.outcome(pool, export.path, as_of=LATER, many_left=True)
    assert outcome.closed == 5


async def test_a_third_or_less_may_leave(pool: asyncpg.Pool, export: rosters.Export) -> None:
    await rosters.imported(pool, export.path)
    export.drop("users.csv", "u-01", "u-02", "u-03", "u-04")
    assert (await rosters.outcome(pool, export.path, as_of=LATER)).closed == 4


async def test_a_student_who_comes_back_begins_anew(pool: asyncpg.Pool, export: rosters.Export) -> None:
    await rosters.imported(pool, export.path)
    export.set("users.csv", "u-01", enabledUser="false")
    await rosters.imported(pool, export.path, as_of=LATER)
    export.set("users.csv", "u-01", enabledUser="true")
    back = LATER + timedelta(days=30)
    outcome = await rosters.outcome(pool, export.path, as_of=back)
    assert outcome.added == 1
    assert await history(pool, "u-01") == [(ALDER, TERM, LATER, "KG"), (ALDER, back, None, "KG")]


async def test_a_corrected_file_of_the_same_day_leaves_no_trace_of_the_wrong_one(
    pool: asyncpg.Pool, export: rosters.Export
) -> None:
    await rosters.imported(pool, export.path)
    before = await files.contents(pool, without=["imports", "import_changes", "dirty_loan_days"])
    wrong = rosters.Export(export.path / "wrong")
    wrong.drop("users.csv", "u-01")
    wrong.add("users.csv", sourcedId="u-90", enabledUser="true", orgSourcedIds="org-alder", role="student")
    await rosters.imported(pool, wrong.path, as_of=LATER)
    outcome = await rosters.outcome(pool, export.path, as_of=LATER)
    assert (outcome.added, outcome.closed) == (1, 1)
    assert await files.contents(pool, without=["imports", "import_changes", "dirty_loan_days"]) == before


async def test_a_school_that_is_corrected_on_the_day_it_began_replaces_the_wrong_one(
    pool: asyncpg.Pool, export: rosters.Export
) -> None:
    export.say("file.academicSessions", "absent")
    await rosters.imported(pool, export.path)
    export.set("users.csv", "u-05", orgSourcedIds="org-birch", grades="09")
    outcome = await rosters.outcome(pool, export.path)
    assert outcome.changed == 1
    assert await history(pool, "u-05") == [(BIRCH, TODAY, None, "09")]


async def test_an_import_can_be_taken_back(pool: asyncpg.Pool, export: rosters.Export) -> None:
    await rosters.imported(pool, export.path)
    before = await files.contents(pool, without=["imports", "import_changes", "dirty_loan_days"])
    export.drop("users.csv", "u-01")
    export.set("users.csv", "u-05", orgSourcedIds="org-birch")
    await rosters.imported(pool, export.path, as_of=LATER)
    undone = await undoing.run(pool, factories.DISTRICT, "roster", today=LATER)
    assert undone.rows == 3  # one ended, one ended and begun anew
    assert await files.contents(pool, without=["imports", "import_changes", "dirty_loan_days"]) == before


async def test_a_dry_run_tells_the_counts_and_keeps_nothing(
    pool: asyncpg.Pool, export: rosters.Export
) -> None:
    before = await files.contents(pool)
    imported = await rosters.imported(pool, export.path, dry_run=True)
    assert (imported.outcome.added, imported.outcome.is_dry_run) == (13, True)
    assert sum(school.enrolled for school in imported.enrolled) == 13
    assert await files.contents(pool) == before


# Delta


@pytest.mark.parametrize("version", rosters.VERSIONS)
async def test_a_delta_changes_only_whom_it_tells_of(
    pool: asyncpg.Pool, tmp_path: Path, version: str
) -> None:
    export = rosters.Export(tmp_path, version)
    await rosters.imported(pool, export.path)
    export.delta()
    export.keep("users.csv", "u-01", "u-05")
    export.set("users.csv", "u-01", status="tobedeleted")
    place = "orgSourcedIds" if version == "v1p1" else "primaryOrgSourcedId"
    export.set("users.csv", "u-05", **{place: "org-birch"}, status="active")
    if version == "v1p2":
        export.keep("roles.csv")
    outcome = await rosters.outcome(pool, export.path, as_of=LATER)
    assert (outcome.rejected, outcome.added, outcome.changed, outcome.closed) == (0, 0, 1, 1)
    assert outcome.said[0] == "12 students enrolled at 3 schools"
    assert (await history(pool, "u-05"))[-1] == (BIRCH, LATER, None, "06")


async def test_a_delta_may_end_more_than_a_third_as_it_names_them(
    pool: asyncpg.Pool, export: rosters.Export
) -> None:
    await rosters.imported(pool, export.path)
    export.delta()
    export.change("users.csv", lambda row: row | {"status": "tobedeleted"})
    assert (await rosters.outcome(pool, export.path, as_of=LATER)).closed == 13


async def test_a_delta_of_staff_alone_changes_nothing(pool: asyncpg.Pool, export: rosters.Export) -> None:
    await rosters.imported(pool, export.path)
    export.delta()
    export.keep("users.csv", "u-21")
    outcome = await rosters.outcome(pool, export.path, as_of=LATER)
    assert (outcome.accepted, outcome.rejected, outcome.unchanged) == (1, 0, 0)


async def test_in_a_delta_an_unknown_user_without_a_role_is_left_out_and_counted(
    pool: asyncpg.Pool, tmp_path: Path
) -> None:
    export = rosters.Export(tmp_path, "v1p2")
    export.keep("users.csv", "u-01")
    await rosters.imported(pool, export.path)
    later = rosters.Export(tmp_path / "later", "v1p2")
    later.delta()
    later.keep("users.csv", "u-01", "u-05")
    later.keep("roles.csv", "r-06")
    outcome = await rosters.outcome(pool, later.path, as_of=LATER)
    assert outcome.added == 0
    alone = [warning.reason for warning in outcome.warnings if warning.column == "roles.csv"]
    assert len(alone) == 2
    assert alone[0].startswith("1 user(s) have no role in the file")
    assert alone[1].startswith("the role of 1 user(s) changed who are not in users.csv")


async def test_a_primary_role_that_is_taken_back_ends_the_enrollment_and_a_secondary_does_not(
    pool: asyncpg.Pool, tmp_path: Path
) -> None:
    export = rosters.Export(tmp_path, "v1p2")
    await rosters.imported(pool, export.path)
    export.delta()
    roles = {row["userSourcedId"]: row["sourcedId"] for row in export.rows("roles.csv")[1]}
    export.keep("users.csv", "u-01", "u-07")
    export.keep("roles.csv", roles["u-01"], roles["u-07"])
    export.change("roles.csv", lambda row: row | {"status": "tobedeleted"})
    outcome = await rosters.outcome(pool, export.path, as_of=LATER)
    assert outcome.closed == 1
    assert (await history(pool, "u-01"))[0][2] == LATER
    assert (await history(pool, "u-07"))[0][2] is None


# Schools


async def test_the_primary_role_tells_the_school_where_the_user_names_none(
    pool: asyncpg.Pool, tmp_path: Path
) -> None:
    export = rosters.Export(tmp_path, "v1p2")
    export.change("users.csv", lambda row: row | {"primaryOrgSourcedId": ""})
    export.change(
        "roles.csv", lambda row: row | {"roleType": "secondary" if row["sourcedId"] == "r-07" else "primary"}
    )
    await rosters.imported(pool, export.path)
    assert (await history(pool, "u-07"))[0][0] == BIRCH  # r-08 is the primary one now
    assert (await history(pool, "u-02"))[0][0] == ALDER


async def test_an_org_that_is_no_school_is_passed_over(pool: asyncpg.Pool, export: rosters.Export) -> None:
    export.set("users.csv", "u-05", orgSourcedIds="org-district,org-cedar")
    await rosters.imported(pool, export.path)
    assert (await history(pool, "u-05"))[0][0] == CEDAR


async def test_students_at_an_unknown_school_are_counted_by_org_and_never_dropped(
    pool: asyncpg.Pool, export: rosters.Export
) -> None:
    export.set("orgs.csv", "org-alder", identifier="0231")
    export.set("users.csv", "u-05", orgSourcedIds="org-district")
    export.set("users.csv", "u-06", orgSourcedIds="org-nowhere-7")
    export.set("users.csv", "u-08", orgSourcedIds="")
    outcome = await rosters.outcome(pool, export.path)
    assert (outcome.rejected, outcome.accepted, outcome.added) == (7, 9, 6)
    by_org = {problem.value: problem for problem in outcome.problems}
    assert by_org["org-alder"].reason.startswith("4 student(s) from this row on are at this org")
    assert "an NCESSCH has 12 digits, this has 4" in by_org["org-alder"].reason
    assert by_org["org-alder"].row == 2
    assert "no school by its type" in by_org["org-district"].reason
    assert "orgs.csv does not have it" in by_org["org-nowhere-7"].reason
    assert "have no org" in by_org[None].reason


async def test_a_file_names_the_school_of_an_org_and_leaves_others_out(
    pool: asyncpg.Pool, export: rosters.Export, tmp_path: Path
) -> None:
    export.set("orgs.csv", "org-alder", identifier="0231")
    schools = files.written(tmp_path, "s.csv", "sourcedId,ncessch", f"org-alder,{ALDER}", "org-birch,")
    outcome = await rosters.outcome(pool, export.path, schools=schools)
    assert (outcome.rejected, outcome.added) == (0, 8)
    assert "5 at schools that are left out" in outcome.said
    assert (await history(pool, "u-01"))[0][0] == ALDER
    assert set(await by_band(pool)) == {ALDER, CEDAR}


async def test_students_of_a_school_that_is_left_out_from_now_on_have_left(
    pool: asyncpg.Pool, export: rosters.Export, tmp_path: Path
) -> None:
    await rosters.imported(pool, export.path)
    schools = files.written(tmp_path, "s.csv", "sourcedId,ncessch", "org-alder,")
    outcome = await rosters.outcome(pool, export.path, as_of=LATER, schools=schools)
    assert outcome.closed == 4
    assert (await history(pool, "u-01"))[0][2] == LATER


async def test_the_students_of_a_school_that_is_named_later_began_with_the_school_year_too(
    pool: asyncpg.Pool, export: rosters.Export, tmp_path: Path
) -> None:
    export.set("orgs.csv", "org-alder", identifier="0231")
    await rosters.imported(pool, export.path)
    schools = files.written(tmp_path, "s.csv", "sourcedId,ncessch", f"org-alder,{ALDER}")
    await rosters.imported(pool, export.path, as_of=LATER, schools=schools)
    assert await history(pool, "u-01") == [(ALDER, TERM, None, "KG")]


# The student key


@pytest.mark.parametrize(
    ("key", "number"), [("sourcedId", "u-05"), ("identifier", "s-204405 "), ("userId:SIS", "9005")]
)
async def test_a_loan_of_the_same_number_is_the_same_student(
    pool: asyncpg.Pool, export: rosters.Export, tmp_path: Path, key: str, number: str
) -> None:
    school_id = await pool.fetchval("SELECT school_id FROM schools WHERE ncessch = $1", CEDAR)
    await rosters.lend(pool, tmp_path, number)
    await rosters.imported(pool, export.path, key=key)
    found = await files.only(
        pool,
        "SELECT e.school_id, e.grade FROM loans AS l JOIN enrollments AS e "
        "ON e.district_id = l.district_id AND e.student = l.borrower",
    )
    assert found == {"school_id": school_id, "grade": "06"}


async def test_students_without_the_key_are_rejected_and_counted(
    pool: asyncpg.Pool, export: rosters.Export
) -> None:
    export.set("users.csv", "u-05", identifier="")
    outcome = await rosters.outcome(pool, export.path, key="identifier")
    (problem,) = outcome.problems
    assert (outcome.rejected, outcome.added, problem.row) == (1, 12, 6)
    assert "no student key (identifier)" in problem.reason


async def test_staff_need_no_key(pool: asyncpg.Pool, tmp_path: Path) -> None:
    for version in rosters.VERSIONS:
        outcome = await rosters.outcome(pool, rosters.Export(tmp_path, version).path, key="identifier")
        assert outcome.rejected == 0


async def test_two_accounts_of_one_student_are_one_student_at_the_first_active_school(
    pool: asyncpg.Pool, export: rosters.Export
) -> None:
    export.set("users.csv", "u-05", identifier="S-1", enabledUser="false")
    export.set("users.csv", "u-06", identifier="S-1")
    export.set("users.csv", "u-09", identifier="s-1")
    outcome = await rosters.outcome(pool, export.path, key="identifier")
    assert (outcome.rejected, outcome.added) == (0, 11)
    assert outcome.warnings[1].reason.startswith("2 row(s) have the key of a student before them")
    assert await history(pool, "S-1") == [(CEDAR, TERM, None, "07")]
