"""What a loan file says against what the database has: told, and never silently put right."""

from datetime import date
from pathlib import Path

import asyncpg
import pytest

from service.imports import undoing
from tests import factories, files
from tests.integration import loan_desk
from tests.integration.loan_desk import Desk, row


@pytest.fixture
async def desk(pool: asyncpg.Pool, tmp_path: Path) -> Desk:
    await loan_desk.district(pool)
    return Desk(pool, tmp_path)


async def test_a_full_file_ends_the_old_loan_of_a_device_as_the_new_one_begins(desk: Desk) -> None:
    await desk.tells(row(0, "a", "2026-09-01"))
    outcome = await desk.tells(row(0, "b", "2026-10-01"), full=True)
    assert (outcome.added, outcome.closed, outcome.rejected) == (1, 1, 0)
    assert outcome.said == ("1 loan opened", "1 closed as absent")
    assert [loan[1:4] for loan in await desk.loans()] == [
        ("a", "2026-09-01", "2026-10-01"),
        ("b", "2026-10-01", None),
    ]


async def test_a_full_file_with_a_refused_row_ends_nothing_so_the_old_loan_stands_against_the_new(
    desk: Desk,
) -> None:
    await desk.tells(row(0, "a", "2026-09-01"))
    outcome = await desk.tells(
        row(0, "b", "2026-10-01"), row(1, "c", "2026-10-01", ncessch="410192000999"), full=True
    )
    assert (outcome.added, outcome.closed, outcome.rejected) == (0, 0, 2)
    assert "no absent loan was closed" in outcome.warnings[0].reason
    assert outcome.said == ("1 conflict",)
    assert [loan[1:4] for loan in await desk.loans()] == [("a", "2026-09-01", None)]


async def test_a_full_file_never_ends_the_loans_of_another_source(desk: Desk) -> None:
    await desk.tells(row(0, "a", "2026-09-01"), row(1, "b", "2026-09-01"), source="koha")
    outcome = await desk.tells(
        row(0, "c", "2026-10-01"), row(2, "d", "2026-10-01"), source="destiny", full=True
    )
    assert (outcome.added, outcome.closed, outcome.rejected) == (1, 0, 1)
    assert "lent since 2026-09-01" in outcome.problems[0].reason
    koha = await desk.tells(row(0, "a", "2026-09-01"), source="koha", full=True)
    assert koha.closed == 1
    assert [loan[3] for loan in await desk.loans()] == [None, "2026-10-15", None]


async def test_a_loan_that_no_source_told_of_becomes_that_of_the_first_which_does(desk: Desk) -> None:
    await desk.tells(row(0, "a", "2026-09-01"))
    for source in ("koha", "", "destiny"):
        await desk.tells(row(0, "a", "2026-09-01"), source=source)
    assert [loan[5] for loan in await desk.loans()] == ["koha"]


async def test_a_loan_within_one_that_is_over_is_a_conflict_with_both_dates(desk: Desk) -> None:
    await desk.tells(row(0, "a", "2026-09-01", "2026-10-01"))
    outcome = await desk.tells(row(0, "b", "2026-09-20"))
    assert "lent from 2026-09-01 to 2026-10-01" in outcome.problems[0].reason
    touching = await desk.tells(row(0, "b", "2026-10-01"), row(0, "c", "2026-08-20", "2026-09-01"))
    assert (touching.added, touching.rejected) == (2, 0)


async def test_a_loan_that_was_taken_for_ended_later_ends_as_the_devices_next_one_begins(desk: Desk) -> None:
    await desk.tells(row(0, "a", "2026-09-01"), row(1, "b", "2026-09-01"))
    await desk.tells(row(1, "b", "2026-09-01"), full=True)  # the first ends today
    outcome = await desk.tells(
        row(0, "c", "2026-10-12"), row(1, "b", "2026-09-01"), full=True, today=date(2026, 10, 16)
    )
    assert outcome.said == ("1 loan opened", "1 ended earlier, as the device was lent again")
    first, _, _ = await desk.loans()
    assert first[1:4] == ("a", "2026-09-01", "2026-10-12")


async def test_a_loan_that_begins_before_the_known_open_one_is_a_conflict_even_in_a_full_file(
    desk: Desk,
) -> None:
    await desk.tells(row(0, "a", "2026-09-10"))
    outcome = await desk.tells(row(0, "b", "2026-09-01"), full=True)
    assert (outcome.added, outcome.rejected, outcome.closed) == (0, 1, 0)


async def test_a_refused_row_no_longer_stands_for_its_own_known_loan(desk: Desk) -> None:
    """Its loan would have made way for the second row's, had it not been refused for the loan of a third."""
    device = await desk.pool.fetchval("SELECT device_id FROM devices WHERE imei = $1", loan_desk.IMEI[0])
    school = await desk.pool.fetchval("SELECT school_id FROM schools WHERE ncessch = $1", loan_desk.CEDAR)
    a, b = loan_desk.KEY.borrower("a"), loan_desk.KEY.borrower("b")
    await factories.loan(desk.pool, device, school, date(2026, 10, 1), borrower=b)
    await factories.loan(
        desk.pool, device, school, date(2026, 10, 8), borrower=a, returned_on=date(2026, 10, 9)
    )
    outcome = await desk.tells(row(0, "b", "2026-10-01", "2026-10-09"), row(0, "c", "2026-10-10"))
    assert [problem.reason[:40] for problem in outcome.problems] == [
        "an earlier file has the device lent from",
        "the device is lent since 2026-10-01 on a",
    ]


