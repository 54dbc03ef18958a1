"""Turns Google's answers into readings of students' devices. Pure: bytes and instants in, readings out."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType

from collectors import decoding, readings, vocabulary
from collectors.google_workspace import options as workspace_options
from collectors.google_workspace import places, rows

# Whether a device of this status is in use. Only ACTIVE is proven to be a word of Google's.
STATUSES: Mapping[str, bool] = MappingProxyType(
    {"ACTIVE": True, "DISABLED": False, "DEPROVISIONED": False, "PRE_PROVISIONED": False}
)
ONLINE = "ONLINE"
VPN = "VPN"
OLDEST = timedelta(
    days=396
)  # a device at rest still tells of its last days; none is kept longer than 13 months
NEWEST_INSTANT = timedelta(hours=1)  # ahead of the sweep: the list changes while it is read
NEWEST_DAY = timedelta(days=1)  # in whose time zone a day is, Google does not say
IN_THE_FUTURE = "lies in the future: the device's clock is wrong"

POLICY_SYNC = readings.LastSeenBy.POLICY_SYNC


@dataclass(frozen=True)
class List:
    """A page of either list. ``count`` is how many rows Google sent, good and bad; ``next`` None: the last page."""

    devices: list[readings.StudentDevice]
    count: int
    next: str | None
    rejected: list[readings.Rejection]
    unmapped: dict[str, int]


class Parser:
    """Reads the answers of one account."""

    def __init__(self, options: workspace_options.Options) -> None:
        words = {**STATUSES, **options.statuses}
        self._statuses = {vocabulary.fold(word): is_in_service for word, is_in_service in words.items()}
        self._places = places.Places(options.school_networks)

    def devices(self, body: bytes, *, instant: datetime) -> List:
        """Read a page of devices. Raises ResponseInvalid for a bad page."""
        page = decoding.whole(rows.DEVICE_LIST, body)
        rejected: list[readings.Rejection] = []
        found = rows.DEVICES.read(page.chromeosdevices, rejected)
        count = len(found) + len(rejected)
        reading = _Devices(self._statuses, self._places, instant, rejected)
        devices = [reading.device(row) for row in found]
        return List(devices, count, page.next_page_token or None, rejected, reading.unmapped)

    def telemetry(
        self, body: bytes, *, since: datetime, instant: datetime, within: Collection[str] | None = None
    ) -> List:
        """Read a page of telemetry: when a device was online, from ``since`` on. ``within``: of these devices only."""
        page = decoding.whole(rows.TELEMETRY_LIST, body)
        rejected: list[readings.Rejection] = []
        found = rows.TELEMETRY_DEVICES.read(page.devices, rejected)
        count = len(found) + len(rejected)
        reading = _Telemetry(self._places, since, instant + NEWEST_INSTANT, rejected)
        devices = [
            readings.StudentDevice(row.device_id.strip(), whereabouts=seen)
            for row in found
            if (within is None or row.device_id.strip() in within) and (seen := reading.whereabouts(row))
        ]
        return List(devices, count, page.next_page_token or None, rejected, {})


class _Devices:
    """The devices of one page. Addresses are kept as long as it is read, as many are the same."""

    def __init__(
        self,
        statuses: Mapping[str, bool],
        known_places: places.Places,
        instant: datetime,
        rejected: list[readings.Rejection],
    ) -> None:
        self.unmapped: dict[str, int] = {}
        self._statuses = statuses
        self._places = _Cached(known_places)
        self._rejected = rejected
        self._oldest, self._newest = instant - OLDEST, instant + NEWEST_INSTANT
        self._first_day, self._last_day = self._oldest.date(), (instant + NEWEST_DAY).date()
        self._words: dict[str, tuple[str, bool | None]] = {}

    def device(self, row: rows.Device) -> readings.StudentDevice:
        status, is_in_service = self._status(row.status) if row.status else (None, None)
        seen_at = self._seen_at(row)
        return readings.StudentDevice(
            row.device_id.strip(),
            decoding.text(row.org_unit_id),
            status,
            is_in_service,
            seen_at,
            None if seen_at is None else POLICY_SYNC,
            self._days(row.active_time_ranges or ()),
            self._whereabouts(seen_at, row.last_known_network or ()),
        )

    def _seen_at(self, row: rows.Device) -> datetime | None:
        at = None if row.last_sync is None else decoding.utc(row.last_sync)
        if at is not None and at > self._newest:
            self._rejected.append(readings.Rejection("chromeosdevices[].lastSync", IN_THE_FUTURE))
            return None
        return at

    def _status(self, raw: str) -> tuple[str, bool | None]:
        if (known := self._words.get(raw)) is None:
            word = raw.strip()[: vocabulary.RAW_STATUS_CHARACTERS]
            known = self._words[raw] = (word, self._statuses.get(vocabulary.fold(word)))
        if known[1] is None:
            self.unmapped[known[0]] = self.unmapped.get(known[0], 0) + 1
        return known

    def _days(self, ranges: Collection[rows.ActiveRange]) -> tuple[readings.ActiveDay, ...]:
        first, last = self._first_day, self._last_day
        days = tuple(
            [
                readings.ActiveDay(day.date, day.active_time // 1000)
                for day in ranges
                if first <= day.date <= last
            ]
        )
        if len(days) < len(ranges) and any(day.date > last for day in ranges):
            self._rejected.append(
                readings.Rejection("chromeosdevices[].activeTimeRanges[].date", IN_THE_FUTURE)
            )
        return days

    def _whereabouts(
        self, seen_at: datetime | None, networks: Collection[rows.Network]
    ) -> tuple[readings.Whereabouts, ...]:
        """Google does not date the network; the sync is the last time the device is known to have been online."""
        if seen_at is None or seen_at < self._oldest:
            return ()
        told = [self._places.of(network.wan_ip_address) for network in networks if network.wan_ip_address]
        return (readings.Whereabouts(seen_at, places.together(told)),) if told else ()


class _Telemetry:
    """The reports of one page."""

    def __init__(
        self,
        known_places: places.Places,
        since: datetime,
        until: datetime,
        rejected: list[readings.Rejection],
    ) -> None:
        self._places = _Cached(known_places)
        self._since, self._until = since, until
        self._rejected = rejected

    def whereabouts(self, row: rows.TelemetryDevice) -> tuple[readings.Whereabouts, ...]:
        """When the device reached the internet: of several networks at one instant, what they say together."""
        told: dict[datetime, list[places.Place]] = {}
        is_ahead = False
        for report in row.network_status_report or ():
            if report.connection_state != ONLINE or report.report_time is None:
                continue
            at = decoding.utc(report.report_time)
            is_ahead = is_ahead or at > self._until
            if self._since <= at <= self._until:
                told.setdefault(at, []).append(self._place(report))
        if is_ahead:
            self._rejected.append(
                readings.Rejection("devices[].networkStatusReport[].reportTime", IN_THE_FUTURE)
            )
        return tuple(readings.Whereabouts(at, places.together(told[at])) for at in sorted(told))

    def _place(self, report: rows.Report) -> places.Place:
        """A gateway tells a place only where its address is public, and not the far end of a tunnel."""
        if report.connection_type == VPN:
            return places.Place.UNKNOWN
        gateways = (report.gateway_ip_address, report.gateway_ipv6_address)
        return places.together([self._places.of(gateway) for gateway in gateways if gateway])


class _Cached:
    """Places by address, for the time that one page is read."""

    def __init__(self, known: places.Places) -> None:
        self._known = known
        self._told: dict[str, places.Place] = {}

    def of(self, address: str) -> places.Place:
        if (place := self._told.get(address)) is None:
            place = self._told[address] = self._known.of(address.strip())
        return place
