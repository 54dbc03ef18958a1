"""A small Kajeet fleet behind the real simulator, polled by the real runner into a real database."""

import contextlib
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

import asyncpg

from collectors import base, budget, client, registry, simulation
from collectors.kajeet import simulator as kajeet_simulator
from collectors.kajeet import world as kajeet_world
from service.metrics import Metrics
from service.polling import accounts, runner
from service.store import accounts as account_rows
from service.store import rollups

DISTRICT = 1
ZONE = "America/New_York"
QUICK = client.Limits(
    attempt_seconds=2,
    total_seconds=3,
    attempts=2,
    wait_initial_seconds=0.001,
    wait_max_seconds=0.002,
    wait_jitter_seconds=0,
)


def imei(number: int) -> str:
    """A valid IMEI: 14 digits and the Luhn digit."""
    body = f"86000000{number:06d}"
    return body + luhn(body)


def iccid(number: int) -> str:
    body = f"8901260{number:011d}"
    return body + luhn(body)


def luhn(body: str) -> str:
    total = 0
    for place, digit in enumerate(reversed(body)):
        value = int(digit) * (2 if place % 2 == 0 else 1)
        total += value - 9 if value > 9 else value
    return str(-total % 10)


def device(number: int, **changes: Any) -> kajeet_world.Device:
    """Hotspot ``number``: on loan, active, with no use."""
    mdn = f"21255{number:05d}"
    fields: dict[str, Any] = {
        "key": mdn,
        "mdn": mdn,
        "status": "active",
        "corp_id": "5001",
        "imei": imei(number),
        "uicc": iccid(number),
        "day_amount_mb": 0.0,
        "month_amount_mb": 0.0,
        "last_30_days_mb": 0.0,
        "online": True,
    }
    return kajeet_world.Device(**{**fields, **changes})


