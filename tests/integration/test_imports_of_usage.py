"""Carriers' usage files come in by a map: as days, or as periods."""

import tomllib
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import xlsxwriter

from service import errors
from service.imports import outcomes, periods, undoing, usage, usage_maps
from service.model import identifiers
from service.store import accounts
from tests import factories, files

TODAY = date(2026, 11, 15)
MDN = ("+15035550101", "+15035550102", "+15035550103")
ICCID = tuple(identifiers.with_luhn(f"89012600000000000{n}0") for n in range(3))
IMEI = identifiers.with_luhn("86000000000001")

DAILY = """
[account]
key = "daily"
carrier = "Any"
[line]
mdn = "Line"
[usage]
columns = ["MB"]
unit = "MB"
[period]
day = "Day"
"""
MONTHLY = """
[account]
key = "monthly"
carrier = "Any"
[file]
footer = ["Total"]
ignore = ["User name"]
[line]
mdn = "Line"
iccid = "SIM"
[usage]
columns = ["Up", "Down"]
unit = "KB"
[period]
starts = "From"
ends = "To"
"""
MONTH = ("Line", "SIM", "Up", "Down", "From", "To")


def read_map(text: str) -> usage_maps.UsageMap:
    return usage_maps.UsageMap(**tomllib.loads(text))


@pytest.fixture
async def lines(pool: asyncpg.Pool) -> list[int]:
    await factories.district(pool)
    return [await factories.line(pool, mdn=MDN[n], iccid=ICCID[n]) for n in range(3)]


class Importer:
    def __init__(self, pool: asyncpg.Pool, folder: Path) -> None:
        self._pool = pool
        self._folder = folder

    async def __call__(
        self, text: str, header: Sequence[str], *rows: Sequence[object], **told: Any
    ) -> outcomes.Outcome:
        path = files.csv_file(self._folder, "usage.csv", header, rows)
        return await self.of(path, text, **told)

    async def of(self, path: Path, text: str, **told: Any) -> outcomes.Outcome:
        told.setdefault("today", TODAY)
        return await usage.run(self._pool, factories.DISTRICT, path, usage_map=read_map(text), **told)


@pytest.fixture
def importer(pool: asyncpg.Pool, lines: list[int], tmp_path: Path) -> Importer:
    return Importer(pool, tmp_path)


async def test_a_day_becomes_an_interval_of_the_local_day(
    pool: asyncpg.Pool, lines: list[int], importer: Importer
) -> None:
    outcome = await importer(DAILY, ("Line", "MB", "Day"), ("503-555-0101", "1,024.5", "11/1/2026"))
    assert (outcome.added, outcome.rejected) == (1, 0)
    reading = await files.only(pool, "SELECT * FROM usage_readings")
    assert (reading["line_id"], reading["kind"], reading["series"]) == (lines[0], "interval", "day")
    assert reading["total_bytes"] == 1_024_500_000
    assert reading["starts_at"] == datetime(2026, 11, 1, 7, tzinfo=UTC)
    assert reading["ends_at"] == datetime(2026, 11, 2, 8, tzinfo=UTC)  # the day that has 25 hours
    account = await files.only(pool, "SELECT * FROM accounts")
    assert (account["collector"], account["rank"], account["time_zone"]) == ("file", 5, factories.ZONE)
    dirty = await files.only(pool, "SELECT on_day, line_id FROM dirty_line_days")
    assert dirty == {"on_day": date(2026, 11, 1), "line_id": lines[0]}


async def test_a_longer_period_becomes_a_span_of_added_columns(
    pool: asyncpg.Pool, lines: list[int], importer: Importer
) -> None:
    outcome = await importer(
        MONTHLY,
        (*MONTH, "User name"),
        ("5035550101", "", "1", "2.5", "10/1/2026", "10/31/2026", "Jamie"),
        ("", ICCID[1], "0", "0", "10/1/2026", "10/31/2026", "Alex"),
        ("Total", "", "1", "2.5", "", "", ""),
    )
    assert (outcome.added, outcome.rejected) == (2, 0)
    spans = await pool.fetch("SELECT * FROM usage_spans ORDER BY line_id")
    assert [(span["line_id"], span["total_bytes"]) for span in spans] == [(lines[0], 3500), (lines[1], 0)]
    assert spans[0]["starts_at"] == datetime(2026, 10, 1, 7, tzinfo=UTC)
    assert spans[0]["ends_at"] == datetime(2026, 11, 1, 7, tzinfo=UTC)
    assert all(span["is_file"] for span in spans)
    dirty = await pool.fetch("SELECT on_day, line_id FROM dirty_line_days ORDER BY on_day")
    assert [row["on_day"].day for row in dirty] == list(range(1, 32))
    assert {row["line_id"] for row in dirty} == {0}
    assert await pool.fetchval("SELECT on_day FROM dirty_loan_days") == date(2026, 10, 1)


