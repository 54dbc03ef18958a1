"""Sets the demo up: a pretend district with its history, and a pretend vendor to go on sweeping."""

import contextlib
import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Protocol

from collectors import base, budget, client, registry, simulation
from collectors.kajeet import simulator
from service import errors, metrics
from service.demo import district, fleet, history, schools, timeline, world
from service.polling import accounts, runner
from service.store import accounts as account_rows
from service.store import coverage, polls, rollups
from service.store import pool as pools
from service.store import source as sources

DISTRICT_ID = 1
ACCOUNT_KEY = "kajeet"
CADENCE = timedelta(
    hours=8
)  # twice this bridges the half-days between the sweeps, also where clocks are set back
LONGEST_AWAY = timedelta(days=360)  # what came before is not caught up with: readings are kept for a year

_COLLECTOR = "kajeet"
_CREDENTIALS = {"client_id": "simulated-client", "client_secret": "simulated-secret"}
_PLAN = account_rows.Plan(
    key="standard",
    allowance_bytes=None,  # the vendor tells each line's
    allowance_period="month",
    cycle_day=1,
    at_allowance="stop",
    monthly_cost="15.00",
)
_AT_ONCE = client.Limits(attempts=1)  # a blind day is refused without a second try
_PAGE_SIZE = 100  # the vendor's
_WHOLE_LIST = 1000  # the history is read in pages of this size: it is long, and a stranger waits for it
_ANCHOR = re.compile(r"\(pretend, set up (?P<on>\d{4}-\d\d-\d\d)\)$")


class Progress(Protocol):
    """Told how far a step has come: ``done`` of ``total``."""

    def __call__(self, step: str, done: int, total: int) -> None: ...


@dataclass(frozen=True)
class Stage:
    """``account`` sweeps the pretend vendor at ``url``, whose clock is the real one now."""

    district_id: int
    account: accounts.Account
    url: str
    dates: timeline.Timeline
    fleet: fleet.Fleet
    vendor: simulator.Simulator


def utc_now() -> datetime:
    return datetime.now(UTC)


def no_progress(step: str, done: int, total: int) -> None:
    return


@dataclass(frozen=True)
class _Scene:
    """What the history is made with."""

    pool: pools.Pool
    source: sources.Source
    dates: timeline.Timeline
    fleet: fleet.Fleet
    clock: history.Clock
    vendor: simulator.Simulator


@contextlib.asynccontextmanager
async def staged(
    pool: pools.Pool,
    *,
    now: accounts.Clock = utc_now,
    progress: Progress = no_progress,
    observer: client.Observer | None = None,
    thresholds: rollups.Thresholds | None = None,
) -> AsyncIterator[Stage]:
    """Make the history, or what it lacks since the last sweep, then keep the vendor up until the block ends.

    ``observer`` is told of the requests that come after the history. Raises DatabaseUnavailable.
    """
    scene, until = await _scene(pool, now), now()
    async with simulation.serve(scene.vendor) as url:
        await _rehearse(scene, url, until, progress)
        await _refresh(pool, until, thresholds or rollups.Thresholds(), progress)
        scene.clock.let_go()
        scene.vendor.forget()
        async with _account(scene.source, url, _PAGE_SIZE, observer=observer) as account:
            yield Stage(DISTRICT_ID, account, url, scene.dates, scene.fleet, scene.vendor)


async def _scene(pool: pools.Pool, now: accounts.Clock) -> _Scene:
    dates = timeline.Timeline(await _anchor(pool, now()))
    ours, clock = fleet.build(dates), history.Clock(now)
    vendor = simulator.Simulator(
        world.build(dates, ours.hotspots), clock, settings=simulator.Settings(max_limit=_WHOLE_LIST)
    )
    return _Scene(pool, await _write_account(pool, dates), dates, ours, clock, vendor)


