"""``afterbell rules`` and ``afterbell alerts``, as they are run."""

import asyncio
import json
import re
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from typer.testing import CliRunner, Result

from service import __main__ as command_line
from service import app, errors, serving
from service.metrics import Metrics
from service.store import alerts
from tests import factories, files
from tests.alerts import facts
from tests.alerts.facts import HOUR, NOW

HEADER = """-- title: Things that are slow
-- about: fleet
-- severity: high
-- owner: it
-- why: Slow things annoy.
-- action: Make them fast.
-- threshold: 3
-- unit: days
-- clock: calendar
-- fires_after: 2 hours
-- reminder: 7 days
-- escalates_after: 90 minutes
-- profiles: local
"""
PAST = """SELECT p.subject, p.school_id, NULL::timestamptz AS since_at, p.value, NULL::jsonb AS details,
    p.value >= $4 AS is_breached
FROM past AS p WHERE p.on_day = $2
"""


@pytest.fixture
def folder_of_rules(tmp_path: Path) -> Path:
    folder = tmp_path / "rules"
    folder.mkdir()
    text = HEADER.replace("-- fires_after: 2 hours\n", "")
    (folder / "slow.sql").write_text(text + PAST, "utf-8")
    return folder


@pytest.fixture
def config_path(database: str, tmp_path: Path, folder_of_rules: Path) -> Path:
    return written(database, tmp_path, folder_of_rules)


def written(database: str, tmp_path: Path, folder_of_rules: Path, *lines: str) -> Path:
    return files.written(
        tmp_path,
        "afterbell.toml",
        f'database.url = "{database}"',
        f'[[districts]]\nid = {factories.DISTRICT}\nname = "Lab District"\ntime_zone = "{factories.ZONE}"',
        f'[districts.alerts]\nrules_folder = "{folder_of_rules}"',
        *lines,
    )


@pytest.fixture(autouse=True)
def _the_day_of_the_facts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app, "utc_now", lambda: NOW)


@pytest.fixture
async def its(pool: asyncpg.Pool) -> facts.Facts:
    return await facts.made(pool)


async def run(config_path: Path, *arguments: str, columns: int = 300) -> Result:
    """In a thread: the command starts an event loop of its own."""
    runner = CliRunner(env={"COLUMNS": str(columns)})
    given = ["--config", str(config_path), *arguments]
    result = await asyncio.to_thread(runner.invoke, command_line.app, given)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


async def told(config_path: Path, *arguments: str) -> Any:
    return json.loads((await run(config_path, *arguments, "--json")).stdout)


async def said(config_path: Path, *arguments: str) -> str:
    return " ".join((await run(config_path, *arguments)).output.split())


async def started(config_path: Path) -> None:
    """As far as ``afterbell serve`` comes before it serves."""
    async with app.opened(config_path) as ready:
        serving.Service(ready, [], Metrics())


async def past(its: facts.Facts) -> None:
    school_id = await its.school()
    await its.pool.execute(
        "CREATE TABLE past (on_day date, subject text, school_id bigint, value double precision)"
    )
    for on in (date(2026, 9, 1), facts.DAY):
        await its.school_day(school_id, on)
    await its.pool.execute(
        "INSERT INTO past SELECT day::date, 'line:' || n, $3, 5"
        " FROM generate_series($1::date, $2::date, interval '1 day') AS day CROSS JOIN generate_series(1, 2) AS n",
        *(date(2026, 10, 5), date(2026, 10, 7), school_id),
    )