async def test_the_same_file_twice_changes_nothing(pool: asyncpg.Pool, importer: Importer) -> None:
    rows = [(mdn, "5", f"2026-10-0{day}") for mdn in MDN for day in range(1, 4)]
    month = [(MDN[0], "", "1", "2", "2026-10-01", "2026-10-31")]
    assert (await importer(DAILY, ("Line", "MB", "Day"), *rows)).added == 9
    assert (await importer(MONTHLY, MONTH, *month)).added == 1
    before = await files.contents(pool, without=["imports"])
    again = await importer(DAILY, ("Line", "MB", "Day"), *rows)
    assert (again.added, again.changed, again.unchanged) == (0, 0, 9)
    assert (await importer(MONTHLY, MONTH, *month)).unchanged == 1
    assert await files.contents(pool, without=["imports"]) == before
    await pool.execute("DELETE FROM dirty_line_days")
    await importer(DAILY, ("Line", "MB", "Day"), *rows)
    assert await pool.fetchval("SELECT count(*) FROM dirty_line_days") == 0


async def test_a_correction_replaces_what_it_corrects(pool: asyncpg.Pool, importer: Importer) -> None:
    await importer(DAILY, ("Line", "MB", "Day"), (MDN[0], "5", "2026-10-01"), (MDN[1], "5", "2026-10-01"))
    daily = await importer(
        DAILY, ("Line", "MB", "Day"), (MDN[0], "6", "2026-10-01"), (MDN[1], "5", "2026-10-01")
    )
    assert (daily.changed, daily.unchanged) == (1, 1)
    assert await pool.fetchval("SELECT sum(total_bytes) FROM usage_readings") == 11_000_000
    await importer(MONTHLY, MONTH, (MDN[0], "", "1", "2", "2026-10-01", "2026-10-20"))
    monthly = await importer(MONTHLY, MONTH, (MDN[0], "", "9", "9", "2026-10-01", "2026-10-31"))
    assert monthly.changed == 1
    span = await files.only(pool, "SELECT * FROM usage_spans")
    assert (span["total_bytes"], span["ends_at"]) == (18_000, datetime(2026, 11, 1, 7, tzinfo=UTC))


async def test_days_before_the_retention_become_line_days_at_once(
    pool: asyncpg.Pool, lines: list[int], importer: Importer
) -> None:
    rows = [(MDN[0], "5", "2025-09-30"), (MDN[0], "7", "2025-10-01")]
    outcome = await importer(DAILY, ("Line", "MB", "Day"), *rows)
    assert outcome.added == 2
    day = await files.only(pool, "SELECT * FROM line_days")
    assert (day["on_day"], day["used_bytes"], day["basis"]) == (date(2025, 9, 30), 5_000_000, "interval")
    assert await pool.fetchval("SELECT count(*) FROM usage_readings") == 1
    assert await pool.fetch("SELECT on_day FROM dirty_line_days") == [(date(2025, 10, 1),)]
    assert await pool.fetchval("SELECT on_day FROM dirty_loan_days") == date(2025, 9, 30)
    assert (await importer(DAILY, ("Line", "MB", "Day"), *rows)).unchanged == 2


async def test_a_file_of_an_earlier_time_is_an_earlier_observation(
    pool: asyncpg.Pool, lines: list[int], importer: Importer
) -> None:
    await importer(MONTHLY, MONTH, (MDN[0], "", "0", "0", "2026-05-01", "2026-05-31"))
    seen = await pool.fetch("SELECT observed_since FROM lines ORDER BY line_id")
    assert [row["observed_since"] for row in seen[:2]] == [
        datetime(2026, 5, 1, 7, tzinfo=UTC),
        factories.OBSERVED_SINCE,
    ]


