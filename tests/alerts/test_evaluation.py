"""What rules find becomes alerts and flips."""

from datetime import timedelta

import asyncpg
import pytest

from service.store import alerts
from tests.alerts import facts
from tests.alerts.facts import HOUR, NOW


async def test_a_breach_fires_at_once_where_its_rule_does_not_wait(pool: asyncpg.Pool) -> None:
    its = await facts.made(pool)
    await its.tell(value=3.5, details='{"days": 3}')
    found = await its.judged()
    assert (found.flips, found.judged_on) == (1, facts.DAY)
    (flip,) = await its.flips()
    assert (flip.kind, flip.old_state, flip.new_state, flip.reason) == ("fired", "clear", "firing", "breach")
    assert flip.evidence == {
        "value": 3.5,
        "clock": "none",
        "since": "2026-10-21T15:00:00+00:00",
        "judged_on": "2026-10-20",
        "details": {"days": 3},
    }
    assert (flip.created_at, flip.actor, flip.processed_at) == (NOW, "afterbell", None)


async def test_evidence_tells_what_the_value_was_compared_with(pool: asyncpg.Pool) -> None:
    its = await facts.made(pool, facts.rule(threshold=30.0, unit="days", clock="calendar"))
    await its.tell(value=34, since=NOW - 4 * 24 * HOUR)
    await its.judged()
    (flip,) = await its.flips()
    assert flip.evidence["threshold"] == 30
    assert (flip.evidence["unit"], flip.evidence["clock"]) == ("days", "calendar")
    assert flip.evidence["since"] == "2026-10-17T15:00:00+00:00"


async def test_judging_twice_at_one_instant_makes_no_further_flip(pool: asyncpg.Pool) -> None:
    its = await facts.made(pool, facts.rule(reminder=24 * HOUR, escalates_after=48 * HOUR))
    await its.tell()
    await its.judged()
    for _ in range(4):
        await its.judged(24 * HOUR)
        assert (await its.judged()).flips == 0


async def test_a_judgement_that_changes_nothing_writes_nothing(pool: asyncpg.Pool) -> None:
    its = await facts.made(pool)
    await its.tell(value=1)
    await its.judged()
    version = await pool.fetchval("SELECT xmin::text FROM alerts")
    await its.judged(HOUR)
    assert await pool.fetchval("SELECT xmin::text FROM alerts") == version
    await its.tell(value=2)
    await its.judged(HOUR)
    assert (await its.alert()).value == 2


async def test_a_breach_waits_for_as_long_as_its_rule_says(pool: asyncpg.Pool) -> None:
    its = await facts.made(pool, facts.rule(fires_after=2 * HOUR))
    await its.tell()
    await its.judged()
    assert (await its.state(), await its.kinds()) == ("pending", [])
    await its.judged(HOUR)
    assert await its.state() == "pending"
    await its.judged(HOUR)
    assert await its.state() == "firing"
    (flip,) = await its.flips()
    assert (flip.old_state, flip.evidence["since"]) == ("pending", NOW.isoformat())


async def test_a_breach_that_the_facts_date_back_does_not_wait_again(pool: asyncpg.Pool) -> None:
    its = await facts.made(pool, facts.rule(fires_after=2 * HOUR))
    await its.tell(since=NOW - 3 * HOUR)
    await its.judged()
    assert (await its.alert()).breached_since_at == NOW - 3 * HOUR
    assert await its.state() == "firing"


async def test_a_breach_cannot_begin_in_the_future(pool: asyncpg.Pool) -> None:
    its = await facts.made(pool)
    await its.tell(since=NOW + HOUR)
    await its.judged()
    assert (await its.alert()).breached_since_at == NOW


async def test_a_breach_that_ends_before_it_fires_says_nothing(pool: asyncpg.Pool) -> None:
    its = await facts.made(pool, facts.rule(fires_after=2 * HOUR))
    await its.tell()
    await its.judged()
    await its.tell(False)
    await its.judged(HOUR)
    assert (await its.state(), await its.kinds()) == ("clear", [])
    await its.tell()
    await its.judged(HOUR)
    await its.judged(HOUR)
    assert await its.state() == "pending", "the time before its end does not count"


