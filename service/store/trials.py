"""A rule tried over past days: judged as each was reported, on tables of its own, and all of it undone."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import asyncpg

import sql
from service.model import alert_rules
from service.store import judging
from service.store import pool as pools

JUDGED_AT = time(6)  # of the next local day
_ONE_DAY = timedelta(days=1)
_KINDS = ("fired", "cleared", "held", "released", "reminded", "escalated")

Told = Callable[[date], None]  # a day that was judged


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialDay:
    """What a rule would have done on the day after ``on_day``, and how many alerts were open then."""

    on_day: date
    fired: int
    cleared: int
    held: int
    released: int
    reminded: int
    escalated: int
    open: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SchoolTotal:
    """``ncessch`` None: of no one school."""

    ncessch: str | None
    school: str | None
    fired: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    rule: str
    days: tuple[TrialDay, ...]
    schools: tuple[SchoolTotal, ...]  # those where it fired, the most first

    @property
    def fired(self) -> int:
        return sum(day.fired for day in self.days)


@dataclass
class _Found:
    days: list[TrialDay] = field(default_factory=list)
    schools: Counter[tuple[str | None, str | None]] = field(default_factory=Counter)


async def over(
    pool: asyncpg.Pool,
    district_id: int,
    rules: Sequence[alert_rules.Rule],
    *,
    first: date,
    last: date,
    zone: ZoneInfo,
    told: Told = lambda day: None,
) -> Trial:
    """Judge each day by the last rule, after those that it needs; nothing is open before the first day.

    Raises RuleFailed and DatabaseUnavailable.
    """
    found = _Found()
    with pools.translated():
        async with pool.acquire() as connection:
            transaction = connection.transaction()
            await transaction.start()
            try:
                await connection.execute(sql.queries()["begin_trial"])
                on_day = first
                while on_day <= last:
                    now = await _judge(connection, district_id, rules, on_day=on_day, zone=zone)
                    await _note(connection, district_id, rules[-1].name, found, on_day=on_day, now=now)
                    told(on_day)
                    on_day += _ONE_DAY
            finally:
                if not connection.is_closed():
                    await transaction.rollback()
    return _trial(rules[-1].name, found)


async def at_present(
    pool: asyncpg.Pool, district_id: int, rules: Sequence[alert_rules.Rule], *, now: datetime
) -> int:
    """How many subjects are in breach now. Raises RuleFailed and DatabaseUnavailable."""
    breached = 0
    with pools.translated():
        async with pool.acquire() as connection:
            transaction = connection.transaction()
            await transaction.start()
            try:
                day = await judging.judged_day(connection, district_id, now=now)
                for rule in rules:
                    breached = (
                        await judging.judged(connection, district_id, rule, now=now, day=day)
                    ).breached
            finally:
                if not connection.is_closed():
                    await transaction.rollback()
    return breached


async def _judge(
    connection: asyncpg.Connection,
    district_id: int,
    rules: Sequence[alert_rules.Rule],
    *,
    on_day: date,
    zone: ZoneInfo,
) -> datetime:
    """Returns the instant it was judged at. Breaks and maintenance hold what is about families, as in earnest."""
    now = datetime.combine(on_day + _ONE_DAY, JUDGED_AT, zone)
    is_in_maintenance = await connection.fetchval(
        sql.queries()["is_in_maintenance"], district_id, now, *judging.bounds(on_day, zone)
    )
    waits = "maintenance" if is_in_maintenance else None
    day = judging.Day(on_day=on_day, today=on_day + _ONE_DAY, waits=waits)
    for rule in rules:
        await judging.judged(connection, district_id, rule, now=now, day=day)
    return now


async def _note(
    connection: asyncpg.Connection, district_id: int, rule: str, found: _Found, *, on_day: date, now: datetime
) -> None:
    """Sums alone are kept: a rule may have fired a million times."""
    queries = sql.queries()
    kinds: Counter[str] = Counter()
    for row in await connection.fetch(queries["trial_flips"], district_id, rule, now):
        kinds[row["kind"]] += row["count"]
        if row["kind"] == "fired":
            found.schools[row["ncessch"], row["school"]] += row["count"]
    is_open = await connection.fetchval(queries["trial_open"], district_id, rule)
    found.days.append(TrialDay(on_day=on_day, open=is_open, **{kind: kinds[kind] for kind in _KINDS}))


def _trial(rule: str, found: _Found) -> Trial:
    ordered = sorted(found.schools.items(), key=lambda item: (-item[1], item[0][1] or "", item[0][0] or ""))
    schools = [SchoolTotal(ncessch=key[0], school=key[1], fired=fired) for key, fired in ordered]
    return Trial(rule=rule, days=tuple(found.days), schools=tuple(schools))
