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
    left_out = sum(group.left_out for group in groups.values())
    if left_out:
        schools = words.number_of("schools", left_out)
        blocks.append(document.Paragraph(text=words.say("equity_left_out", schools=schools), style="note"))
    if any(figures.is_told(group.coverage) for group in every):
        blocks.append(_chart(month, every, words))
    blocks.append(document.Items(items=_measures(month, words)))
    return document.Section(title=words.say("equity_title"), blocks=tuple(blocks))


def _compared(
    month: published.Published, needy: published.Group, others: published.Group, words: Words
) -> str:
    gap = figures.of(month.district.numbers, "coverage_gap")
    told = {"needy": words.percent(needy.coverage), "others": words.percent(others.coverage)}
    if gap.value is None:
        return words.say("equity_unknown", **told)
    if round(gap.value, 3) == 0:
        return words.say("equity_equal", **told)
    key = "equity_lower" if gap.value > 0 else "equity_higher"
    return words.say(key, gap=words.points(gap), **told)


def _measures(month: published.Published, words: Words) -> tuple[document.Item, ...]:
    numbers = month.district.numbers
    told = (
        ("ratio", words.index(figures.of(numbers, "coverage_ratio"))),
        ("aci", words.index(figures.of(numbers, "aci"))),
        ("rci", words.index(figures.of(numbers, "rci"))),
        ("par", _room(figures.of(numbers, "par"), words)),
    )
    return tuple(
        document.Item(lead=words.say(f"{name}_lead", figure=figure), text=words.say(f"{name}_says"))
        for name, figure in told
    )


def _room(number: published.Number, words: Words) -> str:
    return words.points(number) if figures.is_told(number) else words.percent(number)


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
