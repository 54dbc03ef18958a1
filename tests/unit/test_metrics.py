"""The families that Prometheus scrapes: their shape, what they leave out, and what they never say."""

import difflib
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import prometheus_client
import pytest
from prometheus_client import parser
from prometheus_client.openmetrics import parser as openmetrics

from service import metrics
from tests import conftest, snapshots

ROOT = Path(__file__).parents[2]
GOLDEN = ROOT / "tests" / "golden" / "metrics.txt"
SHAPE = """Regenerate it, look at the change, and keep the stability promise of docs/metrics.md:
    python -m tests.unit.test_metrics > tests/golden/metrics.txt"""
ALLOWED = {"district", "school", "account", "state", "le", "version"}
OPENMETRICS = "application/openmetrics-text; version=1.0.0"
KNOWN, NEED_UNKNOWN, INCOMPLETE, SMALL = "040000000000", "040000000004", "040000000006", "040000000010"


def observed(*, minimum_cell_size: int = metrics.MINIMUM_CELL_SIZE) -> metrics.Metrics:
    """Every family with a series."""
    made = metrics.Metrics(minimum_cell_size=minimum_cell_size)
    made.request_observed(district=7, account="carrier", outcome="ok", seconds=0.2)
    made.sweep_finished(district=7, account="carrier", outcome="succeeded", seconds=40, rows=1200, rejected=3)
    made.poll_skipped(district=7, account="carrier")
    made.gap_recorded(district=7, account="carrier", seconds=5400)
    made.show(snapshots.snapshot())
    return made


def value(made: metrics.Metrics, name: str, **labels: str) -> float | None:
    return made.registry.get_sample_value(f"afterbell_{name}", {"district": "7", **labels})


def shape() -> str:
    """A line per family: name, type, label keys, help."""
    lines = []
    for family in observed().registry.collect():
        labels = sorted({key for sample in family.samples for key in sample.labels})
        lines.append(f"{family.name} {family.type} {{{','.join(labels)}}} {family.documentation}\n")
    return "".join(sorted(lines))


def test_the_families_are_those_of_the_golden_file() -> None:
    expected, found = GOLDEN.read_text("utf-8"), shape()
    diff = "".join(difflib.unified_diff(expected.splitlines(True), found.splitlines(True), "golden", "now"))
    assert not diff, f"the families differ from {GOLDEN.relative_to(ROOT)}:\n{diff}\n{SHAPE}"


def test_every_family_is_documented() -> None:
    page = (ROOT / "docs" / "metrics.md").read_text("utf-8")
    documented = set(re.findall(r"^\| `(afterbell_\w+)`", page, re.MULTILINE))
    names = {
        f"{family.name}_total" if family.type == "counter" else family.name
        for family in observed().registry.collect()
    }
    assert documented == names


def test_promtool_has_no_complaint() -> None:
    program = shutil.which("promtool")
    if program is None:
        conftest.missing_program("promtool", "apt-get install prometheus")
    assert program is not None
    text = prometheus_client.generate_latest(observed().registry)
    found = subprocess.run([program, "check", "metrics"], input=text, capture_output=True, check=False)
    assert found.returncode == 0, (found.stdout + found.stderr).decode()
    assert found.stderr == b""


def test_labels_are_the_few_that_never_name_a_person_or_a_line() -> None:
    samples = [sample for family in observed().registry.collect() for sample in family.samples]
    assert {key for sample in samples for key in sample.labels} <= ALLOWED


def test_names_have_the_prefix_and_total_is_for_counters() -> None:
    text = prometheus_client.generate_latest(observed().registry).decode()
    for family in parser.text_string_to_metric_families(text):
        assert family.name.startswith("afterbell_")
        totals = [sample for sample in family.samples if sample.name.endswith("_total")]
        assert bool(totals) == (family.type == "counter")


