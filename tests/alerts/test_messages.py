"""What messages say, in both languages, and what they never say."""

import json
import re
import string
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg
import pytest

import sql
from service.alerting import mail, messages, texts, words
from service.model import alert_rules
from tests.alerts import flipping, sinks
from tests.alerts.flipping import NOW, delivered, flip, hook, mailbox, told

SCHOOLS = flipping.school
ZONE = ZoneInfo(flipping.ZONE)


@pytest.fixture
async def mails() -> AsyncIterator[sinks.MailSink]:
    async with sinks.mail_sink() as sink:
        yield sink


@pytest.fixture(autouse=True)
async def _district(pool: asyncpg.Pool) -> None:
    await flipping.district(pool)


def flat(text: str) -> str:
    return " ".join(text.split())


# What they say


async def test_a_message_says_what_since_when_why_what_to_do_and_where(
    pool: asyncpg.Pool, mails: sinks.MailSink
) -> None:
    school_id = await SCHOOLS(pool, 1, "Lincoln Elementary")
    for number in range(3):
        await flip(
            pool,
            subject=f"loan:{number}",
            school_id=school_id,
            value=31.0 + number,
            since=datetime(2026, 11, 15 + number, 5, tzinfo=UTC),
        )
    await delivered(pool, told(mailbox(mails)))
    (mail,) = mails.mails
    title = "Hotspots that nobody has used for 30 days"
    assert mail["Subject"] == f"{title}: 3 new · Lincoln Elementary"
    text = flat(sinks.text_of(mail))
    assert (
        "3 new: the first since Sunday, November 15, 2026, the latest since Tuesday, November 17, 2026"
        " (31 to 33 days) - Lincoln Elementary: 3" in text
    )
    assert "Warning Threshold: 30 days 3 new" in text
    assert "Why it matters: A hotspot that is not used helps nobody" in text
    assert "What to do: Ask the family whether it works" in text
    assert f"See the list: {flipping.PAGES}/districts/1/alerts?rule=idle_30&school={school_id}" in text
    html = sinks.text_of(mail, "html")
    for said in (
        title,
        "3 new",
        "Lincoln Elementary",
        "Threshold: 30 days",
        "Why it matters",
        "What to do",
        "See the list",
    ):
        assert said in html


async def test_a_message_in_spanish_is_in_spanish(pool: asyncpg.Pool, mails: sinks.MailSink) -> None:
    await flip(pool, since=datetime(2026, 11, 15, 19, 5, tzinfo=UTC), severity="critical")
    await delivered(pool, told(mailbox(mails, language="es")))
    (mail,) = mails.mails
    assert mail["Subject"] == (
        "Crítico: Puntos de acceso sin uso desde hace 30 días: 1 caso nuevo · Northfield Schools"
    )
    assert mail["Importance"] == "high"
    text = flat(sinks.text_of(mail))
    assert "1 caso nuevo: desde el domingo 15 de noviembre de 2026 a las 14:05 (31 días)" in text
    assert "Por qué importa: Un equipo que no se usa" in text
    assert "Qué hacer: Pregunte a la familia" in text
    assert "Umbral: 30 días" in text
    assert "Abrir la alerta: https://" in text
    assert '<html lang="es">' in sinks.text_of(mail, "html")


async def test_a_digest_tells_of_each_rule_the_gravest_first(
    pool: asyncpg.Pool, mails: sinks.MailSink
) -> None:
    rules = [
        flipping.rule("idle_30", urgency="daily"),
        flipping.rule("outage", title="Lines that are down", urgency="daily"),
        flipping.rule("over", title="Things that are over", urgency="daily"),
    ]
    await flip(pool, rule="idle_30")
    await flip(pool, rule="outage", severity="high")
    for kind in ("fired", "cleared"):
        await flip(pool, kind, rule="over", severity="critical")
    await delivered(pool, told(mailbox(mails), rules=rules), after=timedelta(days=1))
    (mail,) = mails.mails
    assert mail["Subject"] == "Daily summary: 2 new, 1 that came and went · Northfield Schools"
    text = sinks.text_of(mail)
    places = [text.index(title) for title in ("Lines that are down", "Hotspots that", "Things that are over")]
    assert places == sorted(places)
    assert f"See all alerts: {flipping.PAGES}/districts/1/alerts" in text


