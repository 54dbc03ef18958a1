"""What the Sentinel stand-in shows: devices and groups of a pretend account at a pretend instant."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Protocol

import msgspec


class Device(msgspec.Struct, kw_only=True, omit_defaults=True, gc=False):
    """One device, under the vendor's JSON names. Amounts and limits are MB; None is left out of the answer.

    ``nickname`` is free text in which districts write children's names: the collector must never read it.
    """

    key: str
    mdn: str
    status: str
    # Documented as a column of the export, not in the list; a collector must not rely on it.
    corp_id: str = msgspec.field(name="corpId")
    network: str | None = None
    device_name: str | None = msgspec.field(name="deviceName", default=None)
    corp_description: str | None = msgspec.field(name="corpDescription", default=None)
    month_amount_mb: float | None = msgspec.field(name="monthlyAmountUsed", default=None)
    last_30_days_mb: float | None = msgspec.field(name="last30DaysUsed", default=None)
    day_amount_mb: float | None = msgspec.field(name="dayAmountUsed", default=None)
    month_limit_mb: float | None = msgspec.field(name="monthlyLimit", default=None)
    day_limit_mb: float | None = msgspec.field(name="dailyLimit", default=None)
    nickname: str | None = None
    filter_group: str | None = msgspec.field(name="filterGroup", default=None)
    imei: str | None = None
    uicc: str | None = None
    serial: str | None = msgspec.field(name="oemSerialNumber", default=None)
    media_center_status: str | None = msgspec.field(name="mediaCenterStatus", default=None)
    summer_status: str | None = msgspec.field(name="summerStatus", default=None)
    online: bool | None = msgspec.field(name="onlineStatus", default=None)


class Group(msgspec.Struct, kw_only=True, omit_defaults=True, gc=False):
    """A device group, under the vendor's JSON names. Its description can be a child's name."""

    key: str = msgspec.field(name="corpId")
    parent_key: str | None = msgspec.field(name="parentCorpId", default=None)
    description: str | None = None


class World(Protocol):
    """Where the stand-in takes its rows from."""

    def devices(self, corp_id: str, instant: datetime) -> Sequence[Device] | None:
        """The devices of a group and of those below it, in any order; None where no such group exists."""
        ...

    def groups(self, instant: datetime) -> Sequence[Group]: ...


class StaticWorld:
    """Rows that stay as they are until someone changes them."""

    def __init__(self, devices: Iterable[Device], groups: Iterable[Group] = ()) -> None:
        self.rows = list(devices)
        self._groups = list(groups)

    def devices(self, corp_id: str, instant: datetime) -> Sequence[Device] | None:
        """Return the group's rows; a group is known by being listed or by having devices."""
        within = self._within(corp_id)
        found = [device for device in self.rows if device.corp_id in within]
        return found if found or corp_id in {group.key for group in self._groups} else None

    def groups(self, instant: datetime) -> Sequence[Group]:
        return self._groups

    def _within(self, corp_id: str) -> set[str]:
        keys = {corp_id}
        while new := {group.key for group in self._groups if group.parent_key in keys} - keys:
            keys |= new
        return keys
