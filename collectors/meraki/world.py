"""What the Meraki stand-in shows: gateways and students' devices of a pretend organisation."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

Row = dict[str, Any]


@dataclass
class Slot:
    """A SIM slot. ``bytes_per_second`` makes its history; None: it tells none."""

    name: str
    total: int | str | None
    is_active: bool = True
    limit: int | str | None = None
    starts_at: str | None = "2026-11-01T00:00:00Z"
    ends_at: str | None = "2026-12-01T00:00:00Z"
    bytes_per_second: int | None = 1
    sim: str | None = None  # its name in the history, where that differs

    def row(self) -> Row:
        """As the current cycle's bytes show it: amounts are strings."""
        return {
            "slot": self.name,
            "isActive": self.is_active,
            "total": None if self.total is None else str(self.total),
            "lastUpdatedAt": "2026-11-21T17:50:00Z",
            "startTs": self.starts_at,
            "endTs": self.ends_at,
            "limit": None if self.limit is None else str(self.limit),
        }


@dataclass
class Gateway:
    """A gateway. The rows are the vendor's; ``private`` goes wherever a row could carry such words."""

    serial: str
    network_id: str = "N_100"
    model: str = "MG41"
    product: str = "cellularGateway"
    imei: str | int | None = None
    availability: str = "online"
    reported_at: str | None = "2026-11-21T17:55:00Z"
    uplinks: Sequence[Row] = ()
    slots: Sequence[Slot] = ()
    changes: Sequence[tuple[datetime, str, str]] = ()  # when, from, to
    private: Mapping[str, str] = field(default_factory=dict)

    def uplink_row(self) -> Row:
        return {
            "networkId": self.network_id,
            "serial": self.serial,
            "model": self.model,
            "highAvailability": {"enabled": False, "role": "primary"},
            "lastReportedAt": self.reported_at,
            "uplinks": [dict(uplink) for uplink in self.uplinks],
        }

    def availability_row(self) -> Row:
        return {
            "mac": "e4:55:a8:00:00:01",
            "name": self.private.get("name", ""),
            "network": {"id": self.network_id},
            "productType": self.product,
            "serial": self.serial,
            "status": self.availability,
            "tags": [self.private.get("note", "")],
        }

    def inventory_row(self) -> Row:
        return {
            "name": self.private.get("name", ""),
            "lat": self.private.get("latitude"),
            "lng": self.private.get("longitude"),
            "address": self.private.get("address", ""),
            "notes": self.private.get("note", ""),
            "tags": [self.private.get("email", "")],
            "networkId": self.network_id,
            "serial": self.serial,
            "model": self.model,
            "imei": self.imei,
            "mac": "e4:55:a8:00:00:01",
            "lanIp": self.private.get("ip", ""),
            "firmware": "cellular-gateway-3-205",
            "productType": self.product,
            "details": [{"name": "note", "value": self.private.get("note", "")}],
        }

    def slots_row(self) -> Row:
        return {"serial": self.serial, "bySlot": [slot.row() for slot in self.slots]}

    def change_row(self, at: datetime, old: str, new: str) -> Row:
        return {
            "ts": at.isoformat().replace("+00:00", "Z"),
            "device": {
                "serial": self.serial,
                "name": self.private.get("name", ""),
                "productType": self.product,
                "model": self.model,
            },
            "details": {
                "old": [{"name": "status", "value": old}],
                "new": [{"name": "status", "value": new}],
            },
            "network": {
                "id": self.network_id,
                "name": self.private.get("address", ""),
                "url": "https://n1.meraki.com/x/n/y/manage/clients",
                "tags": [self.private.get("note", "")],
            },
        }


def uplink(iccid: str | None = None, private: Mapping[str, str] | None = None, **fields: object) -> Row:
    """A cellular uplink, with the fields that the vendor documents."""
    words = private or {}
    return {
        "interface": "cellular",
        "status": "active",
        "ip": words.get("ip", ""),
        "provider": "Placeholder Wireless",
        "publicIp": words.get("ip", ""),
        "model": "integrated",
        "signalStat": {"rsrp": "-104", "rsrq": "-11"},
        "mcc": "310",
        "mnc": "410",
        "roaming": {"status": "home"},
        "connectionType": "lte",
        "apn": words.get("email", ""),
        "gateway": words.get("ip", ""),
        "dns1": "8.8.8.8",
        "dns2": "8.8.4.4",
        "signalType": "4G",
        "mtu": 1500,
        "iccid": iccid,
        "imsi": "310410000000000",
        "msisdn": None,
    } | fields


@dataclass
class Student:
    """A device of Systems Manager: ``fields`` are those that can be asked for beyond the default."""

    key: str
    network_id: str
    serial: str = ""
    fields: Mapping[str, object] = field(default_factory=dict)
    days: Sequence[Row] = ()  # received and sent in kilobytes, and ts
    private: Mapping[str, str] = field(default_factory=dict)

    def row(self, fields: Iterable[str]) -> Row:
        own = {
            "id": self.key,
            "name": self.private.get("name", ""),
            "tags": [self.private.get("note", "")],
            "ssid": self.private.get("ssid", ""),
            "wifiMac": "00:11:22:33:44:55",
            "osName": "iOS 18.1",
            "systemModel": "iPad",
            "uuid": "3d990628ede4c628d52",
            "serialNumber": self.serial,
        }
        return own | {name: self.fields.get(name) for name in fields}


@dataclass
class World:
    gateways: list[Gateway]
    students: list[Student] = field(default_factory=list)
