"""Sweeps of a real simulator into a real database: nothing lost, nothing counted twice."""

import dataclasses
from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta

import asyncpg

from collectors import base, readings
from collectors import errors as collector_errors
from collectors.kajeet import simulator, world
from service.polling import runner
from tests.files import contents
from tests.fleet import Fleet, device, iccid, imei, local, polled

START = datetime(2026, 10, 5, 16, tzinfo=UTC)
HOUR = timedelta(hours=1)
LINES = 35


def fleet_of(count: int = LINES) -> list[world.Device]:
    return [device(number, day_amount_mb=1.5) for number in range(count)]


async def test_a_sweep_stores_lines_devices_readings_and_states(pool: asyncpg.Pool) -> None:
    devices = [device(n, day_amount_mb=1.5, month_amount_mb=20.25) for n in range(250)]
    async with polled(pool, devices) as f:
        result = await f.sweep()
        assert (result.outcome, result.error) == ("succeeded", None)
        assert result.progress.lines == 250
        counts = await f.rows(
            "SELECT (SELECT count(*) FROM lines) AS lines, (SELECT count(*) FROM devices) AS devices,"
            " (SELECT count(*) FROM usage_readings) AS usage, (SELECT count(*) FROM state_readings) AS states,"
            " (SELECT count(*) FROM latest_states) AS latest, (SELECT count(*) FROM line_device_links) AS links"
        )
        assert counts == [
            {"lines": 250, "devices": 250, "usage": 750, "states": 250, "latest": 250, "links": 250}
        ]
        assert (
            await pool.fetchval("SELECT sum(total_bytes) FROM usage_readings WHERE series = 'cycle'")
            == 250 * 20_250_000
        )


async def test_sweeping_the_same_instant_again_changes_nothing(pool: asyncpg.Pool) -> None:
    async with polled(pool, [device(n) for n in range(30)]) as f:
        await f.sweep()
        again = await f.sweep()
        assert again.outcome in ("succeeded", "partial")
        assert again.progress.rows_written == 0
        assert await pool.fetchval("SELECT count(*) FROM usage_readings") == 90


async def test_a_gap_longer_than_two_cadences_is_recorded_and_counted(pool: asyncpg.Pool) -> None:
    async with polled(pool, fleet_of(5)) as f:
        for hours in (0, 2, 5, 5.5):
            assert (await f.sweep(START + hours * HOUR)).outcome == "succeeded"
        gaps = await f.rows("SELECT endpoint_group, starts_at, ends_at FROM poll_gaps")
        assert gaps == [
            {"endpoint_group": "devices", "starts_at": START + 2 * HOUR, "ends_at": START + 5 * HOUR}
        ]
        assert f.counted("gap_seconds_total") == 3 * 3600


async def test_a_gap_is_recorded_only_when_the_source_is_back(pool: asyncpg.Pool) -> None:
    async with polled(pool, fleet_of(5)) as f:
        await f.sweep(START)
        f.simulator.faults.is_blind = True
        for hours in range(1, 5):
            assert (await f.sweep(START + hours * HOUR)).outcome == "failed"
        assert await f.rows("SELECT * FROM poll_gaps") == []
        assert f.counted("gap_seconds_total") is None
        f.simulator.faults.is_blind = False
        await f.sweep(START + 5 * HOUR)
        (gap,) = await f.rows("SELECT * FROM poll_gaps")
        assert (gap["starts_at"], gap["ends_at"]) == (START, START + 5 * HOUR)
        assert f.counted("gap_seconds_total") == 5 * 3600


LINKS = (
    "SELECT l.iccid, d.imei, k.starts_at = '-infinity' AS is_first, k.starts_at, k.ends_at"
    " FROM line_device_links AS k JOIN lines AS l USING (line_id) JOIN devices AS d USING (device_id)"
    " ORDER BY k.ends_at NULLS LAST, l.iccid"
)


async def links(f: Fleet) -> list[tuple[str, str, datetime | None, datetime | None]]:
    """(SIM, device, from, until); None: always, still."""
    return [
        (row["iccid"], row["imei"], None if row["is_first"] else row["starts_at"], row["ends_at"])
        for row in await f.rows(LINKS)
    ]


async def test_a_swapped_sim_is_dated(pool: asyncpg.Pool) -> None:
    async with polled(pool, fleet_of(3)) as f:
        await f.sweep(START)
        f.show(1, uicc=iccid(900))
        assert (await f.sweep(START + HOUR)).outcome == "succeeded"
        found = await links(f)
        assert found[0] == (iccid(1), imei(1), None, START + HOUR)
        assert (iccid(900), imei(1), START + HOUR, None) in found
        assert await f.pool.fetchval("SELECT count(*) FROM lines") == 4
        assert await f.pool.fetchval("SELECT count(*) FROM devices") == 3