@pytest.mark.parametrize(
    ("row", "column", "reason"),
    [
        (("5035559999", "1", "2026-10-01"), "Line", "no source knows"),
        (("", "1", "2026-10-01"), "Line", "names no line"),
        (("5.03555E+09", "1", "2026-10-01"), "Line", "as text"),
        (("12", "1", "2026-10-01"), "Line", "10 digits"),
        ((MDN[1], "", "2026-10-01"), "MB", "is empty"),
        ((MDN[1], "-1", "2026-10-01"), "MB", "not a number"),
        ((MDN[1], "1.234,5", "2026-10-01"), "MB", "not a number"),
        ((MDN[1], "NaN", "2026-10-01"), "MB", "not a number"),
        ((MDN[1], "9999999999", "2026-10-01"), "MB", "petabyte"),
        ((MDN[1], "1", ""), "Day", "is empty"),
        ((MDN[1], "1", "13/1/2026"), "Day", "not a day"),
        ((MDN[1], "1", "2014-12-31"), "Day", "before 2015"),
        ((MDN[1], "1", "2026-11-17"), "Day", "not over"),
    ],
)
async def test_a_bad_row_is_refused_with_its_place_and_reason(
    pool: asyncpg.Pool, importer: Importer, row: Sequence[str], column: str, reason: str
) -> None:
    outcome = await importer(DAILY, ("Line", "MB", "Day"), (MDN[0], "1", "2026-10-01"), row)
    assert (outcome.accepted, outcome.rejected) == (1, 1)
    (problem,) = outcome.problems
    assert (problem.row, problem.column) == (3, column)
    assert reason in problem.reason


async def test_two_rows_of_one_line_and_period_are_both_refused_and_never_added(
    pool: asyncpg.Pool, importer: Importer
) -> None:
    outcome = await importer(
        DAILY,
        ("Line", "MB", "Day"),
        (MDN[0], "1", "2026-10-01"),
        (MDN[0], "1", "2026-10-02"),
        ("15035550101", "2", "2026-10-01"),
    )
    assert [(problem.row, problem.reason[:5]) for problem in outcome.problems] == [(2, "row 4"), (4, "row 2")]
    assert await pool.fetchval("SELECT count(*) FROM usage_readings") == 1


async def test_overlapping_periods_of_a_line_are_refused(importer: Importer) -> None:
    outcome = await importer(
        MONTHLY,
        MONTH,
        (MDN[0], "", "1", "2", "2026-10-01", "2026-10-31"),
        (MDN[0], "", "1", "2", "2026-10-15", "2026-11-14"),
        (MDN[1], "", "1", "2", "2026-10-01", "2026-10-31"),
    )
    assert [problem.row for problem in outcome.problems] == [2, 3]
    later = await importer(MONTHLY, MONTH, (MDN[1], "", "1", "2", "2026-10-15", "2026-11-14"))
    assert "earlier file" in later.problems[0].reason


async def test_a_month_over_days_that_are_known_is_refused(importer: Importer) -> None:
    await importer(DAILY, ("Line", "MB", "Day"), (MDN[0], "1", "2026-10-05"))
    same = DAILY.replace('day = "Day"', 'month = "Day"\nformats = ["%Y-%m"]')
    outcome = await importer(same, ("Line", "MB", "Day"), (MDN[0], "1", "2026-10"), (MDN[1], "1", "2026-10"))
    assert (outcome.added, [problem.row for problem in outcome.problems]) == (1, [2])


@pytest.mark.parametrize(
    ("header", "message"),
    [
        (("Line", "MB", "Day", "Roaming MB", "Jamie"), "does not know: 'Roaming MB', 'Jamie'"),
        (("Line", "Data", "Day"), "lacks the column.s. MB. It has Line, Day"),
        (("5035550101", "1", "Jamie Smith"), "none of the column names"),
    ],
)
async def test_an_unknown_header_stops_the_import(
    pool: asyncpg.Pool, importer: Importer, header: Sequence[str], message: str
) -> None:
    with pytest.raises(errors.ImportRejected, match=message) as caught:
        await importer(DAILY, header, ("x",) * len(header))
    assert "Smith" not in str(caught.value)
    assert await pool.fetchval("SELECT count(*) FROM accounts") == 0


