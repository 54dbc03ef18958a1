"""Alerts for the terminal and for scripts: by internal ids, never what names a person or a device."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, tzinfo
from typing import Any

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from service.model import alert_words
from service.printed import reclaim as reclaim_table
from service.store import alerts, reclaim

_NAMES = ("alert", "rule", "subject", "severity", "since")  # stay whole, so that they can be copied
_OTHERS = ("school", "state", "value", "seen to")
_WIDE = 120  # columns; a narrower terminal has all else beside the names in one column


def show(console: Console, title: str, found: Sequence[alerts.Alert], zone: tzinfo) -> None:
    if not found:
        console.print(f"{title}: none", markup=False, highlight=False)
        return
    is_wide = console.width >= _WIDE
    table = Table(title=escape(title), title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False, padding=0)
    for heading in _NAMES:
        table.add_column(heading, no_wrap=True)
    for heading in _OTHERS if is_wide else (", ".join(_OTHERS),):
        table.add_column(heading, overflow="fold")
    for alert in found:
        others = _others(alert, zone)
        cells = others if is_wide else [", ".join(text for text in others if text not in ("", "-"))]
        table.add_row(*map(escape, [*_names(alert, zone), *cells]))
    console.print(table)


def _names(alert: alerts.Alert, zone: tzinfo) -> list[str]:
    return [
        str(alert.alert_id),
        alert.rule,
        alert_words.subject(alert.subject),
        alert.severity,
        f"{alert.breached_since_at.astimezone(zone):%Y-%m-%d}",
    ]


def _others(alert: alerts.Alert, zone: tzinfo) -> list[str]:
    return [
        alert.school or "-",
        alert.state if alert.is_judged else f"{alert.state}, not judged now",
        "-" if alert.value is None else f"{alert.value:,.6g}",
        _seen_to(alert, zone),
    ]


def _seen_to(alert: alerts.Alert, zone: tzinfo) -> str:
    if alert.snoozed_until_at is not None:
        return f"snoozed until {alert.snoozed_until_at.astimezone(zone):%Y-%m-%d %H:%M}"
    return "" if alert.acknowledged_at is None else "acknowledged"


def show_history(
    console: Console, alert: alerts.Alert, title: str, flips: Sequence[alerts.Flip], zone: tzinfo
) -> None:
    """What became of an alert, from its first change on."""
    where = f", {alert.school}" if alert.school else ""
    heading = f"alert {alert.alert_id}, {alert.rule}: {title}: {alert_words.subject(alert.subject)}{where}"
    console.print(heading, style="bold", markup=False, highlight=False, soft_wrap=True)
    for at, said in history(flips, zone):
        console.print(f"{at:%Y-%m-%d %H:%M}  {said}", markup=False, highlight=False, soft_wrap=True)
    console.print(standing(alert), markup=False, highlight=False, soft_wrap=True)


def show_identifiers(console: Console, found: Sequence[reclaim.Identifiers]) -> None:
    """A line for each device and line that the alert is about."""
    for one in found:
        named = {"device": one.device_id, "line": one.line_id}
        numbers = ", ".join(f"{what} {number}" for what, number in named.items() if number is not None)
        said = reclaim_table.words(one) or "no identifier is known"
        console.print(f"{numbers}: {said}", markup=False, highlight=False, soft_wrap=True)
    if not found:
        console.print("It is about no one device or line.", markup=False, highlight=False)


def history(flips: Sequence[alerts.Flip], zone: tzinfo) -> list[tuple[datetime, str]]:
    """Each change with its local time."""
    return [
        (
            flip.created_at.astimezone(zone),
            alert_words.sentence(
                flip.kind, reason=flip.reason, evidence=flip.evidence, actor=flip.actor, zone=zone
            ),
        )
        for flip in flips
    ]


def standing(alert: alerts.Alert) -> str:
    judged = "" if alert.is_judged else "; too little is known to judge it now"
    return f"It is {alert.state} now{judged}."


def as_json(found: Sequence[alerts.Alert]) -> list[dict[str, Any]]:
    return [_plain(asdict(alert)) for alert in found]


def history_as_json(alert: alerts.Alert, flips: Sequence[alerts.Flip]) -> dict[str, Any]:
    return {"alert": _plain(asdict(alert)), "flips": [_plain(asdict(flip)) for flip in flips]}


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    return {
        name: value.isoformat() if isinstance(value, datetime) else value for name, value in values.items()
    }
