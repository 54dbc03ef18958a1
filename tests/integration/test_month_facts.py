"""A month of a district as its packages are made from it: each figure from rows that were written by hand."""

import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg
import pytest

import sql
from service import errors
from service.model import months, protection
from service.store import months as month_rows
from service.store import reclaim
from tests import factories, ledger
from tests.ledger import FIRST, LAST, OTHER, SCHOOL, TODAY

OCTOBER = months.Month(FIRST)
ZONE = ZoneInfo(factories.ZONE)


@pytest.fixture
async def book(pool: asyncpg.Pool) -> ledger.Ledger:
    made = await ledger.ledger(pool)
    await pool.execute("SELECT ensure_partitions($1, $2)", FIRST, TODAY)
    return made


async def facts(book: ledger.Ledger, month: months.Month = OCTOBER, **told: Any) -> months.Facts:
    values: dict[str, Any] = {"time_zone": factories.ZONE, "reported_on": TODAY, **told}
    return await month_rows.facts(book.pool, 1, month, **values)


async def school(book: ledger.Ledger, ncessch: str = SCHOOL, **told: Any) -> months.School:
    found = await facts(book, **told)
    return next(one for one in found.schools if one.ncessch == ncessch)


async def whole(book: ledger.Ledger, first: date = FIRST, last: date = LAST) -> None:
    """Both schools known on every day."""
    for ncessch in (SCHOOL, OTHER):
        await book.school_day(ncessch, first)
    await book.pool.execute(
        "INSERT INTO school_days SELECT (jsonb_populate_record(d, jsonb_build_object('on_day', day::date))).* "
        "FROM school_days AS d CROSS JOIN generate_series($1::date + 1, $2::date, '1 day') AS day WHERE d.on_day = $1",
        first,
        last,
    )


async def loan_days(book: ledger.Ledger, loan: int, used: int | None, first: date, last: date) -> None:
    await book.pool.execute(
        "INSERT INTO loan_days (district_id, on_day, loan_id, school_id, state, is_coarse, used_bytes, idle_days, "
        "computed_at) SELECT 1, day::date, $1, l.school_id, CASE WHEN $2::bigint IS NULL THEN 'unknown' "
        "ELSE 'adequate' END::loan_state, false, $2, 0, $5 "
        "FROM loans AS l CROSS JOIN generate_series($3::date, $4::date, '1 day') AS day WHERE l.loan_id = $1",
        loan,
        used,
        first,
        last,
        ledger.NOW,
    )


def local(day: date, hour: int = 0, minute: int = 0) -> datetime:
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=ZONE).astimezone(UTC)


# The day of the figure


async def test_a_month_is_of_its_last_instructional_day_that_is_known_enough(book: ledger.Ledger) -> None:
    await whole(book)
    await book.pool.execute("UPDATE school_days SET is_instructional = false WHERE on_day = $1", LAST)
    await book.pool.execute("UPDATE school_days SET unknown = 29 WHERE on_day = '2026-10-30'")
    await book.pool.execute("UPDATE school_days SET adequate = 7 WHERE on_day = '2026-10-29'")
    found = await facts(book)
    assert (found.figure_on, found.through_on) == (date(2026, 10, 29), LAST)
    assert [one.counts["adequate"] for one in found.schools] == [7, 7]
    lower = await facts(book, floor=0.02)
    assert lower.figure_on == date(2026, 10, 30)


async def test_a_blind_last_week_leaves_the_figure_to_the_week_before(book: ledger.Ledger) -> None:
    await whole(book)
    await book.pool.execute("UPDATE school_days SET unknown = 30 WHERE on_day > '2026-10-24'")
    assert (await facts(book)).figure_on == date(2026, 10, 24)


async def test_a_school_of_unknown_need_does_not_move_the_figure_day(book: ledger.Ledger) -> None:
    await whole(book)
    blind = "UPDATE school_days SET unknown = 30 WHERE school_id = $1 AND on_day > '2026-10-20'"
    await book.pool.execute(blind, book.schools[OTHER])
    assert (await facts(book)).figure_on == date(2026, 10, 20)

    await book.pool.execute(
        "UPDATE school_days SET need = NULL, need_source = NULL, coverage_status = 'need_unknown' WHERE school_id = $1",
        book.schools[OTHER],
    )
    assert (await facts(book)).figure_on == LAST


