"""What the rules about schools, sources of data, and the alerts themselves say."""

from datetime import date, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from tests import factories, reconciled
from tests.alerts import judging
from tests.reconciled import DAY, NOW, ago, at

HOUR = timedelta(hours=1)


class District(reconciled.District):
    """A district on its reported day, 20 October, and what rules say of it."""

    async def judged(self, name: str, **changes: Any) -> list[judging.Judged]:
        return await judging.judge(self.pool, name, on=DAY, **{"now": NOW, **changes})

    async def is_breached(self, name: str, **changes: Any) -> bool | None:
        """Of the only subject; one that is not returned is not in breach."""
        rows = await self.judged(name, **changes)
        return rows[0].is_breached if rows else False

    async def covered(self, first: date, last: date, coverage: float | None, **changes: object) -> None:
        """The school's coverage on every day from first to last; None: incomplete, between its bounds."""
        bounds = {} if coverage is None else {"coverage_low": coverage / 2, "coverage_high": coverage}
        status = "incomplete" if coverage is None else "known"
        for days in range((last - first).days + 1):
            await self.school_day(
                first + timedelta(days=days),
                **{"coverage": coverage, "coverage_status": status, **bounds, **changes},
            )

    async def unused(self, idle_days: int, state: str = "idle", **loan: Any) -> None:
        device_id = await self.device()
        loan_id = await self.lend(device_id, ago(100), **loan)
        await self.state(loan_id, DAY, state=state, reason=None)
        await self.pool.execute("UPDATE loan_days SET idle_days = $1 WHERE loan_id = $2", idle_days, loan_id)

    async def waits(self, requests: int, on: date = DAY, *, elsewhere: bool = False) -> None:
        school_id = self.other_school_id if elsewhere else self.school_id
        await self.pool.execute(
            "INSERT INTO waitlist_counts VALUES ($1, $2, $3, $4)", factories.DISTRICT, school_id, on, requests
        )

    async def read(
        self,
        at: datetime,
        outcome: str = "succeeded",
        *,
        group: str = "lines",
        account_id: int | None = None,
        cadence: timedelta = HOUR,
        is_success_kept: bool = False,
    ) -> None:
        """A sweep that ended at an instant."""
        account_id = account_id or self.account_id
        await self.pool.execute(
            "INSERT INTO poll_runs (district_id, account_id, endpoint_group, instant_at, started_at, finished_at,"
            " outcome) VALUES ($1, $2, $3, $4, $4, $5, $6::poll_outcome)",
            factories.DISTRICT,
            account_id,
            group,
            at - timedelta(minutes=5),
            at,
            outcome,
        )
        await self.pool.execute(
            "INSERT INTO watermarks (district_id, account_id, endpoint_group, cadence, last_success_at)"
            " VALUES ($1, $2, $3, $4, $5) ON CONFLICT (district_id, account_id, endpoint_group) DO UPDATE"
            " SET last_success_at = coalesce(excluded.last_success_at, watermarks.last_success_at)",
            factories.DISTRICT,
            account_id,
            group,
            cadence,
            at if is_success_kept else None,
        )


@pytest.fixture
async def d(pool: asyncpg.Pool) -> District:
    return District(**vars(await reconciled.district(pool)))


@pytest.mark.parametrize(("rule", "target"), [("coverage_below_target", 0.8), ("coverage_below_60", 0.6)])
async def test_a_school_is_below_its_target_once_it_was_so_for_two_weeks(
    d: District, rule: str, target: float
) -> None:
    await d.covered(ago(13), ago(13), target)
    await d.covered(ago(12), DAY, target - 0.01)
    assert await d.is_breached(rule) is False
    await d.pool.execute("UPDATE school_days SET coverage = $1 WHERE on_day = $2", target - 0.01, ago(13))
    (row,) = await d.judged(rule)
    assert (row.subject, row.school_id, row.is_breached) == (f"school:{d.school_id}", d.school_id, True)
    assert row.since_at == at(ago(13), 0)
    assert row.value == pytest.approx(100 * target - 1)
    assert row.details == {
        "coverage_percent": round(100 * target - 1), "is_upper_bound": False, "need": 60, "completeness_percent": 95,
        "days": 14,
    }  # fmt: skip
    assert await d.is_breached(rule, threshold=100 * target - 2) is False
    await d.pool.execute("UPDATE school_days SET coverage = $1 WHERE on_day = $2", target, DAY)
    assert await d.is_breached(rule) is False