async def test_rules_are_listed_with_how_they_stand(
    its: facts.Facts, database: str, tmp_path: Path, folder_of_rules: Path
) -> None:
    await past(its)
    config_path = written(database, tmp_path, folder_of_rules, 'off = ["idle_30"]', 'profile = "local"')
    text = await said(config_path, "rules", "list")
    assert "Lab District: alert rules, profile local" in text
    assert "slow high it daily Things that are slow in force -" in text
    (district,) = (await told(config_path, "rules", "list"))["districts"]
    stands = {rule["rule"]: rule["stands"] for rule in district["rules"]}
    assert (stands["idle_30"], stands["slow"]) == ("switched off", "in force")
    config_path = written(database, tmp_path, folder_of_rules, 'profile = "ecf"')
    (district,) = (await told(config_path, "rules", "list"))["districts"]
    stands = {rule["rule"]: rule["stands"] for rule in district["rules"]}
    assert stands["slow"] == "not in profile ecf"


async def test_names_of_rules_are_whole_on_a_terminal_of_80_columns(
    its: facts.Facts, database: str, tmp_path: Path, folder_of_rules: Path
) -> None:
    config_path = written(database, tmp_path, folder_of_rules, 'profile = "erate_2024"')
    (district,) = (await told(config_path, "rules", "list"))["districts"]
    lines = (await run(config_path, "rules", "list", columns=80)).output.splitlines()
    assert max(map(len, lines)) <= 80
    firsts = {line.split()[0]: line.split() for line in lines if line.strip() and not line[1:2].isspace()}
    for rule in district["rules"]:
        words = firsts[rule["rule"]]
        assert all(rule[name] in words for name in ("severity", "owner", "urgency")), rule["rule"]


async def test_rules_are_listed_with_what_they_found_last(its: facts.Facts, config_path: Path) -> None:
    its.rules = [facts.rule(), facts.rule("idle_30", query="SELECT nothing")]
    await its.tell()
    await its.judged()
    (district,) = (await told(config_path, "rules", "list"))["districts"]
    found = {rule["rule"]: (rule["breached"], rule["error"]) for rule in district["rules"]}
    assert found["slow"] == (1, None)
    assert found["idle_30"] == (None, 'column "nothing" does not exist')
    assert 'idle_30 fails since 2026-10-21 15:00 UTC: column "nothing" does not exist' in await said(
        config_path, "rules", "list"
    )


async def test_a_rule_is_explained_without_a_database(tmp_path: Path, folder_of_rules: Path) -> None:
    (folder_of_rules / "slow.sql").write_text(HEADER + PAST, "utf-8")
    config_path = written("postgresql://nobody@127.0.0.1:1/none", tmp_path, folder_of_rules)
    text = await said(config_path, "rules", "explain", "slow")
    assert text == (
        "slow: Things that are slow Why it matters: Slow things annoy. What to do: Make them fast. It is in force,"
        " of severity high, for it, told in the daily digest. Its threshold is 3 days, on the calendar clock. It"
        " fires after 2 hours, and clears at once. Unless somebody acknowledges it, it reminds every 7 days; it"
        " escalates after 90 minutes. It is in the profiles local, from the folder of your own."
    )
    assert "FROM past AS p" in await said(config_path, "rules", "explain", "slow", "--query")


async def test_every_rule_of_the_product_can_be_explained(its: facts.Facts, config_path: Path) -> None:
    (district,) = (await told(config_path, "rules", "list"))["districts"]
    names = [rule["rule"] for rule in district["rules"] if not rule["is_own"]]
    assert "idle_30" in names
    for name in names:
        assert (await said(config_path, "rules", "explain", name)).startswith(f"{name}: ")


async def test_a_threshold_of_the_district_is_in_force(
    its: facts.Facts, database: str, tmp_path: Path, folder_of_rules: Path
) -> None:
    config_path = written(database, tmp_path, folder_of_rules, "thresholds = { slow = 6 }")
    assert "Its threshold is 6 days" in await said(config_path, "rules", "explain", "slow")
    await past(its)
    dry = ("rules", "dry-run", "slow", "--from", "2026-10-01", "--to", "2026-10-20")
    assert await said(config_path, *dry) == (
        "Lab District: slow would not have fired from 2026-10-01 to 2026-10-20"
    )


