"""A published month, made up: twelve schools at every level, with a pilot, and variants of it."""

import dataclasses
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal

from service.exports import published
from service.model import months, protection

Number = published.Number
Level = protection.Level

MONTH = months.Month(date(2026, 10, 1))
FIGURE_ON = date(2026, 10, 30)
UNKNOWN = Number(symbol="unknown")
WITHHELD = Number(symbol="withheld")
NOT_APPLICABLE = Number(symbol="not applicable")
WIDTHS = {Level.FIVE: 5, Level.TEN: 10}

# name, level, high-needs, enrolled, answered, need, loaned, active_30, adequate, unknown
SCHOOLS: tuple[tuple[str, Level, bool | None, int, int, int, int, int, int, int], ...] = (
    ("Alder Creek Elementary", Level.EXACT, True, 480, 430, 96, 80, 70, 58, 0),
    ("Birch Hill Elementary", Level.FIVE, False, 350, 320, 41, 36, 33, 30, 0),
    ("Cedar Park Middle", Level.EXACT, True, 720, 640, 120, 104, 90, 78, 2),
    ("Dogwood Elementary", Level.TEN, False, 310, 290, 22, 18, 16, 14, 1),
    ("Elm Street Elementary", Level.FIVE, True, 400, 350, 63, 47, 40, 33, 0),
    ("Fir Grove High", Level.EXACT, False, 1500, 1380, 84, 73, 62, 52, 0),
    ("Hazel Valley Middle", Level.BAND, False, 650, 560, 19, 16, 15, 13, 0),
    ("Juniper Elementary", Level.FIVE, True, 390, 260, 72, 54, 45, 36, 4),
    ("Larch Academy", Level.WITHHELD, None, 90, 80, 4, 3, 3, 2, 0),
    ("Maple Grove K-8", Level.EXACT, False, 610, 560, 48, 38, 28, 18, 0),
    ("Oak Ridge High", Level.TEN, False, 1320, 1190, 57, 50, 46, 43, 2),
    ("Pine Meadow Elementary", Level.EXACT, False, 280, 275, 0, 0, 0, 0, 0),
)


def ncessch(index: int) -> str:
    return f"41012{index + 1:07d}"


def count(value: int, level: Level) -> Number:
    if level in (Level.BAND, Level.WITHHELD):
        return WITHHELD
    cell = protection.cell(value, level)
    assert cell is not None
    if cell.is_exact:
        return Number(value=value, least=value, most=value)
    return Number(least=cell.least, most=cell.most, symbol=f"{cell.least} to {cell.most}")


def share(low: float, high: float) -> Number:
    """Somewhere between two shares, rounded outward to whole percents; one value: exactly that."""
    if low == high:
        return Number(value=low, least=low, most=high)
    least, most = int(low * 100) / 100, -int(-high * 100) / 100
    return Number(least=least, most=most, symbol=f"{least:.0%} to {most:.0%}")


def band(covered: int, need: int) -> Number:
    found = protection.band_of(covered, need)
    symbol = f"{found.low:.0%} to {found.high:.0%}"
    if found.low == 0:
        symbol = "<5%"
    if found.low == protection.BANDS[-2]:
        symbol = ">95%"
    return Number(least=found.low, most=found.high, symbol=symbol)


def model_school(
    index: int, name: str, is_high_needs: bool | None, enrolled: int, counts: Mapping[str, int | None]
) -> months.School:
    return months.School(
        school_id=index + 1,
        ncessch=ncessch(index),
        name=name,
        is_high_needs=is_high_needs,
        high_needs_basis=None if is_high_needs is None else "FRPL at least 50 %",
        indicator=None if is_high_needs is None else "frpl",
        indicator_value=None if is_high_needs is None else (0.3 + index % 4 * 0.15),
        indicator_year="2025-26",
        enrolled=enrolled,
        counts=counts,
        need_source="survey",
        completeness=0.97,
        coverage_status="known",
        is_need_exceeded=False,
        used_bytes=10**12,
        devices_used=30,
        uptime=None,
        homework_share=None,
        library_hours=4.0,
        activity_bus_hours=2.0,
        days_missing=index % 3,
    )


