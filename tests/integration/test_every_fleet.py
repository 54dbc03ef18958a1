"""All collectors together, against all stand-ins, into one database: one fleet, and nobody's name in it."""

import contextlib
import itertools
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta

import asyncpg
import httpx
import pytest

from collectors import entry, registry
from service import app, serving
from service import config as configs
from service.metrics import Metrics
from service.polling import accounts, runner
from service.store import accounts as account_rows
from service.store import rollups
from tests import files
from tests.contract import cases, identities
from tests.contract.cases import INSTANT, PRIVATE, Case
from tests.fleet import DISTRICT, ZONE

NUMBERS = range(12)
CASES = cases.every()
# What tells of the sweeps themselves.
BOOKKEEPING = ("poll_runs", "poll_rejections", "watermarks", "dirty_line_days")


@dataclass(frozen=True)
class Swept:
    """Every vendor's account, and what each of its sweeps came to."""

    polled: dict[str, accounts.Account]
    results: dict[tuple[str, str], runner.Result]


@contextlib.asynccontextmanager
async def every_account(pool: asyncpg.Pool) -> AsyncIterator[dict[str, accounts.Account]]:
    """An account at every vendor, each of whose stand-ins shows the same twelve hotspots."""
    async with contextlib.AsyncExitStack() as stack:
        reads = {
            name(case, place): await stack.enter_async_context(cases.reading(case, lines=NUMBERS))
            for place, case in enumerate(CASES)
        }
        rows = [row(case, name(case, place)) for place, case in enumerate(CASES)]
        district = account_rows.District(
            district_id=DISTRICT, name="Northfield", time_zone=ZONE, school_year_starts="07-01", accounts=rows
        )
        known = await account_rows.sync(pool, [district])
        yield {
            key: accounts.Account(key, known[DISTRICT, key], read.collector) for key, read in reads.items()
        }


def name(case: Case, place: int) -> str:
    return f"{case.collector.replace('_', '-')}-{place}"


def row(case: Case, key: str) -> account_rows.Account:
    known = registry.COLLECTORS[case.collector]
    return account_rows.Account(
        key=key,
        collector=case.collector,
        time_zone="UTC",
        lag_days=known.lag_days,
        rank=known.source,
        cadence=registry.cadence(case.collector, case.options),
        plan_key=None,
    )


async def swept(
    pool: asyncpg.Pool, polled: dict[str, accounts.Account], *, metrics: Metrics | None = None
) -> Swept:
    """Sweep every endpoint group of every account, lists of lines first."""
    clock = itertools.count()
    sweeper = runner.Runner(pool, lambda: INSTANT + timedelta(milliseconds=next(clock)), metrics or Metrics())
    results = {}
    for key, account in polled.items():
        groups = sorted(
            account.collector.endpoint_groups, key=lambda group: (not group.lists_lines, group.priority)
        )
        for group in groups:
            results[key, group.name] = await sweeper.sweep(account, group)
    return Swept(polled, results)


async def test_every_sweep_of_every_vendor_succeeds_and_makes_one_fleet(pool: asyncpg.Pool) -> None:
    async with every_account(pool) as polled:
        done = await swept(pool, polled)
        bad = {
            key: (result.outcome, result.error) for key, result in done.results.items() if not result.is_good
        }
        assert not bad
        rejected = {key: result.progress.rows_rejected for key, result in done.results.items()}
        assert not {key: count for key, count in rejected.items() if count}
        iccids = await pool.fetchval("SELECT array_agg(iccid ORDER BY iccid) FROM lines")
        assert iccids == sorted(identities.iccid(number) for number in NUMBERS)
        imeis = await pool.fetchval("SELECT array_agg(imei ORDER BY imei) FROM devices")
        assert imeis == sorted(identities.imei(number) for number in NUMBERS)
        assert await pool.fetchval("SELECT count(*) FROM line_device_links WHERE ends_at IS NULL") == len(
            NUMBERS
        )


