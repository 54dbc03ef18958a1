"""Districts, plans and accounts as the configuration names them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

import asyncpg

import sql
from service.store import pool as pools
from service.store import source as sources


@dataclass(frozen=True, kw_only=True)
class Plan:
    key: str
    allowance_bytes: int | None
    allowance_period: str
    cycle_day: int
    at_allowance: str
    monthly_cost: str | None  # as decimal text: money is never a float in the database
    is_pooled: bool = False
    provider: str | None = None
    download_mbps: float | None = None
    upload_mbps: float | None = None
    starts_on: date | None = None
    ends_on: date | None = None  # the first day without service
    is_filtered: bool | None = None  # as the law asks for what children use


@dataclass(frozen=True, kw_only=True)
class Account:
    key: str
    collector: str
    time_zone: str
    lag_days: int
    rank: int
    cadence: timedelta  # of its line states
    plan_key: str | None
    groups: Mapping[str, str] = field(default_factory=dict)  # a vendor's group to the NCES id of its school


@dataclass(frozen=True, kw_only=True)
class District:
    district_id: int
    name: str
    time_zone: str
    school_year_starts: str  # MM-DD
    need_mode: str = "student"  # or household
    plans: Sequence[Plan] = ()
    accounts: Sequence[Account] = ()


async def sync(pool: asyncpg.Pool, districts: Sequence[District]) -> dict[tuple[int, str], sources.Source]:
    """Write what the configuration says; returns the source of every account by (district, key)."""
    found: dict[tuple[int, str], sources.Source] = {}
    with pools.translated():
        async with pool.acquire() as connection, connection.transaction():
            for district in districts:
                for key, source in (await _sync_district(connection, district)).items():
                    found[district.district_id, key] = source
    return found


async def without_households(pool: asyncpg.Pool, district_ids: Sequence[int]) -> list[int]:
    """Of these, the districts that count by household though no answer tells one: nothing can be counted so."""
    with pools.translated():
        rows = await pool.fetch(sql.queries()["districts_without_households"], list(district_ids))
    return [row["district_id"] for row in rows]


async def lines(pool: asyncpg.Pool) -> dict[sources.Source, int]:
    """How many lines (or students' devices) each account has shown so far."""
    with pools.translated():
        rows = await pool.fetch(sql.queries()["lines_of_accounts"])
    return {sources.Source(row["district_id"], row["account_id"]): row["lines"] for row in rows}


async def set_cadence(pool: asyncpg.Pool, source: sources.Source, cadence: timedelta) -> None:
    """Tell how often the account's line states can really be read: facts become unknown by it."""
    with pools.translated():
        await pool.execute(sql.queries()["set_cadence"], source.district_id, source.account_id, cadence)


async def _sync_district(connection: asyncpg.Connection, district: District) -> dict[str, sources.Source]:
    queries = sql.queries()
    district_id = district.district_id
    await connection.execute(
        queries["upsert_district"],
        district_id,
        district.name,
        district.time_zone,
        district.school_year_starts,
        district.need_mode,
    )
    for plan in district.plans:
        await connection.execute(
            queries["upsert_plan"],
            district_id,
            plan.key,
            plan.allowance_bytes,
            plan.allowance_period,
            plan.cycle_day,
            plan.at_allowance,
            plan.monthly_cost,
            plan.is_pooled,
            plan.provider,
            plan.download_mbps,
            plan.upload_mbps,
            plan.starts_on,
            plan.ends_on,
            plan.is_filtered,
        )
    await connection.execute(queries["release_plans"], district_id, [plan.key for plan in district.plans])
    keys = [account.key for account in district.accounts]
    await connection.execute(queries["set_accounts_in_use"], district_id, keys)
    synced = {
        account.key: await _sync_account(connection, district_id, account) for account in district.accounts
    }
    if any(is_changed_file for _, is_changed_file in synced.values()):  # else the imports have done it
        await connection.execute(queries["give_file_lines_their_plan"], district_id, None, None)
    return {key: source for key, (source, _) in synced.items()}


async def _sync_account(
    connection: asyncpg.Connection, district_id: int, account: Account
) -> tuple[sources.Source, bool]:
    """The account's source, and whether lines that only files tell of may have another plan by it."""
    account_id, is_changed_file = await connection.fetchrow(
        sql.queries()["upsert_account"],
        district_id,
        account.key,
        account.collector,
        account.time_zone,
        account.lag_days,
        account.rank,
        account.cadence,
        account.plan_key,
    )
    await connection.execute(sql.queries()["give_lines_their_plan"], district_id, account_id)
    groups, schools = list(account.groups), list(account.groups.values())
    await connection.execute(sql.queries()["unmap_groups"], district_id, account_id, groups)
    await connection.execute(sql.queries()["map_groups"], district_id, account_id, groups, schools)
    return sources.Source(district_id, account_id), is_changed_file
