"""What lines cost, for the terminal and for scripts. Only money that is known; the rest is counted apart."""

from typing import Any

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from service.model import cost_words, costs
from service.store import equity as equity_rows

_WIDE = 100  # columns; a narrower terminal has the money under the count of lines
_HEADINGS = ("lines", "cost", "idle", "idle cost", "unknown", "its cost", "adequate", "per covered")
_STACKED = ("lines\ncost", "idle\ncost", "unknown\ncost", "adequate", "per\ncovered")


def show(console: Console, district: equity_rows.District, found: costs.Costs) -> None:
    console.print(_table(district, found, is_wide=console.width >= _WIDE))
    for sentence in cost_words.remarks(found):
        console.print(escape(sentence))


def _table(district: equity_rows.District, found: costs.Costs, *, is_wide: bool) -> Table:
    table = Table(
        title=escape(f"{district.name}: what lines cost, {found.first_on} to {found.last_on}"),
        title_justify="left",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        padding=(0, 1) if is_wide else (0, 1, 0, 0),
    )
    cells = _cells if is_wide else _stacked
    table.add_column("school", overflow="fold")
    for heading in _HEADINGS if is_wide else _STACKED:
        table.add_column(heading, justify="right", no_wrap=True)
    for cost in found.schools:
        table.add_row(escape(cost.name or cost_words.UNLENT), *cells(cost))
    table.add_section()
    table.add_row("district", *cells(found.district), style="bold")
    return table


def _cells(cost: costs.Cost) -> list[str]:
    return [
        f"{cost.all_lines.lines:,}",
        cost_words.amount(cost.all_lines),
        f"{cost.idle.lines:,}",
        cost_words.amount(cost.idle),
        f"{cost.unknown.lines:,}",
        cost_words.amount(cost.unknown),
        "?" if cost.adequate is None else f"{cost.adequate:,}",
        cost_words.each(cost),
    ]


def _stacked(cost: costs.Cost) -> list[str]:
    lines, spent, idle, idle_spent, unknown, unknown_spent, adequate, each = _cells(cost)
    return [f"{lines}\n{spent}", f"{idle}\n{idle_spent}", f"{unknown}\n{unknown_spent}", adequate, each]


def as_json(district: equity_rows.District, found: costs.Costs) -> dict[str, Any]:
    return {
        "district": district.district_id,
        "name": district.name,
        "first_on": found.first_on.isoformat(),
        "last_on": found.last_on.isoformat(),
        "months": found.months,
        "is_complete": found.is_complete,
        "figure_on": found.figure_on and found.figure_on.isoformat(),
        **_cost(found.district),
        "other_lines": _lines(found.other_lines),
        "not_in_service": _lines(found.not_in_service),
        "schools": [{"ncessch": cost.ncessch, "name": cost.name, **_cost(cost)} for cost in found.schools],
    }


def _cost(cost: costs.Cost) -> dict[str, Any]:
    each = cost.per_covered_student
    return {
        "all_lines": _lines(cost.all_lines),
        **{use: _lines(getattr(cost, use)) for use in costs.USES},
        "adequate": cost.adequate,
        "cost_per_covered_student": None if each is None else float(each),
    }


def _lines(lines: costs.Lines) -> dict[str, Any]:
    cost = None if lines.lines and not lines.with_cost else float(lines.cost)
    return {"lines": lines.lines, "without_cost": lines.without_cost, "cost": cost}
