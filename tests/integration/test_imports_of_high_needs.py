"""High-needs schools by a rule, from NCES's national files or the district's own list."""

import csv
from datetime import date
from pathlib import Path

import asyncpg
import pytest

from service import errors
from service.imports import ccd, high_needs, outcomes, schools, undoing
from service.model import high_needs as rules
from tests import factories, files

TODAY = date(2026, 10, 15)
FIXTURES = Path(__file__).parents[1] / "fixtures" / "ccd"
FILES = ccd.Files(FIXTURES / "ccd_sch_033.csv", FIXTURES / "ccd_sch_052.csv", FIXTURES / "ccd_sch_129.csv")
CEDAR, ALDER, BIRCH, DOGWOOD, ELM, FIR, GROVE = (f"41019200000{number}" for number in range(1, 8))


@pytest.fixture
async def district(pool: asyncpg.Pool) -> int:
    await factories.district(pool)
    for ncessch in (CEDAR, ALDER, BIRCH, DOGWOOD, ELM, FIR, GROVE):
        await factories.school(pool, ncessch)
    return factories.DISTRICT


def asked(
    rule: str,
    cep_rule: str | None = None,
    *,
    given: ccd.Files = FILES,
    list_path: Path | None = None,
    year: str = "2024-25",
) -> high_needs.Request:
    in_cep = None if cep_rule is None else rules.rule(cep_rule)
    return high_needs.Request(rules.rule(rule), in_cep, year, given, list_path)


async def decided(
    pool: asyncpg.Pool, request: high_needs.Request, *, dry_run: bool = False
) -> outcomes.Outcome:
    return await high_needs.run(pool, factories.DISTRICT, request, today=TODAY, dry_run=dry_run)


async def stored(pool: asyncpg.Pool) -> dict[str, tuple[bool | None, str | None, float | None]]:
    found = await pool.fetch("SELECT * FROM schools")
    return {
        row["ncessch"]: (
            row["is_high_needs"],
            row["indicator"],
            None if row["indicator_value"] is None else round(row["indicator_value"], 3),
        )
        for row in found
    }


def reasons(outcome: outcomes.Outcome) -> dict[str | None, str]:
    return {warning.value: warning.reason for warning in outcome.warnings}


async def test_frpl_decides_the_schools_it_is_known_of_and_lists_the_others(
    pool: asyncpg.Pool, district: int
) -> None:
    outcome = await decided(pool, asked("frpl>=0.75"))
    assert await stored(pool) == {
        CEDAR: (True, "frpl", 0.818),  # 360 of 440: neither the categories nor the adults are counted twice
        ALDER: (False, "frpl", 0.225),  # 90 with those of no told category
        BIRCH: (None, "frpl", None),
        DOGWOOD: (None, "frpl", None),
        ELM: (None, "frpl", None),
        FIR: (None, "frpl", None),
        GROVE: (None, "frpl", None),
    }
    told = reasons(outcome)
    assert set(told) == {BIRCH, DOGWOOD, ELM, FIR, GROVE}
    assert "CEP" in told[BIRCH]
    assert "CEP" in told[ELM]
    assert "'Suppressed'" in told[DOGWOOD]
    assert "may be a CEP school" in told[FIR]
    assert outcome.said == ("1 become high-needs", "5 unknown", "1 not high-needs")
    row = await files.only(pool, "SELECT * FROM schools WHERE ncessch = $1", CEDAR)
    assert (row["high_needs_basis"], row["indicator_year"]) == (
        "FRPL at least 75 %, NCES CCD 2024-25",
        "2024-25",
    )


async def test_cep_schools_have_a_rule_of_their_own_and_shares_over_one_are_kept(
    pool: asyncpg.Pool, district: int
) -> None:
    outcome = await decided(pool, asked("frpl>=0.75", "direct_cert>=0.4"))
    found = await stored(pool)
    assert found[BIRCH] == (True, "direct_cert", 0.58)
    assert found[ELM] == (None, "direct_cert", None)
    assert "is -1, which stands for not known" in reasons(outcome)[ELM]
    basis = await pool.fetchval("SELECT high_needs_basis FROM schools WHERE ncessch = $1", BIRCH)
    assert basis == "direct certification at least 40 % (a CEP school), NCES CCD 2024-25"


async def test_direct_certification_holds_in_every_school(pool: asyncpg.Pool, district: int) -> None:
    await decided(pool, asked("direct_cert>=0.4", given=ccd.Files(FILES.lunch, FILES.membership)))
    found = await stored(pool)
    assert {school: found[school][0] for school in (CEDAR, ALDER, BIRCH, DOGWOOD, ELM, FIR)} == {
        CEDAR: True, ALDER: False, BIRCH: True, DOGWOOD: None, ELM: None, FIR: False,
    }  # fmt: skip


