"""The end of the report: what the month says for whoever decides, and what would make it surer."""

from collections.abc import Iterator

from service.exports import published
from service.exports.report import document, figures, pilot
from service.exports.report.words import Words

HEARD_ENOUGH = 0.9  # of the answers, and of the hotspots
MONTHS = 3  # released, so that one unusual month does not stand for all


def section(month: published.Published, words: Words) -> document.Section:
    items = (_reached(month, words), *_idle(month, words), _pilot(month, words), *_surer(month, words))
    return document.Section(
        title=words.say("verdict_title"),
        blocks=(document.Items(items=items), document.Paragraph(text=words.say("verdict_end"), style="note")),
    )


def _reached(month: published.Published, words: Words) -> document.Item:
    numbers = month.district.numbers
    coverage = figures.of(numbers, "coverage")
    if not figures.is_told(coverage):
        return _item("reached", words.say("verdict_not_reached", why=words.percent(coverage)), words)
    texts = [words.say("verdict_reached", coverage=words.share_in_text(coverage))]
    least = figures.least([figures.of(numbers, "coverage_low")])
    most = figures.most([figures.of(numbers, "coverage_high")])
    if least is not None and most is not None:
        low, high = (words.percent(published.Number(value=end)) for end in (least, most))
        texts.append(words.say("verdict_bounds", low=low, high=high))
    return _item("reached", " ".join(texts), words)


def _idle(month: published.Published, words: Words) -> Iterator[document.Item]:
    numbers = month.district.numbers
    lines, idle = figures.of(numbers, "lines"), figures.of(numbers, "idle_lines")
    if figures.is_told(lines) and figures.is_told(idle):
        text = words.say("verdict_idle", lines=words.count_in_text(lines), idle=words.count_in_text(idle))
        yield _item("idle", text, words)


def _pilot(month: published.Published, words: Words) -> document.Item:
    if month.pilot is None:
        return _item("pilot", words.say("verdict_no_pilot"), words)
    difference = pilot.changes(month.pilot)[2]
    key = pilot.verdict(difference) if figures.is_told(difference) else "verdict_pilot_open"
    return _item("pilot", words.say(key), words)


def _surer(month: published.Published, words: Words) -> Iterator[document.Item]:
    wanted = [words.say(f"surer_{key}") for key in _wanted(month)]
    if wanted:
        yield _item("surer", words.say("sentence", text=words.listed(wanted)), words)


def _wanted(month: published.Published) -> Iterator[str]:
    numbers = month.district.numbers
    for key, name in (("answers", "response_ratio"), ("reports", "completeness")):
        least = figures.least([figures.of(numbers, name)])
        if least is None or least < HEARD_ENOUGH:
            yield key
    if len(month.earlier) + 1 < MONTHS:
        yield "months"
    if month.is_partial:
        yield "settled"
    if month.pilot is None:
        yield "pilot"
        return
    warnings = set(month.pilot.warnings)
    for key, codes in _OF_A_PILOT.items():
        if warnings & codes:
            yield key


_OF_A_PILOT = {
    "comparison": {"no_comparison"},
    "pilot_months": {"few_months", "months_missing"},
    "pilot_schools": {"one_school", "left_out_schools", "small_need"},
}


def _item(name: str, text: str, words: Words) -> document.Item:
    return document.Item(lead=words.say(f"verdict_{name}_lead"), text=text)
