"""What goes wrong at a vendor, and what a sweep makes of it: nothing lost, nothing counted twice, told once."""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest
from aiohttp import web

from collectors import readings, simulation
from collectors.kajeet import faults
from service import checks
from service.polling import runner
from service.store import pool as pools
from service.store import sightings
from tests import fleet
from tests.fleet import Fleet, device, iccid, imei, polled

START = datetime(2026, 10, 5, 16, tzinfo=UTC)
HOUR = timedelta(hours=1)
LINES = 35
PAGE = 10
CHILD = "Wilhelmina Placeholder"
IMPATIENT = replace(fleet.QUICK, attempt_seconds=0.15)


def small(count: int = LINES) -> list[Any]:
    return [device(number, day_amount_mb=1.5) for number in range(count)]


async def rejections(f: Fleet) -> dict[str, int]:
    return {row["reason"]: row["rejected"] for row in await f.rows("SELECT * FROM poll_rejections")}


def told(caplog: pytest.LogCaptureFixture) -> list[tuple[str, object]]:
    """What the runner logged: level and action."""
    return [
        (record.levelname, getattr(record, "action", None))
        for record in caplog.records
        if record.name == runner.__name__
    ]


class Gate:
    """Holds a request of the vendor's back until it is opened."""

    def __init__(self) -> None:
        self.reached = asyncio.Event()
        self.open = asyncio.Event()

    async def __call__(self, call: simulation.Call) -> web.StreamResponse:
        self.reached.set()
        await self.open.wait()
        return await call.reply()


# Every fault that ends a sweep.


def revoke(f: Fleet) -> None:
    f.simulator.expire_tokens()
    f.simulator.settings = replace(f.simulator.settings, client_secret="another")


def shapeless(body: dict[str, Any]) -> None:
    del body["totalCount"]


FATAL: dict[str, tuple[Callable[[Fleet], simulation.Fault], str]] = {
    "revoked credentials": (lambda f: simulation.first(lambda: revoke(f)), "401"),
    "403": (lambda f: simulation.status(403), "answered 403: the account may not do this"),
    "404": (lambda f: simulation.status(404), "answered 404: no such address"),
    "429": (lambda f: simulation.status(429), "answered 429: too many requests"),
    "429 that asks for an hour": (lambda f: simulation.status(429, retry_after="3600"), "answered 429"),
    "500": (lambda f: simulation.status(500), "answered 500: a fault at the vendor"),
    "no answer": (lambda f: simulation.hang, "did not answer in time"),
    "a sign-in page": (lambda f: simulation.html, "answered HTML where JSON was expected"),
    "cut-off JSON": (lambda f: simulation.truncated, "not whole JSON"),
    "another shape": (lambda f: simulation.changed(shapeless), "another shape than expected: totalCount"),
    "an empty page": (lambda f: faults.fewer_rows(0), "was empty before its end"),
    "the same page for ever": (lambda f: simulation.repeated, "gave the same page twice"),
}


