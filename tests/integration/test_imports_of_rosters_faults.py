"""What can be wrong with a OneRoster export is told plainly, and nothing is changed by half."""

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import asyncpg
import pytest

from service import errors
from service.model import pseudonyms
from tests import files, rosters
from tests.rosters import TODAY


@pytest.fixture
async def pool(pool: asyncpg.Pool) -> asyncpg.Pool:
    await rosters.district(pool)
    return pool


@pytest.fixture
def export(tmp_path: Path) -> rosters.Export:
    return rosters.Export(tmp_path)


def without_column(name: str) -> Callable[[str], str]:
    return lambda text: text.replace(name, f"x{name}", 1)


@pytest.mark.parametrize(
    ("name", "edit", "words"),
    [
        ("users.csv", without_column("orgSourcedIds"), "users.csv: the file lacks the column"),
        ("users.csv", without_column("identifier"), "lacks the column(s) identifier"),
        ("orgs.csv", without_column("type"), "orgs.csv: the file lacks the column"),
        ("enrollments.csv", without_column("schoolSourcedId"), "enrollments.csv: the file lacks the column"),
        (
            "academicSessions.csv",
            without_column("startDate"),
            "academicSessions.csv: the file lacks the column",
        ),
        ("users.csv", lambda text: text.splitlines()[0] + "\n", "a header and no rows"),
        ("users.csv", lambda text: "", "lacks the column"),
        ("users.csv", lambda text: text.replace("Zephyrine", '"Zephyrine', 1), "not valid CSV"),
        ("users.csv", lambda text: text.replace(",student,", ",teacher,"), "users.csv has no student"),
    ],
)
async def test_a_file_that_cannot_be_read_stops_the_import(
    pool: asyncpg.Pool, export: rosters.Export, name: str, edit: Callable[[str], str], words: str
) -> None:
    before = await files.contents(pool)
    export.text(name, edit)
    message = await rosters.rejection(pool, export.path, key="identifier")
    assert words in message
    assert "Zephyrine" not in message
    assert await files.contents(pool) == before


@pytest.mark.parametrize("encoding", ["utf-16", "cp1252"])
async def test_another_encoding_is_refused(pool: asyncpg.Pool, export: rosters.Export, encoding: str) -> None:
    path = export.path / "users.csv"
    path.write_bytes(path.read_text("utf-8").replace("Zephyrine", "Zéphyrine").encode(encoding))
    assert "users.csv is not UTF-8" in await rosters.rejection(pool, export.path)


async def test_a_byte_order_mark_is_no_part_of_the_first_column(
    pool: asyncpg.Pool, export: rosters.Export
) -> None:
    for name in ("manifest.csv", "users.csv", "orgs.csv"):
        export.text(name, lambda text: "\ufeff" + text)
    assert (await rosters.outcome(pool, export.path)).added == 13


async def test_columns_are_found_in_any_order_and_others_are_passed_over(
    pool: asyncpg.Pool, export: rosters.Export
) -> None:
    header, rows = export.rows("users.csv")
    extended = [row | {"metadata.lunch": "free", "ext_home": "1 Elm St"} for row in rows]
    export.write("users.csv", [*reversed(header), "metadata.lunch", "ext_home"], extended)
    outcome = await rosters.outcome(pool, export.path)
    assert (outcome.added, outcome.rejected, outcome.ignored_columns) == (13, 0, ())


async def test_a_row_that_is_cut_off_is_refused_by_itself(pool: asyncpg.Pool, export: rosters.Export) -> None:
    export.text("users.csv", lambda text: text.rstrip("\n") + "\nu-90,,,true,org-cedar\n")
    outcome = await rosters.outcome(pool, export.path)
    (problem,) = outcome.problems
    assert (outcome.rejected, outcome.added, problem.row) == (1, 13, 18)
    assert "has 5 cells where the header has 18" in problem.reason


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        ({"sourcedId": ""}, "is empty"),
        ({"enabledUser": "Quillfeather"}, "is not yes or no"),
        ({"status": "Quillfeather"}, "neither active nor tobedeleted"),
    ],
)
async def test_a_wrong_cell_is_refused_and_never_shown(
    pool: asyncpg.Pool, export: rosters.Export, cells: dict[str, str], words: str
) -> None:
    export.set("users.csv", "u-01", **cells)
    outcome = await rosters.outcome(pool, export.path)
    (problem,) = outcome.problems
    assert (outcome.rejected, outcome.added, problem.value) == (1, 12, None)
    assert words in problem.reason
    assert problem.column.startswith("users.csv ")


