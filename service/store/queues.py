"""What waits: days to be computed, changes of alerts to be put into messages, and messages to be sent."""

from dataclasses import dataclass
from datetime import date, datetime

import asyncpg

import sql


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """``oldest_due_at``: of what waits, what is due first; it may lie ahead. None: nothing waits."""

    channel_key: str
    last_success_at: datetime | None
    failing_since_at: datetime | None
    waiting: int
    oldest_due_at: datetime | None
    sent: int  # of the messages made within the last day
    given_up: int  # likewise


@dataclass(frozen=True, slots=True, kw_only=True)
class Queues:
    """A district's."""

    days: int = 0
    first_day_on: date | None = None
    flips: int = 0
    oldest_flip_at: datetime | None = None
    channels: tuple[Channel, ...] = ()


EMPTY = Queues()


async def by_district(connection: asyncpg.Connection, *, now: datetime) -> dict[int, Queues]:
    """Districts where nothing waits, and that have no channel, are not in it."""
    days = {row["district_id"]: row for row in await connection.fetch(sql.queries()["shown_days_waiting"])}
    flips = {row["district_id"]: row for row in await connection.fetch(sql.queries()["shown_flips_waiting"])}
    channels: dict[int, list[Channel]] = {}
    for row in await connection.fetch(sql.queries()["shown_channels"], now):
        values = dict(row)
        channels.setdefault(values.pop("district_id"), []).append(Channel(**values))
    return {
        district_id: Queues(
            days=days[district_id]["days"] if district_id in days else 0,
            first_day_on=days[district_id]["first_on"] if district_id in days else None,
            flips=flips[district_id]["flips"] if district_id in flips else 0,
            oldest_flip_at=flips[district_id]["oldest_at"] if district_id in flips else None,
            channels=tuple(channels.get(district_id, ())),
        )
        for district_id in days.keys() | flips.keys() | channels.keys()
    }
