"""The examples of docs/how-coverage-is-counted.md, computed by the database from rows as a district would have them."""

import re
from datetime import date, timedelta

import asyncpg

from tests.fleet import Fleet, polled
from tests.students import ASKED_ON, DAY, answer, borrow, enroll
from tests.unit import test_docs as documents

TEXT = documents.read(documents.DOCS / documents.COUNTING)
USED = {"used": 5.0, "never used": 0.0, "not heard from": None}
FIGURES = {
    "enrolled": "enrolled",
    "answered": "answered",
    "need": "need",
    "with a loan": "loaned",
    "adequate": "adequate",
    "unknown": "unknown",
    "outside need": "served_outside_need",
    "names no borrower": "unattributed",
}


def word(cell: str) -> str | None:
    return cell.lower().replace("-", "_").replace(" ", "_") or None


def hotspots(cell: str) -> list[float | None]:
    """What each of a student's hotspots has used, in MB."""
    kinds = re.findall("|".join(sorted(USED, key=len, reverse=True)), cell)
    return [USED[kind] for kind in kinds]


async def test_every_answer_of_the_example_says_what_the_table_says(pool: asyncpg.Pool) -> None:
    rows = documents.table_with(TEXT, "has access", "in need")
    async with polled(pool) as f:
        school = await f.school("A")
        for number, row in enumerate(rows):
            student = f"student{number}"
            await answer(
                pool,
                school,
                student,
                has_access={"Yes": True, "No": False, "": None}[row["has access"]],
                access_type=word(row["type of access"]),
                performance=word(row["performance"]),
                by_staff=row["documented by staff"] == "yes",
            )
            if row["hotspot on loan"] == "ours":
                await borrow(f, school, number, 5, borrower=student, on=ASKED_ON)
        found = {row["student"]: row for row in await f.rows("SELECT * FROM answers_on(1, $1)", DAY)}
    words = {True: "yes", False: "no"}
    for number, row in enumerate(rows):
        told = found[f"student{number}"]
        assert (row["answered"], row["in need"]) == (words[told["is_answered"]], words[told["is_in_need"]]), (
            row
        )


async def test_the_school_that_asked_its_students_is_counted_as_told(pool: asyncpg.Pool) -> None:
    students = documents.table_with(TEXT, "student", "hotspots")
    (figures,) = documents.table_with(TEXT, "response ratio", "outside need")
    async with polled(pool) as f:
        school = await f.school("Fir")
        number = 0
        for row in students:
            name = "" if row["student"] == "nobody named" else row["student"]
            if name:
                await enroll(pool, school, name)
            if row["answered"] in ("in need", "not in need"):
                await answer(pool, school, name, has_access=row["answered"] == "not in need")
            for mb in hotspots(row["hotspots"]):
                number += 1
                await borrow(f, school, number, mb, borrower=name)
        await f.computed(DAY, DAY)
        found = await f.school_day(school, DAY)
    assert {name: int(figures[name]) for name in FIGURES} == {name: found[of] for name, of in FIGURES.items()}
    percents = {"completeness": "completeness", "at least": "coverage_low", "at most": "coverage_high"}
    assert {name: figures[name] for name in percents} == {
        name: documents.percent(found[of]) for name, of in percents.items()
    }
    assert figures["response ratio"] == documents.percent(found["answered"] / found["enrolled"])
    assert (figures["coverage"], found["coverage"]) == ("unknown", None)
    counted = [row["counts as"] for row in students]
    for state in ("adequate", "unknown", "outside need", "names no borrower"):
        assert counted.count(state) == int(figures[state])
    assert counted.count("without a loan") == int(figures["need"]) - int(figures["with a loan"])


async def test_the_household_of_the_example_is_counted_as_told(pool: asyncpg.Pool) -> None:
    rows = documents.table_with(TEXT, "by student", "by household")
    async with polled(pool) as f:
        schools = {row["student"]: await f.school(row["school"]) for row in rows}
        for student, school in schools.items():
            await answer(pool, school, student, household="home", has_access=False)
        borrower = rows[0]["student"]
        await borrow(f, schools[borrower], 1, 5, borrower=borrower, household="home")
        for mode in ("student", "household"):
            await pool.execute("UPDATE districts SET need_mode = $1::text::need_mode", mode)
            await f.computed(DAY, DAY)
            for row in rows:
                found = await f.school_day(schools[row["student"]], DAY)
                counted = "adequate" if found["adequate"] else "without a loan"
                assert (found["need"], counted) == (1, row[f"by {mode}"])


async def test_the_allowances_of_the_example_are_used_up_as_told(pool: asyncpg.Pool) -> None:
    rows = documents.table_with(TEXT, "allowance", "exhausted")
    async with polled(pool) as f:
        school = await f.school("A")
        first = DAY - timedelta(days=1)
        for place, row in enumerate(rows):
            loans = await lent(f, school, row, first=10 * place, on=first)
            await f.computed(first, first)
            states = [(await f.loan_day(loan, first))["state"] for loan in loans]
            exhausted = [state == "exhausted" for state in states]
            expected = {
                "none": [False] * len(loans),
                "all": [True] * len(loans),
                "the first": [True] + [False] * (len(loans) - 1),
            }
            assert exhausted == expected[row["exhausted"]], row


async def lent(f: Fleet, school: int, row: dict[str, str], *, first: int, on: date) -> list[int]:
    """The lines of one example, each lent; a GB of the table is a MB here."""
    plan = await f.pool.fetchval(
        "INSERT INTO plans (district_id, plan_key, allowance_bytes, allowance_period, is_pooled)"
        " VALUES (1, $1, $2, $3::allowance_period, $4) RETURNING plan_id",
        f"plan {first}",
        int(row["allowance"].removesuffix(" GB")) * 1_000_000,
        "month" if "monthly" in row["plan"] else "year",
        "pool" in row["plan"],
    )
    used = [int(number) for number in re.findall(r"\d+", row["used, in GB"])]
    assert len(used) == int(row["lines"])
    loans = []
    for number, mb in enumerate(used, start=first + 1):
        line = await f.line(number, seen=f"{on} 00:00")
        await f.pool.execute("UPDATE lines SET plan_id = $2 WHERE line_id = $1", line, plan)
        await f.told(line, on, mb=mb)
        loans.append(await f.lend(number, school, on))
    return loans
