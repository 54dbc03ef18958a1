"""One hotspot at a time to the school with the largest unserved need, and what that may buy."""

import time
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.model import equity, reallocation


def school(number: int, *, need: int | None = 60, loaned: int = 40, **told: object) -> equity.School:
    values: dict[str, object] = {"adequate": loaned // 2, **told}
    adequate = int(values["adequate"])  # type: ignore[call-overload]
    coverage = min(adequate, need) / need if need else None
    values.setdefault("coverage", coverage)
    return equity.School(
        ncessch=f"{number:012d}",
        name=f"School {number}",
        need=need,
        loaned=loaned,
        **values,  # type: ignore[arg-type]
    )


def given_to(plan: reallocation.Plan) -> dict[int, int]:
    return {int(share.school.ncessch): share.hotspots for share in plan.shares}


def by_hand(schools: list[equity.School], hotspots: int) -> dict[int, int]:
    """As the definition says it: look at every school, once for each hotspot."""
    unserved = {one.ncessch: one.unserved or 0 for one in schools}
    found: dict[int, int] = {}
    for _ in range(hotspots):
        wanting = [one for one in schools if unserved[one.ncessch]]
        if not wanting:
            break
        chosen = max(
            wanting,
            key=lambda one: (
                unserved[one.ncessch],
                one.is_high_needs is True,
                one.waitlist or 0,
                -int(one.ncessch),
            ),
        )
        unserved[chosen.ncessch] -= 1
        found[int(chosen.ncessch)] = found.get(int(chosen.ncessch), 0) + 1
    return found


@st.composite
def many(draw: st.DrawFn) -> list[equity.School]:
    rows = st.tuples(
        st.integers(0, 12) | st.none(),
        st.integers(0, 12),
        st.sampled_from((True, False, None)),
        st.sampled_from((0, 1, 5, None)),
    )
    found = draw(st.lists(rows, max_size=8))
    return [
        school(number, need=need, loaned=loaned, is_high_needs=is_high_needs, waitlist=waitlist)
        for number, (need, loaned, is_high_needs, waitlist) in enumerate(found)
    ]


@given(many(), st.integers(1, 60))
def test_the_plan_is_the_one_made_by_hand(schools: list[equity.School], hotspots: int) -> None:
    plan = reallocation.plan(schools, hotspots)
    assert given_to(plan) == by_hand(schools, hotspots)
    assert sum(given_to(plan).values()) + plan.left_over == hotspots
    assert plan.unserved_before - plan.unserved_after == hotspots - plan.left_over


def test_ties_go_to_high_needs_then_the_waitlist_then_the_number() -> None:
    same = {"need": 10, "loaned": 5}
    schools = [
        school(1, **same),
        school(2, **same, waitlist=4),
        school(3, **same, is_high_needs=True),
        school(4, **same),
    ]
    assert given_to(reallocation.plan(schools, 1)) == {3: 1}
    assert given_to(reallocation.plan(schools, 2)) == {3: 1, 2: 1}
    plan = reallocation.plan(schools, 3)
    assert given_to(plan) == {3: 1, 2: 1, 1: 1}
    reasons = {int(share.school.ncessch): share.reason for share in plan.shares}
    assert reasons[3] == "5 of 10 students in need without a loan; ties: high-needs first"
    assert reasons[2].endswith("ties: longer waitlist")
    assert reasons[1].endswith("ties: lower NCES id")
    assert "ties" not in reallocation.plan([school(1)], 1).shares[0].reason


def test_what_is_asked_back_is_missing_where_it_was() -> None:
    schools = [school(1, need=60, loaned=55), school(2, need=60, loaned=52)]
    assert given_to(reallocation.plan(schools, 2)) == {2: 2}
    plan = reallocation.plan(schools, 2, reclaimed={schools[0].ncessch: 10})
    assert given_to(plan) == {1: 2}
    assert plan.unserved_before == 15 + 8


def test_a_bound_and_an_estimate_are_told_apart() -> None:
    plan = reallocation.plan([school(1, need=60, loaned=40, adequate=20)], 10)
    (share,) = plan.shares
    assert (share.most_gained, share.likely_gained, share.is_own_rate) == (10, 5.0, True)
    assert share.coverage_with(share.most_gained) == pytest.approx(30 / 60)
    assert share.coverage_with(share.likely_gained) == pytest.approx(25 / 60)
    assert (plan.before.value, plan.at_most, plan.likely) == pytest.approx((20 / 60, 30 / 60, 25 / 60))


def test_loans_of_unknown_state_are_not_taken_for_bad_ones() -> None:
    plan = reallocation.plan([school(1, need=60, loaned=40, adequate=18, unknown=4)], 10)
    assert plan.shares[0].rate == pytest.approx(18 / 36)


def test_a_school_without_known_loans_is_estimated_with_the_districts_share() -> None:
    schools = [school(1, need=30, loaned=0), school(2, need=60, loaned=60, adequate=45)]
    (share,) = reallocation.plan(schools, 4).shares
    assert (share.is_own_rate, share.rate, share.likely_gained) == (False, 0.75, 3.0)
    (alone,) = reallocation.plan([school(1, need=30, loaned=0)], 4).shares
    assert (alone.rate, alone.likely_gained, alone.coverage_with(alone.likely_gained)) == (None, None, None)


def test_unknown_coverage_and_unknown_need_stay_unknown() -> None:
    blind = school(1, need=60, loaned=20, adequate=2, unknown=15, coverage=None)
    uncounted = school(2, need=None)
    plan = reallocation.plan([blind, uncounted], 5)
    (share,) = plan.shares
    assert share.coverage_with(share.most_gained) is None
    assert (plan.before.value, plan.at_most, plan.likely) == (None, None, None)
    assert plan.without_need == (uncounted,)


def test_what_nobody_needs_is_left_over() -> None:
    plan = reallocation.plan([school(1, need=10, loaned=8)], 5)
    assert (given_to(plan), plan.left_over, plan.unserved_after) == ({1: 2}, 3, 0)
    assert reallocation.plan([], 5).left_over == 5


def test_ten_thousand_schools_and_fifty_thousand_hotspots_take_seconds() -> None:
    """Measured at 0.9 s; the limit leaves room for a busy machine."""
    schools = [replace(school(number), need=100 + number % 37) for number in range(10_000)]
    started = time.process_time()
    plan = reallocation.plan(schools, 50_000)
    assert time.process_time() - started < 4
    assert sum(given_to(plan).values()) == 50_000