@pytest.mark.parametrize("fault", FATAL)
async def test_a_sweep_that_fails_on_its_third_page_moves_nothing_is_told_once_and_the_next_makes_it_whole(
    pool: asyncpg.Pool, caplog: pytest.LogCaptureFixture, fault: str
) -> None:
    caplog.set_level(logging.INFO)
    make, message = FATAL[fault]
    async with polled(pool, small(), page_size=PAGE, limits=IMPATIENT) as f:
        assert (await f.sweep(START)).outcome == "succeeded"
        settings, tokens = f.simulator.settings, dict(f.simulator.tokens)
        for n in (1, 2):
            f.simulator.faults.next(make(f), after=2, times=99)
            result = await f.sweep(START + n * HOUR)
            assert result.outcome == "failed"
            assert message in (result.error or "")
            assert "offset=" not in (result.error or "")
            assert await f.seen_at(START + n * HOUR) == 2 * PAGE  # the pages before it are kept
            row = await f.watermark()
            assert row["watermark_at"] == row["last_success_at"] == START
            assert row["last_attempt_at"] == START + n * HOUR
            assert row["failing_since_at"] == START + HOUR
            assert (row["last_error"], row["lease_holder"]) == (result.error, None)
            run = (await f.runs())[-1]
            assert (run["outcome"], run["error"], run["lines"]) == ("failed", result.error, 2 * PAGE)
            assert run["finished_at"] == START + n * HOUR
            f.simulator.faults.clear()
            f.simulator.settings = settings
            f.simulator.tokens |= tokens
        recovered = await f.sweep(START + 3 * HOUR)
        assert (recovered.outcome, recovered.progress.lines) == ("succeeded", LINES)
        row = await f.watermark()
        assert row["watermark_at"] == row["last_success_at"] == START + 3 * HOUR
        assert (row["failing_since_at"], row["last_error"]) == (None, None)
        assert [await f.seen_at(START + n * HOUR) for n in range(4)] == [LINES, 20, 20, LINES]
        assert f.counted("sweeps_total", state="failed") == 2
        assert told(caplog) == [("WARNING", "source_failed"), ("INFO", "source_recovered")]


async def test_a_first_sweep_that_fails_is_told_and_keeps_what_it_read(
    pool: asyncpg.Pool, caplog: pytest.LogCaptureFixture
) -> None:
    async with polled(pool, small(), page_size=PAGE) as f:
        f.simulator.faults.next(simulation.status(403), after=1)
        assert (await f.sweep(START)).outcome == "failed"
        row = await f.watermark()
        assert (row["watermark_at"], row["last_success_at"]) == (None, None)
        assert row["failing_since_at"] == row["last_attempt_at"] == START
        assert await f.pool.fetchval("SELECT count(*) FROM lines") == PAGE
        assert told(caplog) == [("WARNING", "source_failed")]


# Faults that pass.


async def test_a_token_that_ends_in_mid_sweep_is_replaced_once_and_the_sweep_completes(
    pool: asyncpg.Pool,
) -> None:
    async with polled(pool, small(), page_size=PAGE) as f:
        f.simulator.faults.next(simulation.first(f.simulator.expire_tokens), after=2)
        result = await f.sweep(START)
        assert (result.outcome, result.progress.lines) == ("succeeded", LINES)
        assert f.simulator.faults.seen("token") == 2
        assert await f.seen_at(START) == LINES


@pytest.mark.parametrize(
    "fault",
    [
        simulation.status(429),
        simulation.status(429, retry_after="0"),
        simulation.status(429, retry_after="Wed, 21 Oct 2015 07:28:00 GMT"),
        simulation.status(500),
        simulation.status(503),
        simulation.hang,
        simulation.repeated,
        faults.fewer_rows(0),
        faults.fewer_rows(3),
        faults.reordered(7),
    ],
    ids=["429", "429 0 s", "429 date", "500", "503", "hang", "repeated", "empty", "short page", "shuffled"],
)
async def test_a_fault_that_passes_costs_no_line_and_stores_none_twice(
    pool: asyncpg.Pool, caplog: pytest.LogCaptureFixture, fault: simulation.Fault
) -> None:
    async with polled(pool, small(), page_size=PAGE, limits=IMPATIENT) as f:
        f.simulator.faults.next(fault, after=2)
        result = await f.sweep(START)
        assert (result.outcome, result.progress.lines) == ("succeeded", LINES)
        assert await f.seen_at(START) == LINES
        assert await f.pool.fetchval("SELECT count(*) FROM usage_readings") == 3 * LINES
        assert await f.pool.fetchval("SELECT count(*) FROM lines") == LINES
        assert told(caplog) == []


