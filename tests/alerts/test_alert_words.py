"""An alert's history can be read aloud."""

import re
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

import sql
from service.model import alert_words

ZONE = ZoneInfo("America/Los_Angeles")
EVIDENCE = {
    "value": 34.0,
    "threshold": 30.0,
    "unit": "days",
    "since": "2026-10-17T07:00:00+00:00",
    "until": "2026-10-28T15:30:00+00:00",
    "details": {"taken_over_by": "idle_60_notice"},
}


@pytest.mark.parametrize(
    ("kind", "reason", "said"),
    [
        ("fired", "breach", "Fired: 34 days, threshold 30, since 17 October 2026."),
        ("cleared", "recovered", "Cleared: it is no longer in breach."),
        ("cleared", "gone", "Cleared: it is no longer there: returned, or out of use."),
        ("cleared", "rule_off", "Cleared: its rule was switched off."),
        (
            "cleared",
            "taken_over",
            "Cleared: another rule, which asks for more, tells of it now: idle_60_notice.",
        ),
        (
            "held",
            "flapping",
            f"Held back: {alert_words.REASONS['flapping']}, and is not told until it has been steady for a day.",
        ),
        ("released", "steady_clear", "Let go: it has been over for a day."),
        (
            "released",
            "steady_breach",
            f"Let go: {alert_words.REASONS['steady_breach']}; it fires: 34 days, threshold 30, since 17 October 2026.",
        ),
        (
            "reminded",
            "still_in_breach",
            "Reminded: it is still in breach: 34 days, threshold 30, since 17 October 2026.",
        ),
        ("escalated", "unacknowledged", "Escalated: nobody has acknowledged it."),
        ("acknowledged", "by_hand", "Acknowledged by IT."),
        ("unacknowledged", "by_hand", "No longer acknowledged, as IT says."),
        ("snoozed", "by_hand", "Snoozed by IT until 28 October 2026, 08:30."),
        ("woken", "by_hand", "Snooze ended by IT."),
        ("woken", "snooze_over", "Woken: its snooze is over, and it is still in breach."),
    ],
)
def test_a_flip_is_a_sentence(kind: str, reason: str, said: str) -> None:
    assert alert_words.sentence(kind, reason=reason, evidence=EVIDENCE, actor="it", zone=ZONE) == said


def test_nothing_is_said_of_what_is_not_known() -> None:
    assert alert_words.sentence("fired", reason="breach", evidence={}, actor="it", zone=ZONE) == "Fired."


def test_a_value_without_a_threshold_stands_alone() -> None:
    evidence = {"value": 1250.25, "unit": "%"}
    said = alert_words.sentence("fired", reason="breach", evidence=evidence, actor="it", zone=ZONE)
    assert said == "Fired: 1,250.2%."


def test_subjects_are_said_in_words() -> None:
    assert [alert_words.subject(text) for text in ("loan:12", "district")] == ["loan 12", "the district"]


def test_every_reason_that_is_written_has_words_and_no_other() -> None:
    written = "\n".join(text for name, text in sql.queries().items() if "INTO flips" in text)
    told = {reason for reason in alert_words.REASONS if f"'{reason}'" in written}
    assert told == set(alert_words.REASONS)
    reasons = re.findall(
        r"THEN '([a-z_]+)'", written[written.index("WHEN f.kind = 'fired'") : written.index("END AS reason")]
    )
    assert set(reasons) - {"gone"} <= set(alert_words.REASONS)


def test_every_wait_that_is_told_has_words() -> None:
    code = (Path(alert_words.__file__).parents[1] / "store" / "judging.py").read_text("utf-8")
    assert {wait for wait in alert_words.WAITS if f'"{wait}"' in code} == set(alert_words.WAITS)
