"""Loans and what is known of them on the judged day, straight into the tables."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import asyncpg

from tests import factories
from tests.alerts import judging

DAY = date(2026, 10, 20)  # the judged one, a Tuesday
NOW = datetime(2026, 10, 21, 13, tzinfo=UTC)  # 06:00 of the next morning


def ago(days: int, since: date = DAY) -> date:
    return since - timedelta(days=days)


LONG_AGO = ago(120)


@dataclass
class Lent:
    """A district with a school, whose loans ``lend`` makes."""

    pool: asyncpg.Pool
    school_id: int

    async def lend(
        self,
        since: date = LONG_AGO,
        *,
        kind: str = "hotspot",
        borrower: str = "",
        household: str = "",
        due_on: date | None = None,
        back: date | None = None,
        lost: date | None = None,
        school_id: int | None = None,
    ) -> int:
        loan_id = await factories.loan(
            self.pool,
            await factories.device(self.pool, kind=kind),
            school_id or self.school_id,
            since,
            borrower=borrower,
            household=household,
            due_on=due_on,
            returned_on=back,
        )
        await self.pool.execute("UPDATE loans SET lost_on = $2 WHERE loan_id = $1", loan_id, lost)
        return loan_id

    async def unused(
        self,
        calendar: int,
        instructional: int | None = None,
        *,
        state: str = "idle",
        on: date = DAY,
        loan_id: int | None = None,
        **told: Any,
    ) -> int:
        """A loan without use for so many days of either clock."""
        loan_id = await self.lend(**told) if loan_id is None else loan_id
        await self.pool.execute("SELECT ensure_partitions($1, $1)", on)
        await self.pool.execute(
            "INSERT INTO loan_days (district_id, on_day, loan_id, school_id, state, is_coarse, idle_days,"
            " idle_instructional_days, last_used_on, observed_since_on, computed_at)"
            " VALUES (1, $1, $2, $3, $4, false, $5, $6, $7, $8, now())",
            on,
            loan_id,
            self.school_id,
            state,
            calendar,
            instructional,
            None if state == "never_used" else ago(calendar, on),
            ago(120, on),
        )
        return loan_id

    async def alert(
        self, rule: str, subject: str, *, fired_at: datetime = NOW, state: str = "firing"
    ) -> None:
        """An alert that stands."""
        await self.pool.execute(
            "INSERT INTO alerts (district_id, rule, subject, school_id, state, severity, breached_since_at,"
            " fired_at, judged_at) VALUES (1, $1, $2, $3, $4::alert_state, 'warning', $5, $5, $5)"
            " ON CONFLICT (district_id, rule, subject) DO UPDATE"
            " SET state = excluded.state, fired_at = excluded.fired_at",
            rule,
            subject,
            self.school_id,
            state,
            fired_at,
        )

    async def calendar(self, first: date, last: date, kind: str = "instructional") -> None:
        """Every weekday from the first to the last."""
        await self.pool.execute(
            "INSERT INTO calendar_days SELECT 1, day::date, $3::day_kind"
            " FROM generate_series($1::date::timestamp, $2::date::timestamp, interval '1 day') AS day"
            " WHERE extract(isodow FROM day) < 6"
            " ON CONFLICT (district_id, on_day) DO UPDATE SET kind = excluded.kind",
            first,
            last,
            kind,
        )

    async def judge(
        self,
        name: str,
        *,
        on: date = DAY,
        now: datetime | None = None,
        profile: str = "local",
        threshold: float | None = None,
    ) -> dict[str, judging.Judged]:
        """What a rule says of a day, on the morning after unless told otherwise, by subject."""
        at = NOW + (on - DAY) if now is None else now
        rows = await judging.judge(self.pool, name, on=on, now=at, profile=profile, threshold=threshold)
        return {row.subject: row for row in rows}

    async def breached(self, name: str, **asked: Any) -> list[str]:
        return [subject for subject, row in (await self.judge(name, **asked)).items() if row.is_breached]


async def lent(pool: asyncpg.Pool) -> Lent:
    await factories.district(pool)
    return Lent(pool, await factories.school(pool))