async def _rehearse(scene: _Scene, url: str, until: datetime, progress: Progress) -> None:
    """Bring the district in, unless it is there, and sweep what has not been swept yet."""
    async with _account(scene.source, url, _WHOLE_LIST, _AT_ONCE) as account:
        if (after := await _watermark(scene.pool, account)) is None:
            await district.bring_in(scene.pool, DISTRICT_ID, scene.dates, scene.fleet)
        await history.make(
            runner.Runner(scene.pool, scene.clock, metrics.Metrics()),
            account,
            scene.vendor,
            scene.clock,
            scene.dates,
            after=_start(after, scene.dates, until),
            until=until,
            told=lambda done, total: progress("Sweeping the pretend vendor", done, total),
        )


async def _anchor(pool: pools.Pool, now: datetime) -> date:
    """The day of the first start, which the district's name tells. Raises ConfigError in a real database."""
    snapshot = await coverage.snapshot(pool, now=now)
    if not snapshot.districts:
        return timeline.local_day(now)
    found = [_ANCHOR.search(district.name) for district in snapshot.districts]
    if len(found) != 1 or found[0] is None:
        raise errors.ConfigError("this database holds a real district: give the demo a folder of its own")
    return date.fromisoformat(found[0]["on"])


def _name(dates: timeline.Timeline) -> str:
    return f"{schools.DISTRICT_NAME} (pretend, set up {dates.anchor})"


async def _write_account(pool: pools.Pool, dates: timeline.Timeline) -> sources.Source:
    zone = timeline.ZONE.key
    account = account_rows.Account(
        key=ACCOUNT_KEY,
        collector=_COLLECTOR,
        time_zone=zone,
        lag_days=0,
        rank=1,
        cadence=CADENCE,
        plan_key=_PLAN.key,
    )
    ours = account_rows.District(
        district_id=DISTRICT_ID,
        name=_name(dates),
        time_zone=zone,
        school_year_starts="07-01",
        plans=[_PLAN],
        accounts=[account],
    )
    return (await account_rows.sync(pool, [ours]))[DISTRICT_ID, ACCOUNT_KEY]


@contextlib.asynccontextmanager
async def _account(
    source: sources.Source,
    url: str,
    page_size: int,
    limits: client.Limits | None = None,
    observer: client.Observer | None = None,
) -> AsyncIterator[accounts.Account]:
    collector: base.Collector = registry.build(
        _COLLECTOR,
        _options(url, page_size),
        _CREDENTIALS,
        budgets=budget.Unlimited(),
        limits=limits,
        observer=observer,
    )
    try:
        yield accounts.Account(ACCOUNT_KEY, source, collector)
    finally:
        await collector.aclose()


def _options(url: str, page_size: int) -> Mapping[str, object]:
    return {
        "corp_ids": [world.ROOT_GROUP],
        "base_url": url,
        "page_size": page_size,
        "cadence_minutes": CADENCE // timedelta(minutes=1),
        "requests_per_second": 100_000,
    }


async def _watermark(pool: pools.Pool, account: accounts.Account) -> datetime | None:
    """Up to when the vendor has been swept; None before the first time."""
    (group,) = account.collector.endpoint_groups
    return await polls.watermark(pool, account.source, group.name)


def _start(after: datetime | None, dates: timeline.Timeline, until: datetime) -> datetime:
    if after is None:
        return datetime.combine(dates.first_on, time(), timeline.ZONE)
    return max(after, until - LONGEST_AWAY)


async def _refresh(
    pool: pools.Pool, until: datetime, thresholds: rollups.Thresholds, progress: Progress
) -> None:
    """Line days, loan states and school counts of all days that the sweeps touched."""
    ours = rollups.District(DISTRICT_ID, timeline.ZONE.key)
    done = 0

    def told(day: date, marked: int) -> None:
        nonlocal done
        done += 1
        progress("Deciding every loan's state", done, max(done, timeline.HISTORY_DAYS + 1))

    progress("Deciding every loan's state", 0, timeline.HISTORY_DAYS + 1)
    await rollups.refresh(pool, ours, now=until, thresholds=thresholds, told=told)
