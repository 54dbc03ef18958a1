"""What a rule found of an alert, as names and values that people read: a rule's query tells them as keys."""

import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from service.model import alert_rules
from service.store import alerts
from service.web import alert_views, words

_NAMES = {
    "on_day": "Day",
    "as_of_on": "As of",
    "idle_days": "Days without use",
    "instructional_days": "School days without use",
    "overdue_days": "Days overdue",
    "left_days": "Days since the student left",
    "need": "Students in need",
    "monthly_cost": "Cost a month",
    "is_upper_bound": "At most, as not every loan is known",
    "is_refused": "Refused",
    "is_in_lent_device": "Now in a device on loan",
}
_ENDINGS = {"on": "", "at": "", "mb": ", MB", "gb": ", GB", "percent": ", %", "dbm": ", dBm", "db": ", dB"}
# Whose number is the alert's own value, where it is the same.
_VALUES = (
    "idle_days", "instructional_days", "overdue_days", "left_days", "days_left", "days", "used_mb", "used_percent",
    "coverage_percent", "answered_percent", "points", "hours_late", "hotspots", "median_rsrp_dbm",
)  # fmt: skip
_ONLY_TRUE = ("is_upper_bound", "is_refused", "is_at_least")  # "no" tells nothing
_AS_IT_IS = ("rule", "channel")  # names, by which commands and the configuration know them
_CODE = re.compile(r"[a-z0-9]+(_[a-z0-9]+)+")
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?([+-]\d\d:\d\d|Z)")


def facts(
    alert: alerts.Alert, rule: alert_rules.Rule | None, zone: ZoneInfo, now: datetime
) -> list[tuple[str, str]]:
    """What the rule found when it last judged the alert."""
    return [
        *_since(alert, zone, now),
        *_measured(alert, rule),
        *_details(alert, zone, now),
        ("Last changed", alert_views.moment(alert.judged_at, zone, now)),
    ]


def unused_since(alert: alerts.Alert) -> date | None:
    """The first day without use, of a hotspot that is not used; None: the alert is about something else."""
    if "idle_days" not in alert.details:
        return None
    used, known = (_day(alert.details.get(name)) for name in ("last_used_on", "known_since_on"))
    return known if used is None else used + timedelta(days=1)


def standing(alert: alerts.Alert, zone: ZoneInfo, now: datetime) -> list[str]:
    """How an alert stands, in sentences; an alert's own beginning is not that of what it is about."""
    said = alert_views.standing(alert, zone, now)
    since = unused_since(alert)
    if since is None or alert.state == "clear":
        return said
    crossed = f"Unused since {words.short_day(since)}, {since.year}; that crossed the rule’s threshold when this began."
    return [said[0], crossed, *said[1:]]


def _since(alert: alerts.Alert, zone: ZoneInfo, now: datetime) -> Iterator[tuple[str, str]]:
    begun = alert_views.moment(alert.breached_since_at, zone, now)
    unused = unused_since(alert)
    if unused is None:
        yield "So since", begun
        return
    yield "Unused since", _written(unused)
    yield "Over the threshold since", begun


def _measured(alert: alerts.Alert, rule: alert_rules.Rule | None) -> Iterator[tuple[str, str]]:
    unit = rule.unit if rule else ""
    if alert.value is not None:
        yield "Value", alert_views.amount(alert.value, unit)
    if rule is not None and rule.threshold is not None:
        yield "Threshold", alert_views.amount(rule.threshold, unit)
    if rule is not None and rule.clock != "none":
        yield "Days are counted by", f"the {rule.clock} clock"


def _details(alert: alerts.Alert, zone: ZoneInfo, now: datetime) -> Iterator[tuple[str, str]]:
    for key, value in alert.details.items():
        is_empty = value is False and key in _ONLY_TRUE
        if not is_empty and not _is_told(key, value, alert.value):
            yield name(key), str(value) if key in _AS_IT_IS else _plain(value, zone, now)


def _is_told(key: str, value: object, told: float | None) -> bool:
    """Whether it is the alert's value once more, which a rule may have rounded."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return key in _VALUES and told is not None and is_number and abs(float(str(value)) - told) < 1


def name(key: str) -> str:
    """``last_used_on`` as ``Last used``, ``used_mb`` as ``Used, MB``, ``is_shared`` as ``Shared``."""
    if key in _NAMES:
        return _NAMES[key]
    key = key.removeprefix("is_")
    text, _, ending = key.rpartition("_")
    is_ending = text and ending in _ENDINGS
    return alert_views.spaced(text) + _ENDINGS[ending] if is_ending else alert_views.spaced(key)


def _plain(value: object, zone: ZoneInfo, now: datetime) -> str:
    match value:
        case None:
            return words.NOT_KNOWN
        case bool():
            return "yes" if value else "no"
        case int() | float():
            return alert_views.amount(value, "")
        case list():
            return ", ".join(_plain(one, zone, now) for one in value)
        case Mapping():
            return ", ".join(f"{name(key)}: {_plain(one, zone, now)}" for key, one in value.items())
        case _:
            return _spoken(str(value), zone, now)


def _spoken(text: str, zone: ZoneInfo, now: datetime) -> str:
    if (day := _day(text)) is not None:
        return _written(day)
    if _INSTANT.fullmatch(text):
        return alert_views.moment(datetime.fromisoformat(text), zone, now)
    return text.replace("_", " ") if _CODE.fullmatch(text) else text


def _day(value: object) -> date | None:
    if not isinstance(value, str) or not _DAY.fullmatch(value):
        return None
    try:
        return date.fromisoformat(value)
    except ValueError:  # a rule of the district's own may say what it likes
        return None


def _written(day: date) -> str:
    return f"{words.short_day(day)}, {day.year}"
