"""What a NetCloud Manager account may be told."""

import re
from typing import Annotated, Literal

import msgspec

from collectors import entry, hosts, readings

BASE_URL = "https://www.cradlepointecm.com"
MOST_ROWS = 500  # a page

FIELD_NAME = re.compile(r"\w+")


class StateSampleFields(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The vendor's JSON names in samples of a router's state, which no document shows."""

    router: entry.Name = "router"
    state: entry.Name = "state"
    created_at: entry.Name = "created_at"
    key: entry.Name = "created_at_timeuuid"

    def __post_init__(self) -> None:
        names = msgspec.structs.astuple(self)
        if not all(FIELD_NAME.fullmatch(name) for name in names):
            raise ValueError("a field's name may hold letters, digits and underscores only")
        if len(set(names)) < len(names):
            raise ValueError("two fields are called the same")


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One NetCloud Manager account. ``device_kinds`` goes by the id of a router's group."""

    device_kind: readings.DeviceKind
    device_kinds: dict[entry.Name, readings.DeviceKind] = {}

    base_url: str = BASE_URL
    requests_per_second: entry.Rate = 8.0
    page_size: Annotated[int, msgspec.Meta(ge=1, le=MOST_ROWS)] = MOST_ROWS
    select_fields: bool = True

    modems_minutes: entry.Minutes = 15
    usage_minutes: entry.Minutes = 60
    signal_minutes: entry.Minutes = 60
    states_minutes: entry.Minutes = 60
    overlap_minutes: entry.Minutes = 120
    history_days: Annotated[int, msgspec.Meta(ge=1, le=60)] = 7

    router_states: dict[str, Literal["online", "offline"]] = {}
    read_state_samples: bool = False
    state_sample_fields: StateSampleFields = StateSampleFields()

    def __post_init__(self) -> None:
        hosts.check_base_url(self.base_url)
