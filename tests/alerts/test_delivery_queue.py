"""Flips become notifications: who is told, together with what, and when."""

import asyncio
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import asyncpg
import pytest

from service.model import due_times
from tests.alerts import flipping
from tests.alerts.flipping import NOW, flip, queued, route, waiting

IT, COORDINATOR = route("it-mail", "it"), route("office", "coordinator")
TEACHERS = route("teachers", "school")


async def due_of(pool: asyncpg.Pool) -> datetime:
    at: datetime = await pool.fetchval("SELECT due_at FROM notifications")
    return at


async def test_a_flip_reaches_the_channels_of_its_rules_owner(pool: asyncpg.Pool) -> None:
    await flipping.district(pool)
    await flip(pool)
    found = await queued(pool, [IT, COORDINATOR, route("second", "coordinator", "finance")])
    assert (found.flips, found.told, found.notifications) == (1, 1, 2)
    assert await waiting(pool) == [("office", "rule:idle_30", 1), ("second", "rule:idle_30", 1)]


async def test_sixty_alerts_of_a_rule_are_one_notification(pool: asyncpg.Pool) -> None:
    await flipping.district(pool)
    for number in range(60):
        await flip(pool, subject=f"loan:{number}")
    await queued(pool, [COORDINATOR])
    assert await waiting(pool) == [("office", "rule:idle_30", 60)]


async def test_what_comes_a_little_later_joins_what_still_waits(pool: asyncpg.Pool) -> None:
    await flipping.district(pool)
    await flip(pool)
    await queued(pool, [COORDINATOR])
    await flip(pool, subject="loan:2", at=NOW + timedelta(minutes=1))
    found = await queued(pool, [COORDINATOR], now=NOW + timedelta(minutes=1))
    assert (found.told, found.notifications) == (1, 0)
    assert await waiting(pool) == [("office", "rule:idle_30", 2)]
    assert await due_of(pool) == NOW + timedelta(minutes=2)


async def test_nothing_joins_a_message_that_was_tried(pool: asyncpg.Pool) -> None:
    await flipping.district(pool)
    await flip(pool)
    await queued(pool, [COORDINATOR])
    await pool.execute("UPDATE notifications SET attempts = 1")
    await flip(pool, subject="loan:2")
    await queued(pool, [COORDINATOR])
    assert await waiting(pool) == [("office", "rule:idle_30", 1), ("office", "rule:idle_30", 1)]


async def test_a_flip_is_queued_once(pool: asyncpg.Pool) -> None:
    await flipping.district(pool)
    await flip(pool)
    await queued(pool, [COORDINATOR])
    assert (await queued(pool, [COORDINATOR])).flips == 0
    assert await pool.fetchval("SELECT count(*) FROM notifications") == 1
    assert await pool.fetchval("SELECT processed_at FROM flips") == NOW


async def test_two_processes_that_queue_make_one_notification_of_a_flip(pool: asyncpg.Pool) -> None:
    await flipping.district(pool)
    for number in range(200):
        await flip(pool, subject=f"loan:{number}")
    await asyncio.gather(*(queued(pool, [COORDINATOR]) for _ in range(4)))
    await queued(pool, [COORDINATOR])
    assert sum(flips for _, _, flips in await waiting(pool)) == 200


async def test_a_teacher_is_told_of_the_own_school_alone(pool: asyncpg.Pool) -> None:
    await flipping.district(pool)
    first = await flipping.school(pool, 1, "Lincoln")
    second = await flipping.school(pool, 2, "Grant")
    await flip(pool, subject="loan:1", school_id=first)
    await flip(pool, subject="loan:2", school_id=second)
    await queued(
        pool,
        [
            route("lincoln", "school", schools=("410192000001",)),
            route("grant", "school", schools=("410192000002",)),
        ],
        rules=[flipping.rule(owner="school")],
    )
    assert await waiting(pool) == [
        ("lincoln", f"rule:idle_30@{first}", 1),
        ("grant", f"rule:idle_30@{second}", 1),
    ]


async def test_a_channel_of_every_school_gets_one_message_for_each(pool: asyncpg.Pool) -> None:
    await flipping.district(pool)
    schools = [await flipping.school(pool, number, f"School {number}") for number in (1, 2)]
    for number in range(4):
        await flip(pool, subject=f"loan:{number}", school_id=schools[number % 2])
    await queued(pool, [TEACHERS], rules=[flipping.rule(owner="school")])
    assert await waiting(pool) == [(TEACHERS.key, f"rule:idle_30@{school}", 2) for school in schools]


