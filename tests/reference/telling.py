"""How sources tell of a line's life: in counters, intervals, parts of days, files; late, corrected or not at all."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from tests.reference import days, described

DAY_AND_CYCLE = "day and cycle"
DAY = "day"
CYCLE = "cycle"
INTERVALS = "intervals"
PARTS = "parts"
FILES = "files"
WAYS = (DAY_AND_CYCLE, DAY, CYCLE, INTERVALS, PARTS)
_READ_AGAIN = 4  # days of intervals that each sweep reads once more
_PART = timedelta(hours=6)


@dataclass(frozen=True)
class Frame:
    """The days that a district is described on."""

    zone: str
    first: date
    length: int

    def day(self, offset: int) -> date:
        return self.first + timedelta(days=offset)

    def at(self, offset: int, hour: int, minute: int = 0) -> datetime:
        return datetime.combine(self.day(offset), time(hour, minute), ZoneInfo(self.zone)).astimezone(UTC)


@dataclass(frozen=True)
class Source:
    account: described.Account
    way: str
    hours: tuple[int, ...]
    minute: int = 0
    blind: tuple[tuple[int, int], ...] = ()  # from which day, for how many half days
    tells_status: bool = True
    tells_online: bool = False

    @property
    def is_sole(self) -> bool:
        return self.account.key == "carrier"


@dataclass(frozen=True)
class Life:
    levels: list[int]  # bytes of each day
    statuses: list[tuple[str, str | None]]
    signals: float | None = None
    samples: int = 0
    evenings_off: int = 0  # of each four samples
    first_day: int = 0  # from when on sources tell of it
    reset_on: int | None = None
    late: list[tuple[int, int]] = field(default_factory=list)  # a day's readings, so many days later
    corrected: list[tuple[int, int, int]] = field(default_factory=list)  # a day's last reading, told anew
    file_days: int = 7


@dataclass(frozen=True)
class Told:
    usage: tuple[described.Usage, ...] = ()
    states: tuple[described.State, ...] = ()
    signals: tuple[described.Signal, ...] = ()
    spans: tuple[described.FileSpan, ...] = ()


def polls(frame: Frame, source: Source) -> list[tuple[int, datetime]]:
    """When the source was read, with the day's number."""
    return [
        (offset, at)
        for offset in range(frame.length)
        for hour in source.hours
        if not _is_blind(source, offset, hour)
        for at in [frame.at(offset, hour, source.minute)]
    ]


def _is_blind(source: Source, offset: int, hour: int) -> bool:
    halves = offset * 2 + hour // 12
    return any(first * 2 <= halves < first * 2 + length for first, length in source.blind)


def gaps(frame: Frame, source: Source) -> Iterator[described.Gap]:
    for (_, before), (_, at) in pairwise(polls(frame, source)):
        if at - before > 2 * source.account.cadence:
            yield described.Gap(source.account.key, before, at)


def tell(frame: Frame, source: Source, line: described.Line, life: Life) -> Told:
    if source.way == FILES:
        return Told(spans=tuple(_files(frame, source, line, life)))
    read = [(offset, at) for offset, at in polls(frame, source) if offset >= life.first_day]
    usage = list(_usage(frame, source, line, life, read))
    return Told(
        usage=(
            *(usage if source.way == PARTS else _late(life, frame, usage)),
            *_corrections(frame, life, usage),
        ),
        states=tuple(_states(source, line, life, read)),
        signals=tuple(_signals(source, line, life, read)),
    )


