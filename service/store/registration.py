"""Finds, or makes, the lines and devices of sightings that are new or say something new of themselves."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import asyncpg

import sql
from collectors import readings
from service.model import identifiers
from service.store import source as sources
from service.store import texts


@dataclass
class Registered:
    """``dropped`` counts rows left out as a whole; other rejections are of an identifier."""

    lines: dict[int, readings.Sighting] = field(default_factory=dict)
    rejected: list[readings.Rejection] = field(default_factory=list)
    dropped: int = 0

    def drop(self, rows: int) -> None:
        reason = "two rows of the vendor's list are the same line"
        self.rejected.extend(readings.Rejection(path="iccid", reason=reason) for _ in range(rows))
        self.dropped += rows


def identity(sighting: readings.Sighting) -> str:
    """A digest of what a sighting says of itself: as long as that stays, its line does.

    A digest, as what a vendor keeps in a field for a serial number may be a child's name.
    """
    told = f"{sighting.mdn}|{sighting.iccid}|{sighting.imei}|{sighting.serial}"
    return hashlib.blake2b(told.encode(), digest_size=12).hexdigest()


async def register(
    connection: asyncpg.Connection,
    source: sources.Source,
    sightings: Sequence[readings.Sighting],
    instant: datetime,
) -> Registered:
    """Inside the caller's transaction; one at a time in a district, as two accounts may show the same SIM."""
    queries = sql.queries()
    registered = Registered()
    district, account = source.district_id, source.account_id
    await connection.execute(queries["lock_registration"], district)
    await connection.execute(queries["stage_sighted"])
    await connection.execute(queries["fill_sighted"], *_columns(sightings, registered))
    await connection.execute(queries["match_lines"], district, account)
    await connection.execute(queries["number_new_lines"])
    registered.drop(await connection.fetchval(queries["drop_repeated_lines"]))
    await connection.execute(queries["insert_new_lines"], district, account, instant)
    await connection.execute(queries["update_lines"], district)
    await _register_devices(connection, district, registered)
    await connection.execute(queries["close_moved_links"], district, instant)
    await connection.execute(queries["open_links"], district, instant)
    await connection.execute(queries["upsert_provider_keys"], district, account)
    by_key = {texts.storable(sighting.provider_key): sighting for sighting in sightings}
    rows = await connection.fetch(queries["sighted_lines"])
    await connection.execute(queries["drop_sighted"])
    registered.lines = {row["line_id"]: by_key[row["provider_key"]] for row in rows}
    return registered


async def _register_devices(connection: asyncpg.Connection, district: int, registered: Registered) -> None:
    queries = sql.queries()
    await connection.execute(queries["match_devices"], district)
    await connection.execute(queries["number_new_devices"])
    await connection.execute(queries["join_devices_of_one_imei"])
    doubtful = await connection.fetchval(queries["leave_out_doubtful_serials"], district)
    reason = "serial left out: another device has it"
    registered.rejected.extend(readings.Rejection(path="serial", reason=reason) for _ in range(doubtful))
    await connection.execute(queries["insert_new_devices"], district)
    await connection.execute(queries["update_devices"], district)


def _columns(sightings: Sequence[readings.Sighting], registered: Registered) -> tuple[list[str | None], ...]:
    def clean(what: str, normalise: Callable[[str], str]) -> list[str | None]:
        return [_normalised(sighting, what, normalise, registered) for sighting in sightings]

    iccids = clean("iccid", identifiers.iccid)
    return (
        [texts.storable(sighting.provider_key) for sighting in sightings],
        [identity(sighting) for sighting in sightings],
        iccids,
        [_forms(sighting, iccid) for sighting, iccid in zip(sightings, iccids, strict=True)],
        clean("mdn", identifiers.mdn),
        clean("imei", identifiers.imei),
        clean("serial", identifiers.serial),
    )


def _forms(sighting: readings.Sighting, iccid: str | None) -> str | None:
    """Every form that the SIM may be stored under, with commas between."""
    if iccid is None or sighting.iccid is None:
        return None
    return ",".join(identifiers.iccid_forms(sighting.iccid))


def _normalised(
    sighting: readings.Sighting, what: str, normalise: Callable[[str], str], registered: Registered
) -> str | None:
    """An identifier in its normal form. One that cannot be one is left out and counted; the row is kept."""
    text = getattr(sighting, what)
    if not text:
        return None
    try:
        return normalise(texts.storable(text))
    except identifiers.Invalid as error:
        registered.rejected.append(readings.Rejection(path=what, reason=f"{what} left out: {error}"))
        return None
