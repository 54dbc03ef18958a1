"""What is decoded of Sentinel's JSON. What is not named here, names and notes above all, never is."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Generic, Protocol, TypeVar

import msgspec

from collectors import decoding, readings
from collectors.kajeet import options as kajeet_options

MAX_MEGABYTES = 1e9  # a petabyte in a month is a fault, not a pupil

Key = decoding.Key | int
Identifier = decoding.Identifier | int
Word = decoding.Word
Megabytes = Annotated[float, msgspec.Meta(ge=0, le=MAX_MEGABYTES)]


class Device(Protocol):
    """A device as the vendor lists it, under our names. What may be absent is None."""

    key: str | int
    mdn: str | int
    status: str
    media_center_status: str | None
    summer_status: str | None
    day_amount: float | None
    month_amount: float | None
    last_30_days_amount: float | None
    day_limit: float | None
    month_limit: float | None
    imei: str | int | None
    iccid: str | int | None
    serial: str | int | None
    online: bool | None
    filter_group: bytes | None


class Group(Protocol):
    group_key: str | int
    parent_key: str | int | None


class Page(Protocol):
    total: int
    rows: msgspec.Raw


DEVICE: dict[str, Any] = {
    "key": Key,
    "mdn": Key,
    "status": Word,
    "media_center_status": Word | None,
    "summer_status": Word | None,
    "day_amount": Megabytes | None,
    "month_amount": Megabytes | None,
    "last_30_days_amount": Megabytes | None,
    "day_limit": float | None,  # 0 and -1 are ways to say that there is none
    "month_limit": float | None,
    "imei": Identifier | None,
    "iccid": Identifier | None,
    "serial": Identifier | None,
    "online": bool | None,
    "filter_group": msgspec.Raw,  # its name may hold a child's: all that matters is whether there is one
}
DEVICE_REQUIRED = frozenset({"key", "mdn", "status"})
# Unproven names whose absence would cost the most: a try of the account tells of them.
DEVICE_EXPECTED = ("media_center_status", "summer_status", "day_amount", "month_amount", "iccid", "online")
GROUP: dict[str, Any] = {"group_key": Key, "parent_key": Identifier | None}

Row = TypeVar("Row")


class Lists(Generic[Row]):
    """Decodes a list answer: first its envelope, then its rows."""

    def __init__(
        self, page: msgspec.json.Decoder[Page], row: type[Row], name: str, expected: Sequence[str]
    ) -> None:
        self.name = name
        self._page = page
        self._rows = decoding.Rows(row, name)
        self._expected = expected

    def page(self, body: bytes) -> Page:
        """Raises ResponseInvalid."""
        return decoding.whole(self._page, body)

    def rows(self, page: Page, rejected: list[readings.Rejection]) -> list[Row]:
        """Return the rows that can be read; note the others in ``rejected``. Raises ResponseInvalid: no list."""
        return self._rows.read(page.rows, rejected)

    def absent(self, page: Page) -> list[str]:
        """The vendor's names of expected fields that the first row lacks."""
        first = msgspec.json.decode(page.rows, type=list[dict[str, msgspec.Raw]])[:1]
        return [name for row in first for name in self._expected if name not in row]


def device_lists(names: kajeet_options.Fields) -> Lists[Device]:
    expected = [name for field in DEVICE_EXPECTED if (name := getattr(names, field))]
    row: type[Device] = _row("Device", DEVICE, DEVICE_REQUIRED, names)
    return Lists(_page_decoder(names.total_count, names.devices), row, names.devices, expected)


def group_lists(names: kajeet_options.Fields) -> Lists[Group]:
    row: type[Group] = _row("Group", GROUP, frozenset({"group_key"}), names)
    return Lists(_page_decoder(names.total_count, names.groups), row, names.groups, ())


def _page_decoder(total: str, rows: str) -> msgspec.json.Decoder[Page]:
    count = Annotated[int, msgspec.Meta(ge=0)]
    fields: list[Any] = [("total", count), ("rows", msgspec.Raw)]
    page: Any = msgspec.defstruct("Page", fields, rename={"total": total, "rows": rows})
    return msgspec.json.Decoder(page)


def _row(title: str, types: Mapping[str, Any], required: frozenset[str], names: kajeet_options.Fields) -> Any:
    """Build the row of the account's field names. A field without a name is never read."""
    given = {name: getattr(names, name) for name in types}
    fields: list[Any] = [
        (name, kind) if name in required else (name, kind, None)
        for name, kind in types.items()
        if given[name]
    ]
    unread = {name: None for name in types if not given[name]}
    rename = {name: spelling for name, spelling in given.items() if spelling}
    return msgspec.defstruct(title, fields, rename=rename, namespace=unread, gc=False)
