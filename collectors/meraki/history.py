"""Turns the history of cellular bytes into intervals of lines."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from collectors import decoding, readings
from collectors.meraki import lines, rows
from collectors.meraki import options as meraki_options

INTERVAL = readings.UsageKind.INTERVAL
DAY, PART = readings.UsageSeries.DAY, readings.UsageSeries.PART
A_DAY = timedelta(days=1)


class Histories:
    """Reads the history of gateways whose slots are known."""

    def __init__(self, options: meraki_options.Options) -> None:
        self.interval = timedelta(seconds=options.history_interval_seconds)
        self._series = DAY if self.interval == A_DAY else PART
        self._slots = options.history_slots

    def sightings(
        self, found: Sequence[rows.History], slots: lines.SlotsOf, instant: datetime
    ) -> tuple[list[readings.Sighting], list[readings.Rejection]]:
        """The intervals that are over, by line. An interval of another length than was asked for is no reading."""
        sightings: list[readings.Sighting] = []
        rejected: list[readings.Rejection] = []
        for index, history in enumerate(found):
            of_line = _Lines(
                history.serial, self._slots, {slot.name for slot in slots.get(history.serial, ())}
            )
            for interval in history.intervals or ():
                if interval.ends_at - interval.starts_at != self.interval:
                    of_line.wrong.add("another interval than was asked for")
                elif interval.ends_at <= instant:
                    of_line.add(interval, self._series)
            sightings += of_line.sightings()
            rejected += [
                readings.Rejection(f"history[{index}].intervals", reason) for reason in sorted(of_line.wrong)
            ]
        return sightings, rejected


class _Lines:
    """The lines of one gateway, as its history fills them."""

    def __init__(self, serial: str, names: Mapping[str, str], known: set[str]) -> None:
        self.wrong: set[str] = set()
        self._serial = serial
        self._names = names
        self._known = known
        self._usage: dict[str, list[readings.Usage]] = {}

    def add(self, interval: rows.Interval, series: readings.UsageSeries) -> None:
        usage = interval.usage
        if usage is None:
            return
        if not usage.by_sim and int(usage.total or 0):
            self.wrong.add("bytes that are no SIM's")
        for sim in usage.by_sim or ():
            if sim.total is not None and self._is_known(sim):
                starts_at, ends_at = decoding.utc(interval.starts_at), decoding.utc(interval.ends_at)
                told = readings.Usage(INTERVAL, series, starts_at, int(sim.total), ends_at)
                self._usage.setdefault(self._slot(sim.name), []).append(told)

    def sightings(self) -> list[readings.Sighting]:
        return [
            readings.Sighting(lines.slot_key(self._serial, slot), usage=tuple(told))
            for slot, told in self._usage.items()
        ]

    def _is_known(self, sim: rows.SimBytes) -> bool:
        """History may tell 0 of a slot that is empty: that is no line."""
        if self._slot(sim.name) in self._known:
            return True
        if int(sim.total or 0):
            self.wrong.add("bytes of a SIM that the current usage does not list: see history_slots")
        return False

    def _slot(self, name: str) -> str:
        return self._names.get(name.strip(), name.strip())
