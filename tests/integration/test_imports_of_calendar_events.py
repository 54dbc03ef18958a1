"""A school calendar that comes as an iCalendar file."""

from datetime import date, timedelta
from pathlib import Path

import asyncpg
import pytest

from service import errors
from service.imports import calendar_events, calendar_words, outcomes, undoing
from tests import factories, files

TODAY = date(2026, 10, 15)
DISTRICT_ICS = Path(__file__).parents[1] / "fixtures" / "icalendar" / "district.ics"
CEDAR = "410192000001"
ENGLISH = calendar_words.load(calendar_words.SHIPPED)
FIRST, LAST = date(2026, 9, 1), date(2026, 9, 30)


@pytest.fixture
async def district(pool: asyncpg.Pool) -> int:
    return await factories.district(pool)


async def imported(
    pool: asyncpg.Pool,
    path: Path = DISTRICT_ICS,
    *,
    first_on: date | None = None,
    last_on: date | None = None,
    school: str | None = None,
    words: calendar_words.Words = ENGLISH,
    dry_run: bool = False,
) -> outcomes.Outcome:
    asked = calendar_events.Asked(words, first_on, last_on, school)
    return await calendar_events.run(pool, factories.DISTRICT, path, asked, today=TODAY, dry_run=dry_run)


async def days(pool: asyncpg.Pool, kind: str) -> set[date]:
    found = await pool.fetch("SELECT on_day FROM calendar_days WHERE kind = $1", kind)
    return {row["on_day"] for row in found}


def between(first: date, last: date) -> set[date]:
    return {first + timedelta(days=number) for number in range((last - first).days + 1)}


def calendar(folder: Path, *events: str) -> Path:
    """A file of events, each as lines of one string."""
    wrapped = [f"BEGIN:VEVENT\nUID:{number}\n{event}\nEND:VEVENT" for number, event in enumerate(events)]
    text = "\n".join(("BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Lab//EN", *wrapped, "END:VCALENDAR", ""))
    path = folder / "calendar.ics"
    path.write_bytes(text.replace("\n", "\r\n").encode())
    return path


def all_day(title: str, first: str, after: str | None = None) -> str:
    end = f"\nDTEND;VALUE=DATE:{after}" if after else ""
    return f"SUMMARY:{title}\nDTSTART;VALUE=DATE:{first}{end}"


async def test_a_districts_calendar_becomes_its_days(pool: asyncpg.Pool, district: int) -> None:
    await imported(pool)
    assert await days(pool, "half_day") == {
        date(2026, 9, 16),
        date(2026, 9, 23),  # the 30th is an exception, October 7 is cancelled
        date(2026, 10, 14),
        date(2027, 6, 15),
    }
    assert await days(pool, "holiday") == {date(2026, 9, 7), date(2026, 10, 9)}
    breaks = between(date(2026, 11, 23), date(2026, 11, 27)) | between(date(2026, 12, 21), date(2027, 1, 1))
    assert await days(pool, "break") == breaks
    open_days = await days(pool, "instructional")
    assert (min(open_days), max(open_days)) == (date(2026, 9, 1), date(2027, 6, 14))
    assert {date(2026, 9, 30), date(2026, 10, 7), date(2027, 1, 15)} <= open_days
    assert {day for day in open_days if day.weekday() >= 5} == {
        date(2027, 1, 30)
    }  # the one that is made up for


async def test_what_was_not_understood_is_told_and_never_kept(pool: asyncpg.Pool, district: int) -> None:
    outcome = await imported(pool)
    assert [warning.value for warning in outcome.warnings] == [
        "Winter Break photo evening",
        "No School - Elementary Conferences",
        "Presidents’ Day",
        "Spring Break begins",
        "Board Meeting",
        "Recital of Jamie Example",
    ]
    assert [(problem.column, problem.value) for problem in outcome.problems] == [("VEVENT", "No School")]
    assert "DTEND is before" in outcome.problems[0].reason
    kept = "\n".join((await files.contents(pool)).values())
    assert "Jamie" not in kept
    assert "Winter" not in kept


async def test_the_same_file_again_changes_nothing_and_undo_puts_all_back(
    pool: asyncpg.Pool, district: int
) -> None:
    first = await imported(pool)
    before = await files.contents(pool, without=["imports"])
    again = await imported(pool)
    assert first.added > 200
    assert (again.added, again.changed, again.removed) == (0, 0, 0)
    assert await files.contents(pool, without=["imports"]) == before
    await undoing.run(pool, district, "calendar", today=TODAY)
    assert await pool.fetchval("SELECT count(*) FROM calendar_days") == 0


async def test_a_dry_run_keeps_nothing(pool: asyncpg.Pool, district: int) -> None:
    before = await files.contents(pool)
    dry = await imported(pool, dry_run=True)
    assert dry.added > 200
    assert await files.contents(pool) == before


async def test_a_calendar_without_ends_names_the_options(
    pool: asyncpg.Pool, district: int, tmp_path: Path
) -> None:
    path = calendar(tmp_path, all_day("Winter Break", "20261221", "20270102"))
    with pytest.raises(errors.ImportRejected, match=r"--first DATE.*--last DATE.*--words FILE"):
        await imported(pool, path)
    assert await pool.fetchval("SELECT count(*) FROM imports") == 0


