"""Packages of pretend districts, as the product makes them: decided with a ledger of what was released before, told,
and read back as text."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from service.exports import earlier, protecting, published, shareable, shares, tables
from service.exports.writing import text
from service.model import months, pilots, protection
from tests.privacy import attacker, counts, districts

FLOOR = 0.9
PILOT_STARTS_ON = date(2026, 10, 1)

Cells = dict[str, list[dict[str, str]]]  # a package's tables, as in its CSV files


@dataclass(frozen=True, slots=True)
class Package:
    """``cells`` without a pilot's tables, and ``with_pilot`` the same month's package with them."""

    moment: districts.Moment
    is_strict: bool
    decision: protecting.Decision
    told: published.Published
    told_with_pilot: published.Published
    cells: Cells
    with_pilot: Cells

    @property
    def releases(self) -> list[attacker.Release]:
        return [attacker.Release(self.moment.name, cells) for cells in (self.cells, self.with_pilot)]


def packages(district: districts.District, *, seconds: float = 60.0) -> list[Package]:
    """One after the other, each with what was released before in the ledger."""
    made: list[Package] = []
    for moment in district.moments:
        for is_strict in district.profiles:
            decision = protecting.decide(
                counted(moment),
                [_ledger(package) for package in made],
                money={"lines": moment.lines, "idle_lines": moment.idle_lines},
                terms=protecting.Terms(is_strict=is_strict, seconds=seconds),
            )
            made.append(package(district, Chosen(moment, is_strict, decision), made))
    return made


def again(district: districts.District, before: Sequence[Package]) -> list[Package]:
    """Of another truth what was decided of the first one."""
    moments = {moment.name: moment for moment in district.moments}
    made: list[Package] = []
    for one in before:
        chosen = Chosen(moments[one.moment.name], one.is_strict, one.decision)
        made.append(package(district, chosen, made))
    return made


@dataclass(frozen=True, slots=True)
class Chosen:
    moment: districts.Moment
    is_strict: bool
    decision: protecting.Decision


def package(district: districts.District, chosen: Chosen, before: Sequence[Package]) -> Package:
    moment, is_strict = chosen.moment, chosen.is_strict
    decision = replace(chosen.decision, seconds=0.0)
    known = facts(district, moment)
    latest = {
        one.moment.month_on: one
        for one in before
        if one.moment.month_on < moment.month_on and one.is_strict == is_strict
    }

    def told(pilot: pilots.Pilot | None) -> published.Published:
        return published.of(
            known,
            decision,
            earlier=[_earlier(one) for _, one in sorted(latest.items())],
            pilot=pilot,
            version="1.0",
            revision=moment.revision,
            is_strict=is_strict,
            floor=FLOOR,
        )

    alone, together = told(None), told(_pilot(district))
    return Package(moment, is_strict, decision, alone, together, _cells(alone), _cells(together))


def counted(moment: districts.Moment) -> list[protection.Facts]:
    return [
        protection.Facts(
            ncessch=name, month_on=moment.month_on, enrolled=told["enrolled"], counts=_product_counts(told)
        )
        for name, told in sorted(moment.schools.items())
    ]


def facts(district: districts.District, moment: districts.Moment) -> months.Facts:
    month = months.Month(moment.month_on)
    return months.Facts(
        district_id=1,
        district_name="Pretend",
        leaid="4101230",
        time_zone="America/Los_Angeles",
        month=month,
        through_on=month.last_on,
        figure_on=month.last_on,
        instructional_days=20,
        need_mode="student",
        schools=tuple(_school(district, name, told) for name, told in sorted(moment.schools.items())),
        sources=(),
        money=_money(district, moment),
    )


def _money(district: districts.District, moment: districts.Moment) -> months.Money:
    place, price = district.dear or ("", district.price)
    told = moment.schools.get(place, {})
    lines, idle, more = told.get("loaned") or 0, told.get("idle_30") or 0, price - district.price
    return months.Money(
        lines=moment.lines,
        cost=Decimal(moment.lines * district.price + lines * more),
        idle_lines=moment.idle_lines,
        idle_cost=Decimal(moment.idle_lines * district.price + idle * more),
        unknown_lines=0,
        without_price=0,
        highest_price=Decimal(max(price, district.price)),
        lowest_price=Decimal(district.price),
    )


def _product_counts(told: counts.Truth) -> dict[str, int | None]:
    return {"lost" if name == "lost_month" else name: told[name] for name in counts.COUNTS}


def _school(district: districts.District, name: str, told: counts.Truth) -> months.School:
    need, loaned, unknown = told["need"], told["loaned"] or 0, told["unknown"] or 0
    completeness = (loaned - unknown) / loaned if loaned else 1.0
    active = told["active_30"] or 0
    return months.School(
        school_id=int(name[-5:]),
        ncessch=name,
        name=f"School {int(name[-5:])}",
        is_high_needs=name in district.high_needs,
        high_needs_basis="frpl",
        indicator="frpl",
        indicator_value=int(name[-5:]) / 10,
        indicator_year="2026-27",
        enrolled=told["enrolled"],
        counts=_product_counts(told),
        need_source=None if need is None else "answers" if district.need_is_of_students else "totals",
        completeness=completeness,
        coverage_status=_status(need, completeness),
        is_need_exceeded=None if need is None else (told["adequate"] or 0) > need,
        used_bytes=active * 3_000_000_000,
        devices_used=active,
        uptime=0.9,
        homework_share=0.4,
        library_hours=10.0,
        activity_bus_hours=0.0,
        days_missing=2,
        devices_online=active,
        devices_timed=active,
    )


def _status(need: int | None, completeness: float) -> str:
    if need is None:
        return "need_unknown"
    if need == 0:
        return "not_applicable"
    return "known" if completeness >= FLOOR else "incomplete"


def _pilot(district: districts.District) -> pilots.Pilot:
    names = sorted(district.moments[0].schools)
    return pilots.Pilot(
        name="trial",
        question="Does it help?",
        schools=tuple(sorted(district.pilot)),
        comparison=tuple(name for name in names if name not in district.pilot),
        starts_on=PILOT_STARTS_ON,
    )


def _ledger(package: Package) -> protecting.Earlier:
    rows = tuple(zip(counted(package.moment), package.decision.rows, strict=True))
    return protecting.Earlier(rows=rows, totals=package.decision.totals)


def _earlier(package: Package) -> published.EarlierMonth:
    ledger = _ledger(package)
    terms = shares.Terms(floor=FLOOR, is_strict=package.is_strict)
    return earlier.of(months.Month(package.moment.month_on), ledger.rows, ledger.totals, terms=terms)


def _cells(told: published.Published) -> Cells:
    return {table.name: list(_rows(table, rows)) for table, rows in shareable.tables(told)}


def _rows(table: tables.Table, rows: Iterable[tables.Row]) -> Iterator[dict[str, str]]:
    kept = list(rows)
    by_column = [
        text.cells(column, [row[place] for row in kept]) for place, column in enumerate(table.columns)
    ]
    for cells in zip(*by_column, strict=True):
        yield dict(zip(table.names, map(_text, cells), strict=True))


def _text(cell: object) -> str:
    return "" if cell is None else str(cell)
