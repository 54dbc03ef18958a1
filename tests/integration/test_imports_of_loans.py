"""Loans come in from a file, whole or in part, and only as pseudonyms."""

import logging
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path

import asyncpg
import pytest

from service import errors
from service.imports import loans, outcomes, pseudonym_keys
from service.model import identifiers, pseudonyms
from tests import factories, files

TODAY = date(2026, 10, 15)
HEADER = (
    "device",
    "ncessch",
    "borrower",
    "household",
    "checked_out_on",
    "due_on",
    "returned_on",
    "device_kind",
)
CEDAR = "410192000001"
ALDER = "410192000002"
KEY = pseudonyms.Pseudonymizer(b"correct horse battery staple, and more of it")
IMEI = [identifiers.with_luhn(f"8600000000000{n}") for n in range(10)]
ICCID = identifiers.with_luhn("890126000000000000")
MDN = "+15035550123"


@pytest.fixture
async def district(pool: asyncpg.Pool) -> int:
    """Two schools and three seen devices; the first has a serial, a SIM and a number."""
    await factories.district(pool)
    await factories.school(pool, CEDAR)
    await factories.school(pool, ALDER)
    for n in range(3):
        device_id = await factories.device(pool, IMEI[n], serial=f"SN-{n}")
        await factories.line(
            pool, iccid=ICCID if n == 0 else None, mdn=MDN if n == 0 else None, device_id=device_id
        )
    return factories.DISTRICT


def row(
    device: str = IMEI[0], ncessch: str = CEDAR, borrower: str = "b1", out: str = "2026-09-01", **told: str
) -> list[str]:
    return [
        device,
        ncessch,
        borrower,
        told.get("household", ""),
        out,
        told.get("due", ""),
        told.get("back", ""),
        told.get("kind", ""),
    ]


class Importer:
    def __init__(self, pool: asyncpg.Pool, folder: Path) -> None:
        self._pool = pool
        self._folder = folder

    async def __call__(
        self,
        *rows: Sequence[object],
        full: bool = False,
        today: date = TODAY,
        key: pseudonyms.Pseudonymizer | None = KEY,
        header: Sequence[str] = HEADER,
    ) -> outcomes.Outcome:
        path = files.csv_file(self._folder, "loans.csv", header, rows)
        return await loans.run(
            self._pool, factories.DISTRICT, path, pseudonymizer=key, today=today, full=full
        )


@pytest.fixture
def importer(pool: asyncpg.Pool, district: int, tmp_path: Path) -> Importer:
    return Importer(pool, tmp_path)


async def dirty(pool: asyncpg.Pool) -> list[date]:
    """The marked days, which are then taken away."""
    return [row["on_day"] for row in await pool.fetch("DELETE FROM dirty_loan_days RETURNING on_day")]


async def test_loans_come_in_and_coming_again_change_nothing(pool: asyncpg.Pool, importer: Importer) -> None:
    rows = [row(due="2027-06-15", household="h1"), row(IMEI[1], back="2026-10-01")]
    first = await importer(*rows)
    before = await files.contents(pool, without=["imports"])
    again = await importer(*rows)
    assert (first.accepted, first.added, first.rejected, first.warnings) == (2, 2, 0, ())
    assert (again.accepted, again.added, again.changed, again.unchanged) == (2, 0, 0, 2)
    assert await files.contents(pool, without=["imports"]) == before
    loan = await files.only(pool, "SELECT * FROM loans WHERE returned_on IS NULL")
    assert loan["borrower"] == KEY.borrower("B1 ")
    assert loan["household"] == KEY.household("h1")
    assert loan["due_on"] == date(2027, 6, 15)


@pytest.mark.parametrize(
    "device",
    [IMEI[0], IMEI[0][:14], IMEI[0][:14] + "07", "sn-0", ICCID, ICCID[:-1], "(503) 555-0123", MDN],
)
async def test_a_device_may_be_named_in_any_way_it_is_known(
    pool: asyncpg.Pool, importer: Importer, device: str
) -> None:
    outcome = await importer(row(device))
    assert outcome.added == 1
    assert (
        await pool.fetchval("SELECT imei FROM loans JOIN devices USING (district_id, device_id)") == IMEI[0]
    )


