"""What rules find becomes alerts and flips: one transaction a rule, set-wise, judged on the reported day alone."""

import asyncio
import contextlib
import re
import time
from collections import deque
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import asyncpg

import sql
from service.model import alert_rules
from service.store import alerts
from service.store import pool as pools

RULE_SECONDS = 60  # a query that takes longer has failed
FLAPS = 3  # so many firings ...
FLAPS_WITHIN = timedelta(days=7)  # ... within this time: the next one is held back ...
STEADY_FOR = timedelta(hours=24)  # ... until the alert has stayed as it is for this long

_PLACE = "/* the rule's query */"
_VALUES_IN_MESSAGE = "22"  # the class of errors whose message may quote what was stored
_GONE = (asyncpg.PostgresConnectionError, asyncpg.AdminShutdownError, asyncpg.CrashShutdownError)


class RuleFailed(Exception):
    """A rule's query cannot be used; the message says why, without values."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """What rules judge. ``waits``: why nothing is judged about families now (None: it is)."""

    on_day: date | None  # the reported one; None: there is none yet
    today: date  # local
    waits: str | None  # of alert_words.WAITS


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """Subjects in breach, open alerts of which too little is known, and the flips made."""

    breached: int
    unjudged: int
    flips: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluated:
    """``is_skipped``: another process is at it."""

    district_id: int
    now: datetime
    judged_on: date | None = None
    waits: str | None = None
    is_skipped: bool = False
    flips: int = 0
    runs: tuple[alerts.Run, ...] = ()


async def evaluate(
    pool: asyncpg.Pool, district_id: int, rules: Sequence[alert_rules.Rule], *, now: datetime
) -> Evaluated:
    """Judge a district by its rules, those that others need first. Raises DatabaseUnavailable."""
    with pools.translated():
        async with pool.acquire() as connection, _alone(connection, district_id) as is_alone:
            if not is_alone:
                return Evaluated(district_id=district_id, now=now, is_skipped=True)
            day = await judged_day(connection, district_id, now=now)
            flips = await _rules_off(connection, district_id, rules, now)
            in_force = [rule for rule in rules if day.on_day is not None or not rule.is_dated]
            ran = [
                one
                for wave in alert_rules.waves(in_force)
                for one in await _beside_each_other(pool, connection, district_id, wave, now=now, day=day)
            ]
    return Evaluated(
        district_id=district_id,
        now=now,
        judged_on=day.on_day,
        waits=day.waits,
        flips=flips + sum(made for _, made in ran),
        runs=tuple(run for run, _ in ran),
    )


async def _beside_each_other(
    pool: asyncpg.Pool,
    connection: asyncpg.Connection,
    district_id: int,
    rules: Sequence[alert_rules.Rule],
    *,
    now: datetime,
    day: Day,
) -> list[tuple[alerts.Run, int]]:
    """Rules that do not need each other write different alerts: none waits for another.

    A query keeps one core of the server busy, so a second connection takes its share where the pool can spare one; who
    holds one never waits for another.
    """
    waiting = deque(rules)
    ran: dict[str, tuple[alerts.Run, int]] = {}

    async def work(on: asyncpg.Connection) -> None:
        while waiting:
            rule = waiting.popleft()
            ran[rule.name] = await _run(on, district_id, rule, now=now, day=day)

    async def help_out() -> None:
        async with pool.acquire() as spare:
            await work(spare)

    try:
        async with asyncio.TaskGroup() as group:
            if len(rules) > 1 and (pool.get_idle_size() or pool.get_size() < pool.get_max_size()):
                group.create_task(help_out())
            group.create_task(work(connection))
    except BaseExceptionGroup as failed:
        raise failed.exceptions[0] from failed
    return [ran[rule.name] for rule in rules]


@contextlib.asynccontextmanager
async def _alone(connection: asyncpg.Connection, district_id: int) -> AsyncIterator[bool]:
    """A lock of the session: each rule has a transaction of its own."""
    is_alone = await connection.fetchval(sql.queries()["lock_alerts"], district_id)
    try:
        yield is_alone
    finally:
        if is_alone and not connection.is_closed():
            await connection.execute(sql.queries()["unlock_alerts"], district_id)


async def judged_day(connection: asyncpg.Connection, district_id: int, *, now: datetime) -> Day:
    """The reported day, and whether anything about families can be told from it."""
    row = await connection.fetchrow(sql.queries()["alert_day"], district_id, now)
    zone = ZoneInfo(row["time_zone"])
    on_day = row["reported_on"]
    if on_day is None:
        return Day(on_day=None, today=now.astimezone(zone).date(), waits=None)
    waits = await _waits(connection, district_id, on_day, zone, now)
    if on_day < row["due_on"]:
        waits = "behind"
    return Day(on_day=on_day, today=now.astimezone(zone).date(), waits=waits)


async def _waits(
    connection: asyncpg.Connection, district_id: int, on_day: date, zone: ZoneInfo, now: datetime
) -> str | None:
    queries = sql.queries()
    starts_at, ends_at = bounds(on_day, zone)
    if await connection.fetchval(queries["is_in_maintenance"], district_id, now, starts_at, ends_at):
        return "maintenance"
    if await connection.fetchval(queries["is_partly_told"], district_id, on_day, starts_at, ends_at):
        return "partly_told"
    return None


def bounds(on_day: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """The instants between which a local day lies."""
    midnight = datetime.min.time()
    return (
        datetime.combine(on_day, midnight, zone),
        datetime.combine(on_day + timedelta(days=1), midnight, zone),
    )


async def _rules_off(
    connection: asyncpg.Connection, district_id: int, rules: Sequence[alert_rules.Rule], now: datetime
) -> int:
    names = [rule.name for rule in rules]
    async with connection.transaction():
        await connection.execute(sql.queries()["drop_runs_of_rules_off"], district_id, names)
        flips: int = await connection.fetchval(sql.queries()["clear_rules_off"], district_id, names, now)
    return flips


async def _run(
    connection: asyncpg.Connection, district_id: int, rule: alert_rules.Rule, *, now: datetime, day: Day
) -> tuple[alerts.Run, int]:
    """A rule that fails is told of, and stops no other: what stands of it stays as it is."""
    queries = sql.queries()
    started = time.monotonic()
    found, error = None, None
    async with connection.transaction():
        try:
            async with connection.transaction():
                found = await judged(connection, district_id, rule, now=now, day=day)
        except RuleFailed as failure:
            error = str(failure)
            await connection.execute(queries["unjudge_alerts"], district_id, rule.name, now)
        counts = (found.breached, found.unjudged) if found else (None, None)
        row = await connection.fetchrow(
            queries["keep_rule_run"],
            *(district_id, rule.name, now, day.on_day, time.monotonic() - started, *counts, error),
        )
    return alerts.Run(**row), found.flips if found else 0


async def judged(
    connection: asyncpg.Connection, district_id: int, rule: alert_rules.Rule, *, now: datetime, day: Day
) -> Judged:
    """Inside a transaction that is undone where this raises RuleFailed."""
    try:
        found = await _judge(connection, district_id, rule, now=now, day=day)
        flips = await _move(connection, district_id, rule, now=now, day=day)
    except (asyncpg.PostgresError, asyncpg.InterfaceError) as failure:
        if connection.is_closed() or isinstance(failure, _GONE):
            raise  # a database that is away is no rule's fault
        raise RuleFailed(_told(failure)) from failure
    return Judged(breached=found["breached"], unjudged=found["unjudged"], flips=flips)


async def _judge(
    connection: asyncpg.Connection, district_id: int, rule: alert_rules.Rule, *, now: datetime, day: Day
) -> asyncpg.Record:
    """Keep what the rule finds, for ``_move``; returns how much that is."""
    queries = sql.queries()
    for name in ("begin_judging", "prepare_judging", "forget_judged"):
        await connection.execute(queries[name])
    async with connection.transaction():  # what it may not write, it may again after this
        await connection.execute(queries["guard_rule"], str(RULE_SECONDS * 1000))
        await connection.execute(
            queries["judge_rule"].replace(_PLACE, rule.query),
            *(district_id, day.on_day, now, rule.threshold, rule.clock),
            *(rule.name, rule.about == "family", day.waits is not None),
        )
        found = await connection.fetchrow(queries["judged_subjects"])
    await connection.execute(queries["unguard_rule"])
    if found["times"] > 1:
        raise RuleFailed("it tells of a subject more than once: group its rows by subject")
    return found


async def _move(
    connection: asyncpg.Connection, district_id: int, rule: alert_rules.Rule, *, now: datetime, day: Day
) -> int:
    await connection.execute(sql.queries()["join_judged"])
    flips: int = await connection.fetchval(
        sql.queries()["move_alerts"],
        *(district_id, rule.name, now, day.on_day, day.today, rule.severity),
        *(rule.fires_after, rule.clears_after, rule.reminder, rule.escalates_after),
        *(rule.threshold, rule.unit, rule.clock),
        *(FLAPS, FLAPS_WITHIN, STEADY_FOR, rule.about == "family", day.waits is not None),
    )
    return flips


def _told(failure: asyncpg.PostgresError | asyncpg.InterfaceError) -> str:
    if isinstance(failure, asyncpg.QueryCanceledError):
        return f"it took longer than {RULE_SECONDS} seconds: read one day's rows only, and look at its plan"
    if isinstance(failure, asyncpg.InterfaceError):
        return "it uses a parameter that rules are not given: they have $1 to $5"
    if isinstance(failure, asyncpg.ReadOnlySQLTransactionError):
        return "it writes: a rule may only read"
    return _without_values(failure)


def _without_values(failure: asyncpg.PostgresError) -> str:
    message = str(failure.args[0]).splitlines()[0]
    missing = re.fullmatch(r"column q\.(\w+) does not exist", message)
    if missing is not None:
        return (
            f"it gives no column {missing[1]}: name subject, school_id, since_at, value, details, is_breached"
        )
    if isinstance(failure, asyncpg.CheckViolationError):
        return "a subject is not a kind and a key in small letters, such as loan:12"
    if isinstance(failure, asyncpg.ForeignKeyViolationError):
        return "a school_id is that of no school"
    if (failure.sqlstate or "").startswith(_VALUES_IN_MESSAGE):
        return re.sub(r'"[^"]*"', '"..."', message)
    return message
