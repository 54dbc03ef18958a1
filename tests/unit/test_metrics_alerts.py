"""The families of alert rules, of messages, and of what waits."""

from dataclasses import replace

from service import metrics
from service.store import alert_counts
from tests import snapshots
from tests.observed import alerts, observed, rule, run, snapshot, value

IDLE = {"rule": "idle_30", "severity": "warning"}
STALE = {"rule": "data_stale", "severity": "high"}


def test_alerts_are_counted_by_rule_severity_and_state() -> None:
    made = observed()
    assert value(made, "alerts", state="firing", **IDLE) == 12
    assert value(made, "alerts", state="pending", **IDLE) == 4
    assert value(made, "alerts", state="held", **IDLE) == 0
    assert value(made, "alerts_quiet", **IDLE) == 5


def test_a_rule_that_ran_and_found_nothing_has_a_zero_in_every_state() -> None:
    made = observed()
    assert [value(made, "alerts", state=state, **STALE) for state in alert_counts.STATES] == [0, 0, 0]
    assert value(made, "alerts_quiet", **STALE) == 0


def test_a_rule_that_never_ran_has_no_count() -> None:
    made = metrics.Metrics()
    made.rules_known(7, [rule("cap_90")])
    made.show(snapshot())
    assert value(made, "alerts", state="firing", rule="cap_90", severity="warning") is None
    assert value(made, "rule_failing", rule="cap_90") is None
    info = {"rule": "cap_90", "severity": "warning", "owner": "coordinator", "about": "family"}
    assert value(made, "rule_info", **info) == 1


def test_alerts_of_a_rule_that_is_out_of_use_are_counted_all_the_same() -> None:
    made = metrics.Metrics()
    made.show(snapshot())
    assert value(made, "alerts", state="firing", **IDLE) == 12
    assert value(made, "rule_info", owner="coordinator", about="family", **IDLE) is None


def test_alerts_that_kept_an_earlier_severity_are_told_apart() -> None:
    told = alerts()
    before = replace(told.counts[1], severity="high", alerts=2, quiet=0)
    (district,) = snapshot().districts
    made = metrics.Metrics()
    made.rules_known(7, [rule("idle_30")])
    mixed = replace(told, counts=(*told.counts, before))
    made.show(replace(snapshot(), districts=(replace(district, alerts=mixed),)))
    assert value(made, "alerts", state="firing", rule="idle_30", severity="high") == 2
    assert value(made, "alerts", state="firing", **IDLE) == 12


def test_each_rule_says_how_its_last_evaluation_went() -> None:
    made = observed()
    assert value(made, "rule_failing", rule="idle_30") == 0
    assert value(made, "rule_failing", rule="data_stale") == 1
    assert value(made, "rule_subjects_breached", rule="idle_30") == 16
    assert value(made, "rule_subjects_unjudged", rule="idle_30") == 1
    assert value(made, "rule_duration_seconds", rule="idle_30") == 0.25
    evaluated = run("idle_30").evaluated_at.timestamp()
    assert value(made, "rule_last_evaluation_timestamp_seconds", rule="idle_30") == evaluated


def test_channels_say_what_waits_and_what_was_sent() -> None:
    made = observed()
    mail = {"channel": "it-mail"}
    assert value(made, "notifications_waiting", **mail) == 3
    due = (snapshots.NOW.timestamp()) + 3600
    assert value(made, "notifications_oldest_due_timestamp_seconds", **mail) == due
    assert value(made, "notifications_last_day", state="sent", **mail) == 8
    assert value(made, "notifications_last_day", state="given_up", **mail) == 1
    assert value(made, "channel_failing", **mail) == 0
    assert value(made, "channel_last_success_timestamp_seconds", **mail) == snapshots.NOW.timestamp() - 3600


def test_what_waits_says_how_much_and_since_when() -> None:
    made = observed()
    assert value(made, "work_waiting") == 2
    assert value(made, "work_oldest_waiting_timestamp_seconds") == 1794898800 - 86400
    assert value(made, "flips_waiting") == 6
    assert value(made, "flips_oldest_waiting_timestamp_seconds") == snapshots.NOW.timestamp() - 60


def test_where_nothing_waits_the_count_is_zero_and_the_time_is_absent() -> None:
    made = metrics.Metrics()
    made.show(snapshots.snapshot())
    assert value(made, "work_waiting") == 0
    assert value(made, "work_oldest_waiting_timestamp_seconds") is None
    assert value(made, "flips_waiting") == 0
    assert value(made, "flips_oldest_waiting_timestamp_seconds") is None