async def test_the_ends_may_be_given_and_bound_what_is_taken(
    pool: asyncpg.Pool, district: int, tmp_path: Path
) -> None:
    path = calendar(tmp_path, all_day("Fall Break", "20260928", "20261003"), all_day("No School", "20260801"))
    await imported(pool, path, first_on=FIRST, last_on=LAST)
    assert await days(pool, "break") == between(date(2026, 9, 28), LAST)
    assert await days(pool, "holiday") == set()


async def test_one_end_may_be_given_and_the_other_told(
    pool: asyncpg.Pool, district: int, tmp_path: Path
) -> None:
    path = calendar(
        tmp_path, all_day("Last day of school", "20270611"), all_day("Last day of school", "20260612")
    )
    await imported(pool, path, first_on=FIRST)
    bounds = await pool.fetchrow("SELECT min(on_day), max(on_day) FROM calendar_days")
    assert tuple(bounds) == (FIRST, date(2027, 6, 11))


async def test_an_end_that_is_no_later_day_lasts_one_day(
    pool: asyncpg.Pool, district: int, tmp_path: Path
) -> None:
    path = calendar(tmp_path, all_day("No School", "20260907", "20260907"))
    await imported(pool, path, first_on=FIRST, last_on=LAST)
    assert await days(pool, "holiday") == {date(2026, 9, 7)}


@pytest.mark.parametrize(
    "when",
    [
        "DTSTART:20260911T070000Z\nDTEND:20260912T065900Z",  # midnight to midnight in Los Angeles
        "DTSTART;TZID=America/New_York:20260911T090000\nDTEND;TZID=America/New_York:20260911T180000",
        "DTSTART:20260911T000000\nDTEND:20260912T000000",  # of no zone: the district's
    ],
)
async def test_a_timed_event_is_of_the_districts_day(
    pool: asyncpg.Pool, district: int, tmp_path: Path, when: str
) -> None:
    path = calendar(tmp_path, f"SUMMARY:No School\n{when}")
    await imported(pool, path, first_on=FIRST, last_on=LAST)
    assert await days(pool, "holiday") == {date(2026, 9, 11)}


async def test_a_schools_file_tells_where_it_differs(
    pool: asyncpg.Pool, district: int, tmp_path: Path
) -> None:
    school_id = await factories.school(pool, CEDAR)
    await imported(pool)
    before = await pool.fetchval("SELECT count(*) FROM calendar_days")
    path = calendar(
        tmp_path, all_day("No School - boiler repair", "20261012", "20261014"), all_day("Recital", "20261020")
    )
    await imported(pool, path, school=CEDAR)
    found = await pool.fetch("SELECT school_id, on_day, kind FROM school_calendar_days ORDER BY on_day")
    assert [tuple(row) for row in found] == [
        (school_id, date(2026, 10, 12), "holiday"),
        (school_id, date(2026, 10, 13), "holiday"),
    ]
    assert await pool.fetchval("SELECT count(*) FROM calendar_days") == before


async def test_an_unknown_school_is_refused(pool: asyncpg.Pool, district: int) -> None:
    with pytest.raises(errors.ImportRejected, match="there is no school 410192000009"):
        await imported(pool, school="410192000009")


async def test_one_broken_event_takes_no_other_along(
    pool: asyncpg.Pool, district: int, tmp_path: Path
) -> None:
    path = calendar(
        tmp_path,
        "SUMMARY:No School",
        "SUMMARY:No School\nDTSTART;VALUE=DATE:2026-09-08",
        "SUMMARY:No School\nDTSTART;VALUE=DATE:20260909\nRRULE:FREQ=SOMETIMES",
        "SUMMARY:No School\nDTSTART:20260910T080000Z\nRRULE:FREQ=SECONDLY",
        all_day("No School", "20260911"),
    )
    outcome = await imported(pool, path, first_on=FIRST, last_on=LAST)
    assert [problem.row for problem in outcome.problems] == [1, 2, 3, 4]
    assert (outcome.accepted, outcome.rejected) == (1, 4)
    assert await days(pool, "holiday") == {date(2026, 9, 11)}


@pytest.mark.parametrize(
    "content", [b"", b"ncessch,name\n", b"\xff\xfe\x00", b"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n"]
)
async def test_what_is_no_calendar_is_refused(
    pool: asyncpg.Pool, district: int, tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "calendar.ics"
    path.write_bytes(content)
    with pytest.raises(errors.ImportRejected, match=r"calendar\.ics (is not an iCalendar file|has no event)"):
        await imported(pool, path)


async def test_a_calendar_without_a_break_is_worth_a_look(
    pool: asyncpg.Pool, district: int, tmp_path: Path
) -> None:
    path = calendar(tmp_path, all_day("No School", "20260907"))
    outcome = await imported(pool, path, first_on=FIRST, last_on=LAST)
    assert [warning.reason for warning in outcome.warnings] == [
        "no break was found: are its words in the table (--words)?"
    ]
