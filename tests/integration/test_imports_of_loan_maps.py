"""Exports of library and asset systems come in by their maps, without a name in them being read."""

import logging
from datetime import date
from pathlib import Path

import asyncpg
import pytest

from service import errors
from service.imports import loan_maps, loans, outcomes
from tests import factories, files
from tests.integration import loan_desk

FIXTURES = Path(__file__).parents[1] / "fixtures" / "loans"
SITES = FIXTURES / "sites.csv"
STUDENTS = ("S-1", "S-2", "S-3", "S-4")
NAMES = ("Wilhelmina", "Konrad", "Ottilie", "Placeholder", *STUDENTS)

CURRENT = [
    (0, "S-1", loan_desk.CEDAR, date(2026, 9, 8), None, False),
    (1, "S-2", loan_desk.ALDER, date(2026, 9, 9), None, False),
    (2, "S-3", loan_desk.ALDER, date(2026, 9, 10), None, True),
]
WITH_HISTORY = [*CURRENT, (3, "S-4", loan_desk.CEDAR, date(2026, 9, 8), date(2026, 10, 1), False)]


@pytest.fixture
async def district(pool: asyncpg.Pool) -> None:
    await loan_desk.district(pool)


async def imported(
    pool: asyncpg.Pool,
    name: str,
    path: Path | None = None,
    *,
    schools: Path | None = SITES,
    full: bool = True,
    today: date = loan_desk.TODAY,
) -> outcomes.Outcome:
    return await loans.run(
        pool,
        factories.DISTRICT,
        path or FIXTURES / f"{name}.csv",
        pseudonymizer=loan_desk.KEY,
        today=today,
        layout=loan_maps.load(name),
        schools=schools,
        full=full,
    )


async def known(pool: asyncpg.Pool) -> list[tuple[object, ...]]:
    """(device, student, school, out, back, whether lost)."""
    rows = await pool.fetch(
        "SELECT d.imei, l.borrower, s.ncessch, l.checked_out_on, l.returned_on, l.lost_on IS NOT NULL"
        " FROM loans AS l JOIN devices AS d USING (district_id, device_id)"
        " JOIN schools AS s USING (district_id, school_id) ORDER BY d.imei, l.checked_out_on"
    )
    names = {loan_desk.KEY.borrower(name): name for name in STUDENTS}
    return [(loan_desk.IMEI.index(row[0]), names.get(row[1], ""), *list(row)[2:]) for row in rows]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("koha", WITH_HISTORY),
        ("follett-destiny", CURRENT),
        ("incident-iq", CURRENT),
        ("snipe-it", CURRENT),
    ],
)
async def test_an_export_gives_its_loans_and_no_name(
    pool: asyncpg.Pool,
    district: None,
    caplog: pytest.LogCaptureFixture,
    name: str,
    expected: list[tuple[object, ...]],
) -> None:
    caplog.set_level(logging.DEBUG)
    outcome = await imported(pool, name)
    assert (outcome.rejected, outcome.problems) == (0, ())
    assert await known(pool) == expected
    assert set(await pool.fetch("SELECT DISTINCT source FROM loans")) == {(name.replace("-", "_"),)}
    again = await imported(pool, name, today=date(2026, 10, 20))
    assert again.said[0] == "no loan changed"
    kept = "\n".join((await files.contents(pool)).values())
    for personal in NAMES:
        for place in (kept, repr(outcome), caplog.text):
            assert personal not in place


async def test_a_device_told_to_be_in_stock_ends_its_open_loan_of_that_system(
    pool: asyncpg.Pool, district: None, tmp_path: Path
) -> None:
    await imported(pool, "incident-iq")
    text = (FIXTURES / "incident-iq.csv").read_text("utf-8")
    back = text.replace("Konrad Placeholder,S-2,In Use", ",,In Storage").replace("S-3,Lost", ",In Storage")
    path = files.written(tmp_path, "back.csv", back.rstrip())
    outcome = await imported(pool, "incident-iq", path, full=False)
    assert outcome.said == ("2 loans closed as the device is in stock",)
    assert [loan[4] for loan in await known(pool)] == [None, loan_desk.TODAY, loan_desk.TODAY]


