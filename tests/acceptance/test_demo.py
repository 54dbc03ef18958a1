"""The demo's history, made once by the real collector into a real database, and what must be true of it."""

import contextlib
import logging
import time
import uuid
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import asyncpg
import pytest
import pytest_asyncio

from service.demo import fleet, names, schools, stage, timeline
from service.demo.schools import Persona
from service.store import coverage, embedded
from service.store import pool as pools
from tests import conftest

pytestmark = pytest.mark.asyncio(loop_scope="module")

# The clocks are set back in this history, and a month ends while the vendor cannot be read.
NOW = datetime(2026, 11, 20, 21, 10, tzinfo=UTC)
YESTERDAY = date(2026, 11, 19)
STATES = {
    Persona.REGULAR: "adequate",
    Persona.SCHOOL_DAYS: "adequate",
    Persona.ROUTER: "adequate",
    Persona.IDLE: "idle",
    Persona.NEVER_USED: "never_used",
    Persona.DAY_CAPPED: "exhausted",
    Persona.MONTH_CAPPED: "exhausted",
    Persona.AT_DESK: "suspended",
    Persona.ASLEEP: "suspended",
    Persona.CUT_OFF: "suspended",
    Persona.WEAK_ROUTER: "weak",
    Persona.UNLISTED: "unknown",
}


@dataclass(frozen=True)
class Demo:
    pool: asyncpg.Pool
    dates: timeline.Timeline
    fleet: fleet.Fleet
    log: list[logging.LogRecord]

    async def values(self, query: str, *arguments: object) -> list[Any]:
        return [row[0] for row in await self.pool.fetch(query, *arguments)]

    async def snapshot(self, now: datetime = NOW) -> coverage.District:
        (district,) = (await coverage.snapshot(self.pool, now=now)).districts
        return district


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def demo(server: embedded.Server, template: str) -> AsyncIterator[Demo]:
    name = f"test_demo_{uuid.uuid4().hex[:8]}"
    await _execute(server, f"CREATE DATABASE {name} TEMPLATE {template}")
    with _logged() as log:
        async with pools.connected(conftest.database_url(server, name), size=6) as pool:
            async with stage.staged(pool, now=lambda: NOW) as staged:
                made = Demo(pool, staged.dates, staged.fleet, log)
            yield made
    await _execute(server, f"DROP DATABASE {name} WITH (FORCE)")


async def _execute(server: embedded.Server, statement: str) -> None:
    connection = await asyncpg.connect(server.dsn())
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


