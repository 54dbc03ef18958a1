"""What lines cost, what of it was idle, and what is left out because it is not known."""

from datetime import UTC, date, datetime
from decimal import Decimal

import asyncpg
import pytest

import sql
from service.model import cost_words, costs
from service.store import costs as cost_rows
from tests import factories, ledger
from tests.ledger import FIRST, LAST, OTHER, SCHOOL, TODAY


@pytest.fixture
async def book(pool: asyncpg.Pool) -> ledger.Ledger:
    return await ledger.ledger(pool)


async def of(book: ledger.Ledger, month: date = FIRST, months: int = 1, **told: object) -> costs.Costs:
    values: dict[str, object] = {"reported_on": TODAY, "time_zone": factories.ZONE, **told}
    return await cost_rows.of(book.pool, 1, month=month, months=months, **values)  # type: ignore[arg-type]


async def test_a_known_share_of_idle_lines_costs_to_the_dollar(book: ledger.Ledger) -> None:
    """13,860 lines at 15 dollars, 10,793 of them without a byte all month: 161,895 dollars."""
    await book.pool.execute("SELECT ensure_partitions($1, $2)", FIRST, LAST)
    await book.pool.execute(
        "INSERT INTO lines (district_id, plan_id, observed_since) "
        "SELECT 1, $1, '2026-08-01T00:00Z' FROM generate_series(1, 13860)",
        book.plan,
    )
    await book.pool.execute(
        "INSERT INTO line_days (district_id, on_day, line_id, account_id, used_bytes, basis) "
        "SELECT 1, day::date, n.line_id, $1, "
        "CASE WHEN n.place > 10793 AND extract(day FROM day) = 1 + n.place % 31 THEN 5000 ELSE 0 END, 'bucket' "
        "FROM (SELECT line_id, row_number() OVER (ORDER BY line_id) AS place FROM lines) AS n "
        "CROSS JOIN generate_series($2::date, $3::date, '1 day') AS day",
        book.carrier,
        FIRST,
        LAST,
    )
    found = (await of(book)).district
    assert (found.idle.lines, found.idle.cost) == (10_793, Decimal("161895.00"))
    assert (found.all_lines.lines, found.all_lines.cost) == (13_860, Decimal("207900.00"))


async def test_unknown_is_never_idle(book: ledger.Ledger) -> None:
    lines = {name: (await book.line())[0] for name in ("used", "idle", "partly", "blind", "silent")}
    await book.days(lines["used"])
    await book.days(lines["used"], 1, LAST, LAST)
    await book.days(lines["idle"])
    await book.days(lines["partly"], 0, FIRST, LAST.replace(day=30))
    await book.days(lines["blind"], None)
    found = (await of(book)).district
    assert {use: getattr(found, use).lines for use in costs.USES} == {
        "used": 1, "idle": 1, "partly_known": 1, "unknown": 2,
    }  # fmt: skip
    assert found.unknown.cost == Decimal(30)


async def test_lines_without_a_known_cost_are_counted_apart(book: ledger.Ledger) -> None:
    untold = await book.plan_of("untold", None)
    for plan in (book.plan, untold, None):
        line, _ = await book.line(plan_id=plan)
        await book.days(line)
    await book.school_day(SCHOOL, LAST)
    found = (await of(book)).district
    assert (found.idle.lines, found.idle.without_cost, found.idle.cost) == (3, 2, Decimal(15))
    assert found.per_covered_student is None
    said = next(cost_words.remarks(await of(book)))
    assert said == "3 of 3 lines moved no byte on any day: $15.00 for those whose cost is known."
    await book.pool.execute("UPDATE plans SET monthly_cost = NULL")
    unpriced = await of(book)
    assert next(cost_words.remarks(unpriced)).endswith("on any day: their cost is not known.")
    assert cost_words.amount(unpriced.district.idle) == "?"


async def test_cost_per_covered_student_is_of_the_last_school_day_that_is_known(book: ledger.Ledger) -> None:
    for _ in range(3):
        await book.line()
    await book.school_day(SCHOOL, date(2026, 10, 29), adequate=9)
    await book.school_day(SCHOOL, date(2026, 10, 30), adequate=4)
    await book.school_day(OTHER, date(2026, 10, 30), adequate=3)
    await book.school_day(SCHOOL, date(2026, 10, 31), adequate=1, is_instructional=False)
    found = await of(book)
    assert (found.figure_on, found.district.adequate) == (date(2026, 10, 30), 7)
    assert found.district.per_covered_student == Decimal("6.43")
    blind = await book.pool.execute("UPDATE school_days SET unknown = 29 WHERE on_day = '2026-10-30'")
    assert blind == "UPDATE 2"
    assert (await of(book)).figure_on == date(2026, 10, 29)


async def test_nobody_covered_has_no_cost_per_student(book: ledger.Ledger) -> None:
    await book.line()
    assert (await of(book)).figure_on is None
    await book.school_day(SCHOOL, LAST, adequate=0)
    found = await of(book)
    assert (found.district.adequate, found.district.per_covered_student) == (0, None)


