"""Kinds of evidence are kept apart: sessions, samples, last seen, parts of days; and what a source does not tell."""

import logging
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from collectors import readings
from service.metrics import Metrics
from service.polling import accounts, runner
from service.store import rollups
from tests import scripted
from tests.fleet import DISTRICT, ZONE, iccid, imei, local

NOON = datetime(2026, 10, 5, 16, tzinfo=UTC)  # 12:00 in the district
HOUR = timedelta(hours=1)
ONE: dict[str, Any] = {"iccid": iccid(1), "imei": imei(1)}


async def sweep(
    pool: asyncpg.Pool, account: accounts.Account, source: scripted.Source, name: str, at: datetime
) -> runner.Result:
    return await runner.Runner(pool, lambda: at, Metrics()).sweep(account, source.named(name))


async def refreshed(pool: asyncpg.Pool, now: datetime) -> None:
    await rollups.refresh(pool, rollups.District(DISTRICT, ZONE), now=now, thresholds=rollups.Thresholds())


async def lent(pool: asyncpg.Pool, *, kind: str | None = None) -> int:
    """Lend the only device there is; returns the loan."""
    if kind:
        await pool.execute("UPDATE devices SET kind = $1::device_kind", kind)
    await pool.execute(
        "INSERT INTO schools (district_id, ncessch, name) VALUES ($1, '990000100001', 'North')", DISTRICT
    )
    loan: int = await pool.fetchval(
        "INSERT INTO loans (district_id, device_id, school_id, checked_out_on)"
        " SELECT district_id, device_id, school_id, '2026-09-01' FROM devices JOIN schools USING (district_id)"
        " RETURNING loan_id"
    )
    return loan


async def state_on(pool: asyncpg.Pool, day: str) -> tuple[str, str | None]:
    row = await pool.fetchrow("SELECT state, reason FROM loan_days WHERE on_day = $1::text::date", day)
    return row["state"], row["reason"]


def part(starts_at: datetime, total_bytes: int, length: timedelta = HOUR) -> readings.Usage:
    return readings.Usage(
        readings.UsageKind.INTERVAL, readings.UsageSeries.PART, starts_at, total_bytes, starts_at + length
    )


def router(*, is_online: bool = True, at: datetime = NOON) -> readings.Sighting:
    return readings.Sighting("r1", states=(readings.State(at, is_online=is_online),), **ONE)


def router_source() -> scripted.Source:
    usage = scripted.group("usage", lists_lines=False, overlaps=True, priority=1)
    return scripted.Source(endpoint_groups=(scripted.group(), usage))


async def test_an_open_session_is_closed_when_its_end_is_told_and_stays_closed(pool: asyncpg.Pool) -> None:
    source = router_source()
    account = (await scripted.accounts_of(pool, router=source))["router"]
    source.says(router())
    await sweep(pool, account, source, "lines", NOON)
    began, ended = NOON - 3 * HOUR, NOON - HOUR
    for told in (None, ended, None):
        source.says(readings.Sighting("r1", sessions=(readings.Session(began, told),)), of="usage")
        result = await sweep(pool, account, source, "usage", NOON + HOUR)
        assert (result.outcome, result.progress.rows_rejected) == ("succeeded", 0)
    rows = await pool.fetch("SELECT starts_at, ends_at, kind, series FROM session_readings")
    assert [tuple(row) for row in rows] == [(began, ended, "session", "connection")]


async def test_a_source_of_readings_takes_nothing_back_that_the_list_told(pool: asyncpg.Pool) -> None:
    source = router_source()
    account = (await scripted.accounts_of(pool, carrier=source))["carrier"]
    suspended = readings.State(
        NOON, readings.LineStatus.SUSPENDED, "Suspended", readings.SuspendedBy.SEASON, is_online=False
    )
    source.says(
        readings.Sighting(
            "r1", states=(suspended,), group_key="g", cycle_limit_bytes=5, day_limit_bytes=3, **ONE
        )
    )
    await sweep(pool, account, source, "lines", NOON)
    seen_at = NOON + HOUR / 2
    source.says(
        readings.Sighting("r1", last_seen_at=seen_at, last_seen_by=readings.LastSeenBy.SESSION), of="usage"
    )
    await sweep(pool, account, source, "usage", NOON + HOUR)
    row = dict(await pool.fetchrow("SELECT * FROM latest_states"))
    assert (row["status"], row["suspended_by"], row["is_online"]) == ("suspended", "season", False)
    assert (row["group_key"], row["cycle_limit_bytes"], row["day_limit_bytes"]) == ("g", 5, 3)
    assert (row["read_at"], row["last_seen_at"], row["last_seen_by"]) == (NOON, seen_at, "session")