def _true_counts(row: Sequence[int]) -> dict[str, int | None]:
    answered, need, loaned, active_30, adequate, unknown = row
    counts: dict[str, int | None] = {
        "need": need,
        "loaned": loaned,
        "active_30": active_30,
        "active_7": (active_30 + adequate) // 2,
        "adequate": adequate,
        "unknown": unknown,
        "answered": answered,
        "waitlist": need // 12,
        "idle_30": loaned - active_30,
        "idle_60": (loaned - active_30) // 2,
        "idle_90": (loaned - active_30) // 4,
        "lost": loaned // 30,
    }
    return counts


def _ratios(
    told: Mapping[str, Number], enrolled: int, level: Level, true: Mapping[str, int | None]
) -> dict[str, Number]:
    need, adequate, unknown, answered = (told[name] for name in ("need", "adequate", "unknown", "answered"))
    if level is Level.WITHHELD:
        return dict.fromkeys(_RATIOS, WITHHELD)
    covered, in_need = min(true["adequate"] or 0, true["need"] or 0), true["need"] or 0
    if not in_need:
        return {
            **dict.fromkeys(_RATIOS, NOT_APPLICABLE),
            "unmet": Number(value=0),
            "completeness": Number(value=1.0),
        }
    if level is Level.BAND:
        return {**dict.fromkeys(_RATIOS, WITHHELD), "coverage": band(covered, in_need)}
    assert need.least is not None
    assert need.most is not None
    assert adequate.least is not None
    assert adequate.most is not None
    assert unknown.least is not None
    assert unknown.most is not None
    assert answered.least is not None
    assert answered.most is not None
    least, most = adequate.least / max(1, need.most), min(1.0, adequate.most / max(1, need.least))
    return {
        "coverage": band(covered, in_need) if level is Level.TEN else share(least, most),
        "coverage_low": share(
            adequate.least / (need.most + enrolled - answered.least),
            adequate.most / (need.least + enrolled - answered.most),
        ),
        "coverage_high": share(
            min(1.0, (adequate.least + unknown.least) / need.most),
            min(1.0, (adequate.most + unknown.most) / max(1, need.least)),
        ),
        "completeness": share(0.97, 0.97) if level is Level.EXACT else share(0.9, 1.0),
        "response_ratio": share(answered.least / enrolled, min(1.0, answered.most / enrolled)),
        "unmet": count(in_need - covered, level),
    }


_RATIOS = ("coverage", "coverage_low", "coverage_high", "completeness", "response_ratio", "unmet")
_AVERAGES = ("gb_per_active_mean", "hotspot_uptime_pct", "pct_usage_outside_school_hours")


def school(
    index: int, row: tuple[str, Level, bool | None, int, int, int, int, int, int, int]
) -> published.School:
    name, level, is_high_needs, enrolled, *rest = row
    counts = _true_counts(rest)
    told = {key: count(value or 0, level) for key, value in counts.items()}
    numbers = {**told, **_ratios(told, enrolled, level, counts)}
    numbers |= dict.fromkeys(_AVERAGES, Number(symbol="not measured"))
    return published.School(
        school=model_school(index, name, is_high_needs, enrolled, counts),
        level=level,
        numbers=numbers,
        flags=("need_exceeded",) if index == 9 else (),
    )


def unknown_school(index: int, name: str, is_high_needs: bool | None = None) -> published.School:
    """Nothing of the month is known of it."""
    nothing: dict[str, int | None] = dict.fromkeys(protection.COUNTS)
    return published.School(
        school=model_school(index, name, is_high_needs, 300, nothing),
        level=Level.EXACT,
        numbers=dict.fromkeys((*protection.COUNTS, *_RATIOS, *_AVERAGES), UNKNOWN),
    )


def group(
    name: str, schools: int, left_out: int, need: int, covered: int, *, about: bool = True
) -> published.Group:
    return published.Group(
        name=name,
        schools=schools,
        left_out=left_out,
        need=Number(value=need, symbol="about" if about else ""),
        adequate=Number(value=covered, symbol="about" if about else ""),
        unknown=Number(value=7, symbol="about" if about else ""),
        coverage=Number(value=covered / need, symbol="about" if about else "") if need else NOT_APPLICABLE,
    )