@pytest.mark.parametrize("is_told", [True, False])
async def test_the_end_of_a_breach_clears_it(pool: asyncpg.Pool, is_told: bool) -> None:
    its = await facts.made(pool)
    await its.tell()
    await its.judged()
    await (its.tell(False) if is_told else its.forget())
    await its.judged(HOUR)
    flip = (await its.flips())[-1]
    assert (flip.kind, flip.old_state, flip.new_state, flip.reason) == (
        "cleared",
        "firing",
        "clear",
        "recovered",
    )


async def test_its_end_waits_for_as_long_as_its_rule_says(pool: asyncpg.Pool) -> None:
    its = await facts.made(pool, facts.rule(clears_after=2 * HOUR))
    await its.tell()
    await its.judged()
    await its.tell(False)
    await its.judged(HOUR)
    await its.judged(HOUR)
    assert await its.state() == "firing"
    await its.tell()
    await its.judged(HOUR)
    await its.tell(False)
    await its.judged(HOUR)
    await its.judged(HOUR)
    assert await its.state() == "firing", "it was in breach in between"
    await its.judged(HOUR)
    assert await its.kinds() == ["fired", "cleared"]


async def test_what_is_not_known_leaves_an_alert_as_it_is(pool: asyncpg.Pool) -> None:
    its = await facts.made(pool, facts.rule(reminder=HOUR))
    await its.tell()
    await its.judged()
    await its.tell(None)
    found = await its.judged(48 * HOUR)
    alert = await its.alert()
    assert (alert.state, alert.is_judged, await its.kinds()) == ("firing", False, ["fired"])
    assert (found.runs[0].breached, found.runs[0].unjudged) == (0, 1)
    await its.tell()
    await its.judged(HOUR)
    assert (await its.alert()).is_judged


async def test_what_is_not_known_makes_no_alert(pool: asyncpg.Pool) -> None:
    its = await facts.made(pool)
    await its.tell(None)
    await its.judged()
    assert await pool.fetchval("SELECT count(*) FROM alerts") == 0


async def test_a_hotspot_that_was_handed_back_is_gone_not_recovered(pool: asyncpg.Pool) -> None:
    its = await facts.made(pool, facts.rule(clears_after=24 * HOUR))
    school_id = await its.school()
    await its.lend(12, school_id)
    subject = "loan:12"
    await its.tell(subject=subject, school_id=school_id)
    await its.judged()
    await pool.execute("UPDATE loans SET returned_on = $1", facts.DAY + timedelta(days=1))
    await its.forget(subject)
    await its.judged(HOUR)
    flip = (await its.flips(subject))[-1]
    assert (flip.kind, flip.reason) == ("cleared", "gone")


async def test_an_own_rules_odd_subject_does_no_harm(pool: asyncpg.Pool) -> None:
    its = await facts.made(pool)
    await its.tell(subject="loan:abc")
    await its.judged()
    await its.forget("loan:abc")
    await its.judged(HOUR)
    assert (await its.flips("loan:abc"))[-1].reason == "gone"


async def test_reminders_come_until_somebody_sees_to_it(pool: asyncpg.Pool) -> None:
    its = await facts.made(pool, facts.rule(reminder=24 * HOUR))
    await its.tell()
    await its.judged()
    await its.judged(23 * HOUR)
    assert await its.kinds() == ["fired"]
    await its.judged(HOUR)
    await its.judged(24 * HOUR)
    assert await its.kinds() == ["fired", "reminded", "reminded"]
    alert = await its.alert()
    assert await alerts.acknowledge(pool, 1, alert.alert_id, now=its.now, actor="coordinator")
    await its.judged(24 * 7 * HOUR)
    assert (await its.kinds())[-1] == "acknowledged"
    assert (await its.flips())[-1].actor == "coordinator"


async def test_it_escalates_once_where_nobody_acknowledges_it(pool: asyncpg.Pool) -> None:
    its = await facts.made(pool, facts.rule(escalates_after=48 * HOUR, reminder=24 * HOUR))
    await its.tell()
    await its.judged()
    for _ in range(4):
        await its.judged(24 * HOUR)
    assert await its.kinds() == ["fired", "reminded", "escalated", "reminded", "reminded"]


async def test_it_does_not_escalate_once_acknowledged(pool: asyncpg.Pool) -> None:
    its = await facts.made(pool, facts.rule(escalates_after=48 * HOUR))
    await its.tell()
    await its.judged()
    alert_id = (await its.alert()).alert_id
    await alerts.acknowledge(pool, 1, alert_id, now=its.now + HOUR, actor="it")
    await its.judged(72 * HOUR)
    assert await its.kinds() == ["fired", "acknowledged"]
    await alerts.unacknowledge(pool, 1, alert_id, now=its.now, actor="it")
    await its.judged(47 * HOUR)
    assert (await its.kinds())[-1] == "unacknowledged", "its time begins anew"
    await its.judged(HOUR)
    assert (await its.kinds())[-1] == "escalated"


