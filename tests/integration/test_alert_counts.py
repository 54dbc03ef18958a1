"""Rows of alerts, rules, channels and queues become the counts of a snapshot."""

from datetime import datetime, timedelta

import asyncpg

from service import metrics
from service.store import alert_counts, coverage, queues
from tests import snapshots
from tests.observed import rule, value

NOW = snapshots.NOW
MINUTE = timedelta(minutes=1)
DISTRICT = 7


async def district(pool: asyncpg.Pool, district_id: int = DISTRICT) -> None:
    await snapshots.insert_district(pool, district_id=district_id, name=f"District {district_id}")


async def alert(
    pool: asyncpg.Pool,
    subject: str,
    *,
    rule: str = "idle_30",
    state: str = "firing",
    severity: str = "warning",
    acknowledged_at: datetime | None = None,
    snoozed_until_at: datetime | None = None,
    district_id: int = DISTRICT,
) -> int:
    found: int = await pool.fetchval(
        "INSERT INTO alerts (district_id, rule, subject, state, severity, breached_since_at, judged_at, "
        "acknowledged_at, snoozed_until_at) VALUES ($1, $2, $3, $4, $5, $6, $6, $7, $8) RETURNING alert_id",
        district_id,
        rule,
        subject,
        state,
        severity,
        NOW,
        acknowledged_at,
        snoozed_until_at,
    )
    return found


async def ran(pool: asyncpg.Pool, rule: str, *, failing_since_at: datetime | None = None) -> None:
    await pool.execute(
        "INSERT INTO rule_runs (district_id, rule, evaluated_at, judged_on, seconds, breached, unjudged, "
        "failing_since_at) VALUES ($1, $2, $3, $4, 0.5, 3, 1, $5)",
        DISTRICT,
        rule,
        NOW,
        snapshots.REPORTED_ON,
        failing_since_at,
    )


async def flip(pool: asyncpg.Pool, alert_id: int, *, ago: timedelta, is_processed: bool = False) -> int:
    found: int = await pool.fetchval(
        "INSERT INTO flips (district_id, alert_id, kind, old_state, new_state, reason, created_at, processed_at) "
        "VALUES ($1, $2, 'fired', 'pending', 'firing', 'lasted', $3, $4) RETURNING flip_id",
        DISTRICT,
        alert_id,
        NOW - ago,
        NOW if is_processed else None,
    )
    return found


async def message(
    pool: asyncpg.Pool,
    flip_id: int,
    *,
    state: str = "waiting",
    due: timedelta = MINUTE,
    ago: timedelta = MINUTE,
    channel: str = "it-mail",
) -> None:
    await pool.execute(
        "INSERT INTO notifications (district_id, channel_key, first_flip_id, topic, due_at, state, created_at) "
        "VALUES ($1, $2, $3, 'idle_30', $4, $5, $6)",
        DISTRICT,
        channel,
        flip_id,
        NOW + due,
        state,
        NOW - ago,
    )


async def channel(pool: asyncpg.Pool, key: str = "it-mail", *, is_in_use: bool = True) -> None:
    await pool.execute(
        "INSERT INTO channels (district_id, channel_key, is_in_use, failing_since_at) VALUES ($1, $2, $3, $4)",
        DISTRICT,
        key,
        is_in_use,
        NOW - MINUTE,
    )


async def counted(pool: asyncpg.Pool) -> dict[int, alert_counts.Alerts]:
    async with pool.acquire() as connection:
        return await alert_counts.by_district(connection, now=NOW)


async def queued(pool: asyncpg.Pool) -> dict[int, queues.Queues]:
    async with pool.acquire() as connection:
        return await queues.by_district(connection, now=NOW)


async def test_alerts_are_counted_by_rule_severity_and_state_and_clear_ones_are_not(
    pool: asyncpg.Pool,
) -> None:
    await district(pool)
    for at, state in enumerate(("firing", "firing", "pending", "held", "clear")):
        await alert(pool, f"loan:{at}", state=state)
    await alert(pool, "line:1", rule="sim_swap", severity="high")
    told = (await counted(pool))[DISTRICT]
    assert {(one.rule, one.severity, one.state): one.alerts for one in told.counts} == {
        ("idle_30", "warning", "firing"): 2,
        ("idle_30", "warning", "pending"): 1,
        ("idle_30", "warning", "held"): 1,
        ("sim_swap", "high", "firing"): 1,
    }


