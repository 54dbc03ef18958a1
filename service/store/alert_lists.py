"""Alerts as the pages list them: counted by rule and school, and a page of each."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import asyncpg

import sql
from service.model import alert_rules
from service.store import alert_subjects, alerts
from service.store import pool as pools

PAGE = 100  # alerts
RESOLVED_WITHIN = timedelta(days=7)


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """Which alerts are looked at. ``school`` is its NCES id, or the internal one."""

    rule: str | None = None
    school: str | None = None
    states: tuple[str, ...] = alerts.OPEN


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """A rule's open alerts at a school. ``school`` None: of no one school."""

    rule: str
    ncessch: str | None
    school: str | None
    severity: str  # the worst
    firing: int
    held: int
    pending: int
    acknowledged: int
    snoozed: int
    unjudged: int
    since_at: datetime  # the oldest


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """An alert of a list."""

    alert_id: int
    subject: str
    school: str | None
    state: str
    severity: str
    is_judged: bool
    breached_since_at: datetime
    value: float | None
    acknowledged_at: datetime | None
    snoozed_until_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    rule: str
    ncessch: str | None
    school: str | None
    times: int
    last_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """``rows`` are a page of the chosen rule's; none without a rule."""

    groups: tuple[Group, ...]
    rows: tuple[Row, ...]
    resolved: tuple[Resolved, ...]
    runs: tuple[alerts.Run, ...]


@dataclass(frozen=True, slots=True)
class Desk:
    """What pages ask about alerts, and what people do about them there. ``rules``: of a district, by name."""

    pool: asyncpg.Pool
    rules: Callable[[int], Mapping[str, alert_rules.Rule]]

    async def overview(self, district_id: int, chosen: Chosen, *, first: int, now: datetime) -> Overview:
        """The rows from the ``first`` on (0 is the first of all). Raises DatabaseUnavailable."""
        return Overview(
            groups=tuple(await groups(self.pool, district_id, chosen, now=now)),
            rows=tuple(await page(self.pool, district_id, chosen, first=first)),
            resolved=tuple(await resolved(self.pool, district_id, chosen, since=now - RESOLVED_WITHIN)),
            runs=tuple(await alerts.runs(self.pool, district_id)),
        )

    async def one(self, district_id: int, alert_id: int) -> tuple[alerts.Alert, list[alerts.Flip]] | None:
        """An alert and its history, the oldest change first; None: there is none. Raises DatabaseUnavailable."""
        found = await alerts.one(self.pool, district_id, alert_id)
        return None if found is None else (found, await alerts.history(self.pool, district_id, alert_id))

    async def has_rule(self, district_id: int, rule: str) -> bool:
        """Whether it is in force, or there ever was an alert of it. Raises DatabaseUnavailable."""
        return rule in self.rules(district_id) or await alert_subjects.has_rule(self.pool, district_id, rule)

    async def acknowledge(self, district_id: int, alert_id: int, *, now: datetime, actor: str) -> bool:
        return await alerts.acknowledge(self.pool, district_id, alert_id, now=now, actor=actor)

    async def unacknowledge(self, district_id: int, alert_id: int, *, now: datetime, actor: str) -> bool:
        return await alerts.unacknowledge(self.pool, district_id, alert_id, now=now, actor=actor)

    async def snooze(self, district_id: int, alert_id: int, *, days: int, now: datetime, actor: str) -> bool:
        until = now + timedelta(days=days)
        return await alerts.snooze(self.pool, district_id, alert_id, now=now, until=until, actor=actor)

    async def wake(self, district_id: int, alert_id: int, *, now: datetime, actor: str) -> bool:
        return await alerts.wake(self.pool, district_id, alert_id, now=now, actor=actor)


async def groups(pool: asyncpg.Pool, district_id: int, chosen: Chosen, *, now: datetime) -> list[Group]:
    """Raises DatabaseUnavailable."""
    values = chosen.rule, chosen.school, list(chosen.states), now
    with pools.translated():
        rows = await pool.fetch(sql.queries()["alert_groups"], district_id, *values)
    return [Group(**row) for row in rows]


async def page(pool: asyncpg.Pool, district_id: int, chosen: Chosen, *, first: int) -> list[Row]:
    """A page of the chosen rule's alerts; none without a rule. Raises DatabaseUnavailable."""
    if chosen.rule is None:
        return []
    values = chosen.rule, chosen.school, list(chosen.states), PAGE, first
    with pools.translated():
        rows = await pool.fetch(sql.queries()["alert_page"], district_id, *values)
    return [Row(**row) for row in rows]


async def resolved(
    pool: asyncpg.Pool, district_id: int, chosen: Chosen, *, since: datetime
) -> list[Resolved]:
    """Whatever states are chosen. Raises DatabaseUnavailable."""
    values = chosen.rule, chosen.school, since
    with pools.translated():
        rows = await pool.fetch(sql.queries()["alerts_resolved"], district_id, *values)
    return [Resolved(**row) for row in rows]
