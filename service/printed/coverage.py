"""A snapshot of coverage for the terminal and for scripts."""

from dataclasses import asdict
from typing import Any

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from service.store import beside, coverage

_WHY = {
    "need_unknown": "unknown",  # nobody has counted the need
    "incomplete": "unknown",  # too many loans are unknown: only the bounds can be told
    "not_applicable": "no need",
    None: "not yet",
}
_COUNTS = ("need", "loaned", "adequate", "unknown")
_FIELDS = (
    "enrolled", "answered", "need", "loaned", "active_30", "active_7", "adequate", "unknown", "unmet",
    "completeness", "coverage", "coverage_low", "coverage_high", "unanswered", "response_ratio", "served_outside_need",
    "unattributed",
)  # fmt: skip


def show(console: Console, snapshot: coverage.Snapshot) -> None:
    """Print a table for each district, lowest coverage first."""
    if not snapshot.districts:
        console.print("no district is configured: see docs/configuration.md")
    for district in snapshot.districts:
        if district.day is None:
            console.print(_too_early(district), highlight=False)
        else:
            console.print(_table(district, district.day))
            console.print(_sentence(district, district.day), highlight=False)


def _too_early(district: coverage.District) -> str:
    return (
        f"{district.name}: no day is complete yet. The first is one that every account has been read for from "
        "midnight to midnight, with schools, need and loans imported."
    )


def _table(district: coverage.District, day: coverage.Day) -> Table:
    table = Table(
        title=f"{district.name}: home coverage on {day.on_day}"
        + (", which is not complete yet" if day.on_day > district.due_on else ""),
        title_justify="left",
        box=box.SIMPLE_HEAD,
        collapse_padding=True,
        pad_edge=False,
    )
    table.add_column("school")
    for heading in ("need", "loaned", "adequate", "unknown", "coverage", "bounds"):
        table.add_column(heading, justify="right", no_wrap=True)
    for school in sorted(district.schools, key=_order):
        table.add_row(*_row(school))
    table.add_section()
    table.add_row(*_total(district, day), style="bold")
    return table


def _order(school: coverage.School) -> tuple[bool, float, str]:
    return (school.coverage is None, school.coverage or 0.0, school.name)


def _row(school: coverage.School) -> list[str]:
    name = escape(school.name) + (" *" if school.is_high_needs else "")
    return [name, *_counts(school), _coverage(school), _between(school)]


def _total(district: coverage.District, day: coverage.Day) -> list[str]:
    value = "unknown" if day.coverage is None else f"{day.coverage:.0%}"
    return ["district", *_counts(day), value, _between(day)]


def _counts(counts: coverage.Counts) -> list[str]:
    values = (getattr(counts, name) for name in _COUNTS)
    return ["?" if value is None else f"{value:,}" for value in values]


def _coverage(school: coverage.School) -> str:
    if school.coverage is None:
        return _WHY[school.status]
    return f"{school.coverage:.0%}" + (" !" if school.is_need_exceeded else "")


def _between(counts: coverage.Counts) -> str:
    if counts.coverage_low is None or counts.coverage_high is None:
        return "?"
    return f"{counts.coverage_low:.0%}-{counts.coverage_high:.0%}"


def _sentence(district: coverage.District, day: coverage.Day) -> str:
    if day.need is None or day.covered is None:
        return "No school's need is known."
    marks = "* high-needs   bounds: what is unknown counted against, and for\n"
    if any(school.is_need_exceeded for school in district.schools):
        marks += "! more adequate connections than counted need: the count is stale\n"
    parts = [
        f"{day.covered:,} of {day.need:,} students known to be in need had an adequate connection at home."
    ]
    if day.served_outside_need or day.unattributed:
        parts.append(
            f"Outside it: {day.served_outside_need or 0:,} students with a loan who are not known to be in need, "
            f"{day.unattributed or 0:,} loans that name no borrower."
        )
    if day.schools_without_need:
        parts.append(f"The need of {day.schools_without_need} school(s) is not known.")
    if district.coverage_gap is not None:
        parts.append(
            f"The others' coverage less the high-needs schools': {district.coverage_gap * 100:+.0f} points."
        )
    return marks + " ".join(parts)


def as_json(snapshot: coverage.Snapshot) -> dict[str, Any]:
    """The same figures for scripts; null is not known."""
    return {
        "taken_at": snapshot.taken_at.isoformat(),
        "districts": [_district(district) for district in snapshot.districts],
    }


def _district(district: coverage.District) -> dict[str, Any]:
    return {
        "district": district.district_id,
        "name": district.name,
        "on_day": district.day and district.day.on_day.isoformat(),
        **(_figures(district.day) if district.day else {}),
        "coverage_gap": district.coverage_gap,
        "schools": [_school(school) for school in district.schools],
    }


def _school(school: coverage.School) -> dict[str, Any]:
    return {
        "ncessch": school.ncessch,
        "name": school.name,
        "is_high_needs": school.is_high_needs,
        "coverage_status": school.status,
        "need_source": school.need_source,
        **_figures(school),
        "is_need_exceeded": school.is_need_exceeded,
        "is_out_of_session": school.is_out_of_session,
        **_beside(school.beside),
    }


def _beside(told: beside.Beside) -> dict[str, Any]:
    return {**asdict(told), "waitlist_on": told.waitlist_on and told.waitlist_on.isoformat()}


def _figures(counts: coverage.Counts) -> dict[str, Any]:
    return {name: getattr(counts, name) for name in _FIELDS}
