"""Turns Super SIM's answers into readings. Pure: bytes and an instant in, readings out."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Annotated

import msgspec

from collectors import decoding, errors, readings, vocabulary
from collectors.super_sim import windows

STATUSES: Mapping[str, readings.LineStatus] = MappingProxyType(
    {
        "new": readings.LineStatus.PRE_ACTIVE,  # never activated: cannot connect
        "ready": readings.LineStatus.PRE_ACTIVE,  # may connect; its first use makes it active
        "active": readings.LineStatus.ACTIVE,
        "inactive": readings.LineStatus.SUSPENDED,  # switched off; the same call switches it on again
        "scheduled": readings.LineStatus.PENDING,  # a change of status is under way
    }
)
STEPS: Mapping[str, timedelta] = MappingProxyType({"day": windows.DAY, "hour": timedelta(hours=1)})
SERIES: Mapping[str, readings.UsageSeries] = MappingProxyType(
    {"day": readings.UsageSeries.DAY, "hour": readings.UsageSeries.PART}
)
SKEW = timedelta(hours=1)  # of the vendor's clock, with room to spare
YEARS = range(2000, 2100)  # a date that was never set is written as the year 1
Instant = Annotated[datetime, msgspec.Meta(tz=True)]


class Meta(msgspec.Struct, frozen=True, gc=False):
    """What an answer says of itself: where its rows are, and where the list goes on."""

    key: decoding.Key
    next_page_url: Annotated[str, msgspec.Meta(max_length=8192)] | None


class Sim(msgspec.Struct, frozen=True, gc=False):
    """A SIM. ``unique_name`` is free text, often a child's name: never decoded."""

    sid: decoding.Key
    iccid: decoding.Identifier | None = None
    status: decoding.Word | None = None
    fleet_sid: decoding.Identifier | None = None
    date_created: decoding.Word | None = None


class Period(msgspec.Struct, frozen=True, gc=False):
    start_time: Instant
    end_time: Instant


class UsageRecord(msgspec.Struct, frozen=True, gc=False):
    """Bytes of one SIM in a period. What was billed comes later, and says nothing of use."""

    sim_sid: decoding.Key
    period: Period
    data_total: decoding.ByteCount


ENVELOPES = msgspec.json.Decoder(dict[str, msgspec.Raw])
METAS = msgspec.json.Decoder(Meta)
SIMS = decoding.Rows(Sim, "sims")
USAGE_RECORDS = decoding.Rows(UsageRecord, "usage_records")


@dataclass(frozen=True)
class Sims:
    """A page of SIMs. ``created`` tells since when each is known, where the vendor says so."""

    next: str | None
    sightings: list[readings.Sighting]
    rejected: list[readings.Rejection]
    unmapped: dict[str, int] = field(default_factory=dict)
    created: dict[str, datetime] = field(default_factory=dict)

    @property
    def count(self) -> int:
        return len(self.sightings) + len(self.rejected)


@dataclass(frozen=True)
class Records:
    """A page of usage, one bare sighting for each SIM in it. ``count`` is how many records it held."""

    next: str | None
    count: int
    sightings: list[readings.Sighting]
    rejected: list[readings.Rejection]


def sims(body: bytes, *, instant: datetime, meaning: vocabulary.Meaning) -> Sims:
    """Read a page of SIMs; a bad one is rejected by itself. Raises ResponseInvalid for a bad page."""
    next_url, rows = _envelope(body)
    seen = vocabulary.States(meaning, instant)
    rejected: list[readings.Rejection] = []
    sightings = [
        readings.Sighting(
            row.sid.strip(),
            None,
            decoding.text(row.iccid),
            group_key=decoding.text(row.fleet_sid),
            states=(seen.read(row.status),),
        )
        for row in SIMS.read(rows, rejected)
    ]
    return Sims(next_url, sightings, rejected, seen.unmapped)


