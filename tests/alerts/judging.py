"""Runs one rule file's query as the service does, and gives what it says of each subject."""

import json
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import asyncpg

import sql
from service.model import alert_rules


@dataclass(frozen=True)
class Judged:
    subject: str
    school_id: int | None
    since_at: datetime | None
    value: float | None
    details: dict[str, Any]
    is_breached: bool | None


def rule(name: str, profile: str = "local") -> alert_rules.Rule:
    return alert_rules.parse(name, sql.alert_rules()[name], profile=profile)


async def judge(
    pool: asyncpg.Pool,
    name: str,
    *,
    on: date | None,
    now: datetime,
    profile: str = "local",
    threshold: float | None = None,
    district_id: int = 1,
) -> list[Judged]:
    """What a rule says of a day, by subject; ``threshold`` stands in place of its own."""
    of = rule(name, profile)
    rows = await pool.fetch(
        "SELECT subject::text, school_id::bigint, since_at::timestamptz, value::double precision, details::jsonb,"
        f" is_breached::boolean FROM ({of.query}) AS judged"
        # every parameter has its type, also where a query leaves it out
        " WHERE ($1::integer, $2::date, $3::timestamptz, $4::double precision, $5::text) IS NOT DISTINCT FROM"
        " ($1, $2, $3, $4, $5) ORDER BY 1",
        district_id,
        on,
        now,
        of.threshold if threshold is None else threshold,
        of.clock,
    )
    return [Judged(**{**row, "details": json.loads(row["details"] or "{}")}) for row in map(dict, rows)]


def breached(judged: list[Judged]) -> set[str]:
    """The subjects in breach."""
    return {row.subject for row in judged if row.is_breached}


def unknown(judged: list[Judged]) -> set[str]:
    """The subjects of which too little is known."""
    return {row.subject for row in judged if row.is_breached is None}
