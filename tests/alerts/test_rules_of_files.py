"""What rules say of lines that usage files alone tell of, as the page of imports has it."""

import re
import tomllib
from datetime import timedelta
from pathlib import Path

import asyncpg
import pytest

from service.imports import usage, usage_maps
from service.model import identifiers
from service.store import rollups
from tests import factories, files
from tests.alerts import fleet_facts
from tests.alerts.fleet_facts import GB, District
from tests.reconciled import DAY, NOW, ago

PAGE = Path(__file__).parents[2] / "docs" / "imports.md"
IMEIS = [identifiers.with_luhn(f"8600000000000{n}") for n in range(1, 4)]
MAP = """
account = { key = "daily", carrier = "Any" }
line = { mdn = "Line", imei = "IMEI" }
usage = { columns = ["GB"], unit = "GB" }
period = { day = "Day" }
"""


def never_told() -> list[str]:
    """The rules of the page's table."""
    section = PAGE.read_text().split("### What files never tell")[1].split("\n#")[0]
    first_cells = re.findall(r"^\| (`.+?) \|", section, re.MULTILINE)
    return [name for cell in first_cells for name in re.findall(r"`(\w+)`", cell)]


@pytest.fixture
async def d(pool: asyncpg.Pool, tmp_path: Path) -> District:
    """Of three hotspots one was lost, one is on the shelf, and one is lent; each moved more than its plan allows."""
    d = await fleet_facts.district(pool)
    devices = [await factories.device(pool, imei) for imei in IMEIS]
    days = [ago(n) for n in range(30, -1, -1)]
    rows = [(f"503-555-010{n}", imei, "1", f"{day}") for n, imei in enumerate(IMEIS) for day in days]
    path = files.csv_file(tmp_path, "usage.csv", ("Line", "IMEI", "GB", "Day"), rows)
    read_by = usage_maps.UsageMap(**tomllib.loads(MAP))
    today = DAY + timedelta(days=1)
    outcome = await usage.run(pool, factories.DISTRICT, path, usage_map=read_by, today=today, new_lines=True)
    assert outcome.rejected == 0
    await pool.execute("UPDATE lines SET plan_id = $1", d.plan_id)
    await d.plan(allowance_bytes=5 * GB, allowance_period="month")
    await d.lend(devices[0], ago(100), lost=ago(70))
    await d.lend(devices[1], ago(100), until=ago(50))
    await d.lend(devices[2], ago(100))
    await computed(d)
    return d


async def computed(d: District) -> None:
    await d.pool.execute(
        "INSERT INTO dirty_loan_days SELECT 1, day::date FROM generate_series($1::date, $2::date, '1 day') AS day"
        " ON CONFLICT DO NOTHING",
        ago(31),
        DAY,
    )
    district = rollups.District(factories.DISTRICT, factories.ZONE)
    await rollups.refresh(d.pool, district, now=NOW, thresholds=rollups.Thresholds())


def test_the_page_names_the_rules() -> None:
    assert {"line_without_loan", "lost_still_billed", "cap_75", "throttled", "poor_signal"} <= set(
        never_told()
    )


async def test_the_rules_that_the_page_names_find_nothing_where_files_alone_tell(d: District) -> None:
    assert await d.pool.fetchval("SELECT count(*) FROM line_days WHERE used_bytes > 0") > 0
    found = [(name, subjects) for name in never_told() if (subjects := await d.breached(name))]
    assert found == []
    assert len(await d.unknown("lost_still_billed")) == 1


async def test_a_status_or_a_yearly_allowance_is_what_they_lacked(d: District) -> None:
    for line_id in [row["line_id"] for row in await d.pool.fetch("SELECT line_id FROM lines")]:
        await d.told(line_id, status="active", account_id=d.account_id)
    for rule in ("line_without_loan", "lost_still_billed", "lost_still_billed_60"):
        assert len(await d.breached(rule)) == 1
    await d.plan(allowance_period="year")
    await computed(d)
    assert len(await d.breached("cap_100")) == 1
