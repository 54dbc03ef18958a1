"""``afterbell reconcile`` as people run it, and what is kept of it for the page and the check."""

import asyncio
import csv
import json
import re
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import asyncpg
import pytest
import typer
from typer.testing import CliRunner, Result

from service import app, checks, errors, serving
from service import config as configs
from service.commands import reconcile
from service.model import reconciliation as model
from service.store import coverage, reconciliation
from service.web import pages
from tests import factories, files, reconciled
from tests.fleet import iccid, imei
from tests.reconciled import DAY, NOW, ago, at

MDN = "+12125500001"
SERIAL = "AB00000001"
BORROWER = "c0ffee"


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
        *(line for key in ("carrier", "routers") for line in (*account, f'key = "{key}"')),
    )


@pytest.fixture
async def town(pool: asyncpg.Pool) -> reconciled.District:
    """A lost hotspot that is billed, a line without a loan at an unknown price, and a device that was lent twice."""
    town = await reconciled.district(pool)
    lost = await factories.device(pool, imei(1), serial=SERIAL)
    line = await factories.line(pool, iccid=iccid(1), mdn=MDN, device_id=lost, plan_id=town.plan_id)
    await town.told(line, status="active")
    await town.lend(lost, ago(90), lost=ago(62), borrower=BORROWER)
    await town.line(has_plan=False, seen=ago(9))
    twice = await town.device()
    for since in (ago(50), ago(30)):
        await town.lend(twice, since)
    return town


async def run(config_path: Path, *arguments: str) -> Result:
    """In a thread: the command starts an event loop of its own."""
    command = typer.Typer()
    command.command()(reconcile.reconcile)
    runner = CliRunner(env={"COLUMNS": "240"})
    result = await asyncio.to_thread(runner.invoke, command, arguments, obj=config_path)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert BORROWER not in result.output
    return result


async def test_the_table_has_every_kind_with_what_it_costs_and_what_to_do(
    town: reconciled.District, config_path: Path
) -> None:
    result = await run(config_path)
    assert result.exit_code == 0
    assert f"reconciliation of {DAY}" in result.output
    told = {line.split()[0]: line for line in result.output.splitlines() if line.strip()}
    assert re.search(
        r"1, 1 for 60 days +2026-08-19 +\$15\.00 +have the line suspended", told["lost_but_billed"]
    )
    assert re.search(r"1 +2026-10-11 +not known +lend the hotspot", told["line_without_loan"])
    assert re.search(r"1 +2026-09-20 +give the earlier loan", told["overlapping_loans"])
    assert re.search(r"need_stale +0", told["need_stale"])
    assert {kind.name for kind in model.KINDS} <= told.keys()
    for secret in (imei(1), SERIAL, iccid(1), MDN):
        assert secret not in result.output


async def test_a_kind_and_a_school_are_asked_for_alone(town: reconciled.District, config_path: Path) -> None:
    one = await run(config_path, "--kind", "lost_but_billed")
    assert "lost_but_billed" in one.output
    assert "need_stale" not in one.output
    there = await run(config_path, "--school", "410192000001", "--list")
    assert [line.split(":")[0] for line in there.output.splitlines()] == [
        "lost_but_billed",
        "overlapping_loans",
    ]
    elsewhere = await run(config_path, "--school", "410192000002", "--list")
    assert elsewhere.output == "nothing is found\n"


async def test_the_list_has_internal_ids_and_identifiers_where_asked_for(
    town: reconciled.District, config_path: Path
) -> None:
    listed = await run(config_path, "--list", "--kind", "lost_but_billed")
    assert re.fullmatch(
        r"lost_but_billed: School 001, device \d+, line \d+, loan \d+, since 2026-08-19 \(urgent\), \$15\.00 a month\n",
        listed.output,
    )
    named = await run(config_path, "--list", "--identifiers", "--kind", "lost_but_billed")
    assert named.output.splitlines()[0] == listed.output.strip()
    assert named.output.splitlines()[1].strip() == (
        f"IMEI {imei(1)}, serial {SERIAL}, ICCID {iccid(1)}, MDN {MDN}"
    )


