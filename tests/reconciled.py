"""A district on its reported day, as rows: what carriers told, what the desk lent, what the roster says."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import asyncpg

from service.store import reconciliation
from tests import factories

DAY = date(2026, 10, 20)  # the reported one
NOW = datetime(2026, 10, 21, 16, tzinfo=UTC)
MB = 1_000_000


def ago(days: int) -> date:
    return DAY - timedelta(days=days)


def at(day: date, hour: int = 12) -> datetime:
    return datetime.combine(day, time(hour), ZoneInfo(factories.ZONE))


@dataclass
class District:
    pool: asyncpg.Pool
    account_id: int
    router_account_id: int
    school_id: int
    other_school_id: int
    plan_id: int

    async def device(self, *, kind: str = "hotspot") -> int:
        return await factories.device(self.pool, kind=kind)

    async def line(
        self,
        status: str | None = "active",
        *,
        device_id: int | None = None,
        kind: str = "hotspot",
        seen: date = DAY - timedelta(days=90),
        has_plan: bool = True,
    ) -> tuple[int, int]:
        """A line, in a device of its own, with a fresh status on the reported day (None: none)."""
        device_id = await self.device(kind=kind) if device_id is None else device_id
        line_id = await factories.line(
            self.pool,
            observed_since=at(seen),
            device_id=device_id,
            plan_id=self.plan_id if has_plan else None,
        )
        if status is not None:
            await self.told(line_id, status=status)
        return line_id, device_id

    async def told(
        self,
        line_id: int,
        on: date = DAY,
        *,
        status: str | None = None,
        mb: float | None = None,
        is_fresh: bool = True,
        account_id: int | None = None,
    ) -> None:
        await self.pool.execute("SELECT ensure_partitions($1, $1)", on)
        await self.pool.execute(
            "INSERT INTO line_days (district_id, on_day, line_id, account_id, used_bytes, basis, status,"
            " is_state_fresh) VALUES ($1, $2, $3, $4, $5, $6::line_day_basis, $7::line_status, $8)"
            " ON CONFLICT (district_id, on_day, line_id, account_id) DO UPDATE"
            " SET used_bytes = excluded.used_bytes, basis = excluded.basis,"
            " status = coalesce(excluded.status, line_days.status)",
            factories.DISTRICT,
            on,
            line_id,
            account_id or self.account_id,
            None if mb is None else round(mb * MB),
            None if mb is None else "bucket",
            status,
            is_fresh and status is not None,
        )

    async def since_told(self, line_id: int, status: str) -> None:
        """A sweep after the reported day."""
        await factories.latest_state(self.pool, line_id, self.account_id, read_at=NOW, status=status)

    async def lend(
        self,
        device_id: int,
        since: date,
        *,
        until: date | None = None,
        lost: date | None = None,
        borrower: str = "",
    ) -> int:
        loan_id = await factories.loan(
            self.pool, device_id, self.school_id, since, returned_on=until, borrower=borrower
        )
        if lost is not None:
            await self.pool.execute("UPDATE loans SET lost_on = $2 WHERE loan_id = $1", loan_id, lost)
        return loan_id

    async def state(
        self,
        loan_id: int,
        first: date,
        last: date = DAY,
        state: str = "suspended",
        reason: str | None = "carrier",
    ) -> None:
        await self.pool.execute("SELECT ensure_partitions($1, $2)", first, last)
        await self.pool.execute(
            "INSERT INTO loan_days (district_id, on_day, loan_id, school_id, state, reason, is_coarse, idle_days,"
            " computed_at) SELECT $1, day::date, $2, $3, $6::loan_state, $7::state_reason, false, 0, now()"
            " FROM generate_series($4::date, $5::date, interval '1 day') AS day",
            factories.DISTRICT,
            loan_id,
            self.school_id,
            first,
            last,
            state,
            reason,
        )

    async def enroll(
        self, student: str, since: date, *, until: date | None = None, elsewhere: bool = False
    ) -> None:
        await self.pool.execute(
            "INSERT INTO enrollments (district_id, student, starts_on, ends_on, school_id)"
            " VALUES ($1, $2, $3, $4, $5)",
            factories.DISTRICT,
            student,
            since,
            until,
            self.other_school_id if elsewhere else self.school_id,
        )

    async def school_day(self, on: date = DAY, **changes: object) -> None:
        """The school's counts on a day; unless told otherwise nothing is wrong with them."""
        values: dict[str, object] = {
            "district_id": factories.DISTRICT, "on_day": on, "school_id": self.school_id,
            "enrolled": 500, "answered": 400, "need": 60, "loaned": 40, "active_30": 35, "active_7": 30,
            "adequate": 25, "unknown": 1, "weak": 0, "exhausted": 0, "idle": 14, "never_used": 0, "suspended": 0,
            "coverage_status": "known", "completeness": 0.95, "is_need_exceeded": False,
            "is_out_of_session": False, "is_instructional": None, "need_source": "totals", "computed_at": NOW,
        } | changes  # fmt: skip
        names = ", ".join(values)
        places = ", ".join(f"${place}" for place in range(1, len(values) + 1))
        await self.pool.execute(f"INSERT INTO school_days ({names}) VALUES ({places})", *values.values())

    async def found(self, kind: str) -> list[reconciliation.Finding]:
        return await reconciliation.findings(self.pool, kind=kind)


async def district(pool: asyncpg.Pool) -> District:
    await factories.district(pool)
    await pool.execute("UPDATE districts SET computed_through_on = $1", DAY + timedelta(days=1))
    plan_id = await pool.fetchval(
        "INSERT INTO plans (district_id, plan_key, monthly_cost) VALUES ($1, 'basic', 15) RETURNING plan_id",
        factories.DISTRICT,
    )
    return District(
        pool,
        await factories.account(pool),
        await factories.account(pool, "routers", collector="netcloud", rank=2),
        await factories.school(pool),
        await factories.school(pool, "410192000002"),
        plan_id,
    )
