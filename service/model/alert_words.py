"""Alerts in words: what became of one, so that its history can be read aloud, and why nothing is judged now."""

from collections.abc import Mapping
from datetime import datetime, tzinfo
from typing import Any

REASONS = {
    "breach": "it is in breach",
    "recovered": "it is no longer in breach",
    "gone": "it is no longer there: returned, or out of use",
    "taken_over": "another rule, which asks for more, tells of it now",
    "rule_off": "its rule was switched off",
    "flapping": "it has come and gone too often within a week",
    "steady_breach": "it has been in breach for a day without a break",
    "steady_clear": "it has been over for a day",
    "still_in_breach": "it is still in breach",
    "unacknowledged": "nobody has acknowledged it",
    "snooze_over": "its snooze is over, and it is still in breach",
    "by_hand": "somebody did so",
}
ACTORS = {"it": "IT", "coordinator": "the coordinator", "school": "the school", "finance": "finance"}
WAITS = {
    "behind": "days are still to be computed",
    "maintenance": "the fleet is under maintenance, or was on the judged day",
    "partly_told": "not every source has told all of the judged day yet",
}

# By kind and reason; '': whatever the reason.
_SAID = {
    ("fired", ""): "Fired{measured}",
    ("cleared", "taken_over"): "Cleared: {reason}: {rule}",
    ("cleared", ""): "Cleared: {reason}",
    ("held", ""): "Held back: {reason}, and is not told until it has been steady for a day",
    ("released", "steady_clear"): "Let go: {reason}",
    ("released", "steady_breach"): "Let go: {reason}; it fires{measured}",
    ("acknowledged", ""): "Acknowledged by {actor}",
    ("unacknowledged", ""): "No longer acknowledged, as {actor} says",
    ("snoozed", ""): "Snoozed by {actor} until {until}",
    ("woken", "by_hand"): "Snooze ended by {actor}",
    ("woken", ""): "Woken: {reason}",
    ("reminded", ""): "Reminded: {reason}{measured}",
    ("escalated", ""): "Escalated: {reason}",
}


def subject(text: str) -> str:
    """As loan 12, for loan:12."""
    kind, _, key = text.partition(":")
    return f"{kind} {key}" if key else f"the {kind}"


def sentence(kind: str, *, reason: str, evidence: Mapping[str, Any], actor: str, zone: tzinfo) -> str:
    """What a flip was, as one says it. Instants are told in the zone."""
    said = _SAID.get((kind, reason)) or _SAID.get((kind, ""), kind.capitalize())
    return f"{said}.".format(
        reason=REASONS.get(reason, reason),
        measured=_measured(evidence, zone),
        actor=ACTORS.get(actor, actor),
        until=_minute(evidence.get("until"), zone),
        rule=evidence.get("details", {}).get("taken_over_by"),
    )


def _measured(evidence: Mapping[str, Any], zone: tzinfo) -> str:
    """As `: 34 days, threshold 30, since 17 October 2026`; nothing where nothing is known."""
    told = []
    if (value := evidence.get("value")) is not None:
        limit = evidence.get("threshold")
        told.append(
            f"{_number(value)}{_unit(evidence)}" + ("" if limit is None else f", threshold {_number(limit)}")
        )
    if evidence.get("since"):
        told.append(f"since {_minute(evidence['since'], zone)}")
    return f": {', '.join(told)}" if told else ""


def _unit(evidence: Mapping[str, Any]) -> str:
    unit = evidence.get("unit") or ""
    return unit if unit in ("", "%") else f" {unit}"


def _number(value: float) -> str:
    return f"{value:,.1f}".removesuffix(".0")


def _minute(text: str | None, zone: tzinfo) -> str:
    if not text:
        return "later"
    at = datetime.fromisoformat(text).astimezone(zone)
    is_midnight = (at.hour, at.minute) == (0, 0)
    return f"{at.day} {at:%B %Y}" if is_midnight else f"{at.day} {at:%B %Y, %H:%M}"
