"""What Prometheus scrapes: counters of the polling, and gauges made from the last snapshot of the figures."""

import importlib.metadata
import operator
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, tzinfo
from typing import Generic, TypeVar

import prometheus_client
from prometheus_client import core, exposition
from prometheus_client import registry as registries

from service.store import coverage, disagreements

MINIMUM_CELL_SIZE = 10
STATES = ("adequate", "unknown", "weak", "exhausted", "idle", "never_used", "suspended")
REQUEST_SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
SWEEP_SECONDS = (1, 5, 15, 30, 60, 120, 300, 600, 1800, 3600)

_Subject = TypeVar("_Subject", contravariant=True)
_Any = TypeVar("_Any")
_Labels = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Gauge(Generic[_Subject]):
    """A family. Its value for a subject is None where it is not known: the series is absent then."""

    name: str
    help: str
    value: Callable[[_Subject], float | None]

    def series(self, key: _Labels, subject: _Subject) -> Iterator[tuple[_Labels, float | None]]:
        yield key, self.value(subject)


@dataclass(frozen=True, slots=True)
class StateGauge(Generic[_Subject]):
    """A family with a series per state."""

    name: str
    help: str
    values: Callable[[_Subject], Mapping[str, float | None]]

    def series(self, key: _Labels, subject: _Subject) -> Iterator[tuple[_Labels, float | None]]:
        for state, value in self.values(subject).items():
            yield (*key, state), value


def _instant(value: datetime | None) -> float | None:
    return None if value is None else value.timestamp()


def _midnight(day: date | None, zone: tzinfo) -> float | None:
    return None if day is None else datetime.combine(day, time(), zone).timestamp()


def _counts(prefix: str, whose: str) -> Iterator[Gauge[coverage.Counts]]:
    for name, field, text in (
        (
            "coverage_ratio",
            "coverage",
            "Students in need with an adequate connection at home / students in need",
        ),
        ("coverage_low_ratio", "coverage_low", "Coverage if everyone who has not answered were in need"),
        ("coverage_high_ratio", "coverage_high", "Coverage if every loan of unknown state were adequate"),
        ("completeness_ratio", "completeness", "Students whose loan's state is known / students with a loan"),
        ("students_enrolled", "enrolled", "Students enrolled"),
        ("students_answered", "answered", "Students with a valid answer about their connection at home"),
        ("students_in_need", "need", "Students who cannot get online at home without a loan"),
        ("students_loaned", "loaned", "Students in need with an open loan"),
        ("students_active_30", "active_30", "Students in need whose loan was used in the last 30 days"),
        ("students_active_7", "active_7", "Students in need whose loan was used in the last 7 days"),
        ("students_adequate", "adequate", "Students in need whose loan is an adequate connection"),
        ("students_unknown", "unknown", "Students in need whose loan's state is not known"),
    ):
        yield Gauge(
            f"afterbell_{prefix}_{name}", f"{text}, {whose}, on the reported day.", operator.attrgetter(field)
        )


SCHOOLS: tuple[Gauge[coverage.School] | StateGauge[coverage.School], ...] = (
    *_counts("school", "by school"),
    Gauge(
        "afterbell_school_high_needs", "Whether the school is high-needs (0 or 1).", lambda s: s.is_high_needs
    ),
    Gauge(
        "afterbell_school_need_exceeded",
        "Whether the school has more adequate loans than need: its need count is stale (0 or 1).",
        lambda s: s.is_need_exceeded,
    ),
    Gauge(
        "afterbell_school_out_of_session",
        "Whether the reported day is in a break of the school (0 or 1).",
        lambda s: s.is_out_of_session,
    ),
    Gauge(
        "afterbell_school_student_devices",
        "Students' own devices in service; shown beside coverage, never a part of it.",
        lambda s: s.student_devices,
    ),
    Gauge(
        "afterbell_school_student_devices_active",
        "Students' own devices in use within the seven days up to the reported one.",
        lambda s: s.student_devices_active,
    ),
    Gauge(
        "afterbell_school_student_devices_elsewhere",
        "Students' own devices online elsewhere than at school within the seven days up to the reported one.",
        lambda s: s.student_devices_elsewhere,
    ),
    StateGauge(
        "afterbell_school_students",
        "Students in need with an open loan, by their best loan's state, on the reported day.",
        lambda s: {state: getattr(s, state) for state in STATES},
    ),
)

DISTRICT_COUNTS = tuple(_counts("district", "over schools whose need is known"))

