"""From readings to findings: what a day was computed to be is what is reconciled, and late news change it."""

from collections.abc import AsyncIterator
from datetime import date

import asyncpg
import pytest

from service.store import reconciliation
from tests import fleet as fleets
from tests.fleet import local

OCT = [date(2026, 10, day) for day in range(1, 32)]


@pytest.fixture
async def fleet(pool: asyncpg.Pool) -> AsyncIterator[fleets.Fleet]:
    async with fleets.polled(pool) as opened:
        yield opened


async def kinds(fleet: fleets.Fleet) -> list[tuple[str, int | None]]:
    return [(one.kind, one.loan_id) for one in await reconciliation.findings(fleet.pool)]


async def test_a_loan_is_found_while_its_line_is_suspended_and_not_once_that_proves_wrong(
    fleet: fleets.Fleet,
) -> None:
    school = await fleet.school("Cedar", need=(100, 90, 10))
    line = await fleet.line(1)
    loan = await fleet.lend(1, school, OCT[0])
    await fleet.told(line, OCT[4], OCT[8], status="suspended", by="loan_desk")
    await fleet.computed(OCT[0], OCT[8])
    (found,) = await reconciliation.findings(fleet.pool)
    assert (found.kind, found.loan_id, found.on_day) == ("loan_on_suspended_line", loan, OCT[8])
    assert (found.since_on, found.reason) == (OCT[4], "loan_desk")
    await fleet.state(line, local("2026-10-09 23:58"), "active")  # read late
    await fleet.computed(OCT[0], OCT[8])
    assert await kinds(fleet) == []


async def test_a_line_is_found_after_its_loan_and_what_it_then_moves_as_well(fleet: fleets.Fleet) -> None:
    school = await fleet.school("Cedar", need=(100, 90, 10))
    line = await fleet.line(1)
    loan = await fleet.lend(1, school, OCT[0], returned=OCT[4])
    await fleet.told(line, OCT[0], OCT[8], mb=0)
    await fleet.computed(OCT[0], OCT[8])
    assert await kinds(fleet) == [("line_without_loan", loan)]
    await fleet.told(line, OCT[6], mb=25, clock="23:57")
    await fleet.computed(OCT[0], OCT[8])
    assert await kinds(fleet) == [("line_without_loan", loan), ("use_after_return", loan)]


async def test_a_blind_line_is_neither_active_nor_used(fleet: fleets.Fleet) -> None:
    school = await fleet.school("Cedar", need=(100, 90, 10))
    line = await fleet.line(1)
    await fleet.lend(1, school, OCT[0], returned=OCT[4])
    await fleet.told(line, OCT[0], OCT[3], mb=9)
    await fleet.computed(OCT[0], OCT[8])
    assert await kinds(fleet) == []


async def test_a_need_count_that_was_exceeded_is_found_by_its_school(fleet: fleets.Fleet) -> None:
    school = await fleet.school("Cedar", need=(100, 90, 1), as_of=OCT[0])
    for number in (1, 2):
        line = await fleet.line(number)
        await fleet.lend(number, school, OCT[0], borrower=f"student {number}")
        await fleet.told(line, OCT[0], OCT[8], mb=50)
    await fleet.computed(OCT[0], OCT[8])
    (found,) = await reconciliation.findings(fleet.pool)
    assert (found.kind, found.school, found.reason, found.since_on) == (
        "need_stale",
        "Cedar",
        "exceeded",
        OCT[0],
    )
