"""Second part of the report: what changed since the last month, and what the figures say to do next."""

from collections.abc import Iterator, Sequence

from service.exports import published
from service.exports.report import charts, document, figures, sources
from service.exports.report.words import Words
from service.model import equity

ANSWERED_ENOUGH = 0.7  # response ratio below which need is weak
COVERED_ENOUGH = 0.8  # coverage below which a school is named
WIDE_GAP = 0.05  # of coverage, between the other schools and the high-needs schools
MOST_NAMED = 3
_NAME = 60  # characters


def section(month: published.Published, words: Words) -> document.Section:
    items = [*_moves(month, words), *_steps(month, words)]
    blocks: tuple[document.Block, ...] = (document.Items(items=tuple(items)),)
    if not items:
        blocks = (document.Paragraph(text=words.say("do_nothing")),)
    return document.Section(title=words.say("next_title"), blocks=blocks)


def _moves(month: published.Published, words: Words) -> Iterator[document.Item]:
    """Schools whose coverage certainly rose or fell since the last release, the largest moves first."""
    if not month.earlier:
        return
    last = month.earlier[-1]
    moves = [
        (school, before, now)
        for school in month.schools
        if (before := last.schools.get(school.school.ncessch)) is not None
        for now in (figures.of(school.numbers, "coverage"),)
    ]
    rose = [move for move in moves if figures.is_above(move[2], move[1])]
    fell = [move for move in moves if figures.is_above(move[1], move[2])]
    for key, found in (("rose", rose), ("fell", fell)):
        if found:
            yield document.Item(lead=words.say(key, month=words.month(last.month)), text=_moved(found, words))


def _moved(moves: Sequence[tuple[published.School, published.Number, published.Number]], words: Words) -> str:
    largest = sorted(
        moves, key=lambda move: (-abs((move[2].middle or 0) - (move[1].middle or 0)), move[0].school.ncessch)
    )
    names = [
        words.say(
            "moved_school",
            school=_name(school),
            before=words.percent(before),
            now=words.percent(now),
        )
        for school, before, now in largest
    ]
    return words.say("sentence", text=words.listed(names, most=MOST_NAMED))


def _steps(month: published.Published, words: Words) -> Iterator[document.Item]:
    yield from _use(month, words)
    yield from _reach(month, words)
    yield from _knowledge(month, words)


def _use(month: published.Published, words: Words) -> Iterator[document.Item]:
    numbers = month.district.numbers
    idle = figures.of(numbers, "idle_lines")
    if (figures.least([idle]) or 0) > 0:
        cost = words.money(figures.of(numbers, "idle_cost"))
        yield _step("do_idle", words, idle=words.count(idle), cost=cost)
    waiting = [school for school in month.schools if (figures.least([_of(school, "waitlist")]) or 0) > 0]
    if waiting:
        waiting.sort(key=lambda school: (-(_of(school, "waitlist").middle or 0), school.school.ncessch))
        yield _step("do_waitlist", words, names=words.listed(map(_name, waiting), most=MOST_NAMED))


def _reach(month: published.Published, words: Words) -> Iterator[document.Item]:
    """Only where the ranges leave no doubt: a school of a wide one may be among the best."""
    low = _certainly_low(month)
    if low:
        names = [
            words.say("in_brackets", school=_name(school), figure=words.percent(_of(school, "coverage")))
            for school in low
        ]
        floor = words.share_in_text(published.Number(value=COVERED_ENOUGH))
        yield _step("do_reach", words, floor=floor, names=words.listed(names, most=MOST_NAMED))
    gap = figures.of(month.district.numbers, "coverage_gap")
    if (gap.value or 0) >= WIDE_GAP and (figures.least([gap]) or 0) > 0:
        yield _step("do_gap", words)


def _certainly_low(month: published.Published) -> list[published.School]:
    """Those whose coverage is low whatever their ranges leave open, by the most that it can be."""
    found = [
        (most, place, school)
        for place, school in enumerate(figures.by_coverage(month.schools))
        if (most := figures.most([_of(school, "coverage")])) is not None and most < COVERED_ENOUGH
    ]
    return [school for _, _, school in sorted(found, key=lambda one: one[:2])]


def _knowledge(month: published.Published, words: Words) -> Iterator[document.Item]:
    numbers = month.district.numbers
    answers, heard = figures.of(numbers, "response_ratio"), figures.of(numbers, "completeness")
    if not figures.is_told(figures.of(numbers, "need")):
        yield _step("do_need", words)
    if figures.is_above(published.Number(value=ANSWERED_ENOUGH), answers):
        floor = words.share_in_text(published.Number(value=ANSWERED_ENOUGH))
        yield _step("do_ask", words, ratio=words.share_in_text(answers), floor=floor)
    stale = [school for school in month.schools if "need_exceeded" in school.flags]
    if stale:
        yield _step("do_renew", words, names=words.listed(map(_name, stale), most=MOST_NAMED))
    if figures.is_above(published.Number(value=equity.COMPLETENESS_FLOOR), heard):
        floor = words.share_in_text(published.Number(value=equity.COMPLETENESS_FLOOR))
        yield _step("do_unheard", words, share=words.share_in_text(heard), floor=floor)
    gaps = sources.silent_days(month.facts)
    if gaps:
        yield _step("do_sources", words, gaps=sources.said(gaps, words))


def _step(key: str, words: Words, **told: object) -> document.Item:
    return document.Item(lead=words.say(f"{key}_lead"), text=words.say(key, **told))


def _of(school: published.School, name: str) -> published.Number:
    return figures.of(school.numbers, name)


def _name(school: published.School) -> str:
    return charts.shortened(school.school.name, _NAME)
