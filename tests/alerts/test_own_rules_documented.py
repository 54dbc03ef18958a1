"""The rule that the documents give as an example is one, and finds what it says."""

import re
from datetime import timedelta
from pathlib import Path

import asyncpg

from service.model import alert_rules
from tests.alerts import facts

TEXT = (Path(__file__).parents[2] / "docs" / "alerts.md").read_text("utf-8")


def documented() -> alert_rules.Rule:
    found = re.search(r"`(\w+)\.sql`, for .*?^```sql\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
    assert found is not None
    alert_rules.check_keys(found[1], found[2])
    return alert_rules.parse(found[1], found[2], profile="local", is_own=True)


async def test_the_documented_rule_finds_schools_of_whose_hotspots_little_is_known(
    pool: asyncpg.Pool,
) -> None:
    rule = documented()
    its = await facts.made(pool, rule)
    told = {}
    for number, (loaned, unknown) in enumerate(((10, 3), (10, 2), (0, 0))):
        school_id = await its.school(f"41019200000{number}")
        for on in (facts.DAY, facts.DAY + timedelta(days=1)):
            await its.school_day(school_id, on)
        await pool.execute(
            "UPDATE school_days SET loaned = $2, unknown = $3 WHERE school_id = $1",
            school_id,
            loaned,
            unknown,
        )
        told[f"school:{school_id}"] = unknown
    await its.judged()
    await its.judged(72 * facts.HOUR)
    rows = await pool.fetch("SELECT subject, state::text, value, details->>'unknown' AS unknown FROM alerts")
    (few, *_) = told
    assert [tuple(row.values()) for row in rows] == [(few, "firing", 30, "3")]
    assert f"afterbell rules dry-run {rule.name}`" in TEXT
