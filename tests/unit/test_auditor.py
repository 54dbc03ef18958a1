"""What a reader of the releases can still not know: compared with counting every world."""

import itertools
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.exports import auditor, programs
from service.model import protection
from service.model.protection import Level
from tests import protected


def _broken(*rows: auditor.Row) -> set[str]:
    return {one.quantity.name for one in auditor.alone(rows, auditor.Terms())}


def test_exact_counts_tell_a_small_difference() -> None:
    row = protected.row(protected.used(40, 40, 38), Level.EXACT)
    assert {"need - adequate", "loaned - active_30"} <= _broken(row)


def test_exact_counts_without_a_small_one_tell_nothing() -> None:
    assert not _broken(protected.row(protected.used(60, 45, 30), Level.EXACT))


def test_ranges_of_five_keep_a_small_difference() -> None:
    assert not _broken(protected.row(protected.used(40, 40, 38), Level.FIVE))


def test_the_schools_size_narrows_a_range() -> None:
    """402 are enrolled: 400 to 404 who answered are 400, 401 or 402."""
    one = protected.used(60, 45, 30, enrolled=402, answered=400)
    assert _broken(protected.row(one, Level.FIVE)) == {"enrolled - answered"}


def test_the_same_need_told_exactly_in_another_month_opens_a_range() -> None:
    small = protected.row(protected.used(42, 40, 25, month=9), Level.FIVE)
    exact = protected.row(protected.used(42, 20, 20, month=10), Level.EXACT)
    assert not _broken(small)
    assert "need - loaned" in _broken(small, exact)


def test_another_need_in_another_month_tells_nothing() -> None:
    small = protected.row(protected.used(42, 40, 25, month=9), Level.FIVE)
    assert not _broken(small, protected.row(protected.used(60, 20, 20, month=10), Level.EXACT))


def test_a_band_of_few_students_leaves_holes() -> None:
    """Of 10 to 19 in need above 95 % are covered: none is without, or one of 21 or more who cannot be."""
    one = protected.used(19, 19, 19, enrolled=19, answered=19)
    wanted = protected.row(one, Level.BAND)
    assert not _broken(wanted)  # nothing is small here
    one = protected.used(39, 39, 38, enrolled=40, answered=40)
    assert "need - adequate" in _broken(protected.row(one, Level.BAND))


def _vectors(one: protection.Facts, told: protection.Published) -> Iterator[dict[str, int]]:
    """Every world of a school alone, by trying all."""
    most = one.enrolled or 0
    spans = [
        range(cell.least, min(cell.most, most) + 1) if (cell := told.cells.get(name)) else range(most + 1)
        for name in protection.MAIN
    ]
    for values in itertools.product(*spans):
        world = dict(zip(protection.MAIN, values, strict=True))
        if _fits(one, world):
            yield world


def _fits(one: protection.Facts, world: dict[str, int]) -> bool:
    order = ("adequate", "active_7", "active_30", "loaned")
    is_ordered = all(world[low] <= world[high] for low, high in itertools.pairwise(order))
    need, loaned = one.counts["need"] or 0, one.counts["loaned"] or 0
    return (
        is_ordered
        and world["adequate"] + world["unknown"] <= world["loaned"]
        and (loaned > need or world["loaned"] <= world["need"])
    )


def _longest(possible: set[int]) -> int:
    runs = (
        sum(1 for _ in itertools.takewhile(lambda v: v in possible, itertools.count(at))) for at in possible
    )
    return max(runs, default=0)


@st.composite
def _schools(draw: st.DrawFn) -> protection.Facts:
    need = draw(st.integers(0, 14))
    loaned = draw(st.integers(0, 14))
    active_30 = draw(st.integers(0, loaned))
    active_7 = draw(st.integers(0, active_30))
    adequate = draw(st.integers(0, active_7))
    unknown = draw(st.integers(0, loaned - adequate))
    counts = dict(zip(protection.MAIN, (need, loaned, active_30, active_7, adequate, unknown), strict=True))
    return protected.facts(enrolled=draw(st.integers(14, 20)), **counts)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(_schools())
def test_every_verdict_on_ranges_of_five_is_that_of_trying_all_worlds(one: protection.Facts) -> None:
    # What was answered is fixed by its range here: it is none of what is asked.
    one = protected.facts(enrolled=one.enrolled, **{**one.counts, "answered": None})
    told = protected.row(one, Level.FIVE)
    worlds = list(_vectors(one, told.published))
    wanted = [
        a for a in auditor.asked([told]) if {*a.quantity.plus, *a.quantity.minus} <= set(protection.MAIN)
    ]
    expected = {
        a.quantity.name for a in wanted if _longest({a.quantity.of(world) or 0 for world in worlds}) < 5
    }
    found = _broken(told) & {a.quantity.name for a in wanted}
    assert found == expected


@pytest.mark.parametrize(("answer", "is_one"), [((3.0, 4.0), True), ((4.0, 3.0), False), ((3.0, 9.0), False)])
def test_a_world_of_the_solver_is_looked_at_before_it_is_believed(
    monkeypatch: pytest.MonkeyPatch, answer: tuple[float, float], is_one: bool
) -> None:
    program = programs.Program()
    program.count("adequate", 0, 8)
    program.count("loaned", 0, 8)
    program.at_most(["adequate"], "loaned")
    monkeypatch.setattr(programs._Solver, "answer", lambda self, question: np.array(answer))
    asked = programs.Expression((("adequate", 1),))
    assert (program.extreme(asked, is_most=True) is not None) is is_one
    assert program.world(asked, 2) is None
