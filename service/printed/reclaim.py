"""The reclaim list for the terminal, for scripts and as a file: by internal ids."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from service.model import cost_words
from service.printed import csv_files
from service.store import equity as equity_rows
from service.store import reclaim

REASONS = {
    "never_used": "never used since it was lent",
    "idle": "not used",
    "line_without_loan": "active, and not on loan",
}
_FIELDS = (
    "ncessch", "school", "kind", "device_id", "line_id", "loan_id", "days", "is_at_least", "since_on", "monthly_cost",
)  # fmt: skip
Identifiers = Mapping[tuple[int | None, int | None], reclaim.Identifiers]


def show(
    console: Console,
    district: equity_rows.District,
    found: reclaim.Reclaim,
    identifiers: Identifiers | None = None,
) -> None:
    title = (
        f"{district.name}: {found.total.count:,} hotspots to ask back, {found.days} days on {found.on_day}"
    )
    console.print(_list(title, found, identifiers or {}), soft_wrap=True)
    console.print(_totals(found))
    if found.unheard:
        console.print(
            f"{found.unheard:,} more had not been used for {found.days} days when their provider fell silent: "
            "not on the list."
        )


def _table(title: str) -> Table:
    return Table(title=escape(title), title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)


def _list(title: str, found: reclaim.Reclaim, identifiers: Identifiers) -> Table:
    table = _table(title)
    for heading in ("school", "device", "line", "loan", "days", "since", "why", "monthly cost"):
        table.add_column(heading, overflow="fold")
    if identifiers:
        table.add_column("identifiers", overflow="fold")
    for item in found.items:
        named = identifiers.get((item.device_id, item.line_id))
        cells = [*_cells(item), *([words(named)] if identifiers else [])]
        table.add_row(*map(escape, cells))
    return table


def _cells(item: reclaim.Item) -> list[str]:
    return [
        item.school or cost_words.UNLENT,
        *("-" if it is None else str(it) for it in (item.device_id, item.line_id, item.loan_id)),
        f"{'at least ' if item.is_at_least else ''}{item.days}",
        "?" if item.since_on is None else str(item.since_on),
        REASONS[item.kind],
        "?" if item.monthly_cost is None else cost_words.money(item.monthly_cost),
    ]


def words(one: reclaim.Identifiers | None) -> str:
    """As IMEI 860000000000010, ICCID 89...; "" where nothing is known."""
    if one is None:
        return ""
    known = {"IMEI": one.imei, "serial": one.serial, "ICCID": one.iccid, "MDN": one.mdn}
    return ", ".join(f"{name} {value}" for name, value in known.items() if value)


def _totals(found: reclaim.Reclaim) -> Table:
    table = _table("by school")
    table.add_column("school")
    for heading in ("never used", "idle", "not on loan", "together", "monthly cost"):
        table.add_column(heading, justify="right", no_wrap=True)
    for total in found.by_school:
        table.add_row(escape(total.school or cost_words.UNLENT), *_counts(total))
    table.add_section()
    table.add_row("district", *_counts(found.total), style="bold")
    return table


def _counts(total: reclaim.Total) -> list[str]:
    counts = (total.never_used, total.idle, total.line_without_loan, total.count)
    cost = cost_words.money(total.monthly_cost) + ("+" if total.without_cost else "")
    return [*(f"{count:,}" for count in counts), "?" if total.without_cost == total.count > 0 else cost]


def as_json(district: equity_rows.District, found: reclaim.Reclaim) -> dict[str, Any]:
    return {
        "district": district.district_id,
        "name": district.name,
        "on_day": found.on_day.isoformat(),
        "days": found.days,
        "unheard": found.unheard,
        "items": [_item(item) for item in found.items],
        "schools": [_total(total) for total in found.by_school],
    }


def _item(item: reclaim.Item) -> dict[str, Any]:
    told = {name: getattr(item, name) for name in _FIELDS}
    cost, since = item.monthly_cost, item.since_on
    return {
        **told,
        "since_on": None if since is None else since.isoformat(),
        "monthly_cost": None if cost is None else float(cost),
    }


def _total(total: reclaim.Total) -> dict[str, Any]:
    names = ("ncessch", "school", *reclaim.KINDS, "without_cost")
    cost = None if total.without_cost == total.count > 0 else float(total.monthly_cost)
    return {**{name: getattr(total, name) for name in names}, "monthly_cost": cost}


def write(path: Path, told: Iterable[tuple[equity_rows.District, reclaim.Reclaim]]) -> int:
    """As CSV; returns how many rows. Raises ConfigError where the file cannot be written."""
    rows = [
        (district.district_id, found.on_day, *map(_item(item).get, _FIELDS))
        for district, found in told
        for item in found.items
    ]
    return csv_files.write(path, ("district", "on_day", *_FIELDS), rows)
