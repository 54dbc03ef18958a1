"""Alerts as their pages show them: by rule, in words."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from service.model import alert_rules, alert_words
from service.store import alert_counts, alert_lists, alerts, coverage
from service.web import words

LISTED = 20  # schools of a rule on the first page
RESOLVED = 50  # rows of what was resolved
FLIPS = 50  # of an alert's history
PAGE = alert_lists.PAGE
OWNERS = {
    "it": "IT",
    "coordinator": "the coordinator",
    "school": "the school’s library or technology teacher",
    "finance": "finance",
}
STATES = {
    "pending": "Waiting",
    "firing": "Firing",
    "held": "Held back",
    "clear": "Resolved",
}
CHIPS = {"critical": "chip bad", "high": "chip bad", "warning": "chip warm", "info": "chip"}

_YEAR = timedelta(days=300)  # from then on an instant without its year misleads
_WORD = re.compile(r"[_\s]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A rule that has open alerts. ``rule`` None: it is no longer in force."""

    name: str
    rule: alert_rules.Rule | None
    groups: tuple[alert_lists.Group, ...]

    @property
    def title(self) -> str:
        return title(self.name, self.rule)

    @property
    def severity(self) -> str:
        return max((group.severity for group in self.groups), key=alert_rules.SEVERITIES.index)

    @property
    def firing(self) -> int:
        return sum(group.firing for group in self.groups)

    @property
    def held(self) -> int:
        return sum(group.held for group in self.groups)

    @property
    def pending(self) -> int:
        return sum(group.pending for group in self.groups)

    @property
    def since_at(self) -> datetime:
        return min(group.since_at for group in self.groups)

    @property
    def said(self) -> str:
        """What is being done about them, and what is in doubt: "" where there is nothing to say."""
        counts = (
            (sum(group.acknowledged for group in self.groups), "acknowledged"),
            (sum(group.snoozed for group in self.groups), "snoozed"),
            (sum(group.unjudged for group in self.groups), "with too little known now to judge"),
        )
        return ", ".join(f"{count:,} {what}" for count, what in counts if count)


def sections(
    groups: Iterable[alert_lists.Group], rules: Mapping[str, alert_rules.Rule]
) -> tuple[Section, ...]:
    """The most severe first, then those with the most alerts."""
    by_rule: dict[str, list[alert_lists.Group]] = {}
    for group in groups:
        by_rule.setdefault(group.rule, []).append(group)
    found = [
        Section(name=name, rule=rules.get(name), groups=tuple(sorted(of, key=_most_first)))
        for name, of in by_rule.items()
    ]
    return tuple(sorted(found, key=_worst_first))


def _worst_first(section: Section) -> tuple[int, int, str]:
    return -alert_rules.SEVERITIES.index(section.severity), -section.firing, section.title


def _most_first(group: alert_lists.Group) -> tuple[int, int, str]:
    return -group.firing, -group.held, group.school or ""


def summed(sections: Sequence[Section], chosen: alert_lists.Chosen) -> str:
    """``12 alerts are firing, and 1 is held back.``"""
    firing, held = sum(one.firing for one in sections), sum(one.held for one in sections)
    pending = sum(one.pending for one in sections)
    if chosen.states == ("pending",):
        return f"{_are(pending, 'alert').capitalize()} waiting to fire: so for less time than the rule waits."
    said = [f"{_are(firing, 'alert')} firing"] if chosen.states != ("held",) else []
    if held or chosen.states == ("held",):
        said.append(f"{_are(held, 'alert' if not said else '')} held back, for coming and going too often")
    text = ", and ".join(said)
    return f"{text[:1].upper()}{text[1:]}."


def counted(found: alert_counts.Alerts) -> str:
    """Of the district's page: how many fire, and how many of these nobody sees to yet."""
    firing = [one for one in found.counts if one.state == "firing"]
    total, quiet = sum(one.alerts for one in firing), sum(one.quiet for one in firing)
    said = f"{_are(total, 'alert')} firing"
    severe = sum(one.alerts for one in firing if one.severity in ("critical", "high"))
    if severe:
        said += f", {severe:,} of them of high or critical severity"
    if quiet:
        said += f"; {quiet:,} {'is' if quiet == 1 else 'are'} acknowledged or snoozed"
    return f"{said[:1].upper()}{said[1:]}."


def _are(count: int, noun: str) -> str:
    counted = words.counted(count, noun) if noun else f"{count:,}"
    counted = counted if count else f"no {noun}".strip()
    return f"{counted} {'is' if count in (0, 1) else 'are'}"


