"""What the report says of a month: every figure is a published one, and what is unknown is said to be."""

import dataclasses
import re
from collections.abc import Iterable, Iterator

import pytest

from service.exports import published
from service.exports.report import content, document, words
from service.model import months, protection
from tests import published_months
from tests.unit.test_report_words import every_text

Number = published.Number
LANGUAGES = ("en", "es")
FIGURE = re.compile(r"[-+]?\$?\d[\d,]*(?:\.\d+)?%?")

# Of the texts themselves: what is protected, the bands of need, limits, the scale of an index, symbols.
OWN = {"0", "1", "-1", "9", "25%", "50%", "75%", "2", "3", "4", "10", "5%", "95%", "70%", "80%", "90%", "-8"}


def text(month: published.Published, language: str = "en") -> str:
    return "\n".join(every_text(content.of(month, language=language)))


def section(month: published.Published, title: str) -> str:
    report = content.of(month, language="en")
    return "\n".join(
        part
        for one in report.sections
        if words.Words("en").say(title) == one.title
        for part in every_text(dataclasses.replace(report, sections=(one,)))
    )


def numbers_of(month: published.Published) -> Iterator[Number]:
    yield from month.district.numbers.values()
    for school in month.schools:
        yield from school.numbers.values()
    for group in (*month.district.groups, *month.district.bands):
        yield from (group.need, group.adequate, group.unknown, group.coverage)
    for earlier in month.earlier:
        yield from (*earlier.district.values(), *earlier.schools.values())
    if month.pilot:
        pilot = month.pilot
        yield from (pilot.change, pilot.comparison_change, pilot.difference)
        for period in pilot.periods:
            yield from (period.need, period.covered, period.coverage)


def written(numbers: Iterable[Number]) -> set[str]:
    """Every way in which they may be written."""
    english = words.Words("en")
    ways = (english.count, english.percent, english.index, english.money, english.change, english.points)
    found = set()
    for number in numbers:
        ends = (Number(value=end) for end in (number.value, number.least, number.most) if end is not None)
        for one in (number, *ends):
            for way in ways:
                found |= set(FIGURE.findall(way(one)))
    return found


def known(month: published.Published) -> set[str]:
    """Figures that a report may hold without being counts of students."""
    facts = month.facts
    told = {facts.month.first_on, facts.through_on, *(one.month.first_on for one in month.earlier)}
    told |= {published_months.MONTH.away(-away).first_on for away in range(5)}
    told |= {facts.figure_on} if facts.figure_on else set()
    told |= {month.pilot.starts_on} if month.pilot else set()
    found = {str(part) for day in told for part in (day.year, day.day)}
    found |= {str(month.revision), str(len(month.changes)), str(month.district.schools)}
    found |= {str(count) for count in month.district.levels.values()}
    found |= {str(group.schools) for group in (*month.district.groups, *month.district.bands)}
    found |= {str(len(month.schools) - at) for at in range(len(month.schools))}  # so many more, or left out
    return found | set(re.findall(r"\d+", facts.district_name))


VARIANTS = {
    "pilot": published_months.with_pilot(),
    "strict": published_months.strict(),
    "revised": published_months.month(revision=2, changes=published_months.CHANGES, is_partial=True),
    "unknown": published_months.unknown_month(),
    "no need": published_months.without_need(),
    "one school": published_months.of_size(1),
}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", VARIANTS)
def test_every_number_in_the_report_is_a_published_one(name: str, language: str) -> None:
    month = VARIANTS[name]
    told = text(month, language)
    for school in month.schools:
        told = told.replace(school.school.name, "")
    for name_ in (month.version, "2025-26"):
        told = told.replace(name_, "")
    if month.pilot:
        told = told.replace(month.pilot.question, "")
    allowed = written(numbers_of(month)) | known(month) | OWN
    allowed |= {words.one_place(by) for by in _moves(month)}
    assert [figure for figure in FIGURE.findall(told) if figure.rstrip(",") not in allowed] == []


def _moves(month: published.Published) -> Iterator[float]:
    """Points between the month's coverage and that of the last month released before."""
    now = month.district.numbers["coverage"].value
    for earlier in month.earlier[-1:]:
        before = earlier.district["coverage"].value
        if now is not None and before is not None:
            yield abs(now - before) * 100


