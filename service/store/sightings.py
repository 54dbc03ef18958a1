"""A batch of sightings into rows: which line each is, what it says of itself, its readings, its latest state."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import asyncpg

import sql
from collectors import readings
from service.model import identifiers
from service.store import readings as reading_rows
from service.store import source as sources
from service.store import texts


@dataclass
class Stored:
    """What a batch came to. ``lines`` counts those that this sweep had not seen before."""

    rows: int = 0
    lines: int = 0
    rejected: list[readings.Rejection] = field(default_factory=list)
    away: list[tuple[int, datetime]] = field(default_factory=list)


async def store(
    connection: asyncpg.Connection,
    source: sources.Source,
    sightings: Sequence[readings.Sighting],
    *,
    instant: datetime,
    away_before: datetime,
    may_overlap: bool = False,
) -> Stored:
    """Write a batch inside the caller's transaction. A line that this instant has been stored for is skipped.

    ``away_before``: lines that were last read before it are returned in ``away``, with that instant.
    """
    stored = Stored()
    unique = list({sighting.provider_key: sighting for sighting in sightings}.values())
    if not unique:
        return stored
    fresh = await _fresh(connection, source, unique, instant, away_before, stored)
    builder = reading_rows.Builder(source)
    for line_id, sighting in fresh.items():
        builder.add(line_id, sighting)
    await reading_rows.append(connection, builder.rows, may_overlap=may_overlap)
    await _upsert_latest(connection, source, fresh, instant)
    stored.rows = len(builder.rows) + len(fresh)
    stored.lines = len(fresh)
    return stored


async def _fresh(
    connection: asyncpg.Connection,
    source: sources.Source,
    sightings: list[readings.Sighting],
    instant: datetime,
    away_before: datetime,
    stored: Stored,
) -> dict[int, readings.Sighting]:
    """The sightings that this instant has not been stored for, by line; registers lines that are new."""
    found = await _look_up(connection, source, sightings, instant, away_before)
    fresh: dict[int, readings.Sighting] = {}
    new: list[readings.Sighting] = []
    for sighting, row in zip(sightings, found, strict=True):
        line_id, is_repeat, away_since = row
        if line_id is None:
            new.append(sighting)
        elif not is_repeat:
            fresh[line_id] = sighting
            if away_since is not None:
                stored.away.append((line_id, away_since))
    if new:
        fresh.update(await _register(connection, source, new, instant, stored))
    return fresh


async def _look_up(
    connection: asyncpg.Connection,
    source: sources.Source,
    sightings: list[readings.Sighting],
    instant: datetime,
    away_before: datetime,
) -> list[asyncpg.Record]:
    rows: list[asyncpg.Record] = await connection.fetch(
        sql.queries()["look_up_sighted"],
        source.district_id,
        source.account_id,
        texts.joined(sighting.provider_key for sighting in sightings),
        texts.joined(_identity(sighting) for sighting in sightings),
        instant,
        away_before,
    )
    return rows


def _identity(sighting: readings.Sighting) -> str:
    return f"{sighting.mdn}|{sighting.iccid}|{sighting.imei}|{sighting.serial}"


async def _register(
    connection: asyncpg.Connection,
    source: sources.Source,
    sightings: list[readings.Sighting],
    instant: datetime,
    stored: Stored,
) -> dict[int, readings.Sighting]:
    """Find or make the lines and devices of sightings that are new, or say something new of themselves."""
    queries = sql.queries()
    district, account = source.district_id, source.account_id
    sightings = _without_repeated_sims(sightings, stored)
    await connection.execute(queries["stage_sighted"])
    await connection.execute(queries["fill_sighted"], *_columns(sightings, stored))
    await connection.execute(queries["match_lines"], district, account)
    await connection.execute(queries["number_new_lines"])
    await _drop_repeated_lines(connection, stored)
    await connection.execute(queries["insert_new_lines"], district, account, instant)
    await connection.execute(queries["update_lines"], district)
    await connection.execute(queries["match_devices"], district)
    await connection.execute(queries["number_new_devices"])
    await connection.execute(queries["insert_new_devices"], district)
    await connection.execute(queries["update_devices"], district)
    await connection.execute(queries["close_moved_links"], district, instant)
    await connection.execute(queries["open_links"], district, instant)
    await connection.execute(queries["upsert_provider_keys"], district, account)
    by_key = {sighting.provider_key: sighting for sighting in sightings}
    rows = await connection.fetch(queries["sighted_lines"])
    await connection.execute(queries["drop_sighted"])
    return {row["line_id"]: by_key[row["provider_key"]] for row in rows}


def _columns(sightings: list[readings.Sighting], stored: Stored) -> tuple[list[str | None], ...]:
    def clean(what: str, normalise: Callable[[str], str]) -> list[str | None]:
        return [_normalised(sighting, what, normalise, stored) for sighting in sightings]

    return (
        [sighting.provider_key for sighting in sightings],
        [_identity(sighting) for sighting in sightings],
        clean("iccid", identifiers.iccid),
        clean("mdn", identifiers.mdn),
        clean("imei", identifiers.imei),
        clean("serial", identifiers.serial),
    )


def _normalised(
    sighting: readings.Sighting, what: str, normalise: Callable[[str], str], stored: Stored
) -> str | None:
    """An identifier in its normal form. One that cannot be one is left out and counted; the row is kept."""
    text = getattr(sighting, what)
    if not text:
        return None
    try:
        return normalise(text)
    except identifiers.Invalid as error:
        stored.rejected.append(readings.Rejection(path=what, reason=f"{what} left out: {error}"))
        return None


def _without_repeated_sims(sightings: list[readings.Sighting], stored: Stored) -> list[readings.Sighting]:
    by_sim: dict[str, readings.Sighting] = {}
    for sighting in sightings:
        sim = sighting.iccid or f"key {sighting.provider_key}"
        if sim in by_sim:
            stored.rejected.append(_same_line())
        else:
            by_sim[sim] = sighting
    return list(by_sim.values())


async def _drop_repeated_lines(connection: asyncpg.Connection, stored: Stored) -> None:
    keys = [row["provider_key"] for row in await connection.fetch(sql.queries()["repeated_lines"])]
    if keys:
        stored.rejected.extend(_same_line() for _ in keys)
        await connection.execute(sql.queries()["drop_repeated_lines"], keys)


def _same_line() -> readings.Rejection:
    return readings.Rejection(path="iccid", reason="two rows of the vendor's list are the same line")


async def _upsert_latest(
    connection: asyncpg.Connection,
    source: sources.Source,
    fresh: dict[int, readings.Sighting],
    instant: datetime,
) -> None:
    if not fresh:
        return
    seen = list(fresh.values())
    states = [sighting.states[-1] if sighting.states else None for sighting in seen]
    await connection.execute(
        sql.queries()["upsert_latest_states"],
        source.district_id,
        source.account_id,
        instant,
        texts.joined(fresh),
        texts.joined(state and state.status for state in states),
        texts.joined(state and state.raw_status for state in states),
        texts.joined(state and state.suspended_by for state in states),
        texts.joined(state.is_online if state else None for state in states),
        texts.joined(sighting.day_limit_bytes for sighting in seen),
        texts.joined(sighting.cycle_limit_bytes for sighting in seen),
        texts.joined(sighting.group_key for sighting in seen),
    )


async def store_groups(
    connection: asyncpg.Connection, source: sources.Source, groups: Sequence[readings.Group]
) -> None:
    if groups:
        await connection.execute(
            sql.queries()["upsert_groups"],
            source.district_id,
            source.account_id,
            [group.group_key for group in groups],
            [group.parent_key for group in groups],
        )


async def close_replaced(connection: asyncpg.Connection, source: sources.Source, instant: datetime) -> None:
    """After a whole sweep: date the swaps of lines that another line has replaced in their device."""
    await connection.execute(
        sql.queries()["close_replaced_links"], source.district_id, source.account_id, instant
    )
