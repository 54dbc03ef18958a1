"""What a Super SIM account may be told: at KORE or at Twilio, whose calls are the same."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Literal

import msgspec

from collectors import entry, hosts, readings

Platform = Literal["kore", "twilio"]

BASE_URLS: Mapping[str, str] = MappingProxyType(
    {"kore": "https://supersim.api.korewireless.com", "twilio": "https://supersim.twilio.com"}
)
TOKEN_URL = "https://api.korewireless.com/api-services/v1/auth/token"  # noqa: S105
CREDENTIALS: Mapping[str, frozenset[str]] = MappingProxyType(
    {"kore": frozenset({"client_id", "client_secret"}), "twilio": frozenset({"account_sid", "auth_token"})}
)
MOST_ROWS = 1000  # a page


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One Super SIM account. ``statuses`` adds to the words that are known."""

    platform: Platform
    base_url: str | None = None
    token_url: str | None = None

    page_size: Annotated[int, msgspec.Meta(ge=1, le=MOST_ROWS)] = MOST_ROWS
    requests_per_second: entry.Rate = 2.0
    sims_minutes: entry.Minutes = 60
    usage_minutes: entry.Minutes = 360

    granularity: Literal["day", "hour"] = "day"
    reread_days: Annotated[int, msgspec.Meta(ge=1, le=25)] = 4
    absent_is_zero: bool = False
    statuses: dict[str, readings.LineStatus] = {}

    def __post_init__(self) -> None:
        hosts.check_base_url(self.address)
        if self.token_url is not None:
            self._check_token_url(self.token_url)

    @property
    def address(self) -> str:
        """Where the API is: the platform's own unless told otherwise."""
        return (self.base_url or BASE_URLS[self.platform]).rstrip("/")

    @property
    def token_address(self) -> str:
        return self.token_url or TOKEN_URL

    def credentials(self) -> frozenset[str]:
        """The credentials that the platform's sign-in needs, by name."""
        return CREDENTIALS[self.platform]

    def _check_token_url(self, token_url: str) -> None:
        if self.platform != "kore":
            raise ValueError("token_url is KORE's: Twilio takes the credentials with every call")
        try:
            hosts.check_base_url(token_url)
        except ValueError as error:
            raise ValueError(str(error).replace("base_url", "token_url")) from error
