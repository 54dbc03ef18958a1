"""A loan file on its way in: staged in a temporary table, matched, checked and written as one set."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

import asyncpg

import sql
from service.store import records

_TABLE = "import_loans"


class Loan(NamedTuple):
    """A row of the file, in the table's order. Borrower and household are pseudonyms."""

    row_number: int
    device: str
    imei: str | None
    serial: str | None
    mdn: str | None
    iccids: tuple[str, ...] | None
    is_whole_imei: bool
    ncessch: str
    borrower: str
    household: str
    checked_out_on: date
    due_on: date | None
    returned_on: date | None
    kind: str | None


@dataclass(frozen=True, slots=True)
class Span:
    """How long a row has its device out."""

    row_number: int
    device_id: int
    checked_out_on: date
    until_on: date


@dataclass(frozen=True, slots=True)
class Refusal:
    row_number: int
    reason: str
    other_row: int | None
    device: str
    ncessch: str


@dataclass(frozen=True, slots=True)
class Doubt:
    row_number: int
    device: str
    doubt: str


async def stage(connection: asyncpg.Connection, loans: Iterable[Loan]) -> None:
    await connection.execute(sql.queries()["create_import_loans"])
    await connection.copy_records_to_table(_TABLE, records=loans, columns=Loan._fields)
    await connection.execute(sql.queries()["analyze_import_loans"])


async def match(connection: asyncpg.Connection, district_id: int, time_zone: str) -> None:
    """Find each row's device and school; rows that have none are refused."""
    queries = sql.queries()
    await connection.execute(queries["match_loan_devices"], district_id, time_zone)
    await connection.execute(queries["match_loan_schools"], district_id)
    await connection.execute(queries["match_loan_group_schools"], district_id)
    await connection.execute(queries["refuse_unmatched_loans"])
    await connection.execute(queries["create_loan_devices"], district_id)
    await connection.execute(queries["refuse_repeated_loans"])


async def overlapping(connection: asyncpg.Connection) -> list[Span]:
    """Every loan of the devices that the file lends twice at a time, in the file's order."""
    return [Span(**row) for row in await connection.fetch(sql.queries()["overlapping_loans"])]


async def refuse(connection: asyncpg.Connection, contradicted: Sequence[tuple[int, int]]) -> None:
    """Refuse rows, each with the row that it contradicts."""
    rows, others = [row for row, _ in contradicted], [other for _, other in contradicted]
    await connection.execute(sql.queries()["refuse_overlapping_loans"], rows, others)


async def refusals(connection: asyncpg.Connection) -> list[Refusal]:
    return [Refusal(**row) for row in await connection.fetch(sql.queries()["refused_loans"])]


async def write_kinds(connection: asyncpg.Connection, district_id: int) -> records.Written:
    return records.Written(**await connection.fetchrow(sql.queries()["write_device_kinds"], district_id))


async def write(connection: asyncpg.Connection, district_id: int) -> records.Written:
    return records.Written(**await connection.fetchrow(sql.queries()["write_loans"], district_id))


async def close_absent(
    connection: asyncpg.Connection, district_id: int, today: date
) -> tuple[int, date | None]:
    """End the open loans that the file lacks; returns how many, and the earliest day it affects."""
    row = await connection.fetchrow(sql.queries()["close_absent_loans"], district_id, today)
    return row["closed"], row["first_on"]


async def doubts(connection: asyncpg.Connection, district_id: int) -> list[Doubt]:
    return [Doubt(**row) for row in await connection.fetch(sql.queries()["doubtful_loans"], district_id)]
