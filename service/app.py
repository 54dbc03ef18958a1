"""The composition root: builds everything from the configuration, starts it in order and stops it in reverse."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from collectors import base, budget, client, entry, registry
from collectors import errors as collector_errors
from service import config as configs
from service import errors
from service.alerting import rules as district_rules
from service.metrics import Metrics
from service.model import alert_rules, pilots
from service.polling import accounts as polled
from service.store import accounts as account_rows
from service.store import alerts as alert_rows
from service.store import budgets as shared_budgets
from service.store import coverage, embedded, hourly, migrations, notifications, rollups
from service.store import pool as pools
from service.store import source as sources

WAIT_FOR_DATABASE = timedelta(seconds=60)  # one that is started beside us may need this long
_WAIT_STEP = 2.0
_FILE_CADENCE = timedelta(days=1)

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Opened:
    """A configuration with its database, ready for use. ``server`` is the embedded one, if it is ours."""

    config: configs.Config
    pool: pools.Pool
    sources: Mapping[tuple[int, str], sources.Source]
    server: embedded.Server | None = None


def utc_now() -> datetime:
    return datetime.now(UTC)


def loaded(config_path: Path | None) -> configs.Config:
    """The configuration. Raises ConfigError also where it names no district: what was meant was not read."""
    config = configs.load(config_path)
    if not config.districts:
        raise errors.ConfigError(
            f"no district is configured: name a file with --config or {configs.ENV_CONFIG} "
            "(see afterbell.example.toml)"
        )
    return config


@contextlib.asynccontextmanager
async def opened(config_path: Path | None) -> AsyncIterator[Opened]:
    """Read the configuration and open its database; the schema is checked and the accounts are written."""
    async with with_config(loaded(config_path)) as ready:
        yield ready


@contextlib.asynccontextmanager
async def with_config(config: configs.Config, *, wait: timedelta = timedelta(0)) -> AsyncIterator[Opened]:
    """Open the configured database. An embedded one is brought up to date; another must be migrated by hand."""
    async with database(config, wait=wait) as (pool, server):
        await (migrations.check(pool) if server is None else migrations.migrate(pool))
        known = await account_rows.sync(pool, [_district(district) for district in config.districts])
        for district in config.districts:
            await alert_rows.sync_maintenance(pool, district.id, _maintenance(district), now=utc_now())
            keys = [channel.key for channel in district.alerts.channels]
            await notifications.sync_channels(pool, district.id, keys)
        yield Opened(config, pool, known, server)


@contextlib.asynccontextmanager
async def database(
    config: configs.Config, *, wait: timedelta = timedelta(0)
) -> AsyncIterator[tuple[pools.Pool, embedded.Server | None]]:
    """A pool on the configured database, and the embedded server where there is one."""
    url = configs.database_url(config.database)
    async with contextlib.AsyncExitStack() as stack:
        server = None
        if url is None:
            folder = config.database.folder or embedded.default_folder()
            server = await stack.enter_async_context(
                embedded.Server(folder, binaries=config.database.binaries)
            )
            url = server.dsn()
        pool = await _connected(stack, url, config.database.pool_size, wait)
        yield pool, server


async def _connected(stack: contextlib.AsyncExitStack, url: str, size: int, wait: timedelta) -> pools.Pool:
    deadline = asyncio.get_running_loop().time() + wait.total_seconds()
    is_told = False
    while True:
        try:
            return await stack.enter_async_context(pools.connected(url, size=size))
        except errors.DatabaseUnavailable as error:
            if asyncio.get_running_loop().time() >= deadline:
                raise
            if not is_told:
                _log.warning("waiting for the database: %s", error, extra={"action": "waiting_for_database"})
            is_told = True
            await asyncio.sleep(_WAIT_STEP)


def _district(district: configs.District) -> account_rows.District:
    return account_rows.District(
        district_id=district.id,
        name=district.name,
        time_zone=district.time_zone,
        school_year_starts=district.school_year_starts,
        need_mode=district.need_mode,
        plans=[_plan(plan) for plan in district.plans],
        accounts=[_account(account, district) for account in district.accounts],
    )


def _plan(plan: configs.Plan) -> account_rows.Plan:
    return account_rows.Plan(
        key=plan.key,
        allowance_bytes=None if plan.allowance_mb is None else round(plan.allowance_mb * 1_000_000),
        allowance_period=plan.allowance_period,
        cycle_day=plan.cycle_day,
        at_allowance=plan.at_allowance,
        monthly_cost=None if plan.monthly_cost is None else f"{plan.monthly_cost:.2f}",
        is_pooled=plan.is_pooled,
        provider=plan.provider,
        download_mbps=plan.download_mbps,
        upload_mbps=plan.upload_mbps,
        starts_on=plan.starts_on,
        ends_on=plan.ends_on,
        is_filtered=plan.is_filtered,
    )


def _account(account: configs.Account, district: configs.District) -> account_rows.Account:
    return account_rows.Account(
        key=account.key,
        collector=account.collector,
        time_zone=account.time_zone or district.time_zone,
        lag_days=_lag_days(account),
        rank=_rank(account),
        cadence=_cadence(account),
        plan_key=account.plan,
        groups=account.groups,
    )


def _lag_days(account: configs.Account) -> int:
    if account.lag_days is not None:
        return account.lag_days
    return (
        0 if account.collector == configs.FILE_COLLECTOR else registry.COLLECTORS[account.collector].lag_days
    )


def _rank(account: configs.Account) -> int:
    """Carriers go before routers, unless configured; a file is a carrier's portal."""
    if account.rank is not None:
        return account.rank
    is_file = account.collector == configs.FILE_COLLECTOR
    return entry.Source.CARRIER if is_file else registry.COLLECTORS[account.collector].source