async def test_where_a_school_has_no_channel_the_coordinator_is_told(pool: asyncpg.Pool) -> None:
    await flipping.district(pool)
    school_id = await flipping.school(pool, 2, "Grant")
    await flip(pool, school_id=school_id)
    lincoln = route("lincoln", "school", schools=("410192000001",))
    await queued(pool, [lincoln, COORDINATOR, IT], rules=[flipping.rule(owner="school")])
    assert await waiting(pool) == [("office", "rule:idle_30", 1)]


async def test_a_schools_rule_about_no_school_goes_to_the_coordinator(pool: asyncpg.Pool) -> None:
    await flipping.district(pool)
    await flip(pool)
    await queued(pool, [TEACHERS, COORDINATOR], rules=[flipping.rule(owner="school")])
    assert await waiting(pool) == [("office", "rule:idle_30", 1)]


async def test_where_there_is_no_coordinator_it_is_told_and_finance_never_stands_in(
    pool: asyncpg.Pool,
) -> None:
    await flipping.district(pool)
    await flip(pool)
    await queued(pool, [IT, route("money", "finance")])
    assert await waiting(pool) == [("it-mail", "rule:idle_30", 1)]


async def test_a_channel_is_not_told_what_is_less_severe_than_it_asks_for(pool: asyncpg.Pool) -> None:
    await flipping.district(pool)
    await flip(pool, subject="loan:1", severity="warning")
    await flip(pool, subject="loan:2", severity="high")
    await queued(pool, [route("office", "coordinator", least_severity="high")])
    assert await waiting(pool) == [("office", "rule:idle_30", 1)]


async def test_where_the_owner_asks_for_less_nobody_else_is_told_instead(pool: asyncpg.Pool) -> None:
    await flipping.district(pool)
    await flip(pool, severity="info")
    found = await queued(pool, [route("office", "coordinator", least_severity="high"), IT])
    assert (found.flips, found.told) == (1, 0)


async def test_an_escalated_alert_reaches_the_coordinator_and_it_as_well(pool: asyncpg.Pool) -> None:
    await flipping.district(pool)
    school_id = await flipping.school(pool, 1, "Lincoln")
    await flip(pool, "escalated", school_id=school_id)
    await queued(pool, [TEACHERS, COORDINATOR, IT], rules=[flipping.rule(owner="school", urgency="weekly")])
    told = {key for key, _, _ in await waiting(pool)}
    assert told == {"teachers", "office", "it-mail"}
    assert {row["due_at"] for row in await pool.fetch("SELECT due_at FROM notifications")} == {
        NOW + timedelta(minutes=2)
    }


async def test_a_channel_that_fails_is_told_on_the_others_of_it(pool: asyncpg.Pool) -> None:
    await flipping.district(pool)
    failing = flipping.rule("channel_failing", owner="it", about="service")
    await flip(pool, subject="channel:it-mail", rule="channel_failing")
    await queued(pool, [IT, route("it-chat", "it"), COORDINATOR], rules=[failing])
    assert await waiting(pool) == [("it-chat", "rule:channel_failing", 1)]


async def test_the_only_channel_of_it_that_fails_is_told_on_any_other(pool: asyncpg.Pool) -> None:
    await flipping.district(pool)
    failing = flipping.rule("channel_failing", owner="it", about="service")
    await flip(pool, subject="channel:it-mail", rule="channel_failing")
    await queued(pool, [IT, route("money", "finance")], rules=[failing])
    assert await waiting(pool) == [("money", "rule:channel_failing", 1)]


async def test_an_end_is_told_where_the_beginning_was(pool: asyncpg.Pool) -> None:
    await flipping.district(pool)
    await flip(pool)
    await queued(pool, [COORDINATOR])
    await pool.execute("UPDATE notifications SET state = 'sent', attempts = 1")
    await flip(pool, "cleared", at=NOW + timedelta(hours=1))
    late = route("new", "coordinator")
    await queued(pool, [COORDINATOR, late], now=NOW + timedelta(hours=1))
    assert await waiting(pool) == [("office", "rule:idle_30", 1), ("office", "rule:idle_30", 1)]


async def test_the_end_of_what_nobody_was_told_is_not_told(pool: asyncpg.Pool) -> None:
    await flipping.district(pool)
    await flip(pool)
    await queued(pool, [])  # no channel yet
    await flip(pool, "cleared")
    found = await queued(pool, [COORDINATOR])
    assert (found.flips, found.told) == (1, 0)


async def test_the_end_of_an_earlier_time_is_not_the_end_of_this_one(pool: asyncpg.Pool) -> None:
    """It was told of in October, not in November, when the channel asked for more severe ones alone."""
    await flipping.district(pool)
    for kind in ("fired", "cleared"):
        await flip(pool, kind)
        await queued(pool, [COORDINATOR])
    for kind in ("fired", "cleared"):
        await flip(pool, kind)
    found = await queued(pool, [route("office", "coordinator", least_severity="critical")])
    assert (found.flips, found.told) == (2, 0)


