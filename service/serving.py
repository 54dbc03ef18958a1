"""The running service: its timed jobs, its pages, and how it stops."""

import asyncio
import contextlib
import functools
import logging
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from collectors import base
from service import app, delivery, errors, exporting, schedule, web
from service.alerting import deliver, evaluate
from service.metrics import Metrics
from service.model import alert_rules
from service.polling import accounts, budget_plan, runner
from service.store import accounts as account_rows
from service.store import alert_lists, coverage, hourly, partitions, polls, reconciliation, rollups, summaries
from service.store import pool as pools
from service.web import server as web_server

ROLLUP_EVERY = timedelta(minutes=1)
PROGRAMS_EVERY = timedelta(minutes=1)  # looked at; read anew where an hour has gone by, or a day
SUMMARIES_EVERY = timedelta(minutes=1)
MAINTAIN_EVERY = timedelta(hours=6)
MESSAGES_EVERY = timedelta(seconds=30)
EXPORTS_EVERY = timedelta(hours=1)  # looked at
EXPORTS_AFTER = timedelta(minutes=2)  # a start: figures and messages go first
WATCH_EVERY = timedelta(seconds=5)
ALERTS_LOOKED_AT_EVERY = timedelta(seconds=15)  # rules are judged where days were computed since, or ...
ALERTS_EVERY = timedelta(minutes=5)  # ... this long ago, as some tell of sources and not of days
HEALTH_GRACE = timedelta(minutes=5)  # beyond two cadences without an attempt
HELD_SECONDS = 60.0  # until an endpoint group that is held is tried again
_STOP_SECONDS = 10.0  # for jobs under way to roll back

_log = logging.getLogger(__name__)


@dataclass
class _Attempts:
    """When each endpoint group was last attempted: the dead man's switch behind /healthz."""

    allowed: dict[str, timedelta] = field(default_factory=dict)
    last: dict[str, float] = field(default_factory=dict)

    def expect(self, name: str, every: timedelta) -> None:
        self.allowed[name] = 2 * every + HEALTH_GRACE
        self.last[name] = time.monotonic()

    def made(self, name: str) -> None:
        self.last[name] = time.monotonic()

    def health(self) -> web.Health:
        now = time.monotonic()
        late = [name for name, at in self.last.items() if now - at > self.allowed[name].total_seconds()]
        if late:
            return web.Health(False, f"not attempted in time: {', '.join(late)}")
        return web.Health(True, "every source is attempted in time")


