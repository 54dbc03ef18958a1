"""What one school's number is made of, for the terminal and for scripts: counts, and never a row of a person."""

from collections.abc import Iterator
from dataclasses import asdict
from datetime import date, datetime
from typing import Any

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from service.store import explanations

STATES = ("adequate", "unknown", "weak", "exhausted", "idle", "never_used", "suspended")
_KINDS = (
    ("says_no", "answered No"),
    ("lacks_by_type", "access by nothing, dial-up or a phone's network"),
    ("lacks_by_performance", "performance No"),
    ("is_documented", "documented by staff"),
    ("has_our_hotspot", "online by our own hotspot"),
)
_COUNTS_AS = {
    "in_need": "of students in need",
    "presumed": "presumed to serve students in need",
    "outside_need": "of students not known to be in need",
    "unattributed": "of nobody who is named",
}
_STATUS = {
    "need_unknown": "coverage is unknown: need is not known",
    "not_applicable": "coverage does not apply: nobody is in need",
    "incomplete": "coverage is not told, only its bounds: completeness is below the floor",
    "known": "coverage is told: completeness is not below the floor",
}


def show(console: Console, told: explanations.Explanation) -> None:
    console.print(
        f"[bold]{escape(told.name)}[/] ({told.ncessch}), {escape(told.district_name)}, {told.on_day or '?'}"
    )
    if told.figures is None or told.need is None:
        console.print(_not_computed(told), highlight=False)
        return
    for line in (*need(told.figures, told.need, told.need_mode), *enrolled(told.figures, told.need)):
        console.print(line, highlight=False, markup=False)
    _show_loans(console, told)
    for line in (
        *students(told.figures),
        "",
        *arithmetic(told.figures, told.completeness_floor),
        "",
        *when(told),
    ):
        console.print(line, highlight=False, markup=False)
    _show_sources(console, told)


def _not_computed(told: explanations.Explanation) -> str:
    if told.on_day is None:
        return "No day is complete yet: see afterbell coverage."
    return f"There are no figures of this day. Days are computed through {told.computed_through_on or '?'}."


def need(figures: explanations.Figures, told: explanations.Need, mode: str) -> Iterator[str]:
    """Where need comes from, and why these students are in need."""
    until = told.total_valid_through_on
    if figures.need_source == "answers":
        asked = f"from {told.oldest_on} to {told.newest_on}"
        yield f"need: {figures.need} of {figures.answered} students who answered, {asked}"
        yield from (f"  {getattr(told, name):>6} {text}" for name, text in _KINDS)
        yield "  a student may be in need for several reasons"
        if told.unusable:
            yield f"  {told.unusable} more answers say nothing that can be used: not answered"
        if (told.in_need, told.answered) != (figures.need, figures.answered):
            yield f"  the records have changed since it was computed: {told.in_need} of {told.answered} now"
        if mode == "household":
            yield "  by household: a loan serves every student in need of the home"
    elif figures.need_source == "totals":
        yield f"need: {figures.need}, by the school's total of {told.total_on}, valid through {until}"
    elif told.total_on is not None:
        yield f"need: not known; the last total, of {told.total_on}, was valid through {until}"
    else:
        yield "need: not known; no answer of a student is valid on this day, and the school has no total"


def enrolled(figures: explanations.Figures, told: explanations.Need) -> Iterator[str]:
    if figures.enrolled is None:
        yield "enrolled: not known; there is neither a roster of the school nor a total"
    elif figures.need_source != "totals" and told.on_roster:
        yield f"enrolled: {figures.enrolled}, by the roster"
    else:
        yield f"enrolled: {figures.enrolled}, by the school's total of {told.total_on}"
    if figures.answered is not None:
        ratio, missing = _percent(figures.response_ratio), _number(figures.unanswered)
        yield f"answered: {figures.answered}; response ratio {ratio}; not answered: {missing}"


def students(figures: explanations.Figures) -> Iterator[str]:
    who = "students with a loan" if figures.need_source != "answers" else "students in need with a loan"
    states = ", ".join(f"{state.replace('_', ' ')} {getattr(figures, state)}" for state in STATES)
    yield f"{who}, by the best state of their loans: {figures.loaned} ({states})"
    yield f"used in 7 days: {figures.active_7}; in 30 days: {figures.active_30}"
    if figures.served_outside_need is not None:
        yield f"outside: {figures.served_outside_need} students with a loan who are not known to be in need"
        yield f"outside: {figures.unattributed} loans that name no borrower and serve nobody in need"


