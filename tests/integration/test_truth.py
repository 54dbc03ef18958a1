"""Line days, loan states and school days, from what a vendor shows to what is said of a school."""

from datetime import date, timedelta

import asyncpg
import pytest

from tests.fleet import Fleet, device, every, local, polled

MONDAY = date(2026, 10, 5)


async def history(f: Fleet, first: str, days: int, *, hours: int = 6) -> None:
    """Sweep every ``hours`` at five to, from the first local day."""
    start = local(f"{first} 05:55")
    for at in every(hours, start, start + timedelta(days=days) - timedelta(minutes=1)):
        await f.sweep(at)
    f.now = local(f"{first} 00:05") + timedelta(days=days)
    await f.refresh()


async def only_state(f: Fleet, on: date) -> tuple[str, str | None]:
    rows = await f.rows("SELECT state::text, reason::text FROM loan_days WHERE on_day = $1", on)
    assert len(rows) == 1, rows
    return rows[0]["state"], rows[0]["reason"]


async def test_use_in_the_last_seven_days_is_adequate(pool: asyncpg.Pool) -> None:
    async with polled(pool, [device(1)], cadence_minutes=360) as f:
        school = await f.school("A", need=(100, 80, 20))
        await f.lend(1, school, date(2026, 10, 1))
        f.show(1, day_amount_mb=10.0, month_amount_mb=10.0)
        await history(f, "2026-10-01", 1)
        f.show(1, day_amount_mb=0.0, month_amount_mb=10.0)
        await history(f, "2026-10-02", 6)
        assert await only_state(f, date(2026, 10, 7)) == ("adequate", None)
        f.now = local("2026-10-08 12:00")
        await history(f, "2026-10-08", 1)
        assert await only_state(f, date(2026, 10, 8)) == ("idle", None)


async def test_a_hotspot_that_never_moved_a_byte_is_never_used_from_its_first_day(pool: asyncpg.Pool) -> None:
    async with polled(pool, [device(1)], cadence_minutes=360) as f:
        await f.lend(1, await f.school("A"), date(2026, 10, 1))
        await history(f, "2026-10-01", 3)
        assert await only_state(f, date(2026, 10, 1)) == ("never_used", None)
        row = (await f.rows("SELECT * FROM loan_days WHERE on_day = '2026-10-03'"))[0]
        assert (row["idle_days"], row["idle_instructional_days"]) == (3, None)


async def test_a_loan_older_than_the_first_observation_is_unknown_for_a_week(pool: asyncpg.Pool) -> None:
    async with polled(pool, [device(1)], cadence_minutes=360) as f:
        await f.lend(1, await f.school("A"), date(2026, 9, 1))
        await history(f, "2026-10-01", 8)
        assert await only_state(f, date(2026, 10, 6)) == ("unknown", "usage_unknown")
        assert await only_state(f, date(2026, 10, 7)) == ("never_used", None)
        row = (await f.rows("SELECT * FROM loan_days WHERE on_day = '2026-10-07'"))[0]
        assert row["observed_since_on"] == date(2026, 10, 1)
        assert row["is_used_30"] is None


async def test_a_blind_day_is_unknown_and_never_idle(pool: asyncpg.Pool) -> None:
    async with polled(pool, [device(1)], cadence_minutes=360) as f:
        school = await f.school("A", need=(100, 80, 20))
        await f.lend(1, school, date(2026, 10, 1))
        await history(f, "2026-10-01", 8)
        f.now = local("2026-10-11 00:05")
        await f.refresh()
        assert await only_state(f, date(2026, 10, 10)) == ("unknown", "status_stale")
        row = (await f.rows("SELECT * FROM loan_days WHERE on_day = '2026-10-10'"))[0]
        assert (row["idle_days"], row["used_bytes"]) == (8, None)
        day = (await f.rows("SELECT * FROM school_days WHERE on_day = '2026-10-10'"))[0]
        assert (day["coverage"], day["coverage_status"], day["unknown"]) == (None, "incomplete", 1)
        assert day["coverage_high"] == pytest.approx(1 / 20)


async def test_a_day_that_is_over_is_judged_as_of_its_end(pool: asyncpg.Pool) -> None:
    """A source that went silent at noon leaves the day unknown, though it was fresh when last computed."""
    async with polled(pool, [device(1, day_amount_mb=5.0)], cadence_minutes=60) as f:
        await f.lend(1, await f.school("A"), MONDAY)
        await f.sweep(local("2026-10-05 12:00"))
        await f.refresh()
        assert await only_state(f, MONDAY) == ("adequate", None)
        f.now = local("2026-10-06 00:05")
        await f.refresh()
        assert await only_state(f, MONDAY) == ("unknown", "status_stale")


async def test_a_source_that_goes_silent_makes_the_present_day_unknown(pool: asyncpg.Pool) -> None:
    async with polled(pool, [device(1, day_amount_mb=5.0)], cadence_minutes=60) as f:
        await f.lend(1, await f.school("A"), MONDAY)
        await f.sweep(local("2026-10-05 12:00"))
        await f.refresh()
        f.now = local("2026-10-05 14:30")
        await f.refresh()
        assert await only_state(f, MONDAY) == ("unknown", "status_stale")
        assert await f.refresh() == 0
