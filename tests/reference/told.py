"""The rows of what sources tell: usage, states, signal, periods of files, gaps."""

from collections.abc import Iterable
from datetime import datetime

import asyncpg

from tests.reference import days, described
from tests.reference.records import Ids


async def write(
    connection: asyncpg.Connection,
    district_id: int,
    ids: Ids,
    district: described.District,
    since: datetime,
    until: datetime,
) -> None:
    """All that was told after ``since``, up to ``until``."""
    usage = [use for use in district.usage if since < use.told_at <= until]
    states = [state for state in district.states if since < state.told_at <= until]
    signals = [signal for signal in district.signals if since < signal.told_at <= until]
    spans = [span for span in district.spans if since < span.told_at <= until]
    gaps = [gap for gap in district.gaps if since < gap.ends_at <= until]
    await _write_usage(connection, district_id, ids, usage)
    await _write_states(connection, district_id, ids, district, states)
    await _write_signals(connection, district_id, ids, signals)
    await _write_spans(connection, district_id, ids, district, spans)
    await connection.executemany(
        "INSERT INTO poll_gaps VALUES ($1, $2, 'devices', $3, $4)",
        [(district_id, ids.accounts[gap.account], gap.starts_at, gap.ends_at) for gap in gaps],
    )


async def _write_usage(
    connection: asyncpg.Connection, district_id: int, ids: Ids, usage: Iterable[described.Usage]
) -> None:
    await connection.executemany(
        "INSERT INTO usage_readings VALUES ($1, $2, $3, $4::reading_kind, $5::reading_series, $6, $7, $8)"
        " ON CONFLICT (district_id, line_id, account_id, kind, series, starts_at)"
        " DO UPDATE SET ends_at = excluded.ends_at, total_bytes = excluded.total_bytes",
        [
            (
                district_id,
                ids.lines[use.line],
                ids.accounts[use.account],
                use.kind,
                use.series,
                use.starts_at,
                use.ends_at,
                use.total_bytes,
            )
            for use in sorted(usage, key=lambda use: use.told_at)
        ],
    )


async def _write_states(
    connection: asyncpg.Connection,
    district_id: int,
    ids: Ids,
    district: described.District,
    states: Iterable[described.State],
) -> None:
    limits = {(limit.line, limit.account): limit for limit in district.limits}
    ordered = sorted(states, key=lambda state: state.at)
    rows = [
        (
            district_id,
            ids.lines[state.line],
            ids.accounts[state.account],
            state.at,
            state.status,
            state.suspended_by,
            state.is_online,
        )
        for state in ordered
    ]
    await connection.executemany(
        "INSERT INTO state_readings VALUES"
        " ($1, $2, $3, 'sample', 'line', $4, $5::line_status, $6::suspended_by, $7)",
        rows,
    )
    latest = {(state.line, state.account): row for state, row in zip(ordered, rows, strict=True)}
    await connection.executemany(
        "INSERT INTO latest_states AS o VALUES"
        " ($1, $2, $3, $4, $5::line_status, $5::text, $6::suspended_by, $7, $8, $9)"
        " ON CONFLICT (district_id, account_id, line_id) DO UPDATE SET read_at = excluded.read_at,"
        " status = excluded.status, suspended_by = excluded.suspended_by, is_online = excluded.is_online"
        " WHERE o.read_at <= excluded.read_at",
        [(*row, *_limits(limits.get(key))) for key, row in latest.items()],
    )


def _limits(limit: described.Limit | None) -> tuple[int | None, int | None]:
    return (limit.day_bytes, limit.cycle_bytes) if limit else (None, None)


async def _write_signals(
    connection: asyncpg.Connection, district_id: int, ids: Ids, signals: Iterable[described.Signal]
) -> None:
    await connection.executemany(
        "INSERT INTO signal_readings VALUES ($1, $2, $3, 'sample', 'modem', $4, $5)",
        [
            (district_id, ids.lines[signal.line], ids.accounts[signal.account], signal.at, signal.rsrp_dbm)
            for signal in signals
        ],
    )


async def _write_spans(
    connection: asyncpg.Connection,
    district_id: int,
    ids: Ids,
    district: described.District,
    spans: Iterable[described.FileSpan],
) -> None:
    await connection.executemany(
        "INSERT INTO usage_spans VALUES ($1, $2, $3, $4, $5, $6, true)",
        [
            (
                district_id,
                ids.lines[span.line],
                ids.accounts[span.account],
                days.start(span.first, district.zone),
                days.start(span.until, district.zone),
                span.total_bytes,
            )
            for span in spans
        ],
    )
