"""An iCalendar file: days off, half days, first and last days of school, by the titles of its events."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from service import errors
from service.imports import calendar_words, calendars, frame, icalendar_days, outcomes
from service.imports.calendar_words import Meaning
from service.model import school_years
from service.model.calendars import DayKind, Range
from service.store import pool as pools
from service.store import program_imports, records

MOST_DAYS_BACK = 2 * 366  # such a file may go back for ever


@dataclass(frozen=True, slots=True)
class Asked:
    """How an iCalendar file is read. ``first_on``, ``last_on``: of school, where its events do not tell.

    ``school``: the one (NCESSCH) whose calendar it is; None: the district's.
    """

    words: calendar_words.Words
    first_on: date | None = None
    last_on: date | None = None
    school: str | None = None


async def run(
    pool: pools.Pool,
    district_id: int,
    path: Path,
    asked: Asked,
    *,
    today: date,
    dry_run: bool = False,
) -> outcomes.Outcome:
    async with frame.opened(
        pool,
        district_id,
        "calendar",
        frame.checksum(path),
        tables=calendars.TABLES,
        today=today,
        dry_run=dry_run,
    ) as importing:
        schools = await records.school_ids(importing.connection, district_id)
        if asked.school is not None and asked.school not in schools:
            raise errors.ImportRejected(
                f"there is no school {asked.school}: import it with the schools first"
            )
        window = icalendar_days.Window(
            asked.first_on or today - timedelta(days=MOST_DAYS_BACK),
            asked.last_on or today + timedelta(days=calendars.MOST_DAYS_AHEAD),
        )
        zone = ZoneInfo(importing.district.time_zone)
        events = icalendar_days.read(path, asked.words, window, zone, importing.tally)
        starts = await program_imports.school_year_starts(importing.connection, district_id)
        ranges = _ranges(events.told, asked, starts)
        importing.warn([*_unclear(events.told), *_without_break(ranges), *_others(events.others)])
        await calendars.write(importing, schools, ranges)
    return importing.outcome


def _ranges(told: list[icalendar_days.Told], asked: Asked, starts: str) -> list[Range]:
    off = [
        Range(one.starts_on, one.ends_on, DayKind(meaning.value), asked.school)
        for one in told
        for meaning in one.meanings
        if meaning.value in set(DayKind)
    ]
    years = _years(told, asked, starts)
    if years:
        return school_years.ranges(years, off, asked.school)
    if asked.school is None or not off:
        raise errors.ImportRejected(_no_year(told))
    return off  # a school's exceptions from the district's days


def _years(told: list[icalendar_days.Told], asked: Asked, starts: str) -> list[school_years.Year]:
    """As asked, and where only one end is asked for, with the other end of that school year."""
    first_days = [one.starts_on for one in told if Meaning.FIRST_DAY in one.meanings]
    last_days = [one.ends_on for one in told if Meaning.LAST_DAY in one.meanings]
    if asked.first_on is None and asked.last_on is None:
        return school_years.years(first_days, last_days, starts=starts)
    first_days = first_days if asked.first_on is None else [asked.first_on]
    last_days = last_days if asked.last_on is None else [asked.last_on]
    return school_years.years(first_days, last_days, starts=starts)


def _no_year(told: list[icalendar_days.Told]) -> str:
    known = {meaning for one in told for meaning in one.meanings}
    lacking = [
        f"{name} ({option} DATE)"
        for meaning, name, option in (
            (Meaning.FIRST_DAY, "the first day of school", "--first"),
            (Meaning.LAST_DAY, "the last day of school", "--last"),
        )
        if meaning not in known
    ]
    what = (
        " and ".join(lacking)
        or "both the first and the last day of one school year (--first DATE, --last DATE)"
    )
    return f"no event tells {what}: give it, or the phrases that your calendar uses (--words FILE)"


def _unclear(told: list[icalendar_days.Told]) -> Iterator[outcomes.Problem]:
    """About school days, and not taken."""
    for one in sorted(told, key=lambda one: one.starts_on):
        if Meaning.UNCLEAR in one.meanings:
            reason = f"on {one.starts_on}: about school, perhaps, and not taken; put the day into a CSV file if it is"
            yield outcomes.Problem(0, "SUMMARY", reason, one.title)


def _without_break(ranges: Iterable[Range]) -> Iterator[outcomes.Problem]:
    if all(range_.kind is not DayKind.BREAK for range_ in ranges):
        yield outcomes.Problem(0, "", "no break was found: are its words in the table (--words)?")


def _others(titles: Iterable[str]) -> Iterator[outcomes.Problem]:
    """Titles may hold names: they are for the terminal only."""
    for title, count in Counter(titles).most_common():
        yield outcomes.Problem(0, "SUMMARY", f"{count:,} event(s) say nothing of school days", title)