DISTRICTS: tuple[Gauge[coverage.District] | StateGauge[coverage.District], ...] = (
    Gauge(
        "afterbell_district_coverage_gap_ratio",
        "Coverage of the other schools less coverage of the high-needs schools.",
        lambda d: d.coverage_gap,
    ),
    Gauge(
        "afterbell_district_reported_day_timestamp_seconds",
        "Start of the day, in the district's zone, that all coverage figures are for.",
        lambda d: _midnight(d.reported_on, d.time_zone),
    ),
    Gauge(
        "afterbell_district_schools_need_unknown",
        "Schools whose need is not known on the reported day.",
        lambda d: d.day.schools_without_need if d.day else None,
    ),
    StateGauge(
        "afterbell_district_loans",
        "Open loans by state on the reported day.",
        lambda d: {state: d.loans_by_state.get(state, 0) for state in STATES} if d.day else {},
    ),
)

CONFLICTS: Gauge[coverage.District] = Gauge(
    "afterbell_conflicts_open",
    "Contradictions between sources that wait for a person.",
    lambda d: d.conflicts.count,
)

COMPARED: tuple[Gauge[Sequence[disagreements.Disagreement]], ...] = (
    Gauge(
        "afterbell_source_compared_lines",
        "Lines whose bytes of the seven days up to the reported one another account has told too.",
        lambda pairs: sum(pair.lines_compared for pair in pairs),
    ),
    Gauge(
        "afterbell_source_disagreement_lines",
        "Of the compared lines, those whose totals differ by more than the tolerated part.",
        lambda pairs: sum(pair.lines_disagreeing for pair in pairs),
    ),
)

ACCOUNTS: tuple[Gauge[coverage.Source], ...] = (
    Gauge(
        "afterbell_account_last_attempt_timestamp_seconds",
        "When the account was last polled, whatever came of it.",
        lambda a: _instant(a.last_attempt_at),
    ),
    Gauge(
        "afterbell_account_last_success_timestamp_seconds",
        "When the account was last read: of its endpoint groups, the one that is due first.",
        lambda a: _instant(a.last_success_at),
    ),
    Gauge(
        "afterbell_account_failing",
        "Whether any of the account's endpoint groups failed at its last attempt (0 or 1).",
        lambda a: a.failing_since_at is not None if a.last_attempt_at else None,
    ),
    Gauge(
        "afterbell_account_cadence_seconds",
        "How often the endpoint group that is due first is meant to be read.",
        lambda a: None if a.is_file else a.every.total_seconds(),
    ),
    Gauge(
        "afterbell_account_unmapped_lines",
        "Lines and students' devices whose status is a word that is not known.",
        lambda a: None if a.is_file else a.unmapped,
    ),
)

SNAPSHOT: Gauge[coverage.Snapshot] = Gauge(
    "afterbell_snapshot_timestamp_seconds",
    "When the figures of schools, districts and accounts were read from the database.",
    lambda s: s.taken_at.timestamp(),
)


class Metrics:
    """Every family. ``registry`` has them all; ``exposition`` is the quick way to the same text."""

    registry: registries.CollectorRegistry

    def __init__(self, *, minimum_cell_size: int = MINIMUM_CELL_SIZE) -> None:
        self._minimum_cell_size = minimum_cell_size
        self._shown = _Shown(_families(None, minimum_cell_size))
        self._polling = _Registry()
        self.registry = registries.CollectorRegistry()
        self.registry.register(_Both(self))
        self._requests = self._counter("requests", "Requests to vendors, by how they ended.", "state")
        self._sweeps = self._counter("sweeps", "Sweeps of an endpoint group, by how they ended.", "state")
        self._written = self._counter("rows_written", "Rows that sweeps stored.")
        self._rejected = self._counter("rows_rejected", "Rows that sweeps skipped as invalid.")
        self._skipped = self._counter("polls_skipped", "Polls not started because the last still ran.")
        self._gaps = self._counter("gap_seconds", "Time that an account was not read when it should be.")
        self._request_seconds = self._histogram(
            "request", "Duration of a request to a vendor.", REQUEST_SECONDS
        )
        self._sweep_seconds = self._histogram("sweep", "Duration of a sweep.", SWEEP_SECONDS)
        self._build_info().labels(version=importlib.metadata.version("afterbell")).set(1)

    def _counter(self, name: str, text: str, *more: str) -> prometheus_client.Counter:
        labels = ("district", "account", *more)
        return prometheus_client.Counter(f"afterbell_{name}", text, labels, registry=self._polling)

    def _histogram(self, name: str, text: str, buckets: Sequence[float]) -> prometheus_client.Histogram:
        return prometheus_client.Histogram(
            f"afterbell_{name}_duration_seconds",
            text,
            ("district", "account"),
            buckets=buckets,
            registry=self._polling,
        )

    def _build_info(self) -> prometheus_client.Gauge:
        text = "The running version; always 1."
        return prometheus_client.Gauge("afterbell_build_info", text, ["version"], registry=self._polling)

    def request_observed(self, *, district: int, account: str, outcome: str, seconds: float) -> None:
        self._requests.labels(district, account, outcome).inc()
        self._request_seconds.labels(district, account).observe(seconds)

    def sweep_finished(
        self, *, district: int, account: str, outcome: str, seconds: float, rows: int, rejected: int
    ) -> None:
        self._sweeps.labels(district, account, outcome).inc()
        self._sweep_seconds.labels(district, account).observe(seconds)
        self._written.labels(district, account).inc(rows)
        self._rejected.labels(district, account).inc(rejected)

    def poll_skipped(self, *, district: int, account: str) -> None:
        """A timed job found itself still running."""
        self._skipped.labels(district, account).inc()

    def gap_recorded(self, *, district: int, account: str, seconds: float) -> None:
        self._gaps.labels(district, account).inc(seconds)

    def show(self, snapshot: coverage.Snapshot) -> None:
        """From now on scrapes tell of this snapshot; they never ask the database."""
        self._shown = _Shown(_families(snapshot, self._minimum_cell_size))

    def exposition(self, accept: str) -> tuple[bytes, str]:
        """The text that a scraper with this Accept header wants, and its content type."""
        encode, content_type = exposition.choose_encoder(accept)
        return self._shown.encoded(encode, content_type) + encode(self._polling), content_type

    def collect(self) -> Iterator[core.Metric]:
        yield from self._shown.families
        yield from self._polling.collect()


