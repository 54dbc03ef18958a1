"""Request budgets within one process."""

import time

from collectors import budget


def test_fingerprint_gives_no_part_away_and_keeps_parts_apart() -> None:
    assert "secret" not in budget.fingerprint("id", "secret")
    assert budget.fingerprint("ab", "c") != budget.fingerprint("a", "bc")
    assert budget.fingerprint("a", "b") == budget.fingerprint("a", "b")


async def test_requests_are_spaced_evenly() -> None:
    spending = budget.LocalBudgets().of("credential", 50.0)
    started_at = time.monotonic()
    for _ in range(4):
        await spending.reserve()
    assert time.monotonic() - started_at >= 0.055


def test_lower_rate_of_two_accounts_holds_for_both() -> None:
    budgets = budget.LocalBudgets()
    first = budgets.of("credential", 2.0)
    assert budgets.of("credential", 1.0) is first
    assert budgets.of("credential", 5.0) is first
    assert first.requests_per_second == 1.0
    assert budgets.of("other", 5.0) is not first
