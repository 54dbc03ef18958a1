"""The newest import of each kind can be taken back, and what builds on it is protected."""

from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path

import asyncpg
import pytest

from service import errors
from service.imports import calendars, loans, need, outcomes, schools, undoing
from service.model import pseudonyms
from service.store import imports as store
from service.store import pool as pools
from tests import factories, files

TODAY = date(2026, 10, 1)
KEY = pseudonyms.Pseudonymizer(b"0123456789abcdefghijklmnopqrstuv")
IMEI = "860000000000009"
TABLES = ("schools", "need_counts", "calendar_days", "school_calendar_days", "loans")


@pytest.fixture
async def pool(database: str) -> AsyncIterator[asyncpg.Pool]:
    async with pools.connected(database, size=2) as opened:
        await factories.district(opened)
        await factories.district(opened, 2)
        await factories.school(opened)
        await factories.school(opened, "410192000002")
        await factories.device(opened, IMEI)
        await opened.execute("UPDATE districts SET computed_through_on = '2026-09-30'")
        yield opened


async def lent(
    pool: asyncpg.Pool, folder: Path, *rows: str, full: bool = False, dry_run: bool = False
) -> outcomes.Outcome:
    path = files.written(
        folder, "loans.csv", "device,ncessch,borrower,checked_out_on,returned_on,device_kind", *rows
    )
    return await loans.run(
        pool, factories.DISTRICT, path, pseudonymizer=KEY, today=TODAY, full=full, dry_run=dry_run
    )


async def contents(pool: asyncpg.Pool) -> dict[str, list[tuple[object, ...]]]:
    return {
        table: sorted(map(tuple, await pool.fetch(f"SELECT * FROM {table}")), key=repr) for table in TABLES
    }


async def undone(pool: asyncpg.Pool, kind: str | None = None) -> undoing.Undone:
    return await undoing.run(pool, factories.DISTRICT, kind, today=TODAY)


async def test_what_an_import_added_changed_and_closed_is_as_it_was(
    pool: asyncpg.Pool, tmp_path: Path
) -> None:
    await lent(
        pool,
        tmp_path,
        f"{IMEI},410192000001,S-1,2026-08-20,,",
        "860000000000017,410192000002,S-2,2026-08-21,,",
    )
    before = await contents(pool)
    await pool.execute("DELETE FROM dirty_loan_days")
    await lent(pool, tmp_path, f"{IMEI},410192000002,S-1,2026-08-20,,laptop", full=True)
    assert await contents(pool) != before
    done = await undone(pool, "loans")
    assert (done.kind, done.rows) == ("loans", 3)  # a loan's school, a loan closed, a device's kind
    assert await contents(pool) == before
    assert await pool.fetchval("SELECT kind FROM devices WHERE imei = $1", IMEI) == "hotspot"
    assert await pool.fetchval("SELECT min(on_day) FROM dirty_loan_days") == date(2026, 8, 20)


async def test_an_import_that_changed_the_kind_of_a_device_alone_is_the_newest_and_taken_back(
    pool: asyncpg.Pool, tmp_path: Path
) -> None:
    old = f"{IMEI},410192000001,S-0,2026-07-01,2026-08-01,"
    await lent(pool, tmp_path, old, f"{IMEI},410192000001,S-1,2026-08-20,,")
    await pool.execute("DELETE FROM dirty_loan_days")
    outcome = await lent(pool, tmp_path, f"{IMEI},410192000001,S-1,2026-08-20,,laptop")
    assert (outcome.added, outcome.changed) == (0, 0)
    # the earlier loan of the device, which this file does not tell of, was one of a laptop too
    assert await pool.fetchval("SELECT min(on_day) FROM dirty_loan_days") == date(2026, 7, 1)
    assert (await undone(pool, "loans")).rows == 1
    assert await pool.fetchval("SELECT kind FROM devices WHERE imei = $1", IMEI) == "hotspot"
    assert await pool.fetchval("SELECT count(*) FROM loans") == 2