async def test_a_dry_run_says_how_often_when_and_where(its: facts.Facts, config_path: Path) -> None:
    await past(its)
    dry = ("rules", "dry-run", "slow", "--from", "2026-10-01")
    text = await said(config_path, *dry)
    assert "Lab District: slow would have fired 2 times from 2026-10-01 to 2026-10-20" in text
    assert "2026-10 ····█··············· 2" in text
    assert "Mon 2026-10-05 2 0 0 2" in text
    assert re.search(r"where school fired ─+ School 001 2$", text)
    (found,) = (await told(config_path, *dry))["districts"]
    assert (found["fired"], found["from"], found["to"]) == (2, "2026-10-01", "2026-10-20")
    assert found["schools"] == [{"ncessch": "410192000001", "school": "School 001", "fired": 2}]
    assert [one["on_day"] for one in found["days"] if one["fired"]] == ["2026-10-05"]
    assert await its.pool.fetchval("SELECT count(*) FROM alerts") == 0


async def test_a_dry_run_without_days_tries_the_last_thirty(its: facts.Facts, config_path: Path) -> None:
    await past(its)
    (found,) = (await told(config_path, "rules", "dry-run", "slow"))["districts"]
    assert (found["from"], found["to"], len(found["days"])) == ("2026-09-21", "2026-10-20", 30)
    (found,) = (await told(config_path, "rules", "dry-run", "slow", "--to", "2026-09-10"))["districts"]
    assert (found["from"], found["to"]) == ("2026-09-01", "2026-09-10")


async def test_a_dry_run_of_the_first_day_says_what_was_so_before(
    its: facts.Facts, config_path: Path
) -> None:
    await past(its)
    text = await said(config_path, "rules", "dry-run", "slow", "--from", "2026-10-06", "--to", "2026-10-06")
    assert "would have fired 2 times on 2026-10-06" in text
    assert "2 of them on the first day, as they were in breach before it." in text


@pytest.mark.parametrize(
    ("since", "until"),
    [("2026-08-01", "2026-10-01"), ("2026-10-01", "2026-10-21"), ("2026-10-10", "2026-10-09")],
)
async def test_a_dry_run_of_days_without_figures_is_refused(
    its: facts.Facts, config_path: Path, since: str, until: str
) -> None:
    await past(its)
    with pytest.raises(errors.ConfigError, match="has figures from 2026-09-01 to 2026-10-20"):
        await run(config_path, "rules", "dry-run", "slow", "--from", since, "--to", until)


async def test_a_dry_run_before_there_are_figures_is_refused(its: facts.Facts, config_path: Path) -> None:
    with pytest.raises(errors.ConfigError, match="has no figures yet"):
        await run(config_path, "rules", "dry-run", "slow", "--from", "2026-10-01")


async def test_a_dry_run_of_a_rule_that_fails_says_why(
    its: facts.Facts, config_path: Path, folder_of_rules: Path
) -> None:
    await past(its)
    (folder_of_rules / "slow.sql").write_text(f"{HEADER}SELECT 1 AS subject", "utf-8")
    with pytest.raises(errors.ConfigError, match="the rule slow fails: it gives no column school_id"):
        await run(config_path, "rules", "dry-run", "slow", "--from", "2026-10-01")


async def test_what_judges_the_present_is_not_tried_over_the_past(
    its: facts.Facts, config_path: Path, folder_of_rules: Path
) -> None:
    await past(its)
    (folder_of_rules / "slow.sql").write_text(
        f"{HEADER}-- dated: no\n{PAST.replace('$2', 'current_date')}", "utf-8"
    )
    text = await said(config_path, "rules", "dry-run", "slow", "--from", "2026-10-01")
    assert text == "Lab District: slow judges the present alone: now 0 in breach"


FAULTS = {
    "-- title: Half": "slow.sql: its header lacks",
    f"{HEADER}-- needs: nothing\n{PAST}": "slow.sql: needs: there is no rule nothing",
    f"{HEADER}-- needs: slow\n{PAST}": "need each other",
    f"{HEADER}-- colour: blue\n{PAST}": "there is no key colour",
}


