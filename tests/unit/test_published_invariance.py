"""Nothing but what is told of a school reaches what is published: counts that would be told alike change nothing."""

import dataclasses
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from service.exports import changes, earlier, protecting, published, shareable, shares, strict
from service.exports.writing import package
from service.model import months, protection
from service.model.protection import Cell, Level
from tests import month_facts

MOST = 60


@st.composite
def school_counts(draw: st.DrawFn) -> dict[str, int | None]:
    """Of a school as there may be one; need unknown now and then, loans more than need too."""
    loaned = draw(st.integers(0, MOST))
    active_30 = draw(st.integers(0, loaned))
    active_7 = draw(st.integers(0, active_30))
    adequate = draw(st.integers(0, active_7))
    need = draw(st.none() | st.integers(0, MOST) | st.just(0))
    idle = sorted(draw(st.tuples(*[st.integers(0, 30)] * 3)), reverse=True)
    return month_facts.counts(
        need,
        loaned,
        active_30,
        active_7,
        adequate,
        draw(st.integers(0, loaned - adequate)),
        answered=None if need is None else need + draw(st.integers(0, 300)),
        waitlist=draw(st.none() | st.integers(0, 30)),
        idle_30=idle[0],
        idle_60=idle[1],
        idle_90=idle[2],
        lost=draw(st.integers(0, 12)),
    )


@st.composite
def schools(draw: st.DrawFn, number: int, told: dict[str, int | None] | None = None) -> months.School:
    return month_facts.school(
        number,
        draw(school_counts()) if told is None else told,
        is_high_needs=draw(st.sampled_from([True, False, None])),
        indicator_value=draw(st.sampled_from([None, 0.1, 0.4, 0.6, 0.9])),
        enrolled=draw(st.none() | st.integers(100, 900)),
        **draw(measured()),
    )


@st.composite
def measured(draw: st.DrawFn) -> dict[str, object]:
    """What is known of a school beside its counts, and follows them."""
    return {
        "completeness": draw(st.none() | st.floats(0, 1)),
        "coverage_status": draw(
            st.sampled_from([None, "known", "incomplete", "need_unknown", "not_applicable"])
        ),
        "is_need_exceeded": draw(st.sampled_from([None, True, False])),
        "used_bytes": draw(st.none() | st.integers(0, 10**12)),
        "devices_used": draw(st.integers(0, 40)),
        "uptime": draw(st.none() | st.floats(0, 1)),
        "homework_share": draw(st.none() | st.floats(0, 1)),
        "days_missing": draw(st.integers(0, 31)),
        "devices_online": draw(st.integers(0, 20)),
        "devices_timed": draw(st.integers(0, 40)),
    }


@st.composite
def rows(draw: st.DrawFn, of: months.Facts, *, is_strict: bool) -> tuple[protection.Published, ...]:
    if is_strict:
        return tuple(strict.hidden(month_facts.counted(of), min_n=10))
    made = []
    for one in month_facts.counted(of):
        level = draw(st.sampled_from(Level))
        beside = {name: draw(st.sampled_from(Level)) for name in protection.SIDE}
        made.append(protecting.published(one, level, beside))
    return tuple(made)


@st.composite
def alike(draw: st.DrawFn, school: months.School, row: protection.Published) -> months.School:
    """Another school of which the same would be told."""
    counts = {
        name: None if count is None else draw(_within(row.cells.get(name)))
        for name, count in school.counts.items()
    }
    if row.band is not None:
        need, adequate = school.counts["need"] or 0, school.counts["adequate"] or 0
        if row.level is Level.BAND:
            times = draw(st.integers(1, 4))
            counts |= {"need": times * need, "adequate": times * adequate}
        elif not _is_in(row.band, counts):
            counts |= {"need": need, "adequate": adequate}
    other = dataclasses.replace(school, counts=counts, **draw(measured()))  # type: ignore[arg-type]
    if (active := row.cells.get("active_30")) is not None and active.least >= 10:
        averages = (
            "used_bytes",
            "devices_used",
            "uptime",
            "homework_share",
            "devices_online",
            "devices_timed",
        )
        other = dataclasses.replace(other, **{name: getattr(school, name) for name in averages})
    loaned = row.cells.get("loaned")
    if loaned is not None and (loaned.is_exact or loaned.least > 0):
        other = dataclasses.replace(other, days_missing=school.days_missing)
    return other


def _within(cell: Cell | None) -> st.SearchStrategy[int]:
    return st.integers(0, 500) if cell is None else st.integers(cell.least, cell.most)


