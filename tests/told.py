"""Sources that tell a district of its lines: each batch is a whole sweep, straight into a real database."""

from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg

from collectors import readings
from service.store import sightings
from service.store import source as sources
from tests import factories

START = datetime(2026, 10, 5, 16, tzinfo=UTC)
HOUR = timedelta(hours=1)

Link = tuple[str | None, str | None, str | None, bool, datetime | None]


def sight(key: str, at: datetime = START, used: int | None = 5, **told: Any) -> readings.Sighting:
    """What a source says of a line: that it is active, and how many bytes it has used in the cycle so far."""
    kind, series = readings.UsageKind.COUNTER, readings.UsageSeries.CYCLE
    usage = () if used is None else (readings.Usage(kind, series, at, used),)
    state = readings.State(at, status=readings.LineStatus.ACTIVE)
    return readings.Sighting(key, usage=usage, states=(state,), **told)


class Fleet:
    """A district, the accounts that tell of it, and what has come of it."""

    def __init__(self, pool: asyncpg.Pool, district_id: int = factories.DISTRICT) -> None:
        self.pool = pool
        self.district_id = district_id
        self._sources: dict[str, sources.Source] = {}

    async def source(self, key: str) -> sources.Source:
        if key not in self._sources:
            rank = 2 if key.startswith("router") else 1
            account = await factories.account(self.pool, key, rank=rank, district_id=self.district_id)
            self._sources[key] = sources.Source(self.district_id, account)
        return self._sources[key]

    async def tell(self, key: str, at: datetime, *seen: readings.Sighting) -> sightings.Stored:
        """A whole sweep of an account."""
        source = await self.source(key)
        async with self.pool.acquire() as connection, connection.transaction():
            stored = await sightings.store(connection, source, seen, instant=at)
            await connection.execute(
                "INSERT INTO watermarks (district_id, account_id, endpoint_group, watermark_at)"
                " VALUES ($1, $2, 'lines', $3) ON CONFLICT (district_id, account_id, endpoint_group)"
                " DO UPDATE SET watermark_at = excluded.watermark_at",
                source.district_id,
                source.account_id,
                at,
            )
            await sightings.close_replaced(connection, source, at)
        return stored

    async def one(self, query: str) -> Any:
        """A single value; the district is $1."""
        return await self.pool.fetchval(query, self.district_id)

    async def rows(self, query: str) -> list[tuple[Any, ...]]:
        return [tuple(row) for row in await self.pool.fetch(query, self.district_id)]

    async def lines(self) -> list[tuple[str | None, str | None]]:
        """(SIM, number)."""
        return await self.rows("SELECT iccid, mdn FROM lines WHERE district_id = $1 ORDER BY iccid, mdn")

    async def devices(self) -> list[tuple[str | None, str | None]]:
        """(IMEI, serial number)."""
        return await self.rows(
            "SELECT imei, serial FROM devices WHERE district_id = $1 ORDER BY imei, serial"
        )

    async def links(self) -> list[Link]:
        """(SIM, IMEI, serial number, whether as far back as anyone knows, until when); those that are over first."""
        return await self.rows(
            "SELECT l.iccid, d.imei, d.serial, k.starts_at = '-infinity', k.ends_at FROM line_device_links AS k"
            " JOIN lines AS l USING (district_id, line_id) JOIN devices AS d USING (district_id, device_id)"
            " WHERE k.district_id = $1 ORDER BY k.ends_at, l.iccid, l.mdn, d.imei"
        )

    async def readings_by_line(self) -> dict[tuple[str | None, str | None], int]:
        """How many usage readings each (SIM, number) has."""
        rows = await self.rows(
            "SELECT l.iccid, l.mdn, count(r.starts_at) FROM lines AS l"
            " LEFT JOIN usage_readings AS r USING (district_id, line_id)"
            " WHERE l.district_id = $1 GROUP BY l.line_id, l.iccid, l.mdn"
        )
        return {(sim, number): count for sim, number, count in rows}

    async def keys(self) -> dict[str, tuple[str | None, str | None]]:
        """The (SIM, number) of every vendor's key."""
        rows = await self.rows(
            "SELECT k.provider_key, l.iccid, l.mdn FROM provider_keys AS k"
            " JOIN lines AS l USING (district_id, line_id) WHERE k.district_id = $1"
        )
        return {key: (sim, number) for key, sim, number in rows}

    async def conflicts(self) -> list[tuple[str, str, str | None, str | None]]:
        """(kind, who claims, against whom, settled as), in the order they were raised."""
        return await self.rows(
            "SELECT c.kind::text, a.account_key, o.account_key, c.settled_as::text FROM conflicts AS c"
            " JOIN accounts AS a USING (district_id, account_id)"
            " LEFT JOIN accounts AS o ON o.district_id = c.district_id AND o.account_id = c.against_account_id"
            " WHERE c.district_id = $1 ORDER BY c.conflict_id"
        )


async def fleet(pool: asyncpg.Pool, district_id: int = factories.DISTRICT) -> Fleet:
    """A district with room for this season's readings."""
    await factories.district(pool, district_id)
    await pool.execute("SELECT ensure_partitions('2026-09-01', '2026-12-01')")
    return Fleet(pool, district_id)