async def test_last_seen_in_the_future_is_not_believed(pool: asyncpg.Pool) -> None:
    source = router_source()
    account = (await scripted.accounts_of(pool, router=source))["router"]
    for at in (NOON + timedelta(days=400), NOON - HOUR):
        seen = readings.Sighting(
            "r1",
            states=(readings.State(NOON),),
            last_seen_at=at,
            last_seen_by=readings.LastSeenBy.CLOUD,
            **ONE,
        )
        source.says(seen)
        await sweep(pool, account, source, "lines", NOON)
        source.says(
            readings.Sighting("r1", last_seen_at=at, last_seen_by=readings.LastSeenBy.CLOUD), of="usage"
        )
        await sweep(pool, account, source, "usage", NOON)
    assert await pool.fetchval("SELECT last_seen_at FROM latest_states") == NOON - HOUR


async def test_samples_of_the_past_do_not_change_the_present(pool: asyncpg.Pool) -> None:
    source = router_source()
    account = (await scripted.accounts_of(pool, router=source))["router"]
    source.says(router(is_online=True))
    await sweep(pool, account, source, "lines", NOON)
    source.says(readings.Sighting("r1", states=(readings.State(NOON - HOUR, is_online=False),)), of="usage")
    await sweep(pool, account, source, "usage", NOON + HOUR)
    assert await pool.fetchval("SELECT is_online FROM latest_states")
    assert await pool.fetchval("SELECT count(*) FROM state_readings") == 2


async def test_sweeps_of_two_groups_at_one_instant_do_not_hide_each_other(pool: asyncpg.Pool) -> None:
    """Readings of a snapshot that is no list are not taken for a page that came twice."""
    source = scripted.Source(endpoint_groups=(scripted.group(), scripted.group("totals", lists_lines=False)))
    account = (await scripted.accounts_of(pool, carrier=source))["carrier"]
    source.says(router())
    await sweep(pool, account, source, "lines", NOON)
    counter = readings.Usage(readings.UsageKind.COUNTER, readings.UsageSeries.CYCLE, NOON, 77)
    source.says(readings.Sighting("r1", usage=(counter,)), of="totals")
    for _ in range(2):  # and the same again changes nothing
        await sweep(pool, account, source, "totals", NOON)
    assert await pool.fetchval("SELECT array_agg(total_bytes) FROM usage_readings") == [77]


async def test_a_manager_that_knows_no_plan_is_judged_by_when_it_looked(pool: asyncpg.Pool) -> None:
    source = router_source()
    account = (await scripted.accounts_of(pool, router=source))["router"]
    source.says(router())
    await sweep(pool, account, source, "lines", NOON)
    await lent(pool)
    source.says(readings.Sighting("r1", usage=(part(NOON - HOUR, 500),)), of="usage")
    await sweep(pool, account, source, "usage", NOON)
    await refreshed(pool, NOON + HOUR)
    assert await state_on(pool, "2026-10-05") == ("adequate", None)
    await refreshed(pool, NOON + 3 * HOUR)  # two cadences later nobody has looked again
    assert await state_on(pool, "2026-10-05") == ("unknown", "status_stale")
    assert await pool.fetchval("SELECT count(*) FROM line_days WHERE status IS NOT NULL") == 0