async def test_all_other_columns_may_be_ignored(importer: Importer) -> None:
    text = DAILY + '[file]\nignore = ["*"]'
    outcome = await importer(text, ("Line", "MB", "Day", "Name"), (MDN[0], "1", "2026-10-01", "Jamie"))
    assert (outcome.added, outcome.ignored_columns) == (1, ("Name",))


async def test_a_sim_that_nobody_knows_is_not_taken_for_the_one_that_had_its_number(
    importer: Importer,
) -> None:
    other = identifiers.with_luhn("890126000000000099")
    outcome = await importer(MONTHLY, MONTH, (MDN[0], other, "1", "2", "2026-10-01", "2026-10-31"))
    assert "no source knows" in outcome.problems[0].reason


async def test_a_number_belongs_to_the_latest_sim_of_the_period(
    pool: asyncpg.Pool, lines: list[int], importer: Importer
) -> None:
    newer = await factories.line(pool, mdn=MDN[0], observed_since=datetime(2026, 10, 10, tzinfo=UTC))
    header = ("Line", "MB", "Day")
    await importer(DAILY, header, (MDN[0], "1", "2026-10-01"), (MDN[0], "1", "2026-10-20"))
    found = await pool.fetch("SELECT line_id FROM usage_readings ORDER BY starts_at")
    assert [row["line_id"] for row in found] == [lines[0], newer]


async def test_a_device_names_the_line_that_it_held_in_the_period(
    pool: asyncpg.Pool, lines: list[int], importer: Importer
) -> None:
    device_id = await factories.device(pool, IMEI)
    moved_at = datetime(2026, 10, 10, tzinfo=UTC)
    await factories.link(pool, lines[0], device_id, ends_at=moved_at)
    await factories.link(pool, lines[1], device_id, starts_at=moved_at)
    text = DAILY.replace("mdn =", "imei =")
    rows = [(IMEI, "1", "2026-10-01"), (IMEI, "1", "2026-10-20"), (IMEI, "1", "2026-10-09")]
    outcome = await importer(text, ("Line", "MB", "Day"), *rows)
    found = await pool.fetch("SELECT line_id FROM usage_readings ORDER BY starts_at")
    assert [row["line_id"] for row in found] == [lines[0], lines[1]]
    assert "several lines" in outcome.problems[0].reason  # on the 9th, local time, the SIMs changed


async def test_new_lines_are_made_where_they_are_asked_for(pool: asyncpg.Pool, importer: Importer) -> None:
    text = MONTHLY.replace('iccid = "SIM"', 'iccid = "SIM"\nimei = "IMEI"')
    header = ("Line", "SIM", "IMEI", "Up", "Down", "From", "To")
    new = identifiers.with_luhn("890126000000000099")
    rows = [
        (MDN[0], ICCID[0], "", "1", "2", "2026-10-01", "2026-10-31"),
        ("5035550199", new, IMEI, "1", "2", "2026-10-01", "2026-10-31"),
        ("5035550199", new, IMEI, "1", "2", "2026-09-01", "2026-09-30"),
        ("5035550198", "", "", "0", "0", "2026-10-01", "2026-10-31"),
    ]
    outcome = await importer(text, header, *rows, new_lines=True)
    assert (outcome.added, outcome.rejected, outcome.warnings[0].reason) == (4, 0, "2 line(s) were new")
    line = await files.only(pool, "SELECT * FROM lines WHERE iccid = $1", new)
    assert (line["mdn"], line["observed_since"]) == ("+15035550199", datetime(2026, 9, 1, 7, tzinfo=UTC))
    assert (
        await pool.fetchval(
            "SELECT imei FROM line_device_links JOIN devices USING (device_id) WHERE line_id = $1",
            line["line_id"],
        )
        == IMEI
    )
    again = await importer(text, header, *rows, new_lines=True)
    assert (again.unchanged, again.warnings) == (4, ())


async def planned(pool: asyncpg.Pool, *told: tuple[str, str | None], rank: int = 5) -> None:
    """As the configuration tells the accounts' plans."""
    keys = {plan for _, plan in told if plan}
    plans = [
        accounts.Plan(
            key=key,
            allowance_bytes=None,
            allowance_period="month",
            cycle_day=1,
            at_allowance="stop",
            monthly_cost="15",
        )
        for key in sorted(keys)
    ]
    listed = [
        accounts.Account(
            key=key, collector="file", time_zone=factories.ZONE, lag_days=0, rank=rank, cadence=timedelta(days=1),
            plan_key=plan,
        )
        for key, plan in told
    ]  # fmt: skip
    district = accounts.District(
        district_id=factories.DISTRICT, name="District 1", time_zone=factories.ZONE, school_year_starts="07-01",
        plans=plans, accounts=listed,
    )  # fmt: skip
    await accounts.sync(pool, [district])


