"""The budget plan on the terminal."""

from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from service.polling import budget_plan


def show(console: Console, plan: Sequence[budget_plan.Planned]) -> None:
    """What a sweep of each endpoint group takes, and how often it can be made."""
    table = Table(title="request budgets", title_justify="left")
    table.add_column("source", overflow="fold")
    for heading in (
        "lines",
        "requests a sweep",
        "takes at the vendor's limit",
        "every",
        "share of the budget",
    ):
        table.add_column(heading, justify="right", overflow="fold")
    for planned in plan:
        every = budget_plan.spoken(planned.every)
        if planned.is_stretched:
            every = f"[yellow]{every}, stretched from {budget_plan.spoken(planned.group.cadence)}[/]"
        table.add_row(
            escape(f"{planned.account.name}, {planned.group.name}"),
            f"{planned.lines:,}" if planned.lines else "not known yet",
            f"{planned.requests:,}",
            budget_plan.spoken(planned.takes),
            every,
            f"{planned.load:.1%}",
        )
    if budget_plan.overload(plan) > 1:
        table.caption = (
            "These sweeps do not fit even when stretched: read fewer kinds, or ask the vendor for more."
        )
    console.print(table)
