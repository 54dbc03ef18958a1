"""The worked examples of equity and pilots in the documents are what afterbell computes."""

import re

import pytest

from service.model import equity, high_needs, pilot_results, pilots
from service.store import reclaim
from tests.unit import test_docs as docs

EQUITY = docs.read(docs.DOCS / "equity.md")
PILOTS = docs.read(docs.DOCS / "pilots.md")


def share(cell: str) -> float:
    return float(cell.removesuffix(" %")) / 100


def rows() -> list[dict[str, str]]:
    return docs.table_with(EQUITY, "school", "enrolled", "FRPL")


def school(number: int, row: dict[str, str]) -> equity.School:
    need, adequate = int(row["need"]), int(row["adequate"])
    return equity.School(
        ncessch=f"{number:012d}",
        name=row["school"],
        enrolled=int(row["enrolled"]),
        need=need,
        loaned=adequate,
        adequate=adequate,
        coverage=min(adequate, need) / need,
        is_high_needs=row["high-needs"] == "yes",
        indicator="frpl",
        indicator_value=share(row["FRPL"]),
        indicator_year="2025-26",
    )


def found() -> equity.Equity:
    return equity.of([school(number, row) for number, row in enumerate(rows())])


def test_the_schools_of_the_example_have_their_places() -> None:
    ranked = {one.school.name: one for one in found().concentration.ranked}
    for row in rows():
        one = ranked[row["school"]]
        assert row["p"] == f"{one.share:.2f}"
        assert row["X"] == f"{one.midpoint:.2f}"
        assert share(row["coverage"]) == pytest.approx(one.coverage)
        assert share(row["need / enrolled"]) == pytest.approx(one.school.need_share)


def test_the_measures_of_the_example_are_computed_right() -> None:
    one = found()
    told = {row["measure"]: row["value"] for row in docs.table_with(EQUITY, "measure", "value", "made of")}
    values = (
        one.district.coverage,
        one.gap,
        one.ratio,
        one.concentration.absolute,
        one.concentration.relative,
    )
    district, gap, ratio, absolute, relative = (measure.value or 0 for measure in values)
    assert told == {
        "coverage of the district": f"{district * 100:.1f} %",
        "gap": f"{gap * 100:+.1f} points",
        "ratio": f"{ratio:.3f}",
        "ACI": f"{absolute:+.3f}",
        "RCI": f"{relative:+.3f}",
        "PAR": f"{(one.risk.value.value or 0) * 100:+.1f} points",
    }


def test_the_terms_of_the_index_are_those_of_the_example() -> None:
    (row,) = [
        row for row in docs.table_with(EQUITY, "measure", "value", "made of") if row["measure"] == "ACI"
    ]
    terms = [one.share * (2 * one.midpoint - 1) * one.coverage for one in found().concentration.ranked]
    assert [float(term) for term in row["made of"].split(" + ")] == pytest.approx(terms)


def test_the_bands_are_those_of_nces() -> None:
    limits = re.search(r"low need to (\S+) %, mid-low to (\S+) %, mid-high to (\S+) %, high above", EQUITY)
    assert limits is not None
    for limit, below, above in zip(limits.groups(), high_needs.BANDS, high_needs.BANDS[1:], strict=False):
        assert high_needs.band(float(limit) / 100) == below
        assert high_needs.band(float(limit) / 100 + 0.001) == above


def test_the_kinds_of_the_reclaim_list_are_all_told() -> None:
    told = [row["kind"].strip("`") for row in docs.table_with(EQUITY, "kind", "when")]
    assert tuple(told) == reclaim.KINDS


def cell(side: pilots.Side, period: pilots.Period, *, need: int, covered: int) -> pilots.Cell:
    return pilots.Cell(
        side=side, period=period, days=20, left_out={}, need=need, covered=covered,
        coverage=equity.Measure(covered / need), low=None, high=None, need_sources=(),
    )  # fmt: skip


def test_the_example_of_a_pilot_is_computed_right() -> None:
    told = {row[""].split()[0]: row for row in docs.table_with(PILOTS, "adequate before", "change")}
    cells = {}
    for side in pilots.Side:
        for period in pilots.Period:
            row = told[str(side)]
            need, covered = int(row["need"]), int(row[f"adequate {period}"])
            cells[side, period] = cell(side, period, need=need, covered=covered)
            assert share(row[f"coverage {period}"]) == pytest.approx(covered / need)
        change = (int(told[str(side)]["adequate during"]) - int(told[str(side)]["adequate before"])) / need
        assert float(told[str(side)]["change"]) == pytest.approx(change * 100)
    chance = re.search(r"By chance alone up to (\S+) points", PILOTS)
    assert chance is not None
    assert chance[1] == f"{pilot_results.by_chance(cells) * 100:.1f}"
    assert "difference in differences is +14.0 points" in PILOTS


def test_every_warning_of_a_pilot_is_told_and_no_other() -> None:
    source = docs.read(docs.ROOT / "service" / "model" / "pilot_warnings.py")
    given = set(re.findall(r'Warned\(\s*"([a-z_]+)"', source))
    assert {row["warning"].strip("`") for row in docs.table_with(PILOTS, "warning", "when")} == given
