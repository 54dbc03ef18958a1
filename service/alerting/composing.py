"""From a notification's content to its message."""

import urllib.parse
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from zoneinfo import ZoneInfo

from service.alerting import messages, words
from service.model import alert_rules
from service.store import notifications

_MOST_SCHOOLS = 10  # of a line; the others are counted, and behind the link


def composed(
    claimed: notifications.Claimed,
    content: Sequence[notifications.Content],
    *,
    begun_by: notifications.Beginning | None,
    rules: Mapping[str, alert_rules.Rule],
    sender: messages.Sender,
    audience: messages.Audience,
) -> messages.Message:
    """The message of a notification. It depends on nothing but its flips: every try says the same."""
    by_rule = groupby(content, key=lambda row: row.rule)
    sections = [
        _section(rule, list(rows), rules.get(rule), sender, audience.language) for rule, rows in by_rule
    ]
    sections.sort(key=lambda one: (one.is_over, -alert_rules.SEVERITIES.index(one.severity), one.title))
    heading = _heading(claimed.topic, sections, audience.language)
    return messages.Message(
        id=messages.message_id(
            sender.district_id, claimed.first_flip_id, claimed.first_flip_at, audience.channel_key
        ),
        begun_by=None
        if begun_by is None
        else messages.message_id(
            sender.district_id, begun_by.first_flip_id, begun_by.first_flip_at, audience.channel_key
        ),
        kind="alerts",
        sender=sender,
        audience=audience,
        topic=claimed.topic,
        subject=_subject(heading, sections, _where(content, sender), audience.language),
        heading=heading,
        severity=_most_severe(one.severity for one in sections),
        sections=tuple(sections),
        link=messages.address(sender, "alerts"),
    )


def _section(
    name: str,
    rows: Sequence[notifications.Content],
    rule: alert_rules.Rule | None,
    sender: messages.Sender,
    language: str,
) -> messages.Section:
    is_spanish = language == "es"
    by_outcome = {
        outcome: [row for row in rows if row.outcome == outcome]
        for outcome in messages.OUTCOMES
        if any(row.outcome == outcome for row in rows)
    }
    count = sum(row.alerts for row in rows)
    severity = _most_severe(word for row in rows for word in row.severities)
    told = {"title": name, "why": "", "action": ""}
    if rule is not None:
        told["title"] = rule.title_es if is_spanish else rule.title
        told["why"] = rule.why_es if is_spanish else rule.why
        told["action"] = rule.action_es if is_spanish else rule.action
    is_over = all(outcome in messages.OVER for outcome in by_outcome)
    if is_over:
        told["action"] = words.phrase(language, "nothing_to_do")
    unit = rule.unit if rule else ""
    return messages.Section(
        rule=name,
        **told,
        severity=severity,
        severity_words=words.severity(language, severity),
        threshold=rule.threshold if rule else None,
        threshold_words="" if is_over else _threshold(rule, language),
        unit=unit,
        link=_link(sender, name, rows, count),
        link_words=words.phrase(language, "open_alert" if count == 1 else "open_list"),
        changes=tuple(
            _change(outcome, rows, unit, sender.zone, language) for outcome, rows in by_outcome.items()
        ),
    )


def _threshold(rule: alert_rules.Rule | None, language: str) -> str:
    """Nothing of 0: then anything at all is too much, as the title says."""
    if rule is None or not rule.threshold or not rule.unit:
        return ""
    amount = words.amount(language, rule.threshold, rule.threshold, rule.unit)
    return words.phrase(language, "threshold", amount=amount)


def _change(
    outcome: str, rows: Sequence[notifications.Content], unit: str, zone: ZoneInfo, language: str
) -> messages.Change:
    count = sum(row.alerts for row in rows)
    values = [value for row in rows for value in (row.least, row.most) if value is not None]
    is_over = outcome in messages.OVER
    # a school without a name has no values: those of the others would be taken for all
    is_told = bool(values) and not is_over and all(row.least is not None for row in rows)
    places = _places(rows, language)
    return messages.Change(
        outcome=outcome,
        count=count,
        counted=words.counted(language, outcome, count),
        when=_when(outcome, rows, zone, language),
        amount=words.amount(language, min(values), max(values), unit) if is_told and unit else "",
        note=_note(outcome, rows, language),
        places=tuple(places[:_MOST_SCHOOLS]),
        more=words.phrase(language, "more_schools", n=len(places) - _MOST_SCHOOLS)
        if len(places) > _MOST_SCHOOLS
        else "",
        since_at=min(row.since_at for row in rows),
        latest_since_at=max(row.latest_since_at for row in rows),
        until_at=max(row.flipped_at for row in rows) if is_over else None,
        least=min(values) if is_told else None,
        most=max(values) if is_told else None,
    )


