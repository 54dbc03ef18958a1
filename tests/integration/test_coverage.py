"""From rows in PostgreSQL to the snapshot that everything shown is made from."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from service import checks, errors
from service.store import coverage
from tests import snapshots


async def shown(pool: asyncpg.Pool, *, now: datetime = snapshots.NOW) -> coverage.District:
    return (await coverage.snapshot(pool, now=now)).districts[0]


async def test_an_empty_database_has_no_district(pool: asyncpg.Pool) -> None:
    assert (await coverage.snapshot(pool, now=snapshots.NOW)).districts == ()


async def test_before_anything_is_computed_nothing_is_known(pool: asyncpg.Pool) -> None:
    await snapshots.insert_district(pool, computed_through_on=None)
    await snapshots.insert_school(pool, snapshots.SCHOOLS[0], index=0)
    district = await shown(pool)
    assert (district.reported_on, district.day, district.history) == (None, None, ())
    assert district.schools[0].status is None
    assert district.schools[0].loaned is None
    assert district.coverage_gap is None


async def test_the_reported_day_waits_for_the_slowest_polled_account(pool: asyncpg.Pool) -> None:
    await snapshots.insert_district(pool)
    await snapshots.insert_accounts(pool)  # lags of 2, 0 and, for the file, 9 days
    assert (await shown(pool)).reported_on == snapshots.REPORTED_ON


async def test_the_reported_day_is_never_after_the_last_computed_one(pool: asyncpg.Pool) -> None:
    await snapshots.insert_district(pool, computed_through_on=snapshots.TODAY - timedelta(days=5))
    district = await shown(pool)
    assert district.reported_on == snapshots.TODAY - timedelta(days=5)
    assert district.due_on == snapshots.TODAY - timedelta(days=1)


async def test_today_is_the_districts_day_and_not_that_of_utc(pool: asyncpg.Pool) -> None:
    await snapshots.insert_district(pool)
    evening = datetime(2026, 11, 20, 6, 30, tzinfo=UTC)  # 11:30 PM on the 19th in Phoenix
    assert (await shown(pool, now=evening)).due_on == snapshots.TODAY - timedelta(days=2)


async def test_schools_come_as_stored(pool: asyncpg.Pool) -> None:
    await snapshots.insert(pool)
    district = await shown(pool)
    expected = tuple(snapshots.school(row, index=index) for index, row in enumerate(snapshots.SCHOOLS))
    assert district.schools == expected


async def test_the_districts_day_agrees_with_its_schools(pool: asyncpg.Pool) -> None:
    await snapshots.insert(pool)
    district = await shown(pool)
    known = [school for school in district.schools if school.need is not None]
    together = coverage.together(known)
    assert district.day is not None
    assert district.day.schools_without_need == 1
    assert district.day.covered == together.covered
    assert district.day.coverage == pytest.approx(together.coverage)
    assert district.day.coverage_low == pytest.approx(together.coverage_low)
    assert district.day.coverage_high == pytest.approx(together.coverage_high)
    assert district.day.loaned == together.loaned


async def test_loans_of_a_school_without_a_need_count_never_raise_coverage(pool: asyncpg.Pool) -> None:
    full = replace(snapshots.SCHOOLS[0], need=100, loaned=50, active_7=50, adequate=50, unknown=0)
    uncounted = replace(full, name="Uncounted", enrolled=None, answered=None, need=None)
    await snapshots.insert(pool, schools=[full, uncounted])
    day = (await shown(pool)).day
    assert day is not None
    assert day.coverage == 0.5
    assert day.coverage_high == 0.5


async def test_high_needs_schools_stand_against_the_others(pool: asyncpg.Pool) -> None:
    await snapshots.insert(pool)
    district = await shown(pool)
    assert district.high_needs.coverage == pytest.approx((55 + 88 + 128) / (140 + 155 + 260))
    assert district.coverage_gap is not None
    assert district.others.coverage is not None
    assert district.coverage_gap == pytest.approx(district.others.coverage - 271 / 555)


async def test_a_blind_group_has_no_gap_though_the_district_is_known(pool: asyncpg.Pool) -> None:
    well = replace(snapshots.SCHOOLS[0], need=1000, loaned=900, active_7=890, adequate=890, unknown=0)
    blind = replace(
        well, name="Blind", need=20, loaned=20, active_7=0, adequate=0, unknown=20, is_high_needs=True
    )
    await snapshots.insert(pool, schools=[well, blind])
    district = await shown(pool)
    assert district.day is not None
    assert district.day.coverage is not None
    assert district.high_needs.coverage is None
    assert district.coverage_gap is None


async def test_the_history_has_every_day_and_holes_where_nothing_is_known(pool: asyncpg.Pool) -> None:
    await snapshots.insert(pool)
    days = (await shown(pool)).history
    assert len(days) == coverage.HISTORY_DAYS
    assert days[-1].on_day == snapshots.REPORTED_ON
    blind, never_computed = days[-1 - 31], days[-1 - 61]
    assert blind.coverage is None
    assert blind.coverage_low is not None
    assert never_computed.coverage_low is None
    assert days[-1 - 42].is_out_of_session


async def test_a_source_is_as_fresh_as_its_stalest_endpoint_group(pool: asyncpg.Pool) -> None:
    await snapshots.insert(pool)
    carrier, manager, portal = (await shown(pool)).sources
    assert carrier.last_success_at == snapshots.NOW - timedelta(minutes=12)
    assert carrier.last_attempt_at == snapshots.NOW - timedelta(minutes=3)
    assert carrier.rows_rejected == 4  # of the last finished poll, not of the running one
    assert [gap.endpoint_group for gap in carrier.gaps] == ["lines", "usage"]
    assert manager.failing_since_at == snapshots.NOW - timedelta(minutes=140)
    assert manager.last_error == "HTTP 401: the key was refused"
    assert portal.is_file
    assert portal.groups == ()


async def test_groups_of_different_cadences_are_judged_by_their_own(pool: asyncpg.Pool) -> None:
    """Use that is read once a day is not late after an hour; states that are read every hour are, after a day."""
    await snapshots.insert(pool)
    await pool.execute("UPDATE watermarks SET last_success_at = $1, cadence = '1 hour'", snapshots.NOW)
    daily = "UPDATE watermarks SET cadence = '1 day', last_success_at = $1 WHERE endpoint_group = 'usage'"
    await pool.execute(daily, snapshots.NOW - timedelta(hours=20))
    carrier = (await shown(pool)).sources[0]
    assert (carrier.last_success_at, carrier.every) == (snapshots.NOW, timedelta(hours=1))
    await pool.execute(daily, snapshots.NOW - timedelta(hours=30))
    carrier = (await shown(pool)).sources[0]
    assert (carrier.last_success_at, carrier.every) == (
        snapshots.NOW - timedelta(hours=30),
        timedelta(days=1),
    )


async def test_use_of_students_devices_that_nobody_told_of_is_unknown_and_not_zero(
    pool: asyncpg.Pool,
) -> None:
    await snapshots.insert(pool)
    manager = await snapshots.insert_account(pool, "chromebooks", "google_workspace", rank=3)
    await pool.execute(
        "INSERT INTO provider_groups (district_id, account_id, group_key, school_id)"
        " SELECT 7, $1, 'ou-1', min(school_id) FROM schools",
        manager,
    )
    await pool.execute(
        "INSERT INTO student_devices (district_id, account_id, device_key, group_key, is_in_service, read_at)"
        " VALUES (7, $1, 'a', 'ou-1', true, $2)",
        manager,
        snapshots.NOW,
    )

    async def told() -> list[tuple[int | None, ...]]:
        return [
            (school.student_devices, school.student_devices_active, school.student_devices_elsewhere)
            for school in (await shown(pool)).schools
            if school.student_devices is not None
        ]

    assert await told() == [(1, None, None)]
    await pool.execute("SELECT ensure_partitions($1::date, $1::date)", snapshots.REPORTED_ON)
    day = "INSERT INTO student_device_days SELECT 7, $1, student_device_id, $2, $3 FROM student_devices"
    await pool.execute(day, snapshots.REPORTED_ON, 0, None)
    assert await told() == [(1, 0, None)]
    await pool.execute(day, snapshots.REPORTED_ON - timedelta(days=1), None, True)
    assert await told() == [(1, 0, 0)]


async def test_students_devices_are_counted_by_the_school_of_their_group(pool: asyncpg.Pool) -> None:
    await snapshots.insert(pool)
    manager = await snapshots.insert_account(pool, "chromebooks", "google_workspace", rank=3)
    await pool.execute(
        "INSERT INTO provider_groups (district_id, account_id, group_key, school_id)"
        " SELECT 7, $1::bigint, 'ou-1', min(school_id) FROM schools UNION ALL SELECT 7, $1::bigint, 'ou-2', NULL",
        manager,
    )
    for key, group, in_service in (
        ("a", "ou-1", True),
        ("b", "ou-1", True),
        ("c", "ou-1", False),
        ("d", "ou-2", True),
    ):
        await pool.execute(
            "INSERT INTO student_devices (district_id, account_id, device_key, group_key, raw_status, is_in_service,"
            " read_at) VALUES (7, $1, $2, $3, 'X', $4, $5)",
            manager,
            key,
            group,
            in_service,
            snapshots.NOW,
        )
    await pool.execute("SELECT ensure_partitions($1::date - 40, $1::date)", snapshots.REPORTED_ON)
    for key, days_ago, seconds, elsewhere in (
        ("a", 0, 60, None),
        ("a", 3, 60, True),
        ("b", 6, 0, None),
        ("b", 7, 9, True),
    ):
        await pool.execute(
            "INSERT INTO student_device_days SELECT 7, $2, student_device_id, $3, NULL, $4 FROM student_devices"
            " WHERE device_key = $1",
            key,
            snapshots.REPORTED_ON - timedelta(days=days_ago),
            seconds,
            elsewhere,
        )
    told = [
        (school.student_devices, school.student_devices_active, school.student_devices_elsewhere)
        for school in (await shown(pool)).schools
    ]
    assert sorted(told, key=str) == sorted([(2, 1, 1)] + [(None, None, None)] * (len(told) - 1), key=str)


async def test_status_words_that_are_not_known_are_counted_by_account(pool: asyncpg.Pool) -> None:
    await snapshots.insert(pool)
    manager = await snapshots.insert_account(pool, "chromebooks", "google_workspace", rank=3)
    await pool.execute(
        "INSERT INTO student_devices (district_id, account_id, device_key, raw_status, is_in_service, read_at)"
        " SELECT 7, $1, n::text, CASE WHEN n < 3 THEN 'ODD' ELSE 'ACTIVE' END, nullif(n >= 3, false), $2"
        " FROM generate_series(1, 5) AS n",
        manager,
        snapshots.NOW,
    )
    unmapped = {source.account_key: source.unmapped for source in (await shown(pool)).sources}
    assert unmapped == {"carrier": 0, "routers": 0, "portal": 0, "chromebooks": 2}
    (finding,) = await checks.vocabulary(pool)
    assert (finding.what, finding.is_good) == ("district 7, account chromebooks: status", False)
    assert finding.found == "not known: ODD (2)"


async def test_districts_do_not_mix(pool: asyncpg.Pool) -> None:
    await snapshots.insert(pool, district_id=7, schools=snapshots.SCHOOLS[:3])
    await snapshots.insert(pool, district_id=8, schools=snapshots.SCHOOLS[3:5])
    found = await coverage.snapshot(pool, now=snapshots.NOW)
    assert [len(district.schools) for district in found.districts] == [3, 2]
    assert [len(district.sources) for district in found.districts] == [3, 3]
    assert found.district(8) is found.districts[1]
    assert found.district(9) is None


async def test_loans_are_counted_by_state_on_the_reported_day(pool: asyncpg.Pool) -> None:
    await snapshots.insert(pool)
    await snapshots.insert_loan_days(pool, ["adequate", "adequate", "idle"])
    assert (await shown(pool)).loans_by_state == {"adequate": 2, "idle": 1}


async def test_a_database_that_is_away_is_told_as_such(pool: asyncpg.Pool) -> None:
    await pool.close()
    with pytest.raises(errors.DatabaseUnavailable):
        await coverage.snapshot(pool, now=snapshots.NOW)
