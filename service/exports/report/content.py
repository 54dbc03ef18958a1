"""The report of a published month in a language, from the answer to what is not known."""

from service.exports import published
from service.exports.report import (
    advice,
    answer,
    certainty,
    cleaning,
    document,
    equity,
    money,
    pilot,
    schools,
    verdict,
)
from service.exports.report.words import Words


def of(month: published.Published, *, language: str) -> document.Document:
    words = Words(language)
    district, name = month.facts.district_name, words.month(month.facts.month)
    made = document.Document(
        language=language,
        title=words.say("title"),
        subtitle=words.say("subtitle", district=district, month=name),
        about=words.say(
            "about_report_strict" if month.is_strict else "about_report",
            revision=month.revision,
            version=month.version,
        ),
        mark=_mark(month, words),
        footer=words.say("footer", district=district, month=name, revision=month.revision),
        page_of=words.say("page_of", page="{page}", pages="{pages}"),
        as_table=words.say("as_table"),
        sections=_sections(month, words),
    )
    return cleaning.cleaned(made)


def _mark(month: published.Published, words: Words) -> str:
    if not month.is_partial:
        return ""
    return words.say("mark_partial", day=words.day(month.facts.through_on))


def _sections(month: published.Published, words: Words) -> tuple[document.Section, ...]:
    if month.facts.figure_on is None:  # nothing to compare, and nothing that figures ask for
        told = (answer, money, pilot, certainty)
        return tuple(made for part in told if (made := part.section(month, words)) is not None)
    found = (
        answer.section(month, words),
        advice.section(month, words),  # on the first page, for who reads no further
        schools.section(month, words),
        equity.section(month, words),
        money.section(month, words),
        pilot.section(month, words),
        certainty.section(month, words),
        verdict.section(month, words),
    )
    return tuple(section for section in found if section is not None)