class Service:
    """Sweeps, computes and serves until it is told to stop.

    ``sweep_every`` overrides every cadence: a demo's readers want to see something move.
    """

    def __init__(
        self,
        ready: app.Opened,
        polled: Sequence[accounts.Account],
        metrics: Metrics,
        *,
        clock: accounts.Clock = app.utc_now,
        sweep_every: timedelta | None = None,
    ) -> None:
        self._ready = ready
        self._polled = polled
        self._metrics = metrics
        self._clock = clock
        self._sweep_every = sweep_every
        self._runner = runner.Runner(ready.pool, clock, metrics)
        self._rules = app.rules(ready.config)
        for district_id, rules in self._rules.items():
            metrics.rules_known(district_id, rules)
        self._told = delivery.districts(ready.config)
        self._exports = exporting.Scheduled(ready.config, ready.pool, metrics, clock)
        self._judged_at: datetime | None = None  # None: judge alerts at once
        self._snapshot: coverage.Snapshot | None = None
        self._kept = hourly.Kept()
        self._attempts = _Attempts()
        self._rolling_up = asyncio.Lock()
        self._running: set[asyncio.Task[object]] = set()
        self._is_database_away = False
        self._is_stopping = False
        self._jobs: schedule.Schedule | None = None
        self._every: dict[str, timedelta] = {}  # by name of a sweep's job, as the budgets allow

    @contextlib.asynccontextmanager
    async def serving(self) -> AsyncIterator[str]:
        """Serve and run the jobs while inside; gives the address of the pages."""
        settings = self._ready.config.web
        application = web.build(
            metrics=self._metrics,
            snapshot=lambda: self._snapshot,
            health=self._attempts.health,
            ready=lambda: self._snapshot is not None and not self._is_database_away,
            clock=self._clock,
            access=web.Access(
                host=settings.host,
                tokens_file=settings.tokens_file,
                page_address=self._ready.config.page_address,
            ),
            alert_desk=alert_lists.Desk(self._ready.pool, self._rules_of),
            packages=web.Packages(pool=self._ready.pool, folders=exporting.folders(self._ready.config)),
        )
        await self._guarded(self._maintain)  # while nobody reads: a new partition locks its table
        await self._guarded(self._roll_up)
        await self._plan()
        self._jobs = schedule.Schedule(await self._job_table())
        async with web_server.serving(application, host=settings.host, port=settings.port) as port:
            self._jobs.start()
            try:
                yield f"http://{settings.host}:{port}/"
            finally:
                self._jobs.stop()
                await self._finish()

    def _rules_of(self, district_id: int) -> dict[str, alert_rules.Rule]:
        return {rule.name: rule for rule in self._rules.get(district_id, ())}

    async def _job_table(self) -> list[schedule.Job]:
        jobs = [
            schedule.Job("rollup", ROLLUP_EVERY, self._job(self._roll_up), first_after=ROLLUP_EVERY),
            schedule.Job("programs", PROGRAMS_EVERY, self._job(self._read_programs)),
            schedule.Job("summaries", SUMMARIES_EVERY, self._job(self._sum_up), first_after=SUMMARIES_EVERY),
            schedule.Job("alerts", ALERTS_LOOKED_AT_EVERY, self._job(self._judge_alerts)),
            schedule.Job("messages", MESSAGES_EVERY, self._job(self._send_messages)),
            schedule.Job("maintain", MAINTAIN_EVERY, self._job(self._maintain), first_after=MAINTAIN_EVERY),
        ]
        if exporting.folders(self._ready.config):
            run = self._job(self._exports.run)
            jobs.append(schedule.Job("exports", EXPORTS_EVERY, run, first_after=EXPORTS_AFTER))
        if self._ready.server is not None:
            jobs.append(schedule.Job("watch", WATCH_EVERY, self._job(self._watch), first_after=WATCH_EVERY))
        groups = [(account, group) for account in self._polled for group in account.collector.endpoint_groups]
        return jobs + [await self._sweep_job(account, group) for account, group in groups]

    async def _sweep_job(self, account: accounts.Account, group: base.EndpointGroup) -> schedule.Job:
        name = _job_name(account, group)
        every = self._every.get(name, self._sweep_every or group.cadence)
        self._attempts.expect(name, every)
        return schedule.Job(
            name,
            every,
            self._job(functools.partial(self._sweep, name, account, group)),
            first_after=await self._due_after(account, group, every),
            skipped=lambda: self._metrics.poll_skipped(
                district=account.source.district_id, account=account.key
            ),
        )

    async def _due_after(
        self, account: accounts.Account, group: base.EndpointGroup, every: timedelta
    ) -> timedelta:
        """A restart keeps the cadence; after an outage the first sweep is due at once."""
        watermark = await polls.watermark(self._ready.pool, account.source, group.name)
        if watermark is None:
            return timedelta(0)
        return max(timedelta(0), min(every, watermark + every - self._clock()))

    def _job(self, step: Callable[[], Awaitable[None]]) -> Callable[[], Awaitable[None]]:
        async def run() -> None:
            task = asyncio.current_task()
            if task is not None:
                self._running.add(task)
                task.add_done_callback(self._running.discard)
            try:
                await self._guarded(step)
            except asyncio.CancelledError:
                if not self._is_stopping:
                    raise

        return run

    async def _guarded(self, step: Callable[[], Awaitable[None]]) -> None:
        """Run a step; a database that is away is told of once when it goes and once when it is back."""
        try:
            await step()
        except errors.DatabaseUnavailable as error:
            if not self._is_database_away:
                _log.error("%s", error, extra={"action": "database_away"})
            self._is_database_away = True

    async def _sweep(self, name: str, account: accounts.Account, group: base.EndpointGroup) -> None:
        self._attempts.made(name)
        while (await self._runner.sweep(account, group)).outcome == "held":
            # Another process reads it, or one that is gone did: its lease runs out within minutes.
            await asyncio.sleep(HELD_SECONDS)
            self._attempts.made(name)
        await self._plan()
        await self._roll_up()

    async def _plan(self) -> None:
        if self._sweep_every is None:
            made = await plan(self._ready.pool, self._polled)
            self._tell_budgets(made)
            for planned in made:
                self._follow(planned)

    def _tell_budgets(self, made: Sequence[budget_plan.Planned]) -> None:
        loads = budget_plan.loads(made)
        for planned in made:
            self._metrics.budget_planned(
                district=planned.account.source.district_id,
                account=planned.account.key,
                share=loads[planned.spending.fingerprint],
                requests_per_second=planned.spending.terms.requests_per_second,
            )

    def _follow(self, planned: budget_plan.Planned) -> None:
        name = _job_name(planned.account, planned.group)
        before = self._every.get(name, planned.group.cadence)
        if planned.every == before:
            return
        self._every[name] = planned.every
        self._attempts.expect(name, planned.every)
        every = budget_plan.spoken(planned.every)
        if planned.is_stretched:
            _log.warning("%s; it is swept every %s", planned, every, extra={"action": "cadence_stretched"})
        else:
            _log.info("%s fits again: it is swept every %s", name, every, extra={"action": "cadence_kept"})
        if self._jobs is not None:
            self._jobs.reschedule(name, planned.every)

    async def _roll_up(self) -> None:
        async with self._rolling_up:
            now = self._clock()
            if await roll_up(self._ready, now):
                self._judged_at = None
            self._snapshot = app.with_programs(await app.snapshot(self._ready, now), self._kept)
            await asyncio.to_thread(self._metrics.show, self._snapshot)
        self._tell_database_back()

    async def _judge_alerts(self) -> None:
        now = self._clock()
        if self._judged_at is None or now - self._judged_at >= ALERTS_EVERY:
            self._judged_at = now  # at its beginning: what is computed meanwhile is judged next
            try:
                await evaluate.districts(self._ready.pool, self._rules, now=now)
            except errors.DatabaseUnavailable:
                self._judged_at = None
                raise

    async def _send_messages(self) -> None:
        await deliver.districts(self._ready.pool, self._told, clock=self._clock)

    async def _read_programs(self) -> None:
        """Beside the minute's refresh: costs of 100,000 lines take half a minute, and no figure waits for them."""
        if self._snapshot is not None:
            await app.read_programs(self._ready, self._snapshot, self._clock(), self._kept)
            self._snapshot = app.with_programs(self._snapshot, self._kept)

    async def _sum_up(self) -> None:
        """Beside the minute's refresh: the first time, all days that there are."""
        await sum_up(self._ready)

    def _tell_database_back(self) -> None:
        """Only what reads and writes in earnest can tell; a full disk still answers."""
        if self._is_database_away:
            _log.info("the database is back", extra={"action": "database_back"})
        self._is_database_away = False

    async def _maintain(self) -> None:
        months = self._ready.config.reading_months
        await partitions.maintain(self._ready.pool, today=self._clock().date(), reading_months=months)

    async def _watch(self) -> None:
        if self._ready.server is not None and await self._ready.server.ensure_running():
            _log.warning(
                "the embedded database had died; it runs again", extra={"action": "database_restarted"}
            )

    async def _finish(self) -> None:
        """Stop what runs: a page that is being written is rolled back, and read again next time."""
        self._is_stopping = True
        running = list(self._running)
        for task in running:
            task.cancel()
        if running:
            await asyncio.wait(running, timeout=_STOP_SECONDS)