@dataclass
class Fleet:
    """A world that tests change, a clock that they set, and a runner that sweeps one into the database."""

    pool: asyncpg.Pool
    now: datetime
    world: kajeet_world.StaticWorld
    simulator: kajeet_simulator.Simulator
    account: accounts.Account
    metrics: Metrics = field(default_factory=Metrics)

    def clock(self) -> datetime:
        return self.now

    @property
    def _runner(self) -> runner.Runner:
        return runner.Runner(self.pool, self.clock, self.metrics)

    @property
    def devices_group(self) -> base.EndpointGroup:
        return next(group for group in self.account.collector.endpoint_groups if group.name == "devices")

    def show(self, number: int, **changes: Any) -> None:
        """Change, or add, hotspot ``number`` as the vendor shows it."""
        key = f"21255{number:05d}"
        known = next((row for row in self.world.rows if row.key == key), None)
        rows = [row for row in self.world.rows if row.key != key]
        fields = {name: getattr(known, name) for name in known.__struct_fields__} if known else {}
        self.world.rows[:] = [*rows, device(number, **{**fields, **changes})]
        self.simulator.forget()

    def hide(self, number: int) -> None:
        self.world.rows[:] = [row for row in self.world.rows if row.key != f"21255{number:05d}"]
        self.simulator.forget()

    async def sweep(self, at: datetime | None = None) -> runner.Result:
        if at is not None:
            self.now = at
            self.simulator.forget()
        return await self._runner.sweep(self.account, self.devices_group)

    async def sweep_group(self, name: str) -> runner.Result:
        group = next(known for known in self.account.collector.endpoint_groups if known.name == name)
        return await self._runner.sweep(self.account, group)

    async def refresh(self, thresholds: rollups.Thresholds | None = None) -> int:
        return await rollups.refresh(
            self.pool,
            rollups.District(DISTRICT, ZONE),
            now=self.now,
            thresholds=thresholds or rollups.Thresholds(),
        )

    async def rows(self, query: str, *values: object) -> list[dict[str, Any]]:
        return [dict(row) for row in await self.pool.fetch(query, *values)]

    async def school(
        self,
        name: str,
        *,
        ncessch: str | None = None,
        need: tuple[int, int, int] | None = None,
        as_of: date = date(2026, 9, 1),
    ) -> int:
        """A school, with (enrolled, answered, need) where given."""
        school_id: int = await self.pool.fetchval(
            "INSERT INTO schools (district_id, ncessch, name) VALUES ($1, $2, $3) RETURNING school_id",
            DISTRICT,
            ncessch or f"9900001{abs(hash(name)) % 100000:05d}",
            name,
        )
        if need:
            await self.pool.execute(
                "INSERT INTO need_counts VALUES ($1, $2, $3, $4, $5, $6)", DISTRICT, school_id, as_of, *need
            )
        return school_id

    async def lend(
        self, number: int, school_id: int, on: date, *, borrower: str = "", returned: date | None = None
    ) -> int:
        """Lend hotspot ``number``; the device is made where no sweep has seen it yet."""
        device_id = await self.pool.fetchval(
            "INSERT INTO devices (district_id, imei) VALUES ($1, $2)"
            " ON CONFLICT (district_id, imei) DO UPDATE SET imei = excluded.imei RETURNING device_id",
            DISTRICT,
            imei(number),
        )
        loan_id: int = await self.pool.fetchval(
            "INSERT INTO loans (district_id, device_id, school_id, borrower, checked_out_on, returned_on)"
            " VALUES ($1, $2, $3, $4, $5, $6) RETURNING loan_id",
            DISTRICT,
            device_id,
            school_id,
            borrower,
            on,
            returned,
        )
        await self.pool.execute(
            "INSERT INTO dirty_loan_days VALUES ($1, $2) ON CONFLICT DO NOTHING", DISTRICT, on
        )
        return loan_id

    async def states(self, on: date) -> dict[int, str]:
        """State by loan on a day."""
        rows = await self.pool.fetch("SELECT loan_id, state::text FROM loan_days WHERE on_day = $1", on)
        return {row["loan_id"]: row["state"] for row in rows}

    @property
    def account_id(self) -> int:
        return self.account.source.account_id

    async def add_account(
        self,
        key: str,
        *,
        rank: int = 5,
        zone: str = ZONE,
        lag_days: int = 0,
        cadence: timedelta = timedelta(hours=1),
    ) -> int:
        """One more source: of what no simulator shows, tests insert the readings themselves."""
        account_id: int = await self.pool.fetchval(
            "INSERT INTO accounts (district_id, account_key, collector, time_zone, rank, lag_days, cadence)"
            " VALUES ($1, $2, 'file', $3, $4, $5, $6) RETURNING account_id",
            DISTRICT,
            key,
            zone,
            rank,
            lag_days,
            cadence,
        )
        return account_id

    async def line(
        self,
        number: int,
        *,
        seen: str = "2026-10-01 00:00",
        in_device: int | None = None,
        kind: str = "hotspot",
    ) -> int:
        """The line that is, and always was, in hotspot ``number``: no sweep needs to have seen it."""
        device_id = await self.pool.fetchval(
            "INSERT INTO devices (district_id, imei, kind) VALUES ($1, $2, $3::device_kind)"
            " ON CONFLICT (district_id, imei) DO UPDATE SET kind = excluded.kind RETURNING device_id",
            DISTRICT,
            imei(number if in_device is None else in_device),
            kind,
        )
        line_id: int = await self.pool.fetchval(
            "INSERT INTO lines (district_id, iccid, observed_since) VALUES ($1, $2, $3) RETURNING line_id",
            DISTRICT,
            iccid(number),
            local(seen),
        )
        await self.pool.execute(
            "INSERT INTO line_device_links (district_id, line_id, starts_at, device_id)"
            " VALUES ($1, $2, '-infinity', $3)",
            DISTRICT,
            line_id,
            device_id,
        )
        return line_id

    async def usage(
        self,
        line_id: int,
        at: datetime,
        mb: float,
        *,
        series: str = "day",
        until: datetime | None = None,
        account_id: int | None = None,
    ) -> None:
        """A counter's total at an instant, or the bytes of an interval; a reading told again is replaced."""
        await self._known_to(account_id or self.account_id, line_id, at)
        await self.pool.execute(
            "INSERT INTO usage_readings VALUES ($1, $2, $3, $4::reading_kind, $5::reading_series, $6, $7, $8)"
            " ON CONFLICT (district_id, line_id, account_id, kind, series, starts_at)"
            " DO UPDATE SET ends_at = excluded.ends_at, total_bytes = excluded.total_bytes",
            DISTRICT,
            line_id,
            account_id or self.account_id,
            "interval" if until else "counter",
            series,
            at,
            until,
            round(mb * 1_000_000),
        )

    async def state(
        self,
        line_id: int,
        at: datetime,
        status: str = "active",
        *,
        by: str | None = None,
        online: bool | None = None,
        day_limit_mb: float | None = None,
        cycle_limit_mb: float | None = None,
        account_id: int | None = None,
    ) -> None:
        """What a sweep at an instant would have stored of the line, but for its use."""
        account_id = account_id or self.account_id
        await self._known_to(account_id, line_id, at)
        await self.pool.execute(
            "INSERT INTO state_readings VALUES"
            " ($1, $2, $3, 'sample', 'line', $4, $5::line_status, $6::suspended_by, $7) ON CONFLICT DO NOTHING",
            DISTRICT,
            line_id,
            account_id,
            at,
            status,
            by,
            online,
        )
        limits = [None if mb is None else round(mb * 1_000_000) for mb in (day_limit_mb, cycle_limit_mb)]
        await self.pool.execute(
            "INSERT INTO latest_states AS o VALUES"
            " ($1, $2, $3, $4, $5::line_status, $5::text, $6::suspended_by, $7, $8, $9)"
            " ON CONFLICT (district_id, account_id, line_id) DO UPDATE SET read_at = excluded.read_at,"
            " status = excluded.status, suspended_by = excluded.suspended_by, is_online = excluded.is_online,"
            " day_limit_bytes = excluded.day_limit_bytes, cycle_limit_bytes = excluded.cycle_limit_bytes"
            " WHERE o.read_at <= excluded.read_at",
            DISTRICT,
            line_id,
            account_id,
            at,
            status,
            by,
            online,
            *limits,
        )

    async def told(
        self,
        line_id: int,
        first: date,
        last: date | None = None,
        mb: float | None = 0.0,
        *,
        clock: str = "23:55",
        status: str = "active",
        by: str | None = None,
    ) -> None:
        """One reading a day at a local time: the day's total (None: no figure) and the line's status."""
        on = first
        while on <= (last or first):
            at = local(f"{on} {clock}")
            if mb is not None:
                await self.usage(line_id, at, mb)
            await self.state(line_id, at, status, by=by)
            on += timedelta(days=1)

    async def signal(self, line_id: int, at: datetime, rsrp_dbm: float | None) -> None:
        await self._partitions(at.date(), at.date())
        await self.pool.execute(
            "INSERT INTO signal_readings VALUES ($1, $2, $3, 'sample', 'modem', $4, $5)",
            DISTRICT,
            line_id,
            self.account_id,
            at,
            rsrp_dbm,
        )

    async def span(self, line_id: int, account_id: int, first: date, until: date, mb: float) -> None:
        """A portal's figure for the days from ``first`` until before ``until``."""
        await self.pool.execute(
            "INSERT INTO usage_spans VALUES ($1, $2, $3, $4, $5, $6, true)",
            DISTRICT,
            line_id,
            account_id,
            local(f"{first} 00:00"),
            local(f"{until} 00:00"),
            round(mb * 1_000_000),
        )

    async def calendar(
        self, first: date, last: date, kind: str = "instructional", *, school: int | None = None
    ) -> None:
        """Weekdays of this kind, in the district's calendar or in a school's own."""
        table, key = ("calendar_days", "$1") if school is None else ("school_calendar_days", f"$1, {school}")
        on = first
        while on <= last:
            if on.weekday() < 5:
                await self.pool.execute(
                    f"INSERT INTO {table} VALUES ({key}, $2, $3::day_kind)"
                    f" ON CONFLICT (district_id, {'' if school is None else 'school_id, '}on_day)"
                    " DO UPDATE SET kind = excluded.kind",
                    DISTRICT,
                    on,
                    kind,
                )
            on += timedelta(days=1)

    async def mark(self, first: date, last: date) -> None:
        """Have every line's and every loan's days computed again."""
        await self._partitions(first, last)
        await self.pool.execute(
            "INSERT INTO dirty_line_days (district_id, account_id, on_day, line_id)"
            " SELECT a.district_id, a.account_id, day::date, 0 FROM accounts AS a"
            " CROSS JOIN generate_series($1::date::timestamp, $2::date::timestamp, interval '1 day') AS day"
            " ON CONFLICT DO NOTHING",
            first,
            last,
        )
        await self.pool.execute(
            "INSERT INTO dirty_loan_days SELECT $1, day::date"
            " FROM generate_series($2::date::timestamp, $3::date::timestamp, interval '1 day') AS day"
            " ON CONFLICT DO NOTHING",
            DISTRICT,
            first,
            last,
        )

    async def computed(self, first: date, last: date) -> None:
        """Compute these days anew as one does five minutes after the last of them."""
        self.now = local(f"{last + timedelta(days=1)} 00:05")
        await self.mark(first, last)
        await self.refresh()

    async def used_mb(self, line_id: int, on: date, account_id: int | None = None) -> float | None:
        """What an account says of a line's day; None: unknown."""
        found = await self.pool.fetchval(
            "SELECT used_bytes FROM line_days WHERE on_day = $1 AND line_id = $2 AND account_id = $3",
            on,
            line_id,
            account_id or self.account_id,
        )
        return None if found is None else found / 1_000_000

    async def loan_day(self, loan_id: int, on: date) -> dict[str, Any]:
        rows = await self.rows("SELECT * FROM loan_days WHERE loan_id = $1 AND on_day = $2", loan_id, on)
        assert len(rows) == 1, f"{len(rows)} rows of loan {loan_id} on {on}"
        return rows[0]

    async def state_of(self, loan_id: int, on: date) -> tuple[str, str | None]:
        row = await self.loan_day(loan_id, on)
        return row["state"], row["reason"]

    async def school_day(self, school_id: int, on: date) -> dict[str, Any]:
        rows = await self.rows(
            "SELECT * FROM school_days WHERE school_id = $1 AND on_day = $2", school_id, on
        )
        assert len(rows) == 1, f"{len(rows)} rows of school {school_id} on {on}"
        return rows[0]

    async def line_of(self, number: int) -> int:
        """The line that a sweep has seen under hotspot ``number``'s SIM."""
        line_id: int = await self.pool.fetchval("SELECT line_id FROM lines WHERE iccid = $1", iccid(number))
        return line_id

    async def runs(self) -> list[dict[str, Any]]:
        """The account's sweeps, oldest first."""
        return await self.rows(
            "SELECT * FROM poll_runs WHERE account_id = $1 ORDER BY poll_run_id", self.account_id
        )

    async def watermark(self) -> dict[str, Any]:
        """The account's row of watermarks: it has one endpoint group."""
        (row,) = await self.rows("SELECT * FROM watermarks WHERE account_id = $1", self.account_id)
        return row

    async def seen_at(self, instant: datetime) -> int:
        """How many lines the account has a state of at an instant."""
        lines: int = await self.pool.fetchval(
            "SELECT count(*) FROM state_readings WHERE account_id = $1 AND starts_at = $2",
            self.account_id,
            instant,
        )
        return lines

    def counted(self, name: str, **labels: str) -> float | None:
        """A counter of the account; None before it has counted anything."""
        known = {"district": str(DISTRICT), "account": self.account.key}
        return self.metrics.registry.get_sample_value(f"afterbell_{name}", {**known, **labels})

    async def _known_to(self, account_id: int, line_id: int, at: datetime) -> None:
        """Have the account know the line, and the tables the instant."""
        await self._partitions(at.date(), at.date())
        await self.pool.execute(
            "INSERT INTO provider_keys VALUES ($1, $2, $3::bigint::text, $3, '') ON CONFLICT DO NOTHING",
            DISTRICT,
            account_id,
            line_id,
        )

    async def _partitions(self, first: date, last: date) -> None:
        await self.pool.execute("SELECT ensure_partitions($1::date - 1, $2::date + 1)", first, last)