async def test_an_acknowledgement_ends_when_the_alert_clears(pool: asyncpg.Pool) -> None:
    its = await facts.made(pool, facts.rule(reminder=24 * HOUR))
    await its.tell()
    await its.judged()
    await alerts.acknowledge(pool, 1, (await its.alert()).alert_id, now=its.now, actor="it")
    await its.forget()
    await its.judged(HOUR)
    assert (await its.alert()).acknowledged_at is None
    await its.tell()
    await its.judged(HOUR)
    await its.judged(24 * HOUR)
    assert await its.kinds() == ["fired", "acknowledged", "cleared", "fired", "reminded"]


async def test_a_snooze_is_silent_and_then_says_that_it_is_over(pool: asyncpg.Pool) -> None:
    its = await facts.made(pool, facts.rule(reminder=24 * HOUR, escalates_after=48 * HOUR))
    await its.tell()
    await its.judged()
    until = its.now + 7 * 24 * HOUR
    assert await alerts.snooze(pool, 1, (await its.alert()).alert_id, now=its.now, until=until, actor="it")
    assert (await its.flips())[-1].evidence == {"until": until.isoformat()}
    await its.judged(6 * 24 * HOUR)
    assert await its.kinds() == ["fired", "snoozed"]
    await its.judged(24 * HOUR)
    assert (await its.kinds())[-1] == "woken"
    assert (await its.alert()).snoozed_until_at is None
    await its.judged(23 * HOUR)
    assert (await its.kinds())[-1] == "woken", "the times of reminders and escalation begin anew"
    await its.judged(HOUR)
    await its.judged(24 * HOUR)
    assert (await its.kinds())[-2:] == ["reminded", "escalated"]


async def test_a_snooze_can_be_ended_by_hand(pool: asyncpg.Pool) -> None:
    its = await facts.made(pool)
    await its.tell()
    await its.judged()
    alert_id = (await its.alert()).alert_id
    await alerts.snooze(pool, 1, alert_id, now=its.now, until=its.now + HOUR, actor="it")
    assert await alerts.wake(pool, 1, alert_id, now=its.now, actor="it")
    assert not await alerts.wake(pool, 1, alert_id, now=its.now, actor="it")
    assert await its.kinds() == ["fired", "snoozed", "woken"]


async def test_only_what_is_open_can_be_acted_on(pool: asyncpg.Pool) -> None:
    its = await facts.made(pool, facts.rule(fires_after=HOUR))
    await its.tell()
    await its.judged()
    alert_id = (await its.alert()).alert_id
    assert not await alerts.acknowledge(pool, 1, alert_id, now=its.now, actor="it")
    assert not await alerts.snooze(pool, 1, alert_id, now=its.now, until=its.now + HOUR, actor="it")
    assert not await alerts.acknowledge(pool, 1, alert_id + 1, now=its.now, actor="it")
    await its.judged(HOUR)
    assert await alerts.acknowledge(pool, 1, alert_id, now=its.now, actor="it")
    assert not await alerts.acknowledge(pool, 1, alert_id, now=its.now, actor="it")


async def test_an_alert_that_comes_and_goes_is_held_back_and_says_so(pool: asyncpg.Pool) -> None:
    its = await facts.made(pool)
    for _ in range(4):
        await its.tell()
        await its.judged(HOUR)
        await its.forget()
        await its.judged(HOUR)
    assert await its.kinds() == ["fired", "cleared", "fired", "cleared", "fired", "cleared", "held"]
    assert await its.state() == "held"
    assert (await its.flips())[-1].reason == "flapping"
    for _ in range(5):
        await its.tell()
        await its.judged(HOUR)
        await its.forget()
        await its.judged(HOUR)
    assert (await its.kinds())[-1] == "held"
    await its.judged(23 * HOUR)
    assert await its.state() == "held"
    await its.judged(HOUR)
    flip = (await its.flips())[-1]
    assert (flip.kind, flip.old_state, flip.new_state, flip.reason) == (
        "released",
        "held",
        "clear",
        "steady_clear",
    )


