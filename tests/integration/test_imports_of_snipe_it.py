"""Loans from Snipe-IT's API are those of its report, and end up in the same records."""

import asyncio
import contextlib
import csv
import logging
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from typer.testing import CliRunner

from collectors import budget, simulation
from collectors.snipe_it import api as snipe_it_api
from collectors.snipe_it import lists, options, simulator
from service import config, errors
from service.commands import imports as import_commands
from service.imports import loan_maps, loans, outcomes, snipe_it, undoing
from tests import factories, files
from tests.contract import accounts
from tests.integration import loan_desk

FIXTURES = Path(__file__).parents[1] / "fixtures" / "loans"
SCHOOLS = {"Cedar Park Middle": loan_desk.CEDAR, "Alder Creek Elementary": loan_desk.ALDER}


@pytest.fixture
async def district(pool: asyncpg.Pool) -> None:
    await loan_desk.district(pool)


def of_the_report(path: Path = FIXTURES / "snipe-it.csv") -> simulator.Simulator:
    """A server with the assets of its report."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        return simulator.Simulator(
            [_asset(number, row) for number, row in enumerate(csv.DictReader(file), 1)]
        )


def _asset(number: int, row: dict[str, str]) -> simulator.Asset:
    label, _, meta = row["Status"].rpartition(" ")
    user = simulator.User(id=100 + number, employee_num=row["Employee No."], name=row["Checked Out"])
    return simulator.Asset(
        id=number,
        serial=row["Serial"],
        category=row["Category"],
        location=row["Location"],
        label=label,
        kind="deployable" if meta == "(deployed)" else meta.strip("()"),
        user=user if row["Type"] == "user" else None,
        held_by=("location", 5) if row["Type"] == "location" else None,
        last_checkout=row["Checkout Date"] or None,
        expected_checkin=row["Expected Checkin Date"] or None,
        custom={"IMEI": row["IMEI"]},
    )


@contextlib.asynccontextmanager
async def api_of(server: simulator.Simulator) -> AsyncIterator[snipe_it_api.Api]:
    async with simulation.serve(server) as url:
        given = options.Options(base_url=url, imei_field="IMEI", page_size=2)
        token = server.settings.token
        api = snipe_it_api.Api(given, token, budgets=budget.Unlimited(), limits=accounts.QUICK)
        try:
            yield api
        finally:
            await api.aclose()


async def listed(server: simulator.Simulator) -> lists.Listed:
    async with api_of(server) as api:
        return await snipe_it.read(api)


async def imported(
    pool: asyncpg.Pool, server: simulator.Simulator, *, today: date = loan_desk.TODAY, **chosen: Any
) -> outcomes.Outcome:
    return await snipe_it.run(
        pool,
        factories.DISTRICT,
        await listed(server),
        snipe_it.Choice(schools=SCHOOLS, **chosen),
        pseudonymizer=loan_desk.KEY,
        today=today,
    )


async def known(pool: asyncpg.Pool) -> list[tuple[Any, ...]]:
    rows = await pool.fetch("SELECT * FROM loans ORDER BY device_id, checked_out_on")
    return [tuple(row.values())[2:] for row in rows]


async def test_the_api_gives_the_loans_of_the_report(pool: asyncpg.Pool, district: None) -> None:
    await loans.run(
        pool,
        factories.DISTRICT,
        FIXTURES / "snipe-it.csv",
        pseudonymizer=loan_desk.KEY,
        today=loan_desk.TODAY,
        layout=loan_maps.load("snipe-it"),
        schools=FIXTURES / "sites.csv",
    )
    by_file = await known(pool)
    outcome = await imported(pool, of_the_report())
    assert (outcome.rejected, outcome.added, outcome.changed, outcome.closed) == (0, 0, 0, 0)
    assert len(by_file) == 3
    await pool.execute("DELETE FROM loans")
    again = await imported(pool, of_the_report())
    assert (again.added, await known(pool)) == (3, by_file)


async def test_what_came_back_is_closed_and_what_was_lent_on_ends_on_that_day(
    pool: asyncpg.Pool, district: None
) -> None:
    server = of_the_report()
    await imported(pool, server)
    server.assets[0].user = None  # in stock
    server.assets[1].user = simulator.User(id=7, employee_num="S-7")
    server.assets[1].last_checkout = "2026-10-14 09:00:00"
    outcome = await imported(pool, server, today=date(2026, 10, 16))
    assert outcome.said[:3] == ("1 loan opened", "1 closed as absent", "1 closed as the device is in stock")
    ended = await pool.fetch("SELECT returned_on FROM loans WHERE returned_on IS NOT NULL ORDER BY 1")
    assert [row["returned_on"] for row in ended] == [date(2026, 10, 14), date(2026, 10, 16)]
    await undoing.run(pool, factories.DISTRICT, "loans", today=loan_desk.TODAY)
    assert await pool.fetchval("SELECT count(*) FROM loans WHERE returned_on IS NULL") == 3


async def test_an_asset_that_is_archived_as_stolen_keeps_its_loan_open_and_lost(
    pool: asyncpg.Pool, district: None
) -> None:
    server = of_the_report()
    await imported(pool, server)
    stolen = server.assets[0]
    stolen.user, stolen.label, stolen.kind, stolen.last_checkout = None, "Gestohlen", "archived", None
    outcome = await imported(pool, server, lost_statuses=("Gestohlen", "Lost*"))
    assert outcome.said[0] == "1 loan lost"
    loan = await files.only(pool, "SELECT * FROM loans WHERE checked_out_on = '2026-09-08'")
    assert (loan["lost_on"], loan["returned_on"]) == (loan_desk.TODAY, None)


async def test_only_the_chosen_categories_and_models_are_loans(pool: asyncpg.Pool, district: None) -> None:
    server = of_the_report()
    server.assets[0].category = "Chromebooks"
    server.assets[1].model = "Another"
    outcome = await imported(pool, server, categories=("hotspot*",), models=("R850",))
    assert (outcome.added, outcome.said[-1]) == (1, "3 rows of other things left out")


async def test_an_asset_that_cannot_be_read_closes_nothing(pool: asyncpg.Pool, district: None) -> None:
    server = of_the_report()
    await imported(pool, server)

    def spoil(body: Any) -> None:
        body["rows"][0]["id"] = "Wilhelmina"

    server.faults.next(simulation.changed(spoil), endpoint="hardware")
    outcome = await imported(pool, server)
    assert (outcome.rejected, outcome.closed) == (1, 0)
    assert outcome.problems[0].column == "rows[0].id"
    assert "no absent loan was closed" in outcome.warnings[0].reason


async def test_a_server_that_cannot_be_read_changes_nothing_and_says_why(
    pool: asyncpg.Pool, district: None
) -> None:
    server = of_the_report()
    server.faults.next(simulation.status(401), endpoint="hardware", after=1)
    with pytest.raises(errors.ImportRejected, match=r"nothing was changed.*token"):
        await listed(server)
    assert await pool.fetchval("SELECT count(*) FROM imports") == 0


async def test_no_name_is_kept_or_told(
    pool: asyncpg.Pool, district: None, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    server = of_the_report()
    server.assets[0].location = "Nowhere"
    outcome = await imported(pool, server)
    assert outcome.rejected == 1
    kept = "\n".join((await files.contents(pool)).values())
    for personal in ("Wilhelmina", "Placeholder", "S-1", "S-2", "example.org", "aunt"):
        for place in (kept, repr(outcome), caplog.text):
            assert personal not in place


async def test_the_command_reads_what_the_configuration_names(
    pool: asyncpg.Pool, district: None, database: str, tmp_path: Path
) -> None:
    server = of_the_report()
    async with simulation.serve(server) as url:
        path = _configured(tmp_path, database, url, server.settings.token)
        runner = CliRunner(env={"COLUMNS": "200"})
        result = await asyncio.to_thread(runner.invoke, import_commands.app, ["snipe-it"], obj=path)
    assert (result.exit_code, "2 loans opened" in result.output) == (0, False), result.output
    assert "3 loans opened, 1 lost" in result.output
    assert await pool.fetchval("SELECT count(*) FROM loans") == 3


def _configured(folder: Path, database: str, url: str, token: str) -> Path:
    key = files.written(folder, "pseudonym.key", "0123456789abcdef0123456789abcdef")
    return files.written(
        folder,
        "afterbell.toml",
        f'database.url = "{database}"',
        "[[districts]]",
        f"id = {factories.DISTRICT}",
        'name = "Lab District"',
        f'time_zone = "{factories.ZONE}"',
        f'pseudonym_key_file = "{key}"',
        "[districts.snipe_it]",
        f'url = "{url}"',
        f'token_file = "{files.written(folder, "token", token)}"',
        'imei_field = "IMEI"',
        "requests_per_second = 100",
        "[districts.snipe_it.schools]",
        *(f'"{name}" = "{ncessch}"' for name, ncessch in SCHOOLS.items()),
    )


async def test_a_district_without_snipe_it_is_told_what_it_needs(
    pool: asyncpg.Pool, district: None, database: str, tmp_path: Path
) -> None:
    path = files.written(
        tmp_path,
        "afterbell.toml",
        f'database.url = "{database}"',
        "[[districts]]",
        "id = 1",
        'name = "Lab"',
        f'time_zone = "{factories.ZONE}"',
    )
    result = await asyncio.to_thread(CliRunner().invoke, import_commands.app, ["snipe-it"], obj=path)
    assert isinstance(result.exception, errors.ConfigError)
    assert "url and token_file" in str(result.exception)


def test_a_token_that_no_request_can_carry_is_told_before_one_is_sent(tmp_path: Path) -> None:
    told = {
        "url": "https://assets.example.org",
        "token_file": files.written(tmp_path, "token", "two", "lines"),
    }
    with pytest.raises(errors.ConfigError, match="one line"):
        config.snipe_it_token(config.SnipeIt(**told))


def test_an_address_that_a_token_may_not_be_sent_to_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="url must begin with https"):
        config.SnipeIt(url="http://assets.example.org", token_file=tmp_path / "token")
