"""Who answered at each school, who is in need and why, and how old that is; as `afterbell need` shows it."""

import asyncio
import json
from datetime import date
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from typer.testing import CliRunner

from service import __main__ as command_line
from service.store import answers
from tests import factories, files

ON = date(2026, 10, 15)  # of the school year that begins on 1 July 2026


@pytest.fixture
async def cedar(pool: asyncpg.Pool) -> int:
    await factories.district(pool)
    return await factories.school(pool, "410192000001", name="Cedar")


async def answered(
    pool: asyncpg.Pool,
    student: str,
    day: date = date(2026, 9, 10),
    *,
    school_id: int | None = None,
    **told: object,
) -> None:
    await pool.execute(
        "INSERT INTO need_answers (district_id, student, answered_on, school_id, has_access, access_type, "
        "performance, is_documented_by_staff) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        factories.DISTRICT,
        student,
        day,
        school_id,
        told.get("has_access"),
        told.get("access_type"),
        told.get("performance"),
        told.get("is_documented", False),
    )


async def enrolled(
    pool: asyncpg.Pool,
    school_id: int,
    *students: str,
    since: date = date(2026, 7, 1),
    until: date | None = None,
) -> None:
    rows = [(factories.DISTRICT, student, since, until, school_id) for student in students]
    await pool.executemany(
        "INSERT INTO enrollments (district_id, student, starts_on, ends_on, school_id) VALUES ($1, $2, $3, $4, $5)",
        rows,
    )


async def summary(pool: asyncpg.Pool, on_day: date = ON) -> dict[str, answers.SchoolAnswers]:
    return {school.name: school for school in await answers.answers_summary(pool, factories.DISTRICT, on_day)}


async def test_need_is_told_by_its_reasons(pool: asyncpg.Pool, cedar: int) -> None:
    await enrolled(pool, cedar, *"abcdefghij")
    await answered(pool, "a", has_access=False)
    await answered(pool, "b", has_access=True, access_type="cellular_network")
    await answered(pool, "c", performance="no")
    await answered(pool, "d", is_documented=True)
    await answered(pool, "e", has_access=True, access_type="hot_spot")
    await factories.loan(pool, await factories.device(pool), cedar, date(2026, 9, 1), borrower="e")
    await answered(pool, "f", has_access=True, access_type="residential_broadband", performance="yes")
    await answered(pool, "g", access_type="unknown")
    await answered(pool, "h", has_access=False, access_type="none")
    school = (await summary(pool))["Cedar"]
    assert (school.source, school.enrolled, school.answered, school.need) == ("answers", 10, 7, 6)
    assert (school.says_no, school.lacks_by_type, school.lacks_by_performance) == (2, 2, 1)
    assert (school.is_documented, school.has_our_hotspot, school.unusable) == (1, 1, 1)
    assert school.response_ratio == 0.7


async def test_a_students_answer_counts_where_the_roster_has_them(pool: asyncpg.Pool, cedar: int) -> None:
    alder = await factories.school(pool, "410192000002", name="Alder")
    await enrolled(pool, cedar, "moved", until=date(2026, 10, 1))
    await enrolled(pool, alder, "moved", since=date(2026, 10, 1))
    await enrolled(pool, cedar, "left", until=date(2026, 10, 1))
    for student in ("moved", "left", "nobody knows"):
        await answered(pool, student, school_id=cedar, has_access=False)
    before, after = await summary(pool, date(2026, 9, 30)), await summary(pool)
    assert (before["Cedar"].answered, before["Alder"].answered) == (3, None)
    assert (after["Cedar"].answered, after["Alder"].answered) == (1, 1)


