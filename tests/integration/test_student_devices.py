"""Students' own devices: kept beside the fleet, on the right days, and never a line."""

from datetime import UTC, date, datetime, timedelta

import asyncpg

from collectors import readings
from service.metrics import Metrics
from service.polling import runner
from tests import scripted

NOON = datetime(2026, 10, 5, 16, tzinfo=UTC)


def device(key: str = "d1", **given: object) -> readings.StudentDevice:
    fields: dict[str, object] = {
        "device_key": key,
        "group_key": "ou-1",
        "raw_status": "ACTIVE",
        "is_in_service": True,
        "last_seen_at": NOON - timedelta(hours=2),
        "last_seen_by": readings.LastSeenBy.POLICY_SYNC,
    }
    return readings.StudentDevice(**{**fields, **given})  # type: ignore[arg-type]


async def told(pool: asyncpg.Pool, *devices: readings.StudentDevice, at: datetime = NOON) -> runner.Result:
    source = scripted.Source({"lines": [readings.Page(student_devices=list(devices))]})
    account = (await scripted.accounts_of(pool, chromebooks=source))["chromebooks"]
    return await runner.Runner(pool, lambda: at, Metrics()).sweep(account, source.endpoint_groups[0])


async def days(pool: asyncpg.Pool) -> list[tuple[object, ...]]:
    rows = await pool.fetch(
        "SELECT on_day::text, active_seconds, was_at_school, was_elsewhere FROM student_device_days ORDER BY 1"
    )
    return [tuple(row) for row in rows]


async def test_a_device_is_no_line_and_no_loan(pool: asyncpg.Pool) -> None:
    result = await told(pool, device("d1"), device("d2", raw_status="HYPERLOOPED", is_in_service=None))
    assert (result.outcome, result.progress.rows_written) == ("succeeded", 2)
    rows = await pool.fetch(
        "SELECT device_key, is_in_service, last_seen_by::text FROM student_devices ORDER BY 1"
    )
    assert [tuple(row) for row in rows] == [("d1", True, "policy_sync"), ("d2", None, "policy_sync")]
    for table in ("lines", "devices", "latest_states"):
        assert await pool.fetchval(f"SELECT count(*) FROM {table}") == 0


async def test_active_time_grows_and_never_shrinks(pool: asyncpg.Pool) -> None:
    today, earlier = date(2026, 10, 5), date(2026, 9, 29)
    for seconds in (600, 900, 300):
        active = (readings.ActiveDay(today, seconds), readings.ActiveDay(earlier, 60))
        await told(pool, device(active_days=active))
    assert await days(pool) == [("2026-09-29", 60, None, None), ("2026-10-05", 900, None, None)]


async def test_places_are_kept_by_the_districts_day_and_nothing_more(pool: asyncpg.Pool) -> None:
    evening = datetime(2026, 10, 6, 1, tzinfo=UTC)  # 21:00 on the 5th in the district
    seen = (
        readings.Whereabouts(NOON, readings.Place.AT_SCHOOL),
        readings.Whereabouts(evening, readings.Place.ELSEWHERE),
        readings.Whereabouts(evening + timedelta(hours=12), readings.Place.UNKNOWN),
    )
    await told(pool, device(whereabouts=seen), at=evening + timedelta(days=1))
    assert await days(pool) == [("2026-10-05", None, True, True)]


async def test_a_device_told_of_twice_on_one_page_keeps_the_days_of_both(pool: asyncpg.Pool) -> None:
    first = device(active_days=(readings.ActiveDay(date(2026, 10, 4), 5),))
    second = device(active_days=(readings.ActiveDay(date(2026, 10, 5), 7),))
    await told(pool, first, second)
    assert await days(pool) == [("2026-10-04", 5, None, None), ("2026-10-05", 7, None, None)]


async def test_an_older_sweep_does_not_overwrite_a_newer(pool: asyncpg.Pool) -> None:
    await told(pool, device(raw_status="DISABLED", is_in_service=False))
    await told(pool, device(), at=NOON - timedelta(hours=1))
    assert await pool.fetchval("SELECT raw_status FROM student_devices") == "DISABLED"


async def test_days_that_cannot_be_are_rejected_and_make_no_partitions(pool: asyncpg.Pool) -> None:
    old, ahead = date(2021, 3, 1), date(2027, 3, 1)
    active = tuple(readings.ActiveDay(day, 60) for day in (old, date(2026, 10, 5), ahead))
    long_ago = (readings.Whereabouts(datetime(2021, 3, 1, tzinfo=UTC), readings.Place.ELSEWHERE),)
    result = await told(pool, device(active_days=active, whereabouts=long_ago))
    assert (result.outcome, result.progress.rows_rejected) == ("succeeded", 3)
    assert [day for day, *_ in await days(pool)] == ["2026-10-05"]
    assert await pool.fetchval("SELECT to_regclass('student_device_days_202103')") is None
