"""A service whose sweeps do not fit a vendor's limit says so, and reads less often what matters least."""

from datetime import timedelta

import asyncpg
import pytest

from collectors import base, budget, entry, readings
from service import app, serving
from service import config as configs
from service.metrics import Metrics
from service.polling import accounts, runner
from tests import scripted
from tests.fleet import DISTRICT, iccid


def groups() -> tuple[base.EndpointGroup, ...]:
    usage = scripted.group("usage", line_cost=1, priority=1, lists_lines=False, cadence=timedelta(minutes=15))
    return (scripted.group(), usage)


async def service_of(
    pool: asyncpg.Pool, source: scripted.Source, lines: int
) -> serving.Service:
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


def told(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [
        record.message for record in caplog.records if getattr(record, "action", "") == "cadence_stretched"
    ]


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


async def test_what_fits_is_not_talked_about(pool: asyncpg.Pool, caplog: pytest.LogCaptureFixture) -> None:
    source = scripted.Source(endpoint_groups=groups())
    service = await service_of(pool, source, lines=2)
    async with service.serving():
        assert told(caplog) == []