async def test_sixty_lines_are_a_count_by_school_and_never_a_list(
    pool: asyncpg.Pool, mails: sinks.MailSink
) -> None:
    schools = [await SCHOOLS(pool, number, f"School {number}") for number in range(1, 14)]
    for number in range(60):
        await flip(pool, subject=f"line:{90_000 + number}", school_id=schools[number % 13])
    await delivered(pool, told(mailbox(mails)))
    (mail,) = mails.mails
    text = flat(sinks.text_of(mail))
    assert "60 new" in text
    assert "- School 1: 5" in text
    assert "and 3 more schools" in text
    assert "9000" not in text + sinks.text_of(mail, "html")


async def test_without_an_address_of_the_pages_there_is_no_link(
    pool: asyncpg.Pool, mails: sinks.MailSink
) -> None:
    await flip(pool)
    await delivered(pool, told(mailbox(mails), page_address=None))
    (mail,) = mails.mails
    assert "http" not in sinks.text_of(mail)
    assert "href" not in sinks.text_of(mail, "html")


async def test_what_ends_because_its_rule_was_switched_off_says_so(
    pool: asyncpg.Pool, mails: sinks.MailSink
) -> None:
    district = told(mailbox(mails))
    await flip(pool)
    await delivered(pool, district)
    await flip(pool, "cleared", reason="rule_off")
    await delivered(pool, district)
    assert "its rule was switched off" in mails.texts()[1]


async def test_a_rule_that_is_gone_is_told_by_its_name(pool: asyncpg.Pool, mails: sinks.MailSink) -> None:
    await flip(pool, rule="removed_rule")
    await delivered(pool, told(mailbox(mails, "mail", "it")), after=timedelta(days=1))
    assert mails.mails[0]["Subject"].startswith("removed_rule: 1 new")


async def test_a_reminder_and_an_escalation_say_what_they_are(
    pool: asyncpg.Pool, mails: sinks.MailSink
) -> None:
    await flip(pool, "reminded", subject="loan:1")
    await flip(pool, "escalated", subject="loan:2")
    await delivered(pool, told(mailbox(mails)))
    assert "1 still so" in mails.texts()[0]
    assert "1 that nobody has acknowledged" in mails.texts()[0]


async def test_the_json_of_a_webhook_tells_the_same_in_numbers(pool: asyncpg.Pool) -> None:
    school_id = await SCHOOLS(pool, 1, "Lincoln Elementary")
    for number in range(2):
        await flip(pool, subject=f"loan:{number}", school_id=school_id, value=31.0 + number)
    async with sinks.web_sink() as web:
        await delivered(pool, told(hook(web)))
    told_of = json.loads(web.posts[0].body)
    assert " ".join(told_of) == (
        "version id in_reply_to kind district channel language topic severity is_resolved subject text link rules"
    )
    (rule,) = told_of["rules"]
    assert (rule["rule"], rule["severity"], rule["threshold"], rule["unit"]) == (
        "idle_30",
        "warning",
        30,
        "days",
    )
    (change,) = rule["changes"]
    assert change == {
        "outcome": "new",
        "count": 2,
        "since": "2026-11-17T17:00:00+00:00",
        "latest_since": "2026-11-17T17:00:00+00:00",
        "until": None,
        "least": 31.0,
        "most": 32.0,
        "schools": [{"name": "Lincoln Elementary", "words": "Lincoln Elementary", "count": 2}],
    }


# What they never say


