"""Months of made-up districts as their facts, what is decided to be told of them, and what that comes to."""

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal

from service.exports import protecting
from service.model import months, pilots, protection
from service.model.protection import Cell, Level

MONTH = months.Month(date(2026, 10, 1))
PRICE = Decimal(15)


def ncessch(number: int) -> str:
    return f"41012{number:07d}"


def counts(
    need: int | None = 40,
    loaned: int = 36,
    active_30: int = 34,
    active_7: int = 32,
    adequate: int = 30,
    unknown: int = 0,
    **side: int | None,
) -> dict[str, int | None]:
    main = {
        "need": need,
        "loaned": loaned,
        "active_30": active_30,
        "active_7": active_7,
        "adequate": adequate,
        "unknown": unknown,
        "answered": None if need is None else 5 * need + 10,
        "waitlist": 0,
        "idle_30": 0,
        "idle_60": 0,
        "idle_90": 0,
        "lost": 0,
    }
    return {**main, **side}


def school(number: int = 1, told: Mapping[str, int | None] | None = None, **changed: object) -> months.School:
    made = months.School(
        school_id=number,
        ncessch=ncessch(number),
        name=f"School {number}",
        is_high_needs=number % 2 == 1,
        high_needs_basis="FRPL at least 50 %, CCD 2025-26",
        indicator="frpl",
        indicator_value=0.2 * (number % 5),
        indicator_year="2025-26",
        enrolled=500,
        counts=counts() if told is None else told,
        need_source="answers",
        completeness=1.0,
        coverage_status="known",
        is_need_exceeded=False,
        used_bytes=340 * 10**9,
        devices_used=34,
        uptime=None,
        homework_share=0.25,
        library_hours=4.0,
        activity_bus_hours=0.0,
        days_missing=0,
        devices_timed=34,
    )
    return dataclasses.replace(made, **changed)  # type: ignore[arg-type]


def money(lines: int = 120, idle: int = 20, *, price: Decimal = PRICE, **changed: object) -> months.Money:
    made = months.Money(
        lines=lines,
        cost=price * lines,
        idle_lines=idle,
        idle_cost=price * idle,
        unknown_lines=0,
        without_price=0,
        highest_price=price,
        lowest_price=price,
    )
    return dataclasses.replace(made, **changed)  # type: ignore[arg-type]


def facts(schools: Iterable[months.School], **changed: object) -> months.Facts:
    made = months.Facts(
        district_id=1,
        district_name="Willow County",
        leaid="4101200",
        time_zone="America/Los_Angeles",
        month=MONTH,
        through_on=date(2026, 10, 31),
        figure_on=date(2026, 10, 30),
        instructional_days=22,
        need_mode="student",
        schools=tuple(schools),
        sources=(
            months.Source(
                account_key="north",
                collector="kajeet",
                lag_days=0,
                last_success_at=datetime(2026, 11, 5, 9, tzinfo=UTC),
                gaps=((date(2026, 10, 11), date(2026, 10, 13)),),
            ),
        ),
        money=money(),
        thresholds={"completeness_floor": 0.9},
    )
    return dataclasses.replace(made, **changed)  # type: ignore[arg-type]


def counted(of: months.Facts) -> list[protection.Facts]:
    """As those who decide get them."""
    return [
        protection.Facts(
            ncessch=one.ncessch, month_on=of.month.first_on, enrolled=one.enrolled, counts=one.counts
        )
        for one in of.schools
    ]


def totals(of: months.Facts, level: Level = Level.EXACT) -> dict[str, Cell]:
    """True totals at a level, lines too."""
    known = [one.counts for one in of.schools if one.counts["need"] is not None]
    sums = {name: sum(one[name] or 0 for one in known) for name in (*protection.MAIN, "answered") if known}
    sums |= {"lines": of.money.lines, "idle_lines": of.money.idle_lines}
    return {name: cell for name, count in sums.items() if (cell := protection.cell(count, level)) is not None}


def decision(
    of: months.Facts,
    levels: Sequence[Level] = (),
    *,
    told: Mapping[str, Cell] | None = None,
) -> protecting.Decision:
    """As somebody else might decide: each school at a level, exact where none is named; the totals exactly."""
    chosen = [*levels, *[Level.EXACT] * (len(of.schools) - len(levels))]
    rows = tuple(protecting.published(one, level) for one, level in zip(counted(of), chosen, strict=True))
    return protecting.Decision(rows=rows, totals=totals(of) if told is None else told)


def pilot(schools: Sequence[int] = (1,), comparison: Sequence[int] = (2,), **changed: object) -> pilots.Pilot:
    made = pilots.Pilot(
        name="Unlimited plans",
        question="Do unlimited plans keep more students connected?",
        schools=tuple(map(ncessch, schools)),
        comparison=tuple(map(ncessch, comparison)),
        starts_on=date(2026, 9, 1),
    )
    return dataclasses.replace(made, **changed)  # type: ignore[arg-type]