async def test_a_blind_day_is_below_the_target_only_if_the_upper_bound_is(d: District) -> None:
    await d.covered(ago(13), ago(1), 0.5)
    await d.covered(DAY, DAY, None, coverage_low=0.2, coverage_high=0.85)
    assert await d.is_breached("coverage_below_target") is None
    await d.pool.execute("UPDATE school_days SET coverage_high = 0.79 WHERE on_day = $1", DAY)
    (row,) = await d.judged("coverage_below_target")
    assert (row.is_breached, row.details["coverage_percent"], row.details["is_upper_bound"]) == (
        True,
        79,
        True,
    )
    await d.pool.execute(
        "UPDATE school_days SET coverage_low = 0.8, coverage_high = 0.95 WHERE on_day = $1", DAY
    )
    assert await d.is_breached("coverage_below_target") is False


async def test_blind_days_before_do_not_make_two_weeks(d: District) -> None:
    await d.covered(ago(13), ago(6), None, coverage_low=0.2, coverage_high=0.9)
    await d.covered(ago(5), DAY, 0.5)
    assert await d.is_breached("coverage_below_target") is None
    await d.pool.execute("UPDATE school_days SET coverage_high = 0.7 WHERE on_day = $1", ago(6))
    assert await d.is_breached("coverage_below_target") is True


async def test_coverage_is_not_judged_in_a_break_nor_in_the_first_days_after_it(d: District) -> None:
    await d.covered(ago(13), DAY, 0.5, is_out_of_session=True)
    assert await d.is_breached("coverage_below_target") is None
    await d.pool.execute("UPDATE school_days SET is_out_of_session = false WHERE on_day > $1", ago(6))
    assert await d.is_breached("coverage_below_target") is None
    await d.pool.execute("UPDATE school_days SET is_out_of_session = false WHERE on_day >= $1", ago(6))
    assert await d.is_breached("coverage_below_target") is True


async def test_a_school_without_need_is_below_no_target_and_one_of_unknown_need_is_unknown(
    d: District,
) -> None:
    await d.covered(ago(13), ago(1), 0.5)
    await d.school_day(DAY, need=0, coverage_status="not_applicable")
    assert await d.is_breached("coverage_below_target") is False
    await d.pool.execute(
        "UPDATE school_days SET need = NULL, coverage_status = 'need_unknown' WHERE on_day = $1", DAY
    )
    assert await d.is_breached("coverage_below_target") is None


async def test_coverage_drops_by_ten_points_within_a_week(d: District) -> None:
    await d.covered(ago(7), ago(7), 0.9)
    await d.covered(DAY, DAY, 0.801)
    assert await d.is_breached("coverage_drop") is False
    await d.pool.execute("UPDATE school_days SET coverage = 0.8 WHERE on_day = $1", DAY)
    (row,) = await d.judged("coverage_drop")
    assert (row.subject, row.school_id, row.value, row.is_breached) == (
        f"school:{d.school_id}",
        d.school_id,
        10,
        True,
    )
    assert row.details == {"points": 10.0, "before_percent": 90, "now_percent": 80, "need": 60}
    assert await d.is_breached("coverage_drop", threshold=11) is False


@pytest.mark.parametrize(("low", "high", "said"), [(0.3, 0.75, True), (0.3, 0.85, None), (0.82, 0.95, False)])
async def test_a_drop_into_a_blind_day_is_judged_by_its_bounds(
    d: District, low: float, high: float, said: bool | None
) -> None:
    await d.covered(ago(7), ago(7), 0.9)
    await d.covered(DAY, DAY, None, coverage_low=low, coverage_high=high)
    assert await d.is_breached("coverage_drop") is said


async def test_no_drop_is_told_of_from_or_into_a_break_or_from_a_blind_day(d: District) -> None:
    await d.covered(ago(7), ago(7), 0.9, is_out_of_session=True)
    await d.covered(DAY, DAY, 0.5)
    assert await d.is_breached("coverage_drop") is None
    await d.pool.execute("UPDATE school_days SET is_out_of_session = on_day = $1", DAY)
    assert await d.is_breached("coverage_drop") is None
    await d.pool.execute(
        "UPDATE school_days SET is_out_of_session = false, coverage = NULL WHERE on_day = $1", ago(7)
    )
    assert await d.is_breached("coverage_drop") is None
    await d.pool.execute(
        "UPDATE school_days SET coverage_status = 'not_applicable' WHERE on_day = $1", ago(7)
    )
    assert await d.is_breached("coverage_drop") is False


