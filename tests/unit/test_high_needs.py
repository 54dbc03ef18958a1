"""Rules of high-needs, and the bands of NCES."""

import pytest

from service.model import high_needs
from service.model.high_needs import Facts, Indicator, Share, TitleOne

CCD = "NCES CCD"
FRPL = high_needs.rule("frpl>=0.75")


def facts(
    *,
    frpl: float | None = None,
    direct_cert: float | None = None,
    is_cep: bool | None = False,
    source: str = CCD,
) -> Facts:
    told = {Indicator.FRPL: frpl, Indicator.DIRECT_CERT: direct_cert}
    shares = {indicator: Share(value, source) for indicator, value in told.items() if value is not None}
    return Facts(shares, {Indicator.DIRECT_CERT: "its count is empty"}, is_cep)


def decided(known: Facts, usual: high_needs.Rule = FRPL, in_cep: str | None = None) -> high_needs.Decision:
    rule = None if in_cep is None else high_needs.rule(in_cep)
    return high_needs.decide(usual, rule, known, year="2024-25", source=CCD)


@pytest.mark.parametrize(
    ("share", "band"),
    [(0, "low"), (0.25, "low"), (0.2504, "low"), (0.251, "mid_low"), (0.5, "mid_low"), (0.501, "mid_high"),
     (0.75, "mid_high"), (0.7506, "high"), (1.02, "high")],
)  # fmt: skip
def test_bands_are_those_of_nces(share: float, band: str) -> None:
    assert high_needs.band(share) == band


@pytest.mark.parametrize(
    ("text", "indicator", "threshold", "is_above"),
    [
        ("frpl>=0.75", Indicator.FRPL, 0.75, False),
        (" ISP > 40% ", Indicator.ISP, 0.4, True),
        ("direct_cert>=.4", Indicator.DIRECT_CERT, 0.4, False),
        ("local >= 62.5 %", Indicator.LOCAL, 0.625, False),
        ("title1", Indicator.TITLE1, None, False),
    ],
)
def test_a_rule_is_read(text: str, indicator: Indicator, threshold: float | None, is_above: bool) -> None:
    assert high_needs.rule(text) == high_needs.Rule(indicator, threshold, is_above=is_above)


@pytest.mark.parametrize("text", ["", "frpl", "frpl>=75", "frpl<0.5", "frpl>=0", "title1>=0.4", "poor>=0.4"])
def test_what_is_no_rule_is_refused(text: str) -> None:
    with pytest.raises(high_needs.Invalid):
        high_needs.rule(text)


def test_a_threshold_that_is_reached_counts_and_one_above_it_does_not() -> None:
    at = facts(frpl=0.75)
    assert decided(at).is_high_needs is True
    assert decided(at, high_needs.rule("frpl>0.75")).is_high_needs is False
    assert decided(at).basis == "FRPL at least 75 %, NCES CCD 2024-25"
    assert decided(at).value == 0.75


def test_a_cep_school_is_unknown_by_frpl_whatever_its_share() -> None:
    found = decided(facts(frpl=1.02, direct_cert=0.6, is_cep=True))
    assert (found.is_high_needs, found.value) == (None, None)
    assert found.reason is not None
    assert "CEP" in found.reason
    assert found.basis == "FRPL at least 75 %, NCES CCD 2024-25: not known"


def test_a_cep_school_is_decided_by_its_own_rule_and_says_so() -> None:
    found = decided(facts(frpl=1.02, direct_cert=0.6, is_cep=True), in_cep="direct_cert>=0.4")
    assert (found.is_high_needs, found.indicator, found.value) == (True, Indicator.DIRECT_CERT, 0.6)
    assert found.basis == "direct certification at least 40 % (a CEP school), NCES CCD 2024-25"


def test_a_cep_school_without_direct_certification_stays_unknown() -> None:
    found = decided(facts(frpl=1.0, is_cep=True), in_cep="direct_cert>=0.4")
    assert (found.is_high_needs, found.reason) == (None, "its count is empty")


def test_a_school_that_may_be_a_cep_school_is_unknown_by_frpl_and_known_by_direct_certification() -> None:
    doubtful = facts(frpl=0.9, direct_cert=0.5, is_cep=None)
    assert decided(doubtful).is_high_needs is None
    assert decided(doubtful, high_needs.rule("direct_cert>=0.4")).is_high_needs is True


def test_the_districts_own_frpl_needs_no_status() -> None:
    found = decided(facts(frpl=0.9, is_cep=None, source="the district's list"))
    assert (found.is_high_needs, found.basis) == (True, "FRPL at least 75 %, the district's list 2024-25")


@pytest.mark.parametrize(
    ("title_one", "any_programme", "schoolwide"),
    [
        (TitleOne.NONE, False, False),
        (TitleOne.TARGETED, True, False),
        (TitleOne.SCHOOLWIDE, True, True),
        (None, None, None),
    ],
)
def test_title_one_is_a_programme_that_the_school_has(
    title_one: TitleOne | None, any_programme: bool | None, schoolwide: bool | None
) -> None:
    known = Facts(title_one=title_one)
    assert decided(known, high_needs.rule("title1")).is_high_needs is any_programme
    assert decided(known, high_needs.rule("title1_schoolwide")).is_high_needs is schoolwide