async def test_what_a_graver_rule_takes_over_is_not_told_as_over(pool: asyncpg.Pool) -> None:
    await flipping.district(pool)
    await flip(pool)
    await queued(pool, [COORDINATOR])
    await flip(pool, "cleared", reason="taken_over")
    found = await queued(pool, [COORDINATOR])
    assert (found.flips, found.told) == (1, 0)


@pytest.mark.parametrize("kind", ["acknowledged", "unacknowledged", "snoozed"])
async def test_what_people_do_is_no_news_to_them(pool: asyncpg.Pool, kind: str) -> None:
    await flipping.district(pool)
    await flip(pool, kind, actor="it")
    found = await queued(pool, [COORDINATOR])
    assert (found.flips, found.told) == (1, 0)


async def test_the_end_of_a_snooze_is_told_unless_somebody_ended_it(pool: asyncpg.Pool) -> None:
    await flipping.district(pool)
    await flip(pool, "woken", subject="loan:1")
    await flip(pool, "woken", subject="loan:2", actor="coordinator")
    assert (await queued(pool, [COORDINATOR])).told == 1


async def test_what_comes_and_goes_is_told_when_it_is_held_back(pool: asyncpg.Pool) -> None:
    await flipping.district(pool)
    await flip(pool, "held")
    assert (await queued(pool, [COORDINATOR])).told == 1


@pytest.mark.parametrize(
    ("urgency", "digest", "topic", "local"),
    [
        ("now", "rule", "rule:idle_30", "2026-11-18 12:02"),
        ("daily", "rule", "digest:daily", "2026-11-19 07:00"),
        ("weekly", "rule", "digest:weekly", "2026-11-23 07:00"),
        ("weekly", "none", "rule:idle_30", "2026-11-18 12:02"),
        ("now", "daily", "digest:daily", "2026-11-19 07:00"),
        ("daily", "weekly", "digest:weekly", "2026-11-23 07:00"),
    ],
)
async def test_the_rule_or_the_channel_says_how_soon(
    pool: asyncpg.Pool, urgency: str, digest: str, topic: str, local: str
) -> None:
    await flipping.district(pool)
    await flip(pool)
    channel = route("office", "coordinator", digest=digest)
    await queued(pool, [channel], rules=[flipping.rule(urgency=urgency)])
    assert await waiting(pool) == [("office", topic, 1)]
    assert (await due_of(pool)).astimezone(ZoneInfo(flipping.ZONE)) == at(local)


async def test_what_is_critical_and_urgent_waits_for_no_digest(pool: asyncpg.Pool) -> None:
    await flipping.district(pool)
    await flip(pool, severity="critical")
    await queued(pool, [route("office", "coordinator", digest="weekly")])
    assert await due_of(pool) == NOW + timedelta(minutes=2)


async def test_what_is_critical_leaves_as_soon_as_its_rule_says(pool: asyncpg.Pool) -> None:
    await flipping.district(pool)
    await flip(pool, severity="critical")
    channel = route("office", "coordinator", digest="weekly")
    await queued(pool, [channel], rules=[flipping.rule(urgency="daily")])
    assert [topic for _, topic, _ in await waiting(pool)] == ["digest:daily"]


async def test_what_was_held_back_and_is_over_is_told_where_that_was_told(pool: asyncpg.Pool) -> None:
    await flipping.district(pool)
    await flip(pool, "held")
    await queued(pool, [COORDINATOR])
    await flip(pool, "released", reason="steady_clear", old_state="held", new_state="clear")
    assert (await queued(pool, [COORDINATOR, route("second", "coordinator")])).told == 1
    assert await waiting(pool) == [("office", "rule:idle_30", 2)]


async def test_a_weekly_digest_is_one_for_each_school_of_a_teacher(pool: asyncpg.Pool) -> None:
    await flipping.district(pool)
    schools = [await flipping.school(pool, number, f"School {number}") for number in (1, 2)]
    for number, school_id in enumerate(schools):
        await flip(pool, subject=f"loan:{number}", school_id=school_id)
    await queued(pool, [TEACHERS], rules=[flipping.rule(owner="school", urgency="weekly")])
    assert [topic for _, topic, _ in await waiting(pool)] == [f"digest:weekly@{school}" for school in schools]


async def test_in_quiet_hours_only_what_is_critical_leaves(pool: asyncpg.Pool) -> None:
    await flipping.district(pool)
    night = at("2026-11-18 23:00").astimezone(UTC)
    await flip(pool, subject="loan:1", at=night)
    await flip(pool, subject="loan:2", rule="outage", severity="critical", at=night)
    await queued(
        pool, [COORDINATOR], rules=[flipping.rule(), flipping.rule("outage", severity="critical")], now=night
    )
    rows = await pool.fetch("SELECT topic, due_at FROM notifications ORDER BY topic")
    assert [(row["topic"], row["due_at"]) for row in rows] == [
        ("rule:idle_30", at("2026-11-19 07:00")),
        ("rule:outage", night + timedelta(minutes=2)),
    ]


