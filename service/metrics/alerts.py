"""The families of alert rules and their alerts: by rule, never by subject."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from service.metrics import families
from service.model import alert_rules
from service.store import alert_counts

ALERT_LABELS = ("district", "rule", "severity", "state")
QUIET_LABELS = ("district", "rule", "severity")
RULE_LABELS = ("district", "rule")
INFO_LABELS = ("about", "district", "owner", "rule", "severity")

Rules = Mapping[int, Sequence[alert_rules.Rule]]  # by district


class Standing(NamedTuple):
    """Of one rule and severity."""

    district: str
    rule: str
    severity: str
    counts: tuple[alert_counts.Count, ...]

    def alerts(self, state: str) -> int:
        return sum(count.alerts for count in self.counts if count.state == state)

    @property
    def quiet(self) -> int:
        return sum(count.quiet for count in self.counts if count.state == "firing")


ALERTS: tuple[families.Family, ...] = (
    families.By[Standing](
        "afterbell_alerts",
        "Alerts in breach by rule, severity and state: pending, firing, or held back as they come and go.",
        "state",
        lambda standing: {state: standing.alerts(state) for state in alert_counts.STATES},
    ),
    families.field(
        "afterbell_alerts_quiet",
        "quiet",
        "Firing alerts that somebody has acknowledged or snoozed.",
    ),
)

RULES: tuple[families.Family, ...] = (
    families.Gauge[alert_counts.Run](
        "afterbell_rule_failing",
        "Whether the rule's query failed when it was last evaluated (0 or 1).",
        lambda run: run.failing_since_at is not None,
    ),
    families.field("afterbell_rule_duration_seconds", "seconds", "Duration of the rule's last evaluation."),
    families.Gauge[alert_counts.Run](
        "afterbell_rule_last_evaluation_timestamp_seconds",
        "When the rule was last evaluated.",
        lambda run: run.evaluated_at.timestamp(),
    ),
    families.field(
        "afterbell_rule_subjects_breached", "breached", "Subjects in breach when the rule was last evaluated."
    ),
    families.field(
        "afterbell_rule_subjects_unjudged",
        "unjudged",
        "Subjects of open alerts of which too little was known when the rule was last evaluated.",
    ),
)

INFO: tuple[families.Family, ...] = (
    families.Gauge[alert_rules.Rule](
        "afterbell_rule_info", "A rule that is in use, and whom it concerns; always 1.", lambda rule: 1
    ),
)


def standings(
    district: str, told: alert_counts.Alerts, rules: Sequence[alert_rules.Rule]
) -> Iterator[Standing]:
    """Of every rule that has an alert, or that ran and so is known to have none."""
    ran = {run.rule for run in told.runs}
    severities = {(rule.name, rule.severity) for rule in rules if rule.name in ran}
    for rule, severity in sorted(severities | {(one.rule, one.severity) for one in told.counts}):
        counts = tuple(count for count in told.of(rule) if count.severity == severity)
        yield Standing(district, rule, severity, counts)


def infos(
    district: str, rules: Sequence[alert_rules.Rule]
) -> Iterator[tuple[families.Labels, alert_rules.Rule]]:
    for rule in sorted(rules, key=lambda rule: rule.name):
        yield (rule.about, district, rule.owner, rule.name, rule.severity), rule
