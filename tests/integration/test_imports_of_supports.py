"""Other supports and waitlists: beside coverage, never in it."""

import re
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import asyncpg
import pytest

from service.imports import outcomes, supports, undoing, waitlists
from service.printed import coverage as coverage_table
from service.store import beside, coverage
from service.web import pages
from tests import factories, files, snapshots

TODAY = date(2026, 10, 15)
CEDAR, ALDER = "410192000001", "410192000002"
SUPPORTS = "ncessch,kind,name,weekly_hours,starts_on,ends_on"
WAITLIST = "ncessch,as_of,requests"


@pytest.fixture
async def district(pool: asyncpg.Pool) -> int:
    await factories.district(pool)
    await factories.school(pool, CEDAR)
    await factories.school(pool, ALDER)
    return factories.DISTRICT


async def supported(
    pool: asyncpg.Pool,
    folder: Path,
    *lines: str,
    dry_run: bool = False,
    district_id: int = factories.DISTRICT,
) -> outcomes.Outcome:
    path = files.written(folder, "supports.csv", SUPPORTS, *lines)
    return await supports.run(pool, district_id, path, today=TODAY, dry_run=dry_run)


async def waiting(
    pool: asyncpg.Pool,
    folder: Path,
    *lines: str,
    dry_run: bool = False,
    district_id: int = factories.DISTRICT,
) -> outcomes.Outcome:
    path = files.written(folder, "waitlist.csv", WAITLIST, *lines)
    return await waitlists.run(pool, district_id, path, today=TODAY, dry_run=dry_run)


async def told(pool: asyncpg.Pool, ncessch: str = CEDAR, on_day: date = TODAY) -> beside.Beside:
    async with pool.acquire() as connection:
        found = await beside.by_school(connection, [factories.DISTRICT], [on_day])
    return found.get((factories.DISTRICT, ncessch), beside.NOTHING_TOLD)


def reasons(outcome: outcomes.Outcome) -> list[tuple[int, str]]:
    return [(problem.row, problem.column) for problem in outcome.problems]


async def test_hours_are_added_up_by_kind(pool: asyncpg.Pool, district: int, tmp_path: Path) -> None:
    outcome = await supported(
        pool,
        tmp_path,
        f"{CEDAR},Library Hours,Main Street Library,12.5,2026-09-01,",
        f"{CEDAR},library_hours,School library,5,2026-09-01,2027-06-15",
        f"{CEDAR},activity bus,Route 7,7.5,2026-09-01,",
        f"{ALDER},community wifi,Plaza,168,2026-09-01,",
    )
    assert (outcome.added, outcome.rejected) == (4, 0)
    cedar = await told(pool)
    assert (cedar.library_hours, cedar.activity_bus_hours, cedar.community_wifi_hours) == (17.5, 7.5, None)
    assert (await told(pool, ALDER)).community_wifi_hours == 168
    assert (await told(pool, on_day=date(2026, 8, 31))) == beside.NOTHING_TOLD


async def test_of_one_place_what_began_last_counts_and_what_has_ended_does_not(
    pool: asyncpg.Pool, district: int, tmp_path: Path
) -> None:
    await supported(
        pool,
        tmp_path,
        f"{CEDAR},library_hours,Main Street Library,20,2025-09-01,",
        f"{CEDAR},library_hours,Main Street Library,12,2026-09-01,2026-10-15",
        f"{CEDAR},activity_bus,Route 7,0,2026-09-01,",
    )
    assert (await told(pool, on_day=date(2026, 8, 1))).library_hours == 20
    assert (await told(pool, on_day=date(2026, 10, 14))).library_hours == 12
    assert (await told(pool)).library_hours is None
    assert (await told(pool)).activity_bus_hours == 0


async def test_supports_that_cannot_be_are_refused(pool: asyncpg.Pool, district: int, tmp_path: Path) -> None:
    outcome = await supported(
        pool,
        tmp_path,
        f"{CEDAR},tutoring,Library,5,2026-09-01,",
        f"{CEDAR},library_hours,,5,2026-09-01,",
        f"{CEDAR},library_hours,Library,169,2026-09-01,",
        f"{CEDAR},library_hours,Library,,2026-09-01,",
        f"{CEDAR},library_hours,Library,5,,",
        f"{CEDAR},library_hours,Library,5,2026-09-01,2026-09-01",
        "410192000099,library_hours,Library,5,2026-09-01,",
        f"{CEDAR},library_hours,Library,5,2026-09-01,",
        f"{CEDAR},library_hours,Library,6,2026-09-01,",
    )
    assert reasons(outcome) == [
        (2, "kind"), (3, "name"), (4, "weekly_hours"), (5, "weekly_hours"), (6, "starts_on"), (7, "ends_on"),
        (8, "ncessch"), (10, "starts_on"),
    ]  # fmt: skip
    assert outcome.accepted == 1


async def test_a_waitlist_holds_until_the_next(pool: asyncpg.Pool, district: int, tmp_path: Path) -> None:
    outcome = await waiting(
        pool, tmp_path, f"{CEDAR},2025-09-15,14", f"{CEDAR},2026-09-15,9", f"{ALDER},2024-01-10,0"
    )
    assert outcome.added == 3
    assert ((await told(pool)).waitlist, (await told(pool)).waitlist_on) == (9, date(2026, 9, 15))
    assert (await told(pool, on_day=date(2026, 9, 14))).waitlist == 14
    assert (await told(pool, ALDER)).waitlist == 0
    assert (await told(pool, on_day=date(2025, 1, 1))).waitlist is None


