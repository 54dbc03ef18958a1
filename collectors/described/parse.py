"""Turns a described platform's answers into readings. Pure: an answer and an instant in, readings out."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, TypeVar

from collectors import client, errors, readings, vocabulary
from collectors.described import description as descriptions
from collectors.described import envelopes, fields, rows, units
from collectors.described.options import Settings

COUNTER, INTERVAL = readings.UsageKind.COUNTER, readings.UsageKind.INTERVAL
CYCLE, DAY = readings.UsageSeries.CYCLE, readings.UsageSeries.DAY

Found = TypeVar("Found")


@dataclass(frozen=True)
class Lines:
    """A page of lines. ``count`` is how many rows the vendor sent; ``misfit`` what was wrong with the first bad one."""

    count: int
    sightings: list[readings.Sighting]
    rejected: list[readings.Rejection]
    unmapped: dict[str, int]
    total: int | None
    total_pages: int | None
    misfit: str | None

    def check_fit(self) -> None:
        """Raises ResponseInvalid where not a single row fits: it is the description that is wrong."""
        if self.count and not self.sightings:
            raise errors.ResponseInvalid(f"no line of the list fits the description: {self.misfit}")


class Parser:
    """Reads the lists of one account."""

    def __init__(self, settings: Settings) -> None:
        described = settings.description.lines
        paging = described.paging if isinstance(described.paging, descriptions.ByPage) else None
        words = {} if described.status is None else described.status.words
        self.name = described.rows or "lines"
        self._envelope = envelopes.Envelope(described.rows, paging)
        self._fields = fields.LineFields(described, units.unit_sizes(settings.options.megabyte_bytes))
        self._meaning = vocabulary.words(words, settings.options.statuses)

    def lines(self, answer: client.Answer, *, instant: datetime) -> Lines:
        """Read a page of lines; a bad one is rejected by itself. Raises ResponseInvalid for a bad page."""
        opened = self._envelope.open(answer)
        seen = vocabulary.States(self._meaning, instant)
        found = self._fields.rows.read(opened.rows)
        read = _Sifted.of(found, self.name, lambda row: self._sighting(row, seen, instant))
        return Lines(
            len(found),
            read.good,
            read.rejected,
            seen.unmapped,
            opened.total,
            opened.total_pages,
            read.misfit,
        )

    def doubts(self, answer: client.Answer) -> list[readings.Rejection]:
        """Name the described fields of which no row of a page says anything."""
        found = self._fields.rows.read(self._envelope.open(answer).rows)
        good = [row for row in found if not isinstance(row, str)]
        return [
            readings.Rejection(told.path, f"absent: if it is absent everywhere, correct {told.name}")
            for told in self._fields.told()
            if good and all(told.is_absent(row) for row in good)
        ]

    def _sighting(self, row: Any, seen: vocabulary.States, instant: datetime) -> readings.Sighting:
        known = self._fields
        key = known.key.of(row)
        raw = known.status.of(row)
        is_online = known.online.of(row, seen.unmapped)
        last_seen_at = known.last_seen.of(row, instant, is_online=is_online)
        used = known.cycle_usage.in_bytes(row)
        return readings.Sighting(
            key or "",
            known.mdn.of(row),
            known.iccid.of(row),
            known.imei.of(row),
            cycle_limit_bytes=known.cycle_limit.limit(row),
            usage=() if used is None else (readings.Usage(COUNTER, CYCLE, instant, used),),
            states=() if raw is None and is_online is None else (seen.read(raw, is_online),),
            last_seen_at=last_seen_at,
            last_seen_by=None if last_seen_at is None else known.last_seen.by,
        )


class UsageParser:
    """Reads the days of one line."""

    def __init__(self, described: descriptions.Usage, megabyte_bytes: int) -> None:
        self._name = described.rows or "days"
        self._envelope = envelopes.Envelope(described.rows)
        self._fields = fields.UsageFields(described, units.unit_sizes(megabyte_bytes))

    def days(
        self, answer: client.Answer, *, instant: datetime
    ) -> tuple[list[readings.Usage], list[readings.Rejection]]:
        """The days, and what was wrong with others. Raises ResponseInvalid where not a single one is good.

        A day that is not over and has no use so far is left out: it is not yet a day without use.
        """
        found = self._fields.rows.read(self._envelope.open(answer).rows)
        seen: set[datetime] = set()
        read = _Sifted.of(found, self._name, lambda row: self._day(row, seen))
        if found and not read.good:
            raise errors.ResponseInvalid(f"no day of a line fits the description: {read.misfit}")
        return [day for day in read.good if day.total_bytes or _is_over(day, instant)], read.rejected

    def _day(self, row: Any, seen: set[datetime]) -> readings.Usage:
        starts_at, used = self._fields.day.of(row), self._fields.amount.in_bytes(row)
        if starts_at is None or used is None:
            raise TypeError("a required field was not")
        if starts_at in seen:
            raise self._fields.day.misfit("a day that was told before")
        seen.add(starts_at)
        return readings.Usage(INTERVAL, DAY, starts_at, used, starts_at + units.ONE_DAY)


def _is_over(day: readings.Usage, instant: datetime) -> bool:
    return day.ends_at is not None and day.ends_at <= instant


@dataclass
class _Sifted(Generic[Found]):
    """Rows, the good from the bad. ``misfit`` says of the first bad one what was wrong."""

    good: list[Found] = field(default_factory=list)
    rejected: list[readings.Rejection] = field(default_factory=list)
    misfit: str | None = None

    @classmethod
    def of(cls, found: Sequence[Any], name: str, read: Callable[[Any], Found]) -> "_Sifted[Found]":
        sifted = cls()
        for index, row in enumerate(found):
            if isinstance(row, str):
                sifted._reject(f"{name}[{index}]", row, row)
                continue
            try:
                sifted.good.append(read(row))
            except rows.Misfit as error:
                sifted._reject(f"{name}[{index}].{error.path}", error.reason, str(error))
        return sifted

    def _reject(self, path: str, reason: str, misfit: str) -> None:
        self.rejected.append(readings.Rejection(path, reason))
        self.misfit = self.misfit or misfit