def _moments(frame: Frame, life: Life) -> list[tuple[datetime, int]]:
    """When bytes moved: a third in the morning, the rest in the evening."""
    return [
        moment
        for offset, level in enumerate(life.levels)
        for moment in ((frame.at(offset, 7, 30), level // 3), (frame.at(offset, 18, 30), level - level // 3))
    ]


def _usage(
    frame: Frame, source: Source, line: described.Line, life: Life, read: list[tuple[int, datetime]]
) -> Iterator[described.Usage]:
    moments = _moments(frame, life)
    tellers = {
        DAY_AND_CYCLE: (_day_total, _cycle_total),
        DAY: (_day_total,),
        CYCLE: (_cycle_total,),
        INTERVALS: (),
        PARTS: (),
    }[source.way]
    for _, at in read:
        for teller in tellers:
            yield teller(frame, source, line, life, moments, at)
    if source.way == INTERVALS:
        yield from _intervals(source, line, moments, read)
    if source.way == PARTS:
        yield from _parts(source, line, moments, read)


def _day_total(
    frame: Frame,
    source: Source,
    line: described.Line,
    life: Life,
    moments: list[tuple[datetime, int]],
    at: datetime,
) -> described.Usage:
    since = days.start(days.of(at, source.account.zone), source.account.zone)
    return _counter(source, line, "day", at, _sum(moments, since, at))


def _cycle_total(
    frame: Frame,
    source: Source,
    line: described.Line,
    life: Life,
    moments: list[tuple[datetime, int]],
    at: datetime,
) -> described.Usage:
    since = days.start(days.cycle_start(days.of(at, source.account.zone), 1), source.account.zone)
    if life.reset_on is not None and frame.at(life.reset_on, 12) <= at:
        since = max(since, frame.at(life.reset_on, 12))
    return _counter(source, line, "cycle", at, _sum(moments, since, at))


def _counter(source: Source, line: described.Line, series: str, at: datetime, total: int) -> described.Usage:
    return described.Usage(line.number, source.account.key, "counter", series, at, total, at)


def _sum(moments: list[tuple[datetime, int]], since: datetime, until: datetime) -> int:
    return sum(used for at, used in moments if since <= at < until)


def _intervals(
    source: Source,
    line: described.Line,
    moments: list[tuple[datetime, int]],
    read: list[tuple[int, datetime]],
) -> Iterator[described.Usage]:
    """Each sweep reads the last days once more: their figures grow until they are complete."""
    zone, lag = source.account.zone, timedelta(days=source.account.lag_days)
    last_of_day = dict(read)
    for at in last_of_day.values():
        today = days.of(at, zone)
        for day in days.between(today - timedelta(days=_READ_AGAIN), today):
            starts, ends = days.start(day, zone), days.end(day, zone)
            if ends + timedelta(days=40) < read[0][1]:
                continue
            total = _sum(moments, starts, min(ends, at - lag))
            yield described.Usage(line.number, source.account.key, "interval", "day", starts, total, at, ends)


def _parts(
    source: Source,
    line: described.Line,
    moments: list[tuple[datetime, int]],
    read: list[tuple[int, datetime]],
) -> Iterator[described.Usage]:
    """Parts of six hours, each told once it is over; a source that was not read tells all of them afterwards."""
    next_at = read[0][1].astimezone(UTC).replace(hour=0, minute=0) - _PART if read else None
    for _, at in read:
        while next_at is not None and next_at + _PART <= at:
            ends = next_at + _PART
            total = _sum(moments, next_at, ends)
            yield described.Usage(
                line.number, source.account.key, "interval", "part", next_at, total, at, ends
            )
            next_at = ends


def _late(life: Life, frame: Frame, usage: list[described.Usage]) -> Iterator[described.Usage]:
    """Some days' readings are stored only days after they were read."""
    delays = {frame.first + timedelta(days=offset): delay for offset, delay in life.late}
    for use in usage:
        delay = delays.get(days.of(use.told_at, frame.zone), 0)
        if delay:
            fields = {**vars(use), "told_at": use.told_at + timedelta(days=delay)}
            yield described.Usage(**fields)
        else:
            yield use


def _corrections(frame: Frame, life: Life, usage: list[described.Usage]) -> Iterator[described.Usage]:
    for offset, delay, total in life.corrected:
        day = frame.first + timedelta(days=offset)
        last = max(
            (use for use in usage if days.of(use.starts_at, frame.zone) == day),
            key=lambda use: (use.starts_at, use.told_at),
            default=None,
        )
        if last:
            told_at = frame.at(offset, 12) + timedelta(days=delay + 10, seconds=offset)
            yield described.Usage(**{**vars(last), "total_bytes": total, "told_at": told_at})


def _states(
    source: Source, line: described.Line, life: Life, read: list[tuple[int, datetime]]
) -> Iterator[described.State]:
    for number, (offset, at) in enumerate(read):
        status, by = life.statuses[offset] if source.tells_status else (None, None)
        is_online = number % 4 >= life.evenings_off if source.tells_online else None
        yield described.State(line.number, source.account.key, at, at, status, by, is_online)


def _signals(
    source: Source, line: described.Line, life: Life, read: list[tuple[int, datetime]]
) -> Iterator[described.Signal]:
    if life.signals is None:
        return
    for _, at in read:
        for number in range(life.samples):
            sampled = at + timedelta(minutes=5 * number)
            strength = life.signals + (number % 3 - 1)
            yield described.Signal(line.number, source.account.key, sampled, sampled, strength)


def _files(frame: Frame, source: Source, line: described.Line, life: Life) -> Iterator[described.FileSpan]:
    """A portal's figure of each period, told two days after its end."""
    offset = life.first_day - life.file_days
    while offset + life.file_days < frame.length - 2:
        first = frame.first + timedelta(days=offset)
        until = first + timedelta(days=life.file_days)
        total = sum(life.levels[max(0, offset) : max(0, offset + life.file_days)])
        told_at = days.start(until + timedelta(days=2), frame.zone)
        yield described.FileSpan(line.number, source.account.key, first, until, total, told_at)
        offset += life.file_days