def _job_name(account: accounts.Account, group: base.EndpointGroup) -> str:
    return f"{account.name}, {group.name}"


async def plan(pool: pools.Pool, polled: Sequence[accounts.Account]) -> list[budget_plan.Planned]:
    """Fit the sweeps into the vendors' limits, for as many lines as are known by now, and write it down."""
    made = budget_plan.of_accounts(polled, await account_rows.lines(pool))
    for planned in made:
        await polls.plan(pool, planned.account.source, planned.group.name, planned.every)
    for account in polled:
        await polls.forget_groups(pool, account.source, [it.name for it in account.collector.endpoint_groups])
        listing = [it.every for it in made if it.account is account and it.group.lists_lines]
        if listing:
            await account_rows.set_cadence(pool, account.source, min(listing))
    return made


async def roll_up(ready: app.Opened, now: datetime, told: rollups.Told = lambda day, marked: None) -> int:
    """Compute every district's marked days; returns how many."""
    limits = app.thresholds(ready.config)
    days = 0
    for district in await rollups.districts(ready.pool):
        days += await rollups.refresh(ready.pool, district, now=now, thresholds=limits, told=told)
        await reconciliation.refresh(ready.pool, district.district_id, now=now)
    return days


async def sum_up(ready: app.Opened) -> None:
    """Sum up what was computed anew, of every district, for reports."""
    limits = summaries.Limits(
        completeness_floor=ready.config.thresholds.completeness_floor,
        minimum_cell_size=ready.config.web.minimum_cell_size,
        rsrp_floor_dbm=ready.config.thresholds.rsrp_floor_dbm,
    )
    for district in await rollups.districts(ready.pool):
        await summaries.refresh(ready.pool, district.district_id, limits)


async def until_told(main: Coroutine[Any, Any, None]) -> None:
    """Run until it ends, or the process is told to stop (SIGINT or SIGTERM), whatever it is doing by then."""
    task = asyncio.ensure_future(main)
    is_told = False

    def stop() -> None:
        nonlocal is_told
        is_told = True
        task.cancel()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop)
    try:
        await task
    except asyncio.CancelledError:
        if not is_told:
            raise


async def forever() -> None:
    await asyncio.Event().wait()
