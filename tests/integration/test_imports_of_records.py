"""Schools, need and the calendar come in from files."""

from datetime import date
from pathlib import Path

import asyncpg
import pytest

from service import errors
from service.imports import calendars, need, outcomes, schools
from tests import factories, files

TODAY = date(2026, 10, 15)
SCHOOLS = "ncessch,name,high_needs,high_needs_basis"
NEED = "ncessch,as_of,enrolled,answered,need"
CALENDAR = "starts_on,ends_on,kind,ncessch"
CEDAR = "410192000001"
ALDER = "410192000002"


@pytest.fixture
async def district(pool: asyncpg.Pool) -> int:
    return await factories.district(pool)


def reasons(outcome: outcomes.Outcome) -> list[tuple[int, str, str]]:
    return [(problem.row, problem.column, problem.reason) for problem in outcome.problems]


async def import_schools(pool: asyncpg.Pool, path: Path) -> outcomes.Outcome:
    return await schools.run(pool, factories.DISTRICT, path, today=TODAY)


async def test_schools_come_in_and_coming_again_change_nothing(
    pool: asyncpg.Pool, district: int, tmp_path: Path
) -> None:
    path = files.written(
        tmp_path, "schools.csv", SCHOOLS, f"{CEDAR},Cedar Park,yes,ISP 2026", f"{ALDER},Alder Creek,,"
    )
    first = await schools.run(pool, district, path, today=TODAY)
    before = await files.contents(pool, without=["imports"])
    again = await schools.run(pool, district, path, today=TODAY)
    assert (first.accepted, first.added, first.changed, first.rejected) == (2, 2, 0, 0)
    assert (again.accepted, again.added, again.changed, again.unchanged) == (2, 0, 0, 2)
    assert await files.contents(pool, without=["imports"]) == before
    assert await pool.fetchval("SELECT is_high_needs FROM schools WHERE ncessch = $1", ALDER) is None


async def test_every_import_leaves_a_record_of_its_file(
    pool: asyncpg.Pool, district: int, tmp_path: Path
) -> None:
    path = files.written(tmp_path, "schools.csv", SCHOOLS, f"{CEDAR},Cedar Park,,", "1,Alder,,")
    outcome = await schools.run(pool, district, path, today=TODAY)
    row = await files.only(pool, "SELECT * FROM imports")
    assert (row["kind"], row["sha256"]) == ("schools", outcome.sha256)
    assert (row["rows_accepted"], row["rows_rejected"], row["rows_changed"]) == (1, 1, 1)


async def test_a_dry_run_tells_the_same_and_keeps_nothing(
    pool: asyncpg.Pool, district: int, tmp_path: Path
) -> None:
    path = files.written(tmp_path, "schools.csv", SCHOOLS, f"{CEDAR},Cedar Park,,", "1,Alder,,")
    before = await files.contents(pool)
    dry = await schools.run(pool, district, path, today=TODAY, dry_run=True)
    assert await files.contents(pool) == before
    wet = await schools.run(pool, district, path, today=TODAY)
    assert (dry.accepted, dry.added, dry.problems) == (wet.accepted, wet.added, wet.problems)
    assert dry.is_dry_run


async def test_a_changed_school_is_changed(pool: asyncpg.Pool, district: int, tmp_path: Path) -> None:
    await factories.school(pool, CEDAR, name="Cedar")
    path = files.written(tmp_path, "schools.csv", "NCES SCH,Name,extra", f"{CEDAR},Cedar Park,x")
    outcome = await schools.run(pool, district, path, today=TODAY)
    assert (outcome.added, outcome.changed, outcome.ignored_columns) == (0, 1, ("extra",))


