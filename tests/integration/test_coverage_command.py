"""``afterbell coverage``, as a technician would run it: tables, other days, one school, and why."""

import asyncio
import json
import sys
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from typer.testing import CliRunner, Result

from service import __main__ as command_line
from service import errors
from service.printed import coverage_why
from service.store import checks, coverage, explanations
from tests import files
from tests.fleet import DISTRICT, ZONE, Fleet, local, polled
from tests.students import DAY, answer, borrow, enroll, names

BEFORE = DAY - timedelta(days=1)
ASKED = "990000100001"
COUNTED = "990000100002"
UNCOUNTED = "990000100003"
BORROWERS = ("ann", "bob", "cho", "dee")


@pytest.fixture
def config_path(database: str, tmp_path: Path) -> Path:
    return files.written(
        tmp_path,
        "afterbell.toml",
        f'database.url = "{database}"',
        "[[districts]]",
        f"id = {DISTRICT}",
        'name = "Northfield"',
        f'time_zone = "{ZONE}"',
    )


async def afterbell(config_path: Path, *arguments: str) -> Result:
    """In a thread: the command starts an event loop of its own."""
    runner = CliRunner(env={"COLUMNS": "200"})
    result = await asyncio.to_thread(
        runner.invoke, command_line.app, ["--config", str(config_path), *arguments]
    )
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


async def shown(config_path: Path, *arguments: str) -> str:
    """The output on one line."""
    result = await afterbell(config_path, "coverage", *arguments)
    assert result.exit_code == 0, result.output
    return " ".join(result.output.split())


async def told(config_path: Path, *arguments: str) -> Any:
    result = await afterbell(config_path, "coverage", "--json", *arguments)
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


async def district(f: Fleet) -> dict[str, int]:
    """A school whose students were asked, one that counted, and one that did not; the day is reported."""
    asked = await f.school("Asked", ncessch=ASKED)
    counted = await f.school("Counted", ncessch=COUNTED, need=(100, 80, 20))
    uncounted = await f.school("Uncounted", ncessch=UNCOUNTED)
    await enroll(f.pool, asked, *names("student", 40), *BORROWERS)
    await answer(f.pool, asked, *names("student", 2), has_access=False)
    await answer(f.pool, asked, "student2", access_type="dial_up")
    await answer(f.pool, asked, "student3", has_access=False, performance="no")
    await answer(f.pool, asked, "ann", by_staff=True)
    await answer(f.pool, asked, "bob", has_access=True)
    await answer(f.pool, asked, "student9", access_type="unknown")
    for number, (school, borrower, mb) in enumerate(
        [
            (asked, "ann", 5.0),
            (asked, "student0", 0.0),
            (asked, "bob", 5.0),
            (asked, "cho", None),
            (asked, "", 5.0),
            (counted, "somebody", 5.0),
            (counted, "", None),
            (uncounted, "", 5.0),
        ],
        start=1,
    ):
        await borrow(f, school, number, mb, borrower=borrower)
    early = await f.line(99)
    await f.told(early, BEFORE)
    await f.computed(BEFORE, DAY)
    await f.pool.execute("UPDATE districts SET computed_through_on = $1", DAY)
    return {ASKED: asked, COUNTED: counted, UNCOUNTED: uncounted}


async def test_the_table_is_of_the_reported_day_and_of_another_where_asked(
    pool: asyncpg.Pool, config_path: Path
) -> None:
    async with polled(pool) as f:
        await district(f)
    table = await shown(config_path)
    assert f"home coverage on {DAY}" in table
    assert all(name in table for name in ("Asked", "Counted", "Uncounted"))
    assert "2 students with a loan who are not known to be in need, 1 loans that name no borrower." in table
    assert f"home coverage on {BEFORE}" in await shown(config_path, "--on", str(BEFORE))
    (only,) = (await told(config_path, "--on", str(DAY)))["districts"]
    assert (only["on_day"], [school["need"] for school in only["schools"]]) == (str(DAY), [5, 20, None])


async def test_json_has_where_need_comes_from_and_what_is_outside_it(
    pool: asyncpg.Pool, config_path: Path
) -> None:
    async with polled(pool) as f:
        await district(f)
    (only,) = (await told(config_path))["districts"]
    names = ("need_source", "enrolled", "unanswered", "response_ratio", "served_outside_need", "unattributed")
    found = [tuple(school[name] for name in names) for school in only["schools"]]
    assert found == [
        ("answers", 44, 38, 6 / 44, 2, 1),
        ("totals", 100, 20, 0.8, None, None),
        (None, None, None, None, None, None),
    ]
    assert (only["enrolled"], only["served_outside_need"], only["unattributed"]) == (144, 2, 1)


