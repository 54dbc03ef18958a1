"""A month as it is published: every figure of the tables, the report and its charts is one of these.

What a coarsened school's figures are is computed from its published ranges, never from its true counts.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from service.exports import protecting
from service.model import months, pilots, protection
from service.model.months import Month


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    """A figure: exactly ``value``; or None with a symbol that says why, and the bounds where there are some."""

    value: float | None = None
    least: float | None = None
    most: float | None = None
    symbol: str = ""  # as "5 to 9", "60% to 70%", "withheld", "unknown", "not applicable"

    @property
    def middle(self) -> float | None:
        """The best single guess, to rank and to draw by; None: there are no bounds."""
        if self.value is not None:
            return self.value
        return None if self.least is None or self.most is None else (self.least + self.most) / 2


@dataclass(frozen=True, slots=True, kw_only=True)
class School:
    """``numbers``: every count of protection.COUNTS, and the columns of school_month that are not plain facts:
    coverage, coverage_low, coverage_high, completeness, response_ratio, unmet, gb_per_active_mean,
    hotspot_uptime_pct, pct_usage_outside_school_hours."""

    school: months.School  # for what is no count: names, high-needs, supports; without its counts
    days_missing: int | None = None  # of the month, without a word of any loan; None: not told
    level: protection.Level
    numbers: Mapping[str, Number]
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Schools together, from their published figures. ``schools`` are counted; ``left_out`` are not, as their counts
    are not told or their need is not known. A figure with the symbol "about" is made of ranges' middles."""

    name: str  # high-needs, others, a band of need, pilot, comparison
    schools: int
    left_out: int
    need: Number
    adequate: Number  # students covered
    unknown: Number
    coverage: Number
    without_need: int = 0  # of those left out: their need is not known


@dataclass(frozen=True, slots=True, kw_only=True)
class District:
    """``numbers``: the totals (protection.MAIN, answered, covered, unmet), coverage, coverage_low, coverage_high,
    completeness, response_ratio, coverage_gap, coverage_ratio, aci, rci, par, cost, idle_cost, lines, idle_lines,
    cost_per_covered_student. ``covered``: adequate without the surplus of any school."""

    schools: int
    schools_without_need: int
    levels: Mapping[protection.Level, int]
    numbers: Mapping[str, Number]
    groups: tuple[Group, ...]  # high-needs, others
    bands: tuple[Group, ...]  # of need, the least needy first; of one basis
    bands_basis: str | None = None
    undefined: Mapping[str, str] = field(default_factory=dict)  # why a measure is, by its name
    schools_without_day: int = 0  # without a figure day: they have no counts, and no level


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlierMonth:
    """As it was released: the latest revision."""

    month: months.Month
    district: Mapping[str, Number]  # the numbers of District that the ledger has
    schools: Mapping[str, Number]  # coverage by NCESSCH
    rows: tuple[protection.Published, ...] = ()  # as they were told: pilots are made of them


@dataclass(frozen=True, slots=True, kw_only=True)
class PilotPeriod:
    """One side in one period, over its released months. ``missing``: months of the period that were not released."""

    side: str  # pilot, comparison
    period: str  # before, during
    months: tuple[Month, ...]
    missing: tuple[Month, ...]
    schools: int
    left_out: int
    need: Number  # mean of the months
    covered: Number
    coverage: Number


@dataclass(frozen=True, slots=True, kw_only=True)
class Pilot:
    name: str
    question: str
    starts_on: date
    ends_on: date | None
    periods: tuple[PilotPeriod, ...]  # pilot before, pilot during, comparison before, comparison during
    change: Number  # of the pilot's coverage
    comparison_change: Number
    difference: Number  # in differences
    warnings: tuple[str, ...] = ()  # codes, worded by the report and the notes
    by_month: tuple[PilotPeriod, ...] = ()  # each side month by month


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """A cell that differs from the revision before. ``why`` is a class, as late_data, need_corrected."""

    table: str
    key: str
    column: str
    old: str
    new: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """Everything that a shareable package and its report tell. ``facts`` for what is no count of students: of its
    counts nothing is there, and of the money only whether lines are unknown (1) or without a price (1)."""

    facts: months.Facts
    version: str
    revision: int
    is_partial: bool
    is_strict: bool
    schools: tuple[School, ...]  # by name
    district: District
    earlier: tuple[EarlierMonth, ...]  # oldest first
    pilot: Pilot | None = None
    changes: tuple[Changed, ...] = ()
    protection_notes: tuple[str, ...] = ()  # sentences: what was coarsened, what could not be settled
    thresholds: Mapping[str, object] = field(default_factory=dict)


def of(
    facts: months.Facts,
    decision: protecting.Decision,
    *,
    version: str,
    earlier: Sequence[EarlierMonth] = (),
    pilot: pilots.Pilot | None = None,
    revision: int = 1,
    is_partial: bool = False,
    is_strict: bool = False,
    min_n: int = protection.SMALLEST_FREE,
    floor: float = 0.9,
    changes: Sequence[Changed] = (),
) -> Published:
    """The month of the facts, told as it was decided."""
    from service.exports import making  # which makes what is defined above

    terms = making.Terms(is_strict=is_strict, min_n=min_n, floor=floor)
    return Published(
        facts=making.public(facts, decision),
        version=version,
        revision=revision,
        is_partial=is_partial,
        is_strict=is_strict,
        schools=making.schools(facts, decision, terms=terms),
        district=making.district(facts, decision, terms=terms),
        earlier=tuple(sorted(earlier, key=lambda one: one.month)),
        pilot=making.pilot(pilot, facts, decision, earlier, terms=terms),
        changes=tuple(changes),
        protection_notes=tuple(making.protection_notes(decision, terms=terms)),
        thresholds=facts.thresholds,
    )
