"""Sources that tell different figures of the same lines: counted by pairs, over seven known days."""

from collections.abc import Sequence
from datetime import date, timedelta

import asyncpg
import pytest

from service.store import coverage, disagreements
from tests import factories, snapshots, told

TODAY = date(2026, 11, 20)
DAY = TODAY - timedelta(days=1)
MB = 1_000_000
Days = Sequence[int | None]  # the last is DAY; None: unknown


@pytest.fixture
async def fleet(pool: asyncpg.Pool) -> told.Fleet:
    """Two accounts that tell of lines, a carrier and a router's manager."""
    fleet = await told.fleet(pool)
    for key in ("carrier", "router"):
        await fleet.source(key)
    return fleet


async def days(
    fleet: told.Fleet,
    carrier: Days,
    router: Days,
    *,
    third: Days | None = None,
) -> None:
    """A line, and what each source says of its days up to DAY, in MB."""
    line = await factories.line(fleet.pool)
    for key, used in (("carrier", carrier), ("router", router), ("router-2", third or [])):
        if used:
            account = (await fleet.source(key)).account_id
            await factories.latest_state(fleet.pool, line, account, read_at=told.START)
            rows = [(n, None if mb is None else mb * MB) for n, mb in enumerate(used)]
            await fleet.pool.executemany(
                "INSERT INTO line_days (district_id, on_day, line_id, account_id, used_bytes)"
                " VALUES (1, $1, $2, $3, $4)",
                [(DAY - timedelta(days=len(used) - 1 - n), line, account, mb) for n, mb in rows],
            )


async def found(
    fleet: told.Fleet, *, tolerance: float = disagreements.TOLERANCE
) -> list[tuple[str, str, int, int]]:
    async with fleet.pool.acquire() as connection:
        by_district = await disagreements.by_district(connection, [1, 2], [DAY, None], tolerance=tolerance)
    return [
        (pair.account_key, pair.other_account_key, pair.lines_compared, pair.lines_disagreeing)
        for pair in by_district.get(1, ())
    ]


async def test_totals_that_differ_by_more_than_a_tenth_disagree(fleet: told.Fleet) -> None:
    await days(fleet, [100] * 7, [100] * 6 + [40])
    await days(fleet, [100] * 7, [100] * 6 + [20])
    await days(fleet, [0] * 7, [0] * 7)
    await days(fleet, [0] * 7, [1] + [0] * 6)
    assert await found(fleet) == [("carrier", "router", 4, 2)]
    assert await found(fleet, tolerance=0.05) == [("carrier", "router", 4, 3)]


async def test_days_that_cancel_out_agree(fleet: told.Fleet) -> None:
    """One source's day may end at another hour: the week's total is what counts."""
    await days(fleet, [10, 20, 10, 20, 10, 20, 10], [20, 10, 20, 10, 20, 10, 10])
    assert await found(fleet) == [("carrier", "router", 1, 0)]


async def test_a_line_with_a_day_unknown_to_either_is_not_compared(fleet: told.Fleet) -> None:
    await days(fleet, [10] * 7, [10] * 3 + [None] + [10] * 3)
    await days(fleet, [10] * 7, [10] * 6)
    assert await found(fleet) == []


async def test_days_before_the_seven_do_not_count(fleet: told.Fleet) -> None:
    await days(fleet, [500] + [10] * 7, [5] + [10] * 7)
    assert await found(fleet) == [("carrier", "router", 1, 0)]


async def test_every_two_of_three_accounts_are_a_pair(fleet: told.Fleet) -> None:
    await days(fleet, [10] * 7, [10] * 7, third=[50] * 7)
    assert await found(fleet) == [
        ("carrier", "router", 1, 0),
        ("carrier", "router-2", 1, 1),
        ("router", "router-2", 1, 1),
    ]


async def test_the_snapshot_has_them_for_the_reported_day(fleet: told.Fleet) -> None:
    await days(fleet, [100] * 7, [10] * 7)
    await fleet.pool.execute("UPDATE districts SET computed_through_on = $1", DAY)
    (shown,) = (await coverage.snapshot(fleet.pool, now=snapshots.NOW)).districts
    assert shown.reported_on == DAY
    (pair,) = shown.disagreements
    assert (pair.account_key, pair.lines_compared, pair.lines_disagreeing) == ("carrier", 1, 1)
    tolerant = await coverage.snapshot(fleet.pool, now=snapshots.NOW, source_disagreement=0.95)
    assert tolerant.districts[0].disagreements[0].lines_disagreeing == 0
