"""What the answers of every school are worth on a day."""

from dataclasses import dataclass
from datetime import date

import asyncpg

import sql
from service.store import pool as pools


@dataclass(frozen=True, slots=True)
class SchoolAnswers:
    """A school's answers. ``source``: 'answers' of students, 'totals' of the school, or None: need is unknown.

    The reasons of need overlap, and are None where only totals are known. ``unusable`` students were asked and told
    nothing that counts. ``expiring`` answers hold to ``year_ends_on`` only, ``expired`` ones no longer.
    """

    ncessch: str
    name: str
    source: str | None
    enrolled: int | None
    answered: int | None
    need: int | None
    says_no: int | None
    lacks_by_type: int | None
    lacks_by_performance: int | None
    is_documented: int | None
    has_our_hotspot: int | None
    unusable: int
    oldest_on: date | None
    newest_on: date | None
    expiring: int
    expired: int
    year_ends_on: date

    @property
    def response_ratio(self) -> float | None:
        return self.answered / self.enrolled if self.enrolled and self.answered is not None else None


async def answers_summary(pool: asyncpg.Pool, district_id: int, on_day: date) -> list[SchoolAnswers]:
    """Every school of the district, by name."""
    with pools.translated():
        rows = await pool.fetch(sql.queries()["answers_summary"], district_id, on_day)
    return [SchoolAnswers(**row) for row in rows]