async def test_a_new_device_for_a_line_closes_the_old_link(pool: asyncpg.Pool) -> None:
    async with polled(pool, fleet_of(3)) as f:
        await f.sweep(START)
        f.show(1, imei=imei(900))
        assert (await f.sweep(START + HOUR)).outcome == "succeeded"
        found = await links(f)
        assert found[0] == (iccid(1), imei(1), None, START + HOUR)
        assert (iccid(1), imei(900), START + HOUR, None) in found
        assert await f.pool.fetchval("SELECT count(*) FROM lines") == 3


async def test_two_sims_that_trade_places_are_dated_both(pool: asyncpg.Pool) -> None:
    async with polled(pool, fleet_of(3)) as f:
        await f.sweep(START)
        f.show(0, imei=imei(1))
        f.show(1, imei=imei(0))
        assert (await f.sweep(START + HOUR)).outcome == "succeeded"
        assert [link for link in await links(f) if link[0] != iccid(2)] == [
            (iccid(0), imei(0), None, START + HOUR),
            (iccid(1), imei(1), None, START + HOUR),
            (iccid(0), imei(1), START + HOUR, None),
            (iccid(1), imei(0), START + HOUR, None),
        ]


async def test_the_same_fleet_seen_by_two_accounts_is_the_same_lines(pool: asyncpg.Pool) -> None:
    """The second account has keys of its own, spells SIMs otherwise, and tells none of the last ten."""
    again = [
        device(n, key=f"other-{n}", mdn=f"+1 (212) 55{n // 10_000}-{n % 10_000:04d}", uicc=uicc)
        for n, uicc in [
            *((n, f"{iccid(n)[:8]} {iccid(n)[8:]}F") for n in range(25)),
            *((n, None) for n in range(25, LINES)),
        ]
    ]
    async with polled(pool, fleet_of()) as f, polled(pool, again, key="second", rank=2) as g:
        await f.sweep(START)
        assert (await g.sweep(START)).outcome == "succeeded"
        counts = await f.rows(
            "SELECT (SELECT count(*) FROM lines) AS lines, (SELECT count(*) FROM devices) AS devices,"
            " (SELECT count(*) FROM provider_keys) AS keys, (SELECT count(*) FROM line_device_links) AS links,"
            " (SELECT count(DISTINCT line_id) FROM provider_keys) AS known"
        )
        assert counts == [
            {"lines": LINES, "devices": LINES, "keys": 2 * LINES, "links": LINES, "known": LINES}
        ]


async def test_a_line_that_is_gone_stays_as_it_was_and_is_not_read_again(pool: asyncpg.Pool) -> None:
    async with polled(pool, fleet_of(3)) as f:
        await f.sweep(START)
        f.hide(1)
        assert (await f.sweep(START + HOUR)).progress.lines == 2
        line = await f.line_of(1)
        assert await pool.fetchval("SELECT read_at FROM latest_states WHERE line_id = $1", line) == START
        assert await pool.fetchval("SELECT ends_at FROM line_device_links WHERE line_id = $1", line) is None


async def test_a_list_of_many_batches_is_stored_exactly_once(pool: asyncpg.Pool) -> None:
    many = 11_000
    settings = simulator.Settings(max_limit=1000)
    async with polled(pool, fleet_of(many), settings=settings, page_size=1000) as f:
        result = await f.sweep(START)
        assert (result.outcome, result.progress.lines, result.progress.pages) == ("succeeded", many, 11)
        assert await f.seen_at(START) == many
        assert await pool.fetchval("SELECT count(*) FROM usage_readings") == 3 * many
        assert await pool.fetchval("SELECT count(*) FROM lines") == many
        assert result.progress.rows_written == 5 * many
        again = await f.sweep(START + HOUR)
        assert (again.outcome, again.progress.lines) == ("succeeded", many)
        assert await pool.fetchval("SELECT count(*) FROM lines") == many


async def test_a_sim_without_its_check_digit_is_the_same_sim(pool: asyncpg.Pool) -> None:
    short = [device(n, key=f"other-{n}", uicc=iccid(n)[:-1]) for n in range(LINES)]
    async with polled(pool, fleet_of()) as f, polled(pool, short, key="second", rank=2) as g:
        await f.sweep(START)
        await g.sweep(START)
        assert await pool.fetchval("SELECT count(*) FROM lines") == LINES


