"""Alerts as they stand, their histories, and what people do about them; judging.py writes what rules find."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import asyncpg

import sql
from service.store import pool as pools

STATES = ("pending", "firing", "held", "clear")
OPEN = ("firing", "held")  # what a person can acknowledge and snooze


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """A rule's subject, such as loan:12. ``judged_at`` is when a judgement last changed something of it."""

    district_id: int
    alert_id: int
    rule: str
    subject: str
    school_id: int | None
    ncessch: str | None
    school: str | None  # None: of no one school
    state: str  # of STATES
    severity: str
    is_judged: bool  # False: too little is known now, so the state stays as it is
    breached_since_at: datetime
    clear_since_at: datetime | None
    fired_at: datetime | None
    judged_at: datetime
    value: float | None
    details: dict[str, Any]
    acknowledged_at: datetime | None
    snoozed_until_at: datetime | None
    reminded_at: datetime | None
    escalated_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Flip:
    """One change of an alert. ``evidence``: value, threshold, unit, clock, since, judged_on and details, as far as
    they are known; of a snooze: until."""

    district_id: int
    flip_id: int
    alert_id: int
    kind: str
    old_state: str
    new_state: str
    reason: str  # of alert_words.REASONS
    evidence: dict[str, Any]
    actor: str
    created_at: datetime
    processed_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What a rule said when it last ran. ``failing_since_at`` None: it succeeded."""

    district_id: int
    rule: str
    evaluated_at: datetime
    judged_on: date | None  # None: there was no reported day yet
    seconds: float
    breached: int
    unjudged: int
    failing_since_at: datetime | None
    error: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A time in which the district works on its fleet. ``account_key`` '': on everything."""

    starts_at: datetime
    ends_at: datetime
    account_key: str = ""


async def listed(
    pool: asyncpg.Pool,
    district_id: int,
    *,
    rule: str | None = None,
    ncessch: str | None = None,
    states: Sequence[str] = OPEN,
    limit: int = 100,
) -> list[Alert]:
    """The most severe first, then the oldest. Raises DatabaseUnavailable."""
    with pools.translated():
        rows = await pool.fetch(
            sql.queries()["listed_alerts"], district_id, rule, ncessch, list(states), limit
        )
    return [_alert(row) for row in rows]


async def one(pool: asyncpg.Pool, district_id: int, alert_id: int) -> Alert | None:
    """None: there is no such alert. Raises DatabaseUnavailable."""
    with pools.translated():
        row = await pool.fetchrow(sql.queries()["one_alert"], district_id, alert_id)
    return None if row is None else _alert(row)


async def history(pool: asyncpg.Pool, district_id: int, alert_id: int) -> list[Flip]:
    """Every change of an alert, the oldest first. Raises DatabaseUnavailable."""
    with pools.translated():
        rows = await pool.fetch(sql.queries()["alert_history"], district_id, alert_id)
    return [Flip(**{**row, "evidence": json.loads(row["evidence"])}) for row in rows]


async def runs(pool: asyncpg.Pool, district_id: int) -> list[Run]:
    """By rule. Raises DatabaseUnavailable."""
    with pools.translated():
        rows = await pool.fetch(sql.queries()["rule_runs_of_district"], district_id)
    return [Run(**row) for row in rows]


async def acknowledge(
    pool: asyncpg.Pool, district_id: int, alert_id: int, *, now: datetime, actor: str
) -> bool:
    """Somebody sees to it: no reminders and no escalation until it is clear. False: it is not open, or already is."""
    return await _act(pool, "acknowledge_alert", district_id, alert_id, now, actor)


async def unacknowledge(
    pool: asyncpg.Pool, district_id: int, alert_id: int, *, now: datetime, actor: str
) -> bool:
    """Take that back. False: it is not acknowledged."""
    return await _act(pool, "unacknowledge_alert", district_id, alert_id, now, actor)


async def snooze(
    pool: asyncpg.Pool, district_id: int, alert_id: int, *, now: datetime, until: datetime, actor: str
) -> bool:
    """No reminders and no escalation until then, or until it is clear. False: it is not open."""
    return await _act(pool, "snooze_alert", district_id, alert_id, now, actor, until)


async def wake(pool: asyncpg.Pool, district_id: int, alert_id: int, *, now: datetime, actor: str) -> bool:
    """End a snooze before its time. False: it is not snoozed."""
    return await _act(pool, "wake_alert", district_id, alert_id, now, actor)


async def _act(pool: asyncpg.Pool, query: str, *values: object) -> bool:
    with pools.translated():
        return await pool.fetchval(sql.queries()[query], *values) is not None


async def sync_maintenance(
    pool: asyncpg.Pool, district_id: int, windows: Sequence[Window], *, now: datetime
) -> None:
    """Write down what is configured. A window that is over stays: days in it are still to be judged."""
    queries = sql.queries()
    columns = (
        [one.starts_at for one in windows],
        [one.ends_at for one in windows],
        [one.account_key for one in windows],
    )
    with pools.translated():
        async with pool.acquire() as connection, connection.transaction():
            await connection.execute(queries["drop_maintenance"], district_id, now)
            await connection.execute(queries["keep_maintenance"], district_id, *columns)


def _alert(row: asyncpg.Record) -> Alert:
    return Alert(**{**row, "details": json.loads(row["details"])})
