"""The rows of a district that no sweep tells: its fleet, schools, loans, need and calendar."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta

import asyncpg

from tests.reference import days, described

_MARGIN = timedelta(days=7)


@dataclass
class Ids:
    """The database's ids of what the description numbers."""

    plans: dict[str, int] = field(default_factory=dict)
    accounts: dict[str, int] = field(default_factory=dict)
    devices: dict[int, int] = field(default_factory=dict)
    lines: dict[int, int] = field(default_factory=dict)
    schools: dict[int, int] = field(default_factory=dict)
    loans: dict[int, int] = field(default_factory=dict)


async def write(pool: asyncpg.Pool, district_id: int, district: described.District) -> Ids:
    last = days.of(district.now, district.zone)
    await pool.execute("SELECT ensure_partitions($1, $2)", district.first_on - _MARGIN, last + _MARGIN)
    await pool.execute(
        "INSERT INTO districts (district_id, name, time_zone, school_year_starts, need_mode)"
        " VALUES ($1, 'District', $2, $3, $4::need_mode)",
        district_id,
        district.zone,
        district.school_year_starts,
        district.need_mode,
    )
    ids = Ids()
    async with pool.acquire() as connection, connection.transaction():
        await _write_fleet(connection, district_id, ids, district)
        await _write_schools(connection, district_id, ids, district)
    return ids


async def _write_fleet(
    connection: asyncpg.Connection, district_id: int, ids: Ids, district: described.District
) -> None:
    for plan in district.plans:
        ids.plans[plan.key] = await connection.fetchval(
            "INSERT INTO plans (district_id, plan_key, allowance_bytes, allowance_period, cycle_day, at_allowance,"
            " is_pooled, starts_on) VALUES ($1, $2, $3, $4::allowance_period, $5, $6::at_allowance, $7, $8)"
            " RETURNING plan_id",
            district_id,
            plan.key,
            plan.allowance_bytes,
            plan.period,
            plan.cycle_day,
            plan.at_allowance,
            plan.is_pooled,
            plan.starts_on,
        )
    for account in district.accounts:
        ids.accounts[account.key] = await connection.fetchval(
            "INSERT INTO accounts (district_id, account_key, collector, time_zone, lag_days, rank, cadence)"
            " VALUES ($1, $2, 'file', $3, $4, $5, $6) RETURNING account_id",
            district_id,
            account.key,
            account.zone,
            account.lag_days,
            account.rank,
            account.cadence,
        )
    for device in district.devices:
        ids.devices[device.number] = await connection.fetchval(
            "INSERT INTO devices (district_id, imei, kind) VALUES ($1, $2, $3::device_kind) RETURNING device_id",
            district_id,
            f"{device.number:015d}",
            device.kind,
        )
    await _write_lines(connection, district_id, ids, district)


async def _write_lines(
    connection: asyncpg.Connection, district_id: int, ids: Ids, district: described.District
) -> None:
    for line in district.lines:
        ids.lines[line.number] = await connection.fetchval(
            "INSERT INTO lines (district_id, iccid, observed_since, plan_id) VALUES ($1, $2, $3, $4)"
            " RETURNING line_id",
            district_id,
            f"{line.number:019d}",
            line.observed_since,
            ids.plans.get(line.plan or ""),
        )
    await connection.executemany(
        "INSERT INTO line_device_links (district_id, line_id, starts_at, ends_at, device_id)"
        " VALUES ($1, $2, coalesce($3::timestamptz, '-infinity'), $4, $5)",
        [
            (district_id, ids.lines[link.line], link.starts_at, link.ends_at, ids.devices[link.device])
            for link in district.links
        ],
    )
    await connection.executemany(
        "INSERT INTO provider_keys (district_id, account_id, provider_key, line_id, identity)"
        " VALUES ($1, $2, $3::bigint::text, $3, '')",
        [(district_id, account, line) for account in ids.accounts.values() for line in ids.lines.values()],
    )


async def _write_schools(
    connection: asyncpg.Connection, district_id: int, ids: Ids, district: described.District
) -> None:
    for school in district.schools:
        ids.schools[school.number] = await connection.fetchval(
            "INSERT INTO schools (district_id, ncessch, name, is_high_needs) VALUES ($1, $2, 'School', $3)"
            " RETURNING school_id",
            district_id,
            f"{school.number:012d}",
            school.is_high_needs,
        )
    await write_loans(
        connection, district_id, ids, [loan for loan in district.loans if not loan.is_told_late]
    )
    await _write_need(connection, district_id, ids, district)
    await _write_calendar(connection, district_id, ids, district)


async def write_loans(
    connection: asyncpg.Connection, district_id: int, ids: Ids, loans: Iterable[described.Loan]
) -> None:
    for loan in loans:
        ids.loans[loan.number] = await connection.fetchval(
            "INSERT INTO loans (district_id, device_id, school_id, borrower, household, checked_out_on,"
            " returned_on) VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING loan_id",
            district_id,
            ids.devices[loan.device],
            ids.schools[loan.school],
            loan.borrower,
            loan.household,
            loan.checked_out_on,
            loan.returned_on,
        )


async def _write_need(
    connection: asyncpg.Connection, district_id: int, ids: Ids, district: described.District
) -> None:
    await connection.executemany(
        "INSERT INTO need_counts VALUES ($1, $2, $3, $4, $5, $6)",
        [
            (district_id, ids.schools[told.school], told.as_of_on, told.enrolled, told.answered, told.need)
            for told in district.totals
        ],
    )
    await connection.executemany(
        "INSERT INTO enrollments (district_id, student, starts_on, ends_on, school_id) VALUES ($1, $2, $3, $4, $5)",
        [
            (district_id, row.student, row.starts_on, row.ends_on, ids.schools[row.school])
            for row in district.enrollments
        ],
    )
    said = {
        (answer.student, answer.answered_on): answer for answer in (*district.answers, *district.unedited)
    }
    await write_answers(connection, district_id, ids, said.values())


async def write_answers(
    connection: asyncpg.Connection, district_id: int, ids: Ids, answers: Iterable[described.Answer]
) -> None:
    await connection.executemany(
        "INSERT INTO need_answers (district_id, student, answered_on, school_id, household, has_access,"
        " access_type, performance, is_documented_by_staff)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7::internet_access_type, $8::internet_performance, $9)"
        " ON CONFLICT (district_id, student, answered_on) DO UPDATE SET school_id = excluded.school_id,"
        " household = excluded.household, has_access = excluded.has_access,"
        " access_type = excluded.access_type, performance = excluded.performance,"
        " is_documented_by_staff = excluded.is_documented_by_staff",
        [
            (
                district_id,
                answer.student,
                answer.answered_on,
                None if answer.school is None else ids.schools[answer.school],
                answer.household,
                answer.has_access,
                answer.access_type,
                answer.performance,
                answer.is_documented,
            )
            for answer in answers
        ],
    )


async def _write_calendar(
    connection: asyncpg.Connection, district_id: int, ids: Ids, district: described.District
) -> None:
    await connection.executemany(
        "INSERT INTO calendar_days VALUES ($1, $2, $3::day_kind)",
        [(district_id, day.on, day.kind) for day in district.calendar if day.school is None],
    )
    await connection.executemany(
        "INSERT INTO school_calendar_days VALUES ($1, $2, $3, $4::day_kind)",
        [
            (district_id, ids.schools[day.school], day.on, day.kind)
            for day in district.calendar
            if day.school is not None
        ],
    )