async def test_the_carriers_stale_status_is_not_made_fresh_by_the_routers_manager(pool: asyncpg.Pool) -> None:
    carrier, manager = router_source(), router_source()
    found = await scripted.accounts_of(pool, carrier=carrier, router=manager)
    active = readings.State(NOON, readings.LineStatus.ACTIVE, "active")
    carrier.says(readings.Sighting("c1", states=(active,), **ONE))
    manager.says(router(at=NOON + 4 * HOUR))
    await sweep(pool, found["carrier"], carrier, "lines", NOON)
    await sweep(pool, found["router"], manager, "lines", NOON + 4 * HOUR)
    await lent(pool)
    manager.says(readings.Sighting("r1", usage=(part(NOON, 500),)), of="usage")
    await sweep(pool, found["router"], manager, "usage", NOON + 4 * HOUR)
    await refreshed(pool, NOON + 4 * HOUR)
    assert await state_on(pool, "2026-10-05") == ("unknown", "status_stale")


@pytest.mark.parametrize(
    ("hours", "known"),
    [
        (range(24), 0),
        ([*range(10), *range(13, 24)], None),  # three hours without a report
        ([*range(6, 24)], None),
        ([], None),
    ],
    ids=["whole day", "gap", "late begin", "nothing"],
)
async def test_parts_of_0_make_a_day_of_0_only_without_gaps(
    pool: asyncpg.Pool, hours: list[int], known: int | None
) -> None:
    source = router_source()
    account = (await scripted.accounts_of(pool, router=source))["router"]
    source.says(router(at=local("2026-10-07 12:00")))
    await sweep(pool, account, source, "lines", local("2026-10-07 12:00"))
    parts = tuple(part(local("2026-10-06 00:00") + hour * HOUR, 0) for hour in hours)
    source.says(readings.Sighting("r1", usage=parts), of="usage")
    await sweep(pool, account, source, "usage", local("2026-10-07 12:00"))
    await refreshed(pool, local("2026-10-07 12:30"))
    told = await pool.fetchval("SELECT used_bytes FROM line_days WHERE on_day = '2026-10-06'")
    assert told == known


async def test_parts_add_up_to_the_day_of_their_midpoint_and_use_is_use_despite_gaps(
    pool: asyncpg.Pool,
) -> None:
    source = router_source()
    account = (await scripted.accounts_of(pool, router=source))["router"]
    source.says(router(at=local("2026-10-07 12:00")))
    await sweep(pool, account, source, "lines", local("2026-10-07 12:00"))
    parts = (part(local("2026-10-06 10:00"), 700), part(local("2026-10-06 23:40"), 50))
    source.says(readings.Sighting("r1", usage=parts), of="usage")
    for _ in range(2):
        await sweep(pool, account, source, "usage", local("2026-10-07 12:00"))
    await refreshed(pool, local("2026-10-07 12:30"))
    rows = await pool.fetch("SELECT on_day::text, used_bytes FROM line_days WHERE used_bytes > 0 ORDER BY 1")
    assert [tuple(row) for row in rows] == [("2026-10-06", 700), ("2026-10-07", 50)]


async def test_a_day_that_is_told_whole_and_in_parts_is_counted_once(pool: asyncpg.Pool) -> None:
    """As where an account is set from hours to days, and the same days are read again."""
    source = router_source()
    account = (await scripted.accounts_of(pool, routers=source))["routers"]
    midnight = local("2026-10-05 00:00")
    whole = readings.Usage(
        readings.UsageKind.INTERVAL, readings.UsageSeries.DAY, midnight, 100, midnight + timedelta(days=1)
    )
    parts = tuple(part(midnight + n * HOUR, 40) for n in range(2))
    source.says(readings.Sighting("r1", usage=(whole, *parts), **ONE), of="usage")
    later = local("2026-10-06 12:00")
    await sweep(pool, account, source, "usage", later)
    await refreshed(pool, later)
    assert await pool.fetchval("SELECT used_bytes FROM line_days WHERE on_day = '2026-10-05'") == 100


async def test_readings_of_earlier_months_find_their_partitions(pool: asyncpg.Pool) -> None:
    source = router_source()
    account = (await scripted.accounts_of(pool, router=source))["router"]
    source.says(router())
    await sweep(pool, account, source, "lines", NOON)
    old = NOON - timedelta(days=200)
    source.says(
        readings.Sighting("r1", usage=(part(old, 9),), sessions=(readings.Session(old - 40 * HOUR, old),)),
        of="usage",
    )
    assert (await sweep(pool, account, source, "usage", NOON)).outcome == "succeeded"
    assert await pool.fetchval("SELECT sum(total_bytes) FROM usage_readings") == 9
    assert await pool.fetchval("SELECT count(*) FROM session_readings") == 1


