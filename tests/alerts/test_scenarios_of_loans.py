"""The stories of the rules about loans, judged as the service judges: in order, then in breach, then in order again."""

from datetime import datetime

import asyncpg
import pytest

from service.alerting import evaluate, rules
from tests.alerts import judging
from tests.alerts.scenario import Scenario, World, world
from tests.alerts.scenarios_of_loans import SCENARIOS
from tests.fleet import DISTRICT


async def judged(told: World, scenario: Scenario, at: datetime) -> list[str]:
    """The states of the rule's alerts after an evaluation."""
    rule = judging.rule(scenario.rule, scenario.profile)
    needed = [judging.rule(name, scenario.profile) for name in rule.needs]
    await told.passes(at)
    found = await evaluate.district(told.pool, DISTRICT, rules.in_order([*needed, rule]), now=at)
    assert [run.error for run in found.runs] == [None] * (len(needed) + 1)
    assert found.waits is None
    rows = await told.pool.fetch(
        "SELECT state::text FROM alerts WHERE rule = $1 ORDER BY alert_id", rule.name
    )
    return [row["state"] for row in rows]


@pytest.mark.parametrize("name", SCENARIOS)
async def test_a_story_fires_its_rule_and_clears_it(pool: asyncpg.Pool, name: str) -> None:
    scenario = SCENARIOS[name]
    async with world(pool, scenario.before) as told:
        await scenario.setup(told)
        assert await judged(told, scenario, scenario.before) == []
        await scenario.breach(told)
        for at in scenario.evaluated:
            assert await judged(told, scenario, at) == []
        assert await judged(told, scenario, scenario.breached) == ["firing"]
        await scenario.recover(told)
        assert await judged(told, scenario, scenario.recovered) == ["clear"]
