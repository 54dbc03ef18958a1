"""Budgets hold for every process on the database."""

import asyncio
import itertools
import json
import sys
import time
import uuid
from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from collectors import budget
from service import errors
from service.store import budgets
from service.store import pool as pools

SPENDER = """
import asyncio, json, sys, time
from collectors import budget
from service.store import budgets, pool

async def main(url, rate, alone):
    async with pool.connected(url, size=2) as connections:
        spending = budgets.SharedBudgets(connections).of("credential", budget.Terms(rate, alone))
        spent = []
        for _ in range(6):
            async with spending.turn():
                began = time.time()
                await asyncio.sleep(0.02 if alone else 0)
                spent.append((began, time.time()))
        print(json.dumps(spent))

asyncio.run(main(sys.argv[1], float(sys.argv[2]), sys.argv[3] == "alone"))
"""


async def spent_by_processes(url: str, rate: float, *, alone: bool) -> list[tuple[float, float]]:
    """When three processes that share a credential had their turns."""
    started = [
        await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            SPENDER,
            url,
            str(rate),
            "alone" if alone else "",
            stdout=asyncio.subprocess.PIPE,
        )
        for _ in range(3)
    ]
    said = await asyncio.gather(*(process.communicate() for process in started))
    assert [process.returncode for process in started] == [0, 0, 0]
    return sorted((began, ended) for out, _ in said for began, ended in json.loads(out))


async def test_processes_share_the_rate_of_a_credential(database: str) -> None:
    turns = await spent_by_processes(database, 20.0, alone=False)
    assert len(turns) == 18
    took = turns[-1][0] - turns[0][0]
    assert took >= 17 / 20 - 0.1  # as one of them would, at 20 a second


async def test_one_request_at_a_time_in_all_processes(database: str) -> None:
    turns = await spent_by_processes(database, 1_000.0, alone=True)
    assert len(turns) == 18
    assert all(earlier[1] <= later[0] for earlier, later in itertools.pairwise(turns))


async def test_a_restart_finds_the_budget_as_it_was_left(pool: asyncpg.Pool) -> None:
    await budgets.SharedBudgets(pool).of("c", budget.Terms(10.0)).hold_off(0.3)
    began = time.monotonic()
    async with budgets.SharedBudgets(pool).of("c", budget.Terms(10.0)).turn():
        assert time.monotonic() - began >= 0.25


async def test_a_process_that_is_gone_frees_its_credential_in_time(
    pool: asyncpg.Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(budgets, "LEASE", timedelta(seconds=0.3))
    gone = budgets.SharedBudget(pool, "c", budget.Terms(100.0, is_one_at_a_time=True))
    assert await gone._is_taken(uuid.uuid4())  # and never freed
    began = time.monotonic()
    async with budgets.SharedBudgets(pool).of("c", budget.Terms(100.0, is_one_at_a_time=True)).turn():
        assert 0.2 <= time.monotonic() - began < 5


async def test_a_request_that_is_cancelled_frees_the_credential(pool: asyncpg.Pool) -> None:
    shared = budgets.SharedBudgets(pool)
    terms = budget.Terms(100.0, is_one_at_a_time=True)

    async def long_request() -> None:
        async with shared.of("c", terms).turn():
            await asyncio.Event().wait()

    task = asyncio.create_task(long_request())
    while await pool.fetchval("SELECT count(holder) FROM credential_budgets") == 0:
        await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with asyncio.timeout(2), budgets.SharedBudgets(pool).of("c", terms).turn():
        pass


class LostAnswers:
    """A database that does what it is asked, and whose answer never comes."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self.has_done = asyncio.Event()

    async def fetchval(self, *args: Any) -> None:
        await self._pool.fetchval(*args)
        self.has_done.set()
        await asyncio.Event().wait()

    async def execute(self, *args: Any) -> None:
        await self._pool.execute(*args)


async def test_a_wait_that_is_cancelled_as_it_ends_frees_the_credential(pool: asyncpg.Pool) -> None:
    lost = LostAnswers(pool)
    terms = budget.Terms(100.0, is_one_at_a_time=True)

    async def request() -> None:
        async with budgets.SharedBudget(lost, "c", terms).turn():
            pass

    task = asyncio.create_task(request())
    await lost.has_done.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await pool.fetchval("SELECT count(holder) FROM credential_budgets") == 0


async def test_a_request_is_cancelled_also_where_the_database_went_away(database: str) -> None:
    async with pools.connected(database, size=1) as pool:
        spending = budgets.SharedBudget(pool, "c", budget.Terms(100.0, is_one_at_a_time=True))
        is_sent = asyncio.Event()

        async def request() -> None:
            async with spending.turn():
                is_sent.set()
                await asyncio.Event().wait()

        task = asyncio.create_task(request())
        await is_sent.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_who_waits_already_is_held_off_as_well(pool: asyncpg.Pool) -> None:
    began, terms = time.monotonic(), budget.Terms(5.0)
    sent: list[float] = []

    async def request() -> None:
        async with budgets.SharedBudgets(pool).of("c", terms).turn():
            sent.append(time.monotonic() - began)

    async with asyncio.TaskGroup() as group:
        for _ in range(4):
            group.create_task(request())
        await asyncio.sleep(0.1)
        await budgets.SharedBudgets(pool).of("c", terms).hold_off(1.0)
    assert [at for at in sent if 0.15 < at < 1.0] == []
    assert len(sent) == 4


async def test_stricter_terms_hold_for_all_who_share(pool: asyncpg.Pool) -> None:
    shared = budgets.SharedBudgets(pool)
    first = shared.of("c", budget.Terms(5.0))
    assert shared.of("c", budget.Terms(2.0, is_one_at_a_time=True)) is first
    assert first.terms == budget.Terms(2.0, is_one_at_a_time=True)
    assert shared.of("other", budget.Terms(5.0)) is not first


async def test_no_credential_is_in_the_database(pool: asyncpg.Pool) -> None:
    name = budget.fingerprint("carrier", "simulated-secret")
    async with budgets.SharedBudgets(pool).of(name, budget.Terms(100.0)).turn():
        pass
    row = await pool.fetchrow("SELECT * FROM credential_budgets")
    assert name in str(row)
    assert "simulated-secret" not in str(row)


async def test_a_database_that_is_away_is_told_as_such(database: str) -> None:
    async with pools.connected(database, size=1) as pool:
        spending = budgets.SharedBudgets(pool).of("c", budget.Terms(100.0))
    with pytest.raises(errors.DatabaseUnavailable):
        async with spending.turn():
            pass
