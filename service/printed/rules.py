"""Alert rules for the terminal and for scripts: which there are, what one says, and when it would have fired."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from itertools import groupby
from typing import Any

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from service.model import alert_rules
from service.store import alerts, trials

_BARS = "▁▂▃▄▅▆▇█"
_WIDE = 120  # columns; a narrower terminal has all else beside the names in one column


def _table(title: str, *headings: str) -> Table:
    table = Table(
        title=escape(title), title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0)
    )
    for heading in headings:
        table.add_column(heading, overflow="fold")
    return table


def standing(rule: alert_rules.Rule, profile: str, off: Sequence[str]) -> str:
    """Whether a rule is in force, and else why not."""
    if rule.name in off:
        return "switched off"
    return "in force" if profile in rule.profiles else f"not in profile {profile}"


def show(
    console: Console,
    title: str,
    rules: Iterable[tuple[alert_rules.Rule, str]],
    runs: Mapping[str, alerts.Run],
) -> None:
    """Each rule with how it stands and, where it has run, what it found last."""
    is_wide = console.width >= _WIDE
    table = _table(title)
    for heading in ("rule", "severity", "owner", "told"):
        table.add_column(heading, no_wrap=True)  # stays whole, so that it can be copied
    for heading in ("title", "stands", "in breach") if is_wide else ("title, stands, in breach",):
        table.add_column(heading, overflow="fold")
    for rule, stands in rules:
        breached = _breached(runs.get(rule.name))
        cells = (rule.title, stands, breached) if is_wide else (f"{rule.title}, {stands}, {breached}",)
        table.add_row(*map(escape, (rule.name, rule.severity, rule.owner, rule.urgency, *cells)))
    console.print(table)
    for run in runs.values():
        if run.error is not None:
            console.print(
                f"{run.rule} fails since {run.failing_since_at:%Y-%m-%d %H:%M} UTC: {run.error}", markup=False
            )


def _breached(run: alerts.Run | None) -> str:
    if run is None:
        return "-"
    return "fails" if run.error is not None else f"{run.breached:,}"


def listed_as_json(rule: alert_rules.Rule, stands: str, run: alerts.Run | None) -> dict[str, Any]:
    return {
        "rule": rule.name,
        "title": rule.title,
        "severity": rule.severity,
        "owner": rule.owner,
        "about": rule.about,
        "clock": rule.clock,
        "threshold": rule.threshold,
        "unit": rule.unit,
        "urgency": rule.urgency,
        "stands": stands,
        "is_own": rule.is_own,
        "breached": None if run is None or run.error is not None else run.breached,
        "judged_on": None if run is None or run.judged_on is None else run.judged_on.isoformat(),
        "error": None if run is None else run.error,
    }


def explain(console: Console, rule: alert_rules.Rule, stands: str, *, with_query: bool) -> None:
    """All that a rule's header says, in sentences."""
    console.print(f"{rule.name}: {rule.title}", style="bold", markup=False, highlight=False)
    for line in explained(rule, stands):
        console.print(line, markup=False, highlight=False, soft_wrap=True)
    if with_query:
        console.print(f"\n{rule.query}", markup=False, highlight=False, soft_wrap=True)


def explained(rule: alert_rules.Rule, stands: str) -> Iterable[str]:
    yield f"Why it matters: {rule.why}"
    yield f"What to do: {rule.action}"
    yield f"It is {stands}, of severity {rule.severity}, for {rule.owner}, told {_told(rule.urgency)}."
    if rule.threshold is not None:
        clock = "" if rule.clock == "none" else f", on the {rule.clock} clock"
        yield f"Its threshold is {rule.threshold:g} {rule.unit}{clock}.".replace(" ,", ",").replace(" .", ".")
    yield f"It fires {_after(rule.fires_after)}, and clears {_after(rule.clears_after)}."
    reminder = "never" if rule.reminder is None else f"every {spoken(rule.reminder)}"
    escalation = (
        "" if rule.escalates_after is None else f"; it escalates after {spoken(rule.escalates_after)}"
    )
    yield f"Unless somebody acknowledges it, it reminds {reminder}{escalation}."
    if rule.about == "family":
        yield (
            "It is about families: it holds in breaks of the school, in maintenance, and until every source has told "
            "all of the day."
        )
    if rule.needs:
        yield f"It reads the alerts of {', '.join(rule.needs)}."
    if not rule.is_dated:
        yield "It judges the present alone, so it cannot be tried over the past."
    yield f"It is in the profiles {', '.join(rule.profiles)}{', from the folder of your own' if rule.is_own else ''}."


