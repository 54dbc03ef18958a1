"""First part of the report: how many students in need are connected, how sure that is, how it moved."""

from service.exports import published
from service.exports.report import charts, document, figures
from service.exports.report.words import Words
from service.model import months


def section(month: published.Published, words: Words) -> document.Section:
    blocks: list[document.Block] = [document.Paragraph(text=_answer(month, words), style="lead")]
    if month.is_partial:
        through = words.day(month.facts.through_on)
        blocks.append(document.Paragraph(text=words.say("answer_partial", day=through), style="note"))
    blocks += [_tiles(month, words), *_bounds(month, words)]
    if month.facts.figure_on is not None:
        blocks.append(document.Paragraph(text=_moved(month, words)))
    if figures.is_told(_coverage(month)) and any(figures.is_told(_of(one)) for one in month.earlier):
        blocks.append(_trend(month, words))
    return document.Section(title=words.say("answer_title"), blocks=tuple(blocks))


def _coverage(month: published.Published) -> published.Number:
    return figures.of(month.district.numbers, "coverage")


def _of(earlier: published.EarlierMonth) -> published.Number:
    return figures.of(earlier.district, "coverage")


def _answer(month: published.Published, words: Words) -> str:
    figure_on, coverage = month.facts.figure_on, _coverage(month)
    if figure_on is None:
        return words.say("answer_no_day", month=words.month(month.facts.month))
    day = words.day(figure_on)
    if figures.is_told(coverage):
        return _known(month, day, words)
    if coverage.symbol == "not applicable":
        return words.say("answer_no_need", day=day)
    return words.say("answer_not_known", day=day, why=words.percent(coverage))


def _known(month: published.Published, day: str, words: Words) -> str:
    covered, need = (figures.of(month.district.numbers, name) for name in ("covered", "need"))
    coverage = words.share_in_text(_coverage(month))
    if not (figures.is_told(covered) and figures.is_told(need)):
        return words.say("answer_share", day=day, coverage=coverage)
    if figures.is_exact(covered) and figures.is_exact(need):
        counts = {"covered": words.count(covered), "need": words.count(need)}
        return words.say("answer_known", day=day, coverage=words.percent(_coverage(month)), **counts)
    counts = {"covered": words.count_in_text(covered), "need": words.count_in_text(need)}
    return words.say("answer_ranged", day=day, coverage=coverage, **counts)


def _tiles(month: published.Published, words: Words) -> document.Tiles:
    numbers = month.district.numbers
    told = (
        ("coverage", words.percent(_coverage(month))),
        ("need", words.count(figures.of(numbers, "need"))),
        ("unmet", words.count(figures.of(numbers, "unmet"))),
        ("idle_cost", words.money(figures.of(numbers, "idle_cost"))),
    )
    return document.Tiles(
        tiles=tuple(
            document.Tile(label=words.say(f"tile_{name}"), figure=figure, says=words.say(f"tile_{name}_says"))
            for name, figure in told
        )
    )


def _bounds(month: published.Published, words: Words) -> list[document.Block]:
    low = figures.of(month.district.numbers, "coverage_low")
    high = figures.of(month.district.numbers, "coverage_high")
    if not (figures.is_told(low) and figures.is_told(high)):
        return []
    text = words.say("answer_bounds", low=words.share_in_text(low), high=words.share_in_text(high))
    return [document.Paragraph(text=text)]


def _moved(month: published.Published, words: Words) -> str:
    told = [one for one in month.earlier if figures.is_told(_of(one))]
    if not told or not figures.is_told(_coverage(month)):
        return words.say("moved_first") if not month.earlier else _missing(month, words)
    last = told[-1]
    text = " ".join([_since(last, _coverage(month), words), _missing(month, words)])
    return text.strip()


def _since(last: published.EarlierMonth, now: published.Number, words: Words) -> str:
    before, name = _of(last), words.month(last.month)
    is_known = figures.is_exact(before) and figures.is_exact(now)
    if is_known and words.percent(before) == words.percent(now):
        return words.say("moved_not", month=name)
    is_up, is_down = figures.is_above(now, before), figures.is_above(before, now)
    if not (is_up or is_down):
        return words.say("moved_unsure", month=name, before=words.share_in_text(before))
    by = figures.difference(now, before) if is_up else figures.difference(before, now)
    key = "moved_up" if is_up else "moved_down"
    return words.say(key, month=name, points=words.points(by), before=words.percent(before))


def _missing(month: published.Published, words: Words) -> str:
    absent = [one for one in _span(month) if one not in {earlier.month for earlier in month.earlier}]
    if not absent:
        return ""
    return words.say("moved_missing", months=words.listed(words.month(one) for one in absent))


def _span(month: published.Published) -> list[months.Month]:
    """Every month from the first that was released to the one before this."""
    found = [month.facts.month]
    first = min((one.month for one in month.earlier), default=month.facts.month)
    while found[0] > first:
        found.insert(0, found[0].away(-1))
    return found[:-1]


def _trend(month: published.Published, words: Words) -> document.Chart:
    told = {one.month: one.district for one in month.earlier}
    told[month.facts.month] = month.district.numbers
    spans = [*_span(month), month.facts.month][-charts.MOST_MONTHS :]
    rows = [(one, told.get(one, {})) for one in spans]
    said = [
        words.say(
            "trend_value", month=words.month(one), coverage=words.percent(figures.of(numbers, "coverage"))
        )
        for one, numbers in rows
    ]
    return document.Chart(
        name="trend",
        spec=charts.trend([charts.point(words, one, numbers) for one, numbers in rows]),
        title=words.say("trend_title"),
        says=words.say("trend_says", values="; ".join(said)),
        caption=words.say("trend_caption"),
        table=document.Table(
            title=words.say("trend_title"),
            head=tuple(map(words.say, ("trend_month", "coverage", "at_least", "at_most"))),
            rows=tuple(
                (words.month(one), *(words.percent(figures.of(numbers, name)) for name in charts.COVERAGES))
                for one, numbers in rows
            ),
        ),
    )
