"""What the Super SIM stand-in shows: the SIMs of a pretend account, and what they used."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple, Protocol

import msgspec

HOUR = timedelta(hours=1)


class Sim(msgspec.Struct, kw_only=True, gc=False):
    """One SIM, under the vendor's JSON names; null where there is nothing to tell.

    ``unique_name`` is free text in which districts write children's names: the collector must never read it.
    """

    sid: str
    unique_name: str | None = None
    account_sid: str = "AC" + 32 * "0"
    iccid: str | None = None
    status: str | None = "active"
    fleet_sid: str | None = None
    date_created: datetime | None = None
    date_updated: datetime | None = None
    url: str | None = None
    links: dict[str, str] | None = None


class Traffic(NamedTuple):
    """Bytes of a SIM, or of several, in some time."""

    upload: int = 0
    download: int = 0

    def plus(self, other: "Traffic") -> "Traffic":
        return Traffic(self.upload + other.upload, self.download + other.download)


class World(Protocol):
    """Where the stand-in takes its rows from."""

    def sims(self, instant: datetime) -> Sequence[Sim]:
        """The SIMs of the account, in any order."""
        ...

    def traffic(self, sim: Sim, starts_at: datetime, ends_at: datetime) -> Traffic | None:
        """What a SIM moved in a time that ends on the hour or now; None: the vendor has no record of any."""
        ...


class StaticWorld:
    """Rows that stay as they are until someone changes them."""

    def __init__(self, sims: Iterable[Sim] = ()) -> None:
        self.rows = list(sims)
        self._hours: dict[str, dict[datetime, Traffic]] = {}

    def use(self, sid: str, at: datetime, upload: int = 0, download: int = 0) -> None:
        """Let a SIM move bytes in the hour of an instant."""
        hours = self._hours.setdefault(sid, {})
        hour = at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
        hours[hour] = hours.get(hour, Traffic()).plus(Traffic(upload, download))

    def sims(self, instant: datetime) -> Sequence[Sim]:
        return self.rows

    def traffic(self, sim: Sim, starts_at: datetime, ends_at: datetime) -> Traffic | None:
        found = None
        for hour, moved in self._hours.get(sim.sid, {}).items():
            if starts_at <= hour < ends_at:
                found = moved.plus(found or Traffic())
        return found
