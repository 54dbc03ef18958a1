"""What two sources cannot both be right about: raised, settled when they agree, decided by a person."""

import enum
from dataclasses import dataclass
from datetime import datetime

import asyncpg

import sql
from service.store import pool as pools
from service.store import source as sources

LISTED = 20  # of each district, where not all are asked for


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """By internal ids: ``device_id`` is in force, ``other_device_id`` is claimed."""

    district_id: int
    conflict_id: int
    kind: str  # line_device, serial
    line_id: int
    device_id: int
    other_device_id: int
    account_key: str  # who claims it
    against_account_key: str | None  # who says what is in force; None: no account does
    opened_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Told(Conflict):
    """With what names the line and the devices: for the terminal alone."""

    iccid: str | None
    mdn: str | None
    imei: str | None
    serial: str | None
    other_imei: str | None
    other_serial: str | None
    time_zone: str


@dataclass(frozen=True, slots=True)
class Open:
    """A district's open conflicts: how many, and the oldest of them."""

    count: int
    oldest: tuple[Conflict, ...]


NONE_OPEN = Open(0, ())


async def look_for(connection: asyncpg.Connection, source: sources.Source, instant: datetime) -> None:
    """After a batch was registered: settle what is none any more, and raise what is new."""
    queries = sql.queries()
    values = source.district_id, source.account_id, instant
    await connection.execute(queries["settle_agreed_lines"], *values)
    await connection.execute(queries["settle_agreed_serials"], *values)
    await connection.execute(queries["raise_line_conflicts"], *values)
    await connection.execute(queries["raise_serial_conflicts"], *values)


async def settle(connection: asyncpg.Connection, source: sources.Source, instant: datetime) -> None:
    """After a whole sweep: sources may have agreed by falling silent. What nobody opposes comes into force."""
    queries = sql.queries()
    await connection.execute(queries["follow_unopposed_claims"], source.district_id, instant)
    await connection.execute(queries["settle_agreed_lines"], source.district_id, None, instant)


async def open_by_district(connection: asyncpg.Connection) -> dict[int, Open]:
    counts = await connection.fetch(sql.queries()["open_conflict_counts"])
    oldest: dict[int, list[Conflict]] = {}
    for row in await connection.fetch(sql.queries()["open_conflicts"], LISTED):
        oldest.setdefault(row["district_id"], []).append(Conflict(**row))
    return {row["district_id"]: Open(row["open"], tuple(oldest[row["district_id"]])) for row in counts}


async def told(pool: asyncpg.Pool, district_id: int | None = None) -> list[Told]:
    """Every open conflict, or those of one district, with what names its line and devices."""
    with pools.translated():
        rows = await pool.fetch(sql.queries()["open_conflicts_told"], district_id)
    return [Told(**row) for row in rows]


class Outcome(enum.Enum):
    DONE = "done"
    UNKNOWN = "unknown"
    SETTLED = "settled"  # before


async def resolve(
    pool: asyncpg.Pool, conflict_id: int, *, take: bool, now: datetime, district_id: int | None = None
) -> Outcome:
    """A person's decision: what is in force is kept, or what is claimed is taken, from ``now`` on."""
    with pools.translated():
        async with pool.acquire() as connection, connection.transaction():
            return await _resolve(connection, conflict_id, district_id, take, now)


async def _resolve(
    connection: asyncpg.Connection, conflict_id: int, district_id: int | None, take: bool, now: datetime
) -> Outcome:
    queries = sql.queries()
    district = await connection.fetchval(queries["district_of_conflict"], conflict_id, district_id)
    if district is None:
        return Outcome.UNKNOWN
    # Nothing may be registered meanwhile: it may settle the conflict, or move the line.
    await connection.execute(queries["lock_registration"], district)
    conflict = await connection.fetchrow(queries["open_conflict"], district, conflict_id)
    if conflict is None:
        return Outcome.SETTLED
    if take and conflict["kind"] == "serial":
        await connection.execute(queries["take_serial_away"], district, conflict_id)
        await connection.execute(queries["give_claimed_serial"], district, conflict_id, conflict["serial"])
    elif take:
        await connection.execute(queries["take_claimed_device"], district, conflict_id, now)
    await connection.execute(
        queries["settle_conflict"], district, conflict_id, now, "taken" if take else "kept"
    )
    return Outcome.DONE
