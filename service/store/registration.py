"""Finds, or makes, the lines and devices of sightings that are new or say something new of themselves."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import asyncpg

import sql
from collectors import readings
from service.model import identifiers
from service.store import conflicts, merging, texts
from service.store import source as sources

_PART = 4  # bytes of each digest: 8 characters
_ANYTHING = "_" * 2 * _PART  # LIKE: what is not told may have been anything
_NAMELESS = _ANYTHING * 4


@dataclass
class Registered:
    """``dropped`` counts rows left out as a whole; other rejections are of an identifier."""

    lines: dict[int, readings.Sighting] = field(default_factory=dict)
    rejected: list[readings.Rejection] = field(default_factory=list)
    dropped: int = 0

    def drop(self, rows: int, path: str, reason: str) -> None:
        self.reject(rows, path, reason)
        self.dropped += rows

    def reject(self, rows: int, path: str, reason: str) -> None:
        self.rejected.extend(readings.Rejection(path=path, reason=reason) for _ in range(rows))


def identity(sighting: readings.Sighting) -> str:
    """What a sighting says of itself, as a pattern for what it said before: as long as that fits, its line stays.

    Digests of MDN, ICCID, IMEI and serial number, as what a vendor keeps in a field for a serial number may be a
    child's name.
    """
    return "".join(map(_digest, (sighting.mdn, sighting.iccid, sighting.imei, sighting.serial)))


def _digest(text: str | None) -> str:
    return hashlib.blake2b(text.encode(), digest_size=_PART).hexdigest() if text else _ANYTHING


async def register(
    connection: asyncpg.Connection,
    source: sources.Source,
    sightings: Sequence[readings.Sighting],
    instant: datetime,
) -> Registered:
    """Inside the caller's transaction; one at a time in a district, as two accounts may show the same SIM.

    A sighting that names nothing but a key nobody has seen makes no line: it is dropped.
    """
    registered = Registered()
    named = [sighting for sighting in sightings if identity(sighting) != _NAMELESS]
    unlisted = len(sightings) - len(named)
    registered.drop(unlisted, "provider_key", "a reading of a line that the account has not listed yet")
    if named:
        await _register(connection, source, named, instant, registered)
    return registered


async def _register(
    connection: asyncpg.Connection,
    source: sources.Source,
    sightings: Sequence[readings.Sighting],
    instant: datetime,
    registered: Registered,
) -> None:
    queries = sql.queries()
    await connection.execute(queries["lock_registration"], source.district_id)
    await connection.execute(queries["stage_sighted"])
    await connection.execute(queries["fill_sighted"], *_columns(sightings, registered))
    await connection.execute(queries["analyze_sighted"])
    await _find_lines(connection, source)
    await _drop_repeated(connection, registered)
    await _find_devices(connection, source)
    await merging.merge(connection, source, instant)
    await _drop_repeated(connection, registered)
    await _write(connection, source, instant, registered)
    await conflicts.look_for(connection, source, instant)
    rows = await connection.fetch(queries["sighted_lines"])
    await connection.execute(queries["drop_sighted"])
    by_key = {texts.storable(sighting.provider_key): sighting for sighting in sightings}
    registered.lines = {row["line_id"]: by_key[row["provider_key"]] for row in rows}


async def _find_lines(connection: asyncpg.Connection, source: sources.Source) -> None:
    queries = sql.queries()
    key = source.district_id, source.account_id
    await connection.execute(queries["match_lines"], *key)
    await connection.execute(queries["match_lines_by_device"], *key)
    await connection.execute(queries["number_new_lines"])


async def _drop_repeated(connection: asyncpg.Connection, registered: Registered) -> None:
    repeated = await connection.fetchval(sql.queries()["drop_repeated_lines"])
    registered.drop(repeated, "iccid", "two rows of the vendor's list are the same line")


async def _find_devices(connection: asyncpg.Connection, source: sources.Source) -> None:
    queries = sql.queries()
    await connection.execute(queries["match_devices"], source.district_id, source.account_id)
    await connection.execute(queries["part_devices_of_two_imeis"])
    await connection.execute(queries["number_new_devices"])
    await connection.execute(queries["join_devices_of_one_imei"])
    await connection.execute(queries["insert_new_devices"], source.district_id)


async def _write(
    connection: asyncpg.Connection, source: sources.Source, instant: datetime, registered: Registered
) -> None:
    """What the sightings say of their lines and devices, and of which line is in which device."""
    queries = sql.queries()
    district, account = source.district_id, source.account_id
    await connection.execute(queries["insert_new_lines"], district, account, instant)
    await connection.execute(queries["follow_numbers"], district, account)
    await connection.execute(queries["update_lines"], district)
    doubtful = await connection.fetchval(queries["leave_out_doubtful_serials"], district)
    registered.reject(doubtful, "serial", "serial left out: another device has it")
    await connection.execute(queries["update_devices"], district)
    await connection.execute(queries["upsert_provider_keys"], district, account)
    await connection.execute(queries["close_moved_links"], district, account, instant)
    await connection.execute(queries["open_links"], district, instant)


def _columns(sightings: Sequence[readings.Sighting], registered: Registered) -> tuple[list[str | None], ...]:
    def clean(what: str, normalise: Callable[[str], str]) -> list[str | None]:
        return [_normalised(sighting, what, normalise, registered) for sighting in sightings]

    iccids = clean("iccid", identifiers.iccid)
    return (
        [texts.storable(sighting.provider_key) for sighting in sightings],
        [identity(sighting).replace("_", "-") for sighting in sightings],
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
