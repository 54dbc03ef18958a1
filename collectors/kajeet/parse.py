"""Turns Sentinel's answers into readings. Pure: bytes and an instant in, readings out."""

from dataclasses import dataclass
from datetime import datetime

from collectors import decoding, readings
from collectors.kajeet import options as kajeet_options
from collectors.kajeet import rows, states

COUNTER, GAUGE = readings.UsageKind.COUNTER, readings.UsageKind.GAUGE
DAY, CYCLE = readings.UsageSeries.DAY, readings.UsageSeries.CYCLE
LAST_30_DAYS = readings.UsageSeries.LAST_30_DAYS


@dataclass(frozen=True)
class Devices:
    """A page of devices. ``count`` is how many rows the vendor sent, good and bad."""

    total: int
    count: int
    sightings: list[readings.Sighting]
    rejected: list[readings.Rejection]
    unmapped: dict[str, int]

    @property
    def first(self) -> str | None:
        return self.sightings[0].provider_key if self.sightings else None


@dataclass(frozen=True)
class Groups:
    """A page of device groups."""

    total: int
    count: int
    groups: list[readings.Group]
    rejected: list[readings.Rejection]

    @property
    def first(self) -> str | None:
        return self.groups[0].group_key if self.groups else None


class Parser:
    """Reads the answers of one account, whose options say how the vendor names things."""

    def __init__(self, options: kajeet_options.Options) -> None:
        self._devices = rows.device_lists(options.fields)
        self._groups = rows.group_lists(options.fields)
        self._vocabulary = states.Vocabulary(options)
        self._megabyte_bytes = options.megabyte_bytes

    def devices(self, body: bytes, *, instant: datetime, group_key: str | None = None) -> Devices:
        """Read a page of devices; a bad one is rejected by itself. Raises ResponseInvalid for a bad page."""
        page = self._devices.page(body)
        seen = states.States(self._vocabulary, instant)
        rejected: list[readings.Rejection] = []
        sightings = [
            self._sighting(row, seen, instant, group_key) for row in self._devices.rows(page, rejected)
        ]
        return Devices(page.total, len(sightings) + len(rejected), sightings, rejected, seen.unmapped)

    def groups(self, body: bytes) -> Groups:
        """Read a page of device groups. Raises ResponseInvalid."""
        page = self._groups.page(body)
        rejected: list[readings.Rejection] = []
        found = [
            readings.Group(group_key=str(row.group_key).strip(), parent_key=decoding.text(row.parent_key))
            for row in self._groups.rows(page, rejected)
        ]
        return Groups(page.total, len(found) + len(rejected), found, rejected)

    def total(self, body: bytes) -> int:
        """How many devices the list holds. Raises ResponseInvalid."""
        return self._devices.page(body).total

    def doubts(self, body: bytes) -> list[readings.Rejection]:
        """Name what is wrong with a page's rows, and the expected fields that its first row lacks."""
        page = self._devices.page(body)
        rejected: list[readings.Rejection] = []
        self._devices.rows(page, rejected)
        return rejected + [
            readings.Rejection(
                f"{self._devices.name}[0].{name}",
                "absent: if it is absent everywhere, correct options.fields",
            )
            for name in self._devices.absent(page)
        ]

    def _sighting(
        self, row: rows.Device, seen: states.States, instant: datetime, group_key: str | None
    ) -> readings.Sighting:
        size = self._megabyte_bytes
        return readings.Sighting(
            str(row.key).strip(),
            decoding.text(row.mdn),
            decoding.text(row.iccid),
            decoding.text(row.imei),
            decoding.text(row.serial),
            group_key,
            limit(row.day_limit, size),
            limit(row.month_limit, size),
            usage(
                instant,
                size,
                day=row.day_amount,
                month=row.month_amount,
                last_30_days=row.last_30_days_amount,
            ),
            (
                seen.read(
                    row.status,
                    row.media_center_status,
                    row.summer_status,
                    row.online,
                    is_filtered(row.filter_group),
                ),
            ),
        )


def usage(
    instant: datetime,
    megabyte_bytes: int,
    *,
    day: float | None,
    month: float | None,
    last_30_days: float | None,
) -> tuple[readings.Usage, ...]:
    """Readings of the amounts that were told. Day and month count up and reset; 30 days roll."""
    told = []
    if day is not None:
        told.append(readings.Usage(COUNTER, DAY, instant, round(day * megabyte_bytes)))
    if month is not None:
        told.append(readings.Usage(COUNTER, CYCLE, instant, round(month * megabyte_bytes)))
    if last_30_days is not None:
        told.append(readings.Usage(GAUGE, LAST_30_DAYS, instant, round(last_30_days * megabyte_bytes)))
    return tuple(told)


def is_filtered(group: bytes | None) -> bool | None:
    """Whether a line is in any filter group, by the JSON of its name. None: not told."""
    if group is None or bytes(group) == b"null":
        return None
    return bool(bytes(group).strip(b'" '))


def limit(megabytes: float | None, megabyte_bytes: int) -> int | None:
    """A limit of 0 or less, or beyond all reason, is none."""
    if megabytes is None or not 0 < megabytes <= rows.MAX_MEGABYTES:
        return None
    return round(megabytes * megabyte_bytes)


def in_bytes(megabytes: float | None, megabyte_bytes: int) -> int | None:
    return None if megabytes is None else round(megabytes * megabyte_bytes)
