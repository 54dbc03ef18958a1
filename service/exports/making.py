"""The parts of a published month, each made from what was decided to be told."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from service.exports import (
    districts,
    groups,
    money_told,
    pilots,
    protecting,
    published,
    school_figures,
    shares,
    told,
)
from service.model import months, protection
from service.model import pilots as pilot_model

Terms = shares.Terms


def schools(
    facts: months.Facts, decision: protecting.Decision, *, terms: Terms
) -> tuple[published.School, ...]:
    """By name."""
    made = [
        school_figures.of(school, row, terms=terms)
        for school, row in zip(facts.schools, decision.rows, strict=True)
    ]
    return tuple(sorted(made, key=lambda one: (one.school.name, one.school.ncessch)))


def district(facts: months.Facts, decision: protecting.Decision, *, terms: Terms) -> published.District:
    members = [
        groups.Member(told.public(school), told.of(school, row))
        for school, row in zip(facts.schools, decision.rows, strict=True)
    ]
    return districts.of(facts, members, decision.totals, terms=terms)


def pilot(
    asked: pilot_model.Pilot | None,
    facts: months.Facts,
    decision: protecting.Decision,
    earlier: Sequence[published.EarlierMonth],
    *,
    terms: Terms,
) -> published.Pilot | None:
    return None if asked is None else pilots.of(asked, facts.month, decision.rows, earlier, terms=terms)


def public(facts: months.Facts, decision: protecting.Decision) -> months.Facts:
    """What is published of the facts as they are: nothing that counts students, loans or lines."""
    are_lines = money_told.tells_of_lines(decision.totals)
    return replace(
        facts,
        schools=tuple(told.public(school) for school in facts.schools),
        sources=tuple(replace(source, last_success_at=None) for source in facts.sources),
        money=replace(
            months.NO_MONEY,
            unknown_lines=min(are_lines, facts.money.unknown_lines),
            without_price=min(are_lines, facts.money.without_price),
        ),
    )


_LEVELS = {
    protection.Level.EXACT: "with exact counts",
    protection.Level.FIVE: "with counts as ranges of five",
    protection.Level.TEN: "with counts as ranges of ten and coverage as a band",
    protection.Level.BAND: "with coverage as a band, without counts",
    protection.Level.WITHHELD: "too small to show",
}


def protection_notes(decision: protecting.Decision, *, terms: Terms) -> Iterator[str]:
    """What was done to protect students, in sentences."""
    exact = protection.Level.EXACT
    # a school without a figure day has no count that could be coarsened
    levels = [row.level for row in decision.rows if row.cells or row.level is not exact]
    if not levels:
        yield "No school has counts that could be coarsened."
    elif terms.is_strict:
        marked = len(levels) - levels.count(exact)
        yield (
            f"Counts below {terms.min_n} are hidden, and what would give them away: "
            f"something is hidden in {marked} of {len(levels)} schools' rows."
        )
    else:
        told_as = (f"{levels.count(level)} {says}" for level, says in _LEVELS.items() if level in levels)
        yield f"Of {len(levels)} schools: {', '.join(told_as) or 'none'}."
    ranges = sorted(name for name, cell in decision.totals.items() if not cell.is_exact)
    if not decision.totals:
        yield "No total of the district is told."
    elif ranges:
        yield f"Totals of the district told as ranges: {', '.join(ranges)}."
    if decision.unsettled:
        yield "What could not be shown in time to protect every student is told more coarsely, or not at all."
