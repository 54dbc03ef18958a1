"""Answers on their way in: staged in a temporary table, matched, checked and written as one set."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

import asyncpg

import sql
from service.store import records

_TABLE = "import_answers"


class Answer(NamedTuple):
    """A row as it came, in the table's order. Student and household are pseudonyms."""

    row_number: int
    student: str
    ncessch: str
    answered_on: date
    household: str
    has_access: object  # a boolean; None: not told
    barrier: object  # of the kinds of service.model.need; None: not told
    access_type: object
    performance: object
    is_documented_by_staff: bool


@dataclass(frozen=True, slots=True)
class Refusal:
    """``reason`` "repeat": a row that says what another has said."""

    row_number: int
    reason: str
    other_row: int | None
    ncessch: str


@dataclass(frozen=True, slots=True)
class Known:
    """How many students were imported, and what else is known of them.

    ``unusable``: whose newest answer it is and tells nothing that counts. ``roster``, ``borrowers``: all there are.
    """

    students: int
    in_roster: int
    with_loan: int
    unusable: int
    roster: int
    borrowers: int


async def stage(connection: asyncpg.Connection, answers: Iterable[Answer]) -> None:
    await connection.execute(sql.queries()["create_import_answers"])
    await connection.copy_records_to_table(_TABLE, records=answers, columns=Answer._fields)
    await connection.execute(sql.queries()["analyze_import_answers"])


async def match(connection: asyncpg.Connection, district_id: int, *, told: Sequence[str]) -> None:
    """Find each row's school; refuse those that have none, and those that say again what another says.

    ``told``: the columns of need_answers that the rows tell; in the others what is known of the day stays, and the
    household of the days before.
    """
    queries = sql.queries()
    await connection.execute(queries["match_answer_schools"], district_id)
    await connection.execute(queries["keep_untold_answers"], district_id, list(told))
    if "household" not in told:
        await connection.execute(queries["keep_households"], district_id)
    await connection.execute(queries["refuse_answers_of_unknown_schools"])
    # before those without a school are refused: such a row may repeat one that names it
    await connection.execute(queries["refuse_repeated_answers"])
    await connection.execute(queries["refuse_answers_without_school"], district_id)


async def refusals(connection: asyncpg.Connection) -> list[Refusal]:
    return [Refusal(**row) for row in await connection.fetch(sql.queries()["refused_answers"])]


async def write(connection: asyncpg.Connection, district_id: int) -> records.Written:
    return records.Written(**await connection.fetchrow(sql.queries()["write_answers"], district_id))


async def known(connection: asyncpg.Connection, district_id: int, on_day: date) -> Known:
    return Known(**await connection.fetchrow(sql.queries()["answers_known"], district_id, on_day))
