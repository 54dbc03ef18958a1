"""Where an Ed-Fi ODS/API is, and how it is asked. It tells of students' answers, not of hotspots."""

import msgspec

from collectors import hosts

MOST_ITEMS = 500  # a page, unless the host allows more
CREDENTIALS = frozenset({"key", "secret"})


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """``base_url`` is what stands before ``/data/v3``; ``school_year`` is for hosts that want it after that."""

    base_url: str
    token_url: str | None = None
    school_year: int | None = None
    page_size: int = MOST_ITEMS
    requests_per_second: float = 4.0

    def __post_init__(self) -> None:
        hosts.check_base_url(self.base_url)
        if self.token_url is not None:
            try:
                hosts.check_base_url(self.token_url)
            except ValueError as error:
                raise ValueError(str(error).replace("base_url", "token_url")) from error

    @property
    def address(self) -> str:
        return self.base_url.rstrip("/")

    @property
    def token_address(self) -> str:
        return self.token_url or f"{self.address}/oauth/token"

    def resource_address(self, resource: str) -> str:
        year = "" if self.school_year is None else f"/{self.school_year}"
        return f"{self.address}/data/v3{year}/ed-fi/{resource}"
