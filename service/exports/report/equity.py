"""Fourth part of the report: high-needs schools against the others, and coverage by band of need."""

import re
from collections.abc import Sequence

from service.exports import published
from service.exports.report import charts, document, figures
from service.exports.report.words import Words


def section(month: published.Published, words: Words) -> document.Section:
    groups = {group.name: group for group in month.district.groups}
    needy, others = groups.get("high-needs"), groups.get("others")
    if needy is None or others is None:
        blocks: list[document.Block] = [document.Paragraph(text=words.say("equity_none"))]
    else:
        blocks = [document.Paragraph(text=_compared(month, needy, others, words))]
    every = [*month.district.groups, *month.district.bands]
    blocks += _left_out(list(groups.values()), words)
    if any(figures.is_told(group.coverage) for group in every):
        blocks.append(_chart(month, every, words))
    blocks.append(document.Items(items=_measures(month, words)))
    return document.Section(title=words.say("equity_title"), blocks=tuple(blocks))


def _left_out(groups: Sequence[published.Group], words: Words) -> list[document.Block]:
    """How many schools are in neither group's figures, for each reason."""
    unknown = sum(group.without_need for group in groups)
    hidden = sum(group.left_out for group in groups) - unknown
    told = (("equity_left_out", hidden), ("equity_left_out_unknown", unknown))
    return [
        document.Paragraph(text=words.say(key, schools=words.number_of("schools", schools)), style="note")
        for key, schools in told
        if schools > 0
    ]


def _compared(
    month: published.Published, needy: published.Group, others: published.Group, words: Words
) -> str:
    if figures.of(month.district.numbers, "coverage_gap").value is None:
        plain = {"needy": words.percent(needy.coverage), "others": words.percent(others.coverage)}
        return words.say("equity_unknown", **plain)
    gap = figures.difference(others.coverage, needy.coverage)
    told = {"needy": words.share_in_text(needy.coverage), "others": words.share_in_text(others.coverage)}
    if figures.is_exact(gap) and round(gap.value or 0, 3) == 0:
        return words.say("equity_equal", **told)
    is_less = figures.is_above(others.coverage, needy.coverage)
    if not (is_less or figures.is_above(needy.coverage, others.coverage)):
        ranges = {"needy": _range(needy.coverage, words), "others": _range(others.coverage, words)}
        return words.say("equity_unsure", **ranges)
    said = words.say("equity_lower" if is_less else "equity_higher", gap=words.points(gap), **told)
    is_all = not (needy.left_out or others.left_out)
    return said if is_all else f"{said} {words.say('equity_counted')}"


def _range(number: published.Number, words: Words) -> str:
    """Between its bounds rather than at its middle."""
    ends = figures.ends(number)
    if ends is None or figures.is_exact(number) or ends[0] == ends[1]:
        return words.share_in_text(number)
    return words.share_in_text(published.Number(least=ends[0], most=ends[1]))


_MEASURES = (("ratio", "coverage_ratio", 1.0), ("aci", "aci", 0.0), ("rci", "rci", 0.0), ("par", "par", None))


def _measures(month: published.Published, words: Words) -> tuple[document.Item, ...]:
    """Of those that are defined this month, what each is, or between what it lies where its direction is open."""
    numbers = {key: figures.of(month.district.numbers, name) for key, name, _ in _MEASURES}
    told = [
        document.Item(
            lead=words.say(f"{key}_lead", figure=_figure(key, numbers[key], none, words)),
            text=words.say(f"{key}_says"),
        )
        for key, _, none in _MEASURES
        if numbers[key].value is not None
    ]
    without = [words.say(f"{key}_name") for key, _, _ in _MEASURES if numbers[key].value is None]
    if without and month.facts.figure_on is not None:
        told.append(document.Item(text=words.say("measures_undefined", names=words.listed(without))))
    return tuple(told)


def _figure(key: str, number: published.Number, none: float | None, words: Words) -> str:
    write = words.points if key == "par" else words.index
    if none is None or not figures.may_be_none(number, none):
        return write(number)
    ends = figures.ends(number)
    if ends is None:
        return words.say("index_open_without", figure=write(number))
    least, most = (write(published.Number(value=end)) for end in ends)
    return words.say("index_open", least=least, most=most)


def name(group: published.Group, words: Words) -> str:
    """The group in the language; a name that is not one of ours stays as it is."""
    return words.say(f"group_{group.name}") if words.has(f"group_{group.name}") else group.name


def _chart(month: published.Published, groups: Sequence[published.Group], words: Words) -> document.Chart:
    rows = [
        charts.Dot(
            name=name(group, words),
            is_marked=group.name == "high-needs",
            number=group.coverage,
            says=words.percent(group.coverage),
            least=figures.least([group.coverage]),
            most=figures.most([group.coverage]),
        )
        for group in groups
    ]
    values = "; ".join(words.say("schools_value", school=row.name, coverage=row.says) for row in rows)
    basis = _basis(month.district.bands_basis, words)
    caption = (
        words.say("equity_chart_caption", basis=basis) if basis else words.say("equity_chart_caption_plain")
    )
    return document.Chart(
        name="groups",
        spec=charts.dots(rows),
        title=words.say("equity_chart_title"),
        says=words.say("equity_chart_says", values=values),
        caption=caption,
        table=document.Table(
            title=words.say("equity_chart_title"),
            head=tuple(map(words.say, ("group", "schools_column", "coverage", "in_need", "connected"))),
            rows=tuple(_cells(group, words) for group in groups),
        ),
    )


def _basis(basis: str | None, words: Words) -> str:
    """As frpl of 2025-26, in the language."""
    indicator, _, year = (basis or "").partition(" of ")
    if not words.has(f"basis_{indicator}"):
        return basis or ""
    if not re.match(r"\d", year):
        return words.say(f"basis_{indicator}")
    return words.say("basis", indicator=words.say(f"basis_{indicator}"), year=year)


def _cells(group: published.Group, words: Words) -> tuple[str, ...]:
    counts = (group.need, group.adequate)
    return (
        name(group, words),
        f"{group.schools:,}",
        words.percent(group.coverage),
        *map(words.count, counts),
    )