def arithmetic(figures: explanations.Figures, floor: float) -> Iterator[str]:
    """Every ratio with the numbers that it is made of."""
    loaned, unknown, adequate = figures.loaned or 0, figures.unknown or 0, figures.adequate or 0
    made = f"1 - {unknown} / {loaned}" if loaned else "1, as there is no loan"
    complete = f"{made} = {_percent(figures.completeness)}"
    yield f"completeness = 1 - unknown / with a loan = {complete}; floor {_percent(floor)}"
    yield _STATUS[figures.coverage_status]
    if figures.need:
        if figures.coverage is not None:
            yield (
                f"coverage = min(adequate, need) / need = min({adequate}, {figures.need}) / {figures.need}"
                f" = {_percent(figures.coverage)}"
            )
        yield _lowest(figures, adequate)
        yield (
            f"at most = min(1, (adequate + unknown) / need) = min(1, ({adequate} + {unknown}) / {figures.need})"
            f" = {_percent(figures.coverage_high)}"
        )
    if figures.need is not None:
        yield f"unmet = need - min(adequate, need) = {figures.need} - {figures.covered} = {figures.unmet}"
        yield f"without a loan = max(0, need - with a loan) = max(0, {figures.need} - {loaned}) = {figures.unserved}"
    if figures.is_need_exceeded:
        yield "more adequate loans than need, or loans without need: the count of need is stale"


def _lowest(figures: explanations.Figures, adequate: int) -> str:
    if figures.coverage_low is None:
        return "at least: not known, as the number of students is not"
    return (
        f"at least = min(1, adequate / (need + not answered)) = min(1, {adequate} / ({figures.need} + "
        f"{figures.unanswered})) = {_percent(figures.coverage_low)}"
    )


def when(told: explanations.Explanation) -> Iterator[str]:
    figures = told.figures
    if figures is None:
        return
    if told.on_day != told.reported_on:
        yield f"this is not the reported day, which is {told.reported_on or 'none yet'}"
    if figures.is_out_of_session:
        yield "the school is in a break on this day"
    yield f"computed at {_instant(figures.computed_at)}"
    if figures.revised_at is None:
        yield "not revised since it was reported"
    else:
        yield f"revised at {_instant(figures.revised_at)}: late data changed it after it had been reported"


def _show_loans(console: Console, told: explanations.Explanation) -> None:
    if not told.loans:
        console.print("open loans: none", highlight=False)
        return
    table = _table("open loans", "state", "reason", "#loans")
    for row in told.loans:
        reason = "" if row.reason is None else row.reason.replace("_", " ")
        table.add_row(_COUNTS_AS[row.counts_as], row.state.replace("_", " "), reason, f"{row.loans:,}")
    console.print(table)


def _show_sources(console: Console, told: explanations.Explanation) -> None:
    if not told.sources:
        console.print("no account has told of the hotspots that the school lent", highlight=False)
        return
    table = _table("account", "#lines", "#with a state", "#with use", "last spoke at")
    for row in told.sources:
        spoke = "never" if row.last_spoke_at is None else _instant(row.last_spoke_at)
        counts = (f"{count:,}" for count in (row.lines, row.lines_with_state, row.lines_with_use))
        table.add_row(f"{row.account_key} ({row.collector})", *counts, spoke)
    console.print(table)


def _table(*headings: str) -> Table:
    """A heading that begins with # is of numbers."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in headings:
        table.add_column(heading.removeprefix("#"), justify="right" if heading.startswith("#") else "left")
    return table


def as_json(told: explanations.Explanation) -> dict[str, Any]:
    """The same for scripts; null is not known."""
    found: dict[str, Any] = _plain(asdict(told))
    figures = told.figures
    if figures is not None:
        more = ("unanswered", "response_ratio", "unmet")
        found["figures"] |= {name: getattr(figures, name) for name in more}
        found["arithmetic"] = list(arithmetic(figures, told.completeness_floor))
    return found


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return value.isoformat() if isinstance(value, date) else value


def _instant(value: datetime) -> str:
    return f"{value:%Y-%m-%d %H:%M} UTC"


def _percent(ratio: float | None) -> str:
    return "not known" if ratio is None else f"{ratio:.1%}".replace("%", " %")


def _number(value: int | None) -> str:
    return "not known" if value is None else f"{value:,}"