async def test_a_waitlist_that_cannot_be_is_refused(
    pool: asyncpg.Pool, district: int, tmp_path: Path
) -> None:
    outcome = await waiting(
        pool,
        tmp_path,
        f"{CEDAR},2026-10-16,4",
        f"{CEDAR},2026-10-15,-1",
        f"{CEDAR},2026-10-15,few",
        f"{CEDAR},,4",
    )
    assert reasons(outcome) == [(2, "as_of"), (3, "requests"), (4, "requests"), (5, "as_of")]


async def test_both_again_change_nothing_are_corrected_and_undone(
    pool: asyncpg.Pool, district: int, tmp_path: Path
) -> None:
    empty = await files.contents(pool, without=["imports", "import_changes"])
    support, count = f"{CEDAR},library_hours,Library,5,2026-09-01,", f"{CEDAR},2026-09-15,9"
    for dry_run in (True, False):
        assert (await supported(pool, tmp_path, support, dry_run=dry_run)).added == 1
        assert (await waiting(pool, tmp_path, count, dry_run=dry_run)).added == 1
    before = await files.contents(pool, without=["imports"])
    assert (await supported(pool, tmp_path, support)).unchanged == 1
    assert (await waiting(pool, tmp_path, count)).unchanged == 1
    assert await files.contents(pool, without=["imports"]) == before
    assert (await supported(pool, tmp_path, support.replace(",5,", ",6,"))).changed == 1
    assert (await waiting(pool, tmp_path, count.replace(",9", ",8"))).changed == 1
    await undoing.run(pool, district, "supports", today=TODAY)
    await undoing.run(pool, district, "waitlist", today=TODAY)
    assert ((await told(pool)).library_hours, (await told(pool)).waitlist) == (5, 9)
    assert empty["supports"] == ""


async def test_no_figure_of_coverage_changes(pool: asyncpg.Pool, tmp_path: Path) -> None:
    await snapshots.insert(pool)
    before = await coverage.snapshot(pool, now=snapshots.NOW)
    days = await files.contents(pool, without=["imports", "import_changes", "supports", "waitlist_counts"])
    school = snapshots.ncessch(1)
    await supported(pool, tmp_path, f"{school},community_wifi,Plaza,168,2026-09-01,", district_id=7)
    await waiting(pool, tmp_path, f"{school},2026-10-01,31", district_id=7)
    kept = await files.contents(pool, without=["imports", "import_changes", "supports", "waitlist_counts"])
    assert kept == days  # nothing is computed again either
    after = await coverage.snapshot(pool, now=snapshots.NOW)
    (helped,) = (one for one in after.districts[0].schools if one.beside.is_told)
    assert (helped.beside.waitlist, helped.beside.community_wifi_hours) == (31, 168)
    assert figures(after.districts[0]) == figures(before.districts[0])


def figures(district: coverage.District) -> str:
    """All that is told of a district, without the waitlists and the other supports themselves."""
    without = tuple(replace(school, beside=beside.NOTHING_TOLD) for school in district.schools)
    return re.sub(r"waitlist=\w+", "", repr(replace(district, schools=without)))


async def test_scripts_get_both_beside_the_figures(pool: asyncpg.Pool, tmp_path: Path) -> None:
    await snapshots.insert(pool)
    await supported(
        pool, tmp_path, f"{snapshots.ncessch(0)},activity_bus,Route 7,7.5,2026-09-01,", district_id=7
    )
    await waiting(pool, tmp_path, f"{snapshots.ncessch(0)},2026-10-01,31", district_id=7)
    told_all = coverage_table.as_json(await coverage.snapshot(pool, now=snapshots.NOW))["districts"][0][
        "schools"
    ]
    first, second = (
        next(one for one in told_all if one["ncessch"] == snapshots.ncessch(at)) for at in (0, 1)
    )
    assert (first["waitlist"], first["waitlist_on"], first["activity_bus_hours"]) == (31, "2026-10-01", 7.5)
    assert (second["waitlist"], second["library_hours"]) == (None, None)


def page(told_of_first: beside.Beside) -> str:
    made = snapshots.snapshot()
    district = made.districts[0]
    schools = (replace(district.schools[0], beside=told_of_first), *district.schools[1:])
    return pages.district_page(made, replace(district, schools=schools), now=snapshots.NOW)


def test_the_page_shows_them_beside_coverage() -> None:
    text = page(beside.Beside(waitlist=31, waitlist_on=snapshots.TODAY, library_hours=12.5))
    assert "Waitlists and other supports" in text
    assert "waitlist 31" in text
    assert "12.5" in text
    assert "not told" in text
    assert "counted" not in text.split('id="beside"')[1].split("</section>")[0]
    assert "Waitlists and other supports" not in page(beside.NOTHING_TOLD)


def test_an_old_waitlist_is_shown_with_its_date() -> None:
    text = page(beside.Beside(waitlist=31, waitlist_on=snapshots.TODAY - timedelta(days=366)))
    assert "counted Wednesday, November 19, 2025" in text
