"""What a running service adds to /metrics: its plan for the vendors' limits, and its alert rules."""

import asyncpg
import pytest

from service import app, serving
from service.metrics import Metrics
from service.model import alert_rules
from tests.acceptance.test_service import settings, swept, until, vendor


def value(metrics: Metrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(f"afterbell_{name}", {"district": "1", **labels})


async def test_the_plan_and_the_rules_are_told(
    database: str, pool: asyncpg.Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving, "ROLLUP_EVERY", serving.WATCH_EVERY)
    metrics = Metrics()
    async with (
        vendor() as v,
        app.with_config(settings(v, url=database)) as ready,
        app.collectors(ready, metrics) as polled,
        serving.Service(ready, polled, metrics).serving(),
    ):
        await until(lambda: swept(pool))
        share = value(metrics, "account_budget_planned_ratio", account="kajeet")
        assert share is not None
        assert 0 < share < 0.001  # one request an hour of 100,000 a second
        allowed = value(metrics, "account_budget_requests_per_second", account="kajeet")
        assert allowed == 100_000
        rule = {one.name: one for one in app.rules(ready.config)[1]}["data_stale"]
        assert value(metrics, "rule_info", **labels(rule)) == 1
        ran = {"rule": rule.name}
        await until(lambda: value(metrics, "rule_failing", **ran) == 0, seconds=60)
        known = {**ran, "severity": rule.severity, "state": "firing"}
        assert value(metrics, "alerts", **known) == 0


def labels(rule: alert_rules.Rule) -> dict[str, str]:
    return {"rule": rule.name, "severity": rule.severity, "owner": rule.owner, "about": rule.about}