async def test_a_lost_loan_stays_open_though_a_full_file_lacks_it(desk: Desk) -> None:
    told = await desk.tells(row(0, "a", "2026-09-01", lost="2026-10-02"), row(1, "b", "2026-09-01"))
    assert told.said == ("2 loans opened", "1 lost")
    outcome = await desk.tells(row(2, "c", "2026-10-10"), full=True)
    assert outcome.said == ("1 loan opened", "1 closed as absent")
    assert [loan[3:5] for loan in await desk.loans()] == [
        (None, "2026-10-02"),
        ("2026-10-15", None),
        (None, None),
    ]
    found = await desk.tells(row(0, "d", "2026-10-12"), row(2, "c", "2026-10-10"), full=True)
    assert (found.added, found.closed, found.rejected) == (1, 1, 0)


async def test_a_file_without_a_column_leaves_what_is_known_of_it(desk: Desk) -> None:
    whole = ("device", "ncessch", "borrower", "household", "checked_out_on", "due_on", "lost_on")
    told = [loan_desk.IMEI[0], loan_desk.CEDAR, "a", "h", "2026-09-01", "2027-06-01", "2026-10-01"]
    await desk.tells(told, header=whole)
    before = await files.contents(desk.pool, without=["imports"])
    outcome = await desk.tells(
        [loan_desk.IMEI[0], loan_desk.CEDAR, "a", "2026-09-01"],
        header=("device", "ncessch", "borrower", "checked_out_on"),
    )
    assert outcome.unchanged == 1
    assert await files.contents(desk.pool, without=["imports"]) == before
    emptied = await desk.tells([*told[:3], "", told[4], "", ""], header=whole)
    assert emptied.said == ("1 loan corrected",)


async def test_one_borrower_with_two_hotspots_is_told_with_every_row_and_not_put_right(desk: Desk) -> None:
    outcome = await desk.tells(
        row(0, "a", "2026-09-01"),
        row(1, "a", "2026-09-02"),
        row(2, "b", "2026-09-01", "2026-09-05"),
        row(3, "b", "2026-09-05"),
        row(4, "c", "2026-09-05"),
    )
    assert (outcome.added, outcome.rejected) == (5, 0)
    assert [warning.row for warning in outcome.warnings] == [0, 2, 3]
    assert outcome.warnings[0].reason.startswith("1 borrower(s) have more than one open hotspot")
    later = await desk.tells(row(5, "c", "2026-10-01"))
    assert [warning.row for warning in later.warnings] == [0, 2]
    assert all(warning.value is None for warning in (*outcome.warnings, *later.warnings))


async def test_a_bus_router_is_no_second_hotspot(desk: Desk) -> None:
    await desk.pool.execute("UPDATE devices SET kind = 'bus_router' WHERE imei = $1", loan_desk.IMEI[1])
    outcome = await desk.tells(row(0, "a", "2026-09-01"), row(1, "a", "2026-09-02"))
    assert outcome.warnings == ()


async def test_a_dry_run_tells_what_the_run_then_does(desk: Desk) -> None:
    await desk.tells(
        *(row(n, "abcd"[n], "2026-09-01") for n in range(4)), row(4, "d", "2026-09-01", "2026-09-09")
    )
    told = (
        row(0, "a", "2026-09-01", "2026-10-01"),
        row(1, "b", "2026-09-01", ncessch=loan_desk.ALDER),
        row(4, "d", "2026-09-01"),
        row(5, "c", "2026-10-01"),
        row(6, "a", "2026-09-01", "2026-09-03"),
    )
    before = await files.contents(desk.pool)
    dry = await desk.tells(*told, full=True, dry_run=True)
    assert await files.contents(desk.pool) == before
    real = await desk.tells(*told, full=True)
    assert (
        dry.said
        == real.said
        == (
            "1 loan opened",
            "1 closed",
            "1 added that are over",
            "2 closed as absent",
            "1 reopened",
            "1 changed school",
        )
    )
    again = await desk.tells(*told, full=True)
    assert again.said == ("no loan changed",)
    assert (again.added, again.changed, again.closed) == (0, 0, 0)


async def test_undoing_brings_back_loans_that_were_closed_lost_and_moved(desk: Desk) -> None:
    await desk.tells(row(0, "a", "2026-09-01"), row(1, "b", "2026-09-01"), row(2, "c", "2026-09-01"))
    before = await desk.loans()
    outcome = await desk.tells(
        row(0, "d", "2026-10-01"),
        row(1, "b", "2026-09-01", lost="2026-10-01", ncessch=loan_desk.ALDER),
        full=True,
    )
    assert (outcome.added, outcome.changed, outcome.closed) == (1, 1, 2)
    await undoing.run(desk.pool, factories.DISTRICT, "loans", today=loan_desk.TODAY)
    assert await desk.loans() == before