async def test_title_one_asks_for_a_programme(pool: asyncpg.Pool, district: int) -> None:
    await decided(pool, asked("title1", given=ccd.Files(characteristics=FILES.characteristics)))
    found = await stored(pool)
    assert [found[school][0] for school in (CEDAR, ALDER, DOGWOOD, ELM, FIR)] == [
        True,
        False,
        True,
        False,
        None,
    ]
    assert found[CEDAR] == (True, "title1", None)


async def test_the_same_files_again_change_nothing_and_undo_puts_all_back(
    pool: asyncpg.Pool, district: int
) -> None:
    await pool.execute(
        "UPDATE schools SET is_high_needs = true, high_needs_basis = 'x' WHERE ncessch = $1", ALDER
    )
    before = await files.contents(pool, without=["imports", "import_changes"])
    first = await decided(pool, asked("frpl>=0.75"))
    again = await decided(pool, asked("frpl>=0.75"))
    assert (first.changed, again.changed, again.unchanged) == (7, 0, 7)
    assert first.said == ("1 become high-needs", "1 no longer high-needs", "5 unknown")
    assert again.said == ("5 unknown", "1 stay high-needs", "1 not high-needs")
    await undoing.run(pool, district, "high-needs", today=TODAY)
    assert await files.contents(pool, without=["imports", "import_changes"]) == before


async def test_a_dry_run_tells_the_same_and_keeps_nothing(pool: asyncpg.Pool, district: int) -> None:
    before = await files.contents(pool)
    dry = await decided(pool, asked("frpl>=0.75"), dry_run=True)
    assert await files.contents(pool) == before
    assert dry.said == (await decided(pool, asked("frpl>=0.75"))).said


async def test_a_file_of_another_year_is_refused(pool: asyncpg.Pool, district: int) -> None:
    with pytest.raises(errors.ImportRejected, match="is of 2024-2025, and --year says 2023-24"):
        await decided(pool, asked("frpl>=0.75", year="2023-24"))


async def test_the_wrong_file_is_refused_by_its_columns(pool: asyncpg.Pool, district: int) -> None:
    swapped = ccd.Files(FILES.membership, FILES.lunch, FILES.characteristics)
    with pytest.raises(errors.ImportRejected, match=r"lacks the column.*DATA_GROUP"):
        await decided(pool, asked("frpl>=0.75", given=swapped))


async def test_a_file_without_the_districts_schools_is_refused(pool: asyncpg.Pool, tmp_path: Path) -> None:
    await factories.district(pool)
    await factories.school(pool, "530000000001")
    with pytest.raises(errors.ImportRejected, match="has no such row of the district's 1 school"):
        await decided(pool, asked("frpl>=0.75"))


async def test_a_district_without_schools_is_told_to_import_them(pool: asyncpg.Pool) -> None:
    await factories.district(pool)
    with pytest.raises(errors.ImportRejected, match="import the schools first"):
        await decided(pool, asked("frpl>=0.75"))


def with_lunch(folder: Path, **counts: str) -> ccd.Files:
    """The lunch file with other counts of Cedar Park, by programme."""
    with FIXTURES.joinpath("ccd_sch_033.csv").open(newline="") as file:
        header, *rows = csv.reader(file)
    programme, count, school = (header.index(name) for name in ("LUNCH_PROGRAM", "STUDENT_COUNT", "NCESSCH"))
    for row in rows:
        key = row[programme].split()[0].split("-")[0].lower()
        if row[school] == CEDAR and key in counts:
            row[count] = counts[key]
    path = files.csv_file(folder, "lunch.csv", header, rows)
    return ccd.Files(path, FILES.membership, FILES.characteristics)


async def test_a_total_below_its_parts_is_no_total(pool: asyncpg.Pool, district: int, tmp_path: Path) -> None:
    outcome = await decided(pool, asked("frpl>=0.5", given=with_lunch(tmp_path, no="100")))
    assert (await stored(pool))[CEDAR][0] is None
    assert "is 100, and free and reduced together are 360" in reasons(outcome)[CEDAR]


async def test_free_and_reduced_stand_in_for_a_total_that_is_not_told(
    pool: asyncpg.Pool, district: int, tmp_path: Path
) -> None:
    await decided(pool, asked("frpl>=0.5", given=with_lunch(tmp_path, no="-9")))
    assert (await stored(pool))[CEDAR] == (True, "frpl", 0.818)


async def test_a_count_that_is_none_is_rejected_with_its_file_and_the_school_is_unknown(
    pool: asyncpg.Pool, district: int, tmp_path: Path
) -> None:
    outcome = await decided(pool, asked("frpl>=0.5", given=with_lunch(tmp_path, no="n/a", free="x")))
    assert [(problem.column, problem.value) for problem in outcome.problems] == [
        ("lunch.csv: STUDENT_COUNT", "x"),
        ("lunch.csv: STUDENT_COUNT", "n/a"),
    ]
    assert outcome.rejected == 2
    assert (await stored(pool))[CEDAR][0] is None