@pytest.mark.parametrize(("text", "why"), FAULTS.items())
async def test_a_broken_rule_file_is_named_at_the_start(
    its: facts.Facts, config_path: Path, folder_of_rules: Path, text: str, why: str
) -> None:
    (folder_of_rules / "slow.sql").write_text(text, "utf-8")
    with pytest.raises(errors.ConfigError, match=why) as refused:
        await started(config_path)
    assert str(refused.value).startswith("district 1: ")


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ('off = ["nothing"]', "alerts.off: there is no rule nothing"),
        ("thresholds = { nothing = 1 }", "alerts.thresholds: there is no rule nothing"),
        ("thresholds = { no_filter = 1 }", "the rule no_filter has no threshold"),
        (
            "maintenance = [{ starts_at = 2026-11-26T18:00:00Z, ends_at = 2026-11-27T06:00:00Z, account = 'x' }]",
            "alerts.maintenance: there is no account x",
        ),
    ],
)
async def test_what_the_configuration_says_of_no_rule_is_refused(
    its: facts.Facts, database: str, tmp_path: Path, folder_of_rules: Path, line: str, why: str
) -> None:
    with pytest.raises(errors.ConfigError, match=why):
        await started(written(database, tmp_path, folder_of_rules, line))


async def test_a_folder_that_cannot_be_read_is_named(its: facts.Facts, database: str, tmp_path: Path) -> None:
    with pytest.raises(errors.ConfigError, match="cannot read the rules of"):
        await run(written(database, tmp_path, tmp_path / "nowhere"), "rules", "list")


async def test_an_own_file_goes_before_the_products_of_its_name(
    its: facts.Facts, config_path: Path, folder_of_rules: Path
) -> None:
    (folder_of_rules / "idle_30.sql").write_text(HEADER + PAST, "utf-8")
    assert "idle_30: Things that are slow" in await said(config_path, "rules", "explain", "idle_30")


async def test_serve_reads_the_folder_at_its_start_only(
    its: facts.Facts, config_path: Path, folder_of_rules: Path
) -> None:
    async with app.opened(config_path) as ready:
        service = serving.Service(ready, [], Metrics())
        (folder_of_rules / "later.sql").write_text(HEADER + PAST, "utf-8")
        known = service._rules_of(factories.DISTRICT)
    assert ("slow" in known, "later" in known) == (True, False)
    assert "later: Things that are slow" in await said(config_path, "rules", "explain", "later")


async def test_maintenance_is_written_down_at_the_start(
    its: facts.Facts, database: str, tmp_path: Path, folder_of_rules: Path
) -> None:
    window = "maintenance = [{ starts_at = 2026-11-26T18:00:00-08:00, ends_at = 2026-11-27T06:00:00-08:00 }]"
    await run(written(database, tmp_path, folder_of_rules, window), "rules", "list")
    starts_at = await its.pool.fetchval("SELECT starts_at FROM maintenance_windows WHERE account_key = ''")
    assert starts_at == datetime.fromisoformat("2026-11-26T18:00:00-08:00")


@pytest.fixture
async def alert(its: facts.Facts) -> alerts.Alert:
    """A line at a school, three days in breach."""
    await its.tell(value=34, since=NOW - 72 * HOUR, school_id=await its.school())
    its.rules = [facts.rule(threshold=30.0, unit="days")]
    await its.judged()
    return await its.alert()


async def test_alerts_are_listed_by_internal_ids(
    its: facts.Facts, alert: alerts.Alert, config_path: Path
) -> None:
    text = await said(config_path, "alerts", "list")
    assert f"{alert.alert_id} slow line 1 warning 2026-10-18 School 001 firing 34" in text
    (district,) = (await told(config_path, "alerts", "list"))["districts"]
    assert district["alerts"][0]["subject"] == "line:1"
    for filtered in (("--rule", "idle_30"), ("--state", "clear")):
        assert await said(config_path, "alerts", "list", *filtered) == "Lab District: alerts: none"
    assert "slow" in await said(config_path, "alerts", "list", "--rule", "slow", "--school", "410192000001")
    await its.tell(None, value=34)
    await its.judged(HOUR)
    assert "firing, not judged now" in await said(config_path, "alerts", "list", "--limit", "1")


