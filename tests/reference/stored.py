"""A described district in the database: told in the order of events, computed on the way, and read back."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import asyncpg

from service.store import imports, rollups
from tests.reference import described, marks, records, told

_BEFORE_ALL = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Rows:
    """What the database holds, under the numbers that the description uses."""

    line_days: dict[tuple[date, int, str], dict[str, Any]]
    loan_days: dict[tuple[date, int], dict[str, Any]]
    school_days: dict[tuple[date, int], dict[str, Any]]
    district_days: dict[date, dict[str, Any]]


async def computed(pool: asyncpg.Pool, district_id: int, district: described.District) -> Rows:
    ids = await records.write(pool, district_id, district)
    since = _BEFORE_ALL
    for instant in [*sorted(district.refreshes), district.now]:
        async with pool.acquire() as connection, connection.transaction():
            await told.write(connection, district_id, ids, district, since, instant)
            if instant == district.now:
                await _catch_up(connection, district_id, ids, district)
            await _mark(connection, district_id, ids, district, since, instant)
        await rollups.refresh(
            pool,
            rollups.District(district_id, district.zone),
            now=instant,
            thresholds=rollups.Thresholds(),
        )
        since = instant
    return await _read(pool, district_id, ids)


async def _catch_up(
    connection: asyncpg.Connection, district_id: int, ids: records.Ids, district: described.District
) -> None:
    """What the district's people tell late: loans, and answers that they correct."""
    late = [loan for loan in district.loans if loan.is_told_late]
    corrected = {(answer.student, answer.answered_on) for answer in district.unedited}
    edited = [answer for answer in district.answers if (answer.student, answer.answered_on) in corrected]
    await records.write_loans(connection, district_id, ids, late)
    await records.write_answers(connection, district_id, ids, edited)
    touched = [*(loan.checked_out_on for loan in late), *(answer.answered_on for answer in edited)]
    if touched:
        await imports.recompute_from(connection, district_id, min(touched))


async def _mark(
    connection: asyncpg.Connection,
    district_id: int,
    ids: records.Ids,
    district: described.District,
    since: datetime,
    until: datetime,
) -> None:
    await connection.executemany(
        "INSERT INTO dirty_line_days (district_id, account_id, line_id, on_day) VALUES ($1, $2, $3, $4)"
        " ON CONFLICT DO NOTHING",
        [
            (district_id, ids.accounts[account], ids.lines.get(line, marks.EVERY_LINE), day)
            for account, line, day in marks.of(district, since, until)
        ],
    )
    spans = [span.first for span in district.spans if since < span.told_at <= until]
    if since == _BEFORE_ALL or spans:
        await imports.recompute_from(connection, district_id, min([district.first_on, *spans]))


async def _read(pool: asyncpg.Pool, district_id: int, ids: records.Ids) -> Rows:
    lines = {made: number for number, made in ids.lines.items()}
    accounts = {made: key for key, made in ids.accounts.items()}
    loans = {made: number for number, made in ids.loans.items()}
    schools = {made: number for number, made in ids.schools.items()}
    found = {
        table: await pool.fetch(f"SELECT * FROM {table} WHERE district_id = $1", district_id)
        for table in ("line_days", "loan_days", "school_days", "district_days")
    }
    return Rows(
        line_days={
            (row["on_day"], lines[row["line_id"]], accounts[row["account_id"]]): dict(row)
            for row in found["line_days"]
        },
        loan_days={(row["on_day"], loans[row["loan_id"]]): dict(row) for row in found["loan_days"]},
        school_days={(row["on_day"], schools[row["school_id"]]): dict(row) for row in found["school_days"]},
        district_days={row["on_day"]: dict(row) for row in found["district_days"]},
    )
