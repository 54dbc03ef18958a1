"""Whole districts, computed in the database and again in plain Python: every row is the same."""

import os
from fractions import Fraction

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from service.model import equity as measured
from tests.reference import compared, database, described, districts, equity

EXAMPLES = int(os.environ.get("AFTERBELL_TEST_EXAMPLES", "0"))  # for long hunts by hand, which also shrink
SAID = 20  # of the differences: the first ones tell
compute = database.compute


@pytest.mark.filterwarnings("ignore:Generating overly large repr")
@settings(
    max_examples=EXAMPLES or 20,
    derandomize=not EXAMPLES,
    deadline=None,
    database=None,
    phases=list(Phase) if EXAMPLES else [Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(district=districts.districts())
def test_every_row_is_as_the_reference_has_it(
    compute: database.Compute, district: described.District
) -> None:
    assert compared.differences(district, compute(district))[:SAID] == []


schools = st.lists(
    st.tuples(
        st.integers(1, 60),  # in need
        st.integers(0, 60),  # more are enrolled
        st.integers(0, 60),  # adequate
        st.booleans(),  # high-needs
        st.sampled_from((0.1, 0.25, 0.26, 0.5, 0.51, 0.75, 0.76, 1.2)),
    ),
    min_size=1,
    max_size=12,
)


@settings(max_examples=300, derandomize=True, deadline=None, database=None)
@given(told=schools)
def test_equity_is_as_the_reference_has_it(told: list[tuple[int, int, int, bool, float]]) -> None:
    ours = [
        equity.SchoolCoverage(need, need + more, Fraction(min(adequate, need), need))
        for need, more, adequate, _, _ in told
    ]
    got = measured.of(
        measured.School(
            ncessch=f"{number:012d}",
            name="School",
            enrolled=school.enrolled,
            need=school.need,
            loaned=adequate,
            adequate=adequate,
            coverage=float(school.coverage),
            is_high_needs=is_high_needs,
            indicator="isp",
            indicator_value=share,
            indicator_year="2026-27",
        )
        for number, (school, (_, _, adequate, is_high_needs, share)) in enumerate(
            zip(ours, told, strict=True)
        )
    )
    others = [school for school, one in zip(ours, told, strict=True) if not one[3]]
    needy = [school for school, one in zip(ours, told, strict=True) if one[3]]
    bands = [[s for s, one in zip(ours, told, strict=True) if _band(one[4]) == band] for band in range(4)]
    expected = {
        "coverage": (equity.mean(ours), got.district.coverage),
        "gap": (equity.gap(others, needy), got.gap),
        "ratio": (equity.ratio(others, needy), got.ratio),
        "ACI": (equity.absolute_index(ours), got.concentration.absolute),
        "RCI": (equity.relative_index(ours), got.concentration.relative),
        "PAR": (equity.attributable_risk(bands), got.risk.value),
    }
    for name, (value, measure) in expected.items():
        assert measure.value == (None if value is None else pytest.approx(float(value), abs=1e-9)), name


def _band(share: float) -> int:
    """NCES: to 25 %, to 50 %, to 75 %, above."""
    return sum(share > edge for edge in (0.25, 0.5, 0.75))