class _Locked(dict[str, int | None]):
    """True counts: whoever reads one fails."""

    def __getitem__(self, key: str) -> int | None:
        raise AssertionError(f"the report read the true count {key}")

    get = __getitem__  # type: ignore[assignment]

    def items(self) -> object:  # type: ignore[override]
        raise AssertionError("the report read the true counts")

    values = items  # type: ignore[assignment]
    __iter__ = items  # type: ignore[assignment]


def _other(school: months.School) -> months.School:
    return dataclasses.replace(
        school,
        counts=_Locked(need=3),
        completeness=0.111,
        coverage_status="incomplete",
        is_need_exceeded=True,
        used_bytes=77_777,
        devices_used=7,
    )


@pytest.mark.parametrize("language", LANGUAGES)
def test_true_counts_change_nothing_in_the_report(language: str) -> None:
    month = published_months.with_pilot()
    schools = tuple(dataclasses.replace(one, school=_other(one.school)) for one in month.schools)
    facts = dataclasses.replace(month.facts, schools=tuple(one.school for one in schools))
    other = dataclasses.replace(month, schools=schools, facts=facts)
    assert content.of(other, language=language) == content.of(month, language=language)


def test_a_month_of_which_nothing_is_known_says_so_and_shows_no_zero() -> None:
    told = section(published_months.unknown_month(), "answer_title")
    assert "is not known" in told
    assert told.count("unknown") == 4
    whole = text(published_months.unknown_month())
    assert not re.search(r"(?<![\d.])0(%| students| of)", whole)
    assert "$0" not in whole


def test_no_need_is_told_as_no_need_and_not_as_full_or_empty_coverage() -> None:
    told = section(published_months.without_need(), "answer_title")
    assert "no student was known to be in need" in told
    assert "100%" not in told
    assert "0%" not in told


def test_a_figure_that_is_a_range_is_told_as_a_range() -> None:
    month = published_months.month()
    numbers = {
        **month.district.numbers,
        "coverage": Number(least=0.58, most=0.63, symbol="58% to 63%"),
        "covered": Number(least=370, most=379, symbol="370 to 379"),
    }
    ranged = dataclasses.replace(month, district=dataclasses.replace(month.district, numbers=numbers))
    told = section(ranged, "answer_title")
    assert "between 58% and 63% of the students in need were connected" in told
    assert "That is between 370 and 379 students; 626 are in need." in told
    assert "not exact enough" in told


def test_a_range_is_a_whole_sentence_in_spanish_too() -> None:
    month = published_months.month()
    numbers = {
        **month.district.numbers,
        "coverage": Number(least=0.7, most=0.74, symbol="70% to 74%"),
        "covered": Number(least=466, most=479, symbol="466 to 479"),
        "need": Number(least=650, most=659, symbol="650 to 659"),
        "coverage_low": Number(least=0.26, most=0.27, symbol="26% to 27%"),
    }
    ranged = dataclasses.replace(month, district=dataclasses.replace(month.district, numbers=numbers))
    told = text(ranged, "es")
    assert "entre el 70% y el 74% de los estudiantes con necesidad" in told
    assert "Son entre 466 y 479 estudiantes, de un total de entre 650 y 659 con necesidad." in told
    assert "la cobertura sería de entre el 26% y el 27%" in told
    assert "sería del 61.7%" in told


def test_why_schools_are_left_out_is_told_apart() -> None:
    month = published_months.month()
    needy, others = month.district.groups
    groups = (needy, dataclasses.replace(others, left_out=3, without_need=2))
    told = section(
        dataclasses.replace(month, district=dataclasses.replace(month.district, groups=groups)),
        "equity_title",
    )
    assert "as their counts are not shown: one school" in told
    assert "as it is not known how many of their students are in need: 2 schools" in told
    known = section(month, "equity_title")
    assert "as their counts are not shown: 2 schools" in known
    assert "it is not known how many" not in known


def test_the_move_since_the_last_release_is_told_with_its_direction() -> None:
    month = published_months.month()
    assert "2.2 points more than in September 2026" in text(month)
    last = month.earlier[-1]
    higher = dataclasses.replace(last, district={"coverage": Number(value=0.7)})
    fallen = dataclasses.replace(month, earlier=(*month.earlier[:-1], higher))
    assert "9.8 points less than in September 2026" in text(fallen)


