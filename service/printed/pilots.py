"""What a pilot came to, for the terminal and for scripts: figures, the counts behind them, and the warnings."""

from collections.abc import Iterable, Iterator
from typing import Any

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from service.model import equity, pilot_words, pilots


def show_list(console: Console, told: Iterable[tuple[str, pilots.Pilot]]) -> None:
    """Pilots with the name of their district."""
    table = Table(title="pilots", title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("district", "pilot", "question", "schools", "comparison", "from", "to"):
        table.add_column(heading, overflow="fold")
    for district, pilot in told:
        cells = (
            district,
            pilot.name,
            pilot.question,
            len(pilot.schools),
            len(pilot.comparison),
            pilot.starts_on,
        )
        table.add_row(*(escape(str(cell)) for cell in cells), str(pilot.ends_on or "it goes on"))
    console.print(table)


def list_as_json(told: Iterable[tuple[int, pilots.Pilot]]) -> dict[str, Any]:
    return {"pilots": [{"district": district, **_pilot(pilot)} for district, pilot in told]}


def _pilot(pilot: pilots.Pilot) -> dict[str, Any]:
    return {
        "name": pilot.name,
        "question": pilot.question,
        "schools": list(pilot.schools),
        "comparison": list(pilot.comparison),
        "starts_on": pilot.starts_on.isoformat(),
        "ends_on": pilot.ends_on and pilot.ends_on.isoformat(),
        "min_need": pilot.min_need,
    }


def show(console: Console, district: str, result: pilots.Result) -> None:
    console.print(_cells(district, result))
    for sentence in _sentences(result):
        console.print(escape(sentence))
    for warning in result.warnings:
        console.print(f"[bold red]![/] {escape(warning.sentence)}")
    console.print(pilot_words.CAVEAT, style="dim")


def _cells(district: str, result: pilots.Result) -> Table:
    table = Table(
        title=escape(f"{district}: {result.pilot.name}: {result.pilot.question}"),
        title_justify="left",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
    )
    table.add_column("schools, period", no_wrap=True)
    for heading in ("days", "in need", "covered", "coverage", "bounds"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("days left out", overflow="fold")
    for cell in result.cells:
        table.add_row(*map(escape, _row(cell)))
    return table


def _row(cell: pilots.Cell) -> list[str]:
    return [
        f"{cell.side}, {cell.period}",
        f"{cell.days}",
        f"{cell.need:.1f}",
        f"{cell.covered:.1f}",
        pilot_words.percent(cell.coverage.value),
        f"{pilot_words.percent(cell.low)}-{pilot_words.percent(cell.high)}",
        pilot_words.left_out(cell),
    ]


def _sentences(result: pilots.Result) -> Iterator[str]:
    before, during = result.before_on, result.during_on
    yield f"Before: {before[0]} to {before[1]}; during: {during[0]} to {during[1]}. Counts are means of the days."
    yield pilot_words.sentence(result)
    yield from pilot_words.ranges(result)


def as_json(district_id: int, result: pilots.Result) -> dict[str, Any]:
    return {
        "district": district_id,
        **_pilot(result.pilot),
        "before": _span(result.before_on),
        "during": _span(result.during_on),
        "cells": [_cell(cell) for cell in result.cells],
        "change": _measure(result.change),
        "comparison_change": _measure(result.comparison_change),
        "difference_in_differences": _measure(result.difference),
        "difference_lowest": result.lowest,
        "difference_highest": result.highest,
        "difference_by_chance": result.by_chance,
        "warnings": [{"code": one.code, "sentence": one.sentence} for one in result.warnings],
        "by_school": [_school(one, result.pilot.min_need) for one in result.schools],
        "unknown_schools": list(result.unknown_schools),
    }


def _span(span: tuple[Any, Any]) -> dict[str, str]:
    return {"first_on": span[0].isoformat(), "last_on": span[1].isoformat()}


def _measure(measure: equity.Measure) -> dict[str, Any]:
    return {"value": measure.value, "reason": measure.reason}


def _cell(cell: pilots.Cell) -> dict[str, Any]:
    return {
        "schools": str(cell.side),
        "period": str(cell.period),
        "days": cell.days,
        "left_out": dict(cell.left_out),
        "mean_need": cell.need,
        "mean_covered": cell.covered,
        "coverage": _measure(cell.coverage),
        "coverage_low": cell.low,
        "coverage_high": cell.high,
        "need_sources": list(cell.need_sources),
    }


def _school(one: pilots.SchoolPeriod, min_need: int) -> dict[str, Any]:
    return {
        "ncessch": one.ncessch,
        "name": one.name,
        "schools": str(one.side),
        "period": str(one.period),
        "days": one.days,
        "days_heard": one.days_heard,
        "student_days_in_need": one.need,
        "student_days_covered": one.covered,
        "coverage": one.coverage(min_need),
    }