@pytest.mark.parametrize("need", [0, 9, None])
async def test_a_school_with_few_students_in_need_is_never_named(
    pool: asyncpg.Pool, mails: sinks.MailSink, need: int | None
) -> None:
    small = await SCHOOLS(pool, 1, "Tiny Elementary", need=need)
    large = await SCHOOLS(pool, 2, "Grant Middle", need=10)
    await flip(pool, subject="school:1", school_id=small, value=33.3)
    await flip(pool, subject="school:2", school_id=large, value=66.7)
    async with sinks.web_sink() as web:
        await delivered(pool, told(mailbox(mails), hook(web)))
    (mail,) = mails.mails
    body = web.posts[0].body.decode()
    for shown in (str(mail["Subject"]), sinks.text_of(mail), sinks.text_of(mail, "html"), body):
        assert "Tiny" not in shown
        assert "33.3" not in shown
        assert "66.7" not in shown, "with the other's value left out, a range would be of one school"
    expected = "a school whose need is not known" if need is None else "a school with few students in need"
    assert f"- {expected}: 1" in sinks.text_of(mail)
    assert "- Grant Middle: 1" in sinks.text_of(mail)


async def test_the_only_school_is_not_named_in_the_subject_where_it_is_small(
    pool: asyncpg.Pool, mails: sinks.MailSink
) -> None:
    small = await SCHOOLS(pool, 1, "Tiny Elementary", need=3)
    await flip(pool, school_id=small)
    await delivered(pool, told(mailbox(mails)))
    (mail,) = mails.mails
    assert mail["Subject"].endswith("· Northfield Schools")
    assert "Tiny" not in sinks.text_of(mail)
    assert f"school={small}" not in sinks.text_of(mail)


async def test_one_school_that_is_not_named_is_one_however_many_alerts_it_has(
    pool: asyncpg.Pool, mails: sinks.MailSink
) -> None:
    schools = [await SCHOOLS(pool, number, f"Tiny {number}", need=3) for number in (1, 2)]
    for number in range(3):
        await flip(pool, subject=f"loan:{number}", school_id=schools[0])
    await delivered(pool, told(mailbox(mails)))
    assert "- a school with few students in need: 3" in sinks.text_of(mails.mails[0])
    for number, school_id in enumerate(schools):
        await flip(pool, subject=f"line:{number}", school_id=school_id, at=NOW + timedelta(hours=1))
    await delivered(pool, told(mailbox(mails)), now=NOW + timedelta(hours=1))
    assert "- schools with few students in need: 2" in sinks.text_of(mails.mails[1])


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"threshold": 60.0, "unit": "%"}, "Threshold: 60%"),
        ({"threshold": 1.0, "unit": "days"}, "Threshold: 1 day"),
        ({"threshold": None}, None),
        ({"threshold": 0.0, "unit": "MB"}, None),
        ({"threshold": 2.0, "unit": ""}, None),
    ],
    ids=str,
)
async def test_the_threshold_is_told_where_the_rule_has_one_in_a_unit(
    pool: asyncpg.Pool, mails: sinks.MailSink, changes: dict[str, Any], said: str | None
) -> None:
    district = told(mailbox(mails), rules=[flipping.rule(**changes)])
    await flip(pool)
    await delivered(pool, district)
    await flip(pool, "cleared")
    await delivered(pool, district)
    begun, over = mails.texts()
    assert said in begun.splitlines() if said else "Threshold" not in begun
    assert "Threshold" not in over


@pytest.mark.parametrize("title", ["A title", "Ein ständig stiller Titel", "Los puntos de acceso"])
def test_a_subject_arrives_as_it_is_wherever_it_is_folded(title: str) -> None:
    for length in range(90):
        subject = " ".join(f"{title} {'word ' * 30}"[:length].split()) + ": 3 new · Lincoln Elementary"
        written = EmailMessage(policy=policy.SMTP)
        written["Subject"] = mail.Subject(subject)
        raw = written.as_bytes()
        assert raw.isascii()
        assert max(map(len, raw.splitlines())) <= 78
        assert message_from_bytes(raw, policy=policy.default)["Subject"] == subject


