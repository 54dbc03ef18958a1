"""Answers of students come in from a file, as pseudonyms, and come again without a change."""

import logging
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from service import errors
from service.imports import answer_maps, need_answers, outcomes, undoing
from service.model import pseudonyms
from tests import factories, files

TODAY = date(2026, 10, 15)
CEDAR, ALDER = "410192000001", "410192000002"
KEY = pseudonyms.Pseudonymizer(b"correct horse battery staple, and more of it")
HEADER = (
    "studentUniqueId",
    "ncessch",
    "answered_on",
    "household",
    "internetAccessInResidence",
    "barrierToInternetAccessInResidenceDescriptor",
    "internetAccessTypeInResidenceDescriptor",
    "internetPerformanceInResidenceDescriptor",
    "documentedByStaff",
)


@pytest.fixture
async def district(pool: asyncpg.Pool) -> int:
    await factories.district(pool)
    await factories.school(pool, CEDAR)
    await factories.school(pool, ALDER)
    return factories.DISTRICT


def row(student: str = "s1", school: str = CEDAR, day: str = "2026-09-10", **told: str) -> list[str]:
    names = ("household", "access", "barrier", "type", "performance", "staff")
    return [student, school, day, *(told.get(name, "") for name in names)]


class Importer:
    def __init__(self, pool: asyncpg.Pool, folder: Path) -> None:
        self._pool = pool
        self._folder = folder

    async def __call__(
        self,
        *rows: Sequence[object],
        header: Sequence[str] = HEADER,
        map_name: str = "ed-fi",
        key: pseudonyms.Pseudonymizer | None = KEY,
        as_of: date | None = None,
        dry_run: bool = False,
    ) -> outcomes.Outcome:
        path = files.csv_file(self._folder, "answers.csv", header, rows)
        terms = need_answers.Terms(answer_maps.load(map_name), key, TODAY, as_of)
        return await need_answers.run(self._pool, factories.DISTRICT, path, terms, dry_run=dry_run)


@pytest.fixture
def importer(pool: asyncpg.Pool, district: int, tmp_path: Path) -> Importer:
    return Importer(pool, tmp_path)


async def enrolled(
    pool: asyncpg.Pool, student: str, ncessch: str = CEDAR, *, ends_on: date | None = None
) -> None:
    await pool.execute(
        "INSERT INTO enrollments (district_id, student, starts_on, ends_on, school_id) "
        "SELECT $1, $2, '2026-07-01', $3, school_id FROM schools WHERE ncessch = $4",
        factories.DISTRICT,
        KEY.borrower(student),
        ends_on,
        ncessch,
    )


async def stored(pool: asyncpg.Pool) -> list[dict[str, Any]]:
    rows = await pool.fetch(
        "SELECT a.*, s.ncessch FROM need_answers AS a LEFT JOIN schools AS s USING (district_id, school_id) "
        "ORDER BY answered_on, student"
    )
    return [dict(found) for found in rows]


async def dirty(pool: asyncpg.Pool) -> list[date]:
    """The marked days, which are then taken away."""
    return [found["on_day"] for found in await pool.fetch("DELETE FROM dirty_loan_days RETURNING on_day")]


async def test_answers_come_in_and_coming_again_change_nothing(
    pool: asyncpg.Pool, importer: Importer
) -> None:
    rows = [
        row(
            household="h1",
            access="false",
            barrier="Not Affordable",
            type="uri://ed-fi.org/InternetAccessTypeInResidenceDescriptor#None",
            performance="No",
            staff="yes",
        ),
        row("s2", ALDER, "9/11/2026", access="true"),
    ]
    first = await importer(*rows)
    before = await files.contents(pool, without=["imports"])
    again = await importer(*rows)
    assert (first.accepted, first.added, first.rejected, first.warnings) == (2, 2, 0, ())
    assert (again.accepted, again.added, again.changed, again.unchanged) == (2, 0, 0, 2)
    assert await files.contents(pool, without=["imports"]) == before
    (told, _) = await stored(pool)
    assert told == told | {
        "student": KEY.borrower("S1 "),
        "ncessch": CEDAR,
        "answered_on": date(2026, 9, 10),
        "household": KEY.household("h1"),
        "has_access": False,
        "barrier": "not_affordable",
        "access_type": "none",
        "performance": "no",
        "is_documented_by_staff": True,
    }


