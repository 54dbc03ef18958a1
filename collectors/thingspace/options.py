"""What a ThingSpace account may be told."""

from typing import Annotated

import msgspec

from collectors import entry, hosts, readings, vocabulary

BASE_URL = "https://thingspace.verizon.com/api"
RETENTION_DAYS = 365  # the vendor keeps usage for twelve months

Days = Annotated[int, msgspec.Meta(ge=1, le=RETENTION_DAYS)]
OverlapDays = Annotated[int, msgspec.Meta(ge=4, le=31)]  # rated figures come two days late, corrections later
AtOnce = Annotated[int, msgspec.Meta(ge=1, le=64)]
SpanDays = Annotated[int, msgspec.Meta(ge=1, le=RETENTION_DAYS + 1)]  # a year begins at a midnight
DeviceNumber = Annotated[int, msgspec.Meta(ge=0)]


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One ThingSpace account, or all accounts of its user where ``account_name`` is not given.

    ``statuses`` and ``usage_sources`` compare without case, spaces, hyphens and underscores.
    """

    account_name: entry.Name | None = None

    base_url: str = BASE_URL
    requests_per_second: entry.Rate = 5.0
    at_once: AtOnce = 4
    cadence_minutes: entry.Minutes = 60
    usage_minutes: entry.Minutes = 360
    connections_minutes: entry.Minutes = 360

    overlap_days: OverlapDays = 4
    history_days: Days = 30
    span_days: SpanDays = 90
    usage_sources: tuple[entry.Name, ...] = ("Raw Usage",)
    first_device_id: DeviceNumber = 0
    statuses: dict[str, readings.LineStatus] = {}

    def __post_init__(self) -> None:
        hosts.check_base_url(self.base_url)
        if len({vocabulary.fold(source) for source in self.usage_sources}) < len(self.usage_sources):
            raise ValueError("usage_sources names a source twice")
