"""One figure for each day of a device, where several sources tell one."""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, timedelta

from collectors import readings, vocabulary
from collectors.thingspace import rows

INTERVAL, DAY = readings.UsageKind.INTERVAL, readings.UsageSeries.DAY


class Sources:
    """Which source's word is taken for a day: the first of those configured, then any other."""

    def __init__(self, preferred: Sequence[str]) -> None:
        self._ranks = {vocabulary.fold(source): rank for rank, source in enumerate(preferred)}

    def days(self, told: Iterable[rows.Use], unmapped: dict[str, int]) -> tuple[readings.Usage, ...]:
        """A reading for each day, never the sum of two sources. Sources that are not configured are counted.

        Of one source's rows for a day, and of sources that are not configured, the one with the most bytes is
        taken: feeds that count messages tell 0 bytes of the same day.
        """
        largest: dict[tuple[date, str], rows.Use] = {}
        for use in told:
            key = (use.timestamp.date(), vocabulary.fold(use.source or ""))
            if key not in largest or use.bytes_used > largest[key].bytes_used:
                largest[key] = use
        self._count_unknown(largest, unmapped)
        chosen: dict[date, tuple[int, int, str]] = {}
        for (on, source), use in largest.items():
            rank = (self._ranks.get(source, len(self._ranks)), -use.bytes_used, source)
            chosen[on] = min(chosen.get(on, rank), rank)
        return tuple(_reading(largest[on, source]) for on, (_, _, source) in sorted(chosen.items()))

    def _count_unknown(self, told: dict[tuple[date, str], rows.Use], unmapped: dict[str, int]) -> None:
        for (_, source), use in told.items():
            if source not in self._ranks:
                word = (use.source or "").strip()[: vocabulary.RAW_STATUS_CHARACTERS] or "not told"
                unmapped[f"usage source: {word}"] = unmapped.get(f"usage source: {word}", 0) + 1


def _reading(use: rows.Use) -> readings.Usage:
    starts_at = use.timestamp.astimezone(UTC)
    return readings.Usage(INTERVAL, DAY, starts_at, use.bytes_used, starts_at + timedelta(days=1))