async def test_students_wait_while_a_hotspot_was_not_used_for_a_month(d: District) -> None:
    await d.school_day()
    await d.unused(29)
    await d.waits(3, ago(10))
    await d.waits(2, ago(5), elsewhere=True)
    assert await d.is_breached("demand_gap") is False
    await d.unused(30, "never_used")
    await d.unused(45)
    (row,) = await d.judged("demand_gap")
    assert (row.subject, row.school_id, row.value, row.is_breached) == ("district", None, 45, True)
    assert row.since_at == at(ago(10), 0)
    assert row.details == {"requests": 5, "schools": 2, "unused_hotspots": 2}


async def test_nobody_waits_where_the_newest_count_is_zero_or_too_old(d: District) -> None:
    await d.school_day()
    await d.unused(60)
    assert await d.is_breached("demand_gap") is False
    await d.waits(3, ago(10))
    await d.waits(0, ago(1))
    await d.waits(9, date(2025, 6, 30), elsewhere=True)
    assert await d.is_breached("demand_gap") is False
    await d.waits(9, date(2025, 7, 1), elsewhere=True)
    assert await d.is_breached("demand_gap") is True


async def test_what_is_lost_or_came_back_since_is_no_spare_hotspot(d: District) -> None:
    await d.school_day()
    await d.waits(3)
    await d.unused(60, lost=ago(3))
    await d.unused(60, until=DAY + timedelta(days=1))
    assert await d.is_breached("demand_gap") is False


async def test_a_gap_is_unknown_where_the_hotspots_are_and_while_all_schools_are_out(d: District) -> None:
    await d.school_day()
    await d.waits(3)
    await d.unused(60, "unknown")
    assert await d.is_breached("demand_gap") is None
    await d.unused(60)
    assert await d.is_breached("demand_gap") is True
    await d.pool.execute("UPDATE school_days SET is_out_of_session = true")
    assert await d.is_breached("demand_gap") is None


async def test_need_is_stale_where_less_than_seventy_percent_answered(d: District) -> None:
    await factories.need(d.pool, d.school_id, ago(30))
    await d.school_day(enrolled=1000, answered=700)
    assert await d.is_breached("need_stale") is False
    await d.pool.execute("UPDATE school_days SET answered = 699")
    (row,) = await d.judged("need_stale")
    assert (row.subject, row.school_id, row.value, row.is_breached) == (
        f"school:{d.school_id}", d.school_id, 69.9, True,
    )  # fmt: skip
    assert row.details == {"reason": "few_answers", "as_of_on": ago(30).isoformat(), "answered_percent": 69}
    assert await d.is_breached("need_stale", threshold=60) is False


@pytest.mark.parametrize(
    ("as_of", "changes", "reason"),
    [
        (date(2025, 10, 21), {}, None),
        (date(2025, 10, 20), {}, "old"),
        (ago(30), {"is_need_exceeded": True}, "exceeded"),
        (date(2025, 6, 1), {"need": None, "answered": None, "need_source": None}, "expired"),
    ],
)
async def test_need_is_stale_with_age_and_with_what_contradicts_it(
    d: District, as_of: date, changes: dict[str, Any], reason: str | None
) -> None:
    await factories.need(d.pool, d.school_id, as_of)
    await d.school_day(coverage_status="known", **changes)
    rows = await d.judged("need_stale")
    assert [row.details["reason"] for row in rows] == ([reason] if reason else [])


async def test_answers_are_as_old_as_the_one_in_the_middle(d: District) -> None:
    for student, answered_on in (("a", date(2025, 8, 1)), ("b", date(2025, 10, 20)), ("c", ago(5))):
        await d.pool.execute(
            "INSERT INTO need_answers (district_id, student, answered_on, school_id, has_access)"
            " VALUES ($1, $2, $3, $4, false)",
            factories.DISTRICT, student, answered_on, d.school_id,
        )  # fmt: skip
    await d.school_day(need_source="answers")
    assert [row.details["reason"] for row in await d.judged("need_stale")] == ["old"]
    await d.pool.execute("UPDATE need_answers SET answered_on = '2025-10-21' WHERE student = 'b'")
    assert await d.judged("need_stale") == []


async def test_a_school_that_was_never_asked_has_no_stale_need(d: District) -> None:
    await d.school_day(need=None, answered=None, need_source=None, coverage_status="need_unknown")
    assert await d.judged("need_stale") == []