async def test_a_sweep_of_the_groups_succeeds(pool: asyncpg.Pool) -> None:
    async with polled(pool, fleet_of(3), discover_groups=True) as f:
        assert (await f.sweep_group("groups")).outcome == "succeeded"
        assert f.simulator.faults.seen("groups") == 1


CHILD = "Wilhelmina Placeholder"


async def test_no_childs_name_that_the_vendor_keeps_is_in_any_table(pool: asyncpg.Pool) -> None:
    devices = [
        device(n, nickname=CHILD, device_name=CHILD, corp_description=CHILD, filter_group=CHILD)
        for n in range(LINES)
    ]
    async with polled(pool, devices, discover_groups=True) as f:
        f.world.groups(START)[0].description = CHILD
        for group in f.account.collector.endpoint_groups:
            await f.sweep_group(group.name)
        f.show(1, nickname=CHILD, imei="no IMEI", status="unheard of")
        assert (await f.sweep(START + HOUR)).outcome == "succeeded"
        await f.refresh()
        tables = await contents(pool)
        assert iccid(3) in tables["lines"]
        assert "5001" in tables["provider_groups"]
        assert [name for name, rows in tables.items() if any(part in rows for part in CHILD.split())] == []


async def test_a_limit_of_nothing_is_no_limit(pool: asyncpg.Pool) -> None:
    async with polled(pool, [device(1, day_limit_mb=0), device(2, month_limit_mb=-1)]) as f:
        result = await f.sweep()
        assert (result.outcome, result.progress.lines, result.progress.rows_rejected) == ("succeeded", 2, 0)
        limits = await f.rows("SELECT day_limit_bytes, cycle_limit_bytes FROM latest_states")
        assert limits == [{"day_limit_bytes": None, "cycle_limit_bytes": None}] * 2


async def test_devices_without_a_sim_number_are_lines_of_their_own(pool: asyncpg.Pool) -> None:
    async with polled(pool, [device(n, uicc="N/A") for n in range(6)]) as f:
        result = await f.sweep()
        assert (result.outcome, result.progress.lines) == ("succeeded", 6)


async def test_what_stands_in_a_field_for_something_else_is_not_kept(pool: asyncpg.Pool) -> None:
    """A child's name where a serial number or a desk status belongs."""
    child = "Wilhelmina Pfefferkorn"
    spoiled = device(1, serial=child, media_center_status=f"Out to {child}", summer_status=child)
    async with polled(pool, [spoiled]) as f:
        await f.sweep()
        held = str(await contents(pool))
        assert "active" in held  # the search looks where rows are
        assert "Pfefferkorn" not in held.title()


class Ordered:
    """A vendor that tells of past days, oldest first, and re-reads some; it fails after ``good`` pages."""

    endpoint_groups = (
        base.EndpointGroup(
            name="usage", cadence=timedelta(hours=1), page_size=1, is_ordered=True, overlaps=True
        ),
    )

    def __init__(self, days: list[datetime], good: int) -> None:
        self.days, self.good = days, good

    async def pages(
        self, group: base.EndpointGroup, sweep: base.Sweep
    ) -> AsyncGenerator[readings.Page, None]:
        for n, day in enumerate(self.days):
            if n == self.good:
                raise collector_errors.Unavailable("gone")
            ends_at = day + timedelta(days=1)
            kind, series = readings.UsageKind.INTERVAL, readings.UsageSeries.DAY
            usage = readings.Usage(kind, series, day, 1000 * (n + 1), ends_at)
            yield readings.Page(sightings=[readings.Sighting("one", iccid=iccid(1), usage=(usage,))])

    async def probe(self) -> base.Probe:
        return base.Probe(1, 0.0)

    async def aclose(self) -> None:
        return


async def test_pages_ordered_by_the_watermark_move_it_and_old_days_are_computed_again(
    pool: asyncpg.Pool,
) -> None:
    days = [local(f"2026-10-0{n} 00:00") for n in (1, 2, 3)]
    async with polled(pool) as f:
        await pool.execute("SELECT ensure_partitions('2026-09-01', '2026-10-31')")
        collector = Ordered(days, good=2)
        account = dataclasses.replace(f.account, collector=collector)
        sweeper = runner.Runner(pool, f.clock, f.metrics)
        result = await sweeper.sweep(account, collector.endpoint_groups[0])
        assert (result.outcome, result.error) == ("failed", "gone")
        assert await pool.fetchval("SELECT watermark_at FROM watermarks") == days[1]
        await f.refresh()
        known = await f.rows("SELECT on_day::text, used_bytes FROM line_days ORDER BY on_day")
        assert known == [
            {"on_day": "2026-10-01", "used_bytes": 1000},
            {"on_day": "2026-10-02", "used_bytes": 2000},
        ]
