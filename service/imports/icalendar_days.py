"""An iCalendar file (RFC 5545): when its events are, and what their titles say of the school day."""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import icalendar
import recurring_ical_events

from service import errors
from service.imports import calendar_words, outcomes
from service.imports.calendar_words import Meaning

SUFFIXES = (".ics", ".ical")

_LARGEST = 50_000_000  # bytes
_LONGEST_TITLE = 200
_DAYS_OFF = frozenset((Meaning.BREAK, Meaning.HOLIDAY))
_SHORTEST_DAY_OFF = timedelta(hours=6)  # a shorter event is something on that day, not the day
_TOO_OFTEN = ("SECONDLY", "MINUTELY", "HOURLY")
_BROKEN = (
    ValueError,
    KeyError,
    TypeError,
    AttributeError,
    OverflowError,
)  # what the libraries raise over an event


@dataclass(frozen=True, slots=True)
class Told:
    """From ``starts_on`` to ``ends_on``, both included."""

    starts_on: date
    ends_on: date
    meanings: frozenset[Meaning]
    title: str


@dataclass(frozen=True, slots=True)
class Window:
    first_on: date
    last_on: date


@dataclass(slots=True)
class Events:
    """``others``: the titles that say nothing of school days."""

    told: list[Told] = field(default_factory=list)
    others: list[str] = field(default_factory=list)


Series = Sequence[tuple[int, icalendar.Event]]  # the events of one UID, each with its number in the file


def read(
    path: Path, words: calendar_words.Words, window: Window, zone: ZoneInfo, tally: outcomes.Tally
) -> Events:
    """Every event within the window, in the district's days. Raises ImportRejected where it is no iCalendar file."""
    found = Events()
    calendar, events = _parsed(path)
    for series in events:
        tally.rows += len(series)
        titles = [_title(event) for _, event in series]
        if not any(words.meanings(title) for title in titles):
            found.others += titles
            continue
        try:
            found.told += list(_occurrences(calendar, series, words, window, zone))
        except _BROKEN as error:
            number, _ = series[0]
            tally.reject([outcomes.Problem(number, "VEVENT", f"is not valid: {error}", titles[0])])
    return found


def _parsed(path: Path) -> tuple[icalendar.Component, list[Series]]:
    try:
        if path.stat().st_size > _LARGEST:
            raise errors.ImportRejected(
                f"{path.name} is larger than {_LARGEST:,} bytes: export the school year only"
            )
        calendar = icalendar.Calendar.from_ical(path.read_bytes())
        walked = (event for event in calendar.walk("VEVENT") if isinstance(event, icalendar.Event))
        events = list(enumerate(walked, start=1))
    except OSError as error:
        raise errors.ImportRejected(f"cannot read {path}: {error.strerror or error}") from error
    except _BROKEN as error:
        raise errors.ImportRejected(f"{path.name} is not an iCalendar file: {error}") from error
    if not events:
        raise errors.ImportRejected(f"{path.name} has no event: nothing was changed")
    by_uid = sorted(events, key=lambda numbered: _uid(*numbered))
    return calendar, [
        list(same) for _, same in itertools.groupby(by_uid, key=lambda numbered: _uid(*numbered))
    ]


def _uid(number: int, event: icalendar.Event) -> str:
    return str(event.get("UID") or f"without UID {number}")


def _title(event: icalendar.Event) -> str:
    return " ".join(str(event.get("SUMMARY") or "").split())[:_LONGEST_TITLE]


def _occurrences(
    calendar: icalendar.Component, series: Series, words: calendar_words.Words, window: Window, zone: ZoneInfo
) -> Iterator[Told]:
    """The library takes a whole calendar, and one broken event in it would take all others along."""
    alone = icalendar.Calendar()
    if "X-WR-TIMEZONE" in calendar:
        alone["X-WR-TIMEZONE"] = calendar["X-WR-TIMEZONE"]
    for _, event in series:
        _check(event)
        alone.add_component(event)
    until = window.last_on + timedelta(days=1)
    for event in recurring_ical_events.of(alone).between(window.first_on, until):
        title = _title(event)
        meanings = words.meanings(title)
        if meanings and str(event.get("STATUS", "")).upper() != "CANCELLED":
            yield _told(event, title, meanings, zone)


def _check(event: icalendar.Event) -> None:
    if event.errors:
        raise ValueError(": ".join(map(str, event.errors[0])))
    if str(event.get("RRULE", {}).get("FREQ", [""])[0]).upper() in _TOO_OFTEN:
        raise ValueError("it repeats within a day")
    starts, ends = event.get("DTSTART"), event.get("DTEND")
    if starts is None:
        raise ValueError("it has no DTSTART")
    if ends is not None and (type(starts.dt) is not type(ends.dt) or ends.dt < starts.dt):
        raise ValueError("its DTEND is before its DTSTART, or one is a day and the other an instant")


def _told(event: icalendar.Event, title: str, meanings: frozenset[Meaning], zone: ZoneInfo) -> Told:
    starts, ends = event.start, event.end
    if not isinstance(starts, datetime) or not isinstance(ends, datetime):
        return Told(starts, max(starts, ends - timedelta(days=1)), meanings, title)  # DTEND is the day after
    starts, ends = _local(starts, zone), _local(ends, zone)
    if meanings & _DAYS_OFF and ends - starts < _SHORTEST_DAY_OFF:
        meanings = frozenset((Meaning.UNCLEAR,))
    last_on = (ends - timedelta(microseconds=1)).date()
    return Told(starts.date(), max(starts.date(), last_on), meanings, title)


def _local(at: datetime, zone: ZoneInfo) -> datetime:
    """In the district's zone; a time of no zone is the district's."""
    return at.replace(tzinfo=zone) if at.tzinfo is None else at.astimezone(zone)
