"""The service, Prometheus and Alertmanager with the files of deploy/: a fall reaches a webhook, and so does its end."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg
import pytest
import yaml
from aiohttp import web

from service import app, config, serving
from service.metrics import Metrics
from tests.acceptance import prometheus
from tests.acceptance.test_service import until

Folder = Callable[[str], Path]

ZONE = ZoneInfo("America/New_York")
TOKEN = "afterbell_a-token-for-this-test-alone"
WEBHOOK_TOKEN = "a-secret-of-the-receiver"
SCHOOLS = ("990000100001", "990000100002", "990000100003")
NEED = 100
OWN_RULE = """-- title: Something is always wrong
-- about: service
-- severity: high
-- owner: coordinator
-- action: nothing
-- why: it is a test
SELECT
    'district' AS subject, NULL::bigint AS school_id, NULL::timestamptz AS since_at, 1::double precision AS value,
    '{}'::jsonb AS details, true AS is_breached
"""


@dataclass
class Sink:
    """What a webhook was sent."""

    address: str = ""
    told: list[dict[str, Any]] = field(default_factory=list)
    authorizations: set[str] = field(default_factory=set)

    def of(self, alert: str, status: str) -> dict[str, Any] | None:
        found = (
            one
            for group in self.told
            for one in group["alerts"]
            if one["labels"]["alertname"] == alert and one["status"] == status
        )
        return next(found, None)


@asynccontextmanager
async def webhook() -> AsyncIterator[Sink]:
    sink = Sink()

    async def take(request: web.Request) -> web.Response:
        sink.told.append(await request.json())
        sink.authorizations.add(request.headers.get("Authorization", ""))
        return web.Response()

    application = web.Application()
    application.router.add_post("/afterbell", take)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        sink.address = f"http://127.0.0.1:{runner.addresses[0][1]}/afterbell"
        yield sink
    finally:
        await runner.cleanup()


def settings(database: str, at: Path) -> config.Config:
    """A district of files alone: nothing is swept, so its figures are those that the test writes."""
    (at / "rules").mkdir()
    (at / "rules" / "always_wrong.sql").write_text(OWN_RULE, encoding="utf-8")
    digest = hashlib.sha256(TOKEN.encode()).hexdigest()
    tokens = at / "tokens"
    tokens.write_text(
        f"prometheus metrics {datetime.now(UTC).date() + timedelta(days=9)} {digest}\n", encoding="utf-8"
    )
    tokens.chmod(0o600)
    return config.Config.model_validate(
        {
            "database": {"url": database},
            "web": {"port": 0, "tokens_file": tokens},
            "districts": [
                {
                    "id": 1,
                    "name": "Northfield",
                    "time_zone": ZONE.key,
                    "accounts": [{"key": "portal", "collector": "file"}],
                    "alerts": {"rules_folder": at / "rules"},
                }
            ],
        }
    )


@asynccontextmanager
async def served(
    database: str, pool: asyncpg.Pool, at: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[str]:
    """The service, which looks at its database more often than it does for people; gives its host and port."""
    monkeypatch.setattr(serving, "ROLLUP_EVERY", timedelta(seconds=0.5))
    monkeypatch.setattr(serving, "ALERTS_LOOKED_AT_EVERY", timedelta(seconds=0.5))
    async with app.with_config(settings(database, at)) as ready:
        await computed(pool, adequate=50)
        metrics = Metrics()
        async with serving.Service(ready, [], metrics).serving() as address:
            yield address.removeprefix("http://").rstrip("/")


async def computed(pool: asyncpg.Pool, *, adequate: int) -> None:
    """Three schools' figures of yesterday, as if they had been computed."""
    today = datetime.now(UTC).astimezone(ZONE).date()
    await pool.execute("UPDATE districts SET computed_through_on = $1", today)
    for ncessch in SCHOOLS:
        await pool.execute(
            "INSERT INTO schools (district_id, ncessch, name) VALUES (1, $1, $1) ON CONFLICT DO NOTHING",
            ncessch,
        )
    await pool.execute("DELETE FROM school_days")
    await pool.execute(
        "INSERT INTO school_days (district_id, on_day, school_id, enrolled, answered, need, loaned, active_30, "
        "active_7, adequate, unknown, weak, exhausted, idle, never_used, suspended, coverage_status, completeness, "
        "coverage, coverage_low, coverage_high, is_need_exceeded, is_out_of_session, computed_at) "
        "SELECT 1, $1, school_id, 400, 400, $2::integer, 95, $3::integer, $3, $3, 0, 0, 0, 95 - $3, 0, 0, 'known', 1, "
        "$3 / $4::float8, $3 / $4::float8, $3 / $4::float8, false, false, now() FROM schools",
        today - timedelta(days=1),
        NEED,
        adequate,
        float(NEED),
    )


