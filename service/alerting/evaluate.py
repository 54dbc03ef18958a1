"""Judges districts by their rules, and says in the log what began and what ended."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import asyncpg

from service.model import alert_rules
from service.store import alerts, judging

_log = logging.getLogger(__name__)


async def district(
    pool: asyncpg.Pool, district_id: int, rules: Sequence[alert_rules.Rule], *, now: datetime
) -> judging.Evaluated:
    """Judge a district on its reported day. Raises DatabaseUnavailable."""
    before = {run.rule for run in await alerts.runs(pool, district_id) if run.failing_since_at is not None}
    found = await judging.evaluate(pool, district_id, rules, now=now)
    _log_failures(district_id, before, found.runs)
    return found


async def districts(
    pool: asyncpg.Pool, rules: Mapping[int, Sequence[alert_rules.Rule]], *, now: datetime
) -> list[judging.Evaluated]:
    """Judge each district by its own rules. Raises DatabaseUnavailable."""
    return [await district(pool, district_id, its, now=now) for district_id, its in rules.items()]


def _log_failures(district_id: int, before: set[str], runs: Iterable[alerts.Run]) -> None:
    for run in runs:
        if run.error is not None and run.rule not in before:
            _log.error(
                "district %s: the rule %s fails: %s",
                district_id,
                run.rule,
                run.error,
                extra={"action": "rule_failing"},
            )
        if run.error is None and run.rule in before:
            _log.info(
                "district %s: the rule %s works again", district_id, run.rule, extra={"action": "rule_works"}
            )