async def test_the_days_since_the_earliest_answer_are_computed_again(
    pool: asyncpg.Pool, importer: Importer
) -> None:
    await pool.execute("UPDATE districts SET computed_through_on = '2026-10-14'")
    await importer(row(day="2026-09-20", access="no"), row("s2", day="2026-09-25", access="no"))
    assert min(await dirty(pool)) == date(2026, 9, 20)
    await importer(row(day="2026-09-20", access="no"))
    assert await dirty(pool) == []


async def test_a_correction_of_the_same_day_replaces_the_answer(
    pool: asyncpg.Pool, importer: Importer
) -> None:
    await importer(row(access="true", type="Satellite"))
    outcome = await importer(row(access="false"))
    assert (outcome.added, outcome.changed) == (0, 1)
    (told,) = await stored(pool)
    assert (told["has_access"], told["access_type"]) == (False, None)


async def test_another_day_is_another_answer(pool: asyncpg.Pool, importer: Importer) -> None:
    await importer(row(access="true"), row(day="2026-10-01", access="false"))
    assert [told["has_access"] for told in await stored(pool)] == [True, False]


async def test_what_a_file_has_no_column_for_stays_as_it_is(pool: asyncpg.Pool, importer: Importer) -> None:
    await importer(row(household="h1", access="true", performance="No", staff="yes"))
    outcome = await importer(
        ["s1", "2026-09-10", "false"],
        header=("studentUniqueId", "answeredOn", "internetAccessInResidence"),
    )
    assert (outcome.rejected, outcome.changed) == (0, 1)
    (told,) = await stored(pool)
    kept = (told["ncessch"], told["household"], told["performance"], told["is_documented_by_staff"])
    assert kept == (CEDAR, KEY.household("h1"), "no", True)
    assert told["has_access"] is False


async def test_a_file_without_households_takes_nobody_out_of_the_home(
    pool: asyncpg.Pool, importer: Importer
) -> None:
    await importer(row(household="h1", access="false"), row("s2", access="false"))
    header = ("studentUniqueId", "ncessch", "answeredOn", "internetAccessInResidence")
    later = [["s1", CEDAR, "2026-10-01", "false"], ["s2", CEDAR, "2026-10-01", "false"]]
    await importer(*later, header=header)
    assert (await importer(*later, header=header)).unchanged == 2
    homes = {(told["student"], told["answered_on"].month): told["household"] for told in await stored(pool)}
    first, second = KEY.borrower("s1"), KEY.borrower("s2")
    assert homes == {
        (first, 9): KEY.household("h1"),
        (first, 10): KEY.household("h1"),
        (second, 9): "",
        (second, 10): "",
    }
    await importer(row(day="2026-10-10", access="false"))
    assert (await stored(pool))[-1]["household"] == ""  # the column is there, and empty


async def test_rows_of_one_student_and_day_that_differ_are_refused(importer: Importer) -> None:
    outcome = await importer(
        row(access="true"), row(access="false"), row(access="true"), row("s2", access="no")
    )
    assert (outcome.accepted, outcome.added, outcome.unchanged, outcome.repeated) == (3, 2, 0, 1)
    (problem,) = outcome.problems
    assert (problem.row, problem.column) == (3, "studentUniqueId")
    assert problem.reason == "row 2 is of the same student and day and says otherwise"
    assert problem.value is None


async def test_an_answer_that_tells_nothing_is_stored_and_counted(
    pool: asyncpg.Pool, importer: Importer
) -> None:
    outcome = await importer(
        row(), row("s2", type="Unknown"), row("s3", barrier="Other"), row("s4", staff="yes")
    )
    assert (outcome.added, outcome.rejected) == (4, 0)
    assert "3 with an answer that cannot be used" in outcome.said
    assert len(await stored(pool)) == 4