def test_a_month_that_was_not_released_is_told_as_missing() -> None:
    month = published_months.month(earlier=published_months.earlier(missing=True))
    assert "Not released, and so not shown: August 2026." in text(month)
    chart = next(chart for chart in content.of(month, language="en").charts if chart.name == "trend")
    assert chart.table is not None
    assert ("August 2026", "unknown", "unknown", "unknown") in chart.table.rows


def test_a_partial_month_is_marked() -> None:
    for language, mark in (("en", "PARTIAL MONTH"), ("es", "MES PARCIAL")):
        report = content.of(published_months.month(is_partial=True), language=language)
        assert report.mark.startswith(mark)
        assert not content.of(published_months.month(), language=language).mark


def test_schools_too_small_to_show_are_counted() -> None:
    assert "too small to show: 1" in section(published_months.month(), "schools_title")
    chart = next(c for c in content.of(published_months.month(), language="en").charts if c.name == "schools")
    assert "Larch Academy" not in str(chart)


def test_of_many_schools_the_ends_are_drawn_and_it_is_said_where_the_others_are() -> None:
    month = published_months.of_size(60)
    chart = next(c for c in content.of(month, language="en").charts if c.name == "schools")
    assert chart.table is not None
    assert len(chart.table.rows) == 30
    assert "15 schools with the lowest" in section(month, "schools_title")
    assert "school_month" in section(month, "schools_title")


def test_schools_without_coverage_are_named_with_the_reason() -> None:
    assert "Pine Meadow Elementary (not applicable)" in section(published_months.month(), "schools_title")


def test_what_to_do_follows_from_the_figures() -> None:
    told = section(published_months.month(), "next_title")
    for said in (
        "Collect or pause idle hotspots",
        "70 to 79 lines moved no data all month, at about $1,100",
        "Coverage is below 80% for certain at Maple Grove K-8 (37.5%)",
        "More students are connected than are counted in need at Maple Grove K-8",
        "Days of the month without a word: Kajeet 3 days",
        "Rose since September 2026:\nAlder Creek Elementary (41%, now 60.4%)",
        "Fell since September 2026:\nMaple Grove K-8 (60%, now 37.5%)",
    ):
        assert said in told


def test_a_low_share_of_answers_asks_to_ask_the_families() -> None:
    month = published_months.month()
    assert "Ask the families who have not answered" not in text(month)
    numbers = {**month.district.numbers, "response_ratio": Number(value=0.62)}
    low = dataclasses.replace(month, district=dataclasses.replace(month.district, numbers=numbers))
    assert "Ask the families who have not answered" in text(low)
    assert "62%" in section(low, "next_title")


def test_a_rise_that_ranges_leave_open_is_not_told() -> None:
    month = published_months.month()
    last = month.earlier[-1]
    birch = published_months.ncessch(1)  # published as 68% to 85%
    earlier = dataclasses.replace(last, schools={birch: Number(least=0.6, most=0.7, symbol="60% to 70%")})
    assert "Rose since" not in text(dataclasses.replace(month, earlier=(earlier,)))


def test_days_of_a_gap_are_counted_and_never_named() -> None:
    told = text(published_months.month())
    assert "October 11" not in told
    assert "north" not in told  # how the account is called


def test_the_pilot_tells_its_question_both_sides_and_its_limits() -> None:
    told = text(published_months.with_pilot())
    for said in (
        "Do unlimited plans keep more students connected",
        "about +13.6 points",
        "about +4.1 points",
        "about +9.6 points",
        "between +5 points and +14 points",
        "The pilot schools gained more than the comparison schools; other causes cannot be ruled out.",
        "Few months are in the comparison",
    ):
        assert said in told
    assert "The pilot:" not in text(published_months.month())


def test_a_difference_that_may_be_none_is_no_success() -> None:
    pilot = dataclasses.replace(
        published_months.pilot(), difference=Number(value=0.03, least=-0.01, most=0.07, symbol="about")
    )
    told = text(published_months.month(pilot=pilot))
    assert "No difference between the pilot schools and the comparison schools can be told" in told
    assert "anywhere between -1 point and +7 points" in told
    assert "+3 points" not in told
    assert "gained more" not in told


def test_a_pilot_without_figures_has_no_answer_yet() -> None:
    unknown = Number(symbol="unknown")
    pilot = published_months.pilot()
    bare = dataclasses.replace(
        pilot,
        change=unknown,
        comparison_change=unknown,
        difference=unknown,
        periods=tuple(
            dataclasses.replace(one, need=unknown, covered=unknown, coverage=unknown, months=())
            for one in pilot.periods
        ),
    )
    told = text(published_months.month(pilot=bare))
    assert "No answer yet" in told
    assert "pilot" not in [
        chart.name for chart in content.of(published_months.month(pilot=bare), language="en").charts
    ]


