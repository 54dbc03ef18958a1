"""The measures of equity for the terminal and for scripts, each with what it was made of."""

from collections.abc import Iterable
from typing import Any

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from service.model import equity, equity_words
from service.store import equity as equity_rows


def show(console: Console, district: equity_rows.District, on_day: object, found: equity.Equity) -> None:
    console.print(_measures(f"{district.name}: equity on {on_day}", found))
    if found.risk.bands:
        console.print(_bands(found.risk))
    for sentence in equity_words.sentences(found):
        console.print(escape(sentence))


def _table(title: str) -> Table:
    return Table(title=escape(title), title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)


def _measures(title: str, found: equity.Equity) -> Table:
    table = _table(title)
    for heading in ("measure", "value", "made of"):
        table.add_column(heading, overflow="fold", no_wrap=heading == "value")
    for told in equity_words.measures(found):
        table.add_row(*map(escape, (told.name, told.value, told.made_of)))
    return table


def _bands(risk: equity.Risk) -> Table:
    table = _table(f"by band of {equity_words.basis(risk.basis)}")
    for heading in ("band", "schools", "in need", "covered", "coverage"):
        table.add_column(heading, justify="left" if heading == "band" else "right", no_wrap=True)
    for band in risk.bands:
        group = band.group
        counts = (group.schools, group.need, group.covered)
        table.add_row(
            equity_words.band(band.name),
            *(f"{it:,}" for it in counts),
            equity_words.percent(group.coverage.value),
        )
    return table


def as_json(district: equity_rows.District, on_day: object, found: equity.Equity) -> dict[str, Any]:
    """The same for scripts; null is undefined, and ``reason`` says why."""
    index, risk = found.concentration, found.risk
    return {
        "district": district.district_id,
        "name": district.name,
        "on_day": str(on_day),
        "coverage": _group(found.district),
        "high_needs": {**_group(found.high_needs), "bases": list(found.bases)},
        "others": _group(found.others),
        "not_marked": [school.ncessch for school in found.unmarked],
        "coverage_gap": _measure(found.gap),
        "coverage_ratio": _measure(found.ratio),
        "absolute_concentration_index": _measure(index.absolute),
        "relative_concentration_index": _measure(index.relative),
        "mean_coverage_of_ranked": index.mean,
        "ranked": [_ranked(one) for one in index.ranked],
        "not_ranked": _left_out(index.left_out),
        "population_attributable_risk": _measure(risk.value),
        "band_basis": None if risk.basis is None else {"indicator": risk.basis[0], "year": risk.basis[1]},
        "best_band": risk.best and risk.best.name,
        "bands": [{"band": band.name, **_group(band.group)} for band in risk.bands],
        "in_no_band": _left_out(risk.left_out),
    }


def _measure(measure: equity.Measure) -> dict[str, Any]:
    return {"value": measure.value, "reason": measure.reason}


def _group(group: equity.Group) -> dict[str, Any]:
    names = ("schools", "schools_without_need", "need", "covered", "loaned", "unknown")
    return {**{name: getattr(group, name) for name in names}, "coverage": _measure(group.coverage)}


def _ranked(one: equity.Ranked) -> dict[str, Any]:
    school = one.school
    return {
        "ncessch": school.ncessch,
        "need": school.need,
        "enrolled": school.enrolled,
        "coverage": one.coverage,
        "share_of_need": one.share,
        "midpoint": one.midpoint,
    }


def _left_out(left_out: Iterable[equity.LeftOut]) -> list[dict[str, str]]:
    return [{"ncessch": one.school.ncessch, "reason": one.reason} for one in left_out]