async def plans_of(pool: asyncpg.Pool) -> list[str | None]:
    """Of the lines, in the order they were made."""
    rows = await pool.fetch(
        "SELECT plan_key FROM lines LEFT JOIN plans USING (district_id, plan_id) ORDER BY line_id"
    )
    return [row["plan_key"] for row in rows]


NEW = "503-555-0190"


async def test_lines_of_a_file_have_the_plan_of_its_account(pool: asyncpg.Pool, importer: Importer) -> None:
    await planned(pool, ("daily", "ten"))
    header = ("Line", "MB", "Day")
    old = (MDN[1], "1", "2025-01-01")  # before the readings that are kept
    await importer(DAILY, header, (MDN[0], "1", "2026-11-01"), old, (NEW, "1", "2026-11-01"), new_lines=True)
    assert await plans_of(pool) == ["ten", "ten", None, "ten"]
    await undone(pool)
    assert (await plans_of(pool))[3] == "ten"


@pytest.mark.parametrize("text", [DAILY, MONTHLY.replace("monthly", "daily")])
async def test_a_plan_told_later_changed_or_taken_away_reaches_the_lines_of_files(
    pool: asyncpg.Pool, importer: Importer, text: str
) -> None:
    header, row = ("Line", "MB", "Day"), (NEW, "1", "2026-11-01")
    if "starts" in text:
        header, row = MONTH, (NEW, "", "1", "1", "2026-10-01", "2026-10-31")  # type: ignore[assignment]
    await importer(text, header, row, new_lines=True)
    for plan in (None, "ten", "twenty", None):
        await planned(pool, ("daily", plan))
        assert await plans_of(pool) == [None, None, None, plan]


async def test_the_plan_of_a_polled_account_and_of_a_line_go_before_that_of_a_file(
    pool: asyncpg.Pool, lines: list[int], importer: Importer
) -> None:
    polled = await factories.account(pool)
    await pool.execute(
        "INSERT INTO provider_keys (district_id, account_id, provider_key, line_id, identity) "
        "VALUES ($1, $2, 'key', $3, '')",
        factories.DISTRICT,
        polled,
        lines[0],
    )
    await pool.execute("INSERT INTO plans (district_id, plan_key) VALUES ($1, 'own')", factories.DISTRICT)
    await pool.execute("UPDATE lines SET plan_id = (SELECT plan_id FROM plans) WHERE line_id = $1", lines[0])
    await pool.execute(
        "UPDATE lines SET plan_id = (SELECT plan_id FROM plans), is_plan_told = true WHERE line_id = $1",
        lines[1],
    )
    for plan in ("ten", "twenty"):
        await planned(pool, ("daily", plan))
        await importer(DAILY, ("Line", "MB", "Day"), *((mdn, "1", "2026-11-01") for mdn in MDN))
        assert await plans_of(pool) == ["own", "own", plan]


async def test_of_several_files_that_tell_of_a_line_one_with_a_plan_goes_first_whatever_the_order(
    pool: asyncpg.Pool, importer: Importer
) -> None:
    await planned(pool, ("other", None), ("daily", "ten"), ("last", "twenty"))
    for key in ("daily", "last", "other", "daily"):
        text = DAILY.replace('"daily"', f'"{key}"')
        await importer(text, ("Line", "MB", "Day"), (NEW, "1", "2026-11-01"), new_lines=True)
        assert (await plans_of(pool))[3] == "ten"
    await planned(pool, ("other", None), ("daily", None), ("last", "twenty"))
    assert (await plans_of(pool))[3] == "twenty"
    await planned(pool, ("other", "thirty"), ("daily", None), rank=2)
    assert (await plans_of(pool))[3] == "thirty"


async def test_many_touched_lines_make_the_whole_day_of_the_account_dirty(
    pool: asyncpg.Pool, importer: Importer
) -> None:
    rows = [(f"503556{n:04d}", "1", "2026-10-01") for n in range(1001)]
    await importer(DAILY, ("Line", "MB", "Day"), *rows, new_lines=True)
    assert [tuple(row) for row in await pool.fetch("SELECT on_day, line_id FROM dirty_line_days")] == [
        (date(2026, 10, 1), 0)
    ]


