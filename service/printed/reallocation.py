"""Which school gets how many hotspots, why, and what it may buy: for the terminal and for scripts."""

from collections.abc import Iterator
from typing import Any

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from service.model import reallocation
from service.store import equity as equity_rows


def show(
    console: Console, district: equity_rows.District, on_day: object, plan: reallocation.Plan, reclaimed: int
) -> None:
    if plan.shares:
        console.print(
            _table(f"{district.name}: where {plan.asked:,} hotspots go, by the figures of {on_day}", plan)
        )
    for sentence in _sentences(district, plan, reclaimed):
        console.print(escape(sentence))


def _table(title: str, plan: reallocation.Plan) -> Table:
    table = Table(title=escape(title), title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("school")
    for heading in ("gets", "unserved", "then", "coverage", "at most", "estimate"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("why", overflow="fold")
    for share in plan.shares:
        name = share.school.name + (" *" if share.school.is_high_needs else "")
        table.add_row(*map(escape, (name, *_cells(share), share.reason)))
    return table


def _cells(share: reallocation.Share) -> list[str]:
    estimate = percent(share.coverage_with(share.likely_gained))
    return [
        f"{share.hotspots:,}",
        f"{share.unserved_before:,}",
        f"{share.unserved_after:,}",
        percent(share.school.coverage),
        percent(share.coverage_with(share.most_gained)),
        estimate if share.is_own_rate or estimate == "?" else f"{estimate} ~",
    ]


def percent(value: float | None) -> str:
    return "?" if value is None else f"{value:.0%}"


def _sentences(district: equity_rows.District, plan: reallocation.Plan, reclaimed: int) -> Iterator[str]:
    yield (
        f"Students in need without a loan: {plan.unserved_before:,}"
        f"{f' (with {reclaimed:,} whose hotspot is asked back)' if reclaimed else ''}, then {plan.unserved_after:,}."
    )
    if plan.shares:
        yield (
            f"Coverage of the district: {percent(plan.before.value)}; at most {percent(plan.at_most)}, if every "
            f"hotspot becomes an adequate connection (an upper bound); {percent(plan.likely)} at the schools' present "
            "share of adequate loans (an estimate)."
        )
    if any(not share.is_own_rate for share in plan.shares):
        yield "~ the estimate is made with the district's share: no loan's state is known at the school."
    if any(share.school.is_high_needs for share in plan.shares):
        yield "* high-needs"
    if plan.left_over:
        yield f"{plan.left_over:,} are left over: no school has a student in need without a loan."
    if plan.without_need:
        names = ", ".join(school.name for school in plan.without_need)
        yield f"These can get none, as their need is not known: {names}."


def as_json(
    district: equity_rows.District, on_day: object, plan: reallocation.Plan, reclaimed: int
) -> dict[str, Any]:
    return {
        "district": district.district_id,
        "name": district.name,
        "on_day": str(on_day),
        "hotspots": plan.asked,
        "left_over": plan.left_over,
        "students_reclaimed": reclaimed,
        "unserved_before": plan.unserved_before,
        "unserved_after": plan.unserved_after,
        "coverage": plan.before.value,
        "coverage_upper_bound": plan.at_most,
        "coverage_estimate": plan.likely,
        "schools": [_share(share) for share in plan.shares],
        "need_not_known": [school.ncessch for school in plan.without_need],
    }


def _share(share: reallocation.Share) -> dict[str, Any]:
    school = share.school
    return {
        "ncessch": school.ncessch,
        "name": school.name,
        "is_high_needs": school.is_high_needs,
        "waitlist": school.waitlist,
        "hotspots": share.hotspots,
        "reason": share.reason,
        "unserved_before": share.unserved_before,
        "unserved_after": share.unserved_after,
        "coverage": school.coverage,
        "coverage_upper_bound": share.coverage_with(share.most_gained),
        "coverage_estimate": share.coverage_with(share.likely_gained),
        "students_upper_bound": share.most_gained,
        "students_estimate": share.likely_gained,
        "rate": share.rate,
        "is_own_rate": share.is_own_rate,
    }
