"""Need by household: one loan serves every student in need of the home, each counted at their own school."""

import dataclasses

import asyncpg
import pytest

from service import checks
from service.store import accounts
from tests.fleet import DISTRICT, ZONE, Fleet, polled
from tests.students import ASKED_ON, DAY, answer, borrow, counts, enroll

SERVED = ("need", "loaned", "adequate", "unknown", "served_outside_need", "unattributed")
BY_HOUSEHOLD = accounts.District(
    district_id=DISTRICT,
    name="Northfield",
    time_zone=ZONE,
    school_year_starts="07-01",
    need_mode="household",
)


async def by_household(pool: asyncpg.Pool) -> None:
    await pool.execute("UPDATE districts SET need_mode = 'household'")


async def siblings(f: Fleet) -> tuple[int, int]:
    """Ann and Bob of one home, in need, at two schools; Cho of the same home is not in need."""
    elementary, high = await f.school("Elementary"), await f.school("High")
    await enroll(f.pool, elementary, "ann", "cho")
    await enroll(f.pool, high, "bob")
    await answer(f.pool, elementary, "ann", household="elm street", has_access=False)
    await answer(f.pool, high, "bob", household="elm street", has_access=False)
    await answer(f.pool, elementary, "cho", household="elm street", has_access=True)
    return elementary, high


async def test_one_loan_serves_every_student_in_need_of_the_home_each_at_their_own_school(
    pool: asyncpg.Pool,
) -> None:
    async with polled(pool) as f:
        elementary, high = await siblings(f)
        await by_household(pool)
        await borrow(f, elementary, 1, 5, borrower="ann", household="elm street")
        await f.computed(DAY, DAY)
        assert await counts(f, elementary, SERVED) == (1, 1, 1, 0, 0, 0)
        assert await counts(f, high, SERVED) == (1, 1, 1, 0, 0, 0)
        (district,) = await f.rows("SELECT * FROM district_days WHERE on_day = $1", DAY)
        assert (district["need"], district["covered"], district["coverage_if_complete"]) == (2, 2, 1)


async def test_by_student_the_same_loan_serves_its_borrower_alone(pool: asyncpg.Pool) -> None:
    async with polled(pool) as f:
        elementary, high = await siblings(f)
        await borrow(f, elementary, 1, 5, borrower="ann", household="elm street")
        await f.computed(DAY, DAY)
        assert await counts(f, elementary, SERVED) == (1, 1, 1, 0, 0, 0)
        assert await counts(f, high, SERVED) == (1, 0, 0, 0, 0, 0)


async def test_a_student_takes_the_best_loan_of_the_home(pool: asyncpg.Pool) -> None:
    async with polled(pool) as f:
        elementary, high = await siblings(f)
        await by_household(pool)
        await borrow(f, elementary, 1, 0, borrower="ann", household="elm street")
        await borrow(f, high, 2, None, borrower="bob", household="elm street")
        await f.computed(DAY, DAY)
        assert await counts(f, elementary, SERVED) == (1, 1, 0, 1, 0, 0)
        assert await counts(f, high, SERVED) == (1, 1, 0, 1, 0, 0)


async def test_a_loan_to_the_home_needs_no_borrower_and_a_loan_to_nobody_serves_nobody(
    pool: asyncpg.Pool,
) -> None:
    async with polled(pool) as f:
        elementary, high = await siblings(f)
        await by_household(pool)
        await borrow(f, elementary, 1, 5, household="elm street")
        await borrow(f, elementary, 2, 5, household="oak street")  # nobody in need lives there
        await borrow(f, high, 3, 5)
        await f.computed(DAY, DAY)
        assert await counts(f, elementary, SERVED) == (1, 1, 1, 0, 0, 1)
        assert await counts(f, high, SERVED) == (1, 1, 1, 0, 0, 1)


async def test_a_loan_that_serves_a_sibling_in_need_is_not_outside_need(pool: asyncpg.Pool) -> None:
    async with polled(pool) as f:
        elementary, high = await siblings(f)
        await by_household(pool)
        await borrow(f, elementary, 1, 5, borrower="cho", household="elm street")
        await borrow(f, elementary, 2, 5, borrower="dee", household="oak street")
        await f.computed(DAY, DAY)
        assert await counts(f, elementary, SERVED) == (1, 1, 1, 0, 1, 0)
        assert await counts(f, high, SERVED) == (1, 1, 1, 0, 0, 0)


async def test_a_student_whose_answer_tells_no_household_is_served_by_their_own_loan(
    pool: asyncpg.Pool,
) -> None:
    async with polled(pool) as f:
        school = await f.school("A")
        await by_household(pool)
        await answer(pool, school, "ann", "bob", has_access=False)
        await answer(pool, school, "cho", household="elm street", has_access=False)
        await borrow(f, school, 1, 5, borrower="ann")
        await borrow(f, school, 2, 5, household="")
        await f.computed(DAY, DAY)
        assert await counts(f, school, SERVED) == (3, 1, 1, 0, 0, 1)


async def test_the_homes_hotspot_is_need_of_every_student_of_the_home(pool: asyncpg.Pool) -> None:
    async with polled(pool) as f:
        school = await f.school("A")
        told = {"household": "elm street", "has_access": True, "access_type": "hot_spot"}
        await answer(pool, school, "ann", "bob", **told)  # type: ignore[arg-type]
        await borrow(f, school, 1, 5, borrower="ann", household="elm street", on=ASKED_ON)
        await f.computed(DAY, DAY)
        assert await counts(f, school, ("need", "adequate")) == (1, 1)
        await by_household(pool)
        await f.computed(DAY, DAY)
        assert await counts(f, school, ("need", "adequate")) == (2, 2)


async def test_schools_with_totals_count_as_ever_in_a_district_that_counts_by_household(
    pool: asyncpg.Pool,
) -> None:
    async with polled(pool) as f:
        school = await f.school("A", need=(100, 80, 20))
        await by_household(pool)
        await borrow(f, school, 1, 5, borrower="ann", household="elm street")
        await borrow(f, school, 2, 5, borrower="bob", household="elm street")
        await f.computed(DAY, DAY)
        assert await counts(f, school, SERVED) == (20, 2, 2, 0, None, None)


async def test_counting_by_household_takes_an_answer_that_tells_one(pool: asyncpg.Pool) -> None:
    await accounts.sync(pool, [dataclasses.replace(BY_HOUSEHOLD, need_mode="student")])
    assert await accounts.without_households(pool, [DISTRICT]) == []
    await accounts.sync(pool, [BY_HOUSEHOLD])
    school = await pool.fetchval(
        "INSERT INTO schools (district_id, ncessch, name) VALUES (1, '990000100001', 'A') RETURNING school_id"
    )
    await answer(pool, school, "ann", has_access=False)
    assert await accounts.without_households(pool, [DISTRICT]) == [DISTRICT]
    (finding,) = await checks.households(pool, [DISTRICT])
    assert not finding.is_good
    assert "need_mode" in finding.found
    await answer(pool, school, "bob", household="elm street", has_access=False)
    assert await accounts.without_households(pool, [DISTRICT]) == []
    assert await checks.households(pool, [DISTRICT]) == []


@pytest.mark.parametrize("mode", ["student", "household"])
async def test_the_mode_follows_the_configuration(pool: asyncpg.Pool, mode: str) -> None:
    await accounts.sync(pool, [dataclasses.replace(BY_HOUSEHOLD, need_mode="household")])
    await accounts.sync(pool, [dataclasses.replace(BY_HOUSEHOLD, need_mode=mode)])
    assert await pool.fetchval("SELECT need_mode::text FROM districts") == mode
