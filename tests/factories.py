"""Rows for tests, by SQL: each function makes one thing and returns its id; the defaults fit together."""

from datetime import UTC, date, datetime

import asyncpg

DISTRICT = 1
ZONE = "America/Los_Angeles"
OBSERVED_SINCE = datetime(2026, 8, 1, tzinfo=UTC)


async def district(pool: asyncpg.Pool, district_id: int = DISTRICT, *, time_zone: str = ZONE) -> int:
    await pool.execute(
        "INSERT INTO districts (district_id, name, time_zone) VALUES ($1, $2, $3)",
        district_id,
        f"District {district_id}",
        time_zone,
    )
    return district_id


async def school(
    pool: asyncpg.Pool,
    ncessch: str = "410192000001",
    *,
    district_id: int = DISTRICT,
    name: str | None = None,
    is_high_needs: bool | None = None,
    basis: str | None = None,
) -> int:
    return await _id(
        pool,
        "INSERT INTO schools (district_id, ncessch, name, is_high_needs, high_needs_basis) "
        "VALUES ($1, $2, $3, $4, $5) RETURNING school_id",
        district_id,
        ncessch,
        name or f"School {ncessch[-3:]}",
        is_high_needs,
        basis,
    )


async def need(
    pool: asyncpg.Pool,
    school_id: int,
    as_of_on: date,
    *,
    enrolled: int = 500,
    answered: int = 400,
    need: int = 60,
    district_id: int = DISTRICT,
) -> None:
    await pool.execute(
        "INSERT INTO need_counts VALUES ($1, $2, $3, $4, $5, $6)",
        district_id,
        school_id,
        as_of_on,
        enrolled,
        answered,
        need,
    )


async def account(
    pool: asyncpg.Pool,
    key: str = "carrier",
    *,
    collector: str = "kajeet",
    time_zone: str = ZONE,
    lag_days: int = 0,
    rank: int = 1,
    district_id: int = DISTRICT,
) -> int:
    return await _id(
        pool,
        "INSERT INTO accounts (district_id, account_key, collector, time_zone, lag_days, rank) "
        "VALUES ($1, $2, $3, $4, $5, $6) RETURNING account_id",
        district_id,
        key,
        collector,
        time_zone,
        lag_days,
        rank,
    )


async def group(
    pool: asyncpg.Pool,
    account_id: int,
    key: str,
    *,
    school_id: int | None = None,
    district_id: int = DISTRICT,
) -> None:
    await pool.execute(
        "INSERT INTO provider_groups (district_id, account_id, group_key, school_id) VALUES ($1, $2, $3, $4)",
        district_id,
        account_id,
        key,
        school_id,
    )


async def device(
    pool: asyncpg.Pool,
    imei: str | None = None,
    *,
    serial: str | None = None,
    kind: str = "hotspot",
    district_id: int = DISTRICT,
) -> int:
    return await _id(
        pool,
        "INSERT INTO devices (district_id, imei, serial, kind) VALUES ($1, $2, $3, $4) RETURNING device_id",
        district_id,
        imei,
        serial,
        kind,
    )


async def line(
    pool: asyncpg.Pool,
    *,
    iccid: str | None = None,
    mdn: str | None = None,
    observed_since: datetime = OBSERVED_SINCE,
    plan_id: int | None = None,
    device_id: int | None = None,
    district_id: int = DISTRICT,
) -> int:
    """A line; with ``device_id``, in that device as far back as anyone knows."""
    line_id = await _id(
        pool,
        "INSERT INTO lines (district_id, iccid, mdn, observed_since, plan_id) "
        "VALUES ($1, $2, $3, $4, $5) RETURNING line_id",
        district_id,
        iccid,
        mdn,
        observed_since,
        plan_id,
    )
    if device_id is not None:
        await link(pool, line_id, device_id, district_id=district_id)
    return line_id


async def link(
    pool: asyncpg.Pool,
    line_id: int,
    device_id: int,
    *,
    starts_at: datetime | None = None,
    ends_at: datetime | None = None,
    district_id: int = DISTRICT,
) -> None:
    """The line was in the device; without ``starts_at``, as far back as anyone knows."""
    await pool.execute(
        "INSERT INTO line_device_links (district_id, line_id, starts_at, ends_at, device_id) "
        "VALUES ($1, $2, coalesce($3::timestamptz, '-infinity'), $4, $5)",
        district_id,
        line_id,
        starts_at,
        ends_at,
        device_id,
    )


async def latest_state(
    pool: asyncpg.Pool,
    line_id: int,
    account_id: int,
    *,
    read_at: datetime,
    status: str = "active",
    group_key: str | None = None,
    district_id: int = DISTRICT,
) -> None:
    await pool.execute(
        "INSERT INTO latest_states (district_id, line_id, account_id, read_at, status, group_key) "
        "VALUES ($1, $2, $3, $4, $5, $6)",
        district_id,
        line_id,
        account_id,
        read_at,
        status,
        group_key,
    )


async def loan(
    pool: asyncpg.Pool,
    device_id: int,
    school_id: int,
    checked_out_on: date,
    *,
    borrower: str = "",
    household: str = "",
    due_on: date | None = None,
    returned_on: date | None = None,
    district_id: int = DISTRICT,
) -> int:
    return await _id(
        pool,
        "INSERT INTO loans (district_id, device_id, school_id, borrower, household, checked_out_on, due_on, "
        "returned_on) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING loan_id",
        district_id,
        device_id,
        school_id,
        borrower,
        household,
        checked_out_on,
        due_on,
        returned_on,
    )


async def _id(pool: asyncpg.Pool, statement: str, *values: object) -> int:
    made: int = await pool.fetchval(statement, *values)
    return made
