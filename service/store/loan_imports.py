"""A loan file on its way in: staged in a temporary table, matched, checked and written as one set."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

import asyncpg

import sql
from service.store import records

MANY = 1000  # loans, beyond which the planner has to be told

_TABLE = "import_loans"


class Loan(NamedTuple):
    """A row of the file, in the table's order. Borrower and household are pseudonyms.

    ``of_device``: the row tells that the device is lost or in stock, not of a loan; it has no dates of its own.
    """

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
    lost_on: date | None
    is_lost: bool
    of_device: bool
    kind: str | None


@dataclass(frozen=True, slots=True)
class Told:
    """Whose file it is, and what it has columns for: what it has none for stays as it is known."""

    source: str
    households: bool
    due_dates: bool
    losses: bool


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
    other_on: date | None
    other_until: date | None
    device: str
    ncessch: str


@dataclass(frozen=True, slots=True)
class Written:
    """``opened`` are those of ``added`` that are still out; the others from ``closed`` on are ways to change."""

    added: int
    changed: int
    opened: int
    closed: int
    reopened: int
    moved: int
    lost: int
    corrected: int
    first_on: date | None


@dataclass(frozen=True, slots=True)
class Ended:
    """``shortened``: loans that were known to have ended, and ended earlier."""

    closed: int = 0
    shortened: int = 0
    first_on: date | None = None


@dataclass(frozen=True, slots=True)
class Unseen:
    row_number: int
    device: str


@dataclass(frozen=True, slots=True)
class Several:
    """A row whose borrower has several open hotspots. ``borrower_number`` tells borrowers apart, and no more."""

    row_number: int
    hotspots: int
    borrower_number: int


async def stage(connection: asyncpg.Connection, loans: Iterable[Loan]) -> None:
    await connection.execute(sql.queries()["create_import_loans"])
    await connection.copy_records_to_table(_TABLE, records=loans, columns=Loan._fields)
    await connection.execute(sql.queries()["analyze_import_loans"])


async def match(connection: asyncpg.Connection, district_id: int, time_zone: str) -> None:
    """Find each row's device and school; rows that have none are refused."""
    queries = sql.queries()
    await connection.execute(queries["match_loan_devices"], district_id, time_zone)
    await connection.execute(queries["match_lost_loans"], district_id)
    await connection.execute(queries["match_loan_schools"], district_id)
    await connection.execute(queries["match_loan_group_schools"], district_id)
    await connection.execute(queries["refuse_unmatched_loans"])
    await connection.execute(queries["create_loan_devices"], district_id)
    await connection.execute(queries["analyze_import_loans"])
    await connection.execute(queries["refuse_repeated_loans"])


async def overlapping(connection: asyncpg.Connection) -> list[Span]:
    """Every loan of the devices that the file lends twice at a time, in the file's order."""
    return [Span(**row) for row in await connection.fetch(sql.queries()["overlapping_loans"])]


async def refuse(connection: asyncpg.Connection, contradicted: Sequence[tuple[int, int]]) -> None:
    """Refuse rows, each with the row that it contradicts."""
    rows, others = [row for row, _ in contradicted], [other for _, other in contradicted]
    await connection.execute(sql.queries()["refuse_overlapping_loans"], rows, others)


async def refuse_lent(connection: asyncpg.Connection, district_id: int, source: str, *, full: bool) -> None:
    """Refuse rows whose device is out on a known loan that the file does not tell of."""
    query = sql.queries()["refuse_lent_loans"]
    # a row that is refused no longer tells of its own loan, which may stand against another row
    while await connection.execute(query, district_id, source, full) != "UPDATE 0":
        pass


async def refusals(connection: asyncpg.Connection) -> list[Refusal]:
    return [Refusal(**row) for row in await connection.fetch(sql.queries()["refused_loans"])]


async def write_kinds(connection: asyncpg.Connection, district_id: int) -> records.Written:
    return records.Written(**await connection.fetchrow(sql.queries()["write_device_kinds"], district_id))


async def write(connection: asyncpg.Connection, district_id: int, told: Told, *, today: date) -> Written:
    queries = sql.queries()
    await connection.execute(
        queries["settle_loans"], district_id, today, told.households, told.due_dates, told.losses
    )
    written = Written(**await connection.fetchrow(queries["write_loans"], district_id, told.source))
    if written.added > MANY:
        await connection.execute(queries["analyze_loans"])
    return written


async def return_in_stock(
    connection: asyncpg.Connection, district_id: int, source: str, today: date
) -> Ended:
    """End the open loans of the devices that the file tells to be in stock."""
    query = sql.queries()["return_loans_in_stock"]
    return Ended(**await connection.fetchrow(query, district_id, source, today))


async def close_absent(connection: asyncpg.Connection, district_id: int, source: str, today: date) -> Ended:
    """End the source's open loans that the file lacks."""
    query = sql.queries()["close_absent_loans"]
    return Ended(**await connection.fetchrow(query, district_id, source, today))


async def unseen(connection: asyncpg.Connection, district_id: int) -> list[Unseen]:
    """The open loans of devices that no source has seen."""
    return [Unseen(**row) for row in await connection.fetch(sql.queries()["unseen_loans"], district_id)]


async def several(connection: asyncpg.Connection, district_id: int) -> list[Several]:
    query = sql.queries()["borrowers_with_several"]
    return [Several(**row) for row in await connection.fetch(query, district_id)]