class _Kept(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


@contextlib.contextmanager
def _logged() -> Iterator[list[logging.LogRecord]]:
    root, kept = logging.getLogger(), _Kept()
    level = root.level
    root.addHandler(kept)
    root.setLevel(logging.INFO)
    try:
        yield kept.records
    finally:
        root.setLevel(level)
        root.removeHandler(kept)


async def test_every_state_occurs_on_the_reported_day(demo: Demo) -> None:
    district = await demo.snapshot()
    assert district.reported_on == YESTERDAY
    possible = await demo.values("SELECT unnest(enum_range(NULL::loan_state))::text")
    assert district.loans_by_state.keys() == set(possible)


async def test_every_loan_has_the_state_that_its_story_calls_for(demo: Demo) -> None:
    rows = await demo.pool.fetch(
        """SELECT d.imei, o.state::text FROM loan_days AS o JOIN loans AS l USING (district_id, loan_id)
        JOIN devices AS d USING (district_id, device_id) WHERE o.on_day = $1""",
        YESTERDAY,
    )
    expected = {
        loan.hotspot.imei: STATES[loan.hotspot.persona]
        for loan in demo.fleet.loans
        if loan.checked_out_on <= YESTERDAY and (loan.returned_on is None or loan.returned_on > YESTERDAY)
    }
    assert dict(rows) == expected


async def test_every_reason_for_a_suspension_occurs(demo: Demo) -> None:
    found = await demo.values(
        "SELECT DISTINCT reason::text FROM loan_days WHERE on_day = $1 AND state = 'suspended'", YESTERDAY
    )
    assert sorted(found) == ["carrier", "loan_desk", "season"]


async def test_both_allowances_are_used_up_by_someone(demo: Demo) -> None:
    found = await demo.values(
        "SELECT DISTINCT reason::text FROM loan_days WHERE on_day = $1 AND state = 'exhausted'", YESTERDAY
    )
    assert sorted(found) == ["cycle_allowance", "day_allowance"]


async def test_ninety_days_are_there_and_the_break_is_out_of_session(demo: Demo) -> None:
    days = await demo.pool.fetch("SELECT on_day, is_out_of_session FROM district_days ORDER BY on_day")
    assert [row["on_day"] for row in days] == [demo.dates.day(offset) for offset in range(-90, 1)]
    assert all(row["is_out_of_session"] == demo.dates.is_break(row["on_day"]) for row in days)


async def test_use_falls_in_the_break(demo: Demo) -> None:
    query = "SELECT sum(used_bytes) FROM loan_days WHERE on_day BETWEEN $1 AND $2"
    (in_break,) = await demo.values(query, demo.dates.break_starts_on, demo.dates.break_ends_on)
    week_before = (
        demo.dates.break_starts_on - timedelta(days=14),
        demo.dates.break_starts_on - timedelta(days=1),
    )
    (before,) = await demo.values(query, *week_before)
    assert 0 < in_break < before / 2


async def test_blind_days_are_unknown_and_never_idle(demo: Demo) -> None:
    first, last = demo.dates.blind_starts_on, demo.dates.blind_ends_on
    states = await demo.values(
        "SELECT DISTINCT state::text FROM loan_days WHERE on_day BETWEEN $1 AND $2", first, last
    )
    # An allowance that was used up before stays used up.
    assert sorted(states) == ["exhausted", "unknown"]
    known = await demo.values(
        "SELECT coverage FROM school_days WHERE on_day BETWEEN $1 AND $2 AND loaned > 0", first, last
    )
    assert set(known) == {None}
    district = await demo.snapshot()
    shown = {day.on_day: day.coverage for day in district.history}
    assert [shown[demo.dates.day(offset)] for offset in (-20, -19, -18)] == [None, None, None]
    assert shown[demo.dates.day(-21)] is not None
    assert shown[demo.dates.day(-17)] is not None


async def test_the_blind_days_are_one_gap(demo: Demo) -> None:
    (gap,) = await demo.pool.fetch("SELECT starts_at, ends_at FROM poll_gaps")
    local = [gap[name].astimezone(timeline.ZONE).date() for name in ("starts_at", "ends_at")]
    assert local == [demo.dates.day(-21), demo.dates.day(-17)]


async def test_a_changed_sim_is_dated_and_the_loans_use_goes_on(demo: Demo) -> None:
    hotspot = next(hotspot for hotspot in demo.fleet.hotspots if hotspot.is_swapped)
    old, new = await demo.pool.fetch(
        """SELECT k.starts_at, k.ends_at, l.iccid FROM line_device_links AS k
        JOIN devices AS d USING (district_id, device_id) JOIN lines AS l USING (district_id, line_id)
        WHERE d.imei = $1 ORDER BY k.starts_at""",
        hotspot.imei,
    )
    assert [old["iccid"], new["iccid"]] == [sim.uicc for sim in hotspot.sims]
    assert new["ends_at"] is None
    assert old["ends_at"] == new["starts_at"]
    assert old["ends_at"].astimezone(timeline.ZONE).date() == demo.dates.swap_on
    used = await _used(demo, hotspot, demo.dates.day(-33), demo.dates.day(-26))
    assert len(used) == 8
    assert sum(1 for used_bytes in used if used_bytes) >= 6
    assert None not in used


async def _used(demo: Demo, hotspot: fleet.Hotspot, first: date, last: date) -> list[int | None]:
    return await demo.values(
        """SELECT o.used_bytes FROM loan_days AS o JOIN loans AS l USING (district_id, loan_id)
        JOIN devices AS d USING (district_id, device_id)
        WHERE d.imei = $1 AND o.on_day BETWEEN $2 AND $3 ORDER BY o.on_day""",
        hotspot.imei,
        first,
        last,
    )


async def test_a_returned_device_that_still_moves_bytes_is_seen_but_is_no_loan(demo: Demo) -> None:
    loan = next(
        loan
        for loan in demo.fleet.loans
        if loan.hotspot.persona is Persona.SHELVED and loan.hotspot.quits_on is None
    )
    moved = await demo.values(
        """SELECT sum(o.used_bytes) FROM line_days AS o JOIN lines AS l USING (district_id, line_id)
        WHERE l.iccid = $1 AND o.on_day >= $2""",
        loan.hotspot.sims[0].uicc,
        loan.returned_on,
    )
    assert moved[0] > 100_000_000
    assert loan.returned_on is not None
    assert await _used(demo, loan.hotspot, loan.returned_on, YESTERDAY) == []


async def test_the_table_is_the_sum_of_its_loans(demo: Demo) -> None:
    district = await demo.snapshot()
    states = await demo.pool.fetch(
        """SELECT s.name, o.state::text, count(*) FROM loan_days AS o JOIN schools AS s USING (district_id, school_id)
        WHERE o.on_day = $1 GROUP BY s.name, o.state""",
        YESTERDAY,
    )
    counted = {(row["name"], row["state"]): row["count"] for row in states}
    for school in district.schools:
        for state in STATES.values():
            assert getattr(school, state) == counted.get((school.name, state), 0)
        assert school.loaned == sum(count for (name, _), count in counted.items() if name == school.name)
    known = [school for school in district.schools if school.need is not None]
    assert district.day is not None
    assert district.day.need == sum(school.need or 0 for school in known)
    assert district.day.covered == sum(min(school.adequate or 0, school.need or 0) for school in known)
    assert district.day.coverage == pytest.approx(district.day.covered / (district.day.need or 1))


async def test_the_figures_look_like_a_districts(demo: Demo) -> None:
    district = await demo.snapshot()
    coverages = {school.name: school.coverage for school in district.schools}
    assert len(coverages) == 12
    assert coverages["Lantern Hill Elementary"] is None
    known = [value for value in coverages.values() if value is not None]
    assert min(known) >= 0.45
    assert [school.name for school in district.schools if school.is_need_exceeded] == ["Foxglove Elementary"]
    assert district.coverage_gap is not None
    assert district.coverage_gap > 0.1


async def test_no_childs_name_or_student_number_is_stored(demo: Demo) -> None:
    secrets = [part for child in names.CHILDREN for part in child.split()]
    secrets += [loan.student for loan in demo.fleet.loans]
    pattern = "|".join(sorted(set(secrets)))
    tables = await demo.values(
        """SELECT DISTINCT table_name FROM information_schema.columns JOIN information_schema.tables
        USING (table_schema, table_name)
        WHERE table_schema = 'public' AND table_type = 'BASE TABLE' AND data_type IN ('text', 'jsonb', 'ARRAY')"""
    )
    assert {"devices", "latest_states", "loans", "provider_groups"} <= set(tables)
    for table in tables:
        assert await demo.values(f'SELECT 1 FROM "{table}" AS t WHERE t::text ~* $1', pattern) == [], table


async def test_no_childs_name_or_identifier_is_logged(demo: Demo) -> None:
    text = "\n".join(record.getMessage() for record in demo.log)
    assert "imported" in text
    assert not any(child in text for child in names.CHILDREN)
    assert not any(hotspot.imei in text for hotspot in demo.fleet.hotspots)


async def test_the_vendors_failure_long_ago_is_no_news(demo: Demo) -> None:
    assert not [record for record in demo.log if record.levelno >= logging.WARNING]


async def test_a_second_start_adds_nothing_and_is_quick(demo: Demo) -> None:
    before = await _sizes(demo)
    started = time.monotonic()
    async with stage.staged(demo.pool, now=lambda: NOW) as staged:
        assert staged.dates == demo.dates
    assert time.monotonic() - started < 10
    assert await _sizes(demo) == before


async def _sizes(demo: Demo) -> dict[str, tuple[int, str]]:
    """Rows of every table that the history fills, and a checksum of the states."""
    sizes = {}
    for table in (
        "usage_readings",
        "state_readings",
        "poll_runs",
        "line_days",
        "school_days",
        "imports",
        "loans",
    ):
        (sizes[table],) = await demo.values(f"SELECT count(*) FROM {table}")
    (states,) = await demo.values(
        "SELECT md5(string_agg(state::text, '' ORDER BY on_day, loan_id)) FROM loan_days"
    )
    return {**sizes, "states": states}


async def test_the_stage_can_be_swept_on(demo: Demo) -> None:
    async with stage.staged(demo.pool, now=lambda: NOW) as staged:
        probe = await staged.account.collector.probe()
        assert probe.lines == 600
        (group,) = staged.account.collector.endpoint_groups
        assert group.page_size == 100


async def test_a_later_start_catches_up(demo: Demo) -> None:
    (before,) = await demo.values("SELECT count(*) FROM poll_runs")
    later = NOW + timedelta(days=3)
    async with stage.staged(demo.pool, now=lambda: later) as staged:
        assert staged.dates == demo.dates
    district = await demo.snapshot(later)
    assert district.reported_on == YESTERDAY + timedelta(days=3)
    assert district.day is not None
    assert district.day.coverage is not None
    (after,) = await demo.values("SELECT count(*) FROM poll_runs")
    assert after > before
    assert len(await demo.values("SELECT 1 FROM poll_gaps")) == 1
    assert len(district.schools) == len(schools.SCHOOLS)