async def test_names_in_the_list_of_alerts_are_whole_on_a_terminal_of_80_columns(
    its: facts.Facts, config_path: Path
) -> None:
    name = "coverage_below_target"
    its.rules = [facts.rule(name, severity="critical")]
    await its.pool.execute("ALTER TABLE alerts ALTER alert_id RESTART WITH 1234567")
    await its.tell(rule=name, subject="loan:1234567", value=12345.5, school_id=await its.school())
    await its.judged()
    await run(config_path, "alerts", "snooze", "1234567", "--days", "7")
    lines = (await run(config_path, "alerts", "list", columns=80)).output.splitlines()
    assert max(map(len, lines)) <= 80
    (row,) = [line for line in lines if name in line]
    assert row.split()[:6] == ["1234567", name, "loan", "1234567", "critical", "2026-10-21"]
    beside = " ".join(line[60:].strip() for line in lines[lines.index(row) :])
    assert "snoozed until" in beside
    assert "12,345.5" in beside


async def test_a_rule_or_a_school_that_is_not_there_is_refused_with_those_that_are(
    its: facts.Facts, alert: alerts.Alert, config_path: Path
) -> None:
    with pytest.raises(errors.ConfigError, match=r"there is no rule idle_3: known are .*idle_30, .*slow"):
        await run(config_path, "alerts", "list", "--rule", "idle_3")
    known = r"there is no school 999: known are 410192000001 \(School 001\)$"
    with pytest.raises(errors.ConfigError, match=known):
        await run(config_path, "alerts", "list", "--school", "999")
    for number in range(2, 24):
        await its.school(f"4101920{number:05}")
    with pytest.raises(errors.ConfigError, match=r"\(School 020\) and 3 more, see afterbell coverage --json"):
        await run(config_path, "alerts", "list", "--school", "999")


async def test_alerts_of_a_rule_whose_file_is_gone_are_still_listed(
    its: facts.Facts, alert: alerts.Alert, config_path: Path, folder_of_rules: Path
) -> None:
    (folder_of_rules / "slow.sql").unlink()
    text = await said(config_path, "alerts", "list", "--rule", "slow")
    assert f"{alert.alert_id} slow line 1 warning 2026-10-18 School 001" in text


async def test_an_alert_leads_to_its_hotspot(pool: asyncpg.Pool, its: facts.Facts, config_path: Path) -> None:
    device = await factories.device(pool, "860000000000010", serial="HS-7")
    line = await factories.line(pool, iccid="8901260000000000001", mdn="+12125550100", device_id=device)
    loan = await factories.loan(pool, device, await its.school(), facts.DAY)
    other = await factories.line(pool, device_id=await factories.device(pool))
    for subject in (f"loan:{loan}", f"line:{line}", f"device:{device}", "district", f"line:{other}"):
        await its.tell(subject=subject)
    await its.judged()

    async def history(subject: str, *options: str) -> str:
        found = await its.alert(subject)
        return await said(config_path, "alerts", "history", str(found.alert_id), *options)

    for subject in (f"loan:{loan}", f"line:{line}", f"device:{device}"):
        text = await history(subject, "--identifiers")
        numbers = "IMEI 860000000000010, serial HS-7, ICCID 8901260000000000001, MDN +12125550100"
        assert text.endswith(f"It is firing now. device {device}, line {line}: {numbers}"), subject
        assert "860000000000010" not in await history(subject)
    assert "860000000000010" not in await history(f"line:{other}", "--identifiers")
    assert (await history("district", "--identifiers")).endswith("It is about no one device or line.")
    assert "--identifiers is for the terminal" in await history(f"loan:{loan}", "--identifiers", "--json")