def test_a_revision_says_what_it_replaces_and_why() -> None:
    told = text(published_months.month(revision=2, changes=published_months.CHANGES))
    assert "Revision 2." in told
    assert "cells changed: 2. Why: data came late." in told


def test_cost_that_is_withheld_is_not_told_as_nothing() -> None:
    month = published_months.month()
    numbers = {
        **month.district.numbers,
        "cost": Number(symbol="withheld"),
        "idle_cost": Number(symbol="withheld"),
    }
    hidden = dataclasses.replace(month, district=dataclasses.replace(month.district, numbers=numbers))
    assert "What the lines cost in October 2026: withheld." in text(hidden)


def test_a_cost_with_no_upper_bound_is_still_told() -> None:
    month = published_months.month()
    numbers = {**month.district.numbers, "cost": Number(symbol="about $8,400", least=8000.0)}
    about = dataclasses.replace(month, district=dataclasses.replace(month.district, numbers=numbers))
    assert "paid about $8,400 for lines" in text(about)


def test_the_charts_of_a_report_have_words_and_figures_beside_them() -> None:
    for chart in content.of(published_months.with_pilot(), language="en").charts:
        assert chart.title
        assert len(chart.says) > 40
        assert chart.table is not None or chart.name == "pilot"


def test_every_level_is_counted_in_one_of_the_ways() -> None:
    levels = dict.fromkeys(protection.Level, 2)
    month = published_months.month()
    district = dataclasses.replace(month.district, levels=levels, schools=10)
    told = section(dataclasses.replace(month, district=district), "schools_title")
    assert (
        "exact figures: 2; with ranges: 4; with nothing but a band of coverage: 2; too small to show: 2"
        in told
    )


def test_a_report_is_a_document_of_the_asked_language() -> None:
    report = content.of(published_months.month(), language="es")
    assert isinstance(report, document.Document)
    assert report.language == "es"
    assert report.title == "Conexión en casa con puntos de acceso prestados"


def ranged(least: float, most: float) -> Number:
    return Number(least=least, most=most, symbol=f"{least:.0%} to {most:.0%}")


def with_coverage(told: dict[str, Number]) -> published.Published:
    """Schools by name with nothing but a coverage of their own."""
    month = published_months.month()
    made = tuple(
        dataclasses.replace(
            one,
            school=dataclasses.replace(one.school, name=name),
            numbers={**one.numbers, "coverage": coverage},
            flags=(),
        )
        for one, (name, coverage) in zip(month.schools, told.items(), strict=False)
    )
    return dataclasses.replace(month, schools=made)


def with_numbers(month: published.Published, **numbers: Number) -> published.Published:
    told = {**month.district.numbers, **numbers}
    return dataclasses.replace(month, district=dataclasses.replace(month.district, numbers=told))


def with_groups(
    needy: Number, others: Number, *, left_out: int = 0, **numbers: Number
) -> published.Published:
    month = with_numbers(published_months.month(), **numbers)
    groups = tuple(
        dataclasses.replace(one, coverage=coverage, left_out=left_out)
        for one, coverage in zip(month.district.groups, (needy, others), strict=True)
    )
    return dataclasses.replace(month, district=dataclasses.replace(month.district, groups=groups))


def about(value: float, least: float, most: float) -> Number:
    return Number(value=value, least=least, most=most, symbol="about")


def test_a_school_of_a_wide_range_is_not_named_among_the_lowest() -> None:
    month = with_coverage(
        {
            "Good": Number(value=0.83),
            "Wide Low": ranged(0.1, 0.78),
            "Low": Number(value=0.6),
            "Lower": Number(value=0.5),
            "Heron Lake": ranged(0.52, 0.94),
        }
    )
    told = section(month, "next_title")
    assert "below 80% for certain at Lower (50%), Low (60%) and Wide Low (10% to 78%)" in told
    assert "Heron Lake (" not in told