async def test_a_name_cannot_break_the_html_or_add_a_header(
    pool: asyncpg.Pool, mails: sinks.MailSink
) -> None:
    school_id = await SCHOOLS(pool, 1, "<b>Lincoln</b>\r\nBcc: all@district.example")
    await flip(pool, school_id=school_id)
    await delivered(pool, told(mailbox(mails)))
    (mail,) = mails.mails
    assert mail["Bcc"] is None
    assert mail["Subject"].endswith("· <b>Lincoln</b> Bcc: all@district.example")
    assert "<b>Lincoln" not in sinks.text_of(mail, "html")
    assert "&lt;b&gt;Lincoln" in sinks.text_of(mail, "html")


async def test_no_line_of_the_wire_is_too_long(pool: asyncpg.Pool, mails: sinks.MailSink) -> None:
    rule = flipping.rule(why="A reason " * 300)
    await flip(pool)
    await delivered(pool, told(mailbox(mails), rules=[rule]))
    assert max(map(len, mails.mails[0].as_bytes().splitlines())) <= 998


# Words


def test_both_languages_have_the_same_words_with_the_same_places() -> None:
    english, spanish = (words._PHRASES[language] for language in words.LANGUAGES)
    assert set(english) == set(spanish)
    for name in english:
        places = [
            {field for _, field, _, _ in string.Formatter().parse(table[name]) if field}
            for table in (english, spanish)
        ]
        assert places[0] == places[1], name
    for language in words.LANGUAGES:
        assert set(words._COUNTED[language]) == set(messages.OUTCOMES)
        assert all(words.severity(language, name) for name in alert_rules.SEVERITIES)
        assert words.roles(language, alert_rules.ROLES).count(",") == len(alert_rules.ROLES) - 1


@pytest.mark.parametrize(
    ("least", "most", "unit", "english", "spanish"),
    [
        (34.0, 34.0, "days", "34 days", "34 días"),
        (1.0, 1.0, "days", "1 day", "1 día"),
        (1.0, 1.0, "months", "1 month", "1 mes"),
        (1.0, 1.0, "instructional days", "1 instructional day", "1 día lectivo"),
        (1.0, 1.0, "requests", "1 request", "1 solicitud"),
        (30.0, 41.0, "days", "30 to 41 days", "de 30 a 41 días"),
        (62.5, 62.5, "%", "62.5%", "62.5 %"),
        (-113.04, -113.0, "dBm", "-113 dBm", "-113 dBm"),
    ],
)
def test_amounts_are_spoken(least: float, most: float, unit: str, english: str, spanish: str) -> None:
    assert words.amount("en", least, most, unit) == english
    assert words.amount("es", least, most, unit) == spanish


@pytest.mark.parametrize(
    ("at", "english", "spanish"),
    [
        ("2026-11-16 00:00", "Monday, November 16, 2026", "lunes 16 de noviembre de 2026"),
        ("2026-03-08 14:05", "Sunday, March 8, 2026, 2:05 PM", "domingo 8 de marzo de 2026 a las 14:05"),
        ("2026-01-01 00:30", "Thursday, January 1, 2026, 12:30 AM", "jueves 1 de enero de 2026 a las 0:30"),
    ],
)
def test_instants_are_told_in_local_time_and_midnight_as_a_day(at: str, english: str, spanish: str) -> None:
    instant = datetime.fromisoformat(at).replace(tzinfo=ZONE).astimezone(UTC)
    assert words.instant("en", instant, ZONE) == english
    assert words.instant("es", instant, ZONE) == spanish


def test_every_unit_of_the_rules_is_spoken_in_spanish() -> None:
    for name, text in sql.alert_rules().items():
        unit = alert_rules.parse(name, text, profile="local").unit
        assert unit in ("", "%", "dBm", "dB", "MB") or words.amount("es", 2, 2, unit) != f"2 {unit}", unit


def test_a_test_message_says_that_it_is_one() -> None:
    for language, said in (("en", "This is a test."), ("es", "Esto es una prueba.")):
        audience = messages.Audience(channel_key="office", roles=("it",), language=language)
        message = messages.test(told().sender, audience, now=NOW)
        assert said in texts.plain(message)
        assert said in texts.html(message)
        assert said in texts.brief(message)
        assert re.match(r"afterbell\.1\.test\.\d{8}T\d{12}\.office$", message.id)