@pytest.mark.parametrize("arguments", [("--identifiers",), ("--identifiers", "--list", "--json")])
async def test_identifiers_are_for_the_terminal_alone(config_path: Path, arguments: tuple[str, ...]) -> None:
    result = await run(config_path, *arguments)
    assert (result.exit_code, "--identifiers goes with --list" in result.output) == (2, True)


async def test_a_kind_that_there_is_not_and_a_district_that_there_is_not_are_told(
    town: reconciled.District, config_path: Path
) -> None:
    result = await run(config_path, "--kind", "lost")
    assert (result.exit_code, "lost_but_billed" in result.output) == (2, True)
    with pytest.raises(errors.ConfigError, match="no district 9: the configuration has 1"):
        await run(config_path, "--district", "9")


async def test_json_tells_unknown_costs_as_null(town: reconciled.District, config_path: Path) -> None:
    (told,) = json.loads((await run(config_path, "--json")).output)["districts"]
    assert (told["district"], told["on_day"], "findings" in told) == (1, DAY.isoformat(), False)
    assert told["kinds"]["line_without_loan"] == {
        "findings": 1, "urgent": 0, "oldest_on": "2026-10-11", "monthly_cost": None, "without_cost": 1
    }  # fmt: skip
    assert told["kinds"]["lost_but_billed"]["monthly_cost"] == 15.0
    assert told["kinds"]["sim_moved"]["findings"] == 0
    (told,) = json.loads((await run(config_path, "--json", "--list")).output)["districts"]
    assert [one["kind"] for one in told["findings"]] == [
        "line_without_loan",
        "lost_but_billed",
        "overlapping_loans",
    ]
    assert all("imei" not in one for one in told["findings"])


async def test_a_spreadsheet_gets_every_finding_and_takes_no_name_for_a_formula(
    town: reconciled.District, config_path: Path, tmp_path: Path
) -> None:
    await town.pool.execute("UPDATE schools SET name = '=1+1' WHERE school_id = $1", town.school_id)
    file = tmp_path / "to-do.csv"
    await run(config_path, "--csv", str(file))
    with file.open(encoding="utf-8", newline="") as opened:
        rows = list(csv.DictReader(opened))
    assert [(row["kind"], row["school"]) for row in rows] == [
        ("line_without_loan", ""),
        ("lost_but_billed", "'=1+1"),
        ("overlapping_loans", "'=1+1"),
    ]
    assert (rows[1]["since_on"], rows[1]["days"], rows[1]["monthly_cost"]) == ("2026-08-19", "62", "15.00")
    text = file.read_text("utf-8")
    assert not any(secret in text for secret in (imei(1), SERIAL, iccid(1), MDN, BORROWER))
    with pytest.raises(errors.ConfigError, match="cannot write"):
        await run(config_path, "--csv", str(tmp_path / "no folder" / "to-do.csv"))


async def test_a_district_without_a_day_says_so(pool: asyncpg.Pool, config_path: Path) -> None:
    assert "no day is complete yet" in (await run(config_path)).output


# What is kept


async def kept(town: reconciled.District) -> reconciliation.Summary | None:
    async with town.pool.acquire() as connection:
        return (await reconciliation.by_district(connection)).get(factories.DISTRICT)


async def test_counts_are_kept_by_kind_and_school_and_replaced(town: reconciled.District) -> None:
    assert await kept(town) is None
    assert await reconciliation.refresh(town.pool, factories.DISTRICT, now=NOW)
    found = await kept(town)
    assert found is not None
    assert (found.on_day, found.computed_at) == (DAY, NOW)
    assert {(one.kind, one.school, one.findings, one.monthly_cost) for one in found.counts} == {
        ("line_without_loan", None, 1, None),
        ("lost_but_billed", "School 001", 1, Decimal(15)),
        ("overlapping_loans", "School 001", 1, None),
    }
    await town.pool.execute("UPDATE loans SET returned_on = checked_out_on + 1")
    await reconciliation.keep(town.pool, factories.DISTRICT, now=NOW)
    after = await kept(town)
    assert after is not None
    assert {(one.kind, one.school, one.findings) for one in after.counts} == {
        ("line_without_loan", None, 1),
        ("line_without_loan", "School 001", 1),
    }
    total = after.total("line_without_loan")
    assert total is not None
    assert (total.findings, total.oldest_on, total.monthly_cost, total.without_cost) == (
        2,
        min(one.oldest_on for one in after.counts),
        Decimal(15),
        1,
    )