async def test_a_calendar_is_put_back_with_the_days_that_its_file_removed(
    pool: asyncpg.Pool, tmp_path: Path
) -> None:
    header = "starts_on,ends_on,kind,ncessch"
    first = files.written(
        tmp_path,
        "calendar.csv",
        header,
        "2026-09-01,2026-09-30,instructional,",
        "2026-09-14,,holiday,410192000001",
    )
    await calendars.run(pool, factories.DISTRICT, first, today=TODAY)
    before = await contents(pool)
    second = files.written(tmp_path, "calendar.csv", header, "2026-09-01,2026-09-30,break,")
    await calendars.run(pool, factories.DISTRICT, second, today=TODAY)
    await undone(pool, "calendar")
    assert await contents(pool) == before


async def test_only_the_newest_of_a_kind_can_be_undone_and_once(pool: asyncpg.Pool, tmp_path: Path) -> None:
    for counted in ("500,400,60", "500,410,62"):
        path = files.written(
            tmp_path,
            "records.csv",
            "ncessch,as_of,enrolled,answered,need",
            f"410192000001,2026-09-01,{counted}",
        )
        await need.run(pool, factories.DISTRICT, path, today=TODAY)
    await undone(pool, "need")
    assert await pool.fetchval("SELECT need FROM need_counts") == 60
    with pytest.raises(errors.ImportRejected, match="was undone already"):
        await undone(pool, "need")
    assert await pool.fetchval("SELECT need FROM need_counts") == 60


async def test_an_import_that_changed_nothing_does_not_stand_in_the_way(
    pool: asyncpg.Pool, tmp_path: Path
) -> None:
    before = await contents(pool)
    for _ in range(2):
        await lent(pool, tmp_path, f"{IMEI},410192000001,S-1,2026-08-20,,")
    await undone(pool)
    assert await contents(pool) == before


async def test_a_dry_run_leaves_nothing_to_undo(pool: asyncpg.Pool, tmp_path: Path) -> None:
    await lent(pool, tmp_path, f"{IMEI},410192000001,S-1,2026-08-20,,", dry_run=True)
    with pytest.raises(errors.ImportRejected, match="no import of loans to undo"):
        await undone(pool, "loans")


async def test_what_changed_since_is_not_overwritten(pool: asyncpg.Pool, tmp_path: Path) -> None:
    await lent(pool, tmp_path, f"{IMEI},410192000001,S-1,2026-08-20,,")
    await pool.execute("UPDATE loans SET returned_on = '2026-09-20'")
    with pytest.raises(errors.ImportRejected, match="1 of the rows that the newest import of loans changed"):
        await undone(pool, "loans")
    assert await pool.fetchval("SELECT count(*) FROM loans") == 1


async def test_what_others_build_on_stays(pool: asyncpg.Pool, tmp_path: Path) -> None:
    path = files.written(tmp_path, "records.csv", "ncessch,name", "410192000003,Alder")
    await schools.run(pool, factories.DISTRICT, path, today=TODAY)
    await lent(pool, tmp_path, f"{IMEI},410192000003,S-1,2026-08-20,,")
    with pytest.raises(errors.ImportRejected, match="in use by now: undo the imports that came after"):
        await undone(pool, "schools")
    await undone(pool)  # the newest of any kind: the loans
    assert (await undone(pool)).kind == "schools"
    assert await pool.fetchval("SELECT count(*) FROM schools") == 2


async def test_one_district_cannot_undo_the_import_of_another(pool: asyncpg.Pool, tmp_path: Path) -> None:
    await lent(pool, tmp_path, f"{IMEI},410192000001,S-1,2026-08-20,,")
    with pytest.raises(errors.ImportRejected, match="no import to undo"):
        await undoing.run(pool, 2, None, today=TODAY)


async def test_the_history_tells_what_stands_and_what_was_undone(pool: asyncpg.Pool, tmp_path: Path) -> None:
    await lent(pool, tmp_path, f"{IMEI},410192000001,S-1,2026-08-20,,")
    await lent(pool, tmp_path, f"{IMEI},410192000001,S-1,2026-08-20,2026-09-20,")
    await undone(pool)
    newest, first = await store.history(pool, factories.DISTRICT, most=10)
    assert (newest.rows_changed, newest.is_undoable, newest.undone_at is None) == (1, False, False)
    assert (first.rows_changed, first.is_undoable, first.undone_at) == (1, False, None)