async def test_acknowledged_alerts_and_those_snoozed_until_later_are_quiet(pool: asyncpg.Pool) -> None:
    await district(pool)
    await alert(pool, "loan:1", acknowledged_at=NOW - MINUTE)
    await alert(pool, "loan:2", snoozed_until_at=NOW + MINUTE)
    await alert(pool, "loan:3", snoozed_until_at=NOW - MINUTE)
    await alert(pool, "loan:4")
    (count,) = (await counted(pool))[DISTRICT].counts
    assert (count.alerts, count.quiet) == (4, 2)


async def test_districts_are_kept_apart(pool: asyncpg.Pool) -> None:
    await district(pool)
    await district(pool, 8)
    await alert(pool, "loan:1")
    await alert(pool, "loan:1", district_id=8)
    await alert(pool, "loan:2", district_id=8)
    assert {key: sum(one.alerts for one in told.counts) for key, told in (await counted(pool)).items()} == {
        7: 1,
        8: 2,
    }


async def test_the_first_due_message_and_the_last_days_are_told_of_each_channel(pool: asyncpg.Pool) -> None:
    await district(pool)
    await channel(pool)
    await channel(pool, "coordinator-mail")
    await channel(pool, "gone", is_in_use=False)
    flip_id = await flip(pool, await alert(pool, "loan:1"), ago=MINUTE, is_processed=True)
    for due in (3 * MINUTE, -2 * MINUTE):
        await message(pool, flip_id, due=due)
    await message(pool, flip_id, state="sent")
    await message(pool, flip_id, state="sent", ago=timedelta(days=2))
    await message(pool, flip_id, state="given_up")
    coordinator, it = (await queued(pool))[DISTRICT].channels
    assert (it.channel_key, it.waiting, it.oldest_due_at) == ("it-mail", 2, NOW - 2 * MINUTE)
    assert (it.sent, it.given_up, it.failing_since_at) == (1, 1, NOW - MINUTE)
    assert (coordinator.waiting, coordinator.oldest_due_at, coordinator.sent) == (0, None, 0)


async def test_changes_that_no_message_was_made_of_are_counted_with_the_first_of_them(
    pool: asyncpg.Pool,
) -> None:
    await district(pool)
    alert_id = await alert(pool, "loan:1")
    for ago, is_processed in ((1, False), (5, False), (9, True)):
        await flip(pool, alert_id, ago=ago * MINUTE, is_processed=is_processed)
    told = (await queued(pool))[DISTRICT]
    assert (told.flips, told.oldest_flip_at) == (2, NOW - 5 * MINUTE)


async def test_a_day_that_waits_in_both_ways_is_one_day(pool: asyncpg.Pool) -> None:
    await snapshots.insert_district(pool)
    account = await snapshots.insert_account(pool, "carrier", "thingspace")
    first, second = snapshots.REPORTED_ON - timedelta(days=3), snapshots.REPORTED_ON
    await pool.executemany(
        "INSERT INTO dirty_line_days VALUES (7, $1, $2, $3)",
        [(account, first, 0), (account, second, 1), (account, second, 2)],
    )
    await pool.execute("INSERT INTO dirty_loan_days VALUES (7, $1)", second)
    told = (await queued(pool))[DISTRICT]
    assert (told.days, told.first_day_on) == (2, first)


async def test_a_snapshot_has_it_all_and_metrics_show_it(pool: asyncpg.Pool) -> None:
    await snapshots.insert(pool)
    await ran(pool, "idle_30")
    await ran(pool, "data_stale", failing_since_at=NOW)
    await channel(pool)
    await flip(pool, await alert(pool, "loan:1"), ago=MINUTE)
    made = metrics.Metrics()
    made.rules_known(DISTRICT, [rule("idle_30"), rule("data_stale")])
    made.show(await coverage.snapshot(pool, now=NOW))
    assert value(made, "alerts", rule="idle_30", severity="warning", state="firing") == 1
    assert value(made, "alerts", rule="data_stale", severity="warning", state="firing") == 0
    assert value(made, "rule_failing", rule="data_stale") == 1
    assert value(made, "channel_failing", channel="it-mail") == 1
    assert value(made, "flips_waiting") == 1