def local(text: str) -> datetime:
    """An instant from district-local text, such as '2026-10-05 12:00'."""
    from zoneinfo import ZoneInfo

    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(ZONE)).astimezone(UTC)


def every(hours: int, first: datetime, last: datetime) -> Iterable[datetime]:
    at = first
    while at <= last:
        yield at
        at += timedelta(hours=hours)


@contextlib.asynccontextmanager
async def polled(
    pool: asyncpg.Pool,
    devices: Sequence[kajeet_world.Device] = (),
    *,
    now: datetime | None = None,
    settings: kajeet_simulator.Settings | None = None,
    limits: client.Limits = QUICK,
    lag_days: int = 0,
    key: str = "kajeet",
    rank: int = 1,
    **options: Any,
) -> AsyncIterator[Fleet]:
    """A fleet of ``devices`` under an account with these collector options."""
    world = kajeet_world.StaticWorld(devices, [kajeet_world.Group(key="5001")])
    simulator = kajeet_simulator.Simulator(world, settings=settings)
    async with simulation.serve(simulator) as url:
        known = {"base_url": url, "corp_ids": ["5001"], "requests_per_second": 100_000, "cadence_minutes": 60}
        collector = registry.build(
            "kajeet",
            {**known, **options},
            {"client_id": simulator.settings.client_id, "client_secret": simulator.settings.client_secret},
            budgets=budget.Unlimited(),
            limits=limits,
        )
        row = account_rows.Account(
            key=key,
            collector="kajeet",
            time_zone=ZONE,
            lag_days=lag_days,
            rank=rank,
            cadence=registry.cadence("kajeet", {**known, **options}),
            plan_key=None,
        )
        district = account_rows.District(
            district_id=DISTRICT,
            name="Northfield",
            time_zone=ZONE,
            school_year_starts="07-01",
            accounts=[row],
        )
        sources = await account_rows.sync(pool, [district])
        account = accounts.Account(key, sources[DISTRICT, key], collector)
        try:
            yield Fleet(pool, now or datetime(2026, 10, 5, 16, tzinfo=UTC), world, simulator, account)
        finally:
            await collector.aclose()