def history(*, coverage: float) -> str:
    """What Prometheus scraped a week ago, at the address that the service had then."""
    labels = 'district="1",instance="old:8080",job="afterbell"'
    week_ago = datetime.now(UTC) - timedelta(days=7)
    instants = [week_ago + timedelta(minutes=minute) for minute in range(-110, 60, 5)]
    series = {"afterbell_district_coverage_ratio": [labels]}
    series["afterbell_school_coverage_ratio"] = [f'{labels},school="{school}"' for school in SCHOOLS]
    lines = []
    for name, keys in series.items():
        lines.append(f"# TYPE {name} gauge")
        lines += [f"{name}{{{key}}} {coverage} {at.timestamp():.0f}" for key in keys for at in instants]
    return "\n".join([*lines, "# EOF\n"])


def alertmanager_changes(sink: Sink, at: Path) -> Mapping[str, str]:
    for name, secret in (("mail_password", "not-used"), ("webhook_token", WEBHOOK_TOKEN)):
        (at / name).write_text(secret, encoding="utf-8")
    return {
        "mail.district.example:587": "127.0.0.1:9",
        "https://webhook.district.example/afterbell": sink.address,
        "/run/secrets/mail_password": str(at / "mail_password"),
        "/run/secrets/webhook_token": str(at / "webhook_token"),
        "group_wait: 30s": "group_wait: 1s",
        "group_interval: 5m": "group_interval: 1s",
    }