async def test_a_month_that_was_blind_throughout_has_schools_but_no_figures(book: ledger.Ledger) -> None:
    await whole(book)
    await book.pool.execute("UPDATE school_days SET unknown = 30")
    found = await facts(book)
    assert found.figure_on is None
    assert [one.name for one in found.schools] == ["Alder", "Birch"]
    for one in found.schools:
        assert set(one.counts) == set(protection.COUNTS)
        assert set(one.counts.values()) == {None}
        assert (one.enrolled, one.coverage_status, one.completeness) == (None, None, None)


async def test_a_school_without_figures_on_that_day_is_there_without_counts(book: ledger.Ledger) -> None:
    await whole(book)
    await book.pool.execute(
        "DELETE FROM school_days WHERE on_day = $1 AND school_id = $2", LAST, book.schools[OTHER]
    )
    found = await facts(book)
    assert [one.counts["need"] for one in found.schools] == [40, None]
    assert set(found.schools[1].counts.values()) == {None}


async def test_a_school_that_came_after_the_month_is_not_in_it(book: ledger.Ledger) -> None:
    await whole(book)
    before = await facts(book)
    await factories.school(book.pool, "410999000003")
    assert await facts(book) == before
    assert before.leaid == "4101920"


async def test_schools_of_two_districts_have_no_common_number(book: ledger.Ledger) -> None:
    await whole(book)
    await book.pool.execute("UPDATE schools SET ncessch = '410999000002' WHERE ncessch = $1", OTHER)
    assert (await facts(book)).leaid is None


async def test_unknown_need_stays_unknown_beside_known_loans(book: ledger.Ledger) -> None:
    await whole(book, first=LAST)
    await book.pool.execute(
        "UPDATE school_days SET need = NULL, answered = NULL, enrolled = NULL, need_source = NULL, coverage = NULL, "
        "coverage_status = 'need_unknown' WHERE school_id = $1",
        book.schools[OTHER],
    )
    one = await school(book, OTHER)
    assert (one.counts["need"], one.counts["answered"], one.enrolled, one.need_source) == (None,) * 4
    assert (one.counts["loaned"], one.counts["idle_30"], one.counts["waitlist"]) == (30, 0, None)
    assert one.coverage_status == "need_unknown"


async def test_what_a_school_is_known_by_is_told(book: ledger.Ledger) -> None:
    await whole(book, first=LAST)
    await book.pool.execute(
        "UPDATE schools SET indicator = 'frpl', indicator_value = 0.61, indicator_year = '2025-26' WHERE ncessch = $1",
        SCHOOL,
    )
    one = await school(book)
    assert (one.is_high_needs, one.high_needs_basis, one.indicator) == (True, "List 2026", "frpl")
    assert (one.indicator_value, one.indicator_year, one.enrolled) == (0.61, "2025-26", 400)
    assert (one.need_source, one.completeness, one.is_need_exceeded) == ("totals", 1.0, False)


# A month's ends


async def test_only_days_of_the_month_count_as_far_as_they_are_reported(book: ledger.Ledger) -> None:
    await whole(book, date(2026, 10, 28), date(2026, 11, 3))
    assert (await facts(book)).figure_on == LAST
    partial = await facts(book, months.Month(date(2026, 11, 1)), reported_on=date(2026, 11, 2))
    assert (partial.through_on, partial.figure_on) == (date(2026, 11, 2), date(2026, 11, 2))


async def test_february_of_a_leap_year_ends_on_its_29th(book: ledger.Ledger) -> None:
    await book.school_day(SCHOOL, date(2028, 2, 29))
    await book.school_day(SCHOOL, date(2028, 3, 1), adequate=1)
    found = await facts(book, months.parse("2028-02"), reported_on=date(2028, 3, 9))
    assert (found.figure_on, found.schools[0].counts["adequate"]) == (date(2028, 2, 29), 10)


