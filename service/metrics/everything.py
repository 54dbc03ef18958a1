"""All families together, and their text as a scraper asks for it."""

from collections.abc import Iterator, Sequence

from prometheus_client import core, exposition
from prometheus_client import registry as registries

from service.metrics import families, polling, shown, tables
from service.model import alert_rules
from service.store import coverage

_END = b"# EOF\n"
_WRITTEN_OTHERWISE = ("escaping=dots", "escaping=values")  # names with signs that ours do not need


class Metrics(polling.Polling):
    """Every family. ``registry`` has them all; ``exposition`` is the quick way to the same text."""

    registry: registries.CollectorRegistry

    def __init__(self, *, minimum_cell_size: int = tables.MINIMUM_CELL_SIZE) -> None:
        super().__init__()
        self._minimum_cell_size = minimum_cell_size
        self._rules: dict[int, tuple[alert_rules.Rule, ...]] = {}
        self._shown = shown.Shown(tables.Known())
        self.registry = registries.CollectorRegistry()
        self.registry.register(_Both(self))

    def rules_known(self, district: int, rules: Sequence[alert_rules.Rule]) -> None:
        """The rules that a district has: told from the next snapshot on, also those that found nothing."""
        self._rules[district] = tuple(rules)

    def show(self, snapshot: coverage.Snapshot) -> None:
        """From now on scrapes tell of this snapshot; they never ask the database. Takes its time, so do it aside."""
        self._shown = shown.Shown(tables.Known(snapshot, self._minimum_cell_size, dict(self._rules)))

    def exposition(self, accept: str, *, is_compressed: bool = False) -> tuple[bytes, str]:
        """The text that a scraper with this Accept header wants, as it is or as gzip, and its content type."""
        encode, content_type = exposition.choose_encoder(accept)
        seen = self._shown  # a new snapshot may come meanwhile
        if content_type.endswith(_WRITTEN_OTHERWISE):
            text = encode(seen).removesuffix(_END) + encode(self.counted)
            return (shown.compressed(text) if is_compressed else text), content_type
        rest = encode(self.counted)
        return (seen.compressed(rest) if is_compressed else seen.text + rest), content_type

    def collect(self) -> Iterator[core.Metric]:
        yield from self._shown.collect()
        yield from self.counted.collect()

    def described(self) -> list[families.Described]:
        """Every family, whether or not it has a series."""
        gauges = [
            families.Described(
                family.name, "gauge", frozenset((*labels, *family.labels)), family.stability, family.help
            )
            for labels, rows in tables.TABLES.values()
            for family in rows
        ]
        return gauges + self.descriptions


class _Both(registries.Collector):
    """All families of Metrics, whichever snapshot is shown."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def collect(self) -> Iterator[core.Metric]:
        return self._metrics.collect()