def test_unknown_coverage_has_no_series() -> None:
    made = observed()
    assert value(made, "school_coverage_ratio", school=KNOWN) == pytest.approx(51 / 60)
    assert value(made, "school_coverage_ratio", school=INCOMPLETE) is None
    assert value(made, "school_coverage_low_ratio", school=INCOMPLETE) is not None
    assert value(made, "school_completeness_ratio", school=INCOMPLETE) == pytest.approx(1 - 21 / 44)


def test_small_schools_and_those_of_unknown_need_are_left_out_and_counted() -> None:
    made = observed()
    schools = {
        sample.labels["school"]
        for family in made.registry.collect()
        for sample in family.samples
        if "school" in sample.labels
    }
    assert KNOWN in schools
    assert not schools & {SMALL, NEED_UNKNOWN}
    assert value(made, "district_schools_withheld") == 3  # small, of unknown need, without need


def test_the_minimum_cell_size_is_a_setting() -> None:
    assert value(observed(minimum_cell_size=4), "school_students_in_need", school=SMALL) == 4


def test_nothing_is_ever_nan() -> None:
    samples = [sample for family in observed().registry.collect() for sample in family.samples]
    assert [sample for sample in samples if sample.value != sample.value] == []


def test_a_district_without_a_computed_day_has_no_figures_but_its_sources() -> None:
    snapshot = snapshots.snapshot()
    nothing = replace(snapshot.districts[0], reported_on=None, day=None, schools=(), loans_by_state={})
    made = metrics.Metrics()
    made.show(replace(snapshot, districts=(nothing,)))
    assert value(made, "district_students_in_need") is None
    assert value(made, "district_loans", state="idle") is None
    assert value(made, "district_reported_day_timestamp_seconds") is None
    assert value(made, "account_failing", account="carrier") == 0


def test_the_reported_day_starts_at_the_districts_midnight() -> None:
    midnight = value(observed(), "district_reported_day_timestamp_seconds")
    assert midnight == 1794898800  # 2026-11-17T00:00-07:00


def test_students_are_counted_by_the_state_of_their_loan() -> None:
    made = observed()
    states = [value(made, "school_students", school=KNOWN, state=state) for state in metrics.STATES]
    assert sum(state or 0 for state in states) == value(made, "school_students_loaned", school=KNOWN)


def test_what_polling_tells_is_counted() -> None:
    made = observed()
    made.request_observed(district=7, account="carrier", outcome="rate_limited", seconds=1)
    assert value(made, "requests_total", account="carrier", state="ok") == 1
    assert value(made, "requests_total", account="carrier", state="rate_limited") == 1
    assert value(made, "request_duration_seconds_count", account="carrier") == 2
    assert value(made, "sweeps_total", account="carrier", state="succeeded") == 1
    assert value(made, "rows_written_total", account="carrier") == 1200
    assert value(made, "rows_rejected_total", account="carrier") == 3
    assert value(made, "polls_skipped_total", account="carrier") == 1
    assert value(made, "gap_seconds_total", account="carrier") == 5400


def test_the_quick_exposition_is_that_of_the_registry() -> None:
    made = observed()
    text, content_type = made.exposition("")
    assert text == prometheus_client.generate_latest(made.registry)
    assert content_type.startswith("text/plain")


def test_openmetrics_is_well_formed_and_ends_once() -> None:
    text, content_type = observed().exposition(OPENMETRICS)
    assert content_type.startswith("application/openmetrics-text")
    assert text.count(b"# EOF") == 1
    assert list(openmetrics.text_string_to_metric_families(text.decode()))  # type: ignore[no-untyped-call]


def test_a_new_snapshot_replaces_the_old_one() -> None:
    made = observed()
    made.exposition("")
    made.show(snapshots.snapshot(snapshots.SCHOOLS[:1]))
    text, _ = made.exposition("")
    assert text.count(b"afterbell_school_students_in_need{") == 1


def test_two_metrics_share_nothing() -> None:
    observed()
    assert value(metrics.Metrics(), "requests_total", account="carrier", state="ok") is None


if __name__ == "__main__":
    print(shape(), end="")
