"""Every rule from the readings to the messages: it fires to a real mail server and a webhook, recovers, and says so."""

import importlib
import json
import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg
import pytest

import sql
from service.alerting import deliver, messages
from service.alerting import rules as district_rules
from service.model import alert_rules, due_times
from service.store import judging
from tests import fleet
from tests.alerts import flipping, sinks
from tests.alerts.scenario import Scenario, World, world

HERE = Path(__file__).parent
ROLES = alert_rules.ROLES
DISTRICT_NAME = "Northfield Schools"


def scenarios() -> dict[str, Scenario]:
    found: dict[str, Scenario] = {}
    for path in sorted(HERE.glob("scenarios_of_*.py")):
        found.update(importlib.import_module(f"tests.alerts.{path.stem}").SCENARIOS)
    return found


SCENARIOS = scenarios()


def told(known: dict[str, alert_rules.Rule], mails: sinks.MailSink, web: sinks.WebSink) -> deliver.District:
    """A mailbox in Spanish, and a webhook in English, of every role."""
    its = (
        flipping.mailbox(mails, "mail", *ROLES, language="es", digest="none"),
        flipping.hook(web, "hook", *ROLES, digest="none"),
    )
    return deliver.District(
        sender=messages.Sender(
            district_id=fleet.DISTRICT,
            name=DISTRICT_NAME,
            zone=ZoneInfo(fleet.ZONE),
            page_address=flipping.PAGES,
        ),
        rules=known,
        channels={one.route.key: one for one in its},
        timing=due_times.Timing(),
    )


# Readings of the last day, again on each of so many days after it: nothing changes while a rule waits.
_GOES_ON = """
INSERT INTO {table} ({columns})
SELECT {values} FROM {table} CROSS JOIN generate_series(1, $1::integer) AS n
WHERE starts_at > (SELECT max(starts_at) FROM {table}) - interval '23 hours'
ON CONFLICT DO NOTHING
"""
_KEY = ["district_id", "line_id", "account_id", "kind", "series", "starts_at"]
_TABLES = {
    "usage_readings": [*_KEY, "ends_at", "total_bytes"],
    "state_readings": [*_KEY, "status", "suspended_by", "is_online"],
    "signal_readings": [*_KEY, "rsrp_dbm", "rsrq_db"],
}


async def goes_on(at: World, *, since: datetime, days: int) -> None:
    first = since.astimezone(ZoneInfo(fleet.ZONE)).date()
    await at.pool.execute("SELECT ensure_partitions($1::date - 1, $1::date + $2::integer + 1)", first, days)
    for table, columns in _TABLES.items():
        values = [f"{name} + n * interval '1 day'" if name.endswith("_at") else name for name in columns]
        told = {"table": table, "columns": ", ".join(columns), "values": ", ".join(values)}
        await at.pool.execute(_GOES_ON.format(**told), days)
    await at.pool.execute("UPDATE latest_states SET read_at = read_at + $1 * interval '1 day'", days)
    at.touched(first)


async def passes(
    at: World, to: datetime, wait: timedelta, rules: list[alert_rules.Rule], district: deliver.District
) -> None:
    """Time goes on: roll-ups, an evaluation, one more when the rule has waited for long enough, and the messages."""
    await at.passes(to)
    await judging.evaluate(at.pool, fleet.DISTRICT, rules, now=to)
    now = to
    if wait:
        now = to + wait
        if wait.days:
            await goes_on(at, since=to, days=wait.days)
            await at.passes(now)
        await judging.evaluate(at.pool, fleet.DISTRICT, rules, now=now)
    await deliver.queue(at.pool, district, now=now)
    due: datetime | None = await at.pool.fetchval(
        "SELECT max(due_at) FROM notifications WHERE state = 'waiting'"
    )
    await deliver.deliver(at.pool, district, clock=lambda: max(now, due or now))


def with_own(rules: list[alert_rules.Rule], *, fails: bool | None) -> list[alert_rules.Rule]:
    """With a rule of the district's own, which fails or finds nothing (None: there is none)."""
    if fails is None:
        return rules
    columns = "'district' AS subject, NULL::bigint AS school_id, NULL::timestamptz AS since_at, 1.0 AS value"
    table = "a_table_that_is_not_there" if fails else "(SELECT WHERE false) AS nothing"
    query = f"SELECT {columns}, '{{}}'::jsonb AS details, true AS is_breached FROM {table}"
    return [flipping.rule("our_own_rule", query=query, is_own=True), *rules]


async def secrets(pool: asyncpg.Pool) -> set[str]:
    """Whatever names a person, a home, a device or a line in the database."""
    rows = await pool.fetch(
        "SELECT imei AS it FROM devices UNION SELECT serial FROM devices UNION SELECT iccid FROM lines"
        " UNION SELECT mdn FROM lines UNION SELECT borrower FROM loans UNION SELECT household FROM loans"
    )
    return {row["it"].lstrip("+") for row in rows if row["it"]}


@pytest.mark.parametrize("name", sorted(sql.alert_rules()))
async def test_a_rule_fires_to_mail_and_webhook_recovers_and_says_so(pool: asyncpg.Pool, name: str) -> None:
    scenario = SCENARIOS[name]
    known = district_rules.adjusted(district_rules.Choice(profile=scenario.profile))
    rule, rules = known[name], list(district_rules.with_needed(known, name))
    async with (
        sinks.mail_sink() as mails,
        sinks.web_sink() as web,
        world(pool, scenario.before) as at,
    ):
        district = told(known, mails, web)

        async def to(
            instant: datetime, wait: timedelta = timedelta(0), *, fails: bool | None = None
        ) -> tuple[list[str], list[dict[str, Any]]]:
            mails.mails.clear()
            web.posts.clear()
            await passes(at, instant, wait, with_own(rules, fails=fails), district)
            posts = [json.loads(post.body) for post in web.posts]
            of_rule = [post for post in posts if any(one["rule"] == name for one in post["rules"])]
            return [text for text in mails.texts() if rule.title_es in text], of_rule

        await scenario.setup(at)
        assert await to(scenario.before) == ([], [])

        await scenario.breach(at)
        for instant in scenario.evaluated:
            await to(instant)
        (text,), (post,) = await to(
            scenario.breached, rule.fires_after, fails=True if name == "rule_failing" else None
        )
        fired = post
        assert post["subject"].startswith((f"{rule.title}: 1 new", f"Critical: {rule.title}: 1 new")), post[
            "subject"
        ]
        assert rule.title_es in text
        assert re.search(r"1 caso nuevo: desde el \w+ \d+ de \w+ de 20\d\d", text)
        assert f"Por qué importa: {rule.why_es}" in text
        assert f"Qué hacer: {rule.action_es}" in text
        assert f"Abrir la alerta: {flipping.PAGES}/districts/{fleet.DISTRICT}/alerts/" in text
        assert f"What to do: {rule.action}" in post["text"]

        await scenario.recover(at)
        (ended,), (post,) = await to(
            scenario.recovered, rule.clears_after, fails=False if name == "rule_failing" else None
        )
        assert re.search(r"1 caso resuelto: desde el \w+ \d+ de \w+ de 20\d\d", ended)
        assert "No hay que hacer nada." in ended
        assert post["subject"].startswith(f"Resolved: {rule.title} (1)"), post["subject"]
        assert post["in_reply_to"] == fired["id"]

        for secret in await secrets(pool):
            for shown in (text, ended, json.dumps(fired), json.dumps(post)):
                assert secret not in shown