async def test_the_districts_own_list_has_what_no_national_file_has(
    pool: asyncpg.Pool, district: int, tmp_path: Path
) -> None:
    path = files.written(
        tmp_path,
        "isp.csv",
        "ncessch,indicator,value",
        f"{CEDAR},isp,62.5%",
        f"{BIRCH},isp,0.31",
        f"{ALDER},isp,62",
        f"{ELM},isp,",
        "410192000099,isp,0.5",
        f"{FIR},title1,1",
    )
    outcome = await decided(pool, asked("isp>=0.4", given=ccd.Files(), list_path=path, year="2026-27"))
    found = await stored(pool)
    assert (found[CEDAR], found[BIRCH]) == ((True, "isp", 0.625), (False, "isp", 0.31))
    assert found[ALDER] == (None, "isp", None)
    assert [(problem.row, problem.column) for problem in outcome.problems] == [
        (4, "value"), (5, "value"), (6, "ncessch"), (7, "indicator"),
    ]  # fmt: skip
    basis = await pool.fetchval("SELECT high_needs_basis FROM schools WHERE ncessch = $1", CEDAR)
    assert basis == "identified students at least 40 %, the district's list 2026-27"


async def test_cep_schools_may_be_decided_by_the_list_and_the_others_by_the_national_files(
    pool: asyncpg.Pool, district: int, tmp_path: Path
) -> None:
    path = files.written(tmp_path, "isp.csv", "ncessch,indicator,value", f"{BIRCH},isp,0.62")
    await decided(pool, asked("frpl>=0.75", "isp>=0.4", list_path=path))
    found = await stored(pool)
    assert (found[CEDAR], found[BIRCH]) == ((True, "frpl", 0.818), (True, "isp", 0.62))


@pytest.mark.parametrize(
    ("rule", "cep_rule", "given", "message"),
    [
        ("frpl>=0.75", None, ccd.Files(FILES.lunch), "needs --membership and --characteristics"),
        ("direct_cert>=0.4", None, ccd.Files(), "needs --lunch and --membership"),
        ("title1", None, ccd.Files(), "needs --characteristics"),
        ("isp>=0.4", None, FILES, "needs --list, as no national file has it"),
        ("direct_cert>=0.4", "isp>=0.4", FILES, "--cep-rule goes with a rule of FRPL"),
        ("frpl>=0.4", "frpl>=0.4", FILES, "says nothing of CEP schools"),
    ],
)
def test_a_rule_without_its_files_names_them(
    rule: str, cep_rule: str | None, given: ccd.Files, message: str
) -> None:
    with pytest.raises(errors.ConfigError, match=message):
        high_needs.check(asked(rule, cep_rule, given=given))


SCHOOLS = "ncessch,name,high_needs,high_needs_basis,indicator,indicator_value,indicator_year"


async def test_the_list_of_schools_may_tell_the_indicator(
    pool: asyncpg.Pool, district: int, tmp_path: Path
) -> None:
    path = files.written(
        tmp_path,
        "schools.csv",
        SCHOOLS,
        f"{CEDAR},Cedar Park,yes,State list 2025-26,ISP,71.5 %,2025-2026",
        f"{ALDER},Alder,no,State list 2025-26,isp,0.2,",
        f"{BIRCH},Birch,no,State list 2025-26,,0.2,2025-26",
        f"{ELM},Elm,no,State list 2025-26,isp,0.2,2025-27",
    )
    outcome = await schools.run(pool, district, path, today=TODAY)
    assert [(problem.row, problem.column) for problem in outcome.problems] == [
        (3, "indicator_year"), (4, "indicator"), (5, "indicator_year"),
    ]  # fmt: skip
    row = await files.only(pool, "SELECT * FROM schools WHERE ncessch = $1", CEDAR)
    assert (row["indicator"], row["indicator_value"], row["indicator_year"]) == ("isp", 0.715, "2025-26")


async def test_a_list_of_names_leaves_what_the_rule_decided(
    pool: asyncpg.Pool, district: int, tmp_path: Path
) -> None:
    await decided(pool, asked("frpl>=0.75"))
    before = await stored(pool)
    path = files.written(tmp_path, "schools.csv", "ncessch,name", f"{CEDAR},Cedar Park Middle")
    outcome = await schools.run(pool, district, path, today=TODAY)
    assert (outcome.changed, await stored(pool)) == (1, before)
    told = files.written(tmp_path, "schools.csv", "ncessch,name,high_needs", f"{CEDAR},Cedar Park Middle,no")
    await schools.run(pool, district, told, today=TODAY)
    assert (await stored(pool))[CEDAR] == (False, None, None)
