"""The district's month as published."""

from collections import Counter
from collections.abc import Mapping, Sequence

from service.exports import groups, money_told, published, shares, totals_told
from service.model import months
from service.model.protection import Cell, Level


def of(
    facts: months.Facts,
    members: Sequence[groups.Member],
    totals: Mapping[str, Cell],
    *,
    terms: shares.Terms,
) -> published.District:
    found = groups.of(members, terms=terms)
    counted = [member.told for member in members if member.told.has_figures]
    levels = Counter(one.row.level for one in counted)
    without_need = sum(not one.has_need for one in counted)
    counts = totals_told.numbers([member.told for member in members], totals, terms)
    # Lines are of every school, adequate only of those whose need is known.
    why_not_each = shares.NO_DAY if not counted else shares.UNKNOWN if without_need else ""
    money = money_told.numbers(facts.money, totals, terms, why_not_each=why_not_each)
    return published.District(
        schools=len(members),
        schools_without_need=without_need,
        schools_without_day=len(members) - len(counted),
        levels={level: levels[level] for level in Level},
        numbers={**counts, **found.numbers, **money},
        groups=found.groups,
        bands=found.bands,
        bands_basis=found.bands_basis,
        undefined=found.reasons,
    )