async def test_counts_are_made_again_after_ten_minutes_or_on_a_new_day(town: reconciled.District) -> None:
    assert await reconciliation.refresh(town.pool, factories.DISTRICT, now=NOW)
    soon = NOW + reconciliation.KEPT_FOR
    assert not await reconciliation.refresh(town.pool, factories.DISTRICT, now=soon - timedelta(seconds=1))
    assert await reconciliation.refresh(town.pool, factories.DISTRICT, now=soon)
    await town.pool.execute("UPDATE districts SET computed_through_on = computed_through_on + 1")
    assert await reconciliation.refresh(town.pool, factories.DISTRICT, now=soon)


async def test_nothing_is_kept_of_a_district_without_a_day(town: reconciled.District) -> None:
    await town.pool.execute("UPDATE districts SET computed_through_on = NULL")
    assert not await reconciliation.refresh(town.pool, factories.DISTRICT, now=NOW)
    assert await kept(town) is None


async def test_what_could_not_be_judged_is_counted(town: reconciled.District, config_path: Path) -> None:
    await town.line(None)
    await town.line("unknown")
    await town.told(await factories.line(town.pool), status="active")
    await town.told(await factories.line(town.pool), status="suspended")
    await reconciliation.keep(town.pool, factories.DISTRICT, now=NOW)
    found = await kept(town)
    assert found is not None
    assert (found.lines, found.lines_untold, found.lines_in_no_device) == (4, 2, 1)
    result = await run(config_path)
    assert (
        "Not judged: the status of 2 of 4 lines was not known; 1 active lines are in no device"
        in result.output
    )


async def test_where_no_source_tells_a_status_the_command_does_not_say_that_all_were_known(
    town: reconciled.District, config_path: Path
) -> None:
    await reconciliation.keep(town.pool, factories.DISTRICT, now=NOW)
    assert (found := await kept(town)) is not None
    assert found.lines_untold < found.lines
    await town.pool.execute("UPDATE line_days SET status = NULL, is_state_fresh = false")
    await reconciliation.keep(town.pool, factories.DISTRICT, now=NOW)
    output = " ".join((await run(config_path)).output.split())
    assert f"no source tells whether the {found.lines:,} lines are active" in output
    await town.pool.execute("DELETE FROM line_device_links")
    await reconciliation.keep(town.pool, factories.DISTRICT, now=NOW)
    output = " ".join((await run(config_path)).output.split())
    assert "no line is known to be in a hotspot" in output
    assert "was known" not in output


async def test_the_service_counts_when_it_has_computed(town: reconciled.District, config_path: Path) -> None:
    async with app.with_config(configs.load(config_path)) as ready:
        await serving.roll_up(ready, at(DAY + timedelta(days=1), 9))
    found = await kept(town)
    assert found is not None
    assert found.on_day == DAY


async def test_the_check_calls_wrong_what_makes_coverage_doubtful(town: reconciled.District) -> None:
    await reconciliation.keep(town.pool, factories.DISTRICT, now=NOW)
    shown = await coverage.snapshot(town.pool, now=NOW)
    (finding,) = checks.reconciled(shown)
    assert (finding.what, finding.is_good) == ("district 1: overlapping_loans", False)
    assert finding.found == "1, the oldest since 2026-09-20"
    assert finding.advice.endswith("afterbell reconcile --kind overlapping_loans --list")


async def test_the_pages_count_by_school_and_name_nothing(town: reconciled.District) -> None:
    await reconciliation.keep(town.pool, factories.DISTRICT, now=NOW)
    shown = await coverage.snapshot(town.pool, now=NOW)
    first = pages.district_page(shown, shown.districts[0], now=NOW)
    assert "What needs a hand" in first
    assert "/districts/1/reconciliation#lost_but_billed" in first
    page = pages.district_page(shown, shown.districts[0], "reconciliation", now=NOW)
    assert "School 001" in page
    assert "afterbell reconcile --kind lost_but_billed --list" in page
    for secret in (imei(1), SERIAL, iccid(1), MDN, BORROWER):
        assert secret not in page
