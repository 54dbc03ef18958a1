"""Rules over a small table that a test fills, so that each judgement is what the test says."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

import asyncpg

from service.model import alert_rules
from service.store import alerts, judging
from tests import factories

DAY = date(2026, 10, 20)  # the reported one
NOW = datetime(2026, 10, 21, 15, tzinfo=UTC)  # 08:00 in Los Angeles
HOUR = timedelta(hours=1)
QUERY = """
SELECT f.subject, f.school_id, f.since_at, f.value, f.details, f.is_breached
FROM facts AS f
WHERE f.rule = 'RULE' AND ($4::double precision IS NULL OR f.value IS NULL OR f.value >= $4)
"""


def rule(name: str = "slow", **changes: Any) -> alert_rules.Rule:
    fields: dict[str, Any] = {
        "name": name,
        "title": "Things that are slow",
        "title_es": "Cosas lentas",
        "about": "fleet",
        "severity": "warning",
        "owner": "it",
        "why": "Slow things annoy.",
        "why_es": "Molestan.",
        "action": "Make them fast.",
        "action_es": "Arréglelas.",
        "query": QUERY.replace("RULE", name),
    }
    return alert_rules.Rule(**{**fields, **changes})


@dataclass
class Facts:
    """A district with a reported day, a table of facts, and the rules that judge them."""

    pool: asyncpg.Pool
    rules: Sequence[alert_rules.Rule] = field(default_factory=lambda: [rule()])
    now: datetime = NOW
    district_id: int = factories.DISTRICT

    async def tell(
        self,
        is_breached: bool | None = True,
        subject: str = "line:1",
        *,
        rule: str = "slow",
        since: datetime | None = None,
        value: float | None = None,
        school_id: int | None = None,
        details: str = "{}",
    ) -> None:
        await self.pool.execute(
            "INSERT INTO facts VALUES ($1, $2, $3, $4, $5, $6::jsonb, $7)"
            " ON CONFLICT (rule, subject) DO UPDATE SET school_id = excluded.school_id,"
            " since_at = excluded.since_at, value = excluded.value, details = excluded.details,"
            " is_breached = excluded.is_breached",
            *(rule, subject, school_id, since, value, details, is_breached),
        )

    async def forget(self, subject: str = "line:1") -> None:
        await self.pool.execute("DELETE FROM facts WHERE subject = $1", subject)

    async def judged(self, after: timedelta = timedelta(0)) -> judging.Evaluated:
        """Evaluate, as much later as told."""
        self.now += after
        return await judging.evaluate(self.pool, self.district_id, self.rules, now=self.now)

    async def alert(self, subject: str = "line:1", rule: str = "slow") -> alerts.Alert:
        alert_id = await self.pool.fetchval(
            "SELECT alert_id FROM alerts WHERE subject = $1 AND rule = $2", subject, rule
        )
        found = await alerts.one(self.pool, self.district_id, alert_id)
        assert found is not None
        return found

    async def state(self, subject: str = "line:1") -> str:
        return (await self.alert(subject)).state

    async def flips(self, subject: str = "line:1", rule: str = "slow") -> list[alerts.Flip]:
        found = await self.alert(subject, rule)
        return await alerts.history(self.pool, self.district_id, found.alert_id)

    async def kinds(self, subject: str = "line:1") -> list[str]:
        return [flip.kind for flip in await self.flips(subject)]

    async def school(self, ncessch: str = "410192000001") -> int:
        return await factories.school(self.pool, ncessch)

    async def lend(self, loan_id: int, school_id: int) -> None:
        """A loan under this number, open for forty days."""
        device_id = await self.pool.fetchval(
            "INSERT INTO devices (district_id, serial) VALUES (1, $1) RETURNING device_id", f"A{loan_id}"
        )
        await self.pool.execute(
            "INSERT INTO loans (district_id, loan_id, device_id, school_id, checked_out_on)"
            " OVERRIDING SYSTEM VALUE VALUES (1, $1, $2, $3, $4)",
            *(loan_id, device_id, school_id, DAY - timedelta(days=40)),
        )

    async def school_day(self, school_id: int, on: date = DAY, *, is_out_of_session: bool = False) -> None:
        await self.pool.execute(
            "INSERT INTO school_days (district_id, on_day, school_id, loaned, active_30, active_7, adequate,"
            " unknown, weak, exhausted, idle, never_used, suspended, coverage_status, completeness,"
            " is_need_exceeded, is_out_of_session, computed_at)"
            " VALUES ($1, $2, $3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 'need_unknown', 1, false, $4, $5)",
            *(self.district_id, on, school_id, is_out_of_session, self.now),
        )


async def made(pool: asyncpg.Pool, *rules: alert_rules.Rule) -> Facts:
    await factories.district(pool)
    await pool.execute("UPDATE districts SET computed_through_on = $1", DAY + timedelta(days=1))
    await pool.execute(
        "CREATE TABLE facts (rule text, subject text, school_id bigint, since_at timestamptz,"
        " value double precision, details jsonb, is_breached boolean, PRIMARY KEY (rule, subject))"
    )
    return Facts(pool, list(rules) or [rule()])
