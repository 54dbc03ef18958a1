"""A service whose sweeps do not fit a vendor's limit says so, and reads less often what matters least."""

from datetime import timedelta

import asyncpg
import pytest

from collectors import base, budget, entry, readings
from service import app, serving
from service import config as configs
from service.metrics import Metrics
from service.polling import accounts, runner
from service.store import polls
from tests import scripted
from tests.fleet import DISTRICT, iccid


def groups() -> tuple[base.EndpointGroup, ...]:
    usage = scripted.group("usage", line_cost=1, priority=1, lists_lines=False, cadence=timedelta(minutes=15))
    return (scripted.group(), usage)


async def service_of(pool: asyncpg.Pool, source: scripted.Source, lines: int) -> serving.Service:
    """A service with one account that has shown so many lines, at 1 request in 10 seconds."""
    scripted_account = (await scripted.accounts_of(pool, verizon=source))["verizon"]
    terms = entry.Spending("credential", budget.Terms(0.1))
    account = accounts.Account("verizon", scripted_account.source, source, terms)
    source.says(*(readings.Sighting(f"k{n}", iccid=iccid(n)) for n in range(lines)))
    await runner.Runner(pool, app.utc_now, Metrics()).sweep(account, source.named("lines"))
    config = configs.Config.model_construct(
        web=configs.Web(port=0), thresholds=configs.Thresholds(), reading_months=13, districts=()
    )
    ready = app.Opened(config, pool, {(DISTRICT, "verizon"): account.source})
    return serving.Service(ready, [account], Metrics())


def told(caplog: pytest.LogCaptureFixture, action: str = "cadence_stretched") -> list[str]:
    return [record.message for record in caplog.records if getattr(record, "action", "") == action]


async def test_it_says_so_at_start_and_stretches_the_lowest_priority(
    pool: asyncpg.Pool, caplog: pytest.LogCaptureFixture
) -> None:
    source = scripted.Source(endpoint_groups=groups())
    service = await service_of(pool, source, lines=120)
    async with service.serving():
        (said,) = told(caplog)
    assert said.startswith(
        "district 1, account verizon, usage: 120 lines need 20 minutes at this vendor's limit;"
    )
    assert "cadence is 15 minutes; it is swept every" in said
    cadence = await pool.fetchval("SELECT cadence FROM accounts")
    assert cadence == timedelta(hours=1)  # of the states, which fit


async def test_facts_become_unknown_by_the_cadence_that_is_really_kept(pool: asyncpg.Pool) -> None:
    """Where even the list does not fit, its states are fresh for as long as they can be."""
    slow = scripted.group(page_size=1, cadence=timedelta(minutes=15))
    source = scripted.Source(endpoint_groups=(slow,))
    service = await service_of(pool, source, lines=180)
    async with service.serving():
        cadence = await pool.fetchval("SELECT cadence FROM accounts")
    assert cadence >= timedelta(minutes=30) / 0.9


async def test_a_long_sweep_is_taken_up_within_half_the_cadence_that_is_kept(pool: asyncpg.Pool) -> None:
    source = scripted.Source(endpoint_groups=groups())
    account = (await scripted.accounts_of(pool, verizon=source))["verizon"]
    usage, now = source.named("usage"), app.utc_now()
    await polls.plan(pool, account.source, "usage", timedelta(hours=2))
    left = await polls.claim(pool, account.source, "usage", now=now, cadence=usage.cadence)
    assert left is not None
    run_id = await polls.start(pool, left, instant=now, now=now)
    await pool.execute("UPDATE poll_runs SET cursor = 'page 2' WHERE poll_run_id = $1", run_id)
    await polls.release(pool, left)
    later = now + timedelta(minutes=50)
    result = await runner.Runner(pool, lambda: later, Metrics()).sweep(account, usage)
    assert (result.outcome, result.instant) == ("succeeded", now)


async def test_a_group_that_is_read_no_more_is_waited_for_no_more(pool: asyncpg.Pool) -> None:
    source = scripted.Source(endpoint_groups=groups())
    service = await service_of(pool, source, lines=2)
    await runner.Runner(pool, app.utc_now, Metrics()).sweep(service._polled[0], source.named("usage"))
    source.endpoint_groups = groups()[:1]
    async with service.serving():
        rows = await pool.fetch("SELECT endpoint_group FROM watermarks")
    assert [row["endpoint_group"] for row in rows] == ["lines"]


async def test_a_fleet_that_fits_again_is_told_of_once(
    pool: asyncpg.Pool, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    service = await service_of(pool, scripted.Source(endpoint_groups=groups()), lines=120)
    async with service.serving():
        await pool.execute("DELETE FROM provider_keys")
        await service._plan()
        await service._plan()
    assert len(told(caplog)) == 1
    assert told(caplog, "cadence_kept") == [
        "district 1, account verizon, usage fits again: it is swept every 15 minutes"
    ]


async def test_what_fits_is_not_talked_about(pool: asyncpg.Pool, caplog: pytest.LogCaptureFixture) -> None:
    source = scripted.Source(endpoint_groups=groups())
    service = await service_of(pool, source, lines=2)
    async with service.serving():
        assert told(caplog) == []
