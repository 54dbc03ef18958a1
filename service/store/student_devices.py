"""Students' own devices into rows: beside the fleet of hotspots, never a part of it."""

from collections.abc import Sequence
from datetime import datetime

import asyncpg

import sql
from collectors import readings
from service.store import source as sources
from service.store import texts


async def store(
    connection: asyncpg.Connection,
    source: sources.Source,
    devices: Sequence[readings.StudentDevice],
    instant: datetime,
) -> int:
    """Write what a manager says of its devices, inside the caller's transaction; returns how many rows."""
    if not devices:
        return 0
    # One that a page repeats is told of once more: both may speak of days of their own.
    latest = {texts.storable(device.device_key): device for device in devices}
    await connection.execute(
        sql.queries()["upsert_student_devices"],
        source.district_id,
        source.account_id,
        instant,
        list(latest),
        [device.group_key for device in latest.values()],
        [device.raw_status for device in latest.values()],
        [device.is_in_service for device in latest.values()],
        [device.last_seen_at for device in latest.values()],
        [device.last_seen_by for device in latest.values()],
    )
    return len(latest) + await _store_days(connection, source, devices)


async def _store_days(
    connection: asyncpg.Connection, source: sources.Source, devices: Sequence[readings.StudentDevice]
) -> int:
    active = [
        (device.device_key, day.on, day.active_seconds) for device in devices for day in device.active_days
    ]
    online = [(device.device_key, seen.at, seen.place) for device in devices for seen in device.whereabouts]
    for query, rows in (("upsert_active_days", active), ("upsert_whereabouts", online)):
        if rows:
            keys, whens, whats = zip(*rows, strict=True)
            stored = [texts.storable(key) for key in keys]
            await connection.execute(
                sql.queries()[query], source.district_id, source.account_id, stored, whens, whats
            )
    return len(active) + len(online)
