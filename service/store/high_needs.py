"""Which schools are high-needs, as a rule decided."""

from collections.abc import Mapping
from dataclasses import dataclass

import asyncpg

import sql
from service.model import high_needs


@dataclass(frozen=True, slots=True)
class Written:
    """Schools: whose row changed, and what each is now. ``others`` are not high-needs, and were not before."""

    changed: int
    become: int
    no_longer: int
    unknown: int
    stay: int
    others: int


async def write(
    connection: asyncpg.Connection, district_id: int, decided: Mapping[str, high_needs.Decision], year: str
) -> Written:
    """Store the decision of each school (NCESSCH)."""
    row = await connection.fetchrow(
        sql.queries()["write_high_needs"],
        district_id,
        list(decided),
        [one.is_high_needs for one in decided.values()],
        [one.basis for one in decided.values()],
        [one.indicator.value for one in decided.values()],
        [one.value for one in decided.values()],
        year,
    )
    return Written(**row)
