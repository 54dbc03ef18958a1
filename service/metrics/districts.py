"""The families of districts: coverage, equity, costs, and what waits."""

from collections.abc import Mapping

from service.metrics import families, schools, withheld
from service.metrics.families import EXPERIMENTAL
from service.model import costs, reconciliation
from service.store import coverage

LABELS = ("district",)

COUNTS: tuple[families.Family, ...] = (
    *schools.counts("district", "over schools whose need is known"),
    families.field(
        "afterbell_district_students_covered",
        "covered",
        "Of the students in need, those with an adequate connection at home, over schools whose need is known.",
    ),
    families.field(
        "afterbell_district_students_unserved",
        "unserved",
        "Students in need without a loan, school by school, over schools whose need is known.",
    ),
    families.field(
        "afterbell_district_loans_unattributed",
        "unattributed",
        "Open loans that name no borrower and serve no student in need, on the reported day.",
    ),
)

GROUPS: tuple[families.Family, ...] = (
    families.Gauge(
        "afterbell_district_coverage_gap_ratio",
        "Coverage of the other schools less coverage of the high-needs schools.",
        lambda d: d.coverage_gap,
    ),
    families.field(
        "afterbell_district_high_needs_coverage_ratio",
        "high_needs.coverage",
        "Coverage of the high-needs schools together.",
    ),
    families.field(
        "afterbell_district_others_coverage_ratio",
        "others.coverage",
        "Coverage of the schools that are not high-needs together.",
    ),
    families.Gauge(
        "afterbell_district_high_needs_to_others_ratio",
        "Coverage of the high-needs schools / coverage of the others: below 1 is inequity.",
        lambda d: d.equity.ratio.value if d.equity else None,
        EXPERIMENTAL,
    ),
)


def _loans(district: coverage.District) -> Mapping[str, float | None]:
    return {state: district.loans_by_state.get(state, 0) for state in schools.STATES} if district.day else {}


def _findings(district: coverage.District) -> Mapping[str, float | None]:
    """Nothing found is 0; not looked for yet is unknown."""
    if district.reconciliation is None:
        return {}
    found = {kind.name: district.reconciliation.total(kind.name) for kind in reconciliation.KINDS}
    return {kind: 0 if count is None else count.findings for kind, count in found.items()}


def _cost(district: coverage.District) -> costs.Costs | None:
    return None if district.program is None else district.program.costs


def _by_use(district: coverage.District) -> Mapping[str, costs.Lines]:
    cost = _cost(district)
    return {} if cost is None else {use: getattr(cost.district, use) for use in costs.USES}


def _per_student(district: coverage.District) -> float | None:
    cost = _cost(district)
    each = None if cost is None else cost.district.per_covered_student
    return None if each is None else float(each)


SUMS: tuple[families.Family, ...] = (
    families.By("afterbell_district_loans", "Open loans by state on the reported day.", "state", _loans),
    families.Gauge(
        "afterbell_district_cost_per_covered_student_dollars",
        "What all lines cost in the latest whole month / students with an adequate connection.",
        _per_student,
        EXPERIMENTAL,
    ),
)

MEASURES: tuple[families.Family, ...] = (
    families.Gauge(
        "afterbell_district_concentration_index",
        "Absolute concentration index of coverage: above 0 it lies with the less needy schools.",
        lambda d: d.equity.concentration.absolute.value if d.equity else None,
        EXPERIMENTAL,
    ),
    families.Gauge(
        "afterbell_district_relative_concentration_index",
        "The absolute concentration index / mean coverage.",
        lambda d: d.equity.concentration.relative.value if d.equity else None,
        EXPERIMENTAL,
    ),
    families.Gauge(
        "afterbell_district_attributable_risk_ratio",
        "Coverage of the best of the four bands of schools less the district's.",
        lambda d: d.equity.risk.value.value if d.equity else None,
        EXPERIMENTAL,
    ),
)

FAMILIES: tuple[families.Family, ...] = (
    families.Gauge(
        "afterbell_district_reported_day_timestamp_seconds",
        "Start of the day, in the district's zone, that all coverage figures are for.",
        lambda d: families.midnight(d.reported_on, d.time_zone),
    ),
    families.Gauge(
        "afterbell_district_out_of_session",
        "Whether the reported day is in a break of all schools (0 or 1).",
        lambda d: d.day.is_out_of_session if d.day else None,
    ),
    families.Gauge(
        "afterbell_district_schools_need_unknown",
        "Schools whose need is not known on the reported day.",
        lambda d: d.day.schools_without_need if d.day else None,
    ),
    families.By(
        "afterbell_district_reconciliation_findings",
        "Where loans, lines and the roster contradict each other, by kind.",
        "kind",
        _findings,
        EXPERIMENTAL,
    ),
    families.By(
        "afterbell_district_cost_lines",
        "Lines of the latest whole month, by what is known of their use in it.",
        "use",
        lambda d: {use: lines.lines for use, lines in _by_use(d).items()},
        EXPERIMENTAL,
    ),
    families.By(
        "afterbell_district_cost_dollars",
        "What those lines cost in that month, as far as their plans' cost is known.",
        "use",
        lambda d: {use: schools.known_cost(lines) for use, lines in _by_use(d).items()},
        EXPERIMENTAL,
    ),
    families.By(
        "afterbell_district_cost_unknown_lines",
        "Of those lines, the ones whose plan's cost is not known: they are in no amount.",
        "use",
        lambda d: {use: lines.without_cost for use, lines in _by_use(d).items()},
        EXPERIMENTAL,
    ),
    families.Gauge(
        "afterbell_district_cost_month_timestamp_seconds",
        "Start of the month, in the district's zone, that the costs are for.",
        lambda d: families.midnight(d.program.costs.first_on, d.time_zone) if d.program else None,
        EXPERIMENTAL,
    ),
    families.field(
        "afterbell_conflicts_open",
        "conflicts.count",
        "Contradictions between sources that wait for a person.",
    ),
    families.field(
        "afterbell_work_waiting",
        "queues.days",
        "Days that wait to be computed, or to be computed again.",
    ),
    families.Gauge(
        "afterbell_work_oldest_waiting_timestamp_seconds",
        "Start of the first of those days, in the district's zone.",
        lambda d: families.midnight(d.queues.first_day_on, d.time_zone),
    ),
    families.field(
        "afterbell_flips_waiting",
        "queues.flips",
        "Changes of alerts that are not yet put into messages.",
    ),
    families.Gauge(
        "afterbell_flips_oldest_waiting_timestamp_seconds",
        "When the first of those changes came about.",
        lambda d: families.instant(d.queues.oldest_flip_at),
    ),
)

WITHHELD: tuple[families.Family, ...] = (
    families.Gauge[withheld.Told](
        "afterbell_district_schools_withheld",
        "Schools left out here: too few in need, need not known, or left out to keep another's figures.",
        lambda t: t.withheld,
    ),
)
