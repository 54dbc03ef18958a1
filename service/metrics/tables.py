"""All families of a snapshot, and the subjects that each has a series for."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from service.metrics import alerts, districts, families, schools, sources, withheld
from service.store import coverage

MINIMUM_CELL_SIZE = 10

Table = tuple[families.Labels, tuple[families.Family, ...]]

TABLES: Mapping[str, Table] = {
    "schools": (schools.LABELS, schools.FAMILIES),
    "counts": (districts.LABELS, districts.COUNTS),
    "sums": (districts.LABELS, districts.SUMS),
    "groups": (districts.LABELS, districts.GROUPS),
    "measures": (districts.LABELS, districts.MEASURES),
    "districts": (districts.LABELS, districts.FAMILIES),
    "withheld": (districts.LABELS, districts.WITHHELD),
    "accounts": (sources.ACCOUNT_LABELS, sources.ACCOUNTS),
    "compared": (sources.ACCOUNT_LABELS, sources.COMPARED),
    "alerts": (alerts.QUIET_LABELS, alerts.ALERTS),
    "rules": (alerts.RULE_LABELS, alerts.RULES),
    "infos": (alerts.INFO_LABELS, alerts.INFO),
    "channels": (sources.CHANNEL_LABELS, sources.CHANNELS),
    "snapshot": ((), sources.SNAPSHOT),
}


@dataclass(frozen=True)
class Known:
    """What the series are made from. ``snapshot`` None: nothing was read yet."""

    snapshot: coverage.Snapshot | None = None
    minimum_cell_size: int = MINIMUM_CELL_SIZE
    rules: alerts.Rules = field(default_factory=dict)

    def subjects(self, table: str) -> families.Subjects[object]:
        found: families.Subjects[object] = getattr(self, f"_{table}")()
        return found

    @cached_property
    def _told(self) -> list[tuple[str, coverage.District, withheld.Told]]:
        of = self.snapshot.districts if self.snapshot else ()
        return [(str(d.district_id), d, withheld.told(d.schools, self.minimum_cell_size)) for d in of]

    def _schools(self) -> Iterator[tuple[families.Labels, object]]:
        for key, district, told in self._told:
            cost = {one.ncessch: one for one in district.program.costs.schools} if district.program else {}
            for school in told.schools:
                yield (key, school.ncessch), schools.School(school, cost.get(school.ncessch))

    def _counts(self) -> Iterator[tuple[families.Labels, object]]:
        nothing = coverage.Counts()
        for key, district, told in self._told:
            yield (key,), (district.day or nothing) if told.is_district_told else nothing

    def _groups(self) -> Iterator[tuple[families.Labels, object]]:
        return (((key,), district) for key, district, told in self._told if told.are_groups_told)

    def _sums(self) -> Iterator[tuple[families.Labels, object]]:
        return (((key,), district) for key, district, told in self._told if told.is_district_told)

    def _measures(self) -> Iterator[tuple[families.Labels, object]]:
        return (((key,), district) for key, district, told in self._told if told.is_all_told)

    def _districts(self) -> Iterator[tuple[families.Labels, object]]:
        return (((key,), district) for key, district, _ in self._told)

    def _withheld(self) -> Iterator[tuple[families.Labels, object]]:
        return (((key,), told) for key, _, told in self._told)

    def _accounts(self) -> Iterator[tuple[families.Labels, object]]:
        return (((key, one.account_key), one) for key, district, _ in self._told for one in district.sources)

    def _compared(self) -> Iterator[tuple[families.Labels, object]]:
        for key, district, _ in self._told:
            yield from (((key, account), pairs) for account, pairs in sources.compared(district))

    def _alerts(self) -> Iterator[tuple[families.Labels, object]]:
        for key, district, _ in self._told:
            for one in alerts.standings(key, district.alerts, self.rules.get(district.district_id, ())):
                yield (key, one.rule, one.severity), one

    def _rules(self) -> Iterator[tuple[families.Labels, object]]:
        return (((key, run.rule), run) for key, district, _ in self._told for run in district.alerts.runs)

    def _infos(self) -> Iterator[tuple[families.Labels, object]]:
        for key, district, _ in self._told:
            yield from alerts.infos(key, self.rules.get(district.district_id, ()))

    def _channels(self) -> Iterator[tuple[families.Labels, object]]:
        for key, district, _ in self._told:
            yield from (((key, one.channel_key), one) for one in district.queues.channels)

    def _snapshot(self) -> Iterator[tuple[families.Labels, object]]:
        return iter([((), self.snapshot)] if self.snapshot else [])