async def test_bad_schools_are_listed_and_the_good_ones_come_in(
    pool: asyncpg.Pool, district: int, tmp_path: Path
) -> None:
    path = files.written(
        tmp_path,
        "schools.csv",
        SCHOOLS,
        f"{CEDAR},Cedar Park,yes,",
        "10000500870,Lost Zero,no,",
        f"{ALDER},,maybe,",
        f"{ALDER},Alder,no,",
        f"{ALDER},Alder Creek,no,",
        f"{ALDER},Alder,no,",
        f"{ALDER},Alder",
    )
    outcome = await schools.run(pool, district, path, today=TODAY)
    assert [(row, column) for row, column, _ in reasons(outcome)] == [
        (2, "high_needs_basis"),
        (3, "ncessch"),
        (4, "name"),
        (4, "high_needs"),
        (6, "ncessch"),
        (8, ""),
    ]
    assert (outcome.accepted, outcome.repeated, outcome.rejected) == (2, 1, 5)
    assert outcome.problems[1].value == "10000500870"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        (SCHOOLS, "no rows"),
        ("name,town\nCedar,X", "lacks the column.s. ncessch. It has name and, not known here, 'town'"),
        (f"{CEDAR},Jamie Smith,yes,x", "none of the column names"),
        ("ncessch,name,Name\n1,2,3", "name is there twice"),
        (f'{SCHOOLS}\n{CEDAR},"Cedar,,', "not valid CSV"),
    ],
)
async def test_a_file_that_is_no_list_of_schools_is_rejected_whole(
    pool: asyncpg.Pool, district: int, tmp_path: Path, text: str, message: str
) -> None:
    path = tmp_path / "schools.csv"
    path.write_text(text)
    with pytest.raises(errors.ImportRejected, match=message) as caught:
        await schools.run(pool, district, path, today=TODAY)
    assert "Jamie" not in str(caught.value)
    assert await pool.fetchval("SELECT count(*) FROM imports") == 0


@pytest.mark.parametrize(("encoding", "named"), [("utf-16", "UTF-16"), ("latin-1", "Windows-1252")])
async def test_another_encoding_is_named(
    pool: asyncpg.Pool, district: int, tmp_path: Path, encoding: str, named: str
) -> None:
    path = tmp_path / "schools.csv"
    path.write_text(f"{SCHOOLS}\n{CEDAR},Escuela Español,,\n", encoding=encoding)
    with pytest.raises(errors.ImportRejected, match=named):
        await schools.run(pool, district, path, today=TODAY)


async def test_a_byte_order_mark_is_no_part_of_the_header(
    pool: asyncpg.Pool, district: int, tmp_path: Path
) -> None:
    path = tmp_path / "schools.csv"
    path.write_text(f"{SCHOOLS}\n{CEDAR},Español,,\n", encoding="utf-8-sig")
    assert (await schools.run(pool, district, path, today=TODAY)).added == 1


async def test_a_file_that_is_not_there_is_rejected(
    pool: asyncpg.Pool, district: int, tmp_path: Path
) -> None:
    with pytest.raises(errors.ImportRejected, match="cannot read"):
        await schools.run(pool, district, tmp_path / "none.csv", today=TODAY)


async def test_a_district_that_is_not_there_is_an_error(pool: asyncpg.Pool, tmp_path: Path) -> None:
    path = files.written(tmp_path, "schools.csv", SCHOOLS, f"{CEDAR},Cedar,,")
    with pytest.raises(errors.ConfigError, match="no district 7"):
        await schools.run(pool, 7, path, today=TODAY)


async def test_need_comes_in_and_coming_again_changes_nothing(
    pool: asyncpg.Pool, district: int, tmp_path: Path
) -> None:
    await factories.school(pool, CEDAR)
    path = files.written(
        tmp_path, "need.csv", NEED, f"{CEDAR},2026-09-15,500,400,60", f"{CEDAR},10/1/2026,510,410,64"
    )
    first = await need.run(pool, district, path, today=TODAY)
    assert await pool.fetch("SELECT on_day FROM dirty_loan_days") == [(date(2026, 9, 15),)]
    before = await files.contents(pool, without=["imports"])
    again = await need.run(pool, district, path, today=TODAY)
    assert (first.added, again.unchanged, again.added) == (2, 2, 0)
    assert await files.contents(pool, without=["imports"]) == before


async def test_need_that_cannot_be_is_refused(pool: asyncpg.Pool, district: int, tmp_path: Path) -> None:
    await factories.school(pool, CEDAR)
    path = files.written(
        tmp_path,
        "need.csv",
        NEED,
        f"{CEDAR},2026-09-15,500,501,60",
        f"{CEDAR},2026-09-15,500,400,401",
        f"{ALDER},2026-09-15,500,400,60",
        f"{CEDAR},2062-09-15,500,400,60",
        f"{CEDAR},2026-09-15,500,400,<10",
        f"{CEDAR},2026-09-15,500,400,60",
        f"{CEDAR},2026-09-15,500,400,61",
    )
    outcome = await need.run(pool, district, path, today=TODAY)
    assert [(row, column) for row, column, _ in reasons(outcome)] == [
        (2, "answered"),
        (3, "need"),
        (4, "ncessch"),
        (5, "as_of"),
        (6, "need"),
        (8, "as_of"),
    ]
    assert outcome.accepted == 1
    assert "row 7" in outcome.problems[-1].reason