async def test_a_month_without_figures_is_refused_with_what_there_is(book: ledger.Ledger) -> None:
    with pytest.raises(errors.ExportRefused, match="no figures of any day: run afterbell poll") as caught:
        await facts(book)
    assert caught.value.exit_code == 5
    await whole(book, date(2026, 10, 28))
    with pytest.raises(
        errors.ExportRefused, match="no figures of it: there are some from 2026-10-28 to 2026-10-31"
    ):
        await facts(book, OCTOBER.away(-1))
    with pytest.raises(
        errors.ExportRefused,
        match=r"2027-01 .* of it yet: the last day that is complete is 2026-11-17[.] Run afterbell poll",
    ):
        await facts(book, months.parse("2027-01"))


async def test_a_district_that_is_not_there_is_refused(pool: asyncpg.Pool) -> None:
    with pytest.raises(errors.ExportRefused, match="district 9 is not in the database"):
        await month_rows.facts(pool, 9, OCTOBER, time_zone="UTC", reported_on=TODAY)


# The calendar


async def test_days_with_school_are_those_of_the_calendar(book: ledger.Ledger) -> None:
    await whole(book, first=LAST)
    assert (await facts(book)).instructional_days is None
    kinds = {1: "instructional", 2: "half_day", 5: "holiday", 6: "break", 30: "instructional"}
    for day, kind in kinds.items():
        await book.pool.execute(
            "INSERT INTO calendar_days VALUES (1, $1, $2::text::day_kind)", date(2026, 10, day), kind
        )
    assert (await facts(book)).instructional_days == 3


async def test_a_calendar_of_another_year_says_nothing(book: ledger.Ledger) -> None:
    await whole(book, first=LAST)
    await book.pool.execute("INSERT INTO calendar_days VALUES (1, '2025-10-07', 'instructional')")
    assert (await facts(book)).instructional_days is None


# Loans


async def test_idle_loans_are_counted_as_the_reclaim_list_does(book: ledger.Ledger) -> None:
    await whole(book, first=LAST)
    file = await factories.account(book.pool, "portal", collector="file")
    for state, days, is_lost in (
        ("idle", 29, None), ("idle", 30, None), ("never_used", 60, None), ("idle", 95, None), ("unknown", 95, None),
        ("idle", 95, date(2026, 10, 20)), ("idle", 95, date(2026, 11, 3)),
    ):  # fmt: skip
        _, device = await book.line()
        loan = await book.lend(device)
        await book.loan_day(loan, state, days, on_day=LAST)
        await book.pool.execute("UPDATE loans SET lost_on = $2 WHERE loan_id = $1", loan, is_lost)
    line, device = await book.line()
    loan = await book.lend(device, OTHER)
    await book.loan_day(loan, "idle", 0, on_day=LAST, is_coarse=True, school=OTHER)
    await book.file_period(line, 0, date(2026, 9, 1), LAST, account=file)
    found = await facts(book)
    told = [[one.counts[name] for name in ("idle_30", "idle_60", "idle_90")] for one in found.schools]
    assert told == [[4, 3, 2], [1, 1, 0]]
    await book.pool.execute(
        "DELETE FROM loans WHERE lost_on > $1", LAST
    )  # the list of today knows what came later
    listed = await reclaim.of(book.pool, 1, LAST, days=30)
    assert {(total.ncessch, total.count) for total in listed.by_school} == {(SCHOOL, 3), (OTHER, 1)}


async def test_loans_lost_in_the_month_are_counted_to_the_day(book: ledger.Ledger) -> None:
    await whole(book, first=LAST)
    for day in (date(2026, 9, 30), FIRST, LAST, date(2026, 11, 1)):
        _, device = await book.line()
        await book.pool.execute(
            "UPDATE loans SET lost_on = $2 WHERE loan_id = $1", await book.lend(device), day
        )
    _, laptop = await book.line(kind="laptop")
    await book.pool.execute("UPDATE loans SET lost_on = $2 WHERE loan_id = $1", await book.lend(laptop), LAST)
    assert (await school(book)).counts["lost"] == 2
    assert (await school(book, OTHER)).counts["lost"] == 0


async def test_the_waitlist_is_the_newest_as_of_the_figures_day(book: ledger.Ledger) -> None:
    await whole(book, first=LAST)
    for day, requests in ((date(2026, 9, 1), 4), (date(2026, 10, 20), 11), (date(2026, 11, 2), 99)):
        await book.pool.execute(
            "INSERT INTO waitlist_counts VALUES (1, $1, $2, $3)", book.schools[SCHOOL], day, requests
        )
    assert [one.counts["waitlist"] for one in (await facts(book)).schools] == [11, None]


