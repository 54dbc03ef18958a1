"""Lines and devices that turn out to be one: what was stored of each goes to the one that stays."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

import asyncpg

import sql
from service.store import source as sources

_AHEAD = timedelta(days=2)  # no zone's day is later
_AT_ONCE = 100  # lines: each is looked up by itself, among all the readings there are
_Pair = tuple[int, int]  # the one that goes, and the one that stays

_TABLES = (
    "usage_readings",
    "state_readings",
    "signal_readings",
    "session_readings",
    "usage_spans",
    "latest_states",
)


async def merge(connection: asyncpg.Connection, source: sources.Source, instant: datetime) -> None:
    """Merge what the staged sightings show to be one.

    Nothing is lost: readings, days, keys, loans and links move. Nothing is counted twice: what both were told
    of at one instant by one account is kept once.
    """
    queries = sql.queries()
    rows = await connection.fetch(queries["same_lines"], source.district_id, source.account_id)
    lines = _unchained([(row["line_id"], row["into_id"]) for row in rows])
    await connection.execute(queries["join_by_hashes"])
    rows = await connection.fetch(queries["same_devices"], source.district_id, *_columns(lines))
    await connection.execute(queries["join_as_planned"])
    devices = [(row["device_id"], row["into_id"]) for row in rows]
    if devices:
        await _merge_devices(connection, source.district_id, devices)
    for some in _one_each(lines):
        await _merge_lines(connection, source.district_id, some, instant)
    if devices:
        stay = sorted({into for _, into in devices})
        await connection.execute(queries["mark_joined_devices"], source.district_id, stay)


async def _merge_devices(connection: asyncpg.Connection, district_id: int, pairs: Sequence[_Pair]) -> None:
    for name in ("move_devices", "drop_same_devices"):
        await connection.execute(sql.queries()[name], district_id, *_columns(pairs))


async def _merge_lines(
    connection: asyncpg.Connection, district_id: int, pairs: Sequence[_Pair], instant: datetime
) -> None:
    queries = sql.queries()
    gone, stay = _columns(pairs)
    await connection.execute(queries["lock_same_lines"], district_id, gone)
    for table in _TABLES:
        await connection.execute(queries[f"drop_repeated_{table}"], district_id, gone, stay)
        await connection.execute(queries[f"move_{table}"], district_id, gone, stay)
    for name in ("move_line_keys", "move_line_conflicts", "move_links"):
        await connection.execute(queries[name], district_id, gone, stay)
    await connection.execute(queries["move_sighted_lines"], gone, stay)
    await connection.execute(queries["join_by_lookups"])
    await connection.execute(queries["move_line_days"], district_id, gone, stay, (instant + _AHEAD).date())
    await connection.execute(queries["join_as_planned"])
    await connection.execute(queries["drop_same_lines"], district_id, gone, stay)


def _columns(pairs: Sequence[_Pair]) -> tuple[list[int], list[int]]:
    return [gone for gone, _ in pairs], [stays for _, stays in pairs]


def _unchained(pairs: Sequence[_Pair]) -> list[_Pair]:
    """Without those whose other is to go as well: they stay as they are."""
    gone = {line for line, _ in pairs}
    return [pair for pair in pairs if pair[1] not in gone]


def _one_each(pairs: Sequence[_Pair]) -> Iterator[list[_Pair]]:
    """In parts, each with one that goes for every one that stays: two that tell the same would collide."""
    left = list(pairs)
    while left:
        some = {stays: (gone, stays) for gone, stays in left[:_AT_ONCE]}
        yield list(some.values())
        left = [pair for pair in left if some.get(pair[1]) != pair]
