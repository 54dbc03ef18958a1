"""A rule that fails is told of and stops no other; two processes and people at once do no harm."""

import asyncio
import logging

import asyncpg
import pytest

from service import errors
from service.alerting import evaluate
from service.store import alerts, judging
from service.store import pool as pools
from tests.alerts import facts
from tests.alerts.facts import HOUR, NOW

COLUMNS = (
    "'line:1' AS subject, NULL::bigint AS school_id, NULL::timestamptz AS since_at,"
    " 1::double precision AS value, NULL::jsonb AS details, true AS is_breached"
)
FAULTS = {
    "SELECT 'line:1' AS subject, true AS is_breached": "it gives no column school_id",
    f"SELECT {COLUMNS} FROM nowhere": 'relation "nowhere" does not exist',
    f"SELECT {COLUMNS} UNION ALL SELECT {COLUMNS}": "a subject more than once",
    f"SELECT {COLUMNS}; DELETE FROM facts": "syntax error",
    "DELETE FROM facts RETURNING 1": "syntax error",
    f"WITH gone AS (DELETE FROM facts RETURNING 1) SELECT {COLUMNS} FROM gone": "must be at the top level",
    f"SELECT {COLUMNS} FROM facts_written()": "it writes: a rule may only read",
    f"SELECT {COLUMNS} WHERE $9::text IS NULL": "they have $1 to $5",
    f"SELECT {COLUMNS} FROM facts WHERE details->>'name' = 'x' AND 'Jane Roe'::integer = 1": '"..."',
    f"SELECT {COLUMNS}".replace("'line:1'", "'Jane Roe'"): "such as loan:12",
    f"SELECT {COLUMNS}".replace("NULL::bigint", "999::bigint"): "that of no school",
    f"SELECT {COLUMNS} FROM facts LIMIT (SELECT 1 / 0)": "division by zero",
}


@pytest.mark.parametrize(("query", "said"), FAULTS.items())
async def test_a_rule_that_fails_says_why_and_stops_no_other(
    pool: asyncpg.Pool, query: str, said: str
) -> None:
    its = await facts.made(pool, facts.rule("broken", query=query), facts.rule())
    await pool.execute(
        "CREATE FUNCTION facts_written() RETURNS integer LANGUAGE sql AS"
        " $$ INSERT INTO facts VALUES ('x', 'line:9'); SELECT 1 $$"
    )
    await its.tell(details='{"name": "x"}')
    found = await its.judged()
    broken, slow = found.runs
    assert said in (broken.error or "")
    assert "Jane Roe" not in (broken.error or "")
    assert (broken.failing_since_at, slow.error, await its.state()) == (NOW, None, "firing")
    assert await pool.fetchval("SELECT count(*) FROM facts") == 1


async def test_a_rule_that_fails_leaves_its_alerts_as_they_are(pool: asyncpg.Pool) -> None:
    its = await facts.made(pool)
    await its.tell()
    await its.judged()
    its.rules = [facts.rule(query="SELECT nothing")]
    await its.judged(HOUR)
    alert = await its.alert()
    assert (alert.state, alert.is_judged) == ("firing", False)
    (run,) = (await its.judged(HOUR)).runs
    assert (run.failing_since_at, run.breached) == (NOW + HOUR, 1)
    its.rules = [facts.rule()]
    (run,) = (await its.judged(HOUR)).runs
    assert (run.failing_since_at, run.error, (await its.alert()).is_judged) == (None, None, True)


async def test_a_rule_that_takes_too_long_is_stopped(
    pool: asyncpg.Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(judging, "RULE_SECONDS", 1)
    its = await facts.made(
        pool, facts.rule("broken", query=f"SELECT {COLUMNS} FROM pg_sleep(30)"), facts.rule()
    )
    await its.tell()
    found = await its.judged()
    assert "longer than 1 second" in (found.runs[0].error or "")
    assert await its.state() == "firing"
    assert await pool.fetchval("SHOW statement_timeout") == "0"


async def test_a_failing_rule_is_logged_when_it_begins_and_when_it_ends(
    pool: asyncpg.Pool, caplog: pytest.LogCaptureFixture
) -> None:
    its = await facts.made(pool)
    broken = [facts.rule(query="SELECT nothing")]
    with caplog.at_level(logging.INFO):
        for step, rules in enumerate((broken, broken, its.rules, its.rules)):
            await evaluate.district(pool, 1, rules, now=NOW + step * HOUR)
    assert [(record.levelname, "slow" in record.message) for record in caplog.records] == [
        ("ERROR", True),
        ("INFO", True),
    ]


async def test_a_database_that_goes_away_is_no_rules_fault(pool: asyncpg.Pool) -> None:
    its = await facts.made(
        pool, facts.rule(query=f"SELECT {COLUMNS} FROM pg_terminate_backend(pg_backend_pid())")
    )
    with pytest.raises(errors.DatabaseUnavailable):
        await its.judged()
    assert await alerts.runs(pool, 1) == []


async def test_one_process_judges_at_a_time(database: str, pool: asyncpg.Pool) -> None:
    its = await facts.made(pool, facts.rule("long", query=f"SELECT {COLUMNS} FROM pg_sleep(1)"), facts.rule())
    await its.tell()
    async with pools.connected(database, size=2) as other:
        first = asyncio.create_task(its.judged())
        await asyncio.sleep(0.5)
        second = await judging.evaluate(other, 1, its.rules, now=NOW)
        assert (second.is_skipped, second.runs) == (True, ())
        assert (await first).flips == 2
        assert not (await judging.evaluate(other, 1, its.rules, now=NOW)).is_skipped


async def test_a_process_that_dies_lets_go(database: str, pool: asyncpg.Pool) -> None:
    its = await facts.made(pool)
    connection = await asyncpg.connect(database)
    await connection.execute("SELECT pg_advisory_lock(1634034293, 1)")
    assert (await its.judged()).is_skipped
    connection.terminate()
    for _ in range(100):
        if not (await its.judged()).is_skipped:
            return
        await asyncio.sleep(0.05)
    pytest.fail("the lock of a process that is gone was never free")


async def test_somebody_who_acts_at_the_same_moment_is_not_overwritten(
    database: str, pool: asyncpg.Pool
) -> None:
    its = await facts.made(pool, facts.rule(reminder=HOUR))
    await its.tell(value=1)
    await its.judged()
    alert_id = (await its.alert()).alert_id
    connection = await asyncpg.connect(database)
    try:
        async with connection.transaction():
            await connection.execute("UPDATE alerts SET acknowledged_at = $1", NOW)
            judged = asyncio.create_task(its.judged(HOUR))
            await asyncio.sleep(0.5)
            assert not judged.done()
        assert (await judged).flips == 0
    finally:
        await connection.close()
    await its.judged(HOUR)
    assert await its.kinds() == ["fired"]
    assert (await alerts.one(pool, 1, alert_id)) is not None
    assert (await its.alert()).acknowledged_at == NOW


async def test_a_run_tells_what_it_found(pool: asyncpg.Pool) -> None:
    its = await facts.made(pool)
    for number in range(3):
        await its.tell(subject=f"line:{number}")
    await its.judged()
    await its.tell(None, subject="line:0")
    await its.tell(False, subject="line:1")
    await its.judged(HOUR)
    (run,) = await alerts.runs(pool, 1)
    assert (run.breached, run.unjudged, run.judged_on, run.evaluated_at) == (1, 1, facts.DAY, NOW + HOUR)
    assert 0 < run.seconds < 10
