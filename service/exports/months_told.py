"""Whether a month can be told of yet, and what is known of it."""

from dataclasses import replace
from datetime import datetime

import asyncpg

from service import errors
from service.exports import terms as export_terms
from service.model import months
from service.store import equity
from service.store import months as month_rows


async def district(pool: asyncpg.Pool, terms: export_terms.Terms, now: datetime) -> equity.District:
    for one in await equity.districts(pool, now=now):
        if one.district_id == terms.district_id:
            return one
    raise errors.ExportRefused(
        f"district {terms.district_id} is not in the database yet: afterbell poll, or an import, brings it in"
    )


def is_partial(
    terms: export_terms.Terms, asked: export_terms.Asked, of: equity.District, now: datetime
) -> bool:
    """Raises ExportRefused for a month that may still change, unless that is accepted."""
    why_not = _why_not_settled(terms, asked.month, of, now)
    if why_not and not asked.may_be_partial:
        raise errors.ExportRefused(
            f"{asked.month} {why_not}. With --partial it is told as far as it is known, and every page says so"
        )
    return bool(why_not)


def _why_not_settled(
    terms: export_terms.Terms, month: months.Month, of: equity.District, now: datetime
) -> str:
    """ "" where it has settled, and is computed to its end."""
    from_then = f"It counts as settled from {month.settles_on(terms.settle_days)} on"
    if not month.is_over(now, of.time_zone):
        return f"is not over: it ends on {month.last_on}. {from_then}"
    if not month.is_settled(now, of.time_zone, terms.settle_days):
        return f"has not settled: carriers still correct it. {from_then}"
    if of.reported_on is not None and of.reported_on < month.last_on:
        return (
            f"is known as far as {of.reported_on} only: a source is given more days to report (lag_days), or days wait "
            "to be computed"
        )
    return ""


async def facts(
    pool: asyncpg.Pool, terms: export_terms.Terms, asked: export_terms.Asked, of: equity.District
) -> months.Facts:
    """Without when each source was heard from last: that goes on changing after the month."""
    if of.reported_on is None:
        raise errors.ExportRefused(
            f"{of.name}: no day is complete yet, so there is nothing to tell (see afterbell coverage)"
        )
    found = await month_rows.facts(
        pool,
        terms.district_id,
        asked.month,
        time_zone=of.time_zone,
        reported_on=of.reported_on,
        floor=terms.floor,
        thresholds=terms.thresholds,
    )
    return replace(found, sources=tuple(replace(one, last_success_at=None) for one in found.sources))
