"""Every kind of contradiction is found; what comes near it, is unknown, or was put right since, is not."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import asyncpg
import pytest

from service.model import reconciliation as model
from service.store import reconciliation
from tests import factories, reconciled
from tests.reconciled import DAY, NOW, ago, at


@pytest.fixture
async def town(pool: asyncpg.Pool) -> reconciled.District:
    return await reconciled.district(pool)


async def test_the_day_is_the_one_that_every_polled_account_has_completed(town: reconciled.District) -> None:
    assert await reconciliation.judged_on(town.pool) == {factories.DISTRICT: DAY}
    await town.pool.execute("UPDATE accounts SET lag_days = 2 WHERE account_id = $1", town.account_id)
    assert await reconciliation.judged_on(town.pool) == {factories.DISTRICT: ago(2)}
    await town.pool.execute("UPDATE accounts SET is_in_use = false WHERE account_id = $1", town.account_id)
    assert await reconciliation.judged_on(town.pool) == {factories.DISTRICT: DAY}


async def test_nothing_is_judged_before_a_day_was_computed(town: reconciled.District) -> None:
    await town.line()
    await town.pool.execute("UPDATE districts SET computed_through_on = NULL")
    assert await reconciliation.judged_on(town.pool) == {}
    assert await reconciliation.findings(town.pool) == []


# Active line with no loan


async def test_an_active_line_whose_loan_has_ended_is_found_with_its_last_school(
    town: reconciled.District,
) -> None:
    line, device = await town.line()
    await town.lend(device, ago(80), until=ago(60))
    last = await town.lend(device, ago(50), until=ago(40))
    (found,) = await town.found("line_without_loan")
    assert (found.device_id, found.line_id, found.loan_id) == (device, line, last)
    assert (found.since_on, found.days, found.reason) == (ago(40), 40, "returned")
    assert (found.ncessch, found.monthly_cost) == ("410192000001", Decimal(15))


async def test_an_active_line_that_was_never_lent_counts_from_when_it_was_seen(
    town: reconciled.District,
) -> None:
    line, _ = await town.line(seen=ago(12), has_plan=False)
    (found,) = await town.found("line_without_loan")
    assert (found.line_id, found.since_on, found.reason, found.loan_id) == (line, ago(12), "never_lent", None)
    assert (found.ncessch, found.monthly_cost) == (None, None)


async def test_a_line_that_was_never_lent_is_at_the_school_of_its_vendors_group(
    town: reconciled.District,
) -> None:
    line, _ = await town.line()
    await factories.group(town.pool, town.account_id, "g", school_id=town.other_school_id)
    await factories.latest_state(town.pool, line, town.account_id, read_at=NOW, group_key="g")
    (found,) = await town.found("line_without_loan")
    assert found.ncessch == "410192000002"


@pytest.mark.parametrize("status", ["suspended", "deactivated", "pre_active", "pending", "unknown", None])
async def test_a_line_that_is_not_known_to_be_active_is_not_billed_in_vain(
    town: reconciled.District, status: str | None
) -> None:
    await town.line(status)
    assert await town.found("line_without_loan") == []


async def test_a_stale_status_is_not_active(town: reconciled.District) -> None:
    line, _ = await town.line(None)
    await town.told(line, status="active", is_fresh=False)
    assert await town.found("line_without_loan") == []


async def test_the_best_source_decides_whether_a_line_is_active(town: reconciled.District) -> None:
    line, _ = await town.line("suspended")
    await town.told(line, status="active", account_id=town.router_account_id)
    assert await town.found("line_without_loan") == []


@pytest.mark.parametrize("kind", ["bus_router", "laptop"])
async def test_what_is_no_home_connection_needs_no_loan(town: reconciled.District, kind: str) -> None:
    await town.line(kind=kind)
    assert await town.found("line_without_loan") == []


async def test_a_home_router_needs_a_loan_too(town: reconciled.District) -> None:
    await town.line(kind="fixed_router")
    assert len(await town.found("line_without_loan")) == 1


async def test_a_line_in_no_known_device_may_be_on_loan(town: reconciled.District) -> None:
    line = await factories.line(town.pool)
    await town.told(line, status="active")
    assert await town.found("line_without_loan") == []


async def test_an_open_loan_and_one_that_began_since_settle_it(town: reconciled.District) -> None:
    for since in (ago(10), DAY, DAY + timedelta(days=1)):
        _, device = await town.line()
        await town.lend(device, since)
    assert await town.found("line_without_loan") == []


async def test_a_line_that_was_suspended_since_is_settled(town: reconciled.District) -> None:
    line, _ = await town.line()
    await town.since_told(line, "suspended")
    assert await town.found("line_without_loan") == []


# Loan on a suspended line


async def test_a_loan_on_a_suspended_line_is_found_since_its_first_such_day(
    town: reconciled.District,
) -> None:
    line, device = await town.line("suspended")
    loan = await town.lend(device, ago(60))
    await town.state(loan, ago(40), ago(13), "adequate", None)
    await town.state(loan, ago(12))
    (found,) = await town.found("loan_on_suspended_line")
    assert (found.loan_id, found.line_id, found.since_on, found.days) == (loan, line, ago(12), 12)
    assert (found.reason, found.ncessch) == ("carrier", "410192000001")


async def test_a_suspension_begins_with_its_loan_and_is_followed_for_31_days(
    town: reconciled.District,
) -> None:
    for since in (ago(5), ago(90)):
        _, device = await town.line("suspended")
        await town.state(await town.lend(device, since), since)
    assert [one.since_on for one in await town.found("loan_on_suspended_line")] == [ago(30), ago(5)]


async def test_other_states_and_loans_that_ended_since_are_no_suspended_loans(
    town: reconciled.District,
) -> None:
    for state in ("unknown", "idle", "never_used", "adequate", "weak", "exhausted"):
        _, device = await town.line()
        await town.state(await town.lend(device, ago(9)), ago(9), DAY, state, None)
    _, device = await town.line("suspended")
    await town.state(await town.lend(device, ago(9), until=DAY + timedelta(days=1)), ago(9))
    assert len(await town.found("loan_on_suspended_line")) == 1
    await town.pool.execute("UPDATE loans SET returned_on = $1", DAY)
    assert await town.found("loan_on_suspended_line") == []


async def test_a_line_that_was_restored_since_is_settled(town: reconciled.District) -> None:
    line, device = await town.line("suspended")
    await town.state(await town.lend(device, ago(9)), ago(9))
    await town.since_told(line, "active")
    assert await town.found("loan_on_suspended_line") == []


async def test_a_lost_hotspot_is_suspended_rightly(town: reconciled.District) -> None:
    _, device = await town.line("suspended")
    await town.state(await town.lend(device, ago(9), lost=ago(4)), ago(3))
    assert await town.found("loan_on_suspended_line") == []


@pytest.mark.parametrize(("is_instructional", "found"), [(True, 1), (False, 0), (None, 0)])
async def test_a_seasons_suspension_is_found_once_school_is_known_to_be_in_session(
    town: reconciled.District, is_instructional: bool | None, found: int
) -> None:
    _, device = await town.line("suspended")
    await town.state(await town.lend(device, ago(90)), ago(90), DAY, "suspended", "season")
    await town.school_day(ago(4), is_instructional=is_instructional)
    assert len(await town.found("loan_on_suspended_line")) == found


# Returned, but in use


async def test_a_returned_device_that_moves_bytes_is_found_and_its_borrower_is_not(
    town: reconciled.District,
) -> None:
    line, device = await town.line()
    loan = await town.lend(device, ago(60), until=ago(20), borrower="c0ffee")
    await town.told(line, ago(5), mb=40)
    await town.told(line, ago(4), mb=0)
    await town.told(line, ago(2), mb=60)
    (found,) = await town.found("use_after_return")
    assert (found.device_id, found.line_id, found.loan_id) == (device, line, loan)
    assert (found.since_on, found.days, found.used_bytes) == (ago(5), 2, 100 * reconciled.MB)
    assert (found.ncessch, found.monthly_cost) == ("410192000001", Decimal(15))
    assert "c0ffee" not in repr(found)


@pytest.mark.parametrize("days", [20, 7], ids=["a week after", "on the day of the return"])
async def test_bytes_before_the_week_or_on_the_day_of_the_return_prove_nothing(
    town: reconciled.District, days: int
) -> None:
    line, device = await town.line()
    await town.lend(device, ago(60), until=ago(20) if days == 7 else ago(3))
    await town.told(line, ago(7) if days == 7 else ago(3), mb=40)
    await town.told(line, ago(30), mb=40)
    assert await town.found("use_after_return") == []


async def test_no_bytes_and_unknown_bytes_are_no_use(town: reconciled.District) -> None:
    line, device = await town.line()
    await town.lend(device, ago(60), until=ago(20))
    await town.told(line, ago(2), mb=0)
    await town.told(line, ago(1), mb=None, status="active")
    assert await town.found("use_after_return") == []


async def test_of_two_sources_the_better_one_decides_what_was_used(town: reconciled.District) -> None:
    line, device = await town.line()
    await town.lend(device, ago(60), until=ago(20))
    await town.told(line, ago(2), mb=0)
    await town.told(line, ago(2), mb=8, account_id=town.router_account_id)
    assert await town.found("use_after_return") == []
    await town.told(line, ago(3), mb=8, account_id=town.router_account_id)  # alone on that day
    (found,) = await town.found("use_after_return")
    assert (found.days, found.used_bytes) == (1, 8 * reconciled.MB)


async def test_a_device_that_was_lent_again_or_never_may_be_in_use(town: reconciled.District) -> None:
    for loans in ([(60, 20), (1, None)], [(60, 20), (-1, None)], [(60, None)], []):
        line, device = await town.line()
        await town.told(line, ago(0), mb=40)
        await town.told(line, ago(2), mb=40)
        for since, until in loans:
            await town.lend(device, ago(since), until=None if until is None else ago(until))
    assert await town.found("use_after_return") == []


async def test_bytes_belong_to_the_device_that_held_the_line_all_day(town: reconciled.District) -> None:
    returned, lent = await town.device(), await town.device()
    await town.lend(returned, ago(60), until=ago(20))
    await town.lend(lent, ago(60))
    line = await factories.line(town.pool)
    await factories.link(town.pool, line, lent, ends_at=at(ago(3)))
    await factories.link(town.pool, line, returned, starts_at=at(ago(3)))
    await town.told(line, ago(4), mb=40)
    await town.told(line, ago(3), mb=40)
    assert await town.found("use_after_return") == []
    await town.told(line, ago(2), mb=40)
    (found,) = await town.found("use_after_return")
    assert (found.device_id, found.since_on) == (returned, ago(2))


# Lost, but still billed


async def test_a_lost_device_with_an_active_line_is_found(town: reconciled.District) -> None:
    line, device = await town.line()
    loan = await town.lend(device, ago(90), lost=ago(62))
    (found,) = await town.found("lost_but_billed")
    assert (found.loan_id, found.line_id, found.since_on, found.days) == (loan, line, ago(62), 62)
    assert found.monthly_cost == Decimal(15)


@pytest.mark.parametrize("status", ["suspended", "unknown", None])
async def test_a_lost_device_whose_line_is_not_known_to_be_active_is_not_billed(
    town: reconciled.District, status: str | None
) -> None:
    _, device = await town.line(status)
    await town.lend(device, ago(90), lost=ago(62))
    assert await town.found("lost_but_billed") == []


async def test_a_lost_device_that_came_back_or_whose_line_was_suspended_since_is_settled(
    town: reconciled.District,
) -> None:
    _, back = await town.line()
    await town.lend(back, ago(90), lost=ago(62), until=ago(9))
    line, gone = await town.line()
    await town.lend(gone, ago(90), lost=ago(62))
    _, since = await town.line()
    await town.lend(since, ago(90), lost=DAY + timedelta(days=1))
    assert [one.line_id for one in await town.found("lost_but_billed")] == [line]
    await town.since_told(line, "deactivated")
    assert await town.found("lost_but_billed") == []


# SIM in another device


async def test_a_sim_that_left_a_lent_device_for_another_is_found(town: reconciled.District) -> None:
    lent, other = await town.device(), await town.device()
    loan = await town.lend(lent, ago(60))
    line = await factories.line(town.pool)
    await factories.link(town.pool, line, lent, ends_at=at(ago(3)))
    await factories.link(town.pool, line, other, starts_at=at(ago(3)))
    (found,) = await town.found("sim_moved")
    assert (found.loan_id, found.device_id, found.other_device_id, found.line_id) == (loan, lent, other, line)
    assert (found.since_on, found.reason, found.ncessch) == (ago(3), "no_sim", "410192000001")
    await town.line(device_id=lent)
    (found,) = await town.found("sim_moved")
    assert found.reason == "another_sim"


async def test_a_device_on_loan_that_holds_no_sim_any_more_is_found(town: reconciled.District) -> None:
    lent = await town.device()
    line = await factories.line(town.pool)
    await factories.link(town.pool, line, lent, ends_at=at(ago(40)))
    loan = await town.lend(lent, ago(10))
    (found,) = await town.found("sim_moved")
    assert (found.loan_id, found.other_device_id, found.since_on, found.reason) == (
        loan,
        None,
        ago(10),
        "no_sim",
    )


async def test_a_device_that_no_source_has_shown_is_not_known_to_hold_no_sim(
    town: reconciled.District,
) -> None:
    await town.lend(await town.device(), ago(10))
    assert await town.found("sim_moved") == []


async def test_sims_that_moved_before_the_loan_after_it_or_came_back_are_not_found(
    town: reconciled.District,
) -> None:
    before, after, back, other = [await town.device() for _ in range(4)]
    for device, since, until in ((before, ago(10), None), (after, ago(60), ago(20)), (back, ago(60), None)):
        await town.lend(device, since, until=until)
    for device in (before, after, back):
        line = await factories.line(town.pool)
        moved = at(ago(15))
        await factories.link(town.pool, line, device, ends_at=moved)
        if device == back:
            await factories.link(town.pool, line, other, starts_at=moved, ends_at=at(ago(1)))
            await factories.link(town.pool, line, back, starts_at=at(ago(1)))
        else:
            await factories.link(town.pool, line, other, starts_at=moved)
    await town.line(device_id=before)  # it was lent with another
    assert await town.found("sim_moved") == []


async def test_a_moved_sim_whose_loan_was_ended_since_is_settled(town: reconciled.District) -> None:
    lent, other = await town.device(), await town.device()
    await town.lend(lent, ago(60), until=DAY)
    line = await factories.line(town.pool)
    await factories.link(town.pool, line, lent, ends_at=at(ago(3)))
    await factories.link(town.pool, line, other, starts_at=at(ago(3)))
    assert await town.found("sim_moved") == []


# Loan at a school that the student left


async def test_the_loan_of_a_student_who_left_the_district_is_found(town: reconciled.District) -> None:
    device = await town.device()
    loan = await town.lend(device, ago(60), borrower="c0ffee")
    await town.enroll("c0ffee", ago(300), until=ago(12))
    (found,) = await town.found("loan_after_leaving")
    assert (found.loan_id, found.device_id, found.since_on, found.days) == (loan, device, ago(12), 12)
    assert (found.reason, found.other_ncessch) == ("left_district", None)
    assert "c0ffee" not in repr(found)


async def test_the_loan_of_a_student_at_another_school_is_found(town: reconciled.District) -> None:
    loan = await town.lend(await town.device(), ago(60), borrower="c0ffee")
    await town.enroll("c0ffee", ago(300), until=ago(12))
    await town.enroll("c0ffee", ago(12), elsewhere=True)
    (found,) = await town.found("loan_after_leaving")
    assert (found.loan_id, found.since_on, found.reason) == (loan, ago(12), "another_school")
    assert (found.ncessch, found.other_ncessch) == ("410192000001", "410192000002")


async def test_a_loan_that_was_made_at_another_school_counts_from_the_loan(town: reconciled.District) -> None:
    await town.lend(await town.device(), ago(6), borrower="c0ffee")
    await town.enroll("c0ffee", ago(300), elsewhere=True)
    (found,) = await town.found("loan_after_leaving")
    assert found.since_on == ago(6)


async def test_students_who_are_there_unknown_or_not_named_have_not_left(town: reconciled.District) -> None:
    await town.lend(await town.device(), ago(60), borrower="there")
    await town.enroll("there", ago(300))
    await town.lend(await town.device(), ago(60), borrower="never named by a roster")
    await town.lend(await town.device(), ago(60))
    await town.lend(await town.device(), ago(60), until=ago(5), borrower="gone")
    await town.enroll("gone", ago(300), until=ago(12))
    await town.lend(await town.device(), ago(60), borrower="leaves tomorrow")
    await town.enroll("leaves tomorrow", ago(300), until=DAY + timedelta(days=1))
    await town.lend(await town.device(), ago(60), borrower="changes tomorrow")
    await town.enroll("changes tomorrow", ago(300), until=DAY + timedelta(days=1))
    await town.enroll("changes tomorrow", DAY + timedelta(days=1), elsewhere=True)
    assert await town.found("loan_after_leaving") == []


async def test_a_student_who_came_back_since_is_settled(town: reconciled.District) -> None:
    await town.lend(await town.device(), ago(60), borrower="back")
    await town.enroll("back", ago(300), until=ago(12))
    await town.enroll("back", DAY + timedelta(days=1))
    assert await town.found("loan_after_leaving") == []


# Stale need


async def test_few_answers_an_old_count_and_too_many_adequate_loans_make_need_stale(
    town: reconciled.District,
) -> None:
    await factories.need(town.pool, town.school_id, ago(400))
    await factories.need(town.pool, town.other_school_id, ago(30))
    await town.school_day()
    await town.school_day(school_id=town.other_school_id, answered=349)
    found = {one.ncessch: (one.reason, one.since_on, one.days) for one in await town.found("need_stale")}
    assert found == {"410192000001": ("old", ago(400), 400), "410192000002": ("few_answers", ago(30), 30)}
    await town.pool.execute("UPDATE school_days SET is_need_exceeded = true")
    assert {one.reason for one in await town.found("need_stale")} == {"exceeded"}


async def test_a_count_that_is_no_longer_valid_is_stale_and_one_that_never_was_is_not(
    town: reconciled.District,
) -> None:
    nothing: dict[str, Any] = {"enrolled": None, "answered": None, "need": None, "need_source": None}
    await town.school_day(**nothing)
    await town.school_day(school_id=town.other_school_id, **nothing)
    await factories.need(town.pool, town.school_id, ago(900))
    (found,) = await town.found("need_stale")
    assert (found.ncessch, found.reason, found.since_on) == ("410192000001", "expired", ago(900))


async def test_seven_in_ten_are_enough_and_unknown_students_are_not_too_few_answers(
    town: reconciled.District,
) -> None:
    await factories.need(town.pool, town.school_id, ago(30))
    await factories.need(town.pool, town.other_school_id, ago(30))
    await town.school_day(answered=350)
    await town.school_day(school_id=town.other_school_id, enrolled=None)
    assert await town.found("need_stale") == []


async def test_answers_are_old_when_half_of_them_are(town: reconciled.District) -> None:
    await town.school_day(need_source="answers")
    for student, days in (("a", 420), ("b", 410), ("c", 20)):
        await town.pool.execute(
            "INSERT INTO need_answers (district_id, student, answered_on, school_id, has_access)"
            " VALUES ($1, $2, $3, $4, false)",
            factories.DISTRICT,
            student,
            ago(days),
            town.school_id,
        )
    (found,) = await town.found("need_stale")
    assert (found.reason, found.since_on) == ("old", ago(410))
    await town.pool.execute(
        "INSERT INTO need_answers (district_id, student, answered_on, has_access) VALUES ($1, 'b', $2, true)",
        factories.DISTRICT,
        ago(3),
    )
    await town.enroll("b", ago(300))
    assert await town.found("need_stale") == []


# Two hotspots for one, one hotspot for two


async def test_a_borrowers_second_hotspot_is_found_with_the_first(town: reconciled.District) -> None:
    first = await town.lend(await town.device(), ago(60), borrower="c0ffee")
    line, device = await town.line()
    second = await town.lend(device, ago(20), borrower="c0ffee")
    (found,) = await town.found("duplicate_loan")
    assert (found.loan_id, found.other_loan_id, found.line_id) == (second, first, line)
    assert (found.since_on, found.monthly_cost, found.ncessch) == (ago(20), Decimal(15), "410192000001")


async def test_replacements_successors_other_devices_and_strangers_are_no_duplicates(
    town: reconciled.District,
) -> None:
    await town.lend(await town.device(), ago(60), borrower="lost one", lost=ago(30))
    await town.lend(await town.device(), ago(20), borrower="lost one")
    await town.lend(await town.device(), ago(60), until=ago(20), borrower="returned one")
    await town.lend(await town.device(), ago(20), borrower="returned one")
    await town.lend(await town.device(kind="fixed_router"), ago(60), borrower="has a router")
    await town.lend(await town.device(), ago(20), borrower="has a router")
    await town.lend(await town.device(kind="laptop"), ago(60), borrower="has a laptop")
    await town.lend(await town.device(), ago(20), borrower="has a laptop")
    for _ in range(2):
        await town.lend(await town.device(), ago(20))
    assert await town.found("duplicate_loan") == []


@pytest.mark.parametrize(("mode", "found"), [("student", 0), ("household", 1)])
async def test_two_hotspots_in_a_home_are_one_too_many_where_loans_serve_homes(
    town: reconciled.District, mode: str, found: int
) -> None:
    await town.pool.execute("UPDATE districts SET need_mode = $1::need_mode", mode)
    for borrower in ("ann", "ben"):
        device = await town.device()
        await factories.loan(town.pool, device, town.school_id, ago(20), borrower=borrower, household="home")
    assert len(await town.found("duplicate_loan")) == found


async def test_an_open_loan_of_a_device_that_was_lent_again_is_found(town: reconciled.District) -> None:
    forgotten, kept = await town.device(), await town.device()
    loan = await town.lend(forgotten, ago(90))
    later = await town.lend(forgotten, ago(60), until=ago(40))
    both = [await town.lend(kept, ago(50)), await town.lend(kept, ago(30), borrower="c0ffee")]
    found = await town.found("overlapping_loans")
    assert [(one.loan_id, one.other_loan_id, one.since_on) for one in found] == [
        (loan, later, ago(60)),
        (*both, ago(30)),
    ]


async def test_loans_one_after_the_other_do_not_overlap(town: reconciled.District) -> None:
    device = await town.device()
    await town.lend(device, ago(90), until=ago(60))
    await town.lend(device, ago(60))
    await town.lend(device, DAY + timedelta(days=1), borrower="tomorrow")
    laptop = await town.device(kind="laptop")
    await town.lend(laptop, ago(90))
    await town.lend(laptop, ago(60))
    assert await town.found("overlapping_loans") == []


async def test_an_overlap_is_gone_once_the_earlier_loan_has_its_return(town: reconciled.District) -> None:
    device = await town.device()
    loan = await town.lend(device, ago(90))
    await town.lend(device, ago(60))
    assert len(await town.found("overlapping_loans")) == 1
    await town.pool.execute("UPDATE loans SET returned_on = $2 WHERE loan_id = $1", loan, ago(60))
    assert await town.found("overlapping_loans") == []


# All of them


async def test_districts_are_judged_apart(town: reconciled.District) -> None:
    await town.line()
    await factories.district(town.pool, 2)
    await town.pool.execute("UPDATE districts SET computed_through_on = $1 WHERE district_id = 2", ago(-1))
    other = await factories.device(town.pool, district_id=2)
    await factories.line(town.pool, device_id=other, district_id=2)
    found = await reconciliation.findings(town.pool)
    assert [(one.district_id, one.kind) for one in found] == [(1, "line_without_loan")]
    assert await reconciliation.findings(town.pool, district_id=2) == []


async def test_every_kind_has_its_view_and_every_view_its_kind(town: reconciled.District) -> None:
    definition = await town.pool.fetchval("SELECT pg_get_viewdef('reconciliation_findings'::regclass)")
    for kind in model.KINDS:
        assert f"'{kind.name}'::text" in definition
        assert f"reconciliation_{kind.name} f" in definition
    assert definition.count("UNION ALL") == len(model.KINDS) - 1


async def test_no_view_of_findings_has_a_person_or_an_identifier(town: reconciled.District) -> None:
    rows = await town.pool.fetch(
        "SELECT attname FROM pg_attribute WHERE attrelid = 'reconciliation_findings'::regclass"
    )
    columns = {row["attname"] for row in rows}
    assert columns == {
        "kind", "district_id", "on_day", "school_id", "device_id", "line_id", "loan_id", "other_school_id",
        "other_device_id", "other_loan_id", "reason", "since_on", "days", "used_bytes", "monthly_cost",
    }  # fmt: skip
