"""The attacker finds what is known to leak in publications made by hand, and nothing where nothing leaks."""

import csv
import itertools
import random
from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path

import pytest

from tests.privacy import attacker, counts, reading, search

Cells = Mapping[str, object]


def truth(**told: int) -> dict[str, int | None]:
    """Twenty in need of forty at a school where every loan is in good use, but for what is told."""
    base: dict[str, int | None] = dict.fromkeys(counts.COUNTS, 0)
    base |= dict.fromkeys(("need", "loaned", "active_30", "active_7", "adequate"), 20)
    return base | {"enrolled": 40, "answered": 30} | told


def exact(of: Mapping[str, int | None], *but: str) -> dict[str, object]:
    return {name: of[name] for name in counts.COUNTS if name not in but}


def between(name: str, least: int, most: int) -> dict[str, object]:
    return {
        name: "",
        f"{name}_symbol": f"{least} to {most}",
        f"{name}_least": least,
        f"{name}_most": most,
    }


class Published:
    """Packages written by hand into a folder, and read back from it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.releases: list[attacker.Release] = []

    def package(
        self,
        moment: str,
        schools: Mapping[str, Cells],
        district: Cells | None = None,
        **tables: Sequence[Cells],
    ) -> None:
        folder = self.folder / str(len(self.releases))
        folder.mkdir()
        rows = [{"school_ncessch": school, **cells} for school, cells in schools.items()]
        write(folder / "school_month.csv", rows)
        write(folder / "district_month.csv", [district] if district else [])
        for name, others in tables.items():
            write(folder / f"{name}.csv", others)
        self.releases.append(attacker.Release(moment, reading.tables(folder)))

    def leaks(
        self, truths: attacker.Truths, guesses: attacker.Guesses | None = None
    ) -> dict[str, tuple[int, ...]]:
        found = attacker.leaks(self.releases, truths, guesses)
        return {f"{leak.moment} {leak.school}: {leak.quantity}": leak.possible for leak in found}


def write(path: Path, rows: Sequence[Cells]) -> None:
    names = list(dict.fromkeys(name for row in rows for name in row))
    with path.open("w", encoding="utf-8", newline="") as lines:
        writer = csv.DictWriter(lines, names, restval="")
        writer.writeheader()
        writer.writerows(rows)


@pytest.fixture
def published(tmp_path: Path) -> Published:
    return Published(tmp_path)


NEED_7 = truth(need=7, loaned=0, active_30=0, active_7=0, adequate=0, answered=30)
NEED_10 = truth(need=10, loaned=0, active_30=0, active_7=0, adequate=0, answered=30)
FULL = truth()


def test_a_range_of_five_keeps_the_promise(published: Published) -> None:
    published.package("a", {"A": exact(NEED_7, "need") | between("need", 5, 9)})
    assert not published.leaks({"a": {"A": NEED_7}})


def test_a_count_that_is_told_is_found(published: Published) -> None:
    published.package("a", {"A": exact(NEED_7)})
    assert published.leaks({"a": {"A": NEED_7}})["a A: need"] == (7,)


def test_an_exact_total_beside_one_coarsened_school_is_found(published: Published) -> None:
    published.package(
        "a", {"A": exact(NEED_7, "need") | between("need", 5, 9), "B": exact(FULL)}, {"need": 27}
    )
    assert published.leaks({"a": {"A": NEED_7, "B": FULL}})["a A: need"] == (7,)


def test_a_total_of_ten_beside_one_coarsened_school_is_weighed(published: Published) -> None:
    rows = {"A": exact(NEED_7, "need") | between("need", 5, 9), "B": exact(FULL)}
    published.package("a", rows, between("need", 20, 29))
    assert not published.leaks({"a": {"A": NEED_7, "B": FULL}})
    published.package("a", rows, between("need", 26, 35))
    assert published.leaks({"a": {"A": NEED_7, "B": FULL}})["a A: need"] == (6, 7, 8, 9)


def test_an_exact_total_beside_two_coarsened_schools_is_weighed(published: Published) -> None:
    rows = {"A": exact(NEED_7, "need") | between("need", 5, 9), "B": exact(NEED_10, "need")}
    open_rows = rows | {"B": rows["B"] | between("need", 10, 14)}
    truths = {"a": {"A": NEED_7, "B": NEED_10}}
    published.package("a", open_rows, {"need": 17})
    assert published.leaks(truths)["a A: need"] == (5, 6, 7)


def test_roundings_about_a_centre_at_two_levels_are_found(published: Published) -> None:
    published.package("a", {"A": between("need", 3, 7)})
    published.package("a", {"A": between("need", 5, 14)})
    assert published.leaks({"a": {"A": NEED_7}})["a A: need"] == (5, 6, 7)


def test_a_difference_of_two_is_found(published: Published) -> None:
    school = truth(need=40, loaned=40, active_30=38, active_7=38, adequate=38, enrolled=50, answered=50)
    published.package("a", {"A": exact(school)})
    found = published.leaks({"a": {"A": school}})
    assert found["a A: loaned - active_30"] == (2,)
    assert found["a A: need - adequate"] == (2,)


def test_a_band_that_few_values_fit_is_found(published: Published) -> None:
    school = truth(need=12, loaned=12, active_30=12, active_7=12, adequate=8)
    cells = {"need": 12} | between("adequate", 5, 14) | {"coverage_least": "0.6", "coverage_most": "0.7"}
    published.package("a", {"A": cells})
    assert published.leaks({"a": {"A": school}})["a A: adequate"] == (8,)


def test_a_ratio_beside_coarsened_counts_is_found(published: Published) -> None:
    school = truth(need=22, loaned=22, active_30=22, active_7=22, adequate=7)
    cells = between("need", 20, 24) | between("adequate", 5, 9)
    published.package("a", {"A": cells})
    assert not published.leaks({"a": {"A": school}})
    published.package("a", {"A": {**cells, "coverage": "0.3182"}})
    assert published.leaks({"a": {"A": school}})["a A: adequate"] == (7,)


def test_need_that_stays_equal_over_two_months_is_used(published: Published) -> None:
    published.package("a", {"A": between("need", 5, 9)})
    published.package("b", {"A": between("need", 9, 13)})
    school = truth(need=9, loaned=0, active_30=0, active_7=0, adequate=0)
    truths = {"a": {"A": school}, "b": {"A": school}}
    assert not published.leaks(truths)
    same = attacker.Guesses(same_need=((("a", "A", "need"), ("b", "A", "need")),))
    assert published.leaks(truths, same)["a A: need"] == (9,)


def test_a_revision_that_moves_one_cell_and_the_total_is_found(published: Published) -> None:
    other = truth(need=8, loaned=0, active_30=0, active_7=0, adequate=0)
    before = {"A": between("need", 5, 9), "B": between("need", 5, 9)}
    after = {"A": between("need", 10, 14), "B": between("need", 5, 9)}
    old, new = {"A": truth(need=9), "B": other}, {"A": truth(need=10), "B": other}
    published.package("r1", before, {"need": 17})
    published.package("r2", after, {"need": 18})
    same = attacker.Guesses(same_need=((("r1", "B", "need"), ("r2", "B", "need")),))
    found = published.leaks({"r1": old, "r2": new}, same)
    assert found["r1 A: need"] == (9,)
    assert found["r1 B: need"] == (8,)


def test_an_average_that_is_shown_by_the_true_count_is_found(published: Published) -> None:
    school = truth(active_30=9, active_7=9, adequate=9)
    cells = between("active_30", 8, 12) | {
        "gb_per_active_mean": "",
        "gb_per_active_mean_symbol": "fewer than 10 devices",
    }
    published.package("a", {"A": cells})
    truths = {"a": {"A": school}}
    assert not published.leaks(truths)
    assert published.leaks(truths, attacker.Guesses(averages_are_of_ten=True))["a A: active_30"] == (8, 9)


def test_an_average_beside_a_range_that_goes_below_ten_is_found(published: Published) -> None:
    school = truth(loaned=14, active_30=12, active_7=12, adequate=12)
    published.package("a", {"A": between("active_30", 5, 14) | {"loaned": 13, "gb_per_active_mean": "3.2"}})
    found = published.leaks({"a": {"A": school | {"loaned": 13}}})
    assert found["a A: loaned - active_30"] == (0, 1, 2, 3)


def test_a_cost_over_a_known_price_is_found(published: Published) -> None:
    small = truth(loaned=7, active_30=7, active_7=7, adequate=7)
    truths = {"a": {"A": small, "B": FULL}}
    rows = {"A": between("loaned", 5, 9), "B": exact(FULL)}
    published.package("a", rows, {"cost": "405.00"})
    assert not published.leaks(truths)
    guesses = attacker.Guesses(price=Fraction(15), lines_are_loans=frozenset({"a"}))
    assert published.leaks(truths, guesses)["a A: loaned"] == (7,)


def test_an_exact_cost_beside_exact_lines_of_two_prices_is_found(published: Published) -> None:
    small = truth(loaned=7, active_30=7, active_7=7, adequate=7)
    truths = {"a": {"A": small, "B": FULL}}
    rows = {"A": between("loaned", 5, 9), "B": exact(FULL)}
    published.package("a", rows, {"lines": 40, "cost": f"{40 * 15 + 7 * 16}.00"})
    assert not published.leaks(truths)
    guesses = attacker.Guesses(price=Fraction(15), dear=("A", Fraction(31)))
    assert published.leaks(truths, guesses)["a A: loaned"] == (7,)


def test_a_cost_per_covered_student_is_found(published: Published) -> None:
    small = truth(adequate=7)
    truths = {"a": {"A": small, "B": FULL}}
    rows = {"A": between("adequate", 5, 9), "B": exact(FULL)}
    published.package("a", rows, {"lines": 40, "cost_per_covered_student": "22.22"})
    guesses = attacker.Guesses(price=Fraction(15))
    assert published.leaks(truths, guesses)["a A: adequate"] == (7,)


def test_a_concentration_index_of_four_decimals_is_found(published: Published) -> None:
    small = truth(need=25, loaned=25, active_30=25, active_7=25, adequate=7)
    truths = {"a": {"A": small, "B": FULL}}
    rows = {"A": {"need": 25} | between("adequate", 5, 9), "B": exact(FULL)}
    published.package("a", rows)
    assert "a A: adequate" not in published.leaks(truths)
    # Need 25 of 40 before 20 of 40: the needier has 25/45, the middle of its share is 25/90.
    index = Fraction(7, 45) * (2 * Fraction(25, 90) - 1) + Fraction(20, 45) * (2 * Fraction(70, 90) - 1)
    published.package("a", rows, {"aci": f"{float(index):.4f}"})
    assert published.leaks(truths)["a A: adequate"] == (7,)


def test_a_gap_of_four_decimals_is_found(published: Published) -> None:
    small = truth(need=25, loaned=25, active_30=25, active_7=25, adequate=7)
    rows = {"A": {"need": 25} | between("adequate", 5, 9), "B": exact(FULL)}
    published.package("a", rows, {"coverage_gap": "0.72"})
    guesses = attacker.Guesses(groups={"high-needs": frozenset({"A"})})
    assert published.leaks({"a": {"A": small, "B": FULL}}, guesses)["a A: adequate"] == (7,)


def test_an_upper_bound_of_coverage_tells_how_many_are_unknown(published: Published) -> None:
    school = truth(adequate=13, unknown=3)
    cells = {"need": 20, "adequate": 13, "loaned": 20} | between("unknown", 0, 9)
    published.package("a", {"A": {**cells, "coverage_high": "0.8"}})
    assert published.leaks({"a": {"A": school}})["a A: unknown"] == (3,)


def test_an_unmet_need_beside_a_coarsened_count_is_found(published: Published) -> None:
    school = truth(adequate=7)
    published.package("a", {"A": {"need": 20} | between("adequate", 5, 9) | {"unmet": 13}})
    assert published.leaks({"a": {"A": school}})["a A: adequate"] == (7,)


def test_a_response_ratio_beside_hidden_answers_is_found(published: Published) -> None:
    school = truth(answered=8, need=3, loaned=0, active_30=0, active_7=0, adequate=0)
    published.package("a", {"A": {"response_ratio": "0.2"}})
    assert published.leaks({"a": {"A": school}})["a A: answered"] == (8,)


def test_one_hidden_school_is_rebuilt_from_the_total(published: Published) -> None:
    published.package("a", {"A": {"need_symbol": "n<10"}, "B": exact(FULL)}, {"need": 27})
    assert published.leaks({"a": {"A": NEED_7, "B": FULL}})["a A: need"] == (7,)


def test_zero_idle_for_long_and_few_for_a_while_is_found(published: Published) -> None:
    school = truth(idle_30=4, idle_60=4, idle_90=4)
    published.package("a", {"A": between("idle_30", 0, 4) | between("idle_90", 4, 8)})
    assert published.leaks({"a": {"A": school}})["a A: idle_60"] == (4,)


def test_a_small_number_of_the_whole_district_is_found(published: Published) -> None:
    one, other = truth(unknown=2, adequate=10), truth(unknown=1, adequate=10)
    rows = {"A": between("unknown", 0, 4), "B": between("unknown", 0, 4)}
    published.package("a", rows, {"unknown": 3})
    assert published.leaks({"a": {"A": one, "B": other}})["a : unknown"] == (3,)


def test_what_everybody_knows_of_a_tiny_school_is_no_leak(published: Published) -> None:
    school = truth(enrolled=3, answered=2, need=1, loaned=0, active_30=0, active_7=0, adequate=0)
    published.package("a", {"A": between("need", 0, 4)})
    assert not published.leaks({"a": {"A": school}})
    published.package("a", {"A": between("need", 1, 5)})
    assert published.leaks({"a": {"A": school}})["a A: need"] == (1, 2, 3)


def plain_worlds(knowledge: search.Knowledge) -> list[search.World]:
    ranges = [range(least, most + 1) for least, most in knowledge.ranges.values()]
    worlds = [dict(zip(knowledge.ranges, values, strict=True)) for values in itertools.product(*ranges)]
    return [world for world in worlds if not knowledge.contradicts(world)]


def drawn_knowledge(draw: random.Random) -> search.Knowledge:
    knowledge = search.Knowledge()
    names = [("a", "A", str(place)) for place in range(4)]
    for name in names:
        least = draw.randint(0, 4)
        knowledge.unknown(name, least, least + draw.randint(0, 4))
    for _ in range(draw.randint(1, 4)):
        terms = tuple(
            (name, draw.choice((-3, -1, 1, 1, 2))) for name in draw.sample(names, draw.randint(1, 3))
        )
        bound = draw.randint(-6, 10)
        most = draw.choice((None, bound + draw.randint(0, 3)))
        knowledge.add(search.Linear(terms, draw.choice((None, bound)), most))
    if draw.random() < 0.3:
        knowledge.add(
            search.Check(tuple(names[:2]), lambda world: world[names[0]] * world[names[1]] % 2 == 0)
        )
    return knowledge


@pytest.mark.parametrize("seed", range(150))
def test_the_search_finds_what_trying_every_world_finds(seed: int) -> None:
    draw = random.Random(seed)
    knowledge = drawn_knowledge(draw)
    worlds = plain_worlds(knowledge)
    one, other = draw.sample(list(knowledge.ranges), 2)
    expected = {world[one] - world[other] for world in worlds}
    if not worlds:
        return
    found = search.Search(knowledge)
    difference = ((one, 1), (other, -1))
    values = {v for v in range(-10, 11) if found.world(search.Linear(difference, v, v)) is not None}
    assert values == expected
