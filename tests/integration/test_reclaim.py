"""Which hotspots are asked back: unused loans, and active lines that nobody has on loan."""

import dataclasses

import asyncpg
import pytest

from service.store import reclaim
from tests import factories, ledger
from tests.ledger import OTHER, SCHOOL, TODAY, days_before


@pytest.fixture
async def book(pool: asyncpg.Pool) -> ledger.Ledger:
    return await ledger.ledger(pool)


async def of(book: ledger.Ledger, days: int = 30, on_day: object = TODAY) -> reclaim.Reclaim:
    return await reclaim.of(book.pool, 1, on_day, days=days)  # type: ignore[arg-type]


async def unused(book: ledger.Ledger, state: str, days: int, **told: object) -> int:
    _, device = await book.line()
    school = str(told.get("school", SCHOOL))
    loan = await book.lend(device, school)
    await book.loan_day(loan, state, days, **told)  # type: ignore[arg-type]
    return loan


async def test_loans_without_use_for_30_days_are_listed_and_29_are_not(book: ledger.Ledger) -> None:
    never = await unused(book, "never_used", 30)
    idle = await unused(book, "idle", 44, last_used_on=days_before(44))
    await unused(book, "never_used", 29)
    await unused(book, "idle", 29)
    found = await of(book)
    assert [(item.loan_id, item.kind, item.days) for item in found.items] == [
        (never, "never_used", 30),
        (idle, "idle", 44),
    ]
    assert found.items[1].since_on == days_before(43)
    assert len((await of(book, 29)).items) == 4


async def test_what_is_lost_is_not_asked_back(book: ledger.Ledger) -> None:
    loan = await unused(book, "never_used", 40)
    assert len((await of(book)).items) == 1
    await book.pool.execute("UPDATE loans SET lost_on = checked_out_on + 1 WHERE loan_id = $1", loan)
    assert (await of(book)).items == ()


async def test_a_device_is_handed_out_once_however_many_of_its_lines_are_listed(book: ledger.Ledger) -> None:
    def item(device_id: int | None, line_id: int) -> reclaim.Item:
        return reclaim.Item(
            kind="line_without_loan",
            ncessch=None,
            school=None,
            device_id=device_id,
            line_id=line_id,
            loan_id=None,
            days=30,
            is_at_least=False,
            since_on=None,
            monthly_cost=None,
        )

    found = await of(book)
    listed = dataclasses.replace(found, items=(item(1, 1), item(1, 2), item(2, 3), item(None, 4)))
    assert (listed.total.count, listed.hotspots) == (4, 2)


@pytest.mark.parametrize("state", ["unknown", "adequate", "suspended", "exhausted", "weak"])
async def test_only_known_non_use_is_listed(book: ledger.Ledger, state: str) -> None:
    await unused(book, state, 60)
    found = await of(book)
    assert found.items == ()
    assert found.unheard == (1 if state == "unknown" else 0)


async def test_a_loan_that_was_lent_before_anyone_watched_is_idle_for_at_least_so_long(
    book: ledger.Ledger,
) -> None:
    await unused(book, "never_used", 31, observed_since_on=days_before(31))
    assert (await of(book)).items[0].is_at_least


async def test_the_cost_is_that_of_the_devices_lines(book: ledger.Ledger) -> None:
    loan = await unused(book, "idle", 40)
    device = await book.pool.fetchval("SELECT device_id FROM loans WHERE loan_id = $1", loan)
    assert (await of(book)).total.monthly_cost == 15
    await factories.line(book.pool, plan_id=book.plan, device_id=device)
    assert (await of(book)).total.monthly_cost == 30
    await factories.line(book.pool, device_id=device)
    found = await of(book)
    assert (found.items[0].monthly_cost, found.total.without_cost) == (None, 1)
    assert len(found.items) == 1


async def test_a_file_that_tells_a_month_of_0_counts_its_days(book: ledger.Ledger) -> None:
    portal = await factories.account(book.pool, "portal", collector="file")
    line, device = await book.line()
    loan = await book.lend(device)
    await book.loan_day(loan, "idle", 0, is_coarse=True)
    await book.file_period(line, 9, days_before(60), days_before(41), account=portal)
    await book.file_period(line, 0, days_before(40), days_before(11), account=portal)
    assert (await of(book)).items[0].days == 30
    await book.file_period(line, 0, days_before(10), TODAY, account=portal)
    found = (await of(book)).items[0]
    assert (found.days, found.since_on) == (41, days_before(40))


