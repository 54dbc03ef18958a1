"""What helps a school's students beside loans: shown beside coverage, never in it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import asyncpg

import sql


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """Unfilled requests with the date of the count, and hours a week of other supports. None: not told."""

    waitlist: int | None = None
    waitlist_on: date | None = None
    library_hours: float | None = None
    activity_bus_hours: float | None = None
    community_wifi_hours: float | None = None

    @property
    def is_told(self) -> bool:
        return self != NOTHING_TOLD


NOTHING_TOLD = Beside()


async def by_school(
    connection: asyncpg.Connection, districts: Sequence[int], days: Sequence[date]
) -> dict[tuple[int, str], Beside]:
    """Of every school (district, NCESSCH) that something is told of, on its district's day."""
    found = await connection.fetch(sql.queries()["beside_coverage"], districts, days)
    return {(row["district_id"], row["ncessch"]): _beside(row) for row in found}


def _beside(row: asyncpg.Record) -> Beside:
    return Beside(
        waitlist=row["requests"],
        waitlist_on=row["as_of_on"],
        library_hours=_hours(row["library_hours"]),
        activity_bus_hours=_hours(row["activity_bus_hours"]),
        community_wifi_hours=_hours(row["community_wifi_hours"]),
    )


def _hours(told: object) -> float | None:
    return None if told is None else float(str(told))
