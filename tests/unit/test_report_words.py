"""Wording of the report in both languages."""

import re
import string
from pathlib import Path

import pytest

from service.exports import published
from service.exports.report import content, document, texts_en, texts_es, words
from tests import published_months

Number = published.Number
EN, ES = words.Words("en"), words.Words("es")

# Whole words that are English and no Spanish.
ENGLISH = re.compile(
    r"\b(the|of|and|with|without|students?|schools?|month|unknown|withheld|about|not|than|hotspots?|hidden|"
    r"lines|days|before|during|known|what|how|which|their|were|was|are|is|for|from|to|in|on|at|by)\b"
)


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def every_text(report: document.Document) -> list[str]:
    """All that a reader may see of it, but for the charts' drawings."""
    found = [report.title, report.about, report.mark, report.as_table, report.page_of]
    for section in report.sections:
        found.append(section.title)
        for block in section.blocks:
            found += of_block(block)
    return found


def of_block(block: document.Block) -> list[str]:
    match block:
        case document.Paragraph():
            return [block.text]
        case document.Items():
            return [part for item in block.items for part in (item.lead, item.text)]
        case document.Tiles():
            return [part for tile in block.tiles for part in (tile.label, tile.figure, tile.says)]
        case document.Table():
            return [block.title, *block.head, *(cell for row in block.rows for cell in row)]
        case document.Chart():
            beside = of_block(block.table) if block.table else []
            return [block.title, block.says, block.caption, *beside]


def test_both_languages_have_the_same_texts() -> None:
    assert set(texts_en.TEXTS) == set(texts_es.TEXTS)


def test_a_text_has_the_same_places_for_figures_in_both_languages() -> None:
    different = [
        key for key, text in texts_en.TEXTS.items() if placeholders(text) != placeholders(texts_es.TEXTS[key])
    ]
    assert different == []


def test_amounts_of_several_prices_are_told_by_their_bounds() -> None:
    range_ = published.Number(least=150.0, most=1520.0, symbol="$150 to $1,520")
    open_ = published.Number(least=12.5, symbol="at least $12.50")

    assert words.Words("en").money(range_) == "$150 to $1,520"
    assert words.Words("en").money(open_) == "at least $12.50"
    assert words.Words("es").money(open_) == "al menos $12.50"


def test_a_month_without_a_figure_day_is_worded() -> None:
    number = published.Number(symbol="no figure day")

    assert words.Words("en").count(number) == "no day with enough data"
    assert words.Words("es").count(number) == "ningún día con datos suficientes"


def test_no_text_was_left_in_english() -> None:
    same = {key for key, text in texts_en.TEXTS.items() if text == texts_es.TEXTS[key]}
    assert {key for key in same if re.search(r"[a-z]{3}", re.sub(r"\{\w+\}", "", texts_en.TEXTS[key]))} <= {
        "no"
    }


@pytest.mark.parametrize(
    "month",
    [
        published_months.with_pilot(),
        published_months.unknown_month(),
        published_months.without_need(),
        published_months.strict(),
        published_months.of_size(60),
        published_months.month(
            is_partial=True,
            revision=2,
            changes=published_months.CHANGES,
            earlier=published_months.earlier(missing=True),
        ),
    ],
    ids=["pilot", "unknown", "no need", "strict", "many", "partial"],
)
def test_a_spanish_report_has_no_english_in_it(month: published.Published) -> None:
    ours = [name for name, *_ in published_months.SCHOOLS]
    ours += [published_months.pilot().name, published_months.pilot().question, month.facts.district_name]
    for text in every_text(content.of(month, language="es")):
        for name in ours:
            text = text.replace(name, "")
        text = text.replace("tabla changes", "").replace("tabla school_month", "")
        text = text.replace("tabla notes (csv/notes.csv,", "").replace("sección undefined", "")
        assert not ENGLISH.search(text), text


def test_every_text_is_of_some_use() -> None:
    """A text that no module names would rot."""
    source = "".join(
        path.read_text()
        for path in Path(words.__file__).parent.glob("*.py")
        if not path.name.startswith("texts_")
    )
    prefixes = (
        "month_",
        "symbol_",
        "group_",
        "warning_",
        "why_",
        "basis_",
        "side_",
        "period_",
        "tile_",
        "sure_",
        "do_",
        "count_",
        "share_",
        "surer_",
    )
    unnamed = [
        key
        for key in texts_en.TEXTS
        if key not in source
        and not key.startswith(prefixes)
        and not key.endswith(("_lead", "_says", "_one", "_many", "_name"))
    ]
    assert unnamed == []