async def test_a_line_belongs_to_the_school_that_lent_it_last(book: ledger.Ledger) -> None:
    (_, moved), (_, kept), _ = [await book.line() for _ in range(3)]
    await book.lend(moved, SCHOOL, back=date(2026, 10, 10))
    await book.lend(moved, OTHER, date(2026, 10, 12))
    await book.lend(kept, SCHOOL, back=date(2026, 10, 2))
    found = await of(book)
    assert [(one.ncessch, one.unknown.lines) for one in found.schools] == [(SCHOOL, 1), (OTHER, 1), (None, 1)]
    november = await of(book, TODAY)
    assert [(one.ncessch, one.unknown.lines) for one in november.schools] == [(OTHER, 1), (None, 2)]


async def test_a_month_that_goes_on_is_idle_so_far_at_its_whole_cost(book: ledger.Ledger) -> None:
    line, _ = await book.line()
    await book.days(line, 0, date(2026, 11, 1), TODAY)
    found = await of(book, TODAY)
    assert (found.last_on, found.is_complete, found.district.idle.cost) == (TODAY, False, Decimal(15))


async def test_several_months_cost_several_times(book: ledger.Ledger) -> None:
    old, _ = await book.line()
    new, _ = await book.line(observed_since=datetime(2026, 10, 1, 7, tzinfo=UTC))
    await book.days(old, 0, date(2026, 9, 1), LAST)
    await book.days(new)
    found = await of(book, months=2)
    assert (found.first_on, found.months) == (date(2026, 9, 1), 2)
    assert (found.district.idle.cost, found.district.partly_known.cost) == (Decimal(30), Decimal(15))


async def test_two_sources_of_a_line_are_never_added_up(book: ledger.Ledger) -> None:
    router = await factories.account(book.pool, "router", collector="ncm", rank=2)
    line, _ = await book.line()
    await book.days(line, 0)
    await book.days(line, 500, account=router)
    other, _ = await book.line()
    await book.days(other, 0, FIRST, date(2026, 10, 20))
    await book.days(other, 0, date(2026, 10, 15), LAST, account=router)
    found = (await of(book)).district
    assert (found.idle.lines, found.used.lines) == (2, 0)


async def test_a_file_of_the_whole_month_tells_it(book: ledger.Ledger) -> None:
    portal = await factories.account(book.pool, "portal", collector="file", time_zone="America/New_York")
    for total in (0, 7):
        line, _ = await book.line()
        await book.file_period(line, total, FIRST, LAST, account=portal)
    part, _ = await book.line()
    await book.file_period(part, 0, FIRST, date(2026, 10, 15), account=portal)
    found = (await of(book)).district
    assert (found.idle.lines, found.used.lines, found.partly_known.lines) == (1, 1, 1)


async def test_lines_out_of_service_and_bus_routers_are_in_no_figure(book: ledger.Ledger) -> None:
    off, _ = await book.line()
    await book.days(off, None, status="deactivated")
    gone, _ = await book.line()
    september = datetime(2026, 9, 20, tzinfo=UTC)
    await factories.latest_state(book.pool, gone, book.carrier, read_at=september, status="deactivated")
    bus, _ = await book.line(kind="bus_router")
    await book.days(bus)
    came_later, _ = await book.line(observed_since=datetime(2026, 11, 2, tzinfo=UTC))
    await book.days(came_later, 0, TODAY, TODAY)
    suspended, _ = await book.line()
    await book.days(suspended, 0, status="suspended")
    found = await of(book)
    assert (found.not_in_service.lines, found.other_lines.lines) == (2, 1)
    assert (found.district.all_lines.lines, found.district.idle.lines) == (1, 1)


@pytest.mark.parametrize(
    ("reported_on", "month"),
    [
        (date(2026, 10, 30), date(2026, 9, 1)),
        (date(2026, 10, 31), date(2026, 10, 1)),
        (date(2026, 1, 5), date(2025, 12, 1)),
    ],
)
def test_the_latest_month_is_one_that_is_complete(reported_on: date, month: date) -> None:
    assert costs.latest_month(reported_on) == month


async def test_only_the_months_asked_for_are_read(book: ledger.Ledger) -> None:
    await book.pool.execute("SELECT ensure_partitions('2026-06-01', '2026-11-30')")
    rows = await book.pool.fetch(
        f"EXPLAIN {sql.queries()['line_costs']}",
        1,
        FIRST,
        LAST,
        datetime(2026, 10, 1, tzinfo=UTC),
        datetime(2026, 11, 1, tzinfo=UTC),
    )
    plan = "\n".join(row[0] for row in rows)
    assert "line_days_202610" in plan
    assert {month for month in ("06", "07", "08", "09", "11") if f"line_days_2026{month}" in plan} == set()