def _is_in(band: protection.Band, counts: dict[str, int | None]) -> bool:
    need, adequate = counts["need"] or 0, counts["adequate"] or 0
    return need > 0 and band.holds(min(need, adequate), need)


@st.composite
def amounts(draw: st.DrawFn, told: dict[str, Cell]) -> months.Money:
    """Of any lines that would be told alike; of two prices where there surely are two lines, also where their number is
    told exactly."""
    lines, idle = (draw(_within(told.get(name))) for name in ("lines", "idle_lines"))
    unknown = draw(st.integers(1, 9)) if lines else 0
    cell = told.get("lines")
    if cell is None or cell.least < 2:
        prices = month_facts.PRICE if lines else None
        return month_facts.money(
            lines, idle, unknown_lines=unknown, highest_price=prices, lowest_price=prices
        )
    dear = draw(st.integers(1, lines - 1))
    cost = month_facts.PRICE * (lines + dear)
    return month_facts.money(
        lines, idle, cost=cost, unknown_lines=unknown, highest_price=2 * month_facts.PRICE
    )


@dataclasses.dataclass(frozen=True)
class Twins:
    """Two months of which the same is decided to be told; ``before``: the month before, likewise twice."""

    facts: tuple[months.Facts, months.Facts]
    before: tuple[months.Facts, months.Facts]
    decision: protecting.Decision
    decided_before: protecting.Decision
    is_strict: bool


@st.composite
def months_alike(
    draw: st.DrawFn, *, is_strict: bool
) -> tuple[months.Facts, months.Facts, protecting.Decision]:
    numbers = range(1, draw(st.integers(1, 4)) + 1)
    paid = month_facts.money(draw(st.sampled_from([0, 3, 12, 47])), draw(st.sampled_from([0, 2, 11])))
    one = month_facts.facts([draw(schools(number)) for number in numbers], money=paid)
    told = draw(rows(one, is_strict=is_strict))
    cells = {
        name: cell
        for name, cell in month_facts.totals(one, draw(st.sampled_from(Level))).items()
        if draw(st.booleans())
    }
    one = dataclasses.replace(one, money=draw(amounts(cells)))
    others = [draw(alike(school, row)) for school, row in zip(one.schools, told, strict=True)]
    later = tuple(
        dataclasses.replace(source, last_success_at=datetime(2026, 12, 1, tzinfo=UTC))
        for source in one.sources
    )
    other = dataclasses.replace(one, schools=tuple(others), money=draw(amounts(cells)), sources=later)
    return one, other, protecting.Decision(rows=told, totals=cells)


@st.composite
def twins(draw: st.DrawFn) -> Twins:
    is_strict = draw(st.booleans())
    first, second, decided = draw(months_alike(is_strict=is_strict))
    earlier_first, earlier_second, decided_before = draw(months_alike(is_strict=is_strict))
    return Twins((first, second), (earlier_first, earlier_second), decided, decided_before, is_strict)


def made(pair: Twins, which: int) -> published.Published:
    terms = shares.Terms(is_strict=pair.is_strict)
    before = earlier.of(
        month_facts.MONTH.away(-1),
        list(zip(month_facts.counted(pair.before[which]), pair.decided_before.rows, strict=True)),
        pair.decided_before.totals,
        terms=terms,
    )
    return published.of(
        pair.facts[which],
        pair.decision,
        version="1",
        earlier=[before],
        pilot=month_facts.pilot(starts_on=month_facts.MONTH.first_on),
        is_strict=pair.is_strict,
    )


@settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
@given(twins())
def test_counts_that_are_told_alike_give_the_same_in_every_table_group_flag_and_chart(pair: Twins) -> None:
    first, second = made(pair, 0), made(pair, 1)

    assert first == second
    assert changes.as_cells(shareable.tables(first)) == changes.as_cells(shareable.tables(second))
    assert shareable.charts(first) == shareable.charts(second)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
