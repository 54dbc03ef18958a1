"""What amounts mean and what they leave out, in words."""

from collections.abc import Iterator
from decimal import Decimal

from service.model import costs

UNLENT = "(lent by no school)"


def money(amount: Decimal) -> str:
    return f"${amount:,.2f}"


def amount(lines: costs.Lines) -> str:
    """With a + where some lines' cost is not known, and no amount where none is."""
    if lines.lines and not lines.with_cost:
        return "?"
    return money(lines.cost) + ("+" if lines.without_cost else "")


def each(cost: costs.Cost) -> str:
    """Of a student with an adequate connection; n/a also where a line's cost is not known."""
    found = cost.per_covered_student
    return "n/a" if found is None else money(found)


def remarks(found: costs.Costs) -> Iterator[str]:
    """What the amounts mean, and what they leave out."""
    whole = found.district
    yield (
        f"{counted(whole.idle.lines)} of {counted(whole.all_lines.lines, 'line')} moved no byte on any day: "
        f"{_told(whole.idle)}."
    )
    if not found.is_complete:
        yield f"The period goes on: idle so far, to {found.last_on}, at the cost of whole months."
    if whole.partly_known.lines:
        yield (
            f"{counted(whole.partly_known.lines, 'more line')} moved no byte on the days that are known, "
            f"and other days are not: {_told(whole.partly_known)}, in no figure of idle cost."
        )
    if whole.unknown.lines:
        yield f"Of {counted(whole.unknown.lines, 'line')} nothing is known: {_told(whole.unknown)}, shown apart."
    if whole.all_lines.without_cost:
        yield (
            f"The cost of {counted(whole.all_lines.without_cost, 'line')} is not known: "
            "they are in no amount, and no cost per student is told (monthly_cost of their plan)."
        )
    if found.figure_on is None:
        yield "Adequate connections: no school day of the period had enough loans heard from."
    else:
        yield f"Adequate connections are those of {found.figure_on}."
    if found.other_lines.lines:
        yield (
            f"Lines of bus routers and laptops, no home connections: {counted(found.other_lines.lines)}, "
            f"{_told(found.other_lines)}, in no figure above."
        )
    if found.not_in_service.lines:
        yield f"Not in service all the time, and in no figure: {counted(found.not_in_service.lines, 'line')}."


def _told(lines: costs.Lines) -> str:
    """In a sentence: an amount that leaves something out says so, and what is not known is never $0."""
    if not lines.without_cost:
        return money(lines.cost)
    return (
        f"{money(lines.cost)} for those whose cost is known" if lines.with_cost else "their cost is not known"
    )


def counted(count: int, noun: str = "") -> str:
    plural = "" if count == 1 or not noun else "s"
    return f"{count:,} {noun}{plural}".strip()
