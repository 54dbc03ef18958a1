"""Which level each school and the totals are told at."""

import itertools
import random
import time

import pytest

from service.exports import auditor, protecting
from service.model import protection
from service.model.protection import Cell, Level
from tests import protected


def _levels(decision: protecting.Decision) -> list[str]:
    return [str(row.level) for row in decision.rows]


def test_large_counts_without_small_differences_are_told_exactly() -> None:
    decision = protecting.decide([protected.used(60, 45, 30), protected.used(80, 60, 40, school=2)])
    assert _levels(decision) == ["exact", "exact"]
    assert decision.totals["need"] == Cell(140, 140)


def test_one_coarsened_school_takes_the_exact_totals_with_it() -> None:
    """The others taken from an exact total would leave the one."""
    rows = [
        protected.used(60, 45, 30),
        protected.used(40, 40, 38, school=2),
        protected.used(70, 50, 35, school=3),
    ]
    decision = protecting.decide(rows)
    assert _levels(decision) == ["exact", "five", "exact"]
    assert not decision.totals["loaned"].is_exact


def test_a_side_count_of_none_looks_like_one_of_four() -> None:
    """Were 0 told as it is, a range would say that it is not 0."""
    told = [protecting.decide([protected.used(60, 45, 30, waitlist=waitlist)]).rows[0] for waitlist in (0, 4)]
    assert told[0].cells["waitlist"] == told[1].cells["waitlist"] == Cell(0, 4)
    assert [one.level for one in told] == [Level.EXACT, Level.EXACT]


def test_what_is_unknown_stays_unknown() -> None:
    decision = protecting.decide([protected.used(60, 45, 30, waitlist=None)])
    assert "waitlist" not in decision.rows[0].cells


def test_a_school_of_unknown_need_is_in_no_total() -> None:
    rows = [protected.used(60, 45, 30), protected.facts(2, need=None, answered=None, loaned=30)]
    decision = protecting.decide(rows)
    assert decision.totals["loaned"] == Cell(45, 45)


def test_a_later_month_opens_no_earlier_one() -> None:
    """Exact need in October would tell that of September, which was a range."""
    first = [protected.used(42, 40, 25, month=9, school=n) for n in (1, 2, 3)]
    second = [protected.used(42, 20, 20, month=10, school=n) for n in (1, 2, 3)]
    september = protecting.decide(first)
    alone = protecting.decide(second)
    october = protecting.decide(second, [protected.earlier(first, september)])
    assert _levels(alone) == ["exact"] * 3
    assert _levels(october) == ["five"] * 3


def test_a_price_tells_no_count() -> None:
    """With one line a loan, the cost divided by the price is what is lent."""
    rows = [protected.used(60, 60, 45), protected.used(40, 38, 20, school=2)]
    decision = protecting.decide(rows, money={"lines": 98, "idle_lines": 33})
    assert decision.totals.get("lines") != Cell(98, 98)


def test_when_time_has_run_out_schools_are_withheld_and_counted() -> None:
    decision = protecting.decide(
        [protected.used(40, 40, 38), protected.used(60, 45, 30, school=2)], terms=protecting.Terms(seconds=0)
    )
    assert _levels(decision) == ["withheld", "withheld"]
    assert decision.unsettled >= 2


def test_totals_that_take_no_time_are_settled_in_none() -> None:
    decision = protecting.decide([protected.used(60, 45, 30)], terms=protecting.Terms(seconds=0))
    assert ("totals_exact" in decision.notes, decision.unsettled) == (True, 1)


