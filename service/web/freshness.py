"""How fresh a source is, in words."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from service.store import coverage
from service.web import words

GRACE = timedelta(hours=2)  # beyond the cadence, before a source is called late


@dataclass(frozen=True, slots=True)
class Freshness:
    """``mood`` is good, bad or plain: how the page colours the label."""

    mood: str
    label: str
    sentence: str


def of(source: coverage.Source, district: coverage.District, now: datetime) -> Freshness:
    """Failing comes before late: it says why."""
    if source.is_file:
        return Freshness("plain", "By file", "Fed by imports; nothing is polled.")
    if source.last_attempt_at is None:
        return Freshness("plain", "Not read yet", "No poll has been made yet.")
    if source.failing_since_at is not None:
        return Freshness("bad", "Failing", _failing(source, source.failing_since_at, district, now))
    if source.last_success_at is None:
        return Freshness("plain", "Not read yet", "The first poll has not ended yet.")
    sentence = f"Read {words.ago(source.last_success_at, now)}."
    if now - source.last_success_at > source.every + GRACE:
        return Freshness("bad", "Late", f"{sentence} It should be read every {every(source.every)}.")
    return Freshness("good", "Fresh", sentence)


def _failing(source: coverage.Source, since: datetime, district: coverage.District, now: datetime) -> str:
    began = f"Failing since {words.clock(since, district.time_zone)}"
    if source.last_success_at is None:
        return f"{began}. It has never been read in full."
    return f"{began}. Last read in full {words.ago(source.last_success_at, now)}."


def every(cadence: timedelta) -> str:
    """``hour``, ``6 hours``: what comes after "every"."""
    text = words.duration(cadence)
    return text.removeprefix("1 ") if text.startswith("1 ") else text


def unread(source: coverage.Source) -> timedelta:
    """How long nothing was read, over all gaps; gaps of several endpoint groups at once count once."""
    total, reached = timedelta(), None
    for gap in sorted(source.gaps, key=lambda gap: gap.starts_at):
        starts_at = gap.starts_at if reached is None else max(gap.starts_at, reached)
        total += max(timedelta(), gap.ends_at - starts_at)
        reached = gap.ends_at if reached is None else max(reached, gap.ends_at)
    return total