async def test_a_user_who_is_there_twice_is_a_repeat_or_a_contradiction(
    pool: asyncpg.Pool, export: rosters.Export
) -> None:
    header, rows = export.rows("users.csv")
    export.write("users.csv", header, [*rows, rows[0], rows[1] | {"orgSourcedIds": "org-cedar"}])
    outcome = await rosters.outcome(pool, export.path)
    (problem,) = outcome.problems
    assert (outcome.repeated, outcome.rejected, outcome.added) == (1, 1, 13)
    assert (problem.row, "row 3 tells of the same user" in problem.reason) == (19, True)


async def test_a_grade_that_is_no_code_is_not_told_and_said_to_be(
    pool: asyncpg.Pool, export: rosters.Export
) -> None:
    export.set("users.csv", "u-05", grades="Sixth")
    outcome = await rosters.outcome(pool, export.path)
    warning = next(warning for warning in outcome.warnings if "grade" in warning.reason)
    assert (outcome.rejected, warning.row, warning.column) == (0, 6, "users.csv grades")
    student = rosters.student("u-05")
    assert await pool.fetchval("SELECT grade FROM enrollments WHERE student = $1", student) is None


async def test_of_several_grades_the_first_counts(pool: asyncpg.Pool, export: rosters.Export) -> None:
    export.set("users.csv", "u-05", grades="6,07")
    await rosters.imported(pool, export.path)
    student = rosters.student("u-05")
    assert await pool.fetchval("SELECT grade FROM enrollments WHERE student = $1", student) == "06"


async def test_a_day_of_a_session_that_is_no_day_is_refused(
    pool: asyncpg.Pool, export: rosters.Export
) -> None:
    export.set("academicSessions.csv", "ay-2027", startDate="soon")
    outcome = await rosters.outcome(pool, export.path)
    assert (outcome.rejected, outcome.problems[0].column) == (1, "academicSessions.csv startDate")


async def test_without_orgs_the_schools_have_to_be_named(
    pool: asyncpg.Pool, export: rosters.Export, tmp_path: Path
) -> None:
    export.say("file.orgs", "absent")
    assert "orgs.csv is absent" in await rosters.rejection(pool, export.path)
    lines = [
        f"org-{name},{ncessch}" for name, ncessch in (("cedar", rosters.CEDAR), ("alder", rosters.ALDER))
    ]
    schools = files.written(tmp_path, "s.csv", "sourcedId,ncessch", *lines, f"org-birch,{rosters.BIRCH}")
    assert (await rosters.outcome(pool, export.path, schools=schools)).added == 13


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("org-alder,410192000999", "row 2, ncessch: there is no such school"),
        ("org-alder,10192000002", "its leading zero is lost"),
        (",410192000002", "row 2, sourcedId: is empty"),
    ],
)
async def test_a_wrong_row_in_the_file_of_schools_stops_the_import(
    pool: asyncpg.Pool, export: rosters.Export, tmp_path: Path, row: str, words: str
) -> None:
    schools = files.written(tmp_path, "s.csv", "sourcedId,ncessch", row)
    assert words in await rosters.rejection(pool, export.path, schools=schools)


async def test_an_org_that_is_named_twice_stops_the_import(
    pool: asyncpg.Pool, export: rosters.Export, tmp_path: Path
) -> None:
    rows = [f"org-alder,{rosters.ALDER}", f"org-alder,{rosters.CEDAR}"]
    schools = files.written(tmp_path, "s.csv", "sourcedId,ncessch", *rows)
    assert "two schools for org org-alder" in await rosters.rejection(pool, export.path, schools=schools)


async def test_rosters_are_taken_in_the_order_of_their_days(
    pool: asyncpg.Pool, export: rosters.Export
) -> None:
    await rosters.imported(pool, export.path)
    export.set("users.csv", "u-01", enabledUser="false")
    later = TODAY + timedelta(days=7)
    await rosters.imported(pool, export.path, as_of=later)
    message = await rosters.rejection(pool, export.path, as_of=TODAY, today=later)
    assert f"known as of {later} already" in message


async def test_a_roster_of_a_day_to_come_is_refused(pool: asyncpg.Pool, export: rosters.Export) -> None:
    message = await rosters.rejection(pool, export.path, as_of=date(2026, 10, 16), today=TODAY)
    assert "is after today" in message


async def test_without_a_key_no_roster_is_read(pool: asyncpg.Pool, export: rosters.Export) -> None:
    with pytest.raises(errors.ConfigError, match="pseudonym_key_file"):
        await rosters.imported(pool, export.path, pseudonymizer=None)


async def test_another_key_is_refused(pool: asyncpg.Pool, export: rosters.Export) -> None:
    await rosters.imported(pool, export.path)
    other = pseudonyms.Pseudonymizer(b"another correct horse battery staple and more")
    with pytest.raises(errors.ConfigError, match="not the one"):
        await rosters.imported(pool, export.path, pseudonymizer=other)
