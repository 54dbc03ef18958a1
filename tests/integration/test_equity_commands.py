"""``afterbell equity``, ``costs``, ``reclaim``, ``reallocate``, ``pilots`` and ``pilot``, as they are run."""

import asyncio
import csv
import json
import re
from datetime import datetime
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from typer.testing import CliRunner, Result

from service import __main__ as command_line
from service import app, errors
from tests import files, program, snapshots

ACCOUNTS = (("carrier", 1), ("routers", 2), ("portal", 3))


@pytest.fixture
def config_path(database: str, tmp_path: Path) -> Path:
    calls = program.PILOTS[0]
    account = '[[districts.accounts]]\nkey = "{}"\ncollector = "file"\nrank = {}\nlag_days = 2'
    return files.written(
        tmp_path,
        "afterbell.toml",
        f'database.url = "{database}"',
        f'[[districts]]\nid = {program.DISTRICT}\nname = "Sonoran"\ntime_zone = "{snapshots.ZONE}"',
        *(account.format(key, rank) for key, rank in ACCOUNTS),
        f'[[districts.pilots]]\nname = "{calls.name}"\nquestion = "{calls.question}"',
        f"schools = {list(calls.schools)}\ncomparison = {list(calls.comparison)}\nstarts_on = {calls.starts_on}",
        f'[[districts.pilots]]\nname = "Lost"\nquestion = "Where?"\nschools = ["999999999999"]\n'
        f"starts_on = {calls.starts_on}",
    )


@pytest.fixture(autouse=True)
def _the_day_of_the_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    """The reported day is the one before the clock's: no account is polled."""
    day_after = datetime.fromisoformat(f"{snapshots.REPORTED_ON}T20:00+00:00").replace(day=18)
    monkeypatch.setattr(app, "utc_now", lambda: day_after)


@pytest.fixture
async def district(pool: asyncpg.Pool) -> None:
    await program.insert(pool)


async def run(config_path: Path, *arguments: str, columns: int = 300) -> Result:
    """In a thread: the command starts an event loop of its own."""
    runner = CliRunner(env={"COLUMNS": str(columns)})
    given = ["--config", str(config_path), *arguments]
    result = await asyncio.to_thread(runner.invoke, command_line.app, given)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


async def told(config_path: Path, *arguments: str) -> Any:
    result = await run(config_path, *arguments, "--json")
    return json.loads(result.stdout)


def squeezed(text: str) -> str:
    return " ".join(text.split())


async def test_equity_shows_every_measure_with_what_it_is_made_of(district: None, config_path: Path) -> None:
    text = squeezed((await run(config_path, "equity")).output)
    assert "Sonoran: equity on 2026-11-17" in text
    assert "gap: others less high-needs +22.5 points others: 269 of 377 in need (71.4%)" in text
    assert "Coverage lies with the less needy schools." in text
    assert "Not ranked, as need is not known: Juniper Academy." in text
    (found,) = (await told(config_path, "equity"))["districts"]
    assert found["coverage_gap"]["value"] == pytest.approx(269 / 377 - 271 / 555)
    assert found["population_attributable_risk"]["value"] == pytest.approx(81 / 95 - 575 / 984)
    assert found["band_basis"] == {"indicator": "frpl", "year": "2025-26"}


async def test_the_gap_is_that_of_the_page(pool: asyncpg.Pool, district: None) -> None:
    (one,) = (await program.snapshot(pool)).districts
    assert one.equity is not None
    assert one.equity.gap.value == one.coverage_gap


async def test_another_day_can_be_asked_for_and_one_without_figures_is_refused(
    district: None, config_path: Path
) -> None:
    (found,) = (await told(config_path, "equity", "--on", "2026-11-10"))["districts"]
    assert found["on_day"] == "2026-11-10"
    with pytest.raises(
        errors.ConfigError, match="no figures for 2020-01-01: there are some from 2026-08-20 to"
    ):
        await run(config_path, "equity", "--on", "2020-01-01")
    with pytest.raises(errors.ConfigError, match="no district 9: the configuration has 7"):
        await run(config_path, "equity", "--district", "9")


async def test_costs_show_only_money_that_is_known(district: None, config_path: Path) -> None:
    text = squeezed((await run(config_path, "costs")).output)
    assert "what lines cost, 2026-10-01 to 2026-10-31" in text
    assert "18 of 60 lines moved no byte on any day: $255.00 for those whose cost is known." in text
    assert "The cost of 3 lines is not known" in text
    (found,) = (await told(config_path, "costs", "--month", "2026-11"))["districts"]
    assert (found["is_complete"], found["last_on"]) == (False, "2026-11-17")
    with pytest.raises(errors.ConfigError, match="--month 2026-12: no day of it is complete yet"):
        await run(config_path, "costs", "--month", "2026-12")


