"""A rule file is read as it stands under a profile, and one that cannot be used says why."""

from dataclasses import replace
from datetime import timedelta

import pytest

from service.model import alert_rules

HEADER = """-- title: Hotspots unused
-- title_es: Dispositivos sin uso
-- about: family
-- severity: warning
-- owner: coordinator
-- why: A hotspot that nobody uses helps nobody.
-- action: Ask the family.
-- threshold: 30
-- unit: days
-- clock: calendar
-- clears_after: 1 day
-- reminder: 14 days
-- needs: idle_60_notice, idle_30
-- profiles: local, ecf
-- ecf.threshold: 60
-- ecf.owner: finance
"""
QUERY = "SELECT 'district' AS subject"


def parsed(text: str = HEADER + QUERY, profile: str = "local") -> alert_rules.Rule:
    return alert_rules.parse("idle_30", text, profile=profile)


def test_a_header_and_its_query_are_a_rule() -> None:
    rule = parsed()
    assert (rule.name, rule.title, rule.title_es, rule.about) == (
        "idle_30",
        "Hotspots unused",
        "Dispositivos sin uso",
        "family",
    )
    assert (rule.threshold, rule.unit, rule.clock, rule.owner) == (30, "days", "calendar", "coordinator")
    assert (rule.clears_after, rule.reminder, rule.fires_after) == (
        timedelta(days=1),
        timedelta(days=14),
        timedelta(0),
    )
    assert rule.needs == ("idle_60_notice", "idle_30")
    assert rule.query == QUERY


def test_a_profile_has_its_own_threshold_and_owner() -> None:
    assert (parsed(profile="ecf").threshold, parsed(profile="ecf").owner) == (60, "finance")


def test_a_rule_belongs_to_the_profiles_it_names() -> None:
    assert alert_rules.of_profile([parsed()], "ecf") == [parsed()]
    assert alert_rules.of_profile([parsed()], "erate_2024") == []


def test_without_spanish_the_english_text_stands() -> None:
    assert parsed().action_es == "Ask the family."


def test_a_final_semicolon_is_no_part_of_the_query() -> None:
    assert parsed(HEADER + QUERY + ";\n").query == QUERY


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("-- about: family\n", "", "lacks about"),
        ("-- about: family", "-- about: students", "about: 'students' is not one of family"),
        ("-- threshold: 30", "-- threshold: thirty", "'thirty' is not a number"),
        ("-- reminder: 14 days", "-- reminder: often", "reminder: 'often' is no duration"),
        ("-- unit: days", "-- a note", "line 9: is not `-- key: value`"),
        ("-- unit: days", "-- threshold: 31", "threshold is told twice"),
        ("-- profiles: local, ecf", "-- profiles: local, mars", "there is no mars"),
        (QUERY, "", "no query below its header"),
    ],
)
def test_a_header_that_cannot_be_used_says_why(old: str, new: str, said: str) -> None:
    with pytest.raises(alert_rules.RuleInvalid) as told:
        parsed((HEADER + QUERY).replace(old, new))
    assert said in str(told.value)
    assert "idle_30.sql" in str(told.value)


@pytest.mark.parametrize("line", ["-- treshold: 5", "-- mars.threshold: 5", "-- ecf.title: Other"])
def test_a_key_that_says_nothing_is_found(line: str) -> None:
    with pytest.raises(alert_rules.RuleInvalid, match="there is no key"):
        alert_rules.check_keys("idle_30", HEADER + line + "\n" + QUERY)


def test_rules_that_need_others_come_in_a_later_wave() -> None:
    def rule(name: str, *needs: str) -> alert_rules.Rule:
        return replace(parsed(), name=name, needs=needs)

    first, second, third, other = rule("a"), rule("b", "a"), rule("c", "b", "a"), rule("d", "none_such")
    assert alert_rules.waves([first, other, second, third]) == [[first, other], [second], [third]]
    assert alert_rules.waves([]) == []


def test_a_file_is_named_in_small_letters() -> None:
    with pytest.raises(alert_rules.RuleInvalid, match="small letters"):
        alert_rules.parse("Idle-30", HEADER + QUERY, profile="local")
