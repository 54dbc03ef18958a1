"""A usage file on its way in: staged in a temporary table, matched, checked and written as one set."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple

import asyncpg

import sql
from service.store import records

RANK = 5  # a file is a coarser source than any that is polled
MOST_NAMED_LINES = 1000  # touched lines; more, and whole days of the account are computed again

_TABLE = "import_usage"


class Usage(NamedTuple):
    """A row of the file, in the table's order. ``on_day``: the one day it is of; None: a longer period."""

    row_number: int
    mdn: str | None
    iccids: tuple[str, ...] | None
    imei: str | None
    on_day: date | None
    starts_at: datetime
    ends_at: datetime
    total_bytes: int


@dataclass(frozen=True, slots=True)
class Account:
    account_id: int
    collector: str
    time_zone: str


@dataclass(frozen=True, slots=True)
class Refusal:
    row_number: int
    reason: str
    other_row: int | None
    line: str


async def account(connection: asyncpg.Connection, district_id: int, key: str, time_zone: str) -> Account:
    """The account of the key; one that only imports feed is made where there is none."""
    row = await connection.fetchrow(sql.queries()["file_account"], district_id, key)
    if row is None:
        row = await connection.fetchrow(
            sql.queries()["create_file_account"], district_id, key, time_zone, RANK
        )
    return Account(**row)


async def stage(connection: asyncpg.Connection, usage: Iterable[Usage]) -> None:
    await connection.execute(sql.queries()["create_import_usage"])
    await connection.copy_records_to_table(_TABLE, records=usage, columns=Usage._fields)
    await connection.execute(sql.queries()["analyze_import_usage"])


async def match(connection: asyncpg.Connection, district_id: int, account_id: int, *, new_lines: bool) -> int:
    """Find each row's line and refuse what contradicts; returns how many lines were made, if they may be.

    Lines get their plan before anything is watched: it is of the account, and stays when the import is undone.
    """
    await connection.execute(sql.queries()["match_usage_lines"], district_id)
    made = 0
    if new_lines:
        made = await connection.fetchval(sql.queries()["create_usage_lines"], district_id)
        await connection.execute(sql.queries()["match_usage_lines"], district_id)
    await connection.execute(sql.queries()["refuse_usage_rows"], district_id, account_id)
    met = await connection.fetchval(sql.queries()["good_usage_lines"])
    await connection.execute(sql.queries()["give_file_lines_their_plan"], district_id, met, account_id)
    return made


async def refusals(connection: asyncpg.Connection) -> list[Refusal]:
    return [Refusal(**row) for row in await connection.fetch(sql.queries()["refused_usage_rows"])]


async def write(
    connection: asyncpg.Connection, district_id: int, account: Account, *, kept_from: date
) -> records.Written:
    """Write the good rows and mark what they touch. Days before ``kept_from`` keep no readings."""
    queries = sql.queries()
    bounds = await connection.fetchrow(queries["usage_bounds"], account.time_zone)
    if bounds["last_day"] is not None:
        await connection.execute(queries["make_partitions"], bounds["first_on"], bounds["last_day"])
    key = (district_id, account.account_id)
    await connection.fetch(queries["watch_usage"], *key, account.time_zone, kept_from)
    parts = [
        await connection.fetchrow(queries["write_usage_readings"], *key, kept_from),
        await connection.fetchrow(queries["write_usage_line_days"], *key, kept_from),
        await connection.fetchrow(queries["write_usage_spans"], *key),
    ]
    await connection.execute(queries["widen_observed_since"], district_id)
    await connection.execute(
        queries["mark_dirty_usage_days"], *key, account.time_zone, kept_from, MOST_NAMED_LINES
    )
    return records.Written(
        added=sum(part["added"] for part in parts),
        changed=sum(part["changed"] for part in parts),
        first_on=await connection.fetchval(queries["first_written_usage_day"], account.time_zone),
    )