async def test_bytes_are_those_of_the_months_days_and_of_nothing_unknown(book: ledger.Ledger) -> None:
    await whole(book)
    silent, _, other = [
        await book.lend((await book.line())[1], ncessch) for ncessch in (SCHOOL, SCHOOL, OTHER)
    ]
    await loan_days(book, silent, None, FIRST, LAST)
    assert ((await school(book)).used_bytes, (await school(book)).days_missing) == (None, 31)
    _, device = await book.line()
    await book.pool.execute("SELECT ensure_partitions('2026-09-01', '2026-09-30')")
    for out, back in ((date(2026, 9, 1), date(2026, 10, 11)), (date(2026, 10, 11), None)):
        loan = await book.lend(device, SCHOOL, out, back)
        last = back - timedelta(days=1) if back else date(2026, 11, 2)
        await loan_days(book, loan, 1_000_000, max(out, date(2026, 9, 29)), last)
    one, another = (await facts(book)).schools
    assert (one.used_bytes, one.devices_used, one.days_missing) == (31_000_000, 1, 0)
    assert (another.used_bytes, another.devices_used, another.days_missing) == (None, 0, 0)
    await loan_days(book, other, 0, FIRST, date(2026, 10, 21))
    await loan_days(book, other, None, date(2026, 10, 22), LAST)
    another = await school(book, OTHER)
    assert (another.used_bytes, another.devices_used, another.days_missing) == (0, 0, 10)


async def test_a_day_of_a_file_or_of_a_suspension_is_not_missing(book: ledger.Ledger) -> None:
    await whole(book)
    loan = await book.lend((await book.line())[1])
    await book.loan_day(loan, "idle", 0, on_day=FIRST, is_coarse=True)
    await book.loan_day(loan, "suspended", 0, on_day=date(2026, 10, 2))
    await book.loan_day(loan, "unknown", 0, on_day=date(2026, 10, 3))
    assert (await school(book)).days_missing == 1


# Fixed routers and the homework window


async def sampled(book: ledger.Ledger, line: int, first: datetime, hours: int, *, online: bool) -> None:
    await book.pool.execute(
        "INSERT INTO state_readings (district_id, line_id, account_id, kind, series, starts_at, is_online) "
        "SELECT 1, $1, $2, 'sample', 'line', at, $5 "
        "FROM generate_series($3::timestamptz, $3::timestamptz + $4 * interval '1 hour', '1 hour') AS at "
        "WHERE at < $3::timestamptz + $4 * interval '1 hour'",
        line,
        book.carrier,
        first,
        hours,
        online,
    )


async def test_uptime_is_that_of_fixed_routers_while_they_were_lent(book: ledger.Ledger) -> None:
    await whole(book, first=LAST)
    router, device = await book.line(kind="fixed_router")
    hotspot, other = await book.line()
    await book.lend(device, out=date(2026, 10, 10), back=date(2026, 10, 12))
    await book.lend(other, OTHER)
    await sampled(book, router, local(date(2026, 10, 9)), 24, online=False)  # not yet lent
    await sampled(book, router, local(date(2026, 10, 10)), 36, online=True)
    await sampled(
        book, router, local(date(2026, 10, 11), 12), 12 + 5, online=False
    )  # five hours after its return
    await sampled(book, hotspot, local(date(2026, 10, 10)), 24, online=False)
    one, another = (await facts(book)).schools
    assert (one.uptime, another.uptime) == (36 / 48, None)
    assert (one.devices_online, another.devices_online) == (1, 0)


async def parts(
    book: ledger.Ledger, line: int, first: datetime, minutes: int, *totals: int, account: int = 0
) -> None:
    for place, total in enumerate(totals):
        starts_at = first + timedelta(minutes=minutes * place)
        await book.pool.execute(
            "INSERT INTO usage_readings VALUES (1, $1, $2, 'interval', 'part', $3, $4, $5)",
            line,
            account or book.carrier,
            starts_at,
            starts_at + timedelta(minutes=minutes),
            total,
        )
    await book.pool.execute(
        "INSERT INTO line_days (district_id, on_day, line_id, account_id, used_bytes, basis) "
        "VALUES (1, $1, $2, $3, $4, 'interval') ON CONFLICT DO NOTHING",
        first.astimezone(ZONE).date(),
        line,
        account or book.carrier,
        sum(totals),
    )