def names(body: bytes) -> Sims:
    """Read a page of SIMs for who they are, not for what state they are in. Raises ResponseInvalid."""
    next_url, rows = _envelope(body)
    rejected: list[readings.Rejection] = []
    read = SIMS.read(rows, rejected)
    sightings = [
        readings.Sighting(
            row.sid.strip(),
            iccid=decoding.text(row.iccid),
            group_key=decoding.text(row.fleet_sid),
        )
        for row in read
    ]
    created = {row.sid.strip(): at for row in read if (at := _instant(row.date_created)) is not None}
    return Sims(next_url, sightings, rejected, created=created)


def usage(body: bytes, *, window: windows.Window, granularity: str) -> Records:
    """Read a page of usage records, in whatever order. Raises ResponseInvalid for a bad page."""
    next_url, rows = _envelope(body)
    rejected: list[readings.Rejection] = []
    read = USAGE_RECORDS.read(rows, rejected)
    count = len(read) + len(rejected)
    bounds = _Bounds(window, granularity)
    told: dict[str, list[readings.Usage]] = {}
    for index, row in enumerate(read):
        if reason := bounds.doubt(row.period):
            rejected.append(readings.Rejection(f"usage_records[{index}].period", reason))
        else:
            told.setdefault(row.sim_sid.strip(), []).append(bounds.usage(row))
    sightings = [readings.Sighting(sid, usage=tuple(found)) for sid, found in told.items()]
    return Records(next_url, count, sightings, rejected)


def doubts(body: bytes) -> list[readings.Rejection]:
    """Name what is wrong with a page's usage records. Raises ResponseInvalid for a bad page."""
    rejected: list[readings.Rejection] = []
    USAGE_RECORDS.read(_envelope(body)[1], rejected)
    return rejected


class _Bounds:
    """Whether a record is of the time that was asked for: no month's total, nor an hour's, may pass for a day's."""

    def __init__(self, window: windows.Window, granularity: str) -> None:
        self._longest = STEPS[granularity]
        self._series = SERIES[granularity]
        # a day of grace: the vendor's clock and ours may differ, and where its days begin
        self._earliest = window.starts_at - windows.DAY
        self._latest = window.ends_at + windows.DAY
        self._is_open = window.is_open
        self._over_at = window.ends_at - SKEW  # what ends until then has ended

    def doubt(self, period: Period) -> str | None:
        if not period.start_time < period.end_time:
            return "ends before it begins"
        if period.end_time - period.start_time > self._longest:
            return "longer than asked for"
        if not self._earliest <= period.start_time <= self._latest:
            return "outside the time asked for"
        if period.end_time - period.start_time < self._longest and not self._is_under_way(period):
            return "shorter than asked for"
        return None

    def _is_under_way(self, period: Period) -> bool:
        """A day (or hour) that is not over may be told until now."""
        return self._is_open and period.start_time + self._longest > self._over_at

    def usage(self, row: UsageRecord) -> readings.Usage:
        return readings.Usage(
            readings.UsageKind.INTERVAL,
            self._series,
            row.period.start_time.astimezone(UTC),
            row.data_total,
            row.period.end_time.astimezone(UTC),
        )


def _envelope(body: bytes) -> tuple[str | None, msgspec.Raw]:
    """Return the address of the next page and the rows, under the name that the answer gives them."""
    parts = decoding.whole(ENVELOPES, body)
    if "meta" not in parts:
        raise errors.ResponseInvalid("the list has another shape than expected: meta: missing")
    meta = decoding.whole(METAS, bytes(parts["meta"]), "the list's meta")
    if meta.key not in parts:
        raise errors.ResponseInvalid(
            "the list has another shape than expected: the rows that meta.key names: missing"
        )
    return meta.next_page_url or None, parts[meta.key]


def _instant(text: str | None) -> datetime | None:
    try:
        at = None if text is None else msgspec.convert(text, Instant)
    except msgspec.ValidationError:
        return None
    return None if at is None or at.year not in YEARS else at.astimezone(UTC)
