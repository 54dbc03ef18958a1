"""Looking for contradictions reads the days that are asked about, and not the history behind them."""

import json
from datetime import date, timedelta
from typing import Any

import asyncpg
import pytest

from service.model import reconciliation
from tests.integration import test_plans
from tests.performance import seed

TODAY = date(2026, 11, 20)
LINES = 2000
HISTORY = 75  # days: four monthly partitions


@pytest.fixture
async def seeded(pool: asyncpg.Pool) -> asyncpg.Pool:
    """A twentieth of the hotspots came back, some are lost, some suspended."""
    account = await seed.fleet(pool, lines=LINES, schools=20, today=TODAY)
    await seed.history(
        pool, account_id=account, lines=LINES, first=TODAY - timedelta(days=HISTORY), last=TODAY
    )
    await pool.execute("UPDATE line_days SET is_state_fresh = true")
    await pool.execute("UPDATE loan_days SET state = 'suspended', reason = 'carrier' WHERE loan_id % 50 = 3")
    await pool.execute("UPDATE latest_states SET status = 'suspended' WHERE line_id % 50 = 3")
    await pool.execute("UPDATE loans SET returned_on = $1::date - 40 WHERE loan_id % 20 = 1", TODAY)
    await pool.execute("UPDATE loans SET lost_on = $1::date - 40 WHERE loan_id % 20 = 2", TODAY)
    await pool.execute("ANALYZE")
    return pool


async def plan_of(pool: asyncpg.Pool, kind: str) -> dict[str, Any]:
    text = await pool.fetchval(
        f"EXPLAIN (ANALYZE, FORMAT JSON) SELECT * FROM reconciliation_{kind} WHERE district_id = 1"
    )
    plan: dict[str, Any] = json.loads(text)[0]["Plan"]
    return plan


@pytest.mark.parametrize("kind", [kind.name for kind in reconciliation.KINDS])
async def test_a_kind_reads_the_days_that_it_asks_about(seeded: asyncpg.Pool, kind: str) -> None:
    """The seven days of returned devices, the 31 of suspended loans, one day of what is lost or not lent."""
    plan = await plan_of(seeded, kind)
    read = [
        (relation, node, rows)
        for relation, node, rows in test_plans.scans(plan)
        if relation.startswith(("line_days", "loan_days"))
    ]
    most = {"use_after_return": 7 * LINES, "loan_on_suspended_line": LINES + 31 * LINES // 20}.get(
        kind, LINES
    )
    assert sum(rows for _, _, rows in read) <= most
    used = {relation[-6:] for relation, _, rows in read if rows}
    assert used <= {"202611", "202610"} if kind == "loan_on_suspended_line" else used <= {"202611"}
    assert not any(node == "Seq Scan" for _, node, rows in read if rows > LINES)
