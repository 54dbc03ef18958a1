"""What is decoded of NetCloud's JSON. What is not named here, names, places and addresses above all, never is."""

from datetime import datetime
from typing import Annotated, Any, Protocol

import msgspec

from collectors import decoding
from collectors.netcloud import options as netcloud_options

Id = decoding.Key | int
Identifier = decoding.Identifier | int
Url = Annotated[str, msgspec.Meta(max_length=500)]
Figure = Annotated[str, msgspec.Meta(max_length=32)]  # numbers arrive as text at times


class Meta(msgspec.Struct, frozen=True, gc=False):
    next: str | None = None


class Answer(msgspec.Struct, frozen=True, gc=False):
    data: msgspec.Raw
    meta: Meta


class Router(msgspec.Struct, frozen=True, gc=False):
    id: Id | None = None
    serial_number: Identifier | None = None
    state: decoding.Word | None = None
    state_updated_at: decoding.Instant | None = None
    group: Url | None = None


class Modem(msgspec.Struct, frozen=True, gc=False):
    """A net_device that is an asset. ``router`` must be told: None is a modem that is in none."""

    id: Id
    router: Router | None
    iccid: Identifier | None = None
    imei: Identifier | None = None
    mdn: Identifier | None = None


class Metrics(msgspec.Struct, frozen=True, gc=False):
    """A net_device's latest figures. Its ``bytes_*`` count over its lifetime: the samples tell use better."""

    id: Id
    update_ts: decoding.Instant | None
    rsrp: float | Figure | None = None
    rsrq: float | Figure | None = None
    sinr: float | Figure | None = None


class UsageSample(msgspec.Struct, frozen=True, gc=False):
    """Bytes in the ``period`` (seconds) that ended at ``created_at``. None: the modem did not report.

    ``uptime`` (seconds) None: it was not connected when it was asked. Its default stands for one that is not told.
    """

    net_device: Url | int
    bytes_in: decoding.ByteCount | Figure | None
    bytes_out: decoding.ByteCount | Figure | None
    period: float | Figure | None
    created_at: decoding.Instant
    created_at_timeuuid: decoding.Identifier | None = None
    uptime: float | Figure | None = 0.0


class StateSample(Protocol):
    """A router's connection to NetCloud, under our names."""

    router: str | int
    state: str
    created_at: datetime
    key: str | None


def state_sample(names: netcloud_options.StateSampleFields) -> type[StateSample]:
    """The row of the account's field names."""
    fields: list[Any] = [
        ("router", Url | int),
        ("state", decoding.Word),
        ("created_at", decoding.Instant),
        ("key", decoding.Identifier | None, None),
    ]
    rename = {name: getattr(names, name) for name in names.__struct_fields__}
    row: Any = msgspec.defstruct("StateSample", fields, rename=rename, gc=False)
    return row  # type: ignore[no-any-return]
