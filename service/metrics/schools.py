"""The families of schools, on the reported day."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import NamedTuple

from service.metrics import families
from service.metrics.families import EXPERIMENTAL, STABLE
from service.model import costs
from service.store import coverage

STATES = ("adequate", "unknown", "weak", "exhausted", "idle", "never_used", "suspended")
LABELS = ("district", "school")

_COUNTS = (
    ("coverage_ratio", "coverage", "Students in need with an adequate connection at home / students in need"),
    ("coverage_low_ratio", "coverage_low", "Coverage if everyone who has not answered were in need"),
    ("coverage_high_ratio", "coverage_high", "Coverage if every loan of unknown state were adequate"),
    ("completeness_ratio", "completeness", "Students whose loan's state is known / students with a loan"),
    ("response_ratio", "response_ratio", "Students with a valid answer / students enrolled"),
    ("students_enrolled", "enrolled", "Students enrolled"),
    ("students_answered", "answered", "Students with a valid answer about their connection at home"),
    ("students_in_need", "need", "Students who cannot get online at home without a loan"),
    ("students_loaned", "loaned", "Students in need with an open loan"),
    ("students_active_30", "active_30", "Students in need whose loan was used in the last 30 days"),
    ("students_active_7", "active_7", "Students in need whose loan was used in the last 7 days"),
    ("students_adequate", "adequate", "Students in need whose loan is an adequate connection"),
    ("students_unknown", "unknown", "Students in need whose loan's state is not known"),
    (
        "students_served_outside_need",
        "served_outside_need",
        "Students with a loan who are not known to be in need",
    ),
)


class School(NamedTuple):
    """A school, and what its lines cost where that was read."""

    day: coverage.School
    cost: costs.Cost | None


def counts(prefix: str, whose: str, of: str = "") -> Iterator[families.Gauge[object]]:
    """The families that schools and districts have alike; ``of``: where a subject holds its counts."""
    for name, path, text in _COUNTS:
        said = f"{text}, {whose}, on the reported day."
        yield families.field(f"afterbell_{prefix}_{name}", f"{of}{path}", said)


def known_cost(lines: costs.Lines | None) -> float | None:
    """None where no line's cost is known, though there are lines."""
    if lines is None or (lines.lines and not lines.with_cost):
        return None
    return float(lines.cost.quantize(Decimal("0.01")))


def _by_state(school: School) -> Mapping[str, float | None]:
    return {state: getattr(school.day, state) for state in STATES}


def _idle(school: School) -> costs.Lines | None:
    return None if school.cost is None else school.cost.idle


FAMILIES: tuple[families.Family, ...] = (
    *counts("school", "by school", "day."),
    families.field(
        "afterbell_school_high_needs", "day.is_high_needs", "Whether the school is high-needs (0 or 1)."
    ),
    families.field(
        "afterbell_school_need_exceeded",
        "day.is_need_exceeded",
        "Whether the school has more adequate loans than need: its need count is stale (0 or 1).",
    ),
    families.field(
        "afterbell_school_out_of_session",
        "day.is_out_of_session",
        "Whether the reported day is in a break of the school (0 or 1).",
    ),
    families.field(
        "afterbell_school_student_devices",
        "day.student_devices",
        "Students' own devices in service; shown beside coverage, never a part of it.",
    ),
    families.field(
        "afterbell_school_student_devices_active",
        "day.student_devices_active",
        "Students' own devices in use within the seven days up to the reported one.",
    ),
    families.field(
        "afterbell_school_student_devices_elsewhere",
        "day.student_devices_elsewhere",
        "Students' own devices online elsewhere than at school within the seven days up to the reported one.",
    ),
    families.By(
        "afterbell_school_students",
        "Students in need with an open loan, by their best loan's state, on the reported day.",
        "state",
        _by_state,
        STABLE,
    ),
    families.Gauge(
        "afterbell_school_idle_lines",
        "Lines that moved no byte in the latest whole month, by the school that lent them last.",
        lambda school: None if school.cost is None else school.cost.idle.lines,
        EXPERIMENTAL,
    ),
    families.Gauge(
        "afterbell_school_idle_cost_dollars",
        "What those lines cost in that month, as far as their plans' cost is known.",
        lambda school: known_cost(_idle(school)),
        EXPERIMENTAL,
    ),
)