async def test_use_in_the_homework_window_is_told_where_hours_are(book: ledger.Ledger) -> None:
    await whole(book, first=LAST)
    fine, device = await book.line()
    coarse, other = await book.line()
    await book.lend(device)
    await book.lend(other, OTHER)
    await parts(book, fine, local(date(2026, 10, 6), 14), 60, 10, 20, 30, 40)  # 14:00 to 18:00
    await parts(book, coarse, local(date(2026, 10, 6), 12), 240, 10, 20)
    one, another = (await facts(book)).schools
    assert (one.homework_share, another.homework_share) == (0.7, None)
    assert (one.devices_timed, another.devices_timed) == (1, 0)
    early = await school(book, thresholds={"homework_starts_hour": 14, "homework_ends_hour": 15})
    assert early.homework_share == 0.1


async def test_of_two_sources_of_hours_one_is_taken_never_their_sum(book: ledger.Ledger) -> None:
    await whole(book, first=LAST)
    line, device = await book.line()
    await book.lend(device)
    second = await factories.account(book.pool, "router", rank=2)
    await parts(book, line, local(date(2026, 10, 6), 15), 60, 25, 75)
    await parts(book, line, local(date(2026, 10, 6), 15), 60, 500, 0, account=second)
    assert (await school(book)).homework_share == 0.75


async def test_a_month_with_a_change_of_clocks_has_all_its_hours_and_no_others(book: ledger.Ledger) -> None:
    """November in Los Angeles: the 1st has 25 hours, and the month ends at 08:00 in UTC."""
    november = months.parse("2026-11")
    await book.pool.execute("SELECT ensure_partitions('2026-11-01', '2026-12-31')")
    await whole(book, date(2026, 11, 1), date(2026, 11, 30))
    line, device = await book.line(kind="fixed_router")
    await book.lend(device)
    await sampled(book, line, local(date(2026, 10, 31), 23), 1, online=False)  # the hour before
    await sampled(book, line, local(date(2026, 11, 1)), 25, online=True)
    await sampled(book, line, local(date(2026, 11, 30), 23), 2, online=False)  # the last one, and one after
    await parts(book, line, local(date(2026, 11, 1), 15), 60, 60, 40)
    found = await facts(book, november, reported_on=date(2026, 12, 6))
    assert found.schools[0].uptime == 25 / 26
    assert found.schools[0].homework_share == 0.4
    assert (found.month.days, found.through_on) == (30, date(2026, 11, 30))


async def test_a_day_of_23_hours_is_one_day(book: ledger.Ledger) -> None:
    march = months.parse("2027-03")
    await book.pool.execute("SELECT ensure_partitions('2027-03-01', '2027-04-30')")
    await whole(book, date(2027, 3, 31), date(2027, 3, 31))
    await book.pool.execute(
        "INSERT INTO poll_gaps VALUES (1, $1, 'usage', $2, $3)",
        book.carrier,
        local(date(2027, 3, 14)),
        local(date(2027, 3, 15)),
    )
    found = await facts(book, march, reported_on=date(2027, 4, 8))
    assert found.sources[0].gaps == ((date(2027, 3, 14), date(2027, 3, 14)),)


# Supports, sources, money


async def test_other_supports_are_those_of_the_months_last_day(book: ledger.Ledger) -> None:
    await whole(book, first=LAST)
    for kind, name, ends_on, hours in (
        ("library_hours", "Alder library", None, "12.5"), ("library_hours", "Town library", None, "4"),
        ("library_hours", "Closed", LAST, "40"), ("activity_bus", "Route 4", date(2026, 11, 1), "6.25"),
        ("community_wifi", "Park", None, "100"),
    ):  # fmt: skip
        await book.pool.execute(
            "INSERT INTO supports VALUES (1, $1, $2::text::support_kind, $3, '2026-09-01', $4, $5::text::numeric)",
            book.schools[SCHOOL], kind, name, ends_on, hours,
        )  # fmt: skip
    one, another = (await facts(book)).schools
    assert (one.library_hours, one.activity_bus_hours) == (16.5, 6.25)
    assert (another.library_hours, another.activity_bus_hours) == (0, 0)


