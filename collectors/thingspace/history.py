"""Reads what a device did between two instants: at most 500 rows an answer, oldest first, 202 when there are more.

The next answer is asked for from a little before where the last one ended, so rows come twice; none is missed.
"""

import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Generic, Protocol, TypeVar

import msgspec

from collectors import base, client, decoding, readings, walking
from collectors.thingspace import options as thingspace_options
from collectors.thingspace import rows


class Timed(Protocol):
    @property
    def at(self) -> datetime: ...


Row = TypeVar("Row", bound=Timed)
Lists = rows.UsageList | rows.ConnectionList
Call = Callable[[str, str], Awaitable[client.Answer]]  # with the earliest and the latest instant


@dataclass(frozen=True)
class Kind(Generic[Row]):
    """A history: the shape of its answers, what its rows are called there, and how far answers overlap."""

    decoder: msgspec.json.Decoder[Lists]
    rows: decoding.Rows[Row]
    overlap: timedelta


# Several sources tell of one day: the day at which an answer ends is read again.
USAGE = Kind(msgspec.json.Decoder(rows.UsageList), decoding.Rows(rows.Use, "usageHistory"), timedelta(days=1))
CONNECTIONS = Kind(
    msgspec.json.Decoder(rows.ConnectionList),
    decoding.Rows(rows.Event, "connectionHistory"),
    timedelta(seconds=1),
)


def start(sweep: base.Sweep, options: thingspace_options.Options) -> datetime:
    """From when on a sweep reads: figures of days that were read before still change."""
    if sweep.since is None:
        earliest = sweep.instant - timedelta(days=options.history_days)
    else:
        earliest = min(sweep.since, sweep.instant) - timedelta(days=options.overlap_days)
    kept = sweep.instant - timedelta(days=thingspace_options.RETENTION_DAYS)
    return max(earliest, kept).astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


async def read(
    kind: Kind[Row],
    call: Call,
    earliest: datetime,
    latest: datetime,
    rejected: list[readings.Rejection],
    *,
    span: timedelta,
) -> list[Row]:
    """Every row between two instants, some of them twice; many months are asked for a ``span`` at a time."""
    found: list[Row] = []
    for begins_at, ends_at in _spans(earliest, latest, span):
        async with contextlib.aclosing(_walk(kind, call, begins_at, ends_at, rejected)) as pages:
            async for page in pages:
                found += page.page
    return found


def _walk(
    kind: Kind[Row], call: Call, earliest: datetime, latest: datetime, rejected: list[readings.Rejection]
) -> AsyncGenerator[walking.Fetched[list[Row]], None]:
    until = written(latest)

    async def fetch(at: str) -> walking.Fetched[list[Row]]:
        return _fetched(kind, await call(at, until), at, rejected)

    return walking.walk(fetch, written(earliest))


def _fetched(
    kind: Kind[Row], answer: client.Answer, at: str, rejected: list[readings.Rejection]
) -> walking.Fetched[list[Row]]:
    answered = decoding.whole(kind.decoder, answer.body, "the history")
    bad: list[readings.Rejection] = []
    is_told = bytes(answered.rows) != b"null"
    found = kind.rows.read(answered.rows, bad) if is_told else []
    rejected += bad
    has_more = answered.has_more_data or answer.status == HTTPStatus.ACCEPTED
    following = None
    if has_more:
        # An answer that does not move on asks for itself again, which the walk finds out.
        following = max(at, written(max(row.at for row in found) - kind.overlap)) if found else at
    return walking.Fetched(found, answer.body, len(found) + len(bad), following)


def _spans(earliest: datetime, latest: datetime, span: timedelta) -> Iterator[tuple[datetime, datetime]]:
    at = earliest
    while at < latest:
        yield at, min(at + span, latest)
        at += span


def written(instant: datetime) -> str:
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
