"""Lines with plans, loans and days straight into the tables: for what is told of money and of unused hotspots."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import asyncpg

from tests import factories

SCHOOL = "410192000001"
OTHER = "410192000002"
TODAY = date(2026, 11, 17)  # the reported day
FIRST, LAST = date(2026, 10, 1), date(2026, 10, 31)
NOW = datetime(2026, 11, 18, 20, tzinfo=UTC)


@dataclass(frozen=True)
class Ledger:
    """A district with two schools, a carrier and a plan of 15 dollars a month."""

    pool: asyncpg.Pool
    carrier: int
    plan: int
    schools: dict[str, int]

    async def plan_of(self, key: str, monthly_cost: str | None) -> int:
        made: int = await self.pool.fetchval(
            "INSERT INTO plans (district_id, plan_key, monthly_cost) "
            "VALUES (1, $1, $2::text::numeric) RETURNING plan_id",
            key,
            monthly_cost,
        )
        return made

    async def line(
        self,
        *,
        plan_id: int | None = -1,
        kind: str = "hotspot",
        observed_since: datetime = factories.OBSERVED_SINCE,
    ) -> tuple[int, int]:
        """A line in a device of its own."""
        device = await factories.device(self.pool, kind=kind)
        line = await factories.line(
            self.pool,
            plan_id=self.plan if plan_id == -1 else plan_id,
            device_id=device,
            observed_since=observed_since,
        )
        return line, device

    async def lend(
        self,
        device: int,
        school: str = SCHOOL,
        out: date = date(2026, 9, 1),
        back: date | None = None,
        *,
        borrower: str = "",
    ) -> int:
        return await factories.loan(
            self.pool, device, self.schools[school], out, borrower=borrower, returned_on=back
        )

    async def days(
        self,
        line: int,
        used: int | None = 0,
        first: date = FIRST,
        last: date = LAST,
        *,
        status: str | None = "active",
        account: int | None = None,
    ) -> None:
        """Every day from the first to the last the same."""
        await self.pool.execute("SELECT ensure_partitions($1, $2)", first, last)
        await self.pool.execute(
            "INSERT INTO line_days (district_id, on_day, line_id, account_id, used_bytes, basis, status, "
            "is_state_fresh) "
            "SELECT 1, day::date, $1, $2, $3, CASE WHEN $3::bigint IS NOT NULL THEN 'bucket'::line_day_basis END, "
            "$4::text::line_status, $4::text IS NOT NULL FROM generate_series($5::date, $6::date, '1 day') AS day "
            "ON CONFLICT (district_id, on_day, line_id, account_id) DO UPDATE SET used_bytes = excluded.used_bytes",
            line,
            account or self.carrier,
            used,
            status,
            first,
            last,
        )

    async def file_period(self, line: int, total: int, first: date, last: date, *, account: int) -> None:
        """A portal's total over whole days of the provider."""
        await self.pool.execute(
            "INSERT INTO usage_spans SELECT 1, $1, $2, $3::date::timestamp AT TIME ZONE time_zone, "
            "($4::date + 1)::timestamp AT TIME ZONE time_zone, $5, true FROM accounts WHERE account_id = $2",
            line,
            account,
            first,
            last,
            total,
        )

    async def loan_day(
        self, loan: int, state: str, idle_days: int, *, on_day: date = TODAY, **told: object
    ) -> None:
        values: dict[str, object] = {
            "last_used_on": None, "observed_since_on": date(2026, 9, 1), "is_coarse": False, "school": SCHOOL, **told,
        }  # fmt: skip
        school = self.schools[str(values.pop("school"))]
        await self.pool.execute("SELECT ensure_partitions($1, $1)", on_day)
        await self.pool.execute(
            "INSERT INTO loan_days (district_id, on_day, loan_id, school_id, state, idle_days, computed_at, "
            "last_used_on, observed_since_on, is_coarse) VALUES (1, $1, $2, $3, $4, $5, $6, $7, $8, $9)",
            on_day,
            loan,
            school,
            state,
            idle_days,
            NOW,
            *(values[name] for name in ("last_used_on", "observed_since_on", "is_coarse")),
        )

    async def school_day(self, school: str, on_day: date, *, adequate: int = 10, **told: object) -> None:
        """A known day; what is told stands for the columns of the table."""
        need = told.pop("need", 40)
        values: dict[str, object] = {
            "enrolled": 400, "answered": 380, "need": need, "loaned": 30, "active_30": 28, "active_7": 25,
            "adequate": adequate, "unknown": 0, "weak": 0, "exhausted": 0, "idle": 0, "never_used": 0, "suspended": 0,
            "coverage_status": "known", "completeness": 1.0, "is_need_exceeded": False, "is_instructional": True,
            "is_out_of_session": False, "computed_at": NOW, "need_source": "totals",
            "coverage": None if not need else min(adequate, int(str(need))) / int(str(need)),
            "district_id": 1, "on_day": on_day, "school_id": self.schools[school], **told,
        }  # fmt: skip
        places = ", ".join(f"${place}" for place in range(1, len(values) + 1))
        await self.pool.execute(
            f"INSERT INTO school_days ({', '.join(values)}) VALUES ({places})", *values.values()
        )


async def ledger(pool: asyncpg.Pool, *, monthly_cost: str | None = "15.00") -> Ledger:
    await factories.district(pool)
    carrier = await factories.account(pool)
    schools = {
        SCHOOL: await factories.school(pool, SCHOOL, name="Alder", is_high_needs=True, basis="List 2026"),
        OTHER: await factories.school(pool, OTHER, name="Birch", is_high_needs=False),
    }
    made = Ledger(pool, carrier, 0, schools)
    plan = await made.plan_of("basic", monthly_cost)
    await pool.execute("UPDATE districts SET computed_through_on = $1", TODAY)
    return Ledger(pool, carrier, plan, schools)


def days_before(days: int, day: date = TODAY) -> date:
    return day - timedelta(days=days)
