"""The running service judges alerts: at its start, after days were computed, and every five minutes."""

import asyncio
from datetime import datetime, timedelta
from pathlib import Path

import asyncpg
import pytest

from service import alert_config, app, errors, serving
from service import config as configs
from service.alerting import evaluate
from service.metrics import Metrics
from tests import factories
from tests.alerts import facts
from tests.alerts.facts import NOW

MINUTE = timedelta(minutes=1)
HEADER = """-- title: Slow
-- about: fleet
-- severity: high
-- owner: it
-- why: It annoys.
-- action: Mend it.
"""


class Clock:
    """Each look at it is of the time that a test sets."""

    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
async def its(pool: asyncpg.Pool) -> facts.Facts:
    return await facts.made(pool)


@pytest.fixture
def service(its: facts.Facts, tmp_path: Path) -> serving.Service:
    """Of one district, with the rule of the facts in a folder of its own."""
    (tmp_path / "slow.sql").write_text(f"{HEADER}{facts.rule().query.strip()}", "utf-8")
    district = configs.District(
        id=factories.DISTRICT,
        name="Lab District",
        time_zone=factories.ZONE,
        alerts=alert_config.Alerts(rules_folder=tmp_path),
    )
    config = configs.Config.model_construct(
        web=configs.Web(port=0), thresholds=configs.Thresholds(), reading_months=13, districts=(district,)
    )
    return serving.Service(app.Opened(config, its.pool, {}), [], Metrics(), clock=Clock())


async def judged_at(pool: asyncpg.Pool) -> datetime | None:
    found: datetime | None = await pool.fetchval("SELECT evaluated_at FROM rule_runs WHERE rule = 'slow'")
    return found


async def test_it_judges_at_its_start(its: facts.Facts, service: serving.Service) -> None:
    await its.tell()
    async with service.serving():
        for _ in range(200):
            if await its.pool.fetchval("SELECT count(*) FROM alerts WHERE rule = 'slow'"):
                break
            await asyncio.sleep(0.05)
    assert await its.kinds() == ["fired"]


async def test_it_judges_again_after_five_minutes_or_when_days_were_computed(
    its: facts.Facts, service: serving.Service
) -> None:
    clock = service._clock
    assert isinstance(clock, Clock)
    await service._judge_alerts()
    assert await judged_at(its.pool) == NOW
    clock.now = NOW + 4 * MINUTE
    await service._judge_alerts()
    assert await judged_at(its.pool) == NOW
    clock.now = NOW + 5 * MINUTE
    await service._judge_alerts()
    assert await judged_at(its.pool) == clock.now
    await its.pool.execute("INSERT INTO dirty_loan_days VALUES (1, $1)", facts.DAY + timedelta(days=1))
    await service._roll_up()  # the district has a day to compute
    clock.now = NOW + 6 * MINUTE
    await service._judge_alerts()
    assert await judged_at(its.pool) == clock.now
    await service._roll_up()  # and now it has none
    clock.now = NOW + 7 * MINUTE
    await service._judge_alerts()
    assert await judged_at(its.pool) == NOW + 6 * MINUTE


async def test_a_database_that_was_away_is_judged_when_it_is_back(
    its: facts.Facts, service: serving.Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: object, **__: object) -> None:
        raise errors.DatabaseUnavailable("away")

    with monkeypatch.context() as patched:
        patched.setattr(evaluate, "districts", away)
        with pytest.raises(errors.DatabaseUnavailable):
            await service._judge_alerts()
    await service._judge_alerts()
    assert await judged_at(its.pool) == NOW
