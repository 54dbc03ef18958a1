"""Third part of the report: coverage by school, with bounds."""

from collections.abc import Sequence

from service.exports import published
from service.exports.report import charts, document, figures
from service.exports.report.words import Words
from service.model import protection

Level = protection.Level
MOST_DRAWN = 40  # schools; of more, the ends are drawn
EACH_END = 15


def section(month: published.Published, words: Words) -> document.Section:
    told = figures.by_coverage(month.schools)
    drawn = told if len(told) <= MOST_DRAWN else [*told[:EACH_END], *told[-EACH_END:]]
    blocks: list[document.Block] = [document.Paragraph(text=_levels(month, words))]
    if len(drawn) < len(told):
        blocks.append(document.Paragraph(text=words.say("schools_ends", low=EACH_END, high=EACH_END)))
    if drawn:
        blocks.append(_chart(drawn[::-1], words))
    else:
        blocks.append(document.Paragraph(text=words.say("schools_none"), style="note"))
    without = _without(month, words)
    blocks += [document.Paragraph(text=without, style="note")] if without else []
    return document.Section(title=words.say("schools_title"), blocks=tuple(blocks))


def _levels(month: published.Published, words: Words) -> str:
    levels = {level: month.district.levels.get(level, 0) for level in Level}
    if month.is_strict:
        whole = levels[Level.EXACT]
        hidden = sum(levels.values()) - whole
        return words.say("schools_levels_strict", whole=f"{whole:,}", hidden=f"{hidden:,}")
    if levels[Level.EXACT] == month.district.schools:
        return words.say("schools_levels_exact", n=f"{month.district.schools:,}")
    return words.say(
        "schools_levels",
        exact=f"{levels[Level.EXACT]:,}",
        ranged=f"{levels[Level.FIVE] + levels[Level.TEN]:,}",
        band=f"{levels[Level.BAND]:,}",
        withheld=f"{levels[Level.WITHHELD]:,}",
    )


def _without(month: published.Published, words: Words) -> str:
    """Schools whose figures may be told, but that have no coverage."""
    silent = [
        school
        for school in month.schools
        if school.level is not Level.WITHHELD and not figures.is_told(figures.of(school.numbers, "coverage"))
    ]
    if not silent:
        return ""
    names = (
        words.say(
            "in_brackets",
            school=charts.shortened(school.school.name, 60),
            figure=words.percent(figures.of(school.numbers, "coverage")),
        )
        for school in silent
    )
    return words.say("schools_without", names=words.listed(names))


def _chart(drawn: Sequence[published.School], words: Words) -> document.Chart:
    """The highest coverage first."""
    said = (
        words.say(
            "schools_value",
            school=school.school.name,
            coverage=words.percent(figures.of(school.numbers, "coverage")),
        )
        for school in drawn
    )
    return document.Chart(
        name="schools",
        spec=charts.dots([_row(school, words) for school in drawn]),
        title=words.say("schools_chart_title"),
        says=words.say("schools_chart_says", values="; ".join(said)),
        caption=words.say("schools_chart_caption"),
        table=_table(drawn, words),
    )


def _row(school: published.School, words: Words) -> charts.Dot:
    numbers = school.numbers
    coverage = figures.of(numbers, "coverage")
    bounds = [figures.of(numbers, name) for name in charts.COVERAGES]
    return charts.Dot(
        name=school.school.name,
        is_marked=bool(school.school.is_high_needs),
        number=coverage,
        says=words.percent(coverage),
        least=figures.least(bounds),
        most=figures.most(bounds),
    )


def _table(drawn: Sequence[published.School], words: Words) -> document.Table:
    head = (
        "school",
        "high_needs",
        "coverage",
        "at_least",
        "at_most",
        "in_need",
        "connected",
        "not_connected",
    )
    return document.Table(
        title=words.say("schools_chart_title"),
        head=tuple(map(words.say, head)),
        rows=tuple(_cells(school, words) for school in drawn),
    )


def _cells(school: published.School, words: Words) -> tuple[str, ...]:
    counts = (figures.of(school.numbers, name) for name in ("need", "adequate", "unmet"))
    marked = {True: "yes", False: "no", None: "symbol_unknown"}[school.school.is_high_needs]
    return (
        school.school.name,
        words.say(marked),
        *(words.percent(figures.of(school.numbers, name)) for name in charts.COVERAGES),
        *map(words.count, counts),
    )
