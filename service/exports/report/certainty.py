"""Last part of the report: how sure its figures are, and what they do not tell."""

from collections.abc import Iterator

from service.exports import published
from service.exports.report import document, figures, sources
from service.exports.report.words import Words
from service.model import equity

_REASONS = (
    "late_data",
    "need_corrected",
    "loans_corrected",
    "calendar_corrected",
    "prices_corrected",
    "settings_changed",
    "new_version",
)


def section(month: published.Published, words: Words) -> document.Section:
    items = (*_heard(month, words), *_told(month, words))
    return document.Section(title=words.say("sure_title"), blocks=(document.Items(items=items),))


def _heard(month: published.Published, words: Words) -> Iterator[document.Item]:
    figure_on = month.facts.figure_on
    if figure_on is None:
        yield _item("day", words.say("sure_no_day"), words)
    else:
        floor = words.share_in_text(published.Number(value=equity.COMPLETENESS_FLOOR))
        yield _item("day", words.say("sure_day", day=words.day(figure_on), floor=floor), words)
        yield from _reports(month, words)
    if month.facts.sources or figure_on is not None:
        yield _item("gaps", _gaps(month, words), words)


def _reports(month: published.Published, words: Words) -> Iterator[document.Item]:
    numbers = month.district.numbers
    share, unknown = figures.of(numbers, "completeness"), figures.of(numbers, "unknown")
    told = words.say("sure_heard", share=words.percent(share), unknown=words.count(unknown))
    yield _item("heard", told, words)
    answered = figures.of(numbers, "response_ratio")
    yield _item("answers", words.say("sure_answers", share=words.percent(answered)), words)


def _gaps(month: published.Published, words: Words) -> str:
    gaps = sources.silent_days(month.facts)
    if not month.facts.sources:
        return words.say("sure_no_sources")
    return words.say("sure_gaps", gaps=sources.said(gaps, words)) if gaps else words.say("sure_no_gaps")


def _told(month: published.Published, words: Words) -> Iterator[document.Item]:
    yield _item("ranges", words.say("sure_strict" if month.is_strict else "sure_ranges"), words)
    if month.revision > 1:
        lead = words.say("sure_revision_lead", n=month.revision)
        yield document.Item(lead=lead, text=_revision(month, words))
    yield _item("limits", words.say("sure_limits"), words)


def _revision(month: published.Published, words: Words) -> str:
    if not month.changes:
        return words.say("sure_revision_none")
    codes = dict.fromkeys(change.why if change.why in _REASONS else "other" for change in month.changes)
    reasons = words.listed(words.say(f"why_{code}") for code in codes)
    return words.say("sure_revision", cells=f"{len(month.changes):,}", reasons=reasons)


def _item(name: str, text: str, words: Words) -> document.Item:
    return document.Item(lead=words.say(f"sure_{name}_lead"), text=text)
