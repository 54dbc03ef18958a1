"""What a Control Center account may be told. The address is the customer's own; what is not proven has a default."""

from datetime import date
from typing import Annotated
from urllib.parse import urlsplit

import msgspec

from collectors import entry, hosts, readings

REQUESTS_PER_SECOND = 5.0  # the vendor's own limit for a user
PAGE_SIZE = 50  # likewise

CREDENTIALS = frozenset({"username", "api_key"})


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One account. ``base_url`` is that of its pod; ``statuses`` adds to the words that are known."""

    base_url: str
    account_id: entry.Name | None = None  # None: the account of the user

    requests_per_second: entry.Rate = REQUESTS_PER_SECOND
    page_size: Annotated[int, msgspec.Meta(ge=1, le=PAGE_SIZE)] = PAGE_SIZE
    changes_minutes: entry.Minutes = 60
    devices_minutes: entry.Minutes = 1440
    usage_minutes: entry.Minutes = 360
    sessions_minutes: entry.Minutes = 360

    changes_overlap_hours: Annotated[int, msgspec.Meta(ge=1, le=720)] = 24
    list_since: date = date(2000, 1, 1)
    list_days_at_most: Annotated[int, msgspec.Meta(ge=1, le=3_650)] = 365  # where list_since is refused
    partial_responses: bool = False
    throttling_codes: tuple[entry.Name, ...] = ("40000029",)
    statuses: dict[str, readings.LineStatus] = {}

    def __post_init__(self) -> None:
        hosts.check_base_url(self.base_url)
        if urlsplit(self.base_url).path.strip("/"):
            raise ValueError("base_url is the pod's host alone, such as https://restapi19.att.com")
        if self.requests_per_second > REQUESTS_PER_SECOND and not hosts.is_local(self.base_url):
            raise ValueError("requests_per_second must be at most 5: more is not allowed")
