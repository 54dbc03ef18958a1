"""Raw readings into their tables: COPY straight in; a batch with a duplicate again, through a temporary table."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

import asyncpg

import sql
from collectors import readings
from service.store import source as sources

_NULL = r"\N"
_Heading = tuple[readings.UsageKind, readings.UsageSeries, datetime, datetime | None]
_FLAGS = {None: _NULL, True: "t", False: "f"}
_KEY_COLUMNS = 6  # of every readings table: district, line, account, kind, series, instant


@dataclass
class Rows:
    """Lines of PostgreSQL's COPY text format, by table: far cheaper to make than values encoded one by one."""

    usage: list[str]
    states: list[str]
    signals: list[str]
    sessions: list[str]

    def __len__(self) -> int:
        return len(self.usage) + len(self.states) + len(self.signals) + len(self.sessions)


class Builder:
    """Turns the readings of one source into rows.

    The rows of a list are alike but for the line and the bytes: what they share is formatted once.
    """

    def __init__(self, source: sources.Source) -> None:
        self.rows = Rows([], [], [], [])
        self._before = f"{source.district_id}\t"
        self._account = f"\t{source.account_id}\t"
        self._usage_heads: dict[int, tuple[_Heading, str]] = {}  # by place within a sighting
        self._state_tails: dict[
            int, tuple[readings.State, str]
        ] = {}  # by identity; kept, so that it stays one

    def add(self, line_id: int, sighting: readings.Sighting) -> None:
        start = f"{self._before}{line_id}{self._account}"
        heads = self._usage_heads
        for place, usage in enumerate(sighting.usage):
            heading = (usage.kind, usage.series, usage.starts_at, usage.ends_at)
            known = heads.get(place)
            if known is None or known[0] != heading:
                known = heads[place] = (heading, _usage_head(heading))
            self.rows.usage.append(f"{start}{known[1]}{usage.total_bytes}\n")
        for state in sighting.states:
            tail = self._state_tails.get(id(state))
            if tail is None:
                tail = self._state_tails[id(state)] = (state, _state_tail(state))
            self.rows.states.append(f"{start}{tail[1]}")
        for signal in sighting.signals:
            self.rows.signals.append(f"{start}{_signal_tail(signal)}")
        for session in sighting.sessions:
            self.rows.sessions.append(f"{start}{_session_tail(session)}")


def _usage_head(heading: _Heading) -> str:
    kind, series, starts_at, ends_at = heading
    until = _NULL if ends_at is None else ends_at.isoformat()
    return f"{kind}\t{series}\t{starts_at.isoformat()}\t{until}\t"


def _state_tail(state: readings.State) -> str:
    status, by = state.status or _NULL, state.suspended_by or _NULL
    flags = f"{_FLAGS[state.is_online]}\t{_FLAGS[state.is_limit_reached]}"
    return f"sample\tline\t{state.starts_at.isoformat()}\t{status}\t{by}\t{flags}\n"


def _signal_tail(signal: readings.Signal) -> str:
    values = "\t".join(map(_number, (signal.rsrp_dbm, signal.rsrq_db, signal.sinr_db)))
    return f"sample\tmodem\t{signal.starts_at.isoformat()}\t{values}\n"


def _session_tail(session: readings.Session) -> str:
    until = _NULL if session.ends_at is None else session.ends_at.isoformat()
    return f"session\tconnection\t{session.starts_at.isoformat()}\t{until}\n"


def _number(value: float | None) -> str:
    return _NULL if value is None else repr(value)


async def append(connection: asyncpg.Connection, rows: Rows, *, may_overlap: bool) -> None:
    """Write the rows; what is already there is replaced. Inside the caller's transaction."""
    for table, lines in _tables(rows):
        if may_overlap:
            await _merge(connection, table, lines)
        else:
            await _copy_or_merge(connection, table, lines)


def _tables(rows: Rows) -> Iterable[tuple[str, list[str]]]:
    tables = (
        ("usage_readings", rows.usage),
        ("state_readings", rows.states),
        ("signal_readings", rows.signals),
        ("session_readings", rows.sessions),
    )
    return ((table, lines) for table, lines in tables if lines)


async def _copy_or_merge(connection: asyncpg.Connection, table: str, lines: list[str]) -> None:
    try:
        async with connection.transaction():
            await _copy(connection, table, lines)
    except asyncpg.UniqueViolationError:
        await _merge(connection, table, lines)


async def _merge(connection: asyncpg.Connection, table: str, lines: list[str]) -> None:
    queries = sql.queries()
    await connection.execute(queries[f"stage_{table}"])
    # A row that is there twice is one reading: the later one counts.
    by_key = {tuple(line.split("\t", _KEY_COLUMNS)[:_KEY_COLUMNS]): line for line in lines}
    await _copy(connection, f"staged_{table}", list(by_key.values()))
    await connection.execute(queries[f"merge_{table}"])
    await connection.execute(queries[f"drop_staged_{table}"])


async def _copy(connection: asyncpg.Connection, table: str, lines: list[str]) -> None:
    # In one piece: between the pieces of an iterator the driver waits without a deadline for a connection that
    # may be gone. A bytearray, as bytes are taken for a path.
    await connection.copy_to_table(table, source=bytearray("".join(lines).encode()), format="text")


async def ensure_partitions(connection: asyncpg.Connection, first_on: date, last_on: date) -> int:
    """Make the monthly partitions that hold these days; returns how many were missing."""
    made: int = await connection.fetchval(sql.queries()["ensure_partitions"], first_on, last_on)
    return made
