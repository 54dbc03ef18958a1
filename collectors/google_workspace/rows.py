"""Google's JSON, as far as it is read. What is not named here is never decoded."""

from datetime import date
from typing import Annotated

import msgspec

from collectors import decoding

Address = Annotated[str, msgspec.Meta(max_length=64)]
Milliseconds = Annotated[int, msgspec.Meta(ge=0, le=25 * 3_600_000)]  # the longest day has 25 hours
Kind = Annotated[str, msgspec.Meta(pattern="directory#chromeosdevices$")]


class Network(msgspec.Struct, rename="camel", frozen=True, gc=False):
    wan_ip_address: Address | None = None


class ActiveRange(msgspec.Struct, rename="camel", frozen=True, gc=False):
    date: date
    active_time: Milliseconds


class Device(msgspec.Struct, rename="camel", frozen=True, gc=False):
    """A Chromebook, as the Directory lists it. Absent is unknown."""

    device_id: decoding.Key
    status: decoding.Word | None = None
    last_sync: decoding.Instant | None = None
    org_unit_id: decoding.Identifier | None = None
    active_time_ranges: tuple[ActiveRange, ...] | None = None
    last_known_network: tuple[Network, ...] | None = None


class Report(msgspec.Struct, rename="camel", frozen=True, gc=False):
    """One network at one instant. Gateways are those of the device's own network."""

    report_time: decoding.Instant | None = None
    connection_state: decoding.Word | None = None
    connection_type: decoding.Word | None = None
    gateway_ip_address: Address | None = None
    gateway_ipv6_address: Address | None = None


class TelemetryDevice(msgspec.Struct, rename="camel", frozen=True, gc=False):
    device_id: decoding.Key
    network_status_report: tuple[Report, ...] | None = None


class DeviceList(msgspec.Struct, rename="camel", frozen=True):
    """The list is absent where it is empty, so it is ``kind`` that proves the answer to be one."""

    kind: Kind
    chromeosdevices: msgspec.Raw = msgspec.Raw(b"[]")
    next_page_token: str | None = None


class TelemetryList(msgspec.Struct, rename="camel", frozen=True):
    devices: msgspec.Raw = msgspec.Raw(b"[]")
    next_page_token: str | None = None


DEVICE_LIST = msgspec.json.Decoder(DeviceList)
TELEMETRY_LIST = msgspec.json.Decoder(TelemetryList)
DEVICES = decoding.Rows(Device, "chromeosdevices")
TELEMETRY_DEVICES = decoding.Rows(TelemetryDevice, "devices")
