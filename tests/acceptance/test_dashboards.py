"""Every query of every dashboard, with its variables filled in, against the real PostgreSQL and the real Prometheus."""

import math
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import asyncpg
import pytest
import pytest_asyncio

from service import app, serving
from service.metrics import Metrics
from service.polling import accounts, runner
from service.store import embedded
from service.store import pool as pools
from tests import conftest, dashboards, reporting
from tests.acceptance import prometheus, test_service

LAST = date(2026, 11, 20)
STARTS_AT = datetime(2026, 10, 20, 17, tzinfo=UTC)
ENDS_AT = datetime(2026, 11, 21, 17, tzinfo=UTC)
NUMBERS = {"int2", "int4", "int8", "float4", "float8", "numeric"}
SQL = [query for query in dashboards.queries() if query.shape != "promql"]
PROMQL = [query for query in dashboards.queries() if query.shape == "promql"]


@dataclass(frozen=True)
class Asked:
    names: list[str]
    types: list[str]
    rows: list[asyncpg.Record]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def reader(server: embedded.Server, template: str) -> AsyncIterator[str]:
    """The address of a role that reads one of two districts with a month of everything."""
    name = "dashboards_afterbell"
    await conftest._execute(server, f"CREATE DATABASE {name} TEMPLATE {template}")
    url = conftest.database_url(server, name)
    async with pools.connected(url, size=2) as pool:
        await reporting.seed(pool, days=40, last=LAST)
        await reporting.seed(pool, district_id=2, days=3, last=LAST)
        async with reporting.reader(pool, url) as address:
            yield address
    await conftest._execute(server, f"DROP DATABASE {name} WITH (FORCE)")


async def asked(address: str, query: dashboards.Query, school: str = "000010000007") -> Asked:
    values = {"school": school, "account": "routers"}
    text = dashboards.sql(query.text, starts_at=STARTS_AT, ends_at=ENDS_AT, values=values)
    connection = await asyncpg.connect(address)
    try:
        statement = await connection.prepare(text)
        columns = statement.get_attributes()
        return Asked(
            [column.name for column in columns],
            [column.type.name for column in columns],
            await statement.fetch(),
        )
    finally:
        await connection.close()


@pytest.mark.parametrize("query", SQL, ids=lambda query: f"{query.board}, {query.panel}, {query.kind}")
async def test_a_query_returns_rows_of_the_types_that_its_panel_shows(
    reader: str, query: dashboards.Query
) -> None:
    found = await asked(reader, query)
    assert found.rows
    if query.shape == "variable":
        assert set(found.names) <= {"__value", "__text"}
        assert set(found.types) == {"text"}
    elif query.shape == "time_series":
        _check_series(found)
    elif query.kind in ("stat", "bargauge"):
        _check_figures(found, query)
    else:
        _check_table(found)


def _check_series(found: Asked) -> None:
    assert (found.names[0], found.types[0]) == ("time", "timestamptz")
    values = [
        name
        for name, kind in zip(found.names, found.types, strict=True)
        if name not in ("time", "metric")
        if kind in NUMBERS
    ]
    rest = set(found.names) - {"time", *values}
    assert values
    assert rest in (set(), {"metric"}), "a column is neither the time, nor a number, nor the series' name"
    times = [row["time"] for row in found.rows]
    assert times == sorted(times)
    assert all(
        STARTS_AT.date() - timedelta(days=1) <= time.date() <= ENDS_AT.date() + timedelta(days=1)
        for time in times
    )
    for name in values:
        assert [row for row in found.rows if row[name] is not None], f"{name} is never known"


def _check_figures(found: Asked, query: dashboards.Query) -> None:
    (row,) = found.rows
    kinds = {"text"} if query.panel == "Status" else NUMBERS
    assert set(found.types) <= kinds
    assert None not in row.values()


def _check_table(found: Asked) -> None:
    assert len(set(found.names)) == len(found.names)
    assert set(found.types) <= NUMBERS | {"text", "bool", "timestamptz"}
    for name in found.names:
        if name not in ("Error", "Failing since"):
            assert [row for row in found.rows if row[name] is not None], f"{name} is never known"


async def test_a_withheld_school_leaves_its_dashboard_empty(reader: str) -> None:
    """Place 5 of the seed: five students in need."""
    for query in (query for query in SQL if query.board == "school" and query.shape != "variable"):
        found = await asked(reader, query, school="000010000005")
        told = [value for row in found.rows for value in row.values() if not isinstance(value, datetime)]
        assert set(told) <= {None, "withheld"}, query.panel


@pytest.fixture
async def watched(database: str, folder: Callable[[str], Path]) -> AsyncIterator[prometheus.Prometheus]:
    """Prometheus, which has scraped a service that has swept its pretend vendor."""
    prometheus.program("prometheus")
    metrics = Metrics()
    async with (
        test_service.vendor() as vendor,
        app.with_config(test_service.settings(vendor, url=database)) as ready,
        app.collectors(ready, metrics) as polled,
        serving.Service(ready, polled, metrics).serving() as address,
    ):
        await test_service.until(lambda: test_service.swept(ready.pool))
        target = address.removeprefix("http://").rstrip("/")
        async with prometheus.watching(folder("prometheus"), target) as opened:
            await opened.scraped(times=2)
            await _sweep_again(ready, polled, metrics)
            await opened.scraped(times=4)
            yield opened


async def _sweep_again(ready: app.Opened, polled: Sequence[accounts.Account], metrics: Metrics) -> None:
    """So that counters rise between two scrapes."""
    sweeper = runner.Runner(ready.pool, app.utc_now, metrics)
    for account in polled:
        for group in account.collector.endpoint_groups:
            assert (await sweeper.sweep(account, group)).is_good


async def test_every_question_to_prometheus_is_answered_with_numbers(watched: prometheus.Prometheus) -> None:
    assert PROMQL
    unanswered = []
    for query in PROMQL:
        text = dashboards.promql(query.text, values={"district_id": "1"})
        now = datetime.now(UTC)
        found = await watched.query_range(text, starts_at=now - timedelta(seconds=3), ends_at=now, step=1)
        values = [value for _, pairs in found for _, value in pairs]
        if not any(math.isfinite(value) for value in values):
            unanswered.append(f"{query.panel}: {text}")
    assert unanswered == []
