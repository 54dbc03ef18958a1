"""What alerts are about: which rules and schools there are, and the device behind a loan or a line."""

import asyncpg

import sql
from service.store import alerts, reclaim
from service.store import pool as pools

DEVICES = ("loan", "line", "device")  # kinds of subject that lead to one


async def has_rule(pool: asyncpg.Pool, district_id: int, rule: str) -> bool:
    """Whether there ever was an alert of the rule, which may be gone since. Raises DatabaseUnavailable."""
    with pools.translated():
        return bool(await pool.fetchval(sql.queries()["has_alerts_of_rule"], district_id, rule))


async def schools(pool: asyncpg.Pool, district_id: int) -> dict[str, str]:
    """NCES id to name, by name. Raises DatabaseUnavailable."""
    with pools.translated():
        rows = await pool.fetch(sql.queries()["named_schools"], district_id)
    return {row["ncessch"]: row["name"] for row in rows}


async def identifiers(pool: asyncpg.Pool, alert: alerts.Alert) -> list[reclaim.Identifiers]:
    """Of the alert's device and the lines in it; none where it is about no device. Raises DatabaseUnavailable."""
    kind, _, number = alert.subject.partition(":")
    if kind not in DEVICES:
        return []
    with pools.translated():
        rows = await pool.fetch(sql.queries()["alert_identifiers"], alert.district_id, kind, int(number))
    return [reclaim.Identifiers(**row) for row in rows]