def _told(urgency: str) -> str:
    return "at once" if urgency == "now" else f"in the {urgency} digest"


def _after(wait: timedelta) -> str:
    return f"after {spoken(wait)}" if wait else "at once"


def spoken(wait: timedelta) -> str:
    """As 14 days, 2 hours or 30 minutes."""
    seconds = int(wait.total_seconds())
    for unit, length in (("day", 86400), ("hour", 3600)):
        if seconds and seconds % length == 0:
            return _several(seconds // length, unit)
    return _several(seconds // 60, "minute")


def _several(count: int, unit: str) -> str:
    return f"{count:,} {unit}" if count == 1 else f"{count:,} {unit}s"


def show_trial(console: Console, district: str, trial: trials.Trial) -> None:
    """How often it would have fired, a line of bars for each month, the days, and the schools."""
    console.print(escape(f"{district}: {headline(trial)}"), style="bold", highlight=False)
    if not trial.fired:
        return
    for line in timeline(trial.days):
        console.print(line, markup=False, highlight=False, soft_wrap=True)
    if trial.days[0].fired:
        already = f"{trial.days[0].fired:,} of them on the first day, as they were in breach before it."
        console.print(already, markup=False, highlight=False)
    console.print(_days(trial.days))
    console.print(_schools(trial.schools))


def headline(trial: trials.Trial) -> str:
    times = {0: "not have fired", 1: "have fired once"}.get(trial.fired, f"have fired {trial.fired:,} times")
    return f"{trial.rule} would {times} {period(trial.days[0].on_day, trial.days[-1].on_day)}"


def period(first: date, last: date) -> str:
    """As in October 2026 for a whole month."""
    following = last + timedelta(days=1)
    if first.day == following.day == 1 and following - first <= timedelta(days=31):
        return f"in {first:%B %Y}"
    return f"on {first}" if first == last else f"from {first} to {last}"


def timeline(days: Sequence[trials.TrialDay]) -> Iterable[str]:
    """A line for each month with a mark for each of its days: a dot for none fired, else a bar."""
    most = max(day.fired for day in days)
    for month, of_month in groupby(days, key=lambda day: day.on_day.replace(day=1)):
        its = list(of_month)
        marks = " " * (its[0].on_day.day - 1) + "".join(_mark(day.fired, most) for day in its)
        yield f"{month:%Y-%m}  {marks:<31}  {sum(day.fired for day in its):>7,}"


def _mark(fired: int, most: int) -> str:
    return _BARS[(fired * len(_BARS) - 1) // most] if fired else "·"


def _days(days: Sequence[trials.TrialDay]) -> Table:
    table = _table("when", "judged day")
    for heading in ("fired", "cleared", "held back", "open then"):
        table.add_column(heading, justify="right", no_wrap=True)
    for day in days:
        if day.fired or day.held:
            told = (day.fired, day.cleared, day.held, day.open)
            table.add_row(f"{day.on_day:%a} {day.on_day}", *(f"{count:,}" for count in told))
    return table


def _schools(schools: Sequence[trials.SchoolTotal]) -> Table:
    table = _table("where", "school")
    table.add_column("fired", justify="right", no_wrap=True)
    for one in schools:
        table.add_row(escape(one.school or "no one school"), f"{one.fired:,}")
    return table


def trial_as_json(trial: trials.Trial) -> dict[str, Any]:
    kinds = ("fired", "cleared", "held", "released", "reminded", "escalated", "open")
    return {
        "rule": trial.rule,
        "from": trial.days[0].on_day.isoformat(),
        "to": trial.days[-1].on_day.isoformat(),
        "fired": trial.fired,
        "days": [
            {"on_day": day.on_day.isoformat(), **{kind: getattr(day, kind) for kind in kinds}}
            for day in trial.days
        ],
        "schools": [
            {"ncessch": one.ncessch, "school": one.school, "fired": one.fired} for one in trial.schools
        ],
    }
