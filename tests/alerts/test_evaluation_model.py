"""Whatever is judged in whatever order, alerts go as a small model of them says."""

import asyncio
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.store import alerts, judging
from service.store import pool as pools
from tests.alerts import facts
from tests.alerts.facts import HOUR, NOW

WAITS = st.sampled_from([timedelta(0), HOUR, 3 * HOUR])
ACTS = ("breach", "clear", "unknown", "acknowledge", "unacknowledge", "snooze", "wake")
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["breach", "breach", "clear", "clear", *ACTS]),
        st.sampled_from([timedelta(0), HOUR, 2 * HOUR, 24 * HOUR, 60 * HOUR]),
    ),
    min_size=6,
    max_size=40,
)
EXAMPLES = int(os.environ.get("AFTERBELL_TEST_EXAMPLES", "25"))  # more, for long hunts by hand
_numbers = count()


@dataclass
class Model:
    """The life of one alert, as it is meant."""

    fires_after: timedelta
    clears_after: timedelta
    reminder: timedelta
    escalates_after: timedelta
    state: str = "clear"
    since: datetime | None = None
    over_since: datetime | None = None
    told_at: datetime = NOW  # when it was told last
    counted_from: datetime = NOW  # escalation
    is_acknowledged: bool = False
    is_escalated: bool = False
    snoozed_until: datetime | None = None
    fired: list[datetime] = field(default_factory=list)
    kinds: list[str] = field(default_factory=list)

    def act(self, what: str, now: datetime) -> None:
        if self.state not in alerts.OPEN:
            return
        if what == "acknowledge" and not self.is_acknowledged:
            self.is_acknowledged = True
            self.kinds.append("acknowledged")
        elif what == "unacknowledge" and self.is_acknowledged:
            self.is_acknowledged = False
            self.told_at = self.counted_from = now
            self.kinds.append("unacknowledged")
        elif what == "snooze" and self.snoozed_until != now + 6 * HOUR:
            self.snoozed_until = now + 6 * HOUR
            self.kinds.append("snoozed")
        elif what == "wake" and self.snoozed_until is not None:
            self.snoozed_until = None
            self.told_at = self.counted_from = now
            self.kinds.append("woken")

    def judge(self, what: str, now: datetime) -> None:
        if what == "breach":
            self._breach(now)
        elif what == "clear" and self.state != "clear":
            self._clear(now)

    def _breach(self, now: datetime) -> None:
        was_over, self.over_since = self.over_since is not None, None
        if self.state == "held":
            self.since = now if was_over else self.since
            assert self.since is not None
            if now - self.since >= judging.STEADY_FOR:
                self._fires("released", now)
            elif self.snoozed_until is not None and self.snoozed_until <= now:
                self._wakes(now)
        elif self.state == "firing":
            self._goes_on(now)
        else:
            self.since = self.since if self.state == "pending" else now
            assert self.since is not None
            if now - self.since < self.fires_after:
                self.state = "pending"
            elif sum(now - at < judging.FLAPS_WITHIN for at in self.fired) >= judging.FLAPS:
                self.state, self.since = "held", now
                self.kinds.append("held")
            else:
                self.fired.append(now)
                self.is_escalated = False
                self._fires("fired", now)

    def _fires(self, kind: str, now: datetime) -> None:
        self.state = "firing"
        self.told_at = self.counted_from = now
        self.kinds.append(kind)

    def _wakes(self, now: datetime) -> None:
        self.snoozed_until = None
        self.told_at = self.counted_from = now
        self.kinds.append("woken")

    def _goes_on(self, now: datetime) -> None:
        if self.snoozed_until is not None and self.snoozed_until <= now:
            self._wakes(now)
        elif self.is_acknowledged or self.snoozed_until is not None:
            return
        elif not self.is_escalated and now - self.counted_from >= self.escalates_after:
            self.is_escalated, self.told_at = True, now
            self.kinds.append("escalated")
        elif now - self.told_at >= self.reminder:
            self.told_at = now
            self.kinds.append("reminded")

    def _clear(self, now: datetime) -> None:
        self.over_since = self.over_since or now
        waited = now - self.over_since
        if self.state == "held" and waited >= judging.STEADY_FOR:
            self._ends("released")
        elif self.state == "firing" and waited >= self.clears_after:
            self._ends("cleared")
        elif self.state == "pending":
            self._ends(None)

    def _ends(self, kind: str | None) -> None:
        self.state, self.since, self.over_since = "clear", None, None
        self.is_acknowledged, self.snoozed_until, self.is_escalated = False, None, False
        self.kinds += [kind] if kind else []


@dataclass
class Runs:
    """A loop and a pool that every example uses, each with a rule of its own."""

    loop: asyncio.AbstractEventLoop
    its: facts.Facts


@pytest.fixture
def runs(database: str) -> Iterator[Runs]:
    loop = asyncio.new_event_loop()
    opened = pools.connected(database, size=1)
    pool = loop.run_until_complete(opened.__aenter__())
    yield Runs(loop, loop.run_until_complete(facts.made(pool)))
    loop.run_until_complete(opened.__aexit__(None, None, None))
    loop.close()


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    database=None,
    derandomize=True,
)
@given(steps=STEPS, fires_after=WAITS, clears_after=WAITS)
def test_alerts_go_as_the_model_says(
    runs: Runs, steps: list[tuple[str, timedelta]], fires_after: timedelta, clears_after: timedelta
) -> None:
    model = Model(fires_after, clears_after, reminder=24 * HOUR, escalates_after=48 * HOUR)
    runs.loop.run_until_complete(_compared(runs.its, model, steps))


async def _compared(its: facts.Facts, model: Model, steps: list[tuple[str, timedelta]]) -> None:
    name = f"rule_{next(_numbers)}"
    its.rules = [
        facts.rule(
            name,
            fires_after=model.fires_after,
            clears_after=model.clears_after,
            reminder=model.reminder,
            escalates_after=model.escalates_after,
        )
    ]
    its.now = NOW
    judged = "clear"
    for what, wait in steps:
        its.now += wait
        if what in ("breach", "clear", "unknown"):
            judged = what
            await its.tell({"breach": True, "clear": False}.get(what), rule=name)
        else:
            model.act(what, its.now)
            await _act(its.pool, name, what, its.now)
        model.judge(judged, its.now)
        await its.judged()
        assert (await its.judged()).flips == 0
        assert await _stands(its.pool, name) == (model.state, model.kinds), (what, its.now)


async def _act(pool: asyncpg.Pool, rule: str, what: str, now: datetime) -> None:
    alert_id = await pool.fetchval("SELECT alert_id FROM alerts WHERE rule = $1", rule)
    if alert_id is None:
        return
    if what == "snooze":
        await alerts.snooze(pool, 1, alert_id, now=now, until=now + 6 * HOUR, actor="it")
    else:
        act = {"acknowledge": alerts.acknowledge, "unacknowledge": alerts.unacknowledge, "wake": alerts.wake}[
            what
        ]
        await act(pool, 1, alert_id, now=now, actor="it")


async def _stands(pool: asyncpg.Pool, rule: str) -> tuple[str, list[str]]:
    row = await pool.fetchrow(
        "SELECT a.state::text, coalesce((SELECT array_agg(f.kind::text ORDER BY f.flip_id) FROM flips AS f"
        " WHERE f.alert_id = a.alert_id), '{}') AS kinds FROM alerts AS a WHERE a.rule = $1",
        rule,
    )
    return ("clear", []) if row is None else (row["state"], list(row["kinds"]))
