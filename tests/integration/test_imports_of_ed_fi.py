"""Answers from an Ed-Fi API: the same rows as from a file, and nothing half-written when the host fails."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from typer.testing import CliRunner

from collectors import errors as collector_errors
from collectors import simulation
from collectors.ed_fi import simulator
from service import errors
from service.commands import imports as import_commands
from service.imports import answer_maps, ed_fi, need_answers, outcomes
from service.model import pseudonyms
from tests import factories, files
from tests.contract import ed_fi as hosts

TODAY = date(2026, 10, 15)
CEDAR, ALDER = "410192000001", "410192000002"
KEY = pseudonyms.Pseudonymizer(b"0123456789abcdef0123456789abcdef")


@pytest.fixture
async def district(pool: asyncpg.Pool) -> int:
    """Two schools; the roster knows the student whom the API has at the district only."""
    await factories.district(pool)
    school_id = await factories.school(pool, CEDAR)
    await factories.school(pool, ALDER)
    await pool.execute(
        "INSERT INTO enrollments (district_id, student, starts_on, school_id) VALUES ($1, $2, '2026-07-01', $3)",
        factories.DISTRICT,
        KEY.borrower("604807"),
        school_id,
    )
    return factories.DISTRICT


def terms(map_name: str = "ed-fi") -> need_answers.Terms:
    return need_answers.Terms(answer_maps.load(map_name), KEY, TODAY, TODAY)


async def imported(
    pool: asyncpg.Pool,
    stand: simulator.Simulator,
    *,
    map_name: str = "ed-fi",
    schools: Mapping[str, str] | None = None,
    dry_run: bool = False,
) -> outcomes.Outcome:
    async with hosts.reading(stand) as (calls, _):
        found = await ed_fi.read(calls, answer_maps.load(map_name), schools or {})
    return await ed_fi.run(pool, factories.DISTRICT, found, terms(map_name), dry_run=dry_run)


async def answers(pool: asyncpg.Pool) -> str:
    return (await files.contents(pool))["need_answers"]


async def test_the_api_and_a_file_of_one_district_give_the_same_rows(
    pool: asyncpg.Pool, district: int
) -> None:
    outcome = await imported(pool, hosts.simulated(hosts.fixture("associations")))
    assert (outcome.accepted, outcome.added, outcome.rejected) == (6, 6, 0)
    by_api = await answers(pool)
    await pool.execute("DELETE FROM need_answers")
    by_file = await need_answers.run(pool, district, hosts.FIXTURES / "answers.csv", terms())
    assert (by_file.added, by_file.rejected) == (6, 0)
    assert await answers(pool) == by_api
    again = await imported(pool, hosts.simulated(hosts.fixture("associations")))
    assert (again.unchanged, again.added, again.changed) == (6, 0, 0)


async def test_what_the_import_found_is_told(pool: asyncpg.Pool, district: int) -> None:
    outcome = await imported(pool, hosts.simulated(hosts.fixture("associations")))
    assert outcome.said == (
        "6 students",
        "1 of them in the roster",
        "0 with an open loan",
        "1 with an answer that cannot be used",
        "1 associations without an answer",
    )


async def test_a_student_without_an_answer_does_not_end_an_earlier_one(
    pool: asyncpg.Pool, district: int
) -> None:
    outcome = await imported(pool, hosts.simulated(hosts.fixture("associations")))
    assert outcome.kind == "ed-fi"
    known = {row["student"] for row in await pool.fetch("SELECT student FROM need_answers")}
    assert KEY.borrower("604806") not in known
    assert KEY.borrower("604805") in known


async def test_an_answer_is_of_the_day_it_was_written_in_the_districts_zone(
    pool: asyncpg.Pool, district: int
) -> None:
    late = hosts.association(1, _lastModifiedDate="2026-09-04T05:30:00Z")
    unzoned = hosts.association(2, _lastModifiedDate="2026-09-04T05:30:00.5")
    undated = hosts.association(3, _lastModifiedDate=None)
    await imported(pool, hosts.simulated([late, unzoned, undated]))
    days = await pool.fetch("SELECT answered_on FROM need_answers ORDER BY answered_on")
    assert [row["answered_on"] for row in days] == [date(2026, 9, 3), date(2026, 9, 3), TODAY]


async def test_indicators_are_read_with_their_states_map(pool: asyncpg.Pool, district: int) -> None:
    outcome = await imported(pool, hosts.simulated(hosts.fixture("indicators")), map_name="minnesota")
    assert (outcome.added, outcome.rejected) == (4, 0)
    rows = await pool.fetch("SELECT student, has_access, barrier, access_type, performance FROM need_answers")
    told = {row["student"]: tuple(row)[1:] for row in rows}
    assert told == {
        KEY.borrower("604801"): (True, None, "residential_broadband", "yes"),
        KEY.borrower("604802"): (True, None, "cellular_network", "sometimes"),
        KEY.borrower("604803"): (False, "not_available", None, None),
        KEY.borrower("604804"): (False, "not_affordable", None, None),
    }


async def test_a_word_that_the_map_does_not_know_is_refused_with_those_it_knows(
    pool: asyncpg.Pool, district: int
) -> None:
    odd = hosts.association(1, internetAccessTypeInResidenceDescriptor="uri://x#Starlink")
    outcome = await imported(pool, hosts.simulated([odd, hosts.association(2)]))
    (problem,) = outcome.problems
    assert (problem.row, outcome.added) == (1, 1)
    assert "Residential Broadband, Cellular Network, Hot Spot" in problem.reason


async def test_items_that_cannot_be_read_are_counted_with_the_rejected(
    pool: asyncpg.Pool, district: int
) -> None:
    odd = hosts.association(1, internetAccessInResidence="perhaps")
    outcome = await imported(pool, hosts.simulated([odd, hosts.association(2)]))
    assert (outcome.accepted, outcome.rejected, outcome.added) == (1, 1, 1)
    assert outcome.problems[0] == outcomes.Problem(
        1, "internetAccessInResidence", "expected bool | null, got str"
    )


async def test_a_student_at_school_and_district_with_the_same_answer_is_one(
    pool: asyncpg.Pool, district: int
) -> None:
    both = [hosts.association(1, 255901), hosts.association(1, 255901001)]
    outcome = await imported(pool, hosts.simulated(both))
    assert (outcome.added, outcome.repeated, outcome.rejected) == (1, 1, 0)
    assert await pool.fetchval("SELECT school_id FROM need_answers") is not None


async def test_a_school_without_nces_id_is_told_and_can_be_named(pool: asyncpg.Pool, district: int) -> None:
    stand = hosts.simulated([hosts.association(1, 255901001)])
    stand.schools[0]["identificationCodes"] = []
    outcome = await imported(pool, stand)
    assert outcome.rejected == 1
    assert "belongs to no school" in outcome.problems[0].reason
    assert "255901001" in outcome.warnings[-1].reason
    outcome = await imported(pool, stand, schools={"255901001": ALDER})
    assert (outcome.added, outcome.rejected, outcome.warnings) == (
        1,
        0,
        (outcomes.Problem(0, "", "none of the 1 students is in the roster: is it the same number?"),),
    )


async def test_an_api_without_any_answer_changes_nothing(pool: asyncpg.Pool, district: int) -> None:
    silent = hosts.association(1, internetAccessInResidence=None)
    with pytest.raises(errors.ImportRejected, match="lists 1 associations of students, and none tells"):
        await imported(pool, hosts.simulated([silent]))
    assert await pool.fetchval("SELECT count(*) FROM imports") == 0


async def test_what_staff_documented_by_file_stays_when_the_api_tells_of_the_same_day(
    pool: asyncpg.Pool, district: int, tmp_path: Path
) -> None:
    header = ("student", "ncessch", "answeredOn", "household", "documentedByStaff")
    path = files.csv_file(tmp_path, "staff.csv", header, [["604801", CEDAR, "2026-09-03", "h1", "yes"]])
    await need_answers.run(pool, district, path, terms())
    await imported(pool, hosts.simulated(hosts.fixture("associations")))
    found = await files.only(pool, "SELECT * FROM need_answers WHERE is_documented_by_staff")
    assert (found["has_access"], found["household"]) == (True, KEY.household("h1"))


@pytest.mark.parametrize(
    "fault", [simulation.status(401), simulation.status(403), simulation.status(503), simulation.html]
)
async def test_a_host_that_fails_midway_leaves_nothing_half_written(
    pool: asyncpg.Pool, district: int, fault: simulation.Fault
) -> None:
    before = await files.contents(pool)
    stand = hosts.host(25)
    stand.faults.next(fault, endpoint="associations", after=1, times=99)
    with pytest.raises(errors.ImportRejected, match="nothing was changed") as caught:
        await imported(pool, stand)
    assert isinstance(caught.value.__cause__, collector_errors.CollectorError)
    assert await files.contents(pool) == before


async def test_a_dry_run_keeps_nothing(pool: asyncpg.Pool, district: int) -> None:
    outcome = await imported(pool, hosts.simulated(hosts.fixture("associations")), dry_run=True)
    assert outcome.added == 6
    assert await answers(pool) == ""


async def test_no_personal_fact_of_the_api_is_stored_logged_or_told(
    pool: asyncpg.Pool, district: int, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        said = [await imported(pool, hosts.simulated(hosts.fixture("associations")))]
        said += [await imported(pool, hosts.simulated(hosts.fixture("indicators")), map_name="minnesota")]
    logged = "".join(record.getMessage() for record in caplog.records)
    kept = f"{await files.contents(pool)}{logged}{said}".lower()
    for secret in ("placeholder", "nowhere", "503-555", "000-00", "6048", hosts.SECRET):
        assert secret not in kept


@contextlib.asynccontextmanager
async def configured(
    database: str, folder: Path, stand: simulator.Simulator, secret: str = hosts.SECRET
) -> AsyncIterator[Path]:
    """A configuration that names the host."""
    key = files.written(folder, "pseudonym.key", KEY.key.decode())
    secret_file = files.written(folder, "ed-fi-secret", secret)
    async with simulation.serve(stand) as url:
        yield files.written(
            folder,
            "afterbell.toml",
            f'database.url = "{database}"',
            "[[districts]]",
            f"id = {factories.DISTRICT}",
            'name = "Lab District"',
            f'time_zone = "{factories.ZONE}"',
            f'pseudonym_key_file = "{key}"',
            "[districts.ed_fi]",
            f'url = "{url}"',
            "requests_per_second = 1000",
            f'credentials = {{ key = "simulated-key", secret_file = "{secret_file}" }}',
        )


async def run_command(config: Path, *arguments: str) -> Any:
    runner = CliRunner(env={"COLUMNS": "200"})
    return await asyncio.to_thread(runner.invoke, import_commands.app, [*arguments], obj=config)


async def test_the_command_reads_the_configured_api(
    pool: asyncpg.Pool, district: int, database: str, tmp_path: Path
) -> None:
    stand = hosts.simulated(hosts.fixture("associations"))
    async with configured(database, tmp_path, stand) as config:
        result = await run_command(config, "ed-fi")
    assert (result.exit_code, result.exception) == (0, None)
    assert "ed-fi: 6 rows accepted, 0 rejected; 6 added" in result.output
    assert "6 students, 1 of them in the roster" in result.output
    assert len((await answers(pool)).splitlines()) == 6


async def test_the_command_tells_of_a_wrong_secret(district: int, database: str, tmp_path: Path) -> None:
    async with configured(database, tmp_path, hosts.host(1), secret="another") as config:
        result = await run_command(config, "ed-fi")
    assert isinstance(result.exception, errors.ImportRejected)
    assert "the credentials or the token were refused" in str(result.exception)


async def test_a_district_without_an_api_is_told_so(database: str, tmp_path: Path) -> None:
    config = files.written(
        tmp_path,
        "afterbell.toml",
        f'database.url = "{database}"',
        "[[districts]]",
        "id = 1",
        'name = "Lab District"',
        f'time_zone = "{factories.ZONE}"',
    )
    result = await run_command(config, "ed-fi")
    assert isinstance(result.exception, errors.ConfigError)
    assert "has no ed_fi in the configuration" in str(result.exception)