async def test_one_school_alone(pool: asyncpg.Pool, config_path: Path) -> None:
    async with polled(pool) as f:
        await district(f)
    table = await shown(config_path, "--school", COUNTED)
    assert "Counted" in table
    assert "Asked" not in table
    (only,) = (await told(config_path, "--school", ASKED))["districts"]
    assert [school["ncessch"] for school in only["schools"]] == [ASKED]


async def test_a_day_that_is_not_complete_yet_says_so(pool: asyncpg.Pool, config_path: Path) -> None:
    async with polled(pool) as f:
        await district(f)
        await f.pool.execute("UPDATE accounts SET lag_days = 14, is_in_use = true")
        (late,) = (await coverage.snapshot(f.pool, now=f.now, on=DAY)).districts
        assert (late.reported_on, late.day and late.day.on_day) == (DAY, DAY)
        assert late.due_on < DAY


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("--school", "990000199999"), "there is no school 990000199999"),
        (("--school", "990000199999", "--why"), "there is no school 990000199999"),
        (("--on", "2031-01-01"), "there are no figures of 2031-01-01"),
        (("--on", "2031-01-01", "--school", ASKED, "--why"), "there are no figures of 2031-01-01"),
        (("--why",), "name it with --school"),
    ],
)
async def test_what_cannot_be_shown_is_said(
    pool: asyncpg.Pool, config_path: Path, arguments: tuple[str, ...], expected: str
) -> None:
    async with polled(pool) as f:
        await district(f)
    with pytest.raises(errors.ConfigError, match=expected):
        await afterbell(config_path, "coverage", *arguments)


async def test_why_writes_out_what_the_number_is_made_of(pool: asyncpg.Pool, config_path: Path) -> None:
    async with polled(pool) as f:
        await district(f)
    text = await shown(config_path, "--school", ASKED, "--why")
    for part in (
        "need: 5 of 6 students who answered, from 2026-09-01 to 2026-09-01",
        "3 answered No 1 access by nothing, dial-up or a phone's network 1 performance No 1 documented by staff",
        "1 more answers say nothing that can be used",
        "enrolled: 44, by the roster",
        "answered: 6; response ratio 13.6 %; not answered: 38",
        "of students in need adequate 1",
        "of students in need never used 1",
        "of students not known to be in need adequate 1",
        "of students not known to be in need unknown usage unknown 1",
        "of nobody who is named adequate 1",
        "students in need with a loan, by the best state of their loans: 2 (adequate 1, unknown 0,",
        "outside: 2 students with a loan who are not known to be in need",
        "outside: 1 loans that name no borrower and serve nobody in need",
        "completeness = 1 - unknown / with a loan = 1 - 0 / 2 = 100.0 %; floor 90.0 %",
        "coverage = min(adequate, need) / need = min(1, 5) / 5 = 20.0 %",
        "at least = min(1, adequate / (need + not answered)) = min(1, 1 / (5 + 38)) = 2.3 %",
        "at most = min(1, (adequate + unknown) / need) = min(1, (1 + 0) / 5) = 20.0 %",
        "unmet = need - min(adequate, need) = 5 - 1 = 4",
        "without a loan = max(0, need - with a loan) = max(0, 5 - 2) = 3",
        "not revised since it was reported",
        "kajeet (kajeet) 5 5 4",
    ):
        assert part in text, part


async def test_why_of_a_school_that_counted_and_of_one_that_did_not(
    pool: asyncpg.Pool, config_path: Path
) -> None:
    async with polled(pool) as f:
        await district(f)
    text = await shown(config_path, "--school", COUNTED, "--why")
    for part in (
        "need: 20, by the school's total of 2026-09-01, valid through 2028-06-30",
        "enrolled: 100, by the school's total of 2026-09-01",
        "presumed to serve students in need adequate 1",
        "presumed to serve students in need unknown usage unknown 1",
        "coverage is not told, only its bounds: completeness is below the floor",
    ):
        assert part in text, part
    text = await shown(config_path, "--school", UNCOUNTED, "--why")
    assert "need: not known; no answer of a student is valid on this day, and the school has no total" in text
    assert "coverage is unknown: need is not known" in text
    assert "enrolled: not known" in text


async def test_why_says_when_the_last_total_ran_out(pool: asyncpg.Pool, config_path: Path) -> None:
    async with polled(pool) as f:
        await f.school("Old", ncessch=ASKED, need=(100, 80, 20), as_of=date(2024, 9, 1))
        await f.told(await f.line(1), DAY)
        await f.computed(DAY, DAY)
    text = await shown(config_path, "--school", ASKED, "--on", str(DAY), "--why")
    assert "need: not known; the last total, of 2024-09-01, was valid through 2026-06-30" in text


