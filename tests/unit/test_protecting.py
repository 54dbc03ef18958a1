"""Which level each school and the totals are told at."""

import random

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