async def test_an_instant_that_cannot_be_is_rejected_and_the_rest_is_kept(pool: asyncpg.Pool) -> None:
    source = router_source()
    account = (await scripted.accounts_of(pool, router=source))["router"]
    source.says(router())
    await sweep(pool, account, source, "lines", NOON)
    usage = (
        part(datetime(1970, 1, 1, tzinfo=UTC), 1),
        part(NOON - HOUR, 2),
        part(NOON + timedelta(days=400), 4),
    )
    source.says(readings.Sighting("r1", usage=usage), of="usage")
    result = await sweep(pool, account, source, "usage", NOON)
    assert (result.outcome, result.progress.rows_rejected) == ("succeeded", 2)
    assert await pool.fetchval("SELECT array_agg(total_bytes) FROM usage_readings") == [2]
    assert await pool.fetchval("SELECT reason FROM poll_rejections") == (
        "an instant more than 13 months ago, or in the future"
    )


@pytest.mark.parametrize("kind", ["fixed_router", "bus_router", "laptop"])
async def test_a_source_tells_what_its_devices_are(pool: asyncpg.Pool, kind: str) -> None:
    source = router_source()
    account = (await scripted.accounts_of(pool, router=source))["router"]
    source.says(
        readings.Sighting(
            "r1",
            states=(readings.State(NOON, is_online=True),),
            device_kind=readings.DeviceKind(kind),
            **ONE,
        )
    )
    await sweep(pool, account, source, "lines", NOON)
    assert await pool.fetchval("SELECT kind::text FROM devices") == kind
    await lent(pool)
    await refreshed(pool, NOON)
    is_home = kind == "fixed_router"
    assert await pool.fetchval("SELECT count(*) FROM loan_days") == is_home


async def test_nothing_about_a_source_of_readings_is_logged_as_missing(
    pool: asyncpg.Pool, caplog: pytest.LogCaptureFixture
) -> None:
    """A group that lists no lines promises none: fewer of them is no partial sweep."""
    caplog.set_level(logging.WARNING)
    source = router_source()
    account = (await scripted.accounts_of(pool, router=source))["router"]
    source.says(router())
    await sweep(pool, account, source, "lines", NOON)
    source.says(of="usage")
    assert (await sweep(pool, account, source, "usage", NOON)).outcome == "succeeded"
    assert not caplog.records


@pytest.mark.parametrize(
    ("at_allowance", "state"),
    [
        (None, ("exhausted", "cycle_allowance")),
        ("throttle", ("exhausted", "cycle_allowance")),
        ("charge", ("adequate", None)),
    ],
)
async def test_a_vendors_word_that_the_allowance_is_used_up_counts_where_the_plan_stops(
    pool: asyncpg.Pool, at_allowance: str | None, state: tuple[str, str | None]
) -> None:
    """Though nobody told how much it is."""
    source = router_source()
    account = (await scripted.accounts_of(pool, carrier=source))["carrier"]
    over = readings.State(NOON, readings.LineStatus.ACTIVE, "ACTIVATED", is_limit_reached=True)
    counter = readings.Usage(readings.UsageKind.COUNTER, readings.UsageSeries.CYCLE, NOON, 5_000)
    first = readings.Usage(readings.UsageKind.COUNTER, readings.UsageSeries.CYCLE, NOON - HOUR, 1_000)
    source.says(readings.Sighting("c1", states=(over,), usage=(first, counter), **ONE))
    await sweep(pool, account, source, "lines", NOON)
    await lent(pool)
    if at_allowance:
        await pool.execute(
            "INSERT INTO plans (district_id, plan_key, at_allowance) VALUES ($1, 'p', $2::at_allowance)",
            DISTRICT,
            at_allowance,
        )
        await pool.execute("UPDATE lines SET plan_id = (SELECT plan_id FROM plans)")
    await refreshed(pool, NOON + HOUR)
    assert await state_on(pool, "2026-10-05") == state