async def test_costs_name_their_schools_on_a_terminal_of_80_columns(
    pool: asyncpg.Pool, district: None, config_path: Path
) -> None:
    await pool.execute("UPDATE plans SET monthly_cost = 123")
    (found,) = (await told(config_path, "costs"))["districts"]
    lines = (await run(config_path, "costs", columns=80)).output.splitlines()
    named = {school["name"] for school in found["schools"] if school["name"]}
    assert named
    for name in named:
        assert any(line.startswith(f" {name} ") for line in lines), name
    (row,) = [number for number, line in enumerate(lines) if line.startswith(" district ")]
    assert f"{found['all_lines']['lines']:,}" in lines[row].split()
    assert f"${found['all_lines']['cost']:,.2f}+" in lines[row + 1].split()


async def test_the_reclaim_list_is_by_internal_ids(district: None, config_path: Path, tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    result = await run(config_path, "reclaim", "--csv", str(path))
    assert "30 hotspots to ask back, 30 days on 2026-11-17" in squeezed(result.output)
    assert "10 more had not been used" in squeezed(result.output)
    rows = list(csv.DictReader(path.read_text("utf-8").splitlines()))
    assert len(rows) == 30
    assert {row["kind"] for row in rows} == {"never_used", "idle", "line_without_loan"}
    found = await told(config_path, "reclaim")
    assert len(found["districts"][0]["items"]) == 30
    for text in (result.output, path.read_text("utf-8"), json.dumps(found)):
        assert re.search(r"pseudonym|86\d{13}|8901\d{15}|\+1212", text) is None


async def test_identifiers_are_for_the_terminal_alone(
    district: None, config_path: Path, tmp_path: Path
) -> None:
    text = (await run(config_path, "reclaim", "--identifiers")).output
    assert re.search(r"IMEI 86\d{13}, ICCID 8901\d{15}, MDN \+1212", text)
    for refused in (("--json",), ("--csv", str(tmp_path / "list.csv"))):
        result = await run(config_path, "reclaim", "--identifiers", *refused)
        assert (result.exit_code, "for the terminal" in squeezed(result.output)) == (2, True)


async def test_a_file_that_cannot_be_written_is_named(
    district: None, config_path: Path, tmp_path: Path
) -> None:
    with pytest.raises(errors.ConfigError, match=r"cannot write .*: No such file or directory"):
        await run(config_path, "reclaim", "--csv", str(tmp_path / "none" / "list.csv"))


async def test_a_plan_says_which_school_gets_how_many_and_why(district: None, config_path: Path) -> None:
    text = squeezed((await run(config_path, "reallocate", "40")).output)
    assert "where 40 hotspots go, by the figures of 2026-11-17" in text
    assert "of 260 students in need without a loan" in text
    assert "an upper bound" in text
    assert "an estimate" in text
    (found,) = (await told(config_path, "reallocate"))["districts"]
    assert found["hotspots"] == 30
    assert sum(share["hotspots"] for share in found["schools"]) == 30
    assert found["students_reclaimed"] == 20
    (kept,) = (await told(config_path, "reallocate", "40", "--keep"))["districts"]
    assert kept["unserved_before"] == found["unserved_before"] - 20
    result = await run(config_path, "reallocate", "--keep")
    assert (result.exit_code, "say how many hotspots" in squeezed(result.output)) == (2, True)


async def test_pilots_are_listed_and_judged(district: None, config_path: Path) -> None:
    assert "Do calls to families" in (await run(config_path, "pilots")).output
    assert [one["name"] for one in (await told(config_path, "pilots"))["pilots"]] == ["Evening calls", "Lost"]
    text = squeezed((await run(config_path, "pilot", "Evening calls")).output)
    assert "Coverage of the pilot schools rose by" in text
    assert "would be no surprise if nothing had changed" in text
    (found,) = (await told(config_path, "pilot", "Evening calls"))["pilots"]
    assert [cell["days"] for cell in found["cells"]] == [18, 20, 18, 20]
    assert found["difference_in_differences"]["value"] == pytest.approx(
        found["change"]["value"] - found["comparison_change"]["value"]
    )


async def test_a_pilot_that_is_not_there_or_has_no_school_says_what_to_do(
    district: None, config_path: Path
) -> None:
    with pytest.raises(errors.ConfigError, match="there is no pilot 'evening'; known: Evening calls, Lost"):
        await run(config_path, "pilot", "evening")
    with pytest.raises(
        errors.ConfigError, match="no school is imported with the NCES id 999999999999: correct"
    ):
        await run(config_path, "pilot", "Lost")


async def test_a_district_without_figures_says_so(pool: asyncpg.Pool, config_path: Path) -> None:
    for arguments in (("equity",), ("costs",), ("reclaim",), ("reallocate", "5")):
        assert "no day is complete yet" in (await run(config_path, *arguments)).output
        assert await told(config_path, *arguments) == {"districts": []}
    with pytest.raises(errors.ConfigError, match="has no figures yet"):
        await run(config_path, "equity", "--on", "2026-11-10")
