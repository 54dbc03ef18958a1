"""An earlier month as it was released: its figures are made anew from what the ledger says was told."""

from collections.abc import Mapping, Sequence

from service.exports import published, shares, told, totals_told
from service.model import months, protection
from service.model.protection import Cell


def of(
    month: months.Month,
    rows: Sequence[tuple[protection.Facts, protection.Published]],
    totals: Mapping[str, Cell],
    *,
    terms: shares.Terms | None = None,
) -> published.EarlierMonth:
    asked = terms or shares.Terms()
    known = [told.of(facts, row) for facts, row in rows]
    return published.EarlierMonth(
        month=month,
        district=totals_told.numbers(known, totals, asked),
        schools={one.row.ncessch: told.numbers(one, asked)["coverage"] for one in known},
        rows=tuple(one.row for one in known),
    )
