"""A district's lines, totals and signals as rows, and what rules say of them on its reported day."""

from datetime import date, datetime, timedelta
from typing import Any

import asyncpg

from tests import factories, reconciled
from tests.alerts import judging
from tests.reconciled import DAY, NOW, ago, at

GB = 10**9
YEAR = {"allowance_period": "year", "allowance_bytes": 100 * GB}
POOL = {"is_pooled": True, "allowance_bytes": 10 * GB}


class District(reconciled.District):
    """A district on its reported day, 20 October, and what rules say of it."""

    async def judged(self, name: str, on: date = DAY, **changes: Any) -> list[judging.Judged]:
        return await judging.judge(self.pool, name, on=on, now=NOW + (on - DAY), **changes)

    async def breached(self, name: str, on: date = DAY, **changes: Any) -> set[str]:
        return judging.breached(await self.judged(name, on, **changes))

    async def unknown(self, name: str, on: date = DAY, **changes: Any) -> set[str]:
        return judging.unknown(await self.judged(name, on, **changes))

    async def plan(self, **changes: Any) -> int:
        """The plan of every line that has one."""
        columns = ", ".join(f"{name} = ${place}" for place, name in enumerate(changes, 2))
        await self.pool.execute(
            f"UPDATE plans SET {columns} WHERE plan_id = $1", self.plan_id, *changes.values()
        )
        return self.plan_id

    async def lent_line(self, since: date = DAY - timedelta(days=60)) -> tuple[int, str]:
        """A line on loan, and its loan as a subject."""
        line_id, device_id = await self.line()
        return line_id, f"loan:{await self.lend(device_id, since)}"

    async def total(self, line_id: int, gb: float, on: date = DAY, account_id: int | None = None) -> None:
        """The vendor's total of the cycle."""
        await self.pool.execute(
            "INSERT INTO line_days (district_id, on_day, line_id, account_id, cycle_bytes) VALUES ($1, $2, $3, $4, $5)"
            " ON CONFLICT (district_id, on_day, line_id, account_id) DO UPDATE SET cycle_bytes = excluded.cycle_bytes",
            factories.DISTRICT,
            on,
            line_id,
            account_id or self.account_id,
            round(gb * GB),
        )

    async def limit(self, line_id: int, gb: float, account_id: int | None = None) -> None:
        """What the vendor tells of the line's own allowance."""
        account_id = account_id or self.account_id
        await factories.latest_state(self.pool, line_id, account_id, read_at=NOW)
        await self.pool.execute(
            "UPDATE latest_states SET cycle_limit_bytes = $1 WHERE line_id = $2 AND account_id = $3",
            round(gb * GB),
            line_id,
            account_id,
        )

    async def carried(
        self, line_id: int, gb: float, on: date = DAY, *, starts_on: date, ends_on: date
    ) -> None:
        """What was added up of a yearly or a pooled allowance."""
        await self.pool.execute("SELECT ensure_partitions($1, $1)", on)
        await self.pool.execute(
            "INSERT INTO allowance_days VALUES ($1, $2, $3, $4, $5, $6, $7, 0, NULL, false)",
            factories.DISTRICT, on, line_id, self.plan_id, starts_on, ends_on, round(gb * GB),
        )  # fmt: skip

    async def stands(self, rule: str, subject: str) -> None:
        """An alert that fired earlier."""
        await self.pool.execute(
            "INSERT INTO alerts (district_id, rule, subject, state, severity, breached_since_at, judged_at)"
            " VALUES ($1, $2, $3, 'firing', 'warning', $4, $4)",
            factories.DISTRICT,
            rule,
            subject,
            NOW - timedelta(days=1),
        )

    async def signals(
        self, line_id: int, rsrp: float, rsrq: float | None = None, *, samples: int = 20
    ) -> None:
        await self.pool.execute("SELECT ensure_partitions($1, $2)", ago(8), DAY)
        await self.pool.executemany(
            "INSERT INTO signal_readings VALUES ($1, $2, $3, 'sample', 'modem', $4, $5, $6)",
            [
                (
                    factories.DISTRICT,
                    line_id,
                    self.account_id,
                    at(ago(6)) + timedelta(hours=6 * n),
                    rsrp,
                    rsrq,
                )
                for n in range(samples)
            ],
        )

    async def moved(self, line_id: int, device_id: int, when: datetime) -> None:
        """The SIM went into another device."""
        await self.pool.execute(
            "UPDATE line_device_links SET ends_at = $2 WHERE line_id = $1 AND ends_at IS NULL", line_id, when
        )
        await factories.link(self.pool, line_id, device_id, starts_at=when)


async def district(pool: asyncpg.Pool) -> District:
    return District(**vars(await reconciled.district(pool)))