async def test_a_device_told_to_be_lost_and_with_nobody_has_its_open_loan_marked(
    pool: asyncpg.Pool, district: None, tmp_path: Path
) -> None:
    await imported(pool, "snipe-it")
    lines = (FIXTURES / "snipe-it.csv").read_text("utf-8-sig").splitlines()
    lost = lines[2].replace("Konrad Placeholder", "").replace("user,S-2", ",")
    lost = lost.replace('"On ""Loan"" & out (deployed)"', "Lost/Stolen (archived)")
    never_lent = lines[4].replace("Ready to Deploy (deployable)", "Stolen (archived)")
    path = files.written(tmp_path, "lost.csv", lines[0], lines[1], lost, lines[3], never_lent)
    for day, said in ((16, "1 loan lost"), (20, "no loan changed")):
        outcome = await imported(pool, "snipe-it", path, today=date(2026, 10, day))
        assert (outcome.rejected, outcome.said[0]) == (0, said)
    assert await pool.fetchval("SELECT lost_on FROM loans WHERE checked_out_on = '2026-09-09'") == date(
        2026, 10, 16
    )
    found = await imported(pool, "snipe-it", today=date(2026, 10, 22))
    assert found.said[0] == "1 loan corrected"


async def test_rows_that_the_map_leaves_out_are_counted(pool: asyncpg.Pool, district: None) -> None:
    outcome = await imported(pool, "snipe-it")
    assert outcome.said[-1] == "1 rows of other things left out"
    assert outcome.accepted == 4


async def test_a_map_with_sites_wants_to_know_which_school_each_is(
    pool: asyncpg.Pool, district: None, tmp_path: Path
) -> None:
    with pytest.raises(errors.ConfigError, match="--schools FILE"):
        await imported(pool, "koha", schools=None)
    partial = files.written(tmp_path, "sites.csv", "site,ncessch", f"cpm ,{loan_desk.CEDAR}")
    outcome = await imported(pool, "koha", schools=partial)
    assert (outcome.accepted, outcome.rejected) == (2, 2)
    assert {(problem.column, problem.value) for problem in outcome.problems} == {("branchcode", "ACE")}


@pytest.mark.parametrize(
    ("line", "words"),
    [("CPM,4101", r"sites\.csv, row 2: ncessch .*12 digits"), (f",{loan_desk.CEDAR}", "site is empty")],
)
async def test_a_mistake_in_the_table_of_sites_stops_the_import(
    pool: asyncpg.Pool, district: None, tmp_path: Path, line: str, words: str
) -> None:
    with pytest.raises(errors.ConfigError, match=words):
        await imported(pool, "koha", schools=files.written(tmp_path, "sites.csv", "site,ncessch", line))


@pytest.mark.parametrize(
    ("name", "header"),
    [
        ("koha", "cardnumber"),
        ("follett-destiny", "District ID"),
        ("incident-iq", "Owner School Id Number"),
        ("snipe-it", '"Employee No."'),
    ],
)
async def test_another_header_stops_the_import_and_lists_what_is_there(
    pool: asyncpg.Pool, district: None, tmp_path: Path, name: str, header: str
) -> None:
    text = (FIXTURES / f"{name}.csv").read_text("utf-8-sig")
    changed = files.written(tmp_path, "changed.csv", text.replace(header, "Student Key").rstrip())
    with pytest.raises(errors.ImportRejected, match=r"not known here.*'Student Key'"):
        await imported(pool, name, changed)
    assert await known(pool) == []


async def test_an_unknown_status_is_refused_with_what_to_do(
    pool: asyncpg.Pool, district: None, tmp_path: Path
) -> None:
    text = (FIXTURES / "follett-destiny.csv").read_text("utf-8")
    text = text.replace("6/11/2027,Checked Out", "6/11/2027,On Mars", 1)
    outcome = await imported(pool, "follett-destiny", files.written(tmp_path, "mars.csv", text.rstrip()))
    assert [(problem.row, problem.column) for problem in outcome.problems] == [(2, "Status")]
    assert "[status]" in outcome.problems[0].reason


async def test_a_map_that_leaves_out_every_row_says_so(
    pool: asyncpg.Pool, district: None, tmp_path: Path
) -> None:
    lines = (FIXTURES / "snipe-it.csv").read_text("utf-8-sig").splitlines()
    with pytest.raises(errors.ImportRejected, match="leaves out all 1 rows"):
        await imported(pool, "snipe-it", files.written(tmp_path, "one.csv", lines[0], lines[5]))


async def test_open_loans_without_a_number_are_counted(
    pool: asyncpg.Pool, district: None, tmp_path: Path
) -> None:
    text = (FIXTURES / "snipe-it.csv").read_text("utf-8-sig").replace("user,S-1", "user,")
    outcome = await imported(pool, "snipe-it", files.written(tmp_path, "nameless.csv", text.rstrip()))
    assert (outcome.rejected, outcome.warnings[0].column) == (0, "Employee No.")
    assert outcome.warnings[0].reason.startswith("1 open loan(s) name no borrower")
