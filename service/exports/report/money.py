"""Fifth part of the report: what the lines cost, and what lay idle."""

from service.exports import published
from service.exports.report import document, figures
from service.exports.report.words import Words


def section(month: published.Published, words: Words) -> document.Section:
    numbers, name = month.district.numbers, words.month(month.facts.month)
    cost, idle = figures.of(numbers, "cost"), figures.of(numbers, "idle_cost")
    if figures.is_told(cost):
        text = words.say("money_known", month=name, cost=words.money(cost), idle=words.money(idle))
    else:
        text = words.say("money_unknown", month=name, why=words.money(cost))
    return document.Section(
        title=words.say("money_title"),
        blocks=(document.Paragraph(text=text), document.Items(items=_items(month, words))),
    )


def _items(month: published.Published, words: Words) -> tuple[document.Item, ...]:
    numbers = month.district.numbers
    lines, idle = figures.of(numbers, "lines"), figures.of(numbers, "idle_lines")
    each = figures.of(numbers, "cost_per_covered_student")
    told = [
        document.Item(
            lead=words.say("money_lines_lead", figure=words.count(lines)),
            text=words.say("money_lines_says", idle=words.count(idle)),
        ),
        document.Item(
            lead=words.say("money_each_lead", figure=words.money(each)), text=words.say("money_each_says")
        ),
    ]
    if month.facts.money.without_price:
        told.append(_item("money_prices", words))
    if month.facts.money.unknown_lines:
        told.append(_item("money_unheard", words))
    return tuple(told)


def _item(key: str, words: Words) -> document.Item:
    return document.Item(lead=words.say(f"{key}_lead"), text=words.say(f"{key}_says"))
