"""What the stand-ins of the described platforms show: lines, and how much they used."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta


@dataclass(frozen=True, kw_only=True)
class Line:
    """One line. ``texts`` is what customers write into names, labels and tags: it must never be read.

    ``status`` is the platform's own word. ``data_limit`` and ``cycle_used`` are number and unit, as text.
    """

    number: int
    iccid: str
    imei: str | None = None
    msisdn: str | None = None
    status: str
    is_online: bool | None = None
    changed_at_ms: int = 0  # when its session began or ended
    cycle_used: tuple[str, str] = ("0", "B")
    data_limit: tuple[str, str] | None = None
    days: Mapping[date, int] = field(default_factory=dict)  # bytes
    texts: Mapping[str, str] = field(default_factory=dict)

    def text(self, name: str) -> str:
        return self.texts.get(name, "free text")


def last_days(instant: datetime, count: int, used: int) -> dict[date, int]:
    """The same use on each of so many days, up to the day of the instant."""
    return {instant.date() - timedelta(days=back): used for back in range(count)}
