"""What a Kajeet Sentinel account may be told. The defaults are the documentation's; few are proven."""

import re
from typing import Annotated, Literal

import msgspec

from collectors import entry, hosts, readings

BASE_URL = "https://sentinel-api.kajeet.com/sentinel/api"
TOKEN_BODY = {"clientId": "{client_id}", "clientSecret": "{client_secret}"}
PLACEHOLDER = re.compile(r"\{(\w+)\}")

PATH = re.compile(r"/[^?#\s]*")
FIELD_NAME = re.compile(r"[\w.\- ]+")

Name = entry.Name

LIST_FIELDS = ("total_count", "devices")
GROUP_LIST_FIELDS = ("total_count", "groups")
GROUP_FIELDS = ("group_key", "parent_key")


class Fields(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The vendor's JSON names. An empty name leaves an optional field unread."""

    total_count: Name = "totalCount"
    devices: Name = "devices"
    key: Name = "key"
    mdn: Name = "mdn"
    status: Name = "status"
    media_center_status: str = "mediaCenterStatus"
    summer_status: str = "summerStatus"
    day_amount: str = "dayAmountUsed"
    month_amount: str = "monthlyAmountUsed"
    last_30_days_amount: str = "last30DaysUsed"
    day_limit: str = "dailyLimit"
    month_limit: str = "monthlyLimit"
    imei: str = "imei"
    iccid: str = "uicc"
    serial: str = "oemSerialNumber"
    online: str = "onlineStatus"
    filter_group: str = "filterGroup"
    groups: Name = "deviceGroups"
    group_key: Name = "corpId"
    parent_key: Name = "parentCorpId"

    def __post_init__(self) -> None:
        for name in filter(None, msgspec.structs.astuple(self)):
            if not FIELD_NAME.fullmatch(name):
                raise ValueError("a field's name may hold letters, digits, spaces, dots and hyphens only")
        for group in (LIST_FIELDS, GROUP_LIST_FIELDS, GROUP_FIELDS, self._device_fields()):
            names = [getattr(self, field) for field in group if getattr(self, field)]
            if doubled := sorted({name for name in names if names.count(name) > 1}):
                raise ValueError(f"two fields are both called {', '.join(doubled)}")

    def _device_fields(self) -> tuple[str, ...]:
        return tuple(set(self.__struct_fields__) - {*LIST_FIELDS, *GROUP_LIST_FIELDS, *GROUP_FIELDS})


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One Sentinel account.

    The status maps add to the defaults; they compare without case, spaces, hyphens and underscores.
    """

    corp_ids: Annotated[tuple[Name, ...], msgspec.Meta(min_length=1)]
    discover_groups: bool = False

    base_url: str = BASE_URL
    token_path: str = "/v1.0/auth/clientToken"  # noqa: S105
    token_body: dict[str, str] = msgspec.field(default_factory=TOKEN_BODY.copy)
    token_field: Name = "token"  # noqa: S105
    token_lifetime_seconds: Annotated[int, msgspec.Meta(ge=60, le=86_400)] = (
        900  # where the token does not say
    )
    devices_path: str = "/v1.0/devices/{corp_id}"
    groups_path: str = "/v1.0/accountSettings/deviceGroups"

    page_size: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 100
    requests_per_second: entry.Rate = 2.0
    cadence_minutes: Annotated[int, msgspec.Meta(ge=1, le=1440)] = 60
    megabyte_bytes: Literal[1_000_000, 1_048_576] = 1_000_000

    fields: Fields = Fields()
    statuses: dict[str, readings.LineStatus] = {}
    media_center_statuses: dict[str, Literal["loan_desk", "none"]] = {}
    summer_statuses: dict[str, Literal["season", "none"]] = {}

    def __post_init__(self) -> None:
        hosts.check_base_url(self.base_url)
        for name in ("token_path", "devices_path", "groups_path"):
            if not PATH.fullmatch(getattr(self, name)):
                raise ValueError(f"{name} must begin with / and hold no query")
        if "{corp_id}" not in self.devices_path:
            raise ValueError("devices_path must hold {corp_id}")
        if len(set(self.corp_ids)) < len(self.corp_ids):
            raise ValueError("corp_ids names a group twice")

    def credentials(self) -> frozenset[str]:
        """The credentials that the sign-in needs, by name."""
        return frozenset(name for text in self.token_body.values() for name in PLACEHOLDER.findall(text))
