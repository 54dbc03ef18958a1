"""The families of costs, of equity, and of what contradicts."""

from dataclasses import replace
from decimal import Decimal

import pytest

from service import metrics
from service.metrics import schools
from service.model import costs, reconciliation
from service.store import coverage
from tests import snapshots
from tests.observed import observed, snapshot, value

SCHOOL = snapshots.ncessch(0)
COUNT = len(snapshots.SCHOOLS)


def shown(district: coverage.District) -> metrics.Metrics:
    made = metrics.Metrics()
    made.show(replace(snapshots.snapshot(), districts=(district,)))
    return made


def test_idle_cost_is_told_of_the_district_and_of_schools() -> None:
    made = observed()
    assert value(made, "district_cost_dollars", use="idle") == 60 * COUNT
    assert value(made, "district_cost_lines", use="idle") == 4 * COUNT
    assert value(made, "school_idle_cost_dollars", school=SCHOOL) == 60
    assert value(made, "school_idle_lines", school=SCHOOL) == 4


def test_the_month_of_the_costs_is_told() -> None:
    first = value(observed(), "district_cost_month_timestamp_seconds")
    assert first == 1790838000  # 2026-10-01T00:00-07:00


def test_what_a_covered_student_costs_is_told_where_every_lines_cost_is_known() -> None:
    each = value(observed(), "district_cost_per_covered_student_dollars")
    assert each == pytest.approx(float(round(Decimal((750 + 60 + 30) * COUNT) / 500, 2)))


def test_lines_of_unknown_cost_are_counted_and_are_in_no_amount() -> None:
    (district,) = snapshot().districts
    assert district.program is not None
    bill = district.program.costs
    idle = costs.Lines(lines=9, with_cost=4, cost=Decimal("60.00"))
    partly = replace(bill, district=replace(bill.district, idle=idle))
    made = shown(replace(district, program=replace(district.program, costs=partly)))
    assert value(made, "district_cost_unknown_lines", use="idle") == 5
    assert value(made, "district_cost_dollars", use="idle") == 60
    assert value(made, "district_cost_per_covered_student_dollars") is None


def test_an_amount_of_which_nothing_is_known_is_absent_and_one_of_no_line_is_zero() -> None:
    assert schools.known_cost(costs.Lines(lines=9)) is None
    assert schools.known_cost(costs.NONE) == 0
    assert schools.known_cost(None) is None


def test_before_costs_are_read_they_are_absent() -> None:
    made = shown(snapshots.snapshot().districts[0])
    assert value(made, "district_cost_dollars", use="idle") is None
    assert value(made, "school_idle_cost_dollars", school=SCHOOL) is None


def test_findings_are_told_by_kind_and_none_is_zero() -> None:
    made = observed()
    assert value(made, "district_reconciliation_findings", kind="line_without_loan") == 7
    rest = [kind.name for kind in reconciliation.KINDS if kind.name != "line_without_loan"]
    assert {value(made, "district_reconciliation_findings", kind=kind) for kind in rest} == {0}


def test_equity_is_that_of_the_snapshot() -> None:
    (district,) = snapshot().districts
    assert district.equity is not None
    made = observed(minimum_cell_size=0)
    judged = district.equity
    assert value(made, "district_concentration_index") == judged.concentration.absolute.value
    assert value(made, "district_relative_concentration_index") == judged.concentration.relative.value
    assert value(made, "district_attributable_risk_ratio") == judged.risk.value.value
    assert judged.risk.value.value is not None


def test_measures_that_are_undefined_are_absent() -> None:
    made = shown(snapshots.snapshot().districts[0])
    assert value(made, "district_concentration_index") is None
    assert value(made, "district_attributable_risk_ratio") is None


def test_loans_outside_need_and_those_of_no_borrower_are_told() -> None:
    made = observed()
    assert value(made, "school_students_served_outside_need", school=SCHOOL) == 3
    assert value(made, "district_students_served_outside_need") == 9
    assert value(made, "district_loans_unattributed") == 2


def test_what_is_covered_and_who_has_no_loan_are_those_of_the_district() -> None:
    (district,) = snapshot().districts
    assert district.day is not None
    made = observed()
    assert value(made, "district_students_covered") == district.day.covered
    assert value(made, "district_students_unserved") == district.day.unserved
