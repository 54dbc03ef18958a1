"""Flips as an evaluation writes them, and a district that is told of them."""

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg

from service.alerting import channels, deliver, mail, messages, webhook
from service.model import alert_rules, due_times
from service.store import notifications
from tests import factories
from tests.alerts import sinks

ZONE = "America/New_York"
NOW = datetime(2026, 11, 18, 17, tzinfo=UTC)  # a Wednesday, noon in New York
PAGES = "https://afterbell.district.example"
SENDER_ADDRESS = "afterbell@district.example"
_STATES = {
    "fired": ("pending", "firing"),
    "cleared": ("firing", "clear"),
    "held": ("pending", "held"),
    "released": ("held", "firing"),
}


def rule(name: str = "idle_30", **changes: Any) -> alert_rules.Rule:
    fields: dict[str, Any] = {
        "name": name,
        "title": "Hotspots that nobody has used for 30 days",
        "title_es": "Puntos de acceso sin uso desde hace 30 días",
        "about": "family",
        "severity": "warning",
        "owner": "coordinator",
        "why": "A hotspot that is not used helps nobody, and its line is paid for.",
        "why_es": "Un equipo que no se usa no ayuda a nadie, y su línea se paga.",
        "action": "Ask the family whether it works; take it back if it is not needed.",
        "action_es": "Pregunte a la familia si funciona; recójalo si no hace falta.",
        "unit": "days",
        "threshold": 30.0,
        "urgency": "now",
        "query": "SELECT",
    }
    return alert_rules.Rule(**{**fields, **changes})


def due(now: datetime = NOW, timing: due_times.Timing | None = None) -> due_times.Due:
    return due_times.due(timing or due_times.Timing(), now=now, zone=ZoneInfo(ZONE))


async def district(pool: asyncpg.Pool) -> int:
    return await factories.district(pool, time_zone=ZONE)


async def school(pool: asyncpg.Pool, number: int, name: str, *, need: int | None = 60) -> int:
    """A school of which so many students are in need, as the newest day tells."""
    school_id = await factories.school(pool, f"4101920000{number:02d}", name=name)
    await pool.execute("SELECT ensure_partitions($1::date, $1::date)", NOW.date())
    await pool.execute(
        "INSERT INTO school_days (district_id, on_day, school_id, need, loaned, active_30, active_7, adequate, unknown,"
        " weak, exhausted, idle, never_used, suspended, coverage_status, completeness,"
        " is_need_exceeded, is_out_of_session, computed_at)"
        " VALUES (1, $1, $2, $3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 'known', 1, false, false, now())",
        NOW.date(),
        school_id,
        need,
    )
    return school_id


async def flip(
    pool: asyncpg.Pool,
    kind: str = "fired",
    subject: str = "loan:1",
    *,
    rule: str = "idle_30",
    at: datetime = NOW,
    since: datetime | None = None,
    school_id: int | None = None,
    severity: str = "warning",
    value: float | None = 31.0,
    reason: str = "",
    actor: str = "afterbell",
    old_state: str | None = None,
    new_state: str | None = None,
) -> int:
    """A change of the alert, which is made where there is none yet; returns the flip."""
    old, new = _STATES.get(kind, ("firing", "firing"))
    begun = since or at - timedelta(days=1)
    alert_id = await pool.fetchval(
        "INSERT INTO alerts (district_id, rule, subject, school_id, state, severity, breached_since_at, judged_at,"
        " value)"
        " VALUES (1, $1, $2, $3, $4::alert_state, $5, $6, $7, $8) ON CONFLICT (district_id, rule, subject) DO UPDATE"
        " SET state = excluded.state, severity = excluded.severity RETURNING alert_id",
        *(rule, subject, school_id, new, severity, begun, at, value),
    )
    evidence = {"value": value, "since": begun.isoformat()}
    flip_id: int = await pool.fetchval(
        "INSERT INTO flips (district_id, alert_id, kind, old_state, new_state, reason, evidence, actor, created_at)"
        " VALUES (1, $1, $2::flip_kind, $3::alert_state, $4::alert_state, $5, $6, $7, $8) RETURNING flip_id",
        *(
            alert_id,
            kind,
            old_state or old,
            new_state or new,
            reason or kind,
            json.dumps(evidence),
            actor,
            at,
        ),
    )
    return flip_id


def route(key: str, *roles: str, **changes: Any) -> notifications.Route:
    return notifications.Route(key=key, roles=roles, **changes)


async def queued(
    pool: asyncpg.Pool,
    routes: Sequence[notifications.Route],
    *,
    rules: Iterable[alert_rules.Rule] = (),
    now: datetime = NOW,
    timing: due_times.Timing | None = None,
) -> notifications.Queued:
    return await notifications.queue(
        pool, 1, rules=list(rules) or [rule()], routes=routes, due=due(now, timing), now=now
    )


async def waiting(pool: asyncpg.Pool) -> list[tuple[str, str, int]]:
    """(channel, topic, flips) of every notification."""
    rows = await pool.fetch(
        "SELECT n.channel_key, n.topic, count(*) AS flips FROM notifications AS n"
        " JOIN notification_flips AS f USING (district_id, notification_id)"
        " GROUP BY n.district_id, n.notification_id ORDER BY n.notification_id"
    )
    return [(row["channel_key"], row["topic"], row["flips"]) for row in rows]


def channel(
    transport: channels.Transport,
    key: str,
    *roles: str,
    kind: str = "mail",
    language: str = "en",
    **changes: Any,
) -> channels.Channel:
    return channels.Channel(
        kind=kind,
        route=route(key, *roles, **changes),
        audience=messages.Audience(channel_key=key, roles=roles, language=language),
        transport=transport,
    )


def mailbox(
    sink: sinks.MailSink,
    key: str = "mail",
    *roles: str,
    to: tuple[str, ...] = ("staff@district.example",),
    **changes: Any,
) -> channels.Channel:
    server = mail.Server(
        host=sinks.HOST, port=sink.port, encryption="none", sender=SENDER_ADDRESS, timeout_seconds=2
    )
    return channel(mail.Mail(server=server, to=to), key, *(roles or ("coordinator",)), **changes)


def hook(sink: sinks.WebSink, key: str = "hook", *roles: str, **changes: Any) -> channels.Channel:
    transport = webhook.Webhook(url=f"{sink.url}/hook", secret="shared", timeout_seconds=2)
    return channel(transport, key, *(roles or ("coordinator",)), kind="webhook", **changes)


def told(
    *its: channels.Channel,
    rules: Iterable[alert_rules.Rule] = (),
    page_address: str | None = PAGES,
    timing: due_times.Timing | None = None,
) -> deliver.District:
    return deliver.District(
        sender=messages.Sender(
            district_id=1, name="Northfield Schools", zone=ZoneInfo(ZONE), page_address=page_address
        ),
        rules={rule.name: rule for rule in (list(rules) or [rule()])},
        channels={one.route.key: one for one in its},
        timing=timing or due_times.Timing(),
    )


async def delivered(
    pool: asyncpg.Pool, district: deliver.District, *, now: datetime = NOW, after: timedelta | None = None
) -> deliver.Outcome:
    """Queue now, and send what is due a little later."""
    await deliver.queue(pool, district, now=now)
    later = now + (timedelta(minutes=3) if after is None else after)
    return await deliver.deliver(pool, district, clock=lambda: later)