async def test_a_page_that_overlaps_the_one_before_stores_no_line_twice(pool: asyncpg.Pool) -> None:
    def overlap(body: dict[str, Any]) -> None:
        body["devices"] = [*first[-4:], *body["devices"][:-4]]

    first = [{"key": device(n).key, "mdn": device(n).mdn, "status": "active"} for n in range(PAGE)]
    async with polled(pool, small(20), page_size=PAGE) as f:
        f.simulator.faults.next(simulation.changed(overlap), after=1)
        result = await f.sweep(START)
        assert result.outcome == "succeeded"
        assert await f.seen_at(START) == 20
        assert await f.pool.fetchval("SELECT count(*) FROM usage_readings") == 60


# One bad row.


async def test_a_row_without_a_field_or_with_a_wrong_type_is_rejected_alone_and_its_value_is_nowhere(
    pool: asyncpg.Pool, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with polled(pool, small(PAGE)) as f:

        def spoil(body: dict[str, Any]) -> None:
            del body["devices"][3]["status"]
            del body["devices"][4]["status"]
            body["devices"][5]["dayAmountUsed"] = CHILD

        f.simulator.faults.next(simulation.changed(spoil))
        result = await f.sweep(START)
        assert (result.outcome, result.progress.lines, result.progress.rows_rejected) == ("succeeded", 7, 3)
        assert await f.seen_at(START) == 7
        assert (await f.runs())[-1]["rows_rejected"] == 3
        found = await f.rows("SELECT reason, first_path, rejected FROM poll_rejections ORDER BY rejected")
        assert [(row["first_path"], row["rejected"]) for row in found] == [
            ("devices[5].dayAmountUsed", 1),
            ("devices[3].status", 2),
        ]
        assert found[1]["reason"] == "missing"
        assert CHILD not in str(found) + caplog.text
        assert f.counted("rows_rejected_total") == 3


FIELDS = ("key", "mdn", "status", "imei", "uicc", "oemSerialNumber", "mediaCenterStatus", "summerStatus")


@pytest.mark.parametrize(
    "value",
    [
        pytest.param("a\x00b", id="NUL"),
        pytest.param("\x1f\x1e", id="separators"),
        pytest.param("tab\tand\nline", id="control"),
        pytest.param("\\N", id="null of COPY"),
        pytest.param("{}", id="array"),
        pytest.param("²", id="digit of another kind"),
        pytest.param("9" * 64, id="long"),
    ],
)
async def test_no_text_in_a_row_costs_another_row(pool: asyncpg.Pool, value: str) -> None:
    """Each field of a row of its own holds it."""
    async with polled(pool, small(LINES)) as f:
        for row, field in enumerate(FIELDS):
            f.simulator.faults.next(faults.spoiled_row(row, **{field: value}))
        for n in range(len(FIELDS)):
            result = await f.sweep(START + n * HOUR)
            assert result.outcome in {"succeeded", "partial"}
            assert await f.seen_at(START + n * HOUR) >= LINES - 1
        assert await f.pool.fetchval("SELECT count(*) FROM devices WHERE serial IS NOT NULL") <= 1


async def test_an_identifier_that_cannot_be_one_is_left_out_and_the_row_is_kept(pool: asyncpg.Pool) -> None:
    async with polled(pool, small(PAGE)) as f:
        f.show(3, imei="123456789012345")
        result = await f.sweep(START)
        assert (result.outcome, result.progress.lines, result.progress.rows_rejected) == (
            "succeeded",
            PAGE,
            1,
        )
        assert await rejections(f) == {
            "imei left out: the last digit does not check: a digit of this IMEI is wrong": 1
        }


async def test_two_rows_that_are_one_sim_are_one_line(pool: asyncpg.Pool) -> None:
    async with polled(pool, [device(1), device(2, uicc=iccid(1))]) as f:
        result = await f.sweep(START)
        assert (result.outcome, result.progress.rows_rejected) == ("succeeded", 1)
        assert await f.pool.fetchval("SELECT count(*) FROM lines") == 1


async def test_two_rows_that_are_one_sim_in_two_spellings_are_one_line(pool: asyncpg.Pool) -> None:
    async with polled(pool, [device(1), device(2, uicc=iccid(1) + "F"), device(3)]) as f:
        result = await f.sweep(START)
        assert (result.outcome, result.progress.rows_rejected) == ("succeeded", 1)
        assert await f.pool.fetchval("SELECT count(*) FROM lines") == 2


async def test_two_devices_of_one_serial_number_do_not_end_the_sweep(pool: asyncpg.Pool) -> None:
    async with polled(pool, [device(1, serial="MF-920"), device(2, serial="MF-920"), device(3)]) as f:
        result = await f.sweep(START)
        assert result.outcome == "succeeded"
        assert await f.pool.fetchval("SELECT count(*) FROM line_device_links") == 3


async def test_a_corrected_imei_of_the_same_serial_number_does_not_end_the_sweep(pool: asyncpg.Pool) -> None:
    async with polled(pool, [device(1, serial="SN-1"), device(2)]) as f:
        await f.sweep(START)
        f.show(1, serial="SN-1", imei=imei(77))
        assert (await f.sweep(START + HOUR)).outcome == "succeeded"
        assert await f.seen_at(START + HOUR) == 2


async def test_two_lines_first_seen_without_imei_may_turn_out_to_be_in_one_device(pool: asyncpg.Pool) -> None:
    """As after a wrong name in options.fields is put right: an old SIM and a new one list the same device."""
    async with polled(pool, [device(1, imei=None), device(2, imei=None), device(3)]) as f:
        await f.sweep(START)
        f.show(1, imei=imei(1))
        f.show(2, imei=imei(1))
        assert (await f.sweep(START + HOUR)).outcome == "succeeded"
        assert await f.seen_at(START + HOUR) == 3


async def test_an_error_that_nobody_foresaw_is_recorded_as_a_failure(pool: asyncpg.Pool) -> None:
    async with polled(pool, small(3)) as f:
        await f.sweep(START)
        await pool.execute("ALTER TABLE latest_states ADD CHECK (read_at < '2026-10-05 16:30+00')")
        with contextlib.suppress(asyncpg.CheckViolationError):
            await f.sweep(START + HOUR)
        row = await f.watermark()
        assert row["watermark_at"] == row["last_success_at"] == START
        assert row["failing_since_at"] == START + HOUR
        assert (await f.runs())[-1]["outcome"] == "failed"


# A list that changes while it is read.


async def test_a_device_added_before_the_place_being_read_is_seen_by_a_second_pass(
    pool: asyncpg.Pool,
) -> None:
    async with polled(pool, small()[1:], page_size=PAGE) as f:
        f.simulator.faults.next(simulation.first(lambda: f.show(0)), after=2)
        result = await f.sweep(START)
        assert (result.outcome, result.progress.lines) == ("succeeded", LINES)
        assert result.progress.pages == 8  # twice four
        assert await f.seen_at(START) == LINES
        assert len(await f.runs()) == 1


async def test_a_device_added_after_the_place_being_read_needs_no_second_pass(pool: asyncpg.Pool) -> None:
    async with polled(pool, small(), page_size=PAGE) as f:
        f.simulator.faults.next(simulation.first(lambda: f.show(99)), after=2)
        result = await f.sweep(START)
        assert (result.outcome, result.progress.lines, result.progress.pages) == ("succeeded", LINES + 1, 4)


async def test_devices_removed_before_the_place_being_read_cost_no_line(pool: asyncpg.Pool) -> None:
    def remove() -> None:
        for number in (0, 3, 12):
            f.hide(number)

    async with polled(pool, small(), page_size=PAGE) as f:
        f.simulator.faults.next(simulation.first(remove), after=2)
        result = await f.sweep(START)
        assert result.outcome == "succeeded"
        assert await f.seen_at(START) == LINES  # the three were seen before they went
        assert await f.pool.fetchval("SELECT count(*) FROM usage_readings") == 3 * LINES


async def test_lines_that_never_come_make_the_sweep_partial_and_the_watermark_moves_all_the_same(
    pool: asyncpg.Pool, caplog: pytest.LogCaptureFixture
) -> None:
    def doubled(body: dict[str, Any]) -> None:
        """One row twice, in the place of another."""
        body["devices"][1] = body["devices"][0]

    async with polled(pool, small(PAGE)) as f:
        f.simulator.faults.next(simulation.changed(doubled), times=2)
        result = await f.sweep(START)
        assert (result.outcome, result.progress.lines, result.progress.lines_promised) == ("partial", 9, 10)
        assert told(caplog) == [("WARNING", "sweep_partial")]
        row = await f.watermark()
        assert row["watermark_at"] == row["last_success_at"] == START
        assert (await f.runs())[-1]["outcome"] == "partial"
        assert (await f.sweep(START + HOUR)).outcome == "succeeded"


async def test_an_order_that_is_another_on_every_page_costs_no_line(pool: asyncpg.Pool) -> None:
    async with polled(pool, small(), page_size=PAGE) as f:
        for seed in range(8):
            f.simulator.faults.next(faults.reordered(seed), after=seed)
        result = await f.sweep(START)
        assert (result.outcome, result.progress.lines) == ("succeeded", LINES)


async def test_an_identifier_left_out_does_not_hide_a_line_that_did_not_come(pool: asyncpg.Pool) -> None:
    async with polled(pool, small()[1:], page_size=PAGE) as f:
        f.show(30, imei="123456789012345")
        f.simulator.faults.next(simulation.first(lambda: f.show(0)), after=2)
        result = await f.sweep(START)
        assert (result.outcome, result.progress.lines) == ("succeeded", LINES)


async def test_a_line_missed_in_the_first_of_two_groups_is_seen_by_a_second_pass(pool: asyncpg.Pool) -> None:
    devices = [*small(20)[1:], *(device(n, corp_id="5002") for n in range(50, 55))]
    async with polled(pool, devices, page_size=5, corp_ids=["5001", "5002"]) as f:
        f.simulator.faults.next(simulation.first(lambda: f.show(0)), after=2)
        result = await f.sweep(START)
        assert result.outcome == "succeeded"
        assert await f.seen_at(START) == 25


# Instants and clocks.


async def test_a_reading_of_an_impossible_instant_is_refused_with_its_batch(pool: asyncpg.Pool) -> None:
    """Sentinel tells no instants; a collector of a vendor that does must refuse such a row at parse."""
    async with polled(pool, small(1)) as f:
        await f.sweep(START)
        for year in (1970, 2014, 2101, 9999):
            far = datetime(year, 1, 2, tzinfo=UTC)
            state = readings.State(far, readings.LineStatus.ACTIVE, "active")
            rows = [
                readings.Sighting("new", iccid=iccid(500)),
                readings.Sighting("far", iccid=iccid(501), states=(state,)),
            ]
            with pytest.raises(asyncpg.CheckViolationError):
                async with pool.acquire() as connection, connection.transaction():
                    await sightings.store(connection, f.account.source, rows, instant=START)
        assert await pool.fetchval("SELECT count(*) FROM lines") == 1


@pytest.mark.parametrize("minutes", [-60, 60])
async def test_a_vendors_wrong_clock_spoils_no_sweep_and_check_says_so(
    pool: asyncpg.Pool, minutes: int
) -> None:
    async with polled(pool, small(), page_size=PAGE) as f:
        f.simulator.faults.next(simulation.dated(60.0 * minutes), endpoint=None, times=99)
        finding = await checks.account(f.account)
        assert not finding.is_good
        assert finding.found == f"answers, but its clock is {minutes:+d} minutes from ours"
        assert "NTP" in finding.advice
        assert (await f.sweep(START)).outcome == "succeeded"
        assert await f.seen_at(START) == LINES


async def test_check_is_content_with_a_good_account(pool: asyncpg.Pool) -> None:
    async with polled(
        pool, [device(n, media_center_status="CheckedOut", summer_status="None") for n in range(3)]
    ) as f:
        finding = await checks.account(f.account)
        assert (finding.is_good, finding.found) == (True, "answers; lists 3 lines, 1 request(s) a sweep")


async def test_check_says_what_is_wrong_and_what_to_do(pool: asyncpg.Pool) -> None:
    for fault, (make, message) in FATAL.items():
        if fault not in {"an empty page", "the same page for ever"}:  # check reads one
            async with polled(pool, small(), limits=IMPATIENT) as f:
                f.simulator.faults.next(make(f), times=99)
                finding = await checks.account(f.account)
                assert not finding.is_good, fault
                assert message in finding.found, fault
                assert finding.advice, fault


# Stopped, crashed, taken up again.


async def stop_on_page(f: Fleet, page: int, at: datetime) -> runner.Result | None:
    """Cancel a sweep while the vendor is being asked for this page."""
    gate = Gate()
    f.simulator.faults.next(gate, after=page - 1)
    sweeping = asyncio.create_task(f.sweep(at))
    await asyncio.wait_for(gate.reached.wait(), 5)
    sweeping.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sweeping
    f.simulator.faults.clear()
    gate.open.set()
    return None


async def test_a_sweep_that_is_stopped_is_abandoned_and_the_next_one_makes_it_whole(
    pool: asyncpg.Pool, caplog: pytest.LogCaptureFixture
) -> None:
    async with polled(pool, small(), page_size=PAGE, limits=replace(fleet.QUICK, attempt_seconds=30)) as f:
        await stop_on_page(f, 3, START)
        (run,) = await f.runs()
        assert (run["outcome"], run["error"], run["finished_at"]) == ("abandoned", "stopped", START)
        row = await f.watermark()
        assert (row["watermark_at"], row["lease_holder"], row["failing_since_at"]) == (None, None, None)
        assert (await f.sweep(START + timedelta(minutes=1))).outcome == "succeeded"
        assert await f.seen_at(START + timedelta(minutes=1)) == LINES
        assert told(caplog) == []


async def crashed(f: Fleet, at: datetime) -> str:
    """Leave what a process leaves that is killed after the second page was stored; returns the cursor."""
    f.simulator.faults.next(simulation.status(403), after=2)
    assert (await f.sweep(at)).outcome == "failed"
    f.simulator.faults.clear()
    cursor: str = await f.pool.fetchval(
        "UPDATE poll_runs SET outcome = 'running', finished_at = NULL, error = NULL RETURNING cursor"
    )
    await f.pool.execute("UPDATE watermarks SET failing_since_at = NULL, last_error = NULL")
    return cursor


@pytest.mark.parametrize("minutes", [0, 1, 30])
async def test_a_crashed_sweep_is_taken_up_where_it_stood_with_the_same_instant(
    pool: asyncpg.Pool, minutes: int
) -> None:
    async with polled(pool, small(), page_size=PAGE) as f:
        assert await crashed(f, START) == "5001:20:35"
        asked = f.simulator.faults.seen("devices")
        result = await f.sweep(START + timedelta(minutes=minutes))
        assert (result.outcome, result.instant) == ("succeeded", START)
        assert f.simulator.faults.seen("devices") - asked == 2  # the third page and the fourth
        assert [run["outcome"] for run in await f.runs()] == ["abandoned", "succeeded"]
        assert await f.seen_at(START) == LINES
        row = await f.watermark()
        assert row["watermark_at"] == START
        assert row["last_success_at"] == START + timedelta(minutes=minutes)


async def test_a_crashed_sweep_older_than_half_a_cadence_is_begun_anew(pool: asyncpg.Pool) -> None:
    async with polled(pool, small(), page_size=PAGE) as f:
        await crashed(f, START)
        later = START + timedelta(minutes=30, seconds=1)
        result = await f.sweep(later)
        assert (result.outcome, result.instant, result.progress.lines) == ("succeeded", later, LINES)
        assert [run["outcome"] for run in await f.runs()] == ["abandoned", "succeeded"]
        assert (await f.seen_at(START), await f.seen_at(later)) == (20, LINES)


async def test_a_cursor_of_another_configuration_begins_the_sweep_anew(pool: asyncpg.Pool) -> None:
    async with polled(pool, small(), page_size=PAGE) as f:
        await crashed(f, START)
        await f.pool.execute("UPDATE poll_runs SET cursor = 'a group that is gone:20:35'")
        assert (await f.sweep(START)).outcome == "succeeded"
        assert await f.seen_at(START) == LINES


async def test_a_list_that_shrank_since_the_crash_costs_no_line(pool: asyncpg.Pool) -> None:
    async with polled(pool, small(), page_size=PAGE) as f:
        await crashed(f, START)
        for number in (0, 3, 12):
            f.hide(number)
        assert (await f.sweep(START)).outcome == "succeeded"
        assert await f.seen_at(START) == LINES


# Two processes and one account.


async def expire_lease(pool: asyncpg.Pool) -> None:
    await pool.execute("UPDATE watermarks SET lease_expires_at = now() - interval '1 second'")


@pytest.fixture
async def other_pool(database: str) -> Any:
    """The connections of another process."""
    async with pools.connected(database, size=2) as opened:
        yield opened


async def test_of_two_processes_one_sweeps_and_the_other_is_told_that_it_is_held(
    pool: asyncpg.Pool, other_pool: asyncpg.Pool, caplog: pytest.LogCaptureFixture
) -> None:
    gate = Gate()
    async with polled(pool, small(), page_size=PAGE) as f:
        other = replace(f, pool=other_pool)
        f.simulator.faults.next(gate, after=2)
        first = asyncio.create_task(f.sweep(START))
        await gate.reached.wait()
        held = await other.sweep()
        assert (held.outcome, held.instant) == ("held", None)
        gate.open.set()
        assert (await first).outcome == "succeeded"
        assert await f.seen_at(START) == LINES
        assert len(await f.runs()) == 1
        assert told(caplog) == []
        assert (await other.sweep(START + HOUR)).outcome == "succeeded"


async def test_many_processes_at_once_sweep_once(pool: asyncpg.Pool) -> None:
    async with polled(pool, small(), page_size=PAGE) as f:
        outcomes = [result.outcome for result in await asyncio.gather(*(f.sweep() for _ in range(5)))]
        assert sorted(outcomes) == ["held", "held", "held", "held", "succeeded"]


async def test_the_lease_of_a_process_that_died_runs_out(pool: asyncpg.Pool) -> None:
    async with polled(pool, small(), page_size=PAGE) as f:
        await crashed(f, START)
        await pool.execute(
            "UPDATE watermarks SET lease_holder = gen_random_uuid(), lease_expires_at = now() + interval '5 minutes'"
        )
        assert (await f.sweep(START + timedelta(minutes=4))).outcome == "held"
        assert await f.pool.fetchval("SELECT last_attempt_at FROM watermarks") == START
        await expire_lease(pool)
        result = await f.sweep(START + timedelta(minutes=6))
        assert (result.outcome, result.instant) == ("succeeded", START)


async def taken_over(f: Fleet, other: Fleet) -> tuple[runner.Result, runner.Result]:
    """One process is slow; its lease runs out, and another sweeps meanwhile. Returns (slow, other)."""
    gate = Gate()
    f.simulator.faults.next(gate, after=2)
    slow = asyncio.create_task(f.sweep(START))
    await gate.reached.wait()
    await expire_lease(f.pool)
    fast = await other.sweep()
    gate.open.set()
    return await slow, fast


async def test_a_process_that_was_taken_over_writes_nothing_more(
    pool: asyncpg.Pool, other_pool: asyncpg.Pool
) -> None:
    async with polled(pool, small(), page_size=PAGE) as f:
        slow, fast = await taken_over(f, replace(f, pool=other_pool, now=START + timedelta(minutes=6)))
        assert fast.outcome == "succeeded"
        assert slow.outcome == "failed"
        assert "took over" in (slow.error or "")
        assert slow.progress.rows_written == 0
        assert await f.seen_at(START) == 0
        assert await f.seen_at(START + timedelta(minutes=6)) == LINES
        assert (await f.watermark())["watermark_at"] == START + timedelta(minutes=6)


async def test_a_process_that_was_taken_over_does_not_call_the_source_failing(
    pool: asyncpg.Pool, other_pool: asyncpg.Pool, caplog: pytest.LogCaptureFixture
) -> None:
    async with polled(pool, small(), page_size=PAGE) as f:
        await taken_over(f, replace(f, pool=other_pool, now=START + timedelta(minutes=6)))
        row = await f.watermark()
        assert (row["failing_since_at"], row["last_error"]) == (None, None)


async def test_two_accounts_may_be_swept_at_once(pool: asyncpg.Pool, other_pool: asyncpg.Pool) -> None:
    others = [device(n) for n in range(100, 100 + LINES)]
    async with polled(pool, small(), page_size=PAGE) as f, polled(other_pool, others, key="second") as g:
        await pool.fetchval("SELECT ensure_partitions($1, $2)", START.date() - 24 * HOUR, START.date())
        results = await asyncio.gather(f.sweep(START), g.sweep(START))
        assert [result.outcome for result in results] == ["succeeded", "succeeded"]
        assert (await f.seen_at(START), await g.seen_at(START)) == (LINES, LINES)


async def test_two_sweeps_may_make_the_partitions_of_a_new_month_at_once(
    pool: asyncpg.Pool, other_pool: asyncpg.Pool
) -> None:
    day = datetime(2031, 5, 1, tzinfo=UTC).date()
    making = "SELECT ensure_partitions($1, $2)"
    async with pool.acquire() as connection:
        transaction = connection.transaction()
        await transaction.start()
        made = await connection.fetchval(making, day, day)
        assert made > 0
        second = asyncio.create_task(other_pool.fetchval(making, day, day))
        await waits_for_a_lock(pool)
        await transaction.commit()
        assert await second in {0, made}


async def test_two_accounts_may_bring_the_same_new_lines_at_once(
    pool: asyncpg.Pool, other_pool: asyncpg.Pool
) -> None:
    async with polled(pool) as f, polled(other_pool, key="second") as g:

        async def store(connection: pools.Connection, of: Fleet) -> sightings.Stored:
            rows = [
                readings.Sighting(f"{of.account.key}-{n}", iccid=iccid(n), imei=imei(n)) for n in range(3)
            ]
            source = of.account.source
            return await sightings.store(connection, source, rows, instant=START)

        async with pool.acquire() as first, other_pool.acquire() as second:
            one, other = first.transaction(), second.transaction()
            await one.start()
            await other.start()
            await store(first, f)
            storing = asyncio.create_task(store(second, g))
            await waits_for_a_lock(pool)
            await one.commit()
            try:
                assert (await storing).lines == 3
            finally:
                await other.rollback()
        assert await pool.fetchval("SELECT count(*) FROM lines") == 3


WAITING = (
    "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
)


async def waits_for_a_lock(pool: asyncpg.Pool) -> None:
    async with asyncio.timeout(5):
        while not await pool.fetchval(WAITING):
            await asyncio.sleep(0.01)
