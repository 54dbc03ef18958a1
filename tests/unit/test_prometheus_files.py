"""The files of deploy/prometheus and deploy/alertmanager: valid, tested, documented, and about metrics that exist."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from service import metrics
from service.metrics import families
from service.model import alert_rules
from tests.acceptance import prometheus

ROOT = Path(__file__).parents[2]
PROMETHEUS = ROOT / "deploy" / "prometheus"
ALERTMANAGER = ROOT / "deploy" / "alertmanager" / "alertmanager.yml"
RULES = sorted((PROMETHEUS / "rules").glob("*.yml"))
TESTS = sorted((PROMETHEUS / "tests").glob("*.yml"))
RUNBOOKS = ROOT / "docs" / "runbooks.md"
EXTERNAL = re.compile(r"\$externalLabels\.(\w+)")
SUFFIXES = ("_bucket", "_count", "_sum")
SENT_BY_AFTERBELL = ("rule", "severity")  # labels that a rule's own alert brings along


def read(path: Path) -> Any:
    return yaml.safe_load(path.read_text("utf-8"))


def rules(kind: str) -> Iterator[dict[str, Any]]:
    for path in RULES:
        for group in read(path)["groups"]:
            yield from (rule for rule in group["rules"] if kind in rule)


ALERTS = {rule["alert"]: rule for rule in rules("alert")}
RECORDED = {rule["record"]: rule for rule in rules("record")}


def run(name: str, *arguments: str | Path) -> str:
    told = subprocess.run([prometheus.program(name), *arguments], capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stdout + told.stderr
    return told.stdout


def told_apart(name: str) -> str:
    """AfterbellAccountStale -> Account stale: the heading of its runbook."""
    first, *rest = re.findall(r"[A-Z][a-z]+", name.removeprefix("Afterbell"))
    return " ".join([first, *(word.lower() for word in rest)])


def anchor(heading: str) -> str:
    return heading.lower().replace(" ", "-")


# Valid


def test_the_configuration_of_prometheus_is_valid(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("a token", encoding="utf-8")
    config = prometheus.placed(
        PROMETHEUS, tmp_path / "placed" / "prometheus.yml", {"/run/secrets/metrics_token": str(token)}
    )
    said = run("promtool", "check", "config", config)
    assert f"SUCCESS: {len(RULES)} rule files found" in said  # where they are mounted


def test_the_rules_are_valid() -> None:
    assert "FAILED" not in run("promtool", "check", "rules", *RULES)


@pytest.mark.parametrize("path", TESTS, ids=lambda path: str(path.stem))
def test_the_rules_do_what_their_tests_say(path: Path) -> None:
    run("promtool", "test", "rules", path)


def test_the_configuration_of_alertmanager_is_valid() -> None:
    said = run("amtool", "check-config", ALERTMANAGER)
    assert "3 receivers" in said


# About what exists


def names(text: str) -> set[str]:
    return set(re.findall(r"\bafterbell[_:][a-z0-9_:]+", text))


def test_every_name_in_a_rule_is_a_stable_family_or_recorded() -> None:
    stable = {one.name for one in metrics.Metrics().described() if one.stability == families.STABLE}
    known = stable | {f"{name}{suffix}" for name in stable for suffix in SUFFIXES} | set(RECORDED)
    for rule in [*ALERTS.values(), *RECORDED.values()]:
        assert names(rule["expr"]) <= known, rule


def test_every_label_that_a_rule_asks_for_is_one_of_its_family() -> None:
    labels = {one.name: one.labels for one in metrics.Metrics().described()}
    for rule in [*ALERTS.values(), *RECORDED.values()]:
        for name, matchers in re.findall(r"(afterbell_[a-z0-9_]+)\{([^}]*)\}", rule["expr"]):
            assert set(re.findall(r"(\w+)[=!]", matchers)) <= labels[name] | {"job"}, rule


def test_every_recorded_figure_says_its_level_and_what_was_done() -> None:
    assert [name for name in RECORDED if not re.fullmatch(r"afterbell:[a-z_]+:[a-z0-9_]+", name)] == []


def test_the_series_of_the_tests_are_families_with_their_labels() -> None:
    known = {
        f"{one.name}{suffix}": one.labels
        for one in metrics.Metrics().described()
        for suffix in ("", *SUFFIXES)
    }
    for path in TESTS:
        for case in read(path)["tests"]:
            for series in case["input_series"]:
                name, keys = re.fullmatch(r"(\w+)\{(.*)\}", series["series"]).groups()  # type: ignore[union-attr]
                if name != "up":
                    told = set(re.findall(r"(\w+)=", keys)) - {"job", "instance", "le"}
                    assert told == known[name], f"{path.name}: {series['series']}"


# Tested


def test_every_alert_has_a_test_in_which_it_fires_and_one_in_which_it_does_not() -> None:
    fires: set[str] = set()
    rests: set[str] = set()
    for path in TESTS:
        for case in read(path)["tests"]:
            for one in case.get("alert_rule_test", ()):
                (fires if one["exp_alerts"] else rests).add(one["alertname"])
    assert fires == set(ALERTS)
    assert rests == set(ALERTS)


def test_every_group_of_rules_has_its_place_in_the_tests() -> None:
    groups = [group["name"] for path in RULES for group in read(path)["groups"]]
    assert len(groups) == len(set(groups))
    for path in TESTS:
        assert sorted(read(path)["group_eval_order"]) == sorted(groups)


# Told of


@pytest.mark.parametrize("name", sorted(ALERTS))
def test_every_alert_says_what_and_leads_to_its_runbook(name: str) -> None:
    annotations = ALERTS[name]["annotations"]
    place = f"runbooks.md#{anchor(told_apart(name))}"
    assert annotations["runbook"] == f"docs/{place}"
    assert annotations["runbook_url"] == f"{{{{ $externalLabels.docs }}}}/{place}"
    assert annotations["summary"]
    assert annotations["description"].endswith((".", "`."))


def test_labels_that_are_for_links_alone_do_not_reach_alertmanager() -> None:
    told = read(PROMETHEUS / "prometheus.yml")
    (dropped,) = (one["regex"] for one in told["alerting"]["alert_relabel_configs"])
    assert set(told["global"]["external_labels"]) == set(dropped.split("|"))
    linked = {
        name
        for rule in ALERTS.values()
        for text in rule["annotations"].values()
        for name in EXTERNAL.findall(text)
    }
    assert linked == set(told["global"]["external_labels"])


def test_every_alert_has_a_runbook_in_its_order_and_no_other_has() -> None:
    text = RUNBOOKS.read_text("utf-8")
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == [told_apart(name) for name in ALERTS]
    for name, part in zip(ALERTS, text.split("\n## ")[1:], strict=True):
        assert part.splitlines()[2].startswith(f"`{name}`"), name
        owner = ALERTS[name]["labels"].get("owner", "the rule's owner")
        assert {"it": "to IT", "coordinator": "to the coordinators"}.get(owner, "to the rule's owner") in part


def test_every_alert_is_in_the_table_with_its_severity_and_owner() -> None:
    page = (ROOT / "docs" / "prometheus.md").read_text("utf-8")
    rows = re.findall(r"^\| `(Afterbell\w+)` \| ([\w' ]+) \| ([\w' ]+) \| .+ \|$", page, re.MULTILINE)
    assert rows == [
        (name, rule["labels"].get("severity", "the rule's"), rule["labels"].get("owner", "the rule's"))
        for name, rule in ALERTS.items()
    ]


def test_an_alert_that_is_not_of_a_rule_has_a_severity_and_an_owner_that_exist() -> None:
    for name, rule in ALERTS.items():
        if name != "AfterbellRuleFiring":
            assert rule["labels"]["severity"] in alert_rules.SEVERITIES
            assert rule["labels"]["owner"] in alert_rules.ROLES


def test_the_settings_told_in_the_documents_are_those_of_the_rules() -> None:
    page = (ROOT / "docs" / "prometheus.md").read_text("utf-8")
    for name in ("afterbell:coverage_target:ratio", "afterbell:coverage_drop_limit:ratio"):
        told = re.search(rf"`{name}` \(([\d.]+)\)", page)
        assert told is not None
        assert RECORDED[name]["expr"] == f"vector({told[1]})"


# Routes


def route(**labels: str) -> str:
    """The receivers that an alert with these labels goes to."""
    arguments = [f"{name}={value}" for name, value in labels.items()]
    return run("amtool", "config", "routes", "test", f"--config.file={ALERTMANAGER}", *arguments).strip()


@pytest.mark.parametrize(
    ("labels", "receiver"),
    [
        ({"severity": "critical", "owner": "it"}, "it"),
        ({"severity": "critical", "owner": "coordinator"}, "it,coordinator"),
        ({"severity": "warning", "owner": "coordinator"}, "coordinator"),
        ({"severity": "info", "owner": "coordinator"}, "coordinator"),
        ({"severity": "high", "owner": "finance"}, "finance"),
        ({"severity": "info", "owner": "school"}, "coordinator"),
        ({"severity": "warning"}, "it"),
    ],
    ids=str,
)
def test_alerts_go_to_who_can_do_something(labels: dict[str, str], receiver: str) -> None:
    assert route(alertname="AfterbellRuleFiring", **labels) == receiver


def test_every_role_that_owns_a_rule_has_a_receiver() -> None:
    known = {receiver["name"] for receiver in read(ALERTMANAGER)["receivers"]}
    for role in alert_rules.ROLES:
        assert route(alertname="AfterbellRuleFiring", owner=role, severity="warning") in known


def test_what_holds_others_back_exists() -> None:
    for rule in read(ALERTMANAGER)["inhibit_rules"]:
        for matcher in [*rule["source_matchers"], *rule["target_matchers"]]:
            for name in re.findall(r"Afterbell[A-Za-z]+(?![.(+])\b", matcher):
                assert any(alert.startswith(name) for alert in ALERTS), matcher


def test_no_secret_stands_in_a_file() -> None:
    for path in (PROMETHEUS / "prometheus.yml", ALERTMANAGER):
        text = path.read_text("utf-8")
        assert re.findall(r"(?:password|credentials|bearer_token): ", text) == []
        assert set(re.findall(r"(?:password|credentials)_file: (\S+)", text)) <= {
            f"/run/secrets/{name}" for name in ("metrics_token", "mail_password", "webhook_token")
        }