def test_totals_that_their_share_of_the_time_did_not_settle_are_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Though there was time left for coarser ones."""
    asked_the_time = itertools.count()
    rows = _district(random.Random(3), 8)
    assert (decided := protecting.decide(rows)).unsettled == 0
    monkeypatch.setattr(time, "monotonic", lambda: float(next(asked_the_time)))
    rushed = protecting.decide(rows, terms=protecting.Terms(seconds=100))
    assert rushed.rows == decided.rows
    assert ("totals_of_ranges" in decided.notes, "totals_of_ranges" in rushed.notes) == (False, True)
    assert rushed.unsettled == 1


def test_progress_is_told_school_by_school() -> None:
    told: list[tuple[str, int, int]] = []
    rows = [protected.used(40, 40, 38, school=n) for n in (1, 2)]
    protecting.decide(rows, progress=lambda what, done, of: told.append((what, done, of)))
    assert [one for one in told if one[0] == "schools"] == [("schools", 1, 2), ("schools", 2, 2)]


def test_the_same_facts_make_the_same_decision() -> None:
    rows = _district(random.Random(3), 8)
    assert protecting.decide(rows).rows == protecting.decide(rows).rows


@pytest.mark.parametrize("seed", range(6))
def test_no_protected_count_is_left_with_fewer_than_five_values(seed: int) -> None:
    """Judged anew with every school free to move at once."""
    rows = _district(random.Random(seed), 4)
    decision = protecting.decide(rows)
    audited = tuple(auditor.Row(one, told) for one, told in zip(rows, decision.rows, strict=True))
    totals = {name: cell for name, cell in decision.totals.items() if name not in decision.cells_only}
    program = auditor.program_of(audited, [auditor.Release(audited, totals)])
    broken = [one for one in auditor.asked(audited) if not auditor.is_kept(program, one, auditor.Terms())]
    assert not broken


def _district(dice: random.Random, schools: int) -> list[protection.Facts]:
    return [_school(dice, school) for school in range(1, schools + 1)]


def _school(dice: random.Random, school: int) -> protection.Facts:
    need = dice.randint(0, 40)
    loaned = dice.randint(0, need)
    active_30 = dice.randint(loaned // 2, loaned)
    active_7 = dice.randint(active_30 // 2, active_30)
    adequate = dice.randint(active_7 // 2, active_7)
    return protected.facts(
        school,
        enrolled=300,
        answered=dice.randint(max(need, 150), 290),
        need=need,
        loaned=loaned,
        active_30=active_30,
        active_7=active_7,
        adequate=adequate,
        unknown=dice.randint(0, min(3, loaned - adequate)),
    )


def test_a_school_that_was_not_heard_from_gets_no_band_of_coverage() -> None:
    one = protected.used(30, 30, 8, unknown=12)
    for level in (Level.TEN, Level.BAND):
        assert protecting.published(one, level).level is Level.WITHHELD


def test_a_school_without_need_has_no_row_that_lacks_a_band_alone() -> None:
    """Of ranges of ten with no band of coverage anybody knows that nobody is in need."""
    one = protected.facts(1, enrolled=30, answered=20, need=0, loaned=6, active_30=6)
    assert protecting.published(one, Level.TEN).level is Level.WITHHELD


def test_the_floor_in_force_decides_who_was_heard_from() -> None:
    one = protected.used(100, 100, 80, unknown=8)
    silence = protecting.Terms(floor=0.95).silence
    assert protecting.published(one, Level.TEN).band is not None
    assert protecting.published(one, Level.TEN, silence=silence).level is Level.WITHHELD
    assert protecting.published(protected.used(100, 100, 80, unknown=10), Level.TEN).band is not None


def _after(first: list[protection.Facts], second: list[protection.Facts]) -> set[str]:
    """The protected counts of both months that two decisions, one after the other, tell too much of."""
    one = protecting.decide(first)
    two = protecting.decide(second, [protected.earlier(first, one)])
    releases = [
        auditor.Release(
            tuple(auditor.Row(facts, told) for facts, told in zip(rows, made.rows, strict=True)),
            {name: cell for name, cell in made.totals.items() if name not in made.cells_only},
        )
        for rows, made in ((first, one), (second, two))
    ]
    rows = [row for release in releases for row in release.rows]
    program = auditor.program_of(rows, releases)
    return {
        f"{wanted.ncessch} {wanted.quantity.name}"
        for wanted in auditor.asked(rows)
        if not auditor.is_kept(program, wanted, auditor.Terms())
    }


_SEPTEMBER = [
    protected.used(42, 24, 21, month=9, enrolled=800, answered=500),
    protected.used(54, 35, 31, month=9, school=3, enrolled=700, answered=480),
    protected.used(65, 46, 44, month=9, school=4, enrolled=700, answered=480),
]
_SMALL = protected.used(9, 7, 7, month=9, school=2, enrolled=300, answered=180)
_OCTOBER = [
    protected.used(42, 20, 10, enrolled=800, answered=500),
    protected.used(54, 30, 15, school=3, enrolled=700, answered=480),
    protected.used(65, 40, 20, school=4, enrolled=700, answered=480),
]


def test_others_told_exactly_later_do_not_open_a_school_whose_need_has_changed() -> None:
    """Their exact need, taken from September's total, would leave that of the small one."""
    assert not _after(
        [*_SEPTEMBER, _SMALL], [*_OCTOBER, protected.used(11, 7, 7, school=2, enrolled=300, answered=181)]
    )


def test_others_told_exactly_later_do_not_open_a_school_that_has_closed() -> None:
    assert not _after([*_SEPTEMBER, _SMALL], _OCTOBER)


def test_that_the_day_was_heard_from_enough_tells_nobody_how_many_were_not() -> None:
    """One of 17 and one of 18 are unknown: with 0 to 4 each, no more than 3 of 35 can be."""
    rows = [
        protected.facts(
            1,
            enrolled=200,
            answered=150,
            need=30,
            loaned=17,
            active_30=15,
            active_7=15,
            adequate=15,
            unknown=1,
        ),
        protected.facts(
            2,
            enrolled=220,
            answered=160,
            need=28,
            loaned=18,
            active_30=16,
            active_7=16,
            adequate=14,
            unknown=1,
        ),
    ]
    assert not _after(rows, [])


def test_other_limits_are_another_decision() -> None:
    assert protecting.Terms(min_n=30).limits != protecting.Terms().limits


def test_strict_hides_both_parts_of_a_small_difference_and_keeps_the_total() -> None:
    """15 in need, of whom 10 are covered and 5 are not: neither part is told, the 15 are."""
    rows = [
        protected.used(15, 15, 10),
        protected.used(60, 45, 30, school=2),
        protected.used(70, 50, 35, school=3),
    ]
    decision = protecting.decide(rows, terms=protecting.Terms(is_strict=True))
    first = decision.rows[0].cells
    assert first["need"] == Cell(15, 15)
    assert "adequate" not in first


def test_strict_never_hides_one_school_of_a_column_alone() -> None:
    rows = [
        protected.used(8, 4, 2),
        protected.used(60, 45, 30, school=2),
        protected.used(70, 50, 35, school=3),
    ]
    decision = protecting.decide(rows, terms=protecting.Terms(is_strict=True))
    hidden = [row for row in decision.rows if (cell := row.cells.get("need")) is None or not cell.is_exact]
    assert len(hidden) >= 2