def test_of_groups_whose_bounds_overlap_no_direction_is_told() -> None:
    month = with_groups(
        about(0.57, 0.51, 0.65), about(0.51, 0.31, 0.78), coverage_gap=about(-0.06, -0.34, 0.27)
    )
    told = text(month)
    assert (
        "cannot be said from these ranges: coverage of the high-needs schools is between 51% and 65%" in told
    )
    assert "between 31% and 78%" in told
    assert "have more" not in told
    assert "Lend to high-needs schools next" not in told


def test_of_groups_whose_bounds_are_apart_the_direction_and_the_gap_are_told() -> None:
    month = with_groups(about(0.48, 0.44, 0.5), about(0.63, 0.6, 0.7), coverage_gap=about(0.15, 0.1, 0.26))
    told = text(month)
    assert "High-needs schools have less: about 48%" in told
    assert "about 63% at the other schools, about 15 points apart" in told
    assert "Lend to high-needs schools next" in told
    assert "schools whose counts are shown" not in told
    assert "schools whose counts are shown" in text(
        with_groups(about(0.48, 0.44, 0.5), about(0.63, 0.6, 0.7), left_out=1)
    )


def test_a_gap_is_the_difference_of_the_two_figures_beside_it() -> None:
    told = text(with_groups(Number(value=0.48049), Number(value=0.6346), coverage_gap=Number(value=0.15)))
    assert "48% of" in told
    assert "63.5% at the other schools, 15.5 points apart" in told


def test_an_index_that_may_be_on_either_side_has_no_middle_in_the_report() -> None:
    month = with_numbers(
        published_months.month(),
        coverage_ratio=about(1.1, 0.7, 1.6),
        aci=about(-0.02, -0.2, 0.1),
        rci=about(0.2, 0.1, 0.3),
    )
    told = section(month, "equity_title")
    assert "Ratio cannot be said from these ranges, between 0.70 and 1.60." in told
    assert "Concentration index cannot be said from these ranges, between -0.20 and 0.10." in told
    assert "Relative index about 0.20." in told
    assert "-0.02" not in told


def test_a_measure_that_is_undefined_is_named_and_not_defined() -> None:
    told = section(with_numbers(published_months.month(), par=Number(symbol="undefined")), "equity_title")
    assert "Without a value this month: the room to gain." in told
    assert "every school were covered" not in told
    assert "not defined" not in told


def test_ranges_that_are_apart_tell_that_coverage_fell() -> None:
    month = with_numbers(published_months.month(), coverage=Number(value=0.547))
    last = dataclasses.replace(month.earlier[-1], district={"coverage": ranged(0.65, 0.69)})
    told = section(dataclasses.replace(month, earlier=(last,)), "answer_title")
    assert "10.3 to 14.3 points less than in September 2026" in told
    over = dataclasses.replace(month.earlier[-1], district={"coverage": ranged(0.5, 0.6)})
    assert "not exact enough" in section(dataclasses.replace(month, earlier=(over,)), "answer_title")


def test_a_month_without_a_figure_day_says_that_and_asks_for_nothing() -> None:
    told = text(published_months.unknown_month())
    assert "on no school day did enough hotspots report" in told
    for said in ("exact figures", "enter the answers", "No source of data", "Collect or pause", "High-needs"):
        assert said not in told


def test_lines_that_may_be_none_are_nothing_to_collect() -> None:
    month = with_numbers(published_months.month(), idle_lines=Number(least=0, most=9, symbol="0 to 9"))
    assert "Collect or pause" not in text(month)


def test_the_end_says_what_was_learned_and_what_would_make_it_surer() -> None:
    told = section(published_months.with_pilot(), "verdict_title")
    assert "Of the students in need, 60.2% were connected" in told
    assert "at least 31.9% and at most 61.7%" in told
    assert "Without data all month: between 70 and 79." in told
    assert "The pilot schools gained more than the comparison schools" in told
    assert "more released months before and during the pilot" in told
    open_ = dataclasses.replace(published_months.pilot(), difference=about(0.18, -0.38, 0.55))
    undecided = section(published_months.month(pilot=open_), "verdict_title")
    assert "nobody can say" in undecided
    assert "gained" not in undecided
    assert "compares no pilot schools" in section(published_months.month(), "verdict_title")


def test_a_strict_report_does_not_speak_of_ranges() -> None:
    report = content.of(published_months.strict(), language="en")
    assert "ranges" not in report.about
    assert "small counts are hidden" in report.about


def test_the_notes_are_named_by_their_file() -> None:
    assert "csv/notes.csv" in section(published_months.month(), "sure_title")
