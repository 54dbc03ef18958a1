"""Alerts and their flips as rows, and the pages of a district that has them."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path

import asyncpg

import sql
from service import metrics, web
from service.model import alert_rules
from service.store import alert_lists, coverage
from service.web import server
from tests import snapshots

RULES = {
    name: alert_rules.parse(name, sql.alert_rules()[name], profile="local")
    for name in ("idle_30", "never_used", "data_stale", "coverage_below_target")
}
SINCE = snapshots.NOW - timedelta(days=4)


async def alert(
    pool: asyncpg.Pool,
    rule: str,
    subject: str,
    *,
    school: str | None = None,
    state: str = "firing",
    severity: str = "warning",
    value: float | None = None,
    since: datetime = SINCE,
    district_id: int = 7,
    details: dict[str, object] | None = None,
    is_judged: bool = True,
) -> int:
    found: int = await pool.fetchval(
        "INSERT INTO alerts (district_id, rule, subject, school_id, state, severity, breached_since_at, fired_at, "
        "judged_at, value, details, is_judged) VALUES ($1, $2, $3, "
        "(SELECT school_id FROM schools WHERE district_id = $1 AND name = $4), $5::alert_state, $6, $7::timestamptz, "
        "CASE WHEN $5 <> 'pending' THEN $7::timestamptz END, $8, $9, $10::jsonb, $11) RETURNING alert_id",
        district_id,
        rule,
        subject,
        school,
        state,
        severity,
        since,
        snapshots.NOW,
        value,
        json.dumps(details or {}),
        is_judged,
    )
    return found


async def flip(
    pool: asyncpg.Pool,
    alert_id: int,
    kind: str = "fired",
    *,
    reason: str = "breach",
    at: datetime = SINCE,
    states: tuple[str, str] = ("pending", "firing"),
    actor: str = "afterbell",
    **evidence: object,
) -> None:
    await pool.execute(
        "INSERT INTO flips (district_id, alert_id, kind, old_state, new_state, reason, evidence, actor, created_at) "
        "VALUES (7, $1, $2, $3, $4, $5, $6::jsonb, $7, $8)",
        alert_id,
        kind,
        *states,
        reason,
        json.dumps(evidence),
        actor,
        at,
    )


async def run(pool: asyncpg.Pool, rule: str, *, error: str | None = None) -> None:
    await pool.execute(
        "INSERT INTO rule_runs VALUES (7, $1, $2::timestamptz, $3, 0.1, 1, 0, "
        "CASE WHEN $4::text IS NOT NULL THEN $2::timestamptz END, $4)",
        rule,
        snapshots.NOW - timedelta(minutes=3),
        snapshots.REPORTED_ON,
        error,
    )


async def kinds(pool: asyncpg.Pool) -> list[str]:
    """Every flip, the oldest first."""
    rows = await pool.fetch("SELECT kind, actor FROM flips ORDER BY flip_id")
    return [f"{row['kind']} by {row['actor']}" for row in rows]


@asynccontextmanager
async def served(
    pool: asyncpg.Pool, *, tokens_file: Path | None = None, page_address: str | None = None
) -> AsyncIterator[str]:
    """The pages of what is in the database, at the tests' present."""
    shown = await coverage.snapshot(pool, now=snapshots.NOW)
    application = web.build(
        metrics=metrics.Metrics(),
        snapshot=lambda: shown,
        health=lambda: web.Health(True, "carrier: all is well"),
        ready=lambda: True,
        clock=lambda: snapshots.NOW,
        access=web.Access(tokens_file=tokens_file, page_address=page_address),
        alert_desk=alert_lists.Desk(pool, lambda district_id: RULES if district_id == 7 else {}),
    )
    async with server.serving(application, host="127.0.0.1", port=0) as port:
        yield f"http://127.0.0.1:{port}"