async def test_sources_tell_their_whole_days_without_a_word(book: ledger.Ledger) -> None:
    await whole(book)
    await factories.account(book.pool, "to come", rank=9)
    router = await factories.account(book.pool, "router", collector="netcloud", lag_days=2, rank=2)
    portal = await factories.account(book.pool, "portal", collector="file", rank=3)
    await book.pool.execute(
        "INSERT INTO poll_runs (district_id, account_id, endpoint_group, instant_at, started_at, outcome) "
        "VALUES (1, $1, 'usage', $2, $2, 'failed')",
        router,
        local(date(2026, 10, 9)),
    )
    await book.file_period((await book.line())[0], 5, FIRST, LAST, account=portal)
    await book.pool.execute(
        "INSERT INTO watermarks (district_id, account_id, endpoint_group, last_success_at) VALUES (1, $1, 'usage', $2)",
        book.carrier,
        ledger.NOW,
    )
    for starts_at, ends_at in (
        (local(date(2026, 9, 28), 5), local(date(2026, 10, 3), 5)),  # from before the month
        (local(date(2026, 10, 10), 1), local(date(2026, 10, 11), 23)),  # no day as a whole
        (local(date(2026, 10, 20)), local(date(2026, 10, 23))),
    ):
        await book.pool.execute(
            "INSERT INTO poll_gaps VALUES (1, $1, 'usage', $2, $3)", book.carrier, starts_at, ends_at
        )
    carrier, file, silent = (await facts(book)).sources
    assert (carrier.account_key, carrier.last_success_at) == ("carrier", ledger.NOW)
    assert carrier.gaps == ((FIRST, date(2026, 10, 2)), (date(2026, 10, 20), date(2026, 10, 22)))
    assert (silent.account_key, silent.lag_days, silent.last_success_at, silent.gaps) == (
        "router",
        2,
        None,
        (),
    )
    assert (file.account_key, file.collector) == ("portal", "file")


async def test_money_is_that_of_the_months_lines_at_home(book: ledger.Ledger) -> None:
    await whole(book)
    dear, untold = await book.plan_of("dear", "22.50"), await book.plan_of("untold", None)
    for plan, used in ((book.plan, 0), (book.plan, 5), (dear, 5), (untold, None), (None, 0)):
        line, _ = await book.line(plan_id=plan)
        await book.days(line, used)
    await book.line(kind="bus_router", plan_id=await book.plan_of("bus", "22.00"))
    await book.line(kind="bus_router", plan_id=await book.plan_of("bus, dear", "80.00"))
    await book.line(kind="bus_router", plan_id=await book.plan_of("bus, cheap", "2.00"))
    await book.plan_of("nobody has it", "99.00")
    found = (await facts(book)).money
    assert found == months.Money(
        lines=5, cost=Decimal("52.50"), idle_lines=2, idle_cost=Decimal("15.00"), unknown_lines=1, without_price=2,
        highest_price=Decimal("22.50"), lowest_price=Decimal("15.00"),
    )  # fmt: skip


# The digest


async def test_the_order_of_the_accounts_is_no_part_of_a_month(book: ledger.Ledger) -> None:
    await whole(book)
    line, _ = await book.line(plan_id=book.plan)
    second = await factories.account(book.pool, "router", rank=2)
    for account in (book.carrier, second):
        await book.days(line, 5, account=account)
    before = await digest(book)
    await book.pool.execute("UPDATE accounts SET rank = 10 - rank")
    assert await digest(book) == before


async def digest(book: ledger.Ledger, *more: object) -> str:
    return months.digest(await facts(book, thresholds={"completeness_floor": 0.9}), *more)