async def test_a_corrected_need_counts_from_its_date(
    pool: asyncpg.Pool, district: int, tmp_path: Path
) -> None:
    school_id = await factories.school(pool, CEDAR)
    await factories.need(pool, school_id, date(2026, 9, 15))
    await factories.need(pool, school_id, date(2026, 10, 1))
    path = files.written(
        tmp_path, "need.csv", NEED, f"{CEDAR},2026-09-15,500,400,60", f"{CEDAR},2026-10-01,500,400,70"
    )
    outcome = await need.run(pool, district, path, today=TODAY)
    assert (outcome.changed, outcome.unchanged) == (1, 1)
    assert await pool.fetch("SELECT on_day FROM dirty_loan_days") == [(date(2026, 10, 1),)]


async def days(pool: asyncpg.Pool) -> dict[str, str]:
    rows = await pool.fetch("SELECT on_day, kind FROM calendar_days ORDER BY on_day")
    return {row["on_day"].strftime("%m-%d"): row["kind"] for row in rows}


async def test_a_calendar_comes_in_and_coming_again_changes_nothing(
    pool: asyncpg.Pool, district: int, tmp_path: Path
) -> None:
    await factories.school(pool, CEDAR)
    path = files.written(
        tmp_path,
        "calendar.csv",
        CALENDAR,
        "2026-09-03,2026-09-11,instructional,",
        "9/7/2026,,holiday,",
        f"2026-09-09,,half_day,{CEDAR}",
    )
    first = await calendars.run(pool, district, path, today=TODAY)
    assert list(await days(pool)) == ["09-03", "09-04", "09-07", "09-08", "09-09", "09-10", "09-11"]
    assert (await days(pool))["09-07"] == "holiday"
    before = await files.contents(pool, without=["imports"])
    again = await calendars.run(pool, district, path, today=TODAY)
    assert (first.accepted, first.added) == (3, 8)
    assert (again.added, again.changed, again.removed, again.unchanged) == (0, 0, 0, 8)
    assert await files.contents(pool, without=["imports"]) == before


async def test_a_calendar_replaces_its_own_days_only(
    pool: asyncpg.Pool, district: int, tmp_path: Path
) -> None:
    await factories.school(pool, CEDAR)
    whole = ["2026-09-01,2026-09-30,instructional,", f"2026-09-09,,holiday,{CEDAR}"]
    await calendars.run(pool, district, files.written(tmp_path, "a.csv", CALENDAR, *whole), today=TODAY)
    later = files.written(
        tmp_path, "b.csv", CALENDAR, "2026-09-07,2026-09-11,instructional,", "2026-09-10,,holiday,"
    )
    await pool.execute("DELETE FROM dirty_loan_days")
    outcome = await calendars.run(pool, district, later, today=TODAY)
    assert (outcome.changed, outcome.removed) == (1, 1)  # the 10th; and Cedar's 9th is told no more
    assert len(await days(pool)) == 22
    assert await pool.fetch("SELECT on_day FROM dirty_loan_days") == [(date(2026, 9, 9),)]


async def test_one_schools_snow_day_leaves_the_district_alone(
    pool: asyncpg.Pool, district: int, tmp_path: Path
) -> None:
    await factories.school(pool, CEDAR)
    await factories.school(pool, ALDER)
    await calendars.run(
        pool,
        district,
        files.written(
            tmp_path, "a.csv", CALENDAR, "2026-09-01,2026-09-30,instructional,", f"2026-09-09,,break,{ALDER}"
        ),
        today=TODAY,
    )
    snow = files.written(tmp_path, "b.csv", CALENDAR, f"2026-09-09,,holiday,{CEDAR}")
    await calendars.run(pool, district, snow, today=TODAY)
    assert len(await days(pool)) == 22
    assert await pool.fetchval("SELECT count(*) FROM school_calendar_days") == 2


async def test_calendar_rows_that_cannot_be_are_refused(
    pool: asyncpg.Pool, district: int, tmp_path: Path
) -> None:
    path = files.written(
        tmp_path,
        "calendar.csv",
        CALENDAR,
        "2026-09-11,2026-09-01,break,",
        "2026-09-01,2028-09-01,break,",
        "2026-09-01,,party,",
        "2026-09-01,,,",
        f"2026-09-01,,break,{CEDAR}",
        "2026-09-01,,break,",
    )
    outcome = await calendars.run(pool, district, path, today=TODAY)
    assert [(row, column) for row, column, _ in reasons(outcome)] == [
        (2, "ends_on"),
        (3, "ends_on"),
        (4, "kind"),
        (5, "kind"),
        (6, "ncessch"),
    ]
    assert outcome.accepted == 1