async def test_the_period_may_come_from_the_command_line(pool: asyncpg.Pool, importer: Importer) -> None:
    text = DAILY.split("[period]")[0]
    month = periods.given("2026-10-01:2026-10-31")
    assert (await importer(text, ("Line", "MB"), (MDN[0], "1"), period=month)).added == 1
    assert await pool.fetchval("SELECT ends_at FROM usage_spans") == datetime(2026, 11, 1, 7, tzinfo=UTC)
    with pytest.raises(errors.ImportRejected, match="give it"):
        await importer(text, ("Line", "MB"), (MDN[0], "1"))
    with pytest.raises(errors.ImportRejected, match="leave --period out"):
        await importer(DAILY, ("Line", "MB", "Day"), (MDN[0], "1", "2026-10-01"), period=month)


async def test_a_polled_account_takes_no_file(pool: asyncpg.Pool, importer: Importer) -> None:
    await factories.account(pool, "daily", collector="kajeet")
    with pytest.raises(errors.ImportRejected, match=r"another account\.key"):
        await importer(DAILY, ("Line", "MB", "Day"), (MDN[0], "1", "2026-10-01"))


async def test_the_days_of_an_account_have_one_zone(importer: Importer) -> None:
    await importer(DAILY, ("Line", "MB", "Day"), (MDN[0], "1", "2026-10-01"))
    with pytest.raises(errors.ImportRejected, match="must be the same"):
        await importer(
            'zone = "America/New_York"\n' + DAILY, ("Line", "MB", "Day"), (MDN[0], "1", "2026-10-01")
        )


async def test_a_spreadsheet_is_read_like_a_csv_file(
    pool: asyncpg.Pool, importer: Importer, tmp_path: Path
) -> None:
    path = tmp_path / "usage.xlsx"
    with xlsxwriter.Workbook(path) as workbook:
        workbook.add_worksheet("Notes").write(0, 0, "nothing")
        sheet = workbook.add_worksheet("Usage")
        dated = workbook.add_format({"num_format": "m/d/yyyy"})
        sheet.write_row(1, 0, ["Report of October"])
        sheet.write_row(3, 0, ["Line", "MB", "Day"])
        for n, mdn in enumerate([5035550101, "503.555.0102", 5.03555e15]):
            sheet.write(4 + n, 0, mdn)
            sheet.write(4 + n, 1, 1.5)
            sheet.write_datetime(4 + n, 2, datetime(2026, 10, 1), dated)  # noqa: DTZ001
        sheet.write_row(8, 0, ["Total", 4.5])
    text = DAILY + '[file]\nskip_rows = 3\nsheet = "Usage"\nfooter = ["total"]'
    outcome = await importer.of(path, text)
    assert (outcome.added, [(problem.row, problem.column) for problem in outcome.problems]) == (
        2,
        [(7, "Line")],
    )
    assert await pool.fetchval("SELECT sum(total_bytes) FROM usage_readings") == 3_000_000
    with pytest.raises(errors.ImportRejected, match="no sheet"):
        await importer.of(path, text.replace('"Usage"', '"Other"'))


async def test_a_file_that_is_no_spreadsheet_is_rejected(importer: Importer, tmp_path: Path) -> None:
    with pytest.raises(errors.ImportRejected, match="cannot be read as a spreadsheet"):
        await importer.of(files.written(tmp_path, "usage.xlsx", "Line,MB,Day"), DAILY)


async def test_a_dry_run_keeps_nothing(pool: asyncpg.Pool, importer: Importer) -> None:
    before = await files.contents(pool)
    outcome = await importer(DAILY, ("Line", "MB", "Day"), (MDN[0], "1", "2026-10-01"), dry_run=True)
    assert outcome.added == 1
    assert await files.contents(pool) == before


