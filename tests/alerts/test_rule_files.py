"""Every rule file: it can be used under each profile, speaks both languages, is explained, and has a story."""

import importlib
import re
from pathlib import Path

import pytest

import sql
from service.model import alert_rules
from tests.alerts.scenario import Scenario

HERE = Path(__file__).parent
DOCUMENT = (HERE.parents[1] / "docs" / "alert-rules.md").read_text("utf-8")
RULES = sorted(sql.alert_rules())
PERSONAL = re.compile(r"\b(imei|iccid|mdn|serial|borrower|household|student)\b", re.IGNORECASE)


def scenarios() -> dict[str, Scenario]:
    found: dict[str, Scenario] = {}
    for path in sorted(HERE.glob("scenarios_of_*.py")):
        found.update(importlib.import_module(f"tests.alerts.{path.stem}").SCENARIOS)
    return found


def parsed(name: str, profile: str) -> alert_rules.Rule:
    return alert_rules.parse(name, sql.alert_rules()[name], profile=profile)


@pytest.mark.parametrize("name", RULES)
def test_a_rule_can_be_used_under_every_profile(name: str) -> None:
    alert_rules.check_keys(name, sql.alert_rules()[name])
    for profile in alert_rules.PROFILES:
        rule = parsed(name, profile)
        assert set(rule.needs) <= set(RULES)
        assert rule.clock != "instructional" or rule.unit == "days"
        judges = re.search(r"\$[23]\b", rule.query)
        assert judges or not rule.is_dated, "a dated rule asks for the day or the instant"


@pytest.mark.parametrize("name", RULES)
def test_a_rule_speaks_english_and_spanish(name: str) -> None:
    rule = parsed(name, "local")
    for english, spanish in (
        (rule.title, rule.title_es),
        (rule.why, rule.why_es),
        (rule.action, rule.action_es),
    ):
        assert english
        assert spanish
        assert english != spanish
    for sentence in (rule.why, rule.why_es, rule.action, rule.action_es):
        assert sentence.endswith((".", "?"))
    for title in (rule.title, rule.title_es):
        assert len(title) <= 80, "a title is the subject of a mail"
        assert not title.endswith(".")


@pytest.mark.parametrize("name", RULES)
def test_no_text_of_a_rule_claims_compliance(name: str) -> None:
    text = sql.alert_rules()[name].lower()
    assert not re.search(r"complian|complies|cumple con|cumplimiento|required by law", text)


@pytest.mark.parametrize("name", RULES)
def test_the_details_of_a_rule_name_no_person_and_no_device(name: str) -> None:
    (outer,) = re.findall(r"\n(SELECT\b(?:(?!\nSELECT\b).)*)\Z", parsed(name, "local").query, re.DOTALL) or [
        parsed(name, "local").query
    ]
    keys = re.findall(r"'([a-z_0-9]+)'\s*,", outer)
    assert not [key for key in keys if PERSONAL.search(key.replace("_", " "))]


@pytest.mark.parametrize("name", RULES)
def test_a_rule_is_explained(name: str) -> None:
    assert f"\n## {name}\n" in DOCUMENT


@pytest.mark.parametrize("name", RULES)
def test_what_is_explained_is_what_the_file_says(name: str) -> None:
    section = re.split(r"^## ", DOCUMENT.partition(f"\n## {name}\n")[2], maxsplit=1, flags=re.MULTILINE)[0]
    words = set(re.findall(r"[a-z0-9.]+", section.lower()))
    for rule in (parsed(name, profile) for profile in alert_rules.PROFILES):
        assert {rule.severity, rule.owner} <= words
        assert rule.threshold is None or f"{rule.threshold:g}".removeprefix("-") in words
        assert rule.clock != "instructional" or "instructional" in words
        for often in (rule.reminder, rule.escalates_after, rule.fires_after or None):
            assert often is None or str(often.days or round(often.total_seconds() / 60)) in words
        for needed in rule.needs:
            assert f"`{needed}`" in section


def test_nothing_is_explained_that_is_no_rule() -> None:
    headings = re.findall(r"^## ([a-z0-9_]+)$", DOCUMENT, re.MULTILINE)
    assert [heading for heading in headings if heading not in RULES] == []
    assert len(headings) == len(set(headings))


@pytest.mark.parametrize("name", RULES)
def test_a_rule_has_a_story(name: str) -> None:
    scenario = scenarios()[name]
    assert scenario.rule == name
    assert scenario.before < scenario.breached < scenario.recovered
    assert list(scenario.evaluated) == sorted(scenario.evaluated)
    assert all(scenario.before < at <= scenario.breached for at in scenario.evaluated)


def test_there_is_no_story_without_a_rule() -> None:
    assert set(scenarios()) <= set(RULES)