def _cadence(account: configs.Account) -> timedelta:
    """How often the account's line states are read."""
    if account.collector == configs.FILE_COLLECTOR:
        return _FILE_CADENCE
    return registry.cadence(account.collector, account.options)


def _maintenance(district: configs.District) -> list[alert_rows.Window]:
    keys = {account.key for account in district.accounts}
    for window in district.alerts.maintenance:
        if window.account is not None and window.account not in keys:
            raise errors.ConfigError(
                f"district {district.id}: alerts.maintenance: there is no account {window.account}: "
                f"known are {', '.join(sorted(keys)) or 'none'}"
            )
    return [
        alert_rows.Window(starts_at=one.starts_at, ends_at=one.ends_at, account_key=one.account or "")
        for one in district.alerts.maintenance
    ]


def rules(config: configs.Config) -> dict[int, tuple[alert_rules.Rule, ...]]:
    """Every district's alert rules in force. Raises ConfigError for a rule file that cannot be used."""
    return {district.id: _rules(district) for district in config.districts}


def _rules(district: configs.District) -> tuple[alert_rules.Rule, ...]:
    try:
        return district_rules.chosen(rule_choice(district))
    except errors.ConfigError as error:
        raise errors.ConfigError(f"district {district.id}: {error}") from None


def rule_choice(district: configs.District) -> district_rules.Choice:
    return district_rules.Choice(
        profile=district.alerts.profile,
        folder=district.alerts.rules_folder,
        off=district.alerts.off,
        thresholds=district.alerts.thresholds,
    )


async def require_households(ready: Opened) -> None:
    """Raise ConfigError where a district is to be counted by household and no answer tells one."""
    asked = [district.id for district in ready.config.districts]
    for district_id in await account_rows.without_households(ready.pool, asked):
        raise errors.ConfigError(
            f'district {district_id}: need_mode = "household" needs answers by student that tell a household, and '
            'there are none: import them with their household column, or set need_mode = "student"'
        )


@contextlib.asynccontextmanager
async def collectors(ready: Opened, metrics: Metrics) -> AsyncIterator[list[polled.Account]]:
    """Every account's collector; those of one credential share its budget, in all processes. Raises ConfigError."""
    budgets = shared_budgets.SharedBudgets(ready.pool)
    async with contextlib.AsyncExitStack() as stack:
        built = []
        for district in ready.config.districts:
            for account in district.accounts:
                if account.collector != configs.FILE_COLLECTOR:
                    collector = _collector(district, account, budgets, metrics)
                    stack.push_async_callback(collector.aclose)
                    source = ready.sources[district.id, account.key]
                    spending = registry.spending(
                        account.collector, account.options, configs.credentials(account)
                    )
                    built.append(polled.Account(account.key, source, collector, spending))
        yield built


def _collector(
    district: configs.District, account: configs.Account, budgets: budget.Budgets, metrics: Metrics
) -> base.Collector:
    try:
        return registry.build(
            account.collector,
            account.options,
            configs.credentials(account),
            budgets=budgets,
            observer=observer(metrics, district.id, account.key),
        )
    except collector_errors.OptionsInvalid as error:
        raise errors.ConfigError(f"district {district.id}, account {account.key}: {error}") from error


def observer(metrics: Metrics, district_id: int, account_key: str) -> client.Observer:
    """Counts an account's requests."""

    def observed(outcome: str, seconds: float) -> None:
        metrics.request_observed(district=district_id, account=account_key, outcome=outcome, seconds=seconds)

    return observed


def thresholds(config: configs.Config) -> rollups.Thresholds:
    decide = config.thresholds.model_dump(exclude={"source_disagreement", "reclaim_days"})
    return rollups.Thresholds(**decide, reading_months=config.reading_months)


async def snapshot(ready: Opened, now: datetime, *, on: date | None = None) -> coverage.Snapshot:
    """What is shown, by the configured thresholds, of a day in place of the reported one if given, without costs,
    reclaim list and pilots. Raises DatabaseUnavailable."""
    limits = ready.config.thresholds
    return await coverage.snapshot(
        ready.pool,
        now=now,
        completeness_floor=limits.completeness_floor,
        source_disagreement=limits.source_disagreement,
        on=on,
    )


def with_programs(shown: coverage.Snapshot, kept: hourly.Kept) -> coverage.Snapshot:
    """With costs, reclaim list and pilots as they were read last, be it for the day before."""
    known = [replace(one, program=kept.last(one.district_id)) for one in shown.districts]
    return replace(shown, districts=tuple(known))


async def read_programs(ready: Opened, shown: coverage.Snapshot, now: datetime, kept: hourly.Kept) -> None:
    """Costs, reclaim list and pilots of every district, where it is time. Raises DatabaseUnavailable."""
    limits = ready.config.thresholds
    configured = {one.id: one.pilots for one in ready.config.districts}
    for district in shown.districts:
        if district.reported_on is not None:
            await kept.program(
                ready.pool,
                district.district_id,
                district.reported_on,
                now=now,
                time_zone=district.time_zone.key,
                pilots=[pilot(one) for one in configured.get(district.district_id, ())],
                reclaim_days=limits.reclaim_days,
                floor=limits.completeness_floor,
            )


def pilot(configured: configs.Pilot) -> pilots.Pilot:
    return pilots.Pilot(**configured.model_dump())