def district(schools: Sequence[published.School]) -> published.District:
    levels = {level: sum(1 for one in schools if one.level is level) for level in Level}
    return published.District(
        schools=len(schools),
        schools_without_need=0,
        levels=levels,
        numbers={
            "need": Number(value=626),
            "loaned": Number(value=519),
            "active_30": Number(value=448),
            "active_7": Number(value=410),
            "adequate": Number(value=377),
            "unknown": Number(value=9),
            "answered": Number(least=6330, most=6339, symbol="6330 to 6339"),
            "covered": Number(value=377),
            "unmet": Number(value=249),
            "coverage": Number(value=377 / 626),
            "coverage_low": Number(value=0.3193),
            "coverage_high": Number(value=386 / 626),
            "completeness": Number(value=0.9827),
            "response_ratio": Number(least=0.89, most=0.9, symbol="89% to 90%"),
            "coverage_gap": Number(value=157 / 255 - 205 / 351, symbol="about"),
            "coverage_ratio": Number(value=0.9486, symbol="about"),
            "aci": Number(value=0.02, symbol="about"),
            "rci": Number(value=0.03, symbol="about"),
            "par": Number(value=0.06, symbol="about"),
            "lines": Number(value=560),
            "idle_lines": Number(least=70, most=79, symbol="70 to 79"),
            "cost": Number(value=8400.0),
            "idle_cost": Number(least=1050.0, most=1185.0, symbol="about $1,100"),
            "cost_per_covered_student": Number(value=22.28),
        },
        groups=(group("high-needs", 4, 0, 351, 205), group("others", 6, 2, 255, 157)),
        bands=(
            group("low", 3, 0, 140, 100),
            group("mid_low", 3, 1, 160, 98),
            group("mid_high", 3, 0, 180, 104),
            group("high", 2, 0, 130, 68),
        ),
        bands_basis="frpl of 2025-26",
    )


def earlier(*, missing: bool = False) -> tuple[published.EarlierMonth, ...]:
    told = ((-3, 0.52, 0.29, 0.56), (-2, 0.55, 0.3, 0.6), (-1, 0.58, 0.31, 0.62))
    return tuple(
        published.EarlierMonth(
            month=MONTH.away(away),
            district={
                "coverage": Number(value=coverage),
                "coverage_low": Number(value=low),
                "coverage_high": Number(value=high),
            },
            schools={ncessch(0): Number(value=0.4 - away / 100), ncessch(9): Number(value=0.6)},
        )
        for away, coverage, low, high in told
        if not (missing and away == -2)
    )


def _period(side: str, period: str, need: int, covered: int, at: Sequence[int]) -> published.PilotPeriod:
    return published.PilotPeriod(
        side=side,
        period=period,
        months=tuple(MONTH.away(away) for away in at),
        missing=(MONTH.away(-4),) if period == "before" else (),
        schools=3,
        left_out=1 if side == "comparison" else 0,
        need=Number(value=need, symbol="about"),
        covered=Number(value=covered, symbol="about"),
        coverage=Number(value=covered / need, symbol="about"),
    )


def pilot() -> published.Pilot:
    sides = (("pilot", 279, 134, 172), ("comparison", 148, 92, 98))
    return published.Pilot(
        name="Unlimited plans",
        question="Do unlimited plans keep more students connected than plans that stop at 3 GB?",
        starts_on=date(2026, 9, 1),
        ends_on=None,
        periods=tuple(
            _period(side, period, need, covered, at)
            for side, need, before, during in sides
            for period, covered, at in (("before", before, (-3, -2)), ("during", during, (-1, 0)))
        ),
        change=Number(value=38 / 279, symbol="about", least=0.11, most=0.16),
        comparison_change=Number(value=6 / 148, symbol="about", least=0.02, most=0.06),
        difference=Number(value=38 / 279 - 6 / 148, symbol="about", least=0.05, most=0.14),
        warnings=("months_missing", "few_months", "left_out_schools"),
    )


CHANGES = (
    published.Changed(
        table="school_month", key=ncessch(0), column="adequate", old="57", new="58", why="late_data"
    ),
    published.Changed(
        table="district_month", key="2026-10", column="coverage", old="0.5990", new="0.6022", why="late_data"
    ),
)


def facts(schools: Sequence[published.School]) -> months.Facts:
    return months.Facts(
        district_id=1,
        district_name="Willow County School District 7",
        leaid="4101200",
        time_zone="America/Los_Angeles",
        month=MONTH,
        through_on=date(2026, 10, 31),
        figure_on=FIGURE_ON,
        instructional_days=22,
        need_mode="student",
        schools=tuple(one.school for one in schools),
        sources=(
            months.Source(
                account_key="north",
                collector="kajeet",
                lag_days=0,
                last_success_at=datetime(2026, 11, 4, 9, tzinfo=UTC),
                gaps=((date(2026, 10, 11), date(2026, 10, 13)),),
            ),
            months.Source(
                account_key="thing",
                collector="thingspace",
                lag_days=2,
                last_success_at=datetime(2026, 11, 4, 9, tzinfo=UTC),
                gaps=(),
            ),
        ),
        money=months.Money(
            lines=560,
            cost=Decimal(8400),
            idle_lines=74,
            idle_cost=Decimal(1110),
            unknown_lines=9,
            without_price=0,
            highest_price=Decimal(15),
        ),
        thresholds={"completeness_floor": 0.9},
    )