@pytest.mark.parametrize(
    ("told", "column", "reason"),
    [
        (row(""), "studentUniqueId", "is empty"),
        (row("3.5E+14"), "studentUniqueId", "rounded"),
        (row(school="410192000009"), "ncessch", "there is no such school"),
        (row(school="10192000001"), "ncessch", "leading zero"),
        (row(day="2026-10-16"), "answeredOn", "is not between 2010-01-01 and 2026-10-15"),
        (row(day="soon"), "answeredOn", "is not a date"),
        (row(day=""), "answeredOn", "give that of all answers with --as-of"),
        (row(access="maybe"), "internetAccessInResidence", "none of the answers that the map knows: Yes, Y"),
        (
            row(barrier="Unknown"),
            "barrierToInternetAccessInResidenceDescriptor",
            "Not Available, Not Affordable",
        ),
        (row(performance="Often"), "internetPerformanceInResidenceDescriptor", "Yes, Sometimes, No"),
        (row(school=""), "studentUniqueId", "belongs to no school"),
    ],
)
async def test_a_row_that_cannot_be_right_is_refused_and_the_others_are_kept(
    pool: asyncpg.Pool, importer: Importer, told: list[str], column: str, reason: str
) -> None:
    outcome = await importer(told, row("s2", access="no"))
    assert (outcome.added, outcome.rejected) == (1, 1)
    (problem,) = outcome.problems
    assert (problem.row, problem.column) == (2, column)
    assert reason in problem.reason
    assert len(await stored(pool)) == 1


async def test_personal_values_are_never_shown(importer: Importer) -> None:
    outcome = await importer(
        row("s" * 201), row("Wilhelmina", access="Wilhelmina 204417", household="x" * 201)
    )
    assert outcome.rejected == 2
    assert {problem.value for problem in outcome.problems} == {None}


async def test_a_student_of_the_roster_needs_no_school_in_the_file(
    pool: asyncpg.Pool, importer: Importer
) -> None:
    await enrolled(pool, "s1")
    outcome = await importer(row(school="", access="no"))
    assert (outcome.added, outcome.rejected) == (1, 0)
    assert (await stored(pool))[0]["school_id"] is None


async def test_how_many_the_roster_and_the_loans_know_is_told(pool: asyncpg.Pool, importer: Importer) -> None:
    await enrolled(pool, "s1")
    school_id = await pool.fetchval("SELECT school_id FROM schools WHERE ncessch = $1", CEDAR)
    device_id = await factories.device(pool, serial="A1")
    await factories.loan(pool, device_id, school_id, date(2026, 9, 1), borrower=KEY.borrower("s1"))
    outcome = await importer(row(access="no"), row("s2", access="no"))
    assert outcome.said[:3] == ("2 students", "1 of them in the roster", "1 with an open loan")
    assert [warning.reason for warning in outcome.warnings] == [
        "1 student(s) not in the roster: each counts at the school of their answer"
    ]


async def test_another_number_than_in_the_roster_and_the_loans_is_doubted(
    pool: asyncpg.Pool, importer: Importer
) -> None:
    await enrolled(pool, "s1")
    school_id = await pool.fetchval("SELECT school_id FROM schools WHERE ncessch = $1", CEDAR)
    device_id = await factories.device(pool, serial="A1")
    await factories.loan(pool, device_id, school_id, date(2026, 9, 1), borrower=KEY.borrower("s1"))
    outcome = await importer(row("410001", access="no"))
    assert [warning.reason for warning in outcome.warnings] == [
        "none of the 1 students is in the roster: is it the same number?",
        "none of the 1 students has an open loan: do the loans have the same number?",
    ]


async def test_minnesotas_file_is_read_with_its_map(pool: asyncpg.Pool, importer: Importer) -> None:
    header = (
        "studentUniqueId", "ncessch", "answeredOn", "InternetAccessInResidence", "InternetAccessTypeInResidence",
        "InternetPerformance", "DigitalDevice",
    )  # fmt: skip
    outcome = await importer(
        ["1", CEDAR, "2026-09-01", "Yes", "SchoolProvidedHotSpot", "Yes - But not consistent", "Chromebook"],
        ["2", CEDAR, "2026-09-02", "No - Not Affordable", "", "", "None"],
        header=header,
        map_name="minnesota",
    )
    assert (outcome.added, outcome.rejected, outcome.ignored_columns) == (2, 0, ("DigitalDevice",))
    one, two = await stored(pool)
    assert (one["has_access"], one["access_type"], one["performance"]) == (True, "hot_spot", "sometimes")
    assert (two["has_access"], two["barrier"]) == (False, "not_affordable")
    again = await importer(
        ["2", CEDAR, "2026-09-02", "No - Other", "", "", "None"], header=header, map_name="minnesota"
    )
    assert again.changed == 1
    assert (await stored(pool))[1]["barrier"] == "other"


