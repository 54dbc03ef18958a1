"""What the ThingSpace stand-in shows: the lines of a pretend account, what each used and when it was connected."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

import msgspec


class Use(msgspec.Struct, frozen=True, gc=False):
    """A day's bytes as one source tells them; ``day`` is written as it is, with its offset."""

    day: datetime
    bytes_used: int
    source: str | None = "Raw Usage"


class Event(msgspec.Struct, frozen=True, gc=False):
    """A connection that begins ("Start") or ends ("Stop")."""

    at: datetime
    word: str
    bytes_used: int = 0


class Line(msgspec.Struct, kw_only=True, gc=False):
    """One line. ``ids`` are pairs of kind and identifier, ``states`` one for each carrier.

    ``private`` goes into the extended attributes beside the DeviceId (None: the account shows none).
    """

    device_id: int | None
    ids: Sequence[tuple[str, str]]
    states: Sequence[str | None] = ("active",)
    connected: bool | None = None
    last_connection: str | None = None
    private: Mapping[str, str] = {}
    account_name: str = "0000123456-00001"
    ip_address: str = "0.0.0.0"  # noqa: S104
    activated_by: str = ""
    group_name: str = "southwest"
    custom_field: str = ""
    usage: Sequence[Use] = ()
    events: Sequence[Event] = ()

    def has(self, kind: str, identifier: str) -> bool:
        return any(kind.lower() == known.lower() and identifier == value for known, value in self.ids)


class World(Protocol):
    """Where the stand-in takes its lines from."""

    def lines(self, instant: datetime) -> Sequence[Line]:
        """Every line, in any order."""
        ...

    def line(self, kind: str, identifier: str, instant: datetime) -> Line | None:
        """The line that has the identifier, with its history."""
        ...


class StaticWorld:
    """Lines that stay as they are until someone changes them."""

    def __init__(self, rows: Iterable[Line]) -> None:
        self.rows = list(rows)

    def lines(self, instant: datetime) -> Sequence[Line]:
        return self.rows

    def line(self, kind: str, identifier: str, instant: datetime) -> Line | None:
        return next((row for row in self.rows if row.has(kind, identifier)), None)
