"""The answers of a district's schools for the terminal and for scripts."""

import dataclasses
from collections.abc import Sequence
from datetime import date
from typing import Any

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from service.model import need
from service.store import answers

_COUNTS = ("enrolled", "answered", "need")
_WHY = ("says_no", "lacks_by_type", "lacks_by_performance", "is_documented", "has_our_hotspot")
_LEGEND = (
    "no: cannot get online at home   type: none, dial-up or a phone   slow: schoolwork cannot be completed\n"
    "staff: documented by staff   ours: online by a hotspot of ours   (a student may be in several)"
)


def show(console: Console, name: str, on_day: date, schools: Sequence[answers.SchoolAnswers]) -> None:
    if not schools:
        console.print(f"{name} has no schools: import them first", markup=False)
        return
    table = Table(
        title=f"{name}: need on {on_day}", title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False
    )
    table.add_column("school")
    counts = ("enrolled", "answered", "ratio", "need", "no", "type", "slow", "staff", "ours", "not usable")
    for heading in counts:
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("newest", no_wrap=True)
    table.add_column("remark", overflow="fold")
    for school in schools:
        table.add_row(*_row(school))
    console.print(table)
    console.print(_LEGEND)


def _row(school: answers.SchoolAnswers) -> list[str]:
    ratio = school.response_ratio
    return [
        escape(school.name),
        _count(school.enrolled),
        _count(school.answered),
        "?" if ratio is None else f"{ratio:.0%}",
        _count(school.need),
        *("" if (count := getattr(school, why)) is None else f"{count:,}" for why in _WHY),
        _count(school.unusable),
        str(school.newest_on or ""),
        remark(school),
    ]


def _count(count: int | None) -> str:
    return "?" if count is None else f"{count:,}"


def remark(school: answers.SchoolAnswers) -> str:
    return need.remark(
        source=school.source,
        response_ratio=school.response_ratio,
        valid=school.answered or 0,
        expiring=school.expiring,
        expired=school.expired,
        year_ends_on=school.year_ends_on,
    )


def as_json(district_id: int, on_day: date, schools: Sequence[answers.SchoolAnswers]) -> dict[str, Any]:
    """The same figures for scripts; null is not known."""
    return {
        "district": district_id,
        "on_day": on_day.isoformat(),
        "schools": [_as_json(school) for school in schools],
    }


def _as_json(school: answers.SchoolAnswers) -> dict[str, Any]:
    told = {
        name: value.isoformat() if isinstance(value, date) else value
        for name, value in dataclasses.asdict(school).items()
    }
    return told | {"response_ratio": school.response_ratio, "remark": remark(school)}
