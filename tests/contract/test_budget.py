"""Request budgets within one process."""

import asyncio
import time

from collectors import budget


def test_fingerprint_gives_no_part_away_and_keeps_parts_apart() -> None:
    assert "secret" not in budget.fingerprint("id", "secret")
    assert budget.fingerprint("ab", "c") != budget.fingerprint("a", "bc")
    assert budget.fingerprint("a", "b") == budget.fingerprint("a", "b")


async def test_requests_are_spaced_evenly() -> None:
    spending = budget.LocalBudgets().of("credential", budget.Terms(50.0))
    started_at = time.monotonic()
    for _ in range(4):
        async with spending.turn():
            pass
    assert time.monotonic() - started_at >= 0.055


async def test_one_at_a_time_waits_for_the_request_under_way() -> None:
    spending = budget.LocalBudgets().of("credential", budget.Terms(1_000.0, is_one_at_a_time=True))
    under_way = most = 0

    async def request() -> None:
        nonlocal under_way, most
        async with spending.turn():
            under_way += 1
            most = max(most, under_way)
            await asyncio.sleep(0.005)
            under_way -= 1

    await asyncio.gather(*(request() for _ in range(5)))
    assert most == 1


async def test_nobody_sends_while_the_vendor_wants_quiet() -> None:
    spending = budget.LocalBudgets().of("credential", budget.Terms(1_000.0))
    await spending.hold_off(0.05)
    started_at = time.monotonic()
    async with spending.turn():
        assert time.monotonic() - started_at >= 0.045


def test_stricter_terms_of_two_accounts_hold_for_both() -> None:
    budgets = budget.LocalBudgets()
    first = budgets.of("credential", budget.Terms(2.0))
    assert budgets.of("credential", budget.Terms(1.0)) is first
    assert budgets.of("credential", budget.Terms(5.0, is_one_at_a_time=True)) is first
    assert first.terms == budget.Terms(1.0, is_one_at_a_time=True)
    assert budgets.of("other", budget.Terms(5.0)) is not first
