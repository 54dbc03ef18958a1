"""What a Google Workspace account may be told."""

from typing import Annotated

import msgspec

from collectors import entry, hosts
from collectors.google_workspace import places

BASE_URL = "https://admin.googleapis.com"
TELEMETRY_URL = "https://chromemanagement.googleapis.com"
TOKEN_URL = "https://oauth2.googleapis.com/token"  # noqa: S105
SERVICE_ACCOUNT_KEY = "service_account_key"
MOST_DEVICES = 300  # a page of the device list
MOST_TELEMETRY_DEVICES = 1000


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One Workspace customer, read in the name of one of its admins.

    ``statuses`` tells of further status words whether such a device is in service.
    """

    subject: entry.Name
    school_networks: tuple[entry.Name, ...] = ()
    customer_id: entry.Name = "my_customer"
    org_unit_path: entry.Name | None = None
    include_child_orgunits: bool = True
    telemetry: bool = True

    base_url: str = BASE_URL
    telemetry_url: str = TELEMETRY_URL
    token_url: str = TOKEN_URL

    page_size: Annotated[int, msgspec.Meta(ge=1, le=MOST_DEVICES)] = MOST_DEVICES
    # a device has a report for every hour and network, and an answer has a most: smaller pages than Google allows
    telemetry_page_size: Annotated[int, msgspec.Meta(ge=1, le=MOST_TELEMETRY_DEVICES)] = 200
    telemetry_overlap_hours: Annotated[int, msgspec.Meta(ge=0, le=336)] = 72  # a weekend with the lid closed
    cadence_minutes: entry.Minutes = 360
    telemetry_cadence_minutes: entry.Minutes = 180
    requests_per_second: Annotated[float, msgspec.Meta(gt=0, le=40)] = 10.0
    statuses: dict[str, bool] = {}

    def __post_init__(self) -> None:
        if "@" not in self.subject:
            raise ValueError("subject must be the e-mail address of an admin of the Workspace")
        if self.org_unit_path is not None and not self.org_unit_path.strip("/ "):
            raise ValueError("org_unit_path must name a unit; leave it out to read the whole Workspace")
        for url in (self.base_url, self.telemetry_url, self.token_url):
            hosts.check_base_url(url)
        places.check(self.school_networks)
