"""Days (or hours) without a record, told as 0 where the district says that absence means it."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from collectors import readings
from collectors.super_sim import windows

SIMS_A_PAGE = 200


class Told:
    """Which days (or hours) of a window each SIM has a record of: a number of one bit for each."""

    def __init__(self, window: windows.Window, step: timedelta, series: readings.UsageSeries) -> None:
        self._window = window
        self._step = step
        self._series = series
        self._bits: dict[str, int] = {}

    def note(self, sightings: Sequence[readings.Sighting]) -> None:
        for sighting in sightings:
            bits = self._bits.get(sighting.provider_key, 0)
            for usage in sighting.usage:
                bits |= self._covered(usage)
            self._bits[sighting.provider_key] = bits

    def pages(self, created: Mapping[str, datetime]) -> Iterator[list[readings.Sighting]]:
        """A known 0 for what is over and has no record, for every SIM since it was created."""
        closed = self._closed()
        page: list[readings.Sighting] = []
        for sid, since in created.items():
            bits = self._bits.get(sid, 0)
            absent = tuple(
                zero for place, zero in enumerate(closed) if not bits >> place & 1 and zero.starts_at >= since
            )
            if absent:
                page.append(readings.Sighting(sid, usage=absent))
            if len(page) == SIMS_A_PAGE:
                yield page
                page = []
        if page:
            yield page

    def _covered(self, usage: readings.Usage) -> int:
        """The bits of what a record touches. Where its bounds are not ours it touches two."""
        first = (usage.starts_at - self._window.starts_at) // self._step
        ends_at = usage.ends_at or usage.starts_at + self._step
        after = -((self._window.starts_at - ends_at) // self._step)
        return sum(1 << place for place in range(max(first, 0), after))

    def _closed(self) -> list[readings.Usage]:
        """A 0 for each day (or hour) of the window that is over; SIMs share them."""
        count = (self._window.ends_at - self._window.starts_at) // self._step
        starts = [self._window.starts_at + place * self._step for place in range(count)]
        return [
            readings.Usage(readings.UsageKind.INTERVAL, self._series, at, 0, at + self._step) for at in starts
        ]