@pytest.mark.parametrize(
    ("number", "english", "spanish"),
    [
        (Number(value=1234), "1,234", "1,234"),
        (Number(value=0), "0", "0"),
        (Number(), "unknown", "se desconoce"),
        (Number(symbol="unknown"), "unknown", "se desconoce"),
        (Number(symbol="withheld"), "withheld", "no se publica"),
        (Number(symbol="not applicable"), "not applicable", "no aplica"),
        (Number(symbol="incomplete"), "too little reported", "pocos datos"),
        (Number(symbol="undefined"), "not defined", "no está definido"),
        (Number(symbol="*"), "hidden", "oculto"),
        (Number(symbol="n<10", least=0, most=9), "n<10", "n<10"),
        (Number(symbol="5 to 9", least=5, most=9), "5 to 9", "5 a 9"),
        (Number(symbol="6330 to 6339", least=6330, most=6339), "6,330 to 6,339", "6,330 a 6,339"),
        (Number(least=5, most=9), "5 to 9", "5 a 9"),
        (Number(value=430, symbol="about"), "about 430", "cerca de 430"),
        (Number(symbol="something new"), "cannot be told", "no se puede indicar"),
    ],
)
def test_a_count_is_told_with_its_symbol(number: Number, english: str, spanish: str) -> None:
    assert (EN.count(number), ES.count(number)) == (english, spanish)


@pytest.mark.parametrize(
    ("number", "english", "spanish"),
    [
        (Number(value=0.60223), "60.2%", "60.2%"),
        (Number(value=0.65), "65%", "65%"),
        (Number(value=1.0), "100%", "100%"),
        (Number(value=0.9996), "99.96%", "99.96%"),
        (Number(value=0.0004), "0.04%", "0.04%"),
        (Number(symbol="60% to 70%", least=0.6, most=0.7), "60% to 70%", "60% a 70%"),
        (Number(symbol="<5%", least=0, most=0.05), "<5%", "<5%"),
        (Number(symbol=">95%", least=0.95, most=1), ">95%", ">95%"),
        (Number(value=0.584, symbol="about"), "about 58.4%", "cerca de 58.4%"),
    ],
)
def test_a_share_is_told_in_percent(number: Number, english: str, spanish: str) -> None:
    assert (EN.percent(number), ES.percent(number)) == (english, spanish)


@pytest.mark.parametrize(
    ("number", "english", "spanish"),
    [
        (Number(value=0.602), "60.2%", "el 60.2%"),
        (Number(value=0.63, symbol="about"), "about 63%", "cerca del 63%"),
        (Number(symbol="26% to 27%"), "between 26% and 27%", "entre el 26% y el 27%"),
        (Number(least=0.6, most=0.7), "between 60% and 70%", "entre el 60% y el 70%"),
        (Number(symbol="<5%", least=0, most=0.05), "less than 5%", "menos del 5%"),
        (Number(symbol=">95%", least=0.95, most=1), "more than 95%", "más del 95%"),
        (Number(symbol="withheld", least=0, most=1), "withheld", "no se publica"),
    ],
)
def test_a_share_in_a_sentence_is_told_as_one_says_it(number: Number, english: str, spanish: str) -> None:
    assert (EN.share_in_text(number), ES.share_in_text(number)) == (english, spanish)


def test_a_count_in_a_sentence_is_between_its_ends() -> None:
    number = Number(symbol="1466 to 1479", least=1466, most=1479)
    assert EN.count_in_text(number) == "between 1,466 and 1,479"
    assert ES.count_in_text(number) == "entre 1,466 y 1,479"
    assert ES.count_in_text(Number(value=430, symbol="about")) == "cerca de 430"


def test_spanish_runs_an_article_together_with_what_is_before_it() -> None:
    told = ES.say("do_ask", ratio=ES.share_in_text(Number(value=0.62)), floor="el 70%")
    assert "Las familias del 62% de los estudiantes" in told
    assert "por debajo del 70%" in told


@pytest.mark.parametrize(
    ("number", "english", "spanish"),
    [
        (Number(value=8400.0), "$8,400", "$8,400"),
        (Number(value=22.28), "$22.28", "$22.28"),
        (Number(symbol="about $1,100", least=1050.0, most=1185.0), "about $1,100", "cerca de $1,100"),
        (Number(symbol="about $12000", least=1.0), "about $12,000", "cerca de $12,000"),
        (Number(symbol="withheld"), "withheld", "no se publica"),
    ],
)
def test_money_is_told_in_dollars(number: Number, english: str, spanish: str) -> None:
    assert (EN.money(number), ES.money(number)) == (english, spanish)


def test_a_change_has_its_sign_and_none_at_zero() -> None:
    told = [EN.change(Number(value=value)) for value in (0.046, -0.046, 0.0, -0.0001)]
    assert told == ["+4.6 points", "-4.6 points", "0 points", "0 points"]


def test_one_point_and_one_day_are_no_plural() -> None:
    assert EN.points(Number(value=0.01)) == "1 point"
    assert ES.points(Number(value=0.01)) == "1 punto"
    assert EN.number_of("days", 1) == "one day"


def test_days_and_months_are_written_as_in_the_language() -> None:
    assert EN.day(published_months.FIGURE_ON) == "October 30, 2026"
    assert ES.day(published_months.FIGURE_ON) == "30 de octubre de 2026"
    assert ES.month(published_months.MONTH) == "octubre de 2026"


def test_a_long_list_says_how_many_more_there_are() -> None:
    assert EN.listed("abcd", most=2) == "a, b and 2 more"
    assert EN.listed("abc", most=2) == "a, b and one more"
    assert EN.listed(["a"]) == "a"
    assert EN.listed([]) == ""