async def test_why_tells_of_a_revision_and_of_records_that_changed_since(
    pool: asyncpg.Pool, config_path: Path
) -> None:
    async with polled(pool) as f:
        schools = await district(f)
        await pool.execute("UPDATE districts SET computed_through_on = $1", DAY + timedelta(days=1))
        await answer(pool, schools[ASKED], "student20", has_access=False)
        await answer(pool, schools[ASKED], "student21", has_access=False, on=BEFORE)
        text = await shown(config_path, "--school", ASKED, "--on", str(DAY), "--why")
        assert "the records have changed since it was computed: 7 of 8 now" in text
        f.now = local(f"{DAY + timedelta(days=1)} 08:00")
        await f.mark(DAY, DAY)
        await f.refresh()
    text = await shown(config_path, "--school", ASKED, "--on", str(DAY), "--why")
    assert "need: 7 of 8 students who answered" in text
    assert "late data changed it after it had been reported" in text


async def test_why_of_a_household_counts_the_loans_of_the_home(pool: asyncpg.Pool, config_path: Path) -> None:
    async with polled(pool) as f:
        await pool.execute("UPDATE districts SET need_mode = 'household'")
        school = await f.school("Asked", ncessch=ASKED)
        await answer(pool, school, "ann", "bob", household="elm street", has_access=False)
        await borrow(f, school, 1, 5, household="elm street")
        await borrow(f, school, 2, 5, household="oak street")
        await f.computed(DAY, DAY)
        (one,) = await explanations.of_school(pool, ASKED, on=DAY, now=f.now, completeness_floor=0.9)
    assert [(row.counts_as, row.loans) for row in one.loans] == [("in_need", 1), ("unattributed", 1)]
    assert one.figures is not None
    assert (one.figures.loaned, one.figures.adequate) == (2, 2)
    assert one.figures.need is not None
    assert one.need is not None
    assert any("by household" in line for line in coverage_why.need(one.figures, one.need, one.need_mode))


async def test_why_as_json_has_the_same_counts_and_no_row_of_a_person(
    pool: asyncpg.Pool, config_path: Path
) -> None:
    async with polled(pool) as f:
        await district(f)
    (one,) = await told(config_path, "--school", ASKED, "--why")
    assert (one["ncessch"], one["on_day"], one["need_mode"]) == (ASKED, str(DAY), "student")
    assert (one["need"]["says_no"], one["need"]["unusable"]) == (3, 1)
    assert sum(row["loans"] for row in one["loans"]) == 5
    assert one["figures"]["response_ratio"] == 6 / 44
    assert any(line.startswith("coverage = min(adequate, need)") for line in one["arithmetic"])
    text = json.dumps(one) + await shown(config_path, "--school", ASKED, "--why")
    assert not any(f'"{borrower}"' in text for borrower in BORROWERS)
    assert "student0" not in text


async def test_the_loans_of_the_explanation_are_those_of_the_figures(pool: asyncpg.Pool) -> None:
    async with polled(pool) as f:
        schools = await district(f)
        for ncessch in schools:
            (one,) = await explanations.of_school(pool, ncessch, on=DAY, now=f.now, completeness_floor=0.9)
            assert one.figures is not None
            by_part: dict[str, int] = {}
            for row in one.loans:
                by_part[row.counts_as] = by_part.get(row.counts_as, 0) + row.loans
            if one.figures.need_source == "answers":
                # each of these students has one loan
                assert by_part["in_need"] == one.figures.loaned
                assert by_part["outside_need"] == one.figures.served_outside_need
                assert by_part["unattributed"] == one.figures.unattributed
            else:
                assert by_part == {"presumed": one.figures.loaned}


async def test_a_poll_by_household_without_a_household_is_a_mistake_of_the_configuration(
    pool: asyncpg.Pool, config_path: Path
) -> None:
    config_path.write_text(config_path.read_text() + 'need_mode = "household"\n')
    for command in ("poll", "serve"):
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "service",
            "--config",
            str(config_path),
            command,
            stderr=asyncio.subprocess.PIPE,
        )
        _, said = await process.communicate()
        assert process.returncode == errors.ConfigError.exit_code
        assert "needs answers by student that tell a household" in " ".join(said.decode().split())
    result = await afterbell(config_path, "check")
    assert result.exit_code == 1
    assert "no student's answer tells a household" in " ".join(result.output.split())


async def test_check_asks_for_the_need_of_schools_with_neither_answers_nor_a_count(
    pool: asyncpg.Pool, config_path: Path
) -> None:
    async with polled(pool) as f:
        schools = await district(f)
        await pool.execute("UPDATE need_answers SET answered_on = current_date - 30")
        await pool.execute("UPDATE enrollments SET starts_on = current_date - 60")
    (doubts,) = await checks.doubts(pool)
    assert (doubts.schools, doubts.schools_without_need) == (len(schools), 1)
