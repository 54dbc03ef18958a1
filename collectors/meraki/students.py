"""Turns devices of Systems Manager into readings."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from collectors import decoding, readings
from collectors.meraki import parse, rows

INTERVAL, DAY = readings.UsageKind.INTERVAL, readings.UsageSeries.DAY
A_DAY = timedelta(days=1)


def devices(
    found: Sequence[rows.Student], network_id: str, instant: datetime
) -> tuple[list[readings.StudentDevice], list[readings.Rejection]]:
    """Read devices with when Meraki last heard of them; that proves no more."""
    told: list[readings.StudentDevice] = []
    rejected: list[readings.Rejection] = []
    for index, row in enumerate(found):
        try:
            seen_at = last_seen(row.last_connected, instant)
        except ValueError:
            rejected.append(readings.Rejection(f"students[{index}].lastConnected", "no instant that can be"))
            continue
        told.append(
            readings.StudentDevice(
                key(row),
                network_id,
                last_seen_at=seen_at,
                last_seen_by=parse.CLOUD if seen_at else None,
            )
        )
    return told, rejected


def last_seen(told: rows.Number, instant: datetime) -> datetime | None:
    """Seconds since 1970, as a number or as text, or ISO 8601; 0 is never. Raises ValueError.

    The vendor documents no type. Milliseconds lie in the far future, and are refused like it.
    """
    text = str(told if told is not None else "").strip()
    seconds = _seconds(text)
    if seconds == 0:
        return None
    at = parse.moment(text) if seconds is None else datetime.fromtimestamp(seconds, UTC)
    if at is not None and at > instant + A_DAY:
        raise ValueError("in the future")
    return at


def _seconds(text: str) -> float | None:
    try:
        seconds = float(text)
    except ValueError:
        return None
    if not 0 <= seconds < 1e11:
        raise ValueError("no seconds since 1970")
    return seconds


def key(row: rows.Student) -> str:
    return str(row.key).strip()


def has_sim(row: rows.Student) -> bool:
    return decoding.text(row.iccid) is not None


def usage(
    days: Sequence[rows.StudentDay], *, since: datetime, until: datetime, kilobyte_bytes: int
) -> tuple[readings.Usage, ...]:
    """The days that are over by ``until``."""
    return tuple(
        readings.Usage(INTERVAL, DAY, decoding.utc(day.starts_at), total, decoding.utc(day.starts_at) + A_DAY)
        for day in days
        if since <= day.starts_at <= until - A_DAY and (total := _bytes(day, kilobyte_bytes)) is not None
    )


def sighting(row: rows.Student, network_id: str, days: tuple[readings.Usage, ...]) -> readings.Sighting:
    """A device with a SIM of its own: never a home connection."""
    return readings.Sighting(
        f"sm:{key(row)}",
        iccid=decoding.text(row.iccid),
        imei=decoding.text(row.imei),
        serial=decoding.text(row.serial),
        group_key=network_id,
        usage=days,
        device_kind=readings.DeviceKind.LAPTOP,
    )


def _bytes(day: rows.StudentDay, kilobyte_bytes: int) -> int | None:
    """None where either direction is not told: part of a day's bytes would pass for all of them."""
    if day.received is None or day.sent is None:
        return None
    return round((day.received + day.sent) * kilobyte_bytes)
