"""``afterbell conflicts``, as a technician would run it, and what the check and the page say of conflicts."""

import asyncio
import re
from pathlib import Path

import asyncpg
import pytest
from typer.testing import CliRunner, Result

from service import checks, errors
from service.commands import conflicts as conflict_commands
from service.store import coverage
from service.web import pages
from tests import factories, files, told
from tests.fleet import iccid, imei
from tests.told import HOUR, START, sight

SERIAL = "AB00000001"
MDN = "+12125500001"


@pytest.fixture
def config_path(database: str, tmp_path: Path) -> Path:
    account = ("[[districts.accounts]]", 'collector = "file"')
    return files.written(
        tmp_path,
        "afterbell.toml",
        f'database.url = "{database}"',
        "[[districts]]",
        f"id = {factories.DISTRICT}",
        'name = "Lab District"',
        f'time_zone = "{factories.ZONE}"',
        *(line for key in ("carrier", "router") for line in (*account, f'key = "{key}"')),
    )


@pytest.fixture
async def fleet(pool: asyncpg.Pool) -> told.Fleet:
    """A line of which two accounts say that it is in two devices, and a serial number of two devices."""
    fleet = await told.fleet(pool)
    await fleet.tell("carrier", START, sight("one", iccid=iccid(1), mdn=MDN, imei=imei(1), serial=SERIAL))
    later = START + HOUR
    two = sight("two", later, iccid=iccid(2), imei=imei(3), serial=SERIAL)
    await fleet.tell("router", later, sight("one", later, iccid=iccid(1), imei=imei(2)), two)
    return fleet


async def run(config_path: Path, *arguments: str) -> Result:
    """In a thread: the command starts an event loop of its own."""
    runner = CliRunner(env={"COLUMNS": "300"})
    result = await asyncio.to_thread(runner.invoke, conflict_commands.app, arguments, obj=config_path)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


async def ids(fleet: told.Fleet) -> dict[str, str]:
    rows = await fleet.rows("SELECT kind::text, conflict_id FROM conflicts WHERE district_id = $1")
    return {kind: str(conflict_id) for kind, conflict_id in rows}


async def test_the_list_names_both_sides(fleet: told.Fleet, config_path: Path) -> None:
    result = await run(config_path, "list")
    assert result.exit_code == 0
    for told_of in (
        iccid(1),
        MDN,
        imei(1),
        imei(2),
        imei(3),
        SERIAL,
        "carrier",
        "router",
        "2026-10-05 10:00",
    ):
        assert told_of in result.output
    assert "conflicts resolve ID" in result.output


async def test_a_decision_is_told_and_the_list_is_shorter(fleet: told.Fleet, config_path: Path) -> None:
    known = await ids(fleet)
    result = await run(config_path, "resolve", known["line_device"], "--take")
    assert (result.exit_code, "is in force from now on" in result.output) == (0, True)
    kept = await run(config_path, "resolve", known["serial"], "--keep", "--district", "1")
    assert "stays in force" in kept.output
    assert "no conflict is open" in (await run(config_path, "list")).output
    assert [row[-1] for row in await fleet.conflicts()] == ["taken", "kept"]


@pytest.mark.parametrize("sides", [(), ("--keep", "--take")], ids=["neither", "both"])
async def test_one_side_is_right(fleet: told.Fleet, config_path: Path, sides: tuple[str, ...]) -> None:
    result = await run(config_path, "resolve", (await ids(fleet))["serial"], *sides)
    assert (result.exit_code, "--keep or --take" in result.output) == (2, True)


async def test_what_cannot_be_decided_says_where_to_look(fleet: told.Fleet, config_path: Path) -> None:
    with pytest.raises(errors.ConfigError, match="no conflict 999: see afterbell conflicts list"):
        await run(config_path, "resolve", "999", "--keep")
    with pytest.raises(errors.ConfigError, match="no district 9: the configuration has 1"):
        await run(config_path, "list", "--district", "9")
    known = (await ids(fleet))["serial"]
    await run(config_path, "resolve", known, "--keep")
    with pytest.raises(errors.ConfigError, match="is settled already"):
        await run(config_path, "resolve", known, "--take")


async def test_the_check_and_the_page_show_ids_and_never_an_identifier(fleet: told.Fleet) -> None:
    shown = await coverage.snapshot(fleet.pool, now=START + 2 * HOUR)
    (finding,) = checks.one_fleet(shown)
    assert (finding.is_good, finding.found.startswith("2 open: ")) == (False, True)
    assert "router against carrier, line " in finding.found
    page = pages.district_page(shown, shown.districts[0], now=START + 2 * HOUR)
    assert "2 open conflicts" in page
    for text in (finding.found, page):
        for secret in (iccid(1), MDN, imei(1), imei(2), imei(3), SERIAL):
            assert secret not in text


async def test_a_fleet_without_contradictions_has_a_good_check_and_no_section(pool: asyncpg.Pool) -> None:
    fleet = await told.fleet(pool)
    await fleet.tell("carrier", START, sight("one", iccid=iccid(1), imei=imei(1)))
    shown = await coverage.snapshot(pool, now=START + HOUR)
    (finding,) = checks.one_fleet(shown)
    assert finding.is_good
    assert re.search("contradict", pages.district_page(shown, shown.districts[0], now=START + HOUR)) is None