async def test_a_sim_names_the_device_that_held_it_on_the_day_of_the_check_out(
    pool: asyncpg.Pool, importer: Importer
) -> None:
    line_id = await pool.fetchval("SELECT line_id FROM lines WHERE iccid = $1", ICCID)
    second = await pool.fetchval("SELECT device_id FROM devices WHERE imei = $1", IMEI[1])
    moved_at = datetime(2026, 9, 20, 18, tzinfo=UTC)
    await pool.execute("UPDATE line_device_links SET ends_at = $1 WHERE line_id = $2", moved_at, line_id)
    await factories.link(pool, line_id, second, starts_at=moved_at)
    outcome = await importer(row(ICCID, out="2026-09-10", back="2026-09-19"), row(ICCID, out="2026-09-20"))
    assert outcome.added == 2
    found = await pool.fetch("SELECT imei FROM loans JOIN devices USING (device_id) ORDER BY checked_out_on")
    assert [each["imei"] for each in found] == [IMEI[0], IMEI[1]]


async def test_an_imei_that_nobody_has_seen_makes_a_device_and_a_warning(
    pool: asyncpg.Pool, importer: Importer
) -> None:
    for added in (1, 0):
        outcome = await importer(row(IMEI[7], kind="fixed_router"))
        assert (outcome.added, outcome.rejected) == (added, 0)
        assert "its state is unknown" in outcome.warnings[0].reason
    assert await pool.fetchval("SELECT kind FROM devices WHERE imei = $1", IMEI[7]) == "fixed_router"


async def test_the_devices_of_refused_rows_are_not_made(pool: asyncpg.Pool, importer: Importer) -> None:
    outcome = await importer(row(IMEI[7], "410192000999"), row(IMEI[8], ""))
    assert outcome.rejected == 2
    assert await pool.fetchval("SELECT count(*) FROM devices") == 3


@pytest.mark.parametrize(
    ("told", "column", "reason"),
    [
        (row("SN-99"), "device", "no source knows this device"),
        (row("5035559999"), "device", "no source knows this device"),
        (row(identifiers.with_luhn("890126000000000099")), "device", "no source knows this device"),
        (row(IMEI[9][:14]), "device", "no whole IMEI"),
        (row("3.55737E+14"), "device", "as text"),
        (row(""), "device", "is empty"),
        (row(ncessch="410192000999"), "ncessch", "no such school"),
        (row(ncessch=""), "ncessch", "in no group"),
        (row(ncessch="10192000001"), "ncessch", "leading zero"),
        (row(out="2026-09-10", back="2026-09-09"), "returned_on", "before checked_out_on"),
        (row(out="2026-09-10", due="2026-09-09"), "due_on", "before checked_out_on"),
        (row(out="2027-09-10"), "checked_out_on", "is not between"),
        (row(out=""), "checked_out_on", "is empty"),
        (row(out="1/2/26"), "checked_out_on", "is not a date"),
        (row(back="2026-11-01"), "returned_on", "is not between"),
        (row(kind="toaster"), "device_kind", "is not one of"),
        (row(borrower="1.23E+11"), "borrower", "as text"),
        (row(household="x" * 300), "household", "longer"),
        ([*row(), "extra"], "", "9 cells where the header has 8"),
    ],
)
async def test_a_row_that_cannot_be_is_refused_with_its_place_and_reason(
    pool: asyncpg.Pool, importer: Importer, told: list[str], column: str, reason: str
) -> None:
    outcome = await importer(row(IMEI[1]), told)
    assert (outcome.accepted, outcome.rejected) == (1, 1)
    (problem,) = outcome.problems
    assert (problem.row, problem.column) == (3, column)
    assert reason in problem.reason
    if column in ("borrower", "household"):
        assert problem.value is None


async def test_a_text_that_fits_two_devices_is_a_conflict(pool: asyncpg.Pool, importer: Importer) -> None:
    await factories.device(pool, serial=IMEI[0])
    outcome = await importer(row())
    assert "several devices" in outcome.problems[0].reason