class _Both(registries.Collector):
    """All families of Metrics, whichever snapshot is shown."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def collect(self) -> Iterator[core.Metric]:
        return self._metrics.collect()


class _Registry(registries.CollectorRegistry):
    """Without the ``_created`` series, which the text format would turn into families of their own."""

    def collect(self) -> Iterator[core.Metric]:
        for family in super().collect():
            family.samples = [sample for sample in family.samples if not sample.name.endswith("_created")]
            yield family


class _Shown(registries.Collector):
    """The families of one snapshot, and their text once a scrape has asked for it: it does not change."""

    def __init__(self, families: Iterable[core.Metric]) -> None:
        self.families = tuple(families)
        self._texts: dict[str, bytes] = {}

    def collect(self) -> Iterable[core.Metric]:
        return self.families

    def encoded(self, encode: Callable[[registries.Collector], bytes], content_type: str) -> bytes:
        """Without the end mark, as more families follow."""
        if content_type not in self._texts:
            self._texts[content_type] = encode(self).removesuffix(b"# EOF\n")
        return self._texts[content_type]


def _families(snapshot: coverage.Snapshot | None, cell: int) -> Iterator[core.Metric]:
    """All families, also without a series, so that their help is there from the start."""
    districts = [((str(d.district_id),), d) for d in snapshot.districts] if snapshot else []
    schools = [((*key, s.ncessch), s) for key, d in districts for s in d.schools if _is_shown(s, cell)]
    days: list[tuple[_Labels, coverage.Counts]] = [(key, d.day or coverage.Counts()) for key, d in districts]
    accounts = [((*key, source.account_key), source) for key, d in districts for source in d.sources]
    yield from (_family(gauge, ("district", "school"), schools) for gauge in SCHOOLS)
    yield from (_family(gauge, ("district",), days) for gauge in DISTRICT_COUNTS)
    yield from (
        _family(gauge, ("district",), districts) for gauge in (*DISTRICTS, CONFLICTS, _withheld(cell))
    )
    yield from (_family(gauge, ("district", "account"), accounts) for gauge in ACCOUNTS)
    compared = [((*key, account), pairs) for key, d in districts for account, pairs in _compared(d)]
    yield from (_family(gauge, ("district", "account"), compared) for gauge in COMPARED)
    yield _family(SNAPSHOT, (), [((), snapshot)] if snapshot else [])


def _compared(
    district: coverage.District,
) -> Iterator[tuple[str, Sequence[disagreements.Disagreement]]]:
    """Every account that is compared with another, with its pairs."""
    for account in sorted({key for pair in district.disagreements for key in pair.account_keys}):
        yield account, [pair for pair in district.disagreements if account in pair.account_keys]


def _is_shown(school: coverage.School, cell: int) -> bool:
    return school.need is not None and school.need >= cell


def _withheld(cell: int) -> Gauge[coverage.District]:
    return Gauge(
        "afterbell_district_schools_withheld",
        "Schools left out here: fewer in need than the minimum cell size, or need not known.",
        lambda d: sum(not _is_shown(school, cell) for school in d.schools),
    )


def _family(
    gauge: Gauge[_Any] | StateGauge[_Any], labels: _Labels, subjects: Iterable[tuple[_Labels, _Any]]
) -> core.Metric:
    names = (*labels, "state") if isinstance(gauge, StateGauge) else labels
    family = core.GaugeMetricFamily(gauge.name, gauge.help, labels=names)
    for key, subject in subjects:
        for values, value in gauge.series(key, subject):
            if value is not None:
                family.add_metric(values, value)
    return family
