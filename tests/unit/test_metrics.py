"""The families that Prometheus scrapes: their shape, what is documented of them, and how they are written."""

import difflib
import gzip
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
from service.metrics import families, schools
from tests import conftest, snapshots
from tests.observed import observed, value

ROOT = Path(__file__).parents[2]
GOLDEN = ROOT / "tests" / "golden" / "metrics.txt"
SHAPE = """Regenerate it, look at the change, and keep the stability promise of docs/metrics.md:
    python -m tests.unit.test_metrics > tests/golden/metrics.txt"""
ALLOWED = {
    *("district", "school", "account", "state", "le", "version"),
    *("channel", "rule", "severity", "owner", "about", "kind", "use", "profile"),
}
OPENMETRICS = "application/openmetrics-text; version=1.0.0"
KNOWN, INCOMPLETE = "040000000000", "040000000006"


def described() -> dict[str, families.Described]:
    return {family.name: family for family in metrics.Metrics().described()}


def shape() -> str:
    """A line per family: name, type, label keys, stability, help."""
    return "".join(
        f"{one.name} {one.kind} {{{','.join(sorted(one.labels))}}} {one.stability} {one.help}\n"
        for one in sorted(metrics.Metrics().described(), key=lambda one: one.name)
    )


def samples(made: metrics.Metrics) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in made.registry.collect()
        for sample in family.samples
    }


def read(text: bytes) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in parser.text_string_to_metric_families(text.decode())
        for sample in family.samples
    }


# Their shape


def test_the_families_are_those_of_the_golden_file() -> None:
    expected, found = GOLDEN.read_text("utf-8"), shape()
    diff = "".join(difflib.unified_diff(expected.splitlines(True), found.splitlines(True), "golden", "now"))
    assert not diff, f"the families differ from {GOLDEN.relative_to(ROOT)}:\n{diff}\n{SHAPE}"


def test_every_family_is_as_it_is_described_and_has_a_series() -> None:
    known = described()
    seen = set()
    for family in observed(minimum_cell_size=0).registry.collect():
        name = f"{family.name}_total" if family.type == "counter" else family.name
        seen.add(name)
        labels = frozenset(key for sample in family.samples for key in sample.labels) - {"le"}
        assert family.samples, name
        assert (family.type, labels, family.documentation) == (
            known[name].kind,
            known[name].labels,
            known[name].help,
        )
    assert seen == set(known)


def test_every_family_is_documented_as_it_is() -> None:
    page = (ROOT / "docs" / "metrics.md").read_text("utf-8")
    rows = re.findall(
        r"^\| `(afterbell_\w+)` \| (\w+) \| ([\w, –]+) \| (\w+) \| (.+) \|$", page, re.MULTILINE
    )
    assert len(rows) == len(described())
    assert {name: tuple(rest) for name, *rest in rows} == {
        name: (one.kind, ", ".join(sorted(one.labels)) or "–", one.stability, one.help)
        for name, one in described().items()
    }


def test_promtool_has_no_complaint() -> None:
    program = shutil.which("promtool")
    if program is None:
        conftest.missing_program("promtool", "apt-get install prometheus")
    assert program is not None
    text, _ = observed().exposition("")
    found = subprocess.run([program, "check", "metrics"], input=text, capture_output=True, check=False)
    assert found.returncode == 0, (found.stdout + found.stderr).decode()
    assert found.stderr == b""


def test_labels_are_the_few_that_never_name_a_person_or_a_line() -> None:
    assert {key for one in described().values() for key in one.labels} <= ALLOWED
    assert {key for _, labels in samples(observed()) for key, _ in labels} <= ALLOWED


def test_names_have_the_prefix_and_total_is_for_counters() -> None:
    for one in described().values():
        assert one.name.startswith("afterbell_")
        assert one.name.endswith("_total") == (one.kind == "counter")


# What they say


def test_unknown_coverage_has_no_series() -> None:
    made = observed()
    assert value(made, "school_coverage_ratio", school=KNOWN) == pytest.approx(51 / 60)
    assert value(made, "school_coverage_ratio", school=INCOMPLETE) is None
    assert value(made, "school_coverage_low_ratio", school=INCOMPLETE) is not None
    assert value(made, "school_completeness_ratio", school=INCOMPLETE) == pytest.approx(1 - 21 / 44)


def test_nothing_is_ever_nan() -> None:
    assert [key for key, found in samples(observed()).items() if found != found] == []


def test_a_district_without_a_computed_day_has_no_figures_but_its_sources() -> None:
    snapshot = snapshots.snapshot()
    nothing = replace(snapshot.districts[0], reported_on=None, day=None, schools=(), loans_by_state={})
    made = metrics.Metrics()
    made.show(replace(snapshot, districts=(nothing,)))
    assert value(made, "district_students_in_need") is None
    assert value(made, "district_loans", state="idle") is None
    assert value(made, "district_reported_day_timestamp_seconds") is None
    assert value(made, "district_cost_dollars", use="idle") is None
    assert value(made, "district_reconciliation_findings", kind="sim_moved") is None
    assert value(made, "account_failing", account="carrier") == 0


