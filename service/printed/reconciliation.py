"""What reconciliation found, for the terminal, for scripts and for a spreadsheet."""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from service.model import cost_words, reconciliation
from service.printed import csv_files
from service.store import reconciliation as rows
from service.web import reconciliation as pages

_MB = 1_000_000
_FIELDS = (
    "kind", "ncessch", "school", "device_id", "line_id", "loan_id", "other_device_id", "other_loan_id",
    "other_ncessch", "reason", "since_on", "days", "used_bytes", "monthly_cost",
)  # fmt: skip
_IDENTIFIERS = (
    ("IMEI", "imei"), ("serial", "serial"), ("ICCID", "iccid"), ("MDN", "mdn"), ("other IMEI", "other_imei"),
    ("other serial", "other_serial"),
)  # fmt: skip


def show(
    console: Console,
    judged: Mapping[int, date],
    found: Sequence[rows.Finding],
    kept: Mapping[int, rows.Summary],
    kinds: Sequence[reconciliation.Kind] = reconciliation.KINDS,
) -> None:
    """A table for each district: each kind, how many, since when, what they cost a month, what to do."""
    if not judged:
        console.print("no day is complete yet: there is nothing to judge by")
    for district_id, on_day in judged.items():
        ofs = [one for one in found if one.district_id == district_id]
        console.print(_table(district_id, on_day, ofs, kinds))
        if district_id in kept:
            console.print(pages.said_nothing_of(kept[district_id]), highlight=False)


def _table(
    district_id: int, on_day: date, found: Sequence[rows.Finding], kinds: Sequence[reconciliation.Kind]
) -> Table:
    table = Table(
        title=f"district {district_id}: reconciliation of {on_day}",
        title_justify="left",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
    )
    table.add_column("kind", no_wrap=True)
    for heading in ("found", "oldest since", "a month"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("what to do", overflow="fold")
    for kind in kinds:
        ofs = [one for one in found if one.kind == kind.name]
        count = rows.counted(ofs)
        if count is None:
            table.add_row(kind.name, "0", "", "", "", style="dim")
        else:
            number = f"{count.findings:,}{_urgent(kind, ofs)}"
            table.add_row(kind.name, number, f"{count.oldest_on}", _cost(kind, count), kind.advice)
    return table


def _urgent(kind: reconciliation.Kind, found: Sequence[rows.Finding]) -> str:
    """How many of them should not be put off."""
    urgent = sum(reconciliation.is_urgent(one.kind, one.days) for one in found)
    return f", {urgent:,} for {kind.urgent_days} days" if urgent else ""


def _cost(kind: reconciliation.Kind, count: rows.Count) -> str:
    return pages.cost(count) if kind.has_cost else ""


def show_findings(console: Console, found: Sequence[rows.Finding], *, with_identifiers: bool) -> None:
    """A line for each finding, by internal ids: nothing else may be wrapped or cut, as it is to be copied."""
    for one in found:
        console.print(escape(_sentence(one)), soft_wrap=True, highlight=False)
        if with_identifiers and (named := _named(one)):
            console.print(escape(f"    {named}"), soft_wrap=True, highlight=False)
    if not found:
        console.print("nothing is found")


def _sentence(one: rows.Finding) -> str:
    what = (
        ("device", one.device_id),
        ("line", one.line_id),
        ("loan", one.loan_id),
        ("other device", one.other_device_id),
        ("other loan", one.other_loan_id),
    )
    parts = [
        f"{one.kind}: {one.school or 'school not known'}",
        *(f"{name} {number}" for name, number in what if number is not None),
        *([reconciliation.REASONS[one.reason]] if one.reason else []),
        *([f"now at {one.other_ncessch}"] if one.other_ncessch else []),
        f"since {one.since_on}" + (" (urgent)" if reconciliation.is_urgent(one.kind, one.days) else ""),
        *([f"{one.used_bytes / _MB:,.0f} MB on {one.days} of 7 days"] if one.used_bytes is not None else []),
        *([f"{cost_words.money(one.monthly_cost)} a month"] if one.monthly_cost is not None else []),
    ]
    return ", ".join(parts)


def _named(one: rows.Finding) -> str:
    values = ((name, getattr(one, field)) for name, field in _IDENTIFIERS)
    return ", ".join(f"{name} {value}" for name, value in values if value)


def as_json(
    judged: Mapping[int, date],
    found: Sequence[rows.Finding],
    kinds: Sequence[reconciliation.Kind] = reconciliation.KINDS,
    *,
    with_findings: bool,
) -> dict[str, Any]:
    """The same for scripts, by internal ids; null is not known."""
    return {
        "districts": [
            _district(
                district_id,
                on_day,
                [one for one in found if one.district_id == district_id],
                kinds,
                with_findings=with_findings,
            )
            for district_id, on_day in judged.items()
        ]
    }


def _district(
    district_id: int,
    on_day: date,
    found: Sequence[rows.Finding],
    kinds: Sequence[reconciliation.Kind],
    *,
    with_findings: bool,
) -> dict[str, Any]:
    counts = {kind.name: _count([one for one in found if one.kind == kind.name]) for kind in kinds}
    told: dict[str, Any] = {"district": district_id, "on_day": on_day.isoformat(), "kinds": counts}
    if with_findings:
        told["findings"] = [{name: _plain(getattr(one, name)) for name in _FIELDS} for one in found]
    return told


def _count(found: Sequence[rows.Finding]) -> dict[str, Any]:
    count = rows.counted(found)
    if count is None:
        return {"findings": 0, "urgent": 0, "oldest_on": None, "monthly_cost": None, "without_cost": 0}
    names = ("findings", "oldest_on", "monthly_cost", "without_cost")
    urgent = sum(reconciliation.is_urgent(one.kind, one.days) for one in found)
    return {"urgent": urgent} | {name: _plain(getattr(count, name)) for name in names}


def _plain(value: object) -> object:
    if isinstance(value, date):
        return value.isoformat()
    return float(value) if isinstance(value, Decimal) else value


def write_csv(path: Path, found: Sequence[rows.Finding]) -> None:
    """Every finding by internal ids. Raises ConfigError where the file cannot be written."""
    values = ((one.district_id, one.on_day, *(getattr(one, name) for name in _FIELDS)) for one in found)
    csv_files.write(path, ("district", "on_day", *_FIELDS), values)
