"""The ledger of packages, the lease of an export, and the audit log."""

import asyncio
import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import asyncpg
import pytest

from service import errors
from service.model import months, protection
from service.store import audit, leases, releases
from tests import factories

NOW = datetime(2026, 11, 5, 9, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
OCTOBER = months.Month(date(2026, 10, 1))
FIRST, SECOND = "410192000001", "410192000002"
NEW = releases.New(
    district_id=1,
    profile="shareable",
    month=OCTOBER,
    revision=1,
    version="0.1.0",
    facts_digest="a" * 64,
    folder="2026-10-shareable-r1",
    archive_sha256="b" * 64,
    archive_bytes=12_345,
    created_at=NOW,
    created_by="schedule",
)
TOTALS = {"need": protection.Cell(80, 89), "adequate": protection.Cell(61, 61)}
TABLES = {"school_month": {FIRST: {"need": "", "need_symbol": "40 to 49"}, SECOND: {"need": "31"}}}


def rows(month: months.Month = OCTOBER) -> list[releases.Row]:
    counts = dict.fromkeys(protection.MAIN, 41) | {"waitlist": None, "lost": 0}
    month_on = month.first_on
    return [
        (
            protection.Facts(ncessch=FIRST, enrolled=400, counts=counts, month_on=month_on),
            protection.Published(
                ncessch=FIRST,
                level=protection.Level.TEN,
                cells={"need": protection.Cell(40, 49)},
                band=protection.Band(0.95, 1.0),
                month_on=month_on,
            ),
        ),
        (
            protection.Facts(ncessch=SECOND, enrolled=None, counts={"need": 31}, month_on=month_on),
            protection.Published(
                ncessch=SECOND, level=protection.Level.WITHHELD, cells={}, month_on=month_on
            ),
        ),
    ]


@pytest.fixture(autouse=True)
async def district(pool: asyncpg.Pool) -> None:
    await factories.district(pool)
    for ncessch in (FIRST, SECOND):
        await factories.school(pool, ncessch)


def named(**changes: object) -> releases.New:
    """Each package has a folder of its own."""
    new = replace(NEW, **changes)  # type: ignore[arg-type]
    is_given = not changes or "folder" in changes
    return new if is_given else replace(new, folder=re.sub(r"[^a-z0-9]+", "-", new.subject.lower()))


async def record(pool: asyncpg.Pool, **changes: object) -> int:
    new = named(**changes)
    return await releases.record(pool, new, rows=rows(new.month), totals=TOTALS, tables=TABLES.items())


async def test_a_release_comes_back_as_it_was_recorded(pool: asyncpg.Pool) -> None:
    new = replace(NEW, pilot="Evening calls", is_strict=True, reasons=("late_data", "need_corrected"))
    made = await releases.record(pool, new, rows=rows(), totals=TOTALS, tables=TABLES.items())
    found = await releases.by_id(pool, 1, made)
    assert found is not None
    assert {name: getattr(found, name) for name in new.__dataclass_fields__} == {
        name: getattr(new, name) for name in new.__dataclass_fields__
    }
    assert await releases.by_folder(pool, 1, new.folder) == found
    assert await releases.all_of(pool, 1) == (found,)
    (told,) = await releases.earlier(pool, 1)
    assert (told.release, told.rows, told.totals) == (found, tuple(rows()), TOTALS)
    assert await releases.tables_of(pool, 1, made) == TABLES


async def test_what_was_not_released_is_not_found(pool: asyncpg.Pool) -> None:
    await record(pool)
    assert await releases.by_id(pool, 1, 999) is None
    assert await releases.by_folder(pool, 1, "../2026-10-shareable-r1") is None
    assert await releases.all_of(pool, 2) == ()
    assert await releases.tables_of(pool, 1, 999) == {}
    for other in (
        {"pilot": "Evening calls"},
        {"is_partial": True},
        {"is_strict": True},
        {"profile": "internal"},
    ):
        asked = {"profile": "shareable", "month": OCTOBER, **other}
        assert await releases.find(pool, 1, **asked) == ()  # type: ignore[arg-type]


async def test_revisions_of_one_package_are_found_in_their_order(pool: asyncpg.Pool) -> None:
    for revision in (1, 2, 3):
        await record(pool, revision=revision, folder=f"2026-10-shareable-r{revision}")
    await record(pool, is_partial=True)
    found = await releases.find(pool, 1, profile="shareable", month=OCTOBER)
    assert [release.revision for release in found] == [1, 2, 3]
    assert not any(release.is_partial for release in found)


async def test_the_auditor_is_told_of_every_shareable_release_and_of_no_other(pool: asyncpg.Pool) -> None:
    await record(pool)
    await record(pool, is_partial=True)
    await record(pool, is_strict=True)
    await record(pool, pilot="Evening calls")
    await record(pool, revision=2)
    await record(pool, month=OCTOBER.away(1))
    await releases.record(pool, named(profile="internal"))
    await releases.record(pool, named(profile="inventory", is_deidentified=True))
    found = await releases.earlier(pool, 1)
    assert len(found) == 6
    assert {told.release.profile for told in found} == {"shareable"}
    assert {facts.month_on for facts, _ in found[-1].rows} == {date(2026, 11, 1)}


async def test_a_table_that_comes_in_parts_comes_back_whole(pool: asyncpg.Pool) -> None:
    (one, two), name = TABLES["school_month"].items(), "school_month"
    parts = [(name, dict([one])), ("notes", {}), (name, dict([two]))]
    made = await releases.record(pool, NEW, rows=rows(), totals=TOTALS, tables=parts)
    assert await releases.tables_of(pool, 1, made) == {**TABLES, "notes": {}}


async def test_one_revision_is_recorded_once(pool: asyncpg.Pool) -> None:
    await record(pool)
    with pytest.raises(errors.ExportRefused, match="2026-10 shareable revision 1 is issued already"):
        await record(pool)
    assert len(await audit.read(pool, 1)) == 1


async def test_a_release_of_a_school_that_is_gone_is_recorded_not_at_all(pool: asyncpg.Pool) -> None:
    await pool.execute("DELETE FROM schools WHERE ncessch = $1", SECOND)
    with pytest.raises(errors.ExportRefused, match="1 of 2 schools are no longer in the database"):
        await record(pool)
    assert await releases.all_of(pool, 1) == ()
    assert await audit.read(pool, 1) == []


async def test_a_link_is_told_of_by_one_process_only(pool: asyncpg.Pool) -> None:
    made = await record(pool)
    await record(pool, is_partial=True)
    await releases.record(pool, named(profile="internal"))
    assert [release.release_id for release in await releases.announceable(pool, 1, NOW)] == [made]
    assert await releases.announceable(pool, 1, NOW + MINUTE) == ()

    async def claim(now: datetime = NOW) -> bool:
        return await releases.claim_announcement(pool, 1, made, now, lasts=MINUTE)

    assert sorted(await asyncio.gather(*(claim() for _ in range(4)))) == [False, False, False, True]
    await releases.unclaim(pool, 1, made, NOW - MINUTE)  # not theirs
    assert not await claim()
    await releases.unclaim(pool, 1, made, NOW)
    assert await claim()
    assert await claim(NOW + MINUTE)  # whoever claimed it is gone


async def test_which_channels_took_a_link_is_in_the_audit_log(pool: asyncpg.Pool) -> None:
    made = await record(pool)
    release = await releases.by_id(pool, 1, made)
    assert release is not None
    await audit.entry(pool, 1, releases.announcement(release, "lead", by="schedule", now=NOW))
    assert await releases.announced(pool, 1, NOW) == {(made, "lead")}
    assert await releases.announced(pool, 1, NOW + MINUTE) == set()


# The lease


async def test_two_exports_of_a_district_are_not_made_at_once(pool: asyncpg.Pool) -> None:
    await factories.district(pool, 2)
    async with leases.held(pool, 1):
        with pytest.raises(errors.ExportRefused, match="another export of district 1 is being made"):
            async with leases.held(pool, 1):
                pass
        async with leases.held(pool, 2):
            pass
    async with leases.held(pool, 1):
        pass
    assert await pool.fetchval("SELECT count(*) FROM export_leases") == 0


async def test_of_many_at_once_one_gets_the_lease(pool: asyncpg.Pool) -> None:
    async def tried() -> bool:
        try:
            async with leases.held(pool, 1):
                await asyncio.sleep(0.3)
        except errors.ExportRefused:
            return False
        return True

    assert sorted(await asyncio.gather(*(tried() for _ in range(5)))) == [False] * 4 + [True]


async def test_a_holder_that_died_stands_in_the_way_no_longer_than_its_lease(pool: asyncpg.Pool) -> None:
    await pool.execute("INSERT INTO export_leases VALUES (1, 'dead', now() + interval '1 minute')")
    with pytest.raises(errors.ExportRefused):
        async with leases.held(pool, 1):
            pass
    await pool.execute("UPDATE export_leases SET until_at = now() - interval '1 second'")
    async with leases.held(pool, 1):
        assert await pool.fetchval("SELECT holder FROM export_leases") != "dead"


async def test_a_long_export_keeps_its_lease(pool: asyncpg.Pool) -> None:
    lasts, every = timedelta(seconds=0.4), timedelta(seconds=0.1)
    async with leases.held(pool, 1, lasts=lasts, renewed_every=every):
        await asyncio.sleep(1)
        with pytest.raises(errors.ExportRefused):
            async with leases.held(pool, 1):
                pass


async def test_who_lost_the_lease_records_nothing_and_does_not_end_that_of_the_other(
    pool: asyncpg.Pool,
) -> None:
    async with leases.held(pool, 1) as mine:
        await pool.execute("UPDATE export_leases SET holder = 'other'")
        with pytest.raises(errors.ExportRefused, match="another one took over"):
            await releases.record(pool, NEW, rows=rows(), under=mine)
    assert await releases.all_of(pool, 1) == ()
    assert await pool.fetchval("SELECT holder FROM export_leases") == "other"


async def test_an_export_that_fails_frees_its_place(pool: asyncpg.Pool) -> None:
    async def failing() -> None:
        async with leases.held(pool, 1) as mine:
            assert await releases.record(pool, NEW, rows=rows(), under=mine)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await failing()
    assert await pool.fetchval("SELECT count(*) FROM export_leases") == 0


# The audit log


async def test_every_release_is_in_the_audit_log(pool: asyncpg.Pool) -> None:
    await record(pool, pilot="Evening calls", is_partial=True)
    (entry,) = await audit.read(pool, 1)
    assert (entry.actor, entry.action) == ("schedule", "export_created")
    assert entry.subject == "2026-10 shareable partial revision 1, pilot Evening calls"
    assert entry.details["archive_sha256"] == NEW.archive_sha256
    assert entry.happened_at == NOW


async def test_the_audit_log_is_read_the_newest_first(pool: asyncpg.Pool) -> None:
    for ago in (3, 0, 1):
        entry = audit.Entry(
            happened_at=NOW - timedelta(days=ago),
            actor="sponsor",
            action="export_downloaded",
            subject=str(ago),
            details={"bytes": ago},
        )
        await audit.entry(pool, 1, entry)
    found = await audit.read(pool, 1)
    assert [entry.subject for entry in found] == ["0", "1", "3"]
    assert found[0].details == {"bytes": 0}
    assert [entry.subject for entry in await audit.read(pool, 1, limit=1)] == ["0"]
    recent = await audit.read(pool, 1, since=NOW - timedelta(days=1))
    assert [entry.subject for entry in recent] == ["0", "1"]
    assert await audit.read(pool, 2) == []