async def test_answers_of_last_year_end_with_this_one_and_older_ones_have_ended(
    pool: asyncpg.Pool, cedar: int
) -> None:
    days = (date(2025, 6, 30), date(2025, 7, 1), date(2026, 6, 30), date(2026, 7, 1))
    for number, day in enumerate(days):
        await answered(pool, f"s{number}", day, school_id=cedar, has_access=False)
    await answered(pool, "s3", date(2025, 1, 1), school_id=cedar, has_access=True)
    school = (await summary(pool))["Cedar"]
    assert (school.answered, school.expiring, school.expired) == (3, 2, 1)
    assert (school.oldest_on, school.newest_on) == (date(2025, 7, 1), date(2026, 7, 1))
    assert school.year_ends_on == date(2027, 6, 30)


async def test_a_day_sees_only_the_answers_up_to_it(pool: asyncpg.Pool, cedar: int) -> None:
    await answered(pool, "a", date(2026, 10, 16), school_id=cedar, has_access=False)
    assert (await summary(pool))["Cedar"].source is None
    assert (await summary(pool, date(2026, 10, 16)))["Cedar"].need == 1


async def test_a_school_with_totals_only_tells_its_totals(pool: asyncpg.Pool, cedar: int) -> None:
    await factories.need(pool, cedar, date(2026, 5, 1), enrolled=500, answered=300, need=60)
    school = (await summary(pool))["Cedar"]
    assert (school.source, school.enrolled, school.answered, school.need) == ("totals", 500, 300, 60)
    assert (school.says_no, school.newest_on, school.expiring) == (None, date(2026, 5, 1), 300)
    assert (await summary(pool, date(2027, 7, 1)))["Cedar"].source is None


async def test_without_roster_or_totals_the_ratio_is_not_known(pool: asyncpg.Pool, cedar: int) -> None:
    await answered(pool, "a", school_id=cedar, has_access=False)
    school = (await summary(pool))["Cedar"]
    assert (school.enrolled, school.response_ratio, school.need) == (None, None, 1)


async def test_the_summary_agrees_with_what_coverage_is_computed_from(pool: asyncpg.Pool, cedar: int) -> None:
    await enrolled(pool, cedar, "a", "b", "c")
    await answered(pool, "a", has_access=False)
    await answered(pool, "b", access_type="unknown")
    day = await files.only(
        pool, "SELECT count(*) FILTER (WHERE is_answered) AS answered, count(*) FILTER (WHERE is_in_need) AS need "
        "FROM answers_on($1, $2)", factories.DISTRICT, ON
    )  # fmt: skip
    school = (await summary(pool))["Cedar"]
    assert (school.answered, school.need) == (day["answered"], day["need"]) == (1, 1)


async def run_command(database: str, folder: Path, *arguments: str) -> Any:
    config = files.written(
        folder,
        "afterbell.toml",
        f'database.url = "{database}"',
        "[[districts]]",
        f"id = {factories.DISTRICT}",
        'name = "Lab District"',
        f'time_zone = "{factories.ZONE}"',
    )
    runner = CliRunner(env={"COLUMNS": "220"})
    return await asyncio.to_thread(
        runner.invoke, command_line.app, ["--config", str(config), "need", *arguments]
    )


async def test_the_command_shows_a_table_with_a_remark(
    pool: asyncpg.Pool, cedar: int, database: str, tmp_path: Path
) -> None:
    await enrolled(pool, cedar, "a", "b", "c")
    await answered(pool, "a", has_access=False)
    result = await run_command(database, tmp_path, "--on", "2026-10-15")
    assert (result.exit_code, result.exception) == (0, None)
    assert "Lab District: need on 2026-10-15" in result.output
    assert "stale: 33.3% answered, below 70%" in result.output


async def test_the_command_tells_scripts_null_where_nothing_is_known(
    pool: asyncpg.Pool, cedar: int, database: str, tmp_path: Path
) -> None:
    result = await run_command(database, tmp_path, "--on", "2026-10-15", "--json")
    (school,) = json.loads(result.output)["schools"]
    assert (school["need"], school["response_ratio"], school["source"]) == (None, None, None)
    assert school["remark"] == "need is unknown: nobody was asked"
    assert school["year_ends_on"] == "2027-06-30"