SHIPPED = {
    "generic": (
        ("line", "bytes", "period_start", "period_end"),
        (MDN[0], "1000", "2026-10-01", "2026-10-31"),
    ),
    "t-mobile": (
        (
            "Subscriber number",
            "SIM number",
            "Data usage (MB)",
            "Cycle start date",
            "Cycle end date",
            "Rate plan",
        ),
        ("503-555-0101", ICCID[0], "0.001", "10/01/2026", "10/31/2026", "Any"),
    ),
    "verizon": (
        ("Wireless number", "User name", "Data usage (KB)", "Bill cycle date"),
        ("503-555-0101", "Jamie Smith", "1", "10/31/2026"),
    ),
    "att": (
        ("Wireless number", "SIM (ICCID)", "Data sent (MB)", "Data received (MB)", "Bill month"),
        ("503.555.0101", ICCID[0], "0", "0.001", "October 2026"),
    ),
}


def test_every_shipped_map_is_tried() -> None:
    assert sorted(SHIPPED) == usage_maps.shipped()


@pytest.mark.parametrize("name", SHIPPED)
async def test_a_shipped_map_reads_its_portals_shape(
    pool: asyncpg.Pool, lines: list[int], tmp_path: Path, name: str
) -> None:
    header, row = SHIPPED[name]
    path = files.csv_file(tmp_path, "usage.csv", header, [row])
    outcome = await usage.run(pool, factories.DISTRICT, path, usage_map=usage_maps.load(name), today=TODAY)
    assert (outcome.added, outcome.problems) == (1, ())
    span = await files.only(pool, "SELECT * FROM usage_spans")
    assert span["total_bytes"] == 1000
    assert (span["starts_at"].day, span["ends_at"].month) == (1, 11)
    assert "Jamie" not in repr(await files.contents(pool))


# Taken back


async def readings(pool: asyncpg.Pool) -> list[tuple[object, ...]]:
    tables = ("lines", "usage_readings", "usage_spans", "line_days")
    return [
        tuple(row) for name in tables for row in await pool.fetch(f"SELECT * FROM {name} ORDER BY 1, 2, 3")
    ]


async def undone(pool: asyncpg.Pool) -> undoing.Undone:
    await pool.execute("DELETE FROM dirty_line_days")
    return await undoing.run(pool, factories.DISTRICT, "usage", today=TODAY)


async def test_days_and_corrections_are_taken_back_and_computed_again(
    pool: asyncpg.Pool, importer: Importer
) -> None:
    header = ("Line", "MB", "Day")
    old = ("503-555-0101", "5", "2025-06-01")  # before the readings that are kept
    await importer(DAILY, header, old, ("503-555-0101", "100", "2026-11-01"))
    before = await readings(pool)
    later = [
        ("503-555-0101", "120", "2026-11-01"),
        ("503-555-0102", "7", "2026-11-02"),
        (*old[:1], "6", old[2]),
    ]
    await importer(DAILY, header, *later)
    assert await readings(pool) != before
    await undone(pool)
    assert await readings(pool) == before
    days = await pool.fetch("SELECT on_day FROM dirty_line_days ORDER BY on_day")
    assert [row["on_day"] for row in days] == [date(2026, 11, 1), date(2026, 11, 2)]


async def test_the_accounts_of_lines_that_were_observed_earlier_are_not_computed_again(
    pool: asyncpg.Pool, lines: list[int], importer: Importer
) -> None:
    account_id = await factories.account(pool)
    await pool.execute(
        "INSERT INTO provider_keys (district_id, account_id, provider_key, line_id, identity) "
        "VALUES ($1, $2, 'key', $3, '')",
        factories.DISTRICT,
        account_id,
        lines[0],
    )
    seen = await pool.fetchval("SELECT observed_since FROM lines WHERE line_id = $1", lines[0])
    await importer(MONTHLY, MONTH, (MDN[0], "", "0", "0", "2026-05-01", "2026-05-31"))
    await undone(pool)
    assert await pool.fetchval("SELECT observed_since FROM lines WHERE line_id = $1", lines[0]) == seen
    assert await pool.fetchval("SELECT count(*) FROM dirty_line_days WHERE account_id = $1", account_id) == 0


async def test_a_period_is_taken_back_and_its_days_are_computed_again(
    pool: asyncpg.Pool, importer: Importer
) -> None:
    before = await readings(pool)
    await importer(MONTHLY, MONTH, ("503-555-0101", "", "1", "2", "2026-10-01", "2026-10-31"))
    await undone(pool)
    assert await readings(pool) == before
    assert await pool.fetchval("SELECT count(*) FROM dirty_line_days") == 31