async def test_every_source_speaks_of_the_same_lines(pool: asyncpg.Pool) -> None:
    async with every_account(pool) as polled:
        await swept(pool, polled)
        told = await pool.fetch(
            "SELECT a.collector, a.account_key, count(DISTINCT k.line_id) AS lines FROM accounts AS a"
            " LEFT JOIN provider_keys AS k USING (district_id, account_id) GROUP BY 1, 2"
        )
        lines = {
            record["account_key"]: record["lines"] for record in told if not is_student(record["collector"])
        }
        assert lines == dict.fromkeys(lines, len(NUMBERS))
        assert len(lines) == len([case for case in CASES if not is_student(case.collector)])
        devices = await pool.fetchval("SELECT count(*) FROM student_devices")
        assert devices >= len(NUMBERS)


def is_student(collector: str) -> bool:
    return registry.COLLECTORS[collector].source is entry.Source.STUDENT_DEVICES


async def test_sources_that_agree_make_no_conflict_and_no_use_is_counted_twice(pool: asyncpg.Pool) -> None:
    async with every_account(pool) as polled:
        await swept(pool, polled)
        assert await pool.fetchval("SELECT count(*) FROM conflicts") == 0
        await refreshed(pool)
        doubled = await pool.fetch(
            "SELECT line_id, account_id, on_day FROM line_days GROUP BY 1, 2, 3 HAVING count(*) > 1"
        )
        assert not doubled
        sources = await pool.fetchval(
            "SELECT count(DISTINCT account_id) FROM line_days WHERE used_bytes IS NOT NULL"
        )
        assert sources >= 5


async def test_the_same_sweeps_again_change_nothing(pool: asyncpg.Pool) -> None:
    async with every_account(pool) as polled:
        await swept(pool, polled)
        before = await files.contents(pool, without=BOOKKEEPING)
        await swept(pool, polled)
        assert await files.contents(pool, without=BOOKKEEPING) == before


async def refreshed(pool: asyncpg.Pool) -> None:
    await rollups.refresh(
        pool,
        rollups.District(DISTRICT, ZONE),
        now=INSTANT + timedelta(minutes=1),
        thresholds=rollups.Thresholds(),
    )


async def test_no_name_address_place_or_note_is_found_anywhere_afterwards(
    pool: asyncpg.Pool, caplog: pytest.LogCaptureFixture
) -> None:
    """Stand-ins put them in every field that could carry one."""
    caplog.set_level(logging.DEBUG)
    metrics = Metrics()
    async with every_account(pool) as polled:
        await swept(pool, polled, metrics=metrics)
        await refreshed(pool)
        held = await files.contents(pool)
        page, exposed = await shown(pool, metrics)
    assert "active" in str(held)  # the search looks where rows are
    assert "afterbell_" in exposed
    places = {**held, "the log": caplog.text, "the page": page, "/metrics": exposed}
    found = {
        (place, what)
        for place, text in places.items()
        for what, words in PRIVATE.items()
        if words.casefold() in text.casefold()
    }
    assert not found
    for case in CASES:
        secrets = [
            value for key, value in case.credentials.items() if key.endswith(("secret", "key", "token"))
        ]
        assert not [place for place, text in places.items() for secret in secrets if secret in text]
    for place in ("the log", "the page", "/metrics"):
        for number in NUMBERS:
            for identify in (identities.iccid, identities.imei, identities.mdn):
                assert identify(number) not in places[place]


async def shown(pool: asyncpg.Pool, metrics: Metrics) -> tuple[str, str]:
    """The page and /metrics, as they are served."""
    config = configs.Config.model_construct(
        web=configs.Web(port=0, minimum_cell_size=0),
        thresholds=configs.Thresholds(),
        reading_months=13,
        districts=(),
    )
    service = serving.Service(app.Opened(config, pool, {}), [], metrics)
    async with service.serving() as address, httpx.AsyncClient() as reader:
        return (await reader.get(address)).text, (await reader.get(f"{address}metrics")).text
