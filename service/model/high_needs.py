"""Which schools are high-needs by a rule, on what basis, and in which of NCES's bands a school is."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

BANDS = ("low", "mid_low", "mid_high", "high")
_UPPER = (25.0, 50.0, 75.0)  # percent, to one decimal, as NCES writes them: 25.1 is in the next


def band(share: float) -> str:
    """The band of a share (0.5 is 50 %), which may exceed 1."""
    percent = round(share * 100, 1)
    return next((name for name, upper in zip(BANDS, _UPPER, strict=False) if percent <= upper), BANDS[-1])


class Invalid(ValueError):
    """The text is no rule. The message is the reason."""


class Indicator(StrEnum):
    ISP = "isp"
    FRPL = "frpl"
    DIRECT_CERT = "direct_cert"
    TITLE1 = "title1"
    LOCAL = "local"


NAMES: Mapping[Indicator, str] = {
    Indicator.ISP: "identified students",
    Indicator.FRPL: "FRPL",
    Indicator.DIRECT_CERT: "direct certification",
    Indicator.TITLE1: "Title I",
    Indicator.LOCAL: "the district's own figure",
}


class TitleOne(StrEnum):
    """What a school does under Title I, Part A. Eligible without a programme is neither of the last two."""

    NONE = "none"
    TARGETED = "targeted"
    SCHOOLWIDE = "schoolwide"


@dataclass(frozen=True, slots=True)
class Rule:
    """High-needs is a share of at least ``threshold`` (above it where ``is_above``), or a Title I programme.

    ``threshold`` is None for Title I; ``is_schoolwide`` then asks for a schoolwide programme.
    """

    indicator: Indicator
    threshold: float | None = None
    is_above: bool = False
    is_schoolwide: bool = False

    def __str__(self) -> str:
        if self.threshold is None:
            return "Title I schoolwide programme" if self.is_schoolwide else "Title I programme"
        return f"{NAMES[self.indicator]} {'above' if self.is_above else 'at least'} {percent(self.threshold)}"


@dataclass(frozen=True, slots=True)
class Share:
    """Of the school's students; may exceed 1. ``source``: who says so."""

    value: float
    source: str


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a school. ``missing`` says why a share is not.

    ``is_cep``: every pupil eats free (Community Eligibility Provision), so that a lunch count says little. None, as
    ``title_one`` None: not told, for the reason in ``unreported``.
    """

    shares: Mapping[Indicator, Share] = field(default_factory=dict)
    missing: Mapping[Indicator, str] = field(default_factory=dict)
    is_cep: bool | None = None
    title_one: TitleOne | None = None
    unreported: str = "the characteristics are not given"


@dataclass(frozen=True, slots=True)
class Decision:
    """``is_high_needs`` None: unknown, for the ``reason``."""

    is_high_needs: bool | None
    indicator: Indicator
    value: float | None
    basis: str
    reason: str | None = None


_COMPARISON = re.compile(r"(isp|frpl|direct_cert|local)\s*(>=|>)\s*(\d+(?:\.\d+)?|\.\d+)\s*(%?)")
_LARGEST = 2.0  # a share above it was meant as a percentage


def rule(text: str) -> Rule:
    """A rule such as ``frpl>=0.75``, ``isp > 40%``, ``title1`` or ``title1_schoolwide``. Raises Invalid."""
    written = text.strip().lower()
    if written in ("title1", "title1_schoolwide"):
        return Rule(Indicator.TITLE1, is_schoolwide=written != "title1")
    found = _COMPARISON.fullmatch(written)
    if found is None:
        raise Invalid(
            "a rule is isp, frpl, direct_cert or local with >= or > and a share, such as frpl>=0.75 or isp>=40%; "
            "or title1, or title1_schoolwide"
        )
    return Rule(Indicator(found[1]), _threshold(float(found[3]), bool(found[4])), is_above=found[2] == ">")


def _threshold(number: float, is_percentage: bool) -> float:
    threshold = number / 100 if is_percentage else number
    if not 0 < threshold <= _LARGEST:
        raise Invalid("the share is between 0 and 2: write 75 % as 0.75 or 75%")
    return threshold


def percent(share: float) -> str:
    return f"{share * 100:.1f}".removesuffix(".0") + " %"


def decide(usual: Rule, in_cep: Rule | None, facts: Facts, *, year: str, source: str) -> Decision:
    """A school by the usual rule, or by the one for CEP schools; the two bases are never mixed."""
    if usual.indicator is not Indicator.FRPL:
        return _by(usual, facts, year, source)
    if facts.is_cep and in_cep is not None:
        return _by(in_cep, facts, year, source, note=" (a CEP school)")
    if facts.is_cep:
        return _unknown(usual, year, source, "is a CEP school, where everybody eats free: FRPL says nothing")
    if facts.is_cep is None and _is_national(facts, source):
        return _unknown(usual, year, source, f"may be a CEP school: {facts.unreported}")
    return _by(usual, facts, year, source)


def _is_national(facts: Facts, source: str) -> bool:
    """A list's own FRPL is the district's word, which knows its CEP schools."""
    share = facts.shares.get(Indicator.FRPL)
    return share is None or share.source == source


def _by(rule_: Rule, facts: Facts, year: str, source: str, *, note: str = "") -> Decision:
    if rule_.threshold is None:
        return _by_programme(rule_, facts, year, source)
    share = facts.shares.get(rule_.indicator)
    if share is None:
        return _unknown(rule_, year, source, facts.missing.get(rule_.indicator, "is in no file"), note=note)
    reached = share.value > rule_.threshold if rule_.is_above else share.value >= rule_.threshold
    return Decision(reached, rule_.indicator, share.value, _basis(rule_, year, share.source, note))


def _by_programme(rule_: Rule, facts: Facts, year: str, source: str) -> Decision:
    if facts.title_one is None:
        return _unknown(rule_, year, source, facts.unreported)
    wanted = (TitleOne.SCHOOLWIDE,) if rule_.is_schoolwide else (TitleOne.SCHOOLWIDE, TitleOne.TARGETED)
    return Decision(facts.title_one in wanted, rule_.indicator, None, _basis(rule_, year, source))


def _unknown(rule_: Rule, year: str, source: str, reason: str, *, note: str = "") -> Decision:
    return Decision(None, rule_.indicator, None, f"{_basis(rule_, year, source, note)}: not known", reason)


def _basis(rule_: Rule, year: str, source: str, note: str = "") -> str:
    return f"{rule_}{note}, {source} {year}"
