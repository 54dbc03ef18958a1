"""What is decoded of ThingSpace's JSON. What is not named here never is.

Attributes come as lists of keys and values, and hold the name, address and telephone of the family that a line is
lent to. They stay bytes: the one that is wanted is found in them by its key, and no other is ever decoded.
"""

from datetime import datetime
from typing import Annotated

import msgspec

from collectors import decoding

# By which identifier a line is asked for, and known where it has no DeviceId: the lasting ones first.
KINDS = ("iccid", "mdn", "msisdn", "imei", "meid", "esn", "eid", "imsi")
NOTHING = msgspec.Raw()
EMPTY = msgspec.Raw(b"[]")
YEARS = range(2000, 2100)  # a date that was never set is written as the year 1

Aware = Annotated[datetime, msgspec.Meta(tz=True)]


class DeviceId(msgspec.Struct, gc=False):
    id: decoding.Identifier | int
    kind: decoding.Word


class Carrier(msgspec.Struct, gc=False):
    state: decoding.Word | None = None


class Device(msgspec.Struct, gc=False, rename="camel"):
    """A row of the list. ``last_connection_date`` is kept as text: a date that cannot be read spoils no line."""

    device_ids: list[DeviceId] = []
    carrier_informations: list[Carrier] | None = None
    connected: bool | None = None
    last_connection_date: decoding.Word | None = None
    extended_attributes: msgspec.Raw = NOTHING

    def __post_init__(self) -> None:
        for named in self.device_ids:
            if named.kind.lower() in KINDS and str(named.id).strip():
                return
        raise ValueError("no identifier of a known kind")

    def identifiers(self) -> dict[str, DeviceId]:
        """The identifiers by their kinds in lower case; of two of a kind the first."""
        return {named.kind.lower(): named for named in reversed(self.device_ids) if str(named.id).strip()}


class Numbered(msgspec.Struct, gc=False, rename="camel"):
    """A row of which nothing but its DeviceId matters."""

    extended_attributes: msgspec.Raw = NOTHING


class Use(msgspec.Struct, gc=False, rename="camel"):
    """A day's use as one source tells it."""

    bytes_used: decoding.ByteCount
    timestamp: Aware
    source: decoding.Word | None = None

    def __post_init__(self) -> None:
        _check_year(self.timestamp)

    @property
    def at(self) -> datetime:
        return self.timestamp


class Event(msgspec.Struct, gc=False, rename="camel"):
    """A connection that begins or ends."""

    occurred_at: Aware
    connection_event_attributes: msgspec.Raw

    def __post_init__(self) -> None:
        _check_year(self.occurred_at)

    @property
    def at(self) -> datetime:
        return self.occurred_at


class DeviceList(msgspec.Struct, rename="camel"):
    has_more_data: bool
    devices: msgspec.Raw


class UsageList(msgspec.Struct):
    """A device that used nothing may come without a list, or with null in its place."""

    has_more_data: bool = msgspec.field(name="hasMoreData")
    rows: msgspec.Raw = msgspec.field(name="usageHistory", default=EMPTY)


class ConnectionList(msgspec.Struct):
    has_more_data: bool = msgspec.field(name="hasMoreData")
    rows: msgspec.Raw = msgspec.field(name="connectionHistory", default=EMPTY)


def _check_year(at: datetime) -> None:
    if at.year not in YEARS:
        raise ValueError("a time that cannot be")


class _Attribute(msgspec.Struct, gc=False):
    key: str
    value: str | int


_ATTRIBUTE = msgspec.json.Decoder(_Attribute)


class Wanted:
    """The one attribute that is read of a list of them."""

    def __init__(self, key: str) -> None:
        self._key = key
        self._quoted = f'"{key}"'.encode()  # inside a value its quotes would be escaped

    def read(self, attributes: msgspec.Raw) -> str | None:
        """Its value, trimmed. None: it is not there, or is neither text nor a number."""
        text = bytes(attributes)
        at = text.find(self._quoted)
        while at >= 0:
            if (value := self._value(text, at)) is not None:
                return decoding.text(value)
            at = text.find(self._quoted, at + 1)
        return None

    def _value(self, text: bytes, at: int) -> str | int | None:
        """The value of the attribute that is written around ``at``, if that is the one."""
        try:
            attribute = _ATTRIBUTE.decode(text[text.rfind(b"{", 0, at) : text.find(b"}", at) + 1])
        except msgspec.MsgspecError:
            return None
        return attribute.value if attribute.key == self._key else None


DEVICE_ID = Wanted("DeviceId")
EVENT = Wanted("Event")
