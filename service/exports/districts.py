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
    levels = Counter(member.told.row.level for member in members)
    counts = totals_told.numbers([member.told for member in members], totals, terms)
    return published.District(
        schools=len(members),
        schools_without_need=sum(not member.told.has_need for member in members),
        levels={level: levels[level] for level in Level},
        numbers={**counts, **found.numbers, **money_told.numbers(facts.money, totals, terms)},
        groups=found.groups,
        bands=found.bands,
        bands_basis=found.bands_basis,
        undefined=found.reasons,
    )