async def test_a_blank_school_is_that_of_the_vendors_group(pool: asyncpg.Pool, importer: Importer) -> None:
    account_id = await factories.account(pool)
    alder = await pool.fetchval("SELECT school_id FROM schools WHERE ncessch = $1", ALDER)
    await factories.group(pool, account_id, "g1", school_id=alder)
    line_id = await pool.fetchval("SELECT line_id FROM lines WHERE iccid = $1", ICCID)
    await factories.latest_state(pool, line_id, account_id, read_at=factories.OBSERVED_SINCE, group_key="g1")
    outcome = await importer(row(ncessch=""))
    assert outcome.added == 1
    assert await pool.fetchval("SELECT school_id FROM loans") == alder


async def test_a_known_loan_keeps_its_school_where_the_file_tells_none(
    pool: asyncpg.Pool, importer: Importer
) -> None:
    await importer(row(ncessch=ALDER))
    outcome = await importer(row(ncessch=""))
    assert (outcome.unchanged, outcome.rejected) == (1, 0)


async def test_the_same_row_twice_is_a_repeat_and_another_return_date_is_refused(importer: Importer) -> None:
    outcome = await importer(row(), row(), row(back="2026-10-01"))
    assert (outcome.accepted, outcome.added, outcome.repeated, outcome.rejected) == (2, 1, 1, 1)
    assert "row 2" in outcome.problems[0].reason


async def test_of_two_loans_of_a_device_at_once_the_second_is_refused_and_names_the_first(
    importer: Importer,
) -> None:
    outcome = await importer(
        row(borrower="a", out="2026-09-01", back="2026-09-20"),
        row(borrower="b", out="2026-09-10"),
        row(borrower="c", out="2026-09-20"),
        row(borrower="d", out="2026-09-21", back="2026-09-21"),
    )
    assert outcome.added == 3
    (problem,) = outcome.problems
    assert (problem.row, "row 2" in problem.reason) == (3, True)


async def test_a_full_file_closes_the_open_loans_it_lacks(pool: asyncpg.Pool, importer: Importer) -> None:
    await importer(row(), row(IMEI[1]), row(IMEI[2], back="2026-09-05"))
    await dirty(pool)
    partial = await importer(row())
    assert (partial.closed, await dirty(pool)) == (0, [])
    full = await importer(row(), full=True)
    assert full.closed == 1
    assert await dirty(pool) == [TODAY]
    found = await pool.fetch(
        "SELECT imei, returned_on FROM loans JOIN devices USING (device_id) ORDER BY imei"
    )
    assert [each["returned_on"] for each in found] == [None, TODAY, date(2026, 9, 5)]
    again = await importer(row(), full=True, today=date(2026, 10, 20))
    assert again.closed == 0


async def test_a_full_file_with_a_refused_row_closes_nothing_and_says_so(
    pool: asyncpg.Pool, importer: Importer
) -> None:
    await importer(row(), row(IMEI[1]))
    outcome = await importer(row(), row("SN-99"), full=True)
    assert outcome.closed == 0
    assert "no absent loan was closed" in outcome.warnings[0].reason
    assert await pool.fetchval("SELECT count(*) FROM loans WHERE returned_on IS NULL") == 2


async def test_a_full_file_without_rows_closes_nothing(pool: asyncpg.Pool, importer: Importer) -> None:
    await importer(row())
    with pytest.raises(errors.ImportRejected, match="no rows"):
        await importer(full=True)
    assert await pool.fetchval("SELECT returned_on FROM loans") is None


async def test_a_closed_loan_that_is_told_open_again_is_open(pool: asyncpg.Pool, importer: Importer) -> None:
    await importer(row(), row(IMEI[1]))
    await importer(row(), full=True)
    await dirty(pool)
    outcome = await importer(row(), row(IMEI[1]), today=date(2026, 10, 18), full=True)
    assert (outcome.changed, await dirty(pool)) == (1, [TODAY])


