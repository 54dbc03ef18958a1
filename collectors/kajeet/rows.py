"""What is decoded of Sentinel's JSON. What is not named here, names and notes above all, never is."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Generic, Protocol, TypeVar

import msgspec

from collectors import errors, readings
from collectors.kajeet import options as kajeet_options

MAX_MEGABYTES = 1e9  # a petabyte in a month is a fault, not a pupil

Key = Annotated[str, msgspec.Meta(max_length=64, pattern=r"\S")] | int
Identifier = Annotated[str, msgspec.Meta(max_length=64)] | int
Word = Annotated[str, msgspec.Meta(max_length=200)]
Megabytes = Annotated[float, msgspec.Meta(ge=0, le=MAX_MEGABYTES)]

AT = re.compile(r" - at `\$\.?(?P<path>[^`]*)`$")
MISSING = re.compile(r"missing required field `(?P<field>[^`]*)`")


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


class Group(Protocol):
    group_key: str | int
    parent_key: str | int | None


class Page(Protocol):
    total: int
    rows: list[msgspec.Raw]


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
}
DEVICE_REQUIRED = frozenset({"key", "mdn", "status"})
# Unproven names whose absence would cost the most: a try of the account tells of them.
DEVICE_EXPECTED = ("media_center_status", "summer_status", "day_amount", "month_amount", "iccid", "online")
GROUP: dict[str, Any] = {"group_key": Key, "parent_key": Identifier | None}

Row = TypeVar("Row")


class Lists(Generic[Row]):
    """Decodes a list answer: first its envelope, then row by row, so that a bad row spoils no other."""

    def __init__(
        self,
        page: msgspec.json.Decoder[Page],
        row: msgspec.json.Decoder[Row],
        name: str,
        expected: Sequence[str],
    ) -> None:
        self.name = name
        self._page = page
        self._row = row
        self._expected = expected

    def page(self, body: bytes) -> Page:
        """Raises ResponseInvalid."""
        try:
            page = self._page.decode(body)
        except msgspec.ValidationError as error:
            path, reason = explain(error)
            raise errors.ResponseInvalid(
                f"the list has another shape than expected: {path or 'all of it'}: {reason}"
            ) from error
        except msgspec.MsgspecError as error:
            raise errors.ResponseInvalid("the list is not whole JSON: the answer was cut short") from error
        return page

    def rows(self, raws: Sequence[msgspec.Raw], rejected: list[readings.Rejection]) -> Iterator[Row]:
        """Yield the rows that can be read; note the others in ``rejected``."""
        decode = self._row.decode
        for index, raw in enumerate(raws):
            try:
                yield decode(raw)
            except msgspec.MsgspecError as error:
                path, reason = explain(error)
                rejected.append(readings.Rejection(f"{self.name}[{index}]{path and '.'}{path}", reason))

    def absent(self, raws: Sequence[msgspec.Raw]) -> list[str]:
        """The vendor's names of expected fields that none of these rows has."""
        present: set[str] = set().union(
            *(msgspec.json.decode(raw, type=dict[str, msgspec.Raw]) for raw in raws)
        )
        return [name for name in self._expected if raws and name not in present]


def device_lists(names: kajeet_options.Fields) -> Lists[Device]:
    expected = [name for field in DEVICE_EXPECTED if (name := getattr(names, field))]
    row: msgspec.json.Decoder[Device] = _row_decoder("Device", DEVICE, DEVICE_REQUIRED, names)
    return Lists(_page_decoder(names.total_count, names.devices), row, names.devices, expected)


def group_lists(names: kajeet_options.Fields) -> Lists[Group]:
    row: msgspec.json.Decoder[Group] = _row_decoder("Group", GROUP, frozenset({"group_key"}), names)
    return Lists(_page_decoder(names.total_count, names.groups), row, names.groups, ())


def explain(error: msgspec.MsgspecError) -> tuple[str, str]:
    """Split an error into path and reason. msgspec names types and bounds, never the value it found."""
    text = str(error)
    if missing := MISSING.search(text):
        return missing["field"], "missing"
    at = AT.search(text)
    reason = "blank" if "matching regex" in text else AT.sub("", text).replace("`", "").lower()
    return (at["path"] if at else ""), reason


def _page_decoder(total: str, rows: str) -> msgspec.json.Decoder[Page]:
    count = Annotated[int, msgspec.Meta(ge=0)]
    fields: list[Any] = [("total", count), ("rows", list[msgspec.Raw])]
    page: Any = msgspec.defstruct("Page", fields, rename={"total": total, "rows": rows})
    return msgspec.json.Decoder(page)


def _row_decoder(
    title: str, types: Mapping[str, Any], required: frozenset[str], names: kajeet_options.Fields
) -> Any:
    """Build a decoder for the field names of the account. A field without a name is never read."""
    given = {name: getattr(names, name) for name in types}
    fields: list[Any] = [
        (name, kind) if name in required else (name, kind, None)
        for name, kind in types.items()
        if given[name]
    ]
    unread = {name: None for name in types if not given[name]}
    rename = {name: spelling for name, spelling in given.items() if spelling}
    return msgspec.json.Decoder(msgspec.defstruct(title, fields, rename=rename, namespace=unread, gc=False))