def school(
    district: coverage.District, found: alert_lists.Overview, chosen: alert_lists.Chosen
) -> str | None:
    """The name of the chosen school; None: every school is looked at."""
    if chosen.school is None:
        return None
    of_district = (one.name for one in district.schools if one.ncessch == chosen.school)
    known = [group.school for group in found.groups] + [one.school for one in found.resolved]
    return next(of_district, None) or next(filter(None, known), None) or "the chosen school"


def total(sections: Iterable[Section]) -> int:
    return sum(one.firing + one.held + one.pending for one in sections)


def failing(runs: Iterable[alerts.Run]) -> list[alerts.Run]:
    return [run for run in runs if run.failing_since_at is not None]


def looked_at(runs: Iterable[alerts.Run]) -> alerts.Run | None:
    """The run of any rule that was last; None: no rule ever ran."""
    return max(runs, key=lambda run: run.evaluated_at, default=None)


def query(chosen: alert_lists.Chosen, **changes: object) -> str:
    """The address's part after the question mark, with changes; None leaves out."""
    state = None if chosen.states == alerts.OPEN else chosen.states[0]
    asked = {"rule": chosen.rule, "school": chosen.school, "state": state} | changes
    return urlencode({name: value for name, value in asked.items() if value is not None})


def title(name: str, rule: alert_rules.Rule | None) -> str:
    return spaced(name) if rule is None else rule.title


def spaced(name: str) -> str:
    """``idle_days`` as ``Idle days``."""
    text = _WORD.sub(" ", name).strip()
    return text[:1].upper() + text[1:]


def subject(alert: alerts.Alert | alert_lists.Row) -> str:
    """``loan:12`` as ``Loan 12``: internal numbers only; but a school, which is no secret here, by its name."""
    if alert.subject.startswith("school:") and alert.school:
        return alert.school
    said = alert_words.subject(alert.subject)
    return said[:1].upper() + said[1:]


def told(flip: alerts.Flip, zone: ZoneInfo) -> str:
    return alert_words.sentence(
        flip.kind, reason=flip.reason, evidence=flip.evidence, actor=flip.actor, zone=zone
    )


def amount(value: float | None, unit: str) -> str:
    if value is None:
        return words.NOT_KNOWN
    text = f"{value:,.1f}".removesuffix(".0")
    return f"{text}{unit}" if unit == "%" else f"{text} {unit}".strip()


def day(value: datetime, zone: ZoneInfo, now: datetime) -> str:
    """The local day, with its year where it is long ago."""
    local = value.astimezone(zone)
    text = words.short_day(local)
    return f"{text}, {local.year}" if abs(now - value) >= _YEAR else text


def moment(value: datetime, zone: ZoneInfo, now: datetime) -> str:
    """An instant in the district's zone, with its year where it is long ago or far ahead."""
    _, _, clock = words.clock(value, zone).partition(", ")
    return f"{day(value, zone, now)}, {clock}"


def standing(alert: alerts.Alert, zone: ZoneInfo, now: datetime) -> list[str]:
    """How an alert stands, in sentences."""
    return [*_state(alert, zone, now), *_done(alert, zone, now)]


def _state(alert: alerts.Alert, zone: ZoneInfo, now: datetime) -> Iterable[str]:
    since = moment(alert.breached_since_at, zone, now)
    if alert.state == "clear":
        yield "This is resolved."
        return
    yield {
        "pending": f"So since {since}; it fires once that has lasted as long as its rule waits.",
        "firing": f"So since {since}.",
        "held": f"It has come and gone too often, so nobody is told until it is steady. So since {since}.",
    }[alert.state]
    if alert.clear_since_at is not None:
        yield f"No longer so since {moment(alert.clear_since_at, zone, now)}; resolved once that lasts."
    if not alert.is_judged:
        yield "Too little is known now to judge it, so it stays as it is."


def _done(alert: alerts.Alert, zone: ZoneInfo, now: datetime) -> Iterable[str]:
    if alert.acknowledged_at is not None:
        yield f"Acknowledged {moment(alert.acknowledged_at, zone, now)}: somebody sees to it, nobody is reminded."
    if is_snoozed(alert, now) and alert.snoozed_until_at is not None:
        yield f"Snoozed until {moment(alert.snoozed_until_at, zone, now)}: nobody is reminded before."
    if alert.escalated_at is not None:
        yield f"Told to the coordinator and IT {moment(alert.escalated_at, zone, now)}, as nobody had seen to it."


def is_snoozed(alert: alerts.Alert | alert_lists.Row, now: datetime) -> bool:
    return alert.snoozed_until_at is not None and alert.snoozed_until_at > now


def marks(row: alert_lists.Row, now: datetime) -> str:
    """What a list says of an alert beside its state."""
    said = (
        (row.acknowledged_at is not None, "acknowledged"),
        (is_snoozed(row, now), "snoozed"),
        (not row.is_judged, "too little is known now"),
    )
    return ", ".join(text for is_so, text in said if is_so)
