"""What is decoded of Meraki's JSON. What is not named here never is: names, notes, places, addresses, SSIDs, IPs."""

from dataclasses import dataclass
from typing import Annotated, Generic, TypeVar

import msgspec

from collectors import decoding, readings

Row = TypeVar("Row")

Identifier = decoding.Identifier | int
# Byte counts of the current cycle are strings of digits, those of the history are integers: both are taken.
Digits = Annotated[str, msgspec.Meta(pattern=r"^[0-9]{1,15}$")] | decoding.ByteCount
Number = str | float | None
Kilobytes = Annotated[float, msgspec.Meta(ge=0, le=1e12)]


class SignalStat(msgspec.Struct, frozen=True, gc=False):
    """Text such as "-104"; empty or absent without a SIM."""

    rsrp: Number = None
    rsrq: Number = None


class Uplink(msgspec.Struct, frozen=True, gc=False):
    interface: decoding.Word | None = None
    status: decoding.Word | None = None
    iccid: Identifier | None = None
    msisdn: Identifier | None = None
    signal: SignalStat | None = msgspec.field(name="signalStat", default=None)


class Gateway(msgspec.Struct, frozen=True, gc=False):
    """A gateway with its uplinks. ``reported_at`` is text, as it is empty where it never reported."""

    serial: decoding.Key
    network_id: decoding.Key | None = msgspec.field(name="networkId", default=None)
    reported_at: str | None = msgspec.field(name="lastReportedAt", default=None)
    uplinks: list[Uplink] | None = None


class Availability(msgspec.Struct, frozen=True, gc=False):
    serial: decoding.Key
    status: decoding.Word | None = None


class Device(msgspec.Struct, frozen=True, gc=False):
    """A device of the inventory."""

    serial: decoding.Key
    imei: Identifier | None = None


class Slot(msgspec.Struct, frozen=True, gc=False):
    """A SIM's running total of its current cycle, in bytes."""

    name: decoding.Key = msgspec.field(name="slot")
    is_active: bool | None = msgspec.field(name="isActive", default=None)
    total: Digits | None = None
    limit: str | int | None = None
    cycle_ends_at: str | None = msgspec.field(name="endTs", default=None)


class Slots(msgspec.Struct, frozen=True, gc=False):
    serial: decoding.Key
    by_slot: list[Slot] | None = msgspec.field(name="bySlot", default=None)


class SimBytes(msgspec.Struct, frozen=True, gc=False):
    name: decoding.Key
    total: Digits | None = None


class IntervalBytes(msgspec.Struct, frozen=True, gc=False):
    total: Digits | None = None
    by_sim: list[SimBytes] | None = msgspec.field(name="bySim", default=None)


class Interval(msgspec.Struct, frozen=True, gc=False):
    starts_at: decoding.Instant = msgspec.field(name="startTs")
    ends_at: decoding.Instant = msgspec.field(name="endTs")
    usage: IntervalBytes | None = None


class History(msgspec.Struct, frozen=True, gc=False):
    serial: decoding.Key
    intervals: list[Interval] | None = None


class Detail(msgspec.Struct, frozen=True, gc=False):
    name: str
    value: decoding.Word | None = None


class Details(msgspec.Struct, frozen=True, gc=False):
    old: list[Detail]
    new: list[Detail]


class ChangedDevice(msgspec.Struct, frozen=True, gc=False):
    serial: decoding.Key


class Change(msgspec.Struct, frozen=True, gc=False):
    """A gateway's availability turned from one word to another."""

    at: decoding.Instant = msgspec.field(name="ts")
    device: ChangedDevice
    details: Details


class Student(msgspec.Struct, frozen=True, gc=False):
    """A device of Systems Manager. The documentation gives no types for what is asked for beyond the default."""

    key: decoding.Key | int = msgspec.field(name="id")
    last_connected: Number = msgspec.field(name="lastConnected", default=None)
    iccid: Identifier | None = None
    imei: Identifier | None = None
    serial: Identifier | None = msgspec.field(name="serialNumber", default=None)


class StudentDay(msgspec.Struct, frozen=True, gc=False):
    """A day's use in kilobytes, with fractions."""

    starts_at: decoding.Instant = msgspec.field(name="ts")
    received: Kilobytes | None = None
    sent: Kilobytes | None = None


class Items(msgspec.Struct, frozen=True, gc=False):
    """The envelope that newer lists have; older ones are bare."""

    items: msgspec.Raw


ITEMS = msgspec.json.Decoder(Items)


@dataclass(frozen=True)
class Batch(Generic[Row]):
    """The rows of a page (or of several) that could be read, and what is wrong with the others."""

    rows: list[Row]
    rejected: list[readings.Rejection]

    @property
    def count(self) -> int:
        """How many rows the vendor sent."""
        return len(self.rows) + len(self.rejected)

    def __add__(self, other: "Batch[Row]") -> "Batch[Row]":
        return Batch(self.rows + other.rows, self.rejected + other.rejected)


class List(Generic[Row]):
    """Decodes the pages of one list. ``name`` is what its rows are called where one is bad."""

    def __init__(self, kind: type[Row], name: str, *, in_items: bool = False) -> None:
        self._rows = decoding.Rows(kind, name)
        self._in_items = in_items
        self._name = name

    def read(self, body: bytes) -> Batch[Row]:
        """Raises ResponseInvalid for an answer that is no list."""
        rejected: list[readings.Rejection] = []
        found: bytes | msgspec.Raw = body
        if self._in_items:
            found = decoding.whole(ITEMS, body, f"the list {self._name}").items
        return Batch(self._rows.read(found, rejected), rejected)


GATEWAYS = List(Gateway, "gateways")
AVAILABILITIES = List(Availability, "availabilities")
INVENTORY = List(Device, "inventory")
SLOTS = List(Slots, "usage", in_items=True)
HISTORY = List(History, "history", in_items=True)
CHANGES = List(Change, "changes")
STUDENTS = List(Student, "students")
STUDENT_DAYS = List(StudentDay, "student_usage")