async def test_late_data_change_the_digest(book: ledger.Ledger) -> None:
    await whole(book)
    _, device = await book.line()
    loan = await book.lend(device)
    await loan_days(book, loan, 5, FIRST, LAST)
    seen = [await digest(book)]
    for change in (
        "UPDATE school_days SET adequate = 11 WHERE on_day = '2026-10-31'",
        "UPDATE loan_days SET used_bytes = 6 WHERE on_day = '2026-10-03'",
        "UPDATE loans SET lost_on = '2026-10-09'",
        "UPDATE plans SET monthly_cost = 16",
        "UPDATE schools SET is_high_needs = true",
        "INSERT INTO calendar_days VALUES (1, '2026-10-05', 'instructional')",
    ):
        await book.pool.execute(change)
        seen.append(await digest(book))
    assert len(set(seen)) == len(seen)
    assert await digest(book, "0.1.0", {"width": 5}) != seen[-1]


async def test_nothing_that_is_not_of_the_month_changes_the_digest(book: ledger.Ledger) -> None:
    await whole(book, FIRST, date(2026, 11, 4))
    await book.days((await book.line())[0])
    before = await digest(book)
    for change in (
        "INSERT INTO watermarks SELECT 1, account_id, 'usage', now(), now(), now() FROM accounts",
        "UPDATE school_days SET computed_at = now(), revised_at = now()",
        "UPDATE school_days SET adequate = 1 WHERE on_day > '2026-10-31' OR on_day < '2026-10-31'",
        "INSERT INTO schools (district_id, ncessch, name) VALUES (1, '410192000009', 'New')",
        "INSERT INTO poll_gaps SELECT 1, account_id, 'usage', '2026-11-02', '2026-11-04' FROM accounts",
        "UPDATE accounts SET is_in_use = false",
        "INSERT INTO accounts (district_id, account_key, collector, time_zone) VALUES (1, 'new', 'kore', 'UTC')",
    ):
        await book.pool.execute(change)
        assert await digest(book) == before, change


async def test_a_digest_is_of_values_not_of_how_they_came_about(book: ledger.Ledger) -> None:
    await whole(book, first=LAST)
    found = await facts(book, thresholds={"b": 0.3, "a": (1, 2), "c": {3, 1, 2}})
    money = replace(found.money, cost=found.money.cost + Decimal("0.000"))
    same = replace(found, money=money, thresholds={"a": [1, 2], "c": {2, 1, 3}, "b": 0.1 + 0.2})
    assert months.digest(same) == months.digest(found)
    assert len(months.digest(found)) == 64
    assert months.digest(replace(found, thresholds={"b": 0.31})) != months.digest(found)


# Reading


async def test_only_the_partitions_of_the_month_are_read(book: ledger.Ledger) -> None:
    """Those before it and after it are there, and stay unread."""
    await book.pool.execute("SELECT ensure_partitions('2026-06-01', '2027-02-01')")
    instants = local(FIRST), local(date(2026, 11, 1))
    asked: dict[str, tuple[object, ...]] = {
        "month_use": (1, FIRST, LAST),
        "month_accounts": (1, FIRST, LAST),
        "month_idle": (1, LAST),
        "month_uptime": (1, *instants),
        "month_homework": (1, *instants, [book.carrier], 16, 22),
    }
    for name, values in asked.items():
        rows = await book.pool.fetch(f"EXPLAIN {sql.queries()[name]}", *values)
        plan = "\n".join(row[0] for row in rows)
        read = {f"_{year_month}" for year_month in months_in(plan)}
        assert read <= {"_202610", "_202611"}, name
        assert "_202610" in read, name


def months_in(plan: str) -> set[str]:
    return set(re.findall(r"(?:loan_days|line_days|_readings)_(\d{6})", plan))


async def test_everything_is_read_as_of_one_instant(
    book: ledger.Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is written while the facts are being read is not in them: here, between the schools and their loans."""
    await whole(book)
    before = await facts(book)
    sources = month_rows._sources

    async def written_meanwhile(*given: Any) -> object:
        await book.pool.execute(
            "INSERT INTO poll_gaps SELECT 1, account_id, 'usage', $1, $2 FROM accounts", *instants
        )
        await book.pool.execute("UPDATE plans SET monthly_cost = 99")
        return await sources(*given)

    instants = local(FIRST), local(LAST)
    monkeypatch.setattr(month_rows, "_sources", written_meanwhile)
    assert await facts(book) == before
    monkeypatch.undo()
    assert await facts(book) != before