async def test_an_active_line_without_a_loan_is_listed_after_30_known_days(book: ledger.Ledger) -> None:
    line, device = await book.line()
    await book.lend(device, back=days_before(29))
    await book.days(line, 0, days_before(40), TODAY)
    (item,) = (await of(book)).items
    assert (item.kind, item.line_id, item.device_id, item.loan_id) == (
        "line_without_loan",
        line,
        device,
        None,
    )
    assert (item.days, item.since_on, item.ncessch, item.is_at_least) == (30, days_before(29), SCHOOL, False)
    assert (await of(book, 31)).items == ()


async def test_days_whose_status_nobody_told_pause_the_clock(book: ledger.Ledger) -> None:
    line, device = await book.line()
    await book.lend(device, back=days_before(40))
    await book.days(line, 0, days_before(28), TODAY)
    assert (await of(book)).items == ()
    await book.days(line, 0, days_before(36), days_before(36))
    assert (await of(book)).items[0].days == 30


@pytest.mark.parametrize("status", ["suspended", "deactivated", None])
async def test_a_line_that_is_not_known_to_be_active_is_not_listed(
    book: ledger.Ledger, status: str | None
) -> None:
    line, _ = await book.line()
    await book.days(line, 0, days_before(50), days_before(1))
    await book.days(line, 0, TODAY, TODAY, status=status)
    assert (await of(book)).items == ()


async def test_bus_routers_and_lines_on_loan_are_not_listed_and_lines_without_a_device_are(
    book: ledger.Ledger,
) -> None:
    bus, _ = await book.line(kind="bus_router")
    lent, device = await book.line()
    await book.lend(device, OTHER)
    alone = await factories.line(book.pool, plan_id=book.plan)
    for line in (bus, lent, alone):
        await book.days(line, 0, days_before(50), TODAY)
    (item,) = (await of(book)).items
    assert (item.line_id, item.device_id, item.school, item.is_at_least) == (alone, None, None, True)


async def test_a_line_lent_again_is_not_listed_and_was_on_the_day_before(book: ledger.Ledger) -> None:
    line, device = await book.line()
    await book.lend(device, back=days_before(45))
    await book.lend(device, OTHER, TODAY)
    await book.days(line, 0, days_before(60), TODAY)
    assert (await of(book)).items == ()
    assert len((await of(book, on_day=days_before(1))).items) == 1


async def test_schools_are_summed_and_what_none_lent_comes_last(book: ledger.Ledger) -> None:
    await unused(book, "idle", 40, school=OTHER)
    await unused(book, "never_used", 40)
    await unused(book, "idle", 40)
    alone = await factories.line(book.pool)
    await book.days(alone, 0, days_before(50), TODAY)
    found = await of(book)
    told = [(one.school, one.never_used, one.idle, one.line_without_loan) for one in found.by_school]
    assert told == [("Alder", 1, 1, 0), ("Birch", 0, 1, 0), (None, 0, 0, 1)]
    assert (found.total.count, found.total.without_cost) == (4, 1)
    assert found.total.monthly_cost == 45


async def test_no_borrower_is_ever_in_the_list(book: ledger.Ledger) -> None:
    _, device = await book.line()
    loan = await book.lend(device, borrower="pseudonym-of-a-child")
    await book.loan_day(loan, "idle", 50)
    assert "pseudonym" not in repr(await of(book))


async def test_students_with_another_loan_keep_it(book: ledger.Ledger) -> None:
    for borrower, states in (("one", ["idle"]), ("two", ["idle", "adequate"]), ("", ["idle"])):
        for state in states:
            _, device = await book.line()
            loan = await book.lend(device, borrower=borrower)
            await book.loan_day(loan, state, 40 if state == "idle" else 0)
    assert await reclaim.students(book.pool, await of(book)) == {SCHOOL: 2}


async def test_where_need_is_known_by_student_only_those_in_need_lose_a_loan(book: ledger.Ledger) -> None:
    await book.pool.execute(
        "INSERT INTO need_answers (district_id, student, answered_on, school_id, has_access) VALUES "
        "(1, 'needy', '2026-09-01', $1, false), (1, 'other', '2026-09-01', $1, true)",
        book.schools[SCHOOL],
    )
    for borrower in ("needy", "other", "unasked"):
        _, device = await book.line()
        await book.loan_day(await book.lend(device, borrower=borrower), "idle", 40)
    assert await reclaim.students(book.pool, await of(book)) == {SCHOOL: 1}