async def test_an_account_is_stale_two_hours_after_it_was_due(d: District) -> None:
    await d.read(NOW - 3 * HOUR)
    assert await d.judged("data_stale") == []
    (row,) = await d.judged("data_stale", now=NOW + timedelta(minutes=6))
    assert (row.subject, row.school_id, row.is_breached) == ("account:carrier", None, True)
    assert row.value == pytest.approx(2.1)
    assert row.since_at == NOW
    assert row.details == {
        "hours_late": 2.1, "last_read_at": "2026-10-21T13:00:00+00:00", "list": "lines", "cadence_minutes": 60,
    }  # fmt: skip
    assert await d.judged("data_stale", now=NOW + timedelta(minutes=6), threshold=3) == []


async def test_what_failed_or_was_cut_short_is_not_read_and_what_came_in_part_is(d: District) -> None:
    await d.read(NOW - 5 * HOUR)
    await d.read(NOW - 2 * HOUR, "failed")
    await d.read(NOW - HOUR, "abandoned")
    assert await d.is_breached("data_stale") is True
    await d.read(NOW - HOUR, "partial")
    assert await d.judged("data_stale") == []


async def test_an_account_is_told_of_once_by_its_list_that_is_latest(d: District) -> None:
    await d.read(NOW - HOUR)
    await d.read(NOW - 9 * HOUR, group="usage", cadence=6 * HOUR)
    await d.read(NOW - 30 * HOUR, group="signal", cadence=24 * HOUR)
    (row,) = await d.judged("data_stale")
    assert (row.details["list"], row.value) == ("signal", 6)


async def test_the_past_is_judged_as_it_was_then(d: District) -> None:
    await d.read(NOW - 30 * HOUR)
    await d.read(NOW - HOUR, is_success_kept=True)
    assert await d.judged("data_stale") == []
    assert await d.is_breached("data_stale", now=NOW - 20 * HOUR) is True
    await d.pool.execute("DELETE FROM poll_runs")  # long ago: the watermark alone tells of the last
    assert await d.judged("data_stale") == []
    assert await d.is_breached("data_stale", now=NOW + 3 * HOUR) is True


async def test_an_account_that_could_never_be_read_is_stale_since_the_first_try(d: District) -> None:
    await d.read(NOW - 2 * HOUR, "failed")
    assert await d.judged("data_stale") == []
    (row,) = await d.judged("data_stale", now=NOW + 2 * HOUR)
    assert row.details["last_read_at"] is None


async def test_files_and_accounts_out_of_use_are_never_stale(d: District) -> None:
    await d.read(NOW - 90 * HOUR)
    await d.pool.execute("UPDATE accounts SET collector = 'file'")
    assert await d.judged("data_stale") == []
    await d.pool.execute("UPDATE accounts SET collector = 'kajeet', is_in_use = false")
    assert await d.judged("data_stale") == []


@pytest.mark.parametrize(("key", "said"), [("", None), ("carrier", None), ("routers", True)])
async def test_an_account_is_not_judged_while_somebody_works_on_it(
    d: District, key: str, said: bool | None
) -> None:
    await d.read(NOW - 9 * HOUR)
    await d.pool.execute(
        "INSERT INTO maintenance_windows VALUES ($1, $2, $3, $4)",
        factories.DISTRICT,
        NOW - HOUR,
        NOW + HOUR,
        key,
    )
    assert await d.is_breached("data_stale") is said
    assert await d.is_breached("data_stale", now=NOW + HOUR) is True


async def test_a_rule_fails_while_it_is_evaluated(d: District) -> None:
    await d.pool.execute(
        "INSERT INTO rule_runs (district_id, rule, evaluated_at, seconds, breached, unjudged, failing_since_at)"
        " VALUES ($1, 'idle_30', $2, 0, 0, 0, $3), ($1, 'cap_75', $2, 0, 0, 0, NULL), ($1, 'gone', $4, 0, 0, 0, $4)",
        factories.DISTRICT,
        NOW,
        NOW - HOUR,
        NOW - timedelta(days=1),
    )
    (row,) = await d.judged("rule_failing")
    assert (row.subject, row.since_at, row.is_breached) == ("rule:idle_30", NOW - HOUR, True)
    assert row.details == {"rule": "idle_30"}


async def test_a_channel_fails_while_it_is_in_use(d: District) -> None:
    await d.pool.execute(
        "INSERT INTO channels (district_id, channel_key, is_in_use, failing_since_at, is_refused)"
        " VALUES ($1, 'it-mail', true, $2, true), ($1, 'chat', true, NULL, false), ($1, 'gone', false, $2, false)",
        factories.DISTRICT,
        NOW - HOUR,
    )
    (row,) = await d.judged("channel_failing")
    assert (row.subject, row.since_at, row.is_breached) == ("channel:it-mail", NOW - HOUR, True)
    assert row.details == {"channel": "it-mail", "is_refused": True}
