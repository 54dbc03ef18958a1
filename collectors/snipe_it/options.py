"""Where a Snipe-IT is, and how it is asked. It tells who has which hotspot, not what the hotspots use."""

import msgspec

from collectors import hosts

MOST_ROWS = 500  # a page, unless the server allows more


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """``base_url`` is what stands before ``/api/v1``. ``imei_field``: the name of the custom field with the IMEI."""

    base_url: str
    imei_field: str | None = None
    category_id: int | None = None
    page_size: int = MOST_ROWS
    requests_per_second: float = 1.5  # a server allows 120 a minute unless it is told otherwise

    def __post_init__(self) -> None:
        hosts.check_base_url(self.base_url)

    @property
    def address(self) -> str:
        return self.base_url.rstrip("/").removesuffix("/api/v1")
