"""What a Meraki account may be told."""

import re
import urllib.parse
from collections.abc import Sequence
from typing import Annotated, Literal

import msgspec

from collectors import entry, hosts, readings

BASE_URL = "https://api.meraki.com/api/v1"
VENDOR_HOST = re.compile(r"(?:^|\.)(?P<domain>(?:[a-z]+-)?meraki\.[a-z]{2,3})$")

Networks = Annotated[tuple[entry.Name, ...], msgspec.Meta(max_length=100)]


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One Meraki organisation."""

    organization_id: entry.Name
    device_kind: readings.DeviceKind
    device_kinds: dict[str, readings.DeviceKind] = {}  # by network id
    network_ids: Networks = ()  # none: all
    appliances: bool = False  # MX and Z with a SIM too, not MG alone

    base_url: str = BASE_URL
    # Serials of a whole page go into one address: beyond 200 it is longer than servers accept.
    page_size: Annotated[int, msgspec.Meta(ge=3, le=200)] = 100
    requests_per_second: entry.Rate = 4.0  # of 10 that all the organisation's tools share
    gateways_minutes: entry.Minutes = 15
    usage_minutes: entry.Minutes = 60
    changes_minutes: entry.Minutes = 60
    history_minutes: entry.Minutes = 1440
    students_minutes: entry.Minutes = 360
    student_usage_minutes: entry.Minutes = 1440

    availabilities: dict[str, Literal["online", "offline"]] = {}  # further words
    history_interval_seconds: Literal[300, 1200, 14_400, 86_400] = 14_400
    history_days: Annotated[int, msgspec.Meta(ge=1, le=365)] = 31  # of a first reading
    history_slots: dict[str, str] = msgspec.field(default_factory={"sim3": "esim"}.copy)

    systems_manager_networks: Networks = ()
    systems_manager_usage: bool = False
    kilobyte_bytes: Literal[1000, 1024] = 1000

    def __post_init__(self) -> None:
        hosts.check_base_url(self.base_url)
        for name in ("network_ids", "systems_manager_networks"):
            if len(set(getattr(self, name))) < len(getattr(self, name)):
                raise ValueError(f"{name} names a network twice")
        if self.systems_manager_usage and not self.systems_manager_networks:
            raise ValueError("systems_manager_usage needs systems_manager_networks")

    def suffixes(self) -> Sequence[str]:
        """What the hosts of Meraki's shards end in: those of the configured region, and no other."""
        found = VENDOR_HOST.search(urllib.parse.urlsplit(self.base_url).hostname or "")
        return (f".{found['domain']}",) if found else ()
