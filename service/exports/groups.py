"""Schools together, and how coverage lies over them: from what is published of each, never from its counts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from service.exports import measures, published, shares
from service.exports.published import Number
from service.exports.told import Told
from service.model import equity, high_needs, months
from service.model.protection import Cell

UNDEFINED = "undefined"
FEWEST = 2  # schools that a measure over schools is made of, where others are left out
ENOUGH = (
    0.5  # of the schools of known need: with fewer told, a measure would be of the schools that happen to be
)

HIGH_NEEDS, OTHERS = "high-needs", "others"


@dataclass(frozen=True, slots=True)
class Member:
    """A school, with what is told of its counts."""

    school: months.School
    told: Told


@dataclass(frozen=True, slots=True, kw_only=True)
class Equity:
    """``reasons``: why a measure is undefined, by its name."""

    groups: tuple[published.Group, ...]
    bands: tuple[published.Group, ...]
    bands_basis: str | None
    numbers: Mapping[str, Number]
    reasons: Mapping[str, str]


def of(members: Sequence[Member], *, terms: shares.Terms) -> Equity:
    counted = [member for member in members if _pair(member.told, terms) is not None]
    found = equity.of([_as_model(member, terms) for member in counted], floor=terms.floor)
    needy = group(HIGH_NEEDS, [m for m in members if m.school.is_high_needs], terms=terms)
    others = group(OTHERS, [m for m in members if m.school.is_high_needs is False], terms=terms)
    bands = _bands(members, found.risk.basis, terms)
    made = _measures(found, needy, others)
    if few := _few(members, terms):
        made = {name: equity.Measure(None, few) for name in made}
    bounds = _bounds(found, counted, members, groups=(needy, others), bands=bands)
    is_about = any(_is_about(member, terms) for member in members)
    return Equity(
        groups=(needy, others),
        bands=bands,
        bands_basis=None if found.risk.basis is None else " of ".join(found.risk.basis),
        numbers={
            name: Number(symbol=UNDEFINED)
            if one.value is None
            else measures.number(name, one.value, bounds.get(name), is_about=is_about)
            for name, one in made.items()
        },
        reasons={name: one.reason for name, one in made.items() if one.reason},
    )


def _measures(
    found: equity.Equity, needy: published.Group, others: published.Group
) -> dict[str, equity.Measure]:
    """The gap is that of the two figures that are told."""
    gap = found.gap
    if gap.value is not None and needy.coverage.value is not None and others.coverage.value is not None:
        gap = equity.Measure(others.coverage.value - needy.coverage.value)
    return {
        "coverage_gap": gap,
        "coverage_ratio": found.ratio,
        "aci": found.concentration.absolute,
        "rci": found.concentration.relative,
        "par": found.risk.value,
    }


def _few(members: Sequence[Member], terms: shares.Terms) -> str | None:
    """Why the schools that are told are too few for a measure: of both groups, or of all."""
    for name, chosen in (
        ("", members),
        ("high-needs ", [m for m in members if m.school.is_high_needs]),
        ("other ", [m for m in members if m.school.is_high_needs is False]),
    ):
        known = [member for member in chosen if member.told.has_need]
        told = sum(_pair(member.told, terms) is not None for member in known)
        if told < len(known) and (told < FEWEST or told < ENOUGH * len(known)):
            return f"too few of the {name}schools are told: {told} of {len(known)}"
    return None


def _bounds(
    found: equity.Equity,
    counted: Sequence[Member],
    members: Sequence[Member],
    *,
    groups: tuple[published.Group, published.Group],
    bands: Sequence[published.Group],
) -> dict[str, measures.Bounds | None]:
    """None where a school is left out: whatever it has is not between them."""
    if len(counted) < sum(member.told.has_need for member in members):
        return {}
    ranked = {one.school.ncessch for one in found.concentration.ranked}
    schools = [_ranked(member) for member in counted if member.school.ncessch in ranked]
    is_ranked = all(_ranked(m).need.most == 0 for m in counted if m.school.ncessch not in ranked)
    pairs = [pair for member in counted if (pair := member.told.coverable) is not None]
    needy, others = (one.coverage for one in groups)
    absolute = measures.absolute(schools) if is_ranked else None
    return {
        "coverage_gap": measures.gap(others, needy),
        "coverage_ratio": measures.ratio(others, needy),
        "aci": absolute,
        "rci": measures.relative(absolute, schools),
        "par": measures.risk([band.coverage for band in bands], coverage(pairs)),
    }


def _ranked(member: Member) -> measures.School:
    need, adequate = member.told.coverable or (Cell(0, 0), Cell(0, 0))
    return measures.School(need=need, adequate=adequate, enrolled=member.school.enrolled or 1)


def _pair(told: Told, terms: shares.Terms) -> tuple[Cell, Cell] | None:
    """Its need and its adequate connections; under the strict rule only where neither is hidden."""
    found = told.coverable
    if found is not None and terms.is_strict and not all(cell.is_exact for cell in found):
        return None
    return found


def _is_about(member: Member, terms: shares.Terms) -> bool:
    """Whether figures of its own have to stand in for what is not told of it."""
    if not member.told.has_need:
        return False
    pair = _pair(member.told, terms)
    return pair is None or not all(cell.is_exact for cell in pair)


def _as_model(member: Member, terms: shares.Terms) -> equity.School:
    """By the middles of its ranges, every count doubled so that it is whole: the measures are shares, and stay.

    What is unknown counts by its least, so that a group is incomplete only where that is certain.
    """
    school, known = member.school, member.told
    need, adequate = known.coverable or (Cell(0, 0), Cell(0, 0))
    loaned, unknown = known.cell("loaned"), known.cell("unknown")
    twice_need, twice_adequate = _twice(need), _twice(adequate)
    is_told = twice_need > 0 and not known.is_incomplete(terms.floor)
    return equity.School(
        ncessch=school.ncessch,
        name=school.name,
        enrolled=None if school.enrolled is None else 2 * school.enrolled,
        need=twice_need,
        adequate=twice_adequate,
        loaned=0 if loaned is None else 2 * loaned.most,
        unknown=0 if unknown is None else 2 * unknown.least,
        coverage=min(twice_need, twice_adequate) / twice_need if is_told else None,
        is_high_needs=school.is_high_needs,
        high_needs_basis=school.high_needs_basis,
        indicator=school.indicator,
        indicator_value=school.indicator_value,
        indicator_year=school.indicator_year,
    )


def _twice(cell: Cell) -> int:
    return cell.least + cell.most


def _bands(
    members: Sequence[Member], basis: tuple[str, str] | None, terms: shares.Terms
) -> tuple[published.Group, ...]:
    if basis is None:
        return ()
    inside = [m for m in members if (m.school.indicator, m.school.indicator_year or "year not told") == basis]
    banded = [
        (high_needs.band(m.school.indicator_value), m) for m in inside if m.school.indicator_value is not None
    ]
    return tuple(
        group(name, [member for band, member in banded if band == name], terms=terms)
        for name in high_needs.BANDS
    )


def group(name: str, members: Sequence[Member], *, terms: shares.Terms) -> published.Group:
    counted = [member.told for member in members if _pair(member.told, terms) is not None]
    is_whole = not any(_is_about(member, terms) for member in members)
    pairs = [pair for one in counted if (pair := one.coverable) is not None]
    unknown = [cell for one in counted if (cell := one.cell("unknown")) is not None]
    return published.Group(
        name=name,
        schools=len(counted),
        left_out=len(members) - len(counted),
        need=total([need for need, _ in pairs], is_whole=is_whole),
        adequate=total([shares.covered(*pair) for pair in pairs], is_whole=is_whole),
        unknown=total(unknown, is_whole=is_whole and len(unknown) == len(counted)),
        coverage=_coverage(counted, pairs, terms, is_whole=is_whole),
        without_need=sum(not member.told.has_need for member in members),
    )


def total(cells: Sequence[Cell], *, is_whole: bool = True) -> Number:
    """A sum; where not all of it is told, about."""
    if not cells:
        return Number(symbol=shares.UNKNOWN)
    found = shares.plus(*cells)
    if is_whole and found.is_exact:
        return Number(value=found.least, least=found.least, most=found.most)
    middle = (found.least + found.most) // 2
    return Number(value=middle, least=found.least, most=found.most, symbol=shares.ABOUT)


def _coverage(
    counted: Sequence[Told], pairs: Sequence[tuple[Cell, Cell]], terms: shares.Terms, *, is_whole: bool
) -> Number:
    if not counted:
        return Number(symbol=shares.UNKNOWN)
    loaned = shares.plus(*(cell for one in counted if (cell := one.cell("loaned")) is not None))
    unknown = shares.plus(*(cell for one in counted if (cell := one.cell("unknown")) is not None))
    if shares.is_incomplete(loaned, unknown, terms.floor):
        return Number(symbol=shares.INCOMPLETE)
    return coverage(pairs, is_whole=is_whole)


def coverage(pairs: Sequence[tuple[Cell, Cell]], *, is_whole: bool = True) -> Number:
    """Of schools of (need, adequate) as one."""
    span = shares.together(pairs)
    if span is None:
        return Number(symbol=shares.NOT_APPLICABLE)
    if is_whole and span.is_exact:
        return shares.share(span)
    need = sum(_twice(need) for need, _ in pairs)
    return shares.about(sum(min(_twice(n), _twice(a)) for n, a in pairs) / need, shares.outward(span))