async def test_a_fall_of_coverage_fires_and_ends_through_to_a_webhook(
    database: str, pool: asyncpg.Pool, folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = folder("watched")
    (at / "service").mkdir()
    async with (
        served(database, pool, at / "service", monkeypatch) as target,
        webhook() as sink,
        prometheus.alerting(at, alertmanager_changes(sink, at)) as alertmanager,
        prometheus.watching(
            at, target, alertmanager=alertmanager.target, token=TOKEN, history=history(coverage=0.9)
        ) as watched,
    ):
        await watched.scraped()
        await until(lambda: sink.of("AfterbellCoverageDropped", "firing") is not None, seconds=40)
        fired = sink.of("AfterbellCoverageDropped", "firing")
        assert fired is not None
        assert fired["labels"] == {
            "alertname": "AfterbellCoverageDropped",
            "district": "1",
            "job": "afterbell",
            "severity": "high",
            "owner": "coordinator",
        }
        assert fired["annotations"]["description"].startswith("Coverage of district 1 changed by -40%")
        assert fired["annotations"]["runbook_url"].endswith("/docs/runbooks.md#coverage-dropped")
        # afterbell's own rule, evaluated by the service, told by /metrics, sent to the owner that its file names
        await until(lambda: sink.of("AfterbellRuleFiring", "firing") is not None, seconds=40)
        own = sink.of("AfterbellRuleFiring", "firing")
        assert own is not None
        assert (own["labels"]["rule"], own["labels"]["severity"]) == ("always_wrong", "high")
        assert own["labels"]["owner"] == "coordinator"
        # the schools' fall is seen, and held back, as the district's was told
        seen = {one["labels"]["alertname"] for one in await watched.alerts() if one["state"] == "firing"}
        assert "AfterbellSchoolCoverageDropped" in seen
        assert sink.of("AfterbellSchoolCoverageDropped", "firing") is None

        await computed(pool, adequate=88)
        await until(lambda: sink.of("AfterbellCoverageDropped", "resolved") is not None, seconds=60)
        assert sink.authorizations == {f"Bearer {WEBHOOK_TOKEN}"}
        assert {group["receiver"] for group in sink.told} <= {"it", "coordinator"}


async def test_a_scrape_with_a_wrong_token_is_a_service_that_is_down(
    database: str, pool: asyncpg.Pool, folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = folder("refused")
    (at / "service").mkdir()
    async with (
        served(database, pool, at / "service", monkeypatch) as target,
        prometheus.watching(at, target, token="afterbell_another") as watched,
    ):
        async with asyncio.timeout(30):
            while not (up := await watched.query('up{job="afterbell"}')):
                await asyncio.sleep(0.2)
        assert [one.value for one in up] == [0]
        async with asyncio.timeout(30):
            while "AfterbellDown" not in {one["labels"]["alertname"] for one in await watched.alerts()}:
                await asyncio.sleep(0.2)


async def test_every_rule_and_every_example_can_be_evaluated_on_what_the_service_tells(
    database: str, pool: asyncpg.Pool, folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = folder("rules")
    (at / "service").mkdir()
    async with (
        served(database, pool, at / "service", monkeypatch) as target,
        prometheus.watching(at, target, token=TOKEN) as watched,
    ):
        await watched.scraped(times=2)
        rules = yaml.safe_load(
            (prometheus.DEPLOY / "prometheus" / "rules" / "recording.yml").read_text("utf-8")
        )
        for group in rules["groups"]:
            for rule in group["rules"]:
                await watched.query(rule["expr"])
        assert len(examples()) > 10
        for example in examples():
            await watched.query(example)
        (known,) = await watched.query("afterbell_district_coverage_ratio")
        assert known.value == 0.5
        assert known.labels["district"] == "1"


def examples() -> list[str]:
    """Those of docs/metrics.md, without their comments."""
    page = (prometheus.DEPLOY.parent / "docs" / "metrics.md").read_text("utf-8")
    block = page.partition("## Examples")[2].split("```")[1]
    return [part.strip().partition("\n")[2] for part in block.split("\n\n")]


# What is replaced, and nothing else


def differing(one: Any, other: Any, path: str = "") -> set[str]:
    """The paths of the values in which two documents differ."""
    if isinstance(one, dict) and isinstance(other, dict):
        assert set(one) == set(other), path
        return {found for key in one for found in differing(one[key], other[key], f"{path}.{key}")}
    if isinstance(one, list) and isinstance(other, list):
        assert len(one) == len(other), path
        pairs = enumerate(zip(one, other, strict=True))
        return {found for _, (mine, yours) in pairs for found in differing(mine, yours, f"{path}[]")}
    return set() if one == other else {path}


def test_prometheus_is_run_with_the_file_as_it_is_but_for_addresses_secrets_and_intervals() -> None:
    text = (prometheus.DEPLOY / "prometheus" / "prometheus.yml").read_text("utf-8")
    changes = prometheus.prometheus_changes(
        target="127.0.0.1:1", alertmanager="127.0.0.1:2", token_file=Path("/elsewhere")
    )
    assert differing(yaml.safe_load(text), yaml.safe_load(prometheus.replaced(text, changes))) == {
        ".global.scrape_interval",
        ".global.evaluation_interval",
        ".alerting.alertmanagers[].static_configs[].targets[]",
        ".scrape_configs[].authorization.credentials_file",
        ".scrape_configs[].static_configs[].targets[]",
    }


def test_alertmanager_is_run_with_the_file_as_it_is_but_for_addresses_secrets_and_intervals(
    tmp_path: Path,
) -> None:
    text = (prometheus.DEPLOY / "alertmanager" / "alertmanager.yml").read_text("utf-8")
    changes = alertmanager_changes(Sink("http://127.0.0.1:1/afterbell"), tmp_path)
    assert differing(yaml.safe_load(text), yaml.safe_load(prometheus.replaced(text, changes))) == {
        ".global.smtp_smarthost",
        ".global.smtp_auth_password_file",
        ".route.group_wait",
        ".route.group_interval",
        ".receivers[].webhook_configs[].url",
        ".receivers[].webhook_configs[].http_config.authorization.credentials_file",
    }


def test_every_other_file_is_the_one_that_is_mounted(tmp_path: Path) -> None:
    source = prometheus.DEPLOY / "prometheus"
    prometheus.placed(source, tmp_path / "placed" / "prometheus.yml", {"service:8080": "127.0.0.1:1"})
    for path in source.rglob("*.yml"):
        if path.name != "prometheus.yml":
            copied = tmp_path / "placed" / path.relative_to(source)
            assert copied.read_bytes() == path.read_bytes()
