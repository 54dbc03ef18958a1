"""What the dates of a device's last session say of it."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from collectors import errors, readings

AHEAD = timedelta(days=1)  # a date later than this after the sweep's beginning is a fault
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)  # so is one before this: a date that was never set
TOLD_FOR = timedelta(days=365)  # a session that began earlier is history: it only tells the last sight


@dataclass(frozen=True)
class Last:
    """``is_online`` is at the sweep's instant; None where the session began after it."""

    is_online: bool | None
    sessions: tuple[readings.Session, ...] = ()
    seen_at: datetime | None = None


def last(started: str | None, ended: str | None, instant: datetime) -> Last:
    """Read the two dates as the vendor writes them. Raises ResponseInvalid where they cannot be."""
    begin, end = moment(started, instant), moment(ended, instant)
    if begin is None:
        return Last(False if end is None or end <= instant else None, seen_at=end)
    if end is not None and end < begin:
        raise errors.ResponseInvalid("the session ends before it begins")
    told = (readings.Session(begin, end),) if begin > instant - TOLD_FOR else ()
    # One that goes on was last seen at the present, which is the sweep's instant or the session's own beginning.
    return Last(_is_online(begin, end, instant), told, end or max(begin, instant))


def _is_online(begin: datetime, end: datetime | None, instant: datetime) -> bool | None:
    if begin > instant:
        return None
    return end is None or end > instant


def moment(text: str | None, instant: datetime) -> datetime | None:
    """Read a date such as 2016-06-29 00:21:33.339+0000. Raises ResponseInvalid: not one, or one that cannot be."""
    if (written := told(text)) is None:
        return None
    try:
        at = datetime.fromisoformat(written)
        read = at.astimezone(UTC) if at.tzinfo else None
    except (ValueError, OverflowError) as error:
        raise errors.ResponseInvalid("a session's date is not written as documented") from error
    if read is None:
        raise errors.ResponseInvalid("a session's date has no offset from UTC")
    if read > instant + AHEAD:
        raise errors.ResponseInvalid("a session's date is in the future")
    if read < EARLIEST:
        raise errors.ResponseInvalid("a session's date is too long ago to be one")
    return read


def told(text: str | None) -> str | None:
    """Trim; the vendor's documentation itself shows the word null where a null is meant."""
    trimmed = (text or "").strip()
    return None if trimmed in ("", "null") else trimmed
