"""Due notifications are sent once, tried again where that helps, and given up where it does not."""

import asyncio
import json
import logging
import re
from collections.abc import AsyncIterator
from datetime import time, timedelta
from typing import Any

import asyncpg
import pytest

from service.alerting import channels, deliver, messages, webhook
from service.model import due_times
from service.store import notifications
from service.store import pool as pools
from tests.alerts import flipping, sinks
from tests.alerts.flipping import NOW, delivered, flip, hook, mailbox, told

MINUTE = timedelta(minutes=1)
SUBJECT = "Hotspots that nobody has used for 30 days: 1 new · Northfield Schools"


@pytest.fixture
async def mails() -> AsyncIterator[sinks.MailSink]:
    async with sinks.mail_sink() as sink:
        yield sink


@pytest.fixture
async def web() -> AsyncIterator[sinks.WebSink]:
    async with sinks.web_sink() as sink:
        yield sink


@pytest.fixture(autouse=True)
async def _district(pool: asyncpg.Pool) -> None:
    await flipping.district(pool)


async def notification(pool: asyncpg.Pool, channel_key: str = "mail") -> dict[str, Any]:
    row = await pool.fetchrow("SELECT * FROM notifications WHERE channel_key = $1", channel_key)
    assert row is not None
    return dict(row)


async def channel_row(pool: asyncpg.Pool, channel_key: str = "mail") -> dict[str, Any]:
    row = await pool.fetchrow("SELECT * FROM channels WHERE channel_key = $1", channel_key)
    assert row is not None
    return dict(row)


# Once


async def test_a_flip_becomes_a_mail(pool: asyncpg.Pool, mails: sinks.MailSink) -> None:
    await flip(pool)
    outcome = await delivered(pool, told(mailbox(mails)))
    assert (outcome.sent, outcome.put_off, outcome.given_up) == (1, 0, 0)
    (mail,) = mails.mails
    assert mail["Subject"] == SUBJECT
    assert mail["From"] == "afterbell <afterbell@district.example>"
    assert mail["Auto-Submitted"] == "auto-generated"
    row = await notification(pool)
    assert (row["state"], row["attempts"], row["error"]) == ("sent", 1, None)
    assert (await channel_row(pool))["last_success_at"] == NOW + 3 * MINUTE


async def test_nothing_leaves_before_it_is_due(pool: asyncpg.Pool, mails: sinks.MailSink) -> None:
    await flip(pool)
    await delivered(pool, told(mailbox(mails)), after=MINUTE)
    assert mails.mails == []


async def test_what_was_sent_is_not_sent_again(pool: asyncpg.Pool, mails: sinks.MailSink) -> None:
    await flip(pool)
    for _ in range(3):
        await delivered(pool, told(mailbox(mails)))
    assert len(mails.mails) == 1


async def test_two_that_deliver_send_each_of_200_messages_once(
    database: str, pool: asyncpg.Pool, mails: sinks.MailSink
) -> None:
    """Each with its own pool, as processes have; a topic of its own for every flip."""
    rules = [flipping.rule(f"rule_{number}") for number in range(100)]
    for one in rules:
        await flip(pool, rule=one.name)
    district = told(mailbox(mails, "first"), mailbox(mails, "second"), rules=rules)

    async def process() -> int:
        async with pools.connected(database, size=4) as own:
            return (await delivered(own, district)).sent

    sent = await asyncio.gather(process(), process(), process())
    assert sum(sent) == len(mails.mails) == 200
    assert len({mail["Message-ID"] for mail in mails.mails}) == 200


class Killed(BaseException):
    """As a process that is killed: nothing is written down any more."""