async def test_an_alert_that_is_held_and_stays_in_breach_is_told_after_a_day(pool: asyncpg.Pool) -> None:
    its = await facts.made(pool, facts.rule(reminder=HOUR))
    for _ in range(4):
        await its.forget()
        await its.judged(HOUR)
        await its.tell(since=NOW - 240 * HOUR)
        await its.judged(timedelta(minutes=5))
    assert await its.state() == "held"
    await its.judged(23 * HOUR)
    assert (await its.kinds())[-1] == "held", "no reminders of what is held back"
    await its.judged(HOUR)
    flip = (await its.flips())[-1]
    assert (flip.kind, flip.new_state, flip.reason) == ("released", "firing", "steady_breach")
    alert = await its.alert()
    assert (alert.fired_at, alert.breached_since_at) == (its.now, NOW - 240 * HOUR)
    await its.forget()
    await its.judged(HOUR)
    assert (await its.kinds())[-1] == "cleared"


async def test_firings_of_long_ago_hold_nothing_back(pool: asyncpg.Pool) -> None:
    its = await facts.made(pool)
    for _ in range(6):
        await its.tell()
        await its.judged(72 * HOUR)
        await its.forget()
        await its.judged(HOUR)
    assert set(await its.kinds()) == {"fired", "cleared"}


async def test_a_rule_that_is_switched_off_clears_its_alerts(pool: asyncpg.Pool) -> None:
    its = await facts.made(pool, facts.rule(), facts.rule("late", fires_after=HOUR))
    await its.tell()
    await its.tell(rule="late")
    await its.judged()
    its.rules = []
    assert (await its.judged(HOUR)).flips == 1
    flip = (await its.flips())[-1]
    assert (flip.kind, flip.reason, await its.state()) == ("cleared", "rule_off", "clear")
    assert (await its.alert(rule="late")).state == "clear"
    assert await its.flips(rule="late") == []
    assert await alerts.runs(pool, 1) == []


async def test_a_restart_changes_nothing(database: str, pool: asyncpg.Pool) -> None:
    its = await facts.made(pool, facts.rule(fires_after=2 * HOUR))
    await its.tell()
    await its.judged()
    await its.judged(HOUR)
    its.pool = await asyncpg.create_pool(database, min_size=1, max_size=2)
    try:
        await its.judged(HOUR)
        assert await its.kinds() == ["fired"]
    finally:
        await its.pool.close()


async def test_what_another_rule_tells_of_now_is_not_called_recovered(pool: asyncpg.Pool) -> None:
    its = await facts.made(pool)
    await its.tell()
    await its.judged()
    await its.tell(False, details='{"taken_over_by": "late"}')
    await its.judged(HOUR)
    assert (await its.flips())[-1].reason == "taken_over"


async def test_an_alert_that_fires_tells_when_it_began_whichever_day_its_facts_are_of(
    pool: asyncpg.Pool,
) -> None:
    """As of a total that is above its share on every day: the newest day is not when it began."""
    its = await facts.made(pool, facts.rule(reminder=48 * HOUR))
    began = NOW - 24 * HOUR
    for days in range(3):
        await its.tell(since=began + days * 24 * HOUR, value=days)
        await its.judged(24 * HOUR)
    assert (await its.alert()).breached_since_at == began
    assert [flip.evidence["since"] for flip in await its.flips()] == [began.isoformat()] * 2
    await its.tell(since=began - 24 * HOUR)
    await its.judged()
    assert (await its.alert()).breached_since_at == began - 24 * HOUR, "earlier than was known"


async def test_what_is_over_tells_when_it_began_and_not_when_it_would_begin_again(pool: asyncpg.Pool) -> None:
    its = await facts.made(pool)
    await its.tell(since=NOW - 48 * HOUR)
    await its.judged()
    await its.tell(False, since=NOW + 30 * 24 * HOUR)
    await its.judged(HOUR)
    flip = (await its.flips())[-1]
    assert (flip.kind, flip.evidence["since"]) == ("cleared", (NOW - 48 * HOUR).isoformat())


async def test_a_breach_without_a_beginning_began_when_it_was_first_seen(pool: asyncpg.Pool) -> None:
    its = await facts.made(pool)
    await its.tell()
    await pool.execute("UPDATE facts SET since_at = '-infinity'")
    await its.judged()
    assert (await its.alert()).breached_since_at == NOW
