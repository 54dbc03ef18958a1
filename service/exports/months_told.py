"""Whether a month can be told of yet, and what is known of it."""

from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import asyncpg

from service import errors
from service.exports import terms as export_terms
from service.model import months
from service.store import equity, rollups
from service.store import months as month_rows


async def district(pool: asyncpg.Pool, terms: export_terms.Terms, now: datetime) -> equity.District:
    for one in await equity.districts(pool, now=now):
        if one.district_id == terms.district_id:
            return one
    raise errors.ExportRefused(
        f"district {terms.district_id} is not in the database yet: afterbell poll, or an import, brings it in"
    )


async def days_waiting(pool: asyncpg.Pool, of: equity.District, month: months.Month, now: datetime) -> int:
    """Days of the month and before that are still to be computed. The present day always is, and no package tells of
    it. Raises DatabaseUnavailable."""
    yesterday = now.astimezone(ZoneInfo(of.time_zone)).date() - timedelta(days=1)
    return await rollups.waiting(pool, of.district_id, min(month.last_on, yesterday))


async def check_computed(
    pool: asyncpg.Pool, of: equity.District, asked: export_terms.Asked, now: datetime
) -> None:
    """Raises ExportRefused where the figures are not those of what was read and imported."""
    if days := await days_waiting(pool, of, asked.month, now):
        raise errors.ExportRefused(
            f"the figures of {days:,} day{'' if days == 1 else 's'} up to the end of {asked.month} wait to be "
            "computed, as something was read or imported: run afterbell poll, or wait a minute where afterbell serve "
            "runs"
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
        thresholds={
            **terms.thresholds,
            "protect_width": terms.protect_width,
            "min_n": terms.min_n,
            "languages": ", ".join(terms.languages),
        },
    )
    return replace(found, sources=tuple(replace(one, last_success_at=None) for one in found.sources))