def month(**changed: object) -> published.Published:
    """Twelve schools, three months released before it, no pilot."""
    schools = tuple(school(index, row) for index, row in enumerate(SCHOOLS))
    made = published.Published(
        facts=facts(schools),
        version="0.1.0",
        revision=1,
        is_partial=False,
        is_strict=False,
        schools=schools,
        district=district(schools),
        earlier=earlier(),
        thresholds={"completeness_floor": 0.9, "protect_width": 5},
    )
    return dataclasses.replace(made, **changed)  # type: ignore[arg-type]


def with_pilot() -> published.Published:
    return month(pilot=pilot())


def of_schools(schools: Sequence[published.School], **changed: object) -> published.Published:
    return month(schools=tuple(schools), facts=facts(schools), district=district(schools), **changed)


def of_size(number: int) -> published.Published:
    """As many schools, by the twelve again and again."""
    rows = (SCHOOLS[index % len(SCHOOLS)] for index in range(number))
    return of_schools([school(i, (f"{row[0]} {i + 1}", *row[1:])) for i, row in enumerate(rows)])


def unknown_month() -> published.Published:
    """Nothing was heard from: every figure is unknown."""
    schools = [unknown_school(index, row[0], row[2]) for index, row in enumerate(SCHOOLS)]
    made = of_schools(schools, earlier=())
    nothing = dataclasses.replace(
        made.district,
        numbers=dict.fromkeys(made.district.numbers, UNKNOWN),
        groups=tuple(_unknown_group(one) for one in made.district.groups),
        bands=(),
        bands_basis=None,
    )
    return dataclasses.replace(made, district=nothing, facts=dataclasses.replace(made.facts, figure_on=None))


def _unknown_group(one: published.Group) -> published.Group:
    return dataclasses.replace(one, need=UNKNOWN, adequate=UNKNOWN, unknown=UNKNOWN, coverage=UNKNOWN)


def without_need() -> published.Published:
    """Nobody is in need anywhere."""
    rows = [(row[0], Level.EXACT, row[2], row[3], row[4], 0, 0, 0, 0, 0) for row in SCHOOLS]
    made = of_schools([school(index, row) for index, row in enumerate(rows)], earlier=())
    counts = (
        "need",
        "loaned",
        "active_30",
        "active_7",
        "adequate",
        "unknown",
        "unmet",
        "lines",
        "idle_lines",
    )
    zero = dict.fromkeys(counts, Number(value=0)) | dict.fromkeys(("cost", "idle_cost"), Number(value=0.0))
    numbers = {
        **dict.fromkeys(made.district.numbers, NOT_APPLICABLE),
        **zero,
        "completeness": Number(value=1.0),
    }
    empty = dataclasses.replace(
        made.district,
        numbers=numbers,
        groups=tuple(group(one.name, one.schools, 0, 0, 0, about=False) for one in made.district.groups),
        bands=(),
        bands_basis=None,
    )
    return dataclasses.replace(made, district=empty)


def strict() -> published.Published:
    """By the strict profile: symbols as n<10, <5%, >95%, and cells hidden beside a hidden one."""
    schools = tuple(_strict(one) for one in month().schools)
    return month(schools=schools, is_strict=True)


def _strict(one: published.School) -> published.School:
    numbers = dict(one.numbers)
    if one.level is Level.FIVE:
        numbers |= {"adequate": Number(symbol="*"), "unmet": Number(least=1, most=9, symbol="n<10")}
        numbers["coverage"] = Number(least=0.95, most=1.0, symbol=">95%")
    if one.level is Level.TEN:
        numbers |= {"adequate": Number(least=0, most=9, symbol="n<10")}
        numbers["coverage"] = Number(least=0.0, most=0.05, symbol="<5%")
    if one.level is Level.BAND:
        numbers["coverage"] = Number(symbol="*")
    return dataclasses.replace(one, numbers=numbers)
