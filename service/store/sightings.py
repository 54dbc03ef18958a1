"""A batch of sightings into rows: which line each is, what it says of itself, its readings, its latest state."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import asyncpg
import msgspec

import sql
from collectors import readings
from service.store import conflicts, registration, texts
from service.store import readings as reading_rows
from service.store import source as sources

LONGEST_DIFFERENCE = timedelta(hours=36)  # of two counters that still goes to one day


@dataclass
class Stored:
    """What a batch came to. ``lines`` counts those that this sweep had not seen before."""

    rows: int = 0
    lines: int = 0
    repeated: int = 0
    dropped: int = 0  # rows left out as a whole; other rejections are of an identifier, and the row is kept
    rejected: list[readings.Rejection] = field(default_factory=list)
    away: list[tuple[int, datetime]] = field(default_factory=list)


async def store(
    connection: asyncpg.Connection,
    source: sources.Source,
    sightings: Sequence[readings.Sighting],
    *,
    instant: datetime,
    may_overlap: bool = False,
    lists_lines: bool = True,
) -> Stored:
    """Write a batch inside the caller's transaction. A line that this instant has been stored for is skipped.

    ``lists_lines``: the sweep tells of every line what it is like now; else it adds to what another tells.
    Lines that were last read longer ago than the longest difference are returned in ``away``, with that instant.
    """
    stored = Stored()
    unique = _one_of_each(sightings, may_overlap=may_overlap)
    if not unique:
        return stored
    skips_repeats = lists_lines and not may_overlap
    fresh = await _fresh(connection, source, unique, instant, stored, skips_repeats=skips_repeats)
    builder = reading_rows.Builder(source)
    for line_id, sighting in fresh.items():
        builder.add(line_id, sighting)
    await reading_rows.append(connection, builder.rows, may_overlap=may_overlap)
    if lists_lines:
        await _upsert_latest(connection, source, fresh, instant)
    else:
        await _note_latest(connection, source, fresh, instant)
    await _set_kinds(connection, source, fresh)
    stored.rows = len(builder.rows) + len(fresh)
    stored.lines = len(fresh) - stored.repeated
    return stored


def _one_of_each(sightings: Sequence[readings.Sighting], *, may_overlap: bool) -> list[readings.Sighting]:
    """One sighting a line. In a snapshot, one that is listed twice counts as it came first: with the key of its own
    group, not of the parent. Where rows may overlap each tells of a time of its own, and all are kept."""
    found: dict[str, readings.Sighting] = {}
    for sighting in sightings:
        known = found.setdefault(sighting.provider_key, sighting)
        if may_overlap and known is not sighting:
            found[sighting.provider_key] = _together(known, sighting)
    return list(found.values())


def _together(first: readings.Sighting, later: readings.Sighting) -> readings.Sighting:
    return msgspec.structs.replace(
        first,
        mdn=first.mdn or later.mdn,
        iccid=first.iccid or later.iccid,
        imei=first.imei or later.imei,
        serial=first.serial or later.serial,
        usage=first.usage + later.usage,
        states=first.states + later.states,
        signals=first.signals + later.signals,
        sessions=first.sessions + later.sessions,
        last_seen_at=later.last_seen_at or first.last_seen_at,
        last_seen_by=later.last_seen_by or first.last_seen_by,
    )


async def _fresh(
    connection: asyncpg.Connection,
    source: sources.Source,
    sightings: list[readings.Sighting],
    instant: datetime,
    stored: Stored,
    *,
    skips_repeats: bool,
) -> dict[int, readings.Sighting]:
    """The sightings to store, by line; registers lines that are new. A repeat may correct where rows may overlap."""
    found = await _look_up(connection, source, sightings, instant)
    fresh: dict[int, readings.Sighting] = {}
    new: list[readings.Sighting] = []
    for sighting, row in zip(sightings, found, strict=True):
        line_id, is_repeat, away_since = row
        if line_id is None:
            new.append(sighting)
        elif not (is_repeat and skips_repeats):
            fresh[line_id] = sighting
            stored.repeated += is_repeat
            if away_since is not None:
                stored.away.append((line_id, away_since))
    if new:
        registered = await registration.register(connection, source, new, instant)
        fresh.update(registered.lines)
        stored.rejected += registered.rejected
        stored.dropped += registered.dropped
    return fresh


async def _look_up(
    connection: asyncpg.Connection,
    source: sources.Source,
    sightings: list[readings.Sighting],
    instant: datetime,
) -> list[asyncpg.Record]:
    rows: list[asyncpg.Record] = await connection.fetch(
        sql.queries()["look_up_sighted"],
        source.district_id,
        source.account_id,
        texts.joined(sighting.provider_key for sighting in sightings),
        texts.joined(registration.identity(sighting) for sighting in sightings),
        instant,
        instant - LONGEST_DIFFERENCE,
    )
    return rows


async def _upsert_latest(
    connection: asyncpg.Connection,
    source: sources.Source,
    fresh: dict[int, readings.Sighting],
    instant: datetime,
) -> None:
    if not fresh:
        return
    seen = list(fresh.values())
    await connection.execute(
        sql.queries()["upsert_latest_states"],
        source.district_id,
        source.account_id,
        instant,
        *_told(fresh),
        texts.joined(sighting.day_limit_bytes for sighting in seen),
        texts.joined(sighting.cycle_limit_bytes for sighting in seen),
        texts.joined(sighting.group_key for sighting in seen),
        texts.joined(sighting.states[-1].is_filtered if sighting.states else None for sighting in seen),
    )


async def _note_latest(
    connection: asyncpg.Connection,
    source: sources.Source,
    fresh: dict[int, readings.Sighting],
    instant: datetime,
) -> None:
    telling = {line_id: _of_now(sighting, instant) for line_id, sighting in fresh.items()}
    telling = {line_id: seen for line_id, seen in telling.items() if seen.states or seen.last_seen_at}
    if telling:
        await connection.execute(
            sql.queries()["note_latest_states"],
            source.district_id,
            source.account_id,
            instant,
            *_told(telling),
        )


def _of_now(sighting: readings.Sighting, instant: datetime) -> readings.Sighting:
    """Samples of the past say nothing of the present."""
    states = tuple(state for state in sighting.states if state.starts_at == instant)
    return msgspec.structs.replace(sighting, states=states)


def _told(fresh: dict[int, readings.Sighting]) -> Sequence[str]:
    """Lines, statuses, raw statuses, suspended by, online, last seen at and by: each one text."""
    seen = list(fresh.values())
    states = [sighting.states[-1] if sighting.states else None for sighting in seen]
    return (
        texts.joined(fresh),
        texts.joined(state and state.status for state in states),
        texts.joined(state and state.raw_status for state in states),
        texts.joined(state and state.suspended_by for state in states),
        texts.joined(state.is_online if state else None for state in states),
        texts.joined(sighting.last_seen_at and sighting.last_seen_at.isoformat() for sighting in seen),
        texts.joined(sighting.last_seen_by for sighting in seen),
    )


async def _set_kinds(
    connection: asyncpg.Connection, source: sources.Source, fresh: dict[int, readings.Sighting]
) -> None:
    kinds = {line_id: sighting.device_kind for line_id, sighting in fresh.items() if sighting.device_kind}
    if kinds:
        await connection.execute(
            sql.queries()["set_device_kinds"], source.district_id, list(kinds), list(kinds.values())
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
    await conflicts.settle(connection, source, instant)