def test_the_reported_day_starts_at_the_districts_midnight() -> None:
    midnight = value(observed(), "district_reported_day_timestamp_seconds")
    assert midnight == 1794898800  # 2026-11-17T00:00-07:00


def test_students_are_counted_by_the_state_of_their_loan() -> None:
    made = observed()
    states = [value(made, "school_students", school=KNOWN, state=state) for state in schools.STATES]
    assert sum(state or 0 for state in states) == value(made, "school_students_loaned", school=KNOWN)


def test_who_has_answered_is_told_of_schools_and_of_the_district() -> None:
    made = observed()
    assert value(made, "school_response_ratio", school=KNOWN) == pytest.approx(360 / 400)
    answered, enrolled = value(made, "district_students_answered"), value(made, "district_students_enrolled")
    assert answered
    assert enrolled
    assert value(made, "district_response_ratio") == pytest.approx(answered / enrolled)


def test_a_thousand_times_the_loans_make_not_one_series_more() -> None:
    def many(row: snapshots.SchoolRow) -> snapshots.SchoolRow:
        loaned, adequate, unknown = (1000 * count for count in (row.loaned, row.adequate, row.unknown))
        need = 1000 * (row.need or 0)
        return replace(
            row,
            enrolled=2 * need,
            answered=need,
            need=need,
            loaned=loaned,
            adequate=adequate,
            unknown=unknown,
        )

    few = snapshots.SCHOOLS[:4]
    assert set(samples(observed(rows=few))) == set(samples(observed(rows=[many(row) for row in few])))


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


def test_a_plan_of_sweeps_replaces_the_one_before() -> None:
    made = observed()
    made.budget_planned(district=7, account="carrier", share=0.95, requests_per_second=4)
    assert value(made, "account_budget_planned_ratio", account="carrier") == 0.95
    assert value(made, "account_budget_requests_per_second", account="carrier") == 4


def test_two_metrics_share_nothing() -> None:
    observed()
    assert value(metrics.Metrics(), "requests_total", account="carrier", state="ok") is None


# How they are written


def test_the_quick_exposition_says_what_the_registry_says() -> None:
    made = observed()
    text, content_type = made.exposition("")
    assert read(text) == samples(made) == read(prometheus_client.generate_latest(made.registry))
    assert content_type.startswith("text/plain")


def test_the_quick_exposition_has_the_lines_of_the_librarys_in_their_order() -> None:
    def lines(text: bytes) -> list[str]:
        return [line.rpartition(" ")[0] if line[0] != "#" else line for line in text.decode().splitlines()]

    made = observed()
    assert lines(made.exposition("")[0]) == lines(prometheus_client.generate_latest(made.registry))


def test_openmetrics_is_well_formed_and_ends_once() -> None:
    text, content_type = observed().exposition(OPENMETRICS)
    assert content_type.startswith("application/openmetrics-text")
    assert text.count(b"# EOF") == 1
    assert list(openmetrics.text_string_to_metric_families(text.decode()))  # type: ignore[no-untyped-call]


@pytest.mark.parametrize("accept", ["", OPENMETRICS, f"{OPENMETRICS}; escaping=dots"])
def test_compressed_it_is_the_same_text(accept: str) -> None:
    made = observed()
    plain, compressed = made.exposition(accept), made.exposition(accept, is_compressed=True)
    assert gzip.decompress(compressed[0]) == plain[0]
    assert compressed[1] == plain[1]
    assert len(compressed[0]) < len(plain[0]) / 3


def test_a_scraper_that_wants_names_written_otherwise_gets_the_librarys_text() -> None:
    text, content_type = observed().exposition(f"{OPENMETRICS}; escaping=dots")
    assert "escaping=dots" in content_type
    assert b"afterbell__school__students__in__need{" in text
    assert text.count(b"# EOF") == 1


def test_what_stands_in_a_label_is_escaped() -> None:
    snapshot = snapshots.snapshot(snapshots.SCHOOLS[:1])
    (district,) = snapshot.districts
    odd = replace(district, sources=(replace(district.sources[0], account_key='a"b\\c\nd'),))
    made = metrics.Metrics()
    made.show(replace(snapshot, districts=(odd,)))
    assert read(made.exposition("")[0]) == samples(made)


def test_counts_after_a_snapshot_are_in_the_next_scrape() -> None:
    made = observed()
    made.exposition("")
    made.poll_skipped(district=7, account="carrier")
    text = gzip.decompress(made.exposition("", is_compressed=True)[0])
    assert b'afterbell_polls_skipped_total{account="carrier",district="7"} 2.0' in text


def test_a_new_snapshot_replaces_the_old_one() -> None:
    made = observed()
    made.exposition("")
    made.show(snapshots.snapshot(snapshots.SCHOOLS[:1]))
    text, _ = made.exposition("")
    assert text.count(b"afterbell_school_students_in_need{") == 1


if __name__ == "__main__":
    print(shape(), end="")
