"""What a caller of the stand-in asks for: partial responses, read masks and filters."""

import re
from collections.abc import Collection, Iterator
from datetime import UTC, datetime
from typing import Any

Selection = dict[str, "Selection"]

TOKENS = re.compile(r"[(),/]|[^(),/\s]+")
CONDITION = re.compile(r'(?P<name>\w+)\s*(?P<sign>>=|<=|=|>|<)\s*(?:"(?P<quoted>[^"]*)"|(?P<bare>\d+))')
MASK_PATHS = frozenset(
    {
        "name",
        "org_unit_id",
        "device_id",
        "serial_number",
        "cpu_info",
        "memory_info",
        "network_info",
        "network_diagnostics_report",
        "network_status_report",
        "network_bandwidth_report",
        "heartbeat_status_report",
        "battery_status_report",
        "os_update_status",
    }
)
FILTER_NAMES = frozenset({"org_unit_id", "serial_number", "device_id", "reports_timestamp"})


class NotUnderstood(ValueError):
    """The stand-in answers 400."""


def fields(text: str) -> Selection:
    """Read a ``fields`` parameter: ``a,b(c,d),e/f``."""
    words = iter(TOKENS.findall(text))
    selection, end = _list(words)
    if end is not None:
        raise NotUnderstood
    return selection


def _list(words: Iterator[str]) -> tuple[Selection, str | None]:
    found: Selection = {}
    while True:
        name = next(words, None)
        if name is None or name in "(),/":
            raise NotUnderstood
        found[name], end = _below(words)
        if end != ",":
            return found, end


def _below(words: Iterator[str]) -> tuple[Selection, str | None]:
    """What is chosen below a name (nothing: all of it), and what follows it: a comma, a bracket or the end."""
    sign = next(words, None)
    if sign == "/":
        name = next(words, None)
        if name is None or name in "(),/":
            raise NotUnderstood
        below, end = _below(words)
        return {name: below}, end
    if sign != "(":
        return {}, sign
    inner, end = _list(words)
    if end != ")":
        raise NotUnderstood
    return inner, next(words, None)


def picked(value: Any, selection: Selection) -> Any:
    """A value as far as it is chosen."""
    if not selection:
        return value
    if isinstance(value, list):
        return [picked(each, selection) for each in value]
    return {name: picked(value[name], below) for name, below in selection.items() if name in value}


def mask(text: str) -> Collection[str]:
    """Read a mask of telemetry: the JSON names that it lets through. Both ways of writing a path are known."""
    paths = [re.sub(r"(?<=[a-z])([A-Z])", r"_\1", path).lower() for path in text.split(",")]
    if not set(paths) <= MASK_PATHS:
        raise NotUnderstood
    return {re.sub(r"_(\w)", lambda match: match[1].upper(), path) for path in paths}


Condition = tuple[str, str, str]


def conditions(text: str) -> list[Condition]:
    """Read a filter: conditions joined by AND, each a name, a sign and a value."""
    found = []
    for part in re.split(r"\s+AND\s+", text.strip()):
        match = CONDITION.fullmatch(part)
        if match is None or match["name"] not in FILTER_NAMES:
            raise NotUnderstood
        found.append((match["name"], match["sign"], match["quoted"] or match["bare"]))
    return found


def instant(text: str) -> datetime:
    """Read milliseconds since 1970, or RFC 3339."""
    try:
        if text.isdecimal():
            return datetime.fromtimestamp(int(text) / 1000, UTC)
        return datetime.fromisoformat(text)
    except ValueError:
        raise NotUnderstood from None