async def test_what_is_critical_takes_what_waits_with_it_along(pool: asyncpg.Pool) -> None:
    await flipping.district(pool)
    night = at("2026-11-18 23:00").astimezone(UTC)
    await flip(pool, at=night)
    await queued(pool, [COORDINATOR], now=night)
    await flip(pool, subject="loan:2", severity="critical", at=night)
    await queued(pool, [COORDINATOR], now=night)
    assert await waiting(pool) == [("office", "rule:idle_30", 2)]
    assert await due_of(pool) == night + timedelta(minutes=2)


# How soon


ZONE = ZoneInfo(flipping.ZONE)


def at(local: str) -> datetime:
    return datetime.fromisoformat(local).replace(tzinfo=ZONE)


def due(local: str, **timing: object) -> due_times.Due:
    now = at(local).astimezone(UTC)
    return due_times.due(due_times.Timing(**timing), now=now, zone=ZONE)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("now", "daily"),
    [
        ("2026-03-07 08:00", "2026-03-08T11:00:00+00:00"),  # the clocks go forward: 07:00 is an hour sooner
        ("2026-03-08 06:59", "2026-03-08T11:00:00+00:00"),
        ("2026-03-08 07:00", "2026-03-09T11:00:00+00:00"),
        ("2026-10-31 08:00", "2026-11-01T12:00:00+00:00"),  # and back
        ("2026-11-01 08:00", "2026-11-02T12:00:00+00:00"),
    ],
)
def test_a_digest_keeps_its_time_on_the_wall_when_the_clocks_change(now: str, daily: str) -> None:
    assert due(now).daily == datetime.fromisoformat(daily)


def test_a_digest_at_a_time_that_a_change_of_the_clock_leaves_out_is_an_hour_later_by_the_wall() -> None:
    found = due("2026-03-07 12:00", digest_at=time(2, 30), quiet_starts=time(0), quiet_ends=time(0))
    assert found.daily.astimezone(ZONE) == at("2026-03-08 03:30")


def test_a_digest_at_a_time_that_comes_twice_leaves_the_first_time_and_once() -> None:
    quiet = {"quiet_starts": time(0), "quiet_ends": time(0)}
    first = due("2026-10-31 12:00", digest_at=time(1, 30), **quiet).daily
    assert first == datetime(2026, 11, 1, 5, 30, tzinfo=UTC)
    again = due_times.due(
        due_times.Timing(digest_at=time(1, 30), quiet_starts=time(0), quiet_ends=time(0)),
        now=first + timedelta(minutes=1),
        zone=ZONE,
    )
    assert again.daily == datetime(2026, 11, 2, 6, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("now", "leaves"),
    [
        ("2026-03-07 23:00", "2026-03-08T11:00:00+00:00"),  # a night of an hour less
        ("2026-10-31 23:00", "2026-11-01T12:00:00+00:00"),  # and of an hour more
        ("2026-11-18 19:59", "2026-11-19T12:00:00+00:00"),  # two minutes later it is quiet
        ("2026-11-18 06:59", "2026-11-18T12:01:00+00:00"),
        ("2026-11-18 12:00", "2026-11-18T17:02:00+00:00"),
    ],
)
def test_what_comes_in_quiet_hours_leaves_when_they_end_by_the_wall(now: str, leaves: str) -> None:
    assert due(now).now == datetime.fromisoformat(leaves)


def test_quiet_hours_within_a_day_end_on_it() -> None:
    found = due("2026-11-18 12:30", quiet_starts=time(12), quiet_ends=time(14))
    assert found.now.astimezone(ZONE) == at("2026-11-18 14:00")


def test_equal_ends_are_no_quiet_hours() -> None:
    now = "2026-11-18 23:00"
    found = due(now, quiet_starts=time(7), quiet_ends=time(7))
    assert found.now == at(now) + timedelta(minutes=2)


def test_a_digest_within_quiet_hours_waits_until_they_end() -> None:
    assert due("2026-11-18 12:00", digest_at=time(5)).daily.astimezone(ZONE) == at("2026-11-19 07:00")


def test_the_weekly_digest_is_on_its_day() -> None:
    assert due("2026-11-23 06:00").weekly.astimezone(ZONE) == at("2026-11-23 07:00")
    assert due("2026-11-23 08:00").weekly.astimezone(ZONE) == at("2026-11-30 07:00")
    assert due("2026-11-23 08:00", digest_on="friday").weekly.astimezone(ZONE) == at("2026-11-27 07:00")