def _places(rows: Iterable[notifications.Content], language: str) -> list[messages.Place]:
    """Of schools alone: a line or an account that is of none has no place."""
    places = [
        messages.Place(
            name=_plain(row.school), is_small=row.is_small, words=_place(row, language), count=row.alerts
        )
        for row in rows
        if row.is_of_school
    ]
    return sorted(places, key=lambda place: (place.name is None, -place.count, place.words))


def _place(row: notifications.Content, language: str) -> str:
    if row.school is not None:
        return _plain(row.school) or ""
    kind = "few_in_need" if row.is_small else "need_not_known"
    return words.phrase(language, kind if row.schools == 1 else f"{kind}_several")


def _when(outcome: str, rows: Sequence[notifications.Content], zone: ZoneInfo, language: str) -> str:
    first = words.instant(language, min(row.since_at for row in rows), zone)
    last = words.instant(language, max(row.latest_since_at for row in rows), zone)
    if outcome in messages.OVER:
        until = words.instant(language, max(row.flipped_at for row in rows), zone)
        name = "until" if sum(row.alerts for row in rows) == 1 else "until_several"
        return words.phrase(language, name, first=first, until=until)
    return words.phrase(language, "since" if first == last else "since_first", first=first, last=last)


def _note(outcome: str, rows: Iterable[notifications.Content], language: str) -> str:
    if outcome == "held":
        return words.phrase(language, "held_back")
    reasons = {reason for row in rows for reason in row.reasons}
    if outcome in messages.OVER and len(reasons) == 1 and reasons <= {"rule_off", "gone"}:
        return words.phrase(language, f"ended_{reasons.pop()}")
    return ""


def _heading(topic: str, sections: Sequence[messages.Section], language: str) -> str:
    if len(sections) == 1:
        return sections[0].title
    kind = topic.removeprefix("digest:").partition("@")[0]
    return words.phrase(language, kind if kind in ("daily", "weekly") else "several")


def _subject(heading: str, sections: Sequence[messages.Section], where: str, language: str) -> str:
    """``Critical: A title: 3 new, 1 resolved · A school``; of what is over, ``Resolved: A title (3) · A school``."""
    changes = [change for section in sections for change in section.changes]
    totals = {
        outcome: sum(change.count for change in changes if change.outcome == outcome)
        for outcome in messages.OUTCOMES
    }
    if sections and all(section.is_over for section in sections):
        told = f"{words.phrase(language, 'resolved')}: {heading} ({sum(totals.values())})"
    else:
        counts = ", ".join(words.counted(language, outcome, n) for outcome, n in totals.items() if n)
        told = f"{heading}: {counts}"
        if any(section.severity == "critical" and not section.is_over for section in sections):
            told = f"{words.severity(language, 'critical')}: {told}"
    return _plain(f"{told} · {where}") or ""


def _where(content: Sequence[notifications.Content], sender: messages.Sender) -> str:
    """The only school, if it may be named, else the district."""
    schools = {row.school for row in content}
    only = schools.pop() if len(schools) == 1 else None
    return sender.name if only is None else only


def _link(
    sender: messages.Sender, rule: str, rows: Sequence[notifications.Content], count: int
) -> str | None:
    if count == 1:
        return messages.address(sender, f"alerts/{rows[0].alert_id}")
    schools = {row.school_id for row in rows}
    asked = {"rule": rule}
    if len(schools) == 1 and (only := schools.pop()) is not None:
        asked["school"] = str(only)
    return messages.address(sender, f"alerts?{urllib.parse.urlencode(asked)}")


def _most_severe(names: Iterable[str]) -> str:
    return max(names, key=alert_rules.SEVERITIES.index, default="info")


def _plain(text: str | None) -> str | None:
    """On one line: it goes into headers."""
    return None if text is None else " ".join(text.split())