async def test_wisconsins_questions_are_read_with_their_own_words(
    pool: asyncpg.Pool, importer: Importer
) -> None:
    header = (
        "WISEid", "ncessch", "Can the student access the internet on their primary learning device at home?",
        "If the student is unable to access internet in their primary place of residence, why not?",
        "What is the primary type of internet service used at the residence?",
        "Can the student stream a video on their primary learning device without interruption?",
    )  # fmt: skip
    outcome = await importer(
        ["1", CEDAR, "False", "Not Desired", "None", "No"],
        header=header,
        map_name="wisconsin",
        as_of=date(2026, 9, 15),
    )
    assert (outcome.added, outcome.rejected) == (1, 0)
    (told,) = await stored(pool)
    assert (told["answered_on"], told["barrier"], told["performance"]) == (
        date(2026, 9, 15),
        "not_desired",
        "no",
    )


async def test_answers_of_one_row_may_not_contradict_each_other(importer: Importer, tmp_path: Path) -> None:
    name = files.written(
        tmp_path,
        "own.toml",
        "[columns]",
        'student = "id"',
        'ncessch = "school"',
        'answered_on = "Timestamp"',
        'has_access = "Online?"',
        'barrier = "Why not?"',
        "[has_access]",
        '"Sí" = "yes"',
        '"No, too dear" = { has_access = "no", barrier = "not_affordable" }',
        "[file]",
        'date_formats = ["%m/%d/%Y %H:%M:%S"]',
    )
    header = ("id", "school", "Timestamp", "Online?", "Why not?")
    outcome = await importer(
        ["1", CEDAR, "9/14/2026 13:05:22", "No, too dear", "Not Available"],
        ["2", CEDAR, "9/14/2026 23:59:59", "SÍ", ""],
        ["3", CEDAR, "2026-09-14", "Sí", ""],
        header=header,
        map_name=str(name),
    )
    assert outcome.added == 1
    assert [(problem.column, problem.reason) for problem in outcome.problems] == [
        ("Why not?", "contradicts another column of the row on barrier"),
        ("Timestamp", "is not a date written as %m/%d/%Y %H:%M:%S"),
    ]


@pytest.mark.parametrize(
    ("header", "words"),
    [
        (("ncessch", "internetAccessInResidence"), "lacks the column 'studentUniqueId' or 'student'"),
        (
            ("student", "ncessch", "grade"),
            "has no answer: none of its columns is 'internetAccessInResidence'",
        ),
        (("student", "studentUniqueId", "internetAccessInResidence"), "are both the student"),
    ],
)
async def test_a_file_without_students_or_answers_is_refused(
    importer: Importer, header: tuple[str, ...], words: str
) -> None:
    with pytest.raises(errors.ImportRejected, match=words):
        await importer(["1"] * len(header), header=header)


async def test_without_a_pseudonym_key_nothing_is_read(importer: Importer) -> None:
    with pytest.raises(errors.ConfigError, match="pseudonym_key_file"):
        await importer(row(access="no"), key=None)


async def test_another_pseudonym_key_is_refused(importer: Importer) -> None:
    await importer(row(access="no"))
    with pytest.raises(errors.ConfigError, match="not the one that district"):
        await importer(
            row(access="no"), key=pseudonyms.Pseudonymizer(b"another key that is long enough, yes")
        )


async def test_an_import_can_be_undone(pool: asyncpg.Pool, importer: Importer) -> None:
    await importer(row(access="true"))
    before = await files.contents(pool, without=["imports", "import_changes", "dirty_loan_days"])
    await importer(row(access="false"), row("s2", access="no"))
    undone = await undoing.run(pool, factories.DISTRICT, "answers", today=TODAY)
    assert undone.rows == 2
    assert await files.contents(pool, without=["imports", "import_changes", "dirty_loan_days"]) == before


async def test_a_dry_run_keeps_nothing(pool: asyncpg.Pool, importer: Importer) -> None:
    outcome = await importer(row(access="no"), dry_run=True)
    assert (outcome.added, outcome.is_dry_run) == (1, True)
    assert await stored(pool) == []


async def test_no_number_and_no_household_is_stored_or_logged(
    pool: asyncpg.Pool, importer: Importer, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        await importer(row("STUDENT-204417", household="HOME-0812", access="no"))
    kept = str(await files.contents(pool)) + "".join(record.getMessage() for record in caplog.records)
    assert "204417" not in kept
    assert "0812" not in kept