async def test_a_line_in_no_device_and_a_device_without_a_line_are_told_as_they_are(
    pool: asyncpg.Pool, its: facts.Facts, config_path: Path
) -> None:
    device = await factories.device(pool, kind="hotspot")
    line = await factories.line(pool, device_id=device)
    await pool.execute("UPDATE line_device_links SET ends_at = $1", NOW)
    for subject in (f"line:{line}", f"device:{device}"):
        await its.tell(subject=subject)
    await its.judged()
    for subject, told_of in ((f"line:{line}", f"line {line}: "), (f"device:{device}", f"device {device}: ")):
        number = str((await its.alert(subject)).alert_id)
        text = await said(config_path, "alerts", "history", number, "--identifiers")
        assert f"It is firing now. {told_of}" in text


async def test_a_history_is_read_aloud(its: facts.Facts, alert: alerts.Alert, config_path: Path) -> None:
    number = str(alert.alert_id)
    await run(config_path, "alerts", "acknowledge", number, "--as", "coordinator")
    await run(config_path, "alerts", "acknowledge", number, "--undo")
    await run(config_path, "alerts", "snooze", number, "--days", "7")
    await run(config_path, "alerts", "snooze", number, "--undo")
    await its.forget()
    await its.judged(HOUR)
    text = (await run(config_path, "alerts", "history", number)).output
    assert text.splitlines() == [
        f"alert {number}, slow: Things that are slow: line 1, School 001",
        "2026-10-21 08:00  Fired: 34 days, threshold 30, since 18 October 2026, 08:00.",
        "2026-10-21 08:00  Acknowledged by the coordinator.",
        "2026-10-21 08:00  No longer acknowledged, as IT says.",
        "2026-10-21 08:00  Snoozed by IT until 28 October 2026, 08:00.",
        "2026-10-21 08:00  Snooze ended by IT.",
        "2026-10-21 09:00  Cleared: it is no longer in breach.",
        "It is clear now.",
    ]
    found = await told(config_path, "alerts", "history", number)
    assert found["flips"][0]["evidence"]["value"] == 34
    assert found["alert"]["state"] == "clear"


async def test_an_alert_is_seen_to(its: facts.Facts, alert: alerts.Alert, config_path: Path) -> None:
    number = str(alert.alert_id)
    assert await said(config_path, "alerts", "acknowledge", number) == f"alert {number} is acknowledged"
    assert "acknowledged" in await said(config_path, "alerts", "list")
    with pytest.raises(errors.AfterbellError, match="is acknowledged already"):
        await run(config_path, "alerts", "acknowledge", number)
    assert await said(config_path, "alerts", "snooze", number, "--days", "7") == (
        f"alert {number} is snoozed until 2026-10-28 08:00"
    )
    assert "snoozed until 2026-10-28 08:00" in await said(config_path, "alerts", "list")
    assert (
        await said(config_path, "alerts", "snooze", number, "--undo")
        == f"alert {number} is no longer snoozed"
    )
    with pytest.raises(errors.AfterbellError, match="is not snoozed"):
        await run(config_path, "alerts", "snooze", number, "--undo")


async def test_what_is_clear_or_not_there_cannot_be_seen_to(
    its: facts.Facts, alert: alerts.Alert, config_path: Path
) -> None:
    await its.forget()
    await its.judged(timedelta(hours=1))
    number = str(alert.alert_id)
    with pytest.raises(errors.AfterbellError, match="is clear: there is nothing to see to"):
        await run(config_path, "alerts", "acknowledge", number)
    with pytest.raises(errors.ConfigError, match="there is no alert 4711"):
        await run(config_path, "alerts", "history", "4711")
    assert (await run(config_path, "alerts", "snooze", number)).exit_code == 2
    with pytest.raises(errors.ConfigError, match="there is no district 7"):
        await run(config_path, "alerts", "list", "--district", "7")
