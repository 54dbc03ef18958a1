"""Notifications: flips are put into them, one process sends each, and what came of it is written down."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import asyncpg

import sql
from service.model import alert_rules, due_times
from service.store import pool as pools

BATCH = 20_000  # flips of one statement


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """Which flips a channel is told, and when: ``digest`` rule, daily, weekly or none (at once)."""

    key: str
    roles: tuple[str, ...]
    schools: tuple[str, ...] = ()  # NCESSCH; none: every school
    least_severity: str = "info"
    digest: str = "rule"


@dataclass(frozen=True, slots=True, kw_only=True)
class Queued:
    flips: int  # looked at
    told: int  # of these, somebody is to be told of
    notifications: int  # new ones; others joined one that was waiting


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """A notification that this process alone may send until its claim runs out."""

    district_id: int
    notification_id: int
    channel_key: str
    topic: str
    attempts: int  # with this one
    first_flip_id: int
    first_flip_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """Alerts of one rule, of which the same is to be told, at one school (or at those that are not named)."""

    rule: str
    outcome: str  # new, still, escalated, held, resolved, passed (new and resolved at once)
    school: str | None
    school_id: int | None
    is_of_school: bool
    is_small: (
        bool | None
    )  # a school without a name: True, few in need; False, need not known. None: it has one
    schools: int
    alerts: int
    alert_id: int  # the oldest
    since_at: datetime
    latest_since_at: datetime
    flipped_at: datetime
    least: float | None
    most: float | None
    severities: tuple[str, ...]
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Beginning:
    """The message that a later one goes on with."""

    first_flip_id: int
    first_flip_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Fare:
    """How a channel fares."""

    channel_key: str
    last_success_at: datetime | None
    failing_since_at: datetime | None
    is_refused: bool
    error: str | None
    waiting: int
    next_due_at: datetime | None
    given_up: int


async def queue(
    pool: asyncpg.Pool,
    district_id: int,
    *,
    rules: Iterable[alert_rules.Rule],
    routes: Iterable[Route],
    due: due_times.Due,
    now: datetime,
) -> Queued:
    """Put every unprocessed flip into notifications, unless another process is at it. Raises DatabaseUnavailable."""
    values = (district_id, now, _rules(rules), _routes(routes), _due(due), BATCH)
    total = Queued(flips=0, told=0, notifications=0)
    while True:
        queued = await _queue_batch(pool, district_id, values)
        total = Queued(
            flips=total.flips + queued.flips,
            told=total.told + queued.told,
            notifications=total.notifications + queued.notifications,
        )
        if queued.flips < BATCH:
            return total


async def _queue_batch(pool: asyncpg.Pool, district_id: int, values: Sequence[object]) -> Queued:
    queries = sql.queries()
    with pools.translated():
        async with pool.acquire() as connection, connection.transaction():
            if not await connection.fetchval(queries["lock_notifications"], district_id):
                return Queued(flips=0, told=0, notifications=0)
            return Queued(**await connection.fetchrow(queries["queue_flips"], *values))


def _rules(rules: Iterable[alert_rules.Rule]) -> str:
    return json.dumps([{"name": rule.name, "owner": rule.owner, "urgency": rule.urgency} for rule in rules])


def _routes(routes: Iterable[Route]) -> str:
    return json.dumps([_route(route) for route in routes])


def _route(route: Route) -> Mapping[str, object]:
    told = alert_rules.SEVERITIES[alert_rules.SEVERITIES.index(route.least_severity) :]
    return {
        "key": route.key,
        "roles": route.roles,
        "schools": route.schools,
        "severities": told,
        "digest": route.digest,
    }


def _due(due: due_times.Due) -> str:
    instants = {"critical": due.critical, "now": due.now, "daily": due.daily, "weekly": due.weekly}
    return json.dumps({name: at.isoformat() for name, at in instants.items()})


async def claim(
    pool: asyncpg.Pool, district_id: int, *, now: datetime, lease: timedelta, without: Sequence[str] = ()
) -> Claimed | None:
    """One that is due, of another channel than these; None: there is none. Raises DatabaseUnavailable."""
    with pools.translated():
        row = await pool.fetchrow(
            sql.queries()["claim_notification"], district_id, now, now + lease, list(without)
        )
    return None if row is None else Claimed(**row)


async def content(pool: asyncpg.Pool, claimed: Claimed, *, minimum_cell_size: int) -> list[Content]:
    """What it tells, by rule, outcome and school; the same at every try. Raises DatabaseUnavailable."""
    with pools.translated():
        rows = await pool.fetch(
            sql.queries()["notification_content"],
            claimed.district_id,
            claimed.notification_id,
            minimum_cell_size,
        )
    return [
        Content(**{**row, "severities": tuple(row["severities"]), "reasons": tuple(row["reasons"])})
        for row in rows
    ]


async def thread(pool: asyncpg.Pool, claimed: Claimed) -> Beginning | None:
    """The message that this one goes on with, where it is a single one. Raises DatabaseUnavailable."""
    with pools.translated():
        row = await pool.fetchrow(
            sql.queries()["notification_thread"], claimed.district_id, claimed.notification_id
        )
    return None if row is None else Beginning(**row)


async def sent(pool: asyncpg.Pool, claimed: Claimed, *, now: datetime, amiss: str | None = None) -> bool:
    """It was accepted, if not for everyone (``amiss``). True: its channel had been failing. Raises
    DatabaseUnavailable."""
    queries, channel = sql.queries(), (claimed.district_id, claimed.channel_key, now)
    with pools.translated():
        async with pool.acquire() as connection, connection.transaction():
            await connection.execute(
                queries["notification_sent"], claimed.district_id, claimed.notification_id, now, amiss
            )
            has_recovered: bool = await connection.fetchval(queries["channel_succeeded"], *channel, amiss)
    return has_recovered


async def not_sent(
    pool: asyncpg.Pool,
    claimed: Claimed,
    *,
    now: datetime,
    error: str,
    again_at: datetime | None,
    is_refused: bool,
) -> bool:
    """It was not accepted; ``again_at`` None: it is given up. True: its channel fails since now. Raises
    DatabaseUnavailable."""
    queries, ids = sql.queries(), (claimed.district_id, claimed.notification_id)
    channel = claimed.district_id, claimed.channel_key, now
    with pools.translated():
        async with pool.acquire() as connection, connection.transaction():
            await connection.execute(
                queries["notification_not_sent"], *ids, claimed.attempts, again_at, error
            )
            is_new: bool = await connection.fetchval(queries["channel_failed"], *channel, is_refused, error)
            if again_at is not None:
                await connection.execute(queries["put_off_channel"], *channel, again_at)
    return is_new


async def put_off(pool: asyncpg.Pool, claimed: Claimed, *, until: datetime) -> None:
    """Give the claim back without a try: it is not to leave before then. Raises DatabaseUnavailable."""
    ids = claimed.district_id, claimed.notification_id
    with pools.translated():
        await pool.execute(sql.queries()["put_off_notification"], *ids, claimed.attempts, until)


async def drop(pool: asyncpg.Pool, claimed: Claimed, *, error: str) -> None:
    """Give one up that no channel can send any more. Raises DatabaseUnavailable."""
    ids = claimed.district_id, claimed.notification_id
    with pools.translated():
        await pool.execute(sql.queries()["notification_not_sent"], *ids, claimed.attempts, None, error)


async def tested(pool: asyncpg.Pool, district_id: int, channel_key: str, *, now: datetime) -> None:
    """A channel took a message that is none of ours. Raises DatabaseUnavailable."""
    with pools.translated():
        await pool.fetchval(sql.queries()["channel_succeeded"], district_id, channel_key, now, None)


async def sync_channels(pool: asyncpg.Pool, district_id: int, keys: Sequence[str]) -> None:
    """These channels, and no others, are in use. Raises DatabaseUnavailable."""
    with pools.translated():
        await pool.execute(sql.queries()["sync_channels"], district_id, list(keys))


async def fares(pool: asyncpg.Pool, district_id: int) -> list[Fare]:
    """How each channel in use fares, by key. Raises DatabaseUnavailable."""
    with pools.translated():
        rows = await pool.fetch(sql.queries()["channels_fare"], district_id)
    return [Fare(**row) for row in rows]
