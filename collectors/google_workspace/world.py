"""What the Google stand-in shows: Chromebooks under Google's JSON names, telemetry and all."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

Row = dict[str, Any]

BASIC_FIELDS = frozenset(
    {
        "kind",
        "etag",
        "deviceId",
        "serialNumber",
        "status",
        "lastSync",
        "annotatedUser",
        "annotatedLocation",
        "notes",
    }
)
DEVICE_FIELDS = BASIC_FIELDS | {
    "activeTimeRanges",
    "annotatedAssetId",
    "ethernetMacAddress",
    "firstEnrollmentTime",
    "lastEnrollmentTime",
    "lastKnownNetwork",
    "macAddress",
    "meid",
    "model",
    "orgUnitId",
    "orgUnitPath",
    "osVersion",
    "recentUsers",
}


@dataclass(frozen=True)
class Chromebook:
    """A device: its row in the Directory, and the reports of its networks, newest first.

    Rows carry what the collector must never read: users, notes, locations, paths of units, addresses.
    """

    row: Row
    reports: list[Row] = field(default_factory=list)

    @property
    def key(self) -> str:
        return str(self.row["deviceId"])

    @property
    def unit(self) -> str:
        """The path of its unit, without the leading slash."""
        return str(self.row.get("orgUnitPath", "/")).lstrip("/")


class World:
    """Chromebooks that stay as they are until someone changes them."""

    def __init__(self, chromebooks: Iterable[Chromebook]) -> None:
        self._by_key = {chromebook.key: chromebook for chromebook in chromebooks}

    def all(self) -> list[Chromebook]:
        """In the order in which Google lists them here: by key."""
        return [self._by_key[key] for key in sorted(self._by_key)]

    def put(self, chromebook: Chromebook) -> None:
        self._by_key[chromebook.key] = chromebook

    def remove(self, key: str) -> None:
        del self._by_key[key]

    def within(self, unit: str, *, with_children: bool) -> list[Chromebook]:
        """Those of a unit, given by its path without the leading slash or by its id."""
        return [known for known in self.all() if _is_in(known, unit, with_children=with_children)]


def _is_in(chromebook: Chromebook, unit: str, *, with_children: bool) -> bool:
    if unit in (chromebook.unit, chromebook.row.get("orgUnitId")):
        return True
    return with_children and chromebook.unit.startswith(unit + "/")
