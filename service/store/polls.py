"""Sweeps as rows: leases, runs, watermarks, gaps. Two processes never read one endpoint group at once."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import asyncpg

import sql
from service import errors
from service.store import pool as pools
from service.store import source as sources
from service.store import texts

LEASE = timedelta(minutes=5)  # a process that is gone frees its group this soon


class LeaseLost(errors.AfterbellError):
    """Another process took the endpoint group over; what this one had not committed is rolled back."""


@dataclass(frozen=True)
class Claim:
    """One endpoint group, claimed for one sweep."""

    source: sources.Source
    endpoint_group: str
    holder: uuid.UUID
    watermark_at: datetime | None
    cadence: timedelta  # as it is planned: a vendor's limit may not allow what was asked for
    is_failing: bool

    @property
    def key(self) -> tuple[int, int, str]:
        return (self.source.district_id, self.source.account_id, self.endpoint_group)


@dataclass
class Progress:
    """How far a run has come, in the terms of its row."""

    cursor: str | None = None
    pages: int = 0
    lines: int = 0
    rows_written: int = 0
    rows_rejected: int = 0
    lines_promised: int | None = None


async def claim(
    pool: asyncpg.Pool, source: sources.Source, endpoint_group: str, *, now: datetime, cadence: timedelta
) -> Claim | None:
    """Claim an endpoint group; None while another process reads it. ``cadence`` counts where none is planned."""
    holder = uuid.uuid4()
    row = await pool.fetchrow(
        sql.queries()["take_lease"],
        source.district_id,
        source.account_id,
        endpoint_group,
        holder,
        now,
        LEASE,
        cadence,
    )
    if row is None:
        return None
    is_failing = row["failing_since_at"] is not None
    return Claim(source, endpoint_group, holder, row["watermark_at"], row["cadence"], is_failing)


async def plan(pool: asyncpg.Pool, source: sources.Source, endpoint_group: str, cadence: timedelta) -> None:
    """Write down how often an endpoint group can really be swept."""
    with pools.translated():
        await pool.execute(
            sql.queries()["plan_cadence"], source.district_id, source.account_id, endpoint_group, cadence
        )


async def forget_groups(pool: asyncpg.Pool, source: sources.Source, keep: Sequence[str]) -> None:
    """Wait no more for endpoint groups that an account does not have."""
    with pools.translated():
        await pool.execute(sql.queries()["forget_groups"], source.district_id, source.account_id, keep)


async def release(pool: asyncpg.Pool, claim: Claim) -> None:
    await pool.execute(sql.queries()["release_lease"], *claim.key, claim.holder)


async def renew(connection: asyncpg.Connection | asyncpg.Pool, claim: Claim) -> None:
    """In the transaction of every batch, and while the vendor lets us wait. Raises LeaseLost."""
    if await connection.fetchval(sql.queries()["renew_lease"], *claim.key, claim.holder, LEASE) is None:
        raise LeaseLost(f"another process took over {claim.endpoint_group}; this sweep stops")


async def take_up(
    pool: asyncpg.Pool, claim: Claim, *, now: datetime, oldest: datetime
) -> tuple[datetime, str] | None:
    """Close the runs of a process that is gone; returns (instant, cursor) of one to take up again, if any."""
    row = await pool.fetchrow(sql.queries()["abandon_runs"], *claim.key, now, oldest)
    return None if row is None else (row["instant_at"], row["cursor"])


async def start(pool: asyncpg.Pool, claim: Claim, *, instant: datetime, now: datetime) -> int:
    run_id: int = await pool.fetchval(sql.queries()["start_run"], *claim.key, instant, now)
    return run_id


async def progress(connection: asyncpg.Connection, claim: Claim, run_id: int, at: Progress) -> None:
    await connection.execute(
        sql.queries()["progress_run"],
        claim.source.district_id,
        run_id,
        at.cursor,
        at.pages,
        at.lines,
        at.rows_written,
        at.rows_rejected,
        at.lines_promised,
    )


async def finish(
    connection: asyncpg.Connection | asyncpg.Pool,
    claim: Claim,
    run_id: int,
    *,
    outcome: str,
    now: datetime,
    error: str | None = None,
) -> None:
    await connection.execute(
        sql.queries()["finish_run"], claim.source.district_id, run_id, outcome, now, error
    )


async def move_watermark(connection: asyncpg.Connection, claim: Claim, instant: datetime) -> None:
    await connection.execute(sql.queries()["move_watermark"], *claim.key, instant)


async def record_success(connection: asyncpg.Connection, claim: Claim, now: datetime) -> None:
    await connection.execute(sql.queries()["record_success"], *claim.key, now)


async def record_failure(pool: asyncpg.Pool, claim: Claim, now: datetime, error: str) -> None:
    await pool.execute(sql.queries()["record_failure"], *claim.key, now, error)


async def record_gap(
    connection: asyncpg.Connection, claim: Claim, starts_at: datetime, ends_at: datetime
) -> None:
    await connection.execute(sql.queries()["record_gap"], *claim.key, starts_at, ends_at)


async def record_rejections(
    connection: asyncpg.Connection, claim: Claim, run_id: int, rejected: Sequence[tuple[str, str, int]]
) -> None:
    """``rejected``: (reason, first path, how many) each."""
    if rejected:
        reasons, paths, counts = zip(*rejected, strict=True)
        await connection.execute(
            sql.queries()["record_rejections"],
            claim.source.district_id,
            run_id,
            [texts.storable(reason) for reason in reasons],
            [texts.storable(path) for path in paths],
            counts,
        )


async def mark_dirty(
    connection: asyncpg.Connection, source: sources.Source, first: datetime, last: datetime
) -> None:
    """Have every line's days between two instants computed again."""
    await connection.execute(
        sql.queries()["mark_dirty_line_days"], source.district_id, source.account_id, first, last
    )


async def mark_lines_dirty(
    connection: asyncpg.Connection,
    source: sources.Source,
    away: Sequence[tuple[int, datetime]],
    instant: datetime,
) -> None:
    """Have the days of lines that were away computed again, from when each was last read."""
    if away:
        lines, since = zip(*away, strict=True)
        await connection.execute(
            sql.queries()["mark_dirty_single_lines"],
            source.district_id,
            source.account_id,
            lines,
            since,
            instant,
        )


async def watermark(pool: asyncpg.Pool, source: sources.Source, endpoint_group: str) -> datetime | None:
    """The instant that an endpoint group has been read up to."""
    with pools.translated():
        at: datetime | None = await pool.fetchval(
            sql.queries()["watermark"], source.district_id, source.account_id, endpoint_group
        )
    return at