@pytest.mark.parametrize(
    ("told", "affected"),
    [
        (row(), []),
        (row(due="2027-06-01"), []),
        (row(back="2026-10-03"), [date(2026, 10, 3)]),
        (row(ncessch=ALDER), [date(2026, 9, 1)]),
        (row(household="h9"), [date(2026, 9, 1)]),
        (row(kind="bus_router"), [date(2026, 9, 1)]),
        (row(IMEI[1], out="2026-11-01"), [TODAY]),
    ],
)
async def test_only_the_days_that_a_change_affects_are_computed_again(
    pool: asyncpg.Pool, importer: Importer, told: list[str], affected: list[date]
) -> None:
    await importer(row())
    assert await dirty(pool) == [date(2026, 9, 1)]
    await importer(told)
    assert await dirty(pool) == affected


async def test_a_second_open_loan_of_a_device_is_refused_until_the_first_has_ended(
    importer: Importer,
) -> None:
    await importer(row(borrower="a"))
    outcome = await importer(row(borrower="b", out="2026-10-01"))
    assert (outcome.added, outcome.rejected) == (0, 1)
    assert "lent since 2026-09-01" in outcome.problems[0].reason
    both = await importer(row(borrower="a", back="2026-10-01"), row(borrower="b", out="2026-10-01"))
    assert (both.added, both.changed, both.rejected) == (1, 1, 0)


async def test_another_pseudonym_key_is_refused(pool: asyncpg.Pool, importer: Importer) -> None:
    await importer(row())
    before = await files.contents(pool)
    with pytest.raises(errors.ConfigError, match="old key"):
        await importer(row(IMEI[1]), key=pseudonyms.Pseudonymizer(b"another key, of which nobody has heard"))
    assert await files.contents(pool) == before


async def test_borrowers_without_a_key_are_refused_and_loans_without_borrowers_are_not(
    pool: asyncpg.Pool, importer: Importer
) -> None:
    with pytest.raises(errors.ConfigError, match="pseudonym_key_file"):
        await importer(row(), key=None)
    outcome = await importer(
        (IMEI[0], CEDAR, "9/1/2026"), key=None, header=("Device", "NCESSCH", "Checked out on")
    )
    assert outcome.added == 1
    assert await pool.fetchval("SELECT borrower FROM loans") == ""


async def test_a_key_file_is_read_and_a_weak_or_missing_one_refused(tmp_path: Path) -> None:
    good = files.written(tmp_path, "key", "0123456789abcdef0123456789abcdef")
    assert pseudonym_keys.load(good) == pseudonyms.Pseudonymizer(b"0123456789abcdef0123456789abcdef")
    for path in (files.written(tmp_path, "weak", "secret"), tmp_path / "none"):
        with pytest.raises(errors.ConfigError, match="Make one with"):
            pseudonym_keys.load(path)


PERSONAL = ("99812345", "HH-771234", "Jamie Fernandez-Smith", "jamie@example.org")


async def test_no_number_or_name_of_a_person_is_kept_or_told_anywhere(
    pool: asyncpg.Pool, importer: Importer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    number, home, name, mail = PERSONAL
    header = (*HEADER, "student_name", "e-mail")
    outcome = await importer(
        [*row(borrower=number, household=home), name, mail],
        [*row(IMEI[1], borrower=number, household="3E+5"), name, mail],
        [*row(IMEI[1], borrower=name, out=mail), name, mail],
        [*row(name, borrower=number), name, mail],
        [*row(IMEI[1], ncessch=name, kind=name, due=name, back=name), name, mail],
        [*row(borrower=number, household=home), name, mail, "one too many"],
        header=header,
    )
    assert (outcome.accepted, outcome.rejected) == (1, 5)
    assert outcome.ignored_columns == ("student_name", "e-mail")
    kept = "\n".join((await files.contents(pool)).values())
    assert KEY.borrower(number) in kept
    for personal in PERSONAL:
        for place in (kept, repr(outcome), caplog.text):
            assert personal.lower() not in place.lower()


async def test_a_name_in_place_of_the_header_is_not_repeated(pool: asyncpg.Pool, importer: Importer) -> None:
    with pytest.raises(errors.ImportRejected) as caught:
        await importer(row(), header=(IMEI[0], CEDAR, PERSONAL[0], PERSONAL[2], "9/1/2026", "", "", ""))
    assert PERSONAL[2] not in str(caught.value)
    assert PERSONAL[0] not in str(caught.value)
