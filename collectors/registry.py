"""Every collector by its name in the configuration."""

import enum
import re
import typing
from collections.abc import Collection, Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import Any

import msgspec

from collectors import base, budget, client, entry, errors
from collectors.control_center import entry as control_center
from collectors.described import entry as described
from collectors.google_workspace import entry as google_workspace
from collectors.kajeet import entry as kajeet
from collectors.meraki import entry as meraki
from collectors.netcloud import entry as netcloud
from collectors.super_sim import entry as super_sim
from collectors.thingspace import entry as thingspace

UNKNOWN = re.compile(r"unknown field `(?P<field>[^`]*)`")
MISSING = re.compile(r"missing required field `(?P<field>[^`]*)`")
AT = re.compile(r" - at `\$\.?(?P<path>[^`]*)`$")


def build(
    name: str,
    options: Mapping[str, object],
    credentials: Mapping[str, str],
    *,
    budgets: budget.Budgets,
    transport: client.Transport | None = None,
    observer: client.Observer | None = None,
    limits: client.Limits | None = None,
) -> base.Collector:
    """Make a collector. ``credentials`` are values already read from their files. Raises OptionsInvalid."""
    checked = validate(name, options, credentials)
    made = COLLECTORS[name]
    wires = entry.Wires(budgets, transport, observer, limits)
    return made.make(checked, credentials, wires, made.spending(checked, credentials))


def validate(
    name: str, options: Mapping[str, object], credentials: Collection[str] | None = None
) -> msgspec.Struct:
    """Check an account's options, and the names of its credentials where given. Raises OptionsInvalid."""
    known = COLLECTORS.get(name)
    if known is None:
        raise errors.OptionsInvalid(f"no collector is called {name}; known: {', '.join(sorted(COLLECTORS))}")
    checked = _convert(name, options, known.options)
    missing = sorted(set(known.credentials(checked)) - set(credentials)) if credentials is not None else []
    if missing:
        raise errors.OptionsInvalid(f"collector {name} needs the credentials {', '.join(missing)}")
    return checked


def cadence(name: str, options: Mapping[str, object]) -> timedelta:
    """How often the account's line states are read. Raises OptionsInvalid."""
    groups = COLLECTORS[name].groups(validate(name, options))
    return min(group.cadence for group in groups if group.lists_lines)


def spending(name: str, options: Mapping[str, object], credentials: Mapping[str, str]) -> entry.Spending:
    """Which budget an account spends, and its terms. Raises OptionsInvalid."""
    return COLLECTORS[name].spending(validate(name, options, credentials), credentials)


def _convert(name: str, options: Mapping[str, object], kind: type[msgspec.Struct]) -> msgspec.Struct:
    try:
        return msgspec.convert(options, kind)
    except msgspec.ValidationError as error:
        raise errors.OptionsInvalid(f"collector {name}: {_explain(str(error), kind)}") from error


def _explain(text: str, kind: type[msgspec.Struct]) -> str:
    """Say in plain words what msgspec found."""
    at = AT.search(text)
    path = at["path"] if at else ""
    place, reason = ".".join(filter(None, ("options", path))), AT.sub("", text)
    if unknown := UNKNOWN.search(reason):
        known = ", ".join(field.encode_name for field in msgspec.structs.fields(_kind_at(kind, path)))
        return f"{place}.{unknown['field']} is not known; known there: {known}"
    if missing := MISSING.search(reason):
        return f"{place}.{missing['field']} is missing"
    if reason.startswith("Invalid enum value"):
        return f"{place} must be one of {', '.join(_choices(_kind_at(kind, path)))}"
    return f"{place}: {_plain(reason)}"


def _kind_at(kind: Any, path: str) -> Any:
    """The type of the option at ``path``."""
    for name in re.findall(r"\w+", path):
        kind = next(field.type for field in msgspec.structs.fields(kind) if field.encode_name == name)
    return kind


def _choices(kind: Any) -> list[str]:
    """The values of an enum, a literal, or of a mapping to either."""
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return [str(member.value) for member in kind]
    arguments = typing.get_args(kind)
    return _choices(arguments[-1]) if typing.get_origin(kind) is dict else [str(value) for value in arguments]


def _plain(reason: str) -> str:
    return (
        reason.replace("`", "")
        .replace("Expected", "expected")
        .replace("array", "list")
        .replace("object", "table")
    )


COLLECTORS: Mapping[str, entry.Entry] = MappingProxyType(
    {
        "1nce": described.ENTRIES["1nce"],
        "control_center": control_center.ENTRY,
        "described": described.ENTRIES["described"],
        "emnify": described.ENTRIES["emnify"],
        "google_workspace": google_workspace.ENTRY,
        "kajeet": kajeet.ENTRY,
        "meraki": meraki.ENTRY,
        "netcloud": netcloud.ENTRY,
        "soracom": described.ENTRIES["soracom"],
        "super_sim": super_sim.ENTRY,
        "telnyx": described.ENTRIES["telnyx"],
        "thingspace": thingspace.ENTRY,
    }
)