@given(twins())
def test_the_other_school_is_really_told_alike(pair: Twins) -> None:
    """Else the test above would show nothing."""
    for one, row in zip(month_facts.counted(pair.facts[1]), pair.decision.rows, strict=True):
        for name, cell in row.cells.items():
            count = one.counts[name]
            assert count is not None
            assert cell.least <= count <= cell.most
        if row.band is not None:
            assert _is_in(row.band, dict(one.counts))


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much]
)
@given(st.data())
def test_what_is_published_holds_no_count_of_students_that_is_not_told(data: st.DataObject) -> None:
    one = data.draw(schools(1, month_facts.counts(47, 43, 41, 37, 31, 3, answered=367, waitlist=29)))
    level = data.draw(st.sampled_from([Level.FIVE, Level.TEN, Level.BAND, Level.WITHHELD]))
    assume(one.used_bytes is None or str(one.used_bytes) not in "3413633633729")
    told = published.of(
        month_facts.facts([one]),
        month_facts.decision(month_facts.facts([one]), [level], told={}),
        version="1",
    )

    assert told.schools[0].school.counts == {}
    assert told.facts.schools[0].counts == {}
    assert told.facts.money == months.NO_MONEY
    assert not {
        number.value for name, number in told.schools[0].numbers.items() if name in protection.COUNTS
    } & {count for count in one.counts.values() if count}


def test_a_package_of_counts_told_alike_has_the_same_bytes_in_every_file(tmp_path: Path) -> None:
    level = [Level.FIVE, Level.TEN, Level.EXACT]
    one = month_facts.facts(
        [
            month_facts.school(1, month_facts.counts(22, 18, 14, 13, 12, 1, answered=150), used_bytes=10**11),
            month_facts.school(2, month_facts.counts(29, 22, 21, 15, 12, 0, answered=200, waitlist=3)),
            month_facts.school(3),
        ]
    )
    other = month_facts.facts(
        [
            month_facts.school(
                1,
                month_facts.counts(24, 16, 13, 14, 11, 0, answered=154),
                used_bytes=10**11,
                is_need_exceeded=True,
            ),
            month_facts.school(
                2, month_facts.counts(27, 25, 26, 11, 11, 2, answered=209, waitlist=7), completeness=0.2
            ),
            month_facts.school(3),
        ]
    )
    told = {**month_facts.totals(one, Level.TEN), "need": Cell(80, 99)}
    decided = month_facts.decision(one, level, told=told)

    files = [_written(tmp_path / name, facts, decided) for name, facts in (("a", one), ("b", other))]

    assert len(files[0]) > 10
    assert files[0] == files[1]
    assert decided.rows == month_facts.decision(other, level).rows


def _written(folder: Path, facts: months.Facts, decided: protecting.Decision) -> dict[str, bytes]:
    folder.mkdir()
    told = published.of(facts, decided, version="1", pilot=month_facts.pilot([1], [2, 3]))
    with package.Writer(folder, title="A month") as writer:
        for table, listed in shareable.tables(told):
            writer.table(table, listed)
        writer.charts(shareable.charts(told))
        writer.finish()
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("lines", [40, 43, 49])
def test_an_amount_tells_no_more_of_the_lines_than_their_range(lines: int) -> None:
    one = month_facts.facts([month_facts.school()], money=month_facts.money(lines, 3, price=Decimal("13.50")))
    told = published.of(one, month_facts.decision(one, told=month_facts.totals(one, Level.TEN)), version="1")
    cost = told.district.numbers["cost"]

    assert (cost.value, cost.symbol, cost.least, cost.most) == (None, "about $600", 540.0, 661.5)


def test_an_amount_does_not_tell_no_line_from_few() -> None:
    told = {"lines": Cell(0, 9), "idle_lines": Cell(0, 9), "adequate": Cell(30, 30)}
    no_lines = month_facts.money(0, 0, highest_price=None, lowest_price=None)
    few_lines = month_facts.money(4, 3, unknown_lines=1, without_price=1)
    found = []
    for paid in (no_lines, few_lines):
        one = month_facts.facts([month_facts.school()], money=paid)
        found.append(published.of(one, month_facts.decision(one, told=told), version="1"))

    assert found[0] == found[1]
    assert found[0].district.numbers["cost"] == published.Number(symbol="withheld")
    assert found[0].district.numbers["cost_per_covered_student"] == published.Number(symbol="withheld")


@pytest.mark.parametrize(("lines", "dear"), [(40, 1), (45, 20), (49, 48)])
def test_an_amount_does_not_tell_how_many_lines_are_of_which_price(lines: int, dear: int) -> None:
    paid = month_facts.money(lines, 3, cost=Decimal(10) * lines + 30 * dear, lowest_price=Decimal(10))
    one = month_facts.facts(
        [month_facts.school()], money=dataclasses.replace(paid, highest_price=Decimal(40))
    )
    cost = published.of(
        one, month_facts.decision(one, told={"lines": Cell(40, 49)}), version="1"
    ).district.numbers["cost"]

    assert (cost.symbol, cost.least, cost.most) == ("$400 to $1,960", 400, 1960)