async def test_one_killed_between_sending_and_recording_is_followed_by_one_more_with_the_same_id(
    pool: asyncpg.Pool, mails: sinks.MailSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    await flip(pool)
    district = told(mailbox(mails))

    async def killed(*_: object, **__: object) -> bool:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(notifications, "sent", killed)
        with pytest.raises(BaseExceptionGroup):
            await delivered(pool, district)
    assert (await notification(pool))["state"] == "waiting"
    await delivered(pool, district, after=4 * MINUTE)
    assert len(mails.mails) == 1, "its claim has not run out"
    for minutes in (9, 20, 60):
        await delivered(pool, district, after=minutes * MINUTE)
    first, second = mails.mails
    assert first["Message-ID"] == second["Message-ID"]
    assert sinks.text_of(first) == sinks.text_of(second)


async def test_one_who_was_slower_than_the_claim_still_records_what_was_sent(
    pool: asyncpg.Pool, mails: sinks.MailSink
) -> None:
    await flip(pool)
    await deliver.queue(pool, told(mailbox(mails)), now=NOW)
    later = NOW + 3 * MINUTE
    slow = await notifications.claim(pool, 1, now=later, lease=MINUTE)
    quick = await notifications.claim(pool, 1, now=later + 2 * MINUTE, lease=MINUTE)
    assert slow is not None
    assert quick is not None
    await notifications.sent(pool, slow, now=later)
    await notifications.not_sent(
        pool, quick, now=later, error="late", again_at=later + MINUTE, is_refused=False
    )
    assert (await notification(pool))["state"] == "sent"


async def test_one_who_was_slower_than_the_claim_puts_nothing_off(
    pool: asyncpg.Pool, mails: sinks.MailSink
) -> None:
    await flip(pool)
    await deliver.queue(pool, told(mailbox(mails)), now=NOW)
    later = NOW + 3 * MINUTE
    slow = await notifications.claim(pool, 1, now=later, lease=MINUTE)
    assert slow is not None
    assert await notifications.claim(pool, 1, now=later + 2 * MINUTE, lease=MINUTE) is not None
    await notifications.not_sent(pool, slow, now=later, error="late", again_at=None, is_refused=False)
    assert (await notification(pool))["state"] == "waiting"


async def test_a_message_id_is_of_the_flip_and_a_new_databases_is_another(
    pool: asyncpg.Pool, mails: sinks.MailSink
) -> None:
    flip_id = await flip(pool)
    await delivered(pool, told(mailbox(mails)))
    assert mails.mails[0]["Message-ID"] == f"<afterbell.1.{flip_id}.20261118T170000.mail@district.example>"


# What a recovery says


async def test_a_recovery_is_told_in_the_thread_of_its_beginning(
    pool: asyncpg.Pool, mails: sinks.MailSink, web: sinks.WebSink
) -> None:
    district = told(mailbox(mails), hook(web))
    await flip(pool)
    await delivered(pool, district)
    await flip(pool, "cleared", at=NOW + timedelta(hours=3), since=NOW - timedelta(days=1))
    await delivered(pool, district, now=NOW + timedelta(hours=3))
    fired, cleared = mails.mails
    assert (
        cleared["Subject"] == "Resolved: Hotspots that nobody has used for 30 days (1) · Northfield Schools"
    )
    assert cleared["In-Reply-To"] == cleared["References"] == fired["Message-ID"]
    assert (
        "1 resolved: from Tuesday, November 17, 2026, 12:00 PM to Wednesday, November 18" in mails.texts()[1]
    )
    assert "Nothing needs to be done." in mails.texts()[1]
    first, second = (json.loads(post.body) for post in web.posts)
    assert second["in_reply_to"] == first["id"]
    assert (first["is_resolved"], second["is_resolved"]) == (False, True)


async def test_a_recovery_of_several_messages_is_in_no_thread(
    pool: asyncpg.Pool, mails: sinks.MailSink
) -> None:
    district = told(mailbox(mails))
    for hours in (0, 1):
        await flip(pool, subject=f"loan:{hours}")
        await delivered(pool, district, now=NOW + timedelta(hours=hours))
    for hours in (0, 1):
        await flip(pool, "cleared", subject=f"loan:{hours}")
    await delivered(pool, district, now=NOW + timedelta(hours=2))
    assert len(mails.mails) == 3
    assert mails.mails[2]["In-Reply-To"] is None
    assert "2 resolved: the first since" in mails.texts()[2]


async def test_what_is_over_before_it_is_sent_is_told_as_such(
    pool: asyncpg.Pool, mails: sinks.MailSink
) -> None:
    district = told(mailbox(mails))
    await flip(pool)
    await deliver.queue(pool, district, now=NOW)
    await flip(pool, "cleared", at=NOW + MINUTE)
    await delivered(pool, district)
    (text,) = mails.texts()
    assert "1 that came and went: from Tuesday" in text
    assert mails.mails[0]["Subject"].startswith("Resolved: ")


async def test_what_is_held_back_says_so(pool: asyncpg.Pool, mails: sinks.MailSink) -> None:
    await flip(pool, "held")
    await delivered(pool, told(mailbox(mails)))
    assert "1 that comes and goes" in mails.texts()[0]
    assert "No more messages about these until they have been steady for a day." in mails.texts()[0]


# Failures


async def test_what_fails_for_now_is_tried_again_and_then_sent(
    pool: asyncpg.Pool, mails: sinks.MailSink
) -> None:
    mails.answers = ["451 later", "drop"]
    district = told(mailbox(mails))
    await flip(pool)
    assert (await delivered(pool, district)).put_off == 1
    row = await notification(pool)
    assert (row["state"], row["error"]) == ("waiting", "the mail server refused the message (451)")
    assert row["due_at"] == NOW + 4 * MINUTE
    assert (await channel_row(pool))["failing_since_at"] == NOW + 3 * MINUTE
    await delivered(pool, district, after=timedelta(minutes=3, seconds=30))
    assert len(mails.answers) == 1, "it was tried before its time"
    await delivered(pool, district, after=5 * MINUTE)
    assert (await delivered(pool, district, after=10 * MINUTE)).sent == 1
    assert (await notification(pool))["attempts"] == 3
    row = await channel_row(pool)
    assert (row["failing_since_at"], row["error"], row["is_refused"]) == (None, None, False)


async def test_after_a_day_of_tries_it_is_given_up(pool: asyncpg.Pool, mails: sinks.MailSink) -> None:
    mails.answers = ["451 later"] * 20
    district = told(mailbox(mails), timing=due_times.Timing(quiet_starts=time(0), quiet_ends=time(0)))
    await flip(pool)
    await deliver.queue(pool, district, now=NOW)
    at, outcomes = NOW, []
    while (row := await notification(pool))["state"] == "waiting":
        at = row["due_at"]
        outcomes.append(await deliver.deliver(pool, district, clock=lambda at=at: at))  # type: ignore[misc]
    assert outcomes[-1].given_up == 1
    assert row["state"] == "given_up"
    assert row["attempts"] == len(deliver.BACKOFF) + 1
    assert timedelta(hours=23) < at - NOW < timedelta(hours=25)


async def test_what_is_refused_for_good_is_given_up_at_once(
    pool: asyncpg.Pool, mails: sinks.MailSink
) -> None:
    mails.refused = {"staff@district.example": "550 5.1.1 no such user staff@district.example"}
    await flip(pool)
    assert (await delivered(pool, told(mailbox(mails)))).given_up == 1
    row = await channel_row(pool)
    assert row["error"] == "the mail server refused every recipient (550): correct the channel's to"
    assert row["is_refused"]
    assert (await notification(pool))["state"] == "given_up"


async def test_a_recipient_put_off_is_not_refused_for_good(pool: asyncpg.Pool, mails: sinks.MailSink) -> None:
    mails.refused = {"staff@district.example": "450 greylisted"}
    await flip(pool)
    assert (await delivered(pool, told(mailbox(mails)))).put_off == 1


async def test_those_who_got_it_do_not_get_it_again_for_one_who_did_not(
    pool: asyncpg.Pool, mails: sinks.MailSink
) -> None:
    mails.refused = {"gone@district.example": "550 no such user"}
    district = told(mailbox(mails, to=("here@district.example", "gone@district.example")))
    await flip(pool)
    assert (await delivered(pool, district)).sent == 1
    assert mails.recipients == [["here@district.example"]]
    error = "the mail server refused 1 of 2 recipients (550): correct the channel's to"
    assert (await notification(pool))["error"] == error
    row = await channel_row(pool)
    assert (row["error"], row["failing_since_at"]) == (error, NOW + 3 * MINUTE)


async def test_a_channel_that_fails_puts_off_all_that_waits_for_it_and_nothing_else(
    pool: asyncpg.Pool, mails: sinks.MailSink, web: sinks.WebSink
) -> None:
    rules = [flipping.rule(f"rule_{number}") for number in range(20)]
    for one in rules:
        await flip(pool, rule=one.name)
    web.statuses = [503] * 100
    outcome = await delivered(pool, told(mailbox(mails), hook(web), rules=rules))
    assert outcome.sent == len(mails.mails) == 20
    assert web.requests == 1
    due = await pool.fetch("SELECT DISTINCT due_at, attempts FROM notifications WHERE channel_key = 'hook'")
    assert {row["due_at"] for row in due} == {NOW + 4 * MINUTE}
    assert sorted(row["attempts"] for row in due) == [0, 1]


async def test_a_channel_that_does_not_answer_holds_up_no_other(
    pool: asyncpg.Pool, mails: sinks.MailSink, web: sinks.WebSink
) -> None:
    web.seconds = 60
    slow = flipping.channel(
        webhook.Webhook(url=web.url, timeout_seconds=1.0), "a-slow", "coordinator", kind="webhook"
    )
    rules = [flipping.rule(f"rule_{number}") for number in range(10)]
    for one in rules:
        await flip(pool, rule=one.name)
    outcome = await delivered(pool, told(slow, mailbox(mails), rules=rules))
    assert len(mails.mails) == 10
    assert (outcome.sent, outcome.put_off) == (10, 1)
    assert (await channel_row(pool, "a-slow"))["error"] == "the webhook did not answer in time"


async def test_a_dead_channel_becomes_an_alert_on_another(
    pool: asyncpg.Pool, mails: sinks.MailSink, web: sinks.WebSink
) -> None:
    """The rule itself has its tests; here is that its alert leaves by the channel that lives."""
    mails.refused = {"staff@district.example": "550 no"}
    failing = flipping.rule("channel_failing", title="Channels that take no messages", owner="it")
    district = told(mailbox(mails, "mail", "it"), hook(web, "hook", "it"), rules=[failing])
    await flip(pool, subject="channel:mail", rule="channel_failing", value=None)
    await delivered(pool, district)
    assert mails.mails == []
    (post,) = web.posts
    assert "Channels that take no messages: 1 new" in json.loads(post.body)["subject"]


async def test_what_is_left_for_a_channel_that_is_no_longer_configured_is_given_up(
    pool: asyncpg.Pool, mails: sinks.MailSink
) -> None:
    await flip(pool)
    await deliver.queue(pool, told(mailbox(mails)), now=NOW)
    outcome = await deliver.deliver(pool, told(), clock=lambda: NOW + 3 * MINUTE)
    assert outcome.given_up == 1
    row = await notification(pool)
    assert (row["state"], row["error"]) == ("given_up", "its channel is no longer configured")


class Broken:
    async def send(self, message: messages.Message, *, now: object) -> str | None:
        raise ValueError("https://hooks.example/secret")


async def test_a_fault_of_ours_stops_no_other_channel_and_tells_no_secret(
    pool: asyncpg.Pool, mails: sinks.MailSink, caplog: pytest.LogCaptureFixture
) -> None:
    await flip(pool)
    broken = flipping.channel(Broken(), "broken", "coordinator")
    outcome = await delivered(pool, told(broken, mailbox(mails)))
    assert (outcome.sent, outcome.put_off) == (1, 1)
    assert (await channel_row(pool, "broken"))["error"] == "it failed (ValueError)"
    assert "secret" not in caplog.text


async def test_failing_and_recovering_are_logged_once_each(
    pool: asyncpg.Pool, mails: sinks.MailSink, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="service")
    mails.answers = ["451 later"] * 3
    district = told(mailbox(mails))
    await flip(pool)
    for minutes in (3, 5, 10, 20, 60):
        await delivered(pool, district, after=minutes * MINUTE)
    ours = [record for record in caplog.records if record.name.startswith("service")]
    actions = [record.__dict__.get("action") for record in ours]
    assert actions == ["channel_failing", "channel_recovered"]


async def test_the_channels_of_the_configuration_and_no_others_are_in_use(pool: asyncpg.Pool) -> None:
    await notifications.sync_channels(pool, 1, ["a", "b"])
    await notifications.sync_channels(pool, 1, ["b", "c"])
    rows = await pool.fetch("SELECT channel_key, is_in_use FROM channels ORDER BY channel_key")
    assert [tuple(row) for row in rows] == [("a", False), ("b", True), ("c", True)]
    assert [fare.channel_key for fare in await notifications.fares(pool, 1)] == ["b", "c"]


async def test_districts_are_told_apart(pool: asyncpg.Pool, mails: sinks.MailSink) -> None:
    await flip(pool)
    district = told(mailbox(mails))
    (outcome,) = await deliver.districts(pool, [district], clock=lambda: NOW)
    assert outcome.sent == 0
    (outcome,) = await deliver.districts(pool, [district], clock=lambda: NOW + 3 * MINUTE)
    assert outcome.sent == 1


async def test_a_claim_is_looked_up_in_an_index(pool: asyncpg.Pool, mails: sinks.MailSink) -> None:
    """A year of sent messages costs nothing."""
    await flip(pool)
    await pool.execute(
        "INSERT INTO notifications (district_id, channel_key, first_flip_id, topic, due_at, state, created_at)"
        " SELECT 1, 'mail', flip_id, 'digest:daily', $1, 'sent', $1 FROM flips, generate_series(1, 20000)",
        NOW,
    )
    await pool.execute("ANALYZE notifications")
    plan = "\n".join(
        row[0]
        for row in await pool.fetch(
            "EXPLAIN SELECT w.notification_id FROM notifications AS w WHERE w.district_id = 1"
            " AND w.state = 'waiting' AND w.due_at <= now() ORDER BY w.due_at LIMIT 1"
        )
    )
    assert re.search(r"Index .*Scan using notifications_waiting", plan), plan


def test_the_claim_outlives_every_send() -> None:
    assert deliver.LEASE.total_seconds() > deliver.SEND_SECONDS
    assert issubclass(channels.NotDelivered, Exception)


# Late


async def test_what_leaves_late_waits_for_the_end_of_quiet_hours_too(
    pool: asyncpg.Pool, mails: sinks.MailSink
) -> None:
    """As after a restart, or a mail server that was away in the evening."""
    await flip(pool)
    await flip(pool, subject="loan:2", rule="outage", severity="critical")
    critical = flipping.rule("outage", severity="critical")
    district = told(mailbox(mails), rules=[flipping.rule(), critical])
    night, morning = NOW + timedelta(hours=15), NOW + timedelta(hours=19)
    outcome = await delivered(pool, district, after=night - NOW)
    assert (outcome.sent, outcome.put_off) == (1, 1)
    assert [mail["Importance"] for mail in mails.mails] == ["high"]
    waits = await pool.fetchrow("SELECT attempts, due_at FROM notifications WHERE state = 'waiting'")
    assert waits == (0, morning), "nobody tried"
    await deliver.deliver(pool, district, clock=lambda: morning)
    assert len(mails.mails) == 2


async def test_an_end_is_not_told_before_a_beginning_that_is_still_being_tried(
    pool: asyncpg.Pool, web: sinks.WebSink
) -> None:
    district = told(hook(web))
    web.statuses = [503] * 4
    await flip(pool)
    for minutes in (3, 5, 8, 14):  # tried again after 1, 2, 5 and 15 minutes
        await delivered(pool, district, after=minutes * MINUTE)
    await flip(pool, "cleared", at=NOW + 15 * MINUTE)
    for minutes in (15, 18, 40):
        now = NOW + minutes * MINUTE
        await delivered(pool, district, now=now, after=MINUTE)
    assert [json.loads(post.body)["is_resolved"] for post in web.posts] == [False, True]
